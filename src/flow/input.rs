//! What is to be sent as a source of messages: from its beginning to its end, in rounds, when each is due.

use std::collections::VecDeque;
use std::time::{Instant, SystemTime};

use futures_util::future::FutureExt;
use tokio::time::sleep_until;

use super::pacing::{Jitter, Pacer};
use super::{Next, Pacing, Source};
use crate::error::{Error, Kind, Result};
use crate::message::Message;
use crate::output::Console;
use crate::pace::alarm::now;
use crate::payload::Bodies;

/// The messages that a command is to send.
pub struct Input {
    bodies: Bodies,
    pacing: Pacing,
    pacer: Pacer,
    jitter: Jitter,
    /// Nothing is read before this.
    start: Option<Instant>,
    /// Read and not handed over.
    queue: VecDeque<Message>,
    /// Rounds that have not begun.
    rounds: u64,
    /// When the next round is due; only once all was read.
    next_round: Option<Instant>,
    /// When it begins, which may be later.
    begins: Instant,
    /// Whether a message was handed over.
    begun: bool,
    end: Option<Result<()>>,
    /// Where it is told that the last record was cut off.
    tells: Option<Console>,
}

impl Input {
    /// All of `bodies`, as `pacing` has it.
    pub fn new(bodies: Bodies, pacing: &Pacing) -> Self {
        Self {
            bodies: bodies.seeded(pacing.seed),
            pacing: *pacing,
            pacer: Pacer::new(pacing),
            jitter: Jitter::new(pacing),
            start: pacing.start_at.and_then(instant),
            queue: VecDeque::new(),
            rounds: pacing.repeat.saturating_sub(1),
            next_round: None,
            begins: now(),
            begun: false,
            end: None,
            tells: None,
        }
    }

    /// The same, which says at its end that a recording was cut off within its last record.
    #[must_use]
    pub(crate) fn telling(self, console: Console) -> Self {
        Self {
            tells: Some(console),
            ..self
        }
    }

    /// Says how many records were skipped, as they hold no message.
    pub fn report(&self, console: Console) {
        match self.bodies.skipped() {
            0 => {}
            1 => console.note("skipped 1 record of an error response"),
            count => console.note(format_args!("skipped {count} records of error responses")),
        }
    }

    /// Takes a step towards more messages, or the end; waits for the input and for the time of the next round.
    async fn read(&mut self) {
        match self.next_round {
            Some(round) => {
                sleep_until(self.begins.into()).await;
                match self.bodies.again(&mut self.queue) {
                    Ok(()) => self.round_done(round),
                    Err(error) => self.end = Some(Err(cut(error, self.begun))),
                }
            }
            None => match self.bodies.next(&mut self.queue).await {
                Ok(true) => {}
                Ok(false) => {
                    if let (Some(console), Some(torn)) = (self.tells.take(), self.bodies.torn()) {
                        console.warn(torn);
                    }
                    self.round_done(now());
                }
                Err(error) => self.end = Some(Err(cut(error, self.begun))),
            },
        }
    }

    /// What comes next, if it is there and due. A part of the one loop that messages go through, so that they are built where
    /// they are used.
    #[inline(always)]
    fn next(&mut self, now: Instant) -> Option<Next> {
        loop {
            if let Some(next) = self.queue.front() {
                if self.pacer.due(next, now).is_some() {
                    return None;
                }
                let message = self.queue.pop_front()?;
                self.pacer.sent(now);
                self.begun = true;
                return Some(Next::Message(message));
            }
            if let Some(end) = self.end.take() {
                return Some(Next::End(end));
            }
            self.read().now_or_never()?;
        }
    }

    fn round_done(&mut self, began: Instant) {
        match self.rounds.checked_sub(1) {
            Some(left) => {
                self.rounds = left;
                let round = began + self.pacing.delay;
                self.begins = round + self.jitter.draw();
                self.next_round = Some(round);
            }
            None => self.end = Some(Ok(())),
        }
    }
}

/// Input that turns out to be wrong after some of it was sent is no wrong usage any more.
pub(crate) fn cut(error: Error, begun: bool) -> Error {
    match error.kind() {
        Kind::Usage if begun => Error::new(Kind::Local, error.text()),
        _ => error,
    }
}

impl Source for Input {
    async fn drive(&mut self) -> Result<()> {
        if let Some(start) = self.start {
            sleep_until(start.into()).await;
            self.start = None;
        }
        while self.queue.is_empty() && self.end.is_none() {
            self.read().await;
        }
        let due = self.queue.front();
        if let Some(due) = due.and_then(|next| self.pacer.due(next, now())) {
            sleep_until(due.into()).await;
        }
        Ok(())
    }

    async fn hold(&mut self) -> Error {
        std::future::pending().await
    }

    /// What can be read without waiting is read at once, so that it goes out in few large writes.
    #[inline]
    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        if self.start.is_some() {
            return Ok(());
        }
        let now = now();
        while let Some(next) = self.next(now) {
            let ended = matches!(next, Next::End(_));
            if !sink(next)? || ended {
                break;
            }
        }
        Ok(())
    }

    fn settle(&mut self, _: u64) {}

    fn awaits(&self) -> Option<String> {
        None
    }

    fn unsent(&self) -> u64 {
        self.queue.len() as u64
    }
}

/// When the clock will show `time`; `None`: it is over.
pub(super) fn instant(time: SystemTime) -> Option<Instant> {
    let ahead = time.duration_since(SystemTime::now()).ok()?;
    now().checked_add(ahead)
}
