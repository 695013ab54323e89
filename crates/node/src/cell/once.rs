//! Requests whose ids their callers chose, and so may send twice: within some minutes the second gets the outcome of the first.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use playhouse_scheduler::{CallId, Dedup, DedupConfig, Verdict};
use playhouse_types::{ActorError, ErrorKind};
use tokio::sync::oneshot;

use super::outcome::Answer;
use super::{Cell, Request};

/// What is known of a request whose id its caller chose.
enum Seen {
    Never,
    Running,
    Before(Result<Bytes, ActorError>),
}

impl Cell {
    /// A call whose id its caller chose: the second of the same id gets the outcome of the first.
    pub(super) async fn call_once(self: &Arc<Self>, request: Request) -> Result<Bytes, ActorError> {
        let call = CallId { caller: request.caller.clone(), request: request.request_id.clone() };
        let deadline = request.deadline;
        let (reply, answer) = oneshot::channel();
        match self.seen(&call, reply) {
            Seen::Before(outcome) => return outcome,
            Seen::Running => {}
            Seen::Never => {
                let cell = Arc::clone(self);
                self.node.runtime.spawn(async move {
                    let outcome = cell.call_any(request).await;
                    cell.finish_once(&call, outcome);
                });
            }
        }
        self.await_answer(answer, deadline).await
    }

    /// What is known of a request. Unless it has ended, `reply` will get its outcome.
    fn seen(&self, call: &CallId, reply: Answer) -> Seen {
        let mut gate = self.gate.lock();
        let dedup = gate.extras().dedup.get_or_insert_with(|| Dedup::new(DedupConfig::default()));
        let seen = match dedup.check(Instant::now(), call) {
            Verdict::Done(outcome) => return Seen::Before(outcome.clone()),
            Verdict::Spent => return Seen::Before(Err(spent(call))),
            Verdict::Full => return Seen::Before(Err(self.full())),
            Verdict::Running => Seen::Running,
            Verdict::New => Seen::Never,
        };
        if dedup.wait(call, reply).is_err() {
            return Seen::Before(Err(self.full()));
        }
        seen
    }

    fn finish_once(&self, call: &CallId, outcome: Result<Bytes, ActorError>) {
        let mut gate = self.gate.lock();
        let Some(dedup) = gate.extras().dedup.as_mut() else { return };
        // What never reached the actor may be sent again.
        let waiters = if outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::Unavailable) {
            dedup.abandon(call)
        } else {
            let bytes = outcome.as_ref().map_or_else(|error| error.message().len(), Bytes::len);
            dedup.complete(Instant::now(), call, outcome.clone(), bytes)
        };
        drop(gate);
        for waiter in waiters {
            let _ = waiter.send(outcome.clone());
        }
    }
}

fn spent(call: &CallId) -> ActorError {
    let text = format!("request {} has been handled, but its reply was too large to be kept", call.request);
    ActorError::new(ErrorKind::Unavailable, text)
}
