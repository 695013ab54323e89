use std::time::Duration;

use bytes::Bytes;
use playhouse_store::{
    Accepted, ActorKey, BatchLimits, Consumed, Enqueue, Fate, Message, Position, Priority, QueueLimits, Recorded,
    Retention, StoreError, Time,
};

use crate::support::{
    Make, NOW, Owner, at, done, done_with, enqueue, enqueue_of, message, open, payloads, put, queued, request, stronger,
};

pub(super) fn messages_come_out_as_they_went_in(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let actor = open(store, "one").actor;
    let sent = Message {
        deadline: Some(Time::from_millis(77)),
        context: Bytes::from_static(b"trace"),
        payload: Bytes::from_static(b"\0\xff"),
        ..request("r-1", "")
    };
    let position = put(store, actor, sent.clone());
    let got = queued(store, actor);
    assert_eq!(got.len(), 1);
    assert_eq!((&got[0].message, got[0].position, got[0].attempts, got[0].at), (&sent, position, 0, NOW));
}

pub(super) fn signals_have_a_queue_of_their_own(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let actor = open(store, "one").actor;
    for text in ["n1", "s1", "n2", "s2"] {
        let priority = if text.starts_with('s') { Priority::Signal } else { Priority::Normal };
        put(store, actor, Message { priority, ..message(text) });
    }
    assert_eq!(payloads(store, actor), ["s1", "s2", "n1", "n2"]);
}

pub(super) fn batches_have_limits(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let actor = open(store, "one").actor;
    let positions: Vec<Position> =
        (0..5).map(|n| put(store, actor, message(&format!("{n}{}", "x".repeat(99))))).collect();
    let read = |after, items, bytes| -> Vec<Position> {
        let batch = store.queued(actor, after, BatchLimits { items, bytes }).wait().expect("it can be read");
        batch.into_iter().map(|queued| queued.position).collect()
    };
    let start = Position::start(Priority::Normal);
    assert_eq!(read(start, 2, usize::MAX), positions[..2]);
    assert_eq!(read(positions[1], 99, usize::MAX), positions[2..]);
    assert_eq!(read(start, 99, 1), positions[..1], "one at least");
    assert_eq!(read(start, 99, 400), positions[..2]);
    assert_eq!(read(start, 0, usize::MAX), []);
    assert_eq!(read(positions[4], 99, usize::MAX), []);
}

pub(super) fn what_is_consumed_is_gone_and_stays_gone(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let first = put(store, owner.key(), message("a"));
    let second = put(store, owner.key(), message("b"));
    owner.commit(|commit| commit.consumed.push(done(second))).expect("in any order");
    assert_eq!(payloads(store, owner.key()), ["a"]);
    owner.commit(|commit| commit.consumed.push(done(first))).expect("the other");
    let third = put(store, owner.key(), message("c"));
    assert!(third.seq > second.seq, "positions are not used again");
    assert_eq!(payloads(store, owner.key()), ["c"]);
}

pub(super) fn a_mailbox_has_limits(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let offer = |messages, bytes| {
        let limits = QueueLimits { messages, bytes };
        store.enqueue(Enqueue { limits, ..enqueue_of(store, owner.key(), message("a")) }).wait()
    };
    let one = message("a").bytes();
    assert_eq!(offer(0, 9999), Err(StoreError::MailboxFull { what: "messages", wanted: 1, limit: 0 }));
    assert_eq!(offer(9, one - 1), Err(StoreError::MailboxFull { what: "bytes", wanted: one, limit: one - 1 }));
    let Ok(Accepted::Queued(position)) = offer(1, one) else { panic!("it fits exactly") };
    assert_eq!(offer(1, 9999), Err(StoreError::MailboxFull { what: "messages", wanted: 2, limit: 1 }));
    owner.commit(|commit| commit.consumed.push(done(position))).expect("it is there");
    let offer =
        Enqueue { limits: QueueLimits { messages: 1, bytes: one }, ..enqueue_of(store, owner.key(), message("a")) };
    assert!(store.enqueue(offer).wait().is_ok(), "there is room again");
}

pub(super) fn a_request_that_comes_again_is_known(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let other = open(store, "two").actor;
    let position = put(store, owner.key(), request("r-1", "a"));
    let again = || enqueue(store, owner.lease.actor, request("r-1", "b")).expect("it is no error");
    assert_eq!(again(), Accepted::Duplicate);
    let full = QueueLimits { messages: 1, bytes: 99 };
    let offer = Enqueue { limits: full, ..enqueue_of(store, owner.lease.actor, request("r-1", "b")) };
    assert_eq!(store.enqueue(offer).wait(), Ok(Accepted::Duplicate), "whether or not there is room");
    let key = request("r-1", "").request_key().expect("it has an id");
    assert_eq!(store.recorded(owner.key(), &key).wait(), Ok(Some(Recorded::Pending(position))));
    owner.commit(|commit| commit.consumed.push(done_with(position, "the reply"))).expect("it is there");
    let answered = Recorded::Answered(Some(Bytes::from_static(b"the reply")));
    assert_eq!(enqueue(store, owner.key(), request("r-1", "b")), Ok(Accepted::Duplicate));
    assert_eq!(store.recorded(owner.key(), &key).wait(), Ok(Some(answered)));
    assert_eq!(payloads(store, owner.key()), Vec::<String>::new());
    put(store, other, request("r-1", "to somebody else"));
    put(
        store,
        owner.key(),
        Message { caller: "2@7/acme:Caller:1.0.0".to_owned(), ..request("r-1", "of somebody else") },
    );
}

pub(super) fn replies_are_forgotten_by_age(make: Make) {
    let retention = Retention { reply_age: Duration::from_secs(10), ..Retention::default() };
    let place = make(retention);
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    for (id, second) in [("r-1", 0), ("r-2", 5), ("r-3", 9)] {
        let position = put(store, owner.key(), request(id, ""));
        owner
            .commit(|commit| {
                commit.now = at(second);
                commit.consumed.push(done_with(position, id));
            })
            .expect("it is there");
    }
    put(store, owner.key(), request("pending", ""));
    let known = |id: &str| {
        let key = request(id, "").request_key().expect("it has an id");
        store.recorded(owner.lease.actor, &key).wait().expect("it can be read").is_some()
    };
    assert!(known("r-1") && known("r-2") && known("r-3"));
    assert_eq!(store.expire_replies(at(10)).wait(), Ok(0), "the age itself is not too old");
    assert_eq!(store.expire_replies(at(11)).wait(), Ok(1));
    assert!(!known("r-1") && known("r-2") && known("r-3"));
    assert_eq!(store.expire_replies(at(1000)).wait(), Ok(2));
    assert!(!known("r-2") && !known("r-3") && known("pending"), "what waits is not forgotten");
    put(store, owner.key(), request("r-1", "anew"));
}

pub(super) fn replies_are_forgotten_by_bytes(make: Make) {
    let place = make(Retention { reply_bytes: 1000, ..Retention::default() });
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    for number in 0..20 {
        let position = put(store, owner.key(), request(&format!("r-{number}"), ""));
        owner
            .commit(|commit| {
                commit.now = at(number);
                commit.consumed.push(done_with(position, &"x".repeat(100)));
            })
            .expect("it is there");
        let stats = store.stats().wait().expect("it can be read");
        assert!(stats.replies_bytes <= 1000, "{stats:?}");
    }
    let known = |number: u64| {
        let key = request(&format!("r-{number}"), "").request_key().expect("it has an id");
        store.recorded(owner.lease.actor, &key).wait().expect("it can be read").is_some()
    };
    assert!(!known(0) && known(19));
    let kept = (0..20).filter(|number| known(*number)).count();
    assert_eq!(store.stats().wait().expect("it can be read").replies, kept as u64);
}

pub(super) fn failed_attempts_are_counted(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let first = put(store, owner.key(), request("r-1", "a"));
    put(store, owner.key(), message("b"));
    for _ in 0..3 {
        owner
            .commit(|commit| commit.consumed.push(Consumed::Message { position: first, fate: Fate::Again }))
            .expect("it is there");
    }
    let all = queued(store, owner.key());
    let counts: Vec<u32> = all.iter().map(|queued| queued.attempts).collect();
    assert_eq!((counts, all[0].message.clone()), (vec![3, 0], request("r-1", "a")));
    assert_eq!(store.actor(owner.key()).wait().expect("it can be read").expect("it is there").lease.usage.queued, 2);
}

pub(super) fn an_unknown_actor_has_no_mailbox(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let actor = ActorKey::from_number(12);
    assert_eq!(enqueue(store, actor, message("a")), Err(StoreError::UnknownActor { actor }));
    assert_eq!(queued(store, actor), []);
}

pub(super) fn parts_of_messages_have_limits(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let actor = open(store, "one").actor;
    let long = |length: usize| "x".repeat(length);
    let refused = [
        Message { caller: long(513), ..message("") },
        Message { request: Some(long(257)), ..message("") },
        Message { request: Some(String::new()), ..message("") },
        Message { route: long(513), ..message("") },
        Message { payload: vec![0; (64 << 20) + 1].into(), ..message("") },
        Message { context: vec![0; 4097].into(), ..message("") },
    ];
    for message in refused {
        let error = enqueue(store, actor, message).expect_err("it is too large");
        assert!(matches!(error, StoreError::TooLarge { .. } | StoreError::Malformed { .. }), "{error}");
    }
    let largest = Message {
        caller: long(512),
        request: Some(long(256)),
        route: long(512),
        context: vec![7; 4096].into(),
        ..message("")
    };
    put(store, actor, largest.clone());
    assert_eq!(queued(store, actor)[0].message, largest);
}

pub(super) fn stronger_promises_are_refused(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let (has, wanted) = (store.strongest(), stronger(store.strongest()));
    let missing = StoreError::DurabilityMissing { wanted, has };
    let offer = Enqueue { durability: wanted, ..enqueue_of(store, owner.key(), message("a")) };
    assert_eq!(store.enqueue(offer).wait(), Err(missing.clone()));
    assert_eq!(owner.commit(|commit| commit.durability = wanted), Err(missing));
}
