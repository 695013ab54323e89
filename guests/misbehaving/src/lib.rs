//! An actor that breaks limits, each route another. For tests and the demo.

use std::hint::black_box;

use playhouse_guest::{Actor, Context, Dest, Error, LogLevel, StreamId, export, services};

/// The generated messages, trait and client.
pub mod proto {
    playhouse_guest::include_proto!("misbehaving");
}

use proto::{MisbehavingService, MisbehavingServiceClient, Request, Response};

/// The actor.
#[derive(Debug, Default)]
pub struct Misbehaving {
    handled: u64,
}

impl Misbehaving {
    fn response(&mut self) -> Result<Response, Error> {
        self.handled += 1;
        Ok(Response { handled: self.handled, ..Response::default() })
    }
}

impl Actor for Misbehaving {}

impl MisbehavingService for Misbehaving {
    async fn ping(&mut self, _cx: Context<'_>, _request: Request) -> Result<Response, Error> {
        self.response()
    }

    async fn trap(&mut self, _cx: Context<'_>, _request: Request) -> Result<Response, Error> {
        trap()
    }

    async fn r#loop(&mut self, _cx: Context<'_>, _request: Request) -> Result<Response, Error> {
        loop {
            black_box(());
        }
    }

    async fn memory(&mut self, _cx: Context<'_>, request: Request) -> Result<Response, Error> {
        const STEP: usize = 1 << 20;
        let mut hoard = Vec::new();
        while (hoard.len() * STEP) < usize::try_from(request.amount).unwrap_or(usize::MAX) {
            hoard.push(black_box(vec![1_u8; STEP]));
        }
        self.response()
    }

    async fn logs(&mut self, cx: Context<'_>, request: Request) -> Result<Response, Error> {
        let line = "x".repeat(1024);
        (0..request.amount).for_each(|_| cx.log(LogLevel::Info, &line));
        self.response()
    }

    async fn giant_reply(&mut self, _cx: Context<'_>, request: Request) -> Result<Response, Error> {
        let filler = vec![0; usize::try_from(request.amount).unwrap_or(usize::MAX)].into();
        Ok(Response { filler, ..self.response()? })
    }

    async fn panic(&mut self, _cx: Context<'_>, request: Request) -> Result<Response, Error> {
        panic!("told to panic with {}", request.amount)
    }

    async fn recurse(&mut self, _cx: Context<'_>, request: Request) -> Result<Response, Error> {
        black_box(recurse(request.amount));
        self.response()
    }

    async fn host_calls(&mut self, cx: Context<'_>, request: Request) -> Result<Response, Error> {
        let stream_id: StreamId = "never registered"
            .parse()
            .map_err(|error| Error::new(playhouse_guest::ErrorKind::Internal, format!("{error}")))?;
        for _ in 0..request.amount {
            cx.unregister_stream(stream_id.clone()).await?;
        }
        self.response()
    }

    async fn call_self(&mut self, cx: Context<'_>, request: Request) -> Result<Response, Error> {
        MisbehavingServiceClient::new(cx, Dest::Local).ping(&request).await
    }

    async fn pend(&mut self, _cx: Context<'_>, _request: Request) -> Result<Response, Error> {
        std::future::pending().await
    }
}

/// In a component this is the `unreachable` instruction; a native guest takes its host with it.
fn trap() -> ! {
    std::process::abort()
}

#[inline(never)]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 32]);
    if depth == 0 { 0 } else { recurse(depth - 1) + frame[0] }
}

services!(Misbehaving: MisbehavingService);
export!(Misbehaving);
