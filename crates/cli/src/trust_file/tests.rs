use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use expect_test::{Expect, expect};
use playhouse_crypto::SigningKey;
use playhouse_package::{TrustPolicy, TrustedKey};

use super::TrustFile;
use crate::error::CliError;

fn key(n: u8) -> TrustedKey {
    TrustedKey::always(SigningKey::from_seed(&[n; 32]).verifying_key())
}

/// Opens a file with this text, changes it, saves it, and shows the text. What it then says must be what was meant.
fn check(text: &str, change: impl FnOnce(&mut TrustFile) -> Result<(), CliError>, expected: Expect) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trust.toml");
    if !text.is_empty() {
        std::fs::write(&path, text).unwrap();
    }
    let mut file = TrustFile::open(&path).unwrap();
    if let Err(error) = change(&mut file) {
        return expected.assert_eq(&error.document().unwrap().error.message.replace(&*path.to_string_lossy(), "FILE"));
    }
    file.save().unwrap();
    expected.assert_eq(&std::fs::read_to_string(&path).unwrap());
    assert_eq!(TrustFile::open(&path).unwrap().policy(), file.policy());
}

#[test]
fn a_new_file_says_what_it_is() {
    check(
        "",
        |file| file.add_key(&"acme".parse().unwrap(), key(1)),
        expect![[r##"
        # Whose packages may run here. `playhouse trust` edits this file; comments stay.
        [[manufacturer]]
        name = "acme"

        [[manufacturer.key]]
        public_key = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w="
        id = "mfr-34750f98bd59fcfc"
    "##]],
    );
}

#[test]
fn comments_and_layout_stay() {
    let text = format!(
        "# our suppliers\n[[manufacturer]]\nname = \"acme\" # met in person\n\n[[manufacturer.key]]\npublic_key = \"{}\"\n",
        key(1).key.to_base64()
    );
    check(
        &text,
        |file| {
            file.add_key(&"acme".parse().unwrap(), TrustedKey { not_after: Some(1_800_000_000), ..key(2) })?;
            file.add_key(&"acme".parse().unwrap(), TrustedKey { not_before: Some(1_700_000_000), ..key(1) })?;
            file.revoke_key(key(3).key.key_id())?;
            file.revoke_key(key(3).key.key_id())?;
            file.revoke_package(playhouse_crypto::Digest::of(b"package"))?;
            assert!(file.raise_minimum(&"acme:Echo:1.2.0".parse().unwrap())?);
            assert!(!file.raise_minimum(&"acme:Echo:1.1.9".parse().unwrap())?);
            Ok(())
        },
        expect![[r#"
            revoked_keys = ["mfr-b62e867fa2f33afe"]
            revoked_packages = ["bc4a71180870f7945155fbb02f4b0a2e3faa2a62d6d31b7039013055ed19869a"]
            # our suppliers
            [[manufacturer]]
            name = "acme" # met in person

            [[manufacturer.key]]
            public_key = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w="
            id = "mfr-34750f98bd59fcfc"
            not_before = 2023-11-14T22:13:20Z

            [[manufacturer.key]]
            public_key = "gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q="
            id = "mfr-6a3803d5f059902a"
            not_after = 2027-01-15T08:00:00Z

            [[minimum]]
            type = "acme:Echo"
            version = "1.2.0"
        "#]],
    );
}

#[test]
fn inline_tables_are_understood() {
    let text =
        format!("manufacturer = [{{ name = \"acme\", key = [{{ public_key = \"{}\" }}] }}]\n", key(1).key.to_base64());
    check(
        &text,
        |file| file.add_key(&"acme".parse().unwrap(), key(2)),
        expect![[r#"
        [[manufacturer ]]
        name = "acme"

        [[manufacturer.key]]
        public_key = "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w="

        [[manufacturer.key]]
        public_key = "gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q="
        id = "mfr-6a3803d5f059902a"
    "#]],
    );
}

#[test]
fn a_revoked_key_is_not_trusted_again() {
    check(
        "",
        |file| {
            file.revoke_key(key(1).key.key_id())?;
            file.add_key(&"acme".parse().unwrap(), key(1))
        },
        expect!["key mfr-34750f98bd59fcfc is revoked in FILE"],
    );
}

fn refused(text: &str, mode: u32, expected: Expect) {
    let dir = tempfile::tempdir().unwrap();
    let path: PathBuf = dir.path().join("trust.toml");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    let error = TrustFile::open(&path).unwrap_err();
    let message = error.document().unwrap().error.message.replace(&*path.to_string_lossy(), "FILE");
    expected.assert_eq(&message.replace(&*dir.path().to_string_lossy(), "DIR"));
}

#[test]
fn files_that_cannot_be_relied_on_are_refused() {
    refused("", 0o666, expect!["FILE has mode 0666: others may write to it"]);
    refused("", 0o620, expect!["FILE has mode 0620: others may write to it"]);
    refused(
        "revoked_kyes = []",
        0o600,
        expect![
            "FILE: trust file line 1: unknown field `revoked_kyes`, expected one of `danger_accept_unsigned_for_development`, `revoked_keys`, `revoked_packages`, `manufacturer`, `minimum`, `trust`"
        ],
    );
    refused(
        "[[trust]]\nkind = \"static\"\npubkey_file = \"gone.json\"",
        0o600,
        expect![[
            r#"FILE: trust file: [[trust]]: key file "gone.json": cannot read DIR/gone.json: No such file or directory (os error 2)"#
        ]],
    );
    refused(
        &"#".repeat(TrustPolicy::FILE_BYTES_MAX + 1),
        0o600,
        expect!["FILE has more than 1048576 bytes, the limit"],
    );
}

#[test]
fn a_key_is_taken_out_again() {
    let add = |file: &mut TrustFile, maker: &str, n| file.add_key(&maker.parse().unwrap(), key(n));
    check(
        "# ours\n",
        |file| {
            add(file, "acme", 1)?;
            add(file, "acme", 2)?;
            add(file, "other", 1)?;
            assert_eq!(file.remove_key(key(3).key.key_id(), None)?, 0);
            assert_eq!(file.remove_key(key(2).key.key_id(), Some(&"other".parse().unwrap()))?, 0);
            assert_eq!(file.remove_key(key(1).key.key_id(), Some(&"other".parse().unwrap()))?, 1);
            assert_eq!(file.remove_key(key(1).key.key_id(), None)?, 1);
            Ok(())
        },
        expect![[r#"
            [[manufacturer]]
            name = "acme"

            [[manufacturer.key]]
            public_key = "gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q="
            id = "mfr-6a3803d5f059902a"
            # ours
        "#]],
    );
    // One that speaks for everybody.
    let text = format!("[[trust]]\nkind = \"static\"\npubkey_b64 = \"{}\"\n", key(1).key.to_base64());
    check(
        &text,
        |file| {
            assert_eq!(file.remove_key(key(1).key.key_id(), None)?, 1);
            add(file, "acme", 2)
        },
        expect![[r#"
            [[manufacturer]]
            name = "acme"

            [[manufacturer.key]]
            public_key = "gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q="
            id = "mfr-6a3803d5f059902a"
        "#]],
    );
}
