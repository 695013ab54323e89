use std::fmt;
use std::ops::RangeInclusive;

use super::KEY_VERSIONS_MAX;
use super::error::KeyRecordError;
use super::material::{KeyKind, Ring, Scope};
use crate::aead::{NONCE_BYTES, TAG_BYTES};
use crate::kdf::SecretBytes;
use crate::master::MasterKeyId;

/// A key of an actor as a store keeps it: all its versions, encrypted.
///
/// Bytes of format 1, numbers big-endian:
///
/// | at | bytes | what |
/// | --- | --- | --- |
/// | 0 | 4 | `PHk` and the format, 1 |
/// | 4 | 1 | the kind: 1 signing, 2 agreement, 3 secret |
/// | 5 | 1 | who has it: 0 the actor alone, 1 a peer as well |
/// | 6 | 1 | how many versions, *n*: 1 to 16 |
/// | 7 | 4 | the newest version, at least *n* |
/// | 11 | 8 | the id of the master key |
/// | 19 | 24 | the nonce |
/// | 43 | 32 *n* | the versions, oldest first, encrypted |
/// | 43 + 32 *n* | 16 | the tag |
///
/// The tag covers the first 19 bytes as well, and the actor and the name, which are not in the record.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyRecord {
    pub(super) header: Header,
    /// Nonce, ciphertext and tag.
    pub(super) sealed: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: KeyKind,
    pub(super) scope: Scope,
    pub(super) count: u8,
    pub(super) newest: u32,
    pub(super) master: MasterKeyId,
}

const FORMAT: [u8; 4] = *b"PHk\x01";
const HEADER_BYTES: usize = 19;

impl KeyRecord {
    /// Bytes of the largest record.
    pub const BYTES_MAX: usize = HEADER_BYTES + sealed_bytes(KEY_VERSIONS_MAX);

    /// Reads a record. Whether it was altered shows only when it is opened.
    ///
    /// # Errors
    /// Names the rule that the bytes break.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyRecordError> {
        let (head, sealed) =
            bytes.split_first_chunk().ok_or(KeyRecordError::Length { found: bytes.len(), expected: None })?;
        let header = Header::parse(head)?;
        let expected = sealed_bytes(usize::from(header.count));
        if sealed.len() != expected {
            let expected = Some(HEADER_BYTES + expected);
            return Err(KeyRecordError::Length { found: bytes.len(), expected });
        }
        Ok(Self { header, sealed: sealed.to_vec() })
    }

    /// The bytes that [`Self::parse`] reads; the same record always gives the same.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.header.to_bytes().as_slice(), &self.sealed].concat()
    }

    /// What the key is for.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.header.kind
    }

    /// The versions that the record holds; the last one is in use.
    #[must_use]
    pub const fn versions(&self) -> RangeInclusive<u32> {
        self.header.newest - (self.header.count as u32 - 1)..=self.header.newest
    }

    /// The master key under which the record is sealed.
    #[must_use]
    pub const fn master(&self) -> MasterKeyId {
        self.header.master
    }
}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions = self.versions();
        write!(f, "KeyRecord({}, {}..={}, {})", self.kind(), versions.start(), versions.end(), self.master())
    }
}

impl Header {
    pub(super) fn of(ring: &Ring, master: MasterKeyId) -> Self {
        let count = u8::try_from(ring.count()).unwrap_or(u8::MAX);
        debug_assert!(usize::from(count) <= KEY_VERSIONS_MAX && ring.newest >= u32::from(count));
        Self { kind: ring.kind, scope: ring.scope, count, newest: ring.newest, master }
    }

    fn parse(bytes: &[u8; HEADER_BYTES]) -> Result<Self, KeyRecordError> {
        let [f0, f1, f2, f3, kind, scope, count, n0, n1, n2, n3, master @ ..] = *bytes;
        if [f0, f1, f2, f3] != FORMAT {
            return Err(KeyRecordError::Format);
        }
        let kind = KeyKind::from_number(kind).ok_or(KeyRecordError::Kind { found: kind })?;
        let scope = Scope::from_number(scope).ok_or(KeyRecordError::Scope { found: scope })?;
        let newest = u32::from_be_bytes([n0, n1, n2, n3]);
        if count == 0 || usize::from(count) > KEY_VERSIONS_MAX || newest < u32::from(count) {
            return Err(KeyRecordError::Versions { count, newest });
        }
        if scope == Scope::Shared && kind != KeyKind::Secret {
            return Err(KeyRecordError::SharedKind { kind });
        }
        Ok(Self { kind, scope, count, newest, master: MasterKeyId::from_bytes(master) })
    }

    pub(super) fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&FORMAT);
        bytes[4..7].copy_from_slice(&[self.kind.number(), self.scope.number(), self.count]);
        bytes[7..11].copy_from_slice(&self.newest.to_be_bytes());
        bytes[11..].copy_from_slice(self.master.as_bytes());
        bytes
    }
}

const fn sealed_bytes(versions: usize) -> usize {
    NONCE_BYTES + versions * SecretBytes::LENGTH + TAG_BYTES
}

#[cfg(test)]
mod tests;
