//! One module for each command: its arguments, its work, its report.

pub(crate) mod completion;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod key;
pub(crate) mod package;
pub(crate) mod trust;
