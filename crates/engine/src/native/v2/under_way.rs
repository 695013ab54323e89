use std::collections::VecDeque;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use playhouse_types::{ActorError, HostReply};

use super::super::run::host_panicked;
use super::instance::{Instance, Started};
use crate::Context;

/// What one operation came to.
pub(in crate::native) type Ended = (u64, Result<HostReply, ActorError>);

/// One call as its run sees it, with the operations that the guest began in it. Dropping this ends them, and the call.
pub(in crate::native) struct UnderWay {
    instance: Arc<Instance>,
    call: u64,
    /// None before the first: most calls begin none.
    operations: Option<FuturesUnordered<Pin<Box<dyn Future<Output = Ended> + Send>>>>,
    ended: VecDeque<Ended>,
    is_answered: bool,
}

impl UnderWay {
    /// Begins a call and gives its number.
    pub(in crate::native) fn begin(instance: &Arc<Instance>, context: &Context) -> (Self, u64) {
        let call = instance.announce(context);
        (
            Self { instance: Arc::clone(instance), call, operations: None, ended: VecDeque::new(), is_answered: false },
            call,
        )
    }

    /// The instance's thread has put an end to the call: there is nothing to be abandoned.
    pub(in crate::native) const fn end(&mut self) {
        self.call = 0;
    }

    /// Carries on with what the guest has begun, and arranges to be woken.
    pub(in crate::native) fn advance(&mut self, context: &Context, cx: &mut TaskContext<'_>) {
        loop {
            let (started, is_answered) = self.instance.look(cx.waker());
            self.is_answered |= is_answered;
            let is_over = started.is_empty();
            for Started { token, op } in started {
                match op {
                    Ok(op) => {
                        let context = context.clone();
                        let operation = AssertUnwindSafe(async move { context.host.perform(&context, op).await });
                        let operation = operation.catch_unwind();
                        self.operations.get_or_insert_default().push(Box::pin(async move {
                            (token, operation.await.unwrap_or_else(|_| Err(host_panicked())))
                        }));
                    }
                    Err(error) => self.ended.push_back((token, Err(error))),
                }
            }
            if let Some(operations) = &mut self.operations {
                while let Poll::Ready(Some(ended)) = operations.poll_next_unpin(cx) {
                    self.ended.push_back(ended);
                }
            }
            if is_over {
                return;
            }
        }
    }

    /// Whether another thread has answered.
    pub(in crate::native) const fn is_answered(&self) -> bool {
        self.is_answered
    }

    /// An operation of whose end the guest is to hear.
    pub(in crate::native) fn next_ended(&mut self) -> Option<Ended> {
        self.ended.pop_front()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if self.call != 0 {
            self.instance.abandon(self.call);
        }
    }
}
