use proptest::prelude::*;

use super::{LAYOUT, check_file};

/// The smallest file that passes: one mapped and one dynamic segment.
fn library() -> Vec<u8> {
    let header_len = if LAYOUT.word == 8 { 64 } else { 52 };
    let mut file = vec![0; header_len + 2 * LAYOUT.segment_size as usize];
    let len = file.len() as u64;
    file[..4].copy_from_slice(super::MAGIC);
    file[4] = LAYOUT.class;
    let mut put = |at: usize, bytes: usize, value: u64| {
        if cfg!(target_endian = "little") {
            file[at..at + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
        } else {
            file[at..at + bytes].copy_from_slice(&value.to_be_bytes()[8 - bytes..]);
        }
    };
    put(5, 1, if cfg!(target_endian = "little") { 1 } else { 2 });
    put(16, 2, super::DYNAMIC);
    put(18, 2, super::machine().unwrap_or(0));
    put(LAYOUT.program_offset, LAYOUT.word, header_len as u64);
    put(LAYOUT.program_size, 2, LAYOUT.segment_size);
    put(LAYOUT.program_count, 2, 2);
    for (index, kind) in [super::LOAD, super::DYNAMIC_SEGMENT].into_iter().enumerate() {
        let at = header_len + index * LAYOUT.segment_size as usize;
        put(at, 4, kind);
        put(at + LAYOUT.segment_bytes, LAYOUT.word, len);
    }
    file
}

#[test]
fn a_whole_library_passes() {
    assert_eq!(check_file(&library()), Ok(()));
}

#[test]
fn no_prefix_of_it_passes() {
    let file = library();
    for len in 0..file.len() {
        assert!(check_file(&file[..len]).is_err(), "{len}");
    }
}

proptest! {
    #[test]
    fn damage_never_panics(at in any::<prop::sample::Index>(), bytes in any::<[u8; 8]>()) {
        let mut file = library();
        let at = at.index(file.len() - 8);
        file[at..at + 8].copy_from_slice(&bytes);
        let _ = check_file(&file);
    }
}
