use std::io::{self, Write};

use clap::Args;
use playhouse_types::Code;
use serde::Serialize;

use crate::args::JsonFlag;
use crate::error::{Exit, Result};
use crate::output::{BAD, GOOD, Output, Report, clean};
use crate::store::access::{Access, StoreArg};
use crate::store::open;
use crate::store::records::{Finding, StoreRequest};

/// Look at everything in a store and name what is damaged.
///
/// Works while the node runs and while it does not. Ends with 0 if all is well, with 1 if something is damaged.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse fsck                      of the node, or of the store that it had when it ran last
  playhouse fsck --store ./data
  playhouse fsck --json | jq -r '.damage[].what'
  playhouse fsck --danger-drop-damaged      where there is no backup: forgets what is damaged, so that the rest goes on

Only what is named is affected: actors whose records are damaged stand still, others run. To go on, restore a backup
(`playhouse restore`), or save what is sound (`playhouse state export ACTOR --skip-damaged`). Where the file itself is
damaged, not what is in it, nothing can be dropped: only a backup helps.")]
pub(crate) struct FsckArgs {
    /// Forget every damaged record. What else its actor has stays, unless it is the record of the actor itself. Only while no node has the
    /// store open.
    #[arg(long)]
    danger_drop_damaged: bool,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Checked {
    /// Records that were looked at.
    records: u64,
    damage: Vec<Damage>,
    /// How much more there is than is listed.
    more: u64,
    /// Whether what is listed was dropped.
    dropped: bool,
}

#[derive(Debug, Serialize)]
struct Damage {
    file: String,
    table: String,
    row: String,
    what: String,
}

pub(crate) fn run(args: &FsckArgs, output: Output) -> Result<Exit> {
    // It says itself what opening a damaged store remarks on.
    let checked = open::quietly(|| match args.danger_drop_damaged {
        true => drop_damaged(&args.store),
        false => check(&mut args.store.access()?),
    })?;
    output.show(&checked)?;
    Ok(if checked.damage.is_empty() || checked.dropped { Exit::Ok } else { Exit::Failed })
}

/// Reads everything.
pub(super) fn check(access: &mut Access) -> Result<Checked> {
    let mut checked = Checked::default();
    access.ask_many(StoreRequest::Check, |finding| {
        match finding {
            Finding::Damage { file, table, row, what } => checked.damage.push(Damage { file, table, row, what }),
            Finding::Checked { records, more } => (checked.records, checked.more) = (records, more),
        }
        Ok(())
    })?;
    Ok(checked)
}

/// What was damaged before; all of it is gone if nothing is afterwards.
fn drop_damaged(store: &StoreArg) -> Result<Checked> {
    let folder = store.folder()?;
    let before = check(&mut Access::Store(store.open_alone()?))?;
    if before.damage.is_empty() {
        return Ok(before);
    }
    let left = check(&mut Access::Store(open::without_damaged(&folder)?))?;
    Ok(if left.damage.is_empty() { Checked { dropped: true, ..before } } else { left })
}

impl Checked {
    /// How many records are damaged.
    pub(super) fn found(&self) -> u64 {
        self.damage.len() as u64 + self.more
    }
}

impl Report for Checked {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        for damage in &self.damage {
            let place = format!("{}, {}, {}", damage.file, damage.table, damage.row);
            let word = if self.dropped { "dropped" } else { "damaged" };
            writeln!(w, "{BAD}{word}{BAD:#} {}: {}", clean(&place), clean(&damage.what))?;
        }
        if self.more > 0 {
            writeln!(w, "and {} more", self.more)?;
        }
        match self.found() {
            0 => writeln!(w, "{GOOD}sound{GOOD:#} {} records", self.records),
            found if self.dropped => writeln!(w, "{GOOD}sound{GOOD:#} without these {found}"),
            1 => writeln!(w, "1 of {} records is damaged [{}]", self.records, Code::StoreCorrupt),
            found => writeln!(w, "{found} of {} records are damaged [{}]", self.records, Code::StoreCorrupt),
        }
    }
}
