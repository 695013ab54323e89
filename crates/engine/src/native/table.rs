#![expect(unsafe_code, reason = "the functions that guests call through the C ABI")]

//! The host's side of the ABI: the tables, and the functions in them. Each function is one call into a guard.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use playhouse_abi::native::{ContextVTable, FRAME_BYTES_MAX, HostVTable, status};

use super::buffers::Account;
use super::{active, buffers, contexts, origin};

static WITH_CONTEXTS: ContextVTable =
    ContextVTable { retain_context, release_context, invoke: context_invoke, free_host_buf: host_free };

/// The table for guests of actr 0.4 and 0.5, valid for ever.
pub(super) fn with_contexts() -> *const c_void {
    origin::note();
    (&raw const WITH_CONTEXTS).cast()
}

static V1: HostVTable = HostVTable { invoke: host_invoke, free_host_buf: host_free };

/// The table for guests of actr 0.3, valid for ever.
pub(super) fn for_v1() -> *const c_void {
    origin::note();
    (&raw const V1).cast()
}

unsafe extern "C" fn host_invoke(frame: *const u8, frame_len: usize, out: *mut *mut u8, out_len: *mut usize) -> i32 {
    guard(|| {
        // SAFETY: the guest says that the frame is its own to read and the outputs its own to write during the call.
        unsafe { answer(frame, frame_len, Out::new(out, out_len)?, active::invoke) }
    })
}

unsafe extern "C" fn context_invoke(
    token: u64,
    frame: *const u8,
    frame_len: usize,
    out: *mut *mut u8,
    out_len: *mut usize,
) -> i32 {
    guard(|| {
        // SAFETY: the guest says that the frame is its own to read and the outputs its own to write during the call.
        unsafe { answer(frame, frame_len, Out::new(out, out_len)?, |frame| contexts::invoke(token, frame)) }
    })
}

unsafe extern "C" fn retain_context(token: u64) -> i32 {
    guard(|| if contexts::retain(token) { Ok(()) } else { Err(status::ERROR) })
}

unsafe extern "C" fn release_context(token: u64) {
    let _ = guard(|| {
        contexts::release(token);
        Ok(())
    });
}

/// Gives the guest the reply that `invoke` makes of its frame.
///
/// # Safety
/// The frame must be valid for reading and the outputs for writing.
unsafe fn answer(
    frame: *const u8,
    frame_len: usize,
    out: Out,
    invoke: impl FnOnce(&[u8]) -> Result<(Vec<u8>, Account), i32>,
) -> Result<(), i32> {
    if origin::is_elsewhere() {
        return Err(status::ERROR);
    }
    // SAFETY: by this function's own contract.
    let frame = unsafe { bytes_from(frame, frame_len) }?;
    let (reply, account) = invoke(frame)?;
    let (address, len) = buffers::lend(reply, &account).ok_or(status::ALLOCATION_FAILED)?;
    // SAFETY: by this function's own contract; `Out` has no null pointers.
    unsafe { out.put(address, len) };
    Ok(())
}

pub(super) unsafe extern "C" fn host_free(ptr: *mut u8, len: usize) {
    let _ = guard(|| {
        if !ptr.is_null() && len != 0 {
            buffers::take_back(ptr);
        }
        Ok(())
    });
}

/// Runs the body of a function that a guest called, so that nothing unwinds into the guest.
pub(super) fn guard(body: impl FnOnce() -> Result<(), i32>) -> i32 {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => status::SUCCESS,
        Ok(Err(code)) => code,
        Err(_) => status::ERROR,
    }
}

/// Where a guest wants its output.
struct Out {
    address: *mut *mut u8,
    len: *mut usize,
}

impl Out {
    fn new(address: *mut *mut u8, len: *mut usize) -> Result<Self, i32> {
        if address.is_null() || len.is_null() { Err(status::PROTOCOL_ERROR) } else { Ok(Self { address, len }) }
    }

    /// # Safety
    /// The guest's two pointers must be valid for writing.
    unsafe fn put(self, address: *mut u8, len: usize) {
        // SAFETY: by this method's own contract. The ABI promises no alignment.
        unsafe {
            self.address.write_unaligned(address);
            self.len.write_unaligned(len);
        }
    }
}

/// The bytes that a guest points to; a null pointer counts as none.
///
/// # Safety
/// A pointer that is not null must be valid for reading `len` bytes for the lifetime that the caller chooses.
pub(super) unsafe fn bytes_from<'a>(ptr: *const u8, len: usize) -> Result<&'a [u8], i32> {
    if ptr.is_null() || len == 0 {
        return Ok(&[]);
    }
    if len > FRAME_BYTES_MAX {
        return Err(status::PROTOCOL_ERROR);
    }
    // SAFETY: not null, not longer than the limit, and valid by this function's own contract.
    Ok(unsafe { std::slice::from_raw_parts(ptr, len) })
}
