use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use playhouse_types::{ActorError, RouteKey, Schedule, Timer, TimerOp};

use super::{Context, label, operations};

/// The timers of the actor. They are set and ended with the message being handled, or not at all if it fails. One that is due sends
/// the actor a request, as a tell whose caller is the actor itself. Needs the grant `timers`.
#[derive(Clone, Copy)]
pub struct Timers<'a>(pub(super) Context<'a>);

impl fmt::Debug for Timers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timers")
    }
}

impl Timers<'_> {
    /// Sends the request once, after that time. A timer of the same name is replaced, here and below.
    ///
    /// # Errors
    /// If the name is no label, the grant is missing, the actor has too many timers, or the store fails.
    pub async fn after(self, name: &str, delay: Duration, route: RouteKey, payload: Bytes) -> Result<(), ActorError> {
        self.set(name, Schedule::After(delay), route, payload).await
    }

    /// Sends the request again and again, first after one period.
    ///
    /// # Errors
    /// As [`Timers::after`], and if the period is shorter than the host allows.
    pub async fn every(self, name: &str, period: Duration, route: RouteKey, payload: Bytes) -> Result<(), ActorError> {
        self.set(name, Schedule::Every(period), route, payload).await
    }

    /// Sends the request at the times that a cron expression of five or six fields names, in UTC.
    ///
    /// # Errors
    /// As [`Timers::after`], and if the expression is none.
    pub async fn cron(self, name: &str, expression: &str, route: RouteKey, payload: Bytes) -> Result<(), ActorError> {
        self.set(name, Schedule::Cron(expression.to_owned()), route, payload).await
    }

    /// Sends the request by any schedule.
    ///
    /// # Errors
    /// As the methods above.
    pub async fn set(self, name: &str, schedule: Schedule, route: RouteKey, payload: Bytes) -> Result<(), ActorError> {
        let timer = Timer { name: label(name)?, schedule, route, payload };
        operations::timer(self.0.0, TimerOp::Set(timer)).await.map(drop)
    }

    /// Ends a timer; not an error if there is none of that name.
    ///
    /// # Errors
    /// As [`Timers::after`].
    pub async fn cancel(self, name: &str) -> Result<(), ActorError> {
        operations::timer(self.0.0, TimerOp::Cancel { name: label(name)? }).await.map(drop)
    }
}
