use super::{COPIED_BYTES_MAX, FEW, KEPT_BYTES_MAX, Note};

const SIZES: [usize; 9] =
    [0, 1, FEW - 1, FEW, FEW + 1, COPIED_BYTES_MAX, COPIED_BYTES_MAX + 1, KEPT_BYTES_MAX, KEPT_BYTES_MAX + 1];

fn sample(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8 + (len % 3) as u8).collect()
}

/// Every way on and off, for every pair of sizes one after the other: nothing of the first is in the second.
#[test]
fn what_goes_on_comes_off() {
    let mut note = Note::default();
    let mut buffer = Vec::new();
    for first in SIZES {
        for second in SIZES {
            note.write(&sample(first));
            assert_eq!(note.take_shared(), sample(first));
            note.write(&sample(second));
            note.take(&mut buffer);
            assert_eq!(buffer, sample(second));
            let mut out = sample(first);
            note.put(&mut out);
            note.take(&mut buffer);
            assert_eq!(buffer, sample(first));
        }
    }
}

/// One large message does not keep its memory: the next one lets go of it.
#[test]
fn large_buffers_are_given_back() {
    let mut note = Note::default();
    let (mut buffer, large) = (Vec::new(), 8 * KEPT_BYTES_MAX);
    note.put(&mut sample(large));
    note.take(&mut buffer);
    for _ in 0..2 {
        note.put(&mut sample(FEW + 1));
        note.take(&mut buffer);
    }
    assert!(buffer.capacity() + note.many.capacity() < large);
}
