use std::fmt;
use std::num::NonZeroUsize;

use zeroize::Zeroizing;

use super::KEY_VERSIONS_MAX;
use super::error::VaultError;
use super::record::Header;
use crate::compare::equal_constant_time;
use crate::kdf::SecretBytes;

/// Which algorithms a key is for. A key of one kind never serves another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum KeyKind {
    /// Signatures (Ed25519).
    Signing,
    /// Key agreement (X25519).
    Agreement,
    /// Sealing (XChaCha20-Poly1305), authentication (HMAC-SHA-256) and derivation (HKDF-SHA-256), each with a key of its own that is
    /// derived from one secret.
    Secret,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Signing, Self::Agreement, Self::Secret];

    /// The number in records. It never changes.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Signing => 1,
            Self::Agreement => 2,
            Self::Secret => 3,
        }
    }

    /// The kind with that number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Signing),
            2 => Some(Self::Agreement),
            3 => Some(Self::Secret),
            _ => None,
        }
    }

    /// The name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Agreement => "agreement",
            Self::Secret => "secret",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who has a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// This actor alone: what it makes with the secret is bound to the actor and the name of the key.
    Own,
    /// The peer of an agreement as well, who has another identity and may use another name.
    Shared,
}

impl Scope {
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Own => 0,
            Self::Shared => 1,
        }
    }

    pub(super) const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Own),
            1 => Some(Self::Shared),
            _ => None,
        }
    }
}

/// A new key that is not in a record yet. It shows nothing and can do nothing but [become](super::ActorVault::create) a record, or a
/// [version](super::ActorVault::rotate) of one.
pub struct KeyMaterial {
    pub(super) kind: KeyKind,
    pub(super) scope: Scope,
    pub(super) secret: SecretBytes,
}

impl KeyMaterial {
    /// A key that nobody else has. `random` is a source of secure randomness, which fills the bytes that it is given.
    ///
    /// # Errors
    /// [`VaultError::Entropy`] if the source leaves the bytes zero.
    pub fn generate(kind: KeyKind, mut random: impl FnMut(&mut [u8])) -> Result<Self, VaultError> {
        let secret = SecretBytes::random(&mut random).ok_or(VaultError::Entropy)?;
        Ok(Self { kind, scope: Scope::Own, secret })
    }

    /// What the key is for.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyMaterial({})", self.kind)
    }
}

/// Every version of one key that is kept. They follow each other without gaps.
pub(super) struct Ring {
    pub(super) kind: KeyKind,
    pub(super) scope: Scope,
    /// Counted from 1.
    pub(super) newest: u32,
    /// Oldest first; 1 to [`KEY_VERSIONS_MAX`].
    secrets: Vec<SecretBytes>,
}

impl Ring {
    pub(super) fn new(material: KeyMaterial) -> Self {
        let KeyMaterial { kind, scope, secret } = material;
        Self { kind, scope, newest: 1, secrets: vec![secret] }
    }

    /// One more version, unless the newest is that very material.
    pub(super) fn push(&mut self, material: KeyMaterial) -> Result<(), VaultError> {
        if self.accepts(&material)? {
            if self.secrets.len() == KEY_VERSIONS_MAX {
                return Err(VaultError::TooManyVersions { limit: KEY_VERSIONS_MAX });
            }
            self.add(material)?;
        }
        Ok(())
    }

    /// As [`Self::push`]; the oldest version goes when there are as many as are kept.
    pub(super) fn push_over(&mut self, material: KeyMaterial) -> Result<(), VaultError> {
        if self.accepts(&material)? {
            if self.secrets.len() == KEY_VERSIONS_MAX {
                self.secrets.remove(0);
            }
            self.add(material)?;
        }
        Ok(())
    }

    /// Whether the material is another one than the newest version.
    fn accepts(&self, material: &KeyMaterial) -> Result<bool, VaultError> {
        if material.kind != self.kind {
            return Err(VaultError::OtherKind { expected: self.kind, found: material.kind });
        }
        if material.scope != self.scope {
            return Err(VaultError::OtherScope);
        }
        Ok(!equal_constant_time(self.newest().as_bytes(), material.secret.as_bytes()))
    }

    fn add(&mut self, material: KeyMaterial) -> Result<(), VaultError> {
        self.newest = self.newest.checked_add(1).ok_or(VaultError::TooManyVersions { limit: KEY_VERSIONS_MAX })?;
        self.secrets.push(material.secret);
        Ok(())
    }

    pub(super) fn keep_newest(&mut self, keep: NonZeroUsize) {
        let surplus = self.secrets.len().saturating_sub(keep.get());
        self.secrets.drain(..surplus);
    }

    pub(super) fn count(&self) -> usize {
        self.secrets.len()
    }

    pub(super) fn newest(&self) -> &SecretBytes {
        // INVARIANT: `new` starts with one secret, `from_bytes` with at least one, and `keep_newest` leaves one.
        #[expect(clippy::expect_used, reason = "a ring is never empty")]
        self.secrets.last().expect("a ring has a secret")
    }

    /// Newest first, with their versions.
    pub(super) fn versions(&self) -> impl Iterator<Item = (u32, &SecretBytes)> {
        (0..).zip(self.secrets.iter().rev()).map(|(age, secret)| (self.newest.saturating_sub(age), secret))
    }

    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.secrets.len() * SecretBytes::LENGTH));
        self.secrets.iter().for_each(|secret| bytes.extend_from_slice(secret.as_bytes()));
        bytes
    }

    pub(super) fn from_bytes(header: &Header, bytes: &[u8]) -> Option<Self> {
        let secrets: Option<Vec<_>> = bytes.chunks(SecretBytes::LENGTH).map(SecretBytes::from_slice).collect();
        let secrets = secrets.filter(|secrets| secrets.len() == usize::from(header.count) && !secrets.is_empty())?;
        Some(Self { kind: header.kind, scope: header.scope, newest: header.newest, secrets })
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} key, version {}", self.kind, self.newest)
    }
}
