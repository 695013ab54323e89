//! An actor that does not forget: its state is on the disk before its caller hears, and is there when the program runs again.
//! `cargo run -p playhouse-examples --bin durable [FOLDER]`, several times.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use playhouse_guest::{Actor, Bytes, Context, Dispatch, Error, RouteKey};
use playhouse_node::store::{SqliteOptions, SqliteStore};
use playhouse_node::{ActorOptions, Node};

struct Counter;

impl Actor for Counter {}

impl Dispatch for Counter {
    async fn dispatch(&mut self, cx: Context<'_>, _route: &RouteKey, _payload: Bytes) -> Result<Bytes, Error> {
        let before =
            cx.state().get("count").await?.and_then(|count| String::from_utf8_lossy(&count).parse::<u64>().ok());
        let count = (before.unwrap_or(0) + 1).to_string();
        cx.state().set("count", count.clone()).await?;
        Ok(count.into())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::args().nth(1).map_or_else(|| std::env::temp_dir().join("playhouse-durable"), PathBuf::from);
    let store = SqliteStore::open(&folder, SqliteOptions::default())?;
    let node = Node::builder().store(Arc::new(store)).start()?;
    let actor = node.link("acme:Counter:1.0.0".parse()?, || Counter, ActorOptions::default()).await?;
    let count = actor.call(RouteKey::from_static("acme.Counter.Add"), Bytes::new()).await?;
    println!("{} has counted {} in {}", actor.id(), String::from_utf8_lossy(&count), folder.display());
    node.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
