//! Makes components of actr 0.3 valid for today's engine.
//!
//! Their toolchain lifts the exports of `actr:workload/workload@0.1.0` and lowers the imports of
//! `actr:workload/host@0.1.0` with the canonical option `async`, over function types that are synchronous. The rule was
//! tightened later: `async` needs an async function type. The two kinds of type differ in one byte of their encoding, so
//! [`rewrite`] changes that byte wherever such a type is written down, and nothing else: lengths, offsets, indices, code
//! and custom sections stay as they are.
//!
//! Which types those are follows from how functions flow: from an import or a lift, through aliases and instances, into a
//! nested component whose import has a type of its own, out through an export with another one. All these types must
//! agree, so each flow joins the types at its ends, and a group of joined types changes as a whole. Types of other
//! imports (WASI) must stay as their host has them; a group that would contain one is refused.

mod graph;
mod types;
mod walk;

use graph::Graph;
use playhouse_types::{ActorError, Code, ErrorKind};

/// The instance that guests import.
const HOST: &str = "actr:workload/host@0.1.0";
/// The instance that guests export.
const WORKLOAD: &str = "actr:workload/workload@0.1.0";

/// The opcode of an async function type. That of a synchronous one is 0x40.
const ASYNC_FUNC: u8 = 0x43;

/// Scopes inside each other: nested components and the types written down in types. `wit-component` nests two deep.
const NESTING_MAX: usize = 32;

/// Comparisons while types are joined. A genuine component needs some two hundred; one that nests instances in instances
/// to make them explode ends here after a few milliseconds.
const STEPS_MAX: usize = 1 << 18;

/// Why a component cannot be rewritten. None of these goes away by trying again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(super) enum RewriteError {
    /// The bytes are no component, or name something that is not there. The engine would refuse it too.
    #[error("at byte {offset}: {rule}")]
    Malformed {
        /// Where, from the start of the component.
        offset: usize,
        /// What was expected.
        rule: String,
    },
    /// Types or components nest deeper, or mean more work, than any toolchain makes.
    #[error("at byte {offset}: {what} is over the limit of {limit}")]
    TooComplex {
        /// Where, from the start of the component.
        offset: usize,
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
    /// One function type serves both an asynchronous function and an import that its host offers as synchronous.
    #[error("function type at byte {offset} would have to be async, but the import `{import}` uses it as synchronous")]
    SharedType {
        /// Where the type is, from the start of the component.
        offset: usize,
        /// The import that keeps it synchronous.
        import: String,
    },
}

/// The component with the function types of its actr world made async; none if it is valid without, or is no component at
/// all: its bytes stay exactly as they are then.
///
/// Takes time and memory linear in the component's size, within the limits above.
pub(super) fn rewrite(component: &[u8]) -> Result<Option<Vec<u8>>, RewriteError> {
    if !wasmparser::Parser::is_component(component) {
        return Ok(None);
    }
    let mut graph = Graph::default();
    walk::walk(component, &mut graph)?;
    let changes = graph.changes()?;
    if changes.is_empty() {
        return Ok(None);
    }
    let mut bytes = component.to_vec();
    for offset in changes {
        if let Some(opcode) = bytes.get_mut(offset) {
            debug_assert_eq!(*opcode, 0x40, "only synchronous function types are changed");
            *opcode = ASYNC_FUNC;
        }
    }
    Ok(Some(bytes))
}

impl RewriteError {
    fn code(&self) -> Code {
        match self {
            Self::Malformed { .. } | Self::TooComplex { .. } => Code::WasmInvalid,
            Self::SharedType { .. } => Code::WasmShape,
        }
    }
}

impl From<RewriteError> for ActorError {
    fn from(error: RewriteError) -> Self {
        let message = format!("the component cannot be made fit for this engine: {error}");
        Self::coded(ErrorKind::InvalidArgument, error.code(), message)
    }
}

impl From<wasmparser::Error> for RewriteError {
    fn from(error: wasmparser::Error) -> Self {
        Self::Malformed { offset: error.offset(), rule: error.message().to_owned() }
    }
}

#[cfg(test)]
mod tests;
