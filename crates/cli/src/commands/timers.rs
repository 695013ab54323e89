use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use crate::args::{JsonFlag, whole};
use crate::error::{Exit, Result};
use crate::output::{Output, Report, Table};
use crate::store::access::StoreArg;
use crate::store::records::{StoreRequest, StoredTimer};
use crate::time;

/// List the timers that actors have set.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse timers                 of all actors, the next one first
  playhouse timers Reminder
  playhouse timers --json | jq '.timers[0].due_ms'")]
pub(crate) struct TimersArgs {
    /// Only of this actor: its name in the store, its id, type or name, or the beginning of one.
    actor: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "NUMBER", default_value = "100", value_parser = whole::<usize>)]
    limit: usize,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Serialize)]
struct Timers {
    timers: Vec<StoredTimer>,
}

pub(crate) fn run(args: &TimersArgs, output: Output) -> Result<Exit> {
    let request = StoreRequest::Timers { actor: args.actor.clone(), limit: args.limit };
    output.show(&Timers { timers: args.store.access()?.ask_all(request)? })?;
    Ok(Exit::Ok)
}

impl Report for Timers {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        if self.timers.is_empty() {
            return writeln!(w, "no timers");
        }
        let mut table = Table::new(&["DUE", "ACTOR", "NAME", ">BYTES"]);
        for timer in &self.timers {
            let due = time::utc(timer.due_ms / 1000);
            table.row(vec![due, timer.actor.clone(), timer.name.clone(), timer.bytes.to_string()]);
        }
        table.write(w)
    }
}
