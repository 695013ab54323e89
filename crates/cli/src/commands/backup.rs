use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use clap::Args;
use playhouse_node::MasterKeys;
use playhouse_store::RUNNING_FILE;
use playhouse_types::{Code, ErrorKind};
use serde::Serialize;

use super::fsck;
use crate::args::JsonFlag;
use crate::error::{CliError, Exit, Result};
use crate::files::{self, PassingFolder};
use crate::output::{BAD, CAUTION, GOOD, Output, Report, count};
use crate::store::access::{Access, StoreArg};
use crate::store::keys;
use crate::store::location::{Location, absolute};
use crate::store::master::FILE as MASTER_KEY;
use crate::store::open::{self, DATABASE, MARK};
use crate::store::records::StoreRequest;

/// Write a consistent copy of a store to a file, while the node goes on.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse backup counter-$(date +%F).db
  playhouse backup /mnt/backup/node.db --node staging
  playhouse restore counter-2026-11-22.db --store restored && playhouse run counter.actr --store restored

The copy has everything that was acknowledged before the command began. Afterwards the store is read whole: if something in it is
damaged, the command says so and ends with 1, and the backup before this one should be kept. The master key, under which the keys of actors are sealed,
is not in it: keep a copy of that elsewhere (see `playhouse run --help`).")]
pub(crate) struct BackupArgs {
    /// The file to write, which must not exist.
    file: PathBuf,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Make a store of a backup.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse restore backup.db --store restored
  playhouse restore backup.db                      into the place of the node's own store, whose database must be gone

`--store` names the place that is made. Messages that were handled after the backup was made come again. If actors have keys, put the master key of the node that made the backup
beside the database before you run it, as `master-key`: after `playhouse key rotate --master` that is the former one.")]
pub(crate) struct RestoreArgs {
    /// What `playhouse backup` wrote.
    file: PathBuf,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Serialize)]
struct Copied {
    done: &'static str,
    to: String,
    bytes: u64,
    /// Records that are not what was written.
    damaged: u64,
    /// The master key that the keys of actors need, if it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    master_key_missing: Option<String>,
}

/// What was done with a backup.
const RESTORED: &str = "restored";

impl Report for Copied {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        writeln!(w, "{GOOD}{}{GOOD:#} {} bytes: {}", self.done, self.bytes, self.to)?;
        if self.damaged > 0 {
            let records = count(self.damaged, "record");
            let advice = match self.done {
                RESTORED => "as in the backup: `playhouse fsck --store DIR` lists the damage",
                _ => "in the copy as in the store: keep older backups; `playhouse fsck` lists the damage",
            };
            writeln!(w, "{BAD}damaged{BAD:#} {records}, {advice}")?;
        }
        if let Some(id) = &self.master_key_missing {
            writeln!(
                w,
                "{CAUTION}The keys of actors need master key {id}: put it beside the database as `{MASTER_KEY}`.{CAUTION:#}"
            )?;
        }
        Ok(())
    }
}

impl Copied {
    /// What is damaged was copied all the same, and whoever replaces older backups by this one must notice.
    fn exit(&self) -> Exit {
        if self.damaged == 0 { Exit::Ok } else { Exit::Failed }
    }
}

pub(crate) fn run(args: &BackupArgs, output: Output) -> Result<Exit> {
    let to = absolute(&args.file)?;
    let text = to.to_str().ok_or_else(|| CliError::usage(format!("{} is not UTF-8", to.display())))?.to_owned();
    if to.symlink_metadata().is_ok() {
        return Err(exists(&to, "A backup is not written over a file: name another, or move that one away."));
    }
    let folder = files::directory_of(&to);
    if !folder.is_dir() {
        let message = format!("cannot write {}: there is no folder {}", to.display(), folder.display());
        return Err(CliError::new(Code::Usage, ErrorKind::NotFound, message).fix("Make the folder, or name another."));
    }
    let mut access = args.store.access()?;
    access.ask_all::<()>(StoreRequest::Backup { to: text.clone() }).map_err(|error| not_written(error, &to))?;
    let bytes = to.metadata().map_or(0, |found| found.len());
    let damaged = open::quietly(|| fsck::check(&mut access))?.found();
    let copied = Copied { done: "copied", to: text, bytes, damaged, master_key_missing: None };
    output.show(&copied)?;
    Ok(copied.exit())
}

/// What a store in a folder says of a copy that it could not write: to it that is a read which failed.
fn not_written(error: CliError, to: &Path) -> CliError {
    let Some(cause) = error.message().strip_prefix("reading failed: ") else { return error };
    let message =
        if cause.contains(&*to.to_string_lossy()) { cause.to_owned() } else { format!("{}: {cause}", to.display()) };
    let failed = |code, kind| CliError::new(code, kind, format!("cannot write the backup {message}"));
    match cause {
        full if full.contains("is full") || full.contains("No space left") => {
            failed(Code::DiskFull, ErrorKind::Unavailable).fix("Make room on the disk of the backup, or name a place on another.")
        }
        there if there.contains("File exists") => failed(Code::Usage, ErrorKind::InvalidArgument).fix(format!(
            "Another backup writes it, or one that was interrupted left {0}.part: then delete that. Or name another file.",
            to.display()
        )),
        _ => failed(Code::StoreFailed, ErrorKind::Internal).fix("The message is the operating system's. Name another place for the backup."),
    }
}

pub(crate) fn restore(args: &RestoreArgs, output: Output) -> Result<Exit> {
    let folder = absolute(&args.store.folder()?)?;
    check_place(&folder)?;
    let mut from = open_backup(&args.file)?;
    let fail = |error: io::Error| {
        CliError::io(Code::StoreFailed, format_args!("cannot write {}", folder.join(DATABASE).display()), &error)
    };
    // On the disk of the place that it is for, where it is looked at before anything is changed there.
    let near = folder.ancestors().find(|place| place.is_dir()).unwrap_or(Path::new("/"));
    let copy = PassingFolder::make(near, COPY).map_err(fail)?;
    let bytes = copy_to(&mut from, &copy.path().join(DATABASE)).map_err(fail)?;
    let (damaged, key) = look_at(copy.path()).map_err(|error| no_backup(&args.file, copy.path(), error))?;
    settle(copy.path(), &folder).map_err(fail)?;
    let master_key_missing = key.filter(|_| !folder.join(MASTER_KEY).exists());
    let restored = Copied { done: RESTORED, to: folder.display().to_string(), bytes, damaged, master_key_missing };
    output.show(&restored)?;
    Ok(restored.exit())
}

/// What the name of a folder begins with in which a backup is looked at.
const COPY: &str = ".playhouse-restore";
/// What a store leaves in its folder beside the database and its log, and what the node that has it does.
const LEFT: [&str; 4] = ["lock", MARK, "reserve", RUNNING_FILE];

/// Refuses a place where something else is than what a store leaves that lost its database.
fn check_place(folder: &Path) -> Result<()> {
    let database = folder.join(DATABASE);
    if database.symlink_metadata().is_ok() {
        let fix = "A store is not restored over another: name an empty folder with `--store DIR`.";
        return Err(exists(&database, fix));
    }
    if folder.exists() && !folder.is_dir() {
        return Err(exists(folder, "A store is a folder: name an empty one, or one that is yet to be made."));
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !LEFT.contains(&&*name) && ![DATABASE, MASTER_KEY].iter().any(|own| name.starts_with(own)) {
            let message = format!("{} has {name:?} in it: a store has a folder of its own", folder.display());
            return Err(CliError::new(Code::Config, ErrorKind::InvalidArgument, message)
                .fix("Name an empty folder, or one that is yet to be made, with `--store DIR`."));
        }
    }
    Ok(())
}

/// How much of a copied backup is damaged, and which master key its actors' keys need.
fn look_at(copy: &Path) -> Result<(u64, Option<String>)> {
    let store = open::quietly(|| open::existing(&Location::Folder(copy.to_owned())))?;
    let key = match keys::wait(MasterKeys::are_needed(&*store))? {
        true => keys::wait(MasterKeys::in_use(&*store))?.first().map(ToString::to_string),
        false => None,
    };
    Ok((fsck::check(&mut Access::Store(store))?.found(), key))
}

/// Names the backup for what it is: the copy that was looked at is nobody's business.
fn no_backup(backup: &Path, copy: &Path, error: CliError) -> CliError {
    let message = error.message().replace(&*copy.join(DATABASE).to_string_lossy(), &backup.to_string_lossy());
    match error.code() {
        Some(code @ Code::StoreSchema) if message.contains("is not a store") => {
            let message = format!("{} is no backup of a store", backup.display());
            CliError::new(code, ErrorKind::InvalidArgument, message).fix("Name what `playhouse backup` wrote.")
        }
        Some(code @ Code::StoreCorrupt) => CliError::new(
            code,
            ErrorKind::InvalidArgument,
            format!("the backup is damaged: {message}"),
        )
        .fix(
            "Take another backup; nothing was restored. `sqlite3 FILE .recover` may save some of this one for reading.",
        ),
        _ => error,
    }
}

/// Puts a database into its place. What is there of the log and the counts of a former one does not belong to it.
fn settle(copy: &Path, folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    for suffix in ["-wal", "-shm"] {
        let left = folder.join(format!("{DATABASE}{suffix}"));
        if left.exists() {
            fs::rename(&left, folder.join(format!("{DATABASE}{suffix}.apart")))?;
        }
    }
    // What a node was handling is of the store that was here.
    match fs::remove_file(folder.join(RUNNING_FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(copy.join(MARK), folder.join(MARK))?;
    // A link fails if something is there, which a rename would not.
    fs::hard_link(copy.join(DATABASE), folder.join(DATABASE))?;
    files::sync_directory(folder)
}

/// A file with something in it: nothing at all would pass for the store of a node that never ran.
fn open_backup(path: &Path) -> Result<File> {
    let fail = |error: io::Error| CliError::io(Code::NotStored, format_args!("cannot read {}", path.display()), &error);
    let file = File::open(path).map_err(fail)?;
    let found = file.metadata().map_err(fail)?;
    if found.is_dir() {
        return Err(fail(io::ErrorKind::IsADirectory.into()));
    }
    if !found.is_file() || found.len() == 0 {
        let message = format!("{} is empty, or no file: it is no backup", path.display());
        return Err(CliError::new(Code::StoreSchema, ErrorKind::InvalidArgument, message)
            .fix("Name what `playhouse backup` wrote."));
    }
    Ok(file)
}

fn copy_to(from: &mut File, to: &Path) -> io::Result<u64> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(to)?;
    let bytes = io::copy(from, &mut file)?;
    file.sync_all()?;
    Ok(bytes)
}

fn exists(path: &Path, fix: &str) -> CliError {
    CliError::new(Code::Usage, ErrorKind::InvalidArgument, format!("{} exists", path.display())).fix(fix)
}
