//! A message of which the process dies: after three deaths it is a dead letter, and the node lives.

use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use playhouse_guest::Bytes;
use playhouse_node::ActorOptions;
use playhouse_node::store::{BatchLimits, LetterId};

use crate::clerk::{self, BREACH, Book, Entry, route};
use crate::load::Office;
use crate::process::{Process, runtime, say};
use crate::verify::{await_that, is_drained};

/// A message behind the one that holds the actor up.
fn told(number: u64) -> (&'static str, Bytes) {
    ("book", Entry { series: "told".to_owned(), number }.to_bytes())
}

/// The process that dies, or is killed. The first one is told what the case says; all say `alive` when nothing is left to be handled.
pub(crate) async fn run(folder: &Path, case: &str) {
    let is_first = !folder.exists();
    let office = Office::open(folder, &ActorOptions::default()).await;
    let clerk = &office.clerks[2];
    if is_first {
        // Nothing goes on before all of it is acknowledged.
        let hold = ("hold", Entry { series: "held".to_owned(), number: 1 }.to_bytes());
        let messages = match case {
            "message" => vec![hold, told(1), ("abort", "poison".into()), told(2)],
            "timer" => vec![hold, ("arm abort", Bytes::new())],
            "periodic timer" => vec![hold, ("arm abort", "again and again".into())],
            _ => vec![hold, told(1)],
        };
        let told = messages.into_iter().map(|(name, payload)| clerk.tell(route(name), payload));
        join_all(told).await.into_iter().for_each(Result::unwrap);
    }
    say("told");
    match case {
        "held" => std::future::pending().await,
        "stopped" => {
            // It does not wait for what is held up.
            office.node.shutdown(Duration::from_millis(50)).await;
            office.store.close().await.unwrap();
            return say("stopped");
        }
        _ => clerk::let_go(),
    }
    assert_eq!(await_that("it is handled", Duration::from_secs(20), || is_drained(&office)).await, None);
    say("alive");
    std::future::pending::<()>().await;
}

/// Starts processes until one lives. How many died before.
fn deaths(folder: &Path, case: &str) -> u32 {
    for died in 0..10 {
        let mut process = Process::start("poison", folder, case);
        if process.lines().any(|line| line == "alive") {
            process.kill();
            return died;
        }
        process.aborted();
    }
    panic!("{case}: the tenth process died");
}

/// What is left in the end: the dead letters, and that all else was handled, once.
fn left(folder: &Path, told: u64) -> Vec<String> {
    runtime().block_on(async {
        let office = Office::open(folder, &ActorOptions::default()).await;
        let (store, actor) = (&office.store, office.clerks[2].stored().unwrap());
        assert!(is_drained(&office).await);
        assert_eq!(Book::read(&**store, actor, "told").await, Book::of_first(told));
        assert_eq!(store.state(actor, BREACH.as_bytes()).await.unwrap(), None);
        let letters = store.letters(LetterId::default(), BatchLimits::default()).await.unwrap();
        let shown = letters.iter().map(|letter| {
            format!("{} {:?} tried {}: {}", letter.message.route, letter.message.payload, letter.attempts, letter.cause)
        });
        let shown = shown.collect();
        office.close().await;
        shown
    })
}

/// A message that ends its process.
fn check(case: &str, told: u64, letter: &str) {
    let ground = tempfile::tempdir().unwrap();
    let folder = ground.path().join("store");
    assert_eq!(deaths(&folder, case), 3, "{case}");
    assert_eq!(left(&folder, told), [letter], "{case}");
    assert_eq!(deaths(&folder, case), 0, "{case}");
}

#[test]
fn a_message_that_ends_the_process_becomes_a_dead_letter() {
    check(
        "message",
        2,
        r#"abort b"poison" tried 3: internal error: the process of the node has ended 3 times over it [process-ended]"#,
    );
}

#[test]
fn a_timer_that_ends_the_process_becomes_a_dead_letter() {
    let letter =
        r#"abort b"" tried 3: internal error: the process of the node has ended 3 times over it [process-ended]"#;
    check("timer", 0, letter);
    check("periodic timer", 0, letter);
}

/// Kills a process while it handles a message.
fn kill(folder: &Path) {
    let mut process = Process::start("poison", folder, "held");
    process.says(&["told", "held"]);
    process.kill();
}

/// What happens to a message that is being handled when others kill the process.
fn check_kills(steps: &[&str], dead: bool) {
    let ground = tempfile::tempdir().unwrap();
    let folder = ground.path().join("store");
    for step in steps {
        match *step {
            "kill" => kill(&folder),
            _ => Process::start("poison", &folder, "stopped").says(&["stopped"]),
        }
    }
    assert_eq!(deaths(&folder, "free"), 0);
    // What waited behind it is handled, in any case.
    assert_eq!(left(&folder, 1).len(), usize::from(dead), "{steps:?}");
}

#[test]
fn a_process_that_is_killed_blames_what_it_handled_at_the_third_time() {
    check_kills(&["kill", "kill"], false);
    check_kills(&["kill", "kill", "kill"], true);
    // An orderly end, even one that waits in vain, is no death.
    check_kills(&["kill", "kill", "stop", "kill"], false);
}
