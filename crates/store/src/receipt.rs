use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::error::StoreError;

/// The answer to something that a store was asked: a future that does not belong to any runtime.
///
/// What was asked is under way from the call on, whether or not this is polled; dropping it gives up the answer, not the
/// work.
#[must_use = "what was asked is not done before this says so"]
pub struct Receipt<T>(State<T>);

enum State<T> {
    Ready(Option<Result<T, StoreError>>),
    Waiting(oneshot::Receiver<Result<T, StoreError>>),
}

impl<T> Receipt<T> {
    /// An answer that is there already.
    pub fn ready(result: Result<T, StoreError>) -> Self {
        Self(State::Ready(Some(result)))
    }

    /// An answer that is still to come, and the promise to give it.
    pub fn pending() -> (Done<T>, Self) {
        let (sender, receiver) = oneshot::channel();
        (Done(Some(Promise::Receipt(sender))), Self(State::Waiting(receiver)))
    }

    /// Waits for the answer on this thread, which must not be one that drives an async runtime.
    ///
    /// # Errors
    /// Whatever the store answered.
    ///
    /// # Panics
    /// On a thread of an async runtime, and if the answer was taken before.
    pub fn wait(self) -> Result<T, StoreError> {
        match self.0 {
            State::Ready(Some(result)) => result,
            State::Ready(None) => Err(StoreError::Closed),
            State::Waiting(receiver) => receiver.blocking_recv().unwrap_or(Err(StoreError::Closed)),
        }
    }
}

impl<T: Unpin> Future for Receipt<T> {
    type Output = Result<T, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.get_mut().0 {
            State::Ready(result) => Poll::Ready(result.take().unwrap_or(Err(StoreError::Closed))),
            State::Waiting(receiver) => {
                Pin::new(receiver).poll(context).map(|result| result.unwrap_or(Err(StoreError::Closed)))
            }
        }
    }
}

impl<T> fmt::Debug for Receipt<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt")
    }
}

/// The promise to answer once. A promise that is dropped answers [`StoreError::Closed`].
#[must_use = "somebody waits for the answer"]
pub struct Done<T>(Option<Promise<T>>);

enum Promise<T> {
    Receipt(oneshot::Sender<Result<T, StoreError>>),
    Call(Box<dyn FnOnce(Result<T, StoreError>) + Send>),
}

impl<T> Done<T> {
    /// A promise that is kept by calling `told`, on whatever thread the store answers: it has to be quick, and must not call
    /// the store.
    pub fn call(told: impl FnOnce(Result<T, StoreError>) + Send + 'static) -> Self {
        Self(Some(Promise::Call(Box::new(told))))
    }

    /// Whether nobody waits for the answer any more.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        matches!(&self.0, Some(Promise::Receipt(sender)) if sender.is_closed())
    }

    /// Gives the answer.
    pub fn answer(mut self, result: Result<T, StoreError>) {
        if let Some(promise) = self.0.take() {
            promise.keep(result);
        }
    }
}

impl<T> Promise<T> {
    fn keep(self, result: Result<T, StoreError>) {
        match self {
            // Whoever asked may have gone.
            Self::Receipt(sender) => drop(sender.send(result)),
            Self::Call(told) => told(result),
        }
    }
}

impl<T> Drop for Done<T> {
    fn drop(&mut self) {
        if let Some(promise) = self.0.take() {
            promise.keep(Err(StoreError::Closed));
        }
    }
}

impl<T> fmt::Debug for Done<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Done")
    }
}
