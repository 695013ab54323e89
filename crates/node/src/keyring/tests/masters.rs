//! Which master keys a store is in use with, and sealing everything anew.

use std::num::NonZeroU32;

use playhouse_store::{BatchLimits, SealedKey};

use super::super::claim::{NOTE, claim};
use super::super::masters::InUse;
use super::super::reseal::Pass;
use super::*;

fn keys(current: u8, former: &[u8]) -> MasterKeys {
    former.iter().fold(master(current).into(), |keys: MasterKeys, seed| keys.with_former(master(*seed)))
}

async fn claimed(store: &Arc<dyn Store>, keys: MasterKeys) -> String {
    match claim(&**store, &keys).await {
        Ok(()) => {
            let note = store.note(NOTE).await.unwrap().unwrap();
            format!("in use: {}", InUse::parse(&note).unwrap())
        }
        Err(error) => code(&error),
    }
}

#[tokio::test]
async fn a_store_is_refused_to_whoever_lacks_a_master_key() {
    let store = memory();
    filled(&store).await;
    let steps = [
        claimed(&store, keys(1, &[])).await,
        claimed(&store, keys(1, &[])).await,
        claimed(&store, keys(2, &[])).await,
        claimed(&store, keys(1, &[2])).await,
        claimed(&store, keys(2, &[1])).await,
        claimed(&store, keys(1, &[])).await,
        claimed(&store, keys(2, &[])).await,
        claimed(&store, keys(2, &[1])).await,
        claimed(&store, keys(3, &[2])).await,
        claimed(&store, keys(3, &[2, 1])).await,
        claimed(&store, keys(1, &[3, 2])).await,
    ];
    let name = |seed| master(seed).id().to_string();
    let named = steps.join("\n").replace(&name(1), "ONE").replace(&name(2), "TWO").replace(&name(3), "THREE");
    expect![[r#"
        in use: ONE
        in use: ONE
        keys in the store are sealed under master key ONE, given was TWO [key-master]
        in use: ONE
        in use: TWO, ONE
        keys in the store are sealed under master key TWO, given was ONE [key-master]
        keys in the store are sealed under master key ONE, given was TWO [key-master]
        in use: TWO, ONE
        keys in the store are sealed under master key ONE, given was THREE, TWO [key-master]
        in use: THREE, TWO, ONE
        in use: ONE, THREE, TWO"#]]
    .assert_eq(&named);
}

/// Two nodes of one store, each with a master key of its own: whichever seals first, the other one's keys are not mixed in.
#[tokio::test]
async fn the_first_key_is_sealed_under_the_master_key_in_use() {
    let store = memory();
    let first = Actor::on_store(&store, keys(1, &[])).await;
    assert_eq!(MasterKeys::in_use(&*store).await.unwrap(), [master(1).id()]);
    let second = Actor::on_store(&store, keys(2, &[])).await;
    assert!(!MasterKeys::are_needed(&*store).await.unwrap());
    let refused = first.message(sign("a")).await.unwrap_err();
    assert_eq!(refused.code(), playhouse_types::Code::KeyMaster);
    second.bytes(sign("a")).await;
    assert!(MasterKeys::are_needed(&*store).await.unwrap());
    assert_eq!(MasterKeys::in_use(&*store).await.unwrap(), [master(2).id()]);
}

/// As long as nothing is sealed, nobody needs the key that there was.
#[tokio::test]
async fn a_store_without_keys_takes_any_master_key() {
    let store = memory();
    for seed in [1, 2, 1] {
        assert_eq!(claimed(&store, keys(seed, &[])).await, format!("in use: {}", master(seed).id()));
    }
    Actor::open(&store, Some(keys(1, &[])), "one", "1.0.0").await.bytes(sign("a")).await;
    assert!(claimed(&store, keys(2, &[])).await.ends_with("[key-master]"));
}

#[tokio::test]
async fn changes_without_sealing_anew_are_limited() {
    let store = memory();
    let all: Vec<u8> = (0..=17).map(|number| 10 * number + 1).collect();
    for (number, current) in all.iter().enumerate() {
        let outcome = claimed(&store, keys(*current, &all[..number])).await;
        let refused = "keys in the store may be sealed under 16 former master keys, no more; seal them anew first \
                       [key-master]";
        assert_eq!(outcome == refused, number == 17, "{outcome}");
    }
}

#[test]
fn notes_are_read_as_they_were_written() {
    let id = |seed| master(seed).id();
    for in_use in [InUse::only(id(1)), InUse { current: id(1), former: vec![id(2), id(3)] }] {
        assert_eq!(InUse::parse(&in_use.to_bytes()), Some(in_use.clone()));
        assert_eq!(InUse::parse(&in_use.to_bytes()[1..]), None);
        assert_eq!(InUse::parse(&[&in_use.to_bytes()[..], &[0]].concat()), None);
    }
    let too_many = InUse { current: id(1), former: vec![id(2); InUse::FORMER_MAX + 1] };
    for bytes in [vec![], vec![1], vec![2, 0, 0, 0, 0, 0, 0, 0, 0], too_many.to_bytes()] {
        assert_eq!(InUse::parse(&bytes), None, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_damaged_note_is_named() {
    let store = memory();
    store.set_note(NOTE, None, Some("x".into())).await.unwrap();
    let expected = r#"the note "master-keys" in the store is not one of this version [store-corrupt]"#;
    assert_eq!(claimed(&store, keys(1, &[])).await, expected);
}

/// Three actors with some keys each under master key 1, and what one of them sealed.
async fn filled(store: &Arc<dyn Store>) -> Bytes {
    let mut sealed = Bytes::new();
    for instance in ["one", "two", "three"] {
        let actor = Actor::open(store, Some(keys(1, &[])), instance, "1.0.0").await;
        claim(&**store, &keys(1, &[])).await.unwrap();
        actor.bytes(sign("a")).await;
        actor.bytes(public("b", KeyPurpose::Agree)).await;
        sealed = actor.bytes(seal("c", instance.to_owned())).await;
    }
    sealed
}

async fn under(store: &Arc<dyn Store>, seed: u8) -> usize {
    let name = master(seed).id().to_string();
    stored(&**store).await.into_iter().filter(|(_, master)| *master == name).count()
}

async fn opens(store: &Arc<dyn Store>, keys: MasterKeys, sealed: &Bytes) -> bool {
    let actor = Actor::open(store, Some(keys), "three", "1.0.0").await;
    actor.message(open("c", sealed)).await == Ok(HostReply::Bytes("three".into()))
}

#[tokio::test]
async fn every_key_is_sealed_anew() {
    let store = memory();
    let sealed = filled(&store).await;
    assert!(opens(&store, keys(2, &[1]), &sealed).await, "former keys are used before");
    let done = keys(2, &[1]).reseal(&*store).await.unwrap();
    assert_eq!((done.resealed, done.already, done.is_complete()), (9, 0, true));
    assert_eq!((under(&store, 1).await, under(&store, 2).await), (0, 9));
    assert!(claimed(&store, keys(2, &[])).await.starts_with("in use"), "the former key is needed no more");
    assert!(opens(&store, keys(2, &[]), &sealed).await);
    assert!(!opens(&store, keys(1, &[]), &sealed).await);
    let again = keys(2, &[]).reseal(&*store).await.unwrap();
    assert_eq!((again.resealed, again.already), (0, 9));
}

/// Ended after each number of records, as by kill -9; the next one goes on.
#[tokio::test]
async fn sealing_anew_is_resumed_wherever_it_ended() {
    for ended_after in 0..=9 {
        let store = memory();
        let sealed = filled(&store).await;
        let both = keys(2, &[1]);
        let mut pass = Pass::begin(&both, &*store).await.unwrap();
        for _ in 0..ended_after {
            assert!(pass.step(BatchLimits { items: 1, bytes: 1 }).await.unwrap());
        }
        drop(pass);
        assert_eq!((under(&store, 1).await, under(&store, 2).await), (9 - ended_after, ended_after));
        for lacking in [keys(1, &[]), keys(2, &[]), keys(3, &[2])] {
            assert!(claim(&*store, &lacking).await.is_err(), "{ended_after}");
        }
        assert!(opens(&store, keys(2, &[1]), &sealed).await, "{ended_after}");
        let done = both.reseal(&*store).await.unwrap();
        assert_eq!((done.resealed, done.already), (9 - ended_after as u64, ended_after as u64));
        assert!(opens(&store, keys(2, &[]), &sealed).await, "{ended_after}");
    }
}

/// An actor runs and changes its keys while they are sealed anew.
#[tokio::test]
async fn actors_go_on_while_their_keys_are_sealed_anew() {
    let store = memory();
    filled(&store).await;
    let actor = Actor::open(&store, Some(keys(2, &[1])), "one", "1.0.0").await;
    let both = keys(2, &[1]);
    let mut pass = Pass::begin(&both, &*store).await.unwrap();
    let one = BatchLimits { items: 1, bytes: 1 };
    let mut round = NonZeroU32::MIN;
    while pass.step(one).await.unwrap() {
        round = round.saturating_add(1);
        let derive = CryptoOp::Derive { key: label("c"), context: round.to_string().into(), into: label("c") };
        assert_eq!(actor.message(derive).await, Ok(HostReply::Done));
        actor.bytes(sign(&format!("new {round}"))).await;
    }
    assert!(pass.end().await.unwrap().is_complete());
    assert_eq!(under(&store, 1).await, 0);
    let sealed = actor.bytes(seal("c", "plain")).await;
    let later = Actor::open(&store, Some(keys(2, &[])), "one", "1.0.0").await;
    assert_eq!(later.bytes(open("c", &sealed)).await, "plain");
}

#[tokio::test]
async fn what_does_not_open_is_listed_and_the_former_key_stays_in_use() {
    let store = memory();
    let sealed = filled(&store).await;
    let actor = Actor::open(&store, Some(keys(1, &[])), "one", "1.0.0").await.info().await.lease.actor;
    for (name, byte) in [("agreement/b", 50), ("signing/a", 0)] {
        let old = store.sealed_key(actor, name).await.unwrap().unwrap();
        let mut damaged = old.to_vec();
        damaged[byte] ^= 1;
        let key = SealedKey { actor, name: name.to_owned(), blob: damaged.into() };
        assert!(store.reseal(key, old).await.unwrap());
    }
    let done = keys(2, &[1]).reseal(&*store).await.unwrap();
    assert_eq!((done.resealed, done.damaged, done.is_complete()), (7, 2, false));
    let listed: Vec<String> = done.damage.iter().map(ToString::to_string).collect();
    expect![[r#"
        key "agreement/b" of actor 1: key record does not open: it was altered, or made for another actor or name
        key "signing/a" of actor 1: key record is not of format 1"#]]
    .assert_eq(&listed.join("\n"));
    assert!(claim(&*store, &keys(2, &[])).await.is_err());
    assert!(opens(&store, keys(2, &[1]), &sealed).await);
}
