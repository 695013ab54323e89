use bytes::Bytes;
use hashbrown::HashMap;
use tokio_postgres::types::ToSql;

use crate::model::{ActorKey, LetterId, OutId, Priority};

/// What a step does. The numbers are those of `apply.sql` and `commit.sql`; below 10, the second number of a step is a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Enqueue = 1,
    Commit = 2,
    Open = 3,
    Bury = 4,
    RetryLetter = 5,
    ExpireReplies = 6,
    Deliver = 7,
    Extend = 10,
    OutboxDone = 11,
    OutboxFailed = 12,
    DropLetter = 13,
    Reseal = 14,
    SetNote = 15,
    /// Parts of a commit from here on.
    Done = 20,
    Again = 21,
    Dead = 22,
    Fired = 23,
    State = 30,
    SetTimer = 40,
    CancelTimer = 41,
    CreateKey = 50,
    ReplaceKey = 51,
    DeleteKey = 52,
    Post = 60,
    Quota = 70,
    Reply = 71,
    /// Which message of the outbox the step before it delivers.
    Delivered = 80,
}

const NUMBERS: usize = 6;
const BYTES: usize = 4;

/// What a group needs that is not in its steps.
const WANTS_OPEN: i64 = 1;
const WANTS_NOTES: i64 = 2;
const WANTS_OUTBOX: i64 = 4;

/// A group of writes as the database takes it: one row of numbers and bytes per step, in columns.
#[derive(Debug, Default)]
pub(super) struct Group {
    actors: Vec<i64>,
    slots: HashMap<ActorKey, i64>,
    outs: Vec<i64>,
    letters: Vec<i64>,
    wants: i64,
    kinds: Vec<i64>,
    numbers: [Vec<i64>; NUMBERS],
    bytes: [Vec<Option<Bytes>>; BYTES],
}

impl Group {
    /// Where an actor stands among those of the group, from 1 on.
    pub(super) fn slot(&mut self, actor: ActorKey) -> i64 {
        let actors = &mut self.actors;
        *self.slots.entry(actor).or_insert_with(|| {
            actors.push(number(actor.number()));
            actors.len() as i64
        })
    }

    /// Where messages of the outbox stand among those of the group: the first and the last, from 1 on.
    pub(super) fn outs(&mut self, ids: &[OutId]) -> (i64, i64) {
        let before = self.outs.len() as i64;
        self.outs.extend(ids.iter().map(|id| number(id.number())));
        (before + 1, self.outs.len() as i64)
    }

    /// Names a letter.
    pub(super) fn letter(&mut self, id: LetterId) -> i64 {
        let id = number(id.number());
        self.letters.push(id);
        id
    }

    pub(super) fn push<const N: usize, const B: usize>(
        &mut self,
        kind: Kind,
        numbers: [i64; N],
        bytes: [Option<Bytes>; B],
    ) {
        self.wants |= match kind {
            Kind::Open => WANTS_OPEN,
            Kind::SetNote => WANTS_NOTES,
            Kind::Post => WANTS_OUTBOX,
            _ => 0,
        };
        self.kinds.push(kind as i64);
        let mut given = numbers.into_iter();
        self.numbers.iter_mut().for_each(|column| column.push(given.next().unwrap_or(0)));
        let mut given = bytes.into_iter();
        self.bytes.iter_mut().for_each(|column| column.push(given.next().flatten()));
    }

    /// How many steps there are.
    pub(super) fn steps(&self) -> i64 {
        self.kinds.len() as i64
    }

    /// Whether it needs something that others hold, if its steps stand behind the first `before` of the group that was looked at.
    pub(super) fn needs(&self, held: &Held, before: i64) -> bool {
        let any = |names: &[i64], held: &[i64]| names.iter().any(|name| held.contains(name));
        self.wants & held.wants != 0
            || any(&self.actors, &held.actors)
            || any(&self.outs, &held.outs)
            || any(&self.letters, &held.letters)
            || held.steps.iter().any(|step| (before + 1..=before + self.steps()).contains(step))
    }

    /// What the group needs, as parameters of the statement that looks who holds it.
    pub(super) fn needed<'a>(&'a self, slices: &'a [Vec<Option<&'a [u8]>>; BYTES]) -> [&'a (dyn ToSql + Sync); 9] {
        let [names @ .., _] = slices;
        let [manufacturers, types, instances] = names;
        let (actors, outs, letters) = (&self.actors, &self.outs, &self.letters);
        [actors, outs, letters, &self.wants, &self.kinds, &self.numbers[0], manufacturers, types, instances]
    }

    /// The bytes of the steps, in columns.
    pub(super) fn slices(&self) -> [Vec<Option<&[u8]>>; BYTES] {
        self.bytes.each_ref().map(|column| column.iter().map(Option::as_deref).collect())
    }

    /// The group as parameters of the statement, behind those of `head`.
    pub(super) fn params<'a>(
        &'a self,
        head: &[&'a (dyn ToSql + Sync)],
        slices: &'a [Vec<Option<&'a [u8]>>; BYTES],
    ) -> Vec<&'a (dyn ToSql + Sync)> {
        let mut params = head.to_vec();
        params.extend([&self.actors as &(dyn ToSql + Sync), &self.outs, &self.letters, &self.wants, &self.kinds]);
        params.extend(self.numbers.iter().map(|column| column as &(dyn ToSql + Sync)));
        params.extend(slices.iter().map(|column| column as &(dyn ToSql + Sync)));
        params
    }
}

/// What others hold of what a group needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    actors: Vec<i64>,
    outs: Vec<i64>,
    letters: Vec<i64>,
    /// By their place in the group, from 1 on.
    steps: Vec<i64>,
    wants: i64,
}

impl Held {
    /// From what `locked` answers: what it is, and which.
    pub(super) fn of(rows: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let mut held = Self::default();
        for (kind, id) in rows {
            match kind {
                0 => held.actors.push(id),
                1 => held.outs.push(id),
                2 => held.letters.push(id),
                3 => held.steps.push(id),
                _ => held.wants |= id,
            }
        }
        held
    }
}

/// A number as the database has it. Larger ones are its largest: nothing has that number, and no limit is higher.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) const fn lane(priority: Priority) -> i64 {
    match priority {
        Priority::Signal => 0,
        Priority::Normal => 1,
    }
}

pub(super) fn text(text: &str) -> Option<Bytes> {
    Some(Bytes::copy_from_slice(text.as_bytes()))
}

#[cfg(test)]
mod tests;
