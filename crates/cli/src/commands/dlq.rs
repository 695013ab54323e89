use std::collections::BTreeSet;
use std::io::{self, Write};

use base64::Engine as _;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::args::{JsonFlag, whole};
use crate::control::protocol::{DeadLetterInfo, LISTED_ERROR_BYTES_MAX, Request, WholeDeadLetter};
use crate::error::{Exit, Result};
use crate::output::{GOOD, Output, Report, Table, clean, count, cut, fields};
use crate::store::access::{Access, StoreArg};
use crate::store::letters;
use crate::time;

/// Messages that could not be handled and that nobody waits for.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
EXAMPLES
  playhouse dlq list
  playhouse dlq show 3
  playhouse dlq retry 3
  playhouse dlq export > letters.jsonl
  playhouse dlq drop --all

While the node does not run, these work on its store: a letter that is retried is handled when the node runs again.")]
pub(crate) enum DlqCommand {
    List(ListArgs),
    Show(OneArgs),
    /// Send dead letters to their actors again.
    #[command(after_help = "EXAMPLES\n  playhouse dlq retry 3\n  playhouse dlq retry 3 4\n  playhouse dlq retry --all")]
    Retry(SomeArgs),
    /// Forget dead letters.
    #[command(after_help = "EXAMPLES\n  playhouse dlq drop 3\n  playhouse dlq drop 3 4\n  playhouse dlq drop --all")]
    Drop(SomeArgs),
    Export(ExportArgs),
}

/// List the dead letters.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES\n  playhouse dlq list\n  playhouse dlq list --json | jq '.dead_letters | length'")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    store: StoreArg,
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
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Which dead letters.
#[derive(Debug, Args)]
pub(crate) struct SomeArgs {
    /// The numbers of the letters.
    #[arg(required_unless_present = "all", value_parser = whole::<u64>)]
    ids: Vec<u64>,
    /// All letters.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// Write all dead letters as JSON lines, with their payloads in base64.
#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES\n  playhouse dlq export > letters.jsonl\n  playhouse dlq export | jq -r .error | sort | uniq -c"
)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

pub(crate) fn run(command: DlqCommand, output: Output) -> Result<Exit> {
    match command {
        DlqCommand::List(args) => output.show(&Letters { dead_letters: list(&mut args.store.access()?)? })?,
        DlqCommand::Show(args) => output.show(&show(&mut args.store.access()?, args.id)?)?,
        DlqCommand::Retry(args) => output.show(&change(&args, "retried", retry)?)?,
        DlqCommand::Drop(args) => output.show(&change(&args, "dropped", forget)?)?,
        DlqCommand::Export(args) => export(&mut args.store.access()?)?,
    }
    Ok(Exit::Ok)
}

fn list(access: &mut Access) -> Result<Vec<DeadLetterInfo>> {
    let mut letters = Vec::new();
    match access {
        Access::Node(client) => client.ask_many(&Request::ListDeadLetters, |letter| {
            letters.push(letter);
            Ok(())
        })?,
        Access::Store(store) => {
            letters::each(&**store, |mut letter| {
                cut(&mut letter.info.error, LISTED_ERROR_BYTES_MAX);
                letters.push(letter.info);
                Ok(())
            })?;
        }
    }
    Ok(letters)
}

fn show(access: &mut Access, id: u64) -> Result<WholeDeadLetter> {
    match access {
        Access::Node(client) => client.ask(&Request::ShowDeadLetter { id }),
        Access::Store(store) => letters::show(&**store, id),
    }
}

fn retry(access: &mut Access, id: u64) -> Result<()> {
    match access {
        Access::Node(client) => client.ask(&Request::RetryDeadLetter { id }),
        Access::Store(store) => letters::retry(&**store, id),
    }
}

fn forget(access: &mut Access, id: u64) -> Result<()> {
    match access {
        Access::Node(client) => client.ask(&Request::DropDeadLetter { id }),
        Access::Store(store) => letters::forget(&**store, id),
    }
}

fn export(access: &mut Access) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut write = |letter: WholeDeadLetter| -> Result<()> {
        serde_json::to_writer(&mut out, &letter).map_err(io::Error::from)?;
        Ok(out.write_all(b"\n")?)
    };
    match access {
        Access::Store(store) => letters::each(&**store, &mut write)?,
        // One by one: all of them together may be much.
        node => list(node)?.into_iter().try_for_each(|letter| write(show(node, letter.id)?))?,
    }
    Ok(out.flush()?)
}

/// Looks first: a number that is wrong leaves all letters where they are. What fails afterwards is told with what was done.
fn change(args: &SomeArgs, done: &'static str, act: fn(&mut Access, u64) -> Result<()>) -> Result<Done> {
    let mut access = args.store.access()?;
    let there: BTreeSet<u64> = list(&mut access)?.into_iter().map(|letter| letter.id).collect();
    let wanted: BTreeSet<u64> = if args.all { there.clone() } else { args.ids.iter().copied().collect() };
    if let Some(missing) = wanted.difference(&there).next() {
        let error = letters::absent(*missing);
        return Err(if wanted.len() == 1 { error } else { error.prefixed(&format!("nothing was {done}: ")) });
    }
    let mut ids = Vec::new();
    for id in wanted {
        act(&mut access, id).map_err(|error| match &ids[..] {
            [] => error,
            some => error.prefixed(&format!("{done} {}; then letter {id}: ", listed(some))),
        })?;
        ids.push(id);
    }
    Ok(Done { done, dead_letters: ids, store: args.store.place(&access)? })
}

/// Numbers for people: the first ones, and how many.
fn listed(ids: &[u64]) -> String {
    /// More do not help.
    const NAMED_MAX: usize = 20;
    let named: Vec<String> = ids.iter().take(NAMED_MAX).map(u64::to_string).collect();
    match ids.len().saturating_sub(NAMED_MAX) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[derive(Debug, Serialize)]
struct Done {
    done: &'static str,
    dead_letters: Vec<u64>,
    /// The node or the store in which.
    store: String,
}

impl Report for Done {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        let letters = count(self.dead_letters.len() as u64, "dead letter");
        writeln!(w, "{GOOD}{}{GOOD:#} {letters}, in {}", self.done, clean(&self.store))
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
