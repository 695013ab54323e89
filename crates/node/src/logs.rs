//! What actors log: a bounded ring for readers who come later, and a channel for those who follow.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use playhouse_types::{ActorId, LogLevel, LogText};
use tokio::sync::broadcast;

/// Lines that the ring keeps. Some minutes of a chatty node.
const LINES_MAX: usize = 4096;
/// Bytes of text that the ring keeps.
const BYTES_MAX: usize = 4 << 20;
/// Lines that a follower may be behind before it loses the oldest.
const FOLLOW_MAX: usize = 1024;

/// One piece of log text of an actor, or of the node about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// When it was written.
    pub time: SystemTime,
    /// Who wrote it, or whom it is about.
    pub actor: ActorId,
    /// How urgent it is.
    pub level: LogLevel,
    /// The text, possibly of several lines; fields stand at its end as `name=value`.
    pub text: String,
    /// Names and values of the fields.
    pub fields: Vec<(String, String)>,
}

impl LogLine {
    fn new(actor: &ActorId, level: LogLevel, encoded: &str) -> Self {
        let log = LogText::parse(encoded);
        let fields = log.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { time: SystemTime::now(), actor: actor.clone(), level, text: log.to_string(), fields }
    }

    fn bytes(&self) -> usize {
        self.text.len() + self.fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
    }
}

pub(crate) struct Logs {
    ring: Mutex<Ring>,
    follow: broadcast::Sender<Arc<LogLine>>,
}

#[derive(Default)]
struct Ring {
    lines: VecDeque<Arc<LogLine>>,
    bytes: usize,
}

impl Logs {
    pub(crate) fn new() -> Self {
        Self { ring: Mutex::default(), follow: broadcast::Sender::new(FOLLOW_MAX) }
    }

    pub(crate) fn write(&self, actor: &ActorId, level: LogLevel, text: &str) {
        let line = Arc::new(LogLine::new(actor, level, text));
        let mut ring = self.ring.lock();
        ring.bytes += line.bytes();
        ring.lines.push_back(Arc::clone(&line));
        while ring.lines.len() > LINES_MAX || ring.bytes > BYTES_MAX {
            let Some(oldest) = ring.lines.pop_front() else { break };
            ring.bytes -= oldest.bytes();
        }
        // Sent under the lock, so that a reader who takes the ring and then follows misses and repeats nothing.
        let _ = self.follow.send(line);
    }

    pub(crate) fn read(&self) -> LogReader {
        let ring = self.ring.lock();
        LogReader { past: ring.lines.clone(), follow: self.follow.subscribe() }
    }
}

/// Reads a node's log from its oldest kept line on.
#[derive(Debug)]
pub struct LogReader {
    past: VecDeque<Arc<LogLine>>,
    follow: broadcast::Receiver<Arc<LogLine>>,
}

impl LogReader {
    /// The next line that has been written already.
    pub fn next_now(&mut self) -> Option<Arc<LogLine>> {
        self.past.pop_front().or_else(|| {
            loop {
                match self.follow.try_recv() {
                    Ok(line) => return Some(line),
                    Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                    Err(_) => return None,
                }
            }
        })
    }

    /// Awaits the next line; none once the node is gone. A reader that falls behind loses the oldest lines. Cancelling loses
    /// nothing.
    pub async fn next(&mut self) -> Option<Arc<LogLine>> {
        if let Some(line) = self.past.pop_front() {
            return Some(line);
        }
        loop {
            match self.follow.recv().await {
                Ok(line) => return Some(line),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BYTES_MAX, LINES_MAX, Logs};
    use playhouse_types::{ActorId, LogLevel, LogText};

    fn id() -> ActorId {
        "1@0/a:b:c".parse().unwrap()
    }

    #[test]
    fn the_ring_is_bounded_by_lines_and_bytes() {
        let logs = Logs::new();
        for number in 0..LINES_MAX + 10 {
            logs.write(&id(), LogLevel::Info, &number.to_string());
        }
        let mut reader = logs.read();
        assert_eq!(reader.next_now().unwrap().text, "10");
        assert_eq!(std::iter::from_fn(|| reader.next_now()).count(), LINES_MAX - 1);
        logs.write(&id(), LogLevel::Info, &"x".repeat(BYTES_MAX));
        assert_eq!(logs.read().next_now().unwrap().text.len(), BYTES_MAX);
    }

    #[test]
    fn fields_are_read_and_shown() {
        let logs = Logs::new();
        logs.write(&id(), LogLevel::Info, &LogText::new("taken").with("order", 17).with("by", "A B").encode());
        let line = logs.read().next_now().unwrap();
        assert_eq!(line.text, r#"taken order=17 by="A B""#);
        assert_eq!(line.fields, [("order", "17"), ("by", "A B")].map(|(name, value)| (name.into(), value.into())));
        assert_eq!(logs.ring.lock().bytes, line.text.len() + 12);
    }

    #[test]
    fn followers_see_past_and_future_once() {
        let logs = Logs::new();
        logs.write(&id(), LogLevel::Info, "past");
        let mut reader = logs.read();
        logs.write(&id(), LogLevel::Warn, "future");
        let seen: Vec<_> = std::iter::from_fn(|| reader.next_now()).map(|line| line.text.clone()).collect();
        assert_eq!(seen, ["past", "future"]);
    }
}
