use bytes::Bytes;
use playhouse_store::limits::{BATCH_BYTES_MAX, TIMER_BODY_BYTES_MAX};
use playhouse_store::{
    Accepted, ActorKey, BatchLimits, Commit, Consumed, Delivers, Enqueue, Expect, KeyChange, Message, OutId,
    OutMessage, Priority, QueueLimits, Quota, Recorded, RecordedReply, Retention, Revision, StateChange, Store,
    StoreError, TimerChange, commit,
};

use crate::support::{
    Make, NOW, Owner, all_of_it, at, change, done, done_with, enqueue, enqueue_of, message, payloads, put, request, set,
};

fn out(target: &str) -> OutMessage {
    OutMessage { target: target.to_owned(), not_before: NOW, message: request(target, "out") }
}

fn timer(name: &str, second: u64) -> TimerChange {
    TimerChange::Set { name: name.to_owned(), due: at(second), body: Bytes::from_static(b"tick") }
}

/// One of everything.
fn fill(commit: &mut Commit, consumed: Consumed) {
    commit.consumed.push(consumed);
    commit.state.push(set("k", "v"));
    commit.outbox.push(out("b"));
    commit.timers.push(timer("t", 9));
    commit.keys.push(KeyChange::Create { name: "sign".to_owned(), blob: Bytes::from_static(b"sealed") });
    let request = request("direct", "").request_key().expect("it has an id");
    commit.reply = Some(RecordedReply { request, reply: Bytes::from_static(b"reply") });
}

/// What of [`fill`] is there, in a few letters.
fn seen(store: &dyn Store, owner: &Owner<'_>) -> String {
    let mut seen = String::new();
    let mut note = |there: bool, letter| seen.push(if there { letter } else { '-' });
    note(payloads(store, owner.key()).is_empty(), 'm');
    note(owner.get("k").is_some(), 's');
    note(!store.outbox(OutId::default(), all_of_it()).wait().expect("it can be read").is_empty(), 'o');
    note(!store.timers(owner.key(), "", 9).wait().expect("it can be read").is_empty(), 't');
    note(store.sealed_key(owner.key(), "sign").wait().expect("it can be read").is_some(), 'k');
    let direct = request("direct", "").request_key().expect("it has an id");
    note(store.recorded(owner.key(), &direct).wait().expect("it can be read").is_some(), 'r');
    seen
}

pub(super) fn a_commit_is_whole(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let position = put(store, owner.key(), message("a"));
    assert_eq!(seen(store, &owner), "------");
    owner.commit(|commit| fill(commit, done(position))).expect("nothing is in its way");
    assert_eq!(seen(store, &owner), "msotkr");
}

pub(super) fn a_refused_commit_leaves_nothing(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let mut other = Owner::open(store, "two");
    let position = put(store, owner.key(), message("a"));
    type Spoil = fn(&mut Commit);
    let spoils: [(&str, Spoil); 7] = [
        ("a key that is not there", |c| c.state.push(change("z", Expect::Version(Revision::from_number(1)), None))),
        ("a message that is not there", |c| {
            c.consumed.push(done(playhouse_store::Position {
                seq: 999,
                ..playhouse_store::Position::start(playhouse_store::Priority::Normal)
            }));
        }),
        ("a timer that is not set", |c| c.consumed.push(Consumed::Timer { name: "x".to_owned(), due: NOW })),
        ("a quota", |c| c.quota.state_keys = 0),
        ("a later revision", |c| c.revision = c.revision.next()),
        ("a former revision", |c| c.revision = Revision::from_number(0)),
        ("a stale epoch", |c| c.epoch = playhouse_store::Epoch::from_number(0)),
    ];
    for (what, spoil) in spoils {
        // Neighbours in the same group go through.
        let (before, after) = (other.draft(), {
            let mut draft = other.draft();
            draft.revision = draft.revision.next();
            draft
        });
        let mut bad = owner.draft();
        fill(&mut bad, done(position));
        spoil(&mut bad);
        let receipts = [before, bad, after].map(|draft| commit(store, draft));
        let results = receipts.map(playhouse_store::Receipt::wait);
        assert!(results[0].is_ok() && results[1].is_err() && results[2].is_ok(), "{what}: {results:?}");
        other.lease.revision = other.lease.revision.next().next();
        assert_eq!(seen(store, &owner), "------", "{what}");
    }
    owner.commit(|commit| fill(commit, done(position))).expect("and then it can be done");
    assert_eq!(seen(store, &owner), "msotkr");
}

pub(super) fn revisions_follow_each_other(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    owner.set("a", "1").expect("the first");
    owner.set("b", "2").expect("the second");
    assert_eq!(owner.get("b"), Some(("2".to_owned(), Revision::from_number(2))));
    let again = Owner::open(store, "one");
    assert_eq!(again.lease.revision, Revision::from_number(2), "they go on after a new owner");
}

pub(super) fn what_follows_a_refused_commit_is_refused(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let drafts: Vec<Commit> = (0..4)
        .map(|number| {
            let mut draft = owner.draft();
            draft.revision = Revision::from_number(number + 1);
            draft.state.push(set("k", &number.to_string()));
            if number == 1 {
                draft.state.push(change("missing", Expect::Version(Revision::from_number(9)), None));
            }
            draft
        })
        .collect();
    let receipts: Vec<_> = drafts.into_iter().map(|draft| commit(store, draft)).collect();
    let results: Vec<_> = receipts.into_iter().map(playhouse_store::Receipt::wait).collect();
    assert!(results[0].is_ok());
    assert!(matches!(results[1], Err(StoreError::VersionMismatch { .. })));
    for (result, given) in [(&results[2], 3), (&results[3], 4)] {
        let (given, last) = (Revision::from_number(given), Revision::from_number(1));
        assert_eq!(*result, Err(StoreError::PredecessorFailed { actor: owner.key(), given, last }));
    }
    assert_eq!(owner.get("k"), Some(("0".to_owned(), Revision::from_number(1))));
    owner.lease.revision = Revision::from_number(1);
    owner.set("k", "anew").expect("the refused revision is the next");
}

pub(super) fn nothing_is_consumed_twice(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let position = put(store, owner.key(), message("a"));
    owner.commit(|commit| commit.consumed.push(done(position))).expect("once");
    let twice = owner.commit(|commit| {
        commit.consumed.push(done(position));
        commit.state.push(set("twice", "yes"));
    });
    assert_eq!(twice, Err(StoreError::NotQueued { actor: owner.key(), position }));
    assert_eq!(owner.get("twice"), None);
}

/// Whatever else of the mailbox a commit consumes: neighbours, some of another actor's between them, or of another queue.
pub(super) fn what_is_not_consumed_stays(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut one = Owner::open(store, "one");
    let two = Owner::open(store, "two");
    let send =
        |owner: &Owner<'_>, payload: &str, priority| put(store, owner.key(), Message { priority, ..message(payload) });
    let mut positions = Vec::new();
    for n in 0..10 {
        positions.push(send(&one, &n.to_string(), Priority::Normal));
        send(&two, &n.to_string(), Priority::Normal);
        send(&one, &format!("signal {n}"), Priority::Signal);
    }
    let kept = |numbers: &[usize]| {
        let signals = (0..10).map(|n| format!("signal {n}"));
        signals.chain(numbers.iter().map(ToString::to_string)).collect::<Vec<_>>()
    };
    one.commit(|commit| commit.consumed.extend([4, 1, 2, 9].map(|n| done(positions[n])))).expect("they are there");
    assert_eq!(payloads(store, one.key()), kept(&[0, 3, 5, 6, 7, 8]));
    let consumed = [3, 5, 8, 6].map(|n| done(positions[n]));
    let left = one.commit(|commit| commit.consumed.extend(consumed)).expect("they are there");
    assert_eq!(left.usage.queued, 12);
    assert_eq!(payloads(store, one.key()), kept(&[0, 7]));
    let again = one.commit(|commit| commit.consumed.push(done(positions[5])));
    assert!(matches!(again, Err(StoreError::NotQueued { .. })), "{again:?}");
    assert_eq!(payloads(store, two.key()).len(), 10);
}

pub(super) fn the_outbox_is_delivered_in_order(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let first = owner.commit(|commit| commit.outbox.extend([out("a"), out("b")])).expect("it fits");
    let second = owner.commit(|commit| commit.outbox.push(out("c"))).expect("it fits");
    let (first, second) = (first.first_out.expect("it had some"), second.first_out.expect("it had one"));
    assert_eq!(second.number(), first.number() + 2);
    let read = |after, items| {
        let limits = BatchLimits { items, bytes: usize::MAX };
        let posted = store.outbox(after, limits).wait().expect("it can be read");
        posted.into_iter().map(|posted| (posted.out.target, posted.attempts)).collect::<Vec<_>>()
    };
    let named = |targets: &[&str]| targets.iter().map(|target| ((*target).to_owned(), 0)).collect::<Vec<_>>();
    assert_eq!(read(OutId::default(), 9), named(&["a", "b", "c"]));
    assert_eq!(read(OutId::default(), 1), named(&["a"]));
    assert_eq!(read(first, 9), named(&["b", "c"]));
    store.outbox_failed(first, at(30)).wait().expect("it is there");
    let failed = store.outbox(OutId::default(), all_of_it()).wait().expect("it can be read")[0].clone();
    assert_eq!((failed.attempts, failed.out.not_before, failed.actor), (1, at(30), owner.key()));
    assert_eq!(failed.out.message, out("a").message);
    store.outbox_done(vec![first, first, second, OutId::from_number(999)]).wait().expect("some are there");
    assert_eq!(read(OutId::default(), 9), named(&["b"]));
    let usage = store.actor(owner.key()).wait().expect("it can be read").expect("it is there").lease.usage;
    assert_eq!(usage.outbox, 1);
    assert!(store.outbox_failed(first, at(60)).wait().is_err());
}

pub(super) fn what_is_delivered_arrives_once(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let (mut sender, mut receiver) = (Owner::open(store, "one"), Owner::open(store, "two"));
    let sent = sender.commit(|commit| commit.outbox.extend([out("a"), out("b")])).expect("it fits");
    let first = sent.first_out.expect("it had some");
    let deliver = |to, id, now| {
        let delivers = Some(Delivers { id, behind: None });
        store.enqueue(Enqueue { delivers, now, ..enqueue_of(store, to, message("hello")) }).wait()
    };
    let Ok(Accepted::Queued(position)) = deliver(receiver.key(), first, NOW) else { panic!("there is room") };
    assert_eq!(deliver(receiver.key(), first, NOW), Ok(Accepted::Duplicate), "it waits");
    receiver.commit(|commit| commit.consumed.push(done(position))).expect("it is there");
    // However long a node was away: nothing has to be remembered for it.
    store.expire_replies(at(86_400)).wait().expect("it is a time");
    assert_eq!(deliver(receiver.key(), first, at(86_400)), Ok(Accepted::Duplicate), "it was handled");
    let usage = |owner: &Owner<'_>| store.actor(owner.key()).wait().expect("read").expect("there").lease.usage;
    assert_eq!((payloads(store, receiver.key()).len(), usage(&sender).outbox, usage(&receiver).queued), (0, 1, 0));
    assert_eq!(store.stats().wait().expect("it can be read").replies, 0);

    // To nobody, with an id, to itself.
    let second = OutId::from_number(first.number() + 1);
    let actor = ActorKey::from_number(99);
    assert_eq!(deliver(actor, second, NOW), Err(StoreError::UnknownActor { actor }));
    let delivers = Some(Delivers { id: second, behind: None });
    let named = Enqueue { delivers, ..enqueue_of(store, receiver.key(), request("r", "")) };
    assert!(matches!(store.enqueue(named).wait(), Err(StoreError::Malformed { .. })));
    assert_eq!(usage(&sender).outbox, 1, "what is refused changes nothing");
    assert!(matches!(deliver(sender.key(), second, NOW), Ok(Accepted::Queued(_))));
    assert_eq!((usage(&sender).outbox, usage(&sender).queued), (0, 1));
}

pub(super) fn what_was_not_taken_is_not_overtaken(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let (mut sender, receiver) = (Owner::open(store, "one"), Owner::open(store, "two"));
    let sent = sender.commit(|commit| commit.outbox.extend(["a", "b", "c"].map(out))).expect("it fits");
    let id = |nth| OutId::from_number(sent.first_out.expect("it had some").number() + nth);
    let deliver = |nth: u64, bytes| {
        let delivers = Some(Delivers { id: id(nth), behind: nth.checked_sub(1).map(id) });
        let limits = QueueLimits { messages: 9, bytes };
        store.enqueue(Enqueue { delivers, limits, ..enqueue_of(store, receiver.key(), message(&nth.to_string())) })
    };
    // All on their way at once; the first does not fit.
    let (first, second, third) = (deliver(0, 1), deliver(1, 999), deliver(2, 999));
    assert!(matches!(first.wait(), Err(StoreError::MailboxFull { what: "bytes", .. })));
    assert_eq!(second.wait(), Err(StoreError::OutOfTurn { first: id(0) }));
    assert_eq!(third.wait(), Err(StoreError::OutOfTurn { first: id(1) }));
    let all = [deliver(0, 999), deliver(1, 999), deliver(2, 999)];
    assert!(all.into_iter().all(|receipt| matches!(receipt.wait(), Ok(Accepted::Queued(_)))));
    assert_eq!(payloads(store, receiver.key()), ["0", "1", "2"]);
}

pub(super) fn timers_fire_once(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    owner.commit(|commit| commit.timers.extend([timer("late", 20), timer("soon", 10), timer("gone", 5)])).expect("set");
    owner.commit(|commit| commit.timers.push(TimerChange::Cancel { name: "gone".to_owned() })).expect("cancelled");
    let due = |second, items| -> Vec<String> {
        let due = store.timers_due(at(second), items).wait().expect("it can be read");
        due.into_iter().map(|timer| timer.name).collect()
    };
    assert_eq!(store.next_due().wait(), Ok(Some(at(10))));
    assert_eq!(due(9, 9), Vec::<String>::new());
    assert_eq!(due(10, 9), ["soon"]);
    assert_eq!(due(99, 9), ["soon", "late"]);
    assert_eq!(due(99, 1), ["soon"]);
    let fired = Consumed::Timer { name: "soon".to_owned(), due: at(10) };
    // It repeats: the same commit sets it again.
    owner
        .commit(|commit| {
            commit.consumed.push(fired.clone());
            commit.timers.push(timer("soon", 30));
        })
        .expect("it was set for then");
    let again = owner.commit(|commit| commit.consumed.push(fired));
    assert_eq!(again, Err(StoreError::TimerNotSet { actor: owner.key(), name: "soon".to_owned() }));
    assert_eq!(due(99, 9), ["late", "soon"]);
    let listed = store.timers(owner.key(), "late", 9).wait().expect("it can be read");
    assert_eq!(listed.iter().map(|timer| (timer.name.as_str(), timer.due)).collect::<Vec<_>>(), [("soon", at(30))]);
    let usage = store.actor(owner.key()).wait().expect("it can be read").expect("it is there").lease.usage;
    assert_eq!(usage.timers, 2);
}

pub(super) fn timers_that_are_read_at_once_have_limits(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let (body, quota) = (Bytes::from(vec![7; TIMER_BODY_BYTES_MAX]), Quota { timers: 9999, ..Quota::default() });
    let fits = BATCH_BYTES_MAX / TIMER_BODY_BYTES_MAX;
    for half in 0..2 {
        let numbers = half * 600..(half + 1) * 600;
        let set = |number| TimerChange::Set { name: format!("{number:04}"), due: at(number), body: body.clone() };
        let set = owner.commit(|commit| {
            commit.quota = quota;
            commit.timers.extend(numbers.map(set));
        });
        set.expect("it fits");
    }
    assert_eq!(store.timers_due(at(9999), 9999).wait().expect("it can be read").len(), fits);
    assert_eq!(store.timers(owner.key(), "", 9999).wait().expect("it can be read").len(), fits);
    assert_eq!(store.timers(owner.key(), "1100", 9999).wait().expect("it can be read").len(), 99);
}

pub(super) fn quotas_are_named(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let quota = Quota { state_keys: 1, state_bytes: 10, timers: 1, outbox: 1, sealed_keys: 1 };
    type Fill = fn(&mut Commit);
    let cases: [(&str, Fill); 5] = [
        ("state_keys", |c| c.state.extend([set("a", ""), set("b", "")])),
        ("state_bytes", |c| c.state.push(set("a", "1234567890"))),
        ("timers", |c| c.timers.extend([timer("a", 1), timer("b", 1)])),
        ("outbox", |c| c.outbox.extend([out("a"), out("b")])),
        ("sealed_keys", |c| {
            c.keys.extend(["a", "b"].map(|name| KeyChange::Replace { name: name.to_owned(), blob: Bytes::new() }));
        }),
    ];
    for (name, fill) in cases {
        let refused = owner.commit(|commit| {
            commit.quota = quota;
            fill(commit);
        });
        match refused {
            Err(StoreError::QuotaExceeded { what, wanted, limit }) => assert!(what == name && wanted > limit, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    let exact = owner.commit(|commit| {
        commit.quota = quota;
        commit.state.push(set("a", "123456789"));
        commit.timers.push(timer("a", 1));
        commit.outbox.push(out("a"));
        commit.keys.push(KeyChange::Create { name: "a".to_owned(), blob: Bytes::new() });
    });
    exact.expect("a quota itself may be reached");
}

pub(super) fn less_is_allowed_beyond_a_quota(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    owner.commit(|commit| commit.state.extend([set("a", "1"), set("b", "2"), set("c", "3")])).expect("it fits");
    // The quota was lowered since.
    let quota = Quota { state_keys: 1, state_bytes: 2, ..Quota::default() };
    let less = owner.commit(|commit| {
        commit.quota = quota;
        commit.state.push(change("a", Expect::Any, None));
    });
    less.expect("it is less than it was");
    let same = owner.commit(|commit| {
        commit.quota = quota;
        commit.state.push(set("b", "9"));
    });
    same.expect("it is not more than it was");
    let more = owner.commit(|commit| {
        commit.quota = quota;
        commit.state.push(set("b", "99"));
    });
    assert!(matches!(more, Err(StoreError::QuotaExceeded { what: "state_bytes", .. })), "{more:?}");
}

pub(super) fn a_direct_reply_is_recorded(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let call = request("r-7", "a");
    let reply = RecordedReply { request: call.request_key().expect("it has an id"), reply: Bytes::from_static(b"42") };
    owner.commit(|commit| commit.reply = Some(reply)).expect("it was never queued");
    let actor = owner.key();
    let known = |call: &Message| store.recorded(actor, &call.request_key().expect("it has an id")).wait();
    assert_eq!(known(&call), Ok(Some(Recorded::Answered(Some(Bytes::from_static(b"42"))))));
    assert_eq!(enqueue(store, owner.key(), call), Ok(Accepted::Duplicate));
    let position = put(store, owner.key(), request("r-8", ""));
    owner.commit(|commit| commit.consumed.push(done_with(position, ""))).expect("an empty reply is one, too");
    assert_eq!(enqueue(store, owner.key(), request("r-8", "")), Ok(Accepted::Duplicate));
    assert_eq!(known(&request("r-8", "")), Ok(Some(Recorded::Answered(Some(Bytes::new())))));
}

pub(super) fn sizes_of_commits_have_limits(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    type Fill = fn(&mut Commit);
    let cases: [(&str, Fill); 9] = [
        ("an empty key", |c| c.state.push(set("", "v"))),
        ("a long key", |c| c.state.push(set(&"k".repeat(513), "v"))),
        ("a long value", |c| c.state.push(StateChange { value: Some(vec![0; (8 << 20) + 1].into()), ..set("k", "") })),
        ("an empty target", |c| c.outbox.push(out(""))),
        ("a long target", |c| c.outbox.push(OutMessage { target: "t".repeat(1025), ..out("t") })),
        ("a timer without a name", |c| c.timers.push(timer("", 1))),
        ("a timer with a long name", |c| c.timers.push(timer(&"t".repeat(129), 1))),
        ("a long sealed key", |c| {
            c.keys.push(KeyChange::Replace { name: "k".to_owned(), blob: vec![0; 4097].into() });
        }),
        ("many changes", |c| c.state.extend((0..10_001).map(|number| set(&number.to_string(), "")))),
    ];
    for (what, fill) in cases {
        let error = owner.commit(fill).expect_err(what);
        assert!(matches!(error, StoreError::TooLarge { .. } | StoreError::Malformed { .. }), "{what}: {error}");
    }
    owner
        .commit(|commit| {
            commit.state.push(set(&"k".repeat(512), "v"));
            commit.state.push(StateChange { value: Some(vec![1; 8 << 20].into()), ..set("large", "") });
        })
        .expect("the limits themselves are fine");
    let large = store.state(owner.key(), b"large").wait().expect("it can be read").expect("it is there");
    assert!(large.value.len() == 8 << 20 && large.value.iter().all(|byte| *byte == 1));
}

pub(super) fn nothing_is_named_twice(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let position = put(store, owner.key(), message("a"));
    type Fill = Box<dyn FnOnce(&mut Commit)>;
    let cases: [(&str, Fill); 4] = [
        ("state", Box::new(|c| c.state.extend([set("a", "1"), set("a", "2")]))),
        ("timers", Box::new(|c| c.timers.extend([timer("a", 1), TimerChange::Cancel { name: "a".to_owned() }]))),
        (
            "keys",
            Box::new(|c| {
                c.keys.extend([1, 2].map(|_| KeyChange::Delete { name: "a".to_owned() }));
            }),
        ),
        ("consumed", Box::new(move |c| c.consumed.extend([done(position), done(position)]))),
    ];
    for (what, fill) in cases {
        let error = owner.commit(fill).expect_err(what);
        assert!(matches!(error, StoreError::Malformed { .. }), "{what}: {error}");
    }
    assert_eq!(payloads(store, owner.key()), ["a"]);
}
