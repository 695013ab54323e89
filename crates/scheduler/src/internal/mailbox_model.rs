//! The mailbox as one would explain it: a list that is searched from the front. [`check_mailbox`] compares the real one
//! with it, step by step.

use std::num::NonZeroU32;

use crate::{
    FullPolicy, Key, Mailbox, MailboxConfig, Mode, Offer, Priority, SIGNAL_BYTES_RESERVED, SIGNALS_RESERVED, Ticket,
};

/// Drives a mailbox and its model with operations taken from `bytes`, whatever they are.
///
/// # Panics
/// Where the two differ, a limit is exceeded, or a message is lost or comes twice.
pub fn check_mailbox(bytes: &[u8]) {
    let mut bytes = bytes.iter().copied();
    let (Some(limits), Some(mode)) = (bytes.next(), bytes.next()) else { return };
    let slots = NonZeroU32::new(u32::from(mode >> 4)).unwrap_or(NonZeroU32::MIN);
    let config = MailboxConfig {
        capacity: usize::from(limits % 8),
        bytes_max: usize::from(limits / 8) * 4,
        mode: match mode % 3 {
            0 => Mode::Serial,
            1 => Mode::Concurrent(slots),
            _ => Mode::Keyed { lanes: slots },
        },
        full: if mode & 8 == 0 { FullPolicy::Reject } else { FullPolicy::Shed },
    };
    let mut pair = Pair::new(config);
    while let (Some(op), Some(argument)) = (bytes.next(), bytes.next()) {
        pair.step(op, argument);
        pair.compare();
    }
    pair.finish_all();
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    number: u32,
    priority: Priority,
    key: u64,
    bytes: usize,
}

/// Both mailboxes, and what runs.
struct Pair {
    real: Mailbox<u32>,
    config: MailboxConfig,
    /// In the order in which messages of one priority leave.
    queued: Vec<Item>,
    running: Vec<(Ticket, Item)>,
    paused: bool,
    offered: u32,
    settled: u32,
    put_back: usize,
}

impl Pair {
    fn new(config: MailboxConfig) -> Self {
        Self {
            real: Mailbox::new(config),
            config,
            queued: Vec::new(),
            running: Vec::new(),
            paused: false,
            offered: 0,
            settled: 0,
            put_back: 0,
        }
    }

    fn step(&mut self, op: u8, argument: u8) {
        match op % 16 {
            0..=3 => self.start_or_offer(Priority::Normal, argument),
            4..=6 => self.offer(Priority::Normal, argument),
            7..=8 => self.offer(Priority::Signal, argument),
            9..=10 => self.next(),
            11..=12 => self.finish(usize::from(argument)),
            13 => self.put_back(usize::from(argument)),
            14 if argument < 16 => self.drain(),
            14 => self.pause(),
            _ => self.resume(),
        }
    }

    fn item(&mut self, priority: Priority, argument: u8) -> Item {
        self.offered += 1;
        Item { number: self.offered, priority, key: u64::from(argument % 4), bytes: usize::from(argument / 4) }
    }

    fn start_or_offer(&mut self, priority: Priority, argument: u8) {
        let item = self.item(priority, argument);
        let expected = self.queued.is_empty() && self.has_slot() && !self.is_key_running(item.key);
        match self.real.try_start(Key::from_hash(item.key)) {
            Some(ticket) => {
                assert!(expected, "{item:?} started too early");
                self.running.push((ticket, item));
            }
            None => {
                assert!(!expected, "{item:?} could have started");
                self.offer_item(item);
            }
        }
    }

    fn offer(&mut self, priority: Priority, argument: u8) {
        let item = self.item(priority, argument);
        self.offer_item(item);
    }

    fn offer_item(&mut self, item: Item) {
        let shed = self.shed_for(&item);
        let offer = self.real.offer(item.number, item.priority, Key::from_hash(item.key), item.bytes);
        let Some(shed) = shed else {
            assert_eq!(offer, Offer::Full(item.number));
            self.settled += 1;
            return;
        };
        self.queued.retain(|queued| !shed.contains(&queued.number));
        self.queued.push(item);
        self.settled += u32::try_from(shed.len()).unwrap_or(u32::MAX);
        let wake = self.runnable().is_some();
        if shed.is_empty() {
            assert_eq!(offer, Offer::Queued { wake });
        } else {
            assert_eq!(offer, Offer::Shed { dropped: shed, wake });
        }
    }

    /// Which messages make room for `item`: none if there is room, `None` if there can be none.
    fn shed_for(&self, item: &Item) -> Option<Vec<u32>> {
        if self.fits(item, &self.queued) {
            return Some(Vec::new());
        }
        if self.config.full != FullPolicy::Shed || item.priority == Priority::Signal {
            return None;
        }
        let mut left = self.queued.clone();
        left.retain(|queued| queued.priority == Priority::Signal);
        if left.len() == self.queued.len() || !self.fits(item, &left) {
            return None;
        }
        let mut left = self.queued.clone();
        let mut shed = Vec::new();
        while !self.fits(item, &left) {
            let oldest = left.iter().position(|queued| queued.priority == Priority::Normal)?;
            shed.push(left.remove(oldest).number);
        }
        Some(shed)
    }

    fn fits(&self, item: &Item, queued: &[Item]) -> bool {
        let bytes = |counts: fn(&Item) -> bool| queued.iter().filter(|i| counts(i)).map(|i| i.bytes).sum::<usize>();
        let normal = |item: &Item| item.priority == Priority::Normal;
        if queued.is_empty() {
            return self.config.capacity > 0 || !normal(item);
        }
        let fits_reserve = queued.len() < self.config.capacity + SIGNALS_RESERVED
            && bytes(|_| true) + item.bytes <= self.config.bytes_max + SIGNAL_BYTES_RESERVED;
        let fits_normal = queued.iter().filter(|item| normal(item)).count() < self.config.capacity
            && bytes(|item| item.priority == Priority::Normal) + item.bytes <= self.config.bytes_max;
        fits_reserve && (fits_normal || !normal(item))
    }

    fn next(&mut self) {
        let expected = self.runnable().map(|at| self.queued.remove(at));
        match (self.real.next(), expected) {
            (Some((ticket, number)), Some(item)) => {
                assert_eq!(number, item.number, "not in order");
                self.running.push((ticket, item));
            }
            (None, None) => {}
            (real, expected) => panic!("took {real:?}, expected {expected:?}"),
        }
    }

    fn finish(&mut self, choice: usize) {
        let Some((ticket, _)) = self.choose(choice) else { return };
        self.settled += 1;
        assert_eq!(self.real.finish(ticket), self.runnable().is_some());
    }

    fn put_back(&mut self, choice: usize) {
        let Some((ticket, item)) = self.choose(choice) else { return };
        self.queued.insert(0, item.clone());
        self.put_back += 1;
        let runnable = self.real.put_back(ticket, item.number, item.priority, item.bytes);
        assert_eq!(runnable, self.runnable().is_some());
    }

    fn choose(&mut self, choice: usize) -> Option<(Ticket, Item)> {
        (!self.running.is_empty()).then(|| self.running.swap_remove(choice % self.running.len()))
    }

    fn drain(&mut self) {
        self.queued.sort_by_key(|item| item.priority);
        let expected: Vec<u32> = self.queued.drain(..).map(|item| item.number).collect();
        self.settled += u32::try_from(expected.len()).unwrap_or(u32::MAX);
        assert_eq!(self.real.drain().collect::<Vec<_>>(), expected);
    }

    fn pause(&mut self) {
        self.paused = true;
        self.real.pause();
    }

    fn resume(&mut self) {
        self.paused = false;
        assert_eq!(self.real.resume(), self.runnable().is_some());
    }

    fn has_slot(&self) -> bool {
        let slots = match self.config.mode {
            Mode::Serial => 1,
            Mode::Concurrent(slots) | Mode::Keyed { lanes: slots } => slots.get() as usize,
        };
        !self.paused && self.running.len() < slots
    }

    fn is_key_running(&self, key: u64) -> bool {
        matches!(self.config.mode, Mode::Keyed { .. }) && self.running.iter().any(|(_, item)| item.key == key)
    }

    /// Where the next message that may run stands.
    fn runnable(&self) -> Option<usize> {
        if !self.has_slot() {
            return None;
        }
        let find =
            |priority| self.queued.iter().position(|item| item.priority == priority && !self.is_key_running(item.key));
        find(Priority::Signal).or_else(|| find(Priority::Normal))
    }

    fn compare(&self) {
        assert_eq!(self.real.len(), self.queued.len());
        assert_eq!(self.real.bytes(), self.queued.iter().map(|item| item.bytes).sum::<usize>());
        assert_eq!(self.real.running() as usize, self.running.len());
        assert_eq!(self.real.is_idle(), self.queued.is_empty() && self.running.is_empty());
        assert!(self.real.len() <= self.config.capacity + SIGNALS_RESERVED + self.put_back);
        let unsettled = self.queued.len() + self.running.len();
        assert_eq!(self.offered, self.settled + u32::try_from(unsettled).unwrap_or(u32::MAX), "lost, or twice");
    }

    fn finish_all(&mut self) {
        self.resume();
        while !self.queued.is_empty() || !self.running.is_empty() {
            self.next();
            self.finish(0);
            self.compare();
        }
        assert!(self.real.is_idle() && self.real.lanes() == 0, "keys are kept for nothing");
    }
}
