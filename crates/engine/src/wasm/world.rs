use super::actr::asynchronous;
use super::outline::Outline;
use super::playhouse::operations;
use super::refusal::Refusal;
use super::{actr, keyvalue, playhouse};

/// Packages of WASI whose interfaces are offered, all at version 0.2.
const WASI: [&str; 6] = ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random", "wasi:sockets"];

/// How a component says it is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `playhouse:actor@0.1.0`.
    Playhouse,
    /// `actr:workload@0.1.0` with functions that are synchronous inside as well.
    ActrPlain,
    /// `actr:workload@0.1.0` as actr 0.3 makes it: synchronous types, asynchronous inside.
    ActrLifted,
    /// `actr:workload@0.2.0`.
    ActrAsync,
}

impl Kind {
    /// Tells by the exports, the newest world first.
    pub(super) fn of(outline: &Outline) -> Result<Self, Refusal> {
        if outline.exports(playhouse::EXPORT) {
            Ok(Self::Playhouse)
        } else if outline.exports(asynchronous::EXPORT_2) {
            Ok(Self::ActrAsync)
        } else if outline.exports(actr::EXPORT) {
            Ok(if outline.asynchronous { Self::ActrLifted } else { Self::ActrPlain })
        } else {
            Err(Refusal::World { exports: listed(&outline.exports) })
        }
    }

    /// Refuses imports that no host of this world offers.
    pub(super) fn check_imports(self, outline: &Outline) -> Result<(), Refusal> {
        let offered = match self {
            Self::Playhouse => [playhouse::IMPORTS, operations::NAMES, keyvalue::NAMES],
            Self::ActrPlain | Self::ActrLifted => [actr::IMPORTS, operations::NAMES, keyvalue::NAMES],
            Self::ActrAsync => [asynchronous::IMPORTS_2, operations::NAMES, keyvalue::NAMES],
        };
        let offered = |name: &str| offered.iter().any(|names| names.contains(&name)) || is_wasi(name);
        match outline.imports.iter().find(|name| !offered(name)) {
            Some(name) => Err(Refusal::Import { name: printable(name) }),
            None => Ok(()),
        }
    }
}

fn is_wasi(name: &str) -> bool {
    let Some((interface, version)) = name.split_once('@') else { return false };
    let Some((package, _)) = interface.split_once('/') else { return false };
    WASI.contains(&package) && version.starts_with("0.2.")
}

/// Names that an error shows.
const NAMES_MAX: usize = 8;

fn listed(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(NAMES_MAX).map(|name| printable(name)).collect();
    match names.len() {
        0 => "none".to_owned(),
        n if n > NAMES_MAX => format!("{} and {} more", shown.join(", "), n - NAMES_MAX),
        _ => shown.join(", "),
    }
}

fn printable(name: &str) -> String {
    const CHARS_MAX: usize = 100;
    name.chars().take(CHARS_MAX).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests;
