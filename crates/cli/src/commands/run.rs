use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use playhouse_node::MasterKeys;
use playhouse_store::Store;
use playhouse_types::{Code, ErrorKind, Name};

use super::node_arg::NodeArg;
use super::trust::TrustArg;
use crate::args::{JsonFlag, whole};
use crate::control::socket::Bound;
use crate::error::{CliError, Exit, Result};
use crate::output::Output;
use crate::paths::Paths;
use crate::store::location::Location;
use crate::store::{open, owner};

mod host;
mod keep;
mod plan;
mod printer;
mod records;
mod roster;
mod routes;
mod service;
mod signals;

pub(crate) use host::node_error;

/// Time that actors have to end what they handle and to run their stop hooks.
pub(crate) const STOP_TIME: Duration = Duration::from_secs(10);

/// Run actors on a node in this terminal, until Ctrl-C or `playhouse stop --all`.
///
/// Packages are verified against the trust file first; one that is refused keeps the node from starting. An actor of which something in the
/// store is damaged stands still: the others run, and the node ends with 1.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse run echo.actr counter.actr
  playhouse run playhouse.toml
  playhouse run playhouse.toml --node staging --json
  playhouse run mine.actr --danger-accept-any-signature      while you develop it
  playhouse run counter.actr --store ./data                  keeps everything there; `--store none` keeps nothing
  playhouse run counter.actr --durability memory             waits for no disk, and may lose what came last

WHAT IS KEPT
  Tells that were accepted, and the state, timers and outgoing messages of actors survive kill -9 and a power cut: they are on the
  disk before they are acknowledged (class `fsync`). The same command with the same packages goes on where it was. What each class
  promises stands in docs/DURABILITY.md; see also `playhouse store`, `state`, `mailbox`, `timers`, `backup`, `fsck`.

CONFIGURATION
  realm = 7
  trust = \"trust.toml\"                       # paths are relative to the file
  store = \"data\"                             # or memory, none, postgres://...
  durability = \"fsync\"                       # or memory, quorum
  master_key_file = \"master.json\"            # or master_key_in_keyring = \"ENTRY\"
  [config]                                   # settings of all actors
  greeting = \"hello\"
  [secrets]                                  # where secrets are, for the actors that name them
  api_key = { env = \"API_KEY\" }            # or { file = \"api-key\" }
  [policy]
  danger_native_in_process = false           # native code can do whatever the node can
  grants = [\"call\", \"tell\", \"state\"]        # at most, for every actor: call, tell, discover, stream, state, timers,
                                             # crypto, config, secrets, random, clock
  [limits]                                   # memory_bytes, table_elements, instances, stack_bytes, cpu_ms,
  cpu_ms = 500                               # wall_ms, host_calls, log_bytes, reply_bytes, message_bytes
  [[actor]]
  package = \"echo.actr\"
  grants = [\"call\"]
  concurrency = \"serial\"                     # or concurrent=8, keyed=sender, keyed=field:1
  mailbox = { capacity = 64, full = \"wait\" } # or reject, shed
  restart = { max = 5, window_ms = 60000 }
  limits = { memory_bytes = 33554432 }
  instance = \"main\"                          # under this name its state is found again
  durability = { tells = \"fsync\", effects = \"fsync\", routes = { \"echo.EchoService.Echo\" = \"memory\" } }
  quota = { state_bytes = 1048576 }          # state_keys, timers, outbox, sealed_keys, stored_messages, stored_bytes
  passivate_after = \"10m\"                    # leaves memory after so long without a message
  config = { greeting = \"hi\" }
  secrets = { api_key = { shared = true }, own = { file = \"own-secret\" } }

The master key, under which the keys of actors are sealed, is made when there is none, in the store's folder as `master-key`, or in the
operating system's keyring (`--master-key-in-keyring ENTRY`, in builds with the feature `keyring`): keep a copy of it in another place.

Ctrl-C or SIGTERM lets actors finish; a second one ends the node at once.")]
pub(crate) struct RunArgs {
    /// Packages (.actr), and at most one configuration (.toml).
    #[arg(required = true, value_name = "PACKAGE|CONFIG")]
    inputs: Vec<PathBuf>,
    /// The security domain of the actors, a number; 0 if neither this nor the configuration says.
    #[arg(long, value_name = "NUMBER", value_parser = whole::<u32>)]
    realm: Option<u32>,
    /// Let native packages run in the node's process, where they can do whatever it can.
    #[arg(long)]
    danger_native_in_process: bool,
    /// Run packages whoever signed them. For development only.
    #[arg(long)]
    danger_accept_any_signature: bool,
    /// Do not print what actors log.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    keep: keep::KeepArgs,
    #[command(flatten)]
    trust: TrustArg,
    #[command(flatten)]
    node: NodeArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// How the node speaks to its terminal.
#[derive(Debug, Clone, Copy)]
struct Voice {
    output: Output,
    /// Whether actors are to be silent.
    quiet: bool,
}

/// What a node keeps, opened.
struct Kept {
    location: Location,
    store: Option<Arc<dyn Store>>,
    /// Under which name the node owns its actors there, if others may have the store open, too.
    owner: Option<String>,
    masters: Option<MasterKeys>,
}

/// Opens the store before anything runs, so that a node without it does not start.
fn open_store(plan: &plan::Plan, paths: &Paths, node: &Name, output: Output) -> Result<Kept> {
    let location = plan.keep.location.clone();
    let store = open::for_node(&location)?;
    let owner = owner::name(&location, paths, node)?;
    let (masters, made) = plan.keep.masters(store.as_deref(), paths, node)?;
    location.remember(paths, node)?;
    if let Some(place) = made {
        output.remark(format_args!(
            "made a master key for the keys of actors: {place}; keep a copy of it elsewhere, without it those keys are lost"
        ));
    }
    Ok(Kept { location, store, owner, masters })
}

pub(crate) fn run(args: &RunArgs, output: Output) -> Result<Exit> {
    let paths = Paths::from_env()?;
    // First of all, so that commands which come at once find the node, and wait for it; but what is wrong with the plan is wrong also where a
    // node runs.
    let bound = Bound::bind(&paths, &args.node.node);
    let plan = plan::Plan::make(args, &paths)?;
    let bound = bound?;
    for danger in plan.dangers() {
        output.warn(danger);
    }
    for words in &plan.idle_words {
        output.warn(words);
    }
    let kept = open_store(&plan, &paths, &args.node.node, output)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        CliError::new(Code::Unspecified, ErrorKind::Internal, format!("cannot start threads: {error}"))
    })?;
    let exit = runtime.block_on(host::run(plan, bound, kept, Voice { output, quiet: args.quiet }));
    // Guests that do not return must not keep the process from ending.
    runtime.shutdown_background();
    exit
}
