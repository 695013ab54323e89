use bytes::Bytes;

use crate::core::sizes;
use crate::error::StoreError;
use crate::model::{Commit, Committed, Consumed, Durability, Expect, Fate, KeyChange, OutId, OutMessage, TimerChange};
use crate::record::OutRecord;
use prost::Message as _;

use super::answer::Answer;
use super::group::{Group, Kind, lane, number, text};
use super::sums;
use super::write::{Write, cause};

impl Write for Commit {
    fn check(&self) -> Result<(), StoreError> {
        sizes::check_commit(self)
    }

    /// A head and its parts behind it, in the order in which they are checked.
    fn encode(&self, group: &mut Group) {
        let slot = group.slot(self.actor);
        let parts = self.consumed.len() + self.state.len() + self.timers.len() + self.keys.len() + self.outbox.len();
        let parts = parts as i64 + 1 + i64::from(self.reply.is_some());
        let (epoch, revision) = (number(self.epoch.number()), number(self.revision.number()));
        group.push(Kind::Commit, [slot, number(self.now.millis()), epoch, revision, 0, parts], []);
        self.consumed.iter().for_each(|consumed| consume(self, consumed, group));
        self.state_parts(group);
        self.timers.iter().for_each(|change| timer(self, change, group));
        self.keys.iter().for_each(|change| key(self, change, group));
        self.outbox.iter().for_each(|out| post(self, out, group));
        let quota = &self.quota;
        let kept = [quota.state_keys, quota.state_bytes, quota.timers, quota.outbox, quota.sealed_keys];
        group.push(Kind::Quota, kept.map(number), []);
        if let Some(reply) = &self.reply {
            let (caller, request) = (text(&reply.request.caller), text(&reply.request.request));
            let sum = sums::reply(self.actor, &reply.reply);
            group.push(Kind::Reply, [sum], [caller, request, Some(reply.reply.clone())]);
        }
    }

    fn made(&self, answer: Answer, _server: &str) -> Result<Committed, StoreError> {
        let first = Some(answer.number(0)).filter(|number| *number > 0);
        Ok(Committed { first_out: first.map(OutId::from_number), usage: answer.usage(1) })
    }

    fn refused(&self, answer: &Answer) -> Option<StoreError> {
        answer.commit_refused(self)
    }

    fn class(&self) -> Durability {
        self.durability
    }
}

impl Commit {
    fn state_parts(&self, group: &mut Group) {
        for change in &self.state {
            let expect = match change.expect {
                Expect::Any => -1,
                Expect::Absent => -2,
                Expect::Version(version) => number(version.number()),
            };
            let sum =
                change.value.as_ref().map_or(0, |value| sums::state(self.actor, &change.key, self.revision, value));
            group.push(Kind::State, [expect, sum], [Some(change.key.clone()), change.value.clone()]);
        }
    }
}

fn consume(commit: &Commit, consumed: &Consumed, group: &mut Group) {
    let sum = |reply: &Option<Bytes>| reply.as_ref().map_or(0, |reply| sums::reply(commit.actor, reply));
    match consumed {
        Consumed::Timer { name, due } => group.push(Kind::Fired, [number(due.millis())], [text(name)]),
        Consumed::Message { position, fate } => {
            let (lane, seq) = (lane(position.priority), number(position.seq));
            match fate {
                Fate::Done { reply } => group.push(Kind::Done, [lane, seq, sum(reply)], [reply.clone()]),
                Fate::Again => group.push(Kind::Again, [lane, seq], []),
                Fate::Dead { cause: why, reply } => {
                    group.push(Kind::Dead, [lane, seq, sum(reply)], [reply.clone(), cause(why)]);
                }
            }
        }
    }
}

fn timer(commit: &Commit, change: &TimerChange, group: &mut Group) {
    let fired = |name: &str| {
        let fires = |consumed: &Consumed| matches!(consumed, Consumed::Timer { name: it, .. } if it == name);
        i64::from(commit.consumed.iter().any(fires))
    };
    match change {
        TimerChange::Set { name, due, body } => {
            let sum = sums::timer(commit.actor, name, *due, body);
            let numbers = [number(due.millis()), fired(name), sum];
            group.push(Kind::SetTimer, numbers, [text(name), Some(body.clone())]);
        }
        TimerChange::Cancel { name } => group.push(Kind::CancelTimer, [0, fired(name)], [text(name)]),
    }
}

fn key(commit: &Commit, change: &KeyChange, group: &mut Group) {
    match change {
        KeyChange::Create { name, blob } => {
            let sum = sums::sealed_key(commit.actor, name, blob);
            group.push(Kind::CreateKey, [sum], [text(name), Some(blob.clone())]);
        }
        KeyChange::Replace { name, blob } => {
            let sum = sums::sealed_key(commit.actor, name, blob);
            group.push(Kind::ReplaceKey, [sum], [text(name), Some(blob.clone())]);
        }
        KeyChange::Delete { name } => group.push(Kind::DeleteKey, [0], [text(name)]),
    }
}

fn post(commit: &Commit, out: &OutMessage, group: &mut Group) {
    let body = OutRecord::new(out, 0).encode_to_vec();
    let numbers = [number(out.not_before.millis()), number(out.message.bytes()), sums::out(commit.actor, &body)];
    group.push(Kind::Post, numbers, [Some(body.into())]);
}
