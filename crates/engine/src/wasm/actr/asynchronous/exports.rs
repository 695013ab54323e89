//! What a component of `actr:workload@0.2.0` exports. Every function takes the event's surroundings last.

use playhouse_types::{ActorError, Event, RuntimeEvent};
use wasmtime::component::{Accessor, Component, ComponentType, Instance, Lower};

use super::EXPORT_2;
use crate::Context;
use crate::wasm::actr::shape::{C, Shape};
use crate::wasm::actr::types::{ActrId, CredentialEvent, ErrorEvent, RpcEnvelope};
use crate::wasm::exports::{Export, Exports};
use crate::wasm::guest::{Answer, Guest};
use crate::wasm::refusal::Refusal;
use crate::wasm::values::{Backpressure, DataChunk};

#[derive(Debug, Clone, ComponentType, Lower)]
#[component(record)]
pub(super) struct InvocationCtx {
    #[component(name = "ctx-token")]
    ctx_token: u64,
    #[component(name = "self-id")]
    self_id: ActrId,
    #[component(name = "caller-id")]
    caller_id: Option<ActrId>,
    #[component(name = "request-id")]
    request_id: String,
}

impl InvocationCtx {
    pub(super) fn new(token: u64, context: &Context) -> Self {
        Self {
            ctx_token: token,
            self_id: ActrId::from(&context.self_id),
            caller_id: context.caller.as_ref().map(ActrId::from),
            request_id: context.request_id.to_string(),
        }
    }
}

type Ctx = InvocationCtx;
type Bytes = (Result<Vec<u8>, <C as Shape>::Error>,);
type Done = (Result<(), <C as Shape>::Error>,);
type Failing = ErrorEvent<<C as Shape>::Error, <C as Shape>::Category>;
type Peer = <C as Shape>::Peer;

/// The functions, found and checked.
pub(super) struct Functions {
    dispatch: Export<(RpcEnvelope, Ctx), Bytes>,
    on_start: Export<(Ctx,), Done>,
    on_ready: Export<(Ctx,), Done>,
    on_stop: Export<(Ctx,), Done>,
    on_error: Export<(Failing, Ctx), Done>,
    on_chunk: Export<(DataChunk, ActrId, Ctx), Done>,
    hooks: Hooks,
}

/// The hooks that answer nothing: connecting, connected and disconnected of each kind, and the rest.
struct Hooks {
    signaling: [Export<(Ctx,), ()>; 3],
    websocket: [Export<(Peer, Ctx), ()>; 3],
    webrtc: [Export<(Peer, Ctx), ()>; 3],
    credential_renewed: Export<(CredentialEvent, Ctx), ()>,
    credential_expiring: Export<(CredentialEvent, Ctx), ()>,
    backpressure: Export<(Backpressure, Ctx), ()>,
}

/// An instance that runs.
#[derive(Clone, Copy)]
pub(super) struct Live<'a> {
    pub(super) accessor: &'a Accessor<Guest>,
    pub(super) instance: &'a Instance,
}

/// An instance that runs, and the token of the event that it is told.
#[derive(Clone, Copy)]
struct To<'a> {
    live: Live<'a>,
    token: u64,
}

impl Functions {
    pub(super) fn find(component: &Component) -> Result<Self, Refusal> {
        let exports = Exports::new(component, EXPORT_2)?;
        Ok(Self {
            dispatch: exports.function("dispatch")?,
            on_start: exports.function("on-start")?,
            on_ready: exports.function("on-ready")?,
            on_stop: exports.function("on-stop")?,
            on_error: exports.function("on-error")?,
            on_chunk: exports.function(C::ON_CHUNK)?,
            hooks: Hooks::find(&exports)?,
        })
    }

    /// Calls the export that `event` is for. The inner error is the guest's answer; the outer one ended the guest.
    pub(super) async fn deliver(&self, live: Live<'_>, event: Event, ctx: Ctx) -> Answer<Vec<u8>> {
        let to = To { live, token: ctx.ctx_token };
        match event {
            Event::Request { route, payload } => {
                let (request_id, route_key) = (ctx.request_id.clone(), route.as_str().to_owned());
                let envelope = RpcEnvelope { request_id, route_key, payload: payload.into() };
                let (reply,) = call(&self.dispatch, to, (envelope, ctx)).await?;
                Ok(reply.map_err(ActorError::from))
            }
            Event::Chunk { chunk, sender } => {
                done(call(&self.on_chunk, to, (chunk.into(), (&sender).into(), ctx)).await)
            }
            Event::Start => done(call(&self.on_start, to, (ctx,)).await),
            Event::Ready => done(call(&self.on_ready, to, (ctx,)).await),
            Event::Stop => done(call(&self.on_stop, to, (ctx,)).await),
            Event::Error(event) => done(call(&self.on_error, to, (event.into(), ctx)).await),
            Event::Runtime(event) => {
                self.hooks.deliver(to, event, ctx).await?;
                Ok(Ok(Vec::new()))
            }
        }
    }
}

impl Hooks {
    fn find(exports: &Exports<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            signaling: [
                exports.function("on-signaling-connecting")?,
                exports.function("on-signaling-connected")?,
                exports.function("on-signaling-disconnected")?,
            ],
            websocket: [
                exports.function("on-websocket-connecting")?,
                exports.function("on-websocket-connected")?,
                exports.function("on-websocket-disconnected")?,
            ],
            webrtc: [
                exports.function("on-webrtc-connecting")?,
                exports.function("on-webrtc-connected")?,
                exports.function("on-webrtc-disconnected")?,
            ],
            credential_renewed: exports.function("on-credential-renewed")?,
            credential_expiring: exports.function("on-credential-expiring")?,
            backpressure: exports.function("on-mailbox-backpressure")?,
        })
    }

    async fn deliver(&self, to: To<'_>, event: RuntimeEvent, ctx: Ctx) -> wasmtime::Result<()> {
        use RuntimeEvent as E;
        let [signaling_connecting, signaling_connected, signaling_disconnected] = &self.signaling;
        let [websocket_connecting, websocket_connected, websocket_disconnected] = &self.websocket;
        let [webrtc_connecting, webrtc_connected, webrtc_disconnected] = &self.webrtc;
        match event {
            E::SignalingConnecting => call(signaling_connecting, to, (ctx,)).await,
            E::SignalingConnected => call(signaling_connected, to, (ctx,)).await,
            E::SignalingDisconnected => call(signaling_disconnected, to, (ctx,)).await,
            E::WebsocketConnecting(peer) => call(websocket_connecting, to, (peer.into(), ctx)).await,
            E::WebsocketConnected(peer) => call(websocket_connected, to, (peer.into(), ctx)).await,
            E::WebsocketDisconnected(peer) => call(websocket_disconnected, to, (peer.into(), ctx)).await,
            E::WebrtcConnecting(peer) => call(webrtc_connecting, to, (peer.into(), ctx)).await,
            E::WebrtcConnected(peer) => call(webrtc_connected, to, (peer.into(), ctx)).await,
            E::WebrtcDisconnected(peer) => call(webrtc_disconnected, to, (peer.into(), ctx)).await,
            E::CredentialRenewed { new_expiry } => {
                let event = CredentialEvent { new_expiry: new_expiry.into() };
                call(&self.credential_renewed, to, (event, ctx)).await
            }
            E::CredentialExpiring { new_expiry } => {
                let event = CredentialEvent { new_expiry: new_expiry.into() };
                call(&self.credential_expiring, to, (event, ctx)).await
            }
            E::MailboxBackpressure { queue_len, threshold } => {
                call(&self.backpressure, to, (Backpressure { queue_len, threshold }, ctx)).await
            }
        }
    }
}

/// Calls a function in a task that belongs to the event until it has answered.
async fn call<P, R>(function: &Export<P, R>, to: To<'_>, params: P) -> wasmtime::Result<R>
where
    P: wasmtime::component::ComponentNamedList + Lower + Send + Sync + 'static,
    R: wasmtime::component::ComponentNamedList + wasmtime::component::Lift + Send + Sync + 'static,
{
    let To { live: Live { accessor, instance }, token } = to;
    let mut task = None;
    let begin = |guest: &mut Guest, begun| {
        guest.tasks.begin(begun, token);
        task = Some(begun);
    };
    let answered = function.call_concurrent(accessor, instance, params, begin).await;
    if let Some(task) = task {
        accessor.with(|mut access| access.data_mut().tasks.answered(task, token));
    }
    answered
}

fn done(result: wasmtime::Result<Done>) -> Answer<Vec<u8>> {
    let (answer,) = result?;
    Ok(answer.map(|()| Vec::new()).map_err(ActorError::from))
}
