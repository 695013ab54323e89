//! An actor with several services, made from generated code, for the tests of the Rust SDK. It is *not* part of any product.

#![expect(missing_docs, reason = "generated messages have the words of their proto, which here has none")]

use std::sync::atomic::{AtomicU32, Ordering};

use playhouse_guest::{Actor, ActorId, Context, DataChunk, Dest, Error, ErrorKind, LogLevel, SharedActor, services};

/// The package `zoo`.
pub mod zoo {
    playhouse_guest::include_proto!("zoo");
}

/// The files without a package.
pub mod bare {
    playhouse_guest::include_proto!("_");
}

use bare::{BareService, Note};
use zoo::{Animal, Count, KeeperService, TourService, ZooService};

/// Serves three services, one of them without a package.
#[derive(Debug, Default)]
pub struct Zoo {
    animals: u32,
}

impl Actor for Zoo {
    async fn on_start(&mut self, cx: Context<'_>) -> Result<(), Error> {
        cx.register_stream("feed".parse().map_err(|_| Error::new(ErrorKind::Internal, "stream id"))?).await
    }

    async fn on_chunk(&mut self, cx: Context<'_>, chunk: DataChunk, sender: ActorId) -> Result<(), Error> {
        Err(Error::new(ErrorKind::NotFound, format!("{} got {} from {sender}", cx.self_id(), chunk.sequence)))
    }
}

impl ZooService for Zoo {
    async fn feed(&mut self, _cx: Context<'_>, _request: Animal) -> Result<Count, Error> {
        self.animals += 1;
        Ok(Count { animals: self.animals })
    }

    async fn release(&mut self, _cx: Context<'_>, _request: Animal) -> Result<Count, Error> {
        self.animals -= 1;
        Ok(Count { animals: self.animals })
    }

    async fn r#move(&mut self, _cx: Context<'_>, _request: zoo::Send) -> Result<zoo::Option, Error> {
        Ok(zoo::Option {})
    }

    async fn clear(&mut self, _cx: Context<'_>, (): ()) -> Result<(), Error> {
        self.animals = 0;
        Ok(())
    }
}

impl TourService for Zoo {
    /// Calls through a typed client, once awaited and once not.
    async fn visit(&mut self, cx: Context<'_>, request: Animal) -> Result<zoo::Result, Error> {
        let client = zoo::ZooServiceClient::new(cx, Dest::Shell);
        client.feed(&request).await?;
        client.tell_feed(&request).await?;
        Ok(zoo::Result {})
    }

    async fn misbehave(&mut self, cx: Context<'_>, request: Animal) -> Result<zoo::Result, Error> {
        match request.name.as_str() {
            "panic" => panic!("bitten"),
            "pend" => std::future::pending().await,
            "log" => {
                cx.log(LogLevel::Info, "a line");
                Ok(zoo::Result {})
            }
            name => Err(Error::new(ErrorKind::PermissionDenied, name)),
        }
    }
}

impl BareService for Zoo {
    async fn take(&mut self, _cx: Context<'_>, request: Note) -> Result<Note, Error> {
        Ok(request)
    }
}

services!(Zoo: ZooService, TourService, BareService);
playhouse_guest::export!(Zoo);

/// Handles several messages at the same time.
#[derive(Debug, Default)]
pub struct Keeper {
    watched: AtomicU32,
}

impl SharedActor for Keeper {}

impl KeeperService for Keeper {
    async fn watch(&self, _cx: Context<'_>, _request: Animal) -> Result<Count, Error> {
        Ok(Count { animals: self.watched.fetch_add(1, Ordering::Relaxed) + 1 })
    }
}

services!(shared Keeper: KeeperService);
