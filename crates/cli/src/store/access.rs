use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use playhouse_store::Store;
use playhouse_types::{Code, ErrorKind, Name};
use serde::de::DeserializeOwned;

use super::inspect::{self, Ended};
use super::location::Location;
use super::open;
use super::records::StoreRequest;
use crate::control::client::Client;
use crate::control::protocol::Request;
use crate::error::{CliError, Result};
use crate::paths::Paths;

/// Which store.
#[derive(Debug, Args)]
pub(crate) struct StoreArg {
    /// A store that no node has open: a folder, or a server's URL. Without it, that of the node.
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// The node's name.
    #[arg(long, value_name = "NAME", default_value = "default", env = "PLAYHOUSE_NODE")]
    node: Name,
}

/// A way to a store.
pub(crate) enum Access {
    /// The node that has it open.
    Node(Client),
    /// The store itself, which no node has open.
    Store(Arc<dyn Store>),
}

impl StoreArg {
    /// The node if it runs, or else its store.
    pub(crate) fn access(&self) -> Result<Access> {
        if self.store.is_some() {
            return self.open().map(Access::Store);
        }
        match Client::connect(&Paths::from_env()?, &self.node) {
            Ok(client) => Ok(Access::Node(client)),
            Err(error) if is_absent(&error) => self.open().map(Access::Store),
            Err(error) => Err(error),
        }
    }

    /// The store, for what can be done only while no node has it open.
    pub(crate) fn open(&self) -> Result<Arc<dyn Store>> {
        open::existing(&self.location()?)
    }

    /// Where the store is.
    pub(crate) fn location(&self) -> Result<Location> {
        let Some(text) = &self.store else { return Ok(Location::last_of(&Paths::from_env()?, &self.node)) };
        let Ok(location) = text.parse();
        Ok(location)
    }

    /// The node whose store it is.
    pub(crate) fn node(&self) -> &Name {
        &self.node
    }

    /// The folder of the store.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        match self.location()? {
            Location::Folder(folder) => Ok(folder),
            other => {
                let message = format!("{other} is not a folder");
                Err(CliError::new(Code::StoreUnsupported, ErrorKind::InvalidArgument, message))
            }
        }
    }
}

fn is_absent(error: &CliError) -> bool {
    error.document().is_some_and(|document| {
        document.error.code == Code::NodeNotRunning.text() && document.error.kind == ErrorKind::NotFound.name()
    })
}

impl Access {
    /// Asks, and hands each answer to `take`.
    pub(crate) fn ask_many<T: DeserializeOwned>(
        &mut self,
        request: StoreRequest,
        mut take: impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Node(client) => client.ask_many(&Request::Store(request), take),
            Self::Store(store) => {
                let mut taken = Ok(());
                let answered = inspect::answer(&**store, request, &mut |value| {
                    taken = serde_json::from_value(value).map_err(|error| garbled(&error)).and_then(&mut take);
                    taken.is_ok()
                });
                match answered {
                    Ok(()) | Err(Ended::Gone) => taken,
                    Err(Ended::Failed(error)) => Err(error.into()),
                }
            }
        }
    }

    /// Asks, and returns all answers.
    pub(crate) fn ask_all<T: DeserializeOwned>(&mut self, request: StoreRequest) -> Result<Vec<T>> {
        let mut all = Vec::new();
        self.ask_many(request, |answer| {
            all.push(answer);
            Ok(())
        })?;
        Ok(all)
    }

    /// Asks what has one answer at the most.
    pub(crate) fn ask_one<T: DeserializeOwned>(&mut self, request: StoreRequest) -> Result<Option<T>> {
        Ok(self.ask_all(request)?.pop())
    }
}

fn garbled(error: &serde_json::Error) -> CliError {
    CliError::new(Code::Unspecified, ErrorKind::DecodeFailure, format!("the answer cannot be understood: {error}"))
}

/// How long a lease lasts that a command takes to change something: it renews none, and no change takes longer.
pub(crate) const LEASE: Duration = Duration::from_secs(60);
