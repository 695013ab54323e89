use bytes::Bytes;
use tokio_postgres::Row;

use crate::error::StoreError;
use crate::model::{
    ActorKey, Commit, Consumed, Durability, Epoch, KeyChange, Lease, Position, Priority, QueueLimits, Quota, Revision,
    StateChange, Time, Usage,
};

/// What the database says about one write: 0 or the rule that refused it, and what depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) code: i64,
    pub(super) numbers: Vec<Option<i64>>,
    pub(super) bytes: Option<Bytes>,
}

impl Answer {
    /// From the columns `code`, `n` and `b`, which begin at `column`.
    pub(super) fn from_row(row: &Row, column: usize) -> Result<Self, tokio_postgres::Error> {
        let numbers: Option<Vec<Option<i64>>> = row.try_get(column + 1)?;
        let bytes: Option<Vec<u8>> = row.try_get(column + 2)?;
        Ok(Self { code: row.try_get(column)?, numbers: numbers.unwrap_or_default(), bytes: bytes.map(Bytes::from) })
    }

    /// A number of the answer; those that are missing are 0.
    pub(super) fn number(&self, index: usize) -> u64 {
        let number = self.numbers.get(index).copied().flatten().unwrap_or(0);
        u64::try_from(number).unwrap_or(0)
    }

    /// A number that may be missing.
    fn maybe(&self, index: usize) -> Option<u64> {
        self.numbers.get(index).copied().flatten().and_then(|number| u64::try_from(number).ok())
    }

    pub(super) fn lease(&self) -> Lease {
        let number = |index| self.number(index);
        Lease {
            actor: ActorKey::from_number(number(0)),
            serial: playhouse_types::Serial::new(number(0)),
            epoch: Epoch::from_number(number(1)),
            until: Time::from_millis(number(2)),
            revision: Revision::from_number(number(3)),
            usage: self.usage(4),
        }
    }

    /// What an actor keeps, from a number on.
    pub(super) fn usage(&self, first: usize) -> Usage {
        let number = |index| self.number(first + index);
        Usage {
            state_keys: number(0),
            state_bytes: number(1),
            timers: number(2),
            outbox: number(3),
            sealed_keys: number(4),
            queued: number(5),
            queued_bytes: number(6),
        }
    }

    pub(super) fn owned_elsewhere(&self) -> StoreError {
        let owner = String::from_utf8_lossy(self.bytes.as_deref().unwrap_or_default()).into_owned();
        StoreError::OwnedElsewhere { owner, until: Time::from_millis(self.number(0)) }
    }

    pub(super) fn stale(&self, actor: ActorKey, given: Epoch) -> StoreError {
        StoreError::StaleEpoch { actor, given, current: Epoch::from_number(self.number(0)) }
    }

    pub(super) fn mailbox_full(&self, limits: QueueLimits) -> StoreError {
        let (what, limit) = if self.number(0) == 0 { ("messages", limits.messages) } else { ("bytes", limits.bytes) };
        StoreError::MailboxFull { what, wanted: self.number(1), limit }
    }

    /// Why a commit was refused. Its parts are counted from 1 in the order in which they were sent.
    pub(super) fn commit_refused(&self, commit: &Commit) -> Option<StoreError> {
        let actor = commit.actor;
        let part = usize::try_from(self.number(0)).ok()?.saturating_sub(1);
        Some(match self.code {
            1 => StoreError::UnknownActor { actor },
            3 => self.stale(actor, commit.epoch),
            4 => {
                let last = Revision::from_number(self.number(0));
                StoreError::PredecessorFailed { actor, given: commit.revision, last }
            }
            5 => {
                let change = commit.state.get(part.checked_sub(commit.consumed.len())?)?;
                self.mismatch(change)
            }
            6 => self.over_quota(&commit.quota),
            8 | 9 => not_there(actor, commit.consumed.get(part)?),
            11 => {
                let before = commit.consumed.len() + commit.state.len() + commit.timers.len();
                let name = commit.keys.get(part.checked_sub(before)?).map(KeyChange::name)?.to_owned();
                StoreError::KeyExists { actor, name }
            }
            _ => return None,
        })
    }

    fn mismatch(&self, change: &StateChange) -> StoreError {
        let expected = match change.expect {
            crate::model::Expect::Version(version) => Some(version),
            _ => None,
        };
        let found = self.maybe(1).map(Revision::from_number);
        StoreError::VersionMismatch { key: change.key.to_vec(), expected, found }
    }

    fn over_quota(&self, quota: &Quota) -> StoreError {
        let (what, limit) = match self.number(0) {
            0 => ("state_keys", quota.state_keys),
            1 => ("state_bytes", quota.state_bytes),
            2 => ("timers", quota.timers),
            3 => ("outbox", quota.outbox),
            _ => ("sealed_keys", quota.sealed_keys),
        };
        StoreError::QuotaExceeded { what, wanted: self.number(1), limit }
    }
}

fn not_there(actor: ActorKey, consumed: &Consumed) -> StoreError {
    match consumed {
        Consumed::Message { position, .. } => StoreError::NotQueued { actor, position: *position },
        Consumed::Timer { name, .. } => StoreError::TimerNotSet { actor, name: name.clone() },
    }
}

pub(super) fn position(lane: u64, seq: u64) -> Position {
    Position { priority: if lane == 0 { Priority::Signal } else { Priority::Normal }, seq }
}

/// What the database must do before it says that a transaction is there.
pub(super) const fn synchronous_commit(class: Durability) -> &'static str {
    match class {
        Durability::Memory => "off",
        Durability::Fsync => "local",
        Durability::Quorum => "on",
    }
}
