//! What the types do not do: show, copy out, or keep secrets.

use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::{agreements, material, record};
use crate::kdf::SecretBytes;
use crate::testing::{hex, master, vault};
use crate::{
    ActorVault, AgreementKeys, KdfCost, KeyKind, KeyMaterial, MasterKey, MasterKeyFile, SealedMasterKey, Secret,
    SecretKeys, SigningKey, SigningKeys,
};

/// Compiles only if the type does not implement the trait: otherwise the path is ambiguous.
macro_rules! lacks {
    ($trait:path: $($type:ty),*) => {$({
        trait Ambiguous<A> { fn some() {} }
        impl<T: ?Sized> Ambiguous<()> for T {}
        struct Has;
        impl<T: ?Sized + $trait> Ambiguous<Has> for T {}
        <$type as Ambiguous<_>>::some();
    })*};
}

#[test]
fn secrets_cannot_be_shown_copied_or_serialized() {
    macro_rules! secrets {
        ($trait:path) => {
            lacks!($trait: SecretBytes, MasterKey, KeyMaterial, ActorVault, SigningKeys, AgreementKeys, SecretKeys);
        };
    }
    secrets!(std::fmt::Display);
    secrets!(serde::Serialize);
    secrets!(Copy);
    secrets!(PartialEq);
    secrets!(AsRef<[u8]>);
    lacks!(std::fmt::Display: SigningKey, Secret<'static>);
    lacks!(serde::Serialize: SigningKey, Secret<'static>);
    lacks!(Clone: MasterKey, KeyMaterial);
}

/// The features of the cipher crates that wipe their memory are on.
#[test]
fn secrets_are_wiped() {
    fn wiped<T: ZeroizeOnDrop>() {}
    wiped::<Zeroizing<[u8; 32]>>();
    wiped::<x25519_dalek::StaticSecret>();
    wiped::<x25519_dalek::SharedSecret>();
    wiped::<ed25519_dalek::SigningKey>();
    wiped::<chacha20poly1305::XChaCha20Poly1305>();
    wiped::<sha2::Sha256>(); // HMAC and HKDF keep their keys in it
}

#[test]
fn debug_output_has_no_canary() {
    let canary = |bytes: &mut [u8]| bytes.fill(0xa5);
    let master_key = MasterKey::generate(canary).expect("a key");
    let vault_of_canary = master_key.vault(&"1@2/a:b:c".parse().expect("an id"));
    let make = |kind| KeyMaterial::generate(kind, canary).expect("a key");
    let put = |kind| vault_of_canary.create("k", make(kind), canary).expect("a record");
    let sealed = SealedMasterKey::seal(&master_key, Secret::KeyFile(&[0xa5; 32]), KdfCost::LOWEST, |b| b.fill(1));
    let plain = MasterKeyFile::parse(master(1).danger_to_text().as_bytes()).expect("parses");
    let (ours, theirs) = agreements();
    let shown = [
        format!("{master_key:?}"),
        format!("{plain:?}"),
        format!("{:#?}", sealed.expect("seals").open(Secret::KeyFile(&[0xa5; 32])).expect("opens")),
        format!("{vault_of_canary:#?}"),
        format!("{:?}", make(KeyKind::Secret)),
        format!("{:#?}", vault_of_canary.signing("k", &put(KeyKind::Signing)).expect("opens")),
        format!("{:#?}", vault_of_canary.agreement("k", &put(KeyKind::Agreement)).expect("opens")),
        format!("{:#?}", vault_of_canary.secret("k", &put(KeyKind::Secret)).expect("opens")),
        format!("{:?}", ours.agree(&theirs.public_key(), b"").expect("agrees")),
        format!("{:?} {:?}", Secret::KeyFile(&[0xa5; 32]), SecretBytes::filled(|b| b.fill(0xa5))),
    ];
    for text in shown {
        let found = ["a5a5", "165", "A5A5", "paWl", "AQIDBA", "010203"].iter().find(|canary| text.contains(**canary));
        assert_eq!(found, None, "{text}");
    }
}

/// Not the secret, nor anything that is derived from it and could stand for it, is in a record.
#[test]
fn records_have_no_secret_in_the_clear() {
    for kind in [KeyKind::Signing, KeyKind::Agreement, KeyKind::Secret] {
        let shown = hex(&record(kind).to_bytes());
        let secret = material(kind, 1).secret;
        let derived = ["signing", "agreement", "sealing", "authentication"].map(|label| secret.derive(label, &[]));
        for bytes in derived.iter().chain([&secret]) {
            assert!(!shown.contains(&hex(&bytes.as_bytes()[..8])), "{kind}");
        }
    }
    assert!(!format!("{:?}", vault()).contains("SecretBytes("));
}
