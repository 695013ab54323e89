use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use playhouse_types::{ActorError, ActorType, Event};
use playhouse_wire::native::{GuestFrames, init_payload};

use super::error::LoadError;
use super::port::{Port, ToHost};
use super::run::Run;
use super::worker::{self, Birth};
use crate::{Context, Running, Seed, Workload};

/// One native actor: an image and a thread of its own.
pub(super) struct NativeWorkload {
    pub(super) port: Arc<Port>,
    pub(super) frames: GuestFrames,
    pub(super) lost: AtomicBool,
    /// A run has the guest.
    pub(super) busy: AtomicBool,
    pub(super) spare: Mutex<Spare>,
}

/// Memory that runs use one after the other.
#[derive(Default)]
pub(super) struct Spare {
    pub(super) frame: Vec<u8>,
    pub(super) request_id: String,
}

impl NativeWorkload {
    /// Loads a library for one actor.
    pub(super) async fn create(
        library: bytes::Bytes,
        actor_type: ActorType,
        seed: Seed,
    ) -> Result<Arc<dyn Workload>, ActorError> {
        let port = Arc::new(Port::new());
        let workload = Arc::new(Self {
            port: Arc::clone(&port),
            frames: GuestFrames::new(&seed.self_id),
            lost: AtomicBool::new(false),
            busy: AtomicBool::new(false),
            spare: Mutex::default(),
        });
        let birth = Birth { library, init_payload: init_payload(&actor_type), limits: seed.limits, port };
        let name = format!("native {:x}", seed.self_id.serial().number());
        let ready = worker::spawn(&name, birth)?;
        ready.await.unwrap_or(Err(LoadError::Ended))?;
        Ok(workload)
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
        drop::<Option<ToHost>>(self.port.take_answer());
    }
}
