use std::collections::HashMap;

use bytes::Bytes;
use expect_test::{Expect, expect};
use playhouse_types::{ActorError, CryptoOp, HashAlgorithm, HostReply, KeyPurpose, Label};

use super::{KeyOperation, KeySlot, run_without_keys};
use crate::testing::{actor, counting, hex, master};
use crate::{ActorVault, KeyKind, KeyRecord};

/// An actor with its store.
struct Actor {
    vault: ActorVault,
    store: HashMap<String, KeyRecord>,
    random: Source,
}

type Source = Box<dyn FnMut(&mut [u8])>;

impl Actor {
    fn new(id: &str, seed: u8) -> Self {
        Self { vault: master(1).vault(&actor(id)), store: HashMap::new(), random: Box::new(counting(seed)) }
    }

    fn ask(&mut self, op: &CryptoOp) -> Result<HostReply, ActorError> {
        let slots = KeySlot::of(op);
        let store = &self.store;
        let record = |slot: &KeySlot| {
            assert!(slots.contains(slot), "{slot:?} was not announced");
            store.get(&slot.store_name()).cloned()
        };
        let outcome = KeyOperation { vault: &self.vault, record: &record, random: &mut self.random }.run(op)?;
        for (slot, record) in outcome.written {
            assert!(slots.contains(&slot), "{slot:?} was not announced");
            self.store.insert(slot.store_name(), record);
        }
        Ok(outcome.reply)
    }

    fn bytes(&mut self, op: &CryptoOp) -> Bytes {
        match self.ask(op) {
            Ok(HostReply::Bytes(bytes)) => bytes,
            other => panic!("{other:?}"),
        }
    }

    fn check(&mut self, op: &CryptoOp, expected: &Expect) {
        expected.assert_eq(&self.ask(op).map_or_else(|error| error.to_text(), |reply| format!("{reply:?}")));
    }

    fn stored(&self) -> String {
        let mut names: Vec<_> =
            self.store.iter().map(|(name, record)| format!("{name} {:?}\n", record.versions())).collect();
        names.sort();
        names.concat()
    }
}

fn label(name: &str) -> Label {
    name.parse().expect("a label")
}

fn public(key: &str, purpose: KeyPurpose) -> CryptoOp {
    CryptoOp::PublicKey { key: label(key), purpose }
}

fn agree(peer: &Bytes, context: &'static str) -> CryptoOp {
    CryptoOp::Agree { key: label("k"), peer: peer.clone(), context: context.into(), into: label("s") }
}

fn seal(key: &str, plaintext: &'static str) -> CryptoOp {
    CryptoOp::Seal { key: label(key), plaintext: plaintext.into(), context: "c".into() }
}

fn open(key: &str, ciphertext: &Bytes) -> CryptoOp {
    CryptoOp::Open { key: label(key), ciphertext: ciphertext.clone(), context: "c".into() }
}

fn mac(key: &str) -> CryptoOp {
    CryptoOp::Mac { key: label(key), message: "m".into() }
}

fn verify_mac(key: &str, tag: &Bytes) -> CryptoOp {
    CryptoOp::VerifyMac { key: label(key), message: "m".into(), tag: tag.clone() }
}

#[test]
fn keys_are_made_on_first_use_one_for_each_kind() {
    let mut actor = Actor::new("1@7/acme:Echo:1.0.0", 1);
    let message = Bytes::from_static(b"message");
    let signature = actor.bytes(&CryptoOp::Sign { key: label("k"), message: message.clone() });
    let public_key = actor.bytes(&public("k", KeyPurpose::Sign));
    actor.check(&CryptoOp::Verify { public_key, message, signature }, &expect!["Flag(true)"]);
    assert_eq!(actor.bytes(&public("k", KeyPurpose::Agree)).len(), 32);
    let sealed = actor.bytes(&seal("k", "plain"));
    assert_eq!(actor.bytes(&open("k", &sealed)), "plain");
    let tag = actor.bytes(&mac("k"));
    actor.check(&verify_mac("k", &tag), &expect!["Flag(true)"]);
    expect![[r#"
        agreement/k 1..=1
        secret/k 1..=1
        signing/k 1..=1
    "#]]
    .assert_eq(&actor.stored());
}

#[test]
fn opening_and_checking_make_no_key() {
    let mut actor = Actor::new("1@7/acme:Echo:1.0.0", 1);
    let noise = Bytes::from_static(&[0; 100]);
    actor.check(
        &open("k", &noise),
        &expect!["invalid argument: ciphertext was sealed with another key, or with a version of this one that was retired [sealed-data]"],
    );
    actor.check(&verify_mac("k", &noise), &expect!["Flag(false)"]);
    assert_eq!(actor.stored(), "");
}

#[test]
fn peers_agree_and_derive() {
    let (mut a, mut b) = (Actor::new("1@7/acme:Echo:1.0.0", 1), Actor::new("2@8/acme:Peer:1.0.0", 99));
    let (of_a, of_b) = (a.bytes(&public("k", KeyPurpose::Agree)), b.bytes(&public("k", KeyPurpose::Agree)));
    a.check(&agree(&of_b, "chat"), &expect!["Done"]);
    b.check(&agree(&of_a, "chat"), &expect!["Done"]);
    let sealed = a.bytes(&seal("s", "hello"));
    assert_eq!(b.bytes(&open("s", &sealed)), "hello");
    let derive = CryptoOp::Derive { key: label("s"), context: "sub".into(), into: label("d") };
    a.check(&derive, &expect!["Done"]);
    b.check(&derive, &expect!["Done"]);
    let tag = a.bytes(&mac("d"));
    b.check(&verify_mac("d", &tag), &expect!["Flag(true)"]);
    b.check(&verify_mac("s", &tag), &expect!["Flag(false)"]);

    // The same again changes nothing; another context is a further version, and the older one still opens.
    b.check(&agree(&of_a, "chat"), &expect!["Done"]);
    b.check(&agree(&of_a, "other"), &expect!["Done"]);
    assert_eq!(b.bytes(&open("s", &sealed)), "hello");
    expect![[r#"
        agreement/k 1..=1
        secret/d 1..=1
        secret/s 1..=2
    "#]]
    .assert_eq(&b.stored());
}

#[test]
fn a_key_derived_into_its_own_name_is_its_next_version() {
    let mut actor = Actor::new("1@7/acme:Echo:1.0.0", 1);
    actor.check(&CryptoOp::Derive { key: label("k"), context: "c".into(), into: label("k") }, &expect!["Done"]);
    expect![[r#"
        secret/k 1..=2
    "#]]
    .assert_eq(&actor.stored());
}

#[test]
fn the_oldest_of_many_agreements_goes() {
    let mut actor = Actor::new("1@7/acme:Echo:1.0.0", 1);
    let peer = Actor::new("2@8/acme:Peer:1.0.0", 99).bytes(&public("k", KeyPurpose::Agree));
    let contexts: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    for context in contexts {
        actor.check(&agree(&peer, context.leak()), &expect!["Done"]);
    }
    expect![[r#"
        agreement/k 1..=1
        secret/s 5..=20
    "#]]
    .assert_eq(&actor.stored());
    actor.bytes(&seal("s", "plain"));
}

#[test]
fn failures_store_nothing_and_are_named() {
    let mut actor = Actor::new("1@7/acme:Echo:1.0.0", 1);
    actor.check(
        &agree(&Bytes::from_static(&[0; 32]), "c"),
        &expect!["invalid argument: public key of the peer is of small order [key-public]"],
    );
    actor.check(
        &agree(&Bytes::from_static(&[0; 31]), "c"),
        &expect!["invalid argument: public key is malformed [key-public]"],
    );
    assert_eq!(actor.stored(), "");
    actor.bytes(&mac("s"));
    let peer = Actor::new("2@8/acme:Peer:1.0.0", 99).bytes(&public("k", KeyPurpose::Agree));
    actor.check(
        &agree(&peer, "c"),
        &expect!["invalid argument: a key that the actor has alone and one that it shares with a peer cannot have one name [key-kind]"],
    );
    expect![[r#"
        secret/s 1..=1
    "#]]
    .assert_eq(&actor.stored());
}

#[test]
fn digests() {
    let mut actor = Actor::new("1@7/acme:Echo:1.0.0", 1);
    for (algorithm, length, start) in [(HashAlgorithm::Sha256, 32, "ba7816bf"), (HashAlgorithm::Sha512, 64, "ddaf35a1")]
    {
        let digest = actor.bytes(&CryptoOp::Hash { algorithm, data: "abc".into() });
        assert_eq!((digest.len(), hex(&digest[..4]).as_str()), (length, start));
    }
    assert_eq!(actor.stored(), "");
}

#[test]
fn the_longest_name_has_the_longest_slot() {
    let slot = KeySlot { kind: KeyKind::Agreement, name: label(&"n".repeat(128)) };
    assert_eq!(slot.store_name().len(), 138);
}

#[test]
fn slots_are_found_by_the_names_of_the_store() {
    let name = |text: &str| KeySlot::from_store_name(text).map(|slot| slot.store_name());
    for kind in KeyKind::ALL {
        let text = KeySlot { kind, name: label("a/b") }.store_name();
        assert_eq!(name(&text), Some(text));
    }
    for text in ["", "secret", "secret/", "Secret/k", "other/k", "/k", "secret/\n"] {
        assert_eq!(name(text), None, "{text:?}");
    }
}

#[test]
fn what_uses_no_key_needs_no_vault() {
    let hash = CryptoOp::Hash { algorithm: HashAlgorithm::Sha256, data: "abc".into() };
    assert_eq!(format!("{:?}", run_without_keys(&hash)), "Ok(Bytes(32 bytes))");
    let refused = run_without_keys(&mac("k")).expect_err("is refused");
    expect!["internal error: Mac uses keys [key-kind]"].assert_eq(&refused.to_text());
}
