use std::io::{self, Write};
use std::time::SystemTime;

use playhouse_node::{LogReader, ShellMessage};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::service::{log_record, millis};
use crate::control::protocol::{ActorInfo, Hello, LogRecord, Payload};
use crate::error::Result;
use crate::output::{FAINT, GOOD, Output, Report, STRONG, clean};
use crate::time::clock_time;

/// What a running node tells its terminal, a line each.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Happening {
    /// Every actor has started, and the control socket answers.
    Ready { node: Hello, socket: String, actors: Vec<ActorInfo> },
    /// An actor logged.
    Log(LogRecord),
    /// An actor sent something to its shell, which is this program.
    Shell { time_ms: u64, actor: String, route: String, payload: Payload },
    /// The node ends.
    Stopping,
    /// The node has ended.
    Stopped,
}

impl Report for Happening {
    fn text(&self, w: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Ready { node, actors, .. } => {
                for actor in actors {
                    writeln!(w, "{GOOD}{:<8}{GOOD:#} {} {FAINT}({}){FAINT:#}", actor.state, actor.id, actor.engine)?;
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

/// Prints what actors log and tell the shell until `finish`, and then what is left.
pub(super) async fn print(
    output: Output,
    mut logs: LogReader,
    mut shell: mpsc::Receiver<Happening>,
    mut finish: oneshot::Receiver<()>,
) -> Result<()> {
    loop {
        tokio::select! {
            Some(line) = logs.next() => output.event(&Happening::Log(log_record(&line)))?,
            Some(happening) = shell.recv() => output.event(&happening)?,
            _ = &mut finish => break,
        }
    }
    while let Some(line) = logs.next_now() {
        output.event(&Happening::Log(log_record(&line)))?;
    }
    while let Ok(happening) = shell.try_recv() {
        output.event(&happening)?;
    }
    Ok(())
}
