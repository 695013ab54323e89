use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use super::node_arg::NodeArg;
use crate::args::JsonFlag;
use crate::commands::run::STOP_TIME;
use crate::control::protocol::Request;
use crate::error::{Exit, Result};
use crate::output::{GOOD, Output, Report};

/// Start an actor again that was parked because it crashed too often.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse resume EchoService
  playhouse ps --json | jq -r '.actors[] | select(.state == \"parked\") | .id' | xargs -n 1 playhouse resume

Its crashes so far no longer count. `playhouse logs ACTOR` says why it crashed.")]
pub(crate) struct ResumeArgs {
    /// The actor: its id, type or name, or the beginning of one.
    actor: String,
    #[command(flatten)]
    node: NodeArg,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Serialize)]
struct Resumed {
    resumed: String,
}

impl Report for Resumed {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        writeln!(w, "{GOOD}running{GOOD:#} {}", self.resumed)
    }
}

pub(crate) fn run(args: &ResumeArgs, output: Output) -> Result<Exit> {
    let request = Request::ResumeActor { actor: args.actor.clone() };
    let resumed = args.node.connect()?.ask_for(&request, STOP_TIME)?;
    output.show(&Resumed { resumed })?;
    Ok(Exit::Ok)
}
