use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use playhouse_types::{ActorError, ActorType, Event};
use playhouse_wire::native::GuestFrames;
use tokio::runtime::Handle;

use super::contexts::Contexts;
use super::desk::Desk;
use super::error::LoadError;
use super::loader::Loader;
use super::run::Run;
use super::slots::Occupant;
use super::turnstile::turnstile;
use super::v2::Instance;
use super::worker::{self, Birth, Ready};
use crate::{Context, Running, Seed, Workload};

/// One native actor: a thread of its own, and an image or an instance in one.
pub(super) struct NativeWorkload {
    /// Present while no run has the guest. Dropping it ends the guest's thread.
    pub(super) desk: Mutex<Option<Desk>>,
    pub(super) dialect: Dialect,
    pub(super) lost: AtomicBool,
}

/// Which ABI the guest speaks.
pub(super) enum Dialect {
    V1 {
        frames: GuestFrames,
        /// Of guests that call in contexts.
        contexts: Option<Contexts>,
    },
    V2(Arc<Instance>),
}

impl NativeWorkload {
    /// Loads a library for one actor.
    pub(super) async fn create(
        loader: Arc<Loader>,
        actor_type: ActorType,
        seed: Seed,
    ) -> Result<Arc<dyn Workload>, ActorError> {
        let (near, far) = turnstile();
        let (host_calls_max, limit) = (seed.limits.host_calls, seed.limits.wall);
        let (name, self_id) = (format!("native {:x}", seed.self_id.serial().number()), seed.self_id.clone());
        let (ready, occupant) = worker::spawn(&name, Birth { loader, actor_type, seed, far })?;
        let awaited = Awaited(Some(occupant));
        let verdict = tokio::time::timeout(limit, ready).await.map_err(|_| LoadError::Hung { limit })?;
        let occupant = awaited.end();
        let dialect = match verdict.unwrap_or(Err(LoadError::Ended))? {
            Ready::V1 { has_contexts, account } => Dialect::V1 {
                frames: GuestFrames::new(&self_id),
                contexts: has_contexts.then(|| Contexts::new(Handle::current(), account, host_calls_max)),
            },
            Ready::V2(instance) => Dialect::V2(instance),
        };
        let desk = Mutex::new(occupant.map(|occupant| Desk::new(near, occupant)));
        Ok(Arc::new(Self { desk, dialect, lost: AtomicBool::new(false) }))
    }
}

/// The thread of a library that makes an instance. If this is dropped before its end, nobody waits for the thread any more.
struct Awaited(Option<Occupant>);

impl Awaited {
    fn end(mut self) -> Option<Occupant> {
        self.0.take()
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        if let Some(occupant) = &self.0 {
            occupant.give_up();
        }
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
