use std::cell::Cell;
use std::pin::Pin;

wit_bindgen::generate!({ path: "../../crates/abi/wit/actr-0.2", async: true });

pub(crate) use actr::workload::host;
pub(crate) use actr::workload::types::{ActrError, Dest};
use actr::workload::types::{ActrId, ActrType, DataChunk, MetadataEntry, PayloadType};
use exports::actr::workload::workload::{
    BackpressureEvent, CredentialEvent, ErrorEvent, Guest, InvocationCtx, PeerEvent, RpcEnvelope,
};

struct Sample;
export!(Sample);

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static UNDER_WAY: Cell<u32> = const { Cell::new(0) };
}

fn id_text(id: &ActrId) -> String {
    let t = &id.type_;
    format!("{:x}@{}/{}:{}:{}", id.serial_number, id.realm.realm_id, t.manufacturer, t.name, t.version)
}

fn text(payload: Vec<u8>) -> Result<String, ActrError> {
    String::from_utf8(payload).map_err(|_| ActrError::DecodeFailure("not text".into()))
}

/// Boxed, so that the code for it is there once and not in every hook.
fn note<'a>(ctx: &'a InvocationCtx, hook: &'a str) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(host::log_message(ctx.ctx_token, "info".into(), [hook, " ", &ctx.request_id].concat()))
}

impl Guest for Sample {
    async fn dispatch(envelope: RpcEnvelope, ctx: InvocationCtx) -> Result<Vec<u8>, ActrError> {
        let token = ctx.ctx_token;
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
                let caller = ctx.caller_id.as_ref().map_or("nobody".into(), id_text);
                let own = id_text(&ctx.self_id);
                Ok(format!("{own} asked by {caller} in {} as {}", ctx.request_id, envelope.request_id).into_bytes())
            }
            "call" => host::call(token, Dest::Host, "app.Service.Method".into(), payload).await,
            // Says how many of these were under way, itself among them, when its call came back.
            "overlap" => {
                UNDER_WAY.with(|n| n.set(n.get() + 1));
                let reply = host::call(token, Dest::Host, "app.Service.Method".into(), payload).await;
                let seen = UNDER_WAY.with(|n| n.replace(n.get() - 1));
                Ok([reply?, format!(" {seen}").into_bytes()].concat())
            }
            "call-raw" => host::call_raw(token, ctx.self_id, "peer.Service.Method".into(), payload).await,
            "call-forged" => host::call(token ^ 0xdead, Dest::Host, "app.Service.Method".into(), payload).await,
            "tell" => host::tell(token, Dest::Host, "app.Service.Method".into(), payload).await.map(|()| Vec::new()),
            "discover" => {
                let wanted = ActrType { manufacturer: "acme".into(), name: text(payload)?, version: "1.0.0".into() };
                host::discover(token, wanted).await.map(|id| id_text(&id).into_bytes())
            }
            "register" => host::register_stream(token, text(payload)?).await.map(|()| Vec::new()),
            "unregister" => host::unregister_stream(token, text(payload)?).await.map(|()| Vec::new()),
            "send" => send(token, payload, PayloadType::StreamReliable).await,
            "send-media" => send(token, payload, PayloadType::MediaRtp).await,
            "log" => {
                host::log_message(token, "warn".into(), text(payload)?).await;
                Ok(Vec::new())
            }
            "log-flood" => loop {
                host::log_message(token, "info".into(), "x".repeat(1000)).await;
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
            #[cfg(feature = "v2-operations")]
            other if other.starts_with("op-") => crate::operations::run(other, payload, token).await,
            other => Err(ActrError::UnknownRoute(other.into())),
        }
    }

    async fn on_start(ctx: InvocationCtx) -> Result<(), ActrError> {
        note(&ctx, "start").await;
        Ok(())
    }
    async fn on_ready(ctx: InvocationCtx) -> Result<(), ActrError> {
        note(&ctx, "ready").await;
        Ok(())
    }
    async fn on_stop(ctx: InvocationCtx) -> Result<(), ActrError> {
        note(&ctx, "stop").await;
        Err(ActrError::Internal("would rather not".into()))
    }
    async fn on_error(event: ErrorEvent, ctx: InvocationCtx) -> Result<(), ActrError> {
        note(&ctx, &event.context).await;
        Err(event.source)
    }
    async fn on_signaling_connecting(ctx: InvocationCtx) {
        note(&ctx, "signaling connecting").await;
    }
    async fn on_signaling_connected(ctx: InvocationCtx) {
        note(&ctx, "signaling connected").await;
    }
    async fn on_signaling_disconnected(ctx: InvocationCtx) {
        note(&ctx, "signaling disconnected").await;
    }
    async fn on_websocket_connecting(event: PeerEvent, ctx: InvocationCtx) {
        note(&ctx, &id_text(&event.peer)).await;
    }
    async fn on_websocket_connected(event: PeerEvent, ctx: InvocationCtx) {
        note(&ctx, &id_text(&event.peer)).await;
    }
    async fn on_websocket_disconnected(event: PeerEvent, ctx: InvocationCtx) {
        note(&ctx, &id_text(&event.peer)).await;
    }
    async fn on_webrtc_connecting(event: PeerEvent, ctx: InvocationCtx) {
        note(&ctx, &id_text(&event.peer)).await;
    }
    async fn on_webrtc_connected(event: PeerEvent, ctx: InvocationCtx) {
        note(&ctx, &format!("{} relayed {:?}", id_text(&event.peer), event.relayed)).await;
    }
    async fn on_webrtc_disconnected(event: PeerEvent, ctx: InvocationCtx) {
        note(&ctx, &id_text(&event.peer)).await;
    }
    async fn on_credential_renewed(event: CredentialEvent, ctx: InvocationCtx) {
        note(&ctx, &event.new_expiry.seconds.to_string()).await;
    }
    async fn on_credential_expiring(event: CredentialEvent, ctx: InvocationCtx) {
        note(&ctx, &event.new_expiry.seconds.to_string()).await;
    }
    async fn on_mailbox_backpressure(event: BackpressureEvent, ctx: InvocationCtx) {
        note(&ctx, &format!("{} of {}", event.queue_len, event.threshold)).await;
    }
    async fn on_data_chunk(chunk: DataChunk, sender: ActrId, ctx: InvocationCtx) -> Result<(), ActrError> {
        note(&ctx, &format!("chunk {} of {} from {}", chunk.sequence, chunk.stream_id, id_text(&sender))).await;
        match chunk.stream_id.as_str() {
            "s1" => host::tell(ctx.ctx_token, Dest::Host, "app.Service.Chunk".into(), chunk.payload).await,
            other => Err(ActrError::NotFound(other.into())),
        }
    }
}

async fn send(token: u64, payload: Vec<u8>, class: PayloadType) -> Result<Vec<u8>, ActrError> {
    let metadata = vec![MetadataEntry { key: "kind".into(), value: "sample".into() }];
    let chunk = DataChunk { stream_id: "s1".into(), sequence: 7, payload, metadata, timestamp_ms: Some(-1) };
    host::send_data_chunk(token, Dest::Host, chunk, class).await.map(|()| Vec::new())
}
