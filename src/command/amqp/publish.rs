//! `amqp publish`: publishes messages and waits until each is confirmed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytestring::ByteString;
use tokio::time::sleep_until;

use super::publish_tally::Tally;
use super::publisher::Publisher;
use super::session::{Session, SessionArgs, Speaks, messages, not_of_one, prepared};
use crate::amqp::address::Address;
use crate::amqp::publisher::{Outcome, Outgoing};
use crate::amqp::topology::Declaration;
use crate::amqp::wish::Sending;
use crate::amqp::{v1, v091};
use crate::connect::Retry;
use crate::error::{Error, Kind, Result};
use crate::message::AmqpProperties;
use crate::output::{Console, Style};
use crate::payload::replay::Replay;
use crate::payload::{Bodies, Body, Encoding, Source};
use crate::stop::{Asked, Stop};

/// How long to keep trying to come back after a lost connection, unless `--retry` says.
const LATER: Retry = Retry::For(Duration::from_secs(30));

/// The usual number of messages under way.
pub const WINDOW: usize = 1000;

/// What to publish, where and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The connection.
    pub session: SessionArgs,
    /// For messages that do not say their own (`-e`, default: the default exchange, which is the empty name).
    pub exchange: ByteString,
    /// Each message goes out under each (`-k`, several); empty: records name theirs, and others have the empty one.
    pub keys: Vec<ByteString>,
    /// Where messages go over AMQP 1.0, instead of what exchange and keys say (`--address`).
    pub address: Option<ByteString>,
    /// Properties and headers of each message (`--content-type`, `--header NAME:TYPE=VALUE`, `--persistent` is delivery mode 2, …);
    /// records say their own.
    pub properties: AmqpProperties,
    /// A message that no queue gets is a failure (`--mandatory`); needs confirmations.
    pub mandatory: bool,
    /// The server confirms each message (default; `--no-confirm` turns it off).
    pub confirms: bool,
    /// How many messages may wait for their confirmation (`--window`, default 1000).
    pub window: usize,
    /// Where the bodies come from (`-m -f -s -l -n --ndjson`).
    pub source: Source,
    /// How the bodies are written there (`--hex`, `--base64`).
    pub encoding: Encoding,
    /// How often all is published (`--repeat`, default 1).
    pub repeat: u64,
    /// Between two rounds of `repeat` (`--delay`, default 0).
    pub delay: Duration,
    /// At most so many messages a second (`--rate`).
    pub rate: Option<f64>,
    /// Records go out with the gaps of their times, divided by this (`--replay`, `--speed`).
    pub replay: Option<f64>,
    /// What is made before anything is published (`--declare`), again after each reconnect.
    pub declare: Vec<Declaration>,
    /// How long no confirmation at all may come while some are awaited (`--ack-timeout`, default 30 s).
    pub ack_timeout: Duration,
    /// What the terminal shows.
    pub style: Style,
}

impl Plan {
    /// One message to a routing key, with everything else as the defaults are.
    pub fn new(session: SessionArgs, key: impl Into<ByteString>, source: Source) -> Self {
        Self {
            session,
            exchange: ByteString::new(),
            keys: vec![key.into()],
            address: None,
            properties: AmqpProperties::default(),
            mandatory: false,
            confirms: true,
            window: WINDOW,
            source,
            encoding: Encoding::Plain,
            repeat: 1,
            delay: Duration::ZERO,
            rate: None,
            replay: None,
            declare: Vec::new(),
            ack_timeout: Duration::from_secs(30),
            style: Style::default(),
        }
    }
}

/// Publishes and waits until every message is confirmed.
///
/// # Errors
/// No connection, a refusal, a returned message, a deadline, unreadable input; see [`Kind`].
pub async fn run(plan: Plan) -> Result<()> {
    if plan.mandatory && !plan.confirms {
        return Err(Error::usage(
            "--mandatory needs confirmations: without them nobody waits for what comes back",
        ));
    }
    if plan.session.protocol == Speaks::V10 {
        plan.fits_one()?;
    }
    let bodies = Bodies::open(&plan.source, plan.encoding)?;
    let mut stop = Stop::watch()?;
    let notes = Console::new(plan.style);
    let session = plan.session.session("publish", LATER, notes)?;
    let opening = session.connect_by(async |session| plan.publisher(session).await);
    let publisher = stop.unless_asked("interrupted", opening).await?;
    let mut running = Running {
        plan: &plan,
        session,
        publisher,
        properties: Arc::new(plan.properties.clone()),
        bodies,
        notes,
        waiting: VecDeque::new(),
        replay: plan.replay.map(Replay::new),
        read: Vec::new(),
        again: Vec::new(),
        rounds_left: plan.repeat.max(1),
        next_round: None,
        input_ended: false,
        began: Instant::now(),
        paced: 0,
        last_progress: Instant::now(),
        stopped: None,
        tally: Tally::default(),
    };
    let ended = running.publish_all(&mut stop).await;
    let ended = running.account(ended);
    stop.unless_again(running.publisher.close()).await;
    ended
}

impl Plan {
    /// Connects to publish, over whichever AMQP it is to be.
    async fn publisher(&self, session: &Session) -> Result<Publisher> {
        let v091 = async |session: &Session| self.v091(session).await;
        session
            .over(v091, async |session| self.one(session).await)
            .await
    }

    async fn one(&self, session: &Session) -> Result<Publisher> {
        self.fits_one()?;
        let keys = self.keys.iter();
        let wish = Sending {
            address: self.address.clone().map(Address::Said),
            first: keys.map(|key| Address::of(&self.exchange, key)).collect(),
            confirms: self.confirms,
            window: self.window,
        };
        let publisher = v1::Publisher::connect(&session.target, &session.options, wish).await?;
        Ok(Publisher::V10(Box::new(publisher)))
    }

    /// Refuses what AMQP 1.0 has no word for.
    fn fits_one(&self) -> Result<()> {
        v1::available()?;
        v1::carries(&self.properties)?;
        let flags = [
            (self.mandatory, "--mandatory"),
            (!self.declare.is_empty(), "--declare"),
        ];
        not_of_one(&flags)
    }

    /// Declares what is to be there, and then connects to publish.
    async fn v091(&self, session: &Session) -> Result<Publisher> {
        if !self.declare.is_empty() {
            let client = session.client().await?;
            prepared(&client, &self.declare).await?;
            client.close().await;
        }
        let (target, options) = (&session.target, &session.options);
        let said = session.on_event();
        let publisher =
            v091::Connection::connect(target, options, said, self.confirms, self.window).await?;
        Ok(Publisher::V091(Box::new(publisher)))
    }
}

/// A running `amqp publish`.
struct Running<'a> {
    plan: &'a Plan,
    session: Session,
    publisher: Publisher,
    /// The plan's, which most messages share.
    properties: Arc<AmqpProperties>,
    bodies: Bodies,
    notes: Console,
    /// Read and not handed to the connection.
    waiting: VecDeque<Waiting>,
    replay: Option<Replay>,
    read: Vec<Body>,
    /// The bodies of the first round, for the next ones.
    again: Vec<Body>,
    rounds_left: u64,
    next_round: Option<Instant>,
    input_ended: bool,
    /// Since when the rate counts.
    began: Instant,
    /// How many messages were published under the rate.
    paced: u64,
    last_progress: Instant,
    stopped: Option<Asked>,
    tally: Tally,
}

/// A message that is to go out.
struct Waiting {
    number: u64,
    message: Outgoing,
    /// When a recording has it.
    due: Option<Instant>,
}

impl Running<'_> {
    async fn publish_all(&mut self, stop: &mut Stop) -> Result<()> {
        let mut fates = Vec::new();
        loop {
            self.hand_over()?;
            if self.is_done() {
                return self.proof(stop).await;
            }
            let give_up = self.give_up();
            let due = self.due();
            let hungry = self.waiting.is_empty() && !self.input_ended && self.publisher.has_room();
            tokio::select! {
                biased;
                asked = stop.asked() => self.stop(asked),
                more = self.bodies.next(&mut self.read), if hungry => self.take_input(more?)?,
                known = self.publisher.fates(&mut fates) => {
                    self.take_fates(&mut fates);
                    if let Err(error) = known {
                        self.come_back(error, stop).await?;
                    }
                }
                () = sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => self.start_round()?,
                () = sleep_until(give_up.unwrap_or_else(Instant::now).into()), if give_up.is_some() => return Err(self.unanswered()),
            }
        }
    }

    /// Publishes what waits, as far as the window and the rate let it.
    fn hand_over(&mut self) -> Result<()> {
        while self.publisher.has_room() && self.next_due().is_none_or(|due| due <= Instant::now()) {
            let Some(Waiting {
                number, message, ..
            }) = self.waiting.pop_front()
            else {
                return Ok(());
            };
            if self.publisher.unconfirmed() == 0 {
                self.last_progress = Instant::now();
            }
            self.paced += 1;
            self.publisher.publish(number, message)?;
            self.tally.sent(number);
        }
        Ok(())
    }

    /// When the next message may go out, as the recording or the rate has it.
    fn next_due(&self) -> Option<Instant> {
        let next = self.waiting.front()?;
        let Some(rate) = self.plan.rate else {
            return next.due;
        };
        let since = Duration::try_from_secs_f64(self.paced as f64 / rate).ok()?;
        Some(self.began + since)
    }

    /// When there is something to do besides what comes from outside.
    fn due(&self) -> Option<Instant> {
        let round = self.next_round.filter(|_| self.waiting.is_empty());
        let paced = self.next_due().filter(|_| self.publisher.has_room());
        round.or(paced)
    }

    /// When the server has had long enough to take or confirm a message.
    fn give_up(&self) -> Option<Instant> {
        let since = match self.publisher.unconfirmed() {
            0 => self
                .publisher
                .paused()
                .filter(|_| !self.waiting.is_empty())?,
            _ => self.last_progress,
        };
        Some(since + self.plan.ack_timeout)
    }

    fn is_done(&self) -> bool {
        self.input_ended
            && self.waiting.is_empty()
            && (self.rounds_left == 0 || self.stopped.is_some())
            && self.publisher.unconfirmed() == 0
    }

    /// Without confirmations, an answered request shows that the server has read everything.
    async fn proof(&mut self, stop: &mut Stop) -> Result<()> {
        let proof = self.publisher.proof();
        tokio::select! {
            biased;
            asked = stop.asked() => { self.stopped = Some(asked); Ok(()) }
            proved = proof => {
                proved?;
                self.tally.proved();
                Ok(())
            }
        }
    }

    fn take_input(&mut self, more: bool) -> Result<()> {
        let keep = self.plan.repeat > 1;
        for body in std::mem::take(&mut self.read) {
            if keep {
                self.again.push(body.clone());
            }
            self.enqueue(body);
        }
        if !more {
            self.input_ended = true;
            self.round_done();
        }
        Ok(())
    }

    fn round_done(&mut self) {
        self.rounds_left = self.rounds_left.saturating_sub(1);
        self.next_round = (self.rounds_left > 0)
            .then(|| self.next_round.unwrap_or_else(Instant::now) + self.plan.delay);
    }

    fn start_round(&mut self) -> Result<()> {
        if self.next_round.is_none() || !self.waiting.is_empty() {
            return Ok(());
        }
        for body in self.again.clone() {
            let body = self.bodies.anew(body);
            self.enqueue(body);
        }
        self.round_done();
        Ok(())
    }

    /// Puts one message for each routing key into the queue.
    fn enqueue(&mut self, body: Body) {
        let replay = self.replay.as_mut();
        let due = replay.and_then(|replay| replay.due(body.time, Instant::now()));
        let words = body.amqp.map(|words| *words);
        let (exchange, properties) = match words {
            Some(words) => (words.exchange, Arc::new(words.properties)),
            None => (None, Arc::clone(&self.properties)),
        };
        let message = Outgoing {
            exchange: exchange.unwrap_or_else(|| self.plan.exchange.clone()),
            key: body.topic.clone().unwrap_or_default(),
            properties,
            payload: body.payload,
            mandatory: self.plan.mandatory,
        };
        if body.topic.is_some() || self.plan.keys.is_empty() {
            let number = self.tally.number();
            self.waiting.push_back(Waiting {
                number,
                message,
                due,
            });
            return;
        }
        for key in &self.plan.keys {
            let number = self.tally.number();
            let key = key.clone();
            self.waiting.push_back(Waiting {
                number,
                message: Outgoing {
                    key,
                    ..message.clone()
                },
                due,
            });
        }
    }

    fn take_fates(&mut self, fates: &mut Vec<(u64, Outcome)>) {
        self.last_progress = Instant::now();
        if !fates.is_empty() {}
        for (number, fate) in fates.drain(..) {
            self.tally.settle(number, fate);
        }
    }

    /// After a lost connection: connects again and publishes what was not confirmed before anything else.
    async fn come_back(&mut self, error: Error, stop: &mut Stop) -> Result<()> {
        let broken = self.publisher.is_broken();
        // Without confirmations nobody knows what was lost with the connection.
        if error.kind() != Kind::Lost || broken || self.stopped.is_some() || !self.plan.confirms {
            return Err(error);
        }
        let plan = self.plan;
        let connecting = async |session: &Session| plan.publisher(session).await;
        let opening = self.session.remake(error, connecting);
        let publisher = stop.unless_asked("interrupted", opening).await?;
        let abandoned = std::mem::replace(&mut self.publisher, publisher).abandoned();
        if !abandoned.is_empty() {
            self.notes.warn(format_args!(
                "publishing {} again that were not confirmed; some may arrive twice",
                messages(abandoned.len() as u64)
            ));
        }
        self.tally.again(abandoned.len() as u64);
        for (number, message) in abandoned.into_iter().rev() {
            self.waiting.push_front(Waiting {
                number,
                message,
                due: None,
            });
        }
        self.last_progress = Instant::now();
        Ok(())
    }

    /// Stops reading; what is under way is still waited for.
    fn stop(&mut self, asked: Asked) {
        self.stopped = Some(asked);
        self.input_ended = true;
        self.next_round = None;
        self.tally.unsent += self.waiting.len() as u64;
        self.waiting.clear();
    }

    fn unanswered(&self) -> Error {
        let limit = humantime::format_duration(self.plan.ack_timeout);
        let target = &self.session.target;
        let text = match self.publisher.blocked() {
            Some(reason) => {
                format!("{target} took no message for {limit}: it is blocked: {reason}")
            }
            None if self.publisher.paused().is_some() => {
                format!("{target} took no message for {limit}: it asked for a pause")
            }
            None => format!("no confirmation from {target} for {limit}"),
        };
        Error::new(Kind::TimedOut, text)
    }

    /// The whole truth about what was sent, in one line, when it is not the simple one.
    fn account(&mut self, ended: Result<()>) -> Result<()> {
        self.tally.unsent += self.waiting.len() as u64;
        let ended = match (ended, self.stopped) {
            (Ok(()), Some(asked)) => Err(Error::new(asked.kind(), "interrupted")),
            (ended, _) => ended,
        };
        self.tally.verdict(ended, &self.session.target)
    }
}
