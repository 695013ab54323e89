use std::sync::Arc;

use wasmtime::ResourceLimiter;

use super::failure::LimitBroken;
use crate::Limits;

/// What one instance has taken, and what it may still take.
#[derive(Debug)]
pub(super) struct Budget {
    limits: Arc<Limits>,
    memory_bytes: usize,
    table_elements: usize,
    /// What the growth that was allowed last added, in case it then fails for another reason.
    pending: Pending,
    refused: Option<Refused>,
    host_calls_left: u32,
}

#[derive(Debug, Clone, Copy)]
enum Pending {
    Memory(usize),
    Table(usize),
}

/// A growth that the limits forbade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Memory { wanted: usize, limit: usize },
    Table { wanted: usize, limit: usize },
}

impl Budget {
    pub(super) fn new(limits: Arc<Limits>) -> Self {
        let host_calls_left = limits.host_calls;
        Self { limits, memory_bytes: 0, table_elements: 0, pending: Pending::Memory(0), refused: None, host_calls_left }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What was used up by earlier events is free again, except what the instance holds.
    pub(super) fn begin_event(&mut self) {
        self.refused = None;
        self.host_calls_left = self.limits.host_calls;
    }

    /// Counts one host operation.
    pub(super) fn host_call(&mut self) -> Result<(), LimitBroken> {
        let limit = self.limits.host_calls;
        self.host_calls_left = self.host_calls_left.checked_sub(1).ok_or(LimitBroken::HostCalls { limit })?;
        Ok(())
    }

    /// The growth that was refused last in this event.
    pub(super) fn refused(&self) -> Option<Refused> {
        self.refused
    }

    fn give_back(&mut self) {
        match std::mem::replace(&mut self.pending, Pending::Memory(0)) {
            Pending::Memory(bytes) => self.memory_bytes -= bytes,
            Pending::Table(elements) => self.table_elements -= elements,
        }
    }
}

impl ResourceLimiter for Budget {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let added = desired.saturating_sub(current);
        let wanted = self.memory_bytes.saturating_add(added);
        let limit = self.limits.memory_bytes;
        if wanted > limit {
            self.refused = Some(Refused::Memory { wanted, limit });
            return Ok(false);
        }
        self.memory_bytes = wanted;
        self.pending = Pending::Memory(added);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        if self.refused.is_none() {
            self.give_back();
        }
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let added = desired.saturating_sub(current);
        let wanted = self.table_elements.saturating_add(added);
        let limit = self.limits.table_elements;
        if wanted > limit {
            self.refused = Some(Refused::Table { wanted, limit });
            return Ok(false);
        }
        self.table_elements = wanted;
        self.pending = Pending::Table(added);
        Ok(true)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        if self.refused.is_none() {
            self.give_back();
        }
        Ok(())
    }

    fn instances(&self) -> usize {
        self.limits.instances
    }

    fn tables(&self) -> usize {
        self.limits.instances.saturating_mul(PER_INSTANCE)
    }

    fn memories(&self) -> usize {
        self.limits.instances
    }
}

/// Tables per core instance, which compilers make with one; the limit on elements holds for all of them together.
const PER_INSTANCE: usize = 4;

#[cfg(test)]
mod tests;
