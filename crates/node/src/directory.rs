//! Which actors a node has.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RwLock;
use playhouse_types::{ActorId, ActorType};

use crate::cell::Cell;

#[derive(Default)]
pub(crate) struct Directory {
    table: RwLock<Table>,
    turn: AtomicUsize,
}

#[derive(Default)]
struct Table {
    by_id: HashMap<ActorId, Arc<Cell>>,
    by_type: HashMap<ActorType, Vec<ActorId>>,
}

impl Directory {
    pub(crate) fn insert(&self, cell: Arc<Cell>) {
        let mut table = self.table.write();
        table.by_type.entry(cell.id().actor_type().clone()).or_default().push(cell.id().clone());
        table.by_id.insert(cell.id().clone(), cell);
    }

    pub(crate) fn remove(&self, id: &ActorId) {
        let mut table = self.table.write();
        table.by_id.remove(id);
        if let Some(ids) = table.by_type.get_mut(id.actor_type()) {
            if let Some(at) = ids.iter().position(|other| other == id) {
                ids.swap_remove(at);
            }
            if ids.is_empty() {
                table.by_type.remove(id.actor_type());
            }
        }
    }

    pub(crate) fn get(&self, id: &ActorId) -> Option<Arc<Cell>> {
        self.table.read().by_id.get(id).cloned()
    }

    /// An actor of that type; each in turn if there are several.
    pub(crate) fn discover(&self, actor_type: &ActorType) -> Option<ActorId> {
        let table = self.table.read();
        let ids = table.by_type.get(actor_type)?;
        ids.get(self.turn.fetch_add(1, Ordering::Relaxed) % ids.len()).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Cell>> {
        self.table.read().by_id.values().cloned().collect()
    }
}
