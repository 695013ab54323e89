//! Documents name what exists, and codes that are explained are raised.

use std::path::Path;

use anyhow::Result;
use playhouse_types::Code;

use super::Finding;
use super::rules::has_word;
use super::sources::Source;

const DOCUMENTS: [&str; 5] = ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"];

pub(super) fn check(root: &Path, sources: &[Source]) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for document in DOCUMENTS {
        let path = root.join(document);
        if !path.exists() {
            findings.push(finding("document", document, "is missing".to_owned()));
            continue;
        }
        let text = std::fs::read_to_string(path)?;
        let files = named_files(&text).into_iter().filter(|name| !root.join(name).exists());
        let names = named_items(&text).into_iter().filter(|name| !is_in_sources(name, sources));
        for name in files.chain(names) {
            findings.push(finding("document", &format!("{document}::{name}"), format!("{name} does not exist")));
        }
    }
    findings.extend(unused_codes(sources));
    Ok(findings)
}

/// Files and folders of this repository that a Markdown text names: targets of links, and words in backticks that begin
/// with one of our folders.
fn named_files(text: &str) -> Vec<String> {
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let links = links.filter(|link| !link.contains("://") && !link.starts_with('#'));
    let links = links.map(|link| link.split('#').next().unwrap_or_default().to_owned());
    let quoted = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let quoted = quoted.filter(|word| is_path(word)).map(|word| word.split(':').next().unwrap_or_default().to_owned());
    links.chain(quoted).filter(|name| !name.is_empty()).collect()
}

fn is_path(word: &str) -> bool {
    const FOLDERS: [&str; 9] =
        ["crates/", "sdk/", "guests/", "xtask/", "fuzz/", "benches/", "docs/", "examples/", ".ci/"];
    FOLDERS.iter().any(|folder| word.starts_with(folder)) && !word.contains(['*', '<', ' ', '{', '…'])
}

/// Tests, keys and functions that a text names: words in backticks with two underscores or more, the last part of a path.
fn named_items(text: &str) -> Vec<String> {
    let quoted = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let last = quoted.filter_map(|word| word.trim_end_matches("()").rsplit("::").next());
    let is_item = |word: &&str| {
        word.matches('_').count() >= 2 && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    last.filter(is_item).map(str::to_owned).collect()
}

fn is_in_sources(name: &str, sources: &[Source]) -> bool {
    sources.iter().any(|source| has_word(&source.text, name))
}

/// Codes that `playhouse explain` knows and nothing raises.
fn unused_codes(sources: &[Source]) -> Vec<Finding> {
    let is_used = |code: &Code| {
        let name = format!("Code::{code:?}");
        let boundary = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
        sources
            .iter()
            .filter(|source| !source.is_test() && source.path != "crates/types/src/code.rs")
            .any(|source| source.text.match_indices(&name).any(|(at, _)| boundary(&source.text[at + name.len()..])))
    };
    let unused = Code::ALL.iter().filter(|code| !is_used(code));
    unused.map(|code| finding("code", code.text(), "is explained but never raised".to_owned())).collect()
}

fn finding(rule: &'static str, place: &str, message: String) -> Finding {
    Finding { rule, place: place.to_owned(), size: 1, message }
}

#[cfg(test)]
mod tests;
