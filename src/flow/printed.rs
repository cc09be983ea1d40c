//! Standard output as a target: a message is safe once it is written.

use super::{Number, Progress, Target};
use crate::error::{Error, Kind, Result};
use crate::message::Message;
use crate::output::Output;

/// As many bytes are rendered before they are written, at most, and a message more.
const BATCH: usize = 1 << 20;

/// Shows messages in the output's format.
pub struct Printed<'a> {
    output: &'a mut Output,
    newest: Number,
    /// The newest that is written; a message may have no bytes to write.
    written: Number,
}

impl<'a> Printed<'a> {
    /// Messages on `output`.
    pub const fn new(output: &'a mut Output) -> Self {
        Self {
            output,
            newest: 0,
            written: 0,
        }
    }
}

impl Target for Printed<'_> {
    fn name(&self) -> String {
        String::from("standard output")
    }

    #[inline]
    fn has_room(&self) -> bool {
        self.output.pending() < BATCH
    }

    /// While a reader stalls, reading on would only fill memory.
    fn is_free(&self) -> bool {
        self.is_idle()
    }

    fn is_idle(&self) -> bool {
        self.written == self.newest
    }

    #[inline]
    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        self.newest = number;
        self.output.message(&message)
    }

    /// A reader that stalls stalls this, and with it the source.
    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.is_idle() {
            self.output.reader_gone().await;
            let text = "the reader of standard output closed it";
            return Err(Error::new(Kind::ReaderGone, text));
        }
        self.output.flush().await?;
        self.written = self.newest;
        into.push(Progress::Through(self.newest));
        Ok(())
    }
}
