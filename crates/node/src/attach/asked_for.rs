//! What a package asks for against what the node gives.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use playhouse_package::AskedLimit;
use playhouse_types::{ActorError, Code, ErrorKind};

use crate::options::ActorOptions;

/// Lowers each limit to what the package asks for. One that asks for more than it would get is refused: it could not do its work, and
/// would fail later for a reason that is hard to see.
pub(super) fn apply(asked: &BTreeMap<AskedLimit, u64>, options: &mut ActorOptions) -> Result<(), ActorError> {
    asked.iter().try_for_each(|(limit, number)| lower(*limit, *number, options))
}

fn lower(limit: AskedLimit, number: u64, options: &mut ActorOptions) -> Result<(), ActorError> {
    let (limits, mailbox) = (&mut options.limits, &mut options.mailbox);
    match limit {
        AskedLimit::MemoryBytes => count(limit, number, &mut limits.memory_bytes),
        AskedLimit::TableElements => count(limit, number, &mut limits.table_elements),
        AskedLimit::Instances => count(limit, number, &mut limits.instances),
        AskedLimit::StackBytes => count(limit, number, &mut limits.stack_bytes),
        AskedLimit::CpuMs => time(limit, number, &mut limits.cpu),
        AskedLimit::WallMs => time(limit, number, &mut limits.wall),
        AskedLimit::HostCalls => match u32::try_from(number) {
            Ok(number) if number <= limits.host_calls => {
                limits.host_calls = number;
                Ok(())
            }
            _ => Err(refused(limit, number, limits.host_calls)),
        },
        AskedLimit::LogBytes => count(limit, number, &mut limits.log_bytes),
        AskedLimit::ReplyBytes => count(limit, number, &mut limits.reply_bytes),
        AskedLimit::MailboxMessages => count(limit, number, &mut mailbox.capacity),
        AskedLimit::MailboxBytes => count(limit, number, &mut mailbox.bytes_max),
        // A limit that the package crate knows and this one does not: the package cannot have it.
        _ => Err(refused(limit, number, "none")),
    }
}

fn count(limit: AskedLimit, number: u64, given: &mut usize) -> Result<(), ActorError> {
    match usize::try_from(number) {
        Ok(number) if number <= *given => {
            *given = number;
            Ok(())
        }
        _ => Err(refused(limit, number, *given)),
    }
}

fn time(limit: AskedLimit, number: u64, given: &mut Duration) -> Result<(), ActorError> {
    let asked = Duration::from_millis(number);
    if asked > *given {
        return Err(refused(limit, number, given.as_millis()));
    }
    *given = asked;
    Ok(())
}

fn refused(limit: AskedLimit, asked: u64, given: impl Display) -> ActorError {
    let text = format!("the package asks for {limit} = {asked}, the node gives {given}");
    ActorError::coded(ErrorKind::PermissionDenied, Code::LimitRefused, text)
}

#[cfg(test)]
mod tests;
