//! Build a node, give it packages or Rust values, call the actors, stop.
//!
//! This is the crate that an application embeds, and the only one that spawns tasks for actors and owns their clocks. A
//! [`Node`] verifies packages against its trust policy, prepares them on an engine, gives every actor an identity, a bounded mailbox and
//! a supervisor, and carries calls, tells and data streams between actors and the application.
//!
//! It is *not* where rules are made: who runs next is decided in `playhouse-scheduler`, what a package may be in
//! `playhouse-package`, how code is run in `playhouse-engine`.
//!
//! Every method of [`Node`] and [`ActorRef`] may be cancelled by dropping its future: a message that was accepted is handled all
//! the same, only its reply is lost.

mod actor_ref;
mod attach;
mod builder;
mod cell;
mod clock;
mod compute;
mod dead_letters;
mod directory;
mod durability;
mod error;
mod grants;
mod ids;
mod keeper;
mod key;
mod keyring;
mod latency;
mod logs;
mod node;
mod options;
mod programs;
mod random;
mod schedule;
mod scope;
mod settings;
mod shared;
mod shell;
mod status;

pub use actor_ref::ActorRef;
pub use builder::{NodeBuilder, Policy};
pub use durability::DurabilityPolicy;
pub use error::NodeError;
pub use grants::{Grant, Grants};
pub use key::KeyBy;
pub use keyring::{ActorKeys, DamagedKey, KeyringError, MasterKeys, RESEAL_DAMAGE_LISTED_MAX, Resealed};
pub use logs::{LogLine, LogReader};
pub use node::Node;
pub use options::{ActorOptions, CallOptions, Concurrency, MailboxOptions};
pub use settings::{SETTING_BYTES_MAX, SETTINGS_MAX, Settings, SettingsError};
pub use shell::{ShellMessage, ShellStream};
pub use status::{ActorState, ActorStatus, DeadLetter, Tallies};

pub use playhouse_crypto::{KeyKind, KeySlot, MasterKey, MasterKeyFile, MasterKeyId, SealedMasterKey};
pub use playhouse_engine::linked;
pub use playhouse_engine::{EngineKind, Limits};
pub use playhouse_package::{PackageLimits, TrustPolicy};
pub use playhouse_scheduler::{FullPolicy, Priority, RestartPolicy};
pub use playhouse_store as store;
pub use playhouse_types as types;
