use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT as MORE_INPUT, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF as GROWING,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::fault::EntryFault;

/// What deflate can pack into one byte at most is 1032 bytes; one more for the rounding of short streams.
const RATIO_MAX: u64 = 1033;
/// How much room is made at first; it doubles then, so that memory grows with what comes out and not with what a header promises.
const STEP_BYTES: usize = 256 << 10;

/// Inflates one entry to exactly `size` bytes from exactly `packed`, to the last bit.
pub(super) fn inflate(packed: &[u8], size: u32) -> Result<Vec<u8>, EntryFault> {
    let promised = EntryFault::Ratio { packed: packed.len(), size };
    if u64::from(size) > (packed.len() as u64).saturating_mul(RATIO_MAX) {
        return Err(promised);
    }
    let Some((last, head)) = packed.split_last() else { return Err(EntryFault::Inflate) };
    let mut stream = Stream::new(usize::try_from(size).map_err(|_| promised)?);
    if let Some(taken) = stream.feed(head, MORE_INPUT, size)? {
        return Err(EntryFault::BytesBehindData { bytes: (packed.len() - taken) as u64 });
    }
    let before = stream.clone_state();
    let length = stream.length;
    if stream.feed(&[*last], 0, size)? != Some(1) {
        return Err(EntryFault::Inflate);
    }
    if stream.length < stream.limit {
        return Err(EntryFault::InflatesToLess { found: stream.length as u64, size });
    }
    let mut out = std::mem::take(&mut stream.out);
    out.truncate(stream.limit);
    if *last != 0 && means_the_same_without_its_highest_bit(*last, before, &out, length) {
        return Err(EntryFault::BitsBehindData);
    }
    Ok(out)
}

/// Whether the highest bit that is set in the last byte lies behind the end of the stream: then the stream ends with the same
/// bytes without it. A bit that belongs to the last code makes another code of it.
fn means_the_same_without_its_highest_bit(
    last: u8,
    mut state: Box<DecompressorOxide>,
    whole: &[u8],
    length: usize,
) -> bool {
    let highest = 1 << (7 - last.leading_zeros());
    // The last byte ends at most a few codes: a match is 258 bytes.
    const ROOM_BYTES: usize = 4096;
    const WINDOW_BYTES: usize = 32 << 10;
    let window = length.saturating_sub(WINDOW_BYTES);
    let mut again = whole[window..length].to_vec();
    let start = again.len();
    again.resize(start + ROOM_BYTES, 0);
    let (status, _, given) = decompress(&mut state, &[last & !highest], &mut again, start, GROWING);
    status == TINFLStatus::Done && again[start..start + given] == whole[length..]
}

/// A stream that is inflated into room that grows up to one byte more than is allowed.
struct Stream {
    state: Box<DecompressorOxide>,
    out: Vec<u8>,
    length: usize,
    limit: usize,
}

impl Stream {
    fn new(limit: usize) -> Self {
        Self { state: Box::default(), out: Vec::new(), length: 0, limit }
    }

    fn clone_state(&self) -> Box<DecompressorOxide> {
        self.state.clone()
    }

    /// Takes all of `input`, unless the stream ends in it: then gives how much it took.
    fn feed(&mut self, mut input: &[u8], flags: u32, size: u32) -> Result<Option<usize>, EntryFault> {
        let all = input.len();
        loop {
            let (status, taken, given) =
                decompress(&mut self.state, input, &mut self.out, self.length, flags | GROWING);
            input = &input[taken..];
            self.length += given;
            if self.length > self.limit {
                return Err(EntryFault::InflatesToMore { size });
            }
            match status {
                TINFLStatus::Done => return Ok(Some(all - input.len())),
                TINFLStatus::NeedsMoreInput if flags & MORE_INPUT != 0 && input.is_empty() => return Ok(None),
                TINFLStatus::HasMoreOutput if self.out.len() <= self.limit => {
                    let room = (2 * self.out.len()).max(STEP_BYTES).min(self.limit + 1);
                    self.out.reserve_exact(room - self.out.len());
                    self.out.resize(room, 0);
                }
                TINFLStatus::HasMoreOutput => return Err(EntryFault::InflatesToMore { size }),
                _ => return Err(EntryFault::Inflate),
            }
        }
    }
}

#[cfg(test)]
mod tests;
