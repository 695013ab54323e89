use std::num::{NonZero, NonZeroU32};
use std::path::{Path, PathBuf};
use std::time::Duration;

use playhouse_node::types::ActorType;
use playhouse_node::{
    ActorOptions, Concurrency, FullPolicy, Grants, KeyBy, Limits, MailboxOptions, PackageLimits, Policy, RestartPolicy,
};
use playhouse_package::{VerifiedPackage, verify};
use playhouse_types::{Code, ErrorKind};

use super::RunArgs;
use super::keep::{self, Keep};
use super::routes::Routes;
use crate::commands::package::{read_package, refused};
use crate::config::{ActorConfig, Config, Grant, LimitsConfig, MailboxConfig, PolicyConfig, RestartConfig, WhenFull};
use crate::error::{CliError, Result};
use crate::paths::{Paths, private_dir};
use crate::time;
use crate::trust_file::TrustFile;

/// Keys that a keyed actor handles at the same time. More would only wait for the machine's cores.
const KEYED_LANES: NonZeroU32 = NonZeroU32::new(64).unwrap();

/// What a node is to be: everything that can be known, read and verified before it starts.
pub(super) struct Plan {
    pub(super) realm: u32,
    pub(super) policy: Policy,
    pub(super) cache: PathBuf,
    pub(super) keep: Keep,
    pub(super) actors: Vec<PlannedActor>,
    /// What the configuration says and nothing will come of.
    pub(super) idle_words: Vec<String>,
    any_signature: bool,
}

/// One actor that is to be started.
pub(super) struct PlannedActor {
    pub(super) path: PathBuf,
    pub(super) package: VerifiedPackage,
    pub(super) options: ActorOptions,
}

impl PlannedActor {
    pub(super) fn actor_type(&self) -> &ActorType {
        self.package.actor_type()
    }
}

impl Plan {
    /// Reads the configuration and the packages, and verifies these.
    pub(super) fn make(args: &RunArgs, paths: &Paths) -> Result<Self> {
        let (config, packages) = inputs(&args.inputs)?;
        let any_signature = args.danger_accept_any_signature || config.policy.danger_accept_any_signature;
        let trust = TrustSource::open(args, &config, paths, any_signature)?;
        let plain =
            packages.into_iter().map(|path| (path, Ok(actor_options(&LimitsConfig::default(), &config.limits))));
        let configured = config.actors.iter().map(|actor| (actor.package.clone(), configured(actor, &config.limits)));
        let keep = Keep::plan(&args.keep, &config, paths, &args.node.node)?;
        let mut routes = Routes::default();
        let plan = |(path, options): (PathBuf, Result<ActorOptions>)| {
            let package = trust.verify(&path)?;
            let mut options = options.map_err(|error| error.prefixed(&format!("{}: ", path.display())))?;
            routes.add(&package, &options.durability);
            keep.apply(&mut options);
            keep.check(&options)?;
            Ok(PlannedActor { package, options, path })
        };
        let actors = configured.chain(plain).map(plan).collect::<Result<Vec<_>>>()?;
        let cache = config.cache.clone().unwrap_or_else(|| paths.cache.join("compiled"));
        private_dir(&cache)?;
        let mut policy = policy(&config.policy, config.limits.message_bytes);
        policy.danger_native_in_process |= args.danger_native_in_process;
        let mut idle_words = routes.unknown(&keep.durability);
        if actors.is_empty() {
            idle_words.push("the configuration has no `[[actor]]`: the node runs nothing".to_owned());
        }
        let realm = args.realm.or(config.realm).unwrap_or(0);
        Ok(Self { realm, policy, cache, keep, actors, idle_words, any_signature })
    }

    /// What the operator has allowed that they must not forget.
    pub(super) fn dangers(&self) -> Vec<&'static str> {
        let mut dangers = Vec::new();
        if self.any_signature {
            dangers.push("packages run here whoever signed them (danger-accept-any-signature): anybody who can write them can run anything");
        }
        if self.policy.danger_native_in_process {
            dangers.push(
                "native packages run in the node's process (danger-native-in-process): they can do whatever it can",
            );
        }
        dangers
    }
}

/// The configuration among the inputs, and the packages.
fn inputs(inputs: &[PathBuf]) -> Result<(Config, Vec<PathBuf>)> {
    let is_config = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "toml");
    let packages: Vec<PathBuf> = inputs.iter().filter(|path| !is_config(path)).cloned().collect();
    let mut configs = inputs.iter().filter(is_config);
    match (configs.next(), configs.next()) {
        (None, _) => Ok((Config::default(), packages)),
        (Some(path), None) => Ok((Config::read(path)?, packages)),
        (Some(one), Some(two)) => {
            let message = format!("a node has one configuration, not both {} and {}", one.display(), two.display());
            Err(CliError::usage(message))
        }
    }
}

/// The trust file that decides, and whether it was named rather than the user's own.
struct TrustSource {
    file: TrustFile,
    named: bool,
    any_signature: bool,
}

impl TrustSource {
    fn open(args: &RunArgs, config: &Config, paths: &Paths, any_signature: bool) -> Result<Self> {
        let named = args.trust.is_given() || config.trust.is_some();
        let file = match &config.trust {
            Some(path) if !args.trust.is_given() => TrustFile::open_existing(path)?,
            None if !args.trust.is_given() => TrustFile::open(&paths.trust_file())?,
            _ => args.trust.open()?,
        };
        Ok(Self { file, named, any_signature })
    }

    fn verify(&self, path: &Path) -> Result<VerifiedPackage> {
        let mut policy = self.file.policy().clone();
        policy.danger_accept_unsigned_for_development |= self.any_signature;
        verify(read_package(path)?, &policy, time::now(), &PackageLimits::default())
            .map_err(|error| refused(path, error, &self.file, self.named))
    }
}

fn policy(config: &PolicyConfig, message_bytes: Option<NonZero<usize>>) -> Policy {
    let default = Policy::default();
    Policy {
        grants: config.grants.as_deref().map_or(default.grants, grants),
        danger_native_in_process: config.danger_native_in_process,
        message_bytes_max: message_bytes.map_or(default.message_bytes_max, NonZero::get),
    }
}

fn grants(list: &[Grant]) -> Grants {
    list.iter().fold(Grants::NONE, |grants, grant| grants.with(grant.0))
}

/// The options of an actor for which only the node's configuration speaks.
fn actor_options(own: &LimitsConfig, node: &LimitsConfig) -> ActorOptions {
    ActorOptions { limits: limits(own, &limits(node, &Limits::default())), ..ActorOptions::default() }
}

fn configured(actor: &ActorConfig, node: &LimitsConfig) -> Result<ActorOptions> {
    if actor.limits.message_bytes.is_some() {
        let message = "limits.message_bytes of an actor: the limit is one for the whole node";
        return Err(CliError::new(Code::Config, ErrorKind::InvalidArgument, message).fix("Move it to `[limits]`."));
    }
    let mut options = ActorOptions {
        concurrency: actor.concurrency.as_deref().map(concurrency).transpose()?,
        mailbox: mailbox(&actor.mailbox),
        restart: restart(&actor.restart),
        grants: actor.grants.as_deref().map(grants),
        ..actor_options(&actor.limits, node)
    };
    keep::configured(actor, &mut options)?;
    Ok(options)
}

fn concurrency(text: &str) -> Result<Concurrency> {
    let parsed = match text.split_once('=') {
        None if text == "serial" => Some(Concurrency::Serial),
        Some(("concurrent", number)) => number.parse().ok().map(Concurrency::Concurrent),
        Some(("keyed", key)) => KeyBy::from_text(key).map(|by| Concurrency::Keyed { by, lanes: KEYED_LANES }),
        _ => None,
    };
    parsed.ok_or_else(|| {
        let message =
            format!("concurrency {text:?} is not `serial`, `concurrent=8`, `keyed=sender` or `keyed=field:1`");
        CliError::new(Code::Config, ErrorKind::InvalidArgument, message)
    })
}

fn mailbox(config: &MailboxConfig) -> MailboxOptions {
    let default = MailboxOptions::default();
    let full = config.full.map(|full| match full {
        WhenFull::Wait => FullPolicy::Wait,
        WhenFull::Reject => FullPolicy::Reject,
        WhenFull::Shed => FullPolicy::Shed,
    });
    MailboxOptions {
        capacity: config.capacity.map_or(default.capacity, NonZero::get),
        full: full.unwrap_or(default.full),
        ..default
    }
}

fn restart(config: &RestartConfig) -> RestartPolicy {
    let default = RestartPolicy::default();
    RestartPolicy {
        restarts_max: config.max.unwrap_or(default.restarts_max),
        window: config.window_ms.map_or(default.window, Duration::from_millis),
        ..default
    }
}

fn limits(config: &LimitsConfig, default: &Limits) -> Limits {
    Limits {
        memory_bytes: config.memory_bytes.map_or(default.memory_bytes, NonZero::get),
        table_elements: config.table_elements.map_or(default.table_elements, NonZero::get),
        instances: config.instances.map_or(default.instances, NonZero::get),
        stack_bytes: config.stack_bytes.map_or(default.stack_bytes, NonZero::get),
        cpu: config.cpu_ms.map_or(default.cpu, |ms| Duration::from_millis(ms.get())),
        wall: config.wall_ms.map_or(default.wall, |ms| Duration::from_millis(ms.get())),
        host_calls: config.host_calls.map_or(default.host_calls, NonZero::get),
        log_bytes: config.log_bytes.map_or(default.log_bytes, NonZero::get),
        reply_bytes: config.reply_bytes.map_or(default.reply_bytes, NonZero::get),
    }
}
