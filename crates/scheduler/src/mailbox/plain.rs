use std::collections::VecDeque;

use super::{Entry, Load, Priority};

/// Room for messages that an empty queue keeps. More is given back, so that a burst does not cost memory for ever.
const KEPT_WHEN_EMPTY: usize = 32;

/// The queue of actors whose messages have no keys.
#[derive(Debug)]
pub(super) struct PlainQueue<M> {
    signals: VecDeque<Entry<M>>,
    normals: VecDeque<Entry<M>>,
    normal_bytes: usize,
}

impl<M> Default for PlainQueue<M> {
    fn default() -> Self {
        Self { signals: VecDeque::new(), normals: VecDeque::new(), normal_bytes: 0 }
    }
}

impl<M> PlainQueue<M> {
    pub(super) fn push(&mut self, priority: Priority, entry: Entry<M>) {
        match priority {
            Priority::Signal => self.signals.push_back(entry),
            Priority::Normal => {
                self.normal_bytes += entry.bytes;
                self.normals.push_back(entry);
            }
        }
    }

    pub(super) fn push_front(&mut self, priority: Priority, entry: Entry<M>) {
        match priority {
            Priority::Signal => self.signals.push_front(entry),
            Priority::Normal => {
                self.normal_bytes += entry.bytes;
                self.normals.push_front(entry);
            }
        }
    }

    pub(super) fn pop(&mut self) -> Option<Entry<M>> {
        self.pop_signal().or_else(|| self.shed())
    }

    /// Takes the oldest normal message.
    pub(super) fn shed(&mut self) -> Option<Entry<M>> {
        let entry = self.normals.pop_front()?;
        self.normal_bytes -= entry.bytes;
        shrink(&mut self.normals);
        Some(entry)
    }

    pub(super) fn normal_load(&self) -> Load {
        Load { messages: self.normals.len(), bytes: self.normal_bytes }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry<M>> {
        self.signals.iter().chain(&self.normals)
    }

    pub(super) fn drain(&mut self) -> Vec<Entry<M>> {
        self.normal_bytes = 0;
        std::mem::take(&mut self.signals).into_iter().chain(std::mem::take(&mut self.normals)).collect()
    }

    /// Messages for which memory is kept.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.signals.capacity() + self.normals.capacity()
    }

    fn pop_signal(&mut self) -> Option<Entry<M>> {
        let entry = self.signals.pop_front()?;
        shrink(&mut self.signals);
        Some(entry)
    }
}

fn shrink<T>(queue: &mut VecDeque<T>) {
    if queue.is_empty() && queue.capacity() > KEPT_WHEN_EMPTY {
        queue.shrink_to(KEPT_WHEN_EMPTY);
    }
}
