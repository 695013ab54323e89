//! What the harnesses stand on: rounds, root, commands, mounts, and small C programs.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How often: as the environment says, `all` that a figure needs, or as few as show that the harness works.
pub(crate) fn rounds(few: u32, all: u32) -> u32 {
    let Ok(text) = std::env::var("PLAYHOUSE_FAULT_ROUNDS") else { return few };
    if text == "all" { all } else { text.parse().expect("a number of rounds, or `all`") }
}

/// Whether a test that needs root can run. In CI it must.
pub(crate) fn has_root(what: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    assert!(root || std::env::var("CI").as_deref() != Ok("true"), "{what} needs root, and CI has to have it");
    if !root {
        eprintln!("PASSED OVER: {what} needs root");
    }
    root
}

/// Runs a command that has to succeed.
pub(crate) fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().expect("the program is installed");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
}

/// A folder that nobody else can enter.
pub(crate) fn private_folder(path: &Path) {
    std::fs::DirBuilder::new().mode(0o700).create(path).expect("there is room");
}

/// Compiles a C program or library into `folder`.
pub(crate) fn compile(folder: &Path, name: &str, source: &str, flags: &[&str]) -> PathBuf {
    let (from, to) = (folder.join(format!("{name}.c")), folder.join(name));
    std::fs::write(&from, source).expect("there is room");
    let paths = ["-O1", "-o", to.to_str().expect("UTF-8"), from.to_str().expect("UTF-8")];
    run("cc", &[&paths, flags].concat());
    to
}

/// A file system, mounted until this goes.
pub(crate) struct Mount(pub(crate) PathBuf);

impl Mount {
    pub(crate) fn new(at: &Path, arguments: &[&str]) -> Self {
        std::fs::create_dir_all(at).expect("there is room");
        run("mount", &[arguments, &[at.to_str().expect("UTF-8")]].concat());
        Self(at.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let status = Command::new("umount").arg(&self.0).status();
        // Mounting a file twice would damage it, and that is no fault of the store.
        assert!(std::thread::panicking() || status.is_ok_and(|status| status.success()), "it cannot be unmounted");
    }
}
