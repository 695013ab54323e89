//! kill -9 at any moment: everything acknowledged is there, nothing twice, nothing half.

use std::time::{Duration, Instant};

use playhouse_store::{DangerSync, Report, SqliteOptions, SqliteStore, Store as _};

use crate::child;
use crate::ground::rounds;
use crate::ledger::Ledger;

#[test]
fn kill_at_any_moment() {
    let ground = tempfile::tempdir().expect("a folder");
    let folder = ground.path().join("store");
    let mut ledger = Ledger::default();
    let mut slowest = Duration::ZERO;
    let rounds = rounds(20, 500);
    for round in 0..rounds {
        let mut process = child::start(&folder, DangerSync::Full);
        let said = process.stdout.take().expect("it is piped");
        let listener = std::thread::spawn(move || {
            ledger.listen(said);
            ledger
        });
        // Anything from before it has opened the store to many groups later.
        std::thread::sleep(Duration::from_micros(5_000 + u64::from(round).wrapping_mul(7_919_771) % 195_000));
        process.kill().expect("it runs");
        process.wait().expect("it has ended");
        ledger = listener.join().expect("it does not panic");

        let start = Instant::now();
        let store = SqliteStore::open(&folder, SqliteOptions::default()).expect("it opens after a kill");
        slowest = slowest.max(start.elapsed());
        let findings = ledger.compare(&store);
        assert!(findings.is_empty(), "round {round}: {findings:?}");
        let report = store.check().wait().expect("it can be read");
        assert_eq!(report, Report { records: report.records, ..Report::default() }, "round {round}");
    }
    println!("{rounds} kills, {} acknowledged, none lost; slowest start {slowest:?}", ledger.acknowledged);
    assert!(ledger.acknowledged > u64::from(rounds) * 10, "the processes did hardly anything");
}
