//! What the turnstile stands on. The model check in `tests/native_turnstile` puts loom's types in this place.

pub(super) use std::sync::atomic::{AtomicU8, Ordering};

pub(super) use parking_lot::{Condvar, Mutex, MutexGuard};

/// Waits until `condvar` is notified.
pub(super) fn wait<'a, T>(condvar: &Condvar, mut guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(&mut guard);
    guard
}
