//! The native ABI V2: many instances of one library, each with a pointer of its own, and answers that may come later.
//!
//! A library of this kind exports [`SYMBOL`]. The host calls it once and reads the [`Guest`] that it returns; from then on it
//! calls these functions, and the guest calls those of the [`Host`]. Both tables begin with their size: a later version appends
//! members, so each side looks at no more than both have, and ignores what it does not know.
//!
//! Numbers of operations below 16 and their messages are those of V1; so are the numbers of [hooks](super::hook).

use core::ffi::c_void;

/// The one symbol of a library: [`Entry`].
pub const SYMBOL: &str = "playhouse_guest_v2";
/// `version` of both tables.
pub const VERSION: u32 = 2;

/// Operations with numbers of their own. Those of V1, [`super::op::CALL`] to [`super::op::SEND_DATA_STREAM`], are the same here.
#[expect(missing_docs, reason = "the names are those of `playhouse_types::HostOp`")]
pub mod op {
    pub const STATE_GET: u32 = 16;
    pub const STATE_WRITE: u32 = 17;
    pub const STATE_COMPARE_AND_SET: u32 = 18;
    pub const STATE_SCAN: u32 = 19;
    pub const TIMER_SET: u32 = 24;
    pub const TIMER_CANCEL: u32 = 25;
    pub const CRYPTO_PUBLIC_KEY: u32 = 32;
    pub const CRYPTO_SIGN: u32 = 33;
    pub const CRYPTO_VERIFY: u32 = 34;
    pub const CRYPTO_SEAL: u32 = 35;
    pub const CRYPTO_OPEN: u32 = 36;
    pub const CRYPTO_AGREE: u32 = 37;
    pub const CRYPTO_DERIVE: u32 = 38;
    pub const CRYPTO_HASH: u32 = 39;
    pub const CRYPTO_MAC: u32 = 40;
    pub const CRYPTO_VERIFY_MAC: u32 = 41;
    pub const CONFIG: u32 = 48;
    pub const SECRET: u32 = 49;
    pub const RANDOM: u32 = 50;
    pub const NOW: u32 = 51;
}

/// Return codes and statuses that V1 has not.
pub mod status {
    /// No such call: it never was, it is over, or it has been answered.
    pub const NO_CALL: i32 = -8;
    /// Only the instance's own thread may do this.
    pub const WRONG_THREAD: i32 = -9;
    /// More operations or bytes under way than one event may have.
    pub const LIMIT: i32 = -10;
    /// The operation was given up, as its event is over.
    pub const GIVEN_UP: i32 = -11;
}

/// What a [`Event`] is about.
#[expect(missing_docs, reason = "the names are those of `playhouse_types::Event`")]
pub mod event {
    pub const REQUEST: u32 = 1;
    pub const CHUNK: u32 = 2;
    pub const START: u32 = 3;
    pub const READY: u32 = 4;
    pub const STOP: u32 = 5;
    pub const ERROR: u32 = 6;
    pub const RUNTIME: u32 = 7;
}

/// Numbers of error kinds.
#[expect(missing_docs, reason = "the names are those of `playhouse_types::ErrorKind`")]
pub mod kind {
    pub const UNAVAILABLE: u32 = 1;
    pub const TIMED_OUT: u32 = 2;
    pub const NOT_FOUND: u32 = 3;
    pub const PERMISSION_DENIED: u32 = 4;
    pub const INVALID_ARGUMENT: u32 = 5;
    pub const UNKNOWN_ROUTE: u32 = 6;
    pub const DEPENDENCY_NOT_FOUND: u32 = 7;
    pub const DECODE_FAILURE: u32 = 8;
    pub const NOT_IMPLEMENTED: u32 = 9;
    pub const INTERNAL: u32 = 10;
    pub const CONNECTION_NOT_READY: u32 = 11;
}

/// Numbers of log levels.
#[expect(missing_docs, reason = "the names are those of `playhouse_types::LogLevel`")]
pub mod level {
    pub const TRACE: u32 = 1;
    pub const DEBUG: u32 = 2;
    pub const INFO: u32 = 3;
    pub const WARN: u32 = 4;
    pub const ERROR: u32 = 5;
}

/// Bytes of somebody else. The pointer may be null if the length is 0, and has alignment 1.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// Where they are.
    pub ptr: *const u8,
    /// How many.
    pub len: usize,
}

/// What an instance is born with. Everything it points to stays valid until `create` returns.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Birth {
    /// Bytes of this struct that the host knows.
    pub size: usize,
    /// A call in which `create` may log, and nothing else.
    pub call: u64,
    /// The instance's identity, an encoded `ActrId`.
    pub self_id: Slice,
}

/// What an instance is told. Everything it points to stays valid until `handle` returns.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// Bytes of this struct that the host knows.
    pub size: usize,
    /// The name of this event in all that the guest asks and answers. No two events of one process ever share one.
    pub call: u64,
    /// Time until whoever waits gives up; -1 if nobody does.
    pub time_left_ms: i64,
    /// What it is about: see [`event`].
    pub kind: u32,
    /// Of [`event::RUNTIME`]: see [`super::hook`].
    pub hook: u32,
    /// An encoded `ActrId`; empty if the embedding application asks. The sender, of a chunk.
    pub caller: Slice,
    /// UTF-8.
    pub request_id: Slice,
    /// Of a request: the method, in UTF-8.
    pub route: Slice,
    /// Of a request: the encoded request message; of others: a `DataStream`, an `ErrorEventV2`, a `RuntimeV2`, or nothing.
    pub payload: Slice,
}

/// What an operation came to, for a guest that waited. The buffer is the guest's until it calls [`Host::release`].
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Reply {
    /// 0, or what went wrong.
    pub status: i32,
    /// The operation's result; an encoded `ErrorV2` if it failed.
    pub ptr: *mut u8,
    /// Its length.
    pub len: usize,
}

/// [`SYMBOL`]. The table and all it points to stay valid until the process ends. Null refuses this host.
pub type Entry = unsafe extern "C-unwind" fn(host: *const Host) -> *const Guest;

/// What a guest offers. None of these may unwind.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Guest {
    /// Bytes of this struct that the guest knows.
    pub size: usize,
    /// [`VERSION`].
    pub version: u32,
    /// 0; bits that later versions define.
    pub flags: u32,
    /// Makes an instance; 0, or what went wrong.
    pub create: Option<unsafe extern "C-unwind" fn(birth: *const Birth, instance: *mut *mut c_void) -> i32>,
    /// Ends an instance. It is called once for each that was made, with no other call under way.
    pub destroy: Option<unsafe extern "C-unwind" fn(instance: *mut c_void)>,
    /// Takes an event. 0: the guest has answered or will; anything else: it has not and will not.
    pub handle: Option<unsafe extern "C-unwind" fn(instance: *mut c_void, event: *const Event) -> i32>,
    /// Hears what an operation came to that [`Host::start`] began. A guest that starts none leaves it null.
    pub on_complete: Option<
        unsafe extern "C-unwind" fn(instance: *mut c_void, token: u64, status: i32, bytes: *const u8, len: usize),
    >,
}

/// What a host offers. The table stays valid until the process ends.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Host {
    /// Bytes of this struct that the host knows.
    pub size: usize,
    /// [`VERSION`].
    pub version: u32,
    /// 0; bits that later versions define.
    pub flags: u32,
    /// Answers an event, from any thread, once.
    pub complete: unsafe extern "C" fn(call: u64, status: i32, bytes: *const u8, len: usize) -> i32,
    /// Begins an operation, from any thread; `on_complete` hears of its end on the instance's thread.
    pub start: unsafe extern "C" fn(call: u64, token: u64, op: u32, message: *const u8, len: usize) -> i32,
    /// Carries out an operation and waits for its end, on the instance's thread.
    pub perform: unsafe extern "C" fn(call: u64, op: u32, message: *const u8, len: usize, reply: *mut Reply) -> i32,
    /// Gives the buffer of a [`Reply`] back.
    pub release: unsafe extern "C" fn(ptr: *mut u8),
    /// Writes to the actor's log, from any thread.
    pub log: unsafe extern "C" fn(call: u64, level: u32, text: *const u8, len: usize) -> i32,
    /// Time until whoever waits for the event gives up; -1 if nobody does, or if there is no such call.
    pub time_left_ms: unsafe extern "C" fn(call: u64) -> i64,
}

#[cfg(test)]
mod tests {
    use core::mem::offset_of;

    use super::{Event, Guest, Host, Reply};

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn tables_are_laid_out_as_c_does() {
        assert_eq!((size_of::<Guest>(), offset_of!(Guest, create), offset_of!(Guest, on_complete)), (48, 16, 40));
        assert_eq!((size_of::<Host>(), offset_of!(Host, complete), offset_of!(Host, time_left_ms)), (64, 16, 56));
        assert_eq!((size_of::<Event>(), offset_of!(Event, kind), offset_of!(Event, payload)), (96, 24, 80));
        assert_eq!((size_of::<Reply>(), offset_of!(Reply, ptr)), (24, 8));
    }
}
