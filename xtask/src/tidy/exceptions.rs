//! The list of places that may break a rule. It may only shrink: an entry for something that keeps the rule, or that has
//! become smaller than the entry says, is an error.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::Finding;

#[derive(Debug, Default)]
pub(super) struct Exceptions(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    rule: String,
    place: String,
    size: usize,
}

impl Exceptions {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text)
    }

    /// One entry per line, `rule place size # reason`. A reason is needed.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut entries = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (entry, reason) = line.split_once(" # ").unwrap_or((line, ""));
            let words: Vec<&str> = entry.split_whitespace().collect();
            let [rule, place, size] = words[..] else {
                bail!("tidy-exceptions.txt:{}: not of the form `rule place size # reason`", number + 1)
            };
            if reason.trim().is_empty() {
                bail!("tidy-exceptions.txt:{}: no reason", number + 1);
            }
            let size = size.parse().with_context(|| format!("tidy-exceptions.txt:{}: size {size:?}", number + 1))?;
            entries.push(Entry { rule: rule.to_owned(), place: place.to_owned(), size });
        }
        Ok(Self(entries))
    }

    /// What is left to complain about.
    pub(super) fn apply(&self, findings: Vec<Finding>) -> Vec<String> {
        let mut problems = Vec::new();
        for entry in &self.0 {
            let Entry { rule, place, size } = entry;
            match findings.iter().find(|finding| entry.is_about(finding)) {
                None => problems.push(format!("{place}: {rule}: keeps the rule now; remove its exception")),
                Some(finding) if finding.size < *size => {
                    problems.push(format!("{place}: {rule}: is {} now; lower its exception from {size}", finding.size));
                }
                Some(_) => {}
            }
        }
        for finding in findings {
            if !self.0.iter().any(|entry| entry.is_about(&finding) && finding.size <= entry.size) {
                problems.push(format!("{}: {}: {}", finding.place, finding.rule, finding.message));
            }
        }
        problems
    }
}

impl Entry {
    fn is_about(&self, finding: &Finding) -> bool {
        self.rule == finding.rule && self.place == finding.place
    }
}

#[cfg(test)]
mod tests;
