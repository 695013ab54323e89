use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use crate::name::{Name, ParseError, Version};

/// A security domain. Actors, policy and secrets belong to exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Realm(u32);

impl Realm {
    /// The realm with this number; every number is a realm.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number of the realm.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// An opaque number that tells instances of one type in one realm apart. An authority issues it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Serial(u64);

impl Serial {
    /// The serial with this number; every number is a serial.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number of the serial.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// What program an actor is: `manufacturer:name:version`. Equality is exact; there are no wildcards.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActorType(Arc<TypeParts>);

#[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
struct TypeParts {
    manufacturer: Name,
    name: Name,
    version: Version,
}

impl ActorType {
    /// Puts a type together from parsed parts.
    #[must_use]
    pub fn new(manufacturer: Name, name: Name, version: Version) -> Self {
        Self(Arc::new(TypeParts { manufacturer, name, version }))
    }

    /// The publisher.
    #[must_use]
    pub fn manufacturer(&self) -> &Name {
        &self.0.manufacturer
    }

    /// The name that the publisher gave.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.0.version
    }
}

impl fmt::Display for ActorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.0.manufacturer, self.0.name, self.0.version)
    }
}

impl fmt::Debug for ActorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for ActorType {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut parts = text.split(':');
        let (Some(manufacturer), Some(name), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ParseError::new("actor type", text, "is not of the form manufacturer:name:version"));
        };
        Ok(Self::new(manufacturer.parse()?, name.parse()?, version.parse()?))
    }
}

/// One running actor: realm, serial and type, issued by an authority. Written `serial@realm/type` with the serial in
/// lower-case hexadecimal, as in `1a2b3c@7/acme:EchoService:1.0.0`. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActorId {
    serial: Serial,
    realm: Realm,
    actor_type: ActorType,
}

impl ActorId {
    /// Puts an id together from its parts.
    #[must_use]
    pub const fn new(realm: Realm, serial: Serial, actor_type: ActorType) -> Self {
        Self { serial, realm, actor_type }
    }

    /// The security domain.
    #[must_use]
    pub const fn realm(&self) -> Realm {
        self.realm
    }

    /// The instance number.
    #[must_use]
    pub const fn serial(&self) -> Serial {
        self.serial
    }

    /// The program.
    #[must_use]
    pub const fn actor_type(&self) -> &ActorType {
        &self.actor_type
    }
}

impl Hash for ActorId {
    /// Serial and realm tell ids apart; hashing the type as well would triple the cost of a table lookup.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.serial.hash(state);
        self.realm.hash(state);
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}@{}/{}", self.serial.0, self.realm.0, self.actor_type)
    }
}

impl fmt::Debug for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for ActorId {
    type Err = ParseError;

    /// Accepts upper-case digits, leading zeros and a leading `+`, as actr 0.3 does; [`fmt::Display`] writes the canonical
    /// form. Compare signed claims with that form, never with what was parsed.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let fail = |rule| ParseError::new("actor id", text, rule);
        let (serial, rest) = text.split_once('@').ok_or_else(|| fail("has no '@' after the serial"))?;
        let (realm, actor_type) = rest.split_once('/').ok_or_else(|| fail("has no '/' after the realm"))?;
        let serial =
            u64::from_str_radix(serial, 16).map_err(|_| fail("has a serial that is not 64-bit hexadecimal"))?;
        let realm = realm.parse().map_err(|_| fail("has a realm that is not a 32-bit decimal number"))?;
        Ok(Self::new(Realm(realm), Serial(serial), actor_type.parse()?))
    }
}

#[cfg(test)]
mod tests;
