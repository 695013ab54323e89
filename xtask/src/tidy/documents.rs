//! Documents name what exists, and codes that are explained are raised.

use std::path::Path;

use anyhow::Result;
use playhouse_types::Code;

use super::Finding;
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
        for name in named_files(&std::fs::read_to_string(path)?) {
            if !root.join(&name).exists() {
                findings.push(finding("document", &format!("{document}::{name}"), format!("{name} does not exist")));
            }
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
