use std::collections::BTreeSet;
use std::fs;

use playhouse_package::{PackageLimits, TrustPolicy, verify};

use super::CATALOG;
use crate::guests::{committed, package};
use crate::root;

#[test]
fn names_are_distinct() {
    let files: BTreeSet<String> = CATALOG.iter().map(|guest| guest.file_name()).collect();
    let types: BTreeSet<&str> = CATALOG.iter().map(|guest| guest.type_name).collect();
    assert_eq!((files.len(), types.len()), (CATALOG.len(), CATALOG.len()));
}

#[test]
fn the_readme_lists_every_package() {
    let readme = fs::read_to_string(root().join("guests/README.md")).unwrap();
    for guest in CATALOG {
        assert!(readme.contains(&format!("| `{}` | `{}` |", guest.file_name(), guest.type_name)), "{guest:?}");
    }
}

#[test]
fn committed_packages_are_signed_with_the_fixture_key() {
    let key = package::fixture_key().unwrap().verifying_key();
    let trust = TrustPolicy::for_key(package::MANUFACTURER.parse().unwrap(), key);
    for guest in CATALOG {
        let bytes = fs::read(committed().join(guest.file_name())).unwrap();
        let verified = verify(bytes.into(), &trust, 0, &PackageLimits::default()).unwrap();
        assert_eq!(verified.actor_type().name().as_str(), guest.type_name);
    }
}
