//! The node as an embedder sees it, with linked actors.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod beside;
mod calls;
mod computing;
mod cycles;
mod durable;
mod endings;
mod overload;
#[cfg(all(feature = "wasm", feature = "native"))]
mod packages;
mod settings;
mod streams;
mod supervision;
mod support;
