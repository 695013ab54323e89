use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::types::Value;

use crate::contract::Report;
use crate::error::{Damage, StoreError};
use crate::model::ActorKey;

use super::check::Records;

/// What was found damaged when the store was opened, so that nobody is told that something is not there which only cannot be found.
/// Actors that are not in it run on.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    actors: BTreeMap<ActorKey, Arc<Damage>>,
    tables: BTreeMap<&'static str, Arc<Damage>>,
}

/// Something that is damaged, and whose it is as far as can be said.
pub(super) struct Finding {
    pub(super) damage: Damage,
    pub(super) table: &'static str,
    pub(super) actor: Option<ActorKey>,
    /// Its key, if it is a row that stands for itself.
    pub(super) key: Option<Key>,
}

/// The columns and values of a key.
pub(super) type Key = (&'static [&'static str], Vec<Value>);

impl Quarantine {
    pub(super) fn new(records: &Records) -> Self {
        let mut quarantine = Self::default();
        let mut last: Option<Arc<Damage>> = None;
        for Finding { damage, table, actor, .. } in &records.findings {
            let damage = last.insert(Arc::new(damage.clone()));
            quarantine.tables.entry(table).or_insert_with(|| Arc::clone(damage));
            if let Some(actor) = actor {
                quarantine.actors.entry(*actor).or_insert_with(|| Arc::clone(damage));
            }
        }
        // Those that were only counted have the last one in place of their own.
        if let Some(damage) = last {
            for table in &records.tables {
                quarantine.tables.entry(table).or_insert_with(|| Arc::clone(&damage));
            }
            for actor in &records.actors {
                quarantine.actors.entry(*actor).or_insert_with(|| Arc::clone(&damage));
            }
        }
        quarantine
    }

    /// Refuses what is asked of an actor that is damaged.
    pub(super) fn check(&self, actor: ActorKey) -> Result<(), StoreError> {
        if self.actors.is_empty() {
            return Ok(());
        }
        self.actors.get(&actor).map_or(Ok(()), |damage| Err(Damage::clone(damage).into()))
    }

    pub(super) fn holds(&self, actor: ActorKey) -> bool {
        self.actors.contains_key(&actor)
    }

    /// What was not found in a table with damaged rows may be one of these.
    pub(super) fn found<T>(&self, table: &'static str, found: Option<T>) -> Result<Option<T>, StoreError> {
        match (found, self.tables.get(table)) {
            (None, Some(damage)) => Err(Damage::clone(damage).into()),
            (found, _) => Ok(found),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.actors.len()
    }
}

/// Findings as people see them.
pub(super) fn report(records: Records) -> Report {
    let damage = records.findings.into_iter().map(|finding| finding.damage).collect();
    Report { records: records.count, damage, more: records.more }
}
