//! What one actor, and one call, may be told to do differently.

use std::num::NonZeroU32;
use std::time::Duration;

use playhouse_engine::Limits;
use playhouse_scheduler::{FullPolicy, Mode, Priority, RestartPolicy};
use playhouse_store::{QueueLimits, Quota};
use playhouse_types::RequestId;

use crate::durability::DurabilityPolicy;
use crate::grants::Grants;
use crate::key::KeyBy;
use crate::settings::Settings;

/// How many messages an actor handles at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Concurrency {
    /// One, in order of arrival per priority.
    #[default]
    Serial,
    /// Up to so many, whatever they are. A call chain may come back to such an actor.
    Concurrent(NonZeroU32),
    /// Up to so many, and of those with the same key one at a time, in order.
    Keyed {
        /// What makes the key.
        by: KeyBy,
        /// How many keys at the same time.
        lanes: NonZeroU32,
    },
}

impl Concurrency {
    pub(crate) const fn mode(&self) -> Mode {
        match self {
            Self::Serial => Mode::Serial,
            Self::Concurrent(n) => Mode::Concurrent(*n),
            Self::Keyed { lanes, .. } => Mode::Keyed { lanes: *lanes },
        }
    }
}

/// The queue in front of an actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxOptions {
    /// Messages that wait at most.
    pub capacity: usize,
    /// Bytes that wait at most.
    pub bytes_max: usize,
    /// What happens to one message more. What a node's store has is not shed: while such messages wait here,
    /// [`FullPolicy::Shed`] rejects.
    pub full: FullPolicy,
}

impl Default for MailboxOptions {
    fn default() -> Self {
        let scheduler = playhouse_scheduler::MailboxConfig::default();
        Self { capacity: scheduler.capacity, bytes_max: scheduler.bytes_max, full: scheduler.full }
    }
}

/// How an actor is run. The default fits an actor of actr 0.3.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActorOptions {
    /// Messages at the same time; if not said, what the package declares, and else one.
    pub concurrency: Option<Concurrency>,
    /// The queue.
    pub mailbox: MailboxOptions,
    /// After a crash.
    pub restart: RestartPolicy,
    /// What the workload may use.
    pub limits: Limits,
    /// Host operations that the actor may use; if not said, what the package declares, and else what actr 0.3 gives. The node's policy has the last word.
    pub grants: Option<Grants>,
    /// Settings and secrets of the actor.
    pub settings: Settings,
    /// On a node with a store, under which name the actor's messages and state are kept beside those of others of its type. If not said,
    /// `1`, or the first number that no running actor of the type has.
    pub instance: Option<String>,
    /// On a node with a store, what of the actor survives what.
    pub durability: DurabilityPolicy,
    /// On a node with a store, what the actor may keep.
    pub quota: Quota,
    /// On a node with a store, what may wait for the actor there, beyond what waits in its mailbox.
    pub stored: QueueLimits,
    /// How long the actor is idle before its workload leaves memory. The next message or timer makes it anew: what it kept in its own
    /// memory is lost then, what it kept in its state is there. If not said, never.
    pub passivate_after: Option<Duration>,
}

/// The time that a call has unless it says otherwise: the default of actr 0.3.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// How one message is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallOptions {
    /// The time until the caller gives up. Work whose caller has given up is not started.
    pub timeout: Duration,
    /// Whether it overtakes waiting messages.
    pub priority: Priority,
    /// The caller's own id of the request, if it may send it twice: within five minutes the second gets the outcome of the first.
    pub request_id: Option<RequestId>,
    /// Which of those for whom the application calls, if there are several: requests of two clients are never taken for one request sent
    /// twice, whatever ids they choose. 0 is the application itself.
    pub client: u64,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self { timeout: TIMEOUT, priority: Priority::Normal, request_id: None, client: 0 }
    }
}
