use std::fmt;
use std::sync::Arc;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// The place of a file in a package: relative, `/` between segments, and unable to leave the directory that it is
/// joined to, on any operating system.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryPath(Arc<str>);

/// Which rule for paths a text breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// There is no text.
    #[error("is empty")]
    Empty,
    /// More bytes than [`EntryPath::BYTES_MAX`].
    #[error("is longer than {} bytes", EntryPath::BYTES_MAX)]
    TooLong,
    /// A segment has more bytes than [`EntryPath::SEGMENT_BYTES_MAX`].
    #[error("has a segment longer than {} bytes", EntryPath::SEGMENT_BYTES_MAX)]
    SegmentTooLong,
    /// It starts with `/`.
    #[error("is absolute")]
    Absolute,
    /// It has a `\`, which separates segments on Windows.
    #[error("has a backslash")]
    Backslash,
    /// It has a `:`, which names drives and streams on Windows.
    #[error("has a colon")]
    Colon,
    /// It has a NUL, which ends names in C.
    #[error("has a NUL")]
    Nul,
    /// It has a control character.
    #[error("has a control character")]
    Control,
    /// It has a character that nobody sees, or that turns the direction of the text around.
    #[error("has an invisible character")]
    Invisible,
    /// It has one of `<`, `>`, `"`, `|`, `?`, `*`, which names on Windows cannot have.
    #[error("has one of < > \" | ? *")]
    Reserved,
    /// Two `/` in a row, or one at the end.
    #[error("has an empty segment")]
    EmptySegment,
    /// A segment is `.` or `..`.
    #[error("has a segment of dots")]
    Dots,
    /// A segment ends with a dot or a space, which Windows drops.
    #[error("has a segment that ends with a dot or a space")]
    TrailingDotOrSpace,
    /// It is not in Unicode's normalization form C, so that some file systems take it for another text, and some change it.
    #[error("is not in Unicode normalization form C")]
    NotNormalized,
    /// A segment is the name of a device on Windows, such as `NUL` or `com1.txt`.
    #[error("has a segment that names a device")]
    Device,
}

impl EntryPath {
    /// Bytes in a path. Directories to which packages are unpacked must fit before it in Linux's 4096.
    pub const BYTES_MAX: usize = 1024;
    /// Bytes in a segment: what ext4, APFS and NTFS allow.
    pub const SEGMENT_BYTES_MAX: usize = 255;

    /// The path with this text.
    ///
    /// # Errors
    /// Names the rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > Self::BYTES_MAX {
            return Err(PathError::TooLong);
        }
        text.chars().try_for_each(check_char)?;
        if text.starts_with('/') {
            return Err(PathError::Absolute);
        }
        text.split('/').try_for_each(check_segment)?;
        if !text.is_ascii() && !is_nfc(text) {
            return Err(PathError::NotNormalized);
        }
        Ok(Self(text.into()))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which paths are compared that a file system might take for the same: without case, and decomposed as the file
    /// systems of Apple do it.
    pub(crate) fn folded(&self) -> String {
        if self.0.is_ascii() {
            return self.0.to_ascii_lowercase();
        }
        self.0.nfd().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfd().collect()
    }
}

fn check_char(c: char) -> Result<(), PathError> {
    match c {
        '\0' => Err(PathError::Nul),
        '\\' => Err(PathError::Backslash),
        ':' => Err(PathError::Colon),
        '<' | '>' | '"' | '|' | '?' | '*' => Err(PathError::Reserved),
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
            Err(PathError::Invisible)
        }
        c if c.is_control() => Err(PathError::Control),
        _ => Ok(()),
    }
}

fn check_segment(segment: &str) -> Result<(), PathError> {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    if segment.is_empty() {
        return Err(PathError::EmptySegment);
    }
    if segment.len() > EntryPath::SEGMENT_BYTES_MAX {
        return Err(PathError::SegmentTooLong);
    }
    if segment == "." || segment == ".." {
        return Err(PathError::Dots);
    }
    if segment.ends_with(['.', ' ']) {
        return Err(PathError::TrailingDotOrSpace);
    }
    let stem = segment.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let is_port = port.is_some_and(|n| n.chars().count() == 1 && n.starts_with(|c: char| "0123456789¹²³".contains(c)));
    if is_port || DEVICES.contains(&stem.as_str()) { Err(PathError::Device) } else { Ok(()) }
}

impl fmt::Display for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EntryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl AsRef<str> for EntryPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for EntryPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse(text)
    }
}
