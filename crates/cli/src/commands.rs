//! One module for each command: its arguments, its work, its report.

pub(crate) mod completion;
pub(crate) mod doctor;
pub(crate) mod explain;
