use super::{Account, LOANS_MAX, lend, take_back};

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
