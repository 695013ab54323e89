//! The messages of the native ABI V2: [`EventFrame`] is what an instance is told, [`read_op`] and [`write_op`] are the two ends of what
//! it asks for, [`write_reply`] and [`read_reply`] those of the answer, [`write_error`] and [`read_error`] those of a failure.

mod error;
mod event;
mod op;
mod reply;
mod write;

pub use error::{read_error, write_error};
pub use event::{EventFrame, read_event, write_event};
pub use op::{OpRefusal, read_op};
pub use reply::{read_reply, write_reply};
pub use write::write_op;

#[cfg(test)]
mod tests;
