use std::cmp::Ordering;

use expect_test::{Expect, expect};
use playhouse_crypto::{SigningKey, VerifyingKey};

use super::{TrustPolicy, compare_versions};

fn key(n: u8) -> VerifyingKey {
    SigningKey::from_seed(&[n; 32]).verifying_key()
}

fn parse(text: &str) -> Result<TrustPolicy, String> {
    let text = text.replace("KEY1", &key(1).to_base64()).replace("ID1", &key(1).key_id().to_string());
    let read = |path: &str| if path == "good.json" { Ok(key(3)) } else { Err("no such file".to_owned()) };
    TrustPolicy::parse(&text, read).map_err(|error| error.to_string())
}

fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&parse(text).map_or_else(|error| error, |policy| policy.to_toml()));
}

#[test]
fn a_whole_file_is_written_as_it_was_read() {
    let text = "\
danger_accept_unsigned_for_development = true
revoked_keys = [\"mfr-0000000000000000\"]
revoked_packages = [\"0000000000000000000000000000000000000000000000000000000000000000\"]
[[manufacturer]]
name = \"acme\"
[[manufacturer.key]]
public_key = \"KEY1\"
id = \"ID1\"
not_before = 2026-01-01T00:00:00Z
not_after = 2027-06-30T12:00:00+02:00
[[manufacturer]]
name = \"none\"
[[minimum]]
type = \"acme:Echo\"
version = \"1.4.0\"
[[trust]]
kind = \"static\"
pubkey_b64 = \"KEY1\"
pubkey_file = \"not asked\"
[[trust]]
kind = \"static\"
pubkey_file = \"good.json\"
";
    check(
        text,
        &expect![[r#"
        danger_accept_unsigned_for_development = true
        revoked_keys = [
            "mfr-0000000000000000",
        ]
        revoked_packages = [
            "0000000000000000000000000000000000000000000000000000000000000000",
        ]

        [[manufacturer]]
        name = "acme"

        [[manufacturer.key]]
        id = "mfr-34750f98bd59fcfc"
        public_key = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w="
        not_before = 2026-01-01T00:00:00Z
        not_after = 2027-06-30T10:00:00Z

        [[manufacturer]]
        name = "none"

        [[trust]]
        kind = "static"
        pubkey_b64 = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w="

        [[trust]]
        kind = "static"
        pubkey_b64 = "7UkoxijRwsbq6QM4kFmVYSlZJzpcY/k2NsFGFKyHN9E="

        [[minimum]]
        type = "acme:Echo"
        version = "1.4.0"
    "#]],
    );
    let policy = parse(text).expect("parses");
    assert_eq!(parse(&policy.to_toml()), Ok(policy));
}

#[test]
fn an_empty_file_trusts_nobody() {
    check("", &expect![]);
    assert_eq!(parse("# nothing"), Ok(TrustPolicy::default()));
}

#[test]
fn what_is_wrong_is_named() {
    check(
        "revoked = []",
        &expect![
            "trust file line 1: unknown field `revoked`, expected one of `danger_accept_unsigned_for_development`, `revoked_keys`, `revoked_packages`, `manufacturer`, `minimum`, `trust`"
        ],
    );
    check("revoked_keys = [\"abc\"]", &expect![[r#"trust file: revoked_keys: "abc" is not a key id"#]]);
    check(
        "revoked_packages = [\"abc\"]",
        &expect![[r#"trust file: revoked_packages: "abc" is not a digest of a manifest"#]],
    );
    check("[[manufacturer]]\nname = \"../x\"", &expect![[r#"trust file: name "../x" does not start with a letter"#]]);
    check(
        "[[manufacturer]]\nname = \"a\"\n[[manufacturer]]\nname = \"a\"",
        &expect!["trust file: manufacturer a is there twice"],
    );
    let with = |rest: &str| format!("[[manufacturer]]\nname = \"acme\"\n[[manufacturer.key]]\n{rest}");
    check(&with("id = \"ID1\""), &expect!["trust file line 3: missing field `public_key`"]);
    check(&with("public_key = \"AAAA\""), &expect!["trust file: manufacturer acme: public key has 3 bytes, not 32"]);
    check(&with("public_key = \"?\""), &expect!["trust file: manufacturer acme: public key is not standard base64"]);
    check(
        &with(&format!("public_key = \"{}=\"", "A".repeat(43))),
        &expect!["trust file: manufacturer acme: public key is of small order"],
    );
    check(
        &with("public_key = \"KEY1\"\nid = \"mfr-0000000000000000\""),
        &expect![[r#"trust file: manufacturer acme: id is "mfr-0000000000000000", the key's is mfr-34750f98bd59fcfc"#]],
    );
    check(
        &with("public_key = \"KEY1\"\nnot_after = 2026-01-01"),
        &expect!["trust file: manufacturer acme: not_after is not a date with time and offset after 1970"],
    );
    check(
        &with("public_key = \"KEY1\"\nnot_after = 2026-01-01T00:00:00"),
        &expect!["trust file: manufacturer acme: not_after is not a date with time and offset after 1970"],
    );
    check(
        &with("public_key = \"KEY1\"\nnot_before = 1969-12-31T23:59:59Z"),
        &expect!["trust file: manufacturer acme: not_before is not a date with time and offset after 1970"],
    );
    check(
        &with("public_key = \"KEY1\"\nnot_before = 2026-01-01T00:00:00Z\nnot_after = 2026-01-01T00:00:00Z"),
        &expect!["trust file: manufacturer acme: not_after is not later than not_before"],
    );
    check(
        "[[minimum]]\ntype = \"acme\"\nversion = \"1\"",
        &expect![[r#"trust file: minimum: type "acme" is not manufacturer:name"#]],
    );
    check(
        "[[minimum]]\ntype = \"a:b\"\nversion = \"1\"\n[[minimum]]\ntype = \"a:b\"\nversion = \"2\"",
        &expect!["trust file: minimum: a:b is there twice"],
    );
    check(
        "[[minimum]]\ntype = \"a:b\"\nversion = \":\"",
        &expect![[r#"trust file: version ":" has white space, a control character, or one of ':', '/', '\', '@'"#]],
    );
    check(
        "[[trust]]\nkind = \"registry\"\nendpoint = \"https://example.invalid/ais\"",
        &expect![[
            r#"trust file: [[trust]] of kind "registry" asks "https://example.invalid/ais" for keys; pin them here as [[manufacturer.key]] instead"#
        ]],
    );
    check("[[trust]]\nkind = \"hope\"", &expect![[r#"trust file: [[trust]] of unknown kind "hope""#]]);
    check("[[trust]]\nkind = \"static\"", &expect!["trust file: [[trust]] has neither pubkey_b64 nor pubkey_file"]);
    check(
        "[[trust]]\nkind = \"static\"\npubkey_file = \"other.json\"",
        &expect![[r#"trust file: [[trust]]: key file "other.json": no such file"#]],
    );
    check(&"#".repeat(TrustPolicy::FILE_BYTES_MAX + 1), &expect!["trust file has 1048577 bytes, the limit is 1048576"]);
    let many = "[[trust]]\nkind = \"static\"\npubkey_b64 = \"KEY1\"\n".repeat(TrustPolicy::KEYS_MAX + 1);
    check(&many, &expect!["trust file has 1025 keys, the limit is 1024"]);
}

#[test]
fn versions_in_order() {
    let ordered = [
        &["0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-rc.1", "1.0.0", "1.2.0", "1.10.0"][..],
        &["1", "1.0", "2", "10"],
        &["2024.9", "2024.10", "2024.10.1", "2025"],
        &["v1", "v2"],
        &["r9", "r9.1"],
        &["99999999999999999998.1", "99999999999999999999.0"],
    ];
    for versions in ordered {
        for (n, a) in versions.iter().enumerate() {
            for (m, b) in versions.iter().enumerate() {
                let found = compare_versions(&a.parse().expect("version"), &b.parse().expect("version"));
                assert_eq!(found, n.cmp(&m), "{a} {b}");
            }
        }
    }
    let equal = compare_versions(&"1.0.0+a".parse().expect("version"), &"1.0.0+b".parse().expect("version"));
    assert_eq!(equal, Ordering::Equal);
}
