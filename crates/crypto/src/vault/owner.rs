use std::fmt;

use playhouse_types::{ActorId, Name, Realm, Serial};

/// Whose a key is: what stays of an actor's id when its program gets another version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyOwner {
    /// The security domain.
    pub realm: Realm,
    /// The number of the actor.
    pub serial: Serial,
    /// The publisher of its program.
    pub manufacturer: Name,
    /// The program, without its version.
    pub type_name: Name,
}

impl From<&ActorId> for KeyOwner {
    fn from(id: &ActorId) -> Self {
        let kind = id.actor_type();
        let (manufacturer, type_name) = (kind.manufacturer().clone(), kind.name().clone());
        Self { realm: id.realm(), serial: id.serial(), manufacturer, type_name }
    }
}

impl fmt::Display for KeyOwner {
    /// As an actor id without a version. Records are bound to this text: it never changes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { realm, serial, manufacturer, type_name } = self;
        write!(f, "{:x}@{}/{manufacturer}:{type_name}", serial.number(), realm.number())
    }
}
