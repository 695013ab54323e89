//! `wasi:keyvalue` on the actor's state, for components that are written for it: `@0.2.0-draft` and `@0.2.0-draft2`.
//!
//! A bucket is what stands in the state under keys that begin with `kv/NAME/`; the names "" and "default" are one bucket. Buckets
//! are there when they are opened, and belong to the actor like the rest of its state: what is written is committed with the
//! event, and an actor without the grant `state` is denied access by the first operation on its bucket. An `increment` reads and
//! writes a number as decimal text, and a `cas` goes by the version of the value. Nobody else writes to a bucket, so the interface
//! `watcher`, by which a component is told of writes, has nothing to tell and is not offered.

use playhouse_types::limits::STATE_KEY_BYTES_MAX;
use playhouse_types::{ActorError, ErrorKind, HostOp, HostReply, StateKey};
use wasmtime::component::{Component, ComponentType, Linker, Lower, Resource, WasmStr};
use wasmtime::{AsContextMut, StoreContextMut};

use super::guest::{Guest, malformed, perform};
use super::memory::{Memory, too_large};

mod atomics;
mod batch;
mod cas;
mod list;
mod store;

/// The interfaces that are offered.
pub(super) const NAMES: &[&str] =
    &[store::DRAFT, atomics::DRAFT, batch::DRAFT, store::DRAFT_2, atomics::DRAFT_2, batch::DRAFT_2];

/// Offers them to a component.
pub(super) fn link(linker: &mut Linker<Guest>, component: &Component) -> wasmtime::Result<()> {
    store::link(linker)?;
    atomics::link(linker)?;
    batch::link(linker, component)
}

type Store<'a> = StoreContextMut<'a, Guest>;
type Handle = Resource<Bucket>;

/// What a guest has opened.
struct Bucket {
    /// What the keys of its values begin with.
    prefix: String,
    /// The last cursor that was given out as a number, and the key behind which it goes on.
    cursor: Option<(u64, StateKey)>,
}

/// An error as the interface has it.
#[derive(Debug, Clone, ComponentType, Lower)]
#[component(variant)]
enum Error {
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

impl From<ActorError> for Error {
    fn from(error: ActorError) -> Self {
        match error.kind() {
            ErrorKind::PermissionDenied => Self::AccessDenied,
            _ => Self::Other(error.to_text()),
        }
    }
}

fn bucket<'a>(store: &'a Store<'_>, handle: &Handle) -> wasmtime::Result<&'a Bucket> {
    Ok(store.data().resources.get(handle)?)
}

/// The key in the state of a key in a bucket.
fn state_key(store: &Store<'_>, bucket: &Bucket, key: &WasmStr) -> Result<StateKey, ActorError> {
    Memory::of(store).text(key, |key| key_in(bucket, key.as_bytes()))
}

fn key_in(bucket: &Bucket, key: &[u8]) -> Result<StateKey, ActorError> {
    let bytes = bucket.prefix.len() + key.len();
    if bytes > STATE_KEY_BYTES_MAX {
        return Err(too_large("a key, its bucket's prefix included,", bytes, STATE_KEY_BYTES_MAX));
    }
    StateKey::new([bucket.prefix.as_bytes(), key].concat()).map_err(|error| malformed(&error))
}

/// Asks the host. The outer error ends the guest.
async fn ask<T>(
    store: &mut Store<'_>,
    op: Result<HostOp, ActorError>,
    read: fn(HostReply) -> Result<T, ActorError>,
) -> wasmtime::Result<Result<T, Error>> {
    let reply = perform(store.as_context_mut(), op).await?;
    Ok(reply.and_then(read).map_err(Error::from))
}
