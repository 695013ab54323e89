use std::time::Duration;

use super::{Patience, SELFISH, Spin, SpinPermit, spinners_max};

/// Which of 200 occasions are used for looking, if looking is of use as `of_use` says.
fn looks(of_use: impl Fn(u32) -> bool) -> Vec<u32> {
    let mut patience = Patience::new();
    let mut looked = Vec::new();
    for occasion in 0..200 {
        if patience.allows() {
            looked.push(occasion);
            patience.learn(&Spin::new(Duration::ZERO, patience), of_use(occasion));
        }
    }
    looked
}

#[test]
fn looking_that_is_of_no_use_is_left_out() {
    assert_eq!(looks(|_| false), [0, 2, 5, 10, 19, 36, 69, 102, 135, 168]);
}

#[test]
fn looking_that_is_of_use_goes_on() {
    assert_eq!(looks(|_| true).len(), 200);
    assert_eq!(looks(|occasion| occasion > 10)[..6], [0, 2, 5, 10, 19, 20]);
}

#[test]
fn a_spin_ends() {
    let mut spin = Spin::new(Duration::from_micros(50), Patience::new());
    while spin.again() {}
}

/// A look that was of use after the core was given away makes the next ones give it away at once, for a while.
#[test]
fn sides_that_share_a_core_give_it_away() {
    let mut patience = Patience::new();
    let mut patient = Spin::new(2 * SELFISH, patience);
    while patient.again() {}
    patience.learn(&patient, true);
    let mut gave_away = 0;
    loop {
        let mut spin = Spin::new(2 * SELFISH, patience);
        spin.again();
        if !spin.yielded {
            break;
        }
        patience.learn(&spin, true);
        gave_away += 1;
    }
    assert_eq!(gave_away, u32::from(Patience::SHARES));
}

#[test]
fn one_core_stays_free() {
    let permits: Vec<_> = std::iter::from_fn(SpinPermit::acquire).collect();
    assert!(permits.len() <= spinners_max());
    assert!(SpinPermit::acquire().is_none());
    drop(permits);
}
