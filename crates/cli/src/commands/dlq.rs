use std::io::{self, Write};

use base64::Engine as _;
use clap::{Args, Subcommand};
use playhouse_types::{Code, ErrorKind};
use serde::Serialize;

use super::node_arg::NodeArg;
use crate::args::JsonFlag;
use crate::control::client::Client;
use crate::control::protocol::{DeadLetterInfo, Request};
use crate::error::{CliError, Exit, Result};
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
    Retry(SomeArgs),
    Drop(SomeArgs),
}

/// List the dead letters.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES\n  playhouse dlq list\n  playhouse dlq list --json | jq length")]
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
    id: u64,
    #[command(flatten)]
    node: NodeArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Send dead letters to their actors again (retry), or forget them (drop).
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES\n  playhouse dlq retry 3 4\n  playhouse dlq drop 3\n  playhouse dlq drop --all")]
pub(crate) struct SomeArgs {
    /// The numbers of the letters.
    #[arg(required_unless_present = "all")]
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
            let dead_letters = args.node.connect()?.ask(&Request::DeadLetters)?;
            output.show(&Letters { dead_letters })?;
        }
        DlqCommand::Show(args) => {
            let all: Vec<DeadLetterInfo> = args.node.connect()?.ask(&Request::DeadLetters)?;
            output.show(&all.into_iter().find(|letter| letter.id == args.id).ok_or_else(|| none(args.id))?)?;
        }
        DlqCommand::Retry(args) => output.show(&change(&args, "retried", |id| Request::RetryDeadLetter { id })?)?,
        DlqCommand::Drop(args) => output.show(&change(&args, "dropped", |id| Request::DropDeadLetter { id })?)?,
    }
    Ok(Exit::Ok)
}

fn none(id: u64) -> CliError {
    CliError::new(Code::Usage, ErrorKind::NotFound, format!("there is no dead letter {id}"))
        .fix("`playhouse dlq list` lists them; the oldest make room for new ones.")
}

fn change(args: &SomeArgs, done: &'static str, request: impl Fn(u64) -> Request) -> Result<Done> {
    let mut client: Client = args.node.connect()?;
    let ids = if args.all {
        let all: Vec<DeadLetterInfo> = client.ask(&Request::DeadLetters)?;
        all.into_iter().map(|letter| letter.id).collect()
    } else {
        args.ids.clone()
    };
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
                letter.payload.0.len().to_string(),
                letter.error.clone(),
            ]);
        }
        table.write(w)
    }
}

impl Report for DeadLetterInfo {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        fields(
            w,
            &[
                ("id", self.id.to_string()),
                ("time", time::utc(self.time_ms / 1000)),
                ("actor", self.actor.clone()),
                ("route", self.route.clone()),
                ("caller", self.caller.clone().unwrap_or_else(|| "the application".to_owned())),
                ("attempts", self.attempts.to_string()),
                ("error", self.error.clone()),
                ("payload", base64::engine::general_purpose::STANDARD.encode(&self.payload.0)),
            ],
        )
    }
}
