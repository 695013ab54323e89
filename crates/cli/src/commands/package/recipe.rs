use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use playhouse_package::{AskedLimit, Extension, PackageConcurrency};
use playhouse_types::{Code, ErrorKind};
use serde::Deserialize;

use crate::error::{CliError, Result};
use crate::files;
use crate::output::nearest;

/// Bytes of a recipe; real ones have one KiB.
const RECIPE_BYTES_MAX: u64 = 1 << 20;

/// Where files go in a package if nobody says.
pub(super) const RESOURCES: &str = "resources/";

/// What a package is made from: a file, the command line, or both.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Recipe {
    pub(super) manufacturer: Option<String>,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) binary: Option<PathBuf>,
    pub(super) target: Option<String>,
    pub(super) kind: Option<String>,
    /// Proto files, each as `PATH` or `NAME=PATH`.
    pub(super) protos: Vec<String>,
    /// Other files, each as `PATH` or `PATH_IN_PACKAGE=PATH`.
    pub(super) resources: Vec<String>,
    pub(super) lock: Option<PathBuf>,
    #[serde(flatten)]
    pub(super) about: About,
}

/// What a package says of itself.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct About {
    pub(super) description: Option<String>,
    pub(super) license: Option<String>,
    /// Host operations that it asks for. An empty list asks for none at all, no list for what actr 0.3 gives.
    pub(super) grants: Option<Vec<String>>,
    pub(super) concurrency: Option<String>,
    /// What it needs at most.
    pub(super) limits: BTreeMap<String, u64>,
}

impl Recipe {
    /// Reads a recipe. Paths in it become relative to the working directory.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = files::read_text(path, RECIPE_BYTES_MAX, Code::Config)?;
        let mut recipe: Self = toml::from_str(&text).map_err(|error| {
            let message = format!("{}: {}", path.display(), error.to_string().trim_end());
            CliError::new(Code::Config, ErrorKind::InvalidArgument, message)
        })?;
        let base = path.parent().unwrap_or(Path::new(""));
        for file in recipe.binary.iter_mut().chain(recipe.lock.iter_mut()) {
            *file = base.join(&*file);
        }
        for (entries, folder) in [(&mut recipe.protos, ""), (&mut recipe.resources, RESOURCES)] {
            for entry in entries {
                let (name, file) = split(entry, folder);
                *entry = format!("{name}={}", base.join(file).display());
            }
        }
        Ok(recipe)
    }

    /// This recipe with what another one says in addition or instead.
    pub(super) fn overridden_by(self, other: Self) -> Self {
        Self {
            manufacturer: other.manufacturer.or(self.manufacturer),
            name: other.name.or(self.name),
            version: other.version.or(self.version),
            binary: other.binary.or(self.binary),
            target: other.target.or(self.target),
            kind: other.kind.or(self.kind),
            protos: [self.protos, other.protos].concat(),
            resources: [self.resources, other.resources].concat(),
            lock: other.lock.or(self.lock),
            about: About {
                description: other.about.description.or(self.about.description),
                license: other.about.license.or(self.about.license),
                grants: match (self.about.grants, other.about.grants) {
                    (Some(one), Some(more)) if !more.is_empty() => Some([one, more].concat()),
                    (one, more) => more.or(one),
                },
                concurrency: other.about.concurrency.or(self.about.concurrency),
                limits: self.about.limits.into_iter().chain(other.about.limits).collect(),
            },
        }
    }
}

impl About {
    /// What only Playhouse reads.
    pub(super) fn extension(&self) -> Result<Extension> {
        let mut extension = Extension::default();
        extension.grants.clone_from(&self.grants);
        extension.limits = self.limits.iter().map(limit).collect::<Result<_>>()?;
        extension.concurrency = self.concurrency.as_deref().map(concurrency).transpose()?;
        Ok(extension)
    }
}

fn limit((name, number): (&String, &u64)) -> Result<(AskedLimit, u64)> {
    let known = || AskedLimit::ALL.iter().map(|limit| limit.name());
    let limit = AskedLimit::from_name(name).ok_or_else(|| {
        let fix = nearest(name, known()).map_or_else(
            || format!("There are {}.", known().collect::<Vec<_>>().join(", ")),
            |near| format!("Did you mean {near}?"),
        );
        CliError::usage(format!("there is no limit {name:?}")).fix(fix)
    })?;
    Ok((limit, *number))
}

/// `serial`, `concurrent=8`, `keyed=sender` or `keyed=order.customer`.
fn concurrency(text: &str) -> Result<PackageConcurrency> {
    let parsed = match text.split_once('=') {
        None => (text == "serial").then_some(PackageConcurrency::Serial),
        Some(("concurrent", number)) => number.parse().ok().map(PackageConcurrency::Concurrent),
        Some(("keyed", "sender")) => Some(PackageConcurrency::KeyedBySender),
        Some(("keyed", field)) => Some(PackageConcurrency::KeyedByField(field.to_owned())),
        Some(_) => None,
    };
    parsed.ok_or_else(|| {
        CliError::usage(format!(
            "{text:?} is no concurrency; it is `serial`, `concurrent=8`, `keyed=sender` or `keyed=FIELD`"
        ))
    })
}

/// The name in the package and the file of an entry `PATH` or `NAME=PATH`. Without a name, it is that of the file in `folder`.
pub(super) fn split(entry: &str, folder: &str) -> (String, PathBuf) {
    if let Some((name, path)) = entry.split_once('=') {
        return (name.to_owned(), path.into());
    }
    let path = PathBuf::from(entry);
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    (format!("{folder}{file}"), path)
}

#[cfg(test)]
mod tests;
