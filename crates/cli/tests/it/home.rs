//! A user with directories of their own, and the program that they run.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A home directory that goes when the test ends.
pub(crate) struct Home {
    dir: TempDir,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The one JSON document on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks the exit code, and shows everything if it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// Code of the error in the JSON document.
    #[track_caller]
    pub(crate) fn error(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_else(|| panic!("no error: {self:?}")).to_owned()
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        // Not the temporary directory of the environment: its path may be too long for a socket.
        Self { dir: tempfile::Builder::new().prefix("ph").tempdir_in("/tmp").unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file and returns its path as text.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name).display().to_string()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_playhouse"));
        command.args(args).current_dir(self.dir.path()).env_clear();
        command.env("HOME", self.dir.path()).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        // Compiled code is the same for every test; each would compile for seconds otherwise.
        command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        command
    }

    /// A line for a shell without its own configuration.
    pub(crate) fn shell(&self, shell: &str, line: &str) -> Command {
        let mut command = Command::new(shell);
        let plain: &[&str] = if shell == "zsh" { &["-f", "-c"] } else { &["-c"] };
        command.args(plain).arg(line).current_dir(self.dir.path()).env_clear();
        command.env("HOME", self.dir.path()).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        finish(&mut self.command(args))
    }

    /// Starts `playhouse run --json` and waits until the node is ready.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        let mut running = Running::start(&mut self.command(&[&["run", "--json"], args].concat()));
        let ready = running.event("ready");
        assert_eq!(ready["event"], "ready", "{ready}");
        running
    }

    /// Trusts the key of the test packages.
    pub(crate) fn trust_fixtures(&self) {
        self.run(&["trust", "add", "playhouse-demo", &guests("fixture-key.json")]).exits(0);
    }
}

pub(crate) fn finish(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Asks until the answer is the wanted one.
#[track_caller]
pub(crate) fn await_that(what: &str, mut is: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !is() {
        assert!(start.elapsed() < std::time::Duration::from_secs(30), "{what}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// A file of the guests.
pub(crate) fn guests(name: &str) -> String {
    format!("{}/../../guests/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A committed package.
pub(crate) fn package(name: &str) -> String {
    guests(&format!("packages/{name}.actr"))
}

/// A node in the background.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts a command that runs a node.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// What it has written to standard error, once it has ended.
    pub(crate) fn errors(&mut self) -> String {
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.child.stderr.take().unwrap(), &mut said).unwrap();
        said
    }

    /// The next line with that event, or whatever the program said when it ended.
    pub(crate) fn event(&mut self, event: &str) -> Value {
        let mut rest = String::new();
        for line in self.lines.by_ref() {
            let line = line.unwrap();
            match serde_json::from_str::<Value>(&line) {
                Ok(value) if value["event"] == event => return value,
                _ => rest.extend([&line, "\n"]),
            }
        }
        Value::String(rest)
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Ends it with no good-bye.
    pub(crate) fn kill(mut self) {
        self.signal(rustix::process::Signal::KILL);
        self.wait();
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
