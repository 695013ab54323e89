//! Keys of actors, on a node with a store on the disk.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use futures_util::future::join_all;
use playhouse_guest::{
    Actor, ActorType, Bytes, Context, Dispatch, Error, ErrorKind, KeyPurpose, RouteKey, SharedActor, SharedDispatch,
};
use playhouse_node::store::{SqliteOptions, SqliteStore, Store};
use playhouse_node::{ActorOptions, ActorRef, Concurrency, KeyKind, KeySlot, MasterKey, MasterKeys, Node, NodeError};
use tokio::sync::Barrier;

use crate::support::{ask, route};

/// An actor that seals and signs what it is given.
struct Sealer;

impl Actor for Sealer {}

impl Dispatch for Sealer {
    async fn dispatch(&mut self, cx: Context<'_>, route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        seal(cx, route, payload).await
    }
}

/// Handles several messages at once, which all make their key before the first of them ends.
struct Racer(Arc<Barrier>);

impl SharedActor for Racer {}

impl SharedDispatch for Racer {
    async fn dispatch(&self, cx: Context<'_>, route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
        let reply = seal(cx, route, payload).await;
        self.0.wait().await;
        reply
    }
}

async fn seal(cx: Context<'_>, route: &RouteKey, payload: Bytes) -> Result<Bytes, Error> {
    let keys = cx.keys();
    match route.as_str() {
        "public" => keys.public_key("k", KeyPurpose::Sign).await,
        "seal" => keys.seal("k", payload, "").await,
        "open" => keys.open("k", payload, "").await,
        "fail" => {
            cx.log(playhouse_guest::LogLevel::Info, &format!("{:?}", keys.public_key("k", KeyPurpose::Sign).await?));
            Err(Error::new(ErrorKind::NotFound, "after it made a key"))
        }
        other => Err(Error::new(ErrorKind::UnknownRoute, other)),
    }
}

fn master(seed: u8) -> MasterKey {
    let mut next = seed;
    MasterKey::generate(|bytes| bytes.fill_with(|| (next, next = next.wrapping_add(1)).0)).unwrap()
}

/// One process of a node: from opening its store to closing it.
struct Life {
    node: Node,
    store: Arc<dyn Store>,
}

impl Life {
    fn begin(folder: &Path, keys: impl Into<MasterKeys>) -> Result<Self, NodeError> {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder, SqliteOptions::default()).unwrap());
        let node = Node::builder().store(Arc::clone(&store)).owner("test").master_key(keys).start();
        match node {
            Ok(node) => Ok(Self { node, store }),
            Err(error) => {
                drop(store);
                Err(error)
            }
        }
    }

    async fn sealer(&self, version: &str) -> ActorRef {
        let kind: ActorType = format!("test:Sealer:{version}").parse().unwrap();
        self.node.link(kind, || Sealer, ActorOptions::default()).await.unwrap()
    }

    async fn end(self) {
        self.node.shutdown(Duration::from_secs(10)).await;
        self.store.close().await.unwrap();
    }
}

async fn send(actor: &ActorRef, name: &str, payload: &Bytes) -> Bytes {
    actor.call(route(name), payload.clone()).await.unwrap()
}

#[tokio::test]
async fn keys_outlive_the_process_and_the_version() {
    let folder = tempfile::tempdir().unwrap();
    let life = Life::begin(folder.path(), master(1)).unwrap();
    let actor = life.sealer("1").await;
    let sealed = send(&actor, "seal", &"plain".into()).await;
    let public = send(&actor, "public", &Bytes::new()).await;
    life.end().await;
    let life = Life::begin(folder.path(), master(1)).unwrap();
    let upgraded = life.sealer("2").await;
    assert_eq!(send(&upgraded, "open", &sealed).await, "plain");
    assert_eq!(send(&upgraded, "public", &Bytes::new()).await, public);
    life.end().await;
}

#[tokio::test]
async fn keys_of_a_message_that_fails_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let life = Life::begin(folder.path(), master(1)).unwrap();
    let actor = life.sealer("1").await;
    assert_eq!(ask(&actor, "fail", "").await, "not found: after it made a key");
    assert_eq!(life.node.actor_keys(actor.id()).await.unwrap(), []);
    send(&actor, "public", &Bytes::new()).await;
    assert_eq!(life.node.actor_keys(actor.id()).await.unwrap().len(), 1);
    life.end().await;
}

#[tokio::test]
async fn a_store_is_refused_with_another_master_key() {
    let folder = tempfile::tempdir().unwrap();
    let life = Life::begin(folder.path(), master(1)).unwrap();
    send(&life.sealer("1").await, "public", &Bytes::new()).await;
    life.end().await;
    let refused = Life::begin(folder.path(), master(2)).err().unwrap();
    expect!["keys in the store are sealed under master key 0bc8ea34e088240c, given was 3a2dbdf2d347f815 [key-master]"]
        .assert_eq(&format!("{refused} [{}]", refused.code()));
}

#[tokio::test]
async fn the_master_key_is_changed_while_actors_run() {
    let folder = tempfile::tempdir().unwrap();
    let life = Life::begin(folder.path(), master(1)).unwrap();
    let sealed = send(&life.sealer("1").await, "seal", &"plain".into()).await;
    life.end().await;
    // A process that is told of the new key, and ends before anything is sealed under it.
    let both = || MasterKeys::from(master(2)).with_former(master(1));
    Life::begin(folder.path(), both()).unwrap().end().await;
    assert!(Life::begin(folder.path(), master(1)).is_err() && Life::begin(folder.path(), master(2)).is_err());
    let life = Life::begin(folder.path(), both()).unwrap();
    let actor = life.sealer("1").await;
    assert_eq!(send(&actor, "open", &sealed).await, "plain");
    let done = life.node.reseal_keys().await.unwrap();
    assert_eq!((done.resealed, done.already), (1, 0));
    assert_eq!(send(&actor, "open", &sealed).await, "plain");
    life.end().await;
    let life = Life::begin(folder.path(), master(2)).unwrap();
    assert_eq!(send(&life.sealer("1").await, "open", &sealed).await, "plain");
    life.end().await;
}

#[tokio::test]
async fn a_key_is_rotated_while_its_actor_runs() {
    let folder = tempfile::tempdir().unwrap();
    let life = Life::begin(folder.path(), master(1)).unwrap();
    let actor = life.sealer("1").await;
    let sealed = send(&actor, "seal", &"plain".into()).await;
    let slot = KeySlot { kind: KeyKind::Secret, name: "k".parse().unwrap() };
    assert_eq!(life.node.rotate_key(actor.id(), &slot).await.unwrap(), 2);
    assert_eq!(send(&actor, "open", &sealed).await, "plain");
    let newer = send(&actor, "seal", &"plain".into()).await;
    assert_eq!(life.node.retire_key(actor.id(), &slot, 1.try_into().unwrap()).await.unwrap(), 2..=2);
    assert_eq!(send(&actor, "open", &newer).await, "plain");
    assert!(actor.call(route("open"), sealed).await.is_err());
    let signing = KeySlot { kind: KeyKind::Signing, ..slot };
    let refused = life.node.rotate_key(actor.id(), &signing).await.unwrap_err();
    assert_eq!(refused.to_string(), r#"there is no signing key "k""#);
    life.end().await;
}

/// Messages that make the same key at once: one of them does, and the callers of the others are told. No answer counts that was given
/// with a key which is not kept.
#[tokio::test]
async fn of_keys_that_are_made_at_once_one_is_kept() {
    const AT_ONCE: u32 = 4;
    let folder = tempfile::tempdir().unwrap();
    let life = Life::begin(folder.path(), master(1)).unwrap();
    let kind: ActorType = "test:Racer:1".parse().unwrap();
    let concurrency = Some(Concurrency::Concurrent(AT_ONCE.try_into().unwrap()));
    let options = ActorOptions { concurrency, ..ActorOptions::default() };
    let barrier = Arc::new(Barrier::new(AT_ONCE as usize));
    let actor = life.node.link_shared(kind, move || Racer(Arc::clone(&barrier)), options).await.unwrap();
    let all = || join_all((0..AT_ONCE).map(|_| actor.call(route("public"), Bytes::new())));
    let (first, second) = (all().await, all().await);
    let kept = second[0].clone().unwrap();
    assert!(second.iter().all(|outcome| outcome.as_ref() == Ok(&kept)));
    let told: Vec<_> = first.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(told.len(), AT_ONCE as usize - 1);
    for error in told {
        assert!(["state-conflict", "commit-order"].contains(&error.code().text()), "{error}");
    }
    assert!(first.contains(&Ok(kept)));
    assert_eq!(life.node.actor_keys(actor.id()).await.unwrap().len(), 1);
    life.end().await;
}
