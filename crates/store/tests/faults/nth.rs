//! The first, the second, … the n-th operation on the disk fails, until a run gets through: each failure is reported or harmless, and
//! what was acknowledged is there when the store is opened again.

use std::path::{Path, PathBuf};
use std::process::Command;

use playhouse_store::{
    Accepted, BatchLimits, Consumed, Durability, Enqueue, Fate, Lease, Position, Priority, QueueLimits, SqliteOptions,
    SqliteStore, Store, StoreError, Time, commit,
};

use crate::child;
use crate::ground::compile;

/// A twin of the C library's calls that write: the n-th on a file below `FAULT_FOLDER` fails, as `FAULT_KIND` says. It leaves a file
/// `FAULT_FIRED` when it has. What a file has that was not synchronized goes with the process, once a call to synchronize it has failed: `syncs`
/// fails all of them from the n-th on, and `lies` does the same but says that they went well.
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
#include <sys/stat.h>
#include <unistd.h>

static atomic_int count;
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

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
  int all = strcmp(kind, "syncs") == 0 || strcmp(kind, "lies") == 0;
  int of_sync = all || strcmp(kind, "fsync") == 0;
  if (of_sync != is_sync) return 0;
  int nth = atomic_fetch_add(&count, 1) + 1, n = atoi(getenv("FAULT_N"));
  if (all ? nth < n : nth != n) return 0;
  int fired = open(getenv("FAULT_FIRED"), O_CREAT | O_WRONLY, 0600);
  if (fired >= 0) close(fired);
  if (strcmp(kind, "short") == 0) return 1;
  errno = strcmp(kind, "full") == 0 ? ENOSPC : EIO;
  return -1;
}

/* What files had when they were last synchronized. */
static struct shadow { char path[4096]; char *bytes; off_t size; int lost; } shadows[16];

static struct shadow *shadow_of(int fd) {
  char link[64], path[4096];
  struct stat s;
  if (!ours(fd) || fstat(fd, &s) < 0 || !S_ISREG(s.st_mode)) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  for (int i = 0; i < 16; i++) {
    if (!shadows[i].path[0]) strcpy(shadows[i].path, path);
    if (strcmp(shadows[i].path, path) == 0) return &shadows[i];
  }
  abort();
}

static int sync_file(int fd, int (*real)(int)) {
  int failed = fault(fd, 1);
  struct shadow *shadow = shadow_of(fd);
  if (failed) {
    if (shadow) shadow->lost = 1;
    return strcmp(getenv("FAULT_KIND"), "lies") == 0 ? 0 : -1;
  }
  int done = real(fd);
  struct stat s;
  if (done == 0 && shadow && fstat(fd, &s) == 0) {
    shadow->bytes = realloc(shadow->bytes, s.st_size + 1);
    shadow->size = pread(fd, shadow->bytes, s.st_size, 0);
  }
  return done;
}

__attribute__((destructor)) static void lose(void) {
  const char *kind = getenv("FAULT_KIND");
  for (int i = 0; i < 16; i++) {
    if (!shadows[i].lost || strcmp(kind, "fsync") == 0) continue;
    int fd = open(shadows[i].path, O_WRONLY);
    if (fd < 0) continue;
    if (REAL(ftruncate)(fd, 0) < 0 || REAL(pwrite)(fd, shadows[i].bytes, shadows[i].size, 0) < 0) abort();
    close(fd);
  }
}

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
int fsync(int fd) { return sync_file(fd, REAL(fsync)); }
int fdatasync(int fd) { return sync_file(fd, REAL(fdatasync)); }
"#;

const CHILD: &str = "PLAYHOUSE_FAULT_NTH";
const KINDS: [&str; 5] = ["fail", "full", "short", "fsync", "syncs"];
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

/// Runs the script with the n-th operation failing. What is wrong then, or nothing if no operation failed any more.
fn run(ground: &Path, twin: &Path, kind: &str, n: u32) -> Option<Vec<String>> {
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
    let findings = verify(&folder, &String::from_utf8_lossy(&output.stdout));
    std::fs::remove_dir_all(&folder).expect("it was made");
    fired.exists().then_some(findings)
}

fn verify(folder: &Path, said: &str) -> Vec<String> {
    let store = match SqliteStore::open(folder, SqliteOptions::default()) {
        Ok(store) => store,
        Err(error) => return vec![error.to_string()],
    };
    let lease = child::open(&store, 0).expect("it is free");
    let all = BatchLimits { items: usize::MAX, bytes: usize::MAX };
    let queued = store.queued(lease.actor, Position::start(Priority::Normal), all).wait().expect("it can be read");
    let queued: Vec<u64> = queued.iter().map(|queued| child::number_of(&queued.message)).collect();
    let handled = |number: u64| store.state(lease.actor, &number.to_be_bytes()).wait().expect("read").is_some();
    let acknowledged = |what: char| -> Vec<u64> {
        let lines = said.lines().filter_map(|line| line.strip_prefix(what)?.strip_prefix(' '));
        lines.map(|number| number.parse().expect("a number")).collect()
    };
    let mut findings = Vec::new();
    let mut find = |what: &str, numbers: Vec<u64>| {
        findings.extend(numbers.into_iter().map(|number| format!("message {number} {what}")));
    };
    let lost = |number: &u64| !queued.contains(number) && !handled(*number);
    find("is lost", acknowledged('q').into_iter().filter(lost).collect());
    find("did what is lost", acknowledged('h').into_iter().filter(|number| !handled(*number)).collect());
    find("is half handled", (1..=MESSAGES).filter(|number| handled(*number) && queued.contains(number)).collect());
    let report = store.check().wait().expect("it can be read");
    findings.extend(report.damage.iter().map(ToString::to_string));
    findings
}

#[test]
fn every_operation_on_the_disk_fails_once() {
    let ground = tempfile::tempdir().expect("a folder");
    let ground: PathBuf = ground.path().canonicalize().expect("it is there");
    let twin = compile(&ground, "twin.so", TWIN, &["-shared", "-fPIC", "-ldl"]);
    // All of them where the rounds are given, otherwise every seventh, beginning elsewhere for each kind.
    let step = if std::env::var_os("PLAYHOUSE_FAULT_ROUNDS").is_some() { 1 } else { 7 };
    for (kind, first) in KINDS.into_iter().zip(1..) {
        let step = if kind.contains("sync") { 1 } else { step };
        let mut failures = 0;
        let mut n = first.min(step);
        while let Some(findings) = run(&ground, &twin, kind, n) {
            assert_eq!(findings, Vec::<String>::new(), "{kind} {n}");
            failures += 1;
            n += step;
        }
        println!("{kind}: {failures} failures of {n} operations");
        assert!(failures > 5, "{kind}: {failures}");
    }
}

/// The harness can fail: a store that takes no notice of an error acknowledges what is gone, as it does on a disk that lies.
#[test]
fn what_is_not_on_the_disk_is_missed() {
    let ground = tempfile::tempdir().expect("a folder");
    let ground: PathBuf = ground.path().canonicalize().expect("it is there");
    let twin = compile(&ground, "twin.so", TWIN, &["-shared", "-fPIC", "-ldl"]);
    let missed = (1..).map_while(|n| run(&ground, &twin, "lies", n)).filter(|findings| !findings.is_empty());
    assert!(missed.count() > 3);
}
