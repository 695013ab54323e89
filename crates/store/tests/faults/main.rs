//! What may happen to a process and its disk, and what must hold all the same. Few rounds by default; `PLAYHOUSE_FAULT_ROUNDS=all` asks
//! for as many as a figure needs. What needs root is passed over loudly without it, and fails where `CI=true`.
#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

mod bits;
mod child;
mod full;
mod ground;
mod kill;
mod ledger;
mod nth;
mod power;
