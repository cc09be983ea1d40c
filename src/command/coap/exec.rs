//! A command for each notification, one after the other.

use std::collections::VecDeque;

use futures_util::future::{BoxFuture, FutureExt};

use crate::error::{Error, Kind, Result};
use crate::flow::Exec;
use crate::message::Message;

/// Notifications that wait for their command at most; the oldest is left out then.
const WAITING: usize = 1000;

/// The commands of one observation: one runs, others wait.
pub(crate) struct Runs {
    exec: Exec,
    running: Option<BoxFuture<'static, bool>>,
    waiting: VecDeque<Message>,
    started: u64,
    failed: u64,
    left_out: u64,
}

impl Runs {
    pub(crate) const fn new(exec: Exec) -> Self {
        Self {
            exec,
            running: None,
            waiting: VecDeque::new(),
            started: 0,
            failed: 0,
            left_out: 0,
        }
    }

    /// Runs the command for a message as soon as those before it have ended.
    pub(crate) fn add(&mut self, message: Message) -> Result<()> {
        if self.waiting.len() >= WAITING {
            self.waiting.pop_front();
            self.left_out += 1;
        }
        self.waiting.push_back(message);
        self.begin()
    }

    fn begin(&mut self) -> Result<()> {
        if self.running.is_none()
            && let Some(message) = self.waiting.pop_front()
        {
            self.running = Some(self.exec.start(&message)?.boxed());
            self.started += 1;
        }
        Ok(())
    }

    /// Waits for the end of the command that runs, and starts the next; for ever when none runs. Cancel-safe.
    pub(crate) async fn step(&mut self) -> Result<()> {
        let Some(running) = &mut self.running else {
            return std::future::pending().await;
        };
        let good = running.await;
        self.failed += u64::from(!good);
        self.running = None;
        self.begin()
    }

    /// Runs what waits to its end, and tells how all went.
    pub(crate) async fn finish(&mut self) -> Result<()> {
        while self.running.is_some() {
            self.step().await?;
        }
        let started = self.started;
        let text = match (self.failed, self.left_out) {
            (0, 0) => return Ok(()),
            (0, left_out) => {
                format!("{left_out} notifications came faster than --exec ran and were left out")
            }
            (failed, _) => format!("{failed} of {started} commands of --exec failed"),
        };
        Err(Error::new(Kind::Local, text))
    }
}
