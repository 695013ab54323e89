//! The first, the second, … the n-th operation on the disk fails, until a run gets through: each failure is reported or harmless, and
//! what was acknowledged is there when the store is opened again.

use std::path::{Path, PathBuf};
use std::process::Command;

use playhouse_store::{
    Accepted, BatchLimits, Consumed, Durability, Enqueue, Fate, Lease, Position, Priority, QueueLimits, Report,
    SqliteOptions, SqliteStore, Store, StoreError, Time, commit,
};

use crate::child;
use crate::ground::compile;

/// A twin of the C library's calls that write: the n-th on a file below `FAULT_FOLDER` fails, as `FAULT_KIND` says. It leaves a file
/// `FAULT_FIRED` when it has.
const TWIN: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int count;

static int ours(int fd) {
  const char *folder = getenv("FAULT_FOLDER");
  char link[64], path[4096];
  if (!folder) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strncmp(path, folder, strlen(folder)) == 0;
}

/* 0: go on; -1: fail with errno; 1: write only half. */
static int fault(int fd, int is_sync) {
  if (!ours(fd)) return 0;
  const char *kind = getenv("FAULT_KIND");
  int of_sync = strcmp(kind, "fsync") == 0;
  if (of_sync != is_sync) return 0;
  if (atomic_fetch_add(&count, 1) + 1 != atoi(getenv("FAULT_N"))) return 0;
  int fired = open(getenv("FAULT_FIRED"), O_CREAT | O_WRONLY, 0600);
  if (fired >= 0) close(fired);
  if (strcmp(kind, "short") == 0) return 1;
  errno = strcmp(kind, "full") == 0 ? ENOSPC : EIO;
  return -1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define WRITES(name, parameters, arguments, half)   \
  ssize_t name parameters {                         \
    int f = fault(fd, 0);                           \
    if (f < 0) return -1;                           \
    if (f > 0) return REAL(name) half;              \
    return REAL(name) arguments;                    \
  }
WRITES(write, (int fd, const void *b, size_t n), (fd, b, n), (fd, b, n / 2))
WRITES(pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o), (fd, b, n / 2, o))
WRITES(pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o), (fd, b, n / 2, o))
int ftruncate(int fd, off_t n) { return fault(fd, 0) ? -1 : REAL(ftruncate)(fd, n); }
int ftruncate64(int fd, off64_t n) { return fault(fd, 0) ? -1 : REAL(ftruncate64)(fd, n); }
int fsync(int fd) { return fault(fd, 1) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return fault(fd, 1) ? -1 : REAL(fdatasync)(fd); }
"#;

const CHILD: &str = "PLAYHOUSE_FAULT_NTH";
const KINDS: [&str; 4] = ["fail", "full", "short", "fsync"];
const MESSAGES: u64 = 6;

/// What each step of the script says when it was acknowledged or not.
fn script(folder: &Path) {
    let store = match SqliteStore::open(folder, SqliteOptions::default()) {
        Ok(store) => store,
        Err(error) => return println!("\nopen failed: {error}"),
    };
    let Ok(mut lease) = child::open(&store, 0) else { return println!("\nactor failed") };
    let mut failed = false;
    for number in 1..=MESSAGES {
        let limits = QueueLimits::default();
        let message = child::message(number);
        let enqueue = Enqueue {
            to: lease.actor,
            message,
            now: Time::default(),
            limits,
            durability: Durability::Fsync,
            delivers: None,
        };
        match store.enqueue(enqueue).wait() {
            Ok(Accepted::Queued(position)) => {
                assert!(!failed, "a store that failed takes no more");
                println!("\nq {number}");
                handle(&store, &mut lease, position, number, &mut failed);
            }
            Ok(Accepted::Duplicate) => panic!("each number is new"),
            Err(error) => failed |= is_failure(&error),
        }
    }
    drop(store.close().wait());
}

fn is_failure(error: &StoreError) -> bool {
    match error {
        StoreError::Failed { .. } => true,
        StoreError::DiskFull { .. } | StoreError::Read { .. } | StoreError::PredecessorFailed { .. } => false,
        other => panic!("{other}"),
    }
}

fn handle(store: &dyn Store, lease: &mut Lease, position: Position, number: u64, failed: &mut bool) {
    if number.is_multiple_of(2) {
        return;
    }
    let revision = lease.revision.next();
    let mut handled =
        playhouse_store::Commit::new(lease.actor, lease.epoch, revision, Time::default(), Durability::Fsync);
    handled.consumed.push(Consumed::Message { position, fate: Fate::Done { reply: None } });
    handled.state.push(playhouse_store::StateChange {
        key: number.to_be_bytes().to_vec().into(),
        expect: playhouse_store::Expect::Absent,
        value: Some(vec![7; 5000].into()),
    });
    match commit(store, handled).wait() {
        Ok(_) => {
            assert!(!*failed, "a store that failed takes no more");
            lease.revision = revision;
            println!("\nh {number}");
        }
        Err(error) => *failed |= is_failure(&error),
    }
}

/// Not a test of itself: the process whose disk fails.
#[test]
fn child_with_a_faulty_disk() {
    if let Some(folder) = std::env::var_os(CHILD) {
        script(Path::new(&folder));
    }
}

/// Runs the script with the n-th operation failing. What it said, or nothing if no operation failed any more.
fn run(ground: &Path, twin: &Path, kind: &str, n: u32) -> Option<String> {
    let (folder, fired) = (ground.join(format!("{kind}-{n}")), ground.join(format!("{kind}-{n}.fired")));
    let output = Command::new(std::env::current_exe().expect("it runs"))
        .args(["--exact", "nth::child_with_a_faulty_disk", "--nocapture", "--test-threads=1"])
        .env(CHILD, &folder)
        .env("LD_PRELOAD", twin)
        .env("FAULT_FOLDER", &folder)
        .env("FAULT_KIND", kind)
        .env("FAULT_N", n.to_string())
        .env("FAULT_FIRED", &fired)
        .output()
        .expect("a process");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{kind} {n}: {error}");
    verify(&folder, kind, n, &String::from_utf8_lossy(&output.stdout));
    std::fs::remove_dir_all(&folder).expect("it was made");
    fired.exists().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn verify(folder: &Path, kind: &str, n: u32, said: &str) {
    let store = SqliteStore::open(folder, SqliteOptions::default()).unwrap_or_else(|e| panic!("{kind} {n}: {e}"));
    let lease = child::open(&store, 0).expect("it is free");
    let all = BatchLimits { items: usize::MAX, bytes: usize::MAX };
    let queued = store.queued(lease.actor, Position::start(Priority::Normal), all).wait().expect("it can be read");
    let queued: Vec<u64> = queued.iter().map(|queued| child::number_of(&queued.message)).collect();
    let handled = |number: u64| store.state(lease.actor, &number.to_be_bytes()).wait().expect("read").is_some();
    let acknowledged = |what: char| -> Vec<u64> {
        let lines = said.lines().filter_map(|line| line.strip_prefix(what)?.strip_prefix(' '));
        lines.map(|number| number.parse().expect("a number")).collect()
    };
    for number in acknowledged('q') {
        assert!(queued.contains(&number) || handled(number), "{kind} {n}: message {number} is lost");
    }
    for number in acknowledged('h') {
        assert!(handled(number), "{kind} {n}: what message {number} did is lost");
    }
    for number in 1..=MESSAGES {
        assert!(!(handled(number) && queued.contains(&number)), "{kind} {n}: message {number} is half handled");
    }
    let report = store.check().wait().expect("it can be read");
    assert_eq!(report, Report { records: report.records, ..Report::default() }, "{kind} {n}");
}

#[test]
fn every_operation_on_the_disk_fails_once() {
    let ground = tempfile::tempdir().expect("a folder");
    let ground: PathBuf = ground.path().canonicalize().expect("it is there");
    let twin = compile(&ground, "twin.so", TWIN, &["-shared", "-fPIC", "-ldl"]);
    // All of them where the rounds are given, otherwise every seventh, beginning elsewhere for each kind.
    let step = if std::env::var_os("PLAYHOUSE_FAULT_ROUNDS").is_some() { 1 } else { 7 };
    for (kind, first) in KINDS.into_iter().zip(1..) {
        let step = if kind == "fsync" { 1 } else { step };
        let mut failures = 0;
        let mut n = first.min(step);
        while run(&ground, &twin, kind, n).is_some() {
            failures += 1;
            n += step;
        }
        println!("{kind}: {failures} failures of {n} operations");
        assert!(failures > 5, "{kind}: {failures}");
    }
}
