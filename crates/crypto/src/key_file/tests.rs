use expect_test::{Expect, expect};

use super::KeyFile;
use crate::SigningKey;

/// The example of the specification.
const PAIR: &str = r#"{"private_key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","public_key":"A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=","created_at":"2026-01-01T00:00:00+00:00","note":"example"}"#;
const PUBLIC: &str = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
const PRIVATE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn check(json: &str, expected: &Expect) {
    let shown = match KeyFile::parse(json.as_bytes()) {
        Ok(KeyFile::Public(key)) => format!("public {}", key.key_id()),
        Ok(KeyFile::Plain(key)) => format!("private {}", key.key_id()),
        Ok(KeyFile::Sealed(key)) => format!("sealed {}", key.verifying_key().key_id()),
        Err(error) => error.to_string(),
    };
    assert!(!shown.contains("AAECAwQF"), "{shown}");
    expected.assert_eq(&shown);
}

#[test]
fn key_pairs_and_public_keys() {
    check(PAIR, &expect!["private mfr-56475aa75463474c"]);
    check(&format!(r#"{{"private_key":" {PRIVATE}\n"}}"#), &expect!["private mfr-56475aa75463474c"]);
    check(&format!(r#"{{"public_key":"\t{PUBLIC} ","key_id":"whatever"}}"#), &expect!["public mfr-56475aa75463474c"]);
}

#[test]
fn manufacturer_documents() {
    let certificate = |key: &str, id: &str| format!(r#"{{"key_id":"{id}","mfr_name":"acme","mfr_pubkey":"{key}"}}"#);
    let good = certificate(PUBLIC, "mfr-56475aa75463474c");
    let generated = format!(r#"{{"key_source":"generated","private_key":"{PRIVATE}","certificate":{good}}}"#);
    check(&generated, &expect!["private mfr-56475aa75463474c"]);
    check(&format!(r#"{{"key_source":"uploaded","certificate":{good}}}"#), &expect!["public mfr-56475aa75463474c"]);
    let other = SigningKey::from_seed(&[1; 32]).verifying_key().to_base64();
    let mixed = certificate(&other, "mfr-56475aa75463474c");
    check(
        &format!(r#"{{"private_key":"{PRIVATE}","certificate":{mixed}}}"#),
        &expect!["certificate.mfr_pubkey is not the public half of the key in the file"],
    );
    let renamed = certificate(PUBLIC, "mfr-0000000000000000");
    check(
        &format!(r#"{{"private_key":"{PRIVATE}","certificate":{renamed}}}"#),
        &expect!["certificate.key_id is not mfr-56475aa75463474c, the id of its key"],
    );
}

#[test]
fn what_is_wrong_is_named() {
    check("", &expect!["key file is not the JSON of one, from line 1 column 0"]);
    check("[]", &expect!["key file is not the JSON of one, from line 1 column 2"]);
    check("{}", &expect!["key file has neither private_key nor public_key"]);
    check(r#"{"private_key":7}"#, &expect!["key file is not the JSON of one, from line 1 column 16"]);
    check(r#"{"private_key":"AAEC*w=="}"#, &expect!["private_key is not standard base64"]);
    check(r#"{"private_key":"AAEC"}"#, &expect!["private_key has 3 bytes, not 32"]);
    check(r#"{"public_key":"AAEC"}"#, &expect!["public_key: public key has 3 bytes, not 32"]);
    check(r#"{"public_key":"?"}"#, &expect!["public_key: public key is not standard base64"]);
    let zero = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    check(&format!(r#"{{"public_key":"{zero}"}}"#), &expect!["public_key: public key is of small order"]);
    check(&PAIR.replace("A6EH", "AqEH"), &expect!["public_key: public key is not a point of the curve"]);
    let other = SigningKey::from_seed(&[1; 32]).verifying_key().to_base64();
    check(&PAIR.replace(PUBLIC, &other), &expect!["public_key is not the public half of the key in the file"]);
    check(&" ".repeat(KeyFile::BYTES_MAX + 1), &expect!["key file has 65537 bytes, the limit is 65536"]);
}

#[test]
fn written_files_are_read() {
    let key = SigningKey::from_seed(&[3; 32]);
    let plain = KeyFile::danger_plain_json(&key, "2026-01-01T00:00:00+00:00");
    assert!(matches!(KeyFile::parse(plain.as_bytes()), Ok(KeyFile::Plain(read)) if read.key_id() == key.key_id()));
    let public = KeyFile::public_json(&key.verifying_key());
    assert!(matches!(KeyFile::parse(public.as_bytes()), Ok(KeyFile::Public(read)) if read == key.verifying_key()));
}

proptest::proptest! {
    #[test]
    fn noise_and_damage_do_no_harm(
        noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        at in 0..PAIR.len(),
        byte in proptest::prelude::any::<u8>(),
    ) {
        assert!(KeyFile::parse(&noise).is_err());
        let mut damaged = PAIR.as_bytes().to_vec();
        damaged[at] = byte;
        if let Err(error) = KeyFile::parse(&damaged) {
            assert!(!error.to_string().contains("AAECAw"), "{error}");
        }
    }
}
