use std::time::Duration;

use bytes::Bytes;

use crate::error::StoreError;
use crate::model::{ActorKey, RequestKey, Time};

use super::book::Ledger;
use super::change::Change;
use super::rows::{Known, KnownBrief, reply_bytes};

/// Replies that one group forgets because of their age: some hundred microseconds of work.
pub(super) const EXPIRED_PER_GROUP_MAX: usize = 128;
/// How long after damage was met among the replies nothing is forgotten.
const FORGET_AGAIN: Duration = Duration::from_secs(60);
/// Replies that are looked at together.
const LOOK: usize = 64;

impl Ledger<'_> {
    /// Remembers the reply to a request, in place of one that counted for `replaced`.
    pub(super) fn record(
        &mut self,
        actor: ActorKey,
        request: &RequestKey,
        reply: Option<Bytes>,
        replaced: Option<u64>,
    ) -> Result<(), StoreError> {
        let at = self.book.now;
        if let Some(bytes) = replaced {
            self.uncount(bytes);
        }
        self.book.oldest_reply = self.book.oldest_reply.map(|oldest| oldest.min(at));
        self.book.counters.replies += 1;
        self.book.counters.replies_bytes += reply_bytes(request, reply.as_ref());
        self.rows.put_request(actor, request, &Known::Answered { at, reply })
    }

    /// What a reply counts for that is about to be replaced. If it is damaged that does not matter any more.
    pub(super) fn replaced_reply(&self, actor: ActorKey, request: &RequestKey) -> Result<Option<u64>, StoreError> {
        match self.rows.request_brief(actor, request) {
            Ok(Some(KnownBrief::Answered { bytes })) => Ok(Some(bytes)),
            Ok(_) | Err(StoreError::Corrupt(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn forget_reply(&mut self, replaced: Option<u64>) {
        if let Some(bytes) = replaced {
            self.uncount(bytes);
        }
    }

    fn uncount(&mut self, bytes: u64) {
        let counters = &mut self.book.counters;
        counters.replies = counters.replies.saturating_sub(1);
        counters.replies_bytes = counters.replies_bytes.saturating_sub(bytes);
    }

    /// Forgets the oldest replies while there are too many bytes of them, and up to `expired_max` that are too old.
    pub(super) fn forget_old_replies(&mut self, expired_max: usize) -> Result<u64, StoreError> {
        let mut gone = 0;
        if self.book.forget_again.is_some_and(|again| self.book.now < again) {
            return Ok(gone);
        }
        let limit = self.book.now.before(self.book.retention.reply_age);
        loop {
            let heavy = self.book.counters.replies_bytes > self.book.retention.reply_bytes;
            let old = self.book.oldest_reply.is_none_or(|oldest| oldest < limit) && gone < expired_max as u64;
            if self.book.counters.replies == 0 || !(heavy || old) {
                return Ok(gone);
            }
            let looked_at = self.stumble(self.rows.oldest_replies(LOOK))?;
            let before = gone;
            for brief in looked_at {
                self.book.oldest_reply = Some(brief.at);
                if brief.at >= limit && self.book.counters.replies_bytes <= self.book.retention.reply_bytes {
                    return Ok(gone);
                }
                let deleted = self.rows.delete_request(brief.actor, &brief.request);
                self.stumble(deleted)?;
                self.uncount(brief.bytes);
                gone += 1;
            }
            if gone == before {
                // The counters say that there are replies and there are none: count anew from here.
                self.book.counters.replies = 0;
                self.book.counters.replies_bytes = 0;
            }
        }
    }
}

impl Ledger<'_> {
    /// Damage among the replies that are to be forgotten is nobody's fault whose write is under way. A database that has met damage writes
    /// no more in that transaction: the group is made again, and the replies are left alone for a while.
    fn stumble<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if matches!(result, Err(StoreError::Corrupt(_))) {
            self.book.forget_again = Some(self.book.now.after(FORGET_AGAIN));
            self.book.stumbled = true;
        }
        result
    }
}

/// [`Store::expire_replies`](crate::Store::expire_replies).
pub(crate) struct ExpireReplies(pub(crate) Time);

impl Change for ExpireReplies {
    type Answer = u64;

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<u64, StoreError> {
        ledger.see(Some(self.0));
        ledger.forget_old_replies(crate::limits::BATCH_ITEMS_MAX)
    }

    fn bytes(&self) -> u64 {
        0
    }

    fn now(&self) -> Option<Time> {
        Some(self.0)
    }
}
