use bytes::Bytes;
use playhouse_types::limits::{ROUTE_BYTES_MAX, STATE_KEY_BYTES_MAX, STATE_VALUE_BYTES_MAX};
use playhouse_types::{ActorError, Code, ErrorKind, Label, RouteKey, StateKey};
use wasmtime::component::{WasmList, WasmStr};
use wasmtime::{StoreContext, StoreContextMut};

use super::guest::{Guest, malformed};

/// What a guest hands over stays in its memory until it is copied from there, by what it may be. wasmtime has checked that
/// it lies there, and that one call does not hand over more than a reply may have.
pub(super) struct Memory<'a>(StoreContext<'a, Guest>);

impl<'a> Memory<'a> {
    pub(super) fn of(store: &'a StoreContextMut<'_, Guest>) -> Self {
        Self(store.into())
    }

    /// The bytes, whatever they are.
    pub(super) fn bytes(&self, list: &WasmList<u8>) -> Bytes {
        Bytes::copy_from_slice(list.as_le_slice(&self.0))
    }

    /// Runs `parse` over a text that stays where it is.
    pub(super) fn text<T>(
        &self,
        text: &WasmStr,
        parse: impl FnOnce(&str) -> Result<T, ActorError>,
    ) -> Result<T, ActorError> {
        let text =
            text.to_str(&self.0).map_err(|_| refused("a text is not in the encoding that the guest promised"))?;
        parse(&text)
    }

    /// The name of a timer, a key, a setting or a secret.
    pub(super) fn label(&self, text: &WasmStr) -> Result<Label, ActorError> {
        self.text(text, |text| text.parse().map_err(|error| malformed(&error)))
    }

    pub(super) fn route(&self, text: &WasmStr) -> Result<RouteKey, ActorError> {
        self.text(text, |text| match text.len() {
            0..=ROUTE_BYTES_MAX => text.parse().map_err(|error| malformed(&error)),
            bytes => Err(too_large("a route key", bytes, ROUTE_BYTES_MAX)),
        })
    }

    /// A key of the state.
    pub(super) fn key(&self, list: &WasmList<u8>) -> Result<StateKey, ActorError> {
        StateKey::new(self.key_part(list)?).map_err(|error| malformed(&error))
    }

    /// What a key of the state may begin with.
    pub(super) fn key_part(&self, list: &WasmList<u8>) -> Result<Bytes, ActorError> {
        self.at_most(STATE_KEY_BYTES_MAX, "a key of the state", list)
    }

    /// A value of the state.
    pub(super) fn value(&self, list: &WasmList<u8>) -> Result<Bytes, ActorError> {
        self.at_most(STATE_VALUE_BYTES_MAX, "a value of the state", list)
    }

    fn at_most(&self, limit: usize, what: &str, list: &WasmList<u8>) -> Result<Bytes, ActorError> {
        match list.len() {
            bytes if bytes > limit => Err(too_large(what, bytes, limit)),
            _ => Ok(self.bytes(list)),
        }
    }
}

pub(super) fn too_large(what: &str, bytes: usize, limit: usize) -> ActorError {
    refused(format!("{what} has {bytes} bytes, the limit is {limit}"))
}

/// What a guest hears whose operation breaks a rule before the host is asked.
pub(super) fn refused(message: impl Into<String>) -> ActorError {
    ActorError::coded(ErrorKind::InvalidArgument, Code::MalformedOperation, message)
}
