//! Group commit at its simplest: senders put a request into a queue, one thread takes all that wait, makes them durable together, and
//! answers.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

type Queue = Arc<(Mutex<Option<Vec<oneshot::Sender<()>>>>, Condvar)>;

/// Requests per second that `senders` tasks get answered when a thread makes groups durable with `write`, which gets how many. It waits
/// up to `linger` for half as many as were in the last group.
pub fn rate(
    runtime: &tokio::runtime::Runtime,
    senders: u32,
    time: Duration,
    linger: Duration,
    mut write: impl FnMut(usize) + Send + 'static,
) -> f64 {
    let queue: Queue = Arc::new((Mutex::new(Some(Vec::new())), Condvar::new()));
    let waiting = Arc::clone(&queue);
    let writer = std::thread::spawn(move || {
        let mut last = 0;
        loop {
            let mut guard = waiting.0.lock().unwrap();
            while guard.as_ref().is_some_and(Vec::is_empty) {
                guard = waiting.1.wait(guard).unwrap();
            }
            let start = Instant::now();
            while guard.as_ref().is_some_and(|group| group.len() < last / 2) && start.elapsed() < linger {
                drop(guard);
                std::thread::yield_now();
                guard = waiting.0.lock().unwrap();
            }
            let Some(group) = guard.as_mut() else { return };
            last = group.len();
            let group = std::mem::take(group);
            drop(guard);
            write(group.len());
            for answer in group {
                let _ = answer.send(());
            }
        }
    });
    let sending = Arc::clone(&queue);
    let figure = closed_loop(runtime, senders, time, move || {
        let queue = Arc::clone(&sending);
        async move {
            let (answer, receipt) = oneshot::channel();
            if let Some(group) = queue.0.lock().unwrap().as_mut() {
                group.push(answer);
            }
            queue.1.notify_one();
            receipt.await.unwrap();
        }
    });
    *queue.0.lock().unwrap() = None;
    queue.1.notify_one();
    writer.join().unwrap();
    figure
}

/// Calls per second of so many tasks, each of which waits for its call before the next.
pub fn closed_loop<F: Future<Output = ()> + Send + 'static>(
    runtime: &tokio::runtime::Runtime,
    senders: u32,
    time: Duration,
    call: impl Fn() -> F + Clone + Send + 'static,
) -> f64 {
    runtime.block_on(async move {
        let start = Instant::now();
        let tasks: Vec<_> = (0..senders)
            .map(|_| {
                let call = call.clone();
                tokio::spawn(run(call, start, time))
            })
            .collect();
        let mut calls = 0;
        for task in tasks {
            calls += task.await.unwrap();
        }
        calls as f64 / start.elapsed().as_secs_f64()
    })
}

async fn run<F: Future<Output = ()> + Send + 'static>(call: impl Fn() -> F, start: Instant, time: Duration) -> u64 {
    let mut calls = 0;
    while start.elapsed() < time {
        call().await;
        calls += 1;
    }
    calls
}
