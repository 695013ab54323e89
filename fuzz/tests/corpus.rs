//! Replays the corpus on any compiler: what a fuzzer once found stays found.

use std::collections::BTreeSet;
use std::path::Path;

use oracles::TARGETS;

fn corpus() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

#[test]
fn every_file_of_the_corpus_passes() {
    for (name, oracle) in TARGETS {
        let files = std::fs::read_dir(corpus().join(name)).unwrap_or_else(|e| panic!("corpus/{name}: {e}"));
        let mut seen = 0;
        for file in files {
            let path = file.expect("an entry").path();
            println!("{}", path.display());
            oracle(&std::fs::read(&path).expect("a file"));
            seen += 1;
        }
        assert!(seen > 0, "corpus/{name} is empty");
    }
}

#[test]
fn every_target_has_an_oracle_and_a_corpus() {
    let names = |folder: &str| -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let entries = std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        entries.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect()
    };
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(targets, names("fuzz_targets"));
    assert_eq!(targets, names("corpus"));
}

/// Every byte of a package, altered in two ways: none is ignored, unless what comes out is what was signed.
#[test]
fn a_package_altered_at_any_byte_does_not_pass() {
    let length = u16::try_from(oracles::altered_original().len()).expect("a small package");
    for at in 0..length {
        let [low, high] = at.to_le_bytes();
        for change in [0, 1, 2, 4, 255] {
            oracles::package_altered(&[low, high, change]);
        }
    }
}
