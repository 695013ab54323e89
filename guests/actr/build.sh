#!/bin/sh
# build.sh DEST: builds the sample components into DEST. Needs the targets wasm32-unknown-unknown and wasm32-wasip2
# (`rustup target add`, or the environment file of GUESTS.md's setup script).
set -eu
dest=$(realpath "$1")
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TARGET_DIR="$target"
# Before the flags for wasm are looked at, which are per target.
cargo build --quiet --release --locked --manifest-path componentize/Cargo.toml
for shape in a b c v2 v2-operations; do
  cargo build --quiet --release --locked --target wasm32-unknown-unknown --features "$shape"
  "$target/release/actr-componentize" "$target/wasm32-unknown-unknown/release/actr_sample.wasm" "$dest/actr-$shape.wasm"
done
# wasm-component-ld makes the component itself, as it does for actr's users.
cargo build --quiet --release --locked --target wasm32-wasip2 --features a
cp "$target/wasm32-wasip2/release/actr_sample.wasm" "$dest/actr-a-wasip2.wasm"
