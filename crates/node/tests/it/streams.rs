//! Data streams.

use playhouse_guest::{Bytes, PayloadClass};
use playhouse_node::ActorOptions;

use crate::support::{Stage, ask, chunk, node, player, until};

#[tokio::test]
async fn chunks_arrive_in_order() {
    let (node, stage) = (node(), Stage::default());
    let source = player(&node, &Stage::default(), "Source", ActorOptions::default()).await;
    let sink = player(&node, &stage, "Sink", ActorOptions::default()).await;
    let unknown = ask(&source, "stream", &format!("{} s1 1", sink.id())).await;
    assert_eq!(unknown, "not found: 2@7/test:Sink:1 has not registered stream s1 [stream-unknown]");
    ask(&sink, "register", "s1").await;
    assert_eq!(ask(&source, "stream", &format!("{} s1 200", sink.id())).await, "");
    let notes = stage.noted(202).await;
    for (sequence, note) in notes[2..].iter().enumerate() {
        assert_eq!(*note, format!("s1 {sequence} from 1@7/test:Source:1"));
    }
    ask(&sink, "unregister", "s1").await;
    let gone = ask(&source, "stream", &format!("{} s1 1", sink.id())).await;
    assert_eq!(gone, "not found: 2@7/test:Sink:1 has not registered stream s1 [stream-unknown]");
}

#[tokio::test]
async fn a_slow_receiver_holds_the_sender_back() {
    let (node, stage) = (node(), Stage::default());
    let sink = player(&node, &stage, "Sink", ActorOptions::default()).await;
    ask(&sink, "register", "slow").await;
    let sending = tokio::spawn({
        let (node, id) = (node.clone(), sink.id().clone());
        async move {
            for sequence in 0..100 {
                node.send_chunk(&id, chunk("slow", sequence), PayloadClass::StreamReliable).await.unwrap();
            }
        }
    });
    until(|| sink.status().queued == 63).await;
    tokio::task::yield_now().await;
    assert!(!sending.is_finished());
    (0..100).for_each(|_| stage.open("slow"));
    sending.await.unwrap();
    assert_eq!(stage.noted(102).await[101], "slow 99 from 1@7/test:Sink:1");
}

#[tokio::test]
async fn latency_first_drops_the_newest() {
    let (node, stage) = (node(), Stage::default());
    let sink = player(&node, &stage, "Sink", ActorOptions::default()).await;
    ask(&sink, "register", "slow").await;
    for sequence in 0..100 {
        node.send_chunk(sink.id(), chunk("slow", sequence), PayloadClass::StreamLatencyFirst).await.unwrap();
        // The first is taken before the queue fills.
        until(|| sequence != 0 || sink.status().running == 1).await;
    }
    assert_eq!(sink.status().tallies.chunks_dropped, 36);
    (0..100).for_each(|_| stage.open("slow"));
    assert_eq!(stage.noted(66).await[65], "slow 63 from 1@7/test:Sink:1");
}

#[tokio::test]
async fn other_classes_are_refused() {
    let (node, stage) = (node(), Stage::default());
    let sink = player(&node, &stage, "Sink", ActorOptions::default()).await;
    let refused = node.send_chunk(sink.id(), chunk("s", 0), PayloadClass::RpcSignal).await.unwrap_err();
    assert_eq!(refused.to_text(), "invalid argument: a chunk cannot be sent as RpcSignal [stream-class]");
}

#[tokio::test]
async fn streams_are_counted() {
    let (node, stage) = (node(), Stage::default());
    let sink = player(&node, &stage, "Sink", ActorOptions::default()).await;
    for number in 0..1024 {
        assert_eq!(ask(&sink, "register", &format!("s{number}")).await, "");
    }
    let expected = "unavailable: 1@7/test:Sink:1 has registered 1024 streams, the limit [stream-limit]";
    assert_eq!(ask(&sink, "register", "one-more").await, expected);
}

#[tokio::test]
async fn the_application_receives_streams() {
    let (node, stage) = (node(), Stage::default());
    let source = player(&node, &stage, "Source", ActorOptions::default()).await;
    let unknown = ask(&source, "stream", "shell s1 1").await;
    assert_eq!(unknown, "not found: the application has not registered stream s1 [stream-unknown]");
    let mut stream = node.register_stream("s1".parse().unwrap());
    let sending = tokio::spawn(async move { ask(&source, "stream", "shell s1 150").await });
    for sequence in 0..150 {
        let (from, chunk) = stream.next().await.unwrap();
        assert_eq!(
            (from.to_string().as_str(), chunk.sequence, chunk.payload),
            ("1@7/test:Source:1", sequence, Bytes::from_static(b"data"))
        );
    }
    assert_eq!(sending.await.unwrap(), "");
}
