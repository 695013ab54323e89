//! Full mailboxes.

use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use playhouse_guest::Bytes;
use playhouse_node::store::{MemoryStore, Retention};
use playhouse_node::{ActorOptions, ActorRef, FullPolicy, MailboxOptions, Node, Policy};

use crate::support::{Stage, ask, node, player, route, until};

async fn busy(node: &Node, stage: &Stage, full: FullPolicy) -> (ActorRef, tokio::task::JoinHandle<String>) {
    let mailbox = MailboxOptions { capacity: 2, full, ..MailboxOptions::default() };
    let actor = player(node, stage, "Player", ActorOptions { mailbox, ..ActorOptions::default() }).await;
    let call = tokio::spawn({
        let actor = actor.clone();
        async move { ask(&actor, "wait", "door").await }
    });
    until(|| actor.status().running == 1).await;
    for text in ["1", "2"] {
        actor.tell(route("note"), Bytes::from_static(text.as_bytes())).await.unwrap();
    }
    (actor, call)
}

#[tokio::test]
async fn reject() {
    let (node, stage) = (node(), Stage::default());
    let (actor, call) = busy(&node, &stage, FullPolicy::Reject).await;
    let refused = actor.tell(route("note"), Bytes::from_static(b"3")).await.unwrap_err();
    expect!["unavailable: the mailbox of 1@7/test:Player:1 holds 2 messages, its limit [mailbox-full]"]
        .assert_eq(&refused.to_text());
    assert_eq!(ask(&actor, "echo", "").await, refused.to_text());
    assert_eq!(actor.status().tallies.rejected, 2);
    stage.open("door");
    call.await.unwrap();
    assert_eq!(stage.noted(6).await[4..], ["1", "2"]);
}

#[tokio::test]
async fn wait() {
    let (node, stage) = (node(), Stage::default());
    let (actor, call) = busy(&node, &stage, FullPolicy::Wait).await;
    let third = tokio::spawn({
        let actor = actor.clone();
        async move { actor.tell(route("note"), Bytes::from_static(b"3")).await }
    });
    tokio::task::yield_now().await;
    assert!(!third.is_finished());
    stage.open("door");
    call.await.unwrap();
    third.await.unwrap().unwrap();
    assert_eq!(stage.noted(7).await[4..], ["1", "2", "3"]);
}

#[tokio::test]
async fn shed() {
    let (node, stage) = (node(), Stage::default());
    let (actor, call) = busy(&node, &stage, FullPolicy::Shed).await;
    actor.tell(route("note"), Bytes::from_static(b"3")).await.unwrap();
    stage.open("door");
    call.await.unwrap();
    assert_eq!(stage.noted(6).await[4..], ["2", "3"]);
    let dead = node.dead_letters().await.unwrap();
    assert_eq!((dead.len(), &dead[0].payload[..], dead[0].number), (1, &b"1"[..], 1));
    node.retry_dead_letter(1).await.unwrap();
    assert_eq!(stage.noted(7).await[6], "1");
    assert_eq!(node.retry_dead_letter(1).await.unwrap_err().to_string(), "there is no dead letter 1");
}

#[tokio::test]
async fn large_messages_are_refused_at_the_limit() {
    let stage = Stage::default();
    let node = Node::builder().policy(Policy { message_bytes_max: 10, ..Policy::default() }).start().unwrap();
    let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
    assert_eq!(ask(&actor, "echo", "0123456789").await, "0123456789");
    let refused = ask(&actor, "echo", "0123456789a").await;
    expect!["invalid argument: a message of 11 bytes to 1@0/test:Player:1 is over the limit of 10 [message-too-large]"]
        .assert_eq(&refused);
}

/// Whatever the size and the class, the application was given it.
#[tokio::test]
async fn what_is_for_the_application_has_the_same_limits() {
    let stage = Stage::default();
    let policy = Policy { message_bytes_max: 10, ..Policy::default() };
    for store in [false, true] {
        let mut builder = Node::builder().policy(policy.clone()).shell(|message| async move { Ok(message.payload) });
        if store {
            builder = builder.store(Arc::new(MemoryStore::new(Retention::default())));
        }
        let node = builder.start().unwrap();
        let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
        assert_eq!(ask(&actor, "large", "call 10").await, "x".repeat(10));
        assert_eq!(ask(&actor, "large", "tell 10").await, "");
        let refused = expect![
            "invalid argument: a message of 11 bytes to the application is over the limit of 10 [message-too-large]"
        ];
        refused.assert_eq(&ask(&actor, "large", "call 11").await);
        refused.assert_eq(&ask(&actor, "large", "tell 11").await);
        let _stream = node.register_stream("s".parse().unwrap());
        expect!["invalid argument: a chunk cannot be sent as RpcReliable [stream-class]"]
            .assert_eq(&ask(&actor, "odd chunk", "s").await);
    }
}

/// So many callers, each with so many calls in a row, of an actor that is found busy most of the time.
async fn crowd(callers: usize, calls: usize) {
    let (node, stage) = (node(), Stage::default());
    let actor = player(&node, &stage, "Player", ActorOptions::default()).await;
    let callers: Vec<_> = (0..callers)
        .map(|caller| {
            let actor = actor.clone();
            tokio::spawn(async move {
                for number in 0..calls {
                    let text = format!("{caller}-{number}");
                    assert_eq!(ask(&actor, "echo", &text).await, text);
                }
            })
        })
        .collect();
    let count = callers.len() * calls;
    for caller in callers {
        tokio::time::timeout(Duration::from_secs(60), caller).await.unwrap().unwrap();
    }
    assert_eq!(ask(&actor, "count", "").await, (count + 1).to_string());
}

#[tokio::test]
async fn many_callers_of_one_actor_all_hear() {
    crowd(64, 200).await;
}

/// As above, on two threads: callers find the actor busy and help each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_on_two_threads_all_hear() {
    crowd(64, 500).await;
}
