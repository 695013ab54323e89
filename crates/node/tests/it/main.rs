//! The node as an embedder sees it, with linked actors.

mod calls;
mod cycles;
mod overload;
mod streams;
mod supervision;
mod support;
