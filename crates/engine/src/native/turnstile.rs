//! A place where a task and a thread hand one message at a time to each other.
//!
//! The *far* side is a thread: it waits for messages and may spin before it parks. The *near* side is a task: it sends and
//! polls. The mutex decides who owns what; the atomic is a hint that lets either side look without the lock, and is
//! never trusted: every decision is made again under the lock.

use std::task::{Context, Poll, Waker};

use super::sync::{AtomicU8, Condvar, Mutex, Ordering, wait};

/// Nothing to take on either side.
const NOTHING: u8 = 0;
/// Something for the far side: a message, or the end.
const FOR_FAR: u8 = 1;
/// A message for the near side.
const FOR_NEAR: u8 = 2;

pub(super) struct Turnstile<Down, Up> {
    hint: Apart<AtomicU8>,
    shared: Mutex<Shared<Down, Up>>,
    bell: Condvar,
}

/// A value with cache lines of its own (two, as processors fetch them in pairs): a side that looks at the hint again and
/// again does not slow the lock of the other down.
#[repr(align(128))]
struct Apart<T>(T);

struct Shared<Down, Up> {
    down: Option<Down>,
    up: Option<Up>,
    near: Option<Waker>,
    far_asleep: bool,
    closed: bool,
}

/// Whether the far side was awake when a message was sent to it, so that its answer may come within microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Far {
    Awake,
    Asleep,
}

impl<Down, Up> Turnstile<Down, Up> {
    pub(super) fn new() -> Self {
        let shared = Shared { down: None, up: None, near: None, far_asleep: false, closed: false };
        Self { hint: Apart(AtomicU8::new(NOTHING)), shared: Mutex::new(shared), bell: Condvar::new() }
    }

    /// Near side: hands a message over. Gives it back if one is there already or the turnstile is closed.
    pub(super) fn send(&self, down: Down) -> Result<Far, Down> {
        let mut shared = self.shared.lock();
        if shared.closed || shared.down.is_some() {
            return Err(down);
        }
        shared.down = Some(down);
        let far_asleep = shared.far_asleep;
        drop(shared);
        self.hint.0.store(FOR_FAR, Ordering::Release);
        if far_asleep {
            self.bell.notify_one();
            return Ok(Far::Asleep);
        }
        Ok(Far::Awake)
    }

    /// Near side: takes the far side's message, or arranges to be woken by it.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Up> {
        let mut shared = self.shared.lock();
        match shared.up.take() {
            Some(up) => Poll::Ready(up),
            None => {
                match &mut shared.near {
                    Some(waker) => waker.clone_from(cx.waker()),
                    none => *none = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
        }
    }

    /// Near side: whether [`Turnstile::poll`] is likely to find a message. Costs no lock.
    pub(super) fn is_answered(&self) -> bool {
        self.hint.0.load(Ordering::Acquire) == FOR_NEAR
    }

    /// Near side: takes the message back that the far side has not taken yet.
    pub(super) fn retract(&self) -> Option<Down> {
        self.shared.lock().down.take()
    }

    /// Near side: takes the far side's message if there is one.
    pub(super) fn take_answer(&self) -> Option<Up> {
        self.shared.lock().up.take()
    }

    /// Near side: from now on the far side finds the end instead of a message.
    pub(super) fn close(&self) {
        self.shared.lock().closed = true;
        self.hint.0.store(FOR_FAR, Ordering::Release);
        self.bell.notify_one();
    }

    /// Far side: whether [`Turnstile::receive`] is likely to return at once. Costs no lock.
    pub(super) fn is_called(&self) -> bool {
        self.hint.0.load(Ordering::Acquire) == FOR_FAR
    }

    /// Far side: waits for a message; none at the end.
    pub(super) fn receive(&self) -> Option<Down> {
        let mut shared = self.shared.lock();
        loop {
            if shared.closed {
                return None;
            }
            if let Some(down) = shared.down.take() {
                return Some(down);
            }
            shared.far_asleep = true;
            shared = wait(&self.bell, shared);
            shared.far_asleep = false;
        }
    }

    /// Far side: hands a message over.
    pub(super) fn answer(&self, up: Up) {
        let mut shared = self.shared.lock();
        shared.up = Some(up);
        let near = shared.near.take();
        drop(shared);
        self.hint.0.store(FOR_NEAR, Ordering::Release);
        if let Some(near) = near {
            near.wake();
        }
    }

    /// Far side: ends. Leaves `up` for the near side unless a message is there already.
    pub(super) fn farewell(&self, up: Up) {
        let mut shared = self.shared.lock();
        shared.closed = true;
        shared.up.get_or_insert(up);
        let near = shared.near.take();
        drop(shared);
        self.hint.0.store(FOR_NEAR, Ordering::Release);
        if let Some(near) = near {
            near.wake();
        }
    }
}
