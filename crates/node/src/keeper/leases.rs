//! Leases are renewed many at a time: a store makes what waits for it in one group.

use playhouse_store::{ActorKey, Epoch, Receipt, StoreError};

/// Leases that are renewed at the same time: an eighth of the writes that may wait for a store, so that messages find room beside them.
/// One after the other, 6,000 of them took as long as a lease lasts on a disk that takes 5 ms for a group.
const TOGETHER_MAX: usize = 1024;

/// A lease, by its actor.
type Lease = (ActorKey, Epoch);

/// Renews leases, and tells of each that could not be renewed.
pub(super) async fn renew<C>(
    leases: Vec<(Lease, C)>,
    submit: impl Fn(Lease, &C) -> Receipt<()>,
    lost: impl Fn(C, Lease, StoreError),
) {
    let mut leases = leases.into_iter();
    loop {
        let together = leases.by_ref().take(TOGETHER_MAX);
        let under_way: Vec<_> = together.map(|(lease, cell)| (submit(lease, &cell), lease, cell)).collect();
        if under_way.is_empty() {
            return;
        }
        for (receipt, lease, cell) in under_way {
            if let Err(error) = receipt.await {
                lost(cell, lease, error);
            }
        }
    }
}

#[cfg(test)]
mod tests;
