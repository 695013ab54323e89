use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use playhouse_node::{CallOptions, LogLine, MasterKeys, Node, NodeError};
use playhouse_store::Store;
use playhouse_types::{ActorError, ActorId, ActorType, Code, ErrorKind, RouteKey};
use tokio::sync::{mpsc, watch};

use super::STOP_TIME;
use super::records::{Answer, actor_info, fits_a_line, json, listed_letter, record, whole_letter, wire};
use super::roster::Roster;
use crate::control::protocol::{ActorInfo, Call, Hello, Reply, Request, Resolved, Response, WireError};
use crate::control::select::select;
use crate::control::server::Service;
use crate::store::inspect::{Ended, answer, no_store};
use crate::store::keys;
use crate::store::records::StoreRequest;

/// How long a request waits for an actor that is yet to start: less than clients wait for an answer.
const START_TIME: Duration = Duration::from_secs(8);

/// Answers control requests with what the node knows.
pub(super) struct NodeService {
    pub(super) node: Node,
    pub(super) hello: Hello,
    /// The actors that the node is to have.
    pub(super) roster: Arc<Roster>,
    /// What the node keeps.
    pub(super) store: Option<Arc<dyn Store>>,
    /// Becomes true when a client asks the node to stop.
    pub(super) stop: watch::Sender<bool>,
}

impl Service for NodeService {
    fn hello(&self) -> Hello {
        self.hello.clone()
    }

    async fn answer(&self, request: Request, answers: mpsc::Sender<Response>) {
        let answer = match request {
            Request::Logs { actor, tail, follow } => return self.logs(actor, tail, follow, answers).await,
            Request::ListDeadLetters => return self.letters(answers).await,
            Request::Store(request) => return self.ask_store(request, answers).await,
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
            Request::Actors => json(&self.actors()),
            Request::Resolve { actor } => {
                let id = self.started(&actor, START_TIME).await?;
                json(&Resolved { id: id.to_string(), protos: self.roster.protos(&id) })
            }
            Request::Call(call) => self.call(call).await,
            Request::ResumeActor { actor } => self.resume(&actor).await,
            Request::StopActor { actor } => self.stop(&actor).await,
            Request::StopNode => {
                self.stop.send_replace(true);
                json(&())
            }
            Request::ShowDeadLetter { id } => {
                let found =
                    self.node.dead_letters().await.map_err(wire)?.into_iter().find(|letter| letter.number == id);
                whole_letter(found.ok_or_else(|| wire(NodeError::NoDeadLetter { number: id }))?)
            }
            Request::RetryDeadLetter { id } => {
                self.node.retry_dead_letter(id).await.map_err(wire)?;
                json(&())
            }
            Request::DropDeadLetter { id } => {
                self.node.drop_dead_letter(id).await.map_err(wire)?;
                json(&())
            }
            Request::ActorKeys { actor } => {
                self.with_keys(move |store, masters| json(&keys::list(store, masters, &actor)?)).await
            }
            Request::RotateKey { actor, key } => {
                self.with_keys(move |store, masters| json(&keys::rotate(store, masters, &actor, &key)?)).await
            }
            // These have many answers, which are made elsewhere.
            Request::Logs { .. } | Request::ListDeadLetters | Request::Store(_) => json(&()),
        }
    }

    /// Every actor, those among them that are yet to start or cannot.
    fn actors(&self) -> Vec<ActorInfo> {
        let known = self.node.actors();
        let started = self.roster.started();
        let starting = known.iter().filter(|actor| !started.contains(&actor.id));
        let unknown = self.roster.unknown(starting.map(|actor| actor.id.actor_type().clone()).collect());
        known.iter().map(actor_info).chain(unknown).chain(self.roster.damaged()).collect()
    }

    /// What a word means: one of the actors that the node knows, or else one that is yet to start.
    fn find(&self, word: &str) -> Result<Found, WireError> {
        let ids: Vec<ActorId> = self.node.actors().into_iter().map(|actor| actor.id).collect();
        let failed = match select(word, &ids) {
            Ok(id) => return Ok(Found::Here(id.clone())),
            Err(failed) => failed,
        };
        let awaited = self.roster.awaited();
        // What means several actors that are there means none that is not.
        let awaited = if failed.error.code() == Code::UnknownActor { &awaited[..] } else { &[] };
        match select(word, awaited) {
            Ok((place, actor_type)) => Ok(Found::Awaited(*place, actor_type.clone())),
            Err(other) if other.error.code() == Code::ActorAmbiguous => Err(other.into()),
            Err(_) => match select(word, &self.roster.broken()) {
                Ok((damage, _)) if failed.error.code() == Code::UnknownActor => {
                    Err(ActorError::coded(ErrorKind::Unavailable, Code::StoreCorrupt, damage.clone()).into())
                }
                _ => Err(failed.into()),
            },
        }
    }

    /// The actor that a word means, once it has started, if that does not take too long.
    async fn started(&self, word: &str, patience: Duration) -> Result<ActorId, WireError> {
        let mut changes = self.roster.changes();
        let wait = async {
            loop {
                match self.find(word)? {
                    Found::Here(id) => return Ok(id),
                    Found::Awaited(..) => drop(changes.changed().await),
                }
            }
        };
        tokio::time::timeout(patience, wait).await.unwrap_or_else(|_| {
            let text = format!("{word} is still being prepared");
            Err(ActorError::coded(ErrorKind::Unavailable, Code::ActorStarting, text).into())
        })
    }

    async fn resume(&self, word: &str) -> Answer {
        let id = self.started(word, START_TIME).await?;
        let actor = self.node.actor(&id).ok_or_else(|| wire(NodeError::NoActor { id: id.clone() }))?;
        actor.resume().await.map_err(wire)?;
        json(&id.to_string())
    }

    async fn stop(&self, word: &str) -> Answer {
        match self.find(word)? {
            Found::Here(id) => {
                self.node.stop(&id, STOP_TIME).await.map_err(wire)?;
                json(&id.to_string())
            }
            Found::Awaited(place, actor_type) => {
                self.roster.dismiss(place);
                json(&actor_type.to_string())
            }
        }
    }

    async fn letters(&self, answers: mpsc::Sender<Response>) {
        let letters = match self.node.dead_letters().await {
            Ok(letters) => letters,
            Err(error) => return drop(answers.send(Response::Error(wire(error))).await),
        };
        for letter in letters {
            if answers.send(listed_letter(&letter)).await.is_err() {
                return;
            }
        }
        let _ = answers.send(Response::End).await;
    }

    /// Works on the keys of actors, off the async threads.
    async fn with_keys(&self, work: impl FnOnce(&dyn Store, &MasterKeys) -> Answer + Send + 'static) -> Answer {
        let (Some(store), Some(masters)) = (self.store.clone(), self.node.master_keys()) else {
            return Err(no_store());
        };
        let done = tokio::task::spawn_blocking(move || work(&*store, &masters)).await;
        done.unwrap_or_else(|error| Err(ActorError::new(ErrorKind::Internal, error.to_string()).into()))
    }

    /// Asks the node's store, off the async threads.
    async fn ask_store(&self, request: StoreRequest, answers: mpsc::Sender<Response>) {
        let Some(store) = self.store.clone() else {
            return drop(answers.send(Response::Error(no_store())).await);
        };
        let asking = tokio::task::spawn_blocking(move || {
            let mut take = |value| answers.blocking_send(Response::Ok(value)).is_ok();
            let end = match answer(&*store, request, &mut take) {
                Ok(()) => Response::End,
                Err(Ended::Failed(error)) => Response::Error(error),
                Err(Ended::Gone) => return,
            };
            // The client may have gone, and then nobody is to be told.
            let _ = answers.blocking_send(end);
        });
        // A panic of the store's is nobody's answer; the client hears the end of the connection.
        let _ = asking.await;
    }

    async fn call(&self, call: Call) -> Answer {
        let start = Instant::now();
        let to = self.started(&call.actor, Duration::from_millis(call.timeout_ms)).await?;
        let route: RouteKey = call.route.parse().map_err(|error: playhouse_types::ParseError| {
            ActorError::coded(ErrorKind::InvalidArgument, Code::Usage, error.to_string())
        })?;
        let timeout = Duration::from_millis(call.timeout_ms).saturating_sub(start.elapsed());
        let options = CallOptions { timeout, ..CallOptions::default() };
        let start = Instant::now();
        let payload = if call.wait {
            self.node.call(&to, route, call.payload.0, options).await?
        } else {
            self.node.tell(&to, route, call.payload.0, options).await?;
            Bytes::new()
        };
        let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        json(&Reply { payload: fits_a_line("the reply", payload)?, micros })
    }

    async fn logs(&self, actor: Option<String>, tail: usize, follow: bool, answers: mpsc::Sender<Response>) {
        let only = match actor.as_deref().map(|word| self.find(word)).transpose() {
            Ok(only) => only,
            Err(error) => return drop(answers.send(Response::Error(error)).await),
        };
        let wanted = |line: &LogLine| match &only {
            None => true,
            Some(Found::Here(id)) => line.actor == *id,
            Some(Found::Awaited(_, actor_type)) => line.actor.actor_type() == actor_type,
        };
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

/// What a word means.
enum Found {
    Here(ActorId),
    Awaited(usize, ActorType),
}
