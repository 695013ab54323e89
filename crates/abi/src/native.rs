//! The dynclib ABI V1 of native guests: a shared library with three C functions, which is handed a table of host
//! functions and then exchanges protobuf frames.
//!
//! Every pointer has alignment 1, and the length is part of the release of a buffer. No unwinding may cross either way.
//! [`v2`] is the second version, which a library may export as well.

pub mod v2;

use core::ffi::c_void;

/// The number in `abi_version` of every frame and reply and in `version` of the init payload.
pub const ABI_VERSION: u32 = 1;

/// Bytes of one frame or reply in either direction; equal to the largest message, which is what a node accepts.
pub const FRAME_BYTES_MAX: usize = 64 << 20;

/// Exported names. The first three are what makes a library a guest.
pub mod symbol {
    /// `int32_t actr_init(const HostVTable *, const uint8_t *, size_t)`, see [`super::ActrInit`].
    pub const INIT: &str = "actr_init";
    /// `int32_t actr_handle(const uint8_t *, size_t, uint8_t **, size_t *)`, see [`super::ActrHandle`].
    pub const HANDLE: &str = "actr_handle";
    /// `void actr_free_response(uint8_t *, size_t)`, see [`super::ActrFreeResponse`].
    pub const FREE_RESPONSE: &str = "actr_free_response";
    /// `int32_t actr_shutdown(void)`, see [`super::ActrShutdown`]. A library that exports it gets the
    /// [table with contexts](super::ContextVTable), one without it the [first table](super::HostVTable).
    pub const SHUTDOWN: &str = "actr_shutdown";
}

/// Operations. Guests ask for 1 to 7, hosts for 101 to 104.
#[expect(missing_docs, reason = "the names are the specification's")]
pub mod op {
    pub const CALL: u32 = 1;
    pub const TELL: u32 = 2;
    pub const CALL_RAW: u32 = 3;
    pub const DISCOVER: u32 = 4;
    pub const REGISTER_STREAM: u32 = 5;
    pub const UNREGISTER_STREAM: u32 = 6;
    pub const SEND_DATA_STREAM: u32 = 7;
    pub const GUEST_HANDLE: u32 = 101;
    pub const GUEST_DATA_STREAM: u32 = 102;
    pub const GUEST_LIFECYCLE: u32 = 103;
    pub const GUEST_HOOK: u32 = 104;
}

/// Return codes of every function, and the `status` of replies.
pub mod status {
    /// It worked.
    pub const SUCCESS: i32 = 0;
    /// An error without a number of its own.
    pub const ERROR: i32 = -1;
    /// The guest is not initialised, or its init failed.
    pub const INIT_FAILED: i32 = -2;
    /// A handler failed; the reply's payload is the error's text.
    pub const HANDLE_FAILED: i32 = -3;
    /// No memory for a buffer.
    pub const ALLOCATION_FAILED: i32 = -4;
    /// Bytes that do not decode, or that break a rule of the ABI.
    pub const PROTOCOL_ERROR: i32 = -5;
    /// Reserved; no function returns it.
    pub const BUFFER_TOO_SMALL: i32 = -6;
    /// No such operation, hook or lifecycle step.
    pub const UNSUPPORTED_OP: i32 = -7;
}

/// Numbers of lifecycle steps in `GUEST_LIFECYCLE`.
#[expect(missing_docs, reason = "the names are the specification's")]
pub mod lifecycle {
    pub const ON_START: u32 = 1;
    pub const ON_READY: u32 = 2;
    pub const ON_STOP: u32 = 3;
}

/// Numbers of runtime hooks in `GUEST_HOOK`.
#[expect(missing_docs, reason = "the names are the specification's")]
pub mod hook {
    pub const SIGNALING_CONNECTING: u32 = 1;
    pub const SIGNALING_CONNECTED: u32 = 2;
    pub const SIGNALING_DISCONNECTED: u32 = 3;
    pub const WEBSOCKET_CONNECTING: u32 = 4;
    pub const WEBSOCKET_CONNECTED: u32 = 5;
    pub const WEBSOCKET_DISCONNECTED: u32 = 6;
    pub const WEBRTC_CONNECTING: u32 = 7;
    pub const WEBRTC_CONNECTED: u32 = 8;
    pub const WEBRTC_DISCONNECTED: u32 = 9;
    pub const CREDENTIAL_RENEWED: u32 = 10;
    pub const CREDENTIAL_EXPIRING: u32 = 11;
    pub const MAILBOX_BACKPRESSURE: u32 = 12;
}

/// `invoke` of the first table.
pub type HostInvoke =
    unsafe extern "C" fn(frame: *const u8, frame_len: usize, out: *mut *mut u8, out_len: *mut usize) -> i32;
/// `free_host_buf` of both tables.
pub type HostFree = unsafe extern "C" fn(ptr: *mut u8, len: usize);
/// `retain_context` of the table with contexts.
pub type RetainContext = unsafe extern "C" fn(token: u64) -> i32;
/// `release_context` of the table with contexts.
pub type ReleaseContext = unsafe extern "C" fn(token: u64);
/// `invoke` of the table with contexts.
pub type ContextInvoke =
    unsafe extern "C" fn(token: u64, frame: *const u8, frame_len: usize, out: *mut *mut u8, out_len: *mut usize) -> i32;

/// `actr_init`. Like all that guests export it must not unwind, and is declared as what may, so that one that does ends the
/// process in an orderly way and not in undefined behaviour. The pointer is to a [`HostVTable`] or a [`ContextVTable`], see [`symbol::SHUTDOWN`].
pub type ActrInit = unsafe extern "C-unwind" fn(vtable: *const c_void, init: *const u8, init_len: usize) -> i32;
/// `actr_handle`.
pub type ActrHandle =
    unsafe extern "C-unwind" fn(req: *const u8, req_len: usize, resp: *mut *mut u8, resp_len: *mut usize) -> i32;
/// `actr_free_response`.
pub type ActrFreeResponse = unsafe extern "C-unwind" fn(ptr: *mut u8, len: usize);
/// `actr_shutdown`.
pub type ActrShutdown = unsafe extern "C-unwind" fn() -> i32;

/// What a guest of actr 0.3 gets: two functions, nothing else. Valid until the process ends.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct HostVTable {
    /// Asks the host for something, from inside `actr_handle`, on its thread.
    pub invoke: HostInvoke,
    /// Gives a buffer back that `invoke` put out.
    pub free_host_buf: HostFree,
}

/// What a guest of actr 0.4 and 0.5 gets. It may call from threads of its own while it retains a context.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct ContextVTable {
    /// Keeps a context usable after `actr_handle` returned; 0, or -1 for an unknown token.
    pub retain_context: RetainContext,
    /// Ends what `retain_context` began.
    pub release_context: ReleaseContext,
    /// Asks the host for something in a context.
    pub invoke: ContextInvoke,
    /// Gives a buffer back that `invoke` put out.
    pub free_host_buf: HostFree,
}

#[cfg(test)]
mod tests {
    use super::{ContextVTable, HostVTable};

    #[test]
    fn tables_are_laid_out_as_c_does() {
        const POINTER: usize = size_of::<usize>();
        assert_eq!(size_of::<HostVTable>(), 2 * POINTER);
        assert_eq!(core::mem::offset_of!(HostVTable, free_host_buf), POINTER);
        assert_eq!(size_of::<ContextVTable>(), 4 * POINTER);
        assert_eq!(core::mem::offset_of!(ContextVTable, invoke), 2 * POINTER);
        assert_eq!(core::mem::offset_of!(ContextVTable, free_host_buf), 3 * POINTER);
    }
}
