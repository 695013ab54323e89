use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use playhouse_types::{ActorError, ActorType, Event};
use playhouse_wire::native::{GuestFrames, init_payload};
use tokio::runtime::Handle;

use super::contexts::Contexts;
use super::error::LoadError;
use super::port::Port;
use super::run::Run;
use super::sheet::Sheet;
use super::spin::Patience;
use super::worker::{self, Birth};
use crate::{Context, Running, Seed, Workload};

/// One native actor: an image and a thread of its own.
pub(super) struct NativeWorkload {
    pub(super) port: Arc<Port>,
    pub(super) frames: GuestFrames,
    /// Of guests that call in contexts.
    pub(super) contexts: Option<Contexts>,
    pub(super) lost: AtomicBool,
    /// A run has the guest.
    pub(super) busy: AtomicBool,
    pub(super) spare: Mutex<Spare>,
}

/// What one run leaves to the next.
#[derive(Default)]
pub(super) struct Spare {
    pub(super) sheet: Option<Box<Sheet>>,
    pub(super) patience: Patience,
}

impl NativeWorkload {
    /// Loads a library for one actor.
    pub(super) async fn create(
        library: bytes::Bytes,
        actor_type: ActorType,
        seed: Seed,
    ) -> Result<Arc<dyn Workload>, ActorError> {
        let port = Arc::new(Port::new());
        let host_calls_max = seed.limits.host_calls;
        let birth =
            Birth { library, init_payload: init_payload(&actor_type), limits: seed.limits, port: Arc::clone(&port) };
        let name = format!("native {:x}", seed.self_id.serial().number());
        let ready = worker::spawn(&name, birth)?.await.unwrap_or(Err(LoadError::Ended))?;
        let contexts = ready.has_contexts.then(|| Contexts::new(Handle::current(), host_calls_max));
        Ok(Arc::new(Self {
            port,
            frames: GuestFrames::new(&seed.self_id),
            contexts,
            lost: AtomicBool::new(false),
            busy: AtomicBool::new(false),
            spare: Mutex::default(),
        }))
    }
}

impl Workload for NativeWorkload {
    fn run(self: Arc<Self>, context: Context, event: Event) -> Running {
        Box::pin(Run::new(self, context, event))
    }

    fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }
}

impl Drop for NativeWorkload {
    fn drop(&mut self) {
        self.port.close();
    }
}
