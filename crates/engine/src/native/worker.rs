//! The thread of one guest.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::active::{self, ActiveCall};
use super::buffers::Account;
use super::error::LoadError;
use super::image::Image;
use super::judge::judge;
use super::lane::Taken;
use super::origin;
use super::port::{Far, Order, Said, ToGuest, ToHost};
use super::slots::{Occupant, Slot};
use super::spin::{GUEST_SPIN, Patience, Spin, SpinPermit};
use crate::{Failure, Limits};

/// Bytes of stack of a guest's thread: what guests of actr 0.3 had, whose host used threads of tokio's blocking pool.
/// Only touched pages cost memory.
const STACK_BYTES: usize = 2 << 20;
/// What a guest's thread begins with.
pub(super) struct Birth {
    pub(super) library: Bytes,
    pub(super) init_payload: Vec<u8>,
    pub(super) limits: Arc<Limits>,
    pub(super) far: Far,
}

/// What is known of a guest once it is loaded.
pub(super) struct Ready {
    pub(super) has_contexts: bool,
}

type Verdict = Result<Ready, LoadError>;

/// Starts the thread of a guest and loads the library there. The receiver hears whether the guest is ready.
pub(super) fn spawn(name: &str, birth: Birth) -> Result<(oneshot::Receiver<Verdict>, Occupant), LoadError> {
    let slot = Slot::acquire()?;
    let occupant = slot.occupant();
    let (ready, is_ready) = oneshot::channel();
    std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let _slot = slot;
            live(birth, ready);
        })
        .map_err(|source| LoadError::System { doing: "start a thread", source })?;
    Ok((is_ready, occupant))
}

/// Where a guest's thread gets what the run says, and says what the guest does.
pub(super) struct Post {
    far: Far,
    patience: Patience,
    unpark: Waker,
}

impl Post {
    /// The post of the calling thread.
    fn new(far: Far) -> Self {
        let unpark = Arc::new(Unpark(std::thread::current())).into();
        Self { far, patience: Patience::new(), unpark }
    }

    /// Waits for what the run says, looking for a moment before it sleeps if that has been of use and a core is free. Puts
    /// the bytes into `out`; none if the run says nothing any more.
    pub(super) fn receive(&mut self, out: &mut Vec<u8>) -> Option<Order> {
        if let Some(order) = self.look(out) {
            return order;
        }
        let mut cx = Context::from_waker(&self.unpark);
        loop {
            match self.far.poll(&mut cx) {
                Poll::Ready(sheet) => return sheet.map(|sheet| read(sheet, out)),
                Poll::Pending => std::thread::park(),
            }
        }
    }

    /// Looks for what the run says, and for how it ended: nothing if neither came.
    fn look(&mut self, out: &mut Vec<u8>) -> Option<Option<Order>> {
        if !self.patience.allows() {
            return None;
        }
        let _permit = SpinPermit::acquire()?;
        let mut spin = Spin::new(GUEST_SPIN, self.patience);
        loop {
            match self.far.try_receive() {
                Ok(sheet) => {
                    self.patience.learn(&spin, true);
                    return Some(Some(read(sheet, out)));
                }
                Err(Taken::End) => return Some(None),
                Err(_) if spin.again() => {}
                Err(_) => {
                    self.patience.learn(&spin, false);
                    return None;
                }
            }
        }
    }

    /// Says what the guest does. Nothing happens if nobody waits for it any more.
    pub(super) fn say(&mut self, write: impl FnOnce(&mut ToHost)) {
        if let Some(sheet) = self.far.sheet() {
            write(sheet);
            self.far.answer();
        }
    }
}

fn read(sheet: &mut ToGuest, out: &mut Vec<u8>) -> Order {
    sheet.note.take(out);
    sheet.kind
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

fn live(birth: Birth, ready: oneshot::Sender<Verdict>) {
    let image = match Image::load(&birth.library).and_then(|image| image.init(&birth.init_payload).map(|()| image)) {
        Ok(image) => image,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    if ready.send(Ok(Ready { has_contexts: image.has_contexts() })).is_err() {
        return image.end();
    }
    let call = Rc::new(ActiveCall {
        post: RefCell::new(Post::new(birth.far)),
        account: Account::default(),
        host_calls_max: birth.limits.host_calls,
        host_calls: Cell::new(0),
    });
    // The library's bytes are in its memory file now.
    drop(birth.library);
    if serve(&image, &call, birth.limits.reply_bytes) {
        image.end();
    }
}

/// Has the guest handle one event after the other. False if the guest is lost, and its image must stay as it is.
fn serve(image: &Image, call: &Rc<ActiveCall>, reply_bytes_max: usize) -> bool {
    let mut frame = Vec::new();
    while let Some(order) = receive(call, &mut frame) {
        if order == Order::OpDone {
            continue;
        }
        let optional = order == Order::HandleOptional;
        let is_crash = active::with(call, || {
            image.handle(&frame, |code, bytes| {
                let outcome = judge(code, bytes, optional, reply_bytes_max);
                let is_crash = matches!(outcome, Err(Failure::Crash(_)));
                // From here on the run may be another event's, and the reply still goes back to the guest.
                active::end();
                call.post.borrow_mut().say(|sheet| match outcome {
                    Ok(payload) => {
                        sheet.said = Said::Returned;
                        sheet.note.write(payload);
                    }
                    Err(failure) => sheet.said = Said::Failed(Box::new(failure)),
                });
                is_crash
            })
        });
        if origin::is_elsewhere() {
            // The guest has forked, and its child came back as if it were us: with our sockets, and without our other threads.
            std::process::abort();
        }
        if is_crash {
            return false;
        }
    }
    true
}

fn receive(call: &ActiveCall, frame: &mut Vec<u8>) -> Option<Order> {
    call.post.borrow_mut().receive(frame)
}
