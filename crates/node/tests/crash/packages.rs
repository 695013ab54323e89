//! Packages on a store, killed or put to sleep: what wasm and native guests have booked is there, once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use playhouse_guest::Bytes;
use playhouse_node::store::Store;
use playhouse_node::{ActorOptions, ActorRef, Node, Policy, TrustPolicy};

use crate::clerk::route;
use crate::process::{Process, open_store, rounds, runtime, say};
use crate::verify::await_that;

const TRUST: &str = include_str!("../../../../guests/trust.toml");

/// A package, how to add to its sum, and how to ask for it.
struct Adder {
    name: &'static str,
    package: &'static [u8],
    add: &'static str,
    sum: &'static str,
}

macro_rules! adder {
    ($name:literal, $add:literal, $sum:literal) => {
        Adder {
            name: $name,
            package: include_bytes!(concat!("../../../../guests/packages/", $name, ".actr")),
            add: $add,
            sum: $sum,
        }
    };
}

const ADDERS: [Adder; 3] = [
    adder!("ledger-wasm", "ledger.LedgerService.Book", "ledger.LedgerService.Sum"),
    adder!("ledger-native", "ledger.LedgerService.Book", "ledger.LedgerService.Sum"),
    // Adds nothing, and answers with the sum.
    adder!("durable-c", "durable.DurableService.Add", "durable.DurableService.Add"),
];

/// A message whose first field is that number.
fn message(mut number: u64) -> Bytes {
    let mut bytes = vec![0x08];
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes.into()
}

/// The first field of a message, if that is a number; 0 if it is not there.
fn number(message: &[u8]) -> u64 {
    let Some(bytes) = message.strip_prefix(&[0x08]) else { return 0 };
    let end = bytes.iter().position(|byte| *byte < 0x80).unwrap();
    bytes[..=end].iter().rev().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f))
}

struct Shop {
    store: Arc<dyn Store>,
    node: Node,
    actors: Vec<ActorRef>,
}

impl Shop {
    /// A node that compiles each package once.
    async fn open(folder: &Path) -> Self {
        let store: Arc<dyn Store> = Arc::new(open_store(&folder.join("store")));
        let trust = TrustPolicy::parse(TRUST, |file| Err(file.to_owned())).unwrap();
        let policy = Policy { danger_native_in_process: true, ..Policy::default() };
        let node = Node::builder().realm(7).owner("shop").trust(trust).policy(policy).cache_dir(folder.join("cache"));
        let node = node.store(Arc::clone(&store)).start().unwrap();
        let mut actors = Vec::new();
        for adder in &ADDERS {
            let options = ActorOptions { passivate_after: Some(Duration::from_millis(20)), ..ActorOptions::default() };
            actors.push(node.attach(Bytes::from_static(adder.package), options).await.unwrap());
        }
        Self { store, node, actors }
    }

    async fn add(&self, amount: u64) {
        let adding =
            self.actors.iter().zip(&ADDERS).map(|(actor, adder)| actor.call(route(adder.add), message(amount)));
        join_all(adding).await.into_iter().for_each(|reply| drop(reply.unwrap()));
    }

    /// Waits until all have left memory.
    async fn asleep(&self) {
        let passive = async || self.actors.iter().all(|actor| actor.status().state.name() == "passive");
        assert_eq!(await_that("all are passive", Duration::from_secs(10), passive).await, None);
    }

    async fn close(self) {
        let Self { store, node, actors } = self;
        node.shutdown(Duration::from_secs(5)).await;
        drop((node, actors));
        store.close().await.unwrap();
    }

    async fn sums(&self) -> Vec<u64> {
        let sums = self.actors.iter().zip(&ADDERS).map(|(actor, adder)| actor.call(route(adder.sum), Bytes::new()));
        join_all(sums).await.into_iter().map(|reply| number(&reply.unwrap())).collect()
    }
}

/// Adds 1, 2, 3, … to each, going on where the word says.
pub(crate) async fn run(folder: &Path, word: &str) {
    let shop = Shop::open(folder).await;
    let (pause, done) = word.split_once(' ').unwrap();
    let (pause, done) =
        (Duration::from_millis(pause.parse().unwrap()), done.split(' ').map(|done| done.parse().unwrap()));
    say("ready");
    join_all(shop.actors.iter().zip(&ADDERS).zip(done).map(async |((actor, adder), done): (_, u64)| {
        for amount in done + 1.. {
            actor.call(route(adder.add), message(amount)).await.unwrap();
            say(&format!("ack {} {amount}", adder.name));
            // Long enough to leave memory, or not at all.
            tokio::time::sleep(pause).await;
        }
    }))
    .await;
}

/// What was acknowledged of each while a process lived.
fn run_and_kill(folder: &Path, word: &str, after: Duration) -> Vec<u64> {
    let mut process = Process::start("packages", folder, word);
    process.says(&["ready"]);
    let lines = process.lines();
    let listener = std::thread::spawn(move || {
        let mut last = vec![0; ADDERS.len()];
        for line in lines {
            let Some((name, amount)) = line.strip_prefix("ack ").and_then(|line| line.split_once(' ')) else {
                continue;
            };
            let index = ADDERS.iter().position(|adder| adder.name == name).unwrap();
            last[index] = amount.parse().unwrap();
        }
        last
    });
    std::thread::sleep(after);
    process.kill();
    listener.join().unwrap()
}

#[test]
fn packages_keep_what_they_have_booked() {
    let ground = tempfile::tempdir().unwrap();
    // How many amounts each has added.
    let mut done = vec![0; ADDERS.len()];
    let rounds = rounds(2, 100);
    for round in 0..rounds {
        // In every other round they go to sleep again and again.
        let words: Vec<_> = done.iter().map(ToString::to_string).collect();
        let word = format!("{} {}", round % 2 * 30, words.join(" "));
        let after = Duration::from_micros(30_000 + round.wrapping_mul(7_919_771) % 200_000);
        let acknowledged = run_and_kill(ground.path(), &word, after);
        let sums = runtime().block_on(async {
            let shop = Shop::open(ground.path()).await;
            let sums = shop.sums().await;
            shop.close().await;
            sums
        });
        for (index, adder) in ADDERS.iter().enumerate() {
            let last = acknowledged[index].max(done[index]);
            // One more may have been added without its caller being told.
            let added = (last..=last + 1).find(|count| count * (count + 1) / 2 == sums[index]);
            done[index] = added.unwrap_or_else(|| {
                panic!("round {round}: {} has {} after {last} were acknowledged", adder.name, sums[index])
            });
        }
    }
    println!("{rounds} kills, {done:?} booked");
    assert!(done.iter().all(|done| *done > 0), "nothing was booked: {done:?}");
}

#[test]
fn packages_leave_memory_and_come_back() {
    let ground = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let shop = Shop::open(ground.path()).await;
        for amount in 1..=3 {
            shop.add(amount).await;
            shop.asleep().await;
        }
        assert_eq!(shop.sums().await, [6; ADDERS.len()]);
        shop.close().await;
        let shop = Shop::open(ground.path()).await;
        shop.asleep().await;
        assert_eq!(shop.sums().await, [6; ADDERS.len()]);
        shop.close().await;
    });
}
