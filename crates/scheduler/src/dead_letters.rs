use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Instant;

use playhouse_types::ActorError;

/// Which dead letter. Ids count up from 1 and are not used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadLetterId(u64);

impl DeadLetterId {
    /// The letter with this number, if there is one.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DeadLetterId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A message that was given up, and why.
#[derive(Debug)]
pub struct DeadLetter<M> {
    /// When.
    pub at: Instant,
    /// Why.
    pub cause: ActorError,
    /// How large it is.
    pub bytes: usize,
    /// The message.
    pub message: M,
}

/// Messages that were given up, kept for an operator to look at, retry or drop. Bounded by count and bytes: the oldest go
/// first, and are counted.
#[derive(Debug)]
pub struct DeadLetters<M> {
    letters: BTreeMap<DeadLetterId, DeadLetter<M>>,
    last: u64,
    bytes: usize,
    dropped: u64,
    letters_max: usize,
    bytes_max: usize,
}

impl<M> DeadLetters<M> {
    /// An empty box for at most so many letters and bytes.
    #[must_use]
    pub fn new(letters_max: usize, bytes_max: usize) -> Self {
        Self { letters: BTreeMap::new(), last: 0, bytes: 0, dropped: 0, letters_max, bytes_max }
    }

    /// Keeps `letter`, dropping the oldest ones if need be. `None` if it is larger than the whole box and was dropped itself.
    pub fn push(&mut self, letter: DeadLetter<M>) -> Option<DeadLetterId> {
        if letter.bytes > self.bytes_max || self.letters_max == 0 {
            self.dropped += 1;
            return None;
        }
        self.last += 1;
        let id = DeadLetterId(self.last);
        self.insert(id, letter);
        Some(id)
    }

    /// Keeps a letter again that was taken out; as old as it was, so it may be the one that has to go.
    pub fn put_back(&mut self, id: DeadLetterId, letter: DeadLetter<M>) {
        self.insert(id, letter);
    }

    fn insert(&mut self, id: DeadLetterId, letter: DeadLetter<M>) {
        self.bytes += letter.bytes;
        if let Some(replaced) = self.letters.insert(id, letter) {
            self.bytes -= replaced.bytes;
        }
        while self.letters.len() > self.letters_max || self.bytes > self.bytes_max {
            let Some((_, oldest)) = self.letters.pop_first() else { return };
            self.bytes -= oldest.bytes;
            self.dropped += 1;
        }
    }

    /// The letters, the oldest first.
    pub fn list(&self) -> impl Iterator<Item = (DeadLetterId, &DeadLetter<M>)> {
        self.letters.iter().map(|(id, letter)| (*id, letter))
    }

    /// The letter with that id.
    #[must_use]
    pub fn get(&self, id: DeadLetterId) -> Option<&DeadLetter<M>> {
        self.letters.get(&id)
    }

    /// Takes the letter with that id out, to retry it or to drop it.
    pub fn take(&mut self, id: DeadLetterId) -> Option<DeadLetter<M>> {
        let letter = self.letters.remove(&id)?;
        self.bytes -= letter.bytes;
        Some(letter)
    }

    /// Letters that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.letters.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// Bytes that are kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Letters that had to go for want of room, since the beginning.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests;
