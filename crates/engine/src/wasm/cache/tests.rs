use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Barrier};

use playhouse_crypto::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::Cache;
use super::directory::Directory;
use crate::wasm::config::WasmConfig;
use crate::wasm::runtime::{Mode, Runtime};
use crate::wasm::ticker::Ticker;

const SMALL: &str = r#"(component (core module $m (func (export "f"))))"#;

fn runtime() -> Runtime {
    Runtime::new(Mode::Plain, &WasmConfig::default(), &Arc::new(Ticker::start().unwrap())).unwrap()
}

fn cache(path: &Path) -> Cache {
    Cache::open(&WasmConfig { cache_dir: Some(path.to_owned()), ..WasmConfig::default() })
}

/// What a cache gives for a component, and whether it had to compile.
fn fetch(cache: &Cache, engine: &Engine, binary: &[u8]) -> (Component, bool) {
    let name = super::name(engine, Digest::of(binary));
    let kept = cache.directory.as_ref().is_some_and(|directory| directory.read(&name).is_some());
    let artefact = cache.artefact(engine, binary, Digest::of(binary)).unwrap();
    (artefact.component(engine).unwrap(), !kept)
}

fn code_files(path: &Path) -> Vec<fs::DirEntry> {
    let files = fs::read_dir(path).unwrap().map(Result::unwrap);
    files.filter(|file| file.file_name().to_string_lossy().ends_with(".code")).collect()
}

#[test]
fn the_second_time_nothing_is_compiled() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made/for/us");
    let (engine, binary) = (runtime().overflow, wat::parse_str(SMALL).unwrap());
    assert!(fetch(&cache(&path), &engine, &binary).1);
    assert!(!fetch(&cache(&path), &engine, &binary).1);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::metadata(path.join("key")).unwrap().permissions().mode() & 0o777, 0o600);
    // Another component has another name.
    assert!(fetch(&cache(&path), &engine, &wat::parse_str("(component)").unwrap()).1);
    assert_eq!(code_files(&path).len(), 2);
}

/// The pool and the engine beside it must run the same code, or every component would be compiled twice.
#[test]
fn both_engines_of_a_runtime_share_code() {
    let (runtime, binary) = (runtime(), wat::parse_str(SMALL).unwrap());
    let digest = Digest::of(&binary);
    assert_eq!(super::name(&runtime.pooled, digest), super::name(&runtime.overflow, digest));
    let artefact = super::Artefact::compile(&runtime.overflow, &binary).unwrap();
    assert!(artefact.component(&runtime.pooled).is_ok());
    assert!(!Engine::same(&runtime.pooled, &runtime.overflow));
}

#[test]
fn engines_that_differ_share_nothing() {
    let binary = wat::parse_str(SMALL).unwrap();
    let ticker = Arc::new(Ticker::start().unwrap());
    let asynchronous = Runtime::new(Mode::Async, &WasmConfig::default(), &ticker).unwrap().overflow;
    let digest = Digest::of(&binary);
    assert_ne!(super::name(&runtime().overflow, digest), super::name(&asynchronous, digest));
}

#[test]
fn damaged_files_are_compiled_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    let (engine, binary) = (runtime().overflow, wat::parse_str(SMALL).unwrap());
    let cache = cache(&path);
    assert!(fetch(&cache, &engine, &binary).1);
    let file = code_files(&path).pop().unwrap().path();
    let good = fs::read(&file).unwrap();
    let flips = (0..good.len()).step_by(good.len() / 40).map(|at| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    });
    let cuts = [0, 1, 8, 39, 40, good.len() - 1].map(|length| good[..length].to_vec());
    let longer = [good.iter().copied().chain([0]).collect()];
    for bad in flips.chain(cuts).chain(longer) {
        fs::write(&file, &bad).unwrap();
        assert!(fetch(&cache, &engine, &binary).1, "damage was not seen");
        assert_eq!(fs::read(&file).unwrap(), good);
    }
}

/// A file that is authentic under another name, or with another key, does not count.
#[test]
fn foreign_files_are_compiled_again() {
    let directory = tempfile::tempdir().unwrap();
    let (one, two) = (directory.path().join("one"), directory.path().join("two"));
    let (engine, binary) = (runtime().overflow, wat::parse_str(SMALL).unwrap());
    fetch(&cache(&one), &engine, &binary);
    fetch(&cache(&two), &engine, &binary);
    let (from, to) = (code_files(&one).pop().unwrap().path(), code_files(&two).pop().unwrap().path());
    assert_eq!(from.file_name(), to.file_name());
    fs::copy(&from, &to).unwrap();
    assert!(fetch(&cache(&two), &engine, &binary).1);

    let other = wat::parse_str("(component)").unwrap();
    fs::copy(&from, one.join(format!("{}.code", super::name(&engine, Digest::of(&other))))).unwrap();
    assert!(fetch(&cache(&one), &engine, &other).1);
}

/// Several processes may use one directory; threads with a cache of their own each stand for them.
#[test]
fn racing_for_key_and_code() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    let (engine, binary) = (runtime().overflow, wat::parse_str(SMALL).unwrap());
    let start = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                fetch(&cache(&path), &engine, &binary);
            });
        }
    });
    assert!(!fetch(&cache(&path), &engine, &binary).1);
    let names: Vec<_> = fs::read_dir(&path).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn what_was_not_used_for_the_longest_time_goes_first() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    let kept = Directory::open(&path, 300).unwrap();
    let names: Vec<_> = (0..4_u8).map(|n| Digest::of(&[n])).collect();
    let age = |name: &Digest, seconds| {
        let file = fs::File::options().write(true).open(path.join(format!("{name}.code"))).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(seconds)).unwrap();
    };
    for (name, seconds) in names[..3].iter().zip([30, 20, 10]) {
        kept.write(name, &[7; 60]);
        age(name, seconds);
    }
    // Reading is using.
    assert!(kept.read(&names[0]).is_some());
    kept.write(&names[3], &[7; 60]);
    let left: Vec<_> = names.iter().map(|name| kept.read(name).is_some()).collect();
    assert_eq!(left, [true, false, true, true]);
}

#[test]
fn a_directory_that_others_can_write_to_is_not_used() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("open");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    assert!(Directory::open(&path, 1 << 20).is_err());
    assert!(cache(&path).directory.is_none());
    // A key that others can read is no secret.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    assert!(Directory::open(&path, 1 << 20).is_ok());
    fs::set_permissions(path.join("key"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(Directory::open(&path, 1 << 20).is_err());
}

/// A full disk or a power cut can leave a part of the key.
#[test]
fn a_key_that_was_cut_makes_way() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    let (engine, binary) = (runtime().overflow, wat::parse_str(SMALL).unwrap());
    fetch(&cache(&path), &engine, &binary);
    fs::write(path.join("key"), b"short").unwrap();
    assert!(fetch(&cache(&path), &engine, &binary).1, "what was kept under the lost key is compiled again");
    assert!(!fetch(&cache(&path), &engine, &binary).1);
    assert_eq!(fs::metadata(path.join("key")).unwrap().len(), Digest::LENGTH as u64);
    let names: Vec<_> = fs::read_dir(&path).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn opening_writes_nothing_where_there_is_a_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cache");
    Directory::open(&path, 1 << 20).unwrap();
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    Directory::open(&path, 1 << 20).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
}
