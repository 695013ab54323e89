use std::io::{self, Write};

use clap::Args;
use playhouse_types::{Code, ErrorKind};
use serde::Serialize;

use crate::args::JsonFlag;
use crate::error::{CliError, Exit, Result, way_out};
use crate::output::{FAINT, Output, Report, STRONG, nearest};

/// Say what a code in an error means and what to do about it.
#[derive(Debug, Args)]
#[command(after_help = "\
EXAMPLES
  playhouse explain mailbox-full
  playhouse explain                  lists every code")]
pub(crate) struct ExplainArgs {
    /// The code, as it stands in the error. Without it, every code is listed.
    code: Option<String>,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Serialize)]
struct Explanation {
    code: &'static str,
    explanation: String,
    fix: &'static str,
}

#[derive(Debug, Serialize)]
struct Explanations {
    codes: Vec<Explanation>,
}

pub(crate) fn run(args: &ExplainArgs, output: Output) -> Result<Exit> {
    match &args.code {
        Some(text) => output.show(&explain(find(text)?))?,
        None => output.show(&Explanations { codes: Code::ALL.iter().copied().map(explain).collect() })?,
    }
    Ok(Exit::Ok)
}

fn find(text: &str) -> Result<Code> {
    let wanted = text.trim().trim_matches(['[', ']']).to_ascii_lowercase().replace('_', "-");
    Code::from_text(&wanted).ok_or_else(|| {
        let fix = match nearest(&wanted, Code::ALL.iter().map(|code| code.text())) {
            Some(near) => format!("Did you mean `playhouse explain {near}`?"),
            None => "`playhouse explain` lists every code.".to_owned(),
        };
        CliError::new(Code::Usage, ErrorKind::NotFound, format!("there is no code {text:?}")).fix(fix)
    })
}

fn explain(code: Code) -> Explanation {
    let text = code.explanation().lines().map(str::trim).collect::<Vec<_>>().join(" ");
    Explanation { code: code.text(), explanation: text.trim().to_owned(), fix: way_out(code) }
}

impl Report for Explanation {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        writeln!(w, "{STRONG}{}{STRONG:#}", self.code)?;
        writeln!(w, "  {}", self.explanation)?;
        writeln!(w, "  {FAINT}fix:{FAINT:#} {}", self.fix)
    }
}

impl Report for Explanations {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        for (index, code) in self.codes.iter().enumerate() {
            if index > 0 {
                writeln!(w)?;
            }
            code.text(w)?;
        }
        Ok(())
    }
}
