//! What a store on a server has to show: several nodes at one actor, a server that goes away and comes back, replication. Each test has
//! servers of its own.

mod cluster;
mod damage;
mod fight;
mod migrate;
mod quorum;
mod restart;
mod say;
