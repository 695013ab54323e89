use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use playhouse_store::Store;
use playhouse_types::{Code, ErrorKind, Name};
use serde::de::DeserializeOwned;

use super::edit::{Editor, Right};
use super::inspect::{self, Ended};
use super::location::Location;
use super::records::StoreRequest;
use super::{open, owner};
use crate::control::client::{Client, is_absent};
use crate::control::protocol::Request;
use crate::error::{CliError, Result};
use crate::paths::Paths;

/// Which store.
#[derive(Debug, Args)]
pub(crate) struct StoreArg {
    /// A store that no node has open: a folder, or a Postgres server's URL. Without it, that of the node: if it does not run,
    /// PLAYHOUSE_STORE, or the one that it had when it ran last.
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// The node's name.
    #[arg(long, value_name = "NAME", default_value = "default", env = "PLAYHOUSE_NODE")]
    node: Name,
}

/// The environment variable that may say where the store is, as for `playhouse run`.
pub(crate) const VARIABLE: &str = "PLAYHOUSE_STORE";

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
        if self.given().is_some() {
            return self.open().map(Access::Store);
        }
        match Client::connect(&Paths::from_env()?, &self.node) {
            Ok(client) => Ok(Access::Node(client)),
            Err(error) if is_absent(&error) => self.open().map(Access::Store),
            Err(error) => Err(error),
        }
    }

    /// The store, for what can be done only while no node has it open.
    pub(crate) fn open_alone(&self) -> Result<Arc<dyn Store>> {
        let alone = |error: CliError| match error.code() {
            Some(Code::StoreLocked) if !error.advises(open::TRY_AGAIN) => {
                error.fix("This is done only while no node has the store open: `playhouse stop --all` ends yours.")
            }
            _ => error,
        };
        open::existing(&self.location()?).map_err(alone)
    }

    /// The store that is named. A variable of a script that is empty names none.
    fn given(&self) -> Option<&str> {
        self.store.as_deref().filter(|text| !text.is_empty())
    }

    fn open(&self) -> Result<Arc<dyn Store>> {
        open::existing(&self.location()?)
    }

    /// Where the store is.
    pub(crate) fn location(&self) -> Result<Location> {
        let set = || std::env::var(VARIABLE).ok().filter(|text| !text.is_empty());
        match self.given().map(str::to_owned).or_else(set) {
            Some(text) => {
                let Ok(location) = text.parse();
                Ok(location)
            }
            None => self.last(),
        }
    }

    /// Where the node has its store, or had it when it ran last.
    pub(crate) fn last(&self) -> Result<Location> {
        Ok(Location::last_of(&Paths::from_env()?, &self.node))
    }

    /// What was reached, for people.
    pub(crate) fn place(&self, access: &Access) -> Result<String> {
        Ok(match access {
            Access::Node(client) => format!("node {}", client.node().node),
            Access::Store(_) => self.location()?.to_string(),
        })
    }

    /// An actor of the store, to be changed while no node runs it.
    pub(crate) fn edit(&self, actor: &str) -> Result<Editor> {
        let location = self.location()?;
        let store = self.open_alone()?;
        Editor::open(store, self.right(&location)?, actor)
    }

    fn right(&self, location: &Location) -> Result<Right> {
        let paths = Paths::from_env()?;
        match location {
            Location::Postgres(_) => match Client::connect(&paths, &self.node) {
                Err(error) if is_absent(&error) => {
                    Ok(owner::name(location, &paths, &self.node)?.map_or(Right::None, Right::Of))
                }
                _ => Ok(Right::None),
            },
            // It is locked, or was made just now.
            Location::Folder(_) | Location::Memory | Location::None => Ok(Right::Sole),
        }
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
                let fix = match &other {
                    Location::Postgres(_) => {
                        "On a server this is done by Postgres' own programs: `pg_dump -n playhouse`, `pg_restore`, `pg_amcheck`."
                    }
                    _ => "Name a folder with `--store DIR`.",
                };
                Err(CliError::new(Code::StoreUnsupported, ErrorKind::InvalidArgument, message).fix(fix))
            }
        }
    }
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
