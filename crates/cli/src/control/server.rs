use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use playhouse_types::{ActorError, Code, ErrorKind};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::protocol::{Hello, LINE_BYTES_MAX, PROTOCOL, Request, Response};

/// Connections at a time. People and scripts of one user need a few; each may hold one line of memory.
const CONNECTIONS_MAX: usize = 32;
/// How long a connection may take to say hello. The other end is a program on this machine.
const HELLO_TIME: Duration = Duration::from_secs(5);
/// Answers that wait for a slow reader before the one who produces them waits too.
const ANSWERS_QUEUED_MAX: usize = 64;

/// What a node answers. Transport, limits and greetings are not its business.
pub(crate) trait Service: Send + Sync + 'static {
    /// What the node says of itself.
    fn hello(&self) -> Hello;

    /// Answers one request with one [`Response`], or with many and [`Response::End`]. Dropped when the client goes away.
    fn answer(&self, request: Request, answers: mpsc::Sender<Response>) -> impl Future<Output = ()> + Send;
}

/// Serves connections until `stop` is done; those under way are closed.
pub(crate) async fn serve(listener: UnixListener, service: Arc<impl Service>, stop: impl Future<Output = ()>) {
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.len() >= CONNECTIONS_MAX => drop(connections_full(stream).await),
                Ok((stream, _)) => drop(connections.spawn(connection(stream, service.clone()))),
                // Out of file descriptors, most likely; some will be closed.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
}

async fn connections_full(mut stream: UnixStream) -> io::Result<()> {
    let message = format!("the node has {CONNECTIONS_MAX} control connections, as many as it takes");
    let line = encode(&refusal(ErrorKind::Unavailable, Code::Unspecified, message));
    stream.try_write(&line)?;
    stream.shutdown().await
}

async fn connection(stream: UnixStream, service: Arc<impl Service>) {
    // Only the owner can open the socket; this holds even if somebody changed its permissions.
    let us = rustix::process::geteuid().as_raw();
    if !stream.peer_cred().is_ok_and(|peer| peer.uid() == us) {
        return;
    }
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    match tokio::time::timeout(HELLO_TIME, greet(&mut reader, &mut writer, &*service)).await {
        Ok(Ok(true)) => {}
        _ => return,
    }
    while let Ok(Some(line)) = read_line(&mut reader).await {
        let going_on = match line {
            Line::Whole(line) => match serde_json::from_slice(&line) {
                Ok(request) => converse(request, &mut reader, &mut writer, &*service).await,
                Err(error) => write(&mut writer, &malformed(&error)).await,
            },
            Line::TooLong => {
                // What follows in the stream belongs to no line: say so, and hang up.
                let _ = write(&mut writer, &too_long()).await;
                return;
            }
        };
        if going_on.is_err() {
            return;
        }
    }
}

/// Reads the client's hello and answers it. Whether the two understand each other.
async fn greet(
    reader: &mut BufReader<OwnedReadHalf>,
    writer: &mut OwnedWriteHalf,
    service: &impl Service,
) -> io::Result<bool> {
    let Some(Line::Whole(line)) = read_line(reader).await? else { return Ok(false) };
    match serde_json::from_slice(&line) {
        Ok(Request::Hello { protocol: PROTOCOL }) => {
            let hello = serde_json::to_value(service.hello())?;
            write(writer, &Response::Ok(hello)).await?;
            Ok(true)
        }
        Ok(Request::Hello { protocol }) => {
            let message = format!("the node speaks control protocol {PROTOCOL}, not {protocol}");
            write(writer, &refusal(ErrorKind::NotImplemented, Code::Usage, message)).await?;
            Ok(false)
        }
        _ => {
            let message = "the first line must be {\"op\":\"hello\",\"protocol\":1}";
            write(writer, &refusal(ErrorKind::InvalidArgument, Code::Usage, message)).await?;
            Ok(false)
        }
    }
}

/// Answers one request, and gives it up when the client goes away.
async fn converse(
    request: Request,
    reader: &mut BufReader<OwnedReadHalf>,
    writer: &mut OwnedWriteHalf,
    service: &impl Service,
) -> io::Result<()> {
    let (answers, mut queue) = mpsc::channel(ANSWERS_QUEUED_MAX);
    let answering = service.answer(request, answers);
    tokio::pin!(answering);
    let (mut done, mut early) = (false, false);
    loop {
        tokio::select! {
            answer = queue.recv() => match answer {
                Some(answer) => write(writer, &answer).await?,
                None => return Ok(()),
            },
            () = &mut answering, if !done => done = true,
            // Nothing is due from the client now: bytes are its next request, and no bytes are its end.
            seen = reader.fill_buf(), if !early => {
                if seen?.is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                early = true;
            }
        }
    }
}

enum Line {
    Whole(Vec<u8>),
    TooLong,
}

/// The next line; none at the end.
async fn read_line(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let read = reader.take(LINE_BYTES_MAX as u64).read_until(b'\n', &mut line).await?;
    Ok(match line.last() {
        None => None,
        Some(b'\n') => Some(Line::Whole(line)),
        Some(_) if read == LINE_BYTES_MAX => Some(Line::TooLong),
        // A client that ends in the middle of a line asks nothing.
        Some(_) => None,
    })
}

async fn write(writer: &mut OwnedWriteHalf, response: &Response) -> io::Result<()> {
    writer.write_all(&encode(response)).await
}

fn encode(response: &Response) -> Vec<u8> {
    let mut line = serde_json::to_vec(response).unwrap_or_default();
    if line.len() >= LINE_BYTES_MAX {
        line = serde_json::to_vec(&too_long()).unwrap_or_default();
    }
    line.push(b'\n');
    line
}

fn refusal(kind: ErrorKind, code: Code, message: impl Into<String>) -> Response {
    Response::Error(ActorError::coded(kind, code, message).into())
}

fn malformed(error: &serde_json::Error) -> Response {
    refusal(ErrorKind::InvalidArgument, Code::Usage, format!("the node does not know this request: {error}"))
}

fn too_long() -> Response {
    let message = format!("a line of the control protocol may have {LINE_BYTES_MAX} bytes");
    refusal(ErrorKind::InvalidArgument, Code::MessageTooLarge, message)
}

#[cfg(test)]
mod tests;
