use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt;
use futures_util::future::{self, Shared};
use parking_lot::Mutex;
use playhouse_types::{ActorError, Code, ErrorKind, HostOp};
use tokio::sync::oneshot;

use crate::wasm::failure::LimitBroken;
use crate::{Context, HostFuture};

/// The events in progress in one instance, by the tokens that the guest names them with.
///
/// Tokens tell events apart and are no secret: all of them are one actor's.
#[derive(Debug)]
pub(in crate::wasm) struct Invocations {
    host_calls: u32,
    next: AtomicU64,
    open: Mutex<HashMap<u64, Open>>,
}

#[derive(Debug)]
struct Open {
    context: Context,
    host_calls_left: u32,
    /// Ready once the event is over for whoever asked.
    over: Shared<oneshot::Receiver<()>>,
}

impl Invocations {
    /// No events yet; each may ask for `host_calls` operations.
    pub(super) fn new(host_calls: u32) -> Arc<Self> {
        Arc::new(Self { host_calls, next: AtomicU64::new(1), open: Mutex::default() })
    }

    /// Opens an event; it is over when what this returns goes.
    pub(super) fn enter(self: &Arc<Self>, context: Context) -> Entry {
        let token = self.next.fetch_add(1, Ordering::Relaxed);
        let (ended, over) = oneshot::channel();
        let open = Open { context, host_calls_left: self.host_calls, over: over.shared() };
        self.open.lock().insert(token, open);
        Entry { invocations: Arc::clone(self), token, _ended: ended }
    }

    /// How many events somebody waits for.
    pub(super) fn len(&self) -> usize {
        self.open.lock().len()
    }

    /// The surroundings of an event in progress.
    pub(super) fn context(&self, token: u64) -> Option<Context> {
        self.open.lock().get(&token).map(|open| open.context.clone())
    }

    /// Counts one operation of an event. One that is over has none left to count.
    pub(in crate::wasm) fn host_call(&self, token: u64) -> Result<(), LimitBroken> {
        if let Some(open) = self.open.lock().get_mut(&token) {
            let left = open.host_calls_left.checked_sub(1);
            open.host_calls_left = left.ok_or(LimitBroken::HostCalls { limit: self.host_calls })?;
        }
        Ok(())
    }

    /// Starts an operation that an event asks for. It ends at the latest when the event is over.
    pub(in crate::wasm) fn perform(&self, token: u64, op: HostOp) -> Result<HostFuture, ActorError> {
        let found = self.open.lock().get(&token).map(|open| (open.context.clone(), open.over.clone()));
        let Some((context, over)) = found else { return Err(no_such_event()) };
        // Not under the lock: the host may come back to this very workload.
        Ok(Box::pin(async move {
            match future::select(context.host.perform(&context, op), over).await {
                future::Either::Left((reply, _)) => reply,
                future::Either::Right(_) => Err(no_such_event()),
            }
        }))
    }
}

/// What a guest hears that asks something for an event that is not in progress.
pub(in crate::wasm) fn no_such_event() -> ActorError {
    let message = "it is asked for no event in progress; the one that was meant is over, was given up, or never was";
    ActorError::coded(ErrorKind::InvalidArgument, Code::MalformedOperation, message)
}

/// An event that somebody waits for.
#[derive(Debug)]
pub(super) struct Entry {
    invocations: Arc<Invocations>,
    token: u64,
    /// Dropping it ends the operations under way.
    _ended: oneshot::Sender<()>,
}

impl Entry {
    pub(super) fn token(&self) -> u64 {
        self.token
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.invocations.open.lock().remove(&self.token);
    }
}
