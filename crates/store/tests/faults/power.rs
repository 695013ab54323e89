//! The power fails: a file system on a loop device is shut down without writing what it has in memory. And the other way round: with the
//! wait for the disk left out, the same harness has to find the loss.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use playhouse_store::{DangerSync, OpenError, SqliteOptions, SqliteStore};
use rustix::process::{Pid, Signal};

use crate::child;
use crate::ground::{Mount, compile, has_root, rounds, run};
use crate::ledger::Ledger;

/// Shuts a file system down as the power does: `EXT4_IOC_SHUTDOWN` with `NOLOGFLUSH`.
const SHUTDOWN: &str = "
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
int main(int argc, char **argv) {
  uint32_t flags = 2;
  int fd = open(argv[1], O_RDONLY);
  return fd < 0 || ioctl(fd, _IOR('X', 125, uint32_t), &flags) != 0;
}
";

struct Disk {
    image: PathBuf,
    at: PathBuf,
    shutdown: PathBuf,
}

impl Disk {
    fn new(folder: &Path) -> Self {
        let image = folder.join("image");
        let file = std::fs::File::create(&image).expect("there is room");
        file.set_len(256 << 20).expect("there is room");
        run("mkfs.ext4", &["-q", "-F", image.to_str().expect("UTF-8")]);
        Self { image, at: folder.join("disk"), shutdown: compile(folder, "shutdown", SHUTDOWN, &[]) }
    }

    fn mount(&self) -> Mount {
        Mount::new(&self.at, &["-o", "loop", self.image.to_str().expect("UTF-8")])
    }
}

/// What a run of power cuts came to.
struct Outcome {
    ledger: Ledger,
    findings: Vec<String>,
}

fn cut(rounds: u32, sync: DangerSync) -> Outcome {
    let ground = tempfile::tempdir().expect("a folder");
    let disk = Disk::new(ground.path());
    let folder = disk.at.join("store");
    let mut outcome = Outcome { ledger: Ledger::default(), findings: Vec::new() };
    for round in 0..rounds {
        let mount = disk.mount();
        let mut process = child::start(&folder, sync);
        let said = process.stdout.take().expect("it is piped");
        let mut ledger = outcome.ledger;
        let listener = std::thread::spawn(move || {
            ledger.listen(said);
            ledger
        });
        std::thread::sleep(Duration::from_micros(20_000 + u64::from(round).wrapping_mul(7_919_771) % 250_000));
        // Without power nothing runs any more. A thread that is waiting for the disk at this moment goes on waiting, and finds itself
        // cut off in the middle; but it says nothing to anybody. (That matters: a wait that is cut in the middle may end as if all were
        // well, because ext4 loses the error of what it did in the background.)
        rustix::process::kill_process(Pid::from_child(&process), Signal::STOP).expect("it runs");
        let status = Command::new(&disk.shutdown).arg(&disk.at).status().expect("it was compiled");
        assert!(status.success(), "the file system cannot be shut down");
        drop(process.kill());
        process.wait().expect("it has ended");
        outcome.ledger = listener.join().expect("it does not panic");
        drop(mount);

        let _mount = disk.mount();
        match SqliteStore::open(&folder, SqliteOptions::default()) {
            Ok(store) => outcome.findings.extend(outcome.ledger.compare(&store)),
            Err(
                error @ (OpenError::AcknowledgedMissing { .. } | OpenError::Damaged(_) | OpenError::NotAStore { .. }),
            ) => {
                outcome.findings.push(error.to_string());
            }
            Err(error) => panic!("round {round}: {error}"),
        }
        if !outcome.findings.is_empty() {
            outcome.findings.push(format!("in round {round}"));
            break;
        }
    }
    outcome
}

#[test]
fn the_power_fails() {
    if !has_root("cutting the power") {
        return;
    }
    let rounds = rounds(8, 200);
    let outcome = cut(rounds, DangerSync::Full);
    assert_eq!(outcome.findings, Vec::<String>::new());
    println!("{rounds} power cuts, {} acknowledged, none lost", outcome.ledger.acknowledged);
    assert!(outcome.ledger.acknowledged > u64::from(rounds) * 5, "the processes did hardly anything");
}

#[test]
fn without_waiting_for_the_disk_the_harness_finds_the_loss() {
    if !has_root("cutting the power") {
        return;
    }
    for sync in [DangerSync::Normal, DangerSync::Off] {
        let outcome = cut(20, sync);
        assert!(!outcome.findings.is_empty(), "{sync:?}: {} acknowledged, none lost", outcome.ledger.acknowledged);
        println!("{sync:?}: {}", outcome.findings.join("; "));
    }
}
