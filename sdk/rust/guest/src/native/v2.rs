//! The entry point of the ABI V2: many instances in one image, and every operation.

use std::ffi::c_void;
use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use playhouse_abi::native::status;
use playhouse_abi::native::v2::{Birth, Event, Reply, Slice, VERSION, event, level};
pub use playhouse_abi::native::v2::{Guest, Host};
use playhouse_types::{ActorError, ActorId, ErrorKind, Event as Told, HostOp, HostReply, LogLevel, RequestId};
use playhouse_wire::native::v2::{EventFrame, read_error, read_event, read_reply, write_error, write_op};
use playhouse_wire::proto::ActrId;
use prost::Message;

use super::{bytes, panicked};
use crate::actor::Dispatch;
use crate::context::{Backend, Context, Operation};
use crate::internal::{Program, pending, poll_once};

/// A guest whose image has many instances.
pub trait Image: Program {
    /// Where the host's table is kept; one image has one host.
    fn host_v2() -> &'static OnceLock<Host>;
}

/// One actor.
struct Instance<A> {
    actor: A,
    self_id: ActorId,
}

/// The functions of a guest.
#[must_use]
pub const fn table<I: Image>() -> Guest {
    Guest {
        size: size_of::<Guest>(),
        version: VERSION,
        flags: 0,
        create: Some(create::<I>),
        destroy: Some(destroy::<I>),
        handle: Some(handle::<I>),
        on_complete: None,
    }
}

/// `playhouse_guest_v2`. Null if the host's table is shorter than that of this version.
///
/// # Safety
/// `host` is null or points to a table that begins with its size and stays valid until the process ends.
pub unsafe fn enter<I: Image>(host: *const Host, table: &'static Guest) -> *const Guest {
    // SAFETY: the caller vouches for a table that is not null, and that it begins with its size.
    if host.is_null() || unsafe { host.cast::<usize>().read() } < size_of::<Host>() {
        return std::ptr::null();
    }
    // SAFETY: the table is as long as the type.
    I::host_v2().get_or_init(|| unsafe { *host });
    table
}

unsafe extern "C-unwind" fn create<I: Image>(birth: *const Birth, instance: *mut *mut c_void) -> i32 {
    // SAFETY: the host passes a birth that is valid during the call.
    let id = unsafe { text(&(*birth).self_id) };
    let Some(self_id) = ActrId::decode(id).ok().and_then(|id| ActorId::try_from(&id).ok()) else {
        return status::PROTOCOL_ERROR;
    };
    match catch_unwind(|| I::slot().make()) {
        Ok(actor) => {
            let made = Box::into_raw(Box::new(Instance { actor, self_id }));
            // SAFETY: the host passes a place that may be written.
            unsafe { *instance = made.cast() };
            status::SUCCESS
        }
        Err(_) => status::INIT_FAILED,
    }
}

unsafe extern "C-unwind" fn destroy<I: Image>(instance: *mut c_void) {
    // SAFETY: `create` made the pointer from such a box, and the host destroys each instance once.
    let instance = unsafe { Box::from_raw(instance.cast::<Instance<I::Actor>>()) };
    // A panic in a destructor has nobody to go to.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(instance)));
}

unsafe extern "C-unwind" fn handle<I: Image>(instance: *mut c_void, event: *const Event) -> i32 {
    let Some(host) = I::host_v2().get() else { return status::INIT_FAILED };
    // SAFETY: `create` made the pointer, and the host makes one call at a time with it; the event is valid during the call.
    let (instance, event) = unsafe { (&mut *instance.cast::<Instance<I::Actor>>(), &*event) };
    let handled = catch_unwind(AssertUnwindSafe(|| run(host, instance, event)))
        .unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
    match handled {
        Ok(reply) => complete(host, event.call, status::SUCCESS, &reply),
        Err(error) => {
            let mut out = Vec::new();
            write_error(&error, &mut out);
            complete(host, event.call, status::HANDLE_FAILED, &out)
        }
    }
}

fn complete(host: &Host, call: u64, status: i32, bytes: &[u8]) -> i32 {
    // SAFETY: the bytes are a slice of ours; the host's functions stay valid.
    unsafe { (host.complete)(call, status, bytes.as_ptr(), bytes.len()) }
}

fn run<A: Dispatch>(host: &Host, instance: &mut Instance<A>, event: &Event) -> Result<Bytes, ActorError> {
    // SAFETY: the host's event is valid during the call.
    let part = |slice| unsafe { text(slice) };
    let frame = EventFrame {
        kind: event.kind,
        hook: event.hook,
        caller: part(&event.caller),
        request_id: part(&event.request_id),
        route: part(&event.route),
        payload: part(&event.payload),
        time_left_ms: None,
    };
    if !(event::REQUEST..=event::RUNTIME).contains(&frame.kind) {
        return Err(ActorError::new(ErrorKind::NotImplemented, format!("events of kind {}", frame.kind)));
    }
    let told = read_event(&frame)?;
    let caller = match frame.caller {
        [] => None,
        id => Some((&ActrId::decode(id).map_err(|_| undecodable("caller"))?).try_into()?),
    };
    let request_id = std::str::from_utf8(frame.request_id).ok().and_then(|id| id.parse().ok());
    let backend = HostBackend {
        host: *host,
        call: event.call,
        self_id: &instance.self_id,
        caller,
        request_id: request_id.unwrap_or(super::event::UNNAMED),
    };
    dispatch(&mut instance.actor, Context::new(&backend), told)
}

fn dispatch<A: Dispatch>(actor: &mut A, cx: Context<'_>, told: Told) -> Result<Bytes, ActorError> {
    let done = match told {
        Told::Request { route, payload } => {
            return poll_once(actor.dispatch(cx, &route, payload)).unwrap_or_else(|| Err(pending()));
        }
        Told::Chunk { chunk, sender } => poll_once(actor.on_chunk(cx, chunk, sender)),
        Told::Start => poll_once(actor.on_start(cx)),
        Told::Ready => poll_once(actor.on_ready(cx)),
        Told::Stop => poll_once(actor.on_stop(cx)),
        Told::Error(event) => poll_once(actor.on_error(cx, event)),
        Told::Runtime(event) => poll_once(actor.on_runtime(cx, event)).map(Ok),
    };
    done.unwrap_or_else(|| Err(pending())).map(|()| Bytes::new())
}

/// The host, for one event.
struct HostBackend<'a> {
    host: Host,
    call: u64,
    self_id: &'a ActorId,
    caller: Option<ActorId>,
    request_id: RequestId,
}

impl Backend for HostBackend<'_> {
    fn self_id(&self) -> &ActorId {
        self.self_id
    }

    fn caller(&self) -> Option<&ActorId> {
        self.caller.as_ref()
    }

    fn request_id(&self) -> &RequestId {
        &self.request_id
    }

    fn time_left(&self) -> Option<Duration> {
        // SAFETY: the host's functions stay valid.
        let left = unsafe { (self.host.time_left_ms)(self.call) };
        u64::try_from(left).ok().map(Duration::from_millis)
    }

    fn perform(&self, op: HostOp) -> Operation {
        Box::pin(ready(perform(&self.host, self.call, op)))
    }

    fn log(&self, level: LogLevel, text: &str) {
        let level = match level {
            LogLevel::Trace => level::TRACE,
            LogLevel::Debug => level::DEBUG,
            LogLevel::Info => level::INFO,
            LogLevel::Warn => level::WARN,
            LogLevel::Error => level::ERROR,
        };
        // SAFETY: the text is ours; the host's functions stay valid.
        unsafe { (self.host.log)(self.call, level, text.as_ptr(), text.len()) };
    }
}

fn perform(host: &Host, call: u64, op: HostOp) -> Result<HostReply, ActorError> {
    let mut message = Vec::new();
    let number = write_op(op, &mut message);
    let mut reply = Reply { status: 0, ptr: std::ptr::null_mut(), len: 0 };
    // SAFETY: the message is ours and the reply a local; the host's functions stay valid.
    let code = unsafe { (host.perform)(call, number, message.as_ptr(), message.len(), &raw mut reply) };
    if code != status::SUCCESS {
        return Err(super::host::refused(code));
    }
    // SAFETY: the host has lent a buffer of that length, or left null.
    let result = unsafe { bytes(reply.ptr, reply.len) };
    let outcome = match reply.status {
        status::SUCCESS => read_reply(number, Bytes::copy_from_slice(result)).map_err(ActorError::from),
        status::HANDLE_FAILED => Err(read_error(result)),
        code => Err(super::host::refused(code)),
    };
    if !reply.ptr.is_null() {
        // SAFETY: exactly what was lent, given back once; the slice above is out of use.
        unsafe { (host.release)(reply.ptr) };
    }
    outcome
}

fn undecodable(what: &str) -> ActorError {
    ActorError::new(ErrorKind::DecodeFailure, format!("the {what} does not decode"))
}

/// # Safety
/// The slice must be valid for the lifetime that the caller chooses.
unsafe fn text<'a>(slice: &Slice) -> &'a [u8] {
    // SAFETY: by this function's own contract.
    unsafe { bytes(slice.ptr, slice.len) }
}
