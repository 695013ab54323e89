use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use super::node_arg::NodeArg;
use crate::args::JsonFlag;
use crate::commands::run::STOP_TIME;
use crate::control::protocol::Request;
use crate::error::{Exit, Result};
use crate::output::{GOOD, Output, Report};

/// Time on top of the node's own for its process to end.
const END_TIME: Duration = Duration::from_secs(10);

/// Stop one actor, or a node with all its actors.
#[derive(Debug, Args)]
#[command(override_usage = "playhouse stop [OPTIONS] <ACTOR>\n       playhouse stop [OPTIONS] --all")]
#[command(after_help = "\
EXAMPLES
  playhouse stop EchoService
  playhouse stop --all
  playhouse stop --all --node staging

An actor ends what it handles and runs its stop hook. Returns when that is done.")]
pub(crate) struct StopArgs {
    /// The actor: its id, type or name, or the beginning of one.
    #[arg(required_unless_present = "all")]
    actor: Option<String>,
    /// Stop the node.
    #[arg(long, conflicts_with = "actor")]
    all: bool,
    #[command(flatten)]
    node: NodeArg,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Serialize)]
struct Stopped {
    stopped: String,
}

impl Report for Stopped {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        writeln!(w, "{GOOD}stopped{GOOD:#} {}", self.stopped)
    }
}

pub(crate) fn run(args: &StopArgs, output: Output) -> Result<Exit> {
    let mut client = args.node.connect_now()?;
    let stopped = match &args.actor {
        Some(actor) => client.ask_for(&Request::StopActor { actor: actor.clone() }, STOP_TIME)?,
        None => {
            client.ask_to_end(STOP_TIME.saturating_add(END_TIME))?;
            format!("node {}", args.node.node)
        }
    };
    output.show(&Stopped { stopped })?;
    Ok(Exit::Ok)
}
