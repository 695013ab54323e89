//! Why an actor could not be had.

use playhouse_package::VerifyError;
use playhouse_store::StoreError;
use playhouse_types::{ActorError, ActorType, Code};

/// Why [`crate::Node`] did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// There is no tokio runtime around. Call from inside one.
    #[error("a node must be started inside a tokio runtime")]
    NoRuntime,
    /// A part of the node could not be set up, such as its cache of compiled code.
    #[error("the {part} could not be set up")]
    Setup {
        /// Which part.
        part: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The package is refused. Do not retry with the same bytes and policy.
    #[error("the package is refused: {0}")]
    Refused(#[source] Box<VerifyError>),
    /// The node was built without the engine that the package needs.
    #[error("this node was built without the {engine} engine")]
    EngineMissing {
        /// The engine, which is also the name of the feature.
        engine: &'static str,
    },
    /// The package declares, or the options ask for, more concurrency than the engine can give.
    #[error("{actor_type} runs on an engine that handles one message at a time; it cannot be concurrent or keyed")]
    NotConcurrent {
        /// The actor.
        actor_type: ActorType,
    },
    /// The package asks for keyed concurrency by a field that its requests do not have.
    #[error("{text:?} is no key for concurrency: {source}")]
    BadKey {
        /// What the package says.
        text: String,
        /// Why.
        #[source]
        source: playhouse_package::FieldError,
    },
    /// The program could not be prepared, or the actor did not start.
    #[error("{actor_type} did not start: {source}")]
    Start {
        /// The actor.
        actor_type: ActorType,
        /// Why.
        #[source]
        source: ActorError,
    },
    /// The store has keys that the node's master keys do not open, a key is not as it would have to be, or the store failed.
    #[error(transparent)]
    Keys(#[from] crate::keyring::KeyringError),
    /// The actor is to have settings or secrets that it cannot have.
    #[error("{actor_type} cannot have its settings: {source}")]
    Settings {
        /// The actor.
        actor_type: ActorType,
        /// Why.
        #[source]
        source: crate::settings::SettingsError,
    },
    /// The actor could not be opened in the node's store: it runs elsewhere, or the store cannot do what its options ask for.
    #[error("{actor_type} cannot be opened in the store: {source}")]
    Open {
        /// The actor.
        actor_type: ActorType,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// An actor of that type and instance name runs on this node. Give this one another name.
    #[error("an instance {instance:?} of {actor_type} runs on this node already")]
    InstanceTaken {
        /// The actor.
        actor_type: ActorType,
        /// The name.
        instance: String,
    },
    /// The store did not do what it was asked.
    #[error("the store: {0}")]
    Store(#[source] StoreError),
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
    /// No dead letter has that number; it may have been dropped to make room.
    #[error("there is no dead letter {number}")]
    NoDeadLetter {
        /// The number.
        number: u64,
    },
    /// The actor did not take a dead letter; it stays where it is.
    #[error("dead letter {number} was not taken: {source}")]
    Retry {
        /// The number.
        number: u64,
        /// Why.
        #[source]
        source: ActorError,
    },
    /// The actor is not parked, so it need not be resumed.
    #[error("{id} is not parked but {state}")]
    NotParked {
        /// The actor.
        id: playhouse_types::ActorId,
        /// What it is.
        state: &'static str,
    },
    /// No such actor runs here.
    #[error("no actor {id} runs on this node")]
    NoActor {
        /// The actor.
        id: playhouse_types::ActorId,
    },
}

impl NodeError {
    /// The rule that was broken.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NoRuntime | Self::Setup { .. } => Code::Unspecified,
            Self::Refused(error) => error.code(),
            Self::EngineMissing { .. } => Code::EngineMissing,
            Self::NotConcurrent { .. } | Self::BadKey { .. } => Code::Config,
            Self::Start { source, .. } | Self::Retry { source, .. } => source.code(),
            Self::Keys(error) => error.code(),
            Self::Settings { source, .. } => source.code(),
            Self::Open { source, .. } | Self::Store(source) => source.code(),
            Self::InstanceTaken { .. } => Code::ActorOwned,
            Self::Stopping => Code::NodeStopping,
            Self::NoDeadLetter { .. } => Code::NotStored,
            Self::NotParked { .. } => Code::Usage,
            Self::NoActor { .. } => Code::UnknownActor,
        }
    }
}
