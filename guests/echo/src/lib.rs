//! An actor that answers with what it is told.

use playhouse_guest::{Actor, Context, Error, ErrorKind, export, services};

/// The generated messages, trait and client.
pub mod proto {
    playhouse_guest::include_proto!("echo");
}

use proto::{EchoRequest, EchoResponse, EchoService, FailRequest};

/// The actor. It remembers its own id as text, which is in every reply.
#[derive(Debug, Default)]
pub struct Echo {
    own_id: String,
}

impl Actor for Echo {}

impl EchoService for Echo {
    async fn echo(&mut self, cx: Context<'_>, request: EchoRequest) -> Result<EchoResponse, Error> {
        Ok(self.response(cx, request.message))
    }

    async fn shout(&mut self, cx: Context<'_>, request: EchoRequest) -> Result<EchoResponse, Error> {
        Ok(self.response(cx, request.message.to_ascii_uppercase()))
    }

    async fn fail(&mut self, _cx: Context<'_>, request: FailRequest) -> Result<EchoResponse, Error> {
        Err(match request.kind.as_str() {
            "dependency-not-found" => Error::dependency_not_found("acme:Missing:1.0.0", request.message),
            "connection-not-ready" => Error::connection_not_ready(Some(250), request.message),
            kind => Error::new(kind_named(kind), request.message),
        })
    }
}

impl Echo {
    fn response(&mut self, cx: Context<'_>, reply: String) -> EchoResponse {
        if self.own_id.is_empty() {
            self.own_id = cx.self_id().to_string();
        }
        let asked_by = cx.caller().map(ToString::to_string).unwrap_or_default();
        EchoResponse { reply, timestamp: 0, answered_by: self.own_id.clone(), asked_by }
    }
}

fn kind_named(name: &str) -> ErrorKind {
    const KINDS: [ErrorKind; 9] = [
        ErrorKind::Unavailable,
        ErrorKind::TimedOut,
        ErrorKind::NotFound,
        ErrorKind::PermissionDenied,
        ErrorKind::InvalidArgument,
        ErrorKind::UnknownRoute,
        ErrorKind::DecodeFailure,
        ErrorKind::NotImplemented,
        ErrorKind::Internal,
    ];
    KINDS.into_iter().find(|kind| kind.name() == name).unwrap_or(ErrorKind::Internal)
}

services!(Echo: EchoService);
export!(Echo);
