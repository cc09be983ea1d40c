//! A target that only counts, and shows each second how many messages came.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{Number, Progress, Target};
use crate::error::{Error, Kind, Result};
use crate::message::Message;
use crate::output::Output;

const INTERVAL: Duration = Duration::from_secs(1);

/// Shows `12 msgs/s` each second.
pub struct Counted<'a> {
    output: &'a mut Output,
    newest: Number,
    /// The newest that was told of.
    told: Number,
    /// The newest that was shown.
    shown: Number,
    next: Instant,
}

impl<'a> Counted<'a> {
    /// Counts from now.
    pub fn new(output: &'a mut Output) -> Self {
        Self {
            output,
            newest: 0,
            told: 0,
            shown: 0,
            next: Instant::now() + INTERVAL,
        }
    }
}

impl Target for Counted<'_> {
    fn name(&self) -> String {
        String::from("standard output")
    }

    fn has_room(&self) -> bool {
        true
    }

    fn is_idle(&self) -> bool {
        self.told == self.newest
    }

    #[inline]
    fn take(&mut self, number: Number, _: Message) -> Result<()> {
        self.newest = number;
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if !self.is_idle() {
            self.told = self.newest;
            into.push(Progress::Through(self.newest));
        }
        let due = Instant::now() >= self.next;
        if !due && !into.is_empty() {
            return Ok(());
        }
        if !due {
            tokio::select! {
                () = sleep_until(self.next) => {}
                () = self.output.reader_gone() => {
                    let text = "the reader of standard output closed it";
                    return Err(Error::new(Kind::ReaderGone, text));
                }
            }
        }
        let count = self.newest - self.shown;
        self.output.line(&format!("{count} msgs/s"));
        self.shown = self.newest;
        self.next += INTERVAL;
        self.output.flush().await
    }
}
