use playhouse_store::{ActorKey, Retention, Revision, StoreError, Usage, commit};

use crate::support::{MINUTE, Make, NOW, Owner, at, identity, message, open, open_request, put};

pub(super) fn an_actor_keeps_its_key_and_its_epoch_grows(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let first = open(store, "one");
    let again = open(store, "one");
    let other = open(store, "two");
    assert_eq!((first.actor, first.serial), (again.actor, again.serial));
    assert!(again.epoch > first.epoch);
    assert_ne!((first.actor, first.serial), (other.actor, other.serial));
    assert_eq!(first.revision, Revision::default());
    assert_eq!(first.usage, Usage::default());
    assert_eq!(first.until, NOW.after(MINUTE));
}

pub(super) fn a_lease_keeps_others_away_until_it_ends(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mine = open(store, "one");
    let theirs = |now| store.open_actor(open_request("one", "node-b", now)).wait();
    let owned = StoreError::OwnedElsewhere { owner: "node-a".to_owned(), until: at(60) };
    assert_eq!(theirs(NOW), Err(owned));
    assert!(theirs(at(59)).is_err());
    store.renew(mine.actor, mine.epoch, at(120)).wait().expect("it is mine");
    assert!(theirs(at(60)).is_err());
    let taken = theirs(at(120)).expect("the lease has ended");
    assert!(taken.epoch > mine.epoch);
    assert_eq!(taken.actor, mine.actor);
    assert!(store.open_actor(open_request("one", "node-a", at(121))).wait().is_err());
}

pub(super) fn a_released_actor_is_free(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mine = open(store, "one");
    store.release(mine.actor, mine.epoch).wait().expect("it is mine");
    let theirs = store.open_actor(open_request("one", "node-b", NOW)).wait().expect("nobody has it");
    assert!(store.release(mine.actor, mine.epoch).wait().is_err());
    assert!(store.open_actor(open_request("one", "node-a", NOW)).wait().is_err());
    assert!(theirs.epoch > mine.epoch);
}

pub(super) fn a_stale_owner_can_do_nothing(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let mut old = Owner::open(store, "one");
    let position = put(store, old.key(), message("a"));
    let new = open(store, "one");
    let stale = StoreError::StaleEpoch { actor: new.actor, given: old.lease.epoch, current: new.epoch };
    assert_eq!(old.set("k", "v"), Err(stale.clone()));
    assert_eq!(old.commit(|commit| commit.consumed.push(crate::support::done(position))), Err(stale.clone()));
    assert_eq!(store.renew(new.actor, old.lease.epoch, at(600)).wait(), Err(stale.clone()));
    assert_eq!(store.release(new.actor, old.lease.epoch).wait(), Err(stale));
    assert_eq!(old.get("k"), None);
    let mut new = Owner { store, lease: new };
    new.set("k", "v").expect("the new owner can");
    new.commit(|commit| commit.consumed.push(crate::support::done(position))).expect("the message is still there");
}

pub(super) fn actors_are_found_and_listed(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    let keys: Vec<ActorKey> = ["a", "b", "c"].map(|name| open(store, name).actor).to_vec();
    let found = store.find_actor(&identity("b")).wait().expect("it can be read").expect("it is there");
    assert_eq!((found.lease.actor, found.owner.as_str()), (keys[1], "node-a"));
    assert_eq!(found.identity, identity("b"));
    assert_eq!(store.actor(keys[1]).wait(), Ok(Some(found)));
    assert_eq!(store.find_actor(&identity("d")).wait(), Ok(None));
    let list = |after, items| -> Vec<ActorKey> {
        let listed = store.actors(after, items).wait().expect("it can be read");
        listed.into_iter().map(|info| info.lease.actor).collect()
    };
    assert_eq!(list(ActorKey::from_number(0), 2), keys[..2]);
    assert_eq!(list(keys[1], 2), keys[2..]);
}

pub(super) fn names_have_limits(make: Make) {
    let place = make(Retention::default());
    let store = &*place.store;
    for (instance, owner) in [("", "a"), ("x", ""), (&*"i".repeat(129), "a"), ("x", &*"o".repeat(129))] {
        let error = store.open_actor(open_request(instance, owner, NOW)).wait().expect_err("it is too long or empty");
        assert!(matches!(error, StoreError::TooLarge { .. } | StoreError::Malformed { .. }), "{error}");
    }
    store
        .open_actor(open_request(&"i".repeat(128), &"o".repeat(128), NOW))
        .wait()
        .expect("the limits themselves are fine");
    let unknown = ActorKey::from_number(99);
    let draft = playhouse_store::Commit { actor: unknown, ..Owner::open(store, "one").draft() };
    assert_eq!(commit(store, draft).wait(), Err(StoreError::UnknownActor { actor: unknown }));
}
