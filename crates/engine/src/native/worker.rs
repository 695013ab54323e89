//! The thread of one guest.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use playhouse_types::ActorType;
use playhouse_wire::native::init_payload;
use tokio::sync::oneshot;

use super::active::{self, ActiveCall};
use super::buffers::{self, Account};
use super::error::LoadError;
use super::image::Image;
use super::judge::judge;
use super::lane::Taken;
use super::loader::{Loaded, Loader};
use super::origin;
use super::port::{Far, Order, Said, ToGuest, ToHost};
use super::slots::{Occupant, Slot};
use super::spin::{GUEST_SPIN, Patience, Spin, SpinPermit};
use super::v2::{self, Instance};
use crate::{Failure, Limits, Seed};

/// Bytes of stack of a guest's thread: what guests of actr 0.3 had, whose host used threads of tokio's blocking pool.
/// Only touched pages cost memory.
const STACK_BYTES: usize = 2 << 20;

/// What a guest's thread begins with.
pub(super) struct Birth {
    pub(super) loader: Arc<Loader>,
    pub(super) actor_type: ActorType,
    pub(super) seed: Seed,
    pub(super) far: Far,
}

/// What is known of a guest once it is loaded.
pub(super) enum Ready {
    V1 { has_contexts: bool, account: Account },
    V2(Arc<Instance>),
}

pub(super) type Verdict = Result<Ready, LoadError>;

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
    pub(super) fn new(far: Far) -> Self {
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

    /// Writes the reply that is to be said. Nothing happens if nobody waits for it any more.
    pub(super) fn draft(&mut self, reply: &[u8]) {
        if let Some(sheet) = self.far.sheet() {
            sheet.note.write(reply);
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
    let loaded = birth.loader.load();
    // The library's bytes are in its memory file now.
    drop(birth.loader);
    let Seed { limits, .. } = &birth.seed;
    match loaded {
        Ok(Loaded::V2(functions)) => v2::live(functions, &birth.seed, birth.far, ready),
        Ok(Loaded::V1(image)) => match image.init(&init_payload(&birth.actor_type)) {
            Ok(()) => live_v1(image, birth.far, limits, ready),
            Err(error) => drop(ready.send(Err(error))),
        },
        Err(error) => drop(ready.send(Err(error))),
    }
}

fn live_v1(image: Image, far: Far, limits: &Limits, ready: oneshot::Sender<Verdict>) {
    let account = Account::default();
    let is_wanted = ready.send(Ok(Ready::V1 { has_contexts: image.has_contexts(), account: account.clone() })).is_ok();
    let call = Rc::new(ActiveCall {
        post: RefCell::new(Post::new(far)),
        account,
        host_calls_max: limits.host_calls,
        host_calls: Cell::new(0),
    });
    let is_whole = !is_wanted || serve(&image, &call, limits.reply_bytes);
    if is_whole && image.end() {
        buffers::take_back_all(&call.account);
    }
}

/// Has the guest handle one event after the other. False if the guest is lost, and its image must stay as it is.
fn serve(image: &Image, call: &Rc<ActiveCall>, reply_bytes_max: usize) -> bool {
    let mut frame = Vec::new();
    while let Some(order) = receive(call, &mut frame) {
        let optional = match order {
            Order::Handle => false,
            Order::HandleOptional => true,
            // Of an operation that nobody waits for, or of the other ABI.
            _ => continue,
        };
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
