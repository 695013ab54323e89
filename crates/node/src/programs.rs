//! What packages become: verified by the node's policy, prepared by an engine, shared while in use.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::Mutex;
use playhouse_engine::{Engine, Prepared};
use playhouse_package::{BinaryKind, PackageLimits, TrustPolicy, VerifiedPackage, VerifyError};
use playhouse_types::ActorError;

use crate::error::NodeError;

pub(crate) struct Programs {
    pub(crate) trust: TrustPolicy,
    pub(crate) limits: PackageLimits,
    pub(crate) wasm: Option<Arc<dyn Engine>>,
    pub(crate) native: Option<Arc<dyn Engine>>,
    /// Programs in use, by package.
    pub(crate) in_use: Mutex<HashMap<String, Weak<dyn Prepared>>>,
}

impl Programs {
    pub(crate) fn verify(&self, package: Bytes, now_unix_seconds: u64) -> Result<VerifiedPackage, VerifyError> {
        playhouse_package::verify(package, &self.trust, now_unix_seconds, &self.limits)
    }

    /// The program of a package; the one in use already, if there is one.
    pub(crate) async fn prepare(
        &self,
        package: VerifiedPackage,
    ) -> Result<Result<Arc<dyn Prepared>, ActorError>, NodeError> {
        let key = package.package_digest().to_string();
        if let Some(program) = self.in_use.lock().get(&key).and_then(Weak::upgrade) {
            return Ok(Ok(program));
        }
        let (engine, name) = match package.kind() {
            BinaryKind::NativeCdylib => (&self.native, "native"),
            _ => (&self.wasm, "wasm"),
        };
        let engine = engine.as_ref().ok_or(NodeError::EngineMissing { engine: name })?;
        let prepared = engine.prepare(package).await;
        if let Ok(program) = &prepared {
            let mut in_use = self.in_use.lock();
            in_use.retain(|_, program| program.strong_count() > 0);
            in_use.insert(key, Arc::downgrade(program));
        }
        Ok(prepared)
    }
}
