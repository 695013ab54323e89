//! The WIT texts of the worlds that components may implement.

/// The package `playhouse:actor`: plain and synchronous, so that the tools of every language can build it.
pub const PLAYHOUSE_ACTOR: &str = include_str!("../wit/playhouse/actor.wit");
