use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use playhouse_types::{ActorId, LogLevel};

use crate::{Host, Seed};

/// The log of one instance, within its limit for each event.
pub(super) struct Log {
    host: Arc<dyn Host>,
    actor: ActorId,
    limit: usize,
    used: AtomicUsize,
}

impl Log {
    pub(super) fn new(seed: &Seed) -> Self {
        let (host, actor) = (Arc::clone(&seed.host), seed.self_id.clone());
        Self { host, actor, limit: seed.limits.log_bytes, used: AtomicUsize::new(0) }
    }

    /// A new event begins, with its whole budget.
    pub(super) fn begin_event(&self) {
        self.used.store(0, Ordering::Relaxed);
    }

    /// Takes text; what is over the limit is dropped, which is said once per event.
    pub(super) fn write(&self, level: LogLevel, text: &str) {
        // A line without text counts for one byte, so that there is an end to those as well.
        let taken = text.len().max(1);
        let before = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            Some(used.saturating_add(taken).min(self.limit.saturating_add(1)))
        });
        let used = before.unwrap_or_else(|used| used);
        if used > self.limit {
            return;
        }
        let left = self.limit - used;
        if taken <= left {
            return self.host.log(&self.actor, level, text);
        }
        let end = (0..=left).rev().find(|&n| text.is_char_boundary(n)).unwrap_or(0);
        if end > 0 {
            self.host.log(&self.actor, level, &text[..end]);
        }
        let notice = format!("log text over {} bytes in one event was dropped", self.limit);
        self.host.log(&self.actor, LogLevel::Warn, &notice);
    }
}
