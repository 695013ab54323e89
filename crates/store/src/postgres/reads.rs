//! The reads of the contract as statements.

use std::ops::Bound;

use crate::contract::KeyRange;
use crate::limits::STATE_KEY_BYTES_MAX;
use crate::model::{BatchLimits, Identity};

use super::group::number;
use super::readers::Param;

/// Rows of a table behind some place, in order, as many as two limits allow: of rows, and of the sum of `size`, but one at least.
macro_rules! batch {
    ($table:literal, $whose:literal, $order:literal, $size:literal, $items:literal, $bytes:literal) => {
        concat!(
            "SELECT * FROM (SELECT *, (sum(",
            $size,
            ") OVER running)::bigint AS total, row_number() OVER running AS place \
             FROM (SELECT * FROM ",
            $table,
            " WHERE ",
            $whose,
            " ORDER BY ",
            $order,
            " LIMIT ",
            $items,
            ") batch \
             WINDOW running AS (ORDER BY ",
            $order,
            ")) counted WHERE total <= ",
            $bytes,
            " OR place = 1 ORDER BY ",
            $order
        )
    };
}

pub(super) const ACTOR: &str = "SELECT * FROM actors WHERE actor = $1";
pub(super) const ACTOR_NAMED: &str =
    "SELECT * FROM actors WHERE realm = $1 AND manufacturer = $2 AND type_name = $3 AND instance = $4";
pub(super) const ACTORS: &str = "SELECT * FROM actors WHERE actor > $1 ORDER BY actor LIMIT $2";
pub(super) const QUEUED: &str = batch!("mailbox", "actor = $1 AND lane = $2 AND seq > $3", "seq", "bytes", "$4", "$5");
pub(super) const RECORDED: &str = "SELECT * FROM requests WHERE actor = $1 AND caller = $2 AND request = $3";
pub(super) const STATE: &str = "SELECT * FROM state WHERE actor = $1 AND key = $2";
pub(super) const SCAN: &str = batch!(
    "state",
    "actor = $1 AND key >= $2 AND key < $3",
    "key",
    "octet_length(key) + octet_length(value)",
    "$4",
    "$5"
);
pub(super) const OUTBOX: &str = batch!("outbox", "id > $1", "id", "bytes", "$2", "$3");
pub(super) const TIMERS_DUE: &str =
    batch!("timers", "due <= $1", "due, actor, name", "octet_length(body)", "$2", "67108864");
pub(super) const NEXT_DUE: &str = "SELECT due FROM timers ORDER BY due, actor, name LIMIT 1";
pub(super) const TIMERS: &str =
    batch!("timers", "actor = $1 AND name > $2", "name", "octet_length(body)", "$3", "67108864");
pub(super) const LETTERS: &str = batch!("letters", "id > $1", "id", "bytes", "$2", "$3");
pub(super) const LETTER: &str = "SELECT * FROM letters WHERE id = $1";
pub(super) const SEALED_KEY: &str = "SELECT * FROM sealed_keys WHERE actor = $1 AND name = $2";
pub(super) const SEALED_KEYS: &str =
    batch!("sealed_keys", "(actor, name) > ($1, $2)", "actor, name", "octet_length(blob)", "$3", "$4");
pub(super) const NOTE: &str = "SELECT * FROM notes WHERE name = $1";
pub(super) const STATS: &str = "SELECT (SELECT count(*) FROM actors) AS actors, sum(letters)::bigint AS letters, \
     sum(letter_bytes)::bigint AS letter_bytes, sum(letters_dropped)::bigint AS letters_dropped, \
     sum(replies)::bigint AS replies, sum(reply_bytes)::bigint AS reply_bytes, (SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relkind = 'r' \
      AND relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'meta'::regclass)) AS disk_bytes FROM writers";

pub(super) fn int(value: u64) -> Param {
    Box::new(number(value))
}

pub(super) fn count(value: usize) -> Param {
    int(value as u64)
}

pub(super) fn bytes(value: &[u8]) -> Param {
    Box::new(value.to_vec())
}

pub(super) fn limits(limits: BatchLimits) -> [Param; 2] {
    let BatchLimits { items, bytes } = limits.bounded();
    [count(items), count(bytes)]
}

pub(super) fn identity(identity: &Identity) -> Vec<Param> {
    let names = [identity.manufacturer.as_str(), identity.type_name.as_str(), &identity.instance];
    let mut params = vec![int(u64::from(identity.realm.number()))];
    params.extend(names.map(|name| bytes(name.as_bytes())));
    params
}

/// The first key of a range, and the first behind it. The key after `k` is `k` and a zero byte.
pub(super) fn bounds(range: &KeyRange) -> [Param; 2] {
    let next = |key: &[u8]| [key, &[0]].concat();
    let from = match &range.from {
        Bound::Included(key) => key.to_vec(),
        Bound::Excluded(key) => next(key),
        Bound::Unbounded => Vec::new(),
    };
    let to = match &range.to {
        Bound::Included(key) => next(key),
        Bound::Excluded(key) => key.to_vec(),
        // Behind every key that may be.
        Bound::Unbounded => vec![0xff; STATE_KEY_BYTES_MAX + 1],
    };
    [Box::new(from), Box::new(to)]
}
