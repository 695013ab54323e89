//! What becomes of a node whose process dies, beside a ledger of what was acknowledged that is kept outside of it. Few rounds by
//! default; `PLAYHOUSE_FAULT_ROUNDS=all` asks for as many as a figure needs.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod clerk;
mod kill;
mod ledger;
mod load;
mod outbox;
#[cfg(all(feature = "wasm", feature = "native"))]
mod packages;
mod poison;
mod process;
#[path = "../it/durable/through.rs"]
mod through;
mod verify;
