use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use playhouse_node::{ActorState, ActorStatus, CallOptions, DeadLetter, LogLine, Node, NodeError};
use playhouse_types::{ActorError, ActorId, Code, ErrorKind, RouteKey};
use serde::Serialize;
use tokio::sync::{mpsc, watch};

use super::STOP_TIME;
use crate::control::protocol::{
    ActorInfo, Call, DeadLetterInfo, Hello, LogRecord, Payload, Reply, Request, Resolved, Response, WireError,
};
use crate::control::select::select;
use crate::control::server::Service;
use crate::protos::ProtoFile;

/// Answers control requests with what the node knows.
pub(super) struct NodeService {
    pub(super) node: Node,
    pub(super) hello: Hello,
    /// The protos of the packages that run.
    pub(super) protos: HashMap<ActorId, Vec<ProtoFile>>,
    /// Becomes true when a client asks the node to stop.
    pub(super) stop: watch::Sender<bool>,
}

type Answer = Result<serde_json::Value, WireError>;

impl Service for NodeService {
    fn hello(&self) -> Hello {
        self.hello.clone()
    }

    async fn answer(&self, request: Request, answers: mpsc::Sender<Response>) {
        let answer = match request {
            Request::Logs { actor, tail, follow } => return self.logs(actor, tail, follow, answers).await,
            request => self.answer_one(request).await,
        };
        // The client may have gone, and then nobody is to be told.
        let _ = answers.send(answer.map_or_else(Response::Error, Response::Ok)).await;
    }
}

impl NodeService {
    async fn answer_one(&self, request: Request) -> Answer {
        match request {
            Request::Hello { .. } => json(&self.hello),
            Request::Actors => json(&self.node.actors().iter().map(actor_info).collect::<Vec<_>>()),
            Request::Resolve { actor } => {
                let id = self.find(&actor)?;
                let protos = self.protos.get(&id).cloned().unwrap_or_default();
                json(&Resolved { id: id.to_string(), protos })
            }
            Request::Call(call) => self.call(call).await,
            Request::StopActor { actor } => {
                let id = self.find(&actor)?;
                self.node.stop(&id, STOP_TIME).await.map_err(wire)?;
                json(&id.to_string())
            }
            Request::StopNode => {
                self.stop.send_replace(true);
                json(&())
            }
            Request::DeadLetters => json(&self.node.dead_letters().into_iter().map(letter_info).collect::<Vec<_>>()),
            Request::RetryDeadLetter { id } => {
                self.node.retry_dead_letter(id).await.map_err(wire)?;
                json(&())
            }
            Request::DropDeadLetter { id } => {
                self.node.drop_dead_letter(id).map_err(wire)?;
                json(&())
            }
            // Has many answers, which are made elsewhere.
            Request::Logs { .. } => json(&()),
        }
    }

    fn find(&self, word: &str) -> Result<ActorId, WireError> {
        let ids: Vec<ActorId> = self.node.actors().into_iter().map(|actor| actor.id).collect();
        match select(word, &ids) {
            Ok(id) => Ok(id.clone()),
            Err(failed) => Err(WireError { fix: failed.fix, ..failed.error.into() }),
        }
    }

    async fn call(&self, call: Call) -> Answer {
        let to = self.find(&call.actor)?;
        let route: RouteKey = call.route.parse().map_err(|error: playhouse_types::ParseError| {
            ActorError::coded(ErrorKind::InvalidArgument, Code::Usage, error.to_string())
        })?;
        let options = CallOptions { timeout: Duration::from_millis(call.timeout_ms), ..CallOptions::default() };
        let start = Instant::now();
        let payload = if call.wait {
            self.node.call(&to, route, call.payload.0, options).await?
        } else {
            self.node.tell(&to, route, call.payload.0, options).await?;
            bytes::Bytes::new()
        };
        let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        json(&Reply { payload: Payload(payload), micros })
    }

    async fn logs(&self, actor: Option<String>, tail: usize, follow: bool, answers: mpsc::Sender<Response>) {
        let only = match actor.as_deref().map(|word| self.find(word)).transpose() {
            Ok(only) => only,
            Err(error) => return drop(answers.send(Response::Error(error)).await),
        };
        let wanted = |line: &LogLine| only.as_ref().is_none_or(|id| line.actor == *id);
        let mut reader = self.node.logs();
        let past: Vec<_> = std::iter::from_fn(|| reader.next_now()).filter(|line| wanted(line)).collect();
        for line in past.iter().skip(past.len().saturating_sub(tail)) {
            if answers.send(record(line)).await.is_err() {
                return;
            }
        }
        while follow && let Some(line) = reader.next().await {
            if wanted(&line) && answers.send(record(&line)).await.is_err() {
                return;
            }
        }
        let _ = answers.send(Response::End).await;
    }
}

fn json(value: &impl Serialize) -> Answer {
    serde_json::to_value(value).map_err(|error| ActorError::new(ErrorKind::Internal, error.to_string()).into())
}

fn wire(error: NodeError) -> WireError {
    let kind = match &error {
        NodeError::NoDeadLetter { .. } | NodeError::NoActor { .. } => ErrorKind::NotFound,
        NodeError::Start { source, .. } => source.kind(),
        _ => ErrorKind::Unavailable,
    };
    ActorError::coded(kind, error.code(), error.to_string()).into()
}

/// Milliseconds since the Unix epoch.
pub(super) fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A log line as it travels.
pub(super) fn log_record(line: &LogLine) -> LogRecord {
    LogRecord {
        time_ms: millis(line.time),
        actor: line.actor.to_string(),
        level: line.level.name().to_owned(),
        text: line.text.clone(),
    }
}

fn record(line: &LogLine) -> Response {
    json(&log_record(line)).map_or_else(Response::Error, Response::Ok)
}

fn letter_info(letter: DeadLetter) -> DeadLetterInfo {
    DeadLetterInfo {
        id: letter.number,
        time_ms: millis(letter.time),
        actor: letter.to.to_string(),
        route: letter.route.to_string(),
        caller: letter.from.map(|from| from.to_string()),
        attempts: letter.attempts,
        error: letter.cause.to_text(),
        payload: Payload(letter.payload),
    }
}

/// An actor as `ps` shows it.
pub(super) fn actor_info(actor: &ActorStatus) -> ActorInfo {
    let parked = match &actor.state {
        ActorState::Parked { cause } => Some(cause),
        _ => None,
    };
    ActorInfo {
        id: actor.id.to_string(),
        actor_type: actor.id.actor_type().to_string(),
        engine: actor.engine.name().to_owned(),
        state: actor.state.name().to_owned(),
        mailbox: actor.queued as u64,
        handled: actor.tallies.handled,
        failed: actor.tallies.failed,
        restarts: actor.tallies.crashes,
        p50_us: actor.median.map(|median| median.as_secs_f64() * 1e6),
        last_error: parked.or(actor.last_crash.as_ref()).map(ActorError::to_text),
        package: actor.package.clone(),
    }
}
