//! Guests from WAT. Also part of the integration tests and of the example that measures, by path.

use std::fmt::Write as _;

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Function, Resolve, WorldItem, WorldKey};

pub(crate) const PLAYHOUSE: &str = include_str!("../../../../abi/wit/playhouse/actor.wit");
/// What our package has beside; behind [`PLAYHOUSE`] it is one text with the world `full-guest`.
pub(crate) const OPERATIONS: &str = include_str!("../../../../abi/wit/playhouse/operations.wit");
pub(crate) const SHAPE_A: &str = include_str!("../../../../abi/wit/actr-0.1-a/workload.wit");
pub(crate) const SHAPE_B: &str = include_str!("../../../../abi/wit/actr-0.1-b/workload.wit");
pub(crate) const SHAPE_C: &str = include_str!("../../../../abi/wit/actr-0.1-c/workload.wit");

/// Where a guest of the kit writes its results; zeroes, which mean `ok` of nothing, until it does.
pub(crate) const RESULT: u32 = 1024;
/// Where a guest of the kit has memory for what its host gives it.
pub(crate) const HEAP: u32 = 4096;

/// A guest: the bodies of the exports that matter, in WAT; all others answer `ok`. All imports of the world can be called by
/// their names, the second of one name with its interface in front, such as `$timers-set`; locals `$p0`, `$p1`… are the
/// parameters.
pub(crate) struct Source<'a> {
    pub(crate) wit: &'a str,
    pub(crate) bodies: &'a [(&'a str, &'a str)],
    /// Further definitions of the module.
    pub(crate) more: &'a str,
}

impl Source<'_> {
    pub(crate) fn component(&self) -> Vec<u8> {
        self.component_with(|text| text)
    }

    /// The component after a change of its module's text.
    pub(crate) fn component_with(&self, change: impl FnOnce(String) -> String) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("test.wit", self.wit).unwrap();
        let world = resolve.select_world(&[package], None);
        let world = world.or_else(|_| resolve.select_world(&[package], Some("full-guest"))).unwrap();
        let mut module = wat::parse_str(change(self.module(&resolve, world))).unwrap();
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
    }

    fn module(&self, resolve: &Resolve, world: wit_parser::WorldId) -> String {
        let mut text = String::from("(module\n");
        let mut ids = std::collections::BTreeSet::new();
        for (interface, function) in functions(resolve, &resolve.worlds[world].imports) {
            let signature = signature(resolve, AbiVariant::GuestImport, function);
            let name = &function.name;
            let mut id = name.replace(['[', ']', '.'], "_");
            if !ids.insert(id.clone()) {
                let interface = interface.split(['/', '@']).nth(1).unwrap_or_default();
                id = format!("{interface}-{id}");
            }
            writeln!(text, "(import \"{interface}\" \"{name}\" (func ${id} {signature}))").unwrap();
        }
        let heap = HEAP;
        writeln!(
            text,
            r#"(memory (export "memory") 2)
            (table $table 1 funcref)
            (global $heap (mut i32) (i32.const {heap}))
            (func $realloc (export "cabi_realloc") (param $old i32) (param i32) (param $align i32) (param $size i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and
                    (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
                    (i32.sub (i32.const 0) (local.get $align))))
                (global.set $heap (i32.add (local.get $at) (local.get $size)))
                (block $fits
                    (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
                    (br_if $fits (i32.ne (memory.grow (i32.add (i32.div_u (local.get $size) (i32.const 65536)) (i32.const 1))) (i32.const -1)))
                    unreachable)
                (local.get $at))"#
        )
        .unwrap();
        for (interface, function) in functions(resolve, &resolve.worlds[world].exports) {
            let name = &function.name;
            let signature = signature(resolve, AbiVariant::GuestExport, function);
            let returns = signature.contains("result");
            let default = if returns { format!("(i32.const {RESULT})") } else { String::new() };
            let body = self.bodies.iter().find(|(of, _)| of == name).map_or(default.as_str(), |(_, body)| body);
            writeln!(text, "(func (export \"{interface}#{name}\") {signature} {body})").unwrap();
            if returns {
                let free = format!("(global.set $heap (i32.const {HEAP}))");
                writeln!(text, "(func (export \"cabi_post_{interface}#{name}\") (param i32) {free})").unwrap();
            }
        }
        text.push_str(self.more);
        text.push(')');
        text
    }
}

fn functions<'a>(
    resolve: &'a Resolve,
    items: impl IntoIterator<Item = (&'a WorldKey, &'a WorldItem)>,
) -> Vec<(String, &'a Function)> {
    let mut found = Vec::new();
    for (key, item) in items {
        if let WorldItem::Interface { id, .. } = item {
            let name = resolve.name_world_key(key);
            found.extend(resolve.interfaces[*id].functions.values().map(|function| (name.clone(), function)));
        }
    }
    found
}

fn signature(resolve: &Resolve, variant: AbiVariant, function: &Function) -> String {
    let signature = resolve.wasm_signature(variant, function);
    let ty = |ty: &WasmType| match ty {
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
        _ => "i32",
    };
    let mut text = String::new();
    for (n, param) in signature.params.iter().enumerate() {
        write!(text, "(param $p{n} {}) ", ty(param)).unwrap();
    }
    for result in &signature.results {
        write!(text, "(result {}) ", ty(result)).unwrap();
    }
    text
}
