use super::named_files;

#[test]
fn links_and_quoted_paths_are_names() {
    let text = "See [it](docs/a.md#part) and [them](https://x.invalid/docs/b.md), `crates/node/src/lib.rs:12`,\n\
                `cargo run`, `crates/*/src`, `node`, and [here](#top).";
    assert_eq!(named_files(text), ["docs/a.md", "crates/node/src/lib.rs"]);
}
