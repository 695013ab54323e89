use std::sync::Arc;

use playhouse_package::{BinaryKind, VerifiedPackage};
use playhouse_types::ActorType;

use super::elf;
use super::error::LoadError;
use super::loader::Loader;
use super::slots::NativeThreads;
use super::target;
use super::workload::NativeWorkload;
use crate::{Concurrency, Creation, Engine, EngineKind, Preparation, Prepared, Seed};

/// Runs shared libraries in this process, if the operator says so.
#[derive(Debug, Clone, Copy)]
pub struct NativeEngine {
    danger_native_in_process: bool,
}

impl NativeEngine {
    /// An engine that runs native code in this process only if `danger_native_in_process` is true: such code can do
    /// whatever this process can.
    #[must_use]
    pub const fn new(danger_native_in_process: bool) -> Self {
        Self { danger_native_in_process }
    }

    /// The threads of native guests in this process, whichever engine made them.
    #[must_use]
    pub fn threads() -> NativeThreads {
        NativeThreads::now()
    }

    /// Checks what can be checked before a library is mapped.
    fn check(self, package: &VerifiedPackage) -> Result<Program, LoadError> {
        if !self.danger_native_in_process {
            return Err(LoadError::NotAllowed);
        }
        if package.kind() != BinaryKind::NativeCdylib {
            return Err(LoadError::Kind);
        }
        target::check(package.target())?;
        elf::check(package.binary())?;
        Ok(Program { loader: Loader::of(package.binary()), actor_type: package.actor_type().clone() })
    }
}

impl Engine for NativeEngine {
    fn kind(&self) -> EngineKind {
        EngineKind::Native
    }

    fn prepare(&self, package: VerifiedPackage) -> Preparation {
        let prepared = self.check(&package).map(|program| Arc::new(program) as Arc<dyn Prepared>).map_err(Into::into);
        Box::pin(std::future::ready(prepared))
    }
}

/// A library that fits this machine.
struct Program {
    loader: Arc<Loader>,
    actor_type: ActorType,
}

impl Prepared for Program {
    fn kind(&self) -> EngineKind {
        EngineKind::Native
    }

    fn concurrency(&self) -> Concurrency {
        Concurrency::Serial
    }

    fn create(&self, seed: Seed) -> Creation {
        Box::pin(NativeWorkload::create(Arc::clone(&self.loader), self.actor_type.clone(), seed))
    }
}
