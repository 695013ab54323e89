//! What all parts of a node share.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Instant, SystemTime};

use parking_lot::Mutex;
use playhouse_scheduler::{DeadLetter, DeadLetters, WaitId, Waits};
use playhouse_types::{ActorError, ActorId, ActorType, Code, ErrorKind, Realm};
use tokio::runtime::Handle;

use crate::builder::Policy;
use crate::cell::{Cell, Letter};
use crate::compute::Compute;
use crate::directory::Directory;
use crate::keeper::Keeper;
use crate::keyring::MasterKeys;
use crate::logs::Logs;
use crate::programs::Programs;
use crate::settings::NodeSettings;
use crate::shell::Shell;

/// What all parts of a node share.
pub(crate) struct Shared {
    pub(crate) runtime: Handle,
    pub(crate) compute: Compute,
    pub(crate) directory: Directory,
    pub(crate) logs: Logs,
    pub(crate) shell: Shell,
    pub(crate) waits: Mutex<Waits>,
    pub(crate) dead: Mutex<DeadLetters<Buried>>,
    pub(crate) next_serial: AtomicU64,
    pub(crate) stopping: AtomicBool,
    pub(crate) programs: Programs,
    pub(crate) keeper: Option<Arc<Keeper>>,
    pub(crate) given: Given,
}

/// What the operator or the application set when the node started.
pub(crate) struct Given {
    pub(crate) realm: Realm,
    pub(crate) policy: Policy,
    /// For keys of lanes, which no sender may foresee.
    pub(crate) hasher: RandomState,
    /// Under which the keys of the actors are sealed.
    pub(crate) masters: Option<Arc<MasterKeys>>,
    pub(crate) settings: NodeSettings,
}

/// A dead letter and whom it was for.
pub(crate) struct Buried {
    pub(crate) to: ActorId,
    pub(crate) letter: Letter,
    pub(crate) time: SystemTime,
}

impl Shared {
    /// Awaits a future until the deadline; none if that came first. Works outside tokio's runtimes as well.
    pub(crate) async fn until<F: Future>(&self, deadline: Instant, future: F) -> Option<F::Output> {
        let sleep = {
            let _inside = self.runtime.enter();
            tokio::time::sleep_until(deadline.into())
        };
        tokio::select! {
            biased;
            output = future => Some(output),
            () = sleep => None,
        }
    }

    pub(crate) fn find(&self, id: &ActorId) -> Result<Arc<Cell>, ActorError> {
        self.directory.get(id).ok_or_else(|| {
            let text = format!("no actor {id} runs on this node");
            ActorError::coded(ErrorKind::NotFound, Code::UnknownActor, text)
        })
    }

    pub(crate) fn discover(&self, actor_type: &ActorType) -> Result<ActorId, ActorError> {
        self.directory.discover(actor_type).ok_or_else(|| {
            let text = format!("no actor of type {actor_type} runs on this node");
            ActorError::coded(ErrorKind::NotFound, Code::TypeNotFound, text)
        })
    }

    /// A queued call began, or will never begin.
    pub(crate) fn begun(&self, wait: Option<WaitId>) {
        if let Some(wait) = wait {
            self.waits.lock().remove(wait);
        }
    }

    pub(crate) fn bury(&self, to: &ActorId, letter: Letter, cause: ActorError) {
        let bytes = letter.payload.len();
        let message = Buried { to: to.clone(), letter, time: SystemTime::now() };
        let letter = DeadLetter { at: Instant::now(), cause, bytes, message };
        self.dead.lock().push(letter);
    }
}
