use std::sync::Arc;

use expect_test::{Expect, expect};
use playhouse_guest::{Actor, Bytes, Context as GuestContext, Dispatch, Error, ErrorKind, RouteKey};
use playhouse_scheduler::CallChain;
use playhouse_types::{ActorId, Event, HostOp, LogLevel, RequestId};

use super::Linked;
use crate::contract::{Context, Host, HostFuture, Limits, Prepared, Seed, Workload};

struct NoHost;

impl Host for NoHost {
    fn perform(&self, _context: &Context, op: HostOp) -> HostFuture {
        Box::pin(std::future::ready(Err(Error::new(ErrorKind::PermissionDenied, op.grant()))))
    }

    fn log(&self, _actor: &ActorId, _level: LogLevel, _text: &str) {}
}

#[derive(Default)]
struct Probe {
    handled: u32,
}

impl Actor for Probe {
    async fn on_start(&mut self, _cx: GuestContext<'_>) -> Result<(), Error> {
        self.handled = 100;
        Ok(())
    }
}

impl Dispatch for Probe {
    async fn dispatch(&mut self, cx: GuestContext<'_>, route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        self.handled += 1;
        match route.as_str() {
            "count" => Ok(self.handled.to_string().into()),
            "echo" => Ok(payload),
            "who" => Ok(format!("{} for {} as {:?}", cx.self_id(), cx.request_id(), cx.caller()).into()),
            "discover" => cx.discover(cx.self_id().actor_type().clone()).await.map(|id| id.to_string().into()),
            "panic" => panic!("at the disco"),
            other => Err(Error::new(ErrorKind::UnknownRoute, other)),
        }
    }
}

fn workload() -> Arc<dyn Workload> {
    let seed = Seed { self_id: id(), host: Arc::new(NoHost), limits: Arc::new(Limits::default()) };
    futures_util::FutureExt::now_or_never(Linked::serial(Probe::default).create(seed)).unwrap().unwrap()
}

fn id() -> ActorId {
    "1@7/acme:Probe:1".parse().unwrap()
}

fn run(workload: &Arc<dyn Workload>, event: Event) -> String {
    let context = Context {
        self_id: id(),
        caller: None,
        request_id: RequestId::from_number(9),
        deadline: None,
        chain: CallChain::root(),
        host: Arc::new(NoHost),
    };
    let outcome = futures_util::FutureExt::now_or_never(Arc::clone(workload).run(context, event)).unwrap();
    outcome.map_or_else(|failure| format!("{failure:?}"), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn request(route: &str) -> Event {
    Event::Request { route: route.parse().unwrap(), payload: Bytes::from_static(b"hi") }
}

fn check(route: &str, expected: &Expect) {
    expected.assert_eq(&run(&workload(), request(route)));
}

#[test]
fn requests_are_dispatched() {
    check("echo", &expect!["hi"]);
    check("count", &expect!["1"]);
    check("who", &expect!["1@7/acme:Probe:1 for local-9 as None"]);
    check("discover", &expect!["Error(permission denied: discover)"]);
    check("nope", &expect!["Error(unknown route: nope)"]);
}

#[test]
fn a_panic_fails_one_call_and_keeps_the_value() {
    let workload = workload();
    assert_eq!(run(&workload, Event::Start), "");
    expect!["Error(internal error: the handler panicked: at the disco [handler-panic])"]
        .assert_eq(&run(&workload, request("panic")));
    assert_eq!(run(&workload, request("count")), "102");
    assert!(!workload.is_lost());
}

#[test]
fn a_factory_that_panics_is_an_error() {
    fn factory() -> Probe {
        panic!("no props")
    }
    let seed = Seed { self_id: id(), host: Arc::new(NoHost), limits: Arc::new(Limits::default()) };
    let made = futures_util::FutureExt::now_or_never(Linked::serial(factory).create(seed)).unwrap();
    expect!["internal error: making the actor panicked: no props [guest-start]"]
        .assert_eq(&made.err().unwrap().to_text());
}
