//! Actors for the tests, and a node to put them on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use playhouse_guest::{
    Actor, ActorId, Bytes, Context, DataChunk, Dest, Dispatch, Error, ErrorEvent, ErrorKind, LogLevel, PayloadClass,
    RouteKey, SharedActor, SharedDispatch, StreamId,
};
use playhouse_node::{ActorOptions, ActorRef, CallOptions, Concurrency, Node};
use tokio::sync::Semaphore;

/// What tests and actors share: doors that keep handlers waiting, and what the actors noted down.
#[derive(Clone, Default)]
pub(crate) struct Stage {
    doors: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
    notes: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    fn door(&self, name: &str) -> Arc<Semaphore> {
        Arc::clone(self.doors.lock().entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(0))))
    }

    /// Lets one handler that waits at the door go on.
    pub(crate) fn open(&self, name: &str) {
        self.door(name).add_permits(1);
    }

    /// Waits at the door until it is opened for one.
    pub(crate) async fn pass(&self, name: &str) {
        self.door(name).acquire().await.unwrap().forget();
    }

    pub(crate) fn note(&self, text: impl Into<String>) {
        self.notes.lock().push(text.into());
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.lock().clone()
    }

    /// Waits, yielding, until the actors have noted so much.
    pub(crate) async fn noted(&self, count: usize) -> Vec<String> {
        until(|| self.notes.lock().len() >= count).await;
        self.notes()
    }
}

/// Waits, yielding, until something holds; fails after a minute, which is long also on a busy machine.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    let end = std::time::Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(std::time::Instant::now() < end, "it never came about");
        tokio::task::yield_now().await;
    }
}

/// An actor that does what the route says with the payload as its argument.
pub(crate) struct Player {
    stage: Stage,
    count: u64,
}

impl Player {
    pub(crate) fn new(stage: &Stage) -> Self {
        Self { stage: stage.clone(), count: 0 }
    }
}

pub(crate) fn actor_type(name: &str) -> playhouse_guest::ActorType {
    format!("test:{name}:1").parse().unwrap()
}

pub(crate) fn route(text: &str) -> RouteKey {
    text.parse().unwrap()
}

async fn act(stage: &Stage, count: u64, cx: Context<'_>, route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
    let text = String::from_utf8(payload.to_vec()).unwrap();
    match route.as_str() {
        "echo" => Ok(payload),
        "count" => Ok(count.to_string().into()),
        "note" => {
            stage.note(&text);
            Ok(payload)
        }
        "caller" => Ok(format!("{:?}", cx.caller()).into()),
        "wait" => {
            stage.note(format!("waiting {text}"));
            stage.door(&text).acquire().await.unwrap().forget();
            stage.note(format!("done {text}"));
            Ok(payload)
        }
        "panic" => panic!("{text}"),
        "fail" => Err(Error::new(ErrorKind::NotFound, text)),
        "corrupt" => Err(Error::new(ErrorKind::DecodeFailure, text)),
        "self" => cx.call(Dest::Local, route.clone(), payload).await,
        // "id route argument": calls that actor.
        "call" | "tell" => {
            let mut words = text.splitn(3, ' ');
            let to = words.next().unwrap();
            let dest = if to == "shell" { Dest::Shell } else { Dest::Actor(to.parse().unwrap()) };
            let (next, rest) =
                (words.next().unwrap().parse().unwrap(), Bytes::from(words.next().unwrap_or("").to_owned()));
            if route.as_str() == "call" {
                cx.call(dest, next, rest).await
            } else {
                cx.tell(dest, next, rest).await.map(|()| Bytes::new())
            }
        }
        // "call|tell n": calls or tells the application that many bytes.
        "large" => {
            let (how, bytes) = text.split_once(' ').unwrap();
            let (next, rest) = ("large".parse().unwrap(), Bytes::from(vec![b'x'; bytes.parse().unwrap()]));
            if how == "call" {
                cx.call(Dest::Shell, next, rest).await
            } else {
                cx.tell(Dest::Shell, next, rest).await.map(|()| Bytes::new())
            }
        }
        // "stream": sends the application a chunk as if it were a message.
        "odd chunk" => {
            cx.send_chunk(Dest::Shell, chunk(&text, 0), PayloadClass::RpcReliable).await.map(|()| Bytes::new())
        }
        // "door id route argument": calls that actor, unless the door opens first.
        "hasty" => {
            let mut words = text.splitn(4, ' ');
            let (door, to) = (stage.door(words.next().unwrap()), words.next().unwrap().parse().unwrap());
            let (next, rest) = (words.next().unwrap().parse().unwrap(), Bytes::from(words.next().unwrap().to_owned()));
            tokio::select! {
                reply = cx.call(Dest::Actor(to), next, rest) => reply,
                _ = door.acquire() => Ok(Bytes::from_static(b"gave up")),
            }
        }
        // "door id route argument": calls that actor once the door is open, and notes the reply.
        "after" => {
            let mut words = text.splitn(4, ' ');
            let (door, to) = (stage.door(words.next().unwrap()), words.next().unwrap().parse().unwrap());
            let (next, rest) = (words.next().unwrap().parse().unwrap(), Bytes::from(words.next().unwrap().to_owned()));
            door.acquire().await.unwrap().forget();
            let reply = show(cx.call(Dest::Actor(to), next, rest).await);
            stage.note(&reply);
            Ok(reply.into())
        }
        "discover" => cx.discover(text.parse().unwrap()).await.map(|id| id.to_string().into()),
        "register" => cx.register_stream(text.parse().unwrap()).await.map(|()| Bytes::new()),
        "unregister" => cx.unregister_stream(text.parse().unwrap()).await.map(|()| Bytes::new()),
        // "to stream n": sends chunks 0..n.
        "stream" => {
            let words: Vec<_> = text.split(' ').collect();
            let dest = if words[0] == "shell" { Dest::Shell } else { Dest::Actor(words[0].parse().unwrap()) };
            for sequence in 0..words[2].parse().unwrap() {
                cx.send_chunk(dest.clone(), chunk(words[1], sequence), PayloadClass::StreamReliable).await?;
            }
            Ok(Bytes::new())
        }
        "log" => {
            cx.log(LogLevel::Warn, &text);
            Ok(Bytes::new())
        }
        other => Err(Error::new(ErrorKind::UnknownRoute, other)),
    }
}

pub(crate) fn chunk(stream: &str, sequence: u64) -> DataChunk {
    DataChunk {
        stream_id: stream.parse::<StreamId>().unwrap(),
        sequence,
        payload: Bytes::from_static(b"data"),
        metadata: Vec::new(),
        timestamp_ms: None,
    }
}

impl Actor for Player {
    async fn on_start(&mut self, _cx: Context<'_>) -> Result<(), Error> {
        self.stage.note("start");
        Ok(())
    }

    async fn on_ready(&mut self, _cx: Context<'_>) -> Result<(), Error> {
        self.stage.note("ready");
        Ok(())
    }

    async fn on_stop(&mut self, _cx: Context<'_>) -> Result<(), Error> {
        self.stage.note("stop");
        Ok(())
    }

    async fn on_error(&mut self, _cx: Context<'_>, event: ErrorEvent) -> Result<(), Error> {
        self.stage.note(format!("error: {} in {}", event.source, event.context));
        Ok(())
    }

    async fn on_chunk(&mut self, _cx: Context<'_>, chunk: DataChunk, sender: ActorId) -> Result<(), Error> {
        if chunk.stream_id.as_str() == "slow" {
            self.stage.door("slow").acquire().await.unwrap().forget();
        }
        self.stage.note(format!("{} {} from {sender}", chunk.stream_id, chunk.sequence));
        Ok(())
    }
}

impl Dispatch for Player {
    async fn dispatch(&mut self, cx: Context<'_>, route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        self.count += 1;
        act(&self.stage, self.count, cx, route, payload).await
    }
}

/// The same as [`Player`], for many messages at a time.
pub(crate) struct Chorus(pub(crate) Stage);

impl SharedActor for Chorus {}

impl SharedDispatch for Chorus {
    async fn dispatch(&self, cx: Context<'_>, route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        act(&self.0, 0, cx, route, payload).await
    }
}

pub(crate) fn node() -> Node {
    Node::builder().realm(7).start().unwrap()
}

pub(crate) async fn player(node: &Node, stage: &Stage, name: &str, options: ActorOptions) -> ActorRef {
    let stage = stage.clone();
    node.link(actor_type(name), move || Player::new(&stage), options).await.unwrap()
}

pub(crate) async fn chorus(node: &Node, stage: &Stage, concurrency: Concurrency) -> ActorRef {
    let stage = stage.clone();
    let options = ActorOptions { concurrency: Some(concurrency), ..ActorOptions::default() };
    node.link_shared(actor_type("Chorus"), move || Chorus(stage.clone()), options).await.unwrap()
}

/// The reply or the error, as text.
pub(crate) async fn ask(actor: &ActorRef, name: &str, argument: &str) -> String {
    show(actor.call(route(name), Bytes::from(argument.to_owned())).await)
}

pub(crate) async fn ask_within(actor: &ActorRef, name: &str, argument: &str, timeout: Duration) -> String {
    let options = CallOptions { timeout, ..CallOptions::default() };
    show(actor.call_with(route(name), Bytes::from(argument.to_owned()), options).await)
}

pub(crate) fn show(outcome: Result<Bytes, Error>) -> String {
    outcome.map_or_else(|error| error.to_text(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
}
