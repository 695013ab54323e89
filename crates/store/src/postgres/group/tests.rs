use bytes::Bytes;
use playhouse_types::Realm;

use crate::core::{OutboxDone, SetNote};
use crate::model::{
    ActorKey, Commit, Consumed, Durability, Epoch, Fate, Identity, OpenActor, OutId, Position, Priority, Revision,
    Time, TimerChange,
};
use crate::postgres::write::Write;

use super::{Group, number};

/// The steps of a group, a line each: kind, numbers, bytes; and what the group names.
fn show(group: &Group) -> String {
    let mut lines = Vec::new();
    for step in 0..group.kinds.len() {
        let numbers: Vec<i64> = group.numbers.iter().map(|column| column[step]).collect();
        let bytes: Vec<String> = group
            .bytes
            .iter()
            .map(|column| {
                column[step].as_ref().map_or("-".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
            })
            .collect();
        lines.push(format!("{} {numbers:?} {}", group.kinds[step], bytes.join(" ")));
    }
    lines.push(format!("actors {:?} outs {:?} wants {}", group.actors, group.outs, group.wants));
    lines.join("\n")
}

#[test]
fn a_commit_is_its_head_and_its_parts() {
    let (actor, now) = (ActorKey::from_number(9), Time::from_millis(1000));
    let mut commit = Commit::new(actor, Epoch::from_number(3), Revision::from_number(7), now, Durability::Fsync);
    let position = Position { priority: Priority::Normal, seq: 5 };
    commit.consumed.push(Consumed::Message { position, fate: Fate::Again });
    commit.consumed.push(Consumed::Timer { name: "tick".to_owned(), due: now });
    commit.timers.push(TimerChange::Cancel { name: "tick".to_owned() });
    commit.timers.push(TimerChange::Cancel { name: "tock".to_owned() });
    let mut group = Group::default();
    commit.encode(&mut group);
    OutboxDone(vec![OutId::from_number(4), OutId::from_number(6)]).encode(&mut group);
    expect_test::expect![[r#"
        2 [1, 1000, 3, 7, 0, 5] - - - -
        21 [1, 5, 0, 0, 0, 0] - - - -
        23 [1000, 0, 0, 0, 0, 0] tick - - -
        41 [0, 1, 0, 0, 0, 0] tick - - -
        41 [0, 0, 0, 0, 0, 0] tock - - -
        70 [1048576, 268435456, 1024, 16384, 256, 0] - - - -
        11 [1, 2, 0, 0, 0, 0] - - - -
        actors [9] outs [4, 6] wants 0"#]]
    .assert_eq(&show(&group));
}

#[test]
fn a_group_says_what_it_wants() {
    let identity = Identity {
        realm: Realm::new(7),
        manufacturer: "acme".parse().expect("a name"),
        type_name: "Echo".parse().expect("a name"),
        instance: "one".to_owned(),
    };
    let mut group = Group::default();
    let now = Time::from_millis(1000);
    OpenActor { identity, owner: "me".to_owned(), now, lease_for: std::time::Duration::from_secs(1) }
        .encode(&mut group);
    SetNote { name: "note".to_owned(), expect: None, value: Some(Bytes::from_static(b"v")) }.encode(&mut group);
    expect_test::expect![[r#"
        3 [7, 1000, 2000, 0, 0, 0] acme Echo one me
        15 [0, 0, 4200091693, 0, 0, 0] note - v -
        actors [] outs [] wants 3"#]]
    .assert_eq(&show(&group));
}

#[test]
fn numbers_that_the_database_has_not_are_its_largest() {
    assert_eq!([0, 7, i64::MAX as u64, u64::MAX].map(number), [0, 7, i64::MAX, i64::MAX]);
}
