use std::ops::Range;
use std::path::PathBuf;

use super::error::PostgresError;

/// The address of a server: what it says of encryption, which the driver does not know all of, and the rest for the driver.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) driver: String,
    pub(super) mode: Option<SslMode>,
    pub(super) root: Option<Root>,
    pub(super) danger_plaintext: bool,
}

/// `sslmode`, as libpq names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SslMode {
    /// No encryption.
    Disable,
    /// Encryption if the server insists; here the same as `prefer`.
    Allow,
    /// Encryption if the server offers it.
    Prefer,
    /// Encryption, with whoever answers; as `verify-ca` if there is an `sslrootcert`.
    Require,
    /// Encryption with a server whose certificate is from an authority in `sslrootcert`, whatever its name.
    VerifyCa,
    /// As `verify-ca`, and the certificate is for the host that the address names.
    VerifyFull,
}

impl SslMode {
    const ALL: [(&str, Self); 6] = [
        ("disable", Self::Disable),
        ("allow", Self::Allow),
        ("prefer", Self::Prefer),
        ("require", Self::Require),
        ("verify-ca", Self::VerifyCa),
        ("verify-full", Self::VerifyFull),
    ];

    fn parse(word: &str) -> Result<Self, PostgresError> {
        let known = Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, mode)| *mode);
        known.ok_or_else(|| PostgresError::SslMode { word: word.to_owned() })
    }

    pub(super) fn name(self) -> &'static str {
        Self::ALL[self as usize].0
    }
}

/// `sslrootcert`: where the certificates of authorities are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    /// Those that the operating system trusts.
    System,
    File(PathBuf),
}

impl Address {
    /// Reads an address in either of its forms. One that is malformed goes to the driver as it is, which says so.
    pub(super) fn parse(text: &str) -> Result<Self, PostgresError> {
        let url = ["postgres://", "postgresql://"].iter().find(|scheme| text.starts_with(**scheme));
        let options = match url {
            Some(scheme) => url_options(text, scheme.len()),
            None => pair_options(text).unwrap_or_default(),
        };
        let mut address = Self { driver: String::new(), mode: None, root: None, danger_plaintext: false };
        let mut kept = 0;
        for Setting { place, key, value } in options {
            match key.as_str() {
                "sslmode" => address.mode = Some(SslMode::parse(&value)?),
                "sslrootcert" if value == "system" => address.root = Some(Root::System),
                "sslrootcert" => address.root = Some(Root::File(value.into())),
                "danger_plaintext" => address.danger_plaintext = value == "true",
                _ => continue,
            }
            address.driver.push_str(&text[kept..place.start]);
            kept = place.end;
        }
        address.driver.push_str(&text[kept..]);
        if url.is_some() {
            let bare = address.driver.trim_end_matches(['&', '?']).len();
            address.driver.truncate(bare);
        }
        Ok(address)
    }
}

/// One option of an address, and where it stands with what separates it from the next.
#[derive(Debug, PartialEq, Eq)]
struct Setting {
    place: Range<usize>,
    key: String,
    value: String,
}

/// The options in the query of a URL whose scheme has so many bytes.
fn url_options(text: &str, scheme: usize) -> Vec<Setting> {
    // The driver takes everything up to the first `@` for user and password.
    let host = text[scheme..].find('@').map_or(scheme, |at| scheme + at + 1);
    let Some(query) = text[host..].find('?').map(|at| host + at + 1) else { return Vec::new() };
    let mut start = query;
    let pair = |pair: &str| {
        let place = start..text.len().min(start + pair.len() + 1);
        start = place.end;
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Setting { place, key: key.to_owned(), value: percent_decoded(value) }
    };
    text[query..].split('&').map(pair).collect()
}

/// The text with every `%xx` as its byte. What is not UTF-8 then is left as it was.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// The options of an address such as `host=db user='the node'`; none if it is malformed.
fn pair_options(text: &str) -> Option<Vec<Setting>> {
    let mut options = Vec::new();
    let mut at = text.len() - text.trim_start().len();
    while at < text.len() {
        let equals = at + text[at..].find('=')?;
        let (value, length) = pair_value(text[equals + 1..].trim_start())?;
        let begin = text.len() - text[equals + 1..].trim_start().len();
        let after = begin + length;
        let end = text.len() - text[after..].trim_start().len();
        options.push(Setting { place: at..end, key: text[at..equals].trim().to_owned(), value });
        at = end;
    }
    Some(options)
}

/// The value at the beginning of a text, and how many bytes of the text it takes: up to a space, or between quotes; a backslash stands before
/// what is meant as it is.
fn pair_value(text: &str) -> Option<(String, usize)> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\'' if quoted => return Some((value, at + 1)),
            space if !quoted && space.is_whitespace() => return Some((value, at)),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    (!quoted).then_some((value, text.len()))
}

#[cfg(test)]
mod tests;
