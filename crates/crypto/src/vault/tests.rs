use std::num::NonZeroUsize;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{KEY_CONTEXT_BYTES_MAX, KEY_INPUT_BYTES_MAX};
use crate::testing::{actor, counting, master, vault};
use crate::{ActorVault, AgreementKeys, KeyKind, KeyMaterial, KeyRecord, KeyUseError, SecretKeys, verify_signature};

mod formats;
mod secrecy;

const KINDS: [KeyKind; 3] = KeyKind::ALL;

fn material(kind: KeyKind, start: u8) -> KeyMaterial {
    KeyMaterial::generate(kind, counting(start)).expect("a key")
}

fn record(kind: KeyKind) -> KeyRecord {
    vault().create("k", material(kind, 1), counting(2)).expect("a record")
}

fn secret() -> SecretKeys {
    vault().secret("k", &record(KeyKind::Secret)).expect("opens")
}

/// What opening a record as each kind of key comes to.
fn open(vault: &ActorVault, name: &str, record: &KeyRecord) -> [String; 3] {
    let show =
        |outcome: Result<(), crate::VaultError>| outcome.map_or_else(|e| e.to_string(), |()| "opened".to_owned());
    [
        show(vault.signing(name, record).map(drop)),
        show(vault.agreement(name, record).map(drop)),
        show(vault.secret(name, record).map(drop)),
    ]
}

#[test]
fn a_key_serves_its_kind_only() {
    let outcomes = KINDS.map(|kind| open(&vault(), "k", &record(kind)).join("; ") + "\n");
    expect![[r#"
        opened; key is a signing key, not a agreement key; key is a signing key, not a secret key
        key is a agreement key, not a signing key; opened; key is a agreement key, not a secret key
        key is a secret key, not a signing key; key is a secret key, not a agreement key; opened
    "#]]
    .assert_eq(&outcomes.concat());
}

/// A record whose kind is overwritten is of that kind for the parser, and still does not open.
#[test]
fn a_record_that_claims_another_kind_does_not_open() {
    for kind in KINDS {
        for claimed in KINDS.into_iter().filter(|claimed| *claimed != kind) {
            let mut bytes = record(kind).to_bytes();
            bytes[4] = claimed.number();
            let forged = KeyRecord::parse(&bytes).expect("parses");
            assert!(!open(&vault(), "k", &forged).contains(&"opened".to_owned()), "{kind} as {claimed}");
        }
    }
}

#[test]
fn a_moved_record_does_not_open() {
    let check = |vault: &ActorVault, name: &str, expected: &Expect| {
        expected.assert_eq(&open(vault, name, &record(KeyKind::Secret))[2]);
    };
    let vault_of = |id: &str| master(1).vault(&actor(id));
    let elsewhere = &expect!["key record does not open: it was altered, or made for another actor or name"];
    check(&vault_of("1a@7/acme:Echo:1.0.0"), "k", &expect!["opened"]);
    check(&vault_of("1b@7/acme:Echo:1.0.0"), "k", elsewhere);
    check(&vault_of("1a@8/acme:Echo:1.0.0"), "k", elsewhere);
    check(&vault_of("1a@7/acmf:Echo:1.0.0"), "k", elsewhere);
    check(&vault_of("1a@7/acme:Eche:1.0.0"), "k", elsewhere);
    check(&vault_of("1a@7/acme:Echo:1.0.1"), "k", &expect!["opened"]);
    check(&vault(), "K", elsewhere);
    check(&vault(), "", elsewhere);
    check(&vault(), "k ", elsewhere);
    check(
        &master(2).vault(&actor("1a@7/acme:Echo:1.0.0")),
        "k",
        &expect!["key record is sealed under master key 0bc8ea34e088240c, this node has 3a2dbdf2d347f815"],
    );
}

#[test]
fn every_altered_bit_of_a_record_is_noticed() {
    for kind in KINDS {
        let bytes = record(kind).to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut altered = bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            if let Ok(altered) = KeyRecord::parse(&altered) {
                assert!(!open(&vault(), "k", &altered).contains(&"opened".to_owned()), "{kind}, bit {bit}");
            }
        }
    }
}

#[test]
fn every_altered_bit_of_sealed_data_is_noticed() {
    let keys = secret();
    let sealed = keys.seal(b"plain", b"context", counting(3)).expect("seals");
    assert_eq!(sealed.len(), 5 + SecretKeys::SEALED_OVERHEAD);
    for bit in 0..sealed.len() * 8 {
        let mut altered = sealed.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let expected = match bit / 8 {
            0..4 => KeyUseError::NotSealed,
            4..12 => KeyUseError::OtherKey,
            _ => KeyUseError::Altered,
        };
        assert_eq!(keys.open(&altered, b"context"), Err(expected), "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert!(keys.open(&sealed[..length], b"context").is_err(), "{length} bytes");
    }
    assert_eq!(keys.open(&[&sealed[..], &[0]].concat(), b"context"), Err(KeyUseError::Altered));
    assert_eq!(keys.open(&sealed, b"contex"), Err(KeyUseError::Altered));
    assert_eq!(keys.open(&sealed, b"context"), Ok(b"plain".to_vec()));
}

/// The same 32 bytes in two names or two actors are different keys: only a peer shares what was agreed upon.
#[test]
fn what_a_secret_makes_is_bound_to_actor_and_name() {
    let keys = |id: &str, name: &str| {
        let vault = master(1).vault(&actor(id));
        let record = vault.create(name, material(KeyKind::Secret, 1), counting(2)).expect("a record");
        vault.secret(name, &record).expect("opens")
    };
    let own = keys("1a@7/acme:Echo:1.0.0", "k");
    let (sealed, tag) = (own.seal(b"x", b"", counting(1)).expect("seals"), own.mac(b"x").expect("a tag"));
    let ids = ["1b@7/acme:Echo:1.0.0", "1a@8/acme:Echo:1.0.0", "1a@7/acmf:Echo:1.0.0", "1a@7/acme:Eche:1.0.0"];
    let others = ids.map(|id| (id, "k")).into_iter().chain([("1a@7/acme:Echo:1.0.0", "l")]);
    for (id, name) in others {
        let other = keys(id, name);
        assert_eq!(other.open(&sealed, b""), Err(KeyUseError::OtherKey), "{id} {name}");
        assert_eq!(other.verify_mac(b"x", &tag), Ok(false), "{id} {name}");
        assert_ne!(
            other.derive(b"c").map(|m| *m.secret.as_bytes()),
            own.derive(b"c").map(|m| *m.secret.as_bytes()),
            "{id} {name}"
        );
    }
    let upgraded = keys("1a@7/acme:Echo:1.0.1", "k");
    assert_eq!(upgraded.open(&sealed, b""), Ok(b"x".to_vec()), "outlives an upgrade");
}

#[test]
fn rotation_keeps_what_was_made_before() {
    let first = secret();
    let sealed = first.seal(b"old", b"", counting(1)).expect("seals");
    let tag = first.mac(b"old").expect("a tag");
    let rotated =
        vault().rotate("k", &record(KeyKind::Secret), material(KeyKind::Secret, 8), counting(5)).expect("rotates");
    assert_eq!(rotated.versions(), 1..=2);
    let second = vault().secret("k", &rotated).expect("opens");
    assert_eq!(second.open(&sealed, b""), Ok(b"old".to_vec()));
    assert_eq!(second.verify_mac(b"old", &tag), Ok(true));
    assert_ne!(second.mac(b"old"), Ok(tag));
    let newer = second.seal(b"new", b"", counting(1)).expect("seals");
    assert_eq!(first.open(&newer, b""), Err(KeyUseError::OtherKey));

    let retired = vault().retire("k", &rotated, NonZeroUsize::MIN, counting(6)).expect("retires");
    assert_eq!(retired.versions(), 2..=2);
    let third = vault().secret("k", &retired).expect("opens");
    assert_eq!(third.open(&sealed, b""), Err(KeyUseError::OtherKey));
    assert_eq!(third.verify_mac(b"old", &tag), Ok(false));
    assert_eq!(third.open(&newer, b""), Ok(b"new".to_vec()));
    let nothing = vault().retire("k", &retired, NonZeroUsize::MAX, counting(7)).expect("retires nothing");
    assert_eq!(nothing.versions(), 2..=2);
}

#[test]
fn rotation_refuses_what_does_not_fit() {
    let rotate = |material| vault().rotate("k", &record(KeyKind::Secret), material, counting(1));
    let refused = rotate(material(KeyKind::Signing, 1)).expect_err("is refused");
    assert_eq!(refused.to_string(), "key is a signing key, not a secret key");
    let (own, peer) = agreements();
    let shared = own.agree(&peer.public_key(), b"").expect("agrees");
    let refused = rotate(shared).expect_err("is refused");
    let expected = "a key that the actor has alone and one that it shares with a peer cannot have one name";
    assert_eq!(refused.to_string(), expected);
    assert_eq!(rotate(material(KeyKind::Secret, 1)).expect("is no change").versions(), 1..=1);
}

#[test]
fn signatures_verify_with_the_exported_keys() {
    let first = vault().signing("k", &record(KeyKind::Signing)).expect("opens");
    let signature = first.sign(b"message").expect("signs");
    let rotated = vault().rotate("k", &record(KeyKind::Signing), material(KeyKind::Signing, 8), counting(5));
    let second = vault().signing("k", &rotated.expect("rotates")).expect("opens");
    let [(2, newer), (1, older)] = second.public_keys()[..] else { panic!("two versions") };
    assert_eq!((older, newer), (first.public_key(), second.public_key()));
    let verify = |key: &[u8], message: &[u8]| verify_signature(key, message, signature.as_bytes());
    assert_eq!(verify(older.as_bytes(), b"message"), Ok(true));
    assert_eq!(verify(older.as_bytes(), b"massage"), Ok(false));
    assert_eq!(verify(newer.as_bytes(), b"message"), Ok(false));
    assert_eq!(verify_signature(older.as_bytes(), b"message", &signature.as_bytes()[1..]), Ok(false));
    assert_eq!(verify(&older.as_bytes()[1..], b"message"), Err(KeyUseError::Malformed { what: "public key" }));
    assert_eq!(verify(&[0; 32], b"message"), Err(KeyUseError::Malformed { what: "public key" }));
}

#[test]
fn another_master_key_takes_records_over() {
    let (old, new) = (vault(), master(9).vault(&actor("1a@7/acme:Echo:1.0.0")));
    let sealed = secret().seal(b"x", b"", counting(1)).expect("seals");
    let moved = new.take_over("k", &record(KeyKind::Secret), &old, counting(4)).expect("is taken over");
    assert_eq!(moved.master(), master(9).id());
    assert_eq!(new.secret("k", &moved).expect("opens").open(&sealed, b""), Ok(b"x".to_vec()));
    assert!(old.secret("k", &moved).is_err());

    let stranger = master(1).vault(&actor("1b@7/acme:Echo:1.0.0"));
    let refused = stranger.take_over("k", &record(KeyKind::Secret), &old, counting(4)).expect_err("is refused");
    assert_eq!(refused.to_string(), "key records can be taken over only by the same actor");
}

fn agreements() -> (AgreementKeys, AgreementKeys) {
    let keys = |id: &str, start| {
        let vault = master(1).vault(&actor(id));
        let record = vault.create("a", material(KeyKind::Agreement, start), counting(2)).expect("a record");
        vault.agreement("a", &record).expect("opens")
    };
    (keys("1@7/acme:Echo:1.0.0", 1), keys("2@9/other:Peer:3.0.0", 2))
}

/// Two actors of two nodes, with different names for what they share.
#[test]
fn peers_open_what_they_seal_for_each_other() {
    let (ours, theirs) = agreements();
    let keys = |material, seed, id: &str, name: &str| {
        let vault = master(seed).vault(&actor(id));
        let record = vault.create(name, material, counting(7)).expect("a record");
        vault.secret(name, &record).expect("opens")
    };
    let a = keys(ours.agree(&theirs.public_key(), b"chat").expect("agrees"), 1, "1@7/acme:Echo:1.0.0", "bob");
    let b = keys(theirs.agree(&ours.public_key(), b"chat").expect("agrees"), 2, "2@9/other:Peer:3.0.0", "alice");
    let sealed = a.seal(b"hello", b"a to b", counting(1)).expect("seals");
    assert_eq!(b.open(&sealed, b"a to b"), Ok(b"hello".to_vec()));
    assert_eq!(b.open(&sealed, b"b to a"), Err(KeyUseError::Altered));
    assert_eq!(b.verify_mac(b"m", &a.mac(b"m").expect("a tag")), Ok(true));

    let derived = |keys: &SecretKeys| keys.derive(b"sub").expect("derives");
    let a = keys(derived(&a), 1, "1@7/acme:Echo:1.0.0", "bob/sub");
    let b = keys(derived(&b), 2, "2@9/other:Peer:3.0.0", "alice/sub");
    assert_eq!(b.open(&a.seal(b"x", b"", counting(1)).expect("seals"), b""), Ok(b"x".to_vec()));
    let other = keys(ours.agree(&theirs.public_key(), b"file").expect("agrees"), 1, "1@7/acme:Echo:1.0.0", "bob");
    assert_eq!(other.open(&sealed, b"a to b"), Err(KeyUseError::OtherKey));
}

#[test]
fn input_is_bounded() {
    let (keys, large) = (secret(), vec![0; KEY_INPUT_BYTES_MAX + 1]);
    let context = vec![0; KEY_CONTEXT_BYTES_MAX + 1];
    let signing = vault().signing("k", &record(KeyKind::Signing)).expect("opens");
    let public = signing.public_key();
    let outcomes = [
        keys.seal(&large, b"", counting(1)).map(drop),
        keys.seal(b"", &context, counting(1)).map(drop),
        keys.open(&vec![0; KEY_INPUT_BYTES_MAX + SecretKeys::SEALED_OVERHEAD + 1], b"").map(drop),
        keys.open(b"", &context).map(drop),
        keys.mac(&large).map(drop),
        keys.verify_mac(&large, &[0; 32]).map(drop),
        keys.derive(&context).map(drop),
        signing.sign(&large).map(drop),
        verify_signature(public.as_bytes(), &large, &[0; 64]).map(drop),
    ];
    expect![[r#"
        plaintext has 1048577 bytes, the limit is 1048576
        context has 4097 bytes, the limit is 4096
        ciphertext has 1048629 bytes, the limit is 1048628
        context has 4097 bytes, the limit is 4096
        message has 1048577 bytes, the limit is 1048576
        message has 1048577 bytes, the limit is 1048576
        context has 4097 bytes, the limit is 4096
        message has 1048577 bytes, the limit is 1048576
        message has 1048577 bytes, the limit is 1048576
    "#]]
    .assert_eq(&outcomes.map(|outcome| outcome.expect_err("is refused").to_string() + "\n").concat());
    let largest = keys.seal(&large[1..], &context[1..], counting(1)).expect("seals");
    assert_eq!(keys.open(&largest, &context[1..]).map(|plain| plain.len()), Ok(KEY_INPUT_BYTES_MAX));
}

#[test]
fn a_source_that_gives_nothing_is_noticed() {
    assert!(KeyMaterial::generate(KeyKind::Signing, |_| {}).is_err());
    assert!(vault().create("k", material(KeyKind::Signing, 1), |_| {}).is_err());
    assert_eq!(secret().seal(b"", b"", |_| {}), Err(KeyUseError::Entropy));
}

#[test]
fn tags_of_another_length_do_not_match() {
    let tag = secret().mac(b"m").expect("a tag");
    for length in 0..tag.len() {
        assert_eq!(secret().verify_mac(b"m", &tag[..length]), Ok(false));
    }
    assert_eq!(secret().verify_mac(b"m", &[&tag[..], &[0]].concat()), Ok(false));
    assert_eq!(secret().verify_mac(b"m", &tag), Ok(true));
}

proptest! {
    #[test]
    fn sealed_data_round_trips(plain: Vec<u8>, context: Vec<u8>, other: Vec<u8>, start: u8) {
        let sealed = secret().seal(&plain, &context, counting(start)).expect("seals");
        prop_assert_eq!(secret().open(&sealed, &context), Ok(plain));
        if other != context {
            prop_assert_eq!(secret().open(&sealed, &other), Err(KeyUseError::Altered));
        }
    }

    #[test]
    fn noise_does_not_open(noise: Vec<u8>, context: Vec<u8>) {
        prop_assert!(secret().open(&noise, &context).is_err());
        let dressed = [b"PHs\x01".as_slice(), &noise].concat();
        prop_assert!(secret().open(&dressed, &context).is_err());
    }

    #[test]
    fn signatures_and_tags_belong_to_their_message(message: Vec<u8>, other: Vec<u8>) {
        let signing = vault().signing("k", &record(KeyKind::Signing)).expect("opens");
        let signature = signing.sign(&message).expect("signs");
        let verify = |m: &[u8]| verify_signature(signing.public_key().as_bytes(), m, signature.as_bytes());
        prop_assert_eq!(verify(&message), Ok(true));
        prop_assert_eq!(verify(&other), Ok(other == message));
        let tag = secret().mac(&message).expect("a tag");
        prop_assert_eq!(secret().verify_mac(&other, &tag), Ok(other == message));
    }
}
