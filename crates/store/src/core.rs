//! What the writes of the contract mean, once for all back ends that offer rows: each is checked against the rows, and then
//! made. A back end is its [`Rows`] and the way it makes a group of changes durable.

mod book;
mod change;
mod commit;
mod fresh;
mod letters;
mod outbox;
mod owners;
mod plan;
mod queue;
mod replies;
mod rows;
pub(crate) mod sizes;
mod vault;

pub(crate) use book::{Book, Ledger};
pub(crate) use change::{Change, Flow};
pub(crate) use letters::{DropLetter, RetryLetter, letter_bytes};
pub(crate) use outbox::{OutboxDone, OutboxFailed};
pub(crate) use owners::{Release, Renew};
pub(crate) use replies::ExpireReplies;
pub(crate) use rows::{Brief, Counters, Known, KnownBrief, Reads, ReplyBrief, Rows, reply_bytes};
pub(crate) use vault::{Reseal, SetNote};
