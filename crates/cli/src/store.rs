//! How commands reach what a node keeps: through the node if it runs, else in its store.

pub(crate) mod access;
pub(crate) mod edit;
pub(crate) mod inspect;
pub(crate) mod keys;
pub(crate) mod letters;
pub(crate) mod location;
pub(crate) mod master;
pub(crate) mod open;
pub(crate) mod owner;
pub(crate) mod records;
pub(crate) mod select;
