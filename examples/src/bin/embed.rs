//! A node in an application, with one linked actor. `cargo run -p playhouse-examples --bin embed`

use std::time::Duration;

use playhouse_examples::Counter;
use playhouse_examples::counter::{AddRequest, CounterServiceClient};
use playhouse_guest::Dest;
use playhouse_node::{ActorOptions, Node};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let node = Node::builder().realm(7).start()?;
    let actor = node.link("acme:Counter:1.0.0".parse()?, Counter::default, ActorOptions::default()).await?;

    let counter = CounterServiceClient::new(actor.clone(), Dest::Local);
    counter.add(&AddRequest { amount: 2 }).await?;
    let reply = counter.add(&AddRequest { amount: 40 }).await?;
    println!("{} says {}", actor.id(), reply.total);

    // Errors are typed, wherever the actor runs.
    if let Err(error) = counter.add(&AddRequest { amount: u64::MAX }).await {
        println!("{:?}: {error}", error.kind());
    }

    node.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
