use std::cmp::Ordering;

use super::error::ArchiveError;
use super::fault::EntryFault;
use super::header::Central;
use crate::path::EntryPath;

/// The name of an entry, and the form in which a file system might take it for another.
pub(super) struct Name {
    pub(super) path: EntryPath,
    folded: String,
    is_directory: bool,
}

impl Name {
    pub(super) fn parse(central: &Central) -> Result<Self, ArchiveError> {
        let text = if central.is_directory { central.name.strip_suffix('/') } else { None };
        let path = EntryPath::parse(text.unwrap_or(&central.name));
        let path = path.map_err(|rule| EntryFault::Path(rule).at(&central.name))?;
        Ok(Self { folded: path.folded(), path, is_directory: central.is_directory })
    }

    fn segments(&self) -> impl Iterator<Item = (&str, &str)> {
        self.folded.split('/').zip(self.path.as_str().split('/'))
    }
}

/// Checks that no name is there twice, differs from another in case alone, or is a file and the directory of another.
///
/// Segment by segment in order, names that share a directory stand together, and a file that is also a directory stands before
/// what is in it: so neighbours are all that must be compared, and memory grows with the bytes of the names only.
pub(super) fn check_distinct(mut names: Vec<Name>) -> Result<(), ArchiveError> {
    names.sort_by(|a, b| by_segments(&a.folded, &b.folded));
    names.windows(2).try_for_each(|pair| match pair {
        [a, b] => compare(a, b),
        _ => Ok(()),
    })
}

fn by_segments(a: &str, b: &str) -> Ordering {
    a.split('/').cmp(b.split('/'))
}

fn compare(a: &Name, b: &Name) -> Result<(), ArchiveError> {
    let shared = a.segments().zip(b.segments()).take_while(|((a, _), (b, _))| a == b);
    let (mut count, mut length) = (0, 0);
    for ((_, one), (_, other)) in shared {
        count += 1;
        length += one.len() + 1;
        if one != other {
            let upto = |path: &EntryPath, last: &str| {
                let start = path.as_str().split('/').take(count - 1).map(|segment| segment.len() + 1).sum::<usize>();
                path.as_str()[..start + last.len()].to_owned()
            };
            return Err(ArchiveError::CaseClash { name: upto(&a.path, one), other: upto(&b.path, other) });
        }
    }
    let (whole_a, whole_b) = (count == a.segments().count(), count == b.segments().count());
    let name = || a.path.as_str()[..length - 1].to_owned();
    match (whole_a, whole_b) {
        (true, true) if a.is_directory == b.is_directory => Err(ArchiveError::Duplicate { name: name() }),
        (true, true) => Err(ArchiveError::FileAndDirectory { name: name() }),
        (true, false) if !a.is_directory => Err(ArchiveError::FileAndDirectory { name: name() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
