use super::{NativeThreads, Slot, THREADS_MAX};

/// One test, as the counts are of the whole process.
#[test]
fn threads_are_counted_and_limited() {
    let first = Slot::acquire().ok().unwrap();
    let occupant = first.occupant();
    occupant.give_up();
    assert_eq!(NativeThreads::now(), NativeThreads { alive: 1, hung: 1 });
    let rest: Vec<_> = (1..THREADS_MAX).map(|_| Slot::acquire().ok().unwrap()).collect();
    expect_test::expect![
        "1024 threads of native actors in this process, 1 of them in guests that did not return, which is the limit"
    ]
    .assert_eq(&Slot::acquire().err().unwrap().to_string());
    drop(rest);
    drop(first);
    assert_eq!(NativeThreads::now(), NativeThreads { alive: 0, hung: 0 });
    occupant.give_up();
    assert_eq!(NativeThreads::now().hung, 0);
}
