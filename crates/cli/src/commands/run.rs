use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use playhouse_types::{Code, ErrorKind};

use super::node_arg::NodeArg;
use super::trust::TrustArg;
use crate::args::{JsonFlag, whole};
use crate::control::socket::Bound;
use crate::error::{CliError, Exit, Result};
use crate::output::Output;
use crate::paths::Paths;

mod host;
mod plan;
mod printer;
mod records;
mod roster;
mod service;
mod signals;

pub(crate) use host::node_error;

/// Time that actors have to end what they handle and to run their stop hooks.
pub(crate) const STOP_TIME: Duration = Duration::from_secs(10);

/// Run actors on a node in this terminal, until Ctrl-C or `playhouse stop --all`.
///
/// Packages are verified against the trust file first; one that is refused keeps the node from starting.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse run echo.actr counter.actr
  playhouse run playhouse.toml
  playhouse run playhouse.toml --node staging --json
  playhouse run mine.actr --danger-accept-any-signature      while you develop it

CONFIGURATION
  realm = 7
  trust = \"trust.toml\"                       # paths are relative to the file
  [policy]
  danger_native_in_process = false           # native code can do whatever the node can
  grants = [\"call\", \"tell\", \"discover\", \"stream\"]
  [limits]                                   # memory_bytes, table_elements, instances, stack_bytes, cpu_ms,
  cpu_ms = 500                               # wall_ms, host_calls, log_bytes, reply_bytes, message_bytes
  [[actor]]
  package = \"echo.actr\"
  grants = [\"call\"]
  concurrency = \"serial\"                     # or concurrent=8, keyed=sender, keyed=field:1
  mailbox = { capacity = 64, full = \"wait\" } # or reject, shed
  restart = { max = 5, window_ms = 60000 }
  limits = { memory_bytes = 33554432 }

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
    trust: TrustArg,
    #[command(flatten)]
    node: NodeArg,
    #[command(flatten)]
    json: JsonFlag,
}

pub(crate) fn run(args: &RunArgs, output: Output) -> Result<Exit> {
    let paths = Paths::from_env()?;
    let plan = plan::Plan::make(args, &paths)?;
    for danger in plan.dangers() {
        output.warn(danger);
    }
    let bound = Bound::bind(&paths, &args.node.node)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        CliError::new(Code::Unspecified, ErrorKind::Internal, format!("cannot start threads: {error}"))
    })?;
    let exit = runtime.block_on(host::run(plan, bound, output, args.quiet));
    // Guests that do not return must not keep the process from ending.
    runtime.shutdown_background();
    exit
}
