//! Who runs next: the mailbox in front of each actor, duplicate suppression, supervision, dead letters, and the two
//! checks that keep actors from waiting for each other for ever.
//!
//! Everything here is a plain value without a lock, a task or a clock: time is an argument, and what has to happen is
//! the return value. The crate is *not* an executor; `playhouse-node` owns the tasks that drive it.
//!
//! Start from [`Mailbox`].

mod chain;
mod dedup;
mod mailbox;

pub use chain::{CallChain, ChainError};
pub use dedup::{CallId, Dedup, DedupConfig, Verdict, WAITERS_MAX};
pub use mailbox::{
    FullPolicy, Key, Mailbox, MailboxConfig, Mode, Offer, Priority, SIGNAL_BYTES_RESERVED, SIGNALS_RESERVED, Ticket,
};
