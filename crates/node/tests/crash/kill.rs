//! kill -9 of a node at any moment: everything acknowledged was done, once, in order, and nothing half.

use std::time::Duration;

use crate::ledger::Ledger;
use crate::load::{self, Flaw};
use crate::process::{Process, rounds, runtime};
use crate::verify::verify;

/// How long a node may take until its actors are there again.
const START_MAX: Duration = Duration::from_secs(2);

/// What some kills came to.
struct Outcome {
    ledger: Ledger,
    findings: Vec<String>,
}

/// Kills a node again and again, until something is found.
fn kill(rounds: u64, flaw: Flaw) -> Outcome {
    let ground = tempfile::tempdir().unwrap();
    let folder = ground.path().join("store");
    let mut outcome = Outcome { ledger: Ledger::default(), findings: Vec::new() };
    for round in 0..rounds {
        // Every other time, what comes back after a kill is killed itself.
        for kill in 0..=round % 2 {
            // Anything from before it has opened its store to thousands of messages later.
            let moment = Duration::from_micros(20_000 + (round * 2 + kill).wrapping_mul(7_919_771) % 480_000);
            let mut process = Process::start("load", &folder, &load::word(flaw, &outcome.ledger.all_last()));
            let lines = process.lines();
            let mut ledger = std::mem::take(&mut outcome.ledger);
            let listener = std::thread::spawn(move || {
                ledger.listen(lines);
                ledger
            });
            std::thread::sleep(moment);
            process.kill();
            outcome.ledger = listener.join().unwrap();
        }
        let findings = runtime().block_on(verify(&folder, &mut outcome.ledger));
        if !findings.is_empty() {
            outcome.findings = findings.into_iter().map(|finding| format!("round {round}: {finding}")).collect();
            break;
        }
    }
    outcome
}

#[test]
fn a_node_is_killed_at_any_moment() {
    let rounds = rounds(4, 100);
    let Outcome { ledger, findings } = kill(rounds, Flaw::None);
    assert!(findings.is_empty(), "{findings:#?}");
    let Ledger { acknowledged, slowest_start, ticks, .. } = ledger;
    println!("{rounds} rounds, {acknowledged} acknowledged, {ticks} ticks; slowest start {slowest_start:?}");
    assert!(acknowledged > rounds, "the nodes did hardly anything");
    assert!(slowest_start <= START_MAX, "a start took {slowest_start:?}");
}

/// What is kept in memory only is lost, and the harness says so.
#[test]
fn what_is_not_written_is_missed() {
    let findings = kill(20, Flaw::Forgets).findings;
    assert!(findings.iter().any(|finding| finding.contains("were acknowledged")), "{findings:#?}");
}

/// What comes again without an id is done again, and the harness says so.
#[test]
fn what_happens_twice_is_found() {
    let findings = kill(20, Flaw::Nameless).findings;
    assert!(findings.iter().any(|finding| finding.contains(" after ")), "{findings:#?}");
}
