//! All automation of this repository: `cargo xtask ci | tidy | guests | bench`.

mod bench;
mod ci;
mod guests;
mod tidy;

use std::path::PathBuf;

use anyhow::{Result, bail};

const HELP: &str = "usage: cargo xtask COMMAND

  ci       run what continuous integration runs (.ci/run)
  tidy     measure sizes, words and documents (--verbose lists what is worth a look)
  bench    run the benches beside their peers (or only those with the names given)
  guests   build the guests under guests/ into signed packages (--check compares with the committed ones)
";

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    match command.as_str() {
        "ci" => ci::run(&rest),
        "tidy" => tidy::run(&rest),
        "bench" => bench::run(&rest),
        "guests" => guests::run(&rest),
        "" | "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        other => bail!("no command {other:?}\n\n{HELP}"),
    }
}

/// The root of the repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from).unwrap_or_default()
}
