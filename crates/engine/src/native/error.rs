use std::time::Duration;

use playhouse_types::{ActorError, Code, ErrorKind};

/// Why a library does not become a workload.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum LoadError {
    /// The node's policy does not trust native code with its own memory.
    #[error("native code runs in the node's own process, which its policy does not allow")]
    NotAllowed,
    /// The package holds something else than a shared library.
    #[error("the package holds no native library")]
    Kind,
    /// The library was built for another machine.
    #[error("the library is for {found}, this machine is {here}")]
    Target {
        /// The package's target.
        found: String,
        /// This machine's.
        here: String,
    },
    /// The operating system refuses memory, a file or a thread.
    #[error("cannot {doing}: {source}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// The file is not a whole shared library. Loaders do not check that, and crash.
    #[error("the file is not a whole shared library for this machine: {rule}")]
    File {
        /// What is wrong with it.
        rule: &'static str,
    },
    /// The loader refuses the library.
    #[error("the loader refuses the library: {message}")]
    Loader {
        /// The loader's words.
        message: String,
    },
    /// The library lacks a function of the ABI.
    #[error("the library does not export {symbol}")]
    Symbol {
        /// Its name.
        symbol: &'static str,
    },
    /// The library's init failed.
    #[error("actr_init returned {status}")]
    Init {
        /// What it returned.
        status: i32,
    },
    /// The table of the library's functions breaks the ABI.
    #[error("the table of playhouse_guest_v2 is unusable: {rule}")]
    Table {
        /// What is wrong with it.
        rule: &'static str,
    },
    /// The library made no instance.
    #[error("create returned {status}")]
    Create {
        /// What it returned.
        status: i32,
    },
    /// As many native workloads live as may.
    #[error(
        "{limit} threads of native actors in this process, {hung} of them in guests that did not return, which is the limit"
    )]
    Threads {
        /// How many may be.
        limit: usize,
        /// How many were given up.
        hung: usize,
    },
    /// As many images are mapped as may be; most of them are of actors that have ended, and cannot be unmapped.
    #[error("{limit} images of native libraries are mapped, which is the limit: start the node anew")]
    Images {
        /// How many.
        limit: usize,
    },
    /// The library does not come to an end with its constructors, its init or its create.
    #[error("the library did not return within {limit:?} while an instance was made")]
    Hung {
        /// How long it was waited for.
        limit: Duration,
    },
    /// The library ended the thread that loaded it.
    #[error("the thread of the library ended while it was loaded")]
    Ended,
}

impl LoadError {
    /// The stable name of the rule that was broken.
    pub(super) const fn code(&self) -> Code {
        match self {
            Self::NotAllowed => Code::NativeNotAllowed,
            Self::Kind => Code::PackageKind,
            Self::Target { .. } => Code::NativeTarget,
            Self::System { .. }
            | Self::File { .. }
            | Self::Loader { .. }
            | Self::Symbol { .. }
            | Self::Table { .. }
            | Self::Threads { .. }
            | Self::Images { .. }
            | Self::Ended => Code::NativeLoad,
            Self::Init { .. } | Self::Create { .. } => Code::NativeInit,
            Self::Hung { .. } => Code::GuestHung,
        }
    }

    const fn kind(&self) -> ErrorKind {
        match self {
            Self::NotAllowed => ErrorKind::PermissionDenied,
            Self::Kind
            | Self::Target { .. }
            | Self::File { .. }
            | Self::Loader { .. }
            | Self::Symbol { .. }
            | Self::Table { .. } => ErrorKind::InvalidArgument,
            Self::System { .. } | Self::Threads { .. } | Self::Images { .. } => ErrorKind::Unavailable,
            Self::Init { .. } | Self::Create { .. } | Self::Ended => ErrorKind::Internal,
            Self::Hung { .. } => ErrorKind::TimedOut,
        }
    }
}

impl From<LoadError> for ActorError {
    fn from(error: LoadError) -> Self {
        Self::coded(error.kind(), error.code(), error.to_string())
    }
}
