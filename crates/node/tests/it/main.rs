//! The node as an embedder sees it, with linked actors.

mod calls;
mod cycles;
mod endings;
mod overload;
#[cfg(all(feature = "wasm", feature = "native"))]
mod packages;
mod streams;
mod supervision;
mod support;
