//! Who runs next. (Work in progress.)

mod chain;

pub use chain::{CallChain, ChainError};
