//! The store from outside: one suite for every back end, and what only a store on a disk has to show.
#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

mod conformance;
mod damage;
mod files;
mod fixture;
mod model;
mod pipeline;
mod support;
