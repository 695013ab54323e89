use std::cell::Cell;
use std::pin::Pin;

#[cfg(feature = "a")]
wit_bindgen::generate!({ path: "../../crates/abi/wit/actr-0.1-a", async: true });
#[cfg(feature = "b")]
wit_bindgen::generate!({ path: "../../crates/abi/wit/actr-0.1-b", async: true });
#[cfg(feature = "c")]
wit_bindgen::generate!({ path: "../../crates/abi/wit/actr-0.1-c", async: true });

use actr::workload::host;
use actr::workload::types::{ActrError, ActrId, ActrType, Dest, MetadataEntry, PayloadType};
use exports::actr::workload::workload::{
    BackpressureEvent, CredentialEvent, ErrorEvent, Guest, PeerEvent, RpcEnvelope,
};

#[cfg(feature = "c")]
use actr::workload::{host::send_data_chunk as send_chunk, types::DataChunk as Chunk};
#[cfg(not(feature = "c"))]
use actr::workload::{host::send_data_stream as send_chunk, types::DataStream as Chunk};

#[cfg(not(feature = "c"))]
const SHELL: Dest = Dest::Shell;
#[cfg(feature = "c")]
const SHELL: Dest = Dest::Host;

struct Sample;
export!(Sample);

thread_local! { static COUNT: Cell<u64> = const { Cell::new(0) } }

/// What actr's guest library does first in every exported call.
fn context() -> Pin<Box<dyn Future<Output = (ActrId, Option<ActrId>, String)>>> {
    Box::pin(async { (host::get_self_id().await, host::get_caller_id().await, host::get_request_id().await) })
}

fn id_text(id: &ActrId) -> String {
    let t = &id.type_;
    format!("{:x}@{}/{}:{}:{}", id.serial_number, id.realm.realm_id, t.manufacturer, t.name, t.version)
}

fn text(payload: Vec<u8>) -> Result<String, ActrError> {
    String::from_utf8(payload).map_err(|_| ActrError::DecodeFailure("not text".into()))
}

/// Boxed, so that the code for it is there once and not in every hook.
fn note<'a>(hook: &'a str) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(async move {
        let (_, _, request) = context().await;
        host::log_message("info".into(), [hook, " ", &request].concat()).await;
    })
}

impl Guest for Sample {
    async fn dispatch(envelope: RpcEnvelope) -> Result<Vec<u8>, ActrError> {
        let (own, caller, request) = context().await;
        let payload = envelope.payload;
        match envelope.route_key.as_str() {
            "echo" => Ok(payload),
            "count" => Ok(COUNT
                .with(|c| {
                    c.set(c.get() + 1);
                    c.get()
                })
                .to_string()
                .into_bytes()),
            "who" => {
                let caller = caller.as_ref().map_or("nobody".into(), id_text);
                Ok(format!("{} asked by {caller} in {request} as {}", id_text(&own), envelope.request_id).into_bytes())
            }
            "call" => host::call(SHELL, "app.Service.Method".into(), payload).await,
            "call-twice" => {
                let first = host::call(SHELL, "app.Service.First".into(), payload.clone());
                let second = host::call(SHELL, "app.Service.Second".into(), payload);
                let (first, second) = futures_join(first, second).await;
                Ok([first?, second?].concat())
            }
            "call-raw" => host::call_raw(own, "peer.Service.Method".into(), payload).await,
            "tell" => host::tell(SHELL, "app.Service.Method".into(), payload).await.map(|()| Vec::new()),
            "discover" => {
                let wanted = ActrType { manufacturer: "acme".into(), name: text(payload)?, version: "1.0.0".into() };
                host::discover(wanted).await.map(|id| id_text(&id).into_bytes())
            }
            "register" => host::register_stream(text(payload)?).await.map(|()| Vec::new()),
            "unregister" => host::unregister_stream(text(payload)?).await.map(|()| Vec::new()),
            "send" => send(payload, PayloadType::StreamReliable).await,
            "send-media" => send(payload, PayloadType::MediaRtp).await,
            "log" => {
                host::log_message("warn".into(), text(payload)?).await;
                Ok(Vec::new())
            }
            "log-flood" => loop {
                host::log_message("info".into(), "x".repeat(1000)).await;
            },
            "fail" => Err(ActrError::InvalidArgument(text(payload)?)),
            "trap" => core::arch::wasm32::unreachable(),
            "loop" => loop {
                COUNT.with(|c| c.set(c.get().wrapping_add(1)));
            },
            "memory" => {
                let mut hoard = Vec::new();
                loop {
                    hoard.push(vec![1u8; 1 << 20]);
                    COUNT.with(|c| c.set(hoard.len() as u64));
                }
            }
            "giant" => Ok(vec![7; 1 << 20]),
            other => Err(ActrError::UnknownRoute(other.into())),
        }
    }

    async fn on_start() -> Result<(), ActrError> {
        note("start").await;
        Ok(())
    }
    async fn on_ready() -> Result<(), ActrError> {
        note("ready").await;
        Ok(())
    }
    async fn on_stop() -> Result<(), ActrError> {
        note("stop").await;
        Err(ActrError::Internal("would rather not".into()))
    }
    async fn on_error(event: ErrorEvent) -> Result<(), ActrError> {
        note(&event.context).await;
        Err(event.source)
    }
    async fn on_signaling_connecting() {
        note("signaling connecting").await;
    }
    async fn on_signaling_connected() {
        note("signaling connected").await;
    }
    async fn on_signaling_disconnected() {
        note("signaling disconnected").await;
    }
    async fn on_websocket_connecting(event: PeerEvent) {
        note(&id_text(&event.peer)).await;
    }
    async fn on_websocket_connected(event: PeerEvent) {
        note(&id_text(&event.peer)).await;
    }
    async fn on_websocket_disconnected(event: PeerEvent) {
        note(&id_text(&event.peer)).await;
    }
    async fn on_webrtc_connecting(event: PeerEvent) {
        note(&id_text(&event.peer)).await;
    }
    async fn on_webrtc_connected(event: PeerEvent) {
        note(&format!("{} relayed {:?}", id_text(&event.peer), event.relayed)).await;
    }
    async fn on_webrtc_disconnected(event: PeerEvent) {
        note(&id_text(&event.peer)).await;
    }
    async fn on_credential_renewed(event: CredentialEvent) {
        note(&event.new_expiry.seconds.to_string()).await;
    }
    async fn on_credential_expiring(event: CredentialEvent) {
        note(&event.new_expiry.seconds.to_string()).await;
    }
    async fn on_mailbox_backpressure(event: BackpressureEvent) {
        note(&format!("{} of {}", event.queue_len, event.threshold)).await;
    }
    #[cfg(not(feature = "c"))]
    async fn on_data_stream(chunk: Chunk, sender: ActrId) -> Result<(), ActrError> {
        received(chunk, sender).await
    }
    #[cfg(feature = "c")]
    async fn on_data_chunk(chunk: Chunk, sender: ActrId) -> Result<(), ActrError> {
        received(chunk, sender).await
    }
}

async fn send(payload: Vec<u8>, class: PayloadType) -> Result<Vec<u8>, ActrError> {
    let metadata = vec![MetadataEntry { key: "kind".into(), value: "sample".into() }];
    let chunk = Chunk { stream_id: "s1".into(), sequence: 7, payload, metadata, timestamp_ms: Some(-1) };
    send_chunk(SHELL, chunk, class).await.map(|()| Vec::new())
}

async fn received(chunk: Chunk, sender: ActrId) -> Result<(), ActrError> {
    note(&format!("chunk {} of {} from {}", chunk.sequence, chunk.stream_id, id_text(&sender))).await;
    match chunk.stream_id.as_str() {
        "s1" => host::tell(SHELL, "app.Service.Chunk".into(), chunk.payload).await,
        other => Err(ActrError::NotFound(other.into())),
    }
}

/// Waits for both at once.
async fn futures_join<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (std::pin::pin!(a), std::pin::pin!(b));
    let (mut left, mut right) = (None, None);
    std::future::poll_fn(move |cx| {
        if left.is_none()
            && let std::task::Poll::Ready(out) = a.as_mut().poll(cx)
        {
            left = Some(out);
        }
        if right.is_none()
            && let std::task::Poll::Ready(out) = b.as_mut().poll(cx)
        {
            right = Some(out);
        }
        match (left.take(), right.take()) {
            (Some(l), Some(r)) => std::task::Poll::Ready((l, r)),
            (l, r) => {
                (left, right) = (l, r);
                std::task::Poll::Pending
            }
        }
    })
    .await
}
