//! What operators do with the keys of one actor.

use std::num::NonZeroUsize;

use super::*;

fn keys() -> MasterKeys {
    master(1).into()
}

#[tokio::test]
async fn public_keys_are_exported_with_all_versions() {
    let store = memory();
    let (actor, other) = (Actor::of(&store).await, Actor::open(&store, Some(master(1).into()), "two", "1.0.0").await);
    other.bytes(sign("of another")).await;
    let first = actor.bytes(public("k", KeyPurpose::Sign)).await;
    actor.bytes(seal("k", "plain")).await;
    let agreement = actor.bytes(public("k", KeyPurpose::Agree)).await;
    let info = actor.info().await;
    assert_eq!(keys().rotate_key(&*store, &info, &slot(KeyKind::Signing, "k")).await.unwrap(), 2);
    let second = actor.bytes(public("k", KeyPurpose::Sign)).await;
    let listed = keys().actor_keys(&*store, &info).await.unwrap();
    let shown: Vec<_> = listed.iter().map(|key| (key.slot.store_name(), key.versions.clone())).collect();
    let expected = [("agreement/k", 1..=1), ("secret/k", 1..=1), ("signing/k", 1..=2)];
    assert_eq!(shown, expected.map(|(name, versions)| (name.to_owned(), versions)));
    let public: Vec<Vec<_>> =
        listed.into_iter().map(|key| key.public.into_iter().map(|(v, key)| (v, key.to_vec())).collect()).collect();
    assert_eq!(public, [vec![(1, agreement.to_vec())], vec![], vec![(2, second.to_vec()), (1, first.to_vec())]]);
}

#[tokio::test]
async fn a_rotated_key_opens_what_it_sealed_before() {
    let store = memory();
    let actor = Actor::of(&store).await;
    let sealed = actor.bytes(seal("k", "old")).await;
    let (info, slot) = (actor.info().await, slot(KeyKind::Secret, "k"));
    for version in 2..=16 {
        assert_eq!(keys().rotate_key(&*store, &info, &slot).await.unwrap(), version);
    }
    assert_eq!(actor.bytes(open("k", &sealed)).await, "old");
    let refused = keys().rotate_key(&*store, &info, &slot).await.unwrap_err();
    assert_eq!(code(&refused), "key has 16 versions, no more are kept; retire old ones [key-versions]");
    let newer = actor.bytes(seal("k", "new")).await;
    let left = keys().retire_key(&*store, &info, &slot, NonZeroUsize::new(2).unwrap()).await.unwrap();
    assert_eq!(left, 15..=16);
    assert_eq!(actor.bytes(open("k", &newer)).await, "new");
    assert!(actor.message(open("k", &sealed)).await.is_err());
}

#[tokio::test]
async fn what_cannot_be_rotated_is_named() {
    let store = memory();
    let actor = Actor::of(&store).await;
    let peer = actor.bytes(public("a", KeyPurpose::Agree)).await;
    let agree = CryptoOp::Agree { key: label("a"), peer, context: Bytes::new(), into: label("s") };
    actor.message(agree).await.unwrap();
    let info = actor.info().await;
    let check = async |keys: MasterKeys, kind, name, expected: Expect| {
        expected.assert_eq(&code(&keys.rotate_key(&*store, &info, &slot(kind, name)).await.unwrap_err()));
    };
    check(keys(), KeyKind::Signing, "a", expect![[r#"there is no signing key "a" [not-stored]"#]]).await;
    check(
        keys(),
        KeyKind::Secret,
        "s",
        expect!["a key that the actor has alone and one that it shares with a peer cannot have one name [key-kind]"],
    )
    .await;
    check(
        master(2).into(),
        KeyKind::Agreement,
        "a",
        expect![
            "keys in the store are sealed under master key 0bc8ea34e088240c, given was 3a2dbdf2d347f815 [key-master]"
        ],
    )
    .await;
}
