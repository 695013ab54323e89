//! The native ABI V2: one image for all instances of a library, answers that may come later and from any thread.
//!
//! Each instance has a thread of its own, on which everything of it runs ([`live`]). What other threads of the guest ask goes through
//! the [`Instance`], which is found by the number of the call: never by a pointer.

mod active;
mod image;
mod instance;
mod live;
mod log;
mod table;
mod under_way;

pub(super) use image::{Functions, find};
pub(super) use instance::Instance;
pub(super) use live::live;
pub(super) use under_way::UnderWay;
