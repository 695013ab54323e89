use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use crate::args::{JsonFlag, whole};
use crate::error::{Exit, Result};
use crate::output::{Output, Report, Table, count};
use crate::store::access::StoreArg;
use crate::store::records::{QueuedMessage, StoreRequest, StoredActor};
use crate::time;

/// List the messages that the store keeps for an actor until they are handled.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse mailbox Counter
  playhouse mailbox Counter --limit 10 --json
  playhouse mailbox Counter --store backup-store

Calls of class `memory` are not among them: their callers wait, and ask again. `playhouse ps` counts those too.")]
pub(crate) struct MailboxArgs {
    /// The actor: its name in the store, its id, type or name, or the beginning of one.
    actor: String,
    /// At most so many.
    #[arg(long, value_name = "NUMBER", default_value = "100", value_parser = whole::<usize>)]
    limit: usize,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Serialize)]
struct Mailbox {
    actor: String,
    queued: u64,
    queued_bytes: u64,
    messages: Vec<QueuedMessage>,
}

pub(crate) fn run(args: &MailboxArgs, output: Output) -> Result<Exit> {
    let mut access = args.store.access()?;
    let request = StoreRequest::Mailbox { actor: args.actor.clone(), limit: args.limit };
    let messages = access.ask_all(request)?;
    if let Some(actor) = access.ask_one::<StoredActor>(StoreRequest::Find { actor: args.actor.clone() })? {
        let (queued, queued_bytes) = (actor.usage.queued, actor.usage.queued_bytes);
        output.show(&Mailbox { actor: actor.name, queued, queued_bytes, messages })?;
    }
    Ok(Exit::Ok)
}

impl Report for Mailbox {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        let (messages, verb) = (count(self.queued, "message"), if self.queued == 1 { "waits" } else { "wait" });
        writeln!(w, "{messages} {verb} for {}: {} bytes with their envelopes", self.actor, self.queued_bytes)?;
        if self.messages.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(&[">NUMBER", "TIME", "PRIORITY", "KIND", ">ATTEMPTS", "FROM", "ROUTE", ">BYTES"]);
        for message in &self.messages {
            table.row(vec![
                message.number.to_string(),
                time::utc(message.time_ms / 1000),
                message.priority.clone(),
                message.kind.clone(),
                message.attempts.to_string(),
                message.caller.clone().unwrap_or_else(|| "the application".to_owned()),
                message.route.clone(),
                message.bytes.to_string(),
            ]);
        }
        table.write(w)?;
        if (self.messages.len() as u64) < self.queued {
            writeln!(w, "there are more: a larger --limit")?;
        }
        Ok(())
    }
}
