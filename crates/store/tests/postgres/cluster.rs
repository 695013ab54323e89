//! Servers of our own, to be stopped, killed and copied.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use playhouse_store::{PostgresOptions, PostgresStore};

/// Whether Postgres is here. In CI it has to be.
pub(crate) fn there() -> bool {
    let there = bin().is_some();
    assert!(there || std::env::var_os("CI").is_none(), "Postgres is not installed");
    if !there {
        eprintln!("SKIPPED: Postgres is not installed; `.ci/postgres COMMAND` installs it");
    }
    there
}

fn bin() -> Option<PathBuf> {
    if let Some(given) = std::env::var_os("PLAYHOUSE_POSTGRES_BIN") {
        return Some(given.into());
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    versions.filter_map(|entry| Some(entry.ok()?.path().join("bin"))).filter(|bin| bin.join("initdb").exists()).max()
}

/// A server with its files in a folder that goes with it.
pub(crate) struct Cluster {
    ground: tempfile::TempDir,
    settings: String,
    port: u16,
}

/// The port of servers that listen at a socket in a folder only, where the number is part of a name.
const PORT: u16 = 5432;

impl Cluster {
    /// A new server that runs.
    pub(crate) fn start(settings: &str) -> Self {
        Self::make(Self::empty(settings))
    }

    /// A new server that runs, and listens at a port of this machine's loopback address as well.
    pub(crate) fn start_listening(settings: &str) -> Self {
        // Free a moment ago; nobody else here asks for a certain one.
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let settings = format!("-c listen_addresses=127.0.0.1 -c port={port} {settings}");
        let mut cluster = Self::empty(&settings);
        cluster.port = port;
        Self::make(cluster)
    }

    fn make(cluster: Self) -> Self {
        let data = cluster.data();
        run("initdb", &["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-k", "-N"]);
        cluster.up();
        cluster
    }

    fn empty(settings: &str) -> Self {
        let ground = tempfile::Builder::new().prefix("playhouse-cluster").tempdir_in("/tmp").expect("a folder");
        give(ground.path());
        Self { ground, settings: settings.to_owned(), port: PORT }
    }

    /// A standby of this server, which runs and follows it under that name.
    pub(crate) fn standby(&self, name: &str) -> Self {
        let standby = Self::empty(&self.settings);
        let from = format!("host={} user=postgres application_name={name}", self.place());
        run("pg_basebackup", &["-D", &standby.data(), "-d", &from, "-R", "-X", "stream", "-c", "fast"]);
        standby.up();
        standby
    }

    /// The folder of the server's files.
    pub(crate) fn data(&self) -> String {
        self.place() + "/data"
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Lets those in by TCP whom `rules` says, in the form of `pg_hba.conf`; at the socket everybody.
    pub(crate) fn let_in(&self, rules: &str) {
        let file = self.data() + "/pg_hba.conf";
        std::fs::write(file, format!("local all all trust\n{rules}\n")).expect("it is ours, or we are root");
        self.sql("SELECT pg_reload_conf()");
    }

    pub(crate) fn place(&self) -> String {
        self.ground.path().display().to_string()
    }

    pub(crate) fn server(&self) -> String {
        format!("host={} port={} user=postgres dbname=postgres", self.place(), self.port)
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions::new(&self.server())
    }

    pub(crate) fn open(&self) -> PostgresStore {
        PostgresStore::open(self.options()).expect("the server runs")
    }

    pub(crate) fn up(&self) {
        let place = self.place();
        let options = format!("-c listen_addresses='' -c unix_socket_directories='{place}' {}", self.settings);
        run("pg_ctl", &["-D", &self.data(), "-l", &(place + "/log"), "-w", "-t", "60", "-o", &options, "start"]);
    }

    /// Has it encrypt, with that certificate and key.
    pub(crate) fn encrypt(&self, certificate: &Path, key: &Path) {
        for (from, name) in [(certificate, "server.crt"), (key, "server.key")] {
            let to = PathBuf::from(self.data()).join(name);
            std::fs::copy(from, &to).expect("it is ours, or we are root");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&to, mode).expect("it was made just now");
            give(&to);
        }
        self.sql("ALTER SYSTEM SET ssl = on");
        self.down("fast");
        self.up();
    }

    /// Stops it: `fast` says good-bye, `immediate` is a crash.
    pub(crate) fn down(&self, mode: &str) {
        run("pg_ctl", &["-D", &self.data(), "-w", "-m", mode, "stop"]);
    }

    /// Stops what a standby takes the log of its primary with, as if its machine had vanished: the connection stays.
    pub(crate) fn freeze(&self) -> Frozen {
        let pid = self.sql("SELECT pid FROM pg_stat_wal_receiver");
        signal("-STOP", &pid);
        Frozen(pid)
    }

    pub(crate) fn promote(&self) {
        run("pg_ctl", &["-D", &self.data(), "-w", "promote"]);
    }

    /// What a statement answers, as text.
    pub(crate) fn sql(&self, sql: &str) -> String {
        run("psql", &["-qAt", "-v", "ON_ERROR_STOP=1", &self.server(), "-c", sql])
    }
}

impl Cluster {
    /// Somebody who holds what a statement locks until killed.
    pub(crate) fn hold(&self, sql: &str) -> Holder {
        let script = format!("BEGIN; {sql}; SELECT pg_sleep(600)");
        let child =
            command("psql", &["-qAt", &self.server(), "-c", &script]).stdout(Stdio::null()).spawn().expect("it runs");
        while self.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "0" {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Holder(child)
    }
}

/// A process that stands still until this goes.
pub(crate) struct Frozen(String);

impl Drop for Frozen {
    fn drop(&mut self) {
        signal("-CONT", &self.0);
    }
}

fn signal(name: &str, pid: &str) {
    let sent = Command::new("kill").args([name, pid]).status().expect("it runs");
    assert!(sent.success() || name == "-CONT", "kill {name} {pid:?}");
}

/// A client that holds a lock.
pub(crate) struct Holder(std::process::Child);

impl Holder {
    pub(crate) fn let_go(mut self, cluster: &Cluster) {
        cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
        self.0.wait().expect("it ends");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if Path::new(&self.data()).join("postmaster.pid").exists() {
            drop(command("pg_ctl", &["-D", &self.data(), "-m", "immediate", "stop"]).output());
        }
    }
}

fn root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// Makes a file that of the user as whom the server runs.
fn give(path: &Path) {
    if root() {
        let chowned = Command::new("chown").arg("postgres").arg(path).status().expect("chown runs");
        assert!(chowned.success());
    }
}

/// Postgres refuses root, so it runs as its own user then.
fn command(program: &str, arguments: &[&str]) -> Command {
    let program = bin().expect("it was looked for").join(program);
    let mut command = if root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.args(arguments).current_dir("/").stdin(Stdio::null());
    command
}

fn run(program: &str, arguments: &[&str]) -> String {
    // The server inherits what it is started with, so `pg_ctl` must not be given a pipe that somebody reads to its end.
    let starts = program == "pg_ctl";
    let mut command = command(program, arguments);
    if starts {
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("it runs");
        assert!(status.success(), "{program} {arguments:?}: {status}");
        return String::new();
    }
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}
