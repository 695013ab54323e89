//! What a run and its guest say to each other. The guest's side is a thread today and may be a process later: no
//! message holds a pointer.

use playhouse_types::HostOp;

use super::sheet::Sheet;
use super::turnstile::Turnstile;
use crate::Failure;

/// From a run to the guest's thread.
#[derive(Debug)]
pub(super) enum ToGuest {
    /// Handle the event on the sheet.
    Call(Box<Sheet>),
    /// The encoded reply to the last [`ToHost::Op`].
    OpDone(Vec<u8>),
}

/// From the guest's thread to the run.
#[derive(Debug)]
pub(super) enum ToHost {
    /// The guest waits for a host operation. Boxed, as every answer moves from one core to the other in this type's size.
    Op(Box<HostOp>),
    /// The event was handled; the reply is on the sheet.
    Returned(Result<(), Failure>, Box<Sheet>),
    /// The guest's thread has ended.
    Gone,
}

pub(super) type Port = Turnstile<ToGuest, ToHost>;
