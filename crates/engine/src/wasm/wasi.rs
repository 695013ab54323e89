use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use parking_lot::Mutex;
use playhouse_types::LogLevel;
use tokio::io::AsyncWrite;
use wasmtime::component::Linker;
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use super::guest::Guest;
use super::log::{Lines, Log};

/// Bytes that a guest may write to an output stream at once.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// Random bytes that a guest may ask for at once. They are made while its thread waits, some milliseconds for so many.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// Offers WASI 0.2 to guests: clocks, randomness, and streams that lead to the actor's log. Files, sockets, names,
/// arguments and the environment are there to be asked for and always empty or denied.
pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)
}

/// What one guest finds around it.
pub(super) struct Surroundings {
    pub(super) ctx: WasiCtx,
    stdout: Output,
    stderr: Output,
}

impl Surroundings {
    pub(super) fn new(log: &Arc<Log>) -> Self {
        let stdout = Output::new(log, LogLevel::Info);
        let stderr = Output::new(log, LogLevel::Warn);
        let ctx = WasiCtx::builder()
            .stdout(stdout.clone())
            .stderr(stderr.clone())
            .max_random_size(RANDOM_BYTES_MAX)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        Self { ctx, stdout, stderr }
    }

    /// Logs what stands in lines that have not ended.
    pub(super) fn flush(&self) {
        self.stdout.flush_line();
        self.stderr.flush_line();
    }
}

/// Standard output or error: lines go to the log.
#[derive(Clone)]
struct Output {
    log: Arc<Log>,
    level: LogLevel,
    lines: Arc<Mutex<Lines>>,
}

impl Output {
    fn new(log: &Arc<Log>, level: LogLevel) -> Self {
        Self { log: Arc::clone(log), level, lines: Arc::default() }
    }

    fn take(&self, bytes: &[u8]) {
        self.lines.lock().push(bytes, &self.log, self.level);
    }

    fn flush_line(&self) {
        self.lines.lock().flush(&self.log, self.level);
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}
