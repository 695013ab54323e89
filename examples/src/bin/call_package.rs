//! A signed package in an application: what is trusted, what is refused, how it is called.
//! `cargo run -p playhouse-examples --bin call_package`

use std::time::Duration;

use bytes::Bytes;
use playhouse_examples::counter::{AddRequest, CounterServiceClient};
use playhouse_guest::Dest;
use playhouse_node::{ActorOptions, Node, TrustPolicy};

const PACKAGE: &[u8] = include_bytes!("../../../guests/packages/counter-wasm.actr");
const TRUST: &str = include_str!("../../../guests/trust.toml");

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Nothing is trusted unless the policy says so.
    let suspicious = Node::builder().start()?;
    if let Err(refused) = suspicious.attach(Bytes::from_static(PACKAGE), ActorOptions::default()).await {
        println!("without a policy: {refused} [{}]", refused.code());
    }

    let node = Node::builder()
        .trust(TrustPolicy::parse(TRUST, |file| Err(format!("{file} is not expected here")))?)
        .start()?;
    let actor = node.attach(Bytes::from_static(PACKAGE), ActorOptions::default()).await?;
    let counter = CounterServiceClient::new(actor.clone(), Dest::Local);
    let reply = counter.add(&AddRequest { amount: 42 }).await?;
    println!("{} on the {} engine says {}", actor.id(), actor.status().engine, reply.total);

    node.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
