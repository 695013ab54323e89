//! What a node keeps for its actors, and what it gives them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use playhouse_store::Durability;
use playhouse_types::RouteKey;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// What survives what: one class for everything, or more exactly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DurabilityConfig {
    pub(crate) tells: Option<Class>,
    pub(crate) effects: Option<Class>,
    /// Both, for messages of these routes.
    pub(crate) routes: BTreeMap<RouteName, Class>,
}

impl<'de> Deserialize<'de> for DurabilityConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;

        impl<'de> Visitor<'de> for Form {
            type Value = DurabilityConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a class, or a table with `tells`, `effects` and `routes`")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
                let class = Class::parse(word).map_err(E::custom)?;
                Ok(DurabilityConfig { tells: Some(class), effects: Some(class), ..DurabilityConfig::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let exact = Exact::deserialize(MapAccessDeserializer::new(map))?;
                Ok(DurabilityConfig { tells: exact.tells, effects: exact.effects, routes: exact.routes })
            }
        }

        deserializer.deserialize_any(Form)
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Exact {
    tells: Option<Class>,
    effects: Option<Class>,
    routes: BTreeMap<RouteName, Class>,
}

/// A class of durability by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class(pub(crate) Durability);

impl Class {
    pub(crate) fn parse(word: &str) -> Result<Self, String> {
        let known = Durability::from_name(word).map(Self);
        known.ok_or_else(|| format!("unknown class {word:?}, expected one of `memory`, `fsync`, `quorum`"))
    }
}

impl<'de> Deserialize<'de> for Class {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// A method, such as `counter.CounterService.Add`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RouteName(pub(crate) String);

impl RouteName {
    /// The route. The name was read as one.
    pub(crate) fn route(&self) -> Option<RouteKey> {
        self.0.parse().ok()
    }
}

impl<'de> Deserialize<'de> for RouteName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<RouteKey>().map_err(D::Error::custom)?;
        Ok(Self(text))
    }
}

/// What an actor may keep. What is absent keeps its default.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct QuotaConfig {
    pub(crate) state_keys: Option<u64>,
    pub(crate) state_bytes: Option<u64>,
    pub(crate) timers: Option<u64>,
    pub(crate) outbox: Option<u64>,
    pub(crate) sealed_keys: Option<u64>,
    /// Messages that may wait in the store.
    pub(crate) stored_messages: Option<u64>,
    /// Bytes of these.
    pub(crate) stored_bytes: Option<u64>,
}

/// A setting: text, or a number or a truth value, which actors see as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting(pub(crate) String);

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Self(text)),
            value @ (toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_)) => {
                Ok(Self(value.to_string()))
            }
            other => {
                Err(D::Error::custom(format!("a setting is text, a number or a truth value, not {}", other.type_str())))
            }
        }
    }
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretSource {
    /// In this environment variable.
    Env(String),
    /// In this file, whole, but for a line end at its end; relative to the configuration.
    File(PathBuf),
    /// Among the secrets of the node.
    Shared,
    /// In the configuration, where it must not be; or nowhere. Refused where no error can show what stood there.
    Wrong,
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Never an error: it would show the line, and so perhaps the secret.
        Ok(match toml::Value::deserialize(deserializer)? {
            toml::Value::Table(table) if table.len() == 1 => match table.iter().next() {
                Some((key, toml::Value::String(name))) if key == "env" => Self::Env(name.clone()),
                Some((key, toml::Value::String(path))) if key == "file" => Self::File(path.into()),
                Some((key, toml::Value::Boolean(true))) if key == "shared" => Self::Shared,
                _ => Self::Wrong,
            },
            _ => Self::Wrong,
        })
    }
}

/// A length of time such as `10m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::time::parse_duration(&String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}
