//! Requests whose ids their callers chose, and so may send twice: within some minutes the second gets the outcome of the first.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use playhouse_scheduler::{CallId, Dedup, DedupConfig, Verdict};
use playhouse_store::{Recorded, StoreError};
use playhouse_types::{ActorError, Code, ErrorKind};
use tokio::sync::oneshot;

use super::durable::{outcome_of, request_key};
use super::outcome::Reply;
use super::{Cell, Request};
use crate::clock::after;

/// Where the outcome of a request goes.
pub(super) type OnceAnswer = oneshot::Sender<Result<Bytes, ActorError>>;

/// What is known of a request whose id its caller chose.
enum Seen {
    Never,
    Running,
    Before(Result<Bytes, ActorError>),
}

impl Cell {
    /// A call whose id its caller chose: the second of the same id gets the outcome of the first.
    pub(super) async fn call_once(self: &Arc<Self>, request: Request) -> Result<Bytes, ActorError> {
        let call = call_id(&request);
        let deadline = request.deadline;
        let (reply, answer) = oneshot::channel();
        match self.seen(&call, reply) {
            Seen::Before(outcome) => return outcome,
            Seen::Running => {}
            Seen::Never => {
                let cell = Arc::clone(self);
                // The outcome is awaited for longer than any caller does: whoever asks again must hear what really happened.
                self.node.runtime.spawn(async move {
                    let reply = match cell.recorded(&call).await {
                        Ok(Some(outcome)) => Reply { outcome, begun: true },
                        Ok(None) => cell.call_any(request, after(Duration::MAX)).await,
                        // Whether it was handled is not known: handling it again might do everything twice. A repetition looks again.
                        Err(error) => Reply::refused(error.into()),
                    };
                    cell.finish_once(&call, reply.outcome, reply.begun);
                });
            }
        }
        match self.node.until(deadline, answer).await {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(self.stopped()),
            None => Err(self.late()),
        }
    }

    /// What the store knows of a request from before a restart of the node, or from a commit whose outcome was not known. A client's number
    /// is another one's after a restart.
    async fn recorded(self: &Arc<Self>, call: &CallId) -> Result<Option<Result<Bytes, ActorError>>, StoreError> {
        let Some(durable) = self.durable.as_ref().filter(|_| call.client == 0) else { return Ok(None) };
        self.reopened().await;
        let key = request_key(call.caller.as_ref(), &call.request);
        Ok(durable.keeper.store.recorded(durable.key, &key).await?.map(|recorded| match recorded {
            Recorded::Answered(Some(recorded)) => outcome_of(recorded),
            Recorded::Answered(None) | Recorded::Pending(_) => Err(told(call)),
        }))
    }

    /// Waits while the actor has to be opened again, unless it takes nothing more: until then, a commit may still happen of which the store
    /// did not say what became of it.
    async fn reopened(self: &Arc<Self>) {
        let Some(durable) = &self.durable else { return };
        loop {
            let mut reopened = pin!(durable.reopened.notified());
            let mut changed = pin!(self.changed.notified());
            reopened.as_mut().enable();
            changed.as_mut().enable();
            let roused = {
                let mut gate = self.gate.lock();
                if !durable.is_to_reopen() || self.closed(&gate).is_some() {
                    return;
                }
                gate.rouse()
            };
            self.queued(false, None, roused);
            tokio::select! {
                () = reopened => {}
                () = changed => {}
            }
        }
    }

    /// A tell whose id its sender chose: one of the same id is queued once.
    pub(super) async fn tell_once(self: &Arc<Self>, request: Request) -> Result<(), ActorError> {
        let call = call_id(&request);
        let (reply, answer) = oneshot::channel();
        match self.seen(&call, reply) {
            Seen::Before(outcome) => return outcome.map(drop),
            Seen::Running => {
                let answered = self.node.until(request.deadline, answer).await;
                return match answered {
                    Some(Ok(outcome)) => outcome.map(drop),
                    Some(Err(_)) => Err(self.stopped()),
                    None => Err(self.reject()),
                };
            }
            Seen::Never => {}
        }
        let mut telling = Telling { cell: self, call: &call, told: None };
        let told = self.tell_any(request).await;
        telling.told = Some(told.clone());
        told
    }

    /// What is known of a request. Unless it has ended, `reply` will get its outcome.
    fn seen(&self, call: &CallId, reply: OnceAnswer) -> Seen {
        let mut gate = self.gate.lock();
        let dedup = gate.extras().dedup.get_or_insert_with(|| Dedup::new(DedupConfig::default()));
        let seen = match dedup.check(Instant::now(), call) {
            Verdict::Done(outcome) => return Seen::Before(outcome.clone()),
            Verdict::Spent => return Seen::Before(Err(spent(call))),
            Verdict::Full => return Seen::Before(Err(crowded(call))),
            Verdict::Running => Seen::Running,
            Verdict::New => Seen::Never,
        };
        if dedup.wait(call, reply).is_err() {
            return Seen::Before(Err(crowded(call)));
        }
        seen
    }

    /// Remembers an outcome; a request that never began may be sent again.
    pub(super) fn finish_once(&self, call: &CallId, outcome: Result<Bytes, ActorError>, begun: bool) {
        let mut gate = self.gate.lock();
        let Some(dedup) = gate.extras().dedup.as_mut() else { return };
        let waiters = if begun {
            let bytes = outcome.as_ref().map_or_else(|error| error.message().len(), Bytes::len);
            dedup.complete(Instant::now(), call, outcome.clone(), bytes)
        } else {
            dedup.abandon(call)
        };
        drop(gate);
        for waiter in waiters {
            let _ = waiter.send(outcome.clone());
        }
    }
}

/// A tell that waits to be queued. If its sender gives up before, it may come again.
struct Telling<'a> {
    cell: &'a Arc<Cell>,
    call: &'a CallId,
    told: Option<Result<(), ActorError>>,
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        let told = self.told.take().unwrap_or_else(|| Err(self.cell.full()));
        let queued = told.is_ok();
        self.cell.finish_once(self.call, told.map(|()| Bytes::new()), queued);
    }
}

fn call_id(request: &Request) -> CallId {
    CallId { caller: request.caller.clone(), client: request.client, request: request.request_id.clone() }
}

fn told(call: &CallId) -> ActorError {
    let text = format!("request {} was sent as a tell before, which has no reply", call.request);
    ActorError::coded(ErrorKind::InvalidArgument, Code::AlreadyHandled, text)
}

fn spent(call: &CallId) -> ActorError {
    let text = format!("request {} has been handled, but its reply was too large to be kept", call.request);
    ActorError::new(ErrorKind::Unavailable, text)
}

fn crowded(call: &CallId) -> ActorError {
    let text = format!("too many requests wait for the outcome of {} or of others like it", call.request);
    ActorError::coded(ErrorKind::Unavailable, Code::MailboxFull, text)
}
