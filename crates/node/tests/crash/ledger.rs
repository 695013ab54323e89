//! What was acknowledged, kept by a process that is not killed.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// What processes said.
#[derive(Default)]
pub(crate) struct Ledger {
    /// The replies, by series and number.
    replies: HashMap<String, BTreeMap<u64, String>>,
    /// How many messages were acknowledged, those that came again included.
    pub(crate) acknowledged: u64,
    /// The longest time that a start took.
    pub(crate) slowest_start: Duration,
    /// How often the periodic timer had rung when this was last looked at.
    pub(crate) ticks: u64,
    /// What should not have been said.
    pub(crate) findings: Vec<String>,
}

impl Ledger {
    /// Takes down what a process says, until it says no more.
    pub(crate) fn listen(&mut self, lines: impl Iterator<Item = String>) {
        for line in lines {
            let words: Vec<_> = line.splitn(4, ' ').collect();
            match words[..] {
                ["ready", millis] => self.started(Duration::from_millis(millis.parse().unwrap())),
                ["ack", series, number, reply] => self.acknowledged(series, number.parse().unwrap(), reply),
                ["refused", ..] => self.findings.push(line),
                _ => {}
            }
        }
    }

    pub(crate) fn started(&mut self, after: Duration) {
        self.slowest_start = self.slowest_start.max(after);
    }

    fn acknowledged(&mut self, series: &str, number: u64, reply: &str) {
        self.acknowledged += 1;
        let replies = self.replies.entry(series.to_owned()).or_default();
        let first = replies.entry(number).or_insert_with(|| reply.to_owned());
        if first != reply {
            self.findings.push(format!("{series} {number} was answered with {first:?} and then with {reply:?}"));
        }
    }

    /// How far a series was acknowledged.
    pub(crate) fn last(&self, series: &str) -> u64 {
        self.replies.get(series).and_then(|replies| replies.last_key_value()).map_or(0, |(last, _)| *last)
    }

    pub(crate) fn all_last(&self) -> HashMap<String, u64> {
        self.replies.keys().map(|series| (series.clone(), self.last(series))).collect()
    }

    /// The last replies of a series.
    pub(crate) fn latest(&self, series: &str, count: usize) -> Vec<(u64, String)> {
        let replies = self.replies.get(series).into_iter().flatten().rev().take(count);
        replies.map(|(number, reply)| (*number, reply.clone())).collect()
    }
}
