use std::collections::BTreeMap;

use rusqlite::types::Value;

use crate::contract::Report;
use crate::error::{Damage, StoreError};
use crate::model::ActorKey;

/// What was found damaged when the store was opened, so that nobody is told that something is not there which only cannot be found.
/// Actors that are not in it run on.
#[derive(Debug, Default)]
pub(super) struct Quarantine {
    actors: BTreeMap<ActorKey, Damage>,
    tables: BTreeMap<&'static str, Damage>,
}

/// Something that is damaged, and whose it is as far as can be said.
pub(super) struct Finding {
    pub(super) damage: Damage,
    pub(super) table: &'static str,
    pub(super) actor: Option<ActorKey>,
    /// The columns and values of its key, if it is a row that stands for itself.
    pub(super) key: Option<(&'static [&'static str], Vec<Value>)>,
}

impl Quarantine {
    pub(super) fn new(findings: &[Finding]) -> Self {
        let mut quarantine = Self::default();
        for Finding { damage, table, actor, .. } in findings {
            quarantine.tables.entry(table).or_insert_with(|| damage.clone());
            if let Some(actor) = actor {
                quarantine.actors.entry(*actor).or_insert_with(|| damage.clone());
            }
        }
        quarantine
    }

    /// Refuses what is asked of an actor that is damaged.
    pub(super) fn check(&self, actor: ActorKey) -> Result<(), StoreError> {
        if self.actors.is_empty() {
            return Ok(());
        }
        self.actors.get(&actor).map_or(Ok(()), |damage| Err(damage.clone().into()))
    }

    pub(super) fn holds(&self, actor: ActorKey) -> bool {
        self.actors.contains_key(&actor)
    }

    /// What was not found in a table with damaged rows may be one of these.
    pub(super) fn found<T>(&self, table: &'static str, found: Option<T>) -> Result<Option<T>, StoreError> {
        match (found, self.tables.get(table)) {
            (None, Some(damage)) => Err(damage.clone().into()),
            (found, _) => Ok(found),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.actors.len()
    }
}

/// Findings as people see them.
pub(super) fn report(records: u64, findings: Vec<Finding>) -> Report {
    let mut report = Report { records, ..Report::default() };
    findings.into_iter().for_each(|finding| report.add(finding.damage));
    report
}
