use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use clap::Args;
use serde::Serialize;

use super::node_arg::NodeArg;
use crate::args::{JsonFlag, whole};
use crate::control::protocol::{LogRecord, Request};
use crate::error::{Exit, Result};
use crate::output::{BAD, CAUTION, FAINT, Output, Report, clean};
use crate::time::clock_time;

/// Show what actors log.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse logs
  playhouse logs EchoService --tail 20
  playhouse logs -f
  playhouse logs -f --json | jq 'select(.level == \"error\")'

Times are in UTC. With -f, JSON comes as one document a line.")]
pub(crate) struct LogsArgs {
    /// Only of this actor: its id, type or name, or the beginning of one.
    actor: Option<String>,
    /// Go on with lines as they are written, until Ctrl-C or the end of the node.
    #[arg(long, short)]
    follow: bool,
    /// Only the last lines of those that the node keeps.
    #[arg(long, short = 'n', value_name = "LINES", default_value_t = 1000, value_parser = whole::<usize>)]
    tail: usize,
    #[command(flatten)]
    node: NodeArg,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Serialize)]
struct Lines {
    lines: Vec<LogRecord>,
}

impl Report for Lines {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        self.lines.iter().try_for_each(|line| line.text(w))
    }
}

impl Report for LogRecord {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        let style = match self.level.as_str() {
            "error" => BAD,
            "warn" => CAUTION,
            "info" => Style::new(),
            _ => AnsiColor::BrightBlack.on_default(),
        };
        let (time, level, actor) = (clock_time(self.time_ms), self.level.to_uppercase(), short(&self.actor));
        for line in clean(&self.text).lines() {
            writeln!(w, "{FAINT}{time}{FAINT:#} {style}{level:<5}{style:#} {FAINT}{actor}{FAINT:#} {line}")?;
        }
        Ok(())
    }
}

/// Name and serial of an actor, which is how people tell a node's actors apart.
fn short(actor: &str) -> String {
    match actor.parse::<playhouse_types::ActorId>() {
        Ok(id) => format!("{}#{:x}", id.actor_type().name(), id.serial().number()),
        Err(_) => actor.to_owned(),
    }
}

pub(crate) fn run(args: &LogsArgs, output: Output) -> Result<Exit> {
    let mut client = args.node.connect()?;
    let request = Request::Logs { actor: args.actor.clone(), tail: args.tail, follow: args.follow };
    if args.follow {
        output.end_with_reader();
        client.ask_many(&request, |line: LogRecord| output.event(&line))?;
        return Ok(Exit::Ok);
    }
    let mut lines = Vec::new();
    client.ask_many(&request, |line| {
        lines.push(line);
        Ok(())
    })?;
    output.show(&Lines { lines })?;
    Ok(Exit::Ok)
}
