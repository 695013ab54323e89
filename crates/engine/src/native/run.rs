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
use super::port::{ToGuest, ToHost};
use super::sheet::Sheet;
use super::spin::{Patience, Spin, TASK_SPIN};
use super::turnstile::Far;
use super::workload::{NativeWorkload, Spare};
use crate::{Context, Failure, HostFuture, Outcome};

/// Host operations that one poll carries out before it lets other tasks run.
const OPS_PER_POLL: u32 = 32;

/// One event on its way through a guest. The guest's thread and this future take turns: the guest computes, or this
/// future carries out what the guest asked for.
pub(super) struct Run {
    workload: Arc<NativeWorkload>,
    context: Context,
    turn: Turn,
    /// The context in which guests with contexts call, held until the run ends.
    held: Option<Held>,
    patience: Patience,
}

enum Turn {
    /// Nothing has happened yet.
    New(Event),
    /// The guest's thread has the event. It may be worth a moment of spinning.
    Guest {
        worth_spinning: bool,
    },
    /// The guest waits for an operation.
    Host(HostFuture),
    Over,
}

impl Run {
    pub(super) const fn new(workload: Arc<NativeWorkload>, context: Context, event: Event) -> Self {
        Self { workload, context, turn: Turn::New(event), held: None, patience: Patience::new() }
    }

    /// Hands the event to the guest, or answers it where the ABI has nothing for it.
    fn start(&mut self, event: Event) -> Option<Outcome> {
        if matches!(event, Event::Error(_)) {
            return Some(Ok(Bytes::new()));
        }
        if self.workload.lost.load(Ordering::Acquire) {
            return Some(Err(gone()));
        }
        if self.workload.busy.swap(true, Ordering::Acquire) {
            return Some(Err(busy()));
        }
        if let Some(contexts) = &self.workload.contexts {
            self.held = contexts.open(&self.context);
            if self.held.is_none() {
                self.workload.busy.store(false, Ordering::Release);
                return Some(Err(too_many_contexts()));
            }
        }
        let mut spare = self.workload.spare.lock();
        let mut sheet = spare.sheet.take().unwrap_or_default();
        self.patience = spare.patience;
        drop(spare);
        let token = self.held.as_ref().map_or(0, Held::token);
        sheet.write(&self.workload.frames, &self.context, &event, token);
        self.hand_over(ToGuest::Call(sheet))
    }

    /// Gives the guest its turn.
    fn hand_over(&mut self, message: ToGuest) -> Option<Outcome> {
        match self.workload.port.send(message) {
            Ok(far) => {
                self.turn = Turn::Guest { worth_spinning: far == Far::Awake };
                None
            }
            Err(_) => Some(Err(self.lose())),
        }
    }

    /// The guest's thread has ended.
    fn lose(&self) -> Failure {
        self.workload.lost.store(true, Ordering::Release);
        gone()
    }

    /// Takes what the guest's thread says, after a moment of spinning if that is likely to help.
    fn listen(&mut self, cx: &mut TaskContext<'_>) -> Poll<ToHost> {
        let port = &self.workload.port;
        if let Turn::Guest { worth_spinning: worth @ true } = &mut self.turn {
            *worth = false;
            if !port.is_answered() && self.patience.allows() {
                let mut spin = Spin::new(TASK_SPIN);
                while !port.is_answered() && spin.again() {}
                self.patience.learn(port.is_answered());
            }
        }
        port.poll(cx)
    }

    /// The guest is done with the event.
    fn finish(&mut self, result: Result<(), Failure>, mut sheet: Box<Sheet>) -> Outcome {
        self.turn = Turn::Over;
        self.held = None;
        if matches!(result, Err(Failure::Crash(_))) {
            self.workload.lost.store(true, Ordering::Release);
        }
        let outcome = result.map(|()| sheet.take_reply());
        *self.workload.spare.lock() = Spare { sheet: Some(sheet), patience: self.patience };
        self.workload.busy.store(false, Ordering::Release);
        outcome
    }

    fn answer(&mut self, result: &Result<HostReply, ActorError>) -> Option<Outcome> {
        let mut reply = Vec::new();
        write_host_reply(result, &mut reply);
        self.hand_over(ToGuest::OpDone(reply))
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
            Turn::Guest { .. } => match ready!(self.listen(cx)) {
                ToHost::Op(op) => Poll::Ready(self.perform(*op)),
                ToHost::Returned(result, sheet) => Poll::Ready(Some(self.finish(result, sheet))),
                ToHost::Gone => Poll::Ready(Some(Err(self.lose()))),
            },
            Turn::Host(operation) => {
                let polled = catch_unwind(AssertUnwindSafe(|| operation.as_mut().poll(cx)));
                let result = ready!(polled.unwrap_or_else(|_| Poll::Ready(Err(host_panicked()))));
                Poll::Ready(self.answer(&result))
            }
            Turn::Over => Poll::Ready(Some(Err(gone()))),
        }
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
    fn drop(&mut self) {
        if matches!(self.turn, Turn::New(_) | Turn::Over) {
            return;
        }
        let port = &self.workload.port;
        // A guest that has not begun, or is done, has lost nothing. One that waits for an operation has.
        let untouched = matches!(port.retract(), Some(ToGuest::Call(_)))
            || matches!(port.take_answer(), Some(ToHost::Returned(..)));
        if untouched {
            self.workload.busy.store(false, Ordering::Release);
            return;
        }
        self.workload.lost.store(true, Ordering::Release);
        port.close();
        tracing::warn!(
            actor = %self.context.self_id,
            request = %self.context.request_id,
            code = Code::GuestHung.text(),
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

fn host_panicked() -> ActorError {
    ActorError::coded(ErrorKind::Internal, Code::HandlerPanic, "the host operation panicked")
}
