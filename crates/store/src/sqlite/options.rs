use std::time::Duration;

use crate::contract::Retention;

/// How a store on SQLite behaves.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// What is kept of replies and dead letters.
    pub retention: Retention,
    /// Bytes of the disk that are kept free for finishing what is queued: with less, new messages are refused.
    pub reserve_bytes: u64,
    /// How long a group waits at most for those who were just answered and may come back, if there were several; and not longer than a quarter
    /// of what the disk takes, or 100 µs if that is more. A lone writer never waits.
    pub linger: Duration,
    /// What is waited for before a write is acknowledged. Anything but [`DangerSync::Full`] loses acknowledged writes when the power fails.
    pub danger_sync: DangerSync,
    /// Drop every damaged record when the store is opened, and count anew what actors keep: for a store without a backup. What else
    /// an actor keeps it keeps; what a damaged actor's own row stood for goes with it.
    pub danger_drop_damaged: bool,
    /// Open a store also if it lost what it had acknowledged, such as an old copy in the place of a newer one.
    pub danger_accept_loss: bool,
}

impl Default for SqliteOptions {
    /// 64 MiB of reserve: the log, and as much again. A linger of 1 ms: a quarter of what a slow disk takes.
    fn default() -> Self {
        Self {
            retention: Retention::default(),
            reserve_bytes: 64 << 20,
            linger: Duration::from_millis(1),
            danger_sync: DangerSync::Full,
            danger_drop_damaged: false,
            danger_accept_loss: false,
        }
    }
}

/// What is waited for before a write is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DangerSync {
    /// The disk.
    Full,
    /// The disk now and then: for showing that the tests notice.
    Normal,
    /// Nothing: for showing that the tests notice.
    Off,
}

impl DangerSync {
    pub(super) const fn pragma(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Normal => "NORMAL",
            Self::Off => "OFF",
        }
    }
}
