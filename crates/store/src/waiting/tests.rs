use std::time::Instant;

use super::{BYTES_MAX, GROUP_BYTES_MAX, UNHURRIED_FOR, UNHURRIED_MAX, WRITES_MAX, Waiting, Waits, When};
use crate::core::Flow;
use crate::error::StoreError;

#[derive(Debug, Clone, Copy)]
struct Write {
    flow: Flow,
    bytes: u64,
    unhurried: bool,
}

const HURRIED: Write = Write { flow: Flow::Onward, bytes: 1, unhurried: false };
const UNHURRIED: Write = Write { unhurried: true, ..HURRIED };
const INWARD: Write = Write { flow: Flow::Inward, ..HURRIED };

impl Waits for Write {
    fn flow(&self) -> Flow {
        self.flow
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn is_unhurried(&self) -> bool {
        self.unhurried
    }
}

/// What waits after these writes came at that time, all at once.
fn filled(now: Instant, writes: impl IntoIterator<Item = Write>) -> Waiting<Write> {
    let mut waiting = Waiting::default();
    for write in writes {
        waiting.push(write, || now).map_err(|(_, error)| error).unwrap();
    }
    waiting
}

#[test]
fn what_nobody_waits_for_waits_for_others_or_its_time() {
    let now = Instant::now();
    let check = |writes: &[Write], later, expected| {
        assert_eq!(filled(now, writes.iter().copied()).when(|| now + later), expected, "{writes:?} after {later:?}");
    };
    let none = std::time::Duration::ZERO;
    check(&[], none, When::Later);
    check(&[HURRIED], none, When::Now);
    check(&[UNHURRIED], none, When::At(now + UNHURRIED_FOR));
    check(&[UNHURRIED], UNHURRIED_FOR, When::Now);
    check(&[UNHURRIED, HURRIED], none, When::Now);
    check(&[HURRIED, UNHURRIED], none, When::Now);
    check(&[UNHURRIED; UNHURRIED_MAX - 1], none, When::At(now + UNHURRIED_FOR));
    check(&[UNHURRIED; UNHURRIED_MAX], none, When::Now);
}

#[test]
fn what_was_hastened_or_left_behind_waits_no_longer() {
    let now = Instant::now();
    let mut waiting = filled(now, [UNHURRIED]);
    waiting.hasten();
    waiting.push(UNHURRIED, || now).unwrap();
    assert_eq!(waiting.when(|| now), When::Now);
    assert_eq!(waiting.take_group(1).len(), 1);
    assert_eq!(waiting.when(|| now), When::Now);
    assert_eq!(waiting.take_group(1).len(), 1);
    waiting.push(UNHURRIED, || now).unwrap();
    assert_eq!(waiting.when(|| now), When::At(now + UNHURRIED_FOR));
    waiting.closed = true;
    assert_eq!(waiting.when(|| now), When::Now);
}

#[test]
fn groups_have_limits_and_keep_the_order() {
    let half = Write { bytes: GROUP_BYTES_MAX / 2, ..HURRIED };
    let large = Write { bytes: GROUP_BYTES_MAX * 2, ..UNHURRIED };
    let mut waiting = filled(Instant::now(), [half, half, HURRIED, large]);
    let mut groups = Vec::new();
    while waiting.len() > 0 {
        groups.push(waiting.take_group(9).iter().map(Waits::bytes).collect::<Vec<_>>());
    }
    assert_eq!(groups, [vec![half.bytes; 2], vec![1], vec![large.bytes]]);
    assert_eq!((waiting.hurried(), waiting.take_group(9).len()), (0, 0));
}

#[test]
fn what_comes_in_leaves_room_for_what_finishes() {
    let busy = |waiting: &mut Waiting<Write>, write| waiting.push(write, Instant::now).unwrap_err().1.to_string();
    let mut waiting = filled(Instant::now(), [INWARD; WRITES_MAX as usize * 3 / 4]);
    let expected = StoreError::Busy { what: "writes", limit: WRITES_MAX * 3 / 4 }.to_string();
    assert_eq!(busy(&mut waiting, INWARD), expected);
    for _ in waiting.len() as u64..WRITES_MAX {
        waiting.push(HURRIED, Instant::now).unwrap();
    }
    assert_eq!(busy(&mut waiting, HURRIED), StoreError::Busy { what: "writes", limit: WRITES_MAX }.to_string());

    let mut waiting = filled(Instant::now(), [Write { bytes: BYTES_MAX, ..HURRIED }]);
    assert_eq!(busy(&mut waiting, HURRIED), StoreError::Busy { what: "bytes", limit: BYTES_MAX }.to_string());
    waiting.closed = true;
    assert_eq!(busy(&mut waiting, HURRIED), StoreError::Closed.to_string());
}
