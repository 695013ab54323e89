//! What a store on a server has to show: several nodes at one actor, a server that goes away and comes back, replication. Each test has
//! servers of its own.
#![expect(clippy::expect_used, reason = "a test that cannot go on should say where")]

mod arrivals;
mod certificates;
mod clocks;
mod closing;
mod cluster;
mod damage;
mod fight;
mod idle;
mod locks;
mod migrate;
mod quorum;
mod reads;
mod restart;
mod say;
mod tls;
mod way;
