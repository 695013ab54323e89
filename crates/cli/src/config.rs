use std::path::{Path, PathBuf};

use playhouse_types::{Code, ErrorKind};
use serde::Deserialize;

use crate::error::{CliError, Result};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Grant {
    Call,
    Tell,
    Discover,
    Stream,
}

impl Grant {
    /// The word in configuration and errors.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Tell => "tell",
            Self::Discover => "discover",
            Self::Stream => "stream",
        }
    }
}

/// Changes to what an actor may use. What is absent keeps its default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsConfig {
    pub(crate) memory_bytes: Option<usize>,
    pub(crate) table_elements: Option<usize>,
    pub(crate) instances: Option<usize>,
    pub(crate) stack_bytes: Option<usize>,
    pub(crate) cpu_ms: Option<u64>,
    pub(crate) wall_ms: Option<u64>,
    pub(crate) host_calls: Option<u32>,
    pub(crate) log_bytes: Option<usize>,
    pub(crate) reply_bytes: Option<usize>,
    /// Bytes of one message; for the whole node only.
    pub(crate) message_bytes: Option<usize>,
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
}

/// The queue in front of an actor.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MailboxConfig {
    /// Messages that it holds.
    pub(crate) capacity: Option<usize>,
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
            let message = format!("{}: {}", path.display(), error.to_string().trim_end());
            CliError::new(Code::Config, ErrorKind::InvalidArgument, message)
        })?;
        let base = path.parent().unwrap_or(Path::new(""));
        for relative in config.paths() {
            *relative = base.join(&*relative);
        }
        Ok(config)
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let actors = self.actors.iter_mut().map(|actor| &mut actor.package);
        self.trust.iter_mut().chain(self.cache.iter_mut()).chain(actors)
    }
}

#[cfg(test)]
mod tests;
