//! An actor that calls others.

use playhouse_guest::{Actor, ActorId, Context, Dest, Error, ErrorKind, RouteKey, export, services};

/// The generated messages, trait and client.
pub mod proto {
    playhouse_guest::include_proto!("caller");
}

/// What the echo service looks like from outside.
pub mod echo {
    playhouse_guest::include_proto!("echo");
}

use echo::{EchoRequest, EchoServiceClient};
use proto::{CallerService, GreetRequest, GreetResponse, RelayRequest, RelayResponse, ShellRequest, ShellResponse};

/// The actor.
#[derive(Debug, Default)]
pub struct Caller;

impl Actor for Caller {}

impl CallerService for Caller {
    async fn relay(&mut self, cx: Context<'_>, request: RelayRequest) -> Result<RelayResponse, Error> {
        let RelayRequest { manufacturer, name, version, route, payload } = request;
        let dest = find(cx, &format!("{manufacturer}:{name}:{version}")).await?;
        let reply = cx.call(Dest::Actor(dest), parse_route(&route)?, payload).await?;
        Ok(RelayResponse { reply })
    }

    async fn greet(&mut self, cx: Context<'_>, request: GreetRequest) -> Result<GreetResponse, Error> {
        let dest = find(cx, &request.actor_type).await?;
        let echo = EchoServiceClient::new(cx, Dest::Actor(dest));
        let reply = echo.echo(&EchoRequest { message: request.message }).await?;
        Ok(GreetResponse { reply: reply.reply, answered_by: reply.answered_by })
    }

    async fn tell_shell(&mut self, cx: Context<'_>, request: ShellRequest) -> Result<ShellResponse, Error> {
        cx.tell(Dest::Shell, parse_route(&request.route)?, request.payload).await?;
        Ok(ShellResponse::default())
    }

    async fn call_shell(&mut self, cx: Context<'_>, request: ShellRequest) -> Result<ShellResponse, Error> {
        let reply = cx.call(Dest::Shell, parse_route(&request.route)?, request.payload).await?;
        Ok(ShellResponse { reply })
    }
}

async fn find(cx: Context<'_>, actor_type: &str) -> Result<ActorId, Error> {
    let actor_type = actor_type.parse().map_err(|error| Error::new(ErrorKind::InvalidArgument, format!("{error}")))?;
    cx.discover(actor_type).await
}

fn parse_route(route: &str) -> Result<RouteKey, Error> {
    route.parse().map_err(|error| Error::new(ErrorKind::InvalidArgument, format!("{error}")))
}

services!(Caller: CallerService);
export!(Caller);
