//! Bytes that were written once are read for ever. The file is written when a format is new, and never again.

use expect_test::expect_file;

use super::{agreements, material};
use crate::testing::{counting, hex, master, unhex, vault};
use crate::{KdfCost, KeyKind, KeyRecord, MasterKeyFile, SealedMasterKey, Secret};

const FORMAT_1: &str = include_str!("format1.txt");

fn bytes(name: &str) -> Vec<u8> {
    let line = FORMAT_1.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    unhex(line.unwrap_or_else(|| panic!("{name} is not there")))
}

fn record(name: &str) -> KeyRecord {
    KeyRecord::parse(&bytes(name)).expect("parses")
}

fn written() -> String {
    let vault = vault();
    let create = |name, material| vault.create(name, material, counting(0x40)).expect("a record");
    let rotate = |name, record: &KeyRecord, start| {
        vault.rotate(name, record, material(record.kind(), start), counting(0x50)).expect("a version")
    };
    let (ours, theirs) = agreements();
    let secret = rotate("secret", &create("secret", material(KeyKind::Secret, 1)), 2);
    let shared = create("shared", ours.agree(&theirs.public_key(), b"golden").expect("agrees"));
    let (own_keys, shared_keys) = (vault.secret("secret", &secret), vault.secret("shared", &shared));
    let (own_keys, shared_keys) = (own_keys.expect("opens"), shared_keys.expect("opens"));
    let derived = create("derived", own_keys.derive(b"golden").expect("derives"));
    let signing = rotate("signing", &create("signing", material(KeyKind::Signing, 1)), 2);
    let agreement = create("agreement", material(KeyKind::Agreement, 1));
    let signing_keys = vault.signing("signing", &signing).expect("opens");
    let agreement_keys = vault.agreement("agreement", &agreement).expect("opens");
    let seal = Secret::Passphrase(b"correct horse");
    let sealed_master = SealedMasterKey::seal(&master(1), seal, KdfCost::LOWEST, counting(0)).expect("seals");
    let lines = [
        ("master key", master(1).danger_to_text().as_bytes().to_vec()),
        ("sealed master key", sealed_master.to_json().into_bytes()),
        ("signing record", signing.to_bytes()),
        ("agreement record", agreement.to_bytes()),
        ("secret record", secret.to_bytes()),
        ("shared record", shared.to_bytes()),
        ("derived record", derived.to_bytes()),
        ("signing public", signing_keys.public_key().as_bytes().to_vec()),
        ("agreement public", agreement_keys.public_key().as_bytes().to_vec()),
        ("signature", signing_keys.sign(b"golden").expect("signs").as_bytes().to_vec()),
        ("secret tag", own_keys.mac(b"golden").expect("a tag").to_vec()),
        ("shared tag", shared_keys.mac(b"golden").expect("a tag").to_vec()),
        ("secret data", own_keys.seal(b"plain", b"context", counting(1)).expect("seals")),
        ("shared data", shared_keys.seal(b"plain", b"context", counting(1)).expect("seals")),
    ];
    lines.map(|(name, bytes)| format!("{name}: {}\n", hex(&bytes))).concat()
}

#[test]
fn the_same_bytes_are_written() {
    expect_file!["format1.txt"].assert_eq(&written());
}

#[test]
fn records_are_read() {
    let vault = vault();
    let signing = vault.signing("signing", &record("signing record")).expect("opens");
    assert_eq!(signing.public_key().as_bytes().to_vec(), bytes("signing public"));
    assert_eq!(signing.sign(b"golden").expect("signs").as_bytes().to_vec(), bytes("signature"));
    let agreement = vault.agreement("agreement", &record("agreement record")).expect("opens");
    assert_eq!(agreement.public_key().as_bytes().to_vec(), bytes("agreement public"));
    for name in ["secret", "shared"] {
        let keys = vault.secret(name, &record(&format!("{name} record"))).expect("opens");
        assert_eq!(keys.open(&bytes(&format!("{name} data")), b"context"), Ok(b"plain".to_vec()));
        assert_eq!(keys.verify_mac(b"golden", &bytes(&format!("{name} tag"))), Ok(true));
    }
    assert!(vault.secret("derived", &record("derived record")).is_ok());
}

#[test]
fn master_keys_are_read() {
    let MasterKeyFile::Plain(plain) = MasterKeyFile::parse(&bytes("master key")).expect("parses") else {
        panic!("is plain")
    };
    let MasterKeyFile::Sealed(sealed) = MasterKeyFile::parse(&bytes("sealed master key")).expect("parses") else {
        panic!("is sealed")
    };
    let opened = sealed.open(Secret::Passphrase(b"correct horse")).expect("opens");
    assert_eq!((plain.id(), opened.id()), (master(1).id(), master(1).id()));
}
