use playhouse_types::{ActorError, Code, ErrorKind};

/// Why a component cannot be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum Refusal {
    /// The bytes are a core module.
    #[error("the binary is a core module, not a component")]
    CoreModule,
    /// The bytes are no component of a version that is known.
    #[error("the component does not validate: {reason}")]
    Invalid { reason: String },
    /// No known interface is exported.
    #[error("the component exports no interface of an actor; its exports are: {exports}")]
    World { exports: String },
    /// A function of the world is missing.
    #[error("{interface} lacks the function {function}")]
    MissingFunction { interface: String, function: String },
    /// An import that no host offers.
    #[error("the component imports {name}, which no host offers")]
    Import { name: String },
    /// A type differs from the world's.
    #[error("{interface}: {item} has another type than the world's: {reason}")]
    Shape { interface: String, item: String, reason: String },
}

impl Refusal {
    pub(super) fn invalid(reason: &impl ToString) -> Self {
        Self::Invalid { reason: reason.to_string() }
    }

    /// What wasmtime says when an import is not there, or has another type: all of it, and what it comes down to.
    pub(super) fn not_linked(text: &str, cause: String) -> Self {
        // wasmtime names what it is about in backquotes, the instance first and then the function in it.
        let mut names = text.split('`').skip(1).step_by(2);
        let interface = names.next().unwrap_or("the host").to_owned();
        let item = names.next().unwrap_or("an import").to_owned();
        // wasmtime has no type for this error.
        if cause.contains("implementation is missing") {
            return Self::Import { name: format!("{interface}#{item}") };
        }
        Self::Shape { interface, item, reason: cause }
    }

    pub(super) fn code(&self) -> Code {
        match self {
            Self::CoreModule => Code::WasmCoreModule,
            Self::Invalid { .. } => Code::WasmInvalid,
            Self::World { .. } | Self::MissingFunction { .. } => Code::WasmWorld,
            Self::Import { .. } => Code::WasmImport,
            Self::Shape { .. } => Code::WasmShape,
        }
    }
}

impl From<Refusal> for ActorError {
    fn from(refusal: Refusal) -> Self {
        Self::coded(ErrorKind::InvalidArgument, refusal.code(), refusal.to_string())
    }
}
