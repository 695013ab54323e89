use std::fs;
use std::path::Path;

use playhouse_types::{Code, ErrorKind, Name};

use super::location::Location;
use crate::error::{CliError, Result};
use crate::files::{self, Replace};
use crate::paths::{Paths, private_dir};

/// The file in a node's directory with what tells the node from others of its name.
const FILE: &str = "node-id";
/// Random bytes of it: enough for the nodes of one store.
const ID_BYTES: usize = 4;

/// Under which name a node owns its actors in a store that it shares with others: machine, node, and what is in its directory alone, because
/// machines may have one name, and users of one machine may. None where nobody else can have the store open: there the node is whoever opens it.
pub(crate) fn name(store: &Location, paths: &Paths, node: &Name) -> Result<Option<String>> {
    let Location::Postgres(_) = store else { return Ok(None) };
    let dir = paths.node_dir(node);
    private_dir(&dir)?;
    let system = rustix::system::uname();
    let machine = system.nodename().to_string_lossy();
    Ok(Some(format!("{machine}/{node}/{}", id(&dir.join(FILE))?)))
}

/// What the file says; it is made if it is not there.
fn id(file: &Path) -> Result<String> {
    let fail =
        |error: std::io::Error| CliError::io(Code::Config, format_args!("cannot use {}", file.display()), &error);
    match fs::read_to_string(file) {
        Ok(text) => match text.trim() {
            id if id.len() == 2 * ID_BYTES && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(id.to_owned()),
            _ => Err(CliError::new(Code::Config, ErrorKind::InvalidArgument, format!("{} is damaged", file.display()))
                .fix("Delete it: the node gets a new one, and has to wait until its former leases end.")),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut bytes = [0; ID_BYTES];
            getrandom::fill(&mut bytes).map_err(|error| fail(std::io::Error::other(error.to_string())))?;
            let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            files::write(file, format!("{id}\n").as_bytes(), 0o600, Replace::No).map_err(fail)?;
            Ok(id)
        }
        Err(error) => Err(fail(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::name;
    use crate::paths::Paths;
    use crate::store::location::Location;

    #[test]
    fn nodes_that_share_a_store_have_names_of_their_own() {
        let users = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let of = |user: usize, node: &str, store: &str| {
            let at = |name: &str| users[user].path().join(name);
            let paths = Paths { config: at("c"), cache: at("k"), runtime: at("r"), state: at("s") };
            let location: Location = store.parse().unwrap();
            name(&location, &paths, &node.parse().unwrap())
        };
        let shared = |user, node| of(user, node, "postgres://db/x").unwrap().unwrap();
        let default = shared(0, "default");
        assert!(default.contains("/default/") && default.len() < playhouse_store::limits::OWNER_BYTES_MAX);
        assert_eq!(shared(0, "default"), default, "the next time it is the same");
        assert!(shared(0, "other") != default && shared(1, "default") != default);
        for own in ["none", "memory", "data"] {
            assert_eq!(of(0, "default", own).unwrap(), None);
        }
        std::fs::write(users[0].path().join("s/nodes/default/node-id"), "").unwrap();
        assert!(of(0, "default", "postgres://db/x").is_err());
    }
}
