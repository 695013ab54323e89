//! What was acknowledged, kept by a process that is not killed, and the comparison with what a store has.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead as _, BufReader, Read};

use playhouse_store::{Accepted, BatchLimits, OutId, Position, Priority, Recorded, Store};

use crate::child::{ACTORS, counted, enqueue, message, number_of, open};

/// Messages are known by their numbers.
pub(crate) type Number = u64;

#[derive(Default)]
pub(crate) struct Ledger {
    /// Messages that were taken, and that were handled, by actor; `handled` are also what was seen to be handled.
    queued: HashMap<u32, BTreeSet<Number>>,
    handled: HashMap<u32, BTreeSet<Number>>,
    /// Messages of the outbox that were seen in former rounds, and taken out.
    passed_on: HashMap<u32, BTreeSet<Number>>,
    pub(crate) acknowledged: u64,
}

const ALL: BatchLimits = BatchLimits { items: usize::MAX, bytes: usize::MAX };

/// Handled messages of each actor that are sent again after each round.
const REPEATED: usize = 20;

/// Whether a message that was handled is answered with its reply when it comes again, and is not handled again.
fn is_known(store: &dyn Store, lease: &playhouse_store::Lease, number: Number) -> bool {
    let key = message(number).request_key().expect("it has an id");
    let recorded = store.recorded(lease.actor, &key).wait().expect("it can be read");
    let again = store.enqueue(enqueue(lease, number)).wait().expect("the store works");
    recorded == Some(Recorded::Answered(Some("ok".into()))) && again == Accepted::Duplicate
}

impl Ledger {
    /// Takes down what a process says, until it says no more.
    pub(crate) fn listen(&mut self, said: impl Read) {
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            let mut words = line.split(' ');
            let (Some(what), Some(actor), Some(number)) = (words.next(), words.next(), words.next()) else { continue };
            let (Ok(actor), Ok(number)) = (actor.parse(), number.parse()) else { continue };
            let of = match what {
                "q" => &mut self.queued,
                "h" => &mut self.handled,
                _ => continue,
            };
            of.entry(actor).or_default().insert(number);
            self.acknowledged += 1;
        }
    }

    /// Compares a store with what was acknowledged, and takes what it found over. The findings: nothing lost, nothing twice, nothing
    /// half.
    pub(crate) fn compare(&mut self, store: &dyn Store) -> Vec<String> {
        let mut findings = Vec::new();
        let mut passed_on: HashMap<u64, Vec<Number>> = HashMap::new();
        let mut ids = Vec::new();
        loop {
            let posted =
                store.outbox(ids.last().copied().unwrap_or(OutId::default()), ALL).wait().expect("it can be read");
            if posted.is_empty() {
                break;
            }
            for posted in posted {
                ids.push(posted.id);
                passed_on.entry(posted.actor.number()).or_default().push(number_of(&posted.out.message));
            }
        }
        for actor in 0..ACTORS {
            let lease = open(store, actor).expect("it is free");
            let passed_on = passed_on.remove(&lease.actor.number()).unwrap_or_default();
            self.compare_actor(store, actor, &lease, passed_on, &mut findings);
        }
        for ids in ids.chunks(5000) {
            store.outbox_done(ids.to_vec()).wait().expect("the store works");
        }
        findings
    }

    fn compare_actor(
        &mut self,
        store: &dyn Store,
        actor: u32,
        lease: &playhouse_store::Lease,
        fresh: Vec<Number>,
        findings: &mut Vec<String>,
    ) {
        let mut find = |what: &str, numbers: Vec<Number>| {
            if !numbers.is_empty() {
                findings.push(format!("actor {actor}: {} {what}, the first {:x}", numbers.len(), numbers[0]));
            }
        };
        let passed_on = self.passed_on.entry(actor).or_default();
        find("sent on twice", fresh.iter().filter(|number| passed_on.contains(number)).copied().collect());
        let before = passed_on.len() + fresh.len();
        passed_on.extend(fresh);
        if passed_on.len() != before {
            find("sent on twice in one round", vec![(before - passed_on.len()) as u64]);
        }
        let mut waiting = BTreeSet::new();
        let mut after = Position::start(Priority::Normal);
        loop {
            let batch = store.queued(lease.actor, after, ALL).wait().expect("it can be read");
            let Some(last) = batch.last() else { break };
            after = last.position;
            waiting.extend(batch.iter().map(|queued| number_of(&queued.message)));
        }
        let missing = |of: &HashMap<u32, BTreeSet<Number>>, there: &dyn Fn(&Number) -> bool| -> Vec<Number> {
            of.get(&actor).into_iter().flatten().filter(|number| !there(number)).copied().collect()
        };
        find(
            "acknowledged as taken, and lost",
            missing(&self.queued, &|n| waiting.contains(n) || passed_on.contains(n)),
        );
        find("acknowledged as handled, and lost", missing(&self.handled, &|n| passed_on.contains(n)));
        find("handled and still waiting", waiting.intersection(passed_on).copied().collect());
        // The newest numbers, as many as do not take long.
        let handled = self.handled.get(&actor).into_iter().flatten().rev().take(REPEATED);
        find(
            "handled, and not known any more",
            handled.copied().filter(|number| !is_known(store, lease, *number)).collect(),
        );
        let (count, sum) = counted(store, lease).expect("it can be read");
        let wanted = passed_on.iter().fold(0_u64, |sum, number| sum.wrapping_add(*number));
        if (count, sum) != (passed_on.len() as u64, wanted) {
            find("counted is not what was sent on", vec![count]);
        }
        let timers = store.timers(lease.actor, "", 9).wait().expect("it can be read");
        let due: Vec<u64> = timers.iter().map(|timer| timer.due.millis()).collect();
        if due != Vec::from_iter((count > 0).then_some(count)) {
            find("timers, and not the one of what was counted", due);
        }
    }
}
