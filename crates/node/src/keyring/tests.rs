use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use expect_test::{Expect, expect};
use playhouse_crypto::{KEY_INPUT_BYTES_MAX, KeyKind, KeySlot, MasterKey};
use playhouse_store::{
    ActorInfo, ActorKey, ActorStore, Durability, Effects, Identity, MemoryStore, OpenActor, Quota, Retention, Store,
    Time,
};
use playhouse_types::{ActorError, ActorId, CryptoOp, HashAlgorithm, HostReply, KeyPurpose, Label, Realm};

use super::{KeyringError, MasterKeys, perform, perform_without_keys, uses_keys};
use crate::Node;

mod masters;
mod operators;

pub(super) fn master(seed: u8) -> MasterKey {
    let mut next = seed;
    let counting = |bytes: &mut [u8]| bytes.fill_with(|| (next, next = next.wrapping_add(1)).0);
    MasterKey::generate(counting).unwrap()
}

pub(super) fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(Retention::default()))
}

fn identity(instance: &str) -> Identity {
    let (manufacturer, type_name) = ("acme".parse().unwrap(), "Echo".parse().unwrap());
    Identity { realm: Realm::new(7), manufacturer, type_name, instance: instance.to_owned() }
}

/// An actor that a node runs, as far as its keys go.
pub(super) struct Actor {
    pub(super) node: Node,
    pub(super) id: ActorId,
    store: ActorStore,
}

impl Actor {
    /// The actor `instance` of version `version`, on a node with these master keys.
    pub(super) async fn open(store: &Arc<dyn Store>, keys: Option<MasterKeys>, instance: &str, version: &str) -> Self {
        let builder = keys.into_iter().fold(Node::builder(), crate::NodeBuilder::master_key);
        Self::on(builder, store, (instance, version)).await
    }

    /// The actor of a node that has the store itself.
    pub(super) async fn on_store(store: &Arc<dyn Store>, keys: MasterKeys) -> Self {
        let builder = Node::builder().master_key(keys).store(Arc::clone(store));
        Self::on(builder, store, ("one", "1.0.0")).await
    }

    async fn on(builder: crate::NodeBuilder, store: &Arc<dyn Store>, (instance, version): (&str, &str)) -> Self {
        let (owner, lease_for) = ("test".to_owned(), Duration::from_secs(1));
        let open = OpenActor { identity: identity(instance), owner, now: Time::default(), lease_for };
        let lease = store.open_actor(open).await.unwrap();
        let id = format!("{:x}@7/acme:Echo:{version}", lease.serial.number()).parse().unwrap();
        let store = ActorStore::new(Arc::clone(store), lease, Quota::default());
        Self { node: builder.start().unwrap(), id, store }
    }

    async fn of(store: &Arc<dyn Store>) -> Self {
        Self::open(store, Some(master(1).into()), "one", "1.0.0").await
    }

    pub(super) async fn begin(&self) -> Effects {
        self.store.begin().await.unwrap()
    }

    pub(super) async fn ask(&self, op: CryptoOp, effects: &mut Effects) -> Result<HostReply, ActorError> {
        perform(&self.node.0, &self.id, op, effects).await
    }

    pub(super) async fn commit(&self, effects: Effects) {
        self.store.commit(effects, Time::default(), Durability::Memory).await.unwrap();
    }

    /// One message with one operation, committed.
    pub(super) async fn message(&self, op: CryptoOp) -> Result<HostReply, ActorError> {
        let mut effects = self.begin().await;
        let reply = self.ask(op, &mut effects).await?;
        self.commit(effects).await;
        Ok(reply)
    }

    pub(super) async fn bytes(&self, op: CryptoOp) -> Bytes {
        match self.message(op).await {
            Ok(HostReply::Bytes(bytes)) => bytes,
            other => panic!("{other:?}"),
        }
    }

    async fn check(&self, op: CryptoOp, expected: Expect) {
        let outcome = self.message(op).await;
        expected.assert_eq(&outcome.map_or_else(|error| error.to_text(), |reply| format!("{reply:?}")));
    }

    pub(super) async fn info(&self) -> ActorInfo {
        self.store.store().actor(self.store.lease().actor).await.unwrap().unwrap()
    }
}

pub(super) fn label(name: &str) -> Label {
    name.parse().unwrap()
}

pub(super) fn slot(kind: KeyKind, name: &str) -> KeySlot {
    KeySlot { kind, name: label(name) }
}

pub(super) fn public(name: &str, purpose: KeyPurpose) -> CryptoOp {
    CryptoOp::PublicKey { key: label(name), purpose }
}

pub(super) fn sign(name: &str) -> CryptoOp {
    CryptoOp::Sign { key: label(name), message: "m".into() }
}

pub(super) fn seal(name: &str, plaintext: impl Into<Bytes>) -> CryptoOp {
    CryptoOp::Seal { key: label(name), plaintext: plaintext.into(), context: "c".into() }
}

pub(super) fn open(name: &str, ciphertext: &Bytes) -> CryptoOp {
    CryptoOp::Open { key: label(name), ciphertext: ciphertext.clone(), context: "c".into() }
}

/// Names of all records in the store and under which master key each is, in order.
pub(super) async fn stored(store: &dyn Store) -> Vec<(String, String)> {
    let start = (ActorKey::from_number(0), String::new());
    let keys = store.sealed_keys(start, super::reseal::BATCH).await.unwrap();
    let master = |blob: &[u8]| playhouse_crypto::KeyRecord::parse(blob).unwrap().master().to_string();
    keys.into_iter().map(|key| (format!("{} {}", key.actor, key.name), master(&key.blob))).collect()
}

#[tokio::test]
async fn keys_are_committed_with_their_message_or_dropped() {
    let store = memory();
    let actor = Actor::of(&store).await;
    let mut dropped = actor.begin().await;
    let first = actor.ask(public("k", KeyPurpose::Sign), &mut dropped).await.unwrap();
    let again = actor.ask(public("k", KeyPurpose::Sign), &mut dropped).await.unwrap();
    assert_eq!(first, again, "a message sees the keys that it has made");
    drop(dropped);
    assert_eq!(stored(&*store).await, []);

    let mut kept = actor.begin().await;
    let second = actor.ask(public("k", KeyPurpose::Sign), &mut kept).await.unwrap();
    assert_ne!(first, second, "the key of a message that failed is gone");
    actor.commit(kept).await;
    assert_eq!(actor.message(public("k", KeyPurpose::Sign)).await.unwrap(), second);
    assert_eq!(stored(&*store).await, [("1 signing/k".to_owned(), master(1).id().to_string())]);
}

/// Before the disk has a key, the next message uses it.
#[tokio::test]
async fn a_message_uses_keys_of_commits_under_way() {
    let store = memory();
    let actor = Actor::of(&store).await;
    let mut first = actor.begin().await;
    let HostReply::Bytes(sealed) = actor.ask(seal("k", "plain"), &mut first).await.unwrap() else { panic!() };
    let receipt = actor.store.commit(first, Time::default(), Durability::Memory);
    let mut second = actor.begin().await;
    let opened = actor.ask(open("k", &sealed), &mut second).await.unwrap();
    assert_eq!(opened, HostReply::Bytes("plain".into()));
    receipt.await.unwrap();
}

#[tokio::test]
async fn keys_outlive_restarts_and_upgrades() {
    let store = memory();
    let sealed = Actor::of(&store).await.bytes(seal("k", "plain")).await;
    let upgraded = Actor::open(&store, Some(master(1).into()), "one", "2.0.0").await;
    assert_eq!(upgraded.bytes(open("k", &sealed)).await, "plain");
    let other = Actor::open(&store, Some(master(1).into()), "two", "1.0.0").await;
    other.bytes(seal("k", "")).await;
    let refused = "invalid argument: ciphertext was sealed with another key, or with a version of this one that was \
                   retired [sealed-data]";
    assert_eq!(other.message(open("k", &sealed)).await.unwrap_err().to_text(), refused);
}

#[tokio::test]
async fn agreements_write_two_keys_and_their_next_versions() {
    let store = memory();
    let (a, b) = (Actor::of(&store).await, Actor::open(&store, Some(master(1).into()), "two", "1.0.0").await);
    let agree = |peer: &Bytes, context: &'static str| CryptoOp::Agree {
        key: label("k"),
        peer: peer.clone(),
        context: context.into(),
        into: label("s"),
    };
    let of_b = b.bytes(public("k", KeyPurpose::Agree)).await;
    let mut effects = a.begin().await;
    for context in ["one", "two", "two"] {
        assert_eq!(a.ask(agree(&of_b, context), &mut effects).await, Ok(HostReply::Done));
    }
    a.commit(effects).await;
    let of_a = a.bytes(public("k", KeyPurpose::Agree)).await;
    assert_eq!(b.message(agree(&of_a, "two")).await, Ok(HostReply::Done));
    let sealed = a.bytes(seal("s", "hello")).await;
    assert_eq!(b.bytes(open("s", &sealed)).await, "hello");
    let versions: Vec<_> = MasterKeys::from(master(1)).actor_keys(&*store, &a.info().await).await.unwrap();
    let versions: Vec<_> = versions.into_iter().map(|key| (key.slot.store_name(), key.versions)).collect();
    assert_eq!(versions, [("agreement/k".to_owned(), 1..=1), ("secret/s".to_owned(), 1..=2)]);
}

#[tokio::test]
async fn without_a_master_key_there_are_no_keys() {
    let store = memory();
    let actor = Actor::open(&store, None, "one", "1.0.0").await;
    actor
        .check(
            seal("k", "plain"),
            expect!["unavailable: the node of 1@7/acme:Echo:1.0.0 has no master key, under which it could seal keys [key-master-missing]"],
        )
        .await;
    let hash = CryptoOp::Hash { algorithm: HashAlgorithm::Sha256, data: "abc".into() };
    assert!(uses_keys(&seal("k", "")) && !uses_keys(&hash));
    assert!(perform_without_keys(&actor.node.0, hash).await.is_ok());
}

#[tokio::test]
async fn a_damaged_record_is_named() {
    let store = memory();
    let actor = Actor::of(&store).await;
    actor.bytes(sign("k")).await;
    let (key, name) = (actor.store.lease().actor, "signing/k".to_owned());
    let old = store.sealed_key(key, &name).await.unwrap().unwrap();
    let mut damaged = old.to_vec();
    damaged[50] ^= 1;
    let anew = playhouse_store::SealedKey { actor: key, name, blob: damaged.into() };
    assert!(store.reseal(anew, old).await.unwrap());
    let expected = expect![
        "internal error: key record does not open: it was altered, or made for another actor or name [key-record]"
    ];
    actor.check(sign("k"), expected).await;
}

/// The largest operations are carried out by the threads for computing, and come to the same.
#[tokio::test]
async fn heavy_operations_do_not_hold_up_the_worker() {
    let store = memory();
    let actor = Actor::of(&store).await;
    let large = Bytes::from(vec![7; KEY_INPUT_BYTES_MAX]);
    let sealed = actor.bytes(seal("k", large.clone())).await;
    assert_eq!(actor.bytes(open("k", &sealed)).await, large);
    let hash = |data: Bytes| CryptoOp::Hash { algorithm: HashAlgorithm::Sha512, data };
    let digest = perform_without_keys(&actor.node.0, hash(large.clone())).await.unwrap();
    assert_eq!(playhouse_crypto::run_without_keys(&hash(large.clone())).unwrap(), digest);
    // While one is under way, its worker does other things: there is only this one.
    let mut effects = actor.begin().await;
    let mut heavy = std::pin::pin!(actor.ask(seal("k", large), &mut effects));
    let pending = std::future::poll_fn(|cx| std::task::Poll::Ready(heavy.as_mut().poll(cx).is_pending())).await;
    assert!(pending, "the operation was carried out by the worker");
    heavy.await.unwrap();
    let too_large = Bytes::from(vec![7; KEY_INPUT_BYTES_MAX + 1]);
    let refused = actor.message(seal("k", too_large)).await.unwrap_err();
    assert_eq!(refused.code().text(), "key-input");
}

fn code(error: &KeyringError) -> String {
    format!("{error} [{}]", error.code())
}
