//! The files of a store, beside what SQLite does with its own.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::StoreError;

use super::fault;
use super::refusal::OpenError;

/// The database; SQLite adds `-wal` and `-shm`.
pub(super) const DATABASE: &str = "playhouse.db";
const LOCK: &str = "lock";
const MARK: &str = "mark";
pub(super) const RESERVE: &str = "reserve";
/// What whoever uses the store keeps beside it.
const MASTER_KEY: &str = "master-key";
/// The file beside a store in which a node notes what it is handling. It belongs to what is in the store: with another store in its place, it
/// has to go.
pub const RUNNING_FILE: &str = "running";

/// A folder for a store that nobody but its owner can enter. One that has other things in it is not closed to others, but refused.
pub(super) fn make_folder(folder: &Path) -> Result<(), OpenError> {
    let path = folder.to_owned();
    let io = |source| OpenError::Folder { path: path.clone(), source };
    let there = match folder.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io);
        }
        there => there.map_err(io)?,
    };
    let (owner, mode) = (there.uid(), there.mode() & 0o777);
    if owner != rustix::process::geteuid().as_raw() {
        return Err(OpenError::NotOurs { path, owner });
    }
    let exposed = mode & 0o077 != 0;
    match stranger(folder).map_err(io)? {
        Some(other) if !folder.join(DATABASE).exists() => Err(OpenError::NotEmpty { path, other }),
        Some(_) if exposed => Err(OpenError::Exposed { path, mode }),
        None if exposed => fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(io),
        _ => Ok(()),
    }
}

/// A file in a folder that belongs neither to a store nor to whoever uses one.
fn stranger(folder: &Path) -> io::Result<Option<String>> {
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if ![LOCK, MARK, RESERVE, RUNNING_FILE].contains(&&*name)
            && ![DATABASE, MASTER_KEY].iter().any(|own| name.starts_with(own))
        {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// A file that only its owner can read, made if it is not there.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// The database's path. The file is made here, empty, so that it never has other permissions; SQLite gives its own the same.
pub(super) fn make_database(folder: &Path) -> io::Result<PathBuf> {
    let path = folder.join(DATABASE);
    if !path.exists() {
        open_private(&path)?.sync_all()?;
        sync_entries(folder)?;
    }
    Ok(path)
}

/// Puts a folder on the disk, and the entries of all folders on the way to it: which of them are new, a start that was killed may not have
/// lived to say.
fn sync_entries(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()?;
    for parent in folder.ancestors().skip(1) {
        match File::open(parent) {
            Ok(parent) => parent.sync_all()?,
            // One that we may not read is not one that we made.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Why a folder cannot be locked.
pub(super) enum Unlockable {
    /// This process has it.
    Held {
        pid: Option<u32>,
    },
    Io(io::Error),
}

/// Takes the folder for this process, until the file is closed.
pub(super) fn lock(folder: &Path) -> Result<File, Unlockable> {
    let mut file = open_private(&folder.join(LOCK)).map_err(Unlockable::Io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // The holder may be writing it at this moment.
            drop(file.read_to_string(&mut pid));
            return Err(Unlockable::Held { pid: pid.trim().parse().ok() });
        }
        Err(TryLockError::Error(error)) => return Err(Unlockable::Io(error)),
    }
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    // The number is for people; a full disk must not keep a store from being opened.
    drop(write(&mut file));
    Ok(file)
}

/// The log of a database.
pub(super) fn log_of(database: &Path) -> PathBuf {
    with_suffix(database, "-wal")
}

/// Leaves a log where SQLite does not look for it.
pub(super) fn set_apart(log: &Path) -> io::Result<()> {
    fs::rename(log, with_suffix(log, ".apart"))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The name by which SQLite opens an absolute path without locks, and without looking at a log.
pub(super) fn uri_without_log(path: &Path) -> String {
    let escaped = path.as_os_str().as_encoded_bytes().iter().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => char::from(*byte).to_string(),
        byte => format!("%{byte:02x}"),
    });
    format!("file:{}?immutable=1", escaped.collect::<String>())
}

/// How many groups were acknowledged, and how many of them were in the database when the log was last folded into it. Both are
/// written without waiting for the disk: they may be behind the database, and are ahead of it only if the database lost something.
pub(super) struct Mark(File);

/// Where the number of groups stands that were folded.
const FOLDED_AT: u64 = 12;

impl Mark {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        open_private(&folder.join(MARK)).map(Self)
    }

    /// How many groups were acknowledged, if that can be read.
    pub(super) fn acknowledged(&self) -> Option<u64> {
        self.read(0)
    }

    /// How many groups the database has without its log, if that can be read.
    pub(super) fn folded(&self) -> Option<u64> {
        self.read(FOLDED_AT)
    }

    fn read(&self, at: u64) -> Option<u64> {
        let mut bytes = [0; 12];
        self.0.read_exact_at(&mut bytes, at).ok()?;
        let (group, sum) = bytes.split_first_chunk::<8>()?;
        (sum == crc32fast::hash(group).to_le_bytes()).then(|| u64::from_le_bytes(*group))
    }

    /// Writes how many groups were acknowledged. If that fails the mark stays behind, which is harmless.
    pub(super) fn write(&self, group: u64) {
        self.write_at(0, group);
    }

    /// Writes how many groups the database has without its log.
    pub(super) fn write_folded(&self, group: u64) {
        self.write_at(FOLDED_AT, group);
    }

    fn write_at(&self, at: u64, group: u64) {
        let group = group.to_le_bytes();
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&group);
        bytes[8..].copy_from_slice(&crc32fast::hash(&group).to_le_bytes());
        drop(self.0.write_all_at(&bytes, at));
    }
}

/// Bytes of all files in the folder.
pub(super) fn disk_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// Writes a copy of the database as it is now to a file that does not exist yet. It gets its name when it is whole.
pub(super) fn back_up(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    let part = with_suffix(to, ".playhouse-part");
    let fail = |error| fault::of_io(&error, to);
    let file = open_private(&part).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(fail(io::Error::other("another backup is being written there"))),
        Err(TryLockError::Error(error)) => return Err(fail(error)),
    }
    // What is there is what was left of one that was interrupted.
    file.set_len(0).map_err(fail)?;
    drop(fs::remove_file(with_suffix(&part, "-journal")));
    let result = copy(connection, &part, &file).and_then(|()| {
        // A link, because renaming would replace what is there.
        fs::hard_link(&part, to)?;
        let folder = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    });
    drop(fs::remove_file(&part));
    result.map_err(fail)
}

fn copy(connection: &Connection, part: &Path, file: &File) -> io::Result<()> {
    let text = part.to_str().ok_or_else(|| io::Error::other("the path is not UTF-8"))?;
    // A copy counts as writing; readers may not, but for this.
    connection.pragma_update(None, "query_only", false).map_err(io::Error::other)?;
    let copied = connection.execute("VACUUM INTO ?1", [text]);
    connection.pragma_update(None, "query_only", true).map_err(io::Error::other)?;
    copied.map_err(io::Error::other)?;
    file.sync_all()
}
