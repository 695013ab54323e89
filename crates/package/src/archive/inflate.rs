use flate2::{Decompress, FlushDecompress, Status};

use super::error::EntryFault;

/// What deflate can pack into one byte at most is 1032 bytes; a few more for streams of few bytes.
const RATIO_MAX: u64 = 1033;
/// How much room is made at a time, so that memory grows with what comes out and not with what a header promises.
const STEP_BYTES: usize = 64 << 10;

/// Inflates one entry to exactly `size` bytes.
pub(super) fn inflate(packed: &[u8], size: u32) -> Result<Vec<u8>, EntryFault> {
    if u64::from(size) > (packed.len() as u64).saturating_mul(RATIO_MAX) {
        return Err(EntryFault::Ratio { packed: packed.len(), size });
    }
    let size_max = usize::try_from(size).map_err(|_| EntryFault::Ratio { packed: packed.len(), size })?;
    let mut out = Vec::new();
    let mut decoder = Decompress::new(false);
    let mut chunk = vec![0; STEP_BYTES.min(size_max + 1)];
    loop {
        let (taken, given) = (decoder.total_in(), decoder.total_out());
        let input = usize::try_from(taken).ok().and_then(|at| packed.get(at..)).unwrap_or_default();
        let status = decoder.decompress(input, &mut chunk, FlushDecompress::None).map_err(|_| EntryFault::Inflate)?;
        let fresh = usize::try_from(decoder.total_out() - given).unwrap_or(0);
        if fresh > size_max - out.len() {
            return Err(EntryFault::InflatesToMore { size });
        }
        out.extend_from_slice(&chunk[..fresh]);
        match status {
            Status::StreamEnd => break,
            _ if fresh == 0 && decoder.total_in() == taken => return Err(EntryFault::Inflate),
            _ => {}
        }
    }
    if out.len() < size_max {
        return Err(EntryFault::InflatesToLess { found: out.len() as u64, size });
    }
    match packed.len() as u64 - decoder.total_in() {
        0 => Ok(out),
        bytes => Err(EntryFault::BytesBehindData { bytes }),
    }
}
