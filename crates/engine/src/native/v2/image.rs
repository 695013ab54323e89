#![expect(unsafe_code, reason = "reads the table of a library through the C ABI")]

use std::ffi::c_void;
use std::mem::{MaybeUninit, offset_of};
use std::ptr;

use libloading::os::unix::Library;
use playhouse_abi::native::v2::{Birth, Entry, Event, Guest, SYMBOL, VERSION};

use super::super::error::LoadError;
use super::super::image::whole;
use super::table;

/// What a table must have at the least: all up to `handle`.
const SIZE_MIN: usize = offset_of!(Guest, on_complete);

/// The functions of a library that stays mapped until the process ends.
#[derive(Debug, Clone, Copy)]
pub(in crate::native) struct Functions {
    create: unsafe extern "C-unwind" fn(*const Birth, *mut *mut c_void) -> i32,
    destroy: unsafe extern "C-unwind" fn(*mut c_void),
    handle: unsafe extern "C-unwind" fn(*mut c_void, *const Event) -> i32,
    on_complete: Option<unsafe extern "C-unwind" fn(*mut c_void, u64, i32, *const u8, usize)>,
}

/// The functions of a library that has this version of the ABI; none if it has not, or refuses this host.
pub(in crate::native) fn find(library: &Library) -> Result<Option<Functions>, LoadError> {
    // SAFETY: the type is the one that the ABI gives to this name.
    let Ok(entry) = (unsafe { library.get::<Entry>(SYMBOL) }) else { return Ok(None) };
    // SAFETY: the table is a static of the type that the library expects.
    let guest = whole(|| unsafe { entry(table::host()) });
    if guest.is_null() {
        return Ok(None);
    }
    if !guest.is_aligned() {
        return Err(LoadError::Table { rule: "it is not aligned" });
    }
    // SAFETY: the library says that there is a table, which begins with its size.
    let size = unsafe { guest.cast::<usize>().read() };
    if size < SIZE_MIN {
        return Err(LoadError::Table { rule: "it is shorter than any of this version" });
    }
    let mut known = MaybeUninit::<Guest>::zeroed();
    // SAFETY: the table has `size` bytes, of which no more are copied than there is room for. What it has not stays zero, which is a
    // value of every member: functions are options.
    let table = unsafe {
        ptr::copy_nonoverlapping(guest.cast::<u8>(), known.as_mut_ptr().cast(), size.min(size_of::<Guest>()));
        known.assume_init()
    };
    read(&table).map(Some)
}

fn read(table: &Guest) -> Result<Functions, LoadError> {
    if table.version < VERSION {
        return Err(LoadError::Table { rule: "its version is below 2" });
    }
    match *table {
        Guest { create: Some(create), destroy: Some(destroy), handle: Some(handle), on_complete, .. } => {
            Ok(Functions { create, destroy, handle, on_complete })
        }
        _ => Err(LoadError::Table { rule: "it lacks create, destroy or handle" }),
    }
}

/// An instance of a guest, as the guest points to it. Only its own thread has it.
pub(super) struct Object {
    functions: Functions,
    pointer: *mut c_void,
}

impl Object {
    /// Has the library make an instance.
    pub(super) fn create(functions: Functions, birth: &Birth) -> Result<Self, LoadError> {
        let mut pointer = ptr::null_mut();
        // SAFETY: the birth and all it points to outlive the call, and the output is a local.
        let status = whole(|| unsafe { (functions.create)(birth, &raw mut pointer) });
        if status == 0 { Ok(Self { functions, pointer }) } else { Err(LoadError::Create { status }) }
    }

    pub(super) fn handle(&self, event: &Event) -> i32 {
        // SAFETY: the event and all it points to outlive the call. The pointer is the library's own, made by `create` and not
        // destroyed, and this thread is the only one that calls with it.
        whole(|| unsafe { (self.functions.handle)(self.pointer, event) })
    }

    pub(super) fn on_complete(&self, token: u64, status: i32, bytes: &[u8]) {
        if let Some(on_complete) = self.functions.on_complete {
            // SAFETY: the bytes outlive the call; the pointer as in `handle`.
            whole(|| unsafe { on_complete(self.pointer, token, status, bytes.as_ptr(), bytes.len()) });
        }
    }

    pub(super) fn destroy(self) {
        // SAFETY: the pointer as in `handle`; nothing uses it after this, as `self` is gone.
        whole(|| unsafe { (self.functions.destroy)(self.pointer) });
    }
}
