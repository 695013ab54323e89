use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use playhouse_node::{LogReader, Node, ShellMessage};
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Voice;
use super::records::{actor_info, log_record, millis};
use super::roster::DAMAGED;
use crate::control::protocol::{ActorInfo, Hello, LogRecord, Payload};
use crate::error::Result;
use crate::output::{BAD, FAINT, GOOD, Output, Report, STRONG, clean};
use crate::time::clock_time;

/// What a running node tells its terminal, a line each.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Happening {
    /// Every actor has started, but for those whose records are damaged.
    Ready { node: Hello, socket: String, store: String, actors: Vec<ActorInfo> },
    /// An actor logged.
    Log(LogRecord),
    /// An actor sent something to its shell, which is this program.
    Shell { time_ms: u64, actor: String, route: String, payload: Payload },
    /// The node ends.
    Stopping,
    /// The node has ended.
    Stopped,
}

impl Happening {
    /// Every actor has started, but for those whose records are damaged.
    pub(super) fn ready(node: &Node, damaged: Vec<ActorInfo>, hello: Hello, places: Places) -> Self {
        let Places { socket, store } = places;
        Self::Ready {
            node: hello,
            socket,
            store,
            actors: node.actors().iter().map(actor_info).chain(damaged).collect(),
        }
    }
}

/// Where a node can be reached, and where it keeps what.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) socket: String,
    pub(super) store: String,
}

impl Report for Happening {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Ready { node, actors, store, .. } => {
                for actor in actors {
                    let id = actor.id.as_ref().unwrap_or(&actor.actor_type);
                    let style = if actor.state == DAMAGED { BAD } else { GOOD };
                    writeln!(w, "{style}{:<8}{style:#} {id} {FAINT}({}){FAINT:#}", actor.state, actor.engine)?;
                }
                match store.as_str() {
                    "none" => writeln!(w, "{FAINT}keeps nothing (--store none){FAINT:#}")?,
                    "memory" => writeln!(w, "{FAINT}keeps everything in memory until it ends{FAINT:#}")?,
                    place => writeln!(w, "{FAINT}keeps everything in {}{FAINT:#}", clean(place))?,
                }
                writeln!(w, "{STRONG}node {} is ready{STRONG:#}; Ctrl-C stops it", node.node)
            }
            Self::Log(record) => record.text(w),
            Self::Shell { time_ms, actor, route, payload } => {
                let (time, bytes) = (clock_time(*time_ms), &payload.0);
                writeln!(w, "{FAINT}{time}{FAINT:#} SHELL {actor} {} {}", clean(route), bytes.escape_ascii())
            }
            Self::Stopping => writeln!(w, "stopping; Ctrl-C again ends at once"),
            Self::Stopped => writeln!(w, "stopped"),
        }
    }
}

/// Messages to the shell that wait to be printed. More are lost, as a terminal's scroll-back is.
pub(super) const SHELL_QUEUED_MAX: usize = 256;

/// Makes a line of a message to the shell.
pub(super) fn shell_happening(message: &ShellMessage) -> Happening {
    Happening::Shell {
        time_ms: millis(SystemTime::now()),
        actor: message.from.to_string(),
        route: message.route.to_string(),
        payload: Payload(message.payload.clone()),
    }
}

/// Happenings of the node itself that wait to be printed: it has three in its life.
const OWN_QUEUED_MAX: usize = 8;
/// Time for the last lines to reach a terminal or pipe that may not be read.
const PRINT_TIME: Duration = Duration::from_secs(1);

/// Prints on a thread of its own, because a pipe that nobody reads blocks whoever writes to it.
pub(super) struct Printer {
    thread: JoinHandle<()>,
    own: mpsc::Sender<Happening>,
}

impl Printer {
    /// Prints what the node says, and, unless it is to be quiet, what actors log and tell the shell.
    pub(super) fn start(logs: LogReader, shell: mpsc::Receiver<Happening>, voice: Voice) -> Self {
        let Voice { output, quiet } = voice;
        let (own, to_print) = mpsc::channel(OWN_QUEUED_MAX);
        let runtime = Handle::current();
        let actors = (!quiet).then_some((logs, shell));
        let thread = tokio::task::spawn_blocking(move || {
            // A terminal that has gone does not end a node.
            let _ = runtime.block_on(print(output, actors, to_print));
        });
        Self { thread, own }
    }

    /// Prints what happened to the node. Lost if nobody reads what was printed before.
    pub(super) fn say(&self, happening: Happening) {
        let _ = self.own.try_send(happening);
    }

    /// Waits until everything is printed, unless that takes too long.
    pub(super) async fn finish(self) {
        drop(self.own);
        // A pipe that nobody reads loses the last lines.
        let _ = tokio::time::timeout(PRINT_TIME, self.thread).await;
    }
}

type Actors = (LogReader, mpsc::Receiver<Happening>);

/// Prints until the node has nothing more to say. What actors wrote before is printed before.
async fn print(output: Output, mut actors: Option<Actors>, mut own: mpsc::Receiver<Happening>) -> Result<()> {
    loop {
        let happening = tokio::select! {
            happening = own.recv() => {
                print_left(output, &mut actors)?;
                match happening {
                    Some(happening) => happening,
                    None => return Ok(()),
                }
            }
            Some(happening) = next(&mut actors) => happening,
        };
        output.event(&happening)?;
    }
}

async fn next(actors: &mut Option<Actors>) -> Option<Happening> {
    let (logs, shell) = actors.as_mut()?;
    tokio::select! {
        Some(line) = logs.next() => Some(Happening::Log(log_record(&line))),
        Some(happening) = shell.recv() => Some(happening),
        else => None,
    }
}

fn print_left(output: Output, actors: &mut Option<Actors>) -> Result<()> {
    let Some((logs, shell)) = actors else { return Ok(()) };
    while let Some(line) = logs.next_now() {
        output.event(&Happening::Log(log_record(&line)))?;
    }
    while let Ok(happening) = shell.try_recv() {
        output.event(&happening)?;
    }
    Ok(())
}
