//! What The Update Framework counts as attacks on repositories, and what can go wrong with keys.

use expect_test::{Expect, expect};
use playhouse_package::{TrustPolicy, TrustedKey};

use crate::kit::{Kit, MANIFEST, NOW, SIGNATURE, key, shown};
use crate::zip::Entry;

fn check(spoil: fn(&mut Kit), expected: &Expect) {
    let mut kit = Kit::good();
    spoil(&mut kit);
    expected.assert_eq(&shown(kit.verify()));
}

fn name(text: &str) -> playhouse_types::Name {
    text.parse().expect("name")
}

fn trust(kit: &mut Kit, manufacturer: &str, n: u8) {
    kit.policy.add_key(name(manufacturer), TrustedKey::always(key(n).verifying_key()));
}

fn between(kit: &mut Kit, not_before: Option<u64>, not_after: Option<u64>) {
    let key = TrustedKey { key: kit.signer.verifying_key(), not_before, not_after };
    kit.policy.add_key(name("acme"), key);
}

#[test]
fn arbitrary_software() {
    check(
        |k| k.policy = TrustPolicy::default(),
        &expect!["[trust-unknown] manufacturer acme is not trusted (it names key mfr-34750f98bd59fcfc)"],
    );
    check(
        |k| k.sign_with(key(2)),
        &expect!["[trust-unknown] key mfr-6a3803d5f059902a is not trusted for manufacturer acme"],
    );
    check(
        |k| k.signer = key(2),
        &expect!["[package-signature] signature does not belong to the manifest (it names key mfr-34750f98bd59fcfc)"],
    );
    check(
        |k| {
            let line = format!("signing_key_id = \"{}\"\n", k.named_key);
            k.replace(&line, "");
            k.signer = key(2);
        },
        &expect!["[package-signature] signature does not belong to the manifest"],
    );
    check(
        |k| k.replace("\"acme\"", "\"evil\""),
        &expect!["[trust-unknown] manufacturer evil is not trusted (it names key mfr-34750f98bd59fcfc)"],
    );
}

/// A key that is trusted for one manufacturer signs for another.
#[test]
fn a_key_speaks_for_its_manufacturer_alone() {
    check(
        |k| {
            trust(k, "evil", 2);
            k.sign_with(key(2));
        },
        &expect!["[trust-unknown] key mfr-6a3803d5f059902a is not trusted for manufacturer acme"],
    );
    check(
        |k| {
            trust(k, "evil", 2);
            k.signer = key(2);
        },
        &expect!["[package-signature] signature does not belong to the manifest (it names key mfr-34750f98bd59fcfc)"],
    );
}

/// The signature is right, but the manifest names another key than the one that signed it.
#[test]
fn key_confusion() {
    check(
        |k| {
            trust(k, "acme", 2);
            k.signer = key(2);
        },
        &expect![
            "[package-signature] manifest names key mfr-34750f98bd59fcfc, but is signed with mfr-6a3803d5f059902a"
        ],
    );
}

#[test]
fn several_keys_and_rotation() {
    check(
        |k| {
            trust(k, "acme", 2);
            k.sign_with(key(2));
        },
        &expect!["accepted, signed by mfr-6a3803d5f059902a"],
    );
    check(|k| trust(k, "acme", 2), &expect!["accepted, signed by mfr-34750f98bd59fcfc"]);
    check(
        |k| {
            k.policy = TrustPolicy::default();
            k.policy.any_manufacturer.push(TrustedKey::always(k.signer.verifying_key()));
        },
        &expect!["accepted, signed by mfr-34750f98bd59fcfc"],
    );
}

#[test]
fn compromised_keys() {
    check(
        |k| k.policy.revoke_key(k.signer.key_id()),
        &expect!["[trust-revoked-key] key mfr-34750f98bd59fcfc is revoked"],
    );
    check(
        |k| {
            k.policy.revoke_key(k.signer.key_id());
            k.policy.danger_accept_unsigned_for_development = true;
        },
        &expect!["[trust-revoked-key] key mfr-34750f98bd59fcfc is revoked"],
    );
    check(
        |k| {
            k.policy = TrustPolicy::default();
            k.policy.revoke_key(k.signer.key_id());
        },
        &expect!["[trust-revoked-key] key mfr-34750f98bd59fcfc is revoked"],
    );
    check(
        |k| {
            k.policy.revoke_key(k.signer.key_id());
            trust(k, "acme", 2);
            k.sign_with(key(2));
        },
        &expect!["accepted, signed by mfr-6a3803d5f059902a"],
    );
}

/// An old key is used for ever, or before its time.
#[test]
fn freeze() {
    check(
        |k| between(k, None, Some(NOW)),
        &expect![
            "[trust-expired] key mfr-34750f98bd59fcfc was valid until 1700000000, it is 1700000000 now (seconds since 1970)"
        ],
    );
    check(|k| between(k, None, Some(NOW + 1)), &expect!["accepted, signed by mfr-34750f98bd59fcfc"]);
    check(
        |k| between(k, Some(NOW + 1), None),
        &expect![
            "[trust-expired] key mfr-34750f98bd59fcfc is valid from 1700000001, it is 1700000000 now (seconds since 1970)"
        ],
    );
    check(|k| between(k, Some(NOW), None), &expect!["accepted, signed by mfr-34750f98bd59fcfc"]);
}

fn minimum(kit: &mut Kit, text: &str) {
    kit.policy.raise_minimum(&text.parse().expect("type"));
}

#[test]
fn rollback() {
    check(
        |k| minimum(k, "acme:EchoService:1.2.4"),
        &expect!["[trust-rollback] acme:EchoService:1.2.3 is older than 1.2.4, the lowest version allowed"],
    );
    check(
        |k| minimum(k, "acme:EchoService:1.10.0"),
        &expect!["[trust-rollback] acme:EchoService:1.2.3 is older than 1.10.0, the lowest version allowed"],
    );
    check(|k| minimum(k, "acme:EchoService:1.2.3"), &expect!["accepted, signed by mfr-34750f98bd59fcfc"]);
    check(|k| minimum(k, "acme:EchoService:1.2.3-rc.1"), &expect!["accepted, signed by mfr-34750f98bd59fcfc"]);
    check(|k| minimum(k, "acme:Other:9.0.0"), &expect!["accepted, signed by mfr-34750f98bd59fcfc"]);
    check(|k| minimum(k, "other:EchoService:9.0.0"), &expect!["accepted, signed by mfr-34750f98bd59fcfc"]);
    check(
        |k| {
            minimum(k, "acme:EchoService:2.0.0");
            minimum(k, "acme:EchoService:1.0.0");
        },
        &expect!["[trust-rollback] acme:EchoService:1.2.3 is older than 2.0.0, the lowest version allowed"],
    );
    check(
        |k| {
            minimum(k, "acme:EchoService:2.0.0");
            k.policy.danger_accept_unsigned_for_development = true;
        },
        &expect!["[trust-rollback] acme:EchoService:1.2.3 is older than 2.0.0, the lowest version allowed"],
    );
}

/// This very package is known to be bad, though its key is not.
#[test]
fn revoked_package() {
    check(
        |k| k.policy.revoke_package(playhouse_crypto::Digest::of(&k.manifest)),
        &expect![
            "[trust-revoked-package] package with manifest fd90660dc3bbf84f871b3ec6bc82d0f410e0162ed03c701214f0f72beb502e45 is revoked"
        ],
    );
}

/// The manifest of one package and the signature or files of another.
#[test]
fn mix_and_match() {
    check(
        |k| {
            k.edit = |z| {
                let mut other = Kit::good();
                other.replace("1.2.3", "1.2.4");
                *z.entry(MANIFEST) = Entry::stored(MANIFEST, &other.manifest);
            }
        },
        &expect!["[package-signature] signature does not belong to the manifest (it names key mfr-34750f98bd59fcfc)"],
    );
    check(
        |k| {
            k.edit = |z| {
                let mut other = Kit::good();
                other.put(crate::kit::BINARY, b"another");
                *z.entry(crate::kit::BINARY) = Entry::stored(crate::kit::BINARY, b"another");
                let signature = other.signer.sign(&other.manifest);
                *z.entry(SIGNATURE) = Entry::stored(SIGNATURE, signature.as_bytes());
            }
        },
        &expect!["[package-signature] signature does not belong to the manifest (it names key mfr-34750f98bd59fcfc)"],
    );
}

/// More data than there should be; the corpus has the rest.
#[test]
fn endless_data() {
    check(
        |k| k.edit = |z| z.entries.extend((0..1025).map(|n| Entry::stored(&format!("x/{n}"), b""))),
        &expect!["[package-limit] archive has 1025 entries that the manifest does not list, the limit is 1024"],
    );
}

fn unsigned(zip: &mut crate::zip::Zip) {
    zip.entries.retain(|entry| entry.central.name != SIGNATURE.as_bytes());
}

#[test]
fn development_mode_is_for_what_nobody_signed() {
    check(|k| k.edit = unsigned, &expect!["[package-incomplete] package is not signed: it has no manifest.sig"]);
    check(
        |k| {
            k.policy.danger_accept_unsigned_for_development = true;
            k.edit = unsigned;
        },
        &expect!["accepted, signed by nobody (danger_accept_unsigned_for_development)"],
    );
    check(
        |k| {
            k.policy = TrustPolicy::default();
            k.policy.danger_accept_unsigned_for_development = true;
        },
        &expect!["accepted, signed by nobody (danger_accept_unsigned_for_development)"],
    );
    check(
        |k| k.policy.danger_accept_unsigned_for_development = true,
        &expect!["accepted, signed by mfr-34750f98bd59fcfc"],
    );
    // Altered files are still found, and so is an altered manifest of somebody who is trusted.
    check(
        |k| {
            k.policy.danger_accept_unsigned_for_development = true;
            k.edit = |z| {
                unsigned(z);
                *z.entry(crate::kit::BINARY) = Entry::stored(crate::kit::BINARY, b"evil");
            };
        },
        &expect![
            "[package-digest] bin/actor.wasm: digest of the binary is b5c1fb2efc6d6b4674c2fdcc48ce01b43a3b7c03763c0c3355de0099ee0f8c73, manifest says 13bfc83e24c0215ddd98b1415b9a16a89d6e203642a8993880c82b56562d6bb5"
        ],
    );
    check(
        |k| {
            k.policy.danger_accept_unsigned_for_development = true;
            k.edit = |z| *z.entry(SIGNATURE) = Entry::stored(SIGNATURE, &[1; 64]);
        },
        &expect!["[package-signature] signature does not belong to the manifest (it names key mfr-34750f98bd59fcfc)"],
    );
}
