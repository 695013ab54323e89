use std::io::{self, Write};

use base64::Engine as _;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::node_arg::NodeArg;
use crate::args::{JsonFlag, whole};
use crate::control::client::Client;
use crate::control::protocol::{DeadLetterInfo, Request, WholeDeadLetter};
use crate::error::{Exit, Result};
use crate::output::{GOOD, Output, Report, Table, fields};
use crate::time;

/// Messages that could not be handled and that nobody waits for.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
EXAMPLES
  playhouse dlq list
  playhouse dlq show 3
  playhouse dlq retry 3
  playhouse dlq drop --all")]
pub(crate) enum DlqCommand {
    List(ListArgs),
    Show(OneArgs),
    /// Send dead letters to their actors again.
    Retry(SomeArgs),
    /// Forget dead letters.
    Drop(SomeArgs),
}

/// List the dead letters.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES\n  playhouse dlq list\n  playhouse dlq list --json | jq '.dead_letters | length'")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    node: NodeArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Show one dead letter with its payload.
#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  playhouse dlq show 3\n  playhouse dlq show 3 --json | jq -r .payload | base64 -d > message"
)]
pub(crate) struct OneArgs {
    /// The number of the letter.
    #[arg(value_parser = whole::<u64>)]
    id: u64,
    #[command(flatten)]
    node: NodeArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Which dead letters.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES\n  playhouse dlq retry 3 4\n  playhouse dlq drop 3\n  playhouse dlq drop --all")]
pub(crate) struct SomeArgs {
    /// The numbers of the letters.
    #[arg(required_unless_present = "all", value_parser = whole::<u64>)]
    ids: Vec<u64>,
    /// All letters.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    #[command(flatten)]
    node: NodeArg,
    #[command(flatten)]
    json: JsonFlag,
}

pub(crate) fn run(command: DlqCommand, output: Output) -> Result<Exit> {
    match command {
        DlqCommand::List(args) => {
            let dead_letters = list(&mut args.node.connect()?)?;
            output.show(&Letters { dead_letters })?;
        }
        DlqCommand::Show(args) => {
            let letter: WholeDeadLetter = args.node.connect()?.ask(&Request::ShowDeadLetter { id: args.id })?;
            output.show(&letter)?;
        }
        DlqCommand::Retry(args) => output.show(&change(&args, "retried", |id| Request::RetryDeadLetter { id })?)?,
        DlqCommand::Drop(args) => output.show(&change(&args, "dropped", |id| Request::DropDeadLetter { id })?)?,
    }
    Ok(Exit::Ok)
}

fn list(client: &mut Client) -> Result<Vec<DeadLetterInfo>> {
    let mut letters = Vec::new();
    client.ask_many(&Request::ListDeadLetters, |letter| {
        letters.push(letter);
        Ok(())
    })?;
    Ok(letters)
}

fn change(args: &SomeArgs, done: &'static str, request: impl Fn(u64) -> Request) -> Result<Done> {
    let mut client: Client = args.node.connect()?;
    let ids =
        if args.all { list(&mut client)?.into_iter().map(|letter| letter.id).collect() } else { args.ids.clone() };
    for id in &ids {
        let () = client.ask(&request(*id))?;
    }
    Ok(Done { done, dead_letters: ids })
}

#[derive(Debug, Serialize)]
struct Done {
    done: &'static str,
    dead_letters: Vec<u64>,
}

impl Report for Done {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        writeln!(w, "{GOOD}{}{GOOD:#} {} dead letters", self.done, self.dead_letters.len())
    }
}

#[derive(Debug, Serialize)]
struct Letters {
    dead_letters: Vec<DeadLetterInfo>,
}

impl Report for Letters {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        if self.dead_letters.is_empty() {
            return writeln!(w, "no dead letters");
        }
        let mut table = Table::new(&[">ID", "TIME", "ACTOR", "ROUTE", ">BYTES", "ERROR"]);
        for letter in &self.dead_letters {
            table.row(vec![
                letter.id.to_string(),
                time::utc(letter.time_ms / 1000),
                letter.actor.clone(),
                letter.route.clone(),
                letter.bytes.to_string(),
                letter.error.clone(),
            ]);
        }
        table.write(w)
    }
}

impl Report for WholeDeadLetter {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        let info = &self.info;
        fields(
            w,
            &[
                ("id", info.id.to_string()),
                ("time", time::utc(info.time_ms / 1000)),
                ("actor", info.actor.clone()),
                ("route", info.route.clone()),
                ("caller", info.caller.clone().unwrap_or_else(|| "the application".to_owned())),
                ("attempts", info.attempts.to_string()),
                ("error", info.error.clone()),
                ("bytes", info.bytes.to_string()),
                ("payload", base64::engine::general_purpose::STANDARD.encode(&self.payload.0)),
            ],
        )
    }
}
