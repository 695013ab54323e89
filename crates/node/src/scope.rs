//! Whose handler runs on this thread, so that calls which it makes through an [`ActorRef`](crate::ActorRef) belong to its chain, too.
//!
//! Noting it costs two stores per poll. Tasks that a handler spawns are on their own: their calls begin new chains.

use std::cell::Cell as ThreadCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use playhouse_scheduler::{CallChain, ChainError};
use playhouse_types::Serial;

use crate::shared::Shared;

/// Who waits for what is being done, and until when.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) chain: CallChain,
    pub(crate) deadline: Option<Instant>,
}

/// Whose handler it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handler {
    /// Nobody's, or one that does not keep its actor from handling others.
    Nobody,
    /// The application's, which handles a message of an actor.
    Shell,
    /// That of a serial actor, on the node at this address.
    Actor { node: usize, serial: Serial },
}

thread_local! {
    static HANDLER: ThreadCell<Handler> = const { ThreadCell::new(Handler::Nobody) };
    static SHELL: ThreadCell<Option<Scope>> = const { ThreadCell::new(None) };
}

/// A call that is awaited: when this goes, its caller waits no more.
pub(crate) struct Awaited(CallChain);

impl Awaited {
    /// Awaits the call with which the chain was extended last.
    pub(crate) fn new(chain: &CallChain) -> Self {
        Self(chain.clone())
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.0.end_wait();
    }
}

/// The address of a node, as long as it lives.
pub(crate) fn address(node: &Arc<Shared>) -> usize {
    Arc::as_ptr(node).addr()
}

/// Does a part of a handler's work on this thread. `work` does not panic.
pub(crate) fn within<T>(handler: Handler, work: impl FnOnce() -> T) -> T {
    let before = HANDLER.replace(handler);
    let done = work();
    HANDLER.set(before);
    done
}

/// Runs the application's handler of an actor's message. It does not panic.
pub(crate) async fn within_shell<F: Future>(scope: Scope, handler: F) -> F::Output {
    let mut handler = pin!(handler);
    poll_fn(|cx| {
        let before = SHELL.replace(Some(scope.clone()));
        let polled = within(Handler::Shell, || handler.as_mut().poll(cx));
        SHELL.set(before);
        polled
    })
    .await
}

/// Whether no handler runs on this thread, or none that matters.
pub(crate) fn is_outside() -> bool {
    HANDLER.get() == Handler::Nobody
}

/// The scope of a call through an `ActorRef` of that node, and what notes that it is no longer awaited.
pub(crate) fn outgoing(node: &Arc<Shared>) -> Result<(Scope, Option<Awaited>), ChainError> {
    match HANDLER.get() {
        Handler::Nobody => Ok((Scope::default(), None)),
        Handler::Shell => {
            let scope = SHELL.take();
            SHELL.set(scope.clone());
            Ok((scope.unwrap_or_default(), None))
        }
        Handler::Actor { node: other, .. } if other != address(node) => Ok((Scope::default(), None)),
        Handler::Actor { serial, .. } => match node.directory.by_serial(serial) {
            None => Ok((Scope::default(), None)),
            Some(cell) => {
                let chain = cell.chain().extend(cell.id())?;
                let awaited = Awaited::new(&chain);
                Ok((Scope { chain, deadline: None }, Some(awaited)))
            }
        },
    }
}
