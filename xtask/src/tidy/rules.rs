//! The rules about Rust sources.

use std::collections::BTreeMap;

use super::Finding;
use super::sources::Source;

/// Production lines of a file that are worth a look.
pub(super) const FILE_LINES_AIM: usize = 250;
/// Production lines of a file. Beyond, it holds more than one concept.
const FILE_LINES_MAX: usize = 500;
/// Lines of a `lib.rs`: crate documentation, `mod`, `pub use`.
const LIB_LINES_MAX: usize = 150;
/// Lines of a function that are worth a look.
pub(super) const FUNCTION_LINES_AIM: usize = 40;
/// Lines of a function: a screen.
const FUNCTION_LINES_MAX: usize = 70;
const STRUCT_FIELDS_MAX: usize = 12;
/// Parameters, without `self`.
const PARAMETERS_MAX: usize = 5;
/// Log calls per thousand lines of a crate.
const LOGS_PER_1000_LINES: usize = 5;

/// Where `unsafe` may stand. Of the wasm module, one file.
const UNSAFE_ALLOWED: [&str; 7] = [
    "crates/engine/src/native",
    "crates/abi/src/",
    "sdk/rust/guest/",
    "sdk/rust/tests/",
    "guests/",
    "fuzz/",
    "benches/src/bin/native/raw.rs",
];
const UNSAFE_ALLOWED_ONCE: &str = "crates/engine/src/wasm";

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        sizes(source, &mut findings);
        words(source, &mut findings);
    }
    unsafe_code(sources, &mut findings);
    logs(sources, &mut findings);
    findings
}

fn sizes(source: &Source, findings: &mut Vec<Finding>) {
    if source.is_test() {
        return;
    }
    let path = &source.path;
    let mut limit = |rule, item: &str, size: usize, max: usize, unit| {
        if size > max {
            let place = if item.is_empty() { path.clone() } else { format!("{path}::{item}") };
            findings.push(Finding { rule, place, size, message: format!("{size} {unit}, at most {max}") });
        }
    };
    let (rule, max) =
        if path.ends_with("/src/lib.rs") { ("lib-lines", LIB_LINES_MAX) } else { ("file-lines", FILE_LINES_MAX) };
    limit(rule, "", source.measured.lines, max, "lines");
    for function in &source.measured.functions {
        limit("function-lines", &function.name, function.lines, FUNCTION_LINES_MAX, "lines");
        limit("parameters", &function.name, function.parameters, PARAMETERS_MAX, "parameters");
    }
    for found in &source.measured.structs {
        limit("struct-fields", &found.name, found.fields, STRUCT_FIELDS_MAX, "fields");
    }
}

/// Words are put together here so that this file does not hold them.
fn words(source: &Source, findings: &mut Vec<Finding>) {
    let forbidden = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("#[ign", "ore"),
        concat!("should_", "panic"),
        concat!("unimplem", "ented!("),
    ];
    for word in forbidden {
        let lines = source.text.lines().enumerate().filter(|(_, text)| has_word(text, word));
        let lines: Vec<usize> = lines.map(|(line, _)| line + 1).collect();
        at(source, "word", &lines, &format!("{word} must not be here"), findings);
    }
    if source.path.ends_with("/tests.rs") {
        at(source, "sleep", &source.measured.sleeps, "a unit test sleeps; give it virtual time", findings);
    }
}

/// Whether `text` has `word` and not a longer one around it.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word).any(|(start, _)| {
        !is_part(text[..start].chars().next_back()) && !is_part(text[start + word.len()..].chars().next())
    })
}

fn unsafe_code(sources: &[Source], findings: &mut Vec<Finding>) {
    let mut wasm: Option<&str> = None;
    for source in sources.iter().filter(|source| !source.measured.unsafe_lines.is_empty()) {
        if UNSAFE_ALLOWED.iter().any(|allowed| source.path.starts_with(allowed)) {
            continue;
        }
        if source.path.starts_with(UNSAFE_ALLOWED_ONCE) && *wasm.get_or_insert(&source.path) == source.path {
            continue;
        }
        at(source, "unsafe", &source.measured.unsafe_lines, "unsafe code is not allowed in this file", findings);
    }
}

fn logs(sources: &[Source], findings: &mut Vec<Finding>) {
    let mut crates: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test()) {
        let (lines, logs) = crates.entry(source.crate_path()).or_default();
        *lines += source.measured.lines;
        *logs += source.measured.logs;
    }
    for (path, (lines, logs)) in crates {
        let max = LOGS_PER_1000_LINES * lines.max(1000) / 1000;
        if logs > max {
            let message = format!("{logs} log calls in {lines} lines, at most {max}");
            findings.push(Finding { rule: "logs", place: path.to_owned(), size: logs, message });
        }
    }
}

/// One finding for all lines of a file that break the same rule: an exception must not depend on where they stand.
fn at(source: &Source, rule: &'static str, lines: &[usize], what: &str, findings: &mut Vec<Finding>) {
    if lines.is_empty() {
        return;
    }
    let numbers: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let message = format!("line {}: {what}", numbers.join(", "));
    findings.push(Finding { rule, place: source.path.clone(), size: lines.len(), message });
}

#[cfg(test)]
mod tests;
