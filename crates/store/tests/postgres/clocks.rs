use std::time::Duration;

use bytes::Bytes;
use playhouse_store::{Commit, Durability, Recorded, RecordedReply, RequestKey, Store, Time, commit};

use crate::cluster::{Cluster, there};
use crate::say::{enqueue, now, open};

/// The clock of a node is a day ahead for one write. Once it is put right, replies of the last hour are known again.
#[test]
fn a_clock_that_is_put_right_forgets_no_more() {
    if !there() {
        return;
    }
    let cluster = Cluster::start("");
    let store = cluster.open();
    let mut lease = open(&store, "one");
    let mut answer = |request: &str, now: Time| {
        let mut draft = Commit::new(lease.actor, lease.epoch, lease.revision.next(), now, Durability::Fsync);
        let request = RequestKey { caller: "caller".to_owned(), request: request.to_owned() };
        draft.reply = Some(RecordedReply { request: request.clone(), reply: Bytes::from_static(b"reply") });
        commit(&store, draft).wait().expect("nothing is in its way");
        lease.revision = lease.revision.next();
        (lease.actor, request)
    };
    let first = answer("r-1", now());
    let mut ahead = enqueue(first.0, "ahead", Durability::Fsync);
    ahead.now = now().after(Duration::from_secs(86_400));
    store.enqueue(ahead).wait().expect("there is room");
    let second = answer("r-2", now());
    answer("r-3", now());
    for (actor, request) in [first, second] {
        let recorded = store.recorded(actor, &request).wait().expect("it can be read");
        assert!(matches!(recorded, Some(Recorded::Answered(_))), "{request:?}: {recorded:?}");
    }
}
