//! The C functions of a native guest, called as a host does.
#![expect(unsafe_code, reason = "the functions are C's")]

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::Mutex;

use expect_test::{Expect, expect};
use playhouse_abi::native::{HostVTable, op};
use playhouse_guest_tests::zoo::Animal;
use playhouse_wire::native::{HostCall, Reply, write_host_reply};
use playhouse_wire::proto::{
    AbiFrame, ActrId, DataStream, GuestDataStreamV1, GuestHandleV1, GuestHookV1, GuestLifecycleV1, InvocationContextV1,
    PeerEventV1, RpcEnvelope,
};
use prost::Message;

// The crate under test exports them.
unsafe extern "C" {
    fn actr_init(vtable: *const HostVTable, init: *const u8, init_len: usize) -> i32;
    fn actr_handle(req: *const u8, req_len: usize, resp: *mut *mut u8, resp_len: *mut usize) -> i32;
    fn actr_free_response(ptr: *mut u8, len: usize);
}

thread_local! {
    static ASKED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "C" fn invoke(frame: *const u8, len: usize, out: *mut *mut u8, out_len: *mut usize) -> i32 {
    // SAFETY: the guest passes its frame and two places.
    let frame = unsafe { std::slice::from_raw_parts(frame, len) };
    let call = match HostCall::read(frame) {
        Ok(call) => call,
        Err(_) => return -5,
    };
    let text = format!("{:?}", call.0);
    let refuse = text.contains("refuse");
    ASKED.with_borrow_mut(|asked| asked.push(text));
    let mut reply = Vec::new();
    let result = match call.0 {
        _ if refuse => Err(playhouse_guest::Error::coded(
            playhouse_guest::ErrorKind::PermissionDenied,
            playhouse_guest::Code::GrantMissing,
            "grant call",
        )),
        playhouse_guest::HostOp::Call { .. } => Ok(playhouse_guest::HostReply::Bytes("\u{8}\u{5}".into())),
        _ => Ok(playhouse_guest::HostReply::Done),
    };
    write_host_reply(&result, &mut reply);
    let reply = reply.into_boxed_slice();
    // SAFETY: both places may be written.
    unsafe {
        *out_len = reply.len();
        *out = Box::into_raw(reply).cast();
    }
    0
}

unsafe extern "C" fn free_host_buf(ptr: *mut u8, len: usize) {
    // SAFETY: the pair is what `invoke` put out.
    drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(ptr, len)) });
}

static TABLE: HostVTable = HostVTable { invoke, free_host_buf };

/// One image, one host: tests of one process take turns.
static TURN: Mutex<()> = Mutex::new(());

/// Before the first successful init; null when there was one already in this process.
fn init() {
    // SAFETY: the table is static, and no bytes count as an empty payload.
    let code = unsafe { actr_init(&TABLE, null(), 0) };
    assert!(code == 0 || code == -2);
}

fn handle(frame: &[u8]) -> String {
    let (mut out, mut len) = (null_mut(), 0);
    // SAFETY: the frame is a slice, both places may be written.
    let code = unsafe { actr_handle(frame.as_ptr(), frame.len(), &raw mut out, &raw mut len) };
    if code != 0 {
        assert!(out.is_null() && len == 0, "the reply was set with code {code}");
        return format!("code {code}");
    }
    // SAFETY: on success the guest has put out a buffer.
    let bytes = unsafe { std::slice::from_raw_parts(out, len) }.to_vec();
    // SAFETY: exactly the pair, once.
    unsafe { actr_free_response(out, len) };
    let reply = Reply::read(&bytes).unwrap();
    assert_eq!(reply.abi_version, 1);
    format!("status {} {:?}", reply.status, String::from_utf8_lossy(reply.payload))
}

/// Sends one frame and compares the answer and what the guest asked of its host meanwhile.
fn check(op: u32, message: &impl Message, expect: &Expect) {
    let _turn = TURN.lock().unwrap();
    init();
    ASKED.with_borrow_mut(Vec::clear);
    let frame = AbiFrame { abi_version: 1, op, payload: message.encode_to_vec().into() }.encode_to_vec();
    let answer = handle(&frame);
    expect.assert_eq(&format!("{answer} {:?}", ASKED.with_borrow(Clone::clone)));
}

fn id(serial: u64) -> ActrId {
    let id: playhouse_guest::ActorId = format!("{serial:x}@7/acme:Zoo:1.0.0").parse().unwrap();
    (&id).into()
}

fn context() -> InvocationContextV1 {
    InvocationContextV1 { self_id: Some(id(1)), caller_id: Some(id(2)), request_id: "r-1".into() }
}

fn request(route: &str, name: &str) -> GuestHandleV1 {
    let payload = Animal { name: name.into(), ..Animal::default() }.encode_to_vec();
    let envelope = RpcEnvelope {
        route_key: route.into(),
        payload: Some(payload.into()),
        request_id: "r-1".into(),
        ..RpcEnvelope::default()
    };
    GuestHandleV1 { ctx: Some(context()), rpc_envelope: envelope.encode_to_vec().into(), bridge_token: 0 }
}

#[test]
fn init_checks_in_order() {
    let _turn = TURN.lock().unwrap();
    let broken = [0xff_u8];
    // SAFETY: null tables and short payloads are what the function has to survive.
    unsafe {
        assert_eq!(actr_init(null(), broken.as_ptr(), 1), -2, "no table");
        assert_eq!(actr_init(&TABLE, broken.as_ptr(), 1), -5, "payload does not decode");
    }
    init();
    // SAFETY: as above.
    unsafe {
        assert_eq!(actr_init(&TABLE, broken.as_ptr(), 1), -5, "the payload is looked at first");
        assert_eq!(actr_init(&TABLE, null(), 0), -2, "a second time");
    }
}

#[test]
fn bytes_that_are_no_frame() {
    let _turn = TURN.lock().unwrap();
    init();
    let (mut out, mut len) = (null_mut(), 0);
    // SAFETY: a null request is what the function has to survive.
    assert_eq!(unsafe { actr_handle(null(), 0, &raw mut out, &raw mut len) }, -5);
    assert_eq!(handle(&[0xff]), "code -5");
    // SAFETY: both are nothing, which the ABI allows.
    unsafe { actr_free_response(null_mut(), 7) };
}

#[test]
fn requests() {
    let say = |route, name, expect: &Expect| check(op::GUEST_HANDLE, &request(route, name), expect);
    say("zoo.ZooService.Move", "", &expect![[r#"status 0 "" []"#]]);
    say("zoo.ZooService.Fly", "", &expect![[r#"status -3 "unknown route: zoo.ZooService.Fly" []"#]]);
    say("zoo.TourService.Misbehave", "no", &expect![[r#"status -3 "permission denied: no" []"#]]);
    say(
        "zoo.TourService.Misbehave",
        "panic",
        &expect![[r#"status -3 "internal error: the handler panicked: bitten [handler-panic]" []"#]],
    );
    say("zoo.TourService.Misbehave", "pend", &expect!["code -3 []"]);
    say(
        "zoo.TourService.Visit",
        "owl",
        &expect![[
            r#"status 0 "" ["Call { dest: Shell, route: \"zoo.ZooService.Feed\", payload: b\"\\n\\x03owl\" }", "Tell { dest: Shell, route: \"zoo.ZooService.Feed\", payload: b\"\\n\\x03owl\" }"]"#
        ]],
    );
    say(
        "zoo.TourService.Visit",
        "refuse",
        &expect![[
            r#"status -3 "permission denied: grant call [grant-missing]" ["Call { dest: Shell, route: \"zoo.ZooService.Feed\", payload: b\"\\n\\x06refuse\" }"]"#
        ]],
    );
}

/// A host of actr 0.3 has no log, so it goes to the standard error. Where that was closed, the handler panicked.
#[test]
fn a_log_that_nobody_reads_harms_no_handler() {
    const CHILD: &str = "NOBODY_READS";
    if std::env::var_os(CHILD).is_some() {
        return check(op::GUEST_HANDLE, &request("zoo.TourService.Misbehave", "log"), &expect![[r#"status 0 "" []"#]]);
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "native::a_log_that_nobody_reads_harms_no_handler", "--nocapture"]).env(CHILD, "1");
    let status = child.stdout(std::process::Stdio::null()).stderr(writer).status().unwrap();
    assert!(status.success(), "{status}");
}

#[test]
fn a_request_without_its_parts() {
    let whole = request("zoo.ZooService.Move", "");
    check(op::GUEST_HANDLE, &GuestHandleV1 { ctx: None, ..whole.clone() }, &expect!["code -5 []"]);
    check(op::GUEST_HANDLE, &GuestHandleV1 { rpc_envelope: "\u{ff}".into(), ..whole }, &expect!["code -5 []"]);
    check(105, &whole_frame(), &expect!["code -7 []"]);
}

fn whole_frame() -> GuestHandleV1 {
    request("zoo.ZooService.Move", "")
}

#[test]
fn lifecycle() {
    for (hook, expect) in [
        (1, expect![[r#"status 0 "" ["RegisterStream { stream_id: \"feed\" }"]"#]]),
        (2, expect![[r#"status 0 "" []"#]]),
        (3, expect![[r#"status 0 "" []"#]]),
        (4, expect!["code -7 []"]),
    ] {
        check(op::GUEST_LIFECYCLE, &GuestLifecycleV1 { ctx: Some(context()), hook, bridge_token: 0 }, &expect);
    }
}

#[test]
fn chunks() {
    let chunk =
        DataStream { stream_id: "feed".into(), sequence: 3, payload: "x".into(), metadata: vec![], timestamp_ms: None };
    let message = GuestDataStreamV1 { chunk: Some(chunk), sender: Some(id(2)), bridge_token: 0 };
    // The guest has to know its id; a lifecycle step says it.
    check(
        op::GUEST_LIFECYCLE,
        &GuestLifecycleV1 { ctx: Some(context()), hook: 2, bridge_token: 0 },
        &expect![[r#"status 0 "" []"#]],
    );
    check(
        op::GUEST_DATA_STREAM,
        &message,
        &expect![[r#"status -3 "not found: 1@7/acme:Zoo:1.0.0 got 3 from 2@7/acme:Zoo:1.0.0" []"#]],
    );
    check(op::GUEST_DATA_STREAM, &GuestDataStreamV1 { sender: None, ..message }, &expect!["code -5 []"]);
}

#[test]
fn hooks() {
    let hook = |hook, peer| GuestHookV1 { ctx: Some(context()), hook, peer, ..GuestHookV1::default() };
    let peer = PeerEventV1 { peer: Some(id(3)), relayed: Some(false) };
    check(op::GUEST_HOOK, &hook(1, None), &expect![[r#"status 0 "" []"#]]);
    check(op::GUEST_HOOK, &hook(8, Some(peer)), &expect![[r#"status 0 "" []"#]]);
    check(op::GUEST_HOOK, &hook(8, None), &expect!["code -5 []"]);
    check(op::GUEST_HOOK, &hook(10, None), &expect!["code -5 []"]);
    check(op::GUEST_HOOK, &hook(13, None), &expect!["code -7 []"]);
}

#[test]
fn the_table_is_what_the_abi_says() {
    assert_eq!(size_of::<HostVTable>(), 2 * size_of::<*const c_void>());
}
