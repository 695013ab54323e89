/// A realm.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct Realm {
    /// Its number; required.
    #[prost(uint32, optional, tag = "1")]
    pub realm_id: Option<u32>,
}

/// The type of an actor.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct ActrType {
    /// Who published it.
    #[prost(string, required, tag = "1")]
    pub manufacturer: String,
    /// The name that the publisher gave.
    #[prost(string, required, tag = "2")]
    pub name: String,
    /// The version, exact.
    #[prost(string, required, tag = "3")]
    pub version: String,
}

/// The identity of one actor.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct ActrId {
    /// Its realm; required.
    #[prost(message, optional, tag = "1")]
    pub realm: Option<Realm>,
    /// Its number; required.
    #[prost(uint64, optional, tag = "2")]
    pub serial_number: Option<u64>,
    /// Its type; required.
    #[prost(message, optional, tag = "3")]
    pub r#type: Option<ActrType>,
}
