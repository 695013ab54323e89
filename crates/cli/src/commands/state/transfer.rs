//! An actor's state as JSON lines: out of a store and into one.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Seek as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use bytes::Bytes;
use playhouse_types::{Code, ErrorKind};
use serde::{Deserialize, Serialize};

use super::{ExportArgs, ImportArgs};
use crate::control::protocol::{LINE_BYTES_MAX, Payload};
use crate::error::{CliError, Result};
use crate::files::PassingFolder;
use crate::output::{GOOD, Output, Report, clean, count};
use crate::store::access::Access;
use crate::store::edit::{Change, Editor, not_empty};
use crate::store::location::absolute;
use crate::store::open::{self, DATABASE};
use crate::store::records::{StateEntry, StateScan, StoreRequest, StoredActor};

/// The version of the form of the lines.
const FORMAT: u64 = 1;
/// Changes that are written at once: as many as a commit takes.
const CHANGES_MAX: usize = playhouse_store::limits::COMMIT_CHANGES_MAX;
/// Bytes that are written at once: half of what a commit takes.
const CHANGES_BYTES_MAX: usize = 64 << 20;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    /// The first.
    Start {
        playhouse_state: u64,
        actor: String,
    },
    Entry {
        key: Payload,
        value: Payload,
    },
    /// The last: how many entries there are, so that a file that was cut shows.
    End {
        keys: u64,
    },
}

pub(super) fn export(args: &ExportArgs, output: Output) -> Result<()> {
    let mut access = args.store.access()?;
    let found = access.ask_one::<StoredActor>(StoreRequest::Find { actor: args.actor.clone() })?;
    let Some(actor) = found else { return Ok(()) };
    if let (Some(damage), false) = (&actor.damage, args.skip_damaged) {
        return Err(CliError::new(Code::StoreCorrupt, ErrorKind::Internal, damage).fix(format!(
            "`playhouse state export {} --skip-damaged` writes what is sound; `playhouse fsck` lists the damage.",
            args.actor
        )));
    }
    let sound = if args.skip_damaged { Some(sound_part(&mut access)?) } else { None };
    let (mut access, _copy) = sound.map_or((access, None), |(access, copy)| (access, Some(copy)));
    let keys = match &args.out {
        None => write_all(&mut access, &actor.name, &mut BufWriter::new(io::stdout().lock()))?,
        Some(path) => {
            let written = write_all(&mut access, &actor.name, &mut BufWriter::new(create(path)?));
            if written.is_err() {
                // A part of an export is none.
                let _ = std::fs::remove_file(path);
            }
            written?
        }
    };
    let left_out = actor.usage.state_keys.saturating_sub(keys);
    if args.skip_damaged && left_out > 0 {
        output.warn(format_args!("left out {left_out} of {} keys, which are damaged", actor.usage.state_keys));
    }
    if args.out.is_none() {
        return Ok(());
    }
    output.show(&Moved { done: "exported", way: "of", actor: actor.name, keys, deleted: None, store: None })
}

/// What is sound of a store: a copy, from which all that is damaged was dropped.
fn sound_part(access: &mut Access) -> Result<(Access, PassingFolder)> {
    let place = std::env::temp_dir();
    let fail = |error: io::Error| {
        CliError::io(Code::StoreFailed, format_args!("cannot copy the store to {}", place.display()), &error)
    };
    let copy = PassingFolder::make(&place, "playhouse-export").map_err(fail)?;
    let to = absolute(&copy.path().join(DATABASE))?;
    let to = to.to_str().ok_or_else(|| CliError::usage(format!("{} is not UTF-8", to.display())))?.to_owned();
    access.ask_all::<()>(StoreRequest::Backup { to })?;
    // An empty one would be made in its place, and everything be missing.
    if !copy.path().join(DATABASE).exists() {
        let message = format!("the node made the copy in a folder {} of its own", place.display());
        return Err(CliError::new(Code::StoreFailed, ErrorKind::Unavailable, message)
            .fix("Set TMPDIR to a folder that the node sees, too; or stop the node first."));
    }
    let store = open::sound_part(copy.path())?;
    Ok((Access::Store(store), copy))
}

/// Writes all keys of an actor. Answers how many they are.
fn write_all(access: &mut Access, actor: &str, out: &mut dyn Write) -> Result<u64> {
    write(out, &Line::Start { playhouse_state: FORMAT, actor: actor.to_owned() })?;
    let mut keys = 0;
    let empty = Payload::default();
    let scan = StateScan { actor: actor.to_owned(), prefix: empty, after: None, limit: None, values: true };
    access.ask_many(StoreRequest::StateScan(scan), |entry: StateEntry| {
        keys += 1;
        write(out, &Line::Entry { key: entry.key, value: entry.value.unwrap_or_default() })
    })?;
    write(out, &Line::End { keys })?;
    out.flush()?;
    Ok(keys)
}

fn create(path: &Path) -> Result<File> {
    // What actors keep is nobody else's business.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.map_err(|error| CliError::io(Code::Usage, format_args!("cannot write {}", path.display()), &error))
}

fn write(out: &mut dyn Write, line: &Line) -> Result<()> {
    serde_json::to_writer(&mut *out, line).map_err(io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

pub(super) fn import(args: &ImportArgs, output: Output) -> Result<()> {
    let fail =
        |error: io::Error| CliError::io(Code::Usage, format_args!("cannot read {}", args.file.display()), &error);
    let mut file = if args.file == Path::new("-") { standard_input() } else { File::open(&args.file) }.map_err(fail)?;
    // To its end first: of a file that was cut, nothing is to be taken.
    let (keys, of) = Lines::new(&file, &args.file).count()?;
    file.rewind().map_err(fail)?;
    let mut editor = args.store.edit(&args.actor)?;
    if of != editor.name() {
        output.remark(format_args!(
            "the file has the state of {of}; what that actor sealed does not open for {}",
            editor.name()
        ));
    }
    if editor.key_count() > 0 && !args.replace && !args.merge {
        let keys = editor.key_count();
        return Err(not_empty(&editor.close()?, keys));
    }
    let mut batch = Batch::default();
    let mut seen = HashSet::new();
    let mut lines = Lines::new(&file, &args.file);
    while let Some((key, value)) = lines.next()? {
        if args.replace {
            seen.insert(digest(&key));
        }
        batch.add(&mut editor, Change { key, value: Some(value) })?;
    }
    let deleted = if args.replace { delete_others(&mut editor, &mut batch, &seen)? } else { 0 };
    batch.flush(&mut editor)?;
    let store = Some(args.store.location()?.to_string());
    output.show(&Moved { done: "imported", way: "into", actor: editor.close()?, keys, deleted: Some(deleted), store })
}

/// All of standard input, in a file that has no name: what is read twice has to be somewhere.
fn standard_input() -> io::Result<File> {
    let folder = PassingFolder::make(&std::env::temp_dir(), "playhouse-import")?;
    let path = folder.path().join("state.jsonl");
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    io::copy(&mut io::stdin().lock(), &mut file)?;
    file.rewind()?;
    Ok(file)
}

/// What stands for a key in a set of many: 16 bytes, whatever the key has.
fn digest(key: &[u8]) -> [u8; 16] {
    let digest = playhouse_crypto::Digest::of(key);
    let mut start = [0; 16];
    start.copy_from_slice(&digest.as_bytes()[..16]);
    start
}

fn delete_others(editor: &mut Editor, batch: &mut Batch, seen: &HashSet<[u8; 16]>) -> Result<u64> {
    let (mut after, mut deleted) = (None, 0);
    loop {
        let page = editor.keys(after)?;
        let Some(last) = page.last().cloned() else { return Ok(deleted) };
        for key in page.into_iter().filter(|key| !seen.contains(&digest(key))) {
            deleted += 1;
            batch.add(editor, Change { key, value: None })?;
        }
        after = Some(last);
    }
}

/// Changes that are written together.
#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    bytes: usize,
}

impl Batch {
    fn add(&mut self, editor: &mut Editor, change: Change) -> Result<()> {
        let bytes = change.key.len() + change.value.as_ref().map_or(0, Bytes::len);
        if self.changes.len() >= CHANGES_MAX || self.bytes + bytes > CHANGES_BYTES_MAX {
            self.flush(editor)?;
        }
        self.bytes += bytes;
        self.changes.push(change);
        Ok(())
    }

    fn flush(&mut self, editor: &mut Editor) -> Result<()> {
        self.bytes = 0;
        editor.write(std::mem::take(&mut self.changes))
    }
}

/// The lines of a file, each in its place.
struct Lines<'a> {
    reader: BufReader<&'a File>,
    path: &'a Path,
    number: u64,
    entries: u64,
    /// Whose state it is, by the first line.
    actor: String,
    last_key: Option<Bytes>,
    ended: bool,
}

impl<'a> Lines<'a> {
    fn new(file: &'a File, path: &'a Path) -> Self {
        Self {
            reader: BufReader::new(file),
            path,
            number: 0,
            entries: 0,
            actor: String::new(),
            last_key: None,
            ended: false,
        }
    }

    /// The next key with its value; none after the last line.
    fn next(&mut self) -> Result<Option<(Bytes, Bytes)>> {
        loop {
            let Some(line) = self.line()? else {
                return if self.ended {
                    Ok(None)
                } else {
                    Err(self.wrong("the file was cut: its last line is missing"))
                };
            };
            match line {
                _ if self.ended => {
                    return Err(self.wrong("nothing may follow the line that says how many keys there are"));
                }
                Line::Start { playhouse_state: FORMAT, actor } if self.number == 1 => self.actor = actor,
                Line::Start { .. } => {
                    return Err(self.wrong(format_args!("only the first line says the form, which is {FORMAT}")));
                }
                _ if self.number == 1 => return Err(self.wrong("the first line is not that of an export")),
                Line::Entry { key, value } => {
                    // Exports are in order, so that a key that stands there twice shows.
                    if self.last_key.as_ref().is_some_and(|last| *last >= key.0) {
                        return Err(self.wrong("its key is not behind that of the line before"));
                    }
                    self.entries += 1;
                    self.last_key = Some(key.0.clone());
                    return Ok(Some((key.0, value.0)));
                }
                Line::End { keys } if keys == self.entries => self.ended = true,
                Line::End { keys } => {
                    return Err(self.wrong(format_args!("there are {} keys, the last line says {keys}", self.entries)));
                }
            }
        }
    }

    /// How many keys there are, and whose.
    fn count(mut self) -> Result<(u64, String)> {
        while self.next()?.is_some() {}
        Ok((self.entries, self.actor))
    }

    fn line(&mut self) -> Result<Option<Line>> {
        let mut line = Vec::new();
        self.number += 1;
        let read = (&mut self.reader).take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut line);
        read.map_err(|error| CliError::io(Code::Usage, format_args!("cannot read {}", self.path.display()), &error))?;
        if line.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(&line).map(Some).map_err(|_| self.wrong("it is not a line of an export"))
    }

    fn wrong(&self, what: impl std::fmt::Display) -> CliError {
        let message = format!("{}, line {}: {what}", self.path.display(), self.number);
        CliError::new(Code::Usage, ErrorKind::InvalidArgument, message)
            .fix("`playhouse state export` writes what this reads. Nothing was written.")
    }
}

#[derive(Debug, Serialize)]
struct Moved {
    done: &'static str,
    #[serde(skip)]
    way: &'static str,
    actor: String,
    keys: u64,
    /// Keys that were not in the file; nothing of an export.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<u64>,
    /// Where it was changed; nothing of an export.
    #[serde(skip_serializing_if = "Option::is_none")]
    store: Option<String>,
}

impl Report for Moved {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        write!(w, "{GOOD}{}{GOOD:#} {} {} {}", self.done, count(self.keys, "key"), self.way, self.actor)?;
        if let Some(deleted) = self.deleted.filter(|deleted| *deleted > 0) {
            write!(w, ", {deleted} others deleted")?;
        }
        if let Some(store) = &self.store {
            write!(w, ", in {}", clean(store))?;
        }
        writeln!(w)
    }
}
