use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use playhouse_types::{ActorId, LogLevel};

use crate::{Host, Seed};

/// Bytes of one line of a guest's output. Longer lines are cut into several.
pub(super) const LINE_BYTES_MAX: usize = 8 << 10;

/// The log of one actor, within its limit: text that it logs, and lines that it writes to its standard output and error.
pub(super) struct Log {
    host: Arc<dyn Host>,
    actor: ActorId,
    limit: usize,
    budget: Mutex<LogBudget>,
    /// Whether anything was taken from the budget: most events log nothing.
    used: AtomicBool,
}

#[derive(Debug)]
struct LogBudget {
    left: usize,
    /// Whether it has been said that text is dropped.
    said: bool,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("actor", &self.actor).field("budget", &self.budget).finish_non_exhaustive()
    }
}

impl Log {
    pub(super) fn new(seed: &Seed) -> Self {
        let limit = seed.limits.log_bytes;
        let budget = Mutex::new(LogBudget { left: limit, said: false });
        Self { host: Arc::clone(&seed.host), actor: seed.self_id.clone(), limit, budget, used: AtomicBool::new(false) }
    }

    /// A new event begins, with its whole budget.
    pub(super) fn begin_event(&self) {
        if self.used.load(Ordering::Relaxed) {
            self.used.store(false, Ordering::Relaxed);
            *self.budget.lock() = LogBudget { left: self.limit, said: false };
        }
    }

    /// Takes text; what is over the limit is dropped, which is said once per event.
    pub(super) fn write(&self, level: LogLevel, text: &str) {
        self.used.store(true, Ordering::Relaxed);
        let (kept, say) = self.budget.lock().take(text);
        if let Some(kept) = kept {
            self.host.log(&self.actor, level, kept);
        }
        if say {
            let mut notice = String::new();
            // INVARIANT: writing to a string does not fail.
            let _ = write!(notice, "log text over {} bytes in one event was dropped", self.limit);
            self.host.log(&self.actor, LogLevel::Warn, &notice);
        }
    }
}

impl LogBudget {
    /// What of the text is kept, and whether to say that some was dropped.
    fn take<'a>(&mut self, text: &'a str) -> (Option<&'a str>, bool) {
        // A line without text counts for one byte, so that there is an end to those as well: a guest can write thousands at once.
        let taken = text.len().max(1);
        if taken <= self.left {
            self.left -= taken;
            return (Some(text), false);
        }
        let end = (0..=self.left).rev().find(|&n| text.is_char_boundary(n)).unwrap_or(0);
        self.left = 0;
        let say = !std::mem::replace(&mut self.said, true);
        (Some(&text[..end]).filter(|kept| !kept.is_empty()), say)
    }
}

/// Bytes of an output stream, cut into lines.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<u8>);

impl Lines {
    /// Takes bytes and logs the lines that they complete.
    pub(super) fn push(&mut self, bytes: &[u8], log: &Log, level: LogLevel) {
        for piece in bytes.split_inclusive(|&b| b == b'\n') {
            for part in piece.chunks(LINE_BYTES_MAX) {
                if self.0.len() + part.len() > LINE_BYTES_MAX {
                    self.flush(log, level);
                }
                self.0.extend_from_slice(part);
            }
            if self.0.last() == Some(&b'\n') {
                self.flush(log, level);
            }
        }
    }

    /// Logs what has come of a line that is not complete.
    pub(super) fn flush(&mut self, log: &Log, level: LogLevel) {
        if self.0.is_empty() {
            return;
        }
        let text = String::from_utf8_lossy(&self.0);
        log.write(level, text.trim_end_matches(['\n', '\r']));
        self.0.clear();
    }
}

#[cfg(test)]
mod tests;
