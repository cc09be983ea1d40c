//! `amqp request`: sends requests and shows their answers.

use std::time::Duration;

use bytestring::ByteString;
use tokio::time::{Instant, timeout_at};

use super::link::too_large;
use super::session::{Session, SessionArgs};
use crate::amqp::consumer::{Delivery, Subscription};
use crate::amqp::frame::methods::DIRECT_REPLY_TO;
use crate::amqp::publisher::{Outcome, Outgoing, Returns};
use crate::amqp::topology::Declaration;
use crate::amqp::v091::{Connection, Incoming};
use crate::amqp::wish::Settlement;
use crate::connect::{Retry, within};
use crate::error::{Error, Kind, Result};
use crate::flow::{Account, Input, Next, Pacing, Source as _, Unit};
use crate::message::{AmqpDetail, AmqpProperties, Detail, Message};
use crate::output::{Console, Format, Output, Style};
use crate::payload::{Bodies, Encoding, Outline, Source};
use crate::random::unguessable;
use crate::stop::Stop;

/// Foreign answers that are held while ours is looked for in a queue.
const HELD: u16 = 1000;

/// What to ask, and where the answer comes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The connection.
    pub session: SessionArgs,
    /// Where requests go (`-e`, default: the default exchange).
    pub exchange: ByteString,
    /// The routing key, which for the default exchange is the queue (`KEY` or `-k`).
    pub key: ByteString,
    /// The queue that answers come to (`--reply-to`); otherwise direct reply-to.
    pub reply_to: Option<ByteString>,
    /// What is made before (`--declare`).
    pub declare: Vec<Declaration>,
    /// Properties of each request; correlation id and reply-to are ours.
    pub properties: AmqpProperties,
    /// Where the requests come from (`-m -f -s -l -n --ndjson`); one is asked after the other.
    pub source: Source,
    /// How they are written there.
    pub encoding: Encoding,
    /// How long each answer may take (`-W`, `--timeout`, default 10 s).
    pub timeout: Duration,
    /// How an answer is shown (`--output`, `-F`).
    pub format: Format,
    /// What the terminal shows.
    pub style: Style,
}

impl Plan {
    /// Requests to a queue, with the defaults.
    pub fn new(session: SessionArgs, key: impl Into<ByteString>, source: Source) -> Self {
        Self {
            session,
            exchange: ByteString::new(),
            key: key.into(),
            reply_to: None,
            declare: Vec::new(),
            properties: AmqpProperties::default(),
            source,
            encoding: Encoding::Plain,
            timeout: Duration::from_secs(10),
            format: Format::Text {
                topic: false,
                newline: true,
            },
            style: Style::default(),
        }
    }
}

impl Plan {
    /// What answers are consumed from.
    fn answers(&self) -> Subscription {
        let queue = self.reply_to.clone();
        Subscription {
            no_ack: queue.is_none(),
            queue: queue.unwrap_or_else(|| DIRECT_REPLY_TO.into()),
            ..Subscription::default()
        }
    }
}

/// Asks and shows the answers on standard output.
///
/// # Errors
/// [`Kind::Refused`] when nobody serves the routing key, [`Kind::TimedOut`] without an answer; no connection; see [`Kind`].
pub async fn run(plan: Plan) -> Result<()> {
    let output = Output::open(plan.format.clone(), plan.style)?;
    run_to(plan, output).await
}

/// Asks and shows the answers on `output`.
///
/// # Errors
/// As [`run`].
pub async fn run_to(plan: Plan, mut output: Output) -> Result<()> {
    let bodies = Bodies::open(&plan.source, plan.encoding)?.like(Outline {
        topics: vec![plan.key.clone()],
        detail: Detail::Amqp(Box::new(AmqpDetail {
            exchange: plan.exchange.clone(),
            ..AmqpDetail::default()
        })),
        ..Outline::default()
    });
    let mut stop = Stop::watch()?;
    let notes = Console::new(plan.style);
    let session = plan.session.session("request", Retry::Never, notes)?;
    let mut input = Input::new(bodies, &Pacing::default());
    let mut account = Account {
        unit: Unit::Request,
        ..Account::default()
    };
    let work = async {
        let making = async |session: &Session| session.receiver(&plan.declare, true).await;
        let connecting = session.connect_by(making);
        let connection = within(Some(plan.timeout), &session.target, connecting).await?;
        let mut caller = Caller::new(&plan, &session, connection, notes).await?;
        let asked = caller.ask_all(&mut input, &mut output, &mut account).await;
        // The answers are here.
        let _ = caller.connection.close().await;
        asked
    };
    let ended = stop.unless_asked("interrupted", work).await;
    account.unsent = input.unsent();
    input.report(notes);
    account.verdict(ended, &session.target.to_string())
}

struct Caller<'a> {
    plan: &'a Plan,
    session: &'a Session,
    notes: Console,
    connection: Connection,
    /// Begins every correlation id of this run.
    id: String,
    asked: u64,
}

impl<'a> Caller<'a> {
    async fn new(
        plan: &'a Plan,
        session: &'a Session,
        mut connection: Connection,
        notes: Console,
    ) -> Result<Self> {
        connection.prefetch(HELD).await?;
        // Direct reply-to takes no acknowledgements, and wants its consumer on the channel of the requests.
        connection.consume(&plan.answers()).await?;
        let random = unguessable();
        Ok(Self {
            plan,
            session,
            notes,
            connection,
            id: format!("{random:016x}"),
            asked: 0,
        })
    }

    /// Asks until the input ends, or a request is not answered.
    async fn ask_all(
        &mut self,
        input: &mut Input,
        output: &mut Output,
        account: &mut Account,
    ) -> Result<()> {
        loop {
            self.connection.alive_during(input.drive()).await?;
            let mut came = None;
            input.take(|next| {
                came = Some(next);
                Ok(false)
            })?;
            let request = match came {
                Some(Next::Message(request)) => request,
                Some(Next::End(end)) => return end,
                Some(Next::Skipped | Next::Lost | Next::Again(_)) | None => continue,
            };
            account.received += 1;
            let answer = match self.ask(request).await {
                Ok(answer) => answer,
                Err(error) if error.kind() == Kind::Lost => return Err(error),
                Err(error) => {
                    account.refuse(error);
                    return Ok(());
                }
            };
            account.delivered += 1;
            output.message(&answer.message)?;
            self.connection.alive_during(output.flush()).await?;
        }
    }

    /// Sends one request and waits for its answer.
    async fn ask(&mut self, request: Message) -> Result<Delivery> {
        self.asked += 1;
        let id = ByteString::from(format!("{}-{}", self.id, self.asked));
        let plan = self.plan;
        let (key, exchange, properties) = match request.detail {
            Detail::Amqp(amqp) => (request.topic, amqp.exchange, amqp.properties),
            _ if request.topic.is_empty() => (
                plan.key.clone(),
                plan.exchange.clone(),
                plan.properties.clone(),
            ),
            _ => (
                request.topic,
                plan.exchange.clone(),
                plan.properties.clone(),
            ),
        };
        let reply_to = self.plan.reply_to.clone();
        let message = Outgoing {
            exchange,
            key,
            properties: AmqpProperties {
                correlation_id: Some(id.clone()),
                reply_to: Some(reply_to.unwrap_or_else(|| DIRECT_REPLY_TO.into())),
                ..properties
            }
            .into(),
            payload: request.payload,
            returns: Returns::Told,
        };
        let key = message.key.clone();
        self.connection.publish(self.asked, message)?;
        let end = Instant::now() + self.plan.timeout;
        timeout_at(end, self.answer(&id, &key))
            .await
            .unwrap_or_else(|_| {
                let target = self.connection.target();
                let limit = humantime::format_duration(self.plan.timeout);
                Err(Error::new(
                    Kind::TimedOut,
                    format!("no reply to the request to {key:?} on {target} within {limit}"),
                ))
            })
    }

    async fn answer(&mut self, id: &ByteString, key: &ByteString) -> Result<Delivery> {
        let mut fates = Vec::new();
        loop {
            let came = self.connection.poll_now();
            self.connection.outcomes(&mut fates);
            for (_, fate) in fates.drain(..) {
                self.check(&fate, key)?;
            }
            match came {
                None => self.connection.drive().await?,
                Some(Incoming::Delivery(answer)) if self.is_ours(&answer, id) => return Ok(answer),
                Some(Incoming::TooLarge { tag, size }) => self.notes.warn(too_large(tag, size)),
                Some(Incoming::Cancelled) => {
                    return Err(self.session.cancelled(&self.plan.answers().queue));
                }
                Some(Incoming::Delivery(_) | Incoming::Empty) => {}
            }
        }
    }

    fn check(&self, fate: &Outcome, key: &ByteString) -> Result<()> {
        let target = self.connection.target();
        match fate {
            Outcome::Confirmed | Outcome::Written => Ok(()),
            Outcome::Nacked => Err(Error::new(
                Kind::Refused,
                format!("{target} refused the request to {key:?} (nack)"),
            )),
            Outcome::Refused(words) => Err(Error::new(
                Kind::Refused,
                format!("{target} refused the request to {key:?}: {words}"),
            )),
            Outcome::Returned(words) => Err(Error::new(
                Kind::Refused,
                format!("no responder for {key:?} on {target} ({words})"),
            )),
        }
    }

    /// Whether the answer carries our correlation id. From a queue, others' answers are held and go back to it at the end.
    fn is_ours(&mut self, answer: &Delivery, id: &ByteString) -> bool {
        let correlation = answer.detail().properties.correlation_id.as_ref();
        if correlation == Some(id) {
            if self.plan.reply_to.is_some() {
                self.connection
                    .settle(answer.tag, false, Settlement::Accepted);
            }
            return true;
        }
        let found = correlation.map_or("none", |found| found);
        self.notes.warn(format_args!(
            "ignoring a reply to another request (correlation id {found})"
        ));
        false
    }
}
