use std::io::{self, Write};

use clap::Args;
use playhouse_types::Code;
use serde::Serialize;

use crate::args::JsonFlag;
use crate::error::{Exit, Result};
use crate::output::{BAD, GOOD, Output, Report, clean};
use crate::store::access::StoreArg;
use crate::store::records::{Finding, StoreRequest};

/// Look at everything in a store and name what is damaged.
///
/// Works while the node runs and while it does not. Nothing is changed. Ends with 0 if all is well, with 1 if something is damaged.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse fsck                      of the node, or of the store that it had when it ran last
  playhouse fsck --store ./data
  playhouse fsck --json | jq -r '.damage[].what'

Only what is named is affected: actors whose records are damaged stand still, others run. To go on, restore a backup
(`playhouse restore`).")]
pub(crate) struct FsckArgs {
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Default, Serialize)]
struct Checked {
    /// Records that were looked at.
    records: u64,
    damage: Vec<Damage>,
    /// How much more there is than is listed.
    more: u64,
}

#[derive(Debug, Serialize)]
struct Damage {
    file: String,
    table: String,
    row: String,
    what: String,
}

pub(crate) fn run(args: &FsckArgs, output: Output) -> Result<Exit> {
    let mut checked = Checked::default();
    args.store.access()?.ask_many(StoreRequest::Check, |finding| {
        match finding {
            Finding::Damage { file, table, row, what } => checked.damage.push(Damage { file, table, row, what }),
            Finding::Checked { records, more } => (checked.records, checked.more) = (records, more),
        }
        Ok(())
    })?;
    output.show(&checked)?;
    Ok(if checked.damage.is_empty() { Exit::Ok } else { Exit::Failed })
}

impl Report for Checked {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        for damage in &self.damage {
            let place = format!("{}, {}, {}", damage.file, damage.table, damage.row);
            writeln!(w, "{BAD}damaged{BAD:#} {}: {}", clean(&place), clean(&damage.what))?;
        }
        if self.more > 0 {
            writeln!(w, "and {} more", self.more)?;
        }
        let found = self.damage.len() as u64 + self.more;
        match found {
            0 => writeln!(w, "{GOOD}sound{GOOD:#} {} records", self.records),
            _ => writeln!(w, "{found} of {} records [{}]", self.records, Code::StoreCorrupt),
        }
    }
}
