//! Tells: acknowledged when stored, handled in order, not lost, not twice.

use playhouse_guest::Bytes;
use playhouse_node::{ActorOptions, ActorRef, FullPolicy, MailboxOptions};

use super::kit::{Place, keeper};
use crate::support::{Stage, ask, route, until};

async fn append(actor: &ActorRef, text: impl Into<String>) {
    actor.tell(route("append"), Bytes::from(text.into())).await.unwrap();
}

#[tokio::test]
async fn tells_survive_a_restart_in_order() {
    for place in Place::all() {
        let stage = Stage::default();
        let node = place.node();
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        actor.tell(route("wait"), Bytes::from_static(b"door")).await.unwrap();
        stage.noted(2).await;
        for text in ["a", "b", "c"] {
            append(&actor, text).await;
        }
        place.kill(node).await;

        let stage = Stage::default();
        stage.open("door");
        let node = place.node();
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        stage.noted(5).await;
        assert_eq!(ask(&actor, "get", "all").await, "a b c ");
        assert_eq!(stage.notes(), ["start with 0", "waiting door", "a", "b", "c"]);
        place.kill(node).await;

        let stage = Stage::default();
        let node = place.node();
        let actor = keeper(&node, &stage, ActorOptions::default()).await;
        assert_eq!(ask(&actor, "get", "all").await, "a b c ");
        assert_eq!(stage.notes(), ["start with 0"]);
    }
}

#[tokio::test]
async fn what_does_not_fit_the_mailbox_waits_in_the_store() {
    for place in Place::all() {
        let (node, stage) = (place.node(), Stage::default());
        let mailbox = MailboxOptions { capacity: 4, ..MailboxOptions::default() };
        let actor = keeper(&node, &stage, ActorOptions { mailbox, ..ActorOptions::default() }).await;
        actor.tell(route("wait"), Bytes::from_static(b"door")).await.unwrap();
        stage.noted(2).await;
        // All on their way at once, in this order.
        futures_util::future::join_all((0..1000).map(|at| append(&actor, at.to_string()))).await;
        // Four of them, and the signal that the mailbox fills.
        assert!(actor.status().queued <= 5);
        stage.open("door");
        let notes = stage.noted(1002).await;
        let expected: Vec<_> = (0..1000).map(|at| at.to_string()).collect();
        assert_eq!(notes[2..], expected);
        until(|| actor.status().running == 0 && actor.status().queued == 0).await;
        let all: String = expected.iter().map(|text| format!("{text} ")).collect();
        assert_eq!(ask(&actor, "get", "all").await, all);
    }
}

/// The oldest was shed, came again from the store, and was handled behind those that were sent after it.
#[tokio::test]
async fn what_the_store_has_is_not_shed() {
    for place in Place::all() {
        let (node, stage) = (place.node(), Stage::default());
        let mailbox = MailboxOptions { capacity: 2, full: FullPolicy::Shed, ..MailboxOptions::default() };
        let actor = keeper(&node, &stage, ActorOptions { mailbox, ..ActorOptions::default() }).await;
        actor.tell(route("wait"), Bytes::from_static(b"door")).await.unwrap();
        stage.noted(2).await;
        for text in ["1", "2", "3"] {
            append(&actor, text).await;
        }
        let calling = actor.clone();
        let call = tokio::spawn(async move { ask(&calling, "echo", "").await });
        until(|| actor.status().tallies.rejected == 1).await;
        stage.open("door");
        assert!(call.await.unwrap().ends_with("[mailbox-full]"));
        assert_eq!(stage.noted(5).await[2..], ["1", "2", "3"]);
    }
}
