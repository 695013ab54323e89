//! The node as an embedder sees it, with linked actors.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod beside;
mod calls;
mod computing;
mod cycles;
mod endings;
mod overload;
#[cfg(all(feature = "wasm", feature = "native"))]
mod packages;
mod streams;
mod supervision;
mod support;
