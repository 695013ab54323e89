use playhouse_types::{Code, ErrorKind};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{CliError, Result};

/// The signals that ask a node to end: Ctrl-C, SIGTERM, and a terminal that was closed.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// From now on these signals come here and do not end the process.
    pub(super) fn new() -> Result<Self> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                CliError::new(Code::Unspecified, ErrorKind::Internal, format!("cannot listen for signals: {error}"))
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Awaits the next one. Cancelling loses nothing.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}
