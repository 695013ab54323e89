//! The instance whose thread the current thread is, if it is one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use playhouse_abi::native::status;
use playhouse_abi::native::v2;
use playhouse_abi::native::v2::Slice;
use playhouse_types::{ActorError, Code, ErrorKind, HostOp};
use playhouse_wire::native::v2::{read_error, write_error};

use super::super::buffers::Account;
use super::super::port::{Order, Said};
use super::super::worker::Post;
use super::instance::Instance;
use crate::Failure;

/// What the thread of an instance needs.
pub(super) struct Active {
    pub(super) instance: Arc<Instance>,
    pub(super) post: RefCell<Post>,
    pub(super) account: Account,
    pub(super) reply_bytes_max: usize,
    /// How the event was answered: if well, the reply is on the sheet.
    verdict: Cell<Option<Result<(), Failure>>>,
}

thread_local! {
    static ACTIVE: RefCell<Option<Rc<Active>>> = const { RefCell::new(None) };
}

/// The thread is that of an instance as long as this lives.
pub(super) struct Entered(());

impl Drop for Entered {
    fn drop(&mut self) {
        ACTIVE.set(None);
    }
}

/// The thread's instance, if a call may be one of its.
pub(super) fn here() -> Option<Rc<Active>> {
    // Gone already if a destructor of the guest calls at the end of its thread.
    ACTIVE.try_with(|active| active.try_borrow().ok()?.clone()).ok().flatten()
}

impl Active {
    pub(super) fn new(instance: Arc<Instance>, post: Post, reply_bytes_max: usize) -> Rc<Self> {
        let (post, account, verdict) = (RefCell::new(post), Account::default(), Cell::new(None));
        Rc::new(Self { instance, post, account, reply_bytes_max, verdict })
    }

    pub(super) fn enter(self: &Rc<Self>) -> Entered {
        ACTIVE.set(Some(Rc::clone(self)));
        Entered(())
    }

    /// Takes the guest's answer to the event.
    pub(super) fn answer(&self, call: u64, status: i32, bytes: &[u8]) -> Result<(), i32> {
        // Borrowed already if a signal handler of the guest calls while the guest waits.
        let mut post = self.post.try_borrow_mut().map_err(|_| status::ERROR)?;
        self.instance.claim(call)?;
        self.put(&mut post, status, bytes);
        Ok(())
    }

    fn put(&self, post: &mut Post, status: i32, bytes: &[u8]) {
        let verdict = judge(status, bytes, self.reply_bytes_max);
        self.verdict.set(Some(verdict.map(|payload| post.draft(payload))));
    }

    /// Ends the event with what `handle` returned, if the guest has not answered.
    pub(super) fn refuse(&self, call: u64, failure: Option<Failure>) {
        if self.instance.claim(call).is_ok() {
            self.post.borrow_mut().draft(&[]);
            self.verdict.set(Some(failure.map_or(Ok(()), Err)));
        }
    }

    /// How the event was answered, if it was, by this thread or another.
    pub(super) fn verdict(&self) -> Option<Result<(), Failure>> {
        if let Some(verdict) = self.verdict.take() {
            return Some(verdict);
        }
        let answer = self.instance.take_answer()?;
        self.put(&mut self.post.borrow_mut(), answer.status, &answer.bytes);
        self.verdict.take()
    }

    /// Carries out an operation while the guest waits: the status and the bytes of the reply.
    pub(super) fn perform(&self, call: u64, op: HostOp) -> Result<(i32, Vec<u8>), i32> {
        let mut post = self.post.try_borrow_mut().map_err(|_| status::ERROR)?;
        if !self.instance.is_open(call) {
            return Err(v2::status::NO_CALL);
        }
        if !self.instance.may_ask() {
            let message = format!("more than {} host operations in one event", self.instance.host_calls_max());
            return Ok(failed(&ActorError::coded(ErrorKind::Unavailable, Code::GuestHostCallLimit, message)));
        }
        post.say(|sheet| sheet.said = Said::Op(Box::new(op)));
        let mut reply = Vec::new();
        match post.receive(&mut reply) {
            Some(Order::Completed { status, .. }) => Ok((status, reply)),
            // The run was dropped: nobody waits for this event any more.
            _ => Ok(failed(&ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, "the event was given up"))),
        }
    }
}

/// The status and the bytes of a failure.
pub(super) fn failed(error: &ActorError) -> (i32, Vec<u8>) {
    let mut out = Vec::new();
    write_error(error, &mut out);
    (status::HANDLE_FAILED, out)
}

/// What an answer means.
fn judge(status: i32, bytes: &[u8], reply_bytes_max: usize) -> Result<&[u8], Failure> {
    match status {
        status::SUCCESS if bytes.len() > reply_bytes_max => {
            let message = format!("a reply of {} bytes, at most {reply_bytes_max} are allowed", bytes.len());
            Err(Failure::Error(ActorError::coded(ErrorKind::Internal, Code::GuestReplyLimit, message)))
        }
        status::SUCCESS => Ok(bytes),
        status::HANDLE_FAILED => Err(Failure::Error(read_error(bytes))),
        status => Err(Failure::Error(protocol(format!("the guest answered with status {status}")))),
    }
}

pub(super) fn protocol(message: impl Into<String>) -> ActorError {
    ActorError::coded(ErrorKind::Internal, Code::GuestProtocol, message)
}

/// Bytes as the guest sees them.
pub(super) const fn slice(bytes: &[u8]) -> Slice {
    Slice { ptr: bytes.as_ptr(), len: bytes.len() }
}
