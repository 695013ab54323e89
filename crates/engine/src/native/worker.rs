//! The thread of one guest.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::active::{self, ActiveCall};
use super::buffers::Account;
use super::error::LoadError;
use super::image::Image;
use super::judge::judge;
use super::port::{Port, ToGuest, ToHost};
use super::sheet::Sheet;
use super::spin::{GUEST_SPIN, Spin, SpinPermit};
use crate::{Failure, Limits};

/// Bytes of stack of a guest's thread: what guests of actr 0.3 had, whose host used threads of tokio's blocking pool.
/// Only touched pages cost memory.
const STACK_BYTES: usize = 2 << 20;
/// Threads of guests in one process, hung ones included. Each native workload needs one; a thousand leave room for the
/// rest under the usual limit of a few thousand tasks per container.
pub(super) const THREADS_MAX: usize = 1024;

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// What a guest's thread begins with.
pub(super) struct Birth {
    pub(super) library: Bytes,
    pub(super) init_payload: Vec<u8>,
    pub(super) limits: Arc<Limits>,
    pub(super) port: Arc<Port>,
}

/// What is known of a guest once it is loaded.
pub(super) struct Ready {
    pub(super) has_contexts: bool,
}

type Verdict = Result<Ready, LoadError>;

/// Starts the thread of a guest and loads the library there. The receiver hears whether the guest is ready.
pub(super) fn spawn(name: &str, birth: Birth) -> Result<oneshot::Receiver<Verdict>, LoadError> {
    let slot = Slot::acquire()?;
    let (ready, is_ready) = oneshot::channel();
    std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let _slot = slot;
            live(birth, ready);
        })
        .map_err(|source| LoadError::System { doing: "start a thread", source })?;
    Ok(is_ready)
}

/// Waits for what the run says, looking for a moment before it sleeps if that has been of use and a core is free.
pub(super) fn receive(call: &ActiveCall) -> Option<ToGuest> {
    let mut patience = call.patience.get();
    if !call.port.is_called()
        && patience.allows()
        && let Some(_permit) = SpinPermit::acquire()
    {
        let mut spin = Spin::new(GUEST_SPIN);
        while !call.port.is_called() && spin.again() {}
        patience.learn(call.port.is_called());
    }
    call.patience.set(patience);
    call.port.receive()
}

fn live(birth: Birth, ready: oneshot::Sender<Verdict>) {
    let _farewell = Farewell(Arc::clone(&birth.port));
    let image = match Image::load(&birth.library).and_then(|image| image.init(&birth.init_payload).map(|()| image)) {
        Ok(image) => image,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    if ready.send(Ok(Ready { has_contexts: image.has_contexts() })).is_err() {
        return image.end();
    }
    let call = Rc::new(ActiveCall {
        port: birth.port,
        account: Account::default(),
        host_calls_max: birth.limits.host_calls,
        host_calls: Cell::new(0),
        patience: Cell::default(),
    });
    // The library's bytes are in its memory file now.
    drop(birth.library);
    let reply_bytes_max = birth.limits.reply_bytes;
    while let Some(message) = receive(&call) {
        let ToGuest::Call(mut sheet) = message else { continue };
        let Sheet { frame, reply, optional, .. } = &mut *sheet;
        let outcome = active::with(&call, || {
            image.handle(frame, |code, bytes| {
                let payload = judge(code, bytes, *optional, reply_bytes_max)?;
                reply.clear();
                reply.extend_from_slice(payload);
                Ok(())
            })
        });
        let is_crash = matches!(outcome, Err(Failure::Crash(_)));
        call.port.answer(ToHost::Returned(outcome, sheet));
        if is_crash {
            return;
        }
    }
    image.end();
}

/// Tells the run that the thread has ended, however it did.
struct Farewell(Arc<Port>);

impl Drop for Farewell {
    fn drop(&mut self) {
        self.0.farewell(ToHost::Gone);
    }
}

/// One of [`THREADS_MAX`].
struct Slot(());

impl Slot {
    fn acquire() -> Result<Self, LoadError> {
        let more = |count| (count < THREADS_MAX).then_some(count + 1);
        match THREADS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more) {
            Ok(_) => Ok(Self(())),
            Err(_) => Err(LoadError::Limit { what: "threads of native actors", limit: THREADS_MAX }),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        THREADS.fetch_sub(1, Ordering::Relaxed);
    }
}
