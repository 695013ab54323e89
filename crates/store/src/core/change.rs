use crate::error::StoreError;
use crate::model::{Durability, Time};

use super::book::Ledger;

/// What a change does to the room on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// It brings in something new: refused while the disk is full.
    Inward,
    /// It finishes something: the reserve is there for it.
    Onward,
}

/// A write of the contract: checked first, then made. If the check fails nothing has changed.
pub(crate) trait Change: Send + 'static {
    type Answer: Send + 'static;

    fn make(&self, ledger: &mut Ledger<'_>) -> Result<Self::Answer, StoreError>;

    /// What it counts for while it waits.
    fn bytes(&self) -> u64;

    fn flow(&self) -> Flow {
        Flow::Onward
    }

    /// Whether nobody waits for it.
    fn is_unhurried(&self) -> bool {
        false
    }

    fn durability(&self) -> Durability {
        Durability::Memory
    }

    fn now(&self) -> Option<Time> {
        None
    }
}
