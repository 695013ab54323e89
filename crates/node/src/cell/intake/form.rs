//! A tell as the store keeps it, and as its actor handles it.

use playhouse_scheduler::CallChain;
use playhouse_store::{Message, Priority, Queued};
use playhouse_types::{ActorId, Event, ParseError, RequestId, RouteKey};

use super::super::durable;
use super::super::outcome::{Letter, Stored, Then};
use super::super::{Envelope, Work};
use crate::cell::Request;
use crate::ids;

/// A tell as the store keeps it.
pub(super) fn message(request: Request) -> Message {
    let Request { route, payload, caller, request_id, client, priority, .. } = request;
    Message {
        priority: match priority {
            playhouse_scheduler::Priority::Signal => Priority::Signal,
            playhouse_scheduler::Priority::Normal => Priority::Normal,
        },
        request: (request_id.is_external() && client == 0).then(|| request_id.to_string()),
        ..durable::message(caller.as_ref(), route, payload)
    }
}

/// A stored message as work for its actor.
pub(super) fn work(queued: Queued) -> Result<Work, ParseError> {
    let Queued { position, attempts, message, .. } = queued;
    let Message { caller, request, route, payload, .. } = message;
    let caller: Option<ActorId> = if caller.is_empty() { None } else { Some(caller.parse()?) };
    let route: RouteKey = route.parse()?;
    let request_id: RequestId = match request {
        Some(request) => request.parse()?,
        None => ids::request_id(),
    };
    let mut letter = Letter::new(caller.clone(), route.clone(), payload.clone());
    letter.attempts = attempts;
    letter.stored = Some(Stored::Message(position));
    let priority = match position.priority {
        Priority::Signal => playhouse_scheduler::Priority::Signal,
        Priority::Normal => playhouse_scheduler::Priority::Normal,
    };
    letter.priority = priority;
    let event = Event::Request { route, payload };
    let envelope = Envelope { caller, request_id, deadline: None, chain: CallChain::root(), recorded: false };
    Ok(Work { event, envelope, then: Then::Nobody(Box::new(letter)), wait: None, priority })
}
