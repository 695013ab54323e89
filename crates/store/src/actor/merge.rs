use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;

use crate::contract::{KeyRange, Store};
use crate::error::StoreError;
use crate::model::{ActorKey, BatchLimits, Versioned};

use super::overlay::Covered;

/// A scan of what the store has under what lies over it.
///
/// The store is read batch by batch; what lies over a batch, up to its last key, is put in and taken out. It ends when the answer
/// is full or the store has no more.
pub(super) async fn scan(
    store: &dyn Store,
    actor: ActorKey,
    mut range: KeyRange,
    limits: BatchLimits,
    mut over: BTreeMap<Bytes, Covered>,
) -> Result<Vec<(Bytes, Versioned)>, StoreError> {
    let limits = limits.bounded();
    let mut batch = limits.start();
    let mut found = Vec::new();
    loop {
        // One at least, or a scan that asks for none would never end.
        let asked = BatchLimits { items: limits.items.max(1), ..limits };
        let below = store.scan(actor, range.clone(), asked).await?;
        let last = below.last().map(|(key, _)| key.clone());
        for (key, versioned) in merged(below, &mut over, last.as_ref()) {
            if !batch.takes((key.len() + versioned.value.len()) as u64) {
                return Ok(found);
            }
            found.push((key, versioned));
        }
        match last {
            Some(last) => range = KeyRange { from: Bound::Excluded(last), to: range.to },
            None => return Ok(found),
        }
    }
}

/// A batch with what lies over it: up to its last key, or all that is left behind the last batch.
fn merged(
    below: Vec<(Bytes, Versioned)>,
    over: &mut BTreeMap<Bytes, Covered>,
    last: Option<&Bytes>,
) -> BTreeMap<Bytes, Versioned> {
    let behind = last.map_or_else(BTreeMap::new, |last| {
        let mut behind = over.split_off(last);
        // The last key itself belongs to this batch.
        if let Some(covered) = behind.remove(last) {
            over.insert(last.clone(), covered);
        }
        behind
    });
    let mut all: BTreeMap<Bytes, Versioned> = below.into_iter().collect();
    for (key, (version, value)) in std::mem::replace(over, behind) {
        match value {
            Some(value) => drop(all.insert(key, Versioned { value, version })),
            None => drop(all.remove(&key)),
        }
    }
    all
}
