use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use playhouse_types::{Code, ErrorKind, Name};
use serde::de::DeserializeOwned;

use super::protocol::{Hello, LINE_BYTES_MAX, PROTOCOL, Request, Response};
use super::socket::Endpoint;
use crate::error::{CliError, Result};
use crate::output::nearest;
use crate::paths::{Paths, check_private};

/// How long a node may take over anything but a call and logs that are followed.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// How long a process that was started in the background may take to be there: `playhouse run … &`, and the next command at once.
const START_TIME: Duration = Duration::from_secs(1);
/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// How long a node may take over its packages and its store before it says hello, on top of the usual time.
const OPEN_TIME: Duration = Duration::from_secs(30);
/// The way out where a node is there and says nothing.
const SILENT: &str = "`playhouse stop --all`, or end its process, and start it again.";

/// A connection to a running node: one question after the other.
#[derive(Debug)]
pub(crate) struct Client {
    reader: BufReader<UnixStream>,
    node: Hello,
}

impl Client {
    /// Connects to the node of that name.
    pub(crate) fn connect(paths: &Paths, name: &Name) -> Result<Self> {
        let endpoint = Endpoint::new(paths, name)?;
        if paths.runtime.exists() {
            check_private(&paths.runtime)?;
        }
        let stream = UnixStream::connect(&endpoint.socket).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => not_running(paths, name),
            _ => CliError::io(Code::NodeNotRunning, format_args!("cannot reach {}", endpoint.socket.display()), &error),
        })?;
        check_peer(&stream)?;
        let node = Hello { version: String::new(), protocol: 0, node: name.to_string(), pid: 0, realm: 0 };
        let mut client = Self { reader: BufReader::new(stream), node };
        // A node that ends does not answer any more, and was as good as gone.
        let ended = |error: CliError| match error.code() {
            Some(Code::NodeNotRunning) if !error.advises(SILENT) => not_running(paths, name),
            _ => error,
        };
        client.node = client.ask_for(&Request::Hello { protocol: PROTOCOL }, OPEN_TIME).map_err(ended)?;
        Ok(client)
    }

    /// Connects to the node of that name, which may have been started by the command before this one.
    pub(crate) fn connect_soon(paths: &Paths, name: &Name) -> Result<Self> {
        let start = Instant::now();
        loop {
            match Self::connect(paths, name) {
                Err(error) if is_absent(&error) && start.elapsed() < START_TIME => std::thread::sleep(LOOK_EVERY),
                connected => return connected,
            }
        }
    }

    /// What the node said of itself.
    pub(crate) fn node(&self) -> &Hello {
        &self.node
    }

    /// Asks, and waits for the one answer.
    pub(crate) fn ask<T: DeserializeOwned>(&mut self, request: &Request) -> Result<T> {
        self.ask_for(request, ANSWER_TIME)
    }

    /// Asks something that may take as long as `patience`, and the usual time on top.
    pub(crate) fn ask_for<T: DeserializeOwned>(&mut self, request: &Request, patience: Duration) -> Result<T> {
        let limit = patience.saturating_add(ANSWER_TIME);
        self.reader.get_ref().set_read_timeout(Some(limit)).map_err(|error| lost(&error))?;
        self.send(request)?;
        match self.receive()? {
            Some(Response::Ok(value)) => serde_json::from_value(value).map_err(|error| garbled(&error)),
            Some(Response::Error(error)) => Err(error.into()),
            Some(Response::End) | None => Err(gone()),
        }
    }

    /// Asks something with many answers, and hands each to `take` until the node says that there are no more, or is gone.
    pub(crate) fn ask_many<T: DeserializeOwned>(
        &mut self,
        request: &Request,
        mut take: impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        self.reader.get_ref().set_read_timeout(None).map_err(|error| lost(&error))?;
        self.send(request)?;
        loop {
            match self.receive()? {
                Some(Response::Ok(value)) => take(serde_json::from_value(value).map_err(|error| garbled(&error))?)?,
                Some(Response::Error(error)) => return Err(error.into()),
                Some(Response::End) | None => return Ok(()),
            }
        }
    }

    /// Asks the node to end, and waits until it has closed the connection, which it does when it ends: maybe before it answers.
    pub(crate) fn ask_to_end(mut self, patience: Duration) -> Result<()> {
        self.reader.get_ref().set_read_timeout(Some(patience)).map_err(|error| lost(&error))?;
        self.send(&Request::StopNode)?;
        let mut line = Vec::new();
        loop {
            line.clear();
            match (&mut self.reader).take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut line) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(()),
                Err(error) => return Err(lost(&error)),
            }
            if let Ok(Response::Error(error)) = serde_json::from_slice(&line) {
                return Err(error.into());
            }
        }
    }

    fn send(&mut self, request: &Request) -> Result<()> {
        let mut line = serde_json::to_vec(request).map_err(|error| garbled(&error))?;
        line.push(b'\n');
        self.reader.get_mut().write_all(&line).map_err(|error| lost(&error))
    }

    fn receive(&mut self) -> Result<Option<Response>> {
        let mut line = Vec::new();
        let read = (&mut self.reader).take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut line);
        if read.map_err(|error| lost(&error))? == 0 {
            return Ok(None);
        }
        serde_json::from_slice(&line).map(Some).map_err(|error| garbled(&error))
    }
}

/// Whoever listens must be this user: requests carry what only the node may see.
fn check_peer(stream: &UnixStream) -> Result<()> {
    let peer = rustix::net::sockopt::socket_peercred(stream).map_err(|error| lost(&error.into()))?;
    let us = rustix::process::geteuid();
    if peer.uid == us {
        return Ok(());
    }
    let message = format!("the control socket is held by user {}, not by user {}", peer.uid.as_raw(), us.as_raw());
    Err(CliError::new(Code::Config, ErrorKind::PermissionDenied, message)
        .fix("Run the command as the user who runs the node."))
}

/// Whether no node is there.
pub(crate) fn is_absent(error: &CliError) -> bool {
    error.document().is_some_and(|document| {
        document.error.code == Code::NodeNotRunning.text() && document.error.kind == ErrorKind::NotFound.name()
    })
}

fn not_running(paths: &Paths, name: &Name) -> CliError {
    let error = CliError::new(Code::NodeNotRunning, ErrorKind::NotFound, format!("no node named {name} is running"));
    let names: Vec<String> = sockets(paths).into_iter().filter(|found| found != name.as_str()).collect();
    match nearest(name.as_str(), names.iter().map(String::as_str)).or(names.first().map(String::as_str)) {
        Some(other) => error.fix(format!("Start one: `playhouse run PACKAGE`; or did you mean `--node {other}`?")),
        None => error,
    }
}

/// The names for which a socket exists; their nodes may be dead.
fn sockets(paths: &Paths) -> Vec<String> {
    let entries = std::fs::read_dir(&paths.runtime).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| UnixStream::connect(entry.path()).is_ok())
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".sock").map(str::to_owned))
        .collect();
    names.sort();
    names
}

fn lost(error: &io::Error) -> CliError {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            CliError::new(Code::NodeNotRunning, ErrorKind::TimedOut, "the node does not answer").fix(SILENT)
        }
        _ => CliError::io(Code::NodeNotRunning, "lost the node", error),
    }
}

fn gone() -> CliError {
    CliError::new(Code::NodeNotRunning, ErrorKind::Unavailable, "the node ended before it answered")
}

fn garbled(error: &serde_json::Error) -> CliError {
    let message = format!("the node's answer cannot be understood: {error}");
    CliError::new(Code::Unspecified, ErrorKind::DecodeFailure, message)
        .fix("Use the same version of `playhouse` for the node and for this command.")
}
