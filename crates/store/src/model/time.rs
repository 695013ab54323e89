use std::fmt;
use std::time::Duration;

/// A moment: milliseconds since the Unix epoch, by the clock of whoever calls. The store reads no clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(i64);

impl Time {
    /// The moment so many milliseconds after the Unix epoch. Moments beyond 292 million years are the last of these.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(if millis > i64::MAX as u64 { i64::MAX } else { millis as i64 })
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0 as u64
    }

    /// This moment and so much more.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self::from_millis(self.millis().saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// This moment less so much, not before the epoch.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self::from_millis(self.millis().saturating_sub(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// What has to be true before a write is acknowledged, and so what survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Durability {
    /// It is visible in this process. Nothing survives the end of the process; what a back end with a disk keeps all the same, it
    /// keeps whole: never half a commit.
    Memory,
    /// It is on the disk of this machine: it survives the end of the process, kill -9 and a power cut, not the loss of the disk.
    Fsync,
    /// It is on the disks of a majority of machines: it survives the loss of one of them.
    Quorum,
}

impl Durability {
    /// The name in configuration files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Fsync => "fsync",
            Self::Quorum => "quorum",
        }
    }

    /// The class with that name in configuration files.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Memory, Self::Fsync, Self::Quorum].into_iter().find(|class| class.name() == name)
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
