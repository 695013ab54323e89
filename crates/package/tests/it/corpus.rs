//! Malformed packages by name, and the exact refusal of each in `tests/corpus.txt`.

mod archive;
mod contents;
mod entries;
mod manifest;

use std::collections::HashSet;
use std::fmt::Write as _;

use expect_test::expect_file;

use crate::kit::{Kit, shown};

/// A package that is refused, or accepted although it is odd.
pub(crate) struct Case {
    name: &'static str,
    outcome: String,
}

impl Case {
    /// A package that is spoilt before it is signed and packed.
    fn kit(name: &'static str, spoil: fn(&mut Kit)) -> Self {
        let mut kit = Kit::good();
        spoil(&mut kit);
        Self { name, outcome: shown(kit.verify()) }
    }

    /// A signed package whose archive is packed wrongly.
    fn zip(name: &'static str, edit: fn(&mut crate::zip::Zip)) -> Self {
        Self { name, outcome: shown(Kit { edit, ..Kit::good() }.verify()) }
    }

    /// A whole package whose bytes are spoilt.
    fn bytes(name: &'static str, spoil: fn(&mut Vec<u8>)) -> Self {
        let kit = Kit::good();
        let mut bytes = kit.zip().bytes();
        spoil(&mut bytes);
        Self { name, outcome: shown(kit.verify_bytes(bytes)) }
    }
}

#[test]
fn every_malformed_package_has_its_refusal() {
    let cases: Vec<_> = [archive::cases(), entries::cases(), manifest::cases(), contents::cases()].concat_cases();
    let names: HashSet<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "names are distinct");
    let refused = cases.iter().filter(|case| !case.outcome.starts_with("accepted")).count();
    assert!(refused >= 150, "{refused} refused");
    let mut text = String::new();
    let is_wrong = |case: &&Case| case.name.starts_with("tolerated: ") != case.outcome.starts_with("accepted");
    let wrong: Vec<_> = cases.iter().filter(is_wrong).map(|case| format!("{}: {}", case.name, case.outcome)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for case in &cases {
        writeln!(text, "{}\n    {}", case.name, case.outcome).expect("in memory");
    }
    expect_file!["../corpus.txt"].assert_eq(&text);
}

trait Concat {
    fn concat_cases(self) -> Vec<Case>;
}

impl<const N: usize> Concat for [Vec<Case>; N] {
    fn concat_cases(self) -> Vec<Case> {
        self.into_iter().flatten().collect()
    }
}
