use clap::Args;
use playhouse_types::Name;

use crate::control::client::Client;
use crate::error::Result;
use crate::paths::Paths;

/// Which node of this user.
#[derive(Debug, Args)]
pub(crate) struct NodeArg {
    /// The node's name.
    #[arg(long, value_name = "NAME", default_value = "default", env = "PLAYHOUSE_NODE")]
    pub(crate) node: Name,
}

impl NodeArg {
    /// Connects to it, also if it was started a moment ago.
    pub(crate) fn connect(&self) -> Result<Client> {
        Client::connect_soon(&Paths::from_env()?, &self.node)
    }

    /// Connects to it if it is there.
    pub(crate) fn connect_now(&self) -> Result<Client> {
        Client::connect(&Paths::from_env()?, &self.node)
    }
}
