//! A good package whose every part can be spoilt before, between and after signing.

use bytes::Bytes;
use playhouse_crypto::{Digest, SigningKey};
use playhouse_package::{PackageLimits, TrustPolicy, VerifiedPackage, VerifyError, verify};

use crate::zip::{Entry, Zip};

pub(crate) const NOW: u64 = 1_700_000_000;
pub(crate) const PROTO: &str = "syntax = \"proto3\";\npackage echo;\nmessage EchoRequest { string message = 1; }\n";
pub(crate) const LOCK: &str = "[[dependency]]\nname = \"EchoService\"\nactr_type = \"acme:EchoService:1.0.0\"\nfingerprint = \"service_semantic:00\"\ncached_at = \"2026-01-01T00:00:00+00:00\"\nfiles = []\n";

pub(crate) const BINARY: &str = "bin/actor.wasm";
pub(crate) const RESOURCE: &str = "data/greeting.txt";
pub(crate) const PROTO_PATH: &str = "proto/echo.proto";
pub(crate) const LOCK_PATH: &str = "manifest.lock.toml";
pub(crate) const MANIFEST: &str = "manifest.toml";
pub(crate) const SIGNATURE: &str = "manifest.sig";

pub(crate) fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&[n; 32])
}

#[derive(Clone)]
pub(crate) struct Kit {
    pub(crate) signer: SigningKey,
    pub(crate) named_key: String,
    pub(crate) manifest: Vec<u8>,
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) policy: TrustPolicy,
    pub(crate) limits: PackageLimits,
    pub(crate) now: u64,
    pub(crate) edit: fn(&mut Zip),
}

impl Kit {
    pub(crate) fn good() -> Self {
        let signer = key(1);
        let binary = b"\0asm\x0d\0\x01\0 a component, so to say, so to say".to_vec();
        let file = |path: &str, contents: &[u8]| (path.to_owned(), contents.to_vec());
        let files = vec![
            file(BINARY, &binary),
            file(RESOURCE, b"good day"),
            file(PROTO_PATH, PROTO.as_bytes()),
            file(LOCK_PATH, LOCK.as_bytes()),
        ];
        let mut policy = TrustPolicy::for_key("acme".parse().expect("name"), signer.verifying_key());
        policy.danger_accept_unsigned_for_development = false;
        let mut kit = Self {
            named_key: signer.key_id().to_string(),
            signer,
            manifest: Vec::new(),
            files,
            policy,
            limits: PackageLimits::default(),
            now: NOW,
            edit: |_| {},
        };
        kit.manifest = kit.good_manifest().into_bytes();
        kit
    }

    pub(crate) fn good_manifest(&self) -> String {
        let hash = |path: &str| Digest::of(self.contents(path)).to_string();
        format!(
            "manufacturer = \"acme\"\nname = \"EchoService\"\nversion = \"1.2.3\"\nsignature_algorithm = \"ed25519\"\n\
             signing_key_id = \"{}\"\n\n[binary]\npath = \"{BINARY}\"\ntarget = \"wasm32-wasip2\"\nhash = \"{}\"\nsize = {}\n\
             kind = \"component\"\n\n[[resources]]\npath = \"{RESOURCE}\"\nhash = \"{}\"\n\n[[proto_files]]\n\
             name = \"echo.proto\"\npath = \"{PROTO_PATH}\"\nhash = \"{}\"\n\n[lock_file]\npath = \"{LOCK_PATH}\"\nhash = \"{}\"\n\n\
             [metadata]\ndescription = \"says what it hears\"\n",
            self.named_key,
            hash(BINARY),
            self.contents(BINARY).len(),
            hash(RESOURCE),
            hash(PROTO_PATH),
            hash(LOCK_PATH),
        )
    }

    fn contents(&self, path: &str) -> &[u8] {
        self.files.iter().find(|(name, _)| name == path).map_or(&[], |(_, contents)| contents)
    }

    /// Replaces a file and its digest in the manifest.
    pub(crate) fn put(&mut self, path: &str, contents: &[u8]) {
        let file = self.files.iter_mut().find(|(name, _)| name == path).expect("file");
        file.1 = contents.to_vec();
        self.manifest = self.good_manifest().into_bytes();
    }

    /// Replaces text in the manifest before it is signed.
    pub(crate) fn replace(&mut self, from: &str, to: &str) {
        let text = String::from_utf8(self.manifest.clone()).expect("text");
        assert!(text.contains(from), "{from}");
        self.manifest = text.replacen(from, to, 1).into_bytes();
    }

    /// Names the key that the package is signed with by another's id.
    pub(crate) fn sign_with(&mut self, signer: SigningKey) {
        let before = std::mem::replace(&mut self.named_key, signer.key_id().to_string());
        let now = self.named_key.clone();
        self.replace(&before, &now);
        self.signer = signer;
    }

    pub(crate) fn zip(&self) -> Zip {
        let signature = self.signer.sign(&self.manifest);
        let mut entries =
            vec![Entry::deflated(MANIFEST, &self.manifest), Entry::stored(SIGNATURE, signature.as_bytes())];
        for (n, (path, contents)) in self.files.iter().enumerate() {
            entries.push(if n % 2 == 0 { Entry::deflated(path, contents) } else { Entry::stored(path, contents) });
        }
        let mut zip = Zip { entries, ..Zip::default() };
        (self.edit)(&mut zip);
        zip
    }

    pub(crate) fn verify_bytes(&self, bytes: Vec<u8>) -> Result<VerifiedPackage, VerifyError> {
        verify(Bytes::from(bytes), &self.policy, self.now, &self.limits)
    }

    pub(crate) fn verify(&self) -> Result<VerifiedPackage, VerifyError> {
        self.verify_bytes(self.zip().bytes())
    }
}

/// What came out, in one line.
pub(crate) fn shown(outcome: Result<VerifiedPackage, VerifyError>) -> String {
    match outcome {
        Ok(package) => format!("accepted, signed by {}", package.signed_by()),
        Err(error) => format!("[{}] {error}", error.code()),
    }
}
