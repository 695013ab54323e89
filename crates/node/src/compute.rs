//! Threads for handlers that compute for long, so that they do not keep others from the runtime's workers.
//!
//! Whoever has a message polls its handler where it is: that costs nothing, and most handlers end at once. A guest that computes
//! on and on is let go by its engine every few milliseconds, and would come back to a worker each time. Instead it is moved to
//! these threads for the rest of the event. They have a lower priority than the workers, so that a worker which wakes finds a core.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use crate::shared::Shared;

/// A poll that takes so long computes rather than waits: half of the time after which the wasm engine lets a guest go, and
/// hundreds of times what an ordinary handler takes.
const LONG_POLL: Duration = Duration::from_millis(1);

/// What the calling thread has computed so far. Time that passes would count against a handler whose thread others keep from its core.
#[cfg(unix)]
fn computed() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Time that passes, where nothing better is known.
#[cfg(not(unix))]
fn computed() -> Duration {
    static START: OnceLock<std::time::Instant> = OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

/// How much of a core that others want these threads get: about a tenth, enough that an honest guest comes to its end.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// The threads, which start with the first handler that needs them.
#[derive(Default)]
pub(crate) struct Compute(OnceLock<Option<Runtime>>);

impl Compute {
    /// Has the threads poll a future, with the node's own runtime as its surroundings; gives it back if there are none.
    fn spawn<F>(&self, home: &Handle, future: F) -> Result<JoinHandle<(F::Output, bool)>, F>
    where
        F: Future<Output: Send> + Unpin + Send + 'static,
    {
        let Some(threads) = self.0.get_or_init(start) else { return Err(future) };
        Ok(threads.spawn(Computing { future, home: home.clone(), long: false }))
    }
}

/// One thread for each core: what computes on all of them leaves as much to the workers as what computes on one.
fn start() -> Option<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let started = Builder::new_multi_thread()
        .worker_threads(cores)
        .thread_name("playhouse-compute")
        .on_thread_start(|| {
            step_back();
            crate::cell::never_nest();
        })
        .build();
    started
        .inspect_err(|error| tracing::warn!(%error, "guests that compute for long have no threads of their own"))
        .ok()
}

#[cfg(target_os = "linux")]
fn step_back() {
    // On Linux this is the calling thread alone. Without it the threads are only less polite.
    let _ = rustix::process::setpriority_process(None, NICE);
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}

impl Drop for Compute {
    fn drop(&mut self) {
        if let Some(Some(threads)) = self.0.take() {
            // Waiting for the threads is not possible here: the last one who knows the node may be one of them.
            threads.shutdown_background();
        }
    }
}

/// A future on the threads for computing.
struct Computing<F> {
    future: F,
    home: Handle,
    long: bool,
}

impl<F: Future + Unpin> Future for Computing<F> {
    type Output = (F::Output, bool);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let _home = this.home.enter();
        let before = computed();
        let polled = Pin::new(&mut this.future).poll(cx);
        this.long |= computed() - before >= LONG_POLL;
        polled.map(|output| (output, this.long))
    }
}

/// A future that is polled where it is until one poll takes long, and from then on by the threads for computing.
pub(crate) struct Attended<F: Future> {
    node: Arc<Shared>,
    place: Place<F>,
    long: bool,
}

enum Place<F: Future> {
    Here(F),
    Away(JoinHandle<(F::Output, bool)>),
    Ended,
}

impl<F> Attended<F>
where
    F: Future<Output: Send> + Unpin + Send + 'static,
{
    /// A future that is polled here first.
    pub(crate) fn here(node: &Arc<Shared>, future: F) -> Self {
        Self { node: Arc::clone(node), place: Place::Here(future), long: false }
    }

    /// A future that goes to the threads for computing at once.
    pub(crate) fn away(node: &Arc<Shared>, future: F) -> Self {
        let mut attended = Self::here(node, future);
        attended.send_away();
        attended
    }

    /// Whether a poll took long.
    pub(crate) fn was_long(&self) -> bool {
        self.long
    }

    /// Drops the future, and returns when it is gone; its output if it ended in the meantime.
    pub(crate) async fn give_up(&mut self) -> Option<F::Output> {
        match std::mem::replace(&mut self.place, Place::Ended) {
            Place::Away(mut task) => {
                task.abort();
                (&mut task).await.ok().map(|(output, _)| output)
            }
            Place::Here(_) | Place::Ended => None,
        }
    }

    /// Polls the future here; sends it away if it goes on after a long poll.
    fn poll_here(&mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Place::Here(future) = &mut self.place else { return Poll::Pending };
        let before = computed();
        let polled = Pin::new(future).poll(cx);
        if polled.is_ready() {
            self.place = Place::Ended;
        } else if computed() - before >= LONG_POLL {
            self.long = true;
            self.send_away();
        }
        polled
    }

    fn send_away(&mut self) {
        if let Place::Here(future) = std::mem::replace(&mut self.place, Place::Ended) {
            self.place = match self.node.compute.spawn(&self.node.runtime, future) {
                Ok(task) => Place::Away(task),
                Err(future) => Place::Here(future),
            };
        }
    }
}

impl<F> Future for Attended<F>
where
    F: Future<Output: Send> + Unpin + Send + 'static,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let polled = match self.place {
            Place::Here(_) => self.poll_here(cx),
            Place::Away(_) | Place::Ended => Poll::Pending,
        };
        match &mut self.place {
            Place::Away(task) => match ready!(Pin::new(task).poll(cx)) {
                Ok((output, long)) => {
                    self.long |= long;
                    self.place = Place::Ended;
                    Poll::Ready(output)
                }
                Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
                // The threads end, and the node with them: nobody is left to hear.
                Err(_) => Poll::Pending,
            },
            Place::Here(_) | Place::Ended => polled,
        }
    }
}

impl<F: Future> Drop for Attended<F> {
    fn drop(&mut self) {
        if let Place::Away(task) = &self.place {
            task.abort();
        }
    }
}
