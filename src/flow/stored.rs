//! A store as a target: a message is done with once it is committed.

use std::collections::VecDeque;

use super::until::messages;
use super::{Number, Outcome, Progress, Target};
use crate::error::Result;
use crate::message::Message;
use crate::output::Console;
use crate::store::{Report, Worker};

/// As many messages are under way at most, and as many of their bytes, and a message more.
const MOST: usize = 1 << 16;
const MOST_BYTES: usize = 16 << 20;

/// What a message takes besides its body.
const OVERHEAD: usize = 256;

/// Messages on their way into a store.
pub struct Stored {
    name: String,
    worker: Worker,
    /// Not handed over yet.
    batch: Vec<(Number, Message)>,
    /// What is under way, with its size.
    open: VecDeque<(Number, usize)>,
    bytes: usize,
    /// Where it is told what was missing.
    tells: Option<Console>,
}

impl Stored {
    /// Messages go to the store of `worker`, which the user calls `name`.
    pub fn new(name: String, worker: Worker) -> Self {
        Self {
            name,
            worker,
            batch: Vec::new(),
            open: VecDeque::new(),
            bytes: 0,
            tells: None,
        }
    }

    /// The same, which says what was missing in messages.
    #[must_use]
    pub fn telling(self, console: Console) -> Self {
        Self {
            tells: Some(console),
            ..self
        }
    }

    /// Says that this was missing, if it is to.
    pub fn tell(&self, missing: Vec<(String, u64)>) {
        let Some(console) = self.tells else {
            return;
        };
        for (what, count) in missing {
            let messages = messages(count);
            console.note(format_args!("{}: {messages} without {what}", self.name));
        }
    }

    /// Lets the store close its files, and returns what was missing in messages, with their number.
    pub async fn close(&mut self) -> Vec<(String, u64)> {
        self.worker.close().await
    }

    /// How many bytes are under way.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes as u64
    }

    fn count(&mut self, report: Report, into: &mut Vec<Progress>) -> Result<()> {
        while let Some((_, bytes)) = self.open.pop_front_if(|(it, _)| *it <= report.through) {
            self.bytes -= bytes;
        }
        for (number, why) in report.refused {
            into.push(Progress::One(number, Outcome::Refused(why)));
        }
        for number in report.empty {
            into.push(Progress::One(number, Outcome::Filtered));
        }
        if report.through > 0 {
            into.push(Progress::Through(report.through));
        }
        report.failure.map_or(Ok(()), Err)
    }

    fn hand_over(&mut self) {
        if !self.batch.is_empty() {
            // The next one will be as large.
            let next = Vec::with_capacity(self.batch.len());
            self.worker.take(std::mem::replace(&mut self.batch, next));
        }
    }
}

impl Target for Stored {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn has_room(&self) -> bool {
        self.open.len() < MOST && self.bytes < MOST_BYTES
    }

    fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        let size = message.payload.len() + message.topic.len() + OVERHEAD;
        self.bytes += size;
        self.open.push_back((number, size));
        self.batch.push((number, message));
        Ok(())
    }

    fn finish(&mut self) {
        self.hand_over();
        self.worker.finish();
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        self.hand_over();
        let report = self.worker.report().await?;
        self.count(report, into)
    }
}
