use std::time::{Duration, Instant};

use bytes::Bytes;
use playhouse_node::types::{ActorId, RouteKey};
use playhouse_node::{ActorOptions, ActorRef, EngineKind, Limits, Node, NodeError, Policy};
use playhouse_package::VerifiedPackage;
use playhouse_types::{ActorType, Code};

use super::cast::{self, Fixture, PACKAGES};
use super::report::PackageRow;
use crate::commands::run::node_error;
use crate::error::Result;
use crate::paths::{Paths, private_dir};

/// The realm of the play.
const REALM: u32 = 7;
/// What a guest of the play may compute in one event; the looping one is cut off after it. Long enough for a busy machine.
pub(super) const CPU_LIMIT: Duration = Duration::from_millis(150);
const STOP_TIME: Duration = Duration::from_secs(2);

/// A node with every actor of the play on it.
pub(super) struct Stage {
    pub(super) node: Node,
    actors: Vec<(ActorRef, EngineKind)>,
    packages: Vec<PackageRow>,
    notes: Vec<String>,
}

impl Stage {
    /// Verifies and starts all packages at the same time, and the linked actors.
    pub(super) async fn open() -> Result<Self> {
        let node = start()?;
        let mut stage = Self { node: node.clone(), actors: Vec::new(), packages: Vec::new(), notes: Vec::new() };
        let attaching: Vec<_> =
            PACKAGES.into_iter().map(|fixture| (fixture, tokio::spawn(attach(node.clone(), fixture)))).collect();
        for (fixture, task) in attaching {
            let (row, attached) = task.await.map_err(|error| super::wrong(error.to_string()))?;
            stage.packages.push(row);
            match attached {
                Ok(actor) => {
                    let engine = actor.status().engine;
                    stage.actors.push((actor, engine));
                }
                Err(error) if error.code() == Code::NativeTarget => {
                    stage.notes.push(format!("{} is for another machine and was left out: {error}", fixture.file));
                }
                Err(error) => return Err(node_error(&error).prefixed(&format!("{}: ", fixture.file))),
            }
        }
        stage.link("EchoLinked", echo::Echo::default).await?;
        stage.link("CallerLinked", caller::Caller::default).await?;
        stage.link("SinkLinked", sink::Sink::default).await?;
        Ok(stage)
    }

    async fn link<A: playhouse_guest::Dispatch>(
        &mut self,
        name: &str,
        factory: impl Fn() -> A + Send + Sync + 'static,
    ) -> Result<()> {
        let linked = self.node.link(cast::actor_type(name)?, factory, ActorOptions::default()).await;
        self.actors.push((linked.map_err(|error| node_error(&error))?, EngineKind::Linked));
        Ok(())
    }

    /// The actors whose name begins so, with their engines; those that could not run here are missing.
    pub(super) fn actors(&self, name: &str) -> Vec<(&ActorRef, EngineKind)> {
        let fits = |actor: &ActorRef| actor.id().actor_type().name().as_str().starts_with(name);
        self.actors.iter().filter(|(actor, _)| fits(actor)).map(|(actor, engine)| (actor, *engine)).collect()
    }

    /// Stops everything, and says what there was.
    pub(super) async fn close(self) -> (Vec<PackageRow>, Vec<String>) {
        self.node.shutdown(STOP_TIME).await;
        (self.packages, self.notes)
    }
}

fn start() -> Result<Node> {
    let cache = Paths::from_env()?.cache.join("compiled");
    private_dir(&cache)?;
    // The native packages are this program's own.
    let policy = Policy { danger_native_in_process: true, ..Policy::default() };
    let node = Node::builder().realm(REALM).trust(cast::trust()?).policy(policy).cache_dir(cache);
    // The application answers what it is asked with the question.
    let node = node.shell(|message| std::future::ready(Ok(message.payload)));
    node.start().map_err(|error| node_error(&error))
}

async fn attach(node: Node, fixture: Fixture) -> (PackageRow, Result<ActorRef, NodeError>) {
    let mut row = PackageRow::new(fixture.file);
    let verified = verify(&node, fixture.bytes(), &mut row).await;
    let attached = match verified {
        Ok(package) => {
            let limits = Limits { cpu: CPU_LIMIT, ..Limits::default() };
            let start = Instant::now();
            let attached = node.attach_verified(package, ActorOptions { limits, ..ActorOptions::default() }).await;
            row.start_ms = start.elapsed().as_secs_f64() * 1e3;
            attached
        }
        Err(error) => Err(error),
    };
    row.running = attached.is_ok();
    (row, attached)
}

async fn verify(node: &Node, bytes: Bytes, row: &mut PackageRow) -> Result<VerifiedPackage, NodeError> {
    let start = Instant::now();
    let package = node.verify(bytes).await?;
    row.verify_ms = start.elapsed().as_secs_f64() * 1e3;
    row.actor_type = package.actor_type().to_string();
    row.kind = package.kind().name();
    row.signed_by = package.signed_by().to_string();
    Ok(package)
}

/// Encodes, calls, decodes.
pub(super) async fn ask<Q, A>(actor: &ActorRef, route: &'static str, request: &Q) -> Result<A>
where
    Q: prost::Message,
    A: prost::Message + Default,
{
    let reply = actor.call(RouteKey::from_static(route), request.encode_to_vec().into()).await?;
    A::decode(reply).map_err(|error| super::wrong(format!("{} replied to {route}: {error}", actor.id())))
}

/// How people tell the actors of the play apart.
pub(super) fn name_of(id: &ActorId) -> String {
    type_name(id.actor_type())
}

fn type_name(actor_type: &ActorType) -> String {
    actor_type.name().to_string()
}
