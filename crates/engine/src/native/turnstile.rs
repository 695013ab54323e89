#![expect(unsafe_code, reason = "the slots of the two lanes are owned in turn")]

//! A place where two sides hand a sheet to each other in turn, without a lock and with one cache line each way.
//!
//! The *near* side writes on its sheet and sends it; the *far* side receives it, writes on its own sheet and answers. Each
//! side can look for the other's sheet as often as it likes, and be woken when it comes. That the two alternate is not a
//! convention but what the types allow: who may touch which sheet follows from it.

use std::task::{Context, Poll};

use super::lane::{Lane, Taken};
use super::sync::Arc;

struct Lanes<Down, Up> {
    down: Lane<Down>,
    up: Lane<Up>,
}

/// The side that asks. Dropping it ends the far side's waiting.
pub(super) struct Near<Down, Up> {
    lanes: Arc<Lanes<Down, Up>>,
    /// Whether the far side has the turn: it may have the sheet that was sent, and may write on its own.
    sent: bool,
}

/// The side that answers. Dropping it ends the near side's waiting.
pub(super) struct Far<Down, Up> {
    lanes: Arc<Lanes<Down, Up>>,
    /// Whether a sheet has been received and not been answered.
    received: bool,
}

/// Whether the far side was awake when a sheet was sent to it, so that its answer may come within microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Other {
    Awake,
    Asleep,
}

/// The two sides of a new turnstile.
pub(super) fn turnstile<Down: Default, Up: Default>() -> (Near<Down, Up>, Far<Down, Up>) {
    let lanes = Arc::new(Lanes { down: Lane::default(), up: Lane::default() });
    (Near { lanes: Arc::clone(&lanes), sent: false }, Far { lanes, received: false })
}

impl<Down, Up> Near<Down, Up> {
    /// The sheet to write on; none while the far side has the turn.
    pub(super) fn sheet(&mut self) -> Option<&mut Down> {
        // SAFETY: nothing is sent, so the far side has either never taken the sheet or answered since: it is done with
        // it. The borrow of `self` ends before anything is sent.
        (!self.sent).then(|| unsafe { self.lanes.down.slot() })
    }

    /// Sends the sheet. While the far side has the turn this does nothing.
    pub(super) fn send(&mut self) -> Other {
        if std::mem::replace(&mut self.sent, true) {
            return Other::Awake;
        }
        wake(self.lanes.down.give())
    }

    /// The far side's sheet if it is there; otherwise [`Taken`] says why.
    pub(super) fn try_take(&mut self) -> Result<&mut Up, Taken> {
        match self.lanes.up.take() {
            Taken::Something => Ok(self.taken()),
            taken => Err(taken),
        }
    }

    /// Waits for the far side's sheet; none if the far side has gone.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<&mut Up>> {
        match self.lanes.up.poll(cx) {
            Poll::Ready(Taken::Something) => Poll::Ready(Some(self.taken())),
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    fn taken(&mut self) -> &mut Up {
        self.sent = false;
        // SAFETY: just taken. The far side touches it again only after it has received something, which this side sends no
        // sooner than the borrow of `self` ends.
        unsafe { self.lanes.up.slot() }
    }

    /// Takes the sheet back that the far side has not received yet.
    pub(super) fn take_back(&mut self) -> bool {
        let is_back = self.lanes.down.take_back();
        self.sent &= !is_back;
        is_back
    }
}

impl<Down, Up> Drop for Near<Down, Up> {
    fn drop(&mut self) {
        self.lanes.up.stop_waiting();
        // What nobody waits for any more is not begun.
        self.lanes.down.take_back();
        wake(self.lanes.down.close());
    }
}

impl<Down, Up> Far<Down, Up> {
    /// The near side's sheet if it is there; otherwise [`Taken`] says why.
    pub(super) fn try_receive(&mut self) -> Result<&mut Down, Taken> {
        match self.lanes.down.take() {
            Taken::Something => Ok(self.received()),
            taken => Err(taken),
        }
    }

    /// Waits for the near side's sheet; none if the near side has gone.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<&mut Down>> {
        match self.lanes.down.poll(cx) {
            Poll::Ready(Taken::Something) => Poll::Ready(Some(self.received())),
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }

    fn received(&mut self) -> &mut Down {
        self.received = true;
        // SAFETY: just taken. The near side touches it again only after an answer, which this side gives no sooner than the
        // borrow of `self` ends.
        unsafe { self.lanes.down.slot() }
    }

    /// The sheet to answer on; none if there is nothing to answer.
    pub(super) fn sheet(&mut self) -> Option<&mut Up> {
        // SAFETY: the near side has sent something since it took the last answer, or it has taken none yet: it is done
        // with this sheet until the next answer. The borrow of `self` ends before that.
        self.received.then(|| unsafe { self.lanes.up.slot() })
    }

    /// Answers with the sheet. If there is nothing to answer this does nothing.
    pub(super) fn answer(&mut self) {
        if std::mem::replace(&mut self.received, false) {
            wake(self.lanes.up.give());
        }
    }
}

impl<Down, Up> Drop for Far<Down, Up> {
    fn drop(&mut self) {
        self.lanes.down.stop_waiting();
        wake(self.lanes.up.close());
    }
}

fn wake(waker: Option<std::task::Waker>) -> Other {
    match waker {
        Some(waker) => {
            waker.wake();
            Other::Asleep
        }
        None => Other::Awake,
    }
}
