//! What tests and fuzzers share. Not part of the API.

mod mailbox_model;

pub use mailbox_model::check_mailbox;
