use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use parking_lot::Mutex;
use wasmtime::Engine;

/// How often a guest that computes lets the executor run others. A worker that serves N looping guests still reaches
/// its timers every N ticks; and 500 wake-ups per second, only while guests run, cost well under 1 % of a core.
pub(super) const TICK: Duration = Duration::from_millis(2);

/// Ticks without any guest running after which the thread goes to sleep: long enough that a busy node does not pay
/// for waking it, short enough that an idle node shows no wake-ups.
const IDLE_TICKS: u32 = 50;

/// The thread that advances the epochs of all engines of a process while guests run.
#[derive(Debug)]
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
    handle: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    asleep: AtomicBool,
    stop: AtomicBool,
    engines: Mutex<Vec<Engine>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("running", &self.running).finish_non_exhaustive()
    }
}

impl Ticker {
    pub(super) fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let handle = thread::Builder::new().name("wasm-ticker".into()).spawn(move || theirs.tick_until_stopped())?;
        Ok(Self { shared, thread: handle.thread().clone(), handle: Some(handle) })
    }

    /// From now on `engine`'s epoch advances.
    pub(super) fn add(&self, engine: &Engine) {
        self.shared.engines.lock().push(engine.clone());
    }

    /// Keeps the ticker running until the guard goes.
    pub(super) fn guest(&self) -> Ticking<'_> {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Ticking(&self.shared)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.thread.unpark();
        if let Some(handle) = self.handle.take() {
            // The thread runs nothing that panics, and a panic there is no concern of whoever drops the engine.
            drop(handle.join());
        }
    }
}

impl Shared {
    fn tick_until_stopped(&self) {
        let mut idle = 0;
        while !self.stop.load(Ordering::SeqCst) {
            thread::park_timeout(TICK);
            for engine in self.engines.lock().iter() {
                engine.increment_epoch();
            }
            idle = if self.running.load(Ordering::SeqCst) == 0 { idle + 1 } else { 0 };
            if idle >= IDLE_TICKS {
                self.sleep_until_needed();
                idle = 0;
            }
        }
    }

    /// Pairs with [`Ticker::guest`]: one side stores `asleep` and loads `running`, the other stores `running` and loads
    /// `asleep`, all sequentially consistent, so that at least one of them sees the other.
    fn sleep_until_needed(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        while self.running.load(Ordering::SeqCst) == 0 && !self.stop.load(Ordering::SeqCst) {
            thread::park();
        }
        self.asleep.store(false, Ordering::SeqCst);
    }
}

/// A guest that runs, or is about to.
#[derive(Debug)]
pub(super) struct Ticking<'a>(&'a Shared);

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests;
