//! Actors on a node with a store: what survives, and what never happened.

mod kit;
mod mailbox;
mod state;
