use std::sync::Arc;

use expect_test::{Expect, expect};
use wasmtime::ResourceLimiter;

use super::Budget;
use crate::Limits;

fn budget() -> Budget {
    Budget::new(Arc::new(Limits { memory_bytes: 100, table_elements: 10, host_calls: 2, ..Limits::default() }))
}

/// Runs growths `m<from>-<to>` and `t<from>-<to>`, failures of the last one `f`, and new events `e`; `+` is allowed.
fn check(steps: &str, expected: &Expect) {
    let mut budget = budget();
    let mut seen = String::new();
    for step in steps.split(' ') {
        let (kind, range) = step.split_at(1);
        let range = range.split_once('-').map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap()));
        let allowed = match (kind, range) {
            ("m", Some((from, to))) => budget.memory_growing(from, to, None).unwrap(),
            ("t", Some((from, to))) => budget.table_growing(from, to, None).unwrap(),
            ("f", _) => budget.memory_grow_failed(wasmtime::Error::msg("no")).is_ok(),
            _ => {
                budget.begin_event();
                true
            }
        };
        seen.push(if allowed { '+' } else { '-' });
    }
    expected.assert_eq(&format!("{seen} {} {} {:?}", budget.memory_bytes, budget.table_elements, budget.refused()));
}

#[test]
fn memories_and_tables_are_counted_together() {
    check("m0-60 m0-40", &expect!["++ 100 0 None"]);
    check("m0-60 m0-41", &expect!["+- 60 0 Some(Memory { wanted: 101, limit: 100 })"]);
    check("m0-60 m60-100 m0-1", &expect!["++- 100 0 Some(Memory { wanted: 101, limit: 100 })"]);
    check("t0-6 t0-4 t4-5", &expect!["++- 0 10 Some(Table { wanted: 11, limit: 10 })"]);
}

#[test]
fn a_growth_that_fails_otherwise_is_given_back() {
    check("m0-60 m60-90 f m60-100", &expect!["++++ 100 0 None"]);
    check("t0-6 f t0-10", &expect!["+++ 0 10 None"]);
    // wasmtime reports a refused growth as failed, too; the one before it stays.
    check("m0-60 m60-101 f", &expect!["+-+ 60 0 Some(Memory { wanted: 101, limit: 100 })"]);
}

#[test]
fn a_new_event_forgets_refusals_but_not_memory() {
    check("m0-60 m60-101 e", &expect!["+-+ 60 0 None"]);
}

#[test]
fn host_calls_are_counted_per_event() {
    let mut budget = budget();
    assert!(budget.host_call().is_ok());
    assert!(budget.host_call().is_ok());
    assert_eq!(
        budget.host_call().unwrap_err().to_string(),
        "the guest asked for more than 2 host operations in one event"
    );
    budget.begin_event();
    assert!(budget.host_call().is_ok());
}
