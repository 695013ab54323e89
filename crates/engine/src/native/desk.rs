use std::fmt::Write;
use std::time::Instant;

use playhouse_abi::native::status;
use playhouse_types::{ActorError, Code, ErrorKind, Event, HostReply};
use playhouse_wire::native::{GuestFrames, Request, v2};

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
    /// Whether the guest's thread puts an end to an event whose run is gone: it has the turn, and gives it back soon.
    pub(super) is_settling: bool,
}

impl Desk {
    pub(super) fn new(near: Near, occupant: Occupant) -> Self {
        Self {
            near,
            occupant,
            patience: Patience::new(),
            draft: Vec::new(),
            request_id: String::new(),
            is_settling: false,
        }
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

    /// Writes an event for a guest of V2 onto the note, under the number of its call. False if the guest has the turn.
    pub(super) fn write_v2(&mut self, context: &Context, event: &Event, call: u64) -> bool {
        self.request_id.clear();
        // Writing to a string cannot fail.
        let _ = write!(self.request_id, "{}", context.request_id);
        let left = context.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left_ms = left.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        v2::write_event(event, context.caller.as_ref(), &self.request_id, left_ms, &mut self.draft);
        let optional = !matches!(event, Event::Request { .. } | Event::Chunk { .. });
        self.put(Order::Event { call, optional })
    }

    /// Drafts what an operation came to, for a guest of V2; its status.
    pub(super) fn draft_result(&mut self, result: &Result<HostReply, ActorError>) -> i32 {
        self.draft.clear();
        match result {
            Ok(reply) => {
                v2::write_reply(reply, &mut self.draft);
                status::SUCCESS
            }
            Err(error) => {
                v2::write_error(error, &mut self.draft);
                status::HANDLE_FAILED
            }
        }
    }

    /// Lets a guest of V2 put an end to an event whose run is gone: one that waits for an operation hears that it failed, and one
    /// that began some hears that they were given up.
    pub(super) fn settle(&mut self, waits: bool) {
        if waits {
            let gone = ActorError::coded(ErrorKind::TimedOut, Code::DeadlineExpired, "the event was given up");
            let status = self.draft_result(&Err(gone));
            self.put(Order::Completed { token: 0, status });
        } else {
            self.put(Order::Finish);
        }
        self.near.send();
        self.is_settling = true;
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
