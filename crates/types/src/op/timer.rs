//! Timers of a workload. They are set and cancelled with the effects of the message being handled, and survive restarts if the actor is
//! durable. A timer that is due sends its actor a request, as a tell.

use std::time::Duration;

use bytes::Bytes;

use crate::label::Label;
use crate::op::Timestamp;
use crate::route::RouteKey;

/// When a timer is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// Once, after that time.
    After(Duration),
    /// Once, at that time; at once if that is past.
    At(Timestamp),
    /// Again and again, first after one period. Periods missed while the node was down are one.
    Every(Duration),
    /// At the times that a cron expression of five or six fields names, in UTC.
    Cron(String),
}

/// A timer of a workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// Its name. Setting a timer of the same name replaces it.
    pub name: Label,
    /// When it is due.
    pub schedule: Schedule,
    /// The request that it sends.
    pub route: RouteKey,
    /// The encoded request message.
    pub payload: Bytes,
}

/// What a workload asks of its timers.
#[derive(Debug, Clone)]
pub enum TimerOp {
    /// Sets a timer. Answered by [`crate::HostReply::Done`].
    Set(Timer),
    /// Ends a timer; not an error if there is none of that name. Answered by [`crate::HostReply::Done`].
    Cancel {
        /// Which one.
        name: Label,
    },
}
