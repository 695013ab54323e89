//! The entry points of a native guest: dynclib ABI V1 for hosts of actr 0.3, and V2, which our own hosts prefer. The only unsafe code
//! of the crate is in this file, in `host` and in `v2`.
#![allow(unsafe_code, reason = "the ABI is C: pointers and lengths")]

mod event;
mod host;
pub mod v2;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

pub use playhouse_abi::native::HostVTable;
use playhouse_abi::native::status;
use playhouse_types::{ActorError, ActorId, Code, ErrorKind};
use playhouse_wire::proto::InitPayloadV1;
use prost::Message;

use self::event::Failure;
use crate::internal::Program;

/// A guest that is a shared library: one image, one actor, one host.
pub trait Image: Program {
    /// Where the host is kept.
    fn host() -> &'static OnceLock<Host>;
}

/// What a guest knows of its host.
#[derive(Debug)]
pub struct Host {
    table: HostVTable,
    /// Who the guest is. Chunks do not say it, but the first lifecycle step does.
    self_id: OnceLock<ActorId>,
}

/// `actr_init`. Checks in the order of the ABI: no table, an undecodable payload, a second call.
///
/// # Safety
/// `vtable` is null or points to a table whose functions stay valid until the process ends; `init` is null or points to
/// `init_len` bytes.
pub unsafe fn init<I: Image>(vtable: *const HostVTable, init: *const u8, init_len: usize) -> i32 {
    // SAFETY: the caller vouches for a table that is not null.
    let Some(vtable) = (unsafe { vtable.as_ref() }) else {
        return status::INIT_FAILED;
    };
    // SAFETY: the caller vouches for the bytes.
    if InitPayloadV1::decode(unsafe { bytes(init, init_len) }).is_err() {
        return status::PROTOCOL_ERROR;
    }
    let host = Host { table: *vtable, self_id: OnceLock::new() };
    if I::host().get().is_some() || catch_unwind(|| I::slot().fill()).is_err() || I::host().set(host).is_err() {
        return status::INIT_FAILED;
    }
    status::SUCCESS
}

/// `actr_handle`. Sets the reply only if it returns 0.
///
/// # Safety
/// `request` is null or points to `len` bytes; `reply` and `reply_len` are null or may be written.
pub unsafe fn handle<I: Image>(request: *const u8, len: usize, reply: *mut *mut u8, reply_len: *mut usize) -> i32 {
    let Some(host) = I::host().get() else {
        return status::INIT_FAILED;
    };
    if request.is_null() || reply.is_null() || reply_len.is_null() {
        return status::PROTOCOL_ERROR;
    }
    // SAFETY: the caller vouches for the bytes.
    let request = unsafe { bytes(request, len) };
    let handled = catch_unwind(AssertUnwindSafe(|| event::handle::<I>(host, request)))
        .unwrap_or_else(|panic| Err(Failure::Error(panicked(panic.as_ref()))));
    let answer = match handled {
        Ok(payload) => encode(status::SUCCESS, &payload),
        Err(Failure::Error(error)) => encode(status::HANDLE_FAILED, error.to_text().as_bytes()),
        Err(Failure::Code(code)) => return code,
    };
    let Some(answer) = answer else {
        return status::ERROR;
    };
    // SAFETY: neither is null, and the caller vouches that they may be written.
    unsafe {
        *reply_len = answer.len();
        *reply = Box::into_raw(answer).cast();
    }
    status::SUCCESS
}

/// `actr_free_response`.
///
/// # Safety
/// `ptr` and `len` are what [`handle`] put out, and were not freed before.
pub unsafe fn free(ptr: *mut u8, len: usize) {
    if !ptr.is_null() && len > 0 {
        // SAFETY: `handle` made the pair from a box of exactly that length, and gave it away.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(ptr, len)) });
    }
}

/// # Safety
/// `ptr` is null or points to `len` bytes that stay as they are while the slice is used.
unsafe fn bytes<'a>(ptr: *const u8, len: usize) -> &'a [u8] {
    if ptr.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: the caller vouches for it.
    unsafe { std::slice::from_raw_parts(ptr, len) }
}

/// None if there is no memory.
fn encode(status: i32, payload: &[u8]) -> Option<Box<[u8]>> {
    /// Version, status and the head of the payload.
    const OVERHEAD_MAX: usize = 24;
    let mut out = Vec::new();
    out.try_reserve_exact(payload.len().checked_add(OVERHEAD_MAX)?).ok()?;
    playhouse_wire::native::write_reply(status, payload, &mut out);
    Some(out.into_boxed_slice())
}

fn panicked(panic: &(dyn Any + Send)) -> ActorError {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let text = format!("the handler panicked: {}", text.unwrap_or("without a text"));
    ActorError::coded(ErrorKind::Internal, Code::HandlerPanic, text)
}

/// See [`crate::export!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __export_native {
    ($actor:ty, || $new:expr) => {
        #[allow(unsafe_code, reason = "the entry points of native guests are C functions")]
        const _: () = {
            struct Image;
            impl $crate::internal::Program for Image {
                type Actor = $actor;
                fn slot() -> &'static $crate::internal::Slot<$actor> {
                    static SLOT: $crate::internal::Slot<$actor> = $crate::internal::Slot::new(|| $new);
                    &SLOT
                }
            }
            impl $crate::native::Image for Image {
                fn host() -> &'static ::std::sync::OnceLock<$crate::native::Host> {
                    static HOST: ::std::sync::OnceLock<$crate::native::Host> = ::std::sync::OnceLock::new();
                    &HOST
                }
            }
            impl $crate::native::v2::Image for Image {
                fn host_v2() -> &'static ::std::sync::OnceLock<$crate::native::v2::Host> {
                    static HOST: ::std::sync::OnceLock<$crate::native::v2::Host> = ::std::sync::OnceLock::new();
                    &HOST
                }
            }
            static GUEST: $crate::native::v2::Guest = $crate::native::v2::table::<Image>();
            #[unsafe(no_mangle)]
            unsafe extern "C" fn playhouse_guest_v2(
                host: *const $crate::native::v2::Host,
            ) -> *const $crate::native::v2::Guest {
                // SAFETY: the host passes what the ABI says.
                unsafe { $crate::native::v2::enter::<Image>(host, &GUEST) }
            }
            #[unsafe(no_mangle)]
            unsafe extern "C" fn actr_init(
                vtable: *const $crate::native::HostVTable,
                init: *const u8,
                init_len: usize,
            ) -> i32 {
                // SAFETY: the host passes what the ABI says.
                unsafe { $crate::native::init::<Image>(vtable, init, init_len) }
            }
            #[unsafe(no_mangle)]
            unsafe extern "C" fn actr_handle(
                req: *const u8,
                req_len: usize,
                resp: *mut *mut u8,
                resp_len: *mut usize,
            ) -> i32 {
                // SAFETY: the host passes what the ABI says.
                unsafe { $crate::native::handle::<Image>(req, req_len, resp, resp_len) }
            }
            #[unsafe(no_mangle)]
            unsafe extern "C" fn actr_free_response(ptr: *mut u8, len: usize) {
                // SAFETY: the host passes what `actr_handle` put out.
                unsafe { $crate::native::free(ptr, len) }
            }
        };
    };
}
