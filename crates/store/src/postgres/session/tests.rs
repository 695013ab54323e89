use std::time::Duration;

use super::{BACK_OFF_FIRST, BACK_OFF_LAST, BackOff};

#[test]
fn waits_grow_to_a_limit_and_differ() {
    let mut back_off = BackOff::new();
    let mut wait = BACK_OFF_FIRST;
    for chance in [0, 1, u64::MAX, 12_345_678, 0, 99, u64::MAX, 3] {
        let next = back_off.next(chance);
        assert!(next >= wait / 2 && next <= wait, "{next:?} of {wait:?}");
        wait = (wait * 2).min(BACK_OFF_LAST);
    }
    assert_eq!(wait, BACK_OFF_LAST);
    let (first, second) = (BackOff::new().next(0), BackOff::new().next(20_000));
    assert_eq!(second - first, Duration::from_millis(20));
}
