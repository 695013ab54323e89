//! Disks that are full or cannot be written to.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::home::{Home, Ran, finish, package};

const KEY: &str = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";

/// A small disk of its own in a home. Only root can mount one: elsewhere the tests say so and end, but not on CI.
struct Disk {
    place: PathBuf,
}

impl Disk {
    fn mount(home: &Home) -> Option<Self> {
        Self::mount_of(home, "256k")
    }

    fn mount_of(home: &Home, size: &str) -> Option<Self> {
        let place = home.path("disk");
        std::fs::create_dir(&place).unwrap();
        let mounted = mount(&["-t", "tmpfs", "-o", &format!("size={size},mode=700"), "tmpfs"], &place);
        if !mounted {
            assert!(std::env::var_os("CI").is_none(), "CI must run as root, so that disks can be mounted");
            eprintln!("SKIPPED: no tmpfs can be mounted here; run as root to test full and read-only disks");
            return None;
        }
        Some(Self { place })
    }

    /// Leaves no room on it.
    fn fill(&self) {
        let mut file = std::fs::File::create(self.place.join("filling")).unwrap();
        let block = [0; 4096];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
    }

    fn make_read_only(&self) {
        assert!(mount(&["-o", "remount,ro"], &self.place));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.place).status();
    }
}

fn mount(options: &[&str], place: &Path) -> bool {
    let status = Command::new("mount").args(options).arg(place).stderr(std::process::Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// A user whose configuration, keys and packages are on a small disk.
fn settle(home: &Home) {
    let run = |args: &[&str]| on_disk(home, args).exits(0);
    run(&["trust", "add", "acme", KEY]);
    run(&["key", "new", "--insecure-plain"]);
    home.write("a.wasm", [&b"\0asm\x0d\0\x01\0"[..], &[0; 9000]].concat());
    run(&["package", "build", "--manufacturer=me", "--name=A", "--version=1", "--binary=a.wasm", "--out=disk/a.actr"]);
    run(&["trust", "add", "me", &home.path("disk/playhouse/key.json").display().to_string()]);
}

fn on_disk(home: &Home, args: &[&str]) -> Ran {
    finish(home.command(args).env("XDG_CONFIG_HOME", home.path("disk")))
}

/// Every file on the disk with its bytes.
fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(contents(&path));
        } else if !path.ends_with("filling") {
            all.push((path.clone(), std::fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

/// Everything that writes fails, names the file and the reason, and leaves what was there.
fn check(home: &Home, disk: &Disk, reason: &str) {
    let before = contents(&disk.place);
    let plain = home.write("plain.json", r#"{"private_key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}"#);
    let secret = home.write("secret", [7; 64]);
    for (args, file) in [
        (&["trust", "add", "other", KEY][..], "playhouse/trust.toml"),
        (&["trust", "revoke", "mfr-56475aa75463474c"], "playhouse/trust.toml"),
        (&["trust", "minimum", "acme:A:2.0.0"], "playhouse/trust.toml"),
        (&["key", "new", "--insecure-plain", "--out", "disk/k.json"], "disk/k.json"),
        (&["key", "new", "--secret-file", &secret, "--out", "disk/k.json"], "disk/k.json"),
        (&["key", "import", &plain, "--secret-file", &secret, "--out", "disk/k.json"], "disk/k.json"),
        (&["package", "sign", "disk/a.actr"], "disk/a.actr"),
        (&["package", "unpack", "disk/a.actr", "disk/unpacked"], "disk/unpacked"),
        (
            &[
                "package",
                "build",
                "--manufacturer=me",
                "--name=A",
                "--version=1",
                "--binary=a.wasm",
                "--out=disk/a.actr",
                "--force",
            ],
            "disk/a.actr",
        ),
    ] {
        let ran = on_disk(home, args).exits(1);
        assert!(ran.err.contains(file) && ran.err.contains(reason), "{args:?}: {ran:?}");
        assert_eq!(contents(&disk.place), before, "{args:?}");
        on_disk(home, &["trust", "show"]).exits(0);
        on_disk(home, &["package", "verify", "disk/a.actr"]).exits(0);
    }
}

#[test]
fn a_full_disk_keeps_what_it_has() {
    let home = Home::new();
    let Some(disk) = Disk::mount(&home) else { return };
    settle(&home);
    disk.fill();
    check(&home, &disk, "No space left on device");
    std::fs::remove_file(disk.place.join("filling")).unwrap();
    on_disk(&home, &["trust", "add", "other", KEY]).exits(0);
}

#[test]
fn a_read_only_disk_keeps_what_it_has() {
    let home = Home::new();
    let Some(disk) = Disk::mount(&home) else { return };
    settle(&home);
    disk.make_read_only();
    check(&home, &disk, "Read-only file system");
}

/// Compiled code that cannot be kept is no reason not to run, but one to say so.
#[test]
fn a_cache_that_cannot_be_written_is_a_warning() {
    let home = Home::new();
    let Some(disk) = Disk::mount(&home) else { return };
    home.trust_fixtures();
    disk.fill();
    let run = || {
        let mut command = home.command(&["run", &package("plain-wat"), "--json"]);
        let command = command.env("XDG_CACHE_HOME", home.path("disk"));
        let mut node = crate::home::Running::start(command);
        assert_eq!(node.event("ready")["event"], "ready");
        node.signal(rustix::process::Signal::TERM);
        assert_eq!(node.event("stopped")["event"], "stopped");
        node.errors()
    };
    assert!(std::fs::create_dir_all(disk.place.join("playhouse/compiled")).is_ok());
    for dir in ["playhouse", "playhouse/compiled"] {
        let owner = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(disk.place.join(dir), owner).unwrap();
    }
    let said = run();
    assert!(said.contains("warning: ") && said.contains("No space left on device"), "{said}");
    assert!(said.contains("disk/playhouse/compiled"), "{said}");
    // With room, the code is kept, and can be used when nothing more can be written.
    std::fs::remove_file(disk.place.join("filling")).unwrap();
    assert_eq!(run(), "");
    let remount = |how: &str| assert!(mount(&["-o", how], &disk.place));
    remount("remount,ro");
    assert_eq!(run(), "");
    remount("remount,rw");
    for file in std::fs::read_dir(disk.place.join("playhouse/compiled")).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    disk.make_read_only();
    let said = run();
    assert!(said.contains("Read-only file system"), "{said}");
}

/// A node whose store has no room left takes no more, says why, ends what it has, and goes on when there is room.
#[test]
fn a_full_store_refuses_and_recovers() {
    let home = Home::new();
    let Some(disk) = Disk::mount_of(&home, "160m") else { return };
    home.trust_fixtures();
    let run = || home.start(&[&package("ledger-wasm"), "--store", &home.path("disk/store").display().to_string()]);
    let mut node = run();
    let book = |more: &[&str]| {
        let args = ["call", "Ledger", "Book", "--json", r#"{"amount":1}"#, "--output", "json"];
        home.run(&[&args, more].concat())
    };
    book(&["--tell"]).exits(0);
    disk.fill();
    let refused = until(|| Some(book(&["--tell"])).filter(|ran| ran.code != 0));
    assert_eq!(refused.error(), "disk-full", "{refused:?}");
    let message = refused.json()["error"]["message"].to_string();
    assert!(message.contains("bytes left") && message.contains("reserved"), "{message}");
    // Reading and what is queued go on, and so does stopping.
    home.run(&["call", "Ledger", "Sum"]).exits(0);
    assert_eq!(home.run(&["store", "info", "--json"]).exits(0).json()["disk_full"], true);
    home.run(&["fsck"]).exits(0);
    std::fs::remove_file(disk.place.join("filling")).unwrap();
    until(|| (book(&["--tell"]).code == 0).then_some(()));
    disk.fill();
    home.run(&["stop", "--all"]).exits(0);
    assert_eq!(node.wait().code(), Some(0));
    std::fs::remove_file(disk.place.join("filling")).unwrap();
    let _node = run();
    let sum = home.run(&["call", "Ledger", "Sum"]).exits(0).json();
    assert!(sum["sum"].as_str().unwrap().parse::<u64>().unwrap() >= 2, "{sum}");
}

/// Looks until there is something.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let start = std::time::Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < std::time::Duration::from_secs(20), "it did not come to be");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// It was said that the database server cannot be reached.
#[test]
fn a_backup_on_a_full_disk_names_the_backup() {
    let home = Home::new();
    let Some(disk) = Disk::mount(&home) else { return };
    home.trust_fixtures();
    let node = home.start(&[&package("ledger-wasm")]);
    disk.fill();
    let check = || {
        let refused = home.run(&["backup", "disk/b.db", "--json"]).exits(1);
        assert_eq!(refused.error(), "disk-full");
        let error = refused.json()["error"].clone();
        assert!(error["message"].as_str().unwrap().contains("disk/b.db"), "{error}");
        assert!(!home.path("disk/b.db").exists());
    };
    check();
    node.kill();
    check();
}
