use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use crate::error::StoreError;

use super::files;

/// Of the reserve, the part that is a file and so cannot be taken by others: enough for the log to finish what is queued and to be
/// folded into the database.
const BALLAST_PART: u64 = 2;

/// Room on the disk that is kept for finishing what is queued. Below it nothing new is taken.
pub(super) struct Space {
    folder: PathBuf,
    reserve: u64,
    ballast: File,
    full: bool,
}

impl Space {
    pub(super) fn open(folder: &Path, reserve: u64) -> io::Result<Self> {
        let ballast = files::open_private(&folder.join(files::RESERVE))?;
        Ok(Self { folder: folder.to_owned(), reserve, ballast, full: false })
    }

    /// Looks how much room there is. The way back needs a quarter more, so that it does not flicker.
    pub(super) fn look(&mut self) -> bool {
        let wanted = if self.full { self.reserve + self.reserve / 4 } else { self.reserve };
        let free = self.free();
        self.full = free < wanted;
        if !self.full {
            self.take_ballast(free);
        }
        self.full
    }

    /// What the ballast gives when it goes.
    pub(super) fn ballast_bytes(&self) -> u64 {
        self.reserve / BALLAST_PART
    }

    /// SQLite found no room although there seemed to be some.
    pub(super) fn ran_out(&mut self) {
        self.full = true;
        drop(self.ballast.set_len(0));
    }

    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    pub(super) fn error(&self) -> StoreError {
        StoreError::DiskFull { free: self.free(), reserve: self.reserve }
    }

    /// Bytes that we may still use. If nobody can say, there is room until SQLite finds that there is none.
    fn free(&self) -> u64 {
        statvfs(&self.folder).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    fn take_ballast(&self, free: u64) {
        let bytes = self.ballast_bytes();
        let there = self.ballast.metadata().map_or(0, |metadata| metadata.len());
        if there < bytes && free > self.reserve + bytes {
            // A file system that cannot allocate ahead does without.
            fallocate(&self.ballast, FallocateFlags::empty(), 0, bytes).ok();
        }
    }
}
