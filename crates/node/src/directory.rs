//! Which actors a node has.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use playhouse_types::{ActorId, ActorType, Serial};

use crate::cell::Cell;

#[derive(Default)]
pub(crate) struct Directory {
    table: RwLock<Table>,
}

/// The actors of one type, and whose turn it is.
#[derive(Default)]
struct Peers {
    cells: BTreeMap<Serial, Arc<Cell>>,
    /// The serial that was found last.
    turn: AtomicU64,
}

#[derive(Default)]
struct Table {
    by_serial: HashMap<Serial, Arc<Cell>>,
    by_type: HashMap<ActorType, Peers>,
}

impl Directory {
    pub(crate) fn insert(&self, cell: Arc<Cell>) {
        let mut table = self.table.write();
        table
            .by_type
            .entry(cell.id().actor_type().clone())
            .or_default()
            .cells
            .insert(cell.id().serial(), Arc::clone(&cell));
        table.by_serial.insert(cell.id().serial(), cell);
    }

    /// Removes an actor, but not another one that has its id since.
    pub(crate) fn remove(&self, cell: &Cell) {
        let id = cell.id();
        let mut table = self.table.write();
        if !table.by_serial.get(&id.serial()).is_some_and(|found| std::ptr::eq(&**found, cell)) {
            return;
        }
        table.by_serial.remove(&id.serial());
        if let Some(peers) = table.by_type.get_mut(id.actor_type()) {
            peers.cells.remove(&id.serial());
            if peers.cells.is_empty() {
                table.by_type.remove(id.actor_type());
            }
        }
    }

    pub(crate) fn get(&self, id: &ActorId) -> Option<Arc<Cell>> {
        self.by_serial(id.serial()).filter(|cell| cell.id() == id)
    }

    /// The actor with that number, which no other actor of the node ever has.
    pub(crate) fn by_serial(&self, serial: Serial) -> Option<Arc<Cell>> {
        self.table.read().by_serial.get(&serial).cloned()
    }

    /// An actor of that type that takes messages; each in turn if there are several.
    pub(crate) fn discover(&self, actor_type: &ActorType) -> Option<ActorId> {
        let table = self.table.read();
        let Peers { cells, turn } = table.by_type.get(actor_type)?;
        let last = Serial::new(turn.load(Ordering::Relaxed));
        let after = cells.range((Bound::Excluded(last), Bound::Unbounded));
        let (serial, cell) = after.chain(cells.range(..=last)).find(|(_, cell)| cell.is_open())?;
        turn.store(serial.number(), Ordering::Relaxed);
        Some(cell.id().clone())
    }

    pub(crate) fn all(&self) -> Vec<Arc<Cell>> {
        self.table.read().by_serial.values().cloned().collect()
    }
}
