use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{MasterKey, MasterKeyFile, SealedMasterKey};
use crate::testing::{counting, master};
use crate::{KdfCost, Secret};

const PASSPHRASE: Secret<'static> = Secret::Passphrase(b"correct horse");

fn sealed() -> SealedMasterKey {
    SealedMasterKey::seal(&master(1), PASSPHRASE, KdfCost::LOWEST, counting(0)).expect("seals")
}

fn describe(bytes: &[u8]) -> String {
    match MasterKeyFile::parse(bytes) {
        Ok(MasterKeyFile::Plain(key)) => format!("plain {}", key.id()),
        Ok(MasterKeyFile::Sealed(key)) => format!("sealed {}", key.id()),
        Err(error) => error.to_string(),
    }
}

fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&describe(text.as_bytes()));
}

#[test]
fn both_forms_are_read() {
    let text = master(1).danger_to_text();
    expect![[r#"
        playhouse-master-key-1:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=
    "#]]
    .assert_eq(&text);
    check(&text, &expect!["plain 0bc8ea34e088240c"]);
    check(&format!(" \r\n{}\t", text.trim()), &expect!["plain 0bc8ea34e088240c"]);
    check(&sealed().to_json(), &expect!["sealed 0bc8ea34e088240c"]);
}

#[test]
fn what_is_wrong_is_named_and_not_shown() {
    let text = master(1).danger_to_text();
    check(
        "",
        &expect!["master key is neither a line that begins with playhouse-master-key-1: nor a sealed master key"],
    );
    check(
        &text.replace("-1:", "-2:"),
        &expect!["master key is neither a line that begins with playhouse-master-key-1: nor a sealed master key"],
    );
    check(&text.replace("AQID", "AQ"), &expect!["master key is not 32 random bytes in standard base64"]);
    check(&text.replace("AQID", "AQIDBAUG"), &expect!["master key is not 32 random bytes in standard base64"]);
    check(&text.replace("AQID", "AQI*"), &expect!["master key is not 32 random bytes in standard base64"]);
    let zero = format!("playhouse-master-key-1:{}=", "A".repeat(43));
    check(&zero, &expect!["master key is not 32 random bytes in standard base64"]);
    check("{", &expect!["key file is not the JSON of one, from line 1 column 1"]);
    check("{}", &expect!["key file is not the JSON of one, from line 1 column 2"]);
    check(&" ".repeat(MasterKeyFile::BYTES_MAX + 1), &expect!["key file has 4097 bytes, the limit is 4096"]);
}

#[test]
fn a_sealed_key_opens_with_its_secret_alone() {
    let MasterKeyFile::Sealed(read) = MasterKeyFile::parse(sealed().to_json().as_bytes()).expect("parses") else {
        panic!("is sealed")
    };
    assert_eq!(read, sealed());
    assert!(read.needs_passphrase());
    assert_eq!(*read.open(PASSPHRASE).expect("opens").danger_to_text(), *master(1).danger_to_text());
    for wrong in [Secret::Passphrase(b"correct hors"), Secret::Passphrase(b""), Secret::KeyFile(b"correct horse")] {
        assert!(read.open(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn an_altered_file_does_not_open() {
    let alter = |from: &str, to: &str| {
        let json = sealed().to_json();
        assert!(json.contains(from), "{from}");
        match MasterKeyFile::parse(json.replace(from, to).as_bytes()) {
            Ok(MasterKeyFile::Sealed(key)) => key.open(PASSPHRASE).map_or_else(|e| e.to_string(), |_| "opened".into()),
            Ok(MasterKeyFile::Plain(_)) => "plain".to_owned(),
            Err(error) => error.to_string(),
        }
    };
    let cases = [
        ("master_key\": 1", "master_key\": 2"),
        ("0bc8ea34e088240c", "0bc8ea34e088240d"),
        ("0bc8ea34e088240c", "0Bc8ea34e088240d"),
        ("\"passes\": 2", "\"passes\": 3"),
        ("\"salt\": \"A", "\"salt\": \"B"),
        ("\"nonce\": \"E", "\"nonce\": \"F"),
    ];
    expect![[r#"
        sealed key has version 2, this program reads version 1
        the passphrase does not open the key
        sealed master key: key_id is not 16 lower-case hexadecimal digits
        the passphrase does not open the key
        the passphrase does not open the key
        the passphrase does not open the key
    "#]]
    .assert_eq(&cases.map(|(from, to)| alter(from, to) + "\n").concat());
}

/// The envelope of a signing key is not one of a master key, though both hold 32 bytes under one passphrase.
#[test]
fn a_sealed_signing_key_is_no_master_key() {
    let key = crate::SigningKey::from_seed(&[7; 32]);
    let signing = crate::SealedKey::seal(&key, PASSPHRASE, KdfCost::LOWEST, counting(0)).expect("seals").to_json();
    assert!(MasterKeyFile::parse(signing.as_bytes()).is_err());
    let disguised = signing
        .replace("playhouse_sealed_key", "playhouse_sealed_master_key")
        .replace(&key.key_id().to_string(), &master(1).id().to_string());
    let Ok(MasterKeyFile::Sealed(disguised)) = MasterKeyFile::parse(disguised.as_bytes()) else { panic!("parses") };
    let refused = disguised.open(PASSPHRASE).expect_err("is refused");
    assert_eq!(refused.to_string(), "the passphrase does not open the key");
}

#[test]
fn a_source_that_gives_nothing_is_noticed() {
    let refused = "the source of randomness does not work";
    assert_eq!(MasterKey::generate(|_| {}).expect_err("is refused").to_string(), refused);
    let sealed = SealedMasterKey::seal(&master(1), PASSPHRASE, KdfCost::LOWEST, |_| {});
    assert_eq!(sealed.expect_err("is refused").to_string(), refused);
}

proptest! {
    #[test]
    fn damage_shows_no_secret(at in 0..60_usize, byte: u8) {
        let text = master(1).danger_to_text();
        let mut damaged = text.as_bytes().to_vec();
        damaged[at] = byte;
        let shown = describe(&damaged);
        prop_assert!(!shown.contains("AwQFBg") && !shown.contains("CgsMDQ"), "{}", shown);
    }
}
