use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use playhouse_store::{
    Accepted, ActorKey, ActorStore, Durability, Enqueue, Identity, Lease, Message, MessageKind, OpenActor, Position,
    Priority, QueueLimits, Quota, SqliteOptions, SqliteStore, Store, Time,
};
use playhouse_types::Realm;

use crate::{PAYLOAD, SENDERS, floors, group};

fn open(folder: &Path) -> anyhow::Result<Arc<dyn Store>> {
    Ok(Arc::new(SqliteStore::open(folder, SqliteOptions::default())?))
}

pub fn actor(store: &dyn Store, instance: u32) -> anyhow::Result<Lease> {
    let identity = Identity {
        realm: Realm::new(1),
        manufacturer: "bench".parse()?,
        type_name: "Actor".parse()?,
        instance: instance.to_string(),
    };
    let lease_for = Duration::from_secs(3600);
    let open = OpenActor { identity, owner: "bench".to_owned(), now: Time::default(), lease_for };
    Ok(store.open_actor(open).wait()?)
}

pub fn tell(to: ActorKey, payload: &Bytes) -> Enqueue {
    let message = Message {
        kind: MessageKind::Tell,
        priority: Priority::Normal,
        caller: String::new(),
        request: None,
        route: "bench.Bench.Tell".to_owned(),
        payload: payload.clone(),
        deadline: None,
        context: Bytes::new(),
    };
    let limits = QueueLimits { messages: u64::MAX, bytes: u64::MAX };
    Enqueue { to, message, now: Time::default(), limits, durability: Durability::Fsync, delivers: None }
}

pub fn tells(runtime: &tokio::runtime::Runtime, folder: &Path, time: Duration) -> anyhow::Result<f64> {
    let store = open(folder)?;
    let to = actor(&*store, 0)?.actor;
    let payload = Bytes::from(vec![7; PAYLOAD]);
    let told = Arc::clone(&store);
    let figure = group::closed_loop(runtime, SENDERS, time, move || {
        let receipt = told.enqueue(tell(to, &payload));
        async move { assert!(matches!(receipt.await, Ok(Accepted::Queued(_)))) }
    });
    if std::env::var_os("STORE_BENCH_STATS").is_some() {
        println!("  {:?}", store.stats().wait()?);
    }
    Ok(figure)
}

pub fn tell_latency(runtime: &tokio::runtime::Runtime, folder: &Path, time: Duration) -> anyhow::Result<f64> {
    let store = open(folder)?;
    let to = actor(&*store, 0)?.actor;
    let payload = Bytes::from(vec![7; PAYLOAD]);
    let _inside = runtime.enter();
    Ok(floors::median(time, || drop(runtime.block_on(store.enqueue(tell(to, &payload))).unwrap())))
}

/// What a call with one state write does: it reads a value, writes it, and its caller hears when it is durable.
pub async fn handle(actor: ActorStore, value: Bytes) {
    let key = Bytes::from_static(b"balance");
    let mut effects = actor.begin().await.unwrap();
    effects.get(&key).await.unwrap();
    effects.set(key, value).unwrap();
    actor.commit(effects, Time::default(), Durability::Fsync).await.unwrap();
}

pub fn commits(runtime: &tokio::runtime::Runtime, folder: &Path, time: Duration) -> anyhow::Result<f64> {
    let store = open(folder)?;
    let lease = actor(&*store, 0)?;
    let actor = ActorStore::new(store, lease, Quota::default());
    let value = Bytes::from(vec![7; PAYLOAD]);
    Ok(group::closed_loop(runtime, SENDERS, time, move || handle(actor.clone(), value.clone())))
}

pub fn commits_of_many(runtime: &tokio::runtime::Runtime, folder: &Path, time: Duration) -> anyhow::Result<f64> {
    let store = open(folder)?;
    let actors: Vec<ActorStore> = (0..SENDERS)
        .map(|number| Ok(ActorStore::new(Arc::clone(&store), actor(&*store, number)?, Quota::default())))
        .collect::<anyhow::Result<_>>()?;
    let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let value = Bytes::from(vec![7; PAYLOAD]);
    Ok(group::closed_loop(runtime, SENDERS, time, move || {
        let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        handle(actors[number % actors.len()].clone(), value.clone())
    }))
}

/// Fills a mailbox, ends without closing the store, opens it again and reads the first batch. A child process fills it, so that nothing is
/// tidied up.
pub fn restart(folder: &Path, messages: u32) -> anyhow::Result<Duration> {
    let store = open(folder)?;
    let lease = actor(&*store, 0)?;
    let payload = Bytes::from(vec![7; PAYLOAD]);
    let mut last = None;
    for number in 0..messages {
        let receipt = store.enqueue(tell(lease.actor, &payload));
        // Some thousands at a time, as many as may wait.
        if number % 4096 == 4095 { drop(receipt.wait()?) } else { last = Some(receipt) }
    }
    last.map(|receipt| receipt.wait()).transpose()?;
    // As kill -9 leaves it: the files as they are, copied while the store is open.
    let killed = folder.with_extension("killed");
    std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o700).create(&killed)?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), killed.join(entry.file_name()))?;
        }
    }
    let start = Instant::now();
    let store = open(&killed)?;
    let batch = store.queued(lease.actor, Position::start(Priority::Normal), Default::default()).wait()?;
    assert_eq!(batch.len(), 256);
    Ok(start.elapsed())
}

/// Reads after the page cache was dropped: few, because what is read ahead makes it warm again.
const COLD_READS: usize = 2000;

/// The medians of reading keys again and again, and of keys that nobody has read.
pub fn reads(folder: &Path, keys: u32) -> anyhow::Result<(f64, f64)> {
    let store = open(folder)?;
    let lease = actor(&*store, 0)?;
    let actor = ActorStore::new(Arc::clone(&store), lease, Quota::default());
    let key = |number: u32| Bytes::from(format!("customer/{number:08}/balance"));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        for chunk in 0..keys / 5000 {
            let mut effects = actor.begin().await?;
            for number in chunk * 5000..(chunk + 1) * 5000 {
                effects.set(key(number), Bytes::from(vec![7; 64]))?;
            }
            actor.commit(effects, Time::default(), Durability::Fsync).await?;
        }
        anyhow::Ok(())
    })?;
    let mut number = 0_u32;
    let mut next = |among: u32| {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        key((number >> 8) % among * (keys / among))
    };
    let get = |key: Bytes| assert!(store.state(lease.actor, &key).wait().unwrap().is_some());
    (0..5000).for_each(|_| get(next(1000)));
    let cached = floors::median(Duration::from_secs(1), || get(next(1000)));
    // Needs root; without it, only the store's own cache is cold.
    drop(std::process::Command::new("sync").status());
    drop(std::fs::write("/proc/sys/vm/drop_caches", "1"));
    let mut times: Vec<f64> = (0..COLD_READS)
        .map(|_| {
            let key = next(keys);
            let before = Instant::now();
            get(key);
            before.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    Ok((cached, times[times.len() / 2]))
}
