use std::time::Duration;

use expect_test::{Expect, expect};
use playhouse_store::{MemoryStore, OpenActor, Retention, Store, Time};

use super::select;
use crate::error::CliError;
use crate::store::edit::parse_identity;

const ACTORS: [&str; 4] = ["7/acme:Echo/main", "7/acme:Echo/other", "7/acme:Counter/main", "8/x:Y/z"];

fn check(word: &str, expected: Expect) {
    let store = MemoryStore::new(Retention::default());
    for name in ACTORS {
        let (identity, owner) = (parse_identity(name).unwrap(), "test".to_owned());
        let open = OpenActor { identity, owner, now: Time::from_millis(1), lease_for: Duration::from_secs(1) };
        store.open_actor(open).wait().unwrap();
    }
    expected.assert_eq(&match select(&store, word) {
        Ok(found) => found.identity.to_string(),
        Err(failed) => {
            let failed = CliError::from(failed);
            let error = failed.document().unwrap().error;
            format!("{}; {}", error.message, error.fix)
        }
    });
}

#[test]
fn words_mean_actors() {
    check("7/acme:Echo/main", expect!["7/acme:Echo/main"]);
    check("Counter", expect!["7/acme:Counter/main"]);
    check("Counter/main", expect!["7/acme:Counter/main"]);
    check("acme:Counter:1.0.0", expect!["7/acme:Counter/main"]);
    check("3@7/acme:Counter:9.9.9", expect!["7/acme:Counter/main"]);
    check("3@7", expect!["7/acme:Counter/main"]);
    check("2@7", expect!["7/acme:Echo/other"]);
    check("Echo/o", expect!["7/acme:Echo/other"]);
    check("other", expect!["7/acme:Echo/other"]);
    check("8", expect!["8/x:Y/z"]);
}

#[test]
fn doubtful_words_are_refused() {
    check(
        "Echo",
        expect![[
            r#""Echo" may be any of 2 actors: 7/acme:Echo/main, 7/acme:Echo/other; Give more of the name; `playhouse store actors` lists them."#
        ]],
    );
    check(
        "Countre",
        expect![[r#"the store has no actor "Countre"; Did you mean Counter? `playhouse store actors` lists them."#]],
    );
}
