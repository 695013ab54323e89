//! The call of `actr_handle` that the current thread is in, if it is in one: how `invoke` finds its run.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use playhouse_abi::native::status;
use playhouse_types::{ActorError, Code, ErrorKind};
use playhouse_wire::native::{HostCall, write_reply};

use super::buffers::Account;
use super::port::{Order, Said};
use super::worker::Post;

/// What a guest's thread needs while it handles one event.
pub(super) struct ActiveCall {
    pub(super) post: RefCell<Post>,
    pub(super) account: Account,
    pub(super) host_calls_max: u32,
    pub(super) host_calls: Cell<u32>,
}

thread_local! {
    static ACTIVE: RefCell<Option<Rc<ActiveCall>>> = const { RefCell::new(None) };
}

/// Runs `body` with `call` as the thread's active call.
pub(super) fn with<R>(call: &Rc<ActiveCall>, body: impl FnOnce() -> R) -> R {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            ACTIVE.set(None);
        }
    }
    call.host_calls.set(0);
    ACTIVE.set(Some(Rc::clone(call)));
    let _reset = Reset;
    body()
}

/// Ends the thread's active call early, when the guest has returned but its code may run once more.
pub(super) fn end() {
    ACTIVE.set(None);
}

/// Carries out one `invoke` of the guest on this thread: its encoded reply, or the code to return without one.
pub(super) fn invoke(frame: &[u8]) -> Result<(Vec<u8>, Account), i32> {
    // Gone already if a destructor of the guest calls at the end of its thread.
    let active = ACTIVE.try_with(|active| active.borrow().clone());
    let call = active.ok().flatten().ok_or(status::ERROR)?;
    let op = match HostCall::read(frame) {
        Ok(HostCall(op)) => op,
        Err(refusal) => return refusal.encode().map(|reply| (reply, call.account.clone())),
    };
    let count = call.host_calls.get().saturating_add(1);
    if count > call.host_calls_max {
        let message = format!("more than {} host operations in one event", call.host_calls_max);
        return Ok((failed(ErrorKind::Unavailable, Code::GuestHostCallLimit, &message), call.account.clone()));
    }
    call.host_calls.set(count);
    // Borrowed already if a signal handler of the guest calls while the guest waits.
    let mut post = call.post.try_borrow_mut().map_err(|_| status::ERROR)?;
    let mut reply = Vec::new();
    post.say(|answer| answer.said = Said::Op(Box::new(op)));
    if post.receive(&mut reply) != Some(Order::OpDone) {
        // The run was dropped: nobody waits for this event any more.
        reply = failed(ErrorKind::TimedOut, Code::DeadlineExpired, "the event was given up");
    }
    Ok((reply, call.account.clone()))
}

fn failed(kind: ErrorKind, code: Code, message: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_reply(status::ERROR, ActorError::coded(kind, code, message).to_text().as_bytes(), &mut out);
    out
}
