use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use super::node_arg::NodeArg;
use crate::args::JsonFlag;
use crate::control::protocol::{ActorInfo, Hello, Request};
use crate::error::{Exit, Result};
use crate::output::{BAD, Output, Report, Table, clean};
use crate::time::brief;

/// List the actors on a node.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse ps
  playhouse ps --node staging
  playhouse ps --json | jq '.actors[] | select(.state == \"parked\") | .id'

COLUMNS
  STATE    starting, running, passive (left memory until the next message), restarting, parked, stopping,
           damaged (does not run: what it keeps is not what was written)
  MAILBOX  messages that wait        FAILED    of the handled, those that ended with an error
  HANDLED  events handled, starts    RESTARTS  times that the actor crashed
           among them
  P50      time that half of the events took at most, from a sample")]
pub(crate) struct PsArgs {
    #[command(flatten)]
    node: NodeArg,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Serialize)]
struct Overview {
    node: Hello,
    actors: Vec<ActorInfo>,
}

pub(crate) fn run(args: &PsArgs, output: Output) -> Result<Exit> {
    let mut client = args.node.connect()?;
    let actors = client.ask(&Request::Actors)?;
    output.show(&Overview { node: client.node().clone(), actors })?;
    Ok(Exit::Ok)
}

impl Report for Overview {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        let mut table =
            Table::new(&["ID", "TYPE", "ENGINE", "STATE", ">MAILBOX", ">HANDLED", ">FAILED", ">RESTARTS", ">P50"]);
        for actor in &self.actors {
            table.row(vec![
                actor.id.as_deref().and_then(|id| id.split('/').next()).unwrap_or("-").to_owned(),
                actor.actor_type.clone(),
                actor.engine.clone(),
                actor.state.clone(),
                actor.mailbox.to_string(),
                actor.handled.to_string(),
                actor.failed.to_string(),
                actor.restarts.to_string(),
                actor.p50_us.map(brief).unwrap_or_default(),
            ]);
        }
        table.write(w)?;
        for actor in self.actors.iter().filter(|actor| actor.state != "running") {
            if let Some(error) = &actor.last_error {
                let id = actor.id.as_ref().unwrap_or(&actor.actor_type);
                writeln!(w, "{BAD}{}{BAD:#} {id}: {}", actor.state, clean(error))?;
            }
        }
        Ok(())
    }
}
