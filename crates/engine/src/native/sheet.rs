use std::fmt::Write;
use std::time::Instant;

use bytes::Bytes;
use playhouse_types::Event;
use playhouse_wire::native::{GuestFrames, Request};

use crate::Context;

/// Bytes of a buffer that an actor keeps for its next event. Larger ones are rare and are given back.
const KEPT_BYTES_MAX: usize = 64 << 10;
/// Bytes of a reply that are rather copied than handed on with their buffer: an allocation costs as much as the copy.
const COPIED_BYTES_MAX: usize = 4 << 10;

/// What one event is written on: it goes to the guest's thread with the frame, comes back with the reply, and is used
/// again, so that an event needs no memory of its own and none is freed by another thread than allocated it.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// The encoded event.
    pub(super) frame: Vec<u8>,
    /// The payload of the guest's reply.
    pub(super) reply: Vec<u8>,
    /// Whether the guest may answer that it does not know the event.
    pub(super) optional: bool,
    request_id: String,
}

impl Sheet {
    /// Writes the frame of an event. `token` is the context of guests that have them.
    pub(super) fn write(&mut self, frames: &GuestFrames, context: &Context, event: &Event, token: u64) {
        self.optional = !matches!(event, Event::Request { .. } | Event::Chunk { .. });
        match event {
            Event::Request { route, payload } => {
                self.request_id.clear();
                // Writing to a string cannot fail.
                let _ = write!(self.request_id, "{}", context.request_id);
                let request = Request {
                    caller: context.caller.as_ref(),
                    request_id: &self.request_id,
                    route: route.as_str(),
                    payload,
                    timeout_ms: timeout_ms(context),
                    bridge_token: token,
                };
                frames.request(&request, &mut self.frame);
            }
            Event::Chunk { chunk, sender } => frames.chunk(chunk, sender, token, &mut self.frame),
            Event::Start => frames.start(token, &mut self.frame),
            Event::Ready => frames.ready(token, &mut self.frame),
            Event::Stop => frames.stop(token, &mut self.frame),
            Event::Runtime(event) => frames.runtime(event, token, &mut self.frame),
            // The ABI has no such hook.
            Event::Error(_) => self.frame.clear(),
        }
    }

    /// The reply's payload, and nothing kept that is too large to keep.
    pub(super) fn take_reply(&mut self) -> Bytes {
        if self.frame.capacity() > KEPT_BYTES_MAX {
            self.frame = Vec::new();
        }
        if self.reply.len() <= COPIED_BYTES_MAX {
            Bytes::copy_from_slice(&self.reply)
        } else {
            std::mem::take(&mut self.reply).into()
        }
    }
}

/// What is left of the caller's time; 0 if nobody waits.
fn timeout_ms(context: &Context) -> i64 {
    let left = context.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    left.map_or(0, |left| i64::try_from(left.as_millis()).unwrap_or(i64::MAX))
}
