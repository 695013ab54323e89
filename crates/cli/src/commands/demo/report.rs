use std::io::{self, Write};

use serde::Serialize;

use crate::output::{BAD, CAUTION, FAINT, GOOD, Report, STRONG, Table, clean};
use crate::time::brief;

/// The program that embeds the node, where an actor would stand.
pub(super) const APPLICATION: &str = "the application";

/// Everything that the demo did.
#[derive(Debug, Serialize)]
pub(super) struct Played {
    pub(super) packages: Vec<PackageRow>,
    pub(super) calls: Vec<CallRow>,
    pub(super) streams: Vec<StreamRow>,
    pub(super) refused: Vec<RefusalRow>,
    pub(super) contained: Vec<ContainmentRow>,
    pub(super) kept: KeptRow,
    pub(super) notes: Vec<String>,
    pub(super) millis: f64,
}

/// A package that was verified and run.
#[derive(Debug, Default, Serialize)]
pub(super) struct PackageRow {
    pub(super) file: &'static str,
    pub(super) actor_type: String,
    pub(super) kind: &'static str,
    pub(super) signed_by: String,
    pub(super) verify_ms: f64,
    pub(super) start_ms: f64,
    pub(super) running: bool,
}

impl PackageRow {
    pub(super) fn new(file: &'static str) -> Self {
        Self { file, ..Self::default() }
    }
}

/// Who called whom. No engine stands for the application.
#[derive(Debug, Serialize)]
pub(super) struct CallRow {
    pub(super) from: String,
    pub(super) from_engine: Option<&'static str>,
    pub(super) to: String,
    pub(super) to_engine: Option<&'static str>,
    pub(super) calls: usize,
    pub(super) p50_us: f64,
}

/// A stream that flowed.
#[derive(Debug, Serialize)]
pub(super) struct StreamRow {
    pub(super) from: String,
    pub(super) from_engine: &'static str,
    pub(super) to: String,
    pub(super) to_engine: &'static str,
    pub(super) chunks: u64,
    pub(super) bytes: u64,
    pub(super) in_order: bool,
    pub(super) mib_per_s: f64,
}

/// A package that was refused, as it must be.
#[derive(Debug, Serialize)]
pub(super) struct RefusalRow {
    pub(super) package: &'static str,
    pub(super) what: &'static str,
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// A guest that misbehaved and was stopped.
#[derive(Debug, Serialize)]
pub(super) struct ContainmentRow {
    pub(super) actor: String,
    pub(super) engine: &'static str,
    pub(super) what: &'static str,
    pub(super) code: &'static str,
    pub(super) after_ms: f64,
    pub(super) others_answered: u64,
    pub(super) others_slowest_us: f64,
    pub(super) recovered: bool,
}

/// An actor whose state outlived its node.
#[derive(Debug, Serialize)]
pub(super) struct KeptRow {
    pub(super) actor: String,
    /// Calls that changed its state, each on the disk before it was answered.
    pub(super) entries: u64,
    pub(super) p50_us: f64,
    /// What was there afterwards.
    pub(super) kept: u64,
    /// From opening the store to the first answer.
    pub(super) restart_ms: f64,
}

impl Report for Played {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        self.write_packages(w)?;
        self.write_calls(w)?;
        self.write_streams(w)?;
        self.write_refusals(w)?;
        self.write_kept(w)?;
        for note in &self.notes {
            writeln!(w, "\n{CAUTION}note:{CAUTION:#} {}", clean(note))?;
        }
        writeln!(w, "\n{GOOD}everything worked{GOOD:#} in {}", brief(self.millis * 1e3))
    }
}

impl Played {
    fn write_packages(&self, w: &mut dyn Write) -> io::Result<()> {
        title(w, "Signed packages were verified and started")?;
        let mut table = Table::new(&["PACKAGE", "TYPE", "PROGRAM", "SIGNED BY", ">VERIFY", ">START"]);
        for row in &self.packages {
            let start = if row.running { brief(row.start_ms * 1e3) } else { "not here".to_owned() };
            table.row(vec![
                row.file.to_owned(),
                row.actor_type.clone(),
                row.kind.to_owned(),
                row.signed_by.clone(),
                brief(row.verify_ms * 1e3),
                start,
            ]);
        }
        table.write(w)
    }

    fn write_calls(&self, w: &mut dyn Write) -> io::Result<()> {
        title(
            w,
            "\nEach called each other, up to 200 times in 80 ms (time from the application and back, through the caller)",
        )?;
        let mut table = Table::new(&["CALLER", "ENGINE", "CALLED", "ENGINE", ">CALLS", ">P50"]);
        for row in &self.calls {
            table.row(vec![
                row.from.clone(),
                row.from_engine.unwrap_or("").to_owned(),
                row.to.clone(),
                row.to_engine.unwrap_or("").to_owned(),
                row.calls.to_string(),
                brief(row.p50_us),
            ]);
        }
        table.write(w)
    }

    fn write_streams(&self, w: &mut dyn Write) -> io::Result<()> {
        title(w, "\nStreams flowed, in order and complete")?;
        let mut table = Table::new(&["SOURCE", "ENGINE", "SINK", "ENGINE", ">CHUNKS", ">KIB", ">MIB/S"]);
        for row in &self.streams {
            table.row(vec![
                row.from.clone(),
                row.from_engine.to_owned(),
                row.to.clone(),
                row.to_engine.to_owned(),
                row.chunks.to_string(),
                (row.bytes >> 10).to_string(),
                format!("{:.1}", row.mib_per_s),
            ]);
        }
        table.write(w)
    }

    fn write_refusals(&self, w: &mut dyn Write) -> io::Result<()> {
        title(w, "\nWhat must not run did not")?;
        for row in &self.refused {
            writeln!(w, "{}, {}", row.package, row.what)?;
            writeln!(w, "  {BAD}refused{BAD:#} {} {FAINT}[{}]{FAINT:#}", clean(&row.message), row.code)?;
        }
        for row in &self.contained {
            let (slowest, after) = (brief(row.others_slowest_us), brief(row.after_ms * 1e3));
            writeln!(w, "{} ({}), {}", row.actor, row.engine, row.what)?;
            writeln!(w, "  {BAD}cut off{BAD:#} after {after} {FAINT}[{}]{FAINT:#}, and answers again", row.code)?;
            writeln!(w, "  meanwhile the others answered {} calls, the slowest in {slowest}", row.others_answered)?;
        }
        Ok(())
    }
}

impl Played {
    fn write_kept(&self, w: &mut dyn Write) -> io::Result<()> {
        title(w, "\nWhat an actor keeps outlives its node")?;
        let mut table =
            Table::new(&["ACTOR", ">WRITES", ">P50, ON THE DISK", ">THERE AFTER A RESTART", ">FIRST ANSWER AFTER"]);
        let KeptRow { actor, entries, p50_us, kept, restart_ms } = &self.kept;
        let (p50, restart) = (brief(*p50_us), brief(restart_ms * 1e3));
        table.row(vec![actor.clone(), entries.to_string(), p50, kept.to_string(), restart]);
        table.write(w)
    }
}

fn title(w: &mut dyn Write, text: &str) -> io::Result<()> {
    writeln!(w, "{STRONG}{text}{STRONG:#}")
}
