use bytes::Bytes;
use playhouse_store::{
    Accepted, Bury, Consumed, Fate, LetterId, Message, QueueLimits, Recorded, Report, Retention, Store, StoreError,
};

use crate::support::{Make, NOW, Owner, all_of_it, at, done, enqueue, message, open, payloads, put, queued, request};

fn dead(store: &dyn Store, owner: &mut Owner<'_>, message: Message) -> LetterId {
    let position = put(store, owner.key(), message);
    let fate = Fate::Dead { cause: "it broke".to_owned(), reply: Some(Bytes::from_static(b"an error")) };
    owner.commit(|commit| commit.consumed.push(Consumed::Message { position, fate })).expect("it is there");
    store.letters(LetterId::default(), all_of_it()).wait().expect("it can be read").last().expect("it was kept").id
}

pub(super) fn dead_letters_are_kept_listed_retried_and_dropped(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let first = dead(store, &mut owner, request("r-1", "first"));
    let second = dead(store, &mut owner, message("second"));
    assert!(payloads(store, owner.key()).is_empty());
    assert_eq!(enqueue(store, owner.key(), request("r-1", "")), Ok(Accepted::Duplicate));
    let actor = owner.key();
    let known = || store.recorded(actor, &request("r-1", "").request_key().expect("it has an id")).wait();
    assert_eq!(known(), Ok(Some(Recorded::Answered(Some(Bytes::from_static(b"an error"))))));
    let letter = store.letter(first).wait().expect("it can be read").expect("it is there");
    assert_eq!((letter.cause.as_str(), letter.attempts, letter.at, letter.actor), ("it broke", 1, NOW, owner.key()));
    assert_eq!(letter.message, request("r-1", "first"));
    let after = store.letters(first, all_of_it()).wait().expect("it can be read");
    assert_eq!(after.iter().map(|letter| letter.id).collect::<Vec<_>>(), [second]);

    let none = QueueLimits { messages: 0, bytes: 0 };
    assert!(store.retry_letter(first, at(5), none).wait().is_err());
    let position = store.retry_letter(first, at(5), QueueLimits::default()).wait().expect("there is room");
    let again = queued(store, owner.key());
    assert_eq!((again[0].position, again[0].attempts, again[0].at), (position, 0, at(5)));
    assert_eq!(again[0].message, request("r-1", "first"));
    assert_eq!(enqueue(store, owner.key(), request("r-1", "")), Ok(Accepted::Duplicate));
    assert_eq!(known(), Ok(Some(Recorded::Pending(position))));
    assert!(store.retry_letter(first, at(5), QueueLimits::default()).wait().is_err(), "it is no letter any more");

    assert_eq!(store.drop_letter(second).wait(), Ok(true));
    assert_eq!(store.drop_letter(second).wait(), Ok(false));
    let stats = store.stats().wait().expect("it can be read");
    assert_eq!((stats.letters, stats.letters_bytes, stats.letters_dropped), (0, 0, 0));
}

/// After its reply was forgotten a request may come again, and wait while its letter is retried: it was handled twice.
pub(super) fn a_letter_whose_request_waits_stays(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let letter = dead(store, &mut owner, request("r-1", "first"));
    assert_eq!(store.expire_replies(at(99_999)).wait(), Ok(1));
    let position = put(store, owner.key(), request("r-1", "second"));
    let retry = || store.retry_letter(letter, at(5), QueueLimits::default()).wait();
    assert_eq!(retry(), Err(StoreError::RequestWaits { actor: owner.key() }));
    assert_eq!(payloads(store, owner.key()), ["second"]);
    owner.commit(|commit| commit.consumed.push(done(position))).expect("it is there");
    retry().expect("nothing of it waits");
}

pub(super) fn dead_letters_are_bounded(make: Make) {
    let place = make(Retention { letters: 3, letter_bytes: 2000, ..Retention::default() });
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    let ids: Vec<LetterId> = (0..5).map(|number| dead(store, &mut owner, message(&number.to_string()))).collect();
    let kept = || -> Vec<LetterId> {
        let letters = store.letters(LetterId::default(), all_of_it()).wait().expect("it can be read");
        letters.into_iter().map(|letter| letter.id).collect()
    };
    assert_eq!(kept(), ids[2..]);
    let large = dead(store, &mut owner, message(&"x".repeat(1500)));
    assert_eq!(kept().last(), Some(&large));
    assert!(store.stats().wait().expect("it can be read").letters_bytes <= 2000);
    let position = put(store, owner.key(), message(&"x".repeat(2500)));
    let fate = Fate::Dead { cause: String::new(), reply: None };
    owner.commit(|commit| commit.consumed.push(Consumed::Message { position, fate })).expect("it goes all the same");
    let stats = store.stats().wait().expect("it can be read");
    assert_eq!((kept().last(), stats.letters), (Some(&large), kept().len() as u64));
    assert_eq!(stats.letters_dropped, 7 - stats.letters);
}

pub(super) fn buried_messages_are_letters(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let actor = open(store, "one").actor;
    let cause = "é".repeat(4096);
    let bury = Bury { actor, now: NOW, cause, attempts: 3, message: message("a") };
    let id = store.bury(bury).wait().expect("the actor is known").expect("it fits");
    let letter = store.letter(id).wait().expect("it can be read").expect("it is there");
    assert_eq!((letter.attempts, letter.cause.len(), &letter.message), (3, 4096, &message("a")));
}

pub(super) fn stats_count(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let actor = open(store, "one").actor;
    for number in 0..10 {
        put(store, actor, message(&number.to_string()));
    }
    let stats = store.stats().wait().expect("it can be read");
    assert_eq!((stats.actors, stats.writes, stats.waiting, stats.disk_full), (1, 11, 0, false));
    assert!(stats.groups >= 1 && stats.groups <= 11);
}

pub(super) fn a_closed_store_says_so(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let actor = open(store, "one").actor;
    store.close().wait().expect("nothing is in its way");
    assert_eq!(enqueue(store, actor, message("a")), Err(StoreError::Closed));
    assert_eq!(store.state(actor, b"k").wait(), Err(StoreError::Closed));
    store.close().wait().expect("closing twice is closing");
}

pub(super) fn a_sound_store_checks_clean(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut owner = Owner::open(store, "one");
    for number in 0..50 {
        put(store, owner.key(), request(&number.to_string(), "a"));
        owner.set(&number.to_string(), "value").expect("set");
    }
    dead(store, &mut owner, message("dead"));
    let report = store.check().wait().expect("it can be read");
    assert_eq!(report, Report { records: report.records, ..Report::default() });
    assert!(report.records > 100, "{report:?}");
}
