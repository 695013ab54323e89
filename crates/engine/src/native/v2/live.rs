//! The thread of one instance.

use std::rc::Rc;

use playhouse_abi::native::status;
use playhouse_abi::native::v2::{self, Birth, Event};
use playhouse_types::{ActorError, Code, ErrorKind};
use playhouse_wire::native::v2::EventFrame;
use playhouse_wire::proto::ActrId;
use prost::Message;
use tokio::sync::oneshot;

use super::super::port::{Far, Order, Said};
use super::super::worker::{Post, Ready, Verdict};
use super::super::{buffers, origin};
use super::active::{Active, failed, protocol, slice};
use super::image::{Functions, Object};
use super::instance::Instance;
use crate::{Failure, Seed};

/// Makes an instance and has it handle one event after the other, until its actor ends.
pub(in crate::native) fn live(functions: Functions, seed: &Seed, far: Far, ready: oneshot::Sender<Verdict>) {
    let registered = Instance::register(seed);
    let active = Active::new(registered.0.clone(), Post::new(far), seed.limits.reply_bytes);
    let _entered = active.enter();
    let self_id = ActrId::from(&seed.self_id).encode_to_vec();
    let birth = Birth { size: size_of::<Birth>(), call: registered.0.first_call(), self_id: slice(&self_id) };
    let created = Object::create(functions, &birth);
    registered.0.end();
    stay_home();
    let object = match created {
        Ok(object) => object,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let mut thread = Thread { object, active, call: 0 };
    if ready.send(Ok(Ready::V2(registered.0.clone()))).is_ok() {
        thread.serve();
    }
    // Still under way if its run went before this thread had begun it.
    registered.0.end();
    thread.settle();
    let active = thread.active;
    thread.object.destroy();
    buffers::take_back_all(&active.account);
    stay_home();
}

/// Ends the process if the guest has forked, and its child came back as if it were us: with our sockets, and without our other threads.
fn stay_home() {
    if origin::is_elsewhere() {
        std::process::abort();
    }
}

struct Thread {
    object: Object,
    active: Rc<Active>,
    /// The call under way, or the last.
    call: u64,
}

impl Thread {
    fn serve(&mut self) {
        let mut bytes = Vec::new();
        while let Some(order) = self.receive(&mut bytes) {
            match order {
                Order::Event { call, optional } => {
                    self.call = call;
                    // Of the event before, if another thread began something at its very end.
                    self.settle();
                    self.active.instance.begin(call);
                    self.handle(optional, &bytes);
                }
                Order::Completed { token, status } if self.active.instance.settle(token) => {
                    self.object.on_complete(token, status, &bytes);
                }
                _ => {}
            }
            stay_home();
            if self.say() {
                return;
            }
        }
    }

    fn receive(&self, bytes: &mut Vec<u8>) -> Option<Order> {
        self.active.post.borrow_mut().receive(bytes)
    }

    /// Gives the guest an event, and takes an answer from what it returns.
    fn handle(&self, optional: bool, bytes: &[u8]) {
        // INVARIANT: the host wrote the frame. One that does not decode reads as an event without a kind, which no guest knows.
        let frame = EventFrame::read(bytes).unwrap_or_default();
        let time_left_ms = frame.time_left_ms.map_or(-1, |ms| i64::try_from(ms).unwrap_or(i64::MAX));
        let event = Event {
            size: size_of::<Event>(),
            call: self.call,
            time_left_ms,
            kind: frame.kind,
            hook: frame.hook,
            caller: slice(frame.caller),
            request_id: slice(frame.request_id),
            route: slice(frame.route),
            payload: slice(frame.payload),
        };
        let failure = match self.object.handle(&event) {
            status::SUCCESS => return,
            status::UNSUPPORTED_OP if optional => None,
            status::INIT_FAILED => Some(Failure::Crash(protocol("handle says that the instance is broken"))),
            code => Some(Failure::Error(protocol(format!("handle returned {code}")))),
        };
        self.active.refuse(self.call, failure);
    }

    /// Says how the event stands. True if the instance is lost.
    fn say(&self) -> bool {
        let is_open = self.active.instance.is_open(self.call);
        let verdict = match self.active.verdict() {
            None if is_open => None,
            // The run that began the call is gone, and hears nothing.
            None => Some(Ok(())),
            verdict => verdict,
        };
        if verdict.is_some() {
            self.settle();
            self.active.instance.end();
        }
        let is_lost = matches!(verdict, Some(Err(Failure::Crash(_))));
        self.active.post.borrow_mut().say(|sheet| {
            sheet.said = match verdict {
                None => Said::Waiting,
                Some(Ok(())) => Said::Returned,
                Some(Err(failure)) => Said::Failed(Box::new(failure)),
            };
        });
        is_lost
    }

    /// Tells the guest of every operation that nobody carries out any more.
    fn settle(&self) {
        let tokens = self.active.instance.give_up();
        if tokens.is_empty() {
            return;
        }
        let (_, error) = failed(&ActorError::coded(
            ErrorKind::Unavailable,
            Code::DeadlineExpired,
            "the event was over before the operation",
        ));
        for token in tokens {
            self.object.on_complete(token, v2::status::GIVEN_UP, &error);
        }
    }
}
