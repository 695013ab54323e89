use super::{Account, LOANS_MAX, lend, take_back, take_back_all};

#[test]
fn a_buffer_is_taken_back_once() {
    let account = Account::default();
    let (first, len) = lend(vec![1, 2, 3], &account).unwrap();
    assert_eq!(len, 3);
    let (second, _) = lend(vec![4], &account).unwrap();
    assert_ne!(first, second);
    take_back(first);
    take_back(first);
    take_back(first.wrapping_add(1));
    assert_eq!(account.held(), 1);
    take_back(second);
    assert_eq!(account.held(), 0);
}

/// Buffers that a guest kept outlived it, with every life of its actor some more.
#[test]
fn nothing_is_held_by_who_has_ended() {
    let (ended, alive) = (Account::default(), Account::default());
    let kept: Vec<_> = (0..3).map(|_| lend(vec![1; 8], &ended).unwrap().0).collect();
    let (other, _) = lend(vec![2; 8], &alive).unwrap();
    take_back_all(&ended);
    assert_eq!((ended.held(), alive.held()), (0, 1));
    // Addresses of its buffers mean nothing any more.
    take_back(kept[0]);
    assert_eq!((ended.held(), alive.held()), (0, 1));
    take_back(other);
    assert_eq!(alive.held(), 0);
}

#[test]
fn loans_have_a_limit() {
    let account = Account::default();
    let held: Vec<_> = (0..LOANS_MAX).map(|_| lend(vec![0; 8], &account).unwrap().0.addr()).collect();
    assert!(lend(vec![0; 8], &account).is_none());
    // Another guest's account is its own.
    let other = Account::default();
    take_back(lend(vec![0; 8], &other).unwrap().0);
    for address in held {
        take_back(std::ptr::without_provenance_mut(address));
    }
    assert!(lend(vec![0; 8], &account).is_some());
}
