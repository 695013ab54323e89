use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hashbrown::HashMap;

use super::{Entry, Key, Load, Priority};

const MIDDLE: u64 = 1 << 63;

/// Where a message stands: signals first, then order of arrival.
type Place = (Priority, u64);

/// The queue of actors that run one message per key. Every operation is logarithmic in what is queued, however many
/// messages wait for a key that is running.
#[derive(Debug)]
pub(super) struct KeyedQueue<M> {
    messages: BTreeMap<Place, Entry<M>>,
    /// The keys that run or wait. A key that does neither is not kept.
    lanes: HashMap<Key, Lane>,
    /// The first message of every key that waits and does not run.
    ready: BTreeSet<Place>,
    /// Numbers of arrival that are free on both sides of those in use. They start in the middle and never run out.
    first_arrival: u64,
    next_arrival: u64,
    normal: Load,
}

/// One key. Its places point into `messages`.
#[derive(Debug, Default)]
struct Lane {
    running: bool,
    signals: VecDeque<u64>,
    normals: VecDeque<u64>,
}

impl Lane {
    fn first(&self) -> Option<Place> {
        let signal = self.signals.front().map(|&arrival| (Priority::Signal, arrival));
        signal.or_else(|| self.normals.front().map(|&arrival| (Priority::Normal, arrival)))
    }

    fn of(&mut self, priority: Priority) -> &mut VecDeque<u64> {
        match priority {
            Priority::Signal => &mut self.signals,
            Priority::Normal => &mut self.normals,
        }
    }
}

impl<M> Default for KeyedQueue<M> {
    fn default() -> Self {
        Self {
            messages: BTreeMap::new(),
            lanes: HashMap::new(),
            ready: BTreeSet::new(),
            first_arrival: MIDDLE,
            next_arrival: MIDDLE,
            normal: Load::default(),
        }
    }
}

impl<M> KeyedQueue<M> {
    /// Marks `key` as running, unless it is.
    pub(super) fn try_start(&mut self, key: Key) -> bool {
        let lane = self.lanes.entry(key).or_default();
        !std::mem::replace(&mut lane.running, true)
    }

    pub(super) fn finish(&mut self, key: Key) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        lane.running = false;
        match lane.first() {
            Some(place) => {
                self.ready.insert(place);
            }
            None => {
                self.lanes.remove(&key);
            }
        }
    }

    pub(super) fn push(&mut self, priority: Priority, entry: Entry<M>) {
        let arrival = self.next_arrival;
        self.next_arrival += 1;
        self.insert((priority, arrival), entry, VecDeque::push_back);
    }

    pub(super) fn push_front(&mut self, priority: Priority, entry: Entry<M>) {
        self.first_arrival -= 1;
        let arrival = self.first_arrival;
        self.insert((priority, arrival), entry, VecDeque::push_front);
    }

    fn insert(&mut self, place: Place, entry: Entry<M>, push: fn(&mut VecDeque<u64>, u64)) {
        if place.0 == Priority::Normal {
            self.normal.messages += 1;
            self.normal.bytes += entry.bytes;
        }
        let lane = self.lanes.entry(entry.key).or_default();
        let before = lane.first();
        push(lane.of(place.0), place.1);
        if !lane.running {
            replace(&mut self.ready, before, lane.first());
        }
        self.messages.insert(place, entry);
    }

    pub(super) fn pop(&mut self) -> Option<Entry<M>> {
        let place = self.ready.pop_first()?;
        let entry = self.take(place)?;
        if let Some(lane) = self.lanes.get_mut(&entry.key) {
            lane.of(place.0).pop_front();
            lane.running = true;
        }
        Some(entry)
    }

    /// Takes the oldest normal message, which is the oldest of its key too.
    pub(super) fn shed(&mut self) -> Option<Entry<M>> {
        let place = *self.messages.range((Priority::Normal, 0)..).next()?.0;
        let entry = self.take(place)?;
        let lane = self.lanes.get_mut(&entry.key)?;
        let before = lane.first();
        lane.normals.pop_front();
        if !lane.running {
            replace(&mut self.ready, before, lane.first());
            if lane.first().is_none() {
                self.lanes.remove(&entry.key);
            }
        }
        Some(entry)
    }

    /// Keys that are kept.
    pub(super) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(super) fn normal_load(&self) -> Load {
        self.normal
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry<M>> {
        self.messages.values()
    }

    pub(super) fn drain(&mut self) -> Vec<Entry<M>> {
        self.normal = Load::default();
        self.ready.clear();
        self.lanes.retain(|_, lane| {
            lane.signals.clear();
            lane.normals.clear();
            lane.running
        });
        std::mem::take(&mut self.messages).into_values().collect()
    }

    fn take(&mut self, place: Place) -> Option<Entry<M>> {
        let entry = self.messages.remove(&place)?;
        if place.0 == Priority::Normal {
            self.normal.messages -= 1;
            self.normal.bytes -= entry.bytes;
        }
        Some(entry)
    }
}

fn replace(ready: &mut BTreeSet<Place>, before: Option<Place>, after: Option<Place>) {
    if before == after {
        return;
    }
    if let Some(before) = before {
        ready.remove(&before);
    }
    ready.extend(after);
}
