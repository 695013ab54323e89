use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::Waker;
use std::time::Instant;

use parking_lot::{Mutex, RwLock};
use playhouse_abi::native::v2::status;
use playhouse_types::{ActorError, HostOp, LogLevel};

use super::log::Log;
use crate::{Context, Seed};

/// Operations that one event may have under way at a time. A guest that wants more is to wait for some.
pub(super) const STARTED_MAX: usize = 1024;
/// Bytes of the messages of operations under way: two of the largest, and all that are usual.
pub(super) const STARTED_BYTES_MAX: usize = 128 << 20;

/// Numbers that an instance takes at a time for its calls. The registry is changed once for so many events.
const BLOCK: u64 = 1 << 20;
static NEXT_BLOCK: AtomicU64 = AtomicU64::new(1);
/// The instances, by the block of their calls. A number is never used again, so one that is kept for too long finds nothing.
static INSTANCES: LazyLock<RwLock<HashMap<u64, Arc<Instance>>>> = LazyLock::new(RwLock::default);

/// What the threads of a guest, and the runs of its actor, share of one instance. In an event that is answered at once, each side
/// touches its own part alone, so that no cache line goes from one core to the other but those of the turnstile.
pub(in crate::native) struct Instance {
    guest: GuestSide,
    host_calls_max: u32,
    log: Log,
    run: RunSide,
}

/// What the instance's thread writes in every event. The alignment is that of a lane, for the same reason.
#[repr(align(128))]
struct GuestSide {
    /// The call that may be answered, and may ask for operations; 0 if there is none. Who changes it to 0 has answered.
    open: AtomicU64,
    /// The call under way, answered or not; 0 if there is none.
    current: AtomicU64,
    host_calls: AtomicU32,
    /// Whether an operation may have been begun since all were settled.
    has_begun: AtomicBool,
}

/// What the run writes in every event.
#[repr(align(128))]
struct RunSide {
    next: AtomicU64,
    late: Mutex<Late>,
}

/// What is not part of every event.
#[derive(Default)]
struct Late {
    deadline: Option<Instant>,
    /// Begun by the guest, not yet seen by the run.
    started: Vec<Started>,
    /// Tokens of which the guest has not heard, with the lengths of their messages.
    outstanding: Vec<(u64, usize)>,
    outstanding_bytes: usize,
    /// An answer from another thread.
    answer: Option<Answer>,
    /// The run's.
    waker: Option<Waker>,
}

/// An operation that a guest has begun.
pub(super) struct Started {
    pub(super) token: u64,
    pub(super) op: Result<HostOp, ActorError>,
}

/// An answer as a guest gives it.
pub(super) struct Answer {
    pub(super) status: i32,
    pub(super) bytes: Vec<u8>,
}

/// An instance that is found by its calls as long as this lives.
pub(super) struct Registered(pub(super) Arc<Instance>);

impl Drop for Registered {
    fn drop(&mut self) {
        self.0.end();
        let instance = INSTANCES.write().remove(&(self.0.run.next.load(Ordering::Relaxed) / BLOCK));
        // Outside the lock, as the last reference to a host may do anything.
        drop(instance);
    }
}

impl Instance {
    /// A new instance, under the number of its first call, in which it is made.
    pub(super) fn register(seed: &Seed) -> Registered {
        let first = NEXT_BLOCK.fetch_add(1, Ordering::Relaxed) * BLOCK;
        let instance = Arc::new(Self {
            guest: GuestSide {
                open: AtomicU64::new(0),
                current: AtomicU64::new(first),
                host_calls: AtomicU32::new(0),
                has_begun: AtomicBool::new(false),
            },
            host_calls_max: seed.limits.host_calls,
            log: Log::new(seed),
            run: RunSide { next: AtomicU64::new(first + 1), late: Mutex::default() },
        });
        INSTANCES.write().insert(first / BLOCK, Arc::clone(&instance));
        Registered(instance)
    }

    /// The call in which it is made.
    pub(super) fn first_call(&self) -> u64 {
        self.guest.current.load(Ordering::Relaxed)
    }

    /// The instance that had, has or will have a call of that number.
    pub(super) fn find(call: u64) -> Option<Arc<Self>> {
        INSTANCES.read().get(&(call / BLOCK)).cloned()
    }

    /// A number for a call, which the run is about to hand to the instance's thread. One run at a time does this.
    pub(super) fn announce(self: &Arc<Self>, context: &Context) -> u64 {
        let mut number = self.run.next.load(Ordering::Relaxed);
        if (number + 1).is_multiple_of(BLOCK) {
            number = self.renumber(number);
        }
        self.run.next.store(number + 1, Ordering::Relaxed);
        let mut late = self.run.late.lock();
        late.deadline = context.deadline;
        late.answer = None;
        late.waker = None;
        number
    }

    /// The instance's thread begins the call.
    pub(super) fn begin(&self, call: u64) {
        self.guest.host_calls.store(0, Ordering::Relaxed);
        self.log.begin_event();
        self.guest.current.store(call, Ordering::Release);
        self.guest.open.store(call, Ordering::Release);
    }

    /// The instance's thread ends its call, whether it was answered or not.
    pub(super) fn end(&self) {
        self.guest.open.store(0, Ordering::SeqCst);
        self.guest.current.store(0, Ordering::Release);
    }

    /// The run that began the call is gone: nobody can answer it any more.
    pub(super) fn abandon(&self, call: u64) {
        let _ = self.guest.open.compare_exchange(call, 0, Ordering::SeqCst, Ordering::Relaxed);
        let _ = self.guest.current.compare_exchange(call, 0, Ordering::AcqRel, Ordering::Relaxed);
    }

    /// Takes another block.
    fn renumber(self: &Arc<Self>, last: u64) -> u64 {
        let first = NEXT_BLOCK.fetch_add(1, Ordering::Relaxed) * BLOCK;
        let mut instances = INSTANCES.write();
        // Not there if the guest's thread has ended.
        if let Some(instance) = instances.remove(&(last / BLOCK)) {
            instances.insert(first / BLOCK, instance);
        }
        first
    }

    /// Whether the call is under way, answered or not.
    pub(super) fn is_current(&self, call: u64) -> bool {
        call != 0 && self.guest.current.load(Ordering::Acquire) == call
    }

    /// Whether the call is under way and not answered.
    pub(super) fn is_open(&self, call: u64) -> bool {
        call != 0 && self.guest.open.load(Ordering::SeqCst) == call
    }

    /// Takes the right to answer a call. One answer has it, the others hear that there is no such call.
    pub(super) fn claim(&self, call: u64) -> Result<(), i32> {
        let claimed =
            call != 0 && self.guest.open.compare_exchange(call, 0, Ordering::SeqCst, Ordering::Relaxed).is_ok();
        if claimed { Ok(()) } else { Err(status::NO_CALL) }
    }

    /// Answers a call from another thread than the instance's own.
    pub(super) fn answer(&self, call: u64, status: i32, bytes: &[u8]) -> Result<(), i32> {
        if !self.is_open(call) {
            return Err(status::NO_CALL);
        }
        let bytes = bytes.to_vec();
        let mut late = self.run.late.lock();
        self.claim(call)?;
        late.answer = Some(Answer { status, bytes });
        let waker = late.waker.take();
        drop(late);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    pub(super) fn take_answer(&self) -> Option<Answer> {
        self.run.late.lock().answer.take()
    }

    /// Counts an operation; false if the event has had too many.
    pub(super) fn may_ask(&self) -> bool {
        let more = |count| (count < self.host_calls_max).then_some(count + 1);
        self.guest.host_calls.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    pub(super) const fn host_calls_max(&self) -> u32 {
        self.host_calls_max
    }

    /// Begins an operation, from any thread; `read` makes it from its message of `len` bytes.
    pub(super) fn start(
        &self,
        call: u64,
        token: u64,
        len: usize,
        read: impl FnOnce() -> Result<Result<HostOp, ActorError>, i32>,
    ) -> Result<(), i32> {
        let mut late = self.run.late.lock();
        // First this and then a look: who ends the call does it the other way round, so one of the two sees the other.
        self.guest.has_begun.store(true, Ordering::SeqCst);
        if !self.is_open(call) {
            return Err(status::NO_CALL);
        }
        if late.outstanding.len() >= STARTED_MAX
            || late.outstanding_bytes.saturating_add(len) > STARTED_BYTES_MAX
            || !self.may_ask()
        {
            return Err(status::LIMIT);
        }
        let op = read()?;
        late.outstanding.push((token, len));
        late.outstanding_bytes += len;
        late.started.push(Started { token, op });
        let waker = late.waker.take();
        drop(late);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// What was begun since the last look. The waker is called when there is more, or an answer.
    pub(super) fn look(&self, waker: &Waker) -> (Vec<Started>, bool) {
        let mut late = self.run.late.lock();
        match &mut late.waker {
            Some(old) => old.clone_from(waker),
            None => late.waker = Some(waker.clone()),
        }
        (std::mem::take(&mut late.started), late.answer.is_some())
    }

    /// Takes note that the guest hears of an operation's end; false if it has heard already.
    pub(super) fn settle(&self, token: u64) -> bool {
        let mut late = self.run.late.lock();
        let Some(at) = late.outstanding.iter().position(|(other, _)| *other == token) else { return false };
        let (_, len) = late.outstanding.remove(at);
        late.outstanding_bytes -= len;
        true
    }

    /// Gives up all operations of the call, which is over: the tokens of which the guest has to hear.
    pub(super) fn give_up(&self) -> Vec<u64> {
        if !self.guest.has_begun.load(Ordering::SeqCst) {
            return Vec::new();
        }
        let mut late = self.run.late.lock();
        // Under the lock, so that nothing is begun meanwhile.
        self.guest.has_begun.store(false, Ordering::SeqCst);
        late.started = Vec::new();
        late.outstanding_bytes = 0;
        std::mem::take(&mut late.outstanding).into_iter().map(|(token, _)| token).collect()
    }

    pub(super) fn log(&self, level: LogLevel, text: &str) {
        self.log.write(level, text);
    }

    /// What is left of the caller's time.
    pub(super) fn time_left_ms(&self) -> Option<i64> {
        let deadline = self.run.late.lock().deadline?;
        let left = deadline.saturating_duration_since(Instant::now());
        Some(i64::try_from(left.as_millis()).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests;
