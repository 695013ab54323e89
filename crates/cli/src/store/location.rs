use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use playhouse_types::{Code, Name};
use zeroize::Zeroizing;

use crate::error::{CliError, Result};
use crate::files::{self, Replace};
use crate::paths::{Paths, private_dir};

/// Where a node keeps what it must not lose.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// Nowhere: actors have no state and no timers.
    None,
    /// In memory, until the node ends.
    Memory,
    /// In a folder.
    Folder(PathBuf),
    /// On a Postgres server, by its URL, which may have a password in it.
    Postgres(Zeroizing<String>),
}

/// The file in a node's directory that says where its store was when it ran last, so that commands find it when it does not run.
const LAST: &str = "last-store";

impl Location {
    /// The store of a node that says nothing.
    pub(crate) fn default_of(paths: &Paths, node: &Name) -> Self {
        Self::Folder(paths.node_dir(node).join("store"))
    }

    /// Where the node of that name kept what it kept when it ran last.
    pub(crate) fn last_of(paths: &Paths, node: &Name) -> Self {
        let last = fs::read_to_string(paths.node_dir(node).join(LAST)).ok();
        last.and_then(|text| text.trim_end().parse().ok()).unwrap_or_else(|| Self::default_of(paths, node))
    }

    /// Makes [`last_of`](Self::last_of) find this, but for the password in a server's URL, which is not written down. What leaves nothing behind is
    /// not remembered: what there was before is there still.
    pub(crate) fn remember(&self, paths: &Paths, node: &Name) -> Result<()> {
        if matches!(self, Self::Memory | Self::None) {
            return Ok(());
        }
        let dir = paths.node_dir(node);
        private_dir(&dir)?;
        let file = dir.join(LAST);
        let text = match self {
            Self::Folder(folder) => absolute(folder)?.display().to_string(),
            Self::Memory | Self::None | Self::Postgres(_) => self.to_string(),
        };
        files::write(&file, format!("{text}\n").as_bytes(), 0o600, Replace::Yes)
            .map_err(|error| CliError::io(Code::Config, format_args!("cannot write {}", file.display()), &error))
    }

    /// The same place, a relative folder taken from `base`.
    pub(crate) fn relative_to(self, base: &Path) -> Self {
        match self {
            Self::Folder(folder) => Self::Folder(base.join(folder)),
            other => other,
        }
    }
}

/// A path that means the same to another process.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path)
        .map_err(|error| CliError::io(Code::Usage, format_args!("cannot use {}", path.display()), &error))
}

impl FromStr for Location {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "none" => Self::None,
            "memory" => Self::Memory,
            // Whoever mistypes a URL does not mean a folder of that name.
            url if ["postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme)) || url.contains("://") => {
                Self::Postgres(Zeroizing::new(url.to_owned()))
            }
            folder => Self::Folder(PathBuf::from(folder)),
        })
    }
}

impl<'de> serde::Deserialize<'de> for Location {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Ok(location) = String::deserialize(deserializer)?.parse();
        Ok(location)
    }
}

impl fmt::Display for Location {
    /// Without what may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Memory => f.write_str("memory"),
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Postgres(url) => f.write_str(&without_secrets(url)),
        }
    }
}

/// What may stand in the query of a server's URL and is no secret. Whatever else does may be one.
const OPEN_OPTIONS: [&str; 12] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "danger_plaintext",
    "dbname",
    "host",
    "hostaddr",
    "port",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "user",
];

/// A server's URL without its password.
fn without_secrets(url: &str) -> String {
    let begin = url.find("://").map_or_else(|| url.find(':').map_or(0, |at| at + 1), |at| at + "://".len());
    let (scheme, rest) = url.split_at(begin);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    // What stands before an `@` may be a password, whatever is in it.
    if query.contains('@') {
        return format!("{scheme}…");
    }
    let (user, server) = match place.rsplit_once('@') {
        Some((who, server)) => (who.split(':').next().unwrap_or_default(), server),
        None => ("", place),
    };
    let at = if user.is_empty() { "" } else { "@" };
    let open = |option: &&str| OPEN_OPTIONS.contains(&option.split('=').next().unwrap_or_default());
    let options: Vec<&str> = query.split('&').filter(open).collect();
    let mark = if options.is_empty() { "" } else { "?" };
    format!("{scheme}{user}{at}{server}{mark}{}", options.join("&"))
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Location;
    use crate::paths::Paths;

    #[test]
    fn places_are_read_and_shown_without_passwords() {
        for (text, shown) in [
            ("none", "none"),
            ("memory", "memory"),
            ("./memory", "./memory"),
            ("/var/lib/x", "/var/lib/x"),
            ("postgres://me:canary@db/x", "postgres://me@db/x"),
            ("postgres://me:canary@canary@db/x", "postgres://me@db/x"),
            ("postgres://me@db:5433,db2/x", "postgres://me@db:5433,db2/x"),
            ("postgres://:canary@db/x", "postgres://db/x"),
            ("postgresql://db/x", "postgresql://db/x"),
            ("postgres:/me:canary@db/x", "postgres:/me@db/x"),
            ("mysql://me:canary@db/x", "mysql://me@db/x"),
            ("postgres:///x?password=canary&user=me&host=/run/a", "postgres:///x?user=me&host=/run/a"),
            ("postgres://db/x?password=can@ry", "postgres://…"),
            ("postgres://me:can?ary@db/x", "postgres://…"),
            ("postgres://me:can/ary@db/x", "postgres://me@db/x"),
            ("postgres://db/x?sslmode=verify-full&sslpassword=canary", "postgres://db/x?sslmode=verify-full"),
        ] {
            let location: Location = text.parse().unwrap();
            assert_eq!((location.to_string(), format!("{location:?}")), (shown.to_owned(), shown.to_owned()));
        }
    }

    #[test]
    fn the_place_of_a_node_is_remembered() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        let paths = Paths { config: at("c"), cache: at("k"), runtime: at("r"), state: at("s") };
        let node = "default".parse().unwrap();
        assert_eq!(Location::last_of(&paths, &node), Location::Folder(at("s/nodes/default/store")));
        for (location, found) in [
            (Location::Folder(at("data")), Location::Folder(at("data"))),
            (Location::Memory, Location::Folder(at("data"))),
            (Location::None, Location::Folder(at("data"))),
            ("postgres://me:canary@db/x".parse().unwrap(), "postgres://me@db/x".parse().unwrap()),
        ] {
            location.remember(&paths, &node).unwrap();
            assert_eq!(Location::last_of(&paths, &node), found);
        }
    }
}
