use expect_test::{Expect, expect};
use playhouse_store::Durability::{self, Fsync, Memory, Quorum};

use super::{Classes, DurabilityPolicy};

fn check(policy: &DurabilityPolicy, strongest: Durability, expected: &Expect) {
    let shown = match Classes::new(policy, strongest) {
        Err(error) => error.to_string(),
        Ok(classes) => {
            let of = |route: &'static str| {
                let route = playhouse_types::RouteKey::from_static(route);
                let tell = classes.tell(&route).map_or("not stored", Durability::name);
                format!(
                    "{route}: tells {tell}, effects {}, records {}",
                    classes.effects(Some(&route)),
                    classes.records(&route)
                )
            };
            format!("{}; {}; hooks {}", of("a.B"), of("x.Y"), classes.effects(None))
        }
    };
    expected.assert_eq(&shown);
}

fn policy(tells: Option<Durability>, effects: Option<Durability>, of_x: Option<Durability>) -> DurabilityPolicy {
    let routes = of_x.map(|class| (playhouse_types::RouteKey::from_static("x.Y"), class)).into_iter().collect();
    DurabilityPolicy { tells, effects, routes }
}

#[test]
fn what_is_not_said_is_fsync_as_far_as_the_store_goes() {
    let unsaid = policy(None, None, None);
    check(
        &unsaid,
        Fsync,
        &expect![
            "a.B: tells fsync, effects fsync, records false; x.Y: tells fsync, effects fsync, records false; hooks fsync"
        ],
    );
    check(
        &unsaid,
        Memory,
        &expect![
            "a.B: tells memory, effects memory, records false; x.Y: tells memory, effects memory, records false; hooks memory"
        ],
    );
    check(
        &unsaid,
        Quorum,
        &expect![
            "a.B: tells fsync, effects fsync, records false; x.Y: tells fsync, effects fsync, records false; hooks fsync"
        ],
    );
}

#[test]
fn routes_override_and_memory_stores_no_tells() {
    let tells = policy(Some(Memory), None, Some(Fsync));
    check(
        &tells,
        Fsync,
        &expect![
            "a.B: tells not stored, effects fsync, records false; x.Y: tells fsync, effects fsync, records true; hooks fsync"
        ],
    );
    let route = policy(None, None, Some(Memory));
    check(
        &route,
        Fsync,
        &expect![
            "a.B: tells fsync, effects fsync, records false; x.Y: tells not stored, effects memory, records false; hooks fsync"
        ],
    );
}

#[test]
fn more_than_the_store_has_is_refused() {
    check(
        &policy(None, None, Some(Quorum)),
        Fsync,
        &expect!["durability quorum was asked for, this store has fsync at most"],
    );
    check(
        &policy(Some(Fsync), None, None),
        Memory,
        &expect!["durability fsync was asked for, this store has memory at most"],
    );
}
