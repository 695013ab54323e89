mod crypto;
mod reply;
mod state;
mod timer;

use bytes::Bytes;

pub use crypto::{CryptoOp, HashAlgorithm, KeyPurpose};
pub use reply::HostReply;
pub use state::{StateChange, StateEntry, StateKey, StateOp, StateVersion};
pub use timer::{Schedule, Timer, TimerOp};

use crate::error::ActorError;
use crate::id::{ActorId, ActorType};
use crate::label::Label;
use crate::request::RequestId;
use crate::route::RouteKey;
use crate::stream::{DataChunk, PayloadClass, StreamId};

/// Where a message of a workload goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dest {
    /// The application that embeds the node.
    Shell,
    /// The workload itself.
    Local,
    /// Another actor, wherever it runs.
    Actor(ActorId),
}

/// What a host tells a workload. Every event is answered; an answer other than to [`Event::Request`] has no bytes.
#[derive(Debug, Clone)]
pub enum Event {
    /// A request; the answer is the encoded response message. A tell is a request whose answer nobody awaits.
    Request {
        /// Which method.
        route: RouteKey,
        /// The encoded request message.
        payload: Bytes,
    },
    /// A chunk of a stream that the workload registered.
    Chunk {
        /// The chunk.
        chunk: DataChunk,
        /// Who sent it; the actor itself stands for the embedding application.
        sender: ActorId,
    },
    /// Once, after the identity is known and before requests. An error aborts the start.
    Start,
    /// Once, when the node can receive.
    Ready,
    /// Once, before the end.
    Stop,
    /// Something went wrong around the workload. Engines whose ABI has no such hook answer without calling the guest.
    Error(ErrorEvent),
    /// Something happened to the node's links, credential or mailbox.
    Runtime(RuntimeEvent),
}

impl Event {
    /// The request id that guests see for events that have none of their own, as actr 0.3 names them.
    #[must_use]
    pub fn request_id(&self) -> Option<RequestId> {
        Some(match self {
            Self::Request { .. } => return None,
            Self::Chunk { chunk, .. } => {
                // A stream id of the longest kind does not fit a parsed request id with its prefix; it is cut.
                let text = format!("data-stream:{}:{}", chunk.stream_id, chunk.sequence);
                let cut = (0..=crate::limits::REQUEST_ID_BYTES_MAX).rev().find(|&n| text.is_char_boundary(n));
                text.get(..cut.unwrap_or(0).min(text.len())).unwrap_or(&text).parse().ok()?
            }
            Self::Start => RequestId::from_static("lifecycle:on_start"),
            Self::Ready => RequestId::from_static("lifecycle:on_ready"),
            Self::Stop => RequestId::from_static("lifecycle:on_stop"),
            Self::Error(_) => RequestId::from_static("hook:on_error"),
            Self::Runtime(event) => RequestId::from_static(event.hook_name()),
        })
    }
}

/// Seconds and nanoseconds since the Unix epoch. Constructed so that guests of actr 0.3, which convert unchecked, cannot overflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    seconds: u64,
    nanoseconds: u32,
}

impl Timestamp {
    /// Clamps the seconds below 2^33 and the nanoseconds below 10^9, which guests of actr 0.3 need.
    #[must_use]
    pub const fn clamped(seconds: u64, nanoseconds: u32) -> Self {
        const SECONDS_MAX: u64 = (1 << 33) - 1;
        const NANOSECONDS_MAX: u32 = 999_999_999;
        Self {
            seconds: if seconds > SECONDS_MAX { SECONDS_MAX } else { seconds },
            nanoseconds: if nanoseconds > NANOSECONDS_MAX { NANOSECONDS_MAX } else { nanoseconds },
        }
    }

    /// Whole seconds since the Unix epoch, below 2^33.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.seconds
    }

    /// The rest, below 10^9.
    #[must_use]
    pub const fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }
}

/// What an [`ErrorEvent`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCategory {
    /// A handler panicked or trapped.
    HandlerPanic,
    /// A handler of a tell or of a chunk returned an error that nobody else will see.
    HandlerError,
    /// The node lost its authority.
    SignalingFailure,
    /// A link broke.
    TransportFailure,
    /// A chunk may not have arrived.
    StreamDeliveryUncertain,
}

/// An error that has no caller to go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorEvent {
    /// The error.
    pub source: ActorError,
    /// What it is about.
    pub category: ErrorCategory,
    /// Where it happened, for people.
    pub context: String,
    /// When it happened.
    pub timestamp: Timestamp,
}

/// A peer to which a link changed its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerEvent {
    /// The peer.
    pub peer: ActorId,
    /// Whether traffic passes a relay; known only for a connected WebRTC link.
    pub relayed: Option<bool>,
}

/// What happened to the node's links, credential or mailbox. Workloads may use it; none has to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it; `hook_name` has the ABI's words")]
pub enum RuntimeEvent {
    SignalingConnecting,
    SignalingConnected,
    SignalingDisconnected,
    WebsocketConnecting(PeerEvent),
    WebsocketConnected(PeerEvent),
    WebsocketDisconnected(PeerEvent),
    WebrtcConnecting(PeerEvent),
    WebrtcConnected(PeerEvent),
    WebrtcDisconnected(PeerEvent),
    CredentialRenewed { new_expiry: Timestamp },
    CredentialExpiring { new_expiry: Timestamp },
    MailboxBackpressure { queue_len: u64, threshold: u64 },
}

impl RuntimeEvent {
    /// The request id under which guests of actr 0.3 see the event.
    #[must_use]
    pub const fn hook_name(&self) -> &'static str {
        match self {
            Self::SignalingConnecting => "hook:on_signaling_connecting",
            Self::SignalingConnected => "hook:on_signaling_connected",
            Self::SignalingDisconnected => "hook:on_signaling_disconnected",
            Self::WebsocketConnecting(_) => "hook:on_websocket_connecting",
            Self::WebsocketConnected(_) => "hook:on_websocket_connected",
            Self::WebsocketDisconnected(_) => "hook:on_websocket_disconnected",
            Self::WebrtcConnecting(_) => "hook:on_webrtc_connecting",
            Self::WebrtcConnected(_) => "hook:on_webrtc_connected",
            Self::WebrtcDisconnected(_) => "hook:on_webrtc_disconnected",
            Self::CredentialRenewed { .. } => "hook:on_credential_renewed",
            Self::CredentialExpiring { .. } => "hook:on_credential_expiring",
            Self::MailboxBackpressure { .. } => "hook:on_mailbox_backpressure",
        }
    }
}

/// What a workload asks of its host. Every one passes the host's check of grants, quotas and deadlines.
#[derive(Debug, Clone)]
pub enum HostOp {
    /// Send a request and await the reply.
    Call {
        /// Where to.
        dest: Dest,
        /// Which method.
        route: RouteKey,
        /// The encoded request message.
        payload: Bytes,
    },
    /// Send a request whose answer nobody awaits.
    Tell {
        /// Where to.
        dest: Dest,
        /// Which method.
        route: RouteKey,
        /// The encoded request message.
        payload: Bytes,
    },
    /// Find one actor of exactly that type.
    Discover {
        /// The type.
        actor_type: ActorType,
    },
    /// Deliver chunks of that stream to the workload from now on.
    RegisterStream {
        /// The stream.
        stream_id: StreamId,
    },
    /// Deliver no more chunks of that stream. Not an error if it was never registered.
    UnregisterStream {
        /// The stream.
        stream_id: StreamId,
    },
    /// Send one chunk. Waits while a reliable stream's receiver is full.
    SendChunk {
        /// Where to.
        dest: Dest,
        /// The chunk.
        chunk: DataChunk,
        /// [`PayloadClass::StreamReliable`] or [`PayloadClass::StreamLatencyFirst`].
        class: PayloadClass,
    },
    /// Read or write the workload's private state.
    State(StateOp),
    /// Set or cancel a timer.
    Timer(TimerOp),
    /// Use a key, or hash.
    Crypto(CryptoOp),
    /// A setting that the node's configuration gives the actor. Answered by [`HostReply::Maybe`].
    Config {
        /// Which one.
        name: Label,
    },
    /// A secret that the node's configuration gives the actor. Answered by [`HostReply::Maybe`].
    Secret {
        /// Which one.
        name: Label,
    },
    /// Bytes that nobody can predict. Answered by [`HostReply::Bytes`].
    Random {
        /// How many, at most [`crate::limits::RANDOM_BYTES_MAX`].
        bytes: u32,
    },
    /// The time of day. Answered by [`HostReply::Time`].
    Now,
}

impl HostOp {
    /// The name of the grant that the operation needs.
    #[must_use]
    pub const fn grant(&self) -> &'static str {
        match self {
            Self::Call { .. } => "call",
            Self::Tell { .. } => "tell",
            Self::Discover { .. } => "discover",
            Self::RegisterStream { .. } | Self::UnregisterStream { .. } | Self::SendChunk { .. } => "stream",
            Self::State(_) => "state",
            Self::Timer(_) => "timers",
            Self::Crypto(_) => "crypto",
            Self::Config { .. } => "config",
            Self::Secret { .. } => "secrets",
            Self::Random { .. } => "random",
            Self::Now => "clock",
        }
    }
}

/// How urgent a log line of a workload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the field's")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl LogLevel {
    /// The level with that name; any other text counts as [`LogLevel::Info`].
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "error" => Self::Error,
            "warn" => Self::Warn,
            "debug" => Self::Debug,
            "trace" => Self::Trace,
            _ => Self::Info,
        }
    }

    /// The name of the level, lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}
