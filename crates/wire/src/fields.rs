//! Protobuf fields read and written without a message type, for the frames of the hot path.

/// The bytes are not protobuf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// The value of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// A fixed-width number or a group, which no frame has.
    Other,
}

/// How deep groups may nest in unknown fields; the limit of every protobuf reader here.
const NESTING_MAX: u32 = 100;

/// Takes the next field off `bytes`; none at the end.
pub(crate) fn next<'a>(bytes: &mut &'a [u8]) -> Result<Option<(u32, Value<'a>)>, Broken> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let (tag, wire_type) = key(bytes)?;
    let value = match wire_type {
        0 => Value::Varint(varint(bytes)?),
        2 => {
            let len = usize::try_from(varint(bytes)?).map_err(|_| Broken)?;
            Value::Bytes(take(bytes, len)?)
        }
        other => {
            skip(bytes, tag, other, NESTING_MAX)?;
            Value::Other
        }
    };
    Ok(Some((tag, value)))
}

/// How many fields of that tag there are, without taking memory for them.
pub(crate) fn count(mut bytes: &[u8], tag: u32) -> Result<usize, Broken> {
    let mut found = 0;
    while let Some((seen, _)) = next(&mut bytes)? {
        found += usize::from(seen == tag);
    }
    Ok(found)
}

fn key(bytes: &mut &[u8]) -> Result<(u32, u8), Broken> {
    let key = u32::try_from(varint(bytes)?).map_err(|_| Broken)?;
    let tag = key >> 3;
    if tag == 0 { Err(Broken) } else { Ok((tag, (key & 7) as u8)) }
}

fn skip(bytes: &mut &[u8], tag: u32, wire_type: u8, nesting_left: u32) -> Result<(), Broken> {
    if nesting_left == 0 {
        return Err(Broken);
    }
    match wire_type {
        0 => varint(bytes).map(drop),
        1 => take(bytes, 8).map(drop),
        2 => {
            let len = usize::try_from(varint(bytes)?).map_err(|_| Broken)?;
            take(bytes, len).map(drop)
        }
        3 => loop {
            let (inner, wire_type) = key(bytes)?;
            if wire_type == 4 {
                break if inner == tag { Ok(()) } else { Err(Broken) };
            }
            skip(bytes, inner, wire_type, nesting_left - 1)?;
        },
        5 => take(bytes, 4).map(drop),
        _ => Err(Broken),
    }
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Result<&'a [u8], Broken> {
    let (head, tail) = bytes.split_at_checked(len).ok_or(Broken)?;
    *bytes = tail;
    Ok(head)
}

fn varint(bytes: &mut &[u8]) -> Result<u64, Broken> {
    const BYTES_MAX: usize = 10;
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(BYTES_MAX) {
        // The tenth byte holds the 64th bit only.
        if index == BYTES_MAX - 1 && *byte > 1 {
            return Err(Broken);
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *bytes = &bytes[index + 1..];
            return Ok(value);
        }
    }
    Err(Broken)
}

/// Bytes of a varint.
pub(crate) const fn varint_len(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// Bytes of a field with a tag of one byte and a length in front.
pub(crate) const fn bytes_field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes the key (of one byte) and the length of a field whose content follows.
pub(crate) fn put_head(out: &mut Vec<u8>, key: u8, len: usize) {
    out.push(key);
    put_varint(out, len as u64);
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, key: u8, bytes: &[u8]) {
    put_head(out, key, bytes.len());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests;
