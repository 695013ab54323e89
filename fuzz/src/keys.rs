use std::sync::LazyLock;

use playhouse_crypto::{ActorVault, KeyFile, KeyKind, KeyMaterial, KeyRecord, MasterKey, MasterKeyFile, SecretKeys};

/// Key files: no text of the file in an error, and one public key in whatever was accepted.
pub fn key_file(bytes: &[u8]) {
    match KeyFile::parse(bytes) {
        Ok(file) => {
            let key = file.verifying_key();
            let public = KeyFile::public_json(&key);
            let Ok(again) = KeyFile::parse(public.as_bytes()) else { panic!("our own key file is refused") };
            assert_eq!(again.verifying_key(), key);
        }
        Err(error) => assert!(error.to_string().len() < 1000, "{error}"),
    }
}

/// Master keys: what was accepted is written in a form that is accepted as the same key.
pub fn master_key(bytes: &[u8]) {
    match MasterKeyFile::parse(bytes) {
        Ok(MasterKeyFile::Plain(key)) => {
            let again = MasterKeyFile::parse(key.danger_to_text().as_bytes());
            assert!(matches!(again, Ok(MasterKeyFile::Plain(again)) if again.id() == key.id()));
        }
        Ok(MasterKeyFile::Sealed(key)) => {
            let again = MasterKeyFile::parse(key.to_json().as_bytes());
            assert!(matches!(again, Ok(MasterKeyFile::Sealed(again)) if again == key));
        }
        Ok(_) => {}
        Err(error) => assert!(error.to_string().len() < 1000, "{error}"),
    }
}

/// The vault that the seeds of the corpus are made with.
pub fn key_vault() -> ActorVault {
    let Ok(master) = MasterKey::generate(|bytes| bytes.fill(7)) else { panic!("seven is a number") };
    let Ok(actor) = "1a@7/acme:Echo:1.0.0".parse() else { panic!("an id") };
    master.vault(&actor)
}

static VAULT: LazyLock<ActorVault> = LazyLock::new(key_vault);
static SECRET: LazyLock<SecretKeys> = LazyLock::new(|| {
    let secret = KeyMaterial::generate(KeyKind::Secret, |bytes| bytes.fill(8));
    let record = secret.and_then(|secret| VAULT.create("k", secret, |bytes| bytes.fill(9)));
    let Ok(keys) = record.and_then(|record| VAULT.secret("k", &record)) else { panic!("a key") };
    keys
});

/// Key records: written as they were read, and opened as one kind of key at the most.
pub fn key_record(bytes: &[u8]) {
    let Ok(record) = KeyRecord::parse(bytes) else { return };
    assert_eq!(record.to_bytes(), bytes);
    assert!(bytes.len() <= KeyRecord::BYTES_MAX && *record.versions().start() > 0);
    let opened = [
        (KeyKind::Signing, VAULT.signing("k", &record).is_ok()),
        (KeyKind::Agreement, VAULT.agreement("k", &record).is_ok()),
        (KeyKind::Secret, VAULT.secret("k", &record).is_ok()),
    ];
    for (kind, opened) in opened {
        assert!(!opened || kind == record.kind(), "a {} key opened as a {kind} key", record.kind());
    }
    assert!(VAULT.secret("other", &record).is_err() && VAULT.signing("other", &record).is_err());
}

/// Sealed data, behind a context whose length is the first byte: what opens is what was sealed, and in no other context.
pub fn sealed_data(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first() else { return };
    let (context, sealed) = rest.split_at(rest.len().min(usize::from(*length)));
    let Ok(plaintext) = SECRET.open(sealed, context) else { return };
    assert_eq!(sealed.len(), plaintext.len() + SecretKeys::SEALED_OVERHEAD);
    assert!(SECRET.open(sealed, &[context, b"x"].concat()).is_err());
    let Ok(again) = SECRET.seal(&plaintext, context, |bytes| bytes.fill(1)) else { panic!("does not seal again") };
    assert_eq!(SECRET.open(&again, context).ok(), Some(plaintext));
}
