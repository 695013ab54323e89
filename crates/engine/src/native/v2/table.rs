#![expect(unsafe_code, reason = "the functions that guests call through the C ABI")]

//! The host's table, and the functions in it. Each function is one call into a guard.

use bytes::Bytes;
use playhouse_abi::native::status;
use playhouse_abi::native::v2::{Host, Reply, VERSION, level, status as v2};
use playhouse_types::{ActorError, HostOp, LogLevel};
use playhouse_wire::native::v2::{OpRefusal, read_op};

use super::super::buffers;
use super::super::origin;
use super::super::table::{bytes_from, guard, host_free};
use super::active::{self, failed};
use super::instance::Instance;

static HOST: Host =
    Host { size: size_of::<Host>(), version: VERSION, flags: 0, complete, start, perform, release, log, time_left_ms };

/// The table, valid for ever.
pub(super) fn host() -> *const Host {
    origin::note();
    &raw const HOST
}

unsafe extern "C" fn complete(call: u64, status: i32, bytes: *const u8, len: usize) -> i32 {
    guard(|| {
        // SAFETY: the guest says that the bytes are its own to read during the call.
        let bytes = unsafe { bytes_from(bytes, len) }?;
        if let Some(active) = active::here().filter(|active| active.instance.is_current(call)) {
            // In a child that the guest has forked too: it writes on a sheet of its own that nobody reads, and ends when it returns.
            return active.answer(call, status, bytes);
        }
        if origin::is_elsewhere() {
            return Err(status::ERROR);
        }
        Instance::find(call).ok_or(v2::NO_CALL)?.answer(call, status, bytes)
    })
}

unsafe extern "C" fn start(call: u64, token: u64, op: u32, message: *const u8, len: usize) -> i32 {
    guard(|| {
        // SAFETY: the guest says that the message is its own to read during the call.
        let message = unsafe { bytes_at_home(message, len) }?;
        let instance = Instance::find(call).ok_or(v2::NO_CALL)?;
        instance.start(call, token, len, || read(op, message))
    })
}

unsafe extern "C" fn perform(call: u64, op: u32, message: *const u8, len: usize, reply: *mut Reply) -> i32 {
    guard(|| {
        if reply.is_null() {
            return Err(status::PROTOCOL_ERROR);
        }
        // SAFETY: the guest says that the message is its own to read during the call.
        let message = unsafe { bytes_at_home(message, len) }?;
        let Some(active) = active::here().filter(|active| active.instance.is_current(call)) else {
            let is_elsewhere = Instance::find(call).is_some_and(|instance| instance.is_open(call));
            return Err(if is_elsewhere { v2::WRONG_THREAD } else { v2::NO_CALL });
        };
        let (status, bytes) = match read(op, message)? {
            Ok(op) => active.perform(call, op)?,
            Err(error) => failed(&error),
        };
        let (ptr, len) = if bytes.is_empty() {
            (std::ptr::null_mut(), 0)
        } else {
            buffers::lend(bytes, &active.account).ok_or(status::ALLOCATION_FAILED)?
        };
        // SAFETY: not null, and the guest says that it is its own to write during the call. The ABI promises no alignment.
        unsafe { reply.write_unaligned(Reply { status, ptr, len }) };
        Ok(())
    })
}

unsafe extern "C" fn release(ptr: *mut u8) {
    // SAFETY: the pointer is looked up and not followed.
    unsafe { host_free(ptr, 1) };
}

unsafe extern "C" fn log(call: u64, level: u32, text: *const u8, len: usize) -> i32 {
    guard(|| {
        // SAFETY: the guest says that the text is its own to read during the call.
        let text = unsafe { bytes_at_home(text, len) }?;
        let level = match level {
            level::TRACE => LogLevel::Trace,
            level::DEBUG => LogLevel::Debug,
            level::WARN => LogLevel::Warn,
            level::ERROR => LogLevel::Error,
            _ => LogLevel::Info,
        };
        let instance = Instance::find(call).filter(|instance| instance.is_current(call)).ok_or(v2::NO_CALL)?;
        instance.log(level, &String::from_utf8_lossy(text));
        Ok(())
    })
}

unsafe extern "C" fn time_left_ms(call: u64) -> i64 {
    let mut left = -1;
    guard(|| {
        if !origin::is_elsewhere() {
            let instance = Instance::find(call).filter(|instance| instance.is_current(call));
            left = instance.and_then(|instance| instance.time_left_ms()).unwrap_or(-1);
        }
        Ok(())
    });
    left
}

/// Reads an operation; a code if there is none of that number.
fn read(op: u32, message: &[u8]) -> Result<Result<HostOp, ActorError>, i32> {
    match read_op(op, Bytes::copy_from_slice(message)) {
        Ok(op) => Ok(Ok(op)),
        Err(OpRefusal::Unknown) => Err(status::UNSUPPORTED_OP),
        Err(OpRefusal::Malformed(error)) => Ok(Err(error)),
    }
}

/// The bytes that a guest points to, unless it is a child that the guest has forked, in which nobody answers.
///
/// # Safety
/// As for [`bytes_from`].
unsafe fn bytes_at_home<'a>(ptr: *const u8, len: usize) -> Result<&'a [u8], i32> {
    if origin::is_elsewhere() {
        return Err(status::ERROR);
    }
    // SAFETY: by this function's own contract.
    unsafe { bytes_from(ptr, len) }
}
