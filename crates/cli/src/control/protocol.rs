use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use playhouse_types::{ActorError, ErrorKind};
use serde::{Deserialize, Serialize};

use crate::error::CliError;
use crate::protos::ProtoFile;
use crate::store::records::StoreRequest;

/// The version of what is said over the socket. New operations and fields do not change it: nodes answer an operation that they do
/// not know with an error, and both sides ignore fields that they do not know.
pub(crate) const PROTOCOL: u32 = 1;

/// Bytes in one line, either way: a reply of 16 MiB, the default limit of a node, in base64, and room for the rest.
pub(crate) const LINE_BYTES_MAX: usize = 24 << 20;

/// Bytes of a message that fit a line.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 16 << 20;

/// What a client asks. The first one must be [`Request::Hello`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub(crate) enum Request {
    /// Which protocol the client speaks.
    Hello { protocol: u32 },
    /// The actors on the node.
    Actors,
    /// The one actor that a word means, and the protos of its package.
    Resolve { actor: String },
    /// A request to an actor; `wait` is whether the reply is awaited.
    Call(Call),
    /// Log lines: the last ones, then, if asked, those to come.
    Logs { actor: Option<String>, tail: usize, follow: bool },
    /// Start one actor again that is parked.
    ResumeActor { actor: String },
    /// Stop one actor.
    StopActor { actor: String },
    /// Stop the node.
    StopNode,
    /// The messages that could not be handled, without what they say.
    ListDeadLetters,
    /// One of them, whole.
    ShowDeadLetter { id: u64 },
    /// Hand a dead letter to its actor again.
    RetryDeadLetter { id: u64 },
    /// Forget a dead letter.
    DropDeadLetter { id: u64 },
    /// The public halves of an actor's keys.
    ActorKeys { actor: String },
    /// Give a key of an actor a new version.
    RotateKey { actor: String, key: String },
    /// Something about what the node keeps.
    Store(StoreRequest),
}

/// A request to an actor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) actor: String,
    pub(crate) route: String,
    pub(crate) payload: Payload,
    pub(crate) timeout_ms: u64,
    pub(crate) wait: bool,
}

/// Bytes, as base64 in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Payload(pub(crate) Bytes);

impl Serialize for Payload {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        STANDARD.decode(text.as_bytes()).map(|bytes| Self(bytes.into())).map_err(serde::de::Error::custom)
    }
}

/// What the node answers: one [`Response::Ok`] or [`Response::Error`]; for logs and lists any number of `Ok` and then
/// [`Response::End`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Response {
    Ok(serde_json::Value),
    Error(WireError),
    End,
}

/// An error on its way from a node to a person.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WireError {
    /// The text of [`ActorError::to_text`], which keeps code, message and nearly every kind.
    pub(crate) text: String,
    /// The name of the kind. Nodes of the first version do not say it; then it is that of the text.
    #[serde(default)]
    pub(crate) kind: Option<Cow<'static, str>>,
    /// A better way out than the code's own.
    pub(crate) fix: Option<String>,
}

impl From<ActorError> for WireError {
    fn from(error: ActorError) -> Self {
        Self { text: error.to_text(), kind: Some(error.kind().name().into()), fix: None }
    }
}

impl From<WireError> for CliError {
    fn from(error: WireError) -> Self {
        let known = ActorError::from_text(&error.text);
        let kind = error.kind.and_then(|name| ErrorKind::from_name(&name)).unwrap_or(known.kind());
        let known = Self::of_actor(&known, kind);
        match error.fix {
            Some(fix) => known.fix(fix),
            None => known,
        }
    }
}

/// The node's answer to [`Request::Hello`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hello {
    /// The version of the program.
    pub(crate) version: String,
    /// The protocol that the node speaks.
    pub(crate) protocol: u32,
    /// The name of the node.
    pub(crate) node: String,
    /// Its process.
    pub(crate) pid: u32,
    /// Its realm.
    pub(crate) realm: u32,
}

/// One actor, as `ps` shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ActorInfo {
    /// None as long as it is being prepared.
    pub(crate) id: Option<String>,
    #[serde(rename = "type")]
    pub(crate) actor_type: String,
    pub(crate) engine: String,
    pub(crate) state: String,
    pub(crate) mailbox: u64,
    pub(crate) handled: u64,
    pub(crate) failed: u64,
    pub(crate) restarts: u64,
    pub(crate) p50_us: Option<f64>,
    pub(crate) last_error: Option<String>,
    pub(crate) package: Option<String>,
}

/// The answer to [`Request::Resolve`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Resolved {
    pub(crate) id: String,
    pub(crate) protos: Vec<ProtoFile>,
}

/// The answer to [`Request::Call`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) payload: Payload,
    pub(crate) micros: u64,
}

/// One line of an actor's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogRecord {
    /// Milliseconds since the Unix epoch.
    pub(crate) time_ms: u64,
    pub(crate) actor: String,
    pub(crate) level: String,
    pub(crate) text: String,
}

/// A message that could not be handled. In a list the error is cut to [`LISTED_ERROR_BYTES_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeadLetterInfo {
    pub(crate) id: u64,
    pub(crate) time_ms: u64,
    pub(crate) actor: String,
    pub(crate) route: String,
    pub(crate) caller: Option<String>,
    pub(crate) attempts: u32,
    pub(crate) error: String,
    /// Bytes of the payload.
    pub(crate) bytes: u64,
}

/// Bytes of error text in a list of dead letters: two lines of a terminal. Ten thousand letters then take some MiB.
pub(crate) const LISTED_ERROR_BYTES_MAX: usize = 200;

/// A dead letter with what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WholeDeadLetter {
    #[serde(flatten)]
    pub(crate) info: DeadLetterInfo,
    pub(crate) payload: Payload,
}

#[cfg(test)]
mod tests;
