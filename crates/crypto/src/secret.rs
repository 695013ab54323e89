use std::fmt;

use serde::{Deserialize, Serialize};

use crate::key_file::KeyFileError;

/// What opens a sealed key.
#[derive(Clone, Copy)]
pub enum Secret<'a> {
    /// Something that a person remembers.
    Passphrase(&'a [u8]),
    /// The contents of a file of random bytes.
    KeyFile(&'a [u8]),
}

impl<'a> Secret<'a> {
    /// Bytes of a passphrase. Enough to keep out a slip of the finger; whether it is a good one only its owner knows.
    pub const PASSPHRASE_BYTES_MIN: usize = 8;
    /// Bytes of a key file: as many as the key that they protect.
    pub const KEY_FILE_BYTES_MIN: usize = 32;

    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Passphrase(_) => "passphrase",
            Self::KeyFile(_) => "key file",
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Passphrase(_) => PASSPHRASE,
            Self::KeyFile(_) => KEY_FILE,
        }
    }

    /// The bytes, if there are enough of them to seal with.
    pub(crate) fn bytes_to_seal(self) -> Result<&'a [u8], KeyFileError> {
        let (bytes, min) = match self {
            Self::Passphrase(bytes) => (bytes, Self::PASSPHRASE_BYTES_MIN),
            Self::KeyFile(bytes) => (bytes, Self::KEY_FILE_BYTES_MIN),
        };
        if bytes.len() < min {
            return Err(KeyFileError::SecretTooShort { kind: self.kind(), found: bytes.len(), min });
        }
        Ok(bytes)
    }

    pub(crate) const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Passphrase(bytes) | Self::KeyFile(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

pub(crate) const PASSPHRASE: &str = "passphrase";
pub(crate) const KEY_FILE: &str = "key-file";

/// What Argon2id costs whoever tries a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KdfCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Times that the memory is gone through.
    pub passes: u32,
    /// Lanes, computed one after the other here.
    pub lanes: u32,
}

impl KdfCost {
    /// OWASP's lowest advice, 19 MiB in 2 passes. Files that say less are refused: they would protect nothing.
    pub const LOWEST: Self = Self { memory_kib: 19 << 10, passes: 2, lanes: 1 };
    /// Half a GiB in 16 passes takes seconds: a file that asks for more is made to hurt.
    pub const HIGHEST: Self = Self { memory_kib: 512 << 10, passes: 16, lanes: 4 };

    pub(crate) fn check(self) -> Result<Self, KeyFileError> {
        let Self { memory_kib, passes, lanes } = self;
        let members = [
            ("memory_kib", memory_kib, Self::LOWEST.memory_kib, Self::HIGHEST.memory_kib),
            ("passes", passes, Self::LOWEST.passes, Self::HIGHEST.passes),
            ("lanes", lanes, Self::LOWEST.lanes, Self::HIGHEST.lanes),
        ];
        match members.into_iter().find(|(_, found, min, max)| found < min || found > max) {
            Some((member, found, min, max)) => Err(KeyFileError::KdfCost { member, found, min, max }),
            None => Ok(self),
        }
    }
}

impl Default for KdfCost {
    /// The second recommendation of RFC 9106, in one lane: 64 MiB in 3 passes, about 0.2 s.
    fn default() -> Self {
        Self { memory_kib: 64 << 10, passes: 3, lanes: 1 }
    }
}
