use expect_test::{Expect, expect};

use super::{KdfCost, SealedKey, Secret};
use crate::testing::counting;
use crate::{KeyFile, SigningKey};

const PASSPHRASE: Secret<'static> = Secret::Passphrase(b"correct horse");

fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn sealed() -> SealedKey {
    SealedKey::seal(&key(), PASSPHRASE, KdfCost::LOWEST, counting(0)).expect("seals")
}

fn parse(json: &str) -> Result<SealedKey, String> {
    match KeyFile::parse(json.as_bytes()) {
        Ok(KeyFile::Sealed(sealed)) => Ok(sealed),
        Ok(other) => Err(format!("{other:?}")),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn opens_what_it_sealed() {
    let read = parse(&sealed().to_json()).expect("parses");
    assert_eq!(read, sealed());
    assert_eq!(read.verifying_key(), key().verifying_key());
    assert_eq!(read.open(PASSPHRASE).expect("opens").key_id(), key().key_id());
    assert!(read.needs_passphrase());
}

#[test]
fn a_key_file_opens_as_well() {
    let secret = Secret::KeyFile(&[9; 32]);
    let sealed = SealedKey::seal(&key(), secret, KdfCost::LOWEST, counting(0)).expect("seals");
    assert!(!sealed.needs_passphrase());
    assert_eq!(sealed.open(secret).expect("opens").key_id(), key().key_id());
    let refused = sealed.open(Secret::Passphrase(&[9; 32])).expect_err("is no passphrase");
    assert_eq!(refused.to_string(), "sealed key opens with a key file");
}

/// The bytes that the first version wrote: they open for ever.
#[test]
fn the_file_keeps_its_form_and_holds_no_secret() {
    let json = sealed().to_json();
    assert!(!json.contains("BwcHBw") && !json.contains("correct"), "{json}");
    expect![[r#"
        {
          "playhouse_sealed_key": 1,
          "secret": "passphrase",
          "kdf": {
            "name": "argon2id",
            "memory_kib": 19456,
            "passes": 2,
            "lanes": 1
          },
          "salt": "AAECAwQFBgcICQoLDA0ODw==",
          "nonce": "EBESExQVFhcYGRobHB0eHyAhIiMkJSYn",
          "sealed": "6Qxm9TAorpQn8ShgAFOsYDdTUY3f7lcZBkSohfHbs+0Zc7wZqC1jd2B71at4dvwm",
          "public_key": "6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=",
          "key_id": "mfr-fe812c12f3ab4ce6"
        }
    "#]]
    .assert_eq(&json);
}

#[test]
fn nothing_else_opens_it() {
    let wrong = [b"correct hors".as_slice(), b"correct horse ", b"", b"Correct horse"];
    for secret in wrong {
        let error = sealed().open(Secret::Passphrase(secret)).expect_err("is wrong");
        assert_eq!(error.to_string(), "the passphrase does not open the key");
    }
}

fn check(from: &str, to: &str, expected: &Expect) {
    let json = sealed().to_json();
    assert!(json.contains(from), "{from}");
    let outcome = parse(&json.replace(from, to)).and_then(|sealed| sealed.open(PASSPHRASE).map_err(|e| e.to_string()));
    expected.assert_eq(&outcome.map_or_else(|error| error, |_| "opened".to_owned()));
}

#[test]
fn altered_files_are_refused() {
    check("key\": 1", "key\": 2", &expect!["sealed key has version 2, this program reads version 1"]);
    check("argon2id", "argon2i", &expect!["sealed key is not derived with argon2id"]);
    check("19456", "1", &expect!["sealed key: kdf.memory_kib is 1, it must be from 19456 to 524288"]);
    check("19456", "4294967295", &expect!["sealed key: kdf.memory_kib is 4294967295, it must be from 19456 to 524288"]);
    check("\"passes\": 2", "\"passes\": 1", &expect!["sealed key: kdf.passes is 1, it must be from 2 to 16"]);
    check("\"passes\": 2", "\"passes\": 17", &expect!["sealed key: kdf.passes is 17, it must be from 2 to 16"]);
    check("\"lanes\": 1", "\"lanes\": 5", &expect!["sealed key: kdf.lanes is 5, it must be from 1 to 4"]);
    check("\"passes\": 2", "\"passes\": 3", &expect!["the passphrase does not open the key"]);
    check("19456", "19464", &expect!["the passphrase does not open the key"]);
    check("\"lanes\": 1", "\"lanes\": 2", &expect!["the passphrase does not open the key"]);
    check("\"passphrase\"", "\"key-file\"", &expect!["sealed key opens with a key file"]);
    check("\"passphrase\"", "\"hope\"", &expect!["sealed key opens neither with a passphrase nor with a key file"]);
    check("AAECAw", "AAECBw", &expect!["the passphrase does not open the key"]);
    check("AAECAw", "AAEC", &expect!["sealed key: salt is not 16 bytes in standard base64"]);
    check("EBESEx", "EBESFx", &expect!["the passphrase does not open the key"]);
    check("\"nonce\": \"E", "\"nonce\": \"-", &expect!["sealed key: nonce is not 24 bytes in standard base64"]);
    check("\"sealed\": \"", "\"sealed\": \"AAAA", &expect!["sealed key: sealed is not 48 bytes in standard base64"]);
    check("\"salt\"", "\"sald\"", &expect!["key file is not the JSON of one, from line 15 column 1"]);
}

#[test]
fn weak_secrets_and_costs_do_not_seal() {
    let seal = |secret, cost| SealedKey::seal(&key(), secret, cost, counting(0)).map_err(|error| error.to_string());
    let short = seal(Secret::Passphrase(b"1234567"), KdfCost::LOWEST).expect_err("short");
    assert_eq!(short, "passphrase has 7 bytes, at least 8 are needed");
    let short = seal(Secret::KeyFile(&[1; 31]), KdfCost::LOWEST).expect_err("short");
    assert_eq!(short, "key file has 31 bytes, at least 32 are needed");
    let cheap = KdfCost { passes: 1, ..KdfCost::LOWEST };
    assert_eq!(seal(PASSPHRASE, cheap).expect_err("cheap"), "sealed key: kdf.passes is 1, it must be from 2 to 16");
    assert!(KdfCost::default().check().is_ok() && KdfCost::HIGHEST.check().is_ok());
}
