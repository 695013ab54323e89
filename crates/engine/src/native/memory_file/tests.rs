use std::collections::HashSet;

use super::MemoryFile;

/// The loader takes two files with one path for one, and numbers of descriptors come again.
#[test]
fn no_path_comes_twice() {
    let mut paths = HashSet::new();
    for round in 0..100_u8 {
        let file = MemoryFile::new(&[round; 10]).unwrap();
        assert_eq!(std::fs::read(file.path()).unwrap(), [round; 10]);
        assert!(paths.insert(file.path().as_os_str().to_owned()), "{:?}", file.path());
    }
}
