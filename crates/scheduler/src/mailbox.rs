use self::keyed::KeyedQueue;
use self::plain::PlainQueue;

mod config;
mod keyed;
mod plain;

pub use config::{FullPolicy, Key, MailboxConfig, Mode, Priority, SIGNAL_BYTES_RESERVED, SIGNALS_RESERVED};

/// The proof that one message of a mailbox runs. Give it back with [`Mailbox::finish`]; a lost ticket is a slot that is
/// taken for ever.
#[derive(Debug)]
#[must_use = "a ticket that is dropped takes its slot for ever"]
pub struct Ticket(Key);

/// What became of a message that was offered.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Offer<M> {
    /// It waits in the queue.
    Queued {
        /// Whether a message is runnable now and somebody has to call [`Mailbox::next`].
        wake: bool,
    },
    /// There is no room; here it is.
    Full(M),
    /// It waits in the queue, and these made room for it, the oldest first. There is at least one.
    Shed {
        /// The messages that were dropped. Their callers have to be told.
        dropped: Vec<M>,
        /// As in [`Offer::Queued`].
        wake: bool,
    },
}

/// The bounded queue in front of an actor, and who may run. Owns no lock, no task and no clock.
///
/// Whoever has a message first calls [`Mailbox::try_start`]; if that gives no ticket, [`Mailbox::offer`]. Whoever
/// is told to wake calls [`Mailbox::next`] until it returns `None`, runs each message that it gets, and gives its ticket back
/// to [`Mailbox::finish`], which says whether to call `next` again.
///
/// ```
/// use playhouse_scheduler::{Key, Mailbox, MailboxConfig, Offer, Priority};
///
/// let mut mailbox = Mailbox::new(MailboxConfig::default());
/// let first = mailbox.try_start(Key::NONE).expect("an idle mailbox starts at once");
/// assert!(mailbox.try_start(Key::NONE).is_none(), "it is serial");
/// assert_eq!(mailbox.offer("second", Priority::Normal, Key::NONE, 6), Offer::Queued { wake: false });
/// assert!(mailbox.finish(first), "the second may run now");
/// let (second, message) = mailbox.next().expect("it was said that one may run");
/// assert_eq!(message, "second");
/// assert!(!mailbox.finish(second));
/// ```
#[derive(Debug)]
pub struct Mailbox<M> {
    /// Slots that may be taken: those of the mode, or none while paused.
    open: u32,
    running: u32,
    /// Queued messages of both priorities.
    queued: usize,
    bytes: usize,
    queue: Queue<M>,
    config: MailboxConfig,
}

#[derive(Debug)]
enum Queue<M> {
    Plain(PlainQueue<M>),
    Keyed(Box<KeyedQueue<M>>),
}

/// A message in a queue.
#[derive(Debug)]
struct Entry<M> {
    message: M,
    key: Key,
    bytes: usize,
}

/// What a queue holds of one priority.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    messages: usize,
    bytes: usize,
}

impl<M> Mailbox<M> {
    /// An empty mailbox that is ready to run messages.
    #[must_use]
    pub fn new(config: MailboxConfig) -> Self {
        let queue = match config.mode {
            Mode::Serial | Mode::Concurrent(_) => Queue::Plain(PlainQueue::default()),
            Mode::Keyed { .. } => Queue::Keyed(Box::default()),
        };
        Self { open: config.mode.slots(), running: 0, queued: 0, bytes: 0, queue, config }
    }

    /// A ticket for a message that need not be queued: a slot is free and nothing waits. The caller runs it itself.
    #[inline]
    pub fn try_start(&mut self, key: Key) -> Option<Ticket> {
        if self.queued != 0 || self.running >= self.open {
            return None;
        }
        if let Queue::Keyed(queue) = &mut self.queue
            && !queue.try_start(key)
        {
            return None;
        }
        self.running += 1;
        Some(Ticket(key))
    }

    /// A ticket for a message that an already running one waits for, beyond the slots: none while the mailbox is paused. Without
    /// it, a concurrent actor that is entered again by its own calls could fill its slots with messages that wait for each other.
    pub fn start_nested(&mut self, key: Key) -> Option<Ticket> {
        if self.open == 0 || self.running == 0 {
            return None;
        }
        self.running += 1;
        Some(Ticket(key))
    }

    /// Puts `message`, which is `bytes` long, behind those of its priority.
    pub fn offer(&mut self, message: M, priority: Priority, key: Key, bytes: usize) -> Offer<M> {
        if self.has_room(priority, bytes) {
            let wake = self.push(priority, Entry { message, key, bytes });
            return Offer::Queued { wake };
        }
        if self.config.full == FullPolicy::Shed && priority == Priority::Normal && self.can_shed_for(bytes) {
            return self.shed_for(Entry { message, key, bytes });
        }
        Offer::Full(message)
    }

    /// Takes the next message that may run: signals before normal ones, each in order of arrival, passing over keys that
    /// are running.
    #[expect(clippy::should_implement_trait, reason = "a mailbox that has nothing now may have something later")]
    pub fn next(&mut self) -> Option<(Ticket, M)> {
        if self.queued == 0 || self.running >= self.open {
            return None;
        }
        let entry = match &mut self.queue {
            Queue::Plain(queue) => queue.pop(),
            Queue::Keyed(queue) => queue.pop(),
        }?;
        self.queued -= 1;
        self.bytes -= entry.bytes;
        self.running += 1;
        Some((Ticket(entry.key), entry.message))
    }

    /// Takes back the ticket of a message that has run. Whether a message is runnable now, and somebody has to call
    /// [`Mailbox::next`].
    #[inline]
    pub fn finish(&mut self, ticket: Ticket) -> bool {
        debug_assert!(self.running > 0, "a ticket came back twice, or to another mailbox");
        self.running = self.running.saturating_sub(1);
        if let Queue::Keyed(queue) = &mut self.queue {
            queue.finish(ticket.0);
        }
        self.is_runnable()
    }

    /// Takes back the ticket of a message that did not run to its end, because its actor crashed, and queues the message
    /// before all others of its priority and key. It is queued beyond the capacity if need be: there are at most as many
    /// of these as there were tickets. Whether a message is runnable now.
    pub fn put_back(&mut self, ticket: Ticket, message: M, priority: Priority, bytes: usize) -> bool {
        let entry = Entry { message, key: ticket.0, bytes };
        self.queued += 1;
        self.bytes += bytes;
        match &mut self.queue {
            Queue::Plain(queue) => queue.push_front(priority, entry),
            Queue::Keyed(queue) => queue.push_front(priority, entry),
        }
        self.finish(ticket)
    }

    /// Starts nothing more until [`Mailbox::resume`]. Messages are still queued, and running ones finish.
    pub fn pause(&mut self) {
        self.open = 0;
    }

    /// Ends a pause. Whether a message is runnable now, and somebody has to call [`Mailbox::next`].
    #[must_use]
    pub fn resume(&mut self) -> bool {
        self.open = self.config.mode.slots();
        self.is_runnable()
    }

    /// Takes everything out, in the order in which it would have run at the earliest, so that each caller gets an answer.
    pub fn drain(&mut self) -> impl Iterator<Item = M> + use<M> {
        self.queued = 0;
        self.bytes = 0;
        let entries = match &mut self.queue {
            Queue::Plain(queue) => queue.drain(),
            Queue::Keyed(queue) => queue.drain(),
        };
        entries.into_iter().map(|entry| entry.message)
    }

    /// Messages that are queued.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queued
    }

    /// Whether nothing is queued.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queued == 0
    }

    /// Whether something is queued for which that holds.
    #[must_use]
    pub fn any(&self, mut holds: impl FnMut(&M) -> bool) -> bool {
        match &self.queue {
            Queue::Plain(queue) => queue.entries().any(|entry| holds(&entry.message)),
            Queue::Keyed(queue) => queue.entries().any(|entry| holds(&entry.message)),
        }
    }

    /// Bytes that are queued.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Messages that run.
    #[must_use]
    pub fn running(&self) -> u32 {
        self.running
    }

    /// Whether nothing is queued and nothing runs.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queued == 0 && self.running == 0
    }

    /// Normal messages that may be queued.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.config.capacity
    }

    /// What was given to [`Mailbox::new`].
    #[must_use]
    pub fn config(&self) -> &MailboxConfig {
        &self.config
    }

    /// Whether a message of `bytes` would be queued without shedding others.
    #[must_use]
    pub fn has_room(&self, priority: Priority, bytes: usize) -> bool {
        let all = Load { messages: self.queued, bytes: self.bytes };
        self.fits(priority, bytes, all, self.normal_load())
    }

    /// Whether a message fits beside these. Signals that wait take no room from normal messages while the reserve holds them.
    fn fits(&self, priority: Priority, bytes: usize, all: Load, normal: Load) -> bool {
        if all.messages == 0 {
            return self.config.capacity > 0 || priority == Priority::Signal;
        }
        let fits_reserve = all.messages < self.config.capacity.saturating_add(SIGNALS_RESERVED)
            && all.bytes.saturating_add(bytes) <= self.config.bytes_max.saturating_add(SIGNAL_BYTES_RESERVED);
        let fits_normal =
            normal.messages < self.config.capacity && normal.bytes.saturating_add(bytes) <= self.config.bytes_max;
        fits_reserve && (fits_normal || priority == Priority::Signal)
    }

    #[inline]
    fn normal_load(&self) -> Load {
        match &self.queue {
            Queue::Plain(queue) => queue.normal_load(),
            Queue::Keyed(queue) => queue.normal_load(),
        }
    }

    /// Keys that are kept: those that run or wait.
    pub(crate) fn lanes(&self) -> usize {
        match &self.queue {
            Queue::Plain(_) => 0,
            Queue::Keyed(queue) => queue.lanes(),
        }
    }

    #[inline]
    fn is_runnable(&self) -> bool {
        self.queued != 0
            && self.running < self.open
            && match &self.queue {
                Queue::Plain(_) => true,
                Queue::Keyed(queue) => queue.is_ready(),
            }
    }

    fn push(&mut self, priority: Priority, entry: Entry<M>) -> bool {
        self.queued += 1;
        self.bytes += entry.bytes;
        match &mut self.queue {
            Queue::Plain(queue) => queue.push(priority, entry),
            Queue::Keyed(queue) => queue.push(priority, entry),
        }
        self.is_runnable()
    }

    /// Whether there would be room for a message of `bytes` if every normal message were dropped, and there is one.
    fn can_shed_for(&self, bytes: usize) -> bool {
        let normal = self.normal_load();
        let signals = Load { messages: self.queued - normal.messages, bytes: self.bytes - normal.bytes };
        normal.messages > 0 && self.fits(Priority::Normal, bytes, signals, Load::default())
    }

    fn shed_for(&mut self, entry: Entry<M>) -> Offer<M> {
        let mut dropped = Vec::with_capacity(1);
        while !self.has_room(Priority::Normal, entry.bytes) {
            let oldest = match &mut self.queue {
                Queue::Plain(queue) => queue.shed(),
                Queue::Keyed(queue) => queue.shed(),
            };
            let Some(oldest) = oldest else { break };
            self.queued -= 1;
            self.bytes -= oldest.bytes;
            dropped.push(oldest.message);
        }
        let wake = self.push(Priority::Normal, entry);
        Offer::Shed { dropped, wake }
    }
}

#[cfg(test)]
mod tests;
