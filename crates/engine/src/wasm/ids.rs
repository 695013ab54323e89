use std::fmt::Write as _;
use std::sync::Arc;

use playhouse_types::{ActorId, RequestId};

/// An actor id whose texts can be handed to guests again and again without being copied.
#[derive(Debug, Clone)]
pub(super) struct IdText {
    pub(super) realm: u32,
    pub(super) serial: u64,
    pub(super) manufacturer: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) version: Arc<str>,
}

impl From<&ActorId> for IdText {
    fn from(id: &ActorId) -> Self {
        let ty = id.actor_type();
        Self {
            realm: id.realm().number(),
            serial: id.serial().number(),
            manufacturer: ty.manufacturer().as_str().into(),
            name: ty.name().as_str().into(),
            version: ty.version().as_str().into(),
        }
    }
}

/// A request id as guests see it, in one allocation.
pub(super) fn request_id(id: &RequestId) -> String {
    // Room for an id that this process gave out: `local-` and sixteen digits.
    let mut text = String::with_capacity(22);
    // INVARIANT: writing to a string does not fail.
    let _ = write!(text, "{id}");
    text
}
