//! The tours of README.md, as somebody pastes them.

use std::path::Path;

use crate::home::{Home, finish};

/// The shell blocks of the section.
fn blocks(section: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let section = readme.split("\n## ").find(|text| text.starts_with(section)).unwrap();
    let blocks = section.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// Nothing waited for a node that was started in the background: both tours ended in errors.
#[test]
fn the_tours_can_be_pasted() {
    let home = Home::new();
    let tour = blocks("A tour").concat();
    let lines: Vec<&str> = tour.lines().filter(|line| !line.starts_with("cargo install")).collect();
    let script = lines.join("\n").replace("/tmp/", &format!("{}/", home.path("").display()));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let program = Path::new(env!("CARGO_BIN_EXE_playhouse")).parent().unwrap();
    let mut command = home.shell("bash", &script);
    command.env("PATH", format!("{}:/usr/bin:/bin", program.display())).current_dir(&root);
    command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    let ran = finish(&mut command);
    let errors: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("error:")).collect();
    assert!(errors.len() == 1 && errors[0].contains("[trust-unknown]"), "{ran:?}");
    assert_eq!(ran.code, 0, "{ran:?}");
    for words in ["CounterWasm", r#""total": "2""#, r#""sum": "42""#, r"entry/\x00", "copied ", "stopped node default"]
    {
        assert!(ran.out.contains(words), "{words}: {ran:?}");
    }
    assert!(!home.path(".config/playhouse/trust.toml").exists(), "the key of the samples is public");
}
