//! Settings and secrets that the operator gives to actors by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use playhouse_crypto::equal_constant_time;
use playhouse_types::{Code, Label, ParseError};
use zeroize::Zeroizing;

/// Bytes of one setting or secret. A certificate chain with its key has some thousand; what is larger is data and belongs into state.
pub const SETTING_BYTES_MAX: usize = 64 << 10;
/// Settings and secrets of one actor, and of one node for all its actors. People write them.
pub const SETTINGS_MAX: usize = 1024;

/// What an operator gives to one actor ([`ActorOptions::settings`](crate::ActorOptions)), or to all of a node
/// ([`NodeBuilder::settings`](crate::NodeBuilder::settings)).
///
/// An actor sees the settings of the node that it has none of its own in place of. Of secrets it sees its own, and those of the
/// node that [`Settings::shared_secret`] names for it: no others exist for it. Actors need the grants `config` and `secrets`.
///
/// Cloning is cheap. Debug output has the names and no values. Secrets are wiped from memory when the last user of them is gone;
/// what an actor copies into its own memory is the actor's.
///
/// ```
/// use playhouse_node::{SettingsError, Settings};
///
/// let settings = Settings::default().with("greeting", "hello")?.with_secret("password", b"open sesame".to_vec())?;
/// assert!(!format!("{settings:?}").contains("sesame"));
/// # Ok::<_, SettingsError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings(Option<Arc<Values>>);

#[derive(Clone, Default, PartialEq, Eq)]
struct Values {
    plain: BTreeMap<Label, Bytes>,
    secret: BTreeMap<Label, SecretValue>,
    /// Secrets of the node that the actor is to have.
    shared: BTreeSet<Label>,
}

/// The bytes of a secret, wiped when the last user of them is gone.
#[derive(Clone)]
struct SecretValue(Arc<Zeroizing<Vec<u8>>>);

impl AsRef<[u8]> for SecretValue {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for SecretValue {
    fn eq(&self, other: &Self) -> bool {
        equal_constant_time(&self.0, &other.0)
    }
}

impl Eq for SecretValue {}

static NONE: LazyLock<Values> = LazyLock::new(Values::default);

impl Settings {
    /// With a setting, in place of the one of that name if there is one.
    ///
    /// # Errors
    /// The name is no label, the value too large, or there are too many.
    pub fn with(mut self, name: &str, value: impl Into<Bytes>) -> Result<Self, SettingsError> {
        let (label, value) = (label(name)?, value.into());
        fits(&label, value.len())?;
        self.values_mut().plain.insert(label, value);
        self.count()
    }

    /// With a secret, in place of the one of that name if there is one. The bytes are wiped in the end, so that only the caller's
    /// own copies of them are left to care for.
    ///
    /// # Errors
    /// As [`Settings::with`].
    pub fn with_secret(mut self, name: &str, value: impl Into<Zeroizing<Vec<u8>>>) -> Result<Self, SettingsError> {
        let (value, label) = (value.into(), label(name)?);
        fits(&label, value.len())?;
        // As many bytes as there are: a vector that grew would have left copies behind.
        self.values_mut().secret.insert(label, SecretValue(Arc::new(value)));
        self.count()
    }

    /// With a secret that the node has for several actors.
    ///
    /// # Errors
    /// As [`Settings::with`].
    pub fn shared_secret(mut self, name: &str) -> Result<Self, SettingsError> {
        let label = label(name)?;
        self.values_mut().shared.insert(label);
        self.count()
    }

    /// The setting of that name.
    pub(crate) fn config(&self, name: &Label) -> Option<Bytes> {
        self.values().plain.get(name).cloned()
    }

    /// A secret, in bytes that are wiped when their last user drops them.
    pub(crate) fn secret(&self, name: &Label) -> Option<Bytes> {
        self.values().secret.get(name).cloned().map(Bytes::from_owner)
    }

    fn values(&self) -> &Values {
        self.0.as_deref().unwrap_or(&NONE)
    }

    fn values_mut(&mut self) -> &mut Values {
        Arc::make_mut(self.0.get_or_insert_default())
    }

    fn count(self) -> Result<Self, SettingsError> {
        let Values { plain, secret, shared } = self.values();
        let found = plain.len() + secret.len() + shared.len();
        if found > SETTINGS_MAX { Err(SettingsError::TooMany { limit: SETTINGS_MAX }) } else { Ok(self) }
    }
}

/// What a node has for its actors.
#[derive(Debug, Default)]
pub(crate) struct NodeSettings {
    all: Settings,
    /// What every actor sees: `all` without the secrets.
    common: Settings,
}

impl From<Settings> for NodeSettings {
    fn from(all: Settings) -> Self {
        let plain = all.values().plain.clone();
        let common = (!plain.is_empty()).then(|| Arc::new(Values { plain, ..Values::default() }));
        Self { all, common: Settings(common) }
    }
}

impl NodeSettings {
    /// What an actor sees that has these settings of its own.
    pub(crate) fn seen_with(&self, own: &Settings) -> Result<Settings, SettingsError> {
        let Some(own) = &own.0 else { return Ok(self.common.clone()) };
        let mut seen = self.common.values().clone();
        seen.plain.extend(own.plain.clone());
        let shared = &self.all.values().secret;
        for name in &own.shared {
            let missing = || SettingsError::NoSharedSecret { name: name.to_string() };
            seen.secret.insert(name.clone(), shared.get(name).ok_or_else(missing)?.clone());
        }
        seen.secret.extend(own.secret.clone());
        Ok(Settings(Some(Arc::new(seen))))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Values { plain, secret, shared } = self.values();
        f.debug_struct("Settings")
            .field("settings", &plain.keys().collect::<Vec<_>>())
            .field("secrets", &secret.keys().collect::<Vec<_>>())
            .field("shared_secrets", shared)
            .finish()
    }
}

fn label(name: &str) -> Result<Label, SettingsError> {
    name.parse().map_err(SettingsError::Name)
}

fn fits(name: &Label, found: usize) -> Result<(), SettingsError> {
    if found > SETTING_BYTES_MAX {
        return Err(SettingsError::TooLarge { name: name.to_string(), found, limit: SETTING_BYTES_MAX });
    }
    Ok(())
}

/// Why settings are not taken. No value is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The name breaks a rule of names.
    #[error("a setting or secret cannot be named so: {0}")]
    Name(#[source] ParseError),
    /// The value is larger than it may be.
    #[error("{name:?} has {found} bytes, the limit is {limit}")]
    TooLarge {
        /// Which.
        name: String,
        /// Bytes that it has.
        found: usize,
        /// Bytes that it may have.
        limit: usize,
    },
    /// There are more settings and secrets than there may be.
    #[error("there are more than {limit} settings and secrets")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The actor is to have a secret of the node, and the node has none of that name. Give it to the node.
    #[error("the actor is to have the node's secret {name:?}, and the node has none of that name")]
    NoSharedSecret {
        /// The name.
        name: String,
    },
}

impl SettingsError {
    /// The code that people and programs tell it by.
    #[must_use]
    pub const fn code(&self) -> Code {
        Code::Config
    }
}

#[cfg(test)]
mod tests;
