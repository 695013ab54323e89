//! What a run and its guest say to each other. The guest's side is a thread today and may be a process later: no
//! message holds a pointer.

use bytes::Bytes;
use playhouse_types::HostOp;

use super::turnstile::Turnstile;
use crate::Failure;

/// From a run to the guest's thread.
#[derive(Debug)]
pub(super) enum ToGuest {
    /// Handle an event.
    Call(Call),
    /// The encoded reply to the last [`ToHost::Op`].
    OpDone(Vec<u8>),
}

/// One event for `actr_handle`.
#[derive(Debug)]
pub(super) struct Call {
    /// The encoded frame.
    pub(super) frame: Vec<u8>,
    /// Whether the guest may answer that it does not know the event.
    pub(super) optional: bool,
}

/// From the guest's thread to the run.
#[derive(Debug)]
pub(super) enum ToHost {
    /// The guest waits for a host operation.
    Op(HostOp),
    /// The event was handled.
    Returned {
        /// How.
        outcome: Result<Bytes, Failure>,
        /// The frame's memory, to be used again.
        frame: Vec<u8>,
    },
    /// The guest's thread has ended.
    Gone,
}

pub(super) type Port = Turnstile<ToGuest, ToHost>;
