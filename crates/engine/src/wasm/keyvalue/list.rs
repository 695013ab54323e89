//! `list-keys`: cursors are numbers in the first draft and text in the second, where the state goes by keys.

use playhouse_types::{ActorError, HostOp, StateEntry, StateKey, StateOp};
use wasmtime::component::{ComponentType, LinkerInstance, Lower, WasmStr};

use super::{Error, Handle, Store, ask, bucket, key_in};
use crate::wasm::guest::Guest;
use crate::wasm::memory::{Memory, refused};
use crate::wasm::replies;

/// The function's name.
const NAME: &str = "[method]bucket.list-keys";

/// Keys that one `list-keys` gives. The state is read with its values, whose bytes the host limits.
const KEYS_MAX: u32 = 1000;

#[derive(ComponentType, Lower)]
#[component(record)]
struct KeyResponse<C> {
    keys: Vec<String>,
    cursor: Option<C>,
}

/// As the first draft has it: a bucket remembers where the last cursor that it gave goes on.
pub(super) fn by_number(store: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    store.func_wrap_async(NAME, |mut store: Store<'_>, (handle, cursor): (Handle, Option<u64>)| {
        Box::new(async move { Ok((list_by_number(&mut store, &handle, cursor).await?,)) })
    })
}

/// As the second draft has it: a cursor is the last key, in hexadecimal digits as it need not be text.
pub(super) fn by_text(store: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    store.func_wrap_async(NAME, |mut store: Store<'_>, (handle, cursor): (Handle, Option<WasmStr>)| {
        Box::new(async move { Ok((list_by_text(&mut store, &handle, cursor).await?,)) })
    })
}

async fn list_by_number(
    store: &mut Store<'_>,
    handle: &Handle,
    cursor: Option<u64>,
) -> wasmtime::Result<Result<KeyResponse<u64>, Error>> {
    let after = match (cursor, &bucket(store, handle)?.cursor) {
        (None, _) => None,
        (Some(wanted), Some((given, key))) if wanted == *given => Some(key.clone()),
        (Some(wanted), _) => {
            return Ok(Err(Error::Other(format!("{wanted} is not the last cursor that this bucket gave"))));
        }
    };
    let (keys, last) = match page(store, handle, after).await? {
        Ok(page) => page,
        Err(error) => return Ok(Err(error)),
    };
    let given = last.map(|key| (cursor.unwrap_or(0).wrapping_add(1), key));
    let cursor = given.as_ref().map(|(number, _)| *number);
    store.data_mut().resources.get_mut(handle)?.cursor = given;
    Ok(Ok(KeyResponse { keys, cursor }))
}

async fn list_by_text(
    store: &mut Store<'_>,
    handle: &Handle,
    cursor: Option<WasmStr>,
) -> wasmtime::Result<Result<KeyResponse<String>, Error>> {
    let after = match cursor {
        None => None,
        Some(cursor) => match key_of(store, handle, &cursor)? {
            Ok(key) => Some(key),
            Err(error) => return Ok(Err(error.into())),
        },
    };
    let (keys, last) = match page(store, handle, after).await? {
        Ok(page) => page,
        Err(error) => return Ok(Err(error)),
    };
    let prefix = bucket(store, handle)?.prefix.len();
    let digits = |key: StateKey| key.as_bytes().iter().skip(prefix).map(|byte| format!("{byte:02x}")).collect();
    Ok(Ok(KeyResponse { keys, cursor: last.map(digits) }))
}

/// The key that a cursor stands for.
fn key_of(store: &Store<'_>, handle: &Handle, cursor: &WasmStr) -> wasmtime::Result<Result<StateKey, ActorError>> {
    let bucket = bucket(store, handle)?;
    Ok(Memory::of(store).text(cursor, |text| {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let whole = text.len().is_multiple_of(2) && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let bytes = whole.then(|| text.as_bytes().chunks_exact(2).map_while(byte).collect::<Vec<_>>());
        key_in(bucket, &bytes.ok_or_else(|| refused("the cursor is none that a bucket gives"))?)
    }))
}

/// Some keys of a bucket that come after one, and the last of them if there are more.
async fn page(
    store: &mut Store<'_>,
    handle: &Handle,
    after: Option<StateKey>,
) -> wasmtime::Result<Result<(Vec<String>, Option<StateKey>), Error>> {
    let prefix = bucket(store, handle)?.prefix.clone();
    let scan = StateOp::Scan { prefix: prefix.clone().into(), after, limit: KEYS_MAX };
    let found = ask(store, Ok(HostOp::State(scan)), replies::entries).await?;
    Ok(found.map(|(entries, more)| {
        // Keys that are no text were not written through this interface.
        let text =
            |entry: &StateEntry| std::str::from_utf8(entry.key.as_bytes().get(prefix.len()..)?).ok().map(str::to_owned);
        let keys = entries.iter().filter_map(text).collect();
        (keys, entries.last().filter(|_| more).map(|entry| entry.key.clone()))
    }))
}
