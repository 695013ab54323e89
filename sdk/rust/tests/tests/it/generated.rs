//! Generated traits and clients on a host that writes down what is asked of it.

use std::future::ready;
use std::sync::Mutex;

use expect_test::{Expect, expect};
use playhouse_guest::internal::poll_once;
use playhouse_guest::{
    ActorId, Backend, Bytes, Context, Dispatch, Error, HostOp, HostReply, LogLevel, Operation, RequestId,
    SharedDispatch,
};
use playhouse_guest_tests::zoo::{Animal, Count, tour_service, zoo_service};
use playhouse_guest_tests::{Keeper, Zoo, bare};
use prost::Message;

struct Fake {
    self_id: ActorId,
    request_id: RequestId,
    asked: Mutex<Vec<String>>,
    /// What calls are answered with.
    reply: Bytes,
}

impl Fake {
    fn new(reply: impl Into<Bytes>) -> Self {
        Self {
            self_id: "1@7/acme:Zoo:1.0.0".parse().unwrap(),
            request_id: RequestId::from_number(1),
            asked: Mutex::default(),
            reply: reply.into(),
        }
    }
}

impl Backend for Fake {
    fn self_id(&self) -> &ActorId {
        &self.self_id
    }
    fn caller(&self) -> Option<&ActorId> {
        None
    }
    fn request_id(&self) -> &RequestId {
        &self.request_id
    }
    fn perform(&self, op: HostOp) -> Operation {
        self.asked.lock().unwrap().push(format!("{op:?}"));
        let reply = match op {
            HostOp::Call { .. } => HostReply::Bytes(self.reply.clone()),
            _ => HostReply::Done,
        };
        Box::pin(ready(Ok(reply)))
    }
    fn log(&self, _level: LogLevel, _text: &str) {}
}

fn dispatch(zoo: &mut Zoo, host: &Fake, route: &str, payload: impl Into<Bytes>) -> Result<Bytes, Error> {
    poll_once(zoo.dispatch(Context::new(host), &route.parse().unwrap(), payload.into())).expect("ready")
}

fn check(route: &str, payload: impl Into<Bytes>, expect: &Expect) {
    let host = Fake::new(Count { animals: 9 }.encode_to_vec());
    let reply = dispatch(&mut Zoo::default(), &host, route, payload);
    let asked = host.asked.into_inner().unwrap();
    expect.assert_eq(&format!("{reply:?} {asked:?}"));
}

#[test]
fn routes_with_one_request_type_are_kept_apart() {
    let (host, mut zoo) = (Fake::new(""), Zoo::default());
    let animal = Animal { name: "bear".into(), photo: Bytes::new() }.encode_to_vec();
    for (route, animals) in [("zoo.ZooService.Feed", 1), ("zoo.ZooService.Feed", 2), ("zoo.ZooService.Release", 1)] {
        let reply = dispatch(&mut zoo, &host, route, animal.clone()).unwrap();
        assert_eq!(Count::decode(reply).unwrap().animals, animals);
    }
}

#[test]
fn every_service_is_reached() {
    check("zoo.ZooService.Move", "", &expect![[r#"Ok(b"") []"#]]);
    check("zoo.ZooService.Clear", "", &expect![[r#"Ok(b"") []"#]]);
    check(".BareService.Take", bare::Note { text: "hi".into() }.encode_to_vec(), &expect![[r#"Ok(b"\n\x02hi") []"#]]);
}

#[test]
fn an_unknown_route_is_named() {
    check("zoo.ZooService.Fly", "", &expect!["Err(unknown route: zoo.ZooService.Fly) []"]);
    check("zoo.KeeperService.Watch", "", &expect!["Err(unknown route: zoo.KeeperService.Watch) []"]);
}

#[test]
fn bytes_that_do_not_decode_are_refused_with_the_route() {
    check(
        "zoo.ZooService.Feed",
        "\u{1}",
        &expect![
            "Err(decode failure: request of zoo.ZooService.Feed: failed to decode Protobuf message: invalid tag value: 0) []"
        ],
    );
}

#[test]
fn a_typed_client_calls_and_tells() {
    check(
        "zoo.TourService.Visit",
        Animal { name: "owl".into(), photo: Bytes::new() }.encode_to_vec(),
        &expect![[
            r#"Ok(b"") ["Call { dest: Shell, route: \"zoo.ZooService.Feed\", payload: b\"\\n\\x03owl\" }", "Tell { dest: Shell, route: \"zoo.ZooService.Feed\", payload: b\"\\n\\x03owl\" }"]"#
        ]],
    );
}

#[test]
fn a_reply_that_does_not_decode_is_an_error_of_the_caller() {
    let host = Fake::new("\u{1}");
    let reply = dispatch(&mut Zoo::default(), &host, "zoo.TourService.Visit", "");
    expect![
        "Err(decode failure: reply of zoo.ZooService.Feed: failed to decode Protobuf message: invalid tag value: 0)"
    ]
    .assert_eq(&format!("{reply:?}"));
}

#[test]
fn a_handler_that_waits_is_not_ready() {
    let host = Fake::new("");
    let payload = Animal { name: "pend".into(), photo: Bytes::new() }.encode_to_vec();
    let mut zoo = Zoo::default();
    let route = tour_service::MISBEHAVE;
    assert!(poll_once(zoo.dispatch(Context::new(&host), &route, payload.into())).is_none());
}

#[test]
fn a_shared_actor_needs_no_exclusive_access() {
    let (host, keeper) = (Fake::new(""), Keeper::default());
    let route = "zoo.KeeperService.Watch".parse().unwrap();
    let mut first = Box::pin(keeper.dispatch(Context::new(&host), &route, Bytes::new()));
    let second = poll_once(keeper.dispatch(Context::new(&host), &route, Bytes::new())).unwrap().unwrap();
    let first = poll_once(first.as_mut()).unwrap().unwrap();
    assert_eq!((&second[..], &first[..]), (&b"\x08\x01"[..], &b"\x08\x02"[..]));
}

#[test]
fn route_keys() {
    expect![[r#"["zoo.ZooService.Feed", "zoo.ZooService.Release", "zoo.ZooService.Move", "zoo.ZooService.Clear"] ".BareService.Take""#]].assert_eq(&format!("{:?} {:?}", zoo_service::ROUTES, bare::bare_service::TAKE));
}
