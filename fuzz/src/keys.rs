use playhouse_crypto::KeyFile;

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
