//! One module for each command: its arguments, its work, its report.

pub(crate) mod backup;
pub(crate) mod call;
pub(crate) mod completion;
pub(crate) mod demo;
pub(crate) mod dlq;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod fsck;
pub(crate) mod key;
pub(crate) mod logs;
pub(crate) mod mailbox;
pub(crate) mod node_arg;
pub(crate) mod package;
pub(crate) mod ps;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod state;
pub(crate) mod stop;
pub(crate) mod store;
pub(crate) mod timers;
pub(crate) mod trust;
