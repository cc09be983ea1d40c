//! Requests, one after the other, and the replies to each: what all commands that ask have in common.

use std::time::{Duration, Instant};

use super::latency::{Latencies, milliseconds};
use super::until::messages;
use super::{
    Account, Fate, Input, Next, Number, Pacing, Printed, Source, Stages, Unit, Until, engine,
};
use crate::error::{Error, Kind, Result};
use crate::message::Message;
use crate::output::{Console, Output};
use crate::payload::Bodies;
use crate::stop::Stop;

/// How long the replies to one request may take unless the user says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends requests; what it hands over as a [`Source`] are the replies to the last one.
pub trait Requester: Source {
    /// What the user calls the server: `mqtt://host:1883`.
    fn name(&self) -> String;

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
    /// When no more are: after one, unless something else is said. A time limit counts from the request.
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
}

impl Replies {
    /// When the replies to one request are complete, or too late.
    fn until(&self) -> Until {
        let mut until = self.until.clone();
        // A collection has an end of its own.
        let collects = until.duration.or(until.idle).is_some();
        until.timeout = until.timeout.or_else(|| (!collects).then_some(PATIENCE));
        let one = !collects && until.until.is_none();
        until.count = until.count.or_else(|| one.then_some(1));
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
        let mut account = Account {
            unit: Unit::Request,
            ..Account::default()
        };
        let ended = loop {
            let mut next = None;
            input.take(|came| {
                next = Some(came);
                Ok(false)
            })?;
            match next {
                Some(Next::Message(request) | Next::Again(request)) => {
                    account.received += 1;
                    let number = account.received;
                    let asking = self.ask(request, number, requester, &mut latencies, stop);
                    match asking.await {
                        Ok(()) => account.delivered += 1,
                        Err(error) if is_about_a_request(error.kind()) => {
                            account.refuse(error);
                            break Ok(());
                        }
                        Err(error) => break Err(error),
                    }
                }
                Some(Next::Complete) => break Ok(()),
                Some(Next::End(end)) => break end,
                Some(Next::Refused(why)) => account.refuse(why),
                Some(Next::Skipped | Next::Lost) => {}
                None => match self.wait(&mut input, requester, stop).await {
                    Ok(()) => {}
                    Err(error) => break Err(error),
                },
            }
        };
        if self.replies.latency && latencies.count() > 1 {
            let count = latencies.count();
            self.console
                .note(format_args!("{count} replies: {latencies}"));
        }
        account.unsent = input.unsent();
        input.report(self.console);
        account.verdict(ended, &requester.name())
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
        let until = self.replies.until();
        requester.ask(request)?;
        let mut timed = Timed {
            requester,
            latencies,
            console: self.replies.latency.then_some(self.console),
            request: number,
            replies: 0,
        };
        let mut target = Printed::new(&mut *self.output);
        let carried = engine::carry(&mut timed, &mut target, self.stages, &until, stop);
        carried.await.0
    }
}

/// Whether a failure of this kind is that of one request.
const fn is_about_a_request(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Refused | Kind::Unauthorized | Kind::TimedOut | Kind::Missed | Kind::Usage
    )
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
