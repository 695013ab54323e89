use super::{named_files, named_items};

#[test]
fn links_and_quoted_paths_are_names() {
    let text = "See [it](docs/a.md#part) and [them](https://x.invalid/docs/b.md), `crates/node/src/lib.rs:12`,\n\
                `cargo run`, `crates/*/src`, `node`, and [here](#top).";
    assert_eq!(named_files(text), ["docs/a.md", "crates/node/src/lib.rs"]);
}

#[test]
fn tests_and_keys_are_names_too() {
    let text = "Shown by `verify::tests::refuses_a_rollback` and `loops_end_in_time()`; see `ps`, `max_len`, `A_B_C`.";
    assert_eq!(named_items(text), ["refuses_a_rollback", "loops_end_in_time"]);
}
