//! Measures what CONTRIBUTING.md promises of this code: sizes, words that must not be there, `unsafe` only where it may
//! be, few log lines, documents that name what exists.

mod documents;
mod exceptions;
mod measure;
mod rules;
mod sources;

use std::path::Path;

use anyhow::{Result, bail};

use self::exceptions::Exceptions;
use self::sources::Source;

/// Something that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// The name of the rule, as in the file of exceptions.
    rule: &'static str,
    /// What breaks it: a path, with the item behind `::` if it is one.
    place: String,
    /// The size, for rules that have a limit; otherwise 1.
    size: usize,
    /// What to tell people.
    message: String,
}

pub(crate) fn run(args: &[String]) -> Result<()> {
    let verbose = match args {
        [] => false,
        [word] if word == "--verbose" => true,
        _ => bail!("usage: cargo xtask tidy [--verbose]"),
    };
    let root = crate::root();
    let sources = sources::all(&root)?;
    let mut findings = rules::check(&sources);
    findings.extend(documents::check(&root, &sources)?);
    findings.sort();
    let exceptions = Exceptions::read(&root.join("xtask/tidy-exceptions.txt"))?;
    let problems = exceptions.apply(findings);
    if verbose {
        print_summary(&root, &sources);
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    if !problems.is_empty() {
        bail!("{} findings", problems.len());
    }
    let lines: usize = sources.iter().map(|source| source.measured.lines).sum();
    println!("tidy: {} files, {lines} production lines, nothing to say", sources.len());
    Ok(())
}

/// The sizes that are worth a look before they are an error.
fn print_summary(root: &Path, sources: &[Source]) {
    println!("in {}:", root.display());
    for source in sources.iter().filter(|s| !s.is_test() && s.measured.lines > rules::FILE_LINES_AIM) {
        println!("{}: {} lines", source.path, source.measured.lines);
    }
    for source in sources {
        for function in source.measured.functions.iter().filter(|f| f.lines > rules::FUNCTION_LINES_AIM) {
            println!("{}::{}: {} lines", source.path, function.name, function.lines);
        }
    }
}
