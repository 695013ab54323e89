//! What durable costs through a node: tells and calls with state beside the disk's own floor, and plain calls on a node with a store
//! beside those on a node without, in one run and on one file system.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --no-default-features --bin durable [FOLDER] [SECONDS]`
//!
//! The folder (default: the target folder) says which disk is measured. Absolute figures are the disk's; look at the ratios.

#[path = "../store/floors.rs"]
#[expect(dead_code, reason = "the bench of the store uses the rest")]
mod floors;
#[path = "../store/group.rs"]
mod group;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use playhouse_benches::{p50, rate};
use playhouse_guest::{Actor, Context, Dispatch, Error, RouteKey};
use playhouse_node::store::{MemoryStore, Retention, SqliteOptions, SqliteStore, Store};
use playhouse_node::{ActorOptions, ActorRef, Node};
use tokio::runtime::Runtime;

/// Rounds; the middle one of each figure counts.
const ROUNDS: usize = 5;
pub const SENDERS: u32 = 64;
pub const PAYLOAD: usize = 256;
/// Batches of 100 plain calls.
const BATCHES: u32 = 1000;
const CALLS_EACH: u32 = 5000;

const ECHO: RouteKey = RouteKey::from_static("bench.Account.Echo");
const WRITE: RouteKey = RouteKey::from_static("bench.Account.Write");

struct Account;

impl Actor for Account {}

impl Dispatch for Account {
    async fn dispatch(&mut self, cx: Context<'_>, route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        if *route == WRITE {
            cx.state().get("balance").await?;
            cx.state().set("balance", payload.clone()).await?;
        }
        Ok(payload)
    }
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let default = || PathBuf::from(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
    let folder = arguments.next().map_or_else(default, PathBuf::from);
    let seconds: f64 = arguments.next().map_or(Ok(1.0), |text| text.parse())?;
    let time = Duration::from_secs_f64(seconds);
    std::fs::create_dir_all(&folder)?;
    println!("on {}\n", folder.canonicalize()?.display());
    let scratch = tempfile::Builder::new().prefix("durable-bench-").tempdir_in(&folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    through_the_node(&runtime, scratch.path(), time)?;
    latency(&runtime, scratch.path(), time)?;
    plain_calls(&runtime, scratch.path())
}

fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn sqlite(folder: &Path) -> anyhow::Result<Arc<dyn Store>> {
    Ok(Arc::new(SqliteStore::open(folder, SqliteOptions::default())?))
}

fn actor(runtime: &Runtime, store: Option<Arc<dyn Store>>) -> anyhow::Result<(Node, ActorRef)> {
    runtime.block_on(async {
        let builder = Node::builder();
        let node = match store {
            Some(store) => builder.store(store).start()?,
            None => builder.start()?,
        };
        let actor = node.link("bench:Account:1".parse()?, || Account, ActorOptions::default()).await?;
        Ok((node, actor))
    })
}

/// Messages per second of 64 senders that wait for their answers.
fn through_the_node(runtime: &Runtime, folder: &Path, time: Duration) -> anyhow::Result<()> {
    let mut figures: [Vec<f64>; 5] = Default::default();
    for round in 0..ROUNDS {
        let path = |name: &str| folder.join(format!("{name}-{round}"));
        figures[4].push(floors::append(runtime, &path("append"), time)?);
        figures[0].push(floors::overwrite(runtime, &path("overwrite"), time)?);
        figures[1].push(floors::bare_sqlite(runtime, &path("bare"), time)?);
        figures[2].push(rate_of(runtime, &path("tells"), time, |actor, payload| async move {
            actor.tell(ECHO, payload).await.unwrap();
        })?);
        figures[3].push(rate_of(runtime, &path("writes"), time, |actor, payload| async move {
            actor.call(WRITE, payload).await.unwrap();
        })?);
    }
    let [overwrite, bare, tells, writes, append] = figures.map(middle);
    let row = |name: &str, figure: f64| {
        let (of_append, of_overwrite) = (figure / append * 100.0, figure / overwrite * 100.0);
        println!("  {name:<42} {figure:>9.0} /s  {of_append:>5.1} %  {of_overwrite:>5.1} %");
    };
    println!("{SENDERS} senders, {PAYLOAD} bytes, fsync; beside each floor");
    row("floor: append, one wait per group", append);
    row("floor: a used log, one wait per group", overwrite);
    row("bare SQLite, one transaction per group", bare);
    row("durable tells, handled", tells);
    row("calls with one state write", writes);
    Ok(())
}

fn rate_of<F: Future<Output = ()> + Send + 'static>(
    runtime: &Runtime,
    folder: &Path,
    time: Duration,
    send: impl Fn(ActorRef, Bytes) -> F + Clone + Send + 'static,
) -> anyhow::Result<f64> {
    let (node, actor) = actor(runtime, Some(sqlite(folder)?))?;
    let payload = Bytes::from(vec![7; PAYLOAD]);
    let figure = group::closed_loop(runtime, SENDERS, time, move || send(actor.clone(), payload.clone()));
    runtime.block_on(node.shutdown(Duration::from_secs(10)));
    Ok(figure)
}

/// What one sender waits for.
fn latency(runtime: &Runtime, folder: &Path, time: Duration) -> anyhow::Result<()> {
    let mut figures: [Vec<f64>; 3] = Default::default();
    for round in 0..ROUNDS {
        let path = |name: &str| folder.join(format!("{name}-latency-{round}"));
        figures[0].push(floors::overwrite_latency(&path("overwrite"), time)?);
        let (node, actor) = actor(runtime, Some(sqlite(&path("node"))?))?;
        let payload = Bytes::from(vec![7; PAYLOAD]);
        figures[1].push(floors::median(time, || {
            runtime.block_on(actor.tell(ECHO, payload.clone())).unwrap();
        }));
        figures[2].push(floors::median(time, || {
            runtime.block_on(actor.call(WRITE, payload.clone())).unwrap();
        }));
        runtime.block_on(node.shutdown(Duration::from_secs(10)));
    }
    let [floor, tell, write] = figures.map(middle);
    println!("\none sender, median");
    println!("  floor: two pages of a used log, one wait   {floor:>9.0} µs");
    println!("  durable tell                               {tell:>9.0} µs  {:>+6.0} µs", tell - floor);
    println!("  call with one state write                  {write:>9.0} µs  {:>+6.0} µs", write - floor);
    Ok(())
}

/// Calls without effects: what a node's store adds to them.
fn plain_calls(runtime: &Runtime, folder: &Path) -> anyhow::Result<()> {
    let mut figures: [Vec<(f64, f64)>; 3] = Default::default();
    for round in 0..ROUNDS {
        let stores: [Option<Arc<dyn Store>>; 3] = [
            None,
            Some(Arc::new(MemoryStore::new(Retention::default()))),
            Some(sqlite(&folder.join(format!("plain-{round}")))?),
        ];
        for (figure, store) in figures.iter_mut().zip(stores) {
            let (node, actor) = actor(runtime, store)?;
            figure.push(runtime.block_on(echo(&actor)));
            runtime.block_on(node.shutdown(Duration::from_secs(10)));
        }
    }
    println!("\na call without effects, 64 bytes");
    let mut base = None;
    for (name, figure) in ["no store", "a store in memory", "a store on SQLite"].iter().zip(figures) {
        let best = figure.iter().map(|(median, _)| *median).fold(f64::INFINITY, f64::min);
        let most = figure.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
        let (base_median, base_rate) = *base.get_or_insert((best, most));
        println!(
            "  {name:<40} {best:>7.1} ns {:>+6.1} %   {most:>10.0} calls/s of {SENDERS} callers {:>+6.1} %",
            (best / base_median - 1.0) * 100.0,
            (most / base_rate - 1.0) * 100.0
        );
    }
    Ok(())
}

async fn echo(actor: &ActorRef) -> (f64, f64) {
    let payload = Bytes::from(vec![7; 64]);
    // On a worker, as the actor's messages are.
    let (on_worker, sent) = (actor.clone(), payload.clone());
    let median =
        tokio::spawn(async move { p50(BATCHES, || async { on_worker.call(ECHO, sent.clone()).await.unwrap() }).await });
    let median = median.await.unwrap().as_nanos() as f64;
    let per_second = rate(SENDERS, CALLS_EACH, |calls| {
        let (actor, payload) = (actor.clone(), payload.clone());
        async move {
            for _ in 0..calls {
                actor.call(ECHO, payload.clone()).await.unwrap();
            }
        }
    })
    .await;
    (median, per_second)
}
