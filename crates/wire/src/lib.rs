//! Every byte format that crosses a boundary, with its limits: the messages of actr 0.3 and the frames of native guests.
//!
//! [`proto`] has the messages as they are on the wire, which prove nothing; [`native`] turns the frames of the native ABI
//! into the types of `playhouse-types`, which do. Decoding in [`native`] never panics, whatever the bytes, and
//! needs no more memory than a few times the bytes themselves: lists are counted before they are decoded. Whoever decodes a message of
//! [`proto`] directly bounds its size first: an empty entry of a list has 2 bytes on the wire and 48 in memory.
//!
//! The crate does no I/O and knows no clock.

mod convert;
mod error;
mod fields;
#[doc(hidden)]
pub mod internal;
pub mod native;
pub mod proto;

pub use error::WireError;
