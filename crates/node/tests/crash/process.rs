//! Processes of this test that run a node, say what was acknowledged on their standard output, and are killed.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use playhouse_node::store::{OpenError, SqliteOptions, SqliteStore};
use rustix::process::Signal;
use tokio::runtime::Runtime;

#[cfg(all(feature = "wasm", feature = "native"))]
use crate::packages;
use crate::{load, outbox, poison};

const ROLE: &str = "PLAYHOUSE_CRASH_ROLE";
const FOLDER: &str = "PLAYHOUSE_CRASH_FOLDER";
const WORD: &str = "PLAYHOUSE_CRASH_WORD";

/// How often: as the environment says, `all` that a figure needs, or as few as show that the harness works.
pub(crate) fn rounds(few: u64, all: u64) -> u64 {
    std::env::var("PLAYHOUSE_FAULT_ROUNDS").map_or(few, |text| if text == "all" { all } else { text.parse().unwrap() })
}

/// What a node runs on.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A process, which ends with this value.
pub(crate) struct Process {
    child: Child,
    said: Option<Lines<BufReader<ChildStdout>>>,
}

impl Process {
    /// Starts a process that does what `role` says with the store in a folder.
    pub(crate) fn start(role: &str, folder: &Path, word: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::child", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env(FOLDER, folder)
            .env(WORD, word)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said: Some(said) }
    }

    /// What it says, line by line until its end. To be read meanwhile: a process that nobody listens to stands still.
    pub(crate) fn lines(&mut self) -> impl Iterator<Item = String> + Send + 'static {
        self.said.take().unwrap().map_while(Result::ok)
    }

    /// Waits until it has said all that, in any order.
    pub(crate) fn says(&mut self, wanted: &[&str]) {
        let mut left = wanted.to_vec();
        let said = self.said.as_mut().unwrap().map_while(Result::ok);
        for line in said {
            left.retain(|wanted| *wanted != line);
            if left.is_empty() {
                return;
            }
        }
        panic!("the process ended before it said {left:?}");
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// It has aborted itself.
    pub(crate) fn aborted(mut self) {
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()), "{status:?}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already but where a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Opens a store. Where tests share a process, one of them may be starting another program at this moment, which holds what this one has
/// closed until it is that program.
pub(crate) fn open_store(folder: &Path) -> SqliteStore {
    let end = Instant::now() + Duration::from_secs(5);
    loop {
        match SqliteStore::open(folder, SqliteOptions::default()) {
            Err(OpenError::Locked { .. }) if Instant::now() < end => std::thread::sleep(Duration::from_millis(1)),
            opened => return opened.unwrap(),
        }
    }
}

/// Says something in one write, so that lines are whole or not there.
pub(crate) fn say(line: &str) {
    std::io::stdout().lock().write_all(format!("\n{line}\n").as_bytes()).unwrap();
}

/// Not a test of itself: what [`Process::start`] runs.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let word = std::env::var(WORD).unwrap();
    runtime().block_on(async {
        match role.as_str() {
            "load" => load::run(&folder, &word).await,
            "outbox" => outbox::run(&folder, &word).await,
            #[cfg(all(feature = "wasm", feature = "native"))]
            "packages" => packages::run(&folder, &word).await,
            "poison" => poison::run(&folder, &word).await,
            other => panic!("no role {other}"),
        }
    });
}
