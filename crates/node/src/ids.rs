//! Numbers that a node gives out.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use playhouse_types::RequestId;

/// Request numbers that a thread takes at a time, so that threads do not fight over one counter on every call.
const BLOCK: u64 = 1 << 12;

static NEXT_BLOCK: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// A request id that no other request of this process has.
pub(crate) fn request_id() -> RequestId {
    let number = NEXT.with(|next| {
        let mut number = next.get();
        if number.is_multiple_of(BLOCK) {
            number = NEXT_BLOCK.fetch_add(BLOCK, Ordering::Relaxed);
        }
        // The last number of a block is skipped, so that the next one again says that a block is needed.
        next.set(number + 1);
        number + 1
    });
    RequestId::from_number(number)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn ids_are_distinct_over_threads_and_blocks() {
        let take = || (0..3 * super::BLOCK).map(|_| super::request_id()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(take)).collect();
        let all: Vec<_> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }
}
