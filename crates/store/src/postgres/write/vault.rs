use bytes::Bytes;

use crate::core::{Reseal, SetNote, sizes};
use crate::error::StoreError;
use crate::postgres::answer::Answer;
use crate::postgres::group::{Group, Kind, text};
use crate::postgres::sums;

use super::Write;

impl Write for Reseal {
    fn check(&self) -> Result<(), StoreError> {
        sizes::check_sealed(&self.key.name, self.key.blob.len())
    }

    fn encode(&self, group: &mut Group) {
        let slot = group.slot(self.key.actor);
        let sum = sums::sealed_key(self.key.actor, &self.key.name, &self.key.blob);
        let bytes = [text(&self.key.name), Some(self.old.clone()), Some(self.key.blob.clone())];
        group.push(Kind::Reseal, [slot, 0, sum], bytes);
    }

    fn made(&self, answer: Answer, _server: &str) -> Result<bool, StoreError> {
        Ok(answer.number(0) == 1)
    }

    fn refused(&self, _answer: &Answer) -> Option<StoreError> {
        None
    }
}

impl Write for SetNote {
    fn check(&self) -> Result<(), StoreError> {
        sizes::check_note(&self.name, self.value.as_ref().map_or(0, Bytes::len))
    }

    fn encode(&self, group: &mut Group) {
        let sum = self.value.as_ref().map_or(0, |value| sums::note(&self.name, value));
        let bytes = [text(&self.name), self.expect.clone(), self.value.clone()];
        group.push(Kind::SetNote, [0, 0, sum], bytes);
    }

    fn made(&self, _answer: Answer, _server: &str) -> Result<(), StoreError> {
        Ok(())
    }

    fn refused(&self, answer: &Answer) -> Option<StoreError> {
        (answer.code == 10).then(|| StoreError::NoteChanged { name: self.name.clone() })
    }
}
