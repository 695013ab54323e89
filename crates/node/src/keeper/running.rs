//! What is being handled, for the case that the process ends of it: in a file beside the store that is written without waiting for the
//! disk, because it has to survive the process and not the machine.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use parking_lot::Mutex;
use playhouse_store::{ActorKey, Position, Priority, Time};

use crate::cell::Stored;

/// Bytes of a line: four numbers of 20 digits at most, and the name of a timer and its length, which is 128 bytes at most.
const LINE_BYTES: usize = 256;

/// Lines of one length, one for each message that is being handled, or was when a process ended; blank where there is none.
#[derive(Debug)]
pub(crate) struct Running {
    file: File,
    lines: Mutex<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    used: HashMap<(ActorKey, Stored), Line>,
    free: Vec<u64>,
    /// How many lines the file has.
    count: u64,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    index: u64,
    /// How often it was begun without coming to its end.
    begun: u32,
}

impl Running {
    /// What is in a folder. None if that cannot be read: then nobody is to blame for anything.
    pub(crate) fn open(folder: &Path) -> Option<Self> {
        let opened = open(&folder.join(playhouse_store::RUNNING_FILE));
        opened
            .inspect_err(
                |error| tracing::warn!(%error, folder = %folder.display(), "what ends the process will not be known"),
            )
            .ok()
    }

    /// What of an actor was being handled when processes ended, and how often.
    pub(crate) fn of(&self, actor: ActorKey) -> Vec<(Stored, u32)> {
        let lines = self.lines.lock();
        let of_actor = lines.used.iter().filter(|((of, _), _)| *of == actor);
        of_actor.map(|((_, stored), line)| (stored.clone(), line.begun)).collect()
    }

    /// A message begins.
    pub(crate) fn begin(&self, actor: ActorKey, stored: &Stored) {
        let mut lines = self.lines.lock();
        let key = (actor, stored.clone());
        let line = match lines.used.get(&key) {
            Some(line) => Line { begun: line.begun.saturating_add(1), ..*line },
            None => Line { index: lines.take(), begun: 1 },
        };
        lines.used.insert(key, line);
        self.write(line.index, &text(actor, stored, line.begun));
    }

    /// A message has come to its end, whatever that was.
    pub(crate) fn end(&self, actor: ActorKey, stored: &Stored) {
        let mut lines = self.lines.lock();
        if let Some(line) = lines.used.remove(&(actor, stored.clone())) {
            lines.free.push(line.index);
            self.write(line.index, "");
        }
    }

    fn write(&self, index: u64, text: &str) {
        let mut line = [b' '; LINE_BYTES];
        line[LINE_BYTES - 1] = b'\n';
        // What does not fit, or cannot be written, blames nobody. Nothing is written over the next line.
        if text.len() < LINE_BYTES {
            line[..text.len()].copy_from_slice(text.as_bytes());
        }
        drop(self.file.write_all_at(&line, index * LINE_BYTES as u64));
    }
}

impl Lines {
    /// A line that nobody uses.
    fn take(&mut self) -> u64 {
        self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        })
    }
}

fn open(path: &Path) -> io::Result<Running> {
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let mut lines = Lines { count: bytes.len().div_ceil(LINE_BYTES) as u64, ..Lines::default() };
    for (index, line) in (0..).zip(bytes.chunks(LINE_BYTES)) {
        match std::str::from_utf8(line).ok().and_then(parse) {
            Some((actor, stored, begun)) => drop(lines.used.insert((actor, stored), Line { index, begun })),
            None => lines.free.push(index),
        }
    }
    Ok(Running { file, lines: Mutex::new(lines) })
}

fn text(actor: ActorKey, stored: &Stored, begun: u32) -> String {
    match stored {
        Stored::Message(Position { priority: Priority::Signal, seq }) => format!("{actor} {begun} signal {seq}"),
        Stored::Message(Position { priority: Priority::Normal, seq }) => format!("{actor} {begun} normal {seq}"),
        // Names end in anything, also in blanks.
        Stored::Timer { name, due } => format!("{actor} {begun} timer {} {} {name}", due.millis(), name.len()),
    }
}

fn parse(line: &str) -> Option<(ActorKey, Stored, u32)> {
    let (actor, rest) = line.split_once(' ')?;
    let (begun, rest) = rest.split_once(' ')?;
    let (kind, rest) = rest.split_once(' ')?;
    let message = |priority| Some(Stored::Message(Position { priority, seq: rest.trim_end().parse().ok()? }));
    let stored = match kind {
        "signal" => message(Priority::Signal)?,
        "normal" => message(Priority::Normal)?,
        "timer" => {
            let (due, rest) = rest.split_once(' ')?;
            let (bytes, rest) = rest.split_once(' ')?;
            let name = rest.get(..bytes.parse().ok()?)?;
            Stored::Timer { name: name.to_owned(), due: Time::from_millis(due.parse().ok()?) }
        }
        _ => return None,
    };
    Some((ActorKey::from_number(actor.parse().ok()?), stored, begun.parse().ok()?))
}

#[cfg(test)]
mod tests;
