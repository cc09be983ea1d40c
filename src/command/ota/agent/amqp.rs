//! A device over AMQP: manifests come to its queue, and its reports go to the queue of all. The image is in the envelope, or
//! is fetched over CoAP.

use std::sync::Arc;
use std::time::Instant;

use bytestring::ByteString;
use futures_util::future::{FutureExt, LocalBoxFuture};
use tokio::time::{sleep_until, timeout_at};

use super::core::Core;
use super::mqtt::GOODBYE;
use super::pull::Puller;
use crate::amqp::consumer::Subscription;
use crate::amqp::publisher::{Outgoing, Returns};
use crate::amqp::topology::{Binding, Declaration, Destination, Queue};
use crate::amqp::v091::{Connection, Incoming};
use crate::amqp::wish::Settlement;
use crate::command::amqp::session::{Session, SessionArgs};
use crate::command::ota::amqp;
use crate::connect::Retry;
use crate::error::{Cause, Error, Kind, Result};
use crate::firmware::device::{Outcome, Report};
use crate::firmware::wire::{Audience, Queues};
use crate::message::{AmqpProperties, AmqpValue};
use crate::stop::{Asked, Stop};

/// Manifests that may wait in the queue of a device; the newest counts, and the oldest are dropped.
const MOST_MANIFESTS: u16 = 16;

pub(super) async fn run(core: Core, mut args: SessionArgs) -> Result<()> {
    // What is left of an earlier run may have the queue until the server has seen that it is gone.
    let is_patient = args.connect.retry.is_some();
    // A device may be up before its network is.
    args.connect.retry = args.connect.retry.or(Some(Retry::Forever));
    let session = args.session("ota agent", Retry::Forever, core.console)?;
    let wants = Wants::of(&core);
    let mut stop = Stop::watch()?;
    let mut agent = Agent {
        puller: Puller::anywhere(core)?,
        link: Link::Connecting(wants.connecting(&session, is_patient)),
        manifests: Vec::new(),
        waiting: 0,
        reported: None,
        number: 0,
    };
    let ended = agent.drive(&session, &wants, &mut stop).await;
    agent.puller.core.remember();
    let closed = stop.close(agent.close()).await;
    ended?;
    closed.map_err(|asked| Error::new(asked.kind(), "interrupted"))?
}

/// What is to be there on the server.
struct Wants {
    declare: Vec<Declaration>,
    queue: ByteString,
    reports: ByteString,
    device: String,
}

impl Wants {
    fn of(core: &Core) -> Self {
        let (plan, queues) = (&core.plan, Queues::new(&core.plan.prefix));
        let queue = ByteString::from(queues.device(&plan.id));
        let limit = AmqpValue::Int(MOST_MANIFESTS.into());
        let mut declare = vec![
            amqp::exchange(&queues),
            amqp::reports(&queues),
            Declaration::Queue(Queue {
                arguments: vec![("x-max-length".into(), limit)],
                ..Queue::new(queue.clone())
            }),
        ];
        let groups = plan.groups.iter().cloned().map(Audience::Group);
        let alone = [Audience::All, Audience::Device(plan.id.clone())];
        let audiences = alone.into_iter().chain(groups);
        declare.extend(audiences.map(|audience| {
            Declaration::Binding(Binding {
                source: queues.exchange().into(),
                destination: Destination::Queue(queue.clone()),
                key: audience.to_string().into(),
                arguments: Vec::new(),
            })
        }));
        Self {
            declare,
            queue,
            reports: queues.status().into(),
            device: plan.id.clone(),
        }
    }

    /// With `patient` another agent of this name is waited for: it may be the connection that this one has lost.
    fn connecting<'a>(
        &'a self,
        session: &'a Session,
        patient: bool,
    ) -> LocalBoxFuture<'a, Result<Opened>> {
        let open = async move |session: &Session| {
            let mut connection = session.receiver(&self.declare, true).await?;
            connection.prefetch(MOST_MANIFESTS).await?;
            let subscription = Subscription {
                queue: self.queue.clone(),
                // Of two agents each would get a part of the manifests.
                exclusive: true,
                ..Subscription::default()
            };
            let waiting = Declaration::QueueIsThere(self.queue.clone());
            let waiting = connection.declare(&waiting).await?;
            let consuming = connection.consume(&subscription).await;
            consuming.map_err(|why| self.taken(why, patient))?;
            Ok((Box::new(connection), waiting.map_or(0, |it| it.messages)))
        };
        async move { session.connect_by(open).await }.boxed_local()
    }

    /// Who has the queue, where that is why it was refused.
    fn taken(&self, why: Error, patient: bool) -> Error {
        if why.cause() != Some(Cause::InUse) {
            return why;
        }
        let kind = match patient {
            true => Kind::Lost,
            false => Kind::Refused,
        };
        let text = format!("another agent is {}: {}", self.device, why.text());
        Error::new(kind, text).because(Cause::InUse).hint("give each device a name of its own with --device NAME; with --retry forever the end of the other one is waited for")
    }
}

/// Whether another agent has the name for good.
fn is_another(why: &Error) -> bool {
    why.kind() == Kind::Refused && why.cause() == Some(Cause::InUse)
}

/// A connection, and how many manifests wait in the queue.
type Opened = (Box<Connection>, u32);

enum Link<'a> {
    Connecting(LocalBoxFuture<'a, Result<Opened>>),
    Up(Box<Connection>),
}

impl Link<'_> {
    /// What comes of the connection next. Cancel-safe.
    async fn next(&mut self) -> Result<Option<Opened>> {
        match self {
            Self::Connecting(connecting) => connecting.await.map(Some),
            Self::Up(connection) => connection.drive().await.map(|()| None),
        }
    }

    /// Keeps the connection alive.
    async fn hold(&mut self) {
        match self {
            Self::Up(connection) => match connection.hold().await {},
            Self::Connecting(_) => std::future::pending().await,
        }
    }
}

struct Agent<'a> {
    puller: Puller,
    link: Link<'a>,
    /// The manifests that came; they are acknowledged once nothing is under way, so that one that was begun comes again
    /// after a crash.
    manifests: Vec<u64>,
    /// Manifests that waited in the queue and have not come yet: they may be what `--once` is for.
    waiting: u32,
    /// What the server was told last.
    reported: Option<Report>,
    /// Of the last report.
    number: u64,
}

/// What woke the agent.
enum Woken {
    Link(Result<Option<Opened>>),
    Ended(Outcome),
    Time,
    Asked(Asked),
}

impl<'a> Agent<'a> {
    async fn drive(
        &mut self,
        session: &'a Session,
        wants: &'a Wants,
        stop: &mut Stop,
    ) -> Result<()> {
        loop {
            let is_up = matches!(self.link, Link::Up(_));
            self.puller.core.steps(is_up);
            self.puller.core.tell();
            self.speak(wants)?;
            if let Some(ended) = self.is_over() {
                return ended;
            }
            if self.puller.core.is_downloading() {
                tokio::select! {
                    fetched = self.puller.image() => if let Err(why) = fetched {
                        self.speak(wants)?;
                        return Err(why);
                    },
                    () = self.link.hold() => {}
                    asked = stop.asked() => return self.puller.core.stopped(asked),
                }
                self.take();
                continue;
            }
            match self.wait(stop).await {
                Woken::Link(Ok(Some(opened))) => self.connected(opened),
                Woken::Link(Ok(None)) => self.take(),
                Woken::Link(Err(why)) if session.is_outage(&why) && !is_another(&why) => {
                    self.puller.core.console.warn(&why);
                    (self.manifests, self.reported) = (Vec::new(), None);
                    self.link = Link::Connecting(wants.connecting(session, true));
                }
                Woken::Link(Err(why)) => return Err(why),
                Woken::Ended(outcome) => {
                    if self.puller.core.ended(outcome) {
                        return self.speak(wants);
                    }
                }
                Woken::Time => {}
                Woken::Asked(asked) => return self.puller.core.stopped(asked),
            }
        }
    }

    async fn wait(&mut self, stop: &mut Stop) -> Woken {
        let until = self.puller.core.next_time();
        let late = until.unwrap_or_else(Instant::now);
        tokio::select! {
            biased;
            asked = stop.asked() => Woken::Asked(asked),
            outcome = self.puller.core.outcome() => Woken::Ended(outcome),
            came = self.link.next() => Woken::Link(came),
            () = sleep_until(late.into()), if until.is_some() => Woken::Time,
        }
    }

    fn connected(&mut self, (connection, waiting): Opened) {
        self.waiting = waiting;
        self.link = Link::Up(connection);
        self.puller.core.server_reached();
    }

    /// Takes in what has come, without waiting.
    fn take(&mut self) {
        let Link::Up(connection) = &mut self.link else {
            return;
        };
        let mut outcomes = Vec::new();
        loop {
            let came = connection.poll_now();
            // A report that no queue got is followed by the next.
            connection.outcomes(&mut outcomes);
            outcomes.clear();
            match came {
                Some(Incoming::Delivery(delivery)) => {
                    self.manifests.push(delivery.tag);
                    self.waiting = self.waiting.saturating_sub(1);
                    self.puller.core.manifest(&delivery.message.payload);
                }
                Some(Incoming::TooLarge { tag, .. }) => {
                    connection.settle(tag, false, Settlement::Rejected);
                }
                Some(_) => {}
                None => return,
            }
        }
    }

    /// Reports, and acknowledges manifests.
    fn speak(&mut self, wants: &Wants) -> Result<()> {
        let core = &self.puller.core;
        let Link::Up(connection) = &mut self.link else {
            return Ok(());
        };
        if core.device.is_idle() {
            let manifests = std::mem::take(&mut self.manifests);
            connection.settle_all(&manifests, Settlement::Accepted);
        }
        let report = core.device.report();
        let is_news = self.reported.as_ref();
        let is_news = is_news.is_none_or(|last| report.is_news(last));
        if !is_news || !connection.has_room() {
            return Ok(());
        }
        let text = core.report(&report);
        self.number += 1;
        let message = Outgoing {
            exchange: ByteString::new(),
            key: wants.reports.clone(),
            properties: Arc::new(AmqpProperties {
                content_type: Some(ByteString::from_static("application/json")),
                delivery_mode: Some(2),
                ..AmqpProperties::default()
            }),
            payload: text.into(),
            returns: Returns::Ignored,
        };
        self.reported = Some(report);
        connection.publish(self.number, message)
    }

    /// With `--once`: how the first update ended.
    fn is_over(&self) -> Option<Result<()>> {
        let core = &self.puller.core;
        if let Some(why) = core.missed() {
            return Some(Err(why));
        }
        let is_told = self.reported.as_ref() == Some(&core.device.report());
        core.ending()
            .filter(|_| is_told && self.waiting == 0 && self.manifests.is_empty())
    }

    /// The last report goes out before the connection ends.
    async fn close(self) -> Result<()> {
        let Link::Up(mut connection) = self.link else {
            return Ok(());
        };
        let until = Instant::now() + GOODBYE;
        let mut outcomes = Vec::new();
        while connection.unconfirmed() > 0 {
            match timeout_at(until.into(), connection.fates(&mut outcomes)).await {
                Ok(Ok(())) => {}
                Ok(Err(why)) => return Err(why),
                Err(_) => {
                    let text = "the server has not confirmed the last report";
                    return Err(Error::new(Kind::TimedOut, text));
                }
            }
        }
        connection.close().await
    }
}
