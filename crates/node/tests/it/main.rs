//! The node as an embedder sees it, with linked actors.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod beside;
mod calls;
mod canary;
mod computing;
mod cycles;
mod durable;
mod endings;
mod keys;
mod overload;
#[cfg(all(feature = "wasm", feature = "native"))]
mod packages;
mod reseal_killed;
mod settings;
mod streams;
mod supervision;
mod support;
