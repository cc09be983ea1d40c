//! Where messages go, if not to standard output: into a file that grows, or each into a file of its own.

use std::path::PathBuf;
use std::time::Duration;

use super::names::Names;

/// Where messages go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Destination {
    /// To standard output.
    #[default]
    Stdout,
    /// To the end of a file.
    File(PathBuf, Rotation),
    /// Each into a file of its own.
    Files(Names),
}

/// When a file is full, so that the next message begins a new one; whichever comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Before it has more bytes, unless one message alone has.
    pub size: Option<u64>,
    /// As long after its first message.
    pub age: Option<Duration>,
    /// After as many messages.
    pub count: Option<u64>,
    /// At midnight, UTC.
    pub daily: bool,
    /// As many full files stay; the oldest are deleted.
    pub keep: Option<u64>,
    /// Full files are compressed.
    pub gzip: bool,
}

impl Rotation {
    /// Whether a file never is full.
    pub fn is_never(&self) -> bool {
        *self == Self::default()
    }
}
