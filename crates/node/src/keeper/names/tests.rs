use super::*;

fn take(names: &Arc<Names>, instance: Option<&str>) -> Result<Taken, String> {
    names.take(Realm::new(7), &"test:Keeper:1".parse().expect("a type"), instance)
}

/// Takes names and gives names back: `-` takes a number, `-2` gives a name back, and anything else is taken by name. What was taken.
fn check(steps: &str, expected: &str) {
    let names = Arc::new(Names::default());
    let mut held = HashMap::new();
    let mut got = Vec::new();
    for step in steps.split(' ') {
        let taken = match step.strip_prefix('-') {
            Some("") => take(&names, None),
            Some(name) => {
                held.remove(name).expect("it is held");
                continue;
            }
            None => take(&names, Some(step)),
        };
        match taken {
            Ok(taken) => {
                got.push(taken.identity().instance.clone());
                held.insert(taken.identity().instance.clone(), taken);
            }
            Err(name) => got.push(format!("not {name}")),
        }
    }
    assert_eq!(got.join(" "), expected, "{steps}");
    drop(held);
    let table = names.0.lock();
    assert!(table.taken.is_empty() && table.numbers.is_empty(), "{steps}: {table:?}");
}

#[test]
fn the_first_free_number_is_taken() {
    check("- - eve -", "1 2 eve 3");
    check("- - - -2 -1 - - -", "1 2 3 1 2 4");
}

#[test]
fn numbers_may_be_taken_by_name() {
    check("2 - - -", "2 1 3 4");
    check("2 - - -2 -", "2 1 3 2");
    check("- - -1 1 - -1 -", "1 2 1 3 1");
    check("- 1 01 -01 -", "1 not 1 01 2");
    check("7 - -7 -", "7 1 2");
}

/// Each one more looked through all those before it: a hundred thousand actors took hours to start.
#[test]
fn many_take_numbers_without_looking_through_all_before_them() {
    let names = Arc::new(Names::default());
    let taken: Vec<_> = (0..100_000).map(|_| take(&names, None).expect("a number")).collect();
    assert_eq!(taken.last().expect("many").identity().instance, "100000");
}
