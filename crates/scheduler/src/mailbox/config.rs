use std::num::NonZeroU32;

/// Signals that a mailbox takes beyond its capacity, so that one full of normal messages can still be told to stop,
/// or that a peer is gone. A node sends one signal per event; 64 outlasts every burst that one cause makes.
pub const SIGNALS_RESERVED: usize = 64;
/// Bytes that those signals may have beyond `bytes_max`. 1 KiB each is more than any of ours has.
pub const SIGNAL_BYTES_RESERVED: usize = 64 << 10;

/// Which of two queued messages goes first. Signals go before normal messages for as long as there are any: an actor
/// that is flooded with signals handles nothing else. Only the node and peers with a grant can send them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Before every normal message.
    Signal,
    /// In order of arrival.
    Normal,
}

/// How many messages of one actor run at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One at a time, in order.
    Serial,
    /// So many at a time; they start in order.
    Concurrent(NonZeroU32),
    /// One at a time per [`Key`], in order, and at most `lanes` in all.
    Keyed {
        /// The most that run at the same time.
        lanes: NonZeroU32,
    },
}

impl Mode {
    pub(super) const fn slots(self) -> u32 {
        match self {
            Self::Serial => 1,
            Self::Concurrent(slots) | Self::Keyed { lanes: slots } => slots.get(),
        }
    }
}

/// What happens to a message for which there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FullPolicy {
    /// Its caller is refused.
    Reject,
    /// Its caller waits for room. The mailbox gives the message back; whoever drives it waits.
    Wait,
    /// The oldest normal messages make room for it; their callers are refused.
    Shed,
}

/// The limits of a mailbox, and the order in which it hands messages out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxConfig {
    /// Messages that may be queued. Running ones do not count. Signals may go beyond by [`SIGNALS_RESERVED`].
    pub capacity: usize,
    /// Bytes that may be queued. An empty queue takes one message of any size, so that none is refused for ever.
    pub bytes_max: usize,
    /// How many run at the same time.
    pub mode: Mode,
    /// What happens when it is full. [`Mailbox::offer`](crate::Mailbox::offer) treats `Reject` and `Wait` alike.
    pub full: FullPolicy,
}

/// The default queue: 1,024 messages, 64 MiB, serial, reject.
impl Default for MailboxConfig {
    fn default() -> Self {
        Self {
            capacity: 1024,
            bytes_max: playhouse_types::limits::MESSAGE_BYTES_MAX,
            mode: Mode::Serial,
            full: FullPolicy::Reject,
        }
    }
}

/// What [`Mode::Keyed`] serialises by: a hash of the sender or of a field. Two keys whose hashes collide run one after
/// the other, which is only slower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u64);

impl Key {
    /// The key of messages that have none. They run one after the other, as those of any other key.
    pub const NONE: Self = Self(0);

    /// The key with this hash.
    #[must_use]
    pub const fn from_hash(hash: u64) -> Self {
        Self(hash)
    }
}
