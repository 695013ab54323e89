//! In which process the host lives. A guest that forks takes a copy of everything with it, in which nobody answers.

use std::sync::OnceLock;

static ORIGIN: OnceLock<u32> = OnceLock::new();

/// Takes note that the host lives here.
pub(super) fn note() {
    ORIGIN.get_or_init(std::process::id);
}

/// Whether this is a child of the process in which the host lives.
pub(super) fn is_elsewhere() -> bool {
    ORIGIN.get().is_some_and(|origin| *origin != std::process::id())
}
