use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use crate::args::JsonFlag;
use crate::error::{Exit, Result};
use crate::output::{BAD, CAUTION, GOOD, Output, Report, STRONG, clean};
use crate::paths::Paths;

mod checks;

/// Look at this machine and say what is fine and what to do.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse doctor
  playhouse doctor --json | jq '.checks[] | select(.verdict != \"fine\")'

EXIT CODES
  0  nothing keeps actors from running; notes may say what is missing for less common work
  1  something must be changed")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    json: JsonFlag,
}

/// How one thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// As it should be.
    Fine,
    /// Something that only some work needs is missing.
    Note,
    /// Must be changed.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    verdict: Verdict,
    seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Check {
    fn fine(name: &'static str, seen: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Fine, seen: seen.into(), fix: None }
    }

    fn note(name: &'static str, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Note, seen: seen.into(), fix: Some(fix.into()) }
    }

    fn problem(name: &'static str, seen: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Problem, seen: seen.into(), fix: Some(fix.into()) }
    }
}

#[derive(Debug, Serialize)]
struct Diagnosis {
    checks: Vec<Check>,
}

pub(crate) fn run(_args: &DoctorArgs, output: Output) -> Result<Exit> {
    let paths = Paths::from_env();
    let diagnosis = Diagnosis { checks: checks::all(paths.as_ref()) };
    output.show(&diagnosis)?;
    let ill = diagnosis.checks.iter().any(|check| check.verdict == Verdict::Problem);
    Ok(if ill { Exit::Failed } else { Exit::Ok })
}

impl Report for Diagnosis {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        for check in &self.checks {
            let (style, mark) = match check.verdict {
                Verdict::Fine => (GOOD, "fine   "),
                Verdict::Note => (CAUTION, "note   "),
                Verdict::Problem => (BAD, "problem"),
            };
            writeln!(w, "{style}{mark}{style:#}  {STRONG}{:width$}{STRONG:#}  {}", check.name, clean(&check.seen))?;
            if let Some(fix) = &check.fix {
                writeln!(w, "         {:width$}  fix: {}", "", clean(fix))?;
            }
        }
        Ok(())
    }
}
