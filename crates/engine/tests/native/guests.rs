//! Well-behaved guests: requests, hooks, state, streams, and calls back to the host.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use expect_test::expect;
use playhouse_types::{
    ActorError, Code, DataChunk, ErrorCategory, ErrorEvent, ErrorKind, Event, HostOp, HostReply, RuntimeEvent,
    StreamId, Timestamp,
};

use crate::support::{FakeHost, Guest, SELF_ID, field, library, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn echoes_a_request() {
    let Some(library) = library("echo", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    expect![[r#"ok """#]].assert_eq(&text(&guest.run(Event::Start).await));
    expect![[r#"ok "hello""#]].assert_eq(&text(&guest.request("echo.EchoService.Echo", b"hello").await));
    expect![[r#"ok """#]].assert_eq(&text(&guest.request("echo.EchoService.Echo", b"").await));
    expect!["error unknown route: echo.EchoService.No"]
        .assert_eq(&text(&guest.request("echo.EchoService.No", b"").await));
    let large = vec![7; 8 << 20];
    assert_eq!(guest.request("echo.EchoService.Echo", &large).await.unwrap(), large);
    assert!(!guest.workload.is_lost());
}

#[tokio::test]
async fn echoes_on_one_thread() {
    let Some(library) = library("echo", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    for number in 0..1000_u32 {
        let payload = number.to_le_bytes();
        assert_eq!(&guest.request("echo.EchoService.Echo", &payload).await.unwrap()[..], payload);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_answered() {
    let Some(library) = library("echo", &[]) else { return };
    let guest = Guest::new(library, FakeHost::silent()).await;
    let error = ErrorEvent {
        source: ActorError::new(ErrorKind::Internal, "x"),
        category: ErrorCategory::HandlerError,
        context: String::new(),
        timestamp: Timestamp::clamped(0, 0),
    };
    let events = [
        Event::Start,
        Event::Ready,
        Event::Runtime(RuntimeEvent::SignalingConnected),
        Event::Runtime(RuntimeEvent::MailboxBackpressure { queue_len: 2, threshold: 1 }),
        Event::Error(error),
        Event::Stop,
    ];
    for event in events {
        assert_eq!(text(&guest.run(event.clone()).await), r#"ok """#, "{event:?}");
    }
}

/// Every actor has an image of its own, though the bytes are the same: each counts for itself and is initialised once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actors_of_one_package_share_nothing() {
    let Some(library) = library("counter", &[]) else { return };
    let mut guests = Vec::new();
    for _ in 0..8 {
        guests.push(Guest::new(library.clone(), FakeHost::silent()).await);
    }
    for round in 1..=3 {
        for (index, guest) in guests.iter().enumerate() {
            let amount = index as u8 + 1;
            let reply = guest.request("counter.CounterService.Add", &[0x08, amount]).await.unwrap();
            assert_eq!(&reply[..], [0x08, amount * round]);
        }
    }
    // An actor after the end of another does not find the other's state.
    drop(guests);
    let guest = Guest::new(library, FakeHost::silent()).await;
    assert_eq!(&guest.request("counter.CounterService.Add", &[0x08, 5]).await.unwrap()[..], [0x08, 5]);
}

/// A library stays mapped for ever, but not its file open: a node whose actors come and go does not run out of descriptors.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn no_descriptor_is_left() {
    let Some(library) = library("echo", &[]) else { return };
    let open = || {
        let all =
            std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        all.filter(|path| path.to_string_lossy().contains("playhouse-native")).count()
    };
    let guest = Guest::new(library.clone(), FakeHost::silent()).await;
    assert!(guest.request("echo.EchoService.Echo", b"x").await.is_ok());
    // Other tests of this process may be loading just now, which ends.
    while open() > 0 {
        tokio::task::yield_now().await;
    }
}

fn relay() -> Vec<u8> {
    let mut out = Vec::new();
    let fields: [&[u8]; 5] = [b"acme", b"EchoService", b"1.0.0", b"echo.EchoService.Echo", b"ping"];
    for (index, bytes) in fields.into_iter().enumerate() {
        field(&mut out, index as u8 + 1, bytes);
    }
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_out_and_comes_back() {
    let Some(library) = library("caller", &[]) else { return };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    // The reply takes the executor a while, so that the guest really waits.
    let host = FakeHost::scripted(move |context, op| {
        log.lock().unwrap().push(format!("{} {op:?}", context.request_id));
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok(match op {
                HostOp::Discover { .. } => HostReply::Actor("9@7/acme:EchoService:1.0.0".parse().unwrap()),
                _ => HostReply::Bytes(Bytes::from_static(b"pong")),
            })
        })
    });
    let guest = Guest::new(library, host).await;
    expect![[r#"ok "\n\u{4}pong""#]].assert_eq(&text(&guest.request("caller.CallerService.Relay", &relay()).await));
    expect![[r#"
        r-1 Discover { actor_type: acme:EchoService:1.0.0 }
        r-1 Call { dest: Actor(9@7/acme:EchoService:1.0.0), route: "echo.EchoService.Echo", payload: b"ping" }"#]]
    .assert_eq(&seen.lock().unwrap().join("\n"));
}

/// A typed error goes into the guest and out again with its kind, its code and its text.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_pass_through_a_guest_unchanged() {
    let Some(library) = library("caller", &[]) else { return };
    let errors = [
        ActorError::coded(ErrorKind::Unavailable, Code::MailboxFull, "the mailbox is full"),
        ActorError::coded(ErrorKind::PermissionDenied, Code::GrantMissing, "no grant `call`"),
        ActorError::coded(ErrorKind::InvalidArgument, Code::CallCycle, "a -> b -> a"),
        ActorError::new(ErrorKind::TimedOut, ""),
        ActorError::new(ErrorKind::NotFound, "nobody"),
        ActorError::new(ErrorKind::UnknownRoute, "x.Y.Z"),
        ActorError::new(ErrorKind::DecodeFailure, "bytes"),
        ActorError::new(ErrorKind::NotImplemented, "later"),
        ActorError::new(ErrorKind::Internal, "oh"),
        ActorError::dependency_not_found("echo", "not in the lock file"),
    ];
    for error in errors {
        let answer = error.clone();
        let guest = Guest::new(library.clone(), FakeHost::prompt(move |_| Err(answer.clone()))).await;
        let outcome = guest.request("caller.CallerService.Relay", &relay()).await;
        assert_eq!(text(&outcome), format!("error {}", error.to_text()));
        assert_eq!(outcome.unwrap_err().into_error(), error);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receives_streams() {
    let Some(library) = library("sink", &[]) else { return };
    let host = FakeHost::prompt(|op| match op {
        HostOp::RegisterStream { stream_id } if stream_id.as_str() == "s1" => Ok(HostReply::Done),
        HostOp::UnregisterStream { .. } => Ok(HostReply::Done),
        op => Err(ActorError::coded(ErrorKind::Unavailable, Code::StreamLimit, format!("{op:?}"))),
    });
    let guest = Guest::new(library, host).await;
    expect![[r#"ok """#]].assert_eq(&text(&guest.request("sink.SinkService.Open", b"\x0a\x02s1").await));
    expect![[r#"error unavailable: RegisterStream { stream_id: "s2" } [stream-limit]"#]]
        .assert_eq(&text(&guest.request("sink.SinkService.Open", b"\x0a\x02s2").await));
    let stream_id: StreamId = "s1".parse().unwrap();
    for sequence in 0..5 {
        let chunk = DataChunk {
            stream_id: stream_id.clone(),
            sequence,
            payload: Bytes::from_static(b"seven b"),
            metadata: vec![("key".to_owned(), "value".to_owned())],
            timestamp_ms: Some(-1),
        };
        let outcome = guest.run(Event::Chunk { chunk, sender: SELF_ID.parse().unwrap() }).await;
        assert_eq!(text(&outcome), r#"ok """#);
    }
    assert_eq!(&guest.request("sink.SinkService.Total", b"").await.unwrap()[..], [0x08, 5, 0x10, 35, 0x18, 0]);
    expect![[r#"ok """#]].assert_eq(&text(&guest.request("sink.SinkService.Close", b"\x0a\x02s1").await));
}
