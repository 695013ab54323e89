//! What an actor says when it does not take or answer a message.

use std::fmt::Display;

use playhouse_scheduler::ChainError;
use playhouse_types::{ActorError, Code, ErrorKind};

use super::{Cell, Gate};
use crate::status::ActorState;

impl Cell {
    /// Why the actor takes nothing, if it does not.
    pub(super) fn closed(&self, gate: &Gate) -> Option<ActorError> {
        match &gate.state {
            ActorState::Parked { cause } => Some(self.parked(cause)),
            ActorState::Stopping | ActorState::Stopped => Some(self.stopped()),
            _ => None,
        }
    }

    pub(super) fn reject(&self) -> ActorError {
        self.gate.lock().tallies.rejected += 1;
        self.full()
    }

    /// The truth about a reply that has not come.
    pub(super) fn late(&self) -> ActorError {
        let gate = self.gate.lock();
        let text = match &gate.state {
            ActorState::Running => format!(
                "{} did not reply in time; it is handling {} and {} wait",
                self.id,
                gate.mailbox.running(),
                gate.mailbox.len()
            ),
            state => format!("{} did not reply in time; it is {}", self.id, state.name()),
        };
        ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, text)
    }

    pub(super) fn full(&self) -> ActorError {
        let text =
            format!("the mailbox of {} holds {} messages, its limit", self.id, self.setup.options.mailbox.capacity);
        ActorError::coded(ErrorKind::Unavailable, Code::MailboxFull, text)
    }

    pub(super) fn too_large(&self, bytes: usize) -> ActorError {
        too_large(&self.id, bytes, self.node.given.policy.message_bytes_max)
    }

    /// Refuses what is too large for the application: the limit is that of actors.
    pub(super) fn check_for_shell(&self, bytes: usize) -> Result<(), ActorError> {
        let limit = self.node.given.policy.message_bytes_max;
        if bytes > limit { Err(too_large(&"the application", bytes, limit)) } else { Ok(()) }
    }

    pub(super) fn parked(&self, cause: &ActorError) -> ActorError {
        let text = format!("{} crashed too often and was parked; the last time: {cause}", self.id);
        ActorError::coded(ErrorKind::Unavailable, Code::ActorParked, text)
    }

    pub(super) fn stopped(&self) -> ActorError {
        ActorError::coded(ErrorKind::Unavailable, Code::ActorStopped, format!("{} has been stopped", self.id))
    }
}

fn too_large(to: &dyn Display, bytes: usize, limit: usize) -> ActorError {
    let text = format!("a message of {bytes} bytes to {to} is over the limit of {limit}");
    ActorError::coded(ErrorKind::InvalidArgument, Code::MessageTooLarge, text)
}

pub(super) fn chain_error(error: ChainError) -> ActorError {
    let (kind, code) = match error {
        ChainError::TooDeep => (ErrorKind::InvalidArgument, Code::CallDepth),
        _ => (ErrorKind::InvalidArgument, Code::CallCycle),
    };
    ActorError::coded(kind, code, error.to_string())
}
