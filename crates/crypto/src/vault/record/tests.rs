use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::testing::{counting, vault};
use crate::{KEY_VERSIONS_MAX, KeyKind, KeyMaterial, KeyRecord};

fn record() -> Vec<u8> {
    let material = KeyMaterial::generate(KeyKind::Secret, counting(1)).expect("a key");
    vault().create("k", material, counting(1)).expect("a record").to_bytes()
}

fn check(change: impl FnOnce(&mut Vec<u8>), expected: &Expect) {
    let mut bytes = record();
    change(&mut bytes);
    let shown = KeyRecord::parse(&bytes).map_or_else(|error| error.to_string(), |record| format!("{record:?}"));
    expected.assert_eq(&shown);
}

#[test]
fn rules_of_the_format() {
    check(|_| {}, &expect!["KeyRecord(secret, 1..=1, 0bc8ea34e088240c)"]);
    check(Vec::clear, &expect!["key record has 0 bytes"]);
    check(|bytes| bytes.truncate(18), &expect!["key record has 18 bytes"]);
    check(|bytes| bytes.truncate(19), &expect!["key record has 19 bytes, not 91"]);
    check(|bytes| bytes.push(0), &expect!["key record has 92 bytes, not 91"]);
    check(|bytes| bytes.truncate(90), &expect!["key record has 90 bytes, not 91"]);
    check(|bytes| bytes[0] = b'p', &expect!["key record is not of format 1"]);
    check(|bytes| bytes[3] = 2, &expect!["key record is not of format 1"]);
    check(|bytes| bytes[4] = 0, &expect!["key record is of kind 0, which is not known"]);
    check(|bytes| bytes[4] = 4, &expect!["key record is of kind 4, which is not known"]);
    check(|bytes| bytes[5] = 2, &expect!["key record is of scope 2, which is not known"]);
    check(|bytes| bytes[4..6].copy_from_slice(&[1, 1]), &expect!["key record has a shared signing key"]);
    check(|bytes| bytes[6] = 0, &expect!["key record has 0 versions up to 1"]);
    check(|bytes| bytes[6] = 2, &expect!["key record has 2 versions up to 1"]);
    check(|bytes| bytes[6..11].copy_from_slice(&[17, 0, 0, 0, 17]), &expect!["key record has 17 versions up to 17"]);
    check(|bytes| bytes[10] = 0, &expect!["key record has 1 versions up to 0"]);
    check(|bytes| bytes[6..11].fill(255), &expect!["key record has 255 versions up to 4294967295"]);
    check(|bytes| bytes[7..11].fill(255), &expect!["KeyRecord(secret, 4294967295..=4294967295, 0bc8ea34e088240c)"]);
}

#[test]
fn the_largest_record_has_the_most_versions() {
    let mut record = KeyRecord::parse(&record()).expect("parses");
    for start in 2..=u8::try_from(KEY_VERSIONS_MAX).expect("few") {
        let material = KeyMaterial::generate(KeyKind::Secret, counting(start)).expect("a key");
        record = vault().rotate("k", &record, material, counting(start)).expect("a version");
    }
    assert_eq!(record.versions(), 1..=16);
    assert_eq!(record.to_bytes().len(), KeyRecord::BYTES_MAX);
    let material = KeyMaterial::generate(KeyKind::Secret, counting(99)).expect("a key");
    let refused = vault().rotate("k", &record, material, counting(1)).expect_err("is refused");
    assert_eq!(refused.to_string(), "key has 16 versions, no more are kept; retire old ones");
}

proptest! {
    #[test]
    fn what_parses_is_written_as_it_was(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        at in 0..91_usize,
        byte: u8,
    ) {
        prop_assert!(KeyRecord::parse(&noise).is_err());
        let mut bytes = record();
        bytes[at] = byte;
        if let Ok(record) = KeyRecord::parse(&bytes) {
            prop_assert_eq!(record.to_bytes(), bytes);
        }
    }
}
