use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use playhouse_types::{Code, ErrorKind};
use serde::Serialize;

use crate::args::JsonFlag;
use crate::error::{CliError, Exit, Result};
use crate::files;
use crate::output::{GOOD, Output, Report};
use crate::paths::private_dir;
use crate::store::access::StoreArg;
use crate::store::location::absolute;
use crate::store::open::{self, DATABASE};
use crate::store::records::StoreRequest;

/// Write a consistent copy of a store to a file, while the node goes on.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse backup counter-$(date +%F).db
  playhouse backup /mnt/backup/node.db --node staging
  playhouse restore counter-2026-11-22.db --store restored && playhouse run counter.actr --store restored

The copy has everything that was acknowledged before the command began. The master key, under which the keys of actors are sealed,
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
  playhouse restore backup.db                      into the place of the node's own store, which must be empty

Messages that were handled after the backup was made come again. If actors have keys, put the master key of the node that made the backup
beside the database before you run it, as `master-key`.")]
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
}

impl Report for Copied {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        writeln!(w, "{GOOD}{}{GOOD:#} {} bytes: {}", self.done, self.bytes, self.to)
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
    args.store.access()?.ask_all::<()>(StoreRequest::Backup { to: text.clone() })?;
    let bytes = to.metadata().map_or(0, |found| found.len());
    output.show(&Copied { done: "copied", to: text, bytes })?;
    Ok(Exit::Ok)
}

pub(crate) fn restore(args: &RestoreArgs, output: Output) -> Result<Exit> {
    let folder = args.store.folder()?;
    let database = folder.join(DATABASE);
    if database.symlink_metadata().is_ok() {
        return Err(exists(
            &database,
            "A store is not restored over another: name an empty folder with `--store DIR`.",
        ));
    }
    if folder.exists() && !folder.is_dir() {
        return Err(exists(&folder, "A store is a folder: name an empty one, or one that is yet to be made."));
    }
    let mut from = open_backup(&args.file)?;
    private_dir(&folder)?;
    let fail =
        |error: io::Error| CliError::io(Code::StoreFailed, format_args!("cannot write {}", database.display()), &error);
    // Under another name until it is whole and has been looked at.
    let copy = folder.join(format!("{DATABASE}.restoring"));
    let copied = copy_to(&mut from, &copy).and_then(|bytes| fs::rename(&copy, &database).map(|()| bytes));
    let bytes = copied.map_err(|error| {
        // The error that matters is the first.
        let _ = fs::remove_file(&copy);
        fail(error)
    })?;
    files::sync_directory(&folder).map_err(fail)?;
    let opened = open::existing(&crate::store::location::Location::Folder(folder.clone()));
    if let Err(error) = opened {
        // What is no store does not stay in the place of one.
        let _ = fs::remove_file(&database);
        return Err(error);
    }
    output.show(&Copied { done: "restored", to: folder.display().to_string(), bytes })?;
    Ok(Exit::Ok)
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
