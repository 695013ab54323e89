use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::Deserialize;

use super::ManifestError;
use super::asked::{self, AskedLimit};

/// How many events a workload handles at a time, as its package declares. Engines may do less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageConcurrency {
    /// One after the other.
    Serial,
    /// This many at a time.
    Concurrent(NonZeroU32),
    /// One at a time for each sender.
    KeyedBySender,
    /// One at a time for each value of a field of the request message: names separated by dots.
    KeyedByField(String),
}

impl PackageConcurrency {
    /// The largest number that a package may ask for. More would be a mailbox and not concurrency.
    pub const CONCURRENT_MAX: u32 = 4096;
    /// Bytes in a field path: 8 names of protobuf's customary 64.
    const FIELD_BYTES_MAX: usize = 512;

    fn parse(raw: RawConcurrency) -> Option<Self> {
        match raw {
            RawConcurrency::Word(word) => (word == "serial").then_some(Self::Serial),
            RawConcurrency::Table(RawTable { concurrent: Some(n), keyed: None }) => {
                let n = u32::try_from(n).ok().filter(|n| *n <= Self::CONCURRENT_MAX)?;
                NonZeroU32::new(n).map(Self::Concurrent)
            }
            RawConcurrency::Table(RawTable { concurrent: None, keyed: Some(key) }) => match key.as_str() {
                "sender" => Some(Self::KeyedBySender),
                field => is_field_path(field).then_some(Self::KeyedByField(key)),
            },
            RawConcurrency::Table(_) => None,
        }
    }
}

fn is_field_path(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    text.len() <= PackageConcurrency::FIELD_BYTES_MAX && text.split('.').all(is_name)
}

/// The table `[x_playhouse]` of a manifest: what only Playhouse reads. Readers of actr 0.3 ignore it, and it is signed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Extension {
    /// The permissions that the package asks for. Asking does not grant. An empty list asks for none at all; where there is no list,
    /// the package was made for actr 0.3 and asks for what that gives.
    pub grants: Option<Vec<String>>,
    /// The concurrency that the workload is made for.
    pub concurrency: Option<PackageConcurrency>,
    /// What the workload needs at most, in the unit of the limit's name. It gets that much and no more; a node that gives less refuses
    /// the package. What is not asked for is as the node says.
    pub limits: BTreeMap<AskedLimit, u64>,
}

impl Extension {
    /// Grants that a package may ask for. There are fewer host operations.
    pub const GRANTS_MAX: usize = 64;
    /// Bytes in one grant.
    pub const GRANT_BYTES_MAX: usize = 256;

    pub(super) fn parse(raw: RawExtension) -> Result<Self, ManifestError> {
        let is_bad = |grant: &String| grant.is_empty() || grant.len() > Self::GRANT_BYTES_MAX;
        let grants = raw.grants.iter().flatten();
        if grants.clone().count() > Self::GRANTS_MAX || grants.clone().any(is_bad) {
            return Err(ManifestError::Grants { count: Self::GRANTS_MAX, bytes: Self::GRANT_BYTES_MAX });
        }
        let wrong = ManifestError::Concurrency { limit: PackageConcurrency::CONCURRENT_MAX };
        let concurrency = raw.concurrency.map(|raw| PackageConcurrency::parse(raw).ok_or(wrong)).transpose()?;
        Ok(Self { grants: raw.grants, concurrency, limits: asked::parse(&raw.limits)? })
    }
}

#[derive(Deserialize, Default)]
pub(super) struct RawExtension {
    grants: Option<Vec<String>>,
    concurrency: Option<RawConcurrency>,
    #[serde(default)]
    limits: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawConcurrency {
    Word(String),
    Table(RawTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    concurrent: Option<i64>,
    keyed: Option<String>,
}
