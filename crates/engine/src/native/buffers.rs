//! Buffers that guests have on loan: the outputs of `invoke`.
//!
//! Every one is found by its address, so that whatever a guest gives back, at most a buffer of ours is freed, and that
//! once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;

/// Buffers that one guest may hold at a time. A guest is to give each back before it asks for the next; this many are an error
/// of the guest, not of us.
pub(super) const LOANS_MAX: usize = 1024;

/// How many buffers one guest holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Account(Arc<AtomicUsize>);

impl Account {
    fn held(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

struct Loan {
    // A vector, unlike a box, may be moved while the guest has a pointer to its bytes.
    _bytes: Vec<u8>,
    account: Account,
}

static LOANS: LazyLock<Mutex<HashMap<usize, Loan>>> = LazyLock::new(Mutex::default);

/// Puts a buffer on loan and returns its address and length, or nothing if the guest holds too many.
pub(super) fn lend(mut bytes: Vec<u8>, account: &Account) -> Option<(*mut u8, usize)> {
    let more = |held| (held < LOANS_MAX).then_some(held + 1);
    account.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
    let (address, len) = (bytes.as_mut_ptr(), bytes.len());
    LOANS.lock().insert(address.addr(), Loan { _bytes: bytes, account: account.clone() });
    Some((address, len))
}

/// Takes a buffer back. Addresses that are not on loan are ignored, lengths are ours to know.
pub(super) fn take_back(address: *mut u8) {
    let loan = LOANS.lock().remove(&address.addr());
    if let Some(loan) = loan {
        loan.account.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes back all that a guest holds, none of whose code will run any more.
pub(super) fn take_back_all(account: &Account) {
    if account.held() == 0 {
        return;
    }
    let is_theirs = |_: &usize, loan: &mut Loan| Arc::ptr_eq(&loan.account.0, &account.0);
    let theirs: Vec<_> = LOANS.lock().extract_if(is_theirs).collect();
    account.0.fetch_sub(theirs.len(), Ordering::Relaxed);
}

#[cfg(test)]
mod tests;
