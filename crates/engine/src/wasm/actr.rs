//! The world `actr:workload/actr-workload-guest@0.1.0` in its plain form, in each of its three shapes.

use playhouse_types::{Event, RuntimeEvent};
use wasmtime::Store;
use wasmtime::component::{Component, Instance, Linker, TypedFunc};

use super::exports::{Export, Exports};
use super::guest::{Answer, Guest};
use super::ids::request_id;
use super::plain::World;
use super::refusal::Refusal;
use super::values::{Backpressure, DataChunk};
use shape::Shape;
use types::{ActrId, CredentialEvent, ErrorEvent, RpcEnvelope};

pub(super) mod asynchronous;
mod errors;
mod host;
mod shape;
mod types;

pub(super) use asynchronous::{Invocations, Tasks};
pub(super) use shape::{A, B, C};

/// The interface that guests export.
pub(super) const EXPORT: &str = "actr:workload/workload@0.1.0";

/// Interfaces that guests may import, beside WASI.
pub(super) const IMPORTS: &[&str] = &["actr:workload/types@0.1.0", host::NAME];

/// Which shape a component has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShapeKind {
    A,
    B,
    C,
}

/// Tells the shape of a component by what it exports. A component that fits none is refused with what keeps it from
/// being of shape A or B.
pub(super) fn shape_of(component: &Component) -> Result<ShapeKind, Refusal> {
    let exports = Exports::new(component, EXPORT)?;
    if exports.has(C::ON_CHUNK) {
        return Ok(ShapeKind::C);
    }
    let of_a = exports.function::<(RpcEnvelope,), Bytes<A>>("dispatch");
    let of_b = exports.function::<(RpcEnvelope,), Bytes<B>>("dispatch");
    match (of_a, of_b) {
        (Ok(_), _) => Ok(ShapeKind::A),
        (_, Ok(_)) => Ok(ShapeKind::B),
        (Err(refusal), _) => Err(refusal),
    }
}

type Bytes<S> = (Result<Vec<u8>, <S as Shape>::Error>,);
type Done<S> = (Result<(), <S as Shape>::Error>,);
type Failing<S> = (ErrorEvent<<S as Shape>::Error, <S as Shape>::Category>,);
type Peer<S> = (<S as Shape>::Peer,);

/// The exports of a component of shape `S`.
pub(super) struct Actr<S: Shape> {
    dispatch: Export<(RpcEnvelope,), Bytes<S>>,
    on_start: Export<(), Done<S>>,
    on_ready: Export<(), Done<S>>,
    on_stop: Export<(), Done<S>>,
    on_error: Export<Failing<S>, Done<S>>,
    on_chunk: Export<(DataChunk, ActrId), Done<S>>,
    hooks: Hooks<S>,
}

/// The hooks that answer nothing.
struct Hooks<S: Shape> {
    signaling: [Export<(), ()>; 3],
    websocket: [Export<Peer<S>, ()>; 3],
    webrtc: [Export<Peer<S>, ()>; 3],
    credential_renewed: Export<(CredentialEvent,), ()>,
    credential_expiring: Export<(CredentialEvent,), ()>,
    backpressure: Export<(Backpressure,), ()>,
}

/// What is kept per instance.
pub(super) struct Bound<S: Shape> {
    dispatch: TypedFunc<(RpcEnvelope,), Bytes<S>>,
}

impl<S: Shape> World for Actr<S> {
    type Bound = Bound<S>;

    fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
        host::link::<S>(linker)
    }

    fn find(component: &Component) -> Result<Self, Refusal> {
        let exports = Exports::new(component, EXPORT)?;
        Ok(Self {
            dispatch: exports.function("dispatch")?,
            on_start: exports.function("on-start")?,
            on_ready: exports.function("on-ready")?,
            on_stop: exports.function("on-stop")?,
            on_error: exports.function("on-error")?,
            on_chunk: exports.function(S::ON_CHUNK)?,
            hooks: Hooks::find(&exports)?,
        })
    }

    fn bind(&self, store: &mut Store<Guest>, instance: &Instance) -> wasmtime::Result<Bound<S>> {
        Ok(Bound { dispatch: self.dispatch.of(store, instance)? })
    }

    async fn deliver(
        &self,
        (bound, instance): (&Bound<S>, &Instance),
        store: &mut Store<Guest>,
        event: Event,
    ) -> Answer<Vec<u8>> {
        match event {
            Event::Request { route, payload } => {
                let request_id = request_id(&store.data().invocation()?.request_id);
                let route_key = route.as_str().to_owned();
                let envelope = RpcEnvelope { request_id, route_key, payload: payload.into() };
                let (reply,) = bound.dispatch.call_async(store, (envelope,)).await?;
                Ok(reply.map_err(S::Error::into))
            }
            Event::Chunk { chunk, sender } => {
                let params = (chunk.into(), (&sender).into());
                done::<S>(self.on_chunk.call(store, instance, params).await)
            }
            Event::Start => done::<S>(self.on_start.call(store, instance, ()).await),
            Event::Ready => done::<S>(self.on_ready.call(store, instance, ()).await),
            Event::Stop => done::<S>(self.on_stop.call(store, instance, ()).await),
            Event::Error(event) => done::<S>(self.on_error.call(store, instance, (event.into(),)).await),
            Event::Runtime(event) => {
                self.hooks.deliver(store, instance, event).await?;
                Ok(Ok(Vec::new()))
            }
        }
    }
}

impl<S: Shape> Hooks<S> {
    fn find(exports: &Exports<'_>) -> Result<Self, Refusal> {
        let signaling = |name| exports.function::<(), ()>(name);
        let peer = |name| exports.function::<Peer<S>, ()>(name);
        Ok(Self {
            signaling: [
                signaling("on-signaling-connecting")?,
                signaling("on-signaling-connected")?,
                signaling("on-signaling-disconnected")?,
            ],
            websocket: [
                peer("on-websocket-connecting")?,
                peer("on-websocket-connected")?,
                peer("on-websocket-disconnected")?,
            ],
            webrtc: [peer("on-webrtc-connecting")?, peer("on-webrtc-connected")?, peer("on-webrtc-disconnected")?],
            credential_renewed: exports.function("on-credential-renewed")?,
            credential_expiring: exports.function("on-credential-expiring")?,
            backpressure: exports.function("on-mailbox-backpressure")?,
        })
    }

    async fn deliver(&self, store: &mut Store<Guest>, to: &Instance, event: RuntimeEvent) -> wasmtime::Result<()> {
        use RuntimeEvent as E;
        let [signaling_connecting, signaling_connected, signaling_disconnected] = &self.signaling;
        let [websocket_connecting, websocket_connected, websocket_disconnected] = &self.websocket;
        let [webrtc_connecting, webrtc_connected, webrtc_disconnected] = &self.webrtc;
        match event {
            E::SignalingConnecting => signaling_connecting.call(store, to, ()).await,
            E::SignalingConnected => signaling_connected.call(store, to, ()).await,
            E::SignalingDisconnected => signaling_disconnected.call(store, to, ()).await,
            E::WebsocketConnecting(peer) => websocket_connecting.call(store, to, (peer.into(),)).await,
            E::WebsocketConnected(peer) => websocket_connected.call(store, to, (peer.into(),)).await,
            E::WebsocketDisconnected(peer) => websocket_disconnected.call(store, to, (peer.into(),)).await,
            E::WebrtcConnecting(peer) => webrtc_connecting.call(store, to, (peer.into(),)).await,
            E::WebrtcConnected(peer) => webrtc_connected.call(store, to, (peer.into(),)).await,
            E::WebrtcDisconnected(peer) => webrtc_disconnected.call(store, to, (peer.into(),)).await,
            E::CredentialRenewed { new_expiry } => {
                let event = CredentialEvent { new_expiry: new_expiry.into() };
                self.credential_renewed.call(store, to, (event,)).await
            }
            E::CredentialExpiring { new_expiry } => {
                let event = CredentialEvent { new_expiry: new_expiry.into() };
                self.credential_expiring.call(store, to, (event,)).await
            }
            E::MailboxBackpressure { queue_len, threshold } => {
                self.backpressure.call(store, to, (Backpressure { queue_len, threshold },)).await
            }
        }
    }
}

fn done<S: Shape>(result: wasmtime::Result<Done<S>>) -> Answer<Vec<u8>> {
    let (answer,) = result?;
    Ok(answer.map(|()| Vec::new()).map_err(S::Error::into))
}
