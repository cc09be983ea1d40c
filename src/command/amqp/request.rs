//! `amqp request`: sends requests and shows the replies to them.

use std::collections::VecDeque;
use std::time::Instant;

use bytestring::ByteString;

use super::link::too_large;
use super::session::{Session, SessionArgs};
use crate::amqp::consumer::{Delivery, Subscription};
use crate::amqp::frame::methods::DIRECT_REPLY_TO;
use crate::amqp::publisher::{Outcome, Outgoing, Returns};
use crate::amqp::topology::Declaration;
use crate::amqp::v091::{Connection, Incoming};
use crate::amqp::wish::Settlement;
use crate::connect::{Retry, within};
use crate::error::{Error, Kind, Result, brief};
use crate::flow::{Asking, Next, Pacing, Replies, Requester, Source, Stages, Strangers};
use crate::message::{AmqpDetail, AmqpProperties, Detail, Message};
use crate::output::{Console, Format, Output, Style};
use crate::payload::{self, Bodies, Encoding, Outline};
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
    pub source: payload::Source,
    /// How they are written there.
    pub encoding: Encoding,
    /// How often, and how fast.
    pub pacing: Pacing,
    /// Which replies are awaited, for each request.
    pub replies: Replies,
    /// Which of them pass, and how they are read.
    pub stages: Stages,
    /// How an answer is shown (`--output`, `-F`).
    pub format: Format,
    /// What the terminal shows.
    pub style: Style,
}

impl Plan {
    /// Requests to a queue, with the defaults.
    pub fn new(session: SessionArgs, key: impl Into<ByteString>, source: payload::Source) -> Self {
        Self {
            session,
            exchange: ByteString::new(),
            key: key.into(),
            reply_to: None,
            declare: Vec::new(),
            properties: AmqpProperties::default(),
            source,
            encoding: Encoding::Plain,
            pacing: Pacing::default(),
            replies: Replies::default(),
            stages: Stages::default(),
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
    plan.stages.load()?;
    let output = Output::open(plan.format.clone(), plan.style)?;
    run_to(plan, output).await
}

/// Asks and shows the answers on `output`.
///
/// # Errors
/// As [`run`].
pub async fn run_to(plan: Plan, mut output: Output) -> Result<()> {
    let bodies = Bodies::open(&plan.source, plan.encoding)?.like(Outline {
        topics: vec![plan.key.clone().into()],
        detail: Detail::Amqp(Box::new(AmqpDetail {
            exchange: plan.exchange.clone(),
            ..AmqpDetail::default()
        })),
        ..Outline::default()
    });
    let mut stop = Stop::watch()?;
    let console = Console::new(plan.style);
    let session = plan.session.session("request", Retry::Never, console)?;
    let opening = async {
        // Each of the tries that --retry asks for has as long as a reply.
        let making = async |session: &Session| {
            let connecting = session.receiver(&plan.declare, true);
            within(plan.replies.until.timeout, &session.target, connecting).await
        };
        let connection = session.connect_by(making).await?;
        AmqpRequester::new(&plan, &session, connection, console).await
    };
    let mut requester = stop.unless_asked("interrupted", opening).await?;
    let asking = Asking {
        output: &mut output,
        stages: &plan.stages,
        replies: &plan.replies,
        console,
    };
    let asking = asking.ask_all(bodies, &plan.pacing, &mut requester, &mut stop);
    let asked = asking.await;
    requester.strangers.close();
    // The answers are here.
    let _ = stop.close(requester.connection.close()).await;
    asked
}

/// A request, and what its answer must carry.
struct Request {
    id: ByteString,
    key: ByteString,
    sent: Instant,
}

/// Asks over one connection, which publishes and consumes.
struct AmqpRequester<'a> {
    plan: &'a Plan,
    session: &'a Session,
    console: Console,
    strangers: Strangers,
    connection: Connection,
    /// Begins every correlation id of this run.
    id: String,
    asked: u64,
    request: Option<Request>,
    /// The delivery tags of answers that were handed out and not settled.
    unsettled: VecDeque<u64>,
}

impl<'a> AmqpRequester<'a> {
    async fn new(
        plan: &'a Plan,
        session: &'a Session,
        mut connection: Connection,
        console: Console,
    ) -> Result<Self> {
        connection.prefetch(HELD).await?;
        // Direct reply-to takes no acknowledgements, and wants its consumer on the channel of the requests.
        connection.consume(&plan.answers()).await?;
        let random = unguessable();
        Ok(Self {
            plan,
            session,
            console,
            strangers: Strangers::new(console),
            connection,
            id: format!("{random:016x}"),
            asked: 0,
            request: None,
            unsettled: VecDeque::new(),
        })
    }

    fn check(&self, number: u64, fate: &Outcome) -> Result<()> {
        let Some(request) = self.request.as_ref().filter(|_| number == self.asked) else {
            return Ok(());
        };
        let (key, target) = (&request.key, self.connection.target());
        let text = match fate {
            Outcome::Confirmed | Outcome::Unrouted(_) | Outcome::Written => return Ok(()),
            Outcome::Nacked => format!("{target} refused the request to {key:?} (nack)"),
            Outcome::Refused(words) => format!("{target} refused the request to {key:?}: {words}"),
            Outcome::Returned { words, .. } => {
                format!("no responder for {key:?} on {target} ({words})")
            }
        };
        Err(Error::new(Kind::Refused, text))
    }

    /// Whether the answer carries our correlation id. From a queue, others' answers are held and go back to it at the end.
    fn is_ours(&mut self, answer: &Delivery) -> bool {
        let correlation = answer.detail().properties.correlation_id.as_ref();
        let request = self.request.as_ref();
        if request.is_some_and(|request| correlation == Some(&request.id)) {
            return true;
        }
        let found = correlation.map_or("none", |found| found);
        self.strangers.came(format_args!(
            "a reply to another request (correlation id {})",
            brief(found)
        ));
        false
    }

    fn incoming(&mut self, incoming: Incoming) -> Option<Next> {
        match incoming {
            Incoming::Delivery(answer) if self.is_ours(&answer) => {
                self.unsettled.push_back(answer.tag);
                Some(Next::Message(answer.message))
            }
            Incoming::TooLarge { tag, size } => {
                self.console.warn(too_large(tag, size));
                None
            }
            Incoming::Cancelled => {
                let gone = self.session.cancelled(&self.plan.answers().queue);
                Some(Next::End(Err(gone)))
            }
            Incoming::Delivery(_) | Incoming::Empty => None,
        }
    }
}

impl Source for AmqpRequester<'_> {
    async fn drive(&mut self) -> Result<()> {
        match &self.request {
            // Not confirmed yet, so that what the server refuses is the request.
            Some(request) if self.connection.unconfirmed() > 0 => {
                let what = format!("the request to {:?}", request.key);
                self.connection.progress(&what).await
            }
            _ => self.connection.drive().await,
        }
    }

    async fn hold(&mut self) -> Error {
        match self.connection.hold().await {}
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        let mut fates = Vec::new();
        loop {
            let came = self.connection.poll_now();
            self.connection.outcomes(&mut fates);
            for (number, fate) in fates.drain(..) {
                self.check(number, &fate)?;
            }
            let Some(came) = came else {
                return Ok(());
            };
            if let Some(next) = self.incoming(came)
                && !sink(next)?
            {
                return Ok(());
            }
        }
    }

    fn settle(&mut self, count: u64) {
        for _ in 0..count {
            let tag = self.unsettled.pop_front();
            if let Some(tag) = tag.filter(|_| self.plan.reply_to.is_some()) {
                self.connection.settle(tag, false, Settlement::Accepted);
            }
        }
    }

    fn awaits(&self) -> Option<String> {
        let key = &self.request.as_ref()?.key;
        let target = self.connection.target();
        Some(format!("no reply to the request to {key:?} on {target}"))
    }
}

impl Requester for AmqpRequester<'_> {
    fn name(&self) -> String {
        self.session.target.to_string()
    }

    fn ask(&mut self, request: Message) -> Result<()> {
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
        let reply_to = plan.reply_to.clone();
        let message = Outgoing {
            exchange,
            key: key.clone(),
            properties: AmqpProperties {
                correlation_id: Some(id.clone()),
                reply_to: Some(reply_to.unwrap_or_else(|| DIRECT_REPLY_TO.into())),
                ..properties
            }
            .into(),
            payload: request.payload,
            returns: Returns::Told,
        };
        self.request = Some(Request {
            id,
            key,
            sent: Instant::now(),
        });
        self.connection.publish(self.asked, message)
    }

    fn sent_at(&self) -> Option<Instant> {
        Some(self.request.as_ref()?.sent)
    }
}
