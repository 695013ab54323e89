//! What a store on a server has to show: several nodes at one actor, a server that goes away and comes back, replication. Each test has
//! servers of its own.
#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

mod certificates;
mod cluster;
mod damage;
mod fight;
mod migrate;
mod quorum;
mod restart;
mod say;
mod tls;
