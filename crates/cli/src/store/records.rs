//! What stores keep, in the words of the control socket.

use playhouse_store as store;
use serde::{Deserialize, Serialize};

use crate::control::protocol::Payload;

/// What is asked of a store. Every question has any number of answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub(crate) enum StoreRequest {
    /// How much there is: one [`StoreInfo`].
    Info,
    /// The actors that are known: [`StoredActor`].
    Actors,
    /// The one actor that a word means: a [`StoredActor`].
    Find { actor: String },
    /// The value of a key: one [`StateEntry`], or none.
    StateGet { actor: String, key: Payload },
    /// Keys and values in order of the keys: [`StateEntry`].
    StateScan(StateScan),
    /// What waits in a mailbox: [`QueuedMessage`].
    Mailbox { actor: String, limit: usize },
    /// Timers of one actor in order of their names, or of all in order of their time: [`StoredTimer`].
    Timers { actor: Option<String>, limit: usize },
    /// A copy of everything in a file that does not exist yet. No answers but the end.
    Backup { to: String },
    /// What is damaged: [`Finding`] for each damage, and one with the sums at the end.
    Check,
}

/// Which keys of which actor.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StateScan {
    pub(crate) actor: String,
    /// Keys that begin with this.
    pub(crate) prefix: Payload,
    /// Keys behind this one; none is from the first on.
    pub(crate) after: Option<Payload>,
    /// At most so many; none is all.
    pub(crate) limit: Option<usize>,
    /// Whether values are wanted.
    pub(crate) values: bool,
}

/// The answer to [`StoreRequest::Info`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoreInfo {
    /// The strongest class that the store promises.
    pub(crate) durability: String,
    pub(crate) actors: u64,
    pub(crate) dead_letters: u64,
    pub(crate) dead_letters_bytes: u64,
    pub(crate) dead_letters_dropped: u64,
    pub(crate) replies: u64,
    pub(crate) replies_bytes: u64,
    pub(crate) disk_bytes: u64,
    pub(crate) writes: u64,
    pub(crate) groups: u64,
    pub(crate) waiting: u64,
    pub(crate) disk_full: bool,
}

/// An actor as a store knows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredActor {
    /// Realm, type and instance, such as `0/acme:Counter/main`.
    pub(crate) name: String,
    /// The number in the actor's id.
    pub(crate) serial: u64,
    pub(crate) epoch: u64,
    pub(crate) revision: u64,
    pub(crate) owner: String,
    /// Until when the owner's lease runs, in milliseconds since the Unix epoch.
    pub(crate) leased_until_ms: u64,
    /// What of it is damaged, for which it stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) damage: Option<String>,
    #[serde(flatten)]
    pub(crate) usage: StoredUsage,
}

/// What an actor keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredUsage {
    pub(crate) state_keys: u64,
    pub(crate) state_bytes: u64,
    pub(crate) queued: u64,
    pub(crate) queued_bytes: u64,
    pub(crate) timers: u64,
    pub(crate) outbox: u64,
    pub(crate) sealed_keys: u64,
}

impl From<&store::ActorInfo> for StoredActor {
    fn from(info: &store::ActorInfo) -> Self {
        let (lease, usage) = (info.lease, info.lease.usage);
        Self {
            name: info.identity.to_string(),
            serial: lease.serial.number(),
            epoch: lease.epoch.number(),
            revision: lease.revision.number(),
            owner: info.owner.clone(),
            leased_until_ms: lease.until.millis(),
            damage: None,
            usage: StoredUsage {
                state_keys: usage.state_keys,
                state_bytes: usage.state_bytes,
                queued: usage.queued,
                queued_bytes: usage.queued_bytes,
                timers: usage.timers,
                outbox: usage.outbox,
                sealed_keys: usage.sealed_keys,
            },
        }
    }
}

/// A key of an actor's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StateEntry {
    pub(crate) key: Payload,
    /// None if values were not asked for.
    pub(crate) value: Option<Payload>,
    /// Bytes of the value.
    pub(crate) bytes: u64,
    /// The commit that wrote it.
    pub(crate) version: u64,
}

/// A message in a mailbox, without what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueuedMessage {
    pub(crate) number: u64,
    pub(crate) priority: String,
    pub(crate) kind: String,
    pub(crate) time_ms: u64,
    pub(crate) attempts: u32,
    pub(crate) caller: Option<String>,
    pub(crate) route: String,
    /// Bytes of the payload.
    pub(crate) bytes: u64,
}

impl From<store::Queued> for QueuedMessage {
    fn from(queued: store::Queued) -> Self {
        let message = queued.message;
        Self {
            number: queued.position.seq,
            priority: match queued.position.priority {
                store::Priority::Signal => "signal",
                store::Priority::Normal => "normal",
            }
            .to_owned(),
            kind: match message.kind {
                store::MessageKind::Tell => "tell",
                store::MessageKind::Call => "call",
            }
            .to_owned(),
            time_ms: queued.at.millis(),
            attempts: queued.attempts,
            caller: Some(message.caller).filter(|caller| !caller.is_empty()),
            route: message.route,
            bytes: message.payload.len() as u64,
        }
    }
}

/// A timer of an actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredTimer {
    pub(crate) actor: String,
    pub(crate) name: String,
    /// Milliseconds since the Unix epoch.
    pub(crate) due_ms: u64,
    /// Bytes of what comes with it.
    pub(crate) bytes: u64,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Finding {
    /// Something is not what was written.
    Damage { file: String, table: String, row: String, what: String },
    /// The end: how many records were looked at, and how much damage is not listed.
    Checked { records: u64, more: u64 },
}

impl From<store::Damage> for Finding {
    fn from(damage: store::Damage) -> Self {
        Self::Damage { file: damage.file, table: damage.table, row: damage.row, what: damage.what }
    }
}
