//! Actors on a node with a store: what survives, and what never happened.

mod failures;
mod faulty;
mod kit;
mod mailbox;
mod once;
mod others;
mod outbox;
mod passive;
mod refused;
mod state;
mod through;
mod timers;
mod told;
