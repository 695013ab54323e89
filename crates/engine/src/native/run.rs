use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use playhouse_types::{ActorError, Code, ErrorKind, Event, HostOp, HostReply};
use playhouse_wire::native::write_host_reply;

use super::contexts::{CONTEXTS_MAX, Held};
use super::desk::Desk;
use super::lane::Taken;
use super::port::{Order, Said, ToHost};
use super::slots::NativeThreads;
use super::spin::{Spin, TASK_SPIN};
use super::turnstile::Other;
use super::v2::UnderWay;
use super::workload::{Dialect, NativeWorkload};
use crate::{Context, Failure, HostFuture, Outcome, Workload};

/// Host operations that one poll carries out before it lets other tasks run.
const OPS_PER_POLL: u32 = 32;

/// One event on its way through a guest. The guest's thread and this future take turns: the guest computes, or this
/// future carries out what the guest asked for.
pub(super) struct Run {
    workload: Arc<NativeWorkload>,
    context: Context,
    turn: Turn,
    /// Present from the beginning of the event to its end.
    desk: Option<Desk>,
    /// The context in which guests with contexts call, held until the run ends.
    held: Option<Held>,
    /// The call of a guest of V2, with what it has begun.
    under_way: Option<UnderWay>,
}

enum Turn {
    /// Nothing has happened yet.
    New(Event),
    /// The guest's thread puts an end to the event before, whose run is gone.
    Settling(Event),
    /// The guest's thread has the event, or the reply to an operation.
    Guest {
        /// That it may be worth a moment of spinning.
        worth_spinning: bool,
        /// That the guest waits for nothing but what it has: if it is taken back, nothing is lost.
        was_idle: bool,
    },
    /// The guest has returned and will answer later.
    Waiting,
    /// The guest waits for an operation.
    Host(HostFuture),
    Over,
}

/// What a guest says, once it has been read off the sheet.
enum Heard {
    Returned(Outcome),
    Op(HostOp),
    Waiting,
    Gone,
}

impl Run {
    pub(super) const fn new(workload: Arc<NativeWorkload>, context: Context, event: Event) -> Self {
        Self { workload, context, turn: Turn::New(event), desk: None, held: None, under_way: None }
    }

    /// Takes the guest, or answers the event where there is nobody to ask.
    fn start(&mut self, event: Event) -> Option<Outcome> {
        if matches!((&event, &self.workload.dialect), (Event::Error(_), Dialect::V1 { .. })) {
            return Some(Ok(Bytes::new()));
        }
        let Some(mut desk) = self.workload.desk.lock().take() else {
            return Some(Err(if self.workload.is_lost() { gone() } else { busy() }));
        };
        let is_settling = std::mem::take(&mut desk.is_settling);
        self.desk = Some(desk);
        if is_settling {
            self.turn = Turn::Settling(event);
            return None;
        }
        self.tell(&event)
    }

    /// Hands the event to the guest.
    fn tell(&mut self, event: &Event) -> Option<Outcome> {
        let Some(desk) = &mut self.desk else { return Some(Err(gone())) };
        match &self.workload.dialect {
            Dialect::V1 { frames, contexts } => {
                if let Some(contexts) = contexts {
                    self.held = contexts.open(&self.context);
                    if self.held.is_none() {
                        *self.workload.desk.lock() = self.desk.take();
                        return Some(Err(too_many_contexts()));
                    }
                }
                let token = self.held.as_ref().map_or(0, Held::token);
                desk.write(frames, &self.context, event, token);
            }
            Dialect::V2(instance) => {
                let (under_way, call) = UnderWay::begin(instance, &self.context);
                self.under_way = Some(under_way);
                desk.write_v2(&self.context, event, call);
            }
        }
        self.send(true)
    }

    /// Gives the guest its turn, with what is on the sheet.
    fn send(&mut self, was_idle: bool) -> Option<Outcome> {
        let Some(desk) = &mut self.desk else { return Some(Err(gone())) };
        let worth_spinning = desk.near.send() == Other::Awake;
        self.turn = Turn::Guest { worth_spinning, was_idle };
        None
    }

    /// The guest's thread has ended.
    fn lose(&mut self) -> Failure {
        self.workload.lost.store(true, Ordering::Release);
        self.desk = None;
        gone()
    }

    /// Hears what the guest says, after a moment of spinning if that is likely to help.
    fn listen(&mut self, cx: &mut TaskContext<'_>) -> Poll<Heard> {
        let Some(desk) = &mut self.desk else { return Poll::Ready(Heard::Gone) };
        if let Turn::Guest { worth_spinning: worth @ true, .. } = &mut self.turn {
            *worth = false;
            if let Some(heard) = look(desk) {
                return Poll::Ready(heard);
            }
        }
        desk.near.poll(cx).map(|sheet| sheet.map_or(Heard::Gone, hear))
    }

    /// The guest is done with the event.
    fn finish(&mut self, outcome: Outcome) -> Outcome {
        self.held = None;
        if let Some(mut under_way) = self.under_way.take() {
            under_way.end();
        }
        if matches!(outcome, Err(Failure::Crash(_))) {
            self.workload.lost.store(true, Ordering::Release);
            self.desk = None;
        } else {
            *self.workload.desk.lock() = self.desk.take();
        }
        outcome
    }

    fn answer(&mut self, result: &Result<HostReply, ActorError>) -> Option<Outcome> {
        if let Some(desk) = &mut self.desk {
            let order = match self.workload.dialect {
                Dialect::V1 { .. } => {
                    write_host_reply(result, &mut desk.draft);
                    Order::OpDone
                }
                Dialect::V2(_) => Order::Completed { token: 0, status: desk.draft_result(result) },
            };
            desk.put(order);
        }
        self.send(false)
    }

    /// Carries on with what the guest has begun, and tells it of what is done.
    fn wait(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Outcome>> {
        let (Some(under_way), Some(desk)) = (&mut self.under_way, &mut self.desk) else {
            return Poll::Ready(Some(Err(gone())));
        };
        under_way.advance(&self.context, cx);
        if under_way.is_answered() {
            desk.put(Order::Finish);
        } else if let Some((token, result)) = under_way.next_ended() {
            let status = desk.draft_result(&result);
            desk.put(Order::Completed { token, status });
        } else {
            return Poll::Pending;
        }
        Poll::Ready(self.send(true))
    }

    fn perform(&mut self, op: HostOp) -> Option<Outcome> {
        let begun = catch_unwind(AssertUnwindSafe(|| self.context.host.perform(&self.context, op)));
        match begun {
            Ok(operation) => {
                self.turn = Turn::Host(operation);
                None
            }
            Err(_) => self.answer(&Err(host_panicked())),
        }
    }

    /// One step. Pending only if a waker is registered.
    fn step(&mut self, cx: &mut TaskContext<'_>) -> Poll<Option<Outcome>> {
        match &mut self.turn {
            Turn::New(_) => {
                let Turn::New(event) = std::mem::replace(&mut self.turn, Turn::Over) else { return Poll::Ready(None) };
                Poll::Ready(self.start(event))
            }
            Turn::Settling(_) => {
                if matches!(ready!(self.listen(cx)), Heard::Gone) {
                    return Poll::Ready(Some(Err(self.lose())));
                }
                let Turn::Settling(event) = std::mem::replace(&mut self.turn, Turn::Over) else {
                    return Poll::Ready(None);
                };
                Poll::Ready(self.tell(&event))
            }
            Turn::Guest { .. } => match ready!(self.listen(cx)) {
                Heard::Op(op) => Poll::Ready(self.perform(op)),
                Heard::Returned(outcome) => Poll::Ready(Some(self.finish(outcome))),
                Heard::Waiting => {
                    self.turn = Turn::Waiting;
                    Poll::Ready(None)
                }
                Heard::Gone => Poll::Ready(Some(Err(self.lose()))),
            },
            Turn::Host(operation) => {
                let polled = catch_unwind(AssertUnwindSafe(|| operation.as_mut().poll(cx)));
                let polled = polled.unwrap_or_else(|_| Poll::Ready(Err(host_panicked())));
                if let (Poll::Pending, Some(under_way)) = (&polled, &mut self.under_way) {
                    under_way.advance(&self.context, cx);
                }
                Poll::Ready(self.answer(&ready!(polled)))
            }
            Turn::Waiting => self.wait(cx),
            Turn::Over => Poll::Ready(Some(Err(gone()))),
        }
    }
}

/// Looks for what the guest says, for a moment and only if that has been of use lately.
fn look(desk: &mut Desk) -> Option<Heard> {
    if !desk.patience.allows() {
        return None;
    }
    let mut spin = Spin::new(TASK_SPIN, desk.patience);
    loop {
        match desk.near.try_take() {
            Ok(sheet) => {
                desk.patience.learn(&spin, true);
                return Some(hear(sheet));
            }
            Err(Taken::End) => return Some(Heard::Gone),
            Err(_) if spin.again() => {}
            Err(_) => {
                desk.patience.learn(&spin, false);
                return None;
            }
        }
    }
}

fn hear(sheet: &mut ToHost) -> Heard {
    match std::mem::take(&mut sheet.said) {
        Said::Returned => Heard::Returned(Ok(sheet.note.take_shared())),
        Said::Failed(failure) => Heard::Returned(Err(*failure)),
        Said::Op(op) => Heard::Op(*op),
        Said::Waiting => Heard::Waiting,
    }
}

impl Future for Run {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Outcome> {
        for _ in 0..2 * OPS_PER_POLL {
            if let Some(outcome) = ready!(self.step(cx)) {
                self.turn = Turn::Over;
                return Poll::Ready(outcome);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Drop for Run {
    /// A guest that has not begun, is done, or will answer later, has lost nothing. One that computes, or waits for an operation and
    /// has no way to be told that its event is over, has.
    fn drop(&mut self) {
        let Some(mut desk) = self.desk.take() else { return };
        // From here on nobody can answer the call of a guest of V2, and nothing can be begun in it.
        self.under_way = None;
        let said = desk.near.try_take().map(hear);
        let is_done = matches!(said, Ok(Heard::Returned(Ok(_) | Err(Failure::Error(_)))));
        let was_idle = matches!(self.turn, Turn::Guest { was_idle: true, .. } | Turn::Settling(_));
        let is_idle = is_done || (was_idle && desk.near.take_back());
        if matches!(self.workload.dialect, Dialect::V2(_)) {
            let waits = matches!(self.turn, Turn::Host(_)) || matches!(said, Ok(Heard::Op(_)));
            let will_answer = matches!(self.turn, Turn::Waiting) || matches!(said, Ok(Heard::Waiting));
            if waits || is_idle || will_answer {
                desk.settle(waits);
                *self.workload.desk.lock() = Some(desk);
                return;
            }
        } else if is_idle {
            *self.workload.desk.lock() = Some(desk);
            return;
        }
        self.workload.lost.store(true, Ordering::Release);
        desk.occupant.give_up();
        drop(desk);
        tracing::warn!(
            actor = %self.context.self_id,
            request = %self.context.request_id,
            code = Code::GuestHung.text(),
            hung = NativeThreads::now().hung,
            "a native guest did not return in time; it gets no more events, its thread and its image stay"
        );
    }
}

fn gone() -> Failure {
    Failure::Crash(ActorError::coded(ErrorKind::Unavailable, Code::GuestHung, "the native guest takes no more events"))
}

fn busy() -> Failure {
    let message = "the native guest is busy with another event";
    Failure::Error(ActorError::coded(ErrorKind::Internal, Code::GuestProtocol, message))
}

fn too_many_contexts() -> Failure {
    let message = format!("the native guest retains {CONTEXTS_MAX} contexts, which is the limit");
    Failure::Error(ActorError::coded(ErrorKind::Unavailable, Code::GuestProtocol, message))
}

pub(super) fn host_panicked() -> ActorError {
    ActorError::coded(ErrorKind::Internal, Code::HandlerPanic, "the host operation panicked")
}
