use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use serde::Serialize;

use crate::error::{CliError, ErrorBody, Result};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const CAUTION: Style = AnsiColor::Yellow.on_default().bold();
pub(crate) const STRONG: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();
const LABEL: Style = AnsiColor::Cyan.on_default();

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON document, for programs.
    Json,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR or CLICOLOR say otherwise.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Makes this the choice for everything that the program writes from now on.
    pub(crate) fn apply(self) {
        let choice = match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// What a command found or did, in both forms: the fields are the JSON document.
pub(crate) trait Report: Serialize {
    /// Writes it for people.
    fn text(&self, w: &mut dyn Write) -> io::Result<()>;
}

/// Where results and remarks go: results to standard output, remarks to standard error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
}

impl Output {
    pub(crate) const fn new(format: Format) -> Self {
        Self { format }
    }

    /// Writes the one result of a command.
    pub(crate) fn show(self, report: &impl Report) -> Result<()> {
        let mut out = anstream::stdout().lock();
        match self.format {
            Format::Text => report.text(&mut out)?,
            Format::Json => write_json(&mut out, report, true)?,
        }
        Ok(out.flush()?)
    }

    /// Writes one of many results, a line each.
    pub(crate) fn event(self, report: &impl Report) -> Result<()> {
        let mut out = anstream::stdout().lock();
        match self.format {
            Format::Text => report.text(&mut out)?,
            Format::Json => write_json(&mut out, report, false)?,
        }
        Ok(out.flush()?)
    }

    /// Ends the program as soon as whoever reads standard output has gone. For what waits long for the next line to write, and would
    /// not notice before.
    pub(crate) fn end_with_reader(self) {
        use rustix::event::{PollFd, PollFlags, poll};
        std::thread::spawn(|| {
            let stdout = io::stdout();
            // No event is asked for: only an error or a hang-up ends this.
            let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
            if poll(&mut watched, None).is_ok() {
                std::process::exit(crate::error::Exit::Ok as i32);
            }
        });
    }

    /// Writes a remark that a person must not miss, in either format.
    pub(crate) fn warn(self, text: impl Display) {
        // Remarks are lost if standard error is closed; there is nowhere else to say so.
        let _ = writeln!(anstream::stderr(), "{CAUTION}warning:{CAUTION:#} {}", clean(&text.to_string()));
    }

    /// Writes something that a person may want to know, in either format.
    pub(crate) fn remark(self, text: impl Display) {
        let _ = writeln!(anstream::stderr(), "{FAINT}note:{FAINT:#} {}", clean(&text.to_string()));
    }

    /// Writes why the command failed.
    pub(crate) fn error(self, error: &CliError) {
        let Some(document) = error.document() else { return };
        let _ = match self.format {
            Format::Json => write_json(&mut anstream::stdout(), &document, true),
            Format::Text => write_error(&mut anstream::stderr(), &document.error),
        };
    }
}

/// The kind and the code come first: they are ours, while the message may be a stranger's, whose further lines are indented so that
/// they cannot pass for ours.
fn write_error(w: &mut dyn Write, body: &ErrorBody<'_>) -> io::Result<()> {
    let ErrorBody { kind, code, message, fix } = body;
    let (kind, message) = (kind.replace('-', " "), indented(message));
    write!(w, "{BAD}error: {kind}{BAD:#} {FAINT}[{code}]{FAINT:#}")?;
    // Most that time ran out for say nothing more.
    if message != kind {
        write!(w, ": {message}")?;
    }
    writeln!(w, "\n  {LABEL}fix:{LABEL:#} {}", indented(fix))?;
    if *code != playhouse_types::Code::Unspecified.text() {
        writeln!(w, " {LABEL}more:{LABEL:#} playhouse explain {code}")?;
    }
    Ok(())
}

/// The text without what is hostile, its lines after the first set in. Lines with nothing in them stay so.
fn indented(text: &str) -> String {
    let text = clean(text.trim_end());
    let lines = text.lines().map(|line| if line.trim().is_empty() { String::new() } else { format!("        {line}") });
    lines.collect::<Vec<_>>().join("\n").trim_start().to_owned()
}

fn write_json(w: &mut impl Write, value: &impl Serialize, pretty: bool) -> io::Result<()> {
    if pretty {
        serde_json::to_writer_pretty(&mut *w, value)?;
    } else {
        serde_json::to_writer(&mut *w, value)?;
    }
    writeln!(w)
}

/// The text without anything that could command a terminal or reorder what stands on it. Actors, packages and their
/// errors are strangers' words.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    let hostile = |c: char| (c.is_control() && c != '\n' && c != '\t') || is_invisible_control(c);
    if !text.contains(hostile) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hostile(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// The text without what goes over the limit.
pub(crate) fn cut(text: &mut String, bytes_max: usize) {
    if text.len() > bytes_max {
        text.truncate(text.floor_char_boundary(bytes_max));
        text.push('…');
    }
}

/// What reorders text or breaks lines where nobody sees it.
fn is_invisible_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Writes `label  value` lines with the values in one column.
pub(crate) fn fields(w: &mut dyn Write, rows: &[(&str, String)]) -> io::Result<()> {
    let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    for (label, value) in rows {
        writeln!(w, "{LABEL}{label:width$}{LABEL:#}  {}", clean(value))?;
    }
    Ok(())
}

/// Characters of a cell: two lines of a terminal, and some. What actors make may be of any length; whoever wants all of it asks for JSON.
const CELL_CHARS_MAX: usize = 240;

/// Rows under headings, columns aligned. Columns whose heading starts with `>` are aligned to the right.
pub(crate) struct Table {
    headings: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) const fn new(headings: &'static [&'static str]) -> Self {
        Self { headings, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.headings.len(), "one cell for each heading");
        self.rows.push(cells.iter().map(|cell| shortened(&clean(cell).replace('\n', " "), CELL_CHARS_MAX)).collect());
    }

    pub(crate) fn write(&self, w: &mut dyn Write) -> io::Result<()> {
        let heading = |text: &'static str| text.trim_start_matches('>').to_owned();
        let headings: Vec<String> = self.headings.iter().map(|text| heading(text)).collect();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.chain(headings.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..headings.len()).map(width).collect();
        writeln!(w, "{STRONG}{}{STRONG:#}", self.line(&headings, &widths))?;
        for row in &self.rows {
            writeln!(w, "{}", self.line(row, &widths))?;
        }
        Ok(())
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, width), heading) in cells.iter().zip(widths).zip(self.headings) {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            let (before, behind) = if heading.starts_with('>') { (&*gap, "") } else { ("", &*gap) };
            line.extend([before, cell, behind, "  "]);
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// A word as shells take it, whatever is in it.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A number with what it counts: `1 key`, `2 keys`.
pub(crate) fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The text, or its beginning and how long it is.
pub(crate) fn shortened(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{}… ({} characters)", &text[..at], text.chars().count()),
        None => text.to_owned(),
    }
}

/// The candidate that the user probably meant, if one is near enough.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // clap's own threshold for subcommands and flags.
    const SIMILARITY_MIN: f64 = 0.7;
    let scored = candidates.into_iter().map(|candidate| (strsim::jaro_winkler(word, candidate), candidate));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > SIMILARITY_MIN).then_some(best.1)
}

#[cfg(test)]
mod tests;
