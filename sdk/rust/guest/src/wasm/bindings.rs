//! What wit-bindgen makes of the WIT.
#![allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    clippy::allow_attributes_without_reason,
    reason = "generated: wit-bindgen upholds the canonical ABI"
)]

wit_bindgen::generate!({
    path: "../../../crates/abi/wit/playhouse",
    world: "full-guest",
    pub_export_macro: true,
    export_macro_name: "__export_world",
    default_bindings_module: "playhouse_guest::wasm::bindings",
    runtime_path: "::playhouse_guest::wasm::rt",
});
