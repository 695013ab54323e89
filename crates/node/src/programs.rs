//! What packages become: verified by the node's policy, prepared by an engine, shared while in use.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::Mutex;
use playhouse_crypto::Digest;
use playhouse_engine::{Engine, Prepared};
use playhouse_package::{BinaryKind, PackageLimits, TrustPolicy, VerifiedPackage, VerifyError};
use playhouse_types::ActorError;

use crate::error::NodeError;

pub(crate) struct Programs {
    pub(crate) trust: TrustPolicy,
    pub(crate) limits: PackageLimits,
    pub(crate) wasm: Option<Arc<dyn Engine>>,
    pub(crate) native: Option<Arc<dyn Engine>>,
    /// Programs in use or being prepared, by package.
    pub(crate) in_use: Mutex<HashMap<Digest, Slot>>,
}

/// The program of one package, while somebody uses it. Whoever prepares it holds the lock, so that nobody else does the same work.
pub(crate) type Slot = Arc<tokio::sync::Mutex<Option<Weak<dyn Prepared>>>>;

impl Programs {
    pub(crate) fn verify(&self, package: Bytes, now_unix_seconds: u64) -> Result<VerifiedPackage, VerifyError> {
        playhouse_package::verify(package, &self.trust, now_unix_seconds, &self.limits)
    }

    /// The program of a package; the one in use already, if there is one. If it is being prepared for somebody else, waits for that,
    /// and prepares it itself if that fails or is given up.
    pub(crate) async fn prepare(
        &self,
        package: VerifiedPackage,
    ) -> Result<Result<Arc<dyn Prepared>, ActorError>, NodeError> {
        let slot = self.slot(package.package_digest());
        let mut known = slot.lock().await;
        if let Some(program) = known.as_ref().and_then(Weak::upgrade) {
            return Ok(Ok(program));
        }
        let (engine, name) = match package.kind() {
            BinaryKind::NativeCdylib => (&self.native, "native"),
            _ => (&self.wasm, "wasm"),
        };
        let engine = engine.as_ref().ok_or(NodeError::EngineMissing { engine: name })?;
        let prepared = engine.prepare(package).await;
        *known = prepared.as_ref().ok().map(Arc::downgrade);
        Ok(prepared)
    }

    /// The slot of a package. Slots that nobody uses any more are forgotten.
    fn slot(&self, package: Digest) -> Slot {
        let mut in_use = self.in_use.lock();
        in_use.retain(|_, slot| {
            let held = Arc::strong_count(slot) > 1;
            held || slot.try_lock().is_ok_and(|known| known.as_ref().is_some_and(|program| program.strong_count() > 0))
        });
        Arc::clone(in_use.entry(package).or_default())
    }
}

#[cfg(test)]
mod tests;
