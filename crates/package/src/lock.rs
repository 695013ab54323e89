use std::collections::BTreeMap;

use playhouse_types::{ActorType, Code};
use serde::Deserialize;

/// The dependencies of a package: which types its workload asks for, and what they looked like when it was built.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LockFile {
    /// The dependencies in the order of the file.
    pub dependencies: Vec<Dependency>,
}

/// One dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dependency {
    /// The service's name.
    pub name: String,
    /// The type that serves it.
    pub actor_type: ActorType,
    /// The service fingerprint, an opaque text.
    pub fingerprint: String,
    /// The proto files that were there: path to fingerprint.
    pub files: BTreeMap<String, String>,
}

/// Which rule a lock file breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The file is not UTF-8.
    #[error("lock file is not UTF-8")]
    NotUtf8,
    /// The file is not TOML, a key is missing, or a value has another type than it should.
    #[error("lock file line {line}: {message}")]
    Syntax {
        /// Where, counted from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A type is malformed.
    #[error("lock file: dependency {name:?}: {rule}")]
    ActorType {
        /// The dependency.
        name: String,
        /// The rule.
        rule: playhouse_types::ParseError,
    },
    /// Two dependencies have the same name.
    #[error("lock file: dependency {name:?} is listed twice")]
    Duplicate {
        /// The name.
        name: String,
    },
}

impl LockError {
    /// The code that people and programs tell it by.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code::PackageManifest
    }
}

/// Keys that start with `_` must be there, though nothing reads them.
#[derive(Deserialize)]
struct RawLock {
    #[serde(rename = "metadata")]
    _metadata: Option<RawMetadata>,
    #[serde(default)]
    dependency: Vec<RawDependency>,
}

#[derive(Deserialize)]
struct RawMetadata {
    #[serde(rename = "version")]
    _version: i64,
    #[serde(rename = "generated_at")]
    _generated_at: String,
}

#[derive(Deserialize)]
struct RawDependency {
    name: String,
    actr_type: String,
    fingerprint: String,
    #[serde(rename = "cached_at")]
    _cached_at: String,
    files: Vec<RawFile>,
}

#[derive(Deserialize)]
struct RawFile {
    path: String,
    fingerprint: String,
}

impl LockFile {
    /// Parses the bytes of a `manifest.lock.toml`.
    ///
    /// # Errors
    /// Names the rule that the file breaks.
    pub fn parse(bytes: &[u8]) -> Result<Self, LockError> {
        let text = str::from_utf8(bytes).map_err(|_| LockError::NotUtf8)?;
        let raw: RawLock = toml::from_str(text).map_err(|error| crate::syntax::locate(text, &error))?;
        let dependencies = raw.dependency.into_iter().map(Dependency::parse).collect::<Result<Vec<_>, _>>()?;
        let mut names = std::collections::HashSet::new();
        if let Some(twice) = dependencies.iter().find(|dependency| !names.insert(&dependency.name)) {
            return Err(LockError::Duplicate { name: twice.name.clone() });
        }
        Ok(Self { dependencies })
    }

    /// The dependency that answers for a type: the one whose name is the text of the type, else the one with that type.
    #[must_use]
    pub fn find(&self, actor_type: &ActorType) -> Option<&Dependency> {
        let text = actor_type.to_string();
        let by_name = self.dependencies.iter().find(|dependency| dependency.name == text);
        by_name.or_else(|| self.dependencies.iter().find(|dependency| dependency.actor_type == *actor_type))
    }
}

impl From<crate::syntax::Located> for LockError {
    fn from(located: crate::syntax::Located) -> Self {
        Self::Syntax { line: located.line, message: located.message }
    }
}

impl Dependency {
    fn parse(raw: RawDependency) -> Result<Self, LockError> {
        let rule = |rule| LockError::ActorType { name: raw.name.clone(), rule };
        let actor_type = raw.actr_type.parse().map_err(rule)?;
        let files = raw.files.into_iter().map(|file| (file.path, file.fingerprint)).collect();
        Ok(Self { name: raw.name, actor_type, fingerprint: raw.fingerprint, files })
    }
}

#[cfg(test)]
mod tests;
