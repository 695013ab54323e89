use bytes::Bytes;

use crate::error::StoreError;
use crate::model::SealedKey;

use super::book::Ledger;
use super::change::Change;
use super::sizes;

/// [`Store::reseal`](crate::Store::reseal).
pub(crate) struct Reseal {
    pub(crate) key: SealedKey,
    pub(crate) old: Bytes,
}

impl Change for Reseal {
    type Answer = bool;

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<bool, StoreError> {
        sizes::check_sealed(&self.key.name, self.key.blob.len())?;
        if ledger.rows.sealed_key(self.key.actor, &self.key.name)?.as_ref() != Some(&self.old) {
            return Ok(false);
        }
        ledger.rows.put_sealed_key(&self.key).map(|()| true)
    }

    fn bytes(&self) -> u64 {
        self.key.blob.len() as u64
    }
}

/// [`Store::set_note`](crate::Store::set_note).
pub(crate) struct SetNote {
    pub(crate) name: String,
    pub(crate) expect: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
}

impl Change for SetNote {
    type Answer = ();

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<(), StoreError> {
        sizes::check_note(&self.name, self.value.as_ref().map_or(0, Bytes::len))?;
        if ledger.rows.note(&self.name)? != self.expect {
            return Err(StoreError::NoteChanged { name: self.name.clone() });
        }
        match &self.value {
            Some(value) => ledger.rows.put_note(&self.name, value),
            None => ledger.rows.delete_note(&self.name),
        }
    }

    fn bytes(&self) -> u64 {
        self.value.as_ref().map_or(0, Bytes::len) as u64
    }
}
