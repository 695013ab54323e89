use std::fmt::Write;
use std::time::Instant;

use playhouse_types::Event;
use playhouse_wire::native::{GuestFrames, Request};

use super::port::{Near, Order};
use super::slots::Occupant;
use super::spin::Patience;
use crate::Context;

/// What one run after the other needs to talk to the guest: whoever has it has the guest.
pub(super) struct Desk {
    pub(super) near: Near,
    pub(super) occupant: Occupant,
    pub(super) patience: Patience,
    /// What is being written, before it goes onto the note.
    pub(super) draft: Vec<u8>,
    request_id: String,
}

impl Desk {
    pub(super) fn new(near: Near, occupant: Occupant) -> Self {
        Self { near, occupant, patience: Patience::new(), draft: Vec::new(), request_id: String::new() }
    }

    /// Writes the frame of an event onto the note. `token` is the context of guests that have them. False if the guest
    /// has the turn.
    pub(super) fn write(&mut self, frames: &GuestFrames, context: &Context, event: &Event, token: u64) -> bool {
        let out = &mut self.draft;
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
                frames.request(&request, out);
            }
            Event::Chunk { chunk, sender } => frames.chunk(chunk, sender, token, out),
            Event::Start => frames.start(token, out),
            Event::Ready => frames.ready(token, out),
            Event::Stop => frames.stop(token, out),
            Event::Runtime(event) => frames.runtime(event, token, out),
            // The ABI has no such hook.
            Event::Error(_) => out.clear(),
        }
        let needed = matches!(event, Event::Request { .. } | Event::Chunk { .. });
        self.put(if needed { Order::Handle } else { Order::HandleOptional })
    }

    /// Puts the draft onto the note. False if the guest has the turn.
    pub(super) fn put(&mut self, kind: Order) -> bool {
        let Some(sheet) = self.near.sheet() else { return false };
        sheet.kind = kind;
        sheet.note.put(&mut self.draft);
        true
    }
}

/// What is left of the caller's time; 0 if nobody waits.
fn timeout_ms(context: &Context) -> i64 {
    let left = context.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    left.map_or(0, |left| i64::try_from(left.as_millis()).unwrap_or(i64::MAX))
}
