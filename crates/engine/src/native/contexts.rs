//! Contexts of guests that call from threads of their own (actr 0.4 and 0.5).
//!
//! Every event opens a context under a number that is never used again. The host holds it while it handles the event, the
//! guest as long as it likes; while anybody holds it, any thread may call the host in it. When the actor ends, all its
//! contexts end, and so do the operations under way in them.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use parking_lot::Mutex;
use playhouse_abi::native::status;
use playhouse_types::{ActorError, Code, ErrorKind, HostOp, HostReply};
use playhouse_wire::native::{HostCall, write_host_reply};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::buffers::Account;
use crate::Context;

/// Contexts that one guest may hold at a time: a guest that never releases any is refused events when it has this many.
pub(super) const CONTEXTS_MAX: usize = 1024;
/// Times that a guest may retain one context. More are a runaway loop.
const HOLDERS_MAX: u32 = 1 << 20;

static OPEN: LazyLock<Mutex<HashMap<u64, Entry>>> = LazyLock::new(Mutex::default);
static NEXT: AtomicU64 = AtomicU64::new(1);

struct Entry {
    scope: Arc<Scope>,
    holders: u32,
}

/// What operations in one context are carried out with.
struct Scope {
    context: Context,
    owner: Arc<Owner>,
    host_calls: AtomicU32,
}

struct Owner {
    runtime: Handle,
    account: Account,
    host_calls_max: u32,
    is_over: watch::Sender<bool>,
}

/// The contexts of one guest. Dropping this ends them.
pub(super) struct Contexts(Arc<Owner>);

impl Contexts {
    pub(super) fn new(runtime: Handle, account: Account, host_calls_max: u32) -> Self {
        let (is_over, _) = watch::channel(false);
        Self(Arc::new(Owner { runtime, account, host_calls_max, is_over }))
    }

    /// Opens a context for an event; none if the guest holds too many.
    pub(super) fn open(&self, context: &Context) -> Option<Held> {
        // Every open context has one reference to its owner.
        if Arc::strong_count(&self.0) > CONTEXTS_MAX {
            return None;
        }
        let token = NEXT.fetch_add(1, Ordering::Relaxed);
        let scope = Scope { context: context.clone(), owner: Arc::clone(&self.0), host_calls: AtomicU32::new(0) };
        OPEN.lock().insert(token, Entry { scope: Arc::new(scope), holders: 1 });
        Some(Held(token))
    }
}

impl Drop for Contexts {
    fn drop(&mut self) {
        self.0.is_over.send_replace(true);
        let ended: Vec<_> = OPEN.lock().extract_if(|_, entry| Arc::ptr_eq(&entry.scope.owner, &self.0)).collect();
        // Outside the lock, as the last reference to a host may do anything.
        drop(ended);
    }
}

/// The host's own hold on a context.
pub(super) struct Held(u64);

impl Held {
    /// The number under which the guest knows the context.
    pub(super) const fn token(&self) -> u64 {
        self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        release(self.0);
    }
}

/// Adds a holder; false if there is no such context.
pub(super) fn retain(token: u64) -> bool {
    match OPEN.lock().get_mut(&token) {
        Some(entry) if entry.holders < HOLDERS_MAX => {
            entry.holders += 1;
            true
        }
        _ => false,
    }
}

/// Takes a holder away. Unknown contexts are ignored.
pub(super) fn release(token: u64) {
    let mut open = OPEN.lock();
    let Some(entry) = open.get_mut(&token) else { return };
    entry.holders -= 1;
    let ended = if entry.holders == 0 { open.remove(&token) } else { None };
    drop(open);
    drop(ended);
}

/// Carries out one `invoke` on the calling thread, which it may block: the encoded reply, or the code to return without one.
pub(super) fn invoke(token: u64, frame: &[u8]) -> Result<(Vec<u8>, Account), i32> {
    let scope = OPEN.lock().get(&token).map(|entry| Arc::clone(&entry.scope)).ok_or(status::ERROR)?;
    let account = scope.owner.account.clone();
    let op = match HostCall::read(frame) {
        Ok(HostCall(op)) => op,
        Err(refusal) => return refusal.encode().map(|reply| (reply, account)),
    };
    let result = if scope.host_calls.fetch_add(1, Ordering::Relaxed) < scope.owner.host_calls_max {
        scope.owner.runtime.block_on(perform(&scope, op))
    } else {
        scope.host_calls.store(scope.owner.host_calls_max, Ordering::Relaxed);
        let message = format!("more than {} host operations in one event", scope.owner.host_calls_max);
        Err(ActorError::coded(ErrorKind::Unavailable, Code::GuestHostCallLimit, message))
    };
    let mut reply = Vec::new();
    write_host_reply(&result, &mut reply);
    Ok((reply, account))
}

async fn perform(scope: &Scope, op: HostOp) -> Result<HostReply, ActorError> {
    let mut is_over = scope.owner.is_over.subscribe();
    let operation =
        pin!(AssertUnwindSafe(async { scope.context.host.perform(&scope.context, op).await }).catch_unwind());
    let over = pin!(is_over.wait_for(|is_over| *is_over));
    match select(operation, over).await {
        Either::Left((Ok(result), _)) => result,
        Either::Left((Err(_), _)) => {
            Err(ActorError::coded(ErrorKind::Internal, Code::HandlerPanic, "the host operation panicked"))
        }
        Either::Right(_) => Err(ActorError::coded(ErrorKind::Unavailable, Code::ActorStopped, "the actor has ended")),
    }
}
