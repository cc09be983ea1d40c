//! Tells others when messages can come: a script need not guess when a command is subscribed.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use super::Source;
use super::attended::Attended;
use crate::error::{Error, Result};
use crate::file::Standing;
use crate::output;

/// Who is told, and how.
#[derive(Clone, Debug, Default)]
pub struct Ready {
    /// A file that stands there from then on until the command ends (`--ready-file`).
    pub file: Option<PathBuf>,
    /// A command for the shell, which is not waited for (`--on-ready`).
    pub command: Option<String>,
}

/// What is still to be told.
pub struct Announcement<'a> {
    ready: Option<&'a Ready>,
    file: Option<Standing>,
}

impl Ready {
    /// Before it is so: a file of an earlier run is taken away.
    ///
    /// # Errors
    /// [`crate::error::Kind::Local`]: it cannot be.
    pub fn announcement(&self) -> Result<Announcement<'_>> {
        let there = self.file.is_some() || self.command.is_some();
        Ok(Announcement {
            ready: there.then_some(self),
            file: self.file.as_deref().map(Standing::clear).transpose()?,
        })
    }
}

impl<'b> Announcement<'b> {
    /// Messages can come now; the first call counts.
    ///
    /// # Errors
    /// [`crate::error::Kind::Local`]: the file cannot be written, or the command not be run.
    pub fn tell(&mut self) -> Result<()> {
        let Some(ready) = self.ready.take() else {
            return Ok(());
        };
        if let Some(file) = &self.file {
            file.put(b"")?;
        }
        let Some(script) = &ready.command else {
            return Ok(());
        };
        // What it says is no message of ours.
        let started = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::null())
            .stdout(output::beside_messages())
            .spawn();
        // It goes on by itself.
        started
            .map(drop)
            .map_err(|cause| Error::local("cannot run the command of --on-ready", &cause))
    }

    /// The same source, which is ready once it waits for nothing any more.
    pub fn watch<'a, S: Source>(&'a mut self, source: &'a mut S) -> impl Source + use<'a, 'b, S> {
        let look = |source: &&'a mut S| match self.ready.is_some() && source.awaits().is_none() {
            true => self.tell(),
            false => Ok(()),
        };
        Attended::new(source, || false, look)
    }
}
