use crate::error::StoreError;
use crate::limits::{CAUSE_BYTES_MAX, MESSAGE_OVERHEAD_BYTES};
use crate::model::{ActorKey, Bury, Letter, LetterId, Message, Position, QueueLimits, Queued, Time};

use super::book::Ledger;
use super::change::{Change, Flow};
use super::rows::{Known, KnownBrief};
use super::sizes;

/// A letter before it has an id.
pub(super) struct LetterDraft<'a> {
    pub(super) actor: ActorKey,
    pub(super) at: Time,
    pub(super) cause: &'a str,
    pub(super) attempts: u32,
    pub(super) message: &'a Message,
}

/// What a letter counts for.
pub(crate) fn letter_bytes(cause: &str, message: &Message) -> u64 {
    message.bytes() + cause.len() as u64 + MESSAGE_OVERHEAD_BYTES
}

impl Ledger<'_> {
    /// Keeps a letter, in place of the oldest ones if need be. `None` if it is larger than the whole box and was dropped itself.
    pub(super) fn post_letter(&mut self, draft: LetterDraft<'_>) -> Result<Option<LetterId>, StoreError> {
        let cut = (0..=draft.cause.len().min(CAUSE_BYTES_MAX)).rev().find(|&end| draft.cause.is_char_boundary(end));
        let cause = draft.cause[..cut.unwrap_or(0)].to_owned();
        let bytes = letter_bytes(&cause, draft.message);
        let (letters_max, bytes_max) = (self.book.retention.letters, self.book.retention.letter_bytes);
        if bytes > bytes_max || letters_max == 0 {
            self.book.counters.letters_dropped += 1;
            return Ok(None);
        }
        while self.book.counters.letters >= letters_max || self.book.counters.letters_bytes + bytes > bytes_max {
            let Some((oldest, bytes)) = self.rows.oldest_letter(self.book.letters_stuck)? else {
                break;
            };
            let removed = self.remove_letter(oldest, bytes);
            if matches!(removed, Err(StoreError::Corrupt(_))) {
                // As with replies, but that the next one goes in its place.
                self.book.letters_stuck = oldest;
                self.book.stumbled = true;
            }
            removed?;
            self.book.counters.letters_dropped += 1;
        }
        self.book.counters.letter += 1;
        self.book.counters.letters += 1;
        self.book.counters.letters_bytes += bytes;
        let id = LetterId::from_number(self.book.counters.letter);
        let LetterDraft { actor, at, attempts, message, .. } = draft;
        self.rows.put_letter(&Letter { id, actor, at, cause, attempts, message: message.clone() })?;
        Ok(Some(id))
    }

    fn remove_letter(&mut self, id: LetterId, bytes: u64) -> Result<(), StoreError> {
        let counters = &mut self.book.counters;
        counters.letters = counters.letters.saturating_sub(1);
        counters.letters_bytes = counters.letters_bytes.saturating_sub(bytes);
        self.rows.delete_letter(id)
    }
}

impl Change for Bury {
    type Answer = Option<LetterId>;

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<Option<LetterId>, StoreError> {
        sizes::check_message(&self.message)?;
        ledger.actor(self.actor)?;
        let Self { actor, now, cause, attempts, message } = self;
        ledger.post_letter(LetterDraft { actor: *actor, at: *now, cause, attempts: *attempts, message })
    }

    fn bytes(&self) -> u64 {
        letter_bytes(&self.cause, &self.message)
    }

    fn flow(&self) -> Flow {
        Flow::Inward
    }

    fn now(&self) -> Option<Time> {
        Some(self.now)
    }
}

/// [`Store::retry_letter`](crate::Store::retry_letter).
pub(crate) struct RetryLetter {
    pub(crate) id: LetterId,
    pub(crate) now: Time,
    pub(crate) limits: QueueLimits,
}

impl Change for RetryLetter {
    type Answer = Position;

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<Position, StoreError> {
        let letter = ledger.rows.letter(self.id)?.ok_or_else(|| not_found(self.id))?;
        let Letter { actor, cause, message, .. } = letter;
        let bytes = message.bytes();
        ledger.check_room(actor, bytes, self.limits)?;
        let request = message.request_key();
        let known = request.as_ref().map(|request| ledger.rows.request_brief(actor, request));
        let replaced = match known.transpose()?.flatten() {
            Some(KnownBrief::Pending) => return Err(StoreError::RequestWaits { actor }),
            Some(KnownBrief::Answered { bytes }) => Some(bytes),
            None => None,
        };

        let position = ledger.free_position(message.priority);
        ledger.remove_letter(self.id, letter_bytes(&cause, &message))?;
        ledger.forget_reply(replaced);
        if let Some(request) = &request {
            ledger.rows.put_request(actor, request, &Known::Pending(position))?;
        }
        ledger.put_in(actor, &Queued { position, at: self.now, attempts: 0, message })?;
        Ok(position)
    }

    fn bytes(&self) -> u64 {
        0
    }

    fn flow(&self) -> Flow {
        Flow::Inward
    }

    fn now(&self) -> Option<Time> {
        Some(self.now)
    }
}

fn not_found(id: LetterId) -> StoreError {
    StoreError::NotFound { what: "dead letter", name: id.number().to_string() }
}

/// [`Store::drop_letter`](crate::Store::drop_letter).
pub(crate) struct DropLetter(pub(crate) LetterId);

impl Change for DropLetter {
    type Answer = bool;

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<bool, StoreError> {
        match ledger.rows.letter_bytes(self.0)? {
            Some(bytes) => ledger.remove_letter(self.0, bytes).map(|()| true),
            None => Ok(false),
        }
    }

    fn bytes(&self) -> u64 {
        0
    }
}
