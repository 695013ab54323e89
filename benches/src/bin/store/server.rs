//! The store on a Postgres server, beside bare inserts in the same groups on the same server, and beside one transaction for each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use playhouse_store::{
    Accepted, ActorStore, Durability, PostgresOptions, PostgresStore, Quota, Retention, Stats, Store,
};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, Statement};

use crate::{PAYLOAD, ROUNDS, SENDERS, floors, group, middle, ours};

/// A client of the server with a table of its own.
async fn client(server: &str) -> anyhow::Result<(Client, Statement)> {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await?;
    tokio::spawn(connection);
    client
        .batch_execute(
            "SET client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS bench_floor; \
             CREATE TABLE IF NOT EXISTS bench_floor.mailbox (id bigserial PRIMARY KEY, body bytea NOT NULL)",
        )
        .await?;
    let insert = client.prepare("INSERT INTO bench_floor.mailbox (body) SELECT unnest($1::bytea[])").await?;
    Ok((client, insert))
}

/// One statement per group, one row each, nothing else.
fn bare(runtime: &Runtime, server: &str, time: Duration) -> anyhow::Result<Run> {
    let (client, insert) = runtime.block_on(client(server))?;
    let handle = runtime.handle().clone();
    let body = vec![7_u8; PAYLOAD];
    let statements = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&statements);
    let rate = group::rate(runtime, SENDERS, time, Duration::ZERO, move |count| {
        let bodies = vec![&body; count];
        handle.block_on(client.execute(&insert, &[&bodies])).unwrap();
        counted.fetch_add(1, Ordering::Relaxed);
    });
    Ok(Run { rate, trips: statements.load(Ordering::Relaxed) as f64 / (rate * time.as_secs_f64()) })
}

fn open(server: &str) -> anyhow::Result<Arc<dyn Store>> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let schema = format!("bench_{}_{number}", std::process::id());
    let options = PostgresOptions { schema, retention: Retention::default(), ..PostgresOptions::new(server) };
    Ok(Arc::new(PostgresStore::open(options)?))
}

/// Writes per second, and round trips for each.
struct Run {
    rate: f64,
    trips: f64,
}

fn counted(store: &dyn Store, before: Stats, rate: f64) -> anyhow::Result<Run> {
    let after = store.stats().wait()?;
    Ok(Run { rate, trips: (after.groups - before.groups) as f64 / (after.writes - before.writes) as f64 })
}

fn tells(runtime: &Runtime, server: &str, actors: u32, class: Durability, time: Duration) -> anyhow::Result<Run> {
    let store = open(server)?;
    let keys = (0..actors).map(|number| Ok(ours::actor(&*store, number)?.actor)).collect::<anyhow::Result<Vec<_>>>()?;
    let before = store.stats().wait()?;
    let payload = Bytes::from(vec![7; PAYLOAD]);
    let (told, next) = (Arc::clone(&store), Arc::new(AtomicUsize::new(0)));
    let rate = group::closed_loop(runtime, SENDERS, time, move || {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let mut tell = ours::tell(keys[number % keys.len()], &payload);
        tell.durability = class;
        let receipt = told.enqueue(tell);
        async move { assert!(matches!(receipt.await, Ok(Accepted::Queued(_)))) }
    });
    counted(&*store, before, rate)
}

fn commits(runtime: &Runtime, server: &str, actors: u32, time: Duration) -> anyhow::Result<Run> {
    let store = open(server)?;
    let actors = (0..actors)
        .map(|number| Ok(ActorStore::new(Arc::clone(&store), ours::actor(&*store, number)?, Quota::default())))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let before = store.stats().wait()?;
    let (value, next) = (Bytes::from(vec![7; PAYLOAD]), Arc::new(AtomicUsize::new(0)));
    let rate = group::closed_loop(runtime, SENDERS, time, move || {
        let number = next.fetch_add(1, Ordering::Relaxed);
        ours::handle(actors[number % actors.len()].clone(), value.clone())
    });
    counted(&*store, before, rate)
}

/// Prints the figures, if there is a server.
pub fn run(runtime: &Runtime, time: Duration) -> anyhow::Result<()> {
    let Ok(server) = std::env::var("PLAYHOUSE_POSTGRES") else {
        println!("\nPostgres: `.ci/postgres cargo run ... --features postgres --bin store` measures it");
        return Ok(());
    };
    writes(runtime, &server, time)?;
    one_sender(runtime, &server, time)
}

fn writes(runtime: &Runtime, server: &str, time: Duration) -> anyhow::Result<()> {
    let mut figures: [Vec<Run>; 6] = Default::default();
    for _ in 0..ROUNDS {
        let run: [anyhow::Result<Run>; 6] = [
            bare(runtime, server, time),
            tells(runtime, server, 1, Durability::Fsync, time),
            tells(runtime, server, SENDERS, Durability::Fsync, time),
            commits(runtime, server, 1, time),
            commits(runtime, server, SENDERS, time),
            tells(runtime, server, 1, Durability::Memory, time),
        ];
        for (all, run) in figures.iter_mut().zip(run) {
            all.push(run?);
        }
    }
    println!(
        "\nPostgres, {SENDERS} senders, {PAYLOAD} bytes, each waits for its answer; the middle of {ROUNDS} rounds"
    );
    let names = [
        "bare inserts in groups (the floor)",
        "durable tells to one actor",
        "durable tells to 64 actors",
        "commits of one actor with one state write",
        "commits of 64 actors with one state write",
        "tells to one actor, class `memory`",
    ];
    for (name, runs) in names.iter().zip(&figures) {
        let rate = middle(runs.iter().map(|run| run.rate).collect());
        let trips = middle(runs.iter().map(|run| run.trips).collect());
        let ratio = middle(runs.iter().zip(&figures[0]).map(|(run, floor)| run.rate / floor.rate).collect());
        println!("  {name:<46} {rate:>10.0}/s  {ratio:.2} of the floor, {trips:.3} round trips each");
    }
    Ok(())
}

fn one_sender(runtime: &Runtime, server: &str, time: Duration) -> anyhow::Result<()> {
    let (mut rows, mut tells) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (client, insert) = runtime.block_on(client(server))?;
        let bodies = [vec![7_u8; PAYLOAD]];
        rows.push(floors::median(time / 2, || {
            assert_eq!(runtime.block_on(client.execute(&insert, &[&&bodies[..]])).unwrap(), 1)
        }));
        let store = open(server)?;
        let to = ours::actor(&*store, 0)?.actor;
        let payload = Bytes::from(vec![7; PAYLOAD]);
        tells.push(floors::median(time / 2, || {
            drop(runtime.block_on(store.enqueue(ours::tell(to, &payload))).unwrap())
        }));
    }
    println!("Postgres, one sender, median latency; the middle of {ROUNDS} rounds");
    println!("  one bare insert                                  {:>8.0} µs", middle(rows));
    println!("  one durable tell, one round trip                 {:>8.0} µs", middle(tells));
    Ok(())
}
