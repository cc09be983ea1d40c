//! `amqp consume`: shows what comes to a queue, and acknowledges it when it was shown.

use bytestring::ByteString;

use super::link::Link;
pub use super::link::Settle;
use super::session::{Session, SessionArgs, Speaks, not_of_one};
use super::source::Consumed;
use crate::amqp::address::Address;
use crate::amqp::consumer::{Offset, Subscription};
use crate::amqp::topology::{Arguments, Declaration};
use crate::amqp::v1;
use crate::amqp::wish::Receiving;
use crate::command::hangup::reopen_destination;
use crate::connect::Retry;
use crate::error::Result;
use crate::flow::{Exec, Ready, Receiver, Stages, Summary, Until};
use crate::output::{Console, Destination, Format, Output, Style};
use crate::stop::Stop;

/// The usual number of deliveries that the server may send ahead.
pub const PREFETCH: u16 = 100;

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
    /// Which messages are wanted, and what they must be. Others are acknowledged in a temporary queue, and held until the
    /// end and then given back to any other.
    pub stages: Stages,
    /// What comes are copies of RabbitMQ's firehose, to be shown as what they copy (`--firehose`).
    pub firehose: bool,
    /// When it ends.
    pub until: Until,
    /// Run a command for each message instead of showing it (`--exec`); its exit status acknowledges or gives back.
    pub exec: Option<Exec>,
    /// Shown instead of messages.
    pub summary: Option<Summary>,
    /// Who is told when messages can come.
    pub ready: Ready,
    /// Where messages go.
    pub destination: Destination,
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
            stages: Stages::default(),
            firehose: false,
            until: Until::default(),
            exec: None,
            summary: None,
            ready: Ready::default(),
            destination: Destination::Stdout,
            format: Format::Text {
                topic: false,
                newline: true,
            },
            style: Style::default(),
        }
    }

    pub(super) fn subscription(&self) -> Subscription {
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

    /// Whether unwanted messages stay unacknowledged among the others.
    pub(super) fn holds_back(&self) -> bool {
        !self.stages.filter.is_empty() && !self.queue.is_empty()
    }

    /// Never 0, which is no limit: others are to get what is not wanted here. No more than are wanted, unless they must
    /// all be looked at.
    pub(super) fn ahead(&self) -> u16 {
        let prefetch = match &self.exec {
            Some(exec) => u16::try_from(exec.workers.get()).unwrap_or(u16::MAX),
            None => self.prefetch,
        };
        if self.holds_back() {
            return prefetch.max(PREFETCH);
        }
        let wanted = self
            .until
            .count
            .map_or(u16::MAX, |count| u16::try_from(count).unwrap_or(u16::MAX));
        match self.settle {
            Settle::Peek => wanted,
            _ => prefetch.min(wanted),
        }
        .max(1)
    }

    /// Connects and consumes over whichever AMQP it is to be, in a stream from `place` on if there is one.
    pub(super) async fn open(&self, place: Option<Offset>, session: &Session) -> Result<Link> {
        let v091 = async |session: &Session| self.v091(place.clone(), session).await;
        session
            .over(v091, async |session| self.one(session).await)
            .await
    }

    /// Declares and consumes.
    async fn v091(&self, place: Option<Offset>, session: &Session) -> Result<Link> {
        let mut connection = session.receiver(&self.declare, false).await?;
        connection.prefetch(self.ahead()).await?;
        let mut subscription = self.subscription();
        subscription.offset = place.or(subscription.offset);
        connection.consume(&subscription).await?;
        Ok(Link::V091(Box::new(connection)))
    }
}

/// Consumes and shows what comes on standard output.
///
/// # Errors
/// No connection, a refusal, a deadline, a lost reader; see [`Kind`](crate::error::Kind).
pub async fn run(plan: Plan) -> Result<()> {
    plan.stages.load()?;
    let output = Output::open_at(&plan.destination, plan.format.clone(), plan.style)?;
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
    reopen_destination(&mut stop, &plan.destination, notes)?;
    let session = plan.session.session("consume", Retry::Forever, notes)?;
    let mut source = Consumed::new(&plan, &session, notes);
    let receiver = Receiver {
        output: &mut output,
        exec: plan.exec.as_ref(),
        summary: plan.summary,
        stages: &plan.stages,
        until: &plan.until,
        ready: &plan.ready,
        console: notes,
    };
    let ended = receiver.receive(&mut source, &mut stop).await;
    // After a signal, `ended` says so already.
    let closed = stop.close(source.close()).await.unwrap_or(Ok(()));
    ended.and(closed)
}
