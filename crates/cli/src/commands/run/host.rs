use std::sync::Arc;

use bytes::Bytes;
use playhouse_node::{Node, NodeError};
use playhouse_store::{Store, StoreError};
use playhouse_types::{ActorError, ActorId, ActorType, Code, ErrorKind};
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot, watch};

use super::plan::{Plan, PlannedActor};
use super::printer::{Happening, Places, Printer, SHELL_QUEUED_MAX, shell_happening};
use super::roster::Roster;
use super::service::NodeService;
use super::signals::Signals;
use super::{Kept, STOP_TIME, Voice};
use crate::control::protocol::{Hello, PROTOCOL};
use crate::control::server::serve;
use crate::control::socket::Bound;
use crate::error::{CliError, Exit, Result};
use crate::store::edit::failed_for;

/// Starts everything, serves until asked to stop, and stops everything. The control socket answers from the first moment on.
pub(super) async fn run(plan: Plan, mut bound: Bound, kept: Kept, voice: Voice) -> Result<Exit> {
    let mut signals = Signals::new()?;
    let (to_shell, shell) = mpsc::channel(SHELL_QUEUED_MAX);
    let place = kept.location.to_string();
    let store = kept.store.clone();
    let node = start(&plan, kept, to_shell)?;
    let printer = Printer::start(node.logs(), shell, voice);
    let listener = listen(&mut bound)?;
    let (stop, stop_asked) = watch::channel(false);
    let roster = Arc::new(Roster::new(plan.actors.iter().map(|actor| &actor.package)));
    let service = NodeService {
        node: node.clone(),
        hello: hello(&plan, &bound),
        roster: Arc::clone(&roster),
        store: store.clone(),
        stop,
    };
    let (hello, places) = (service.hello.clone(), Places { socket: bound.path().display().to_string(), store: place });
    let (end_serving, serving_ends) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, Arc::new(service), async { drop(serving_ends.await) }));
    let mut asked = Asked { signals: &mut signals, stop: stop_asked };
    let started = tokio::select! {
        started = attach_all(&node, &plan, &roster, voice) => started.map(|()| true),
        asked = asked.next() => if asked == Ask::Signal { Err(CliError::Interrupted) } else { Ok(false) },
    };
    if matches!(started, Ok(true)) {
        printer.say(Happening::ready(&node, roster.damaged(), hello, places));
        asked.next().await;
    }
    if started.is_ok() {
        printer.say(Happening::Stopping);
    }
    let exit = end(&node, &mut signals).await;
    close(store).await;
    // The name is free before those who asked for the end hear of it.
    drop(bound);
    drop(end_serving);
    let _ = serving.await;
    if started.is_ok() {
        printer.say(Happening::Stopped);
    }
    printer.finish().await;
    // Whoever waits for the end hears that not all of it ran.
    let exit = if exit == Exit::Ok && !roster.damaged().is_empty() { Exit::Failed } else { exit };
    started.map(|_| exit)
}

/// Who asked the node to end.
#[derive(Debug, PartialEq, Eq)]
enum Ask {
    Signal,
    Client,
}

/// The two ways in which a node is asked to end.
struct Asked<'a> {
    signals: &'a mut Signals,
    stop: watch::Receiver<bool>,
}

impl Asked<'_> {
    async fn next(&mut self) -> Ask {
        tokio::select! {
            () = self.signals.next() => Ask::Signal,
            _ = self.stop.wait_for(|asked| *asked) => Ask::Client,
        }
    }
}

fn start(plan: &Plan, kept: Kept, to_shell: mpsc::Sender<Happening>) -> Result<Node> {
    let mut builder = Node::builder().realm(plan.realm).policy(plan.policy.clone()).cache_dir(&plan.cache);
    builder = builder.settings(plan.keep.settings.clone());
    if let Some(store) = kept.store {
        builder = builder.store(store);
    }
    if let Some(owner) = kept.owner {
        builder = builder.owner(owner);
    }
    if let Some(masters) = kept.masters {
        builder = builder.master_key(masters);
    }
    let node = builder.shell(move |message| {
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

/// Starts the actors one after the other, without those that somebody stops meanwhile. Those whose records are damaged stand still, unless there
/// is nobody else.
async fn attach_all(node: &Node, plan: &Plan, roster: &Roster, voice: Voice) -> Result<()> {
    let mut damaged = Vec::new();
    for (place, actor) in plan.actors.iter().enumerate() {
        let attached = tokio::select! {
            // Looks first whether it is wanted at all.
            biased;
            () = roster.dismissed(place) => None,
            attached = attach(node, actor) => Some(attached),
        };
        match attached {
            Some(Ok(id)) => roster.arrived(place, id),
            Some(Err(AttachError::Stopped)) => drop(roster.dismiss(place)),
            Some(Err(AttachError::Damaged(error))) => {
                roster.stands_still(place, error.message());
                damaged.push(error);
            }
            Some(Err(AttachError::Failed(error))) => return Err(error),
            None => stop_strays(node, actor.actor_type(), roster).await,
        }
    }
    if roster.started().is_empty() {
        return damaged.into_iter().next().map_or(Ok(()), Err);
    }
    for error in damaged {
        let (cause, code) = (error.message(), Code::StoreCorrupt);
        voice.output.warn(format_args!(
            "an actor stands still, the others run: {cause} [{code}]; `playhouse fsck` lists all damage"
        ));
    }
    Ok(())
}

/// Stops an actor that had come to the node just when it was dismissed.
async fn stop_strays(node: &Node, actor_type: &ActorType, roster: &Roster) {
    let started = roster.started();
    for actor in node.actors() {
        if actor.id.actor_type() == actor_type && !started.contains(&actor.id) {
            // It may have ended meanwhile, which is as good.
            let _ = node.stop(&actor.id, STOP_TIME).await;
        }
    }
}

/// Why an actor is not there.
enum AttachError {
    /// Somebody stopped it while it started.
    Stopped,
    /// Something of what it keeps is not what was written.
    Damaged(CliError),
    Failed(CliError),
}

async fn attach(node: &Node, actor: &PlannedActor) -> Result<ActorId, AttachError> {
    let attached = node.attach_verified(actor.package.clone(), actor.options.clone()).await;
    attached.map(|actor| actor.id().clone()).map_err(|error| match error.code() {
        Code::ActorStopped => AttachError::Stopped,
        Code::NativeNotAllowed => AttachError::Failed(node_error(&error).fix(format!(
            "If you trust {} as much as the node itself, add `--danger-native-in-process`.",
            actor.actor_type()
        ))),
        Code::StoreCorrupt => AttachError::Damaged(node_error(&error)),
        _ => AttachError::Failed(node_error(&error).prefixed(&format!("{}: ", actor.path.display()))),
    })
}

/// A node's error as the user sees it.
pub(crate) fn node_error(error: &NodeError) -> CliError {
    if let NodeError::Open { actor_type, source } = error
        && matches!(source, StoreError::OwnedElsewhere { .. })
    {
        return failed_for(actor_type, source.clone());
    }
    let kind = match error {
        NodeError::Start { source, .. } => source.kind(),
        NodeError::Refused(_) => ErrorKind::PermissionDenied,
        NodeError::InstanceTaken { .. } => ErrorKind::InvalidArgument,
        NodeError::Keys(_) => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    };
    let text = match error {
        // Kind and code of the cause are those of the whole.
        NodeError::Start { actor_type, source } => format!("{actor_type} did not start: {}", source.message()),
        _ => chain(error),
    };
    let failed = CliError::new(error.code(), kind, text);
    match error {
        NodeError::InstanceTaken { .. } => {
            failed.fix("Name each package once, or give each `[[actor]]` of it an `instance` of its own.")
        }
        _ => failed,
    }
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

/// Lets the store finish: what was acknowledged is there already.
async fn close(store: Option<Arc<dyn Store>>) {
    let Some(store) = store else { return };
    // It has nothing to say that its users have not heard.
    let _ = tokio::time::timeout(STOP_TIME, store.close()).await;
}

/// Lets actors finish, unless another signal says that there is no time.
async fn end(node: &Node, signals: &mut Signals) -> Exit {
    tokio::select! {
        () = node.shutdown(STOP_TIME) => Exit::Ok,
        () = signals.next() => Exit::Interrupted,
    }
}
