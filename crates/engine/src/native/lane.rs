#![expect(unsafe_code, reason = "a slot that two threads own in turn, without a lock")]

//! One half of a turnstile: a slot that one side fills and the other empties, and the flag that says whose it is.

use std::task::{Context, Poll, Waker};

use super::sync::{AtomicU8, Ordering, UnsafeCell, spin_loop};

/// The slot is the giver's, unless the giver has given and the taker has taken: then it is the taker's.
const EMPTY: u8 = 0;
/// There is something in the slot. Whoever changes this to [`EMPTY`] owns the slot: the taker, or the giver again.
const FULL: u8 = 1;
/// As [`EMPTY`], and the taker has left a waker, which is the giver's for as long as it holds [`WAKING`].
const WAITING: u8 = 2;
/// The giver takes the waker, and publishes what it has for the taker at once.
const WAKING: u8 = 3;
/// The giver has gone.
const CLOSED: u8 = 4;
/// The giver has gone and left something in the slot.
const LAST: u8 = 5;

/// What came of an attempt to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Something,
    Nothing,
    /// Nothing, and nothing will come.
    End,
}

/// Flag, waker and slot share cache lines, so that what is given arrives with the flag that says so. The alignment is two
/// lines, as processors fetch them in pairs, and keeps the two halves of a turnstile apart.
#[repr(C, align(128))]
pub(super) struct Lane<T> {
    state: AtomicU8,
    waker: UnsafeCell<Option<Waker>>,
    slot: UnsafeCell<T>,
}

// SAFETY: the slot and the waker are accessed by one thread at a time: who it is, `state` says, and every change of it
// publishes what was done before (see the methods). `T` and wakers may be sent between threads.
unsafe impl<T: Send> Sync for Lane<T> {}

impl<T: Default> Default for Lane<T> {
    fn default() -> Self {
        Self { state: AtomicU8::new(EMPTY), waker: UnsafeCell::new(None), slot: UnsafeCell::new(T::default()) }
    }
}

impl<T> Lane<T> {
    /// The slot.
    ///
    /// # Safety
    /// The caller owns the slot until the end of the lifetime that it chooses: as the giver, before it gives and after the
    /// taker has said by other means that it is done, or after [`Lane::take_back`]; as the taker, from [`Taken::Something`]
    /// until it says that it is done.
    pub(super) unsafe fn slot<'a>(&self) -> &'a mut T {
        // SAFETY: nobody else has a reference, by this function's own contract, and the lane outlives its two sides.
        self.slot.with_mut(|slot| unsafe { &mut *slot })
    }

    /// Giver: lets the taker have the slot, which must be the giver's. The waker of a taker that sleeps, to be called.
    pub(super) fn give(&self) -> Option<Waker> {
        match self.state.compare_exchange(EMPTY, FULL, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => None,
            Err(_) => self.publish(FULL, FULL),
        }
    }

    /// Giver: goes.
    pub(super) fn close(&self) -> Option<Waker> {
        self.publish(CLOSED, LAST)
    }

    /// Changes the state to `to`, or to `full` where the slot is full already, and takes the waker.
    fn publish(&self, to: u8, full: u8) -> Option<Waker> {
        loop {
            let seen = self.state.load(Ordering::Relaxed);
            let next = match seen {
                EMPTY => to,
                FULL => full,
                WAITING => WAKING,
                // The giver is one, and says nothing after its end.
                _ => return None,
            };
            if self.state.compare_exchange(seen, next, Ordering::AcqRel, Ordering::Relaxed).is_err() {
                continue;
            }
            if next != WAKING {
                return None;
            }
            // SAFETY: the state was `WAITING`, so the taker had put its waker there and published it. It leaves the waker
            // alone while the state is `WAKING`, which this thread alone ends.
            let waker = self.waker.with_mut(|waker| unsafe { (*waker).take() });
            self.state.store(to, Ordering::Release);
            return waker;
        }
    }

    /// Giver: takes back what the taker has not taken. The slot is the giver's again if this is true.
    pub(super) fn take_back(&self) -> bool {
        self.state.compare_exchange(FULL, EMPTY, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Taker: takes what is there. The slot is the taker's if there is something.
    ///
    /// This compares and exchanges without looking first: the cache line then comes from the other core once, to be changed,
    /// and not twice, to be read and to be changed.
    pub(super) fn take(&self) -> Taken {
        match self.state.compare_exchange(FULL, EMPTY, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Taken::Something,
            Err(LAST) => {
                self.state.store(CLOSED, Ordering::Relaxed);
                Taken::Something
            }
            Err(CLOSED) => Taken::End,
            Err(_) => Taken::Nothing,
        }
    }

    /// Taker: takes what is there, or arranges to be woken.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Taken> {
        loop {
            match self.take() {
                Taken::Nothing => {}
                taken => return Poll::Ready(taken),
            }
            match self.state.load(Ordering::Relaxed) {
                EMPTY => {
                    // SAFETY: the state is not `WAITING`, so the giver does not touch the waker: this thread alone changes
                    // that, below.
                    self.waker.with_mut(|waker| unsafe { store(&mut *waker, cx.waker()) });
                    if self.state.compare_exchange(EMPTY, WAITING, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                        return Poll::Pending;
                    }
                }
                WAITING => self.stop_waiting(),
                WAKING => {
                    // The giver will wake an older waker within a few instructions; this one is called for certain.
                    spin_loop();
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                _ => {}
            }
        }
    }

    /// Taker: wants to be woken no more.
    pub(super) fn stop_waiting(&self) {
        // If this fails, the giver has the waker or will never see it.
        let _ = self.state.compare_exchange(WAITING, EMPTY, Ordering::AcqRel, Ordering::Relaxed);
    }
}

fn store(waker: &mut Option<Waker>, new: &Waker) {
    match waker {
        Some(waker) => waker.clone_from(new),
        None => *waker = Some(new.clone()),
    }
}
