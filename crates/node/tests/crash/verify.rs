//! A node on what a killed one left: it handles what is there, and its books are compared with the ledger.

use std::path::Path;
use std::time::{Duration, Instant};

use playhouse_guest::Bytes;
use playhouse_node::store::{BatchLimits, LetterId, OutId, Report};
use playhouse_node::{ActorOptions, CallOptions};

use crate::clerk::{BREACH, Book, Entry, TICKS, route};
use crate::ledger::Ledger;
use crate::load::{AGAIN, Kind, Office, SERIES, id_of};

/// How long it may take until everything that was left is handled.
const DRAINED_WITHIN: Duration = Duration::from_secs(30);

/// What is not as it should be.
pub(crate) async fn verify(folder: &Path, ledger: &mut Ledger) -> Vec<String> {
    let start = Instant::now();
    let office = Office::open(folder, &ActorOptions::default()).await;
    ledger.started(start.elapsed());
    let mut findings = std::mem::take(&mut ledger.findings);
    findings.extend(await_that("everything is handled", DRAINED_WITHIN, || is_drained(&office)).await);
    findings.extend(repeat(&office, ledger).await);
    for (series, kind, to) in SERIES {
        let books = match kind {
            Kind::Pass => read(&office, &[0, 1, 2], series).await,
            _ => read(&office, &[to], series).await,
        };
        findings.extend(compare(series, &books, ledger.last(series)));
    }
    findings.extend(timers(&office, ledger).await);
    for clerk in &office.clerks {
        let breach = office.store.state(clerk.stored().unwrap(), BREACH.as_bytes()).await.unwrap();
        findings.extend(breach.map(|breach| String::from_utf8_lossy(&breach.value).into_owned()));
    }
    let letters = office.store.letters(LetterId::default(), BatchLimits::default()).await.unwrap();
    findings.extend(letters.iter().map(|letter| format!("a dead letter: {letter:?}")));
    let report = office.store.check().await.unwrap();
    if report != (Report { records: report.records, ..Report::default() }) {
        findings.push(format!("{report:?}"));
    }
    office.close().await;
    findings
}

impl Office {
    /// Ends the node, and whatever it still does.
    pub(crate) async fn close(self) {
        let Self { node, store, clerks } = self;
        node.shutdown(Duration::from_secs(5)).await;
        drop((node, clerks));
        store.close().await.unwrap();
    }
}

/// Waits until something holds. A finding if it does not.
pub(crate) async fn await_that(what: &str, within: Duration, mut holds: impl AsyncFnMut() -> bool) -> Option<String> {
    let end = Instant::now() + within;
    while !holds().await {
        if Instant::now() >= end {
            return Some(format!("after {within:?} it does not hold that {what}"));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    None
}

/// Whether nothing is on its way any more but the periodic timer.
pub(crate) async fn is_drained(office: &Office) -> bool {
    for clerk in &office.clerks {
        let key = clerk.stored().unwrap();
        let queued = office.store.actor(key).await.unwrap().unwrap().lease.usage.queued;
        let timers = office.store.timers(key, "", 2).await.unwrap();
        if queued > 0 || timers.iter().any(|timer| timer.name != "tick") {
            return false;
        }
    }
    office.store.outbox(OutId::default(), BatchLimits { items: 1, bytes: 1 }).await.unwrap().is_empty()
}

/// Sends what was acknowledged once more: replies are the same, and nothing else happens.
async fn repeat(office: &Office, ledger: &Ledger) -> Vec<String> {
    let mut findings = Vec::new();
    for (series, kind, to) in SERIES {
        for (number, reply) in ledger.latest(series, AGAIN as usize) {
            let entry = Entry { series: series.to_owned(), number };
            match office.send((kind, to), &entry, Some(id_of(&entry))).await {
                Ok(again) if again == reply.as_bytes() => {}
                other => findings.push(format!("{series} {number} was answered with {reply:?}, and with {other:?}")),
            }
        }
    }
    findings
}

async fn read(office: &Office, clerks: &[usize], series: &str) -> Vec<Book> {
    let mut books = Vec::new();
    for clerk in clerks {
        books.push(Book::read(&*office.store, office.clerks[*clerk].stored().unwrap(), series).await);
    }
    books
}

/// What the books of a series are, and what they should be.
fn compare(series: &str, books: &[Book], acknowledged: u64) -> Vec<String> {
    let mut findings = Vec::new();
    let count = books[0].count;
    if count < acknowledged {
        findings.push(format!("{series}: {acknowledged} were acknowledged, {count} are there"));
    }
    let wanted = Book::of_first(count);
    if books.iter().any(|book| *book != wanted) {
        findings.push(format!("{series}: {books:?} instead of {wanted:?}"));
    }
    findings
}

/// Each timer that was set has rung once, and the periodic one goes on.
async fn timers(office: &Office, ledger: &mut Ledger) -> Vec<String> {
    let mut findings = Vec::new();
    let (mut armed, rung) = (Book::default(), read(office, &[2], "rung").await[0]);
    for (series, ..) in SERIES.iter().filter(|(_, kind, _)| *kind == Kind::Arm) {
        let book = read(office, &[2], series).await[0];
        armed = Book { count: armed.count + book.count, sum: armed.sum + book.sum };
    }
    if rung != armed {
        findings.push(format!("timers: {armed:?} were set, {rung:?} have rung"));
    }
    // No process may have come so far as to set it.
    let set = CallOptions { request_id: Some("ticking".parse().unwrap()), ..CallOptions::default() };
    let third = &office.clerks[2];
    third.call_with(route("start ticking"), Bytes::new(), set).await.unwrap();
    let before = ledger.ticks;
    let ticked = await_that("the periodic timer rings", Duration::from_secs(5), async || {
        let ticks = office.store.state(third.stored().unwrap(), TICKS.as_bytes()).await.unwrap();
        ledger.ticks = ticks.map_or(0, |ticks| std::str::from_utf8(&ticks.value).unwrap().parse().unwrap());
        ledger.ticks > before
    });
    findings.extend(ticked.await);
    findings
}
