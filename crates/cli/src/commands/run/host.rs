use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use playhouse_node::{Node, NodeError};
use playhouse_types::{ActorError, ActorId, Code, ErrorKind};
use tokio::net::UnixListener;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::STOP_TIME;
use super::plan::{Plan, PlannedActor};
use super::printer::{Happening, SHELL_QUEUED_MAX, print, shell_happening};
use super::service::{NodeService, actor_info};
use super::signals::Signals;
use crate::control::protocol::{Hello, PROTOCOL};
use crate::control::server::serve;
use crate::control::socket::Bound;
use crate::error::{CliError, Exit, Result};
use crate::output::Output;
use crate::protos::ProtoFile;

/// Time for the last lines to reach a terminal or pipe that may not be read.
const PRINT_TIME: Duration = Duration::from_secs(1);

/// Starts everything, serves until asked to stop, and stops everything.
pub(super) async fn run(plan: Plan, mut bound: Bound, output: Output, quiet: bool) -> Result<Exit> {
    let mut signals = Signals::new()?;
    let (to_shell, shell) = mpsc::channel(SHELL_QUEUED_MAX);
    let node = start(&plan, to_shell)?;
    let printer = Printer::start(&node, shell, output, quiet);
    let attached = tokio::select! {
        attached = attach_all(&node, &plan) => attached,
        () = signals.next() => Err(CliError::Interrupted),
    };
    let protos = match attached {
        Ok(protos) => protos,
        Err(error) => {
            end(&node, &mut signals).await;
            printer.finish().await;
            return Err(error);
        }
    };
    let listener = listen(&mut bound)?;
    let (stop, stop_asked) = watch::channel(false);
    let service = Arc::new(NodeService { node: node.clone(), hello: hello(&plan, &bound), protos, stop });
    let ready = ready(&node, &service.hello, &bound);
    let (end_serving, serving_ends) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, service, async { drop(serving_ends.await) }));
    // A terminal that has gone does not end a node.
    let _ = output.event(&ready);
    wait_for_stop(&mut signals, stop_asked).await;
    let _ = output.event(&Happening::Stopping);
    let exit = end(&node, &mut signals).await;
    // The name is free before those who asked for the end hear of it.
    drop(bound);
    drop(end_serving);
    let _ = serving.await;
    printer.finish().await;
    let _ = output.event(&Happening::Stopped);
    Ok(exit)
}

fn start(plan: &Plan, to_shell: mpsc::Sender<Happening>) -> Result<Node> {
    let node =
        Node::builder().realm(plan.realm).policy(plan.policy.clone()).cache_dir(&plan.cache).shell(move |message| {
            // A shell that cannot keep up loses lines rather than hold up actors.
            let _ = to_shell.try_send(shell_happening(&message));
            let answer = if message.awaited {
                let text = "the shell of `playhouse run` prints what it is told and answers nothing";
                Err(ActorError::new(ErrorKind::NotImplemented, text))
            } else {
                Ok(Bytes::new())
            };
            std::future::ready(answer)
        });
    node.start().map_err(|error| node_error(&error))
}

async fn attach_all(node: &Node, plan: &Plan) -> Result<HashMap<ActorId, Vec<ProtoFile>>> {
    let mut protos = HashMap::new();
    for actor in &plan.actors {
        let id = attach(node, actor).await?;
        let files =
            actor.package.protos().map(|(name, text)| ProtoFile { name: name.to_owned(), text: text.to_owned() });
        protos.insert(id, files.collect());
    }
    Ok(protos)
}

async fn attach(node: &Node, actor: &PlannedActor) -> Result<ActorId> {
    let attached = node.attach_verified(actor.package.clone(), actor.options.clone()).await;
    match attached {
        Ok(actor) => Ok(actor.id().clone()),
        Err(error) if error.code() == Code::NativeNotAllowed => Err(node_error(&error).fix(format!(
            "If you trust {} as much as the node itself, add `--danger-native-in-process`.",
            actor.actor_type()
        ))),
        Err(error) => Err(node_error(&error).prefixed(&format!("{}: ", actor.path.display()))),
    }
}

/// A node's error as the user sees it.
pub(crate) fn node_error(error: &NodeError) -> CliError {
    let kind = match error {
        NodeError::Start { source, .. } => source.kind(),
        NodeError::Refused(_) => ErrorKind::PermissionDenied,
        _ => ErrorKind::Internal,
    };
    CliError::new(error.code(), kind, chain(error))
}

/// The message with those of its causes that it does not repeat.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

fn listen(bound: &mut Bound) -> Result<UnixListener> {
    let fail = |error: std::io::Error| CliError::io(Code::Config, "cannot listen at the control socket", &error);
    let listener = bound.take_listener().ok_or_else(|| fail(std::io::ErrorKind::NotConnected.into()))?;
    listener.set_nonblocking(true).map_err(fail)?;
    UnixListener::from_std(listener).map_err(fail)
}

fn hello(plan: &Plan, bound: &Bound) -> Hello {
    Hello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: PROTOCOL,
        node: bound.name().to_string(),
        pid: std::process::id(),
        realm: plan.realm,
    }
}

fn ready(node: &Node, hello: &Hello, bound: &Bound) -> Happening {
    Happening::Ready {
        node: hello.clone(),
        socket: bound.path().display().to_string(),
        actors: node.actors().iter().map(actor_info).collect(),
    }
}

async fn wait_for_stop(signals: &mut Signals, mut asked: watch::Receiver<bool>) {
    tokio::select! {
        () = signals.next() => {}
        _ = asked.wait_for(|asked| *asked) => {}
    }
}

/// Lets actors finish, unless another signal says that there is no time.
async fn end(node: &Node, signals: &mut Signals) -> Exit {
    tokio::select! {
        () = node.shutdown(STOP_TIME) => Exit::Ok,
        () = signals.next() => Exit::Interrupted,
    }
}

/// Prints on a thread of its own, because a pipe that nobody reads blocks whoever writes to it.
struct Printer {
    thread: JoinHandle<()>,
    finish: oneshot::Sender<()>,
}

impl Printer {
    fn start(node: &Node, shell: mpsc::Receiver<Happening>, output: Output, quiet: bool) -> Self {
        let (finish, finished) = oneshot::channel();
        let logs = node.logs();
        let runtime = Handle::current();
        let thread = tokio::task::spawn_blocking(move || {
            if !quiet {
                // A terminal that has gone does not end a node.
                let _ = runtime.block_on(print(output, logs, shell, finished));
            }
        });
        Self { thread, finish }
    }

    async fn finish(self) {
        drop(self.finish);
        // A pipe that nobody reads loses the last lines.
        let _ = tokio::time::timeout(PRINT_TIME, self.thread).await;
    }
}
