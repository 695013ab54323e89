use std::io::Write as _;

use super::inflate;
use crate::archive::EntryFault;

fn deflate(contents: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(level));
    encoder.write_all(contents).expect("in memory");
    encoder.finish().expect("in memory")
}

fn samples() -> Vec<Vec<u8>> {
    let noise = |n: usize| (0..n).map(|i| (i * i * 31 + i / 7).to_le_bytes()[0]).collect::<Vec<u8>>();
    vec![
        vec![],
        vec![0],
        b"abc".to_vec(),
        noise(1000),
        noise(300_000),
        vec![7; 1 << 20],
        b"so to say, ".repeat(50_000),
        vec![0; (256 << 10) - 1],
        vec![0; 256 << 10],
    ]
}

#[test]
fn what_was_deflated_inflates() {
    for contents in samples() {
        for level in [0, 1, 6, 9] {
            let size = u32::try_from(contents.len()).expect("small");
            assert_eq!(inflate(&deflate(&contents, level), size).as_ref(), Ok(&contents), "{size} at {level}");
        }
    }
}

#[test]
fn no_other_size_and_no_other_length() {
    for contents in samples() {
        let packed = deflate(&contents, 9);
        let size = u32::try_from(contents.len()).expect("small");
        let less = inflate(&packed, size + 1);
        assert!(matches!(less, Err(EntryFault::InflatesToLess { .. } | EntryFault::Ratio { .. })), "{less:?}");
        if size > 0 {
            assert_eq!(inflate(&packed, size - 1), Err(EntryFault::InflatesToMore { size: size - 1 }));
        }
        assert_eq!(inflate(&packed[..packed.len() - 1], size).ok(), None);
        let longer = [packed.as_slice(), &[0, 0]].concat();
        assert_eq!(inflate(&longer, size), Err(EntryFault::BytesBehindData { bytes: 2 }));
    }
}

#[test]
fn bits_behind_the_end_are_seen() {
    for contents in samples() {
        let packed = deflate(&contents, 9);
        let size = u32::try_from(contents.len()).expect("small");
        let last = packed.len() - 1;
        for bit in 0..8 {
            let mut altered = packed.clone();
            altered[last] ^= 1 << bit;
            assert!(inflate(&altered, size).as_ref() != Ok(&contents), "bit {bit} of {size}");
        }
    }
}
