//! The one C function of a native guest of the ABI V2, and the table that it gives, used as a host does.
#![expect(unsafe_code, reason = "the functions are C's")]

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::null_mut;

use expect_test::{Expect, expect};
use playhouse_abi::native::v2::{Birth, Event, Guest, Host, Reply, Slice, VERSION, event};
use playhouse_guest::{ActorId, Bytes, Code, Error, ErrorKind, HostOp, HostReply};
use playhouse_guest_tests::zoo::Animal;
use playhouse_wire::native::v2::{read_error, read_op, write_error, write_reply};
use playhouse_wire::proto::ActrId;
use prost::Message;

// The crate under test exports it.
unsafe extern "C" {
    fn playhouse_guest_v2(host: *const Host) -> *const Guest;
}

thread_local! {
    static ASKED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static ANSWER: RefCell<String> = const { RefCell::new(String::new()) };
}

const CALL: u64 = 77;

unsafe fn slice<'a>(ptr: *const u8, len: usize) -> &'a [u8] {
    // SAFETY: the guest passes bytes that are its own.
    if len == 0 { &[] } else { unsafe { std::slice::from_raw_parts(ptr, len) } }
}

unsafe extern "C" fn complete(call: u64, status: i32, ptr: *const u8, len: usize) -> i32 {
    assert_eq!(call, CALL);
    // SAFETY: as above.
    let bytes = unsafe { slice(ptr, len) };
    let text = match status {
        -3 => read_error(bytes).to_text(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    ANSWER.set(format!("status {status} {text:?}"));
    0
}

unsafe extern "C" fn start(_: u64, _: u64, _: u32, _: *const u8, _: usize) -> i32 {
    -1
}

unsafe extern "C" fn perform(call: u64, op: u32, ptr: *const u8, len: usize, reply: *mut Reply) -> i32 {
    assert_eq!(call, CALL);
    // SAFETY: as above.
    let op = read_op(op, Bytes::copy_from_slice(unsafe { slice(ptr, len) })).unwrap();
    let text = format!("{op:?}");
    let refuse = text.contains("refuse");
    ASKED.with_borrow_mut(|asked| asked.push(text));
    let mut out = Vec::new();
    let status = match op {
        _ if refuse => {
            write_error(&Error::coded(ErrorKind::PermissionDenied, Code::GrantMissing, "grant call"), &mut out);
            -3
        }
        HostOp::Call { .. } => {
            write_reply(&HostReply::Bytes("\u{8}\u{5}".into()), &mut out);
            0
        }
        _ => 0,
    };
    let len = out.len();
    let ptr = if len == 0 { null_mut() } else { Box::into_raw(out.into_boxed_slice()).cast() };
    // SAFETY: the guest passes a place that may be written.
    unsafe { *reply = Reply { status, ptr, len } };
    LENT.with_borrow_mut(|lent| lent.push((ptr.addr(), len)));
    0
}

thread_local! {
    static LENT: RefCell<Vec<(usize, usize)>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "C" fn release(ptr: *mut u8) {
    let (_, len) = LENT.with_borrow_mut(|lent| {
        let at = lent.iter().position(|(address, _)| *address == ptr.addr()).unwrap();
        lent.remove(at)
    });
    // SAFETY: the pair is what `perform` put out.
    drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(ptr, len)) });
}

unsafe extern "C" fn log(_: u64, _: u32, _: *const u8, _: usize) -> i32 {
    0
}

unsafe extern "C" fn time_left_ms(_: u64) -> i64 {
    -1
}

static HOST: Host =
    Host { size: size_of::<Host>(), version: VERSION, flags: 0, complete, start, perform, release, log, time_left_ms };

fn bytes(of: &[u8]) -> Slice {
    Slice { ptr: of.as_ptr(), len: of.len() }
}

fn id(serial: u64) -> Vec<u8> {
    let id: ActorId = format!("{serial:x}@7/acme:Zoo:1.0.0").parse().unwrap();
    ActrId::from(&id).encode_to_vec()
}

struct Instance {
    table: Guest,
    pointer: *mut c_void,
}

impl Instance {
    fn new() -> Self {
        // SAFETY: the table is a static, as is the guest's.
        let table = unsafe { *playhouse_guest_v2(&raw const HOST) };
        let (id, mut pointer) = (id(1), null_mut());
        let birth = Birth { size: size_of::<Birth>(), call: CALL, self_id: bytes(&id) };
        // SAFETY: all of these outlive the call.
        assert_eq!(unsafe { table.create.unwrap()(&raw const birth, &raw mut pointer) }, 0);
        Self { table, pointer }
    }

    /// Gives the guest an event: its answer, and what it asked of its host meanwhile.
    fn tell(&self, kind: u32, route: &str, payload: &[u8]) -> String {
        let caller = id(2);
        let event = Event {
            size: size_of::<Event>(),
            call: CALL,
            time_left_ms: -1,
            kind,
            hook: 0,
            caller: bytes(&caller),
            request_id: bytes(b"r-1"),
            route: bytes(route.as_bytes()),
            payload: bytes(payload),
        };
        ASKED.take();
        ANSWER.take();
        // SAFETY: all of these outlive the call, and the pointer is of `create`.
        let code = unsafe { self.table.handle.unwrap()(self.pointer, &raw const event) };
        assert_eq!(code, 0);
        format!("{} {:?}", ANSWER.take(), ASKED.take())
    }

    fn request(&self, route: &str, name: &str) -> String {
        self.tell(event::REQUEST, route, &Animal { name: name.into(), ..Animal::default() }.encode_to_vec())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: once, with the pointer of `create`.
        unsafe { self.table.destroy.unwrap()(self.pointer) };
    }
}

fn check(answer: &str, expected: &Expect) {
    expected.assert_eq(answer);
}

#[test]
fn requests() {
    let zoo = Instance::new();
    check(&zoo.request("zoo.ZooService.Feed", "ape"), &expect![[r#"status 0 "\u{8}\u{1}" []"#]]);
    check(
        &zoo.request("zoo.TourService.Visit", "ape"),
        &expect![[
            r#"status 0 "" ["Call { dest: Shell, route: \"zoo.ZooService.Feed\", payload: b\"\\n\\x03ape\" }", "Tell { dest: Shell, route: \"zoo.ZooService.Feed\", payload: b\"\\n\\x03ape\" }"]"#
        ]],
    );
    check(
        &zoo.request("zoo.TourService.Visit", "refuse"),
        &expect![[
            r#"status -3 "permission denied: grant call [grant-missing]" ["Call { dest: Shell, route: \"zoo.ZooService.Feed\", payload: b\"\\n\\x06refuse\" }"]"#
        ]],
    );
    check(&zoo.request("zoo.No.No", ""), &expect![[r#"status -3 "unknown route: zoo.No.No" []"#]]);
}

#[test]
fn each_instance_has_an_actor_of_its_own() {
    let zoos = [Instance::new(), Instance::new()];
    for round in 1..=3_u8 {
        for zoo in &zoos {
            let expected = format!("status 0 {:?} []", format!("\u{8}{}", char::from(round)));
            assert_eq!(zoo.request("zoo.ZooService.Feed", "ape"), expected);
        }
    }
}

#[test]
fn panics_and_waits_are_errors_of_one_request() {
    let zoo = Instance::new();
    check(
        &zoo.request("zoo.TourService.Misbehave", "panic"),
        &expect![[r#"status -3 "internal error: the handler panicked: bitten [handler-panic]" []"#]],
    );
    check(
        &zoo.request("zoo.TourService.Misbehave", "pend"),
        &expect![[
            r#"status -3 "internal error: the handler waited for something other than a host operation, which a guest cannot do [guest-protocol]" []"#
        ]],
    );
    check(&zoo.request("zoo.ZooService.Feed", "ape"), &expect![[r#"status 0 "\u{8}\u{1}" []"#]]);
}

#[test]
fn other_events() {
    let zoo = Instance::new();
    check(&zoo.tell(event::START, "", b""), &expect![[r#"status 0 "" ["RegisterStream { stream_id: \"feed\" }"]"#]]);
    check(&zoo.tell(event::READY, "", b""), &expect![[r#"status 0 "" []"#]]);
    check(
        &zoo.tell(event::CHUNK, "", b"\x0a\x04feed\x10\x05"),
        &expect![[r#"status -3 "not found: 1@7/acme:Zoo:1.0.0 got 5 from 2@7/acme:Zoo:1.0.0" []"#]],
    );
    check(
        &zoo.tell(event::CHUNK, "", b"\xff"),
        &expect![[r#"status -3 "decode failure: chunk does not decode [malformed-operation]" []"#]],
    );
    check(&zoo.tell(99, "", b""), &expect![[r#"status -3 "not implemented: events of kind 99" []"#]]);
}

#[test]
fn a_host_whose_table_is_too_short_is_refused() {
    let short = Host { size: size_of::<Host>() - 1, ..HOST };
    // SAFETY: the table says its length.
    assert!(unsafe { playhouse_guest_v2(&raw const short) }.is_null());
}
