//! `amqp consume`: shows what comes to a queue, and acknowledges it when it was shown.

use std::time::{Duration, Instant};

use bytestring::ByteString;
use tokio::time::sleep_until;

use super::link::Link;
pub use super::link::Settle;
use super::place::Place;
use super::session::{Session, SessionArgs, Speaks, messages, not_of_one, prepared};
use crate::amqp::address::Address;
use crate::amqp::consumer::{Delivery, Offset, Subscription};
use crate::amqp::topology::{Arguments, Declaration};
use crate::amqp::wish::Receiving;
use crate::amqp::{firehose, v1};
use crate::connect::Retry;
use crate::error::{Error, Kind, Result};
use crate::flow::{Commands, Exec, Outcome, Progress, Target};
use crate::message::{Detail, Message};
use crate::output::{Console, Format, Output, Style};
use crate::payload::expect::Condition;
use crate::payload::inflate::inflated;
use crate::stop::Stop;

/// The usual number of deliveries that the server may send ahead.
pub const PREFETCH: u16 = 100;

/// As many messages are shown before they are written and acknowledged together.
const BATCH: usize = 1000;

/// What to consume, how, and until when.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The connection.
    pub session: SessionArgs,
    /// The queue (`QUEUE`); empty: the one declared last.
    pub queue: ByteString,
    /// From where over AMQP 1.0, instead of the queue (`--address`).
    pub address: Option<ByteString>,
    /// What is made before, again after each reconnect (`--declare`, `--exchange E --key K`).
    pub declare: Vec<Declaration>,
    /// Deliveries that the server may send ahead (`--prefetch`, default 100).
    pub prefetch: u16,
    /// What happens to a message that was shown (`--ack`).
    pub settle: Settle,
    /// Nobody else may consume from the queue (`--exclusive`).
    pub exclusive: bool,
    /// Consumers with a higher priority are served first (`--priority`).
    pub priority: Option<i32>,
    /// Where in a stream to begin (`--offset`).
    pub offset: Option<Offset>,
    /// The consumer's name (`--consumer-tag`); otherwise the server makes one up.
    pub tag: ByteString,
    /// For the consumer (`--argument NAME:TYPE=VALUE`).
    pub arguments: Arguments,
    /// Only messages that fulfil all of these are wanted (`--filter`). Others are acknowledged in a temporary queue, and
    /// held until the end and then given back to any other.
    pub filter: Vec<Condition>,
    /// Bodies are shown as they were before their content encoding (`--decompress`).
    pub decompress: bool,
    /// What comes are copies of RabbitMQ's firehose, to be shown as what they copy (`--firehose`).
    pub firehose: bool,
    /// End after so many messages (`-C`); at least 1.
    pub count: Option<u64>,
    /// Give up after this long (`-W`, `--timeout`): a failure.
    pub timeout: Option<Duration>,
    /// End after this long (`--for`): a success.
    pub duration: Option<Duration>,
    /// End when nothing came for this long (`--idle`): a success.
    pub idle: Option<Duration>,
    /// Run a command for each message instead of showing it (`--exec`); its exit status acknowledges or gives back.
    pub exec: Option<Exec>,
    /// How a message is shown (`--output`, `-F`).
    pub format: Format,
    /// What the terminal shows.
    pub style: Style,
}

impl Plan {
    /// Everything from a queue, with the defaults.
    pub fn new(session: SessionArgs, queue: impl Into<ByteString>) -> Self {
        Self {
            session,
            queue: queue.into(),
            address: None,
            declare: Vec::new(),
            prefetch: PREFETCH,
            settle: Settle::Ack,
            exclusive: false,
            priority: None,
            offset: None,
            tag: ByteString::new(),
            arguments: Arguments::new(),
            filter: Vec::new(),
            decompress: false,
            firehose: false,
            count: None,
            timeout: None,
            duration: None,
            idle: None,
            exec: None,
            format: Format::Text {
                topic: false,
                newline: true,
            },
            style: Style::default(),
        }
    }

    fn subscription(&self) -> Subscription {
        Subscription {
            queue: self.queue.clone(),
            tag: self.tag.clone(),
            exclusive: self.exclusive,
            no_ack: false,
            priority: self.priority,
            offset: self.offset.clone(),
            arguments: self.arguments.clone(),
        }
    }

    async fn one(&self, session: &Session) -> Result<Link> {
        let wish = Receiving {
            address: self.fits_one()?,
            ahead: self.ahead(),
            settled: self.settle == Settle::Auto,
        };
        let consumer = v1::Consumer::connect(&session.target, &session.options, wish).await?;
        Ok(Link::V10(Box::new(consumer)))
    }

    /// Where to consume from over AMQP 1.0; refuses what that has no word for.
    fn fits_one(&self) -> Result<Address> {
        v1::available()?;
        let flags = [
            (self.exclusive, "--exclusive"),
            (self.priority.is_some(), "--priority"),
            (self.offset.is_some(), "--offset"),
            (!self.tag.is_empty(), "--consumer-tag"),
            (!self.arguments.is_empty(), "--argument"),
        ];
        not_of_one(&flags)?;
        match (&self.address, &self.declare[..]) {
            (Some(address), _) => Ok(Address::Said(address.clone())),
            (None, []) => Ok(Address::Queue(self.queue.clone())),
            // A temporary queue, which the server makes by itself.
            (None, [_, Declaration::Binding(binding)]) if self.queue.is_empty() => {
                Ok(Address::of(&binding.source, &binding.key))
            }
            (None, [Declaration::Queue(_), ..]) if !self.queue.is_empty() => {
                not_of_one(&[(true, "--declare")]).map(|()| Address::Queue(self.queue.clone()))
            }
            _ => not_of_one(&[(true, "-e with a queue, or with several keys")])
                .map(|()| Address::Queue(self.queue.clone())),
        }
    }

    fn wants(&self, message: &Message) -> bool {
        let json = || serde_json::from_slice(&message.payload).ok();
        let mut conditions = self.filter.iter();
        conditions.all(|condition| condition.holds(message, json))
    }

    /// Whether unwanted messages stay unacknowledged among the others.
    fn holds_back(&self) -> bool {
        !self.filter.is_empty() && !self.queue.is_empty()
    }

    /// Never 0, which is no limit: memory stays bounded however slowly we are read. No more than are wanted, so
    /// that others get the rest; and to look at messages they must all be let in.
    fn ahead(&self) -> u16 {
        let wanted = self
            .count
            .map(|count| u16::try_from(count).unwrap_or(u16::MAX));
        if self.settle == Settle::Peek {
            return wanted.unwrap_or(u16::MAX).max(1);
        }
        if self.holds_back() {
            return u16::MAX;
        }
        let prefetch = match &self.exec {
            Some(exec) => u16::try_from(exec.workers.get()).unwrap_or(u16::MAX),
            None => self.prefetch,
        };
        prefetch.min(wanted.unwrap_or(u16::MAX)).max(1)
    }
}

/// Consumes and shows what comes on standard output.
///
/// # Errors
/// No connection, a refusal, a deadline, a lost reader; see [`Kind`].
pub async fn run(plan: Plan) -> Result<()> {
    let output = Output::open(plan.format.clone(), plan.style)?;
    run_to(plan, output).await
}

/// Consumes and shows what comes on `output`.
///
/// # Errors
/// As [`run`].
pub async fn run_to(plan: Plan, mut output: Output) -> Result<()> {
    if plan.session.protocol == Speaks::V10 {
        plan.fits_one()?;
    }
    let mut stop = Stop::watch()?;
    let notes = Console::new(plan.style);
    let session = plan.session.session("consume", Retry::Forever, notes)?;
    let now = Instant::now();
    let mut running = Running {
        plan: &plan,
        session,
        notes,
        began: now,
        last_message: now,
        shown: 0,
        failed: 0,
        link: None,
        place: Place::default(),
        pool: plan.exec.as_ref().map(|exec| Commands::new(exec, notes)),
    };
    let ended = running.consume_all(&mut output, &mut stop).await;
    if let Some(link) = running.link.take() {
        stop.unless_again(link.end()).await;
    }
    ended
}

/// A running `amqp consume`.
struct Running<'a> {
    plan: &'a Plan,
    session: Session,
    notes: Console,
    began: Instant,
    last_message: Instant,
    shown: u64,
    /// Commands that failed.
    failed: u64,
    link: Option<Link>,
    /// For streams.
    place: Place,
    pool: Option<Commands<'a>>,
}

/// What `work` comes to; `None`: its time has passed.
async fn in_time<T>(end: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match end {
        Some(end) => tokio::time::timeout_at(end.into(), work).await.ok(),
        None => Some(work.await),
    }
}

/// The next command that ends; never, where none runs. Cancel-safe.
async fn next_ended(pool: &mut Option<Commands<'_>>) -> Result<Progress> {
    let Some(pool) = pool else {
        return std::future::pending().await;
    };
    let mut ended = Vec::new();
    loop {
        pool.drive(&mut ended).await?;
        if let Some(progress) = ended.pop() {
            return Ok(progress);
        }
    }
}

/// What a turn of the loop has to deal with.
enum Turn {
    Delivery(Result<Delivery>),
    Executed(Progress),
    TimePassed,
}

impl Running<'_> {
    async fn consume_all(&mut self, output: &mut Output, stop: &mut Stop) -> Result<()> {
        let plan = self.plan;
        let connecting = async |session: &Session| open(plan, None, session).await;
        let opening = self.session.connect_by(connecting);
        let end = plan.timeout.map(|limit| self.began + limit);
        let opened = in_time(end, stop.unless_asked("interrupted", opening)).await;
        self.link = Some(opened.unwrap_or_else(|| Err(self.timed_out(false)))?);
        self.last_message = Instant::now();
        loop {
            let turn = self.turn(output, stop).await?;
            let ended = match turn {
                Turn::Delivery(Ok(delivery)) => self.take(delivery, output, stop).await,
                Turn::Delivery(Err(error)) => Err(error),
                Turn::Executed(progress) => self.executed(progress).await,
                Turn::TimePassed => self.time_passed(),
            };
            match ended {
                Ok(false) => {}
                Ok(true) => return self.verdict(),
                Err(error) => self.come_back(error, stop).await?,
            }
        }
    }

    /// Waits for whatever comes next.
    async fn turn(&mut self, output: &mut Output, stop: &mut Stop) -> Result<Turn> {
        let deadline = self.deadline();
        // There is a link whenever the loop turns; `come_back` makes a new one or ends it.
        let Some(link) = self.link.as_mut() else {
            return Err(Error::new(Kind::Lost, "no connection"));
        };
        let enough = self.plan.count.is_some_and(|count| self.shown >= count);
        let free = self.pool.as_ref().is_none_or(Target::has_room) && !enough;
        tokio::select! {
            biased;
            asked = stop.asked() => Err(Error::new(asked.kind(), self.interrupted())),
            ended = next_ended(&mut self.pool) => ended.map(Turn::Executed),
            delivery = link.next(), if free => Ok(Turn::Delivery(delivery)),
            () = output.reader_gone() => Err(Error::new(Kind::ReaderGone, "nobody reads our output any more")),
            () = sleep_until(deadline.unwrap_or_else(Instant::now).into()), if deadline.is_some() => Ok(Turn::TimePassed),
        }
    }

    /// Shows the delivery and those that came with it, or starts its command.
    async fn take(
        &mut self,
        first: Delivery,
        output: &mut Output,
        stop: &mut Stop,
    ) -> Result<bool> {
        self.last_message = Instant::now();
        self.session.progressed();
        if self.pool.is_some() {
            return self.execute(first).await;
        }
        let mut batch = Vec::new();
        let mut next = Some(first);
        while let Some(delivery) = next {
            self.place.take(&delivery, false);
            let message = self.readable(delivery.message);
            let wanted = self.plan.wants(&message);
            if wanted {
                output.message(&message)?;
                self.shown += 1;
            }
            if wanted || !self.plan.holds_back() {
                batch.push(delivery.tag);
            }
            let full = batch.len() >= BATCH || self.plan.count == Some(self.shown);
            next = self
                .link
                .as_mut()
                .filter(|_| !full)
                .and_then(Link::poll_now);
        }
        if self.plan.settle == Settle::Auto {
            self.settle(&batch).await?;
        }
        self.flush(output, stop).await?;
        if self.plan.settle != Settle::Auto {
            self.settle(&batch).await?;
        }
        Ok(self.plan.count == Some(self.shown))
    }

    /// Starts the command for a delivery.
    async fn execute(&mut self, delivery: Delivery) -> Result<bool> {
        self.place.take(&delivery, true);
        let tag = delivery.tag;
        let message = self.readable(delivery.message);
        if !self.plan.wants(&message) {
            self.place.end(tag);
            return self.pass_over(tag).await;
        }
        self.shown += 1;
        if let Some(pool) = &mut self.pool {
            pool.take(tag, message)?;
        }
        Ok(false)
    }

    /// Whether no command runs.
    fn is_idle(&self) -> bool {
        self.pool.as_ref().is_none_or(Target::is_idle)
    }

    /// The message as it is to be shown.
    fn readable(&self, message: Message) -> Message {
        let message = match self.plan.firehose {
            true => firehose::original(message),
            false => message,
        };
        match self.plan.decompress {
            true => decompressed(message, self.notes),
            false => message,
        }
    }

    /// Writes what waits. A reader that stalls stops the acknowledgements, and with them the server.
    async fn flush(&self, output: &mut Output, stop: &mut Stop) -> Result<()> {
        let ends = [self.plan.timeout, self.plan.duration];
        let end = ends
            .into_iter()
            .flatten()
            .min()
            .map(|limit| self.began + limit);
        tokio::select! {
            biased;
            written = output.flush() => written,
            asked = stop.asked() => Err(Error::new(asked.kind(), self.interrupted())),
            () = sleep_until(end.unwrap_or_else(Instant::now).into()), if end.is_some() => {
                let text = format!("timed out: nobody reads our output, after {}", messages(self.shown));
                Err(Error::new(Kind::TimedOut, text))
            }
        }
    }

    /// An unwanted message is held until the end, or done with in a temporary queue.
    async fn pass_over(&self, tag: u64) -> Result<bool> {
        if let (Some(link), false) = (&self.link, self.plan.holds_back()) {
            link.settle(&[tag], Settle::Ack, false).await?;
        }
        Ok(false)
    }

    /// Tells the server what became of the messages with these tags, which are in order.
    async fn settle(&self, tags: &[u64]) -> Result<()> {
        match &self.link {
            Some(link) => {
                let all = !self.plan.holds_back();
                link.settle(tags, self.plan.settle, all).await
            }
            None => Ok(()),
        }
    }

    /// A command ended: its message is acknowledged, or given back as the plan says.
    async fn executed(&mut self, progress: Progress) -> Result<bool> {
        let Progress::One(tag, outcome) = progress else {
            return Ok(false);
        };
        let good = matches!(outcome, Outcome::Accepted);
        self.place.end(tag);
        let (Some(link), Some(exec)) = (&self.link, &self.plan.exec) else {
            return Ok(false);
        };
        let how = match (good, exec.requeue) {
            (true, _) => Settle::Ack,
            (false, true) => Settle::Requeue,
            (false, false) => Settle::Nack,
        };
        link.settle(&[tag], how, false).await?;
        self.failed += u64::from(!good);
        let enough = self.plan.count.is_some_and(|count| self.shown >= count);
        Ok(enough && self.is_idle())
    }

    /// The end of a good run; failed commands make it a failure.
    fn verdict(&self) -> Result<()> {
        match self.failed {
            0 => Ok(()),
            failed => Err(Error::new(
                Kind::Refused,
                format!(
                    "the command failed for {failed} of {}",
                    messages(self.shown)
                ),
            )),
        }
    }

    async fn come_back(&mut self, error: Error, stop: &mut Stop) -> Result<()> {
        let broken = self.link.as_ref().is_some_and(Link::is_broken);
        if error.kind() != Kind::Lost || broken {
            return Err(error);
        }
        self.link = None;
        // What they work on was given back to the queue with the connection.
        if let Some(pool) = &mut self.pool {
            pool.forget();
        }
        let place = self.plan.offset.as_ref().and_then(|_| self.place.resume());
        let plan = self.plan;
        let end = plan.timeout.map(|limit| self.began + limit);
        let connecting = async |session: &Session| open(plan, place.clone(), session).await;
        let opening = self.session.remake(error, connecting);
        let opened = in_time(end, stop.unless_asked("interrupted", opening)).await;
        self.link = Some(opened.unwrap_or_else(|| Err(self.timed_out(false)))?);
        match place {
            Some(Offset::At(next)) => self
                .notes
                .warn(format_args!("consuming again, from offset {next} of the stream")),
            _ => self.notes.warn(
                "consuming again; messages that were not acknowledged come again, and those of a temporary queue are lost",
            ),
        }
        Ok(())
    }

    fn deadline(&self) -> Option<Instant> {
        let ends = [
            self.plan.timeout.map(|limit| self.began + limit),
            self.plan.duration.map(|limit| self.began + limit),
            self.plan.idle.map(|limit| self.last_message + limit),
        ];
        ends.into_iter().flatten().min()
    }

    /// Whether the time that passed is a good end.
    fn time_passed(&mut self) -> Result<bool> {
        let now = Instant::now();
        let over = |limit: Option<Duration>, since: Instant| {
            limit.is_some_and(|limit| now >= since + limit)
        };
        if over(self.plan.timeout, self.began) {
            return Err(self.timed_out(true));
        }
        let ended = over(self.plan.duration, self.began) || over(self.plan.idle, self.last_message);
        match self.plan.count {
            Some(count) if ended => {
                let text = format!("{} of {count} messages came", self.shown);
                Err(Error::new(Kind::TimedOut, text))
            }
            _ => Ok(ended && self.is_idle()),
        }
    }

    fn timed_out(&self, connected: bool) -> Error {
        let target = &self.session.target;
        let text = match (connected, self.plan.count) {
            (false, _) => format!("timed out: no connection to {target}"),
            (true, Some(count)) => format!("timed out: {} of {count} messages came", self.shown),
            (true, None) => format!("timed out after {}", messages(self.shown)),
        };
        Error::new(Kind::TimedOut, text)
    }

    fn interrupted(&self) -> String {
        match self.plan.count {
            Some(count) => format!("interrupted: {} of {count} messages came", self.shown),
            None => format!("interrupted after {}", messages(self.shown)),
        }
    }
}

/// Connects and consumes over whichever AMQP it is to be, in a stream from `place` on if there is one.
async fn open(plan: &Plan, place: Option<Offset>, session: &Session) -> Result<Link> {
    let v091 = async |session: &Session| v091(plan, place.clone(), session).await;
    session
        .over(v091, async |session| plan.one(session).await)
        .await
}

/// Declares and consumes.
async fn v091(plan: &Plan, place: Option<Offset>, session: &Session) -> Result<Link> {
    let client = session.client().await?;
    let (channel, _) = prepared(&client, &plan.declare).await?;
    channel.prefetch(plan.ahead()).await?;
    let mut subscription = plan.subscription();
    subscription.offset = place.or(subscription.offset);
    let consumer = channel.consume(&subscription).await?;
    Ok(Link::V091(client, channel, Box::new(consumer)))
}

/// Undoes the content encoding, which is gone then; what cannot be undone stays as it came, and is told.
fn decompressed(mut message: Message, notes: Console) -> Message {
    let Detail::Amqp(detail) = &mut message.detail else {
        return message;
    };
    let encoding = &mut detail.properties.content_encoding;
    let named = encoding
        .as_deref()
        .filter(|name| !matches!(*name, "" | "identity"));
    match named.map(|name| inflated(name, &message.payload)) {
        None => {}
        Some(Ok(body)) => {
            message.payload = body;
            *encoding = None;
        }
        Some(Err(why)) => notes.warn(format_args!(
            "message {} is shown as it came: {why}",
            detail.delivery_tag
        )),
    }
    message
}
