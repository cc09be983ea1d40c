//! Requests, one after the other, and the replies to each: what all commands that ask have in common.

use std::time::{Duration, Instant};

use tokio::time::timeout_at;

use super::latency::{Latencies, milliseconds};
use super::until::messages;
use super::{Fate, Input, Next, Number, Pacing, Printed, Source, Stages, Until, engine};
use crate::error::{Error, Kind, Result};
use crate::message::Message;
use crate::output::{Console, Output};
use crate::payload::Bodies;
use crate::stop::Stop;

/// How long the replies to one request may take unless the user says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends requests; what it hands over as a [`Source`] are the replies to the last one.
pub trait Requester: Source {
    /// Takes a request, and sends it as soon as it can.
    ///
    /// # Errors
    /// It cannot be sent at all.
    fn ask(&mut self, request: Message) -> Result<()>;

    /// When it was sent; `None`: it was not yet.
    fn sent_at(&self) -> Option<Instant>;
}

/// Which replies are awaited, for each request.
#[derive(Clone, Debug, Default)]
pub struct Replies {
    /// When no more are: after one, unless something else is said. A time limit counts from the request, and bounds the
    /// connection before the first one too.
    pub until: Until,
    /// Say how long each took (`--latency`).
    pub latency: bool,
}

/// What to ask, and where replies go.
pub struct Asking<'a> {
    /// They are shown here.
    pub output: &'a mut Output,
    /// Which pass, and how they are read.
    pub stages: &'a Stages,
    /// Which are awaited.
    pub replies: &'a Replies,
    /// For what is not a reply.
    pub console: Console,
    /// When the command began.
    pub began: Instant,
}

impl Replies {
    /// Connects, within the time given; `target` is what the user calls the server.
    ///
    /// # Errors
    /// Those of `opening`; [`Kind::TimedOut`].
    pub async fn within<T>(
        &self,
        began: Instant,
        target: &str,
        opening: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let Some(limit) = self.until.timeout else {
            return opening.await;
        };
        let opened = timeout_at((began + limit).into(), opening).await;
        opened.unwrap_or_else(|_| {
            let text = format!("timed out: no connection to {target}");
            Err(Error::new(Kind::TimedOut, text))
        })
    }

    /// The same for a request made so long after the beginning.
    fn until(&self, spent: Duration) -> Until {
        let mut until = self.until.clone();
        let limit = until.timeout.map(|limit| limit.saturating_sub(spent));
        // A collection has an end of its own.
        let collects = until.duration.or(until.idle).is_some();
        until.timeout = limit.or((!collects).then_some(PATIENCE));
        let one = !collects && until.until.is_none();
        until.count = until.count.or(one.then_some(1));
        until
    }
}

impl Asking<'_> {
    /// Asks all that `bodies` has, at the pace that was asked for.
    ///
    /// # Errors
    /// The first request that has not got its replies ends it; unreadable input; a signal.
    pub async fn ask_all<R: Requester>(
        mut self,
        bodies: Bodies,
        pacing: &Pacing,
        requester: &mut R,
        stop: &mut Stop,
    ) -> Result<()> {
        let mut input = Input::new(bodies, pacing);
        let mut latencies = Latencies::default();
        let mut asked = 0;
        let ended = loop {
            let mut next = None;
            input.take(|came| {
                next = Some(came);
                Ok(false)
            })?;
            match next {
                Some(Next::Message(request) | Next::Again(request)) => {
                    asked += 1;
                    self.ask(request, asked, requester, &mut latencies, stop)
                        .await?;
                }
                Some(Next::End(end)) => break end,
                Some(Next::Skipped | Next::Lost) => {}
                None => self.wait(&mut input, requester, stop).await?,
            }
        };
        if self.replies.latency && latencies.count() > 1 {
            let count = latencies.count();
            self.console
                .note(format_args!("{count} replies: {latencies}"));
        }
        ended
    }

    /// Waits for the next request, with the connection kept meanwhile.
    async fn wait<R: Requester>(
        &self,
        input: &mut Input,
        requester: &mut R,
        stop: &mut Stop,
    ) -> Result<()> {
        let waiting = async {
            tokio::select! {
                biased;
                read = input.drive() => read,
                error = requester.hold() => Err(error),
            }
        };
        stop.unless_asked("interrupted", waiting).await
    }

    async fn ask<R: Requester>(
        &mut self,
        request: Message,
        number: u64,
        requester: &mut R,
        latencies: &mut Latencies,
        stop: &mut Stop,
    ) -> Result<()> {
        let spent = match number {
            1 => self.began.elapsed(),
            _ => Duration::ZERO,
        };
        let until = self.replies.until(spent);
        requester.ask(request)?;
        let mut timed = Timed {
            requester,
            latencies,
            console: self.replies.latency.then_some(self.console),
            request: number,
            replies: 0,
        };
        let mut target = Printed::new(self.output);
        let carried = engine::carry(&mut timed, &mut target, self.stages, &until, stop);
        carried.await.0
    }
}

/// Looks at the time when replies come.
struct Timed<'a, R> {
    requester: &'a mut R,
    latencies: &'a mut Latencies,
    /// Where each time is said.
    console: Option<Console>,
    /// Its number.
    request: u64,
    /// How many came.
    replies: u64,
}

impl<R: Requester> Source for Timed<'_, R> {
    async fn drive(&mut self) -> Result<()> {
        self.requester.drive().await
    }

    async fn hold(&mut self) -> Error {
        self.requester.hold().await
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        let now = Instant::now();
        let elapsed = self.requester.sent_at().map(|sent| now - sent);
        self.requester.take(|next| {
            if let (Next::Message(_) | Next::Again(_), Some(elapsed)) = (&next, elapsed) {
                self.replies += 1;
                self.latencies.record(elapsed);
                let (reply, request) = (self.replies, self.request);
                if let Some(console) = self.console {
                    let time = milliseconds(elapsed);
                    console.note(format_args!(
                        "reply {reply} to request {request} after {time:.3} ms"
                    ));
                }
            }
            sink(next)
        })
    }

    fn settle(&mut self, count: u64) {
        self.requester.settle(count);
    }

    fn settle_one(&mut self, number: Number, fate: Fate) {
        self.requester.settle_one(number, fate);
    }

    /// A request without any reply has failed, however it ends.
    fn awaits(&self) -> Option<String> {
        self.requester.awaits().filter(|_| self.replies == 0)
    }
}

/// Says how many messages came that are not replies to requests of ours; the first at once.
#[derive(Debug)]
pub struct Strangers {
    console: Console,
    count: u64,
}

impl Strangers {
    /// None came.
    pub const fn new(console: Console) -> Self {
        Self { console, count: 0 }
    }

    /// One came.
    pub fn came(&mut self, why: impl std::fmt::Display) {
        self.count += 1;
        if self.count == 1 {
            self.console.warn(format_args!("ignoring {why}"));
        }
    }

    /// No more come.
    pub fn close(&self) {
        if self.count > 1 {
            let count = messages(self.count);
            self.console
                .warn(format_args!("ignored {count} in all that are not replies"));
        }
    }
}
