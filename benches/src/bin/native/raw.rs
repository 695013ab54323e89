//! The guest without a host: its library, called as any C function is.

use std::ffi::c_void;
use std::ptr;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use libloading::Library;
use playhouse_abi::native::{ActrFreeResponse, ActrHandle, ActrInit, HostVTable, status, symbol};
use playhouse_types::ActorId;
use playhouse_wire::native::{GuestFrames, Reply, Request};

unsafe extern "C" fn invoke(_: *const u8, _: usize, _: *mut *mut u8, _: *mut usize) -> i32 {
    status::ERROR
}

unsafe extern "C" fn free_host_buf(_: *mut u8, _: usize) {}

static TABLE: HostVTable = HostVTable { invoke, free_host_buf };

/// One image of a guest, mapped for as long as the process lives.
pub struct Raw {
    handle: ActrHandle,
    free: ActrFreeResponse,
    frames: GuestFrames,
}

impl Raw {
    /// Maps the library and initialises it.
    pub fn load(library: &[u8], self_id: &ActorId) -> Result<&'static Self> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), library)?;
        // SAFETY: the library is the committed echo, whose constructors do nothing.
        let library: &'static Library = Box::leak(Box::new(unsafe { Library::new(file.path()) }?));
        // SAFETY: the types are those of the ABI.
        let (init, handle, free) = unsafe {
            (
                *library.get::<ActrInit>(symbol::INIT)?,
                *library.get::<ActrHandle>(symbol::HANDLE)?,
                *library.get::<ActrFreeResponse>(symbol::FREE_RESPONSE)?,
            )
        };
        let table: *const c_void = (&raw const TABLE).cast();
        // SAFETY: the table is a static, and no bytes are passed.
        ensure!(unsafe { init(table, ptr::null(), 0) } == status::SUCCESS, "init failed");
        Ok(Box::leak(Box::new(Self { handle, free, frames: GuestFrames::new(self_id) })))
    }

    /// What every way of calling does: writes the frame, calls, takes the payload out of the guest's reply and gives
    /// the reply back.
    pub fn call(&self, route: &str, payload: &[u8]) -> Bytes {
        let mut frame = Vec::new();
        let request =
            Request { caller: None, request_id: "local-1", route, payload, timeout_ms: 30_000, bridge_token: 0 };
        self.frames.request(&request, &mut frame);
        let (mut reply, mut len) = (ptr::null_mut(), 0);
        // SAFETY: the frame outlives the call, the outputs are locals, and the echo keeps no state that calls share.
        let code = unsafe { (self.handle)(frame.as_ptr(), frame.len(), &raw mut reply, &raw mut len) };
        assert_eq!(code, status::SUCCESS);
        // SAFETY: the echo says that these bytes are its reply.
        let bytes = unsafe { std::slice::from_raw_parts(reply, len) };
        let payload = Bytes::copy_from_slice(Reply::read(bytes).context("a reply").expect("an echo").payload);
        // SAFETY: the pointer and the length are those received.
        unsafe { (self.free)(reply, len) };
        payload
    }
}
