//! What a node keeps and what it gives its actors: from the words of configuration to what the node takes.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStringExt as _;

use clap::Args;
use playhouse_node::{ActorOptions, DurabilityPolicy, MasterKeys, Settings, SettingsError};
use playhouse_store::{Durability, QueueLimits, Quota, Store};
use playhouse_types::{Code, ErrorKind, Name};
use zeroize::Zeroizing;

use crate::config::{ActorConfig, Class, Config, DurabilityConfig, QuotaConfig, SecretSource, Setting};
use crate::error::{CliError, Result};
use crate::files;
use crate::paths::Paths;
use crate::store::location::Location;
use crate::store::master::{MasterArg, Place};

/// What a node keeps, and where.
#[derive(Debug, Args)]
pub(crate) struct KeepArgs {
    /// Where the node keeps messages, state and timers: a folder, `memory`, `none`, or a Postgres server's URL (with its password
    /// in PGPASSWORD rather than here). If nothing says, a folder of its own below ~/.local/state/playhouse.
    #[arg(long, value_name = "STORE", env = "PLAYHOUSE_STORE", hide_env_values = true)]
    store: Option<String>,
    /// What survives what, for actors that do not say: memory, fsync or quorum.
    #[arg(long, value_name = "CLASS", value_parser = class)]
    durability: Option<Class>,
    #[command(flatten)]
    master: MasterArg,
}

fn class(word: &str) -> Result<Class, String> {
    Class::parse(word)
}

/// What is known of it before the node starts.
pub(super) struct Keep {
    pub(super) location: Location,
    pub(super) settings: Settings,
    pub(super) durability: DurabilityPolicy,
    master: MasterArg,
    master_place: Option<Place>,
}

impl Keep {
    pub(super) fn plan(args: &KeepArgs, config: &Config, paths: &Paths, node: &Name) -> Result<Self> {
        let given = args.store.as_deref().filter(|text| !text.is_empty()).map(|text| {
            let Ok(location) = text.parse();
            location
        });
        let location = given.or_else(|| config.store.clone()).unwrap_or_else(|| Location::default_of(paths, node));
        let mut durability = durability(config.durability.as_ref());
        if let Some(Class(class)) = args.durability {
            (durability.tells, durability.effects) = (Some(class), Some(class));
        }
        let settings = settings(&config.config, &config.secrets, Owner::Node)?;
        Ok(Self { location, settings, durability, master: args.master.clone(), master_place: master_place(config)? })
    }

    /// The master keys, and where they were written if they were made just now.
    pub(super) fn masters(
        &self,
        store: Option<&dyn Store>,
        paths: &Paths,
        node: &Name,
    ) -> Result<(Option<MasterKeys>, Option<Place>)> {
        self.master.for_node((&self.location, store), self.master_place.as_ref(), &paths.node_dir(node))
    }

    /// Refuses what is asked of a store where there is none.
    pub(super) fn check(&self, options: &ActorOptions) -> Result<()> {
        let asked = &options.durability;
        let classes = [asked.tells, asked.effects].into_iter().flatten().chain(asked.routes.values().copied());
        let Some(class) = classes.filter(|class| *class > Durability::Memory).max() else { return Ok(()) };
        if self.location != Location::None {
            return Ok(());
        }
        let message = format!("durability {class} was asked for, and with `--store none` nothing is kept");
        Err(CliError::new(Code::DurabilityMissing, ErrorKind::InvalidArgument, message)
            .fix("Give the node a store (without `--store` it has one), or ask for `memory`."))
    }

    /// An actor's options with what the node has for all.
    pub(super) fn apply(&self, options: &mut ActorOptions) {
        let own = &mut options.durability;
        own.tells = own.tells.or(self.durability.tells);
        own.effects = own.effects.or(self.durability.effects);
        for (route, class) in &self.durability.routes {
            own.routes.entry(route.clone()).or_insert(*class);
        }
    }
}

/// What an actor's own configuration says of it.
pub(super) fn configured(actor: &ActorConfig, options: &mut ActorOptions) -> Result<()> {
    options.instance.clone_from(&actor.instance);
    options.durability = durability(actor.durability.as_ref());
    options.quota = quota(&actor.quota);
    let stored = QueueLimits::default();
    options.stored = QueueLimits {
        messages: actor.quota.stored_messages.unwrap_or(stored.messages),
        bytes: actor.quota.stored_bytes.unwrap_or(stored.bytes),
    };
    options.passivate_after = actor.passivate_after.map(|time| time.0);
    options.settings = settings(&actor.config, &actor.secrets, Owner::Actor)?;
    Ok(())
}

/// Where the configuration says that the master key is.
fn master_place(config: &Config) -> Result<Option<Place>> {
    match (&config.master_key_file, &config.master_key_in_keyring) {
        (Some(_), Some(_)) => {
            let message = "master_key_file and master_key_in_keyring: the master key is in one place";
            Err(CliError::new(Code::Config, ErrorKind::InvalidArgument, message).fix("Leave one of them out."))
        }
        (Some(file), None) => Ok(Some(Place::File(file.clone()))),
        (None, entry) => Ok(entry.clone().map(Place::Keyring)),
    }
}

fn durability(config: Option<&DurabilityConfig>) -> DurabilityPolicy {
    let Some(config) = config else { return DurabilityPolicy::default() };
    let class = |class: Option<Class>| -> Option<Durability> { class.map(|class| class.0) };
    let routes = config.routes.iter().filter_map(|(name, class)| Some((name.route()?, class.0))).collect();
    DurabilityPolicy { tells: class(config.tells), effects: class(config.effects), routes }
}

fn quota(config: &QuotaConfig) -> Quota {
    let default = Quota::default();
    Quota {
        state_keys: config.state_keys.unwrap_or(default.state_keys),
        state_bytes: config.state_bytes.unwrap_or(default.state_bytes),
        timers: config.timers.unwrap_or(default.timers),
        outbox: config.outbox.unwrap_or(default.outbox),
        sealed_keys: config.sealed_keys.unwrap_or(default.sealed_keys),
    }
}

/// Whose settings these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Node,
    Actor,
}

fn settings(
    config: &BTreeMap<String, Setting>,
    secrets: &BTreeMap<String, SecretSource>,
    owner: Owner,
) -> Result<Settings> {
    let mut settings = Settings::default();
    for (name, Setting(value)) in config {
        settings = settings.with(name, value.clone()).map_err(|error| refused(&error))?;
    }
    for (name, source) in secrets {
        settings = match (source, owner) {
            (SecretSource::Shared, Owner::Actor) => settings.shared_secret(name),
            (SecretSource::Env(variable), _) => settings.with_secret(name, from_env(name, variable)?),
            (SecretSource::File(path), _) => settings.with_secret(name, from_file(path)?),
            (SecretSource::Shared, Owner::Node) | (SecretSource::Wrong, _) => return Err(wrong(name)),
        }
        .map_err(|error| refused(&error))?;
    }
    Ok(settings)
}

fn from_env(name: &str, variable: &str) -> Result<Zeroizing<Vec<u8>>> {
    let found = std::env::var_os(variable).map(|value| Zeroizing::new(value.into_vec()));
    found.ok_or_else(|| {
        let message = format!("the secret {name:?} is to be in the environment variable {variable}, which is not set");
        CliError::new(Code::Config, ErrorKind::NotFound, message).fix(format!("Set {variable} for the node."))
    })
}

fn from_file(path: &std::path::Path) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(files::read(path, playhouse_node::SETTING_BYTES_MAX as u64, Code::Config)?);
    // Editors and `echo` end files with a line end that is not part of what is meant.
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}

/// The value is not shown: it may be the secret itself.
fn wrong(name: &str) -> CliError {
    let message = format!("the secret {name:?} does not say where it is");
    CliError::new(Code::Config, ErrorKind::InvalidArgument, message).fix(
        "Secrets are not written into configurations: `{ env = \"VARIABLE\" }`, `{ file = \"PATH\" }`, or for an actor `{ shared = true }`.",
    )
}

fn refused(error: &SettingsError) -> CliError {
    CliError::new(error.code(), ErrorKind::InvalidArgument, error.to_string())
}

#[cfg(test)]
mod tests;
