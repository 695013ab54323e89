use super::*;

fn message(bytes: usize) -> ShellMessage {
    let from = "1@0/test:Player:1".parse().expect("an id");
    ShellMessage {
        from,
        route: RouteKey::from_static("hear"),
        payload: vec![0; bytes].into(),
        awaited: false,
        id: None,
    }
}

/// They were counted and not weighed: a slow application had 64 GiB waiting for it.
#[tokio::test]
async fn what_waits_for_the_application_is_weighed() {
    let handler: ShellHandler = Box::new(|_| Box::pin(std::future::pending()));
    let shell = Shell::new(Some(handler), &Handle::current());
    assert_eq!(shell.tell(message(BYTES_MAX - 9)).now_or_never(), Some(Ok(())));
    assert_eq!(shell.tell(message(9)).now_or_never(), Some(Ok(())));
    assert_eq!(shell.tell(message(1)).now_or_never(), None);
}

/// One that is larger than all that may wait waits alone.
#[tokio::test]
async fn what_is_larger_than_all_room_gets_through() {
    let handler: ShellHandler = Box::new(|_| Box::pin(std::future::ready(Ok(Bytes::new()))));
    let shell = Shell::new(Some(handler), &Handle::current());
    shell.tell(message(1)).await.expect("it is taken");
    shell.tell(message(BYTES_MAX + 1)).await.expect("it is taken");
    shell.tell(message(1)).await.expect("it is taken");
}

#[tokio::test]
async fn the_chunks_of_a_stream_are_weighed() {
    let shell = Shell::new(None, &Handle::current());
    let from: ActorId = "1@0/test:Player:1".parse().expect("an id");
    let stream_id: StreamId = "s".parse().expect("an id");
    let chunk = |bytes: usize| DataChunk {
        stream_id: stream_id.clone(),
        sequence: 0,
        payload: vec![0; bytes].into(),
        metadata: Vec::new(),
        timestamp_ms: None,
    };
    let mut stream = shell.open_stream(stream_id.clone());
    let send = |bytes, class| shell.send_chunk(from.clone(), chunk(bytes), class);
    assert_eq!(send(BYTES_MAX, PayloadClass::StreamReliable).now_or_never(), Some(Ok(())));
    assert_eq!(send(1, PayloadClass::StreamReliable).now_or_never(), None);
    // Dropped.
    assert_eq!(send(1, PayloadClass::StreamLatencyFirst).now_or_never(), Some(Ok(())));
    assert_eq!(stream.next().await.map(|(_, chunk)| chunk.payload.len()), Some(BYTES_MAX));
    assert_eq!(send(1, PayloadClass::StreamReliable).now_or_never(), Some(Ok(())));
    drop(stream);
    assert!(send(1, PayloadClass::StreamReliable).await.is_err());
}
