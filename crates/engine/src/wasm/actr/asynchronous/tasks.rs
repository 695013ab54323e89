use std::collections::HashMap;
use std::time::Duration;

use wasmtime::StoreContextMut;
use wasmtime::component::GuestTaskId;

use crate::wasm::failure::LimitBroken;
use crate::wasm::guest::Guest;

/// The guest's tasks, each of which began as the call for one event: how an import without a token is matched to its event, and who
/// it is that computes.
///
/// A task may go on when it has answered. wasmtime says what runs but not what has ended, and gives the numbers of those that have
/// ended to others; it has only so many of them.
#[derive(Debug, Default)]
pub(in crate::wasm) struct Tasks(HashMap<GuestTaskId, Task>);

#[derive(Debug, Clone, Copy, Default)]
struct Task {
    /// The event's, until it has been answered.
    token: Option<u64>,
    computed: Duration,
}

impl Tasks {
    /// A task begins, for the event with the token.
    pub(super) fn begin(&mut self, task: GuestTaskId, token: u64) {
        self.0.insert(task, Task { token: Some(token), computed: Duration::ZERO });
    }

    /// The event has been answered: the task may go on, but for nobody.
    pub(super) fn answered(&mut self, task: GuestTaskId, token: u64) {
        // It may be another's already.
        if let Some(task) = self.0.get_mut(&task).filter(|task| task.token == Some(token)) {
            task.token = None;
        }
    }
}

/// The token of the event whose task runs, if there is one and it has not been answered.
pub(in crate::wasm) fn token_of_running(store: &mut StoreContextMut<'_, Guest>) -> wasmtime::Result<Option<u64>> {
    let task = running(store)?;
    Ok(task.and_then(|task| store.data().tasks.0.get(&task)?.token))
}

/// Takes note that the task that runs has computed for a while, and ends the guest if that was too long. The meter does not see that:
/// it begins anew with every event.
pub(in crate::wasm) fn computed(store: &mut StoreContextMut<'_, Guest>, time: Duration) -> wasmtime::Result<()> {
    let Some(running) = running(store)? else { return Ok(()) };
    let limit = store.data().budget.limits().cpu;
    let task = store.data_mut().tasks.0.entry(running).or_default();
    task.computed = task.computed.saturating_add(time);
    if task.computed > limit { Err(LimitBroken::Cpu { limit }.into()) } else { Ok(()) }
}

/// The task that the host called, within which that runs which runs now.
fn running(store: &mut StoreContextMut<'_, Guest>) -> wasmtime::Result<Option<GuestTaskId>> {
    Ok(store.async_call_stack()?.last())
}
