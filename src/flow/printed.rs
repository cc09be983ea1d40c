//! Standard output as a target: a message is safe once it is written.

use std::borrow::BorrowMut;

use super::{Number, Progress, Target};
use crate::error::{Error, Kind, Result};
use crate::message::Message;
use crate::output::Output;

/// As many bytes are rendered before they are written, at most, and a message more.
const BATCH: usize = 1 << 20;

/// Shows messages in the output's format.
pub struct Printed<O> {
    output: O,
    newest: Number,
    /// The newest that is written; a message may have no bytes to write.
    written: Number,
}

impl<O: BorrowMut<Output>> Printed<O> {
    /// Messages on `output`.
    pub const fn new(output: O) -> Self {
        Self {
            output,
            newest: 0,
            written: 0,
        }
    }
}

impl<O: BorrowMut<Output>> Target for Printed<O> {
    fn name(&self) -> String {
        String::from("standard output")
    }

    #[inline]
    fn has_room(&self) -> bool {
        self.output.borrow().pending() < BATCH
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
        self.output.borrow_mut().message(&message)
    }

    /// A reader that stalls stalls this, and with it the source.
    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.is_idle() {
            self.output.borrow_mut().reader_gone().await;
            let text = "the reader of standard output closed it";
            return Err(Error::new(Kind::ReaderGone, text));
        }
        self.output.borrow_mut().flush().await?;
        self.written = self.newest;
        into.push(Progress::Through(self.newest));
        Ok(())
    }
}
