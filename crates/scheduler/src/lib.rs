//! Who runs next: the mailbox in front of each actor, duplicate suppression, supervision, dead letters, and the two
//! checks that keep actors from waiting for each other for ever.
//!
//! Everything here is a plain value without a lock, a task or a clock: time is an argument, and what has to happen is
//! the return value. The crate is *not* an executor; `playhouse-node` owns the tasks that drive it.
//!
//! Start from [`Mailbox`].

mod chain;
mod dead_letters;
mod dedup;
#[doc(hidden)]
pub mod internal;
mod mailbox;
mod supervisor;
mod waits;

pub use chain::{CallChain, ChainError};
pub use dead_letters::{DeadLetter, DeadLetterId, DeadLetters};
pub use dedup::{CallId, Dedup, DedupConfig, Verdict, WAITERS_MAX};
pub use mailbox::{
    FullPolicy, Key, Mailbox, MailboxConfig, Mode, Offer, Priority, SIGNAL_BYTES_RESERVED, SIGNALS_RESERVED, Ticket,
};
pub use supervisor::{Phase, Restart, RestartPolicy, Sentence, Supervisor};
pub use waits::{CycleError, WAITERS_PER_WAIT, WALK_MAX, WaitId, Waits};
