//! What a run and its guest say to each other. The guest's side is a thread today and may be a process later: what
//! crosses are bytes and host operations.

use playhouse_types::HostOp;

use super::note::Note;
use super::turnstile;
use crate::Failure;

/// From a run to the guest's thread: the frame of an event, or the encoded reply to an operation.
#[derive(Debug, Default)]
pub(super) struct ToGuest {
    pub(super) note: Note,
    pub(super) kind: Order,
}

/// What the note of a [`ToGuest`] is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// An event to handle. The guest may say that it does not know it if it is optional.
    #[default]
    Handle,
    HandleOptional,
    /// The reply to the last [`Said::Op`].
    OpDone,
    /// V2: an event, under the number of its call.
    Event {
        call: u64,
        optional: bool,
    },
    /// V2: what an operation came to, under the token that the guest gave it, or under none if the guest waits for it.
    Completed {
        token: u64,
        status: i32,
    },
    /// V2: the event is over, or was answered by another thread; the guest's thread is to put an end to it.
    Finish,
}

/// From the guest's thread to the run. The note is the payload of the guest's reply.
#[derive(Debug, Default)]
pub(super) struct ToHost {
    pub(super) said: Said,
    pub(super) note: Note,
}

/// What a guest says. The rare ones are boxed, as every answer goes from one core to the other in this type's size.
#[derive(Debug, Default)]
pub(super) enum Said {
    /// The event was handled.
    #[default]
    Returned,
    /// The event was not handled well.
    Failed(Box<Failure>),
    /// The guest waits for a host operation.
    Op(Box<HostOp>),
    /// V2: the guest has returned without an answer, which is to come later.
    Waiting,
}

pub(super) type Near = turnstile::Near<ToGuest, ToHost>;
pub(super) type Far = turnstile::Far<ToGuest, ToHost>;
