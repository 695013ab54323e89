//! All automation of this repository: `cargo xtask ci | tidy | guests | bench`.

mod guests;

use anyhow::{Result, bail};

const HELP: &str = "usage: cargo xtask COMMAND

  guests   build the guests under guests/ into signed packages (--check compares with the committed ones)
";

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    match command.as_str() {
        "guests" => guests::run(&rest),
        "" | "help" | "--help" | "-h" => {
            println!("{HELP}");
            Ok(())
        }
        other => bail!("no command {other:?}\n\n{HELP}"),
    }
}
