//! The store from outside: one suite for every back end, and what only a store on a disk has to show.

mod conformance;
mod files;
mod fixture;
mod model;
mod support;
