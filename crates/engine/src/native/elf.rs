//! Whether a file is a whole ELF library. Loaders map what its headers say without looking whether the file has it.

use super::error::LoadError;

/// Checks the headers that a loader follows: the file is a shared library for this machine, and every segment is in it.
/// Passes everything on systems with another format, whose loaders do check.
pub(super) fn check(file: &[u8]) -> Result<(), LoadError> {
    if cfg!(not(any(target_os = "linux", target_os = "android", target_os = "freebsd"))) {
        return Ok(());
    }
    check_file(file).map_err(|rule| LoadError::File { rule })
}

const MAGIC: &[u8] = b"\x7fELF";
/// `e_type` of a shared library.
const DYNAMIC: u64 = 3;
/// `p_type` of a segment that is mapped.
const LOAD: u64 = 1;
/// `p_type` of the segment that the loader reads first.
const DYNAMIC_SEGMENT: u64 = 2;
/// Segments of one library. Linkers make about ten.
const SEGMENTS_MAX: u64 = 128;

/// Where the fields are: 32 or 64 bit.
struct Layout {
    class: u8,
    word: usize,
    program_offset: usize,
    program_size: usize,
    program_count: usize,
    segment_size: u64,
    segment_offset: usize,
    segment_bytes: usize,
}

const LAYOUT: Layout = if cfg!(target_pointer_width = "64") {
    Layout {
        class: 2,
        word: 8,
        program_offset: 32,
        program_size: 54,
        program_count: 56,
        segment_size: 56,
        segment_offset: 8,
        segment_bytes: 32,
    }
} else {
    Layout {
        class: 1,
        word: 4,
        program_offset: 28,
        program_size: 42,
        program_count: 44,
        segment_size: 32,
        segment_offset: 4,
        segment_bytes: 16,
    }
};

const fn machine() -> Option<u64> {
    if cfg!(target_arch = "x86_64") {
        Some(62)
    } else if cfg!(target_arch = "aarch64") {
        Some(183)
    } else if cfg!(target_arch = "x86") {
        Some(3)
    } else if cfg!(target_arch = "arm") {
        Some(40)
    } else if cfg!(any(target_arch = "riscv64", target_arch = "riscv32")) {
        Some(243)
    } else {
        None
    }
}

fn check_file(file: &[u8]) -> Result<(), &'static str> {
    if !file.starts_with(MAGIC) {
        return Err("it does not begin as one");
    }
    let byte_order = if cfg!(target_endian = "little") { 1 } else { 2 };
    if file.get(4..6) != Some(&[LAYOUT.class, byte_order]) {
        return Err("its word size or byte order is another machine's");
    }
    if number(file, 16, 2)? != DYNAMIC {
        return Err("it is another kind of ELF file");
    }
    if machine().is_some_and(|machine| number(file, 18, 2) != Ok(machine)) {
        return Err("its instructions are another machine's");
    }
    let table = number(file, LAYOUT.program_offset, LAYOUT.word)?;
    let count = number(file, LAYOUT.program_count, 2)?;
    if number(file, LAYOUT.program_size, 2)? != LAYOUT.segment_size || count == 0 || count > SEGMENTS_MAX {
        return Err("its table of segments is damaged");
    }
    let (mut mapped, mut dynamic) = (false, false);
    for index in 0..count {
        let at = table.checked_add(index * LAYOUT.segment_size).and_then(|at| usize::try_from(at).ok()).ok_or(CUT)?;
        let kind = segment(file, at)?;
        mapped |= kind == LOAD;
        dynamic |= kind == DYNAMIC_SEGMENT;
    }
    if mapped && dynamic { Ok(()) } else { Err("it has nothing to map or to link") }
}

const CUT: &str = "it is cut short";

/// Checks that the file has the segment whose header is at `at`; its kind.
fn segment(file: &[u8], at: usize) -> Result<u64, &'static str> {
    let header = file.get(at..).ok_or(CUT)?;
    let kind = number(header, 0, 4)?;
    let offset = number(header, LAYOUT.segment_offset, LAYOUT.word)?;
    let bytes = number(header, LAYOUT.segment_bytes, LAYOUT.word)?;
    let end = offset.checked_add(bytes).ok_or(CUT)?;
    if matches!(kind, LOAD | DYNAMIC_SEGMENT) && end > file.len() as u64 {
        return Err(CUT);
    }
    Ok(kind)
}

/// The number of `len` bytes at an offset.
fn number(bytes: &[u8], at: usize, len: usize) -> Result<u64, &'static str> {
    let field = at.checked_add(len).and_then(|end| bytes.get(at..end)).ok_or(CUT)?;
    let push = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    Ok(if cfg!(target_endian = "little") { field.iter().rev().fold(0, push) } else { field.iter().fold(0, push) })
}

#[cfg(test)]
mod tests;
