use std::io::{self, Write};

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::args::JsonFlag;
use crate::error::{Exit, Result};
use crate::output::{BAD, CAUTION, Output, Report, Table, clean, fields};
use crate::store::access::{Access, StoreArg};
use crate::store::records::{StoreInfo, StoreRequest, StoredActor};

/// What a node's store has.
#[derive(Debug, Subcommand)]
#[command(after_help = "EXAMPLES\n  playhouse store info\n  playhouse store actors")]
pub(crate) enum StoreCommand {
    Info(InfoArgs),
    Actors(ActorsArgs),
}

/// Say where a store is and how much is in it.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES\n  playhouse store info\n  playhouse store info --store ./data --json")]
pub(crate) struct InfoArgs {
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

/// List the actors that a store keeps something of.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES\n  playhouse store actors\n  playhouse store actors --json | jq -r '.actors[].name'")]
pub(crate) struct ActorsArgs {
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Serialize)]
struct Info {
    /// Where it is.
    store: String,
    /// The node that has it open.
    node: Option<String>,
    #[serde(flatten)]
    info: StoreInfo,
}

#[derive(Debug, Serialize)]
struct Actors {
    actors: Vec<StoredActor>,
}

pub(crate) fn run(command: StoreCommand, output: Output) -> Result<Exit> {
    match command {
        StoreCommand::Info(args) => {
            let mut access = args.store.access()?;
            let (node, store) = match &access {
                Access::Node(client) => (Some(client.node().node.clone()), args.store.last()?),
                Access::Store(_) => (None, args.store.location()?),
            };
            if let Some(info) = access.ask_one(StoreRequest::Info)? {
                output.show(&Info { store: store.to_string(), node, info })?;
            }
        }
        StoreCommand::Actors(args) => {
            output.show(&Actors { actors: args.store.access()?.ask_all(StoreRequest::Actors)? })?;
        }
    }
    Ok(Exit::Ok)
}

impl Report for Info {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        let info = &self.info;
        let rows = [
            ("store", self.store.clone()),
            ("open in", self.node.as_ref().map_or_else(|| "no node".to_owned(), |node| format!("node {node}"))),
            ("durability", format!("up to {}", info.durability)),
            ("actors", info.actors.to_string()),
            ("bytes on disk", info.disk_bytes.to_string()),
            (
                "dead letters",
                format!(
                    "{}, {} bytes; {} dropped for want of room",
                    info.dead_letters, info.dead_letters_bytes, info.dead_letters_dropped
                ),
            ),
            ("replies", format!("{} remembered, {} bytes", info.replies, info.replies_bytes)),
            ("writes", format!("{} in {} groups since it was opened, {} wait", info.writes, info.groups, info.waiting)),
        ];
        fields(w, &rows)?;
        if info.disk_full {
            writeln!(w, "{CAUTION}The disk is full: new messages are refused until there is room.{CAUTION:#}")?;
        }
        Ok(())
    }
}

impl Report for Actors {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        if self.actors.is_empty() {
            return writeln!(w, "no actors");
        }
        let mut table = Table::new(&[
            "ACTOR", ">SERIAL", ">KEYS", ">BYTES", ">QUEUED", ">TIMERS", ">OUTBOX", ">SECRETS", ">COMMITS",
        ]);
        for actor in &self.actors {
            let usage = [
                actor.usage.state_keys,
                actor.usage.state_bytes,
                actor.usage.queued,
                actor.usage.timers,
                actor.usage.outbox,
                actor.usage.sealed_keys,
                actor.revision,
            ];
            let numbers = usage.iter().map(u64::to_string);
            table.row([actor.name.clone(), format!("{:x}", actor.serial)].into_iter().chain(numbers).collect());
        }
        table.write(w)?;
        for (actor, damage) in self.actors.iter().filter_map(|actor| Some((actor, actor.damage.as_ref()?))) {
            writeln!(w, "{BAD}damaged{BAD:#} {}: {}", actor.name, clean(damage))?;
        }
        Ok(())
    }
}
