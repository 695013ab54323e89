//! What a node tells about its actors.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use playhouse_engine::EngineKind;
use playhouse_types::{ActorError, ActorId, RouteKey};

use crate::grants::Grants;

/// Where an actor is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActorState {
    /// Its workload is being made.
    Starting,
    /// It handles messages.
    Running,
    /// It crashed and will be started again.
    Restarting,
    /// It crashed too often and takes no messages.
    Parked {
        /// What it crashed of last.
        cause: ActorError,
    },
    /// It has left memory because it was idle; the next message or timer brings it back.
    Passive,
    /// It finishes what it handles.
    Stopping,
    /// It is gone.
    Stopped,
}

impl ActorState {
    /// The name in output.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Restarting => "restarting",
            Self::Parked { .. } => "parked",
            Self::Passive => "passive",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

/// What is to be known of one actor.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ActorStatus {
    /// Who it is.
    pub id: ActorId,
    /// What runs it.
    pub engine: EngineKind,
    /// Where it is in its life.
    pub state: ActorState,
    /// What it may do.
    pub grants: Grants,
    /// Under which name its state is kept beside those of others of its type, on a node with a store.
    pub instance: Option<String>,
    /// SHA-256 of its package's manifest, in hexadecimal; none for linked actors.
    pub package: Option<String>,
    /// Messages that wait.
    pub queued: usize,
    /// Messages that wait at most.
    pub capacity: usize,
    /// Messages being handled.
    pub running: u32,
    /// Counts since the start.
    pub tallies: Tallies,
    /// The time that half of the messages took to be handled, from a sample.
    pub median: Option<Duration>,
    /// What it crashed of last.
    pub last_crash: Option<ActorError>,
}

/// Counts of one actor since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tallies {
    /// Events handled, well or not.
    pub handled: u64,
    /// Of these, events that ended with an error.
    pub failed: u64,
    /// Messages refused or dropped because the mailbox was full.
    pub rejected: u64,
    /// Messages whose caller had given up before they were started.
    pub expired: u64,
    /// Latency-first chunks dropped.
    pub chunks_dropped: u64,
    /// Crashes.
    pub crashes: u64,
    /// Hooks of the node that were dropped because even the reserve of the mailbox was full.
    pub signals_dropped: u64,
    /// Messages that became dead letters.
    pub dead_letters: u64,
}

/// A message that could not be handled and that nobody waits for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The number by which it is retried or dropped.
    pub number: u64,
    /// When it died.
    pub time: SystemTime,
    /// Whom it was for.
    pub to: ActorId,
    /// Who sent it; none for the application.
    pub from: Option<ActorId>,
    /// Which method.
    pub route: RouteKey,
    /// The encoded request message.
    pub payload: Bytes,
    /// How often it was tried.
    pub attempts: u32,
    /// What it died of.
    pub cause: ActorError,
}
