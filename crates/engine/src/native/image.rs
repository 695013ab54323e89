#![expect(unsafe_code, reason = "loads shared libraries and calls them through the C ABI")]

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use playhouse_abi::native::{ActrFreeResponse, ActrHandle, ActrInit, ActrShutdown, FRAME_BYTES_MAX, status, symbol};

use super::error::LoadError;
use super::memory_file::MemoryFile;
use super::table;

/// Images that may be mapped in one process. Those of actr 0.3 stay to its end, so a node whose native actors come and go for
/// ever must be started anew some day, and should say so before the kernel refuses it memory maps for other things: it grants
/// 65,530, of which an image takes five to seven.
pub(super) const IMAGES_MAX: usize = 4096;

static IMAGES: AtomicUsize = AtomicUsize::new(0);

/// A mapped library with its own data, and the functions that it exports.
///
/// It stays mapped when this value is dropped, and so do the pointers into it, unless [`Image::end`] can unmap it.
pub(super) struct Image {
    handle: ActrHandle,
    free_response: ActrFreeResponse,
    init: ActrInit,
    /// Guests of actr 0.4 and 0.5 have it. They are given the table with contexts.
    shutdown: Option<ActrShutdown>,
    library: ManuallyDrop<Library>,
}

/// What is wrong with a reply before it is even read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadReply {
    #[error("no reply")]
    Missing,
    #[error("a reply of {len} bytes, at most {FRAME_BYTES_MAX} are allowed")]
    TooLong { len: usize },
}

/// A library that is mapped, and stays so unless [`Image::end`] unmaps it.
pub(super) struct Mapped(ManuallyDrop<Library>);

impl Mapped {
    /// Maps a library. Runs its constructors: the bytes must come from a verified package.
    pub(super) fn new(bytes: &[u8]) -> Result<Self, LoadError> {
        let more = |count| (count < IMAGES_MAX).then_some(count + 1);
        if IMAGES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_err() {
            return Err(LoadError::Images { limit: IMAGES_MAX });
        }
        let opened = Self::open(bytes);
        if opened.is_err() {
            IMAGES.fetch_sub(1, Ordering::Relaxed);
        }
        // Once it is open, the library stays mapped whatever happens: its constructors may have left threads behind.
        opened.map(ManuallyDrop::new).map(Self)
    }

    fn open(bytes: &[u8]) -> Result<Library, LoadError> {
        // The mapping keeps the file's bytes; its descriptor is of no more use afterwards.
        let file = MemoryFile::new(bytes)?;
        // SAFETY: constructors of the library run, which may do anything. The operator has said that native code is
        // trusted with this process, and the bytes are those of a verified package: `MemoryFile` is sealed.
        unsafe { Library::open(Some(file.path()), RTLD_NOW | RTLD_LOCAL) }
            .map_err(|error| LoadError::Loader { message: error.to_string() })
    }

    pub(super) fn library(&self) -> &Library {
        &self.0
    }

    /// Finds the functions of the first ABI. The calling thread must be the one that will make all calls.
    pub(super) fn into_v1(self) -> Result<Image, LoadError> {
        let Self(library) = self;
        // SAFETY: the types are those that the ABI gives to these names. A library that exports the names with other
        // types breaks the ABI, which no host can see.
        let (init, handle, free_response) = unsafe {
            (
                function::<ActrInit>(&library, symbol::INIT)?,
                function::<ActrHandle>(&library, symbol::HANDLE)?,
                function::<ActrFreeResponse>(&library, symbol::FREE_RESPONSE)?,
            )
        };
        // SAFETY: as above.
        let shutdown = unsafe { function::<ActrShutdown>(&library, symbol::SHUTDOWN) }.ok();
        Ok(Image { handle, free_response, init, shutdown, library })
    }
}

impl Image {
    /// Lets the library construct its workload.
    pub(super) fn init(&self, payload: &[u8]) -> Result<(), LoadError> {
        let table = if self.has_contexts() { table::with_contexts() } else { table::for_v1() };
        // SAFETY: the table is a static of the type that the library expects, and the payload outlives the call.
        let status = whole(|| unsafe { (self.init)(table, payload.as_ptr(), payload.len()) });
        if status == status::SUCCESS { Ok(()) } else { Err(LoadError::Init { status }) }
    }

    /// Whether the library calls the host in contexts, possibly from threads of its own.
    pub(super) const fn has_contexts(&self) -> bool {
        self.shutdown.is_some()
    }

    /// Shuts the library down and unmaps it, if it can be shut down and says that nothing of it runs on. Whether it is unmapped.
    pub(super) fn end(mut self) -> bool {
        let Some(shutdown) = self.shutdown else { return false };
        // SAFETY: no other call is under way, as the image's only owner ends here.
        if whole(|| unsafe { shutdown() }) != status::SUCCESS {
            return false;
        }
        // SAFETY: it is dropped once, as `self` is gone afterwards. The library has just said that no thread and no
        // destructor of it will run, and nothing of ours keeps a pointer into it.
        unsafe { ManuallyDrop::drop(&mut self.library) };
        IMAGES.fetch_sub(1, Ordering::Relaxed);
        true
    }

    /// Has the library handle one frame. `read` gets the return code and the reply's bytes, which go back to the library
    /// right afterwards.
    pub(super) fn handle<R>(&self, frame: &[u8], read: impl FnOnce(i32, Result<&[u8], BadReply>) -> R) -> R {
        let mut reply: *mut u8 = ptr::null_mut();
        let mut reply_len = 0_usize;
        // SAFETY: the frame outlives the call and the two out-pointers are to locals. One call at a time is made per
        // image, as the image's only owner is its thread and this method does not call itself.
        let code = whole(|| unsafe { (self.handle)(frame.as_ptr(), frame.len(), &raw mut reply, &raw mut reply_len) });
        let bytes = match (reply.is_null(), reply_len) {
            (true, _) | (_, 0) => Err(BadReply::Missing),
            (false, len) if len > FRAME_BYTES_MAX => Err(BadReply::TooLong { len }),
            // SAFETY: the library says that the reply has this length, and does not touch it before it is given back.
            // A library that lies about it breaks the ABI; the length is below the limit, so the slice is well formed.
            (false, len) => Ok(unsafe { std::slice::from_raw_parts(reply, len) }),
        };
        let result = read(code, bytes);
        if !reply.is_null() && reply_len != 0 {
            // SAFETY: the very pointer and length received, given back once; the slice above is out of use.
            whole(|| unsafe { (self.free_response)(reply, reply_len) });
        }
        result
    }
}

/// Makes a call into a library, out of which nothing may unwind. An exception of another language ends the process in
/// Rust's runtime, and anything else that gets here does in this place: no frame of ours goes on with half of its work done.
pub(super) fn whole<R>(call: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| std::process::abort())
}

/// # Safety
/// `F` must be the type of the function with that name.
unsafe fn function<F: Copy>(library: &Library, name: &'static str) -> Result<F, LoadError> {
    // SAFETY: by this function's own contract.
    let symbol = unsafe { library.get::<F>(name) };
    symbol.map(|symbol| *symbol).map_err(|_| LoadError::Symbol { symbol: name })
}
