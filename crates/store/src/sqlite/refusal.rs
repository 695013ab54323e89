use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use playhouse_types::Code;

use crate::error::Damage;

/// Why a store cannot be opened. Nothing that is stored was changed, and a log is where it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder or a file in it cannot be used.
    #[error("{}: {source}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the store open, or this one has.
    #[error("{} is open in process {}", path.display(), Pid(*pid))]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Which process, if it said so.
        pid: Option<u32>,
    },
    /// The file is a database, or none at all, but not one of ours.
    #[error("{} is not a store of Playhouse", path.display())]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// A newer version wrote the store.
    #[error("the store has schema {found}, this version knows up to {known}")]
    Newer {
        /// Its schema.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// The store is damaged. Restore a backup.
    #[error("{0}")]
    Damaged(Box<Damage>),
    /// Groups that were acknowledged are not there: the log was damaged, or an older copy was put in the place of the store.
    #[error("{} groups were acknowledged, the store has {found}: it was damaged, or is an older copy", acknowledged)]
    AcknowledgedMissing {
        /// How many were acknowledged at least.
        acknowledged: u64,
        /// How many there are.
        found: u64,
    },
    /// The disk failed.
    #[error("{cause}")]
    Disk {
        /// What it said.
        cause: Arc<str>,
    },
    /// There is no thread to be had for the writer.
    #[error("no thread for the writer: {0}")]
    Thread(#[source] io::Error),
}

impl OpenError {
    /// Which rule was broken.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Folder { .. } | Self::Disk { .. } | Self::Thread(_) => Code::StoreFailed,
            Self::Locked { .. } => Code::StoreLocked,
            Self::NotAStore { .. } | Self::Newer { .. } => Code::StoreSchema,
            Self::Damaged(_) | Self::AcknowledgedMissing { .. } => Code::StoreCorrupt,
        }
    }
}

struct Pid(Option<u32>);

impl std::fmt::Display for Pid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(pid) => pid.fmt(f),
            None => f.write_str("unknown"),
        }
    }
}
