use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use playhouse_types::{ActorError, ActorType, Event};
use playhouse_wire::native::{GuestFrames, init_payload};
use tokio::runtime::Handle;

use super::contexts::Contexts;
use super::desk::Desk;
use super::error::LoadError;
use super::run::Run;
use super::turnstile::turnstile;
use super::worker::{self, Birth};
use crate::{Context, Running, Seed, Workload};

/// One native actor: an image and a thread of its own.
pub(super) struct NativeWorkload {
    /// Present while no run has the guest. Dropping it ends the guest's thread.
    pub(super) desk: Mutex<Option<Desk>>,
    pub(super) frames: GuestFrames,
    /// Of guests that call in contexts.
    pub(super) contexts: Option<Contexts>,
    pub(super) lost: AtomicBool,
}

impl NativeWorkload {
    /// Loads a library for one actor.
    pub(super) async fn create(
        library: bytes::Bytes,
        actor_type: ActorType,
        seed: Seed,
    ) -> Result<Arc<dyn Workload>, ActorError> {
        let (near, far) = turnstile();
        let host_calls_max = seed.limits.host_calls;
        let birth = Birth { library, init_payload: init_payload(&actor_type), limits: seed.limits, far };
        let name = format!("native {:x}", seed.self_id.serial().number());
        let (ready, occupant) = worker::spawn(&name, birth)?;
        let ready = ready.await.unwrap_or(Err(LoadError::Ended))?;
        let contexts = ready.has_contexts.then(|| Contexts::new(Handle::current(), host_calls_max));
        Ok(Arc::new(Self {
            desk: Mutex::new(Some(Desk::new(near, occupant))),
            frames: GuestFrames::new(&seed.self_id),
            contexts,
            lost: AtomicBool::new(false),
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
