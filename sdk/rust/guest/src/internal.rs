//! What generated code and the macros stand on. Not for people; it may change with any version.

use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, PoisonError, TryLockError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use playhouse_types::{ActorError, Code, ErrorKind, RouteKey};
pub use {prost, prost_types};

/// Decodes the request of `route`, which it takes out of `payload`.
///
/// # Errors
/// [`ErrorKind::DecodeFailure`] if the bytes are not such a message.
pub fn decode<M: prost::Message + Default>(payload: &mut Bytes, route: &str) -> Result<M, ActorError> {
    decode_part(std::mem::take(payload), "request", route)
}

/// Decodes the reply of `route`.
///
/// # Errors
/// [`ErrorKind::DecodeFailure`] if the bytes are not such a message.
pub fn decode_reply<M: prost::Message + Default>(payload: Bytes, route: &str) -> Result<M, ActorError> {
    decode_part(payload, "reply", route)
}

fn decode_part<M: prost::Message + Default>(payload: Bytes, part: &str, route: &str) -> Result<M, ActorError> {
    M::decode(payload).map_err(|error| ActorError::new(ErrorKind::DecodeFailure, format!("{part} of {route}: {error}")))
}

/// Encodes what a handler answered.
///
/// # Errors
/// The handler's own.
pub fn encode<M: prost::Message>(reply: Result<M, ActorError>) -> Result<Bytes, ActorError> {
    reply.map(|reply| message_bytes(&reply))
}

/// Encodes a message.
pub fn message_bytes<M: prost::Message>(message: &M) -> Bytes {
    message.encode_to_vec().into()
}

/// What an actor answers to a route that none of its services has.
#[must_use]
pub fn unknown_route(route: &RouteKey) -> ActorError {
    ActorError::new(ErrorKind::UnknownRoute, route.as_str())
}

/// Polls a handler the one time that a guest's handler is polled. [`None`] if it waits for something that is not its host.
pub fn poll_once<F: Future>(handler: F) -> Option<F::Output> {
    match pin!(handler).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// What a handler's caller hears when [`poll_once`] gave nothing.
#[must_use]
pub fn pending() -> ActorError {
    let text = "the handler waited for something other than a host operation, which a guest cannot do";
    ActorError::coded(ErrorKind::Internal, Code::GuestProtocol, text)
}

/// The one actor of a guest, made when the first event comes.
#[derive(Debug)]
pub struct Slot<A> {
    new: fn() -> A,
    actor: Mutex<Option<A>>,
}

impl<A> Slot<A> {
    /// An empty slot that will be filled by `new`.
    pub const fn new(new: fn() -> A) -> Self {
        Self { new, actor: Mutex::new(None) }
    }

    /// Makes an actor that is not kept here, for a guest that has many.
    pub fn make(&self) -> A {
        (self.new)()
    }

    /// Makes the actor. False if it was there already.
    pub fn fill(&self) -> bool {
        let mut actor = self.actor.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = actor.is_none();
        actor.get_or_insert_with(self.new);
        empty
    }

    /// Whether the actor was made.
    pub fn is_filled(&self) -> bool {
        match self.actor.try_lock() {
            Ok(actor) => actor.is_some(),
            Err(TryLockError::Poisoned(actor)) => actor.into_inner().is_some(),
            Err(TryLockError::WouldBlock) => true,
        }
    }

    /// Runs something with the actor. A panic before leaves it as it was at that moment, as in a linked actor.
    ///
    /// # Errors
    /// [`Code::GuestProtocol`] if the host calls while a call is under way, which it may not.
    pub fn with<T>(&self, run: impl FnOnce(&mut A) -> T) -> Result<T, ActorError> {
        let mut actor = match self.actor.try_lock() {
            Ok(actor) => actor,
            Err(TryLockError::Poisoned(actor)) => actor.into_inner(),
            Err(TryLockError::WouldBlock) => {
                let text = "the host called the guest while a call was under way";
                return Err(ActorError::coded(ErrorKind::Internal, Code::GuestProtocol, text));
            }
        };
        Ok(run(actor.get_or_insert_with(self.new)))
    }
}

/// What [`crate::export!`] implements: where the actor of this guest is.
pub trait Program: 'static {
    /// The actor's type.
    type Actor: crate::Dispatch;

    /// Its place.
    fn slot() -> &'static Slot<Self::Actor>;
}
