use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use playhouse_types::{Code, ErrorKind};
use serde::Deserialize;

use crate::error::{CliError, Result};
use crate::store::location::Location;

mod keep;

pub(crate) use keep::{Class, DurabilityConfig, QuotaConfig, SecretSource, Setting, Time};

/// What `playhouse run` reads: a node and its actors.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The security domain of the actors.
    pub(crate) realm: Option<u32>,
    /// The trust file; relative to this file.
    pub(crate) trust: Option<PathBuf>,
    /// Where compiled code is kept; relative to this file.
    pub(crate) cache: Option<PathBuf>,
    /// Where the node keeps what it must not lose; a folder is relative to this file.
    pub(crate) store: Option<Location>,
    /// What survives what, for every actor that does not say otherwise.
    pub(crate) durability: Option<DurabilityConfig>,
    /// The file with the master key; relative to this file.
    pub(crate) master_key_file: Option<PathBuf>,
    /// The entry of the operating system's keyring with the master key.
    pub(crate) master_key_in_keyring: Option<String>,
    /// Settings of all actors.
    pub(crate) config: BTreeMap<String, Setting>,
    /// Secrets, for the actors that name them.
    pub(crate) secrets: BTreeMap<String, SecretSource>,
    pub(crate) policy: PolicyConfig,
    /// For every actor that does not say otherwise.
    pub(crate) limits: LimitsConfig,
    #[serde(rename = "actor")]
    pub(crate) actors: Vec<ActorConfig>,
}

/// What the node lets its actors do.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PolicyConfig {
    /// Whether native code may run in the node's process, where nothing contains it.
    pub(crate) danger_native_in_process: bool,
    /// Whether packages run whose signature fits any key. For development.
    pub(crate) danger_accept_any_signature: bool,
    /// Host operations that any actor may have at most.
    pub(crate) grants: Option<Vec<Grant>>,
}

/// One kind of host operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grant(pub(crate) playhouse_node::Grant);

impl<'de> Deserialize<'de> for Grant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        playhouse_node::Grant::from_name(&word).map(Self).ok_or_else(|| {
            let known = playhouse_node::Grant::ALL.map(|grant| format!("`{}`", grant.name()));
            serde::de::Error::custom(format!("unknown grant {word:?}, expected one of {}", known.join(", ")))
        })
    }
}

/// Changes to what an actor may use, from 1 on: with none of it an actor does nothing. What is absent keeps its default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsConfig {
    pub(crate) memory_bytes: Option<NonZero<usize>>,
    pub(crate) table_elements: Option<NonZero<usize>>,
    pub(crate) instances: Option<NonZero<usize>>,
    pub(crate) stack_bytes: Option<NonZero<usize>>,
    pub(crate) cpu_ms: Option<NonZero<u64>>,
    pub(crate) wall_ms: Option<NonZero<u64>>,
    pub(crate) host_calls: Option<NonZero<u32>>,
    pub(crate) log_bytes: Option<NonZero<usize>>,
    pub(crate) reply_bytes: Option<NonZero<usize>>,
    /// Bytes of one message; for the whole node only.
    pub(crate) message_bytes: Option<NonZero<usize>>,
}

/// One actor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActorConfig {
    /// The package; relative to this file.
    pub(crate) package: PathBuf,
    /// Host operations that it may use.
    pub(crate) grants: Option<Vec<Grant>>,
    /// Messages at the same time, if not what the package says: `serial`, `concurrent=8`, `keyed=sender` or `keyed=field:1`.
    pub(crate) concurrency: Option<String>,
    #[serde(default)]
    pub(crate) mailbox: MailboxConfig,
    #[serde(default)]
    pub(crate) restart: RestartConfig,
    #[serde(default)]
    pub(crate) limits: LimitsConfig,
    /// Which of the actors of its type it is, by name: under it the store finds what it kept.
    pub(crate) instance: Option<String>,
    /// What of it survives what.
    pub(crate) durability: Option<DurabilityConfig>,
    #[serde(default)]
    pub(crate) quota: QuotaConfig,
    /// How long it is idle before it leaves memory.
    pub(crate) passivate_after: Option<Time>,
    /// Its own settings, before those of all actors.
    #[serde(default)]
    pub(crate) config: BTreeMap<String, Setting>,
    /// Its secrets.
    #[serde(default)]
    pub(crate) secrets: BTreeMap<String, SecretSource>,
}

/// The queue in front of an actor.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MailboxConfig {
    /// Messages that it holds.
    pub(crate) capacity: Option<NonZero<usize>>,
    /// What happens to one more.
    pub(crate) full: Option<WhenFull>,
}

/// What happens to a message for a full mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WhenFull {
    /// Its sender waits, at most until its deadline.
    Wait,
    /// Its sender hears `mailbox-full` at once.
    Reject,
    /// The oldest message makes room; its sender hears `mailbox-full`.
    Shed,
}

/// How often a failed actor is started again.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RestartConfig {
    /// Restarts within the window before the actor is parked.
    pub(crate) max: Option<u32>,
    /// The window in milliseconds.
    pub(crate) window_ms: Option<u64>,
}

impl Config {
    /// Reads a configuration file. Paths in it become relative to the working directory.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| CliError::io(Code::Config, format_args!("cannot read {}", path.display()), &error))?;
        let mut config = Self::parse(&text).map_err(|error| {
            let shown = error.to_string();
            // The line that it shows may have a server's address, and that a password.
            let shown = if shown.contains("://") { error.message() } else { shown.trim_end() };
            let message = format!("{}: {shown}", path.display());
            CliError::new(Code::Config, ErrorKind::InvalidArgument, message)
        })?;
        let base = path.parent().unwrap_or(Path::new(""));
        for relative in config.paths() {
            *relative = base.join(&*relative);
        }
        config.store = config.store.map(|store| store.relative_to(base));
        Ok(config)
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        fn file(source: &mut SecretSource) -> Option<&mut PathBuf> {
            if let SecretSource::File(path) = source { Some(path) } else { None }
        }
        let actors = self
            .actors
            .iter_mut()
            .flat_map(|actor| std::iter::once(&mut actor.package).chain(actor.secrets.values_mut().filter_map(file)));
        let secrets = self.secrets.values_mut().filter_map(file);
        self.trust.iter_mut().chain(&mut self.cache).chain(&mut self.master_key_file).chain(secrets).chain(actors)
    }
}

#[cfg(test)]
mod tests;
