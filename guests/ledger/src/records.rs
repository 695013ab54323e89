//! How the ledger writes its records down.

use playhouse_guest::internal::prost::Message;
use playhouse_guest::{Bytes, Error, ErrorKind, StateKey};

/// What the keys of entries begin with.
pub(crate) const ENTRY: &[u8] = b"entry/";

pub(crate) fn entry_key(number: u64) -> Vec<u8> {
    [ENTRY, &number.to_be_bytes()].concat()
}

pub(crate) fn state_key(key: impl AsRef<[u8]>) -> Result<StateKey, Error> {
    let key = StateKey::new(Bytes::copy_from_slice(key.as_ref()));
    key.map_err(|error| Error::new(ErrorKind::Internal, error.to_string()))
}

pub(crate) fn decoded<M: Message + Default>(value: Bytes) -> Result<M, Error> {
    M::decode(value).map_err(|error| Error::new(ErrorKind::Internal, format!("a record of the state: {error}")))
}
