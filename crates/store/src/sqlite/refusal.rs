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
    /// The folder belongs to another user, who could change what is in it. Take one of your own.
    #[error("{} belongs to user {owner}", path.display())]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// There is no store in the folder, but something else. Take an empty folder, or one that does not exist.
    #[error("{} has no store, but {other:?}: a store has a folder of its own", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
        /// A file in it.
        other: String,
    },
    /// Others may enter the folder, in which there are other things than the store. The message says how to change that.
    #[error("others may enter {} (mode {mode:o}): run `chmod 700 {}`", path.display(), path.display())]
    Exposed {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
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
            Self::Folder { .. }
            | Self::NotOurs { .. }
            | Self::NotEmpty { .. }
            | Self::Exposed { .. }
            | Self::Disk { .. }
            | Self::Thread(_) => Code::StoreFailed,
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
