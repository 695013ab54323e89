//! What the turnstile stands on. The model check in `tests/native_turnstile` puts loom's types in this place.

pub(super) use std::hint::spin_loop;
pub(super) use std::sync::Arc;
pub(super) use std::sync::atomic::{AtomicU8, Ordering};

/// `std`'s cell with the interface of loom's, which sees who accesses it when.
#[derive(Debug, Default)]
pub(super) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(super) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// Gives `body` a pointer to the value. Whoever follows it must be alone with the value.
    pub(super) fn with_mut<R>(&self, body: impl FnOnce(*mut T) -> R) -> R {
        body(self.0.get())
    }
}
