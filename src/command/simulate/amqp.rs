//! Devices that speak AMQP: they share one connection, publish to an exchange with confirmations, and take commands from a queue
//! each.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use tokio::time::{Instant, sleep_until};

use super::{Plan, ends};
use crate::amqp::consumer::{Delivery, Subscription};
use crate::amqp::publisher::{Outcome, Outgoing, Returns};
use crate::amqp::topology::{Binding, Declaration, Destination, Queue};
use crate::amqp::v091::{Connection, Incoming};
use crate::amqp::wish::Settlement;
use crate::command::amqp::session::{Session, SessionArgs};
use crate::connect::Retry;
use crate::device::account::Account;
use crate::device::file;
use crate::device::fleet::{Effect, Fleet, Outgoing as Said, Reply};
use crate::device::model::Model;
use crate::error::{Error, Result};
use crate::message::AmqpProperties;
use crate::output::Console;
use crate::pace::clock::{Clock, Nanos, nanos};
use crate::stop::{Asked, DRAIN, Stop};

/// The most messages that wait for the server.
const MOST_WAITING: usize = 100_000;

/// How many commands of each queue may be under way.
const PREFETCH: u16 = 100;

/// How long nothing may be due before it is looked again.
const IDLE: Duration = Duration::from_secs(1);

/// How many things of the fleet happen before the connection is looked at again.
const MOST_STEPS: usize = 1000;

/// Runs the fleet until its time is over or a signal comes.
pub(super) async fn run(model: Model, plan: &Plan, console: Console) -> Result<()> {
    let args = SessionArgs {
        connect: plan.connect.clone(),
        ..SessionArgs::default()
    };
    let session = args.session("simulate", Retry::Forever, console)?;
    let clock = model.start.unwrap_or_else(|| Clock::start().now());
    let summary = model.summary();
    let fleet = Fleet::new(model, clock);
    let wants = Wants::of(&fleet);
    let mut stop = Stop::watch()?;
    let connecting = session.connect_by(async |session: &Session| wants.connection(session).await);
    let connection = stop.unless_asked("ended by a signal", connecting).await?;
    console.note(format_args!("{summary}; the totals follow at the end"));
    let mut world = World {
        fleet,
        connection,
        queue: VecDeque::new(),
        number: 0,
        began: Instant::now(),
        speed: plan.speed,
    };
    let end = plan.duration.map(|time| world.began + time);
    let asked = world.live(&session, &wants, &mut stop, end).await?;
    let now = world.now();
    world.fleet.finish(now);
    world.effects();
    let closed = stop.close(world.leave()).await;
    let seconds = world.began.elapsed().as_secs_f64();
    let left = world.connection.unconfirmed() + world.queue.len();
    world.fleet.account.unacknowledged += left as u64;
    let _ = stop.close(world.connection.close()).await;
    ends::report(&world.fleet.account, file::Protocol::Amqp, seconds, plan)?;
    match asked.or_else(|| closed.err()) {
        Some(asked) => Err(Error::new(asked.kind(), "ended by a signal")),
        None => Ok(()),
    }
}

/// What is to be there on the server.
struct Wants {
    declare: Vec<Declaration>,
    queues: Vec<ByteString>,
}

impl Wants {
    fn of(fleet: &Fleet) -> Self {
        let (mut exchanges, mut queues) = (BTreeSet::new(), BTreeSet::new());
        for device in 0..fleet.model().devices.len() {
            let exchange = &fleet.model().group(device).exchange;
            exchanges.insert(exchange);
            for (queue, _) in fleet.subscriptions(device) {
                queues.insert((queue, exchange));
            }
        }
        let exchanges = exchanges.into_iter().filter(|name| !name.is_empty());
        let mut declare: Vec<_> = exchanges
            .map(|name| Declaration::ExchangeIsThere(name.as_str().into()))
            .collect();
        for (queue, exchange) in &queues {
            declare.push(Declaration::Queue(Queue {
                durable: false,
                exclusive: true,
                auto_delete: true,
                ..Queue::new(queue.clone())
            }));
            if !exchange.is_empty() {
                declare.push(Declaration::Binding(Binding {
                    source: exchange.as_str().into(),
                    destination: Destination::Queue(queue.clone()),
                    key: queue.clone(),
                    arguments: Vec::new(),
                }));
            }
        }
        Self {
            declare,
            queues: queues.into_iter().map(|(queue, _)| queue).collect(),
        }
    }

    async fn connection(&self, session: &Session) -> Result<Connection> {
        let mut connection = session.receiver(&self.declare, true).await?;
        connection.prefetch(PREFETCH).await?;
        for queue in &self.queues {
            let subscription = Subscription {
                queue: queue.clone(),
                ..Subscription::default()
            };
            connection.consume(&subscription).await?;
        }
        Ok(connection)
    }
}

struct World {
    fleet: Fleet,
    connection: Connection,
    /// Messages that wait for room.
    queue: VecDeque<Outgoing>,
    number: u64,
    began: Instant,
    speed: f64,
}

impl World {
    fn now(&self) -> Nanos {
        (nanos(self.began.elapsed()) as f64 * self.speed) as Nanos
    }

    /// Until the end, or the first signal.
    async fn live(
        &mut self,
        session: &Session,
        wants: &Wants,
        stop: &mut Stop,
        end: Option<Instant>,
    ) -> Result<Option<Asked>> {
        while end.is_none_or(|end| Instant::now() < end) {
            let now = self.now();
            for _ in 0..MOST_STEPS {
                if !self.fleet.step(now) {
                    break;
                }
                self.effects();
            }
            self.effects();
            let wake = self.wake_at(end);
            let driven = tokio::select! {
                biased;
                asked = stop.asked() => return Ok(Some(asked)),
                driven = self.connection.drive() => driven,
                () = sleep_until(wake) => Ok(()),
            };
            match driven {
                Ok(()) => self.take(),
                Err(error) => {
                    let remaking = session.remake(error, async |session: &Session| {
                        wants.connection(session).await
                    });
                    let fresh = tokio::select! {
                        biased;
                        asked = stop.asked() => return Ok(Some(asked)),
                        fresh = remaking => fresh?,
                    };
                    self.go_on(fresh);
                }
            }
        }
        Ok(None)
    }

    fn wake_at(&self, end: Option<Instant>) -> Instant {
        let idle = Instant::now() + IDLE;
        let due = self.fleet.next_due().map(|due| {
            let wall = Duration::from_nanos((due as f64 / self.speed) as u64);
            self.began.checked_add(wall).unwrap_or(idle)
        });
        [due, end].into_iter().flatten().fold(idle, Instant::min)
    }

    /// What was under way over a lost connection goes out over another one.
    fn go_on(&mut self, fresh: Connection) {
        let mut lost = std::mem::replace(&mut self.connection, fresh);
        let mut outcomes = Vec::new();
        lost.outcomes(&mut outcomes);
        for (_, outcome) in &outcomes {
            count(outcome, &mut self.fleet.account);
        }
        for (_, message) in lost.abandoned().into_iter().rev() {
            self.queue.push_front(message);
        }
        self.send();
    }

    fn effects(&mut self) {
        let now = self.now();
        while let Some(effect) = self.fleet.next_effect() {
            match effect {
                Effect::Open(device) => self.fleet.opened(device, now),
                Effect::Publish(device, said) => {
                    let exchange = self.fleet.model().group(device).exchange.as_str();
                    let message = message(said, exchange);
                    match self.queue.len() < MOST_WAITING {
                        true => self.queue.push_back(message),
                        false => self.fleet.account.dropped += 1,
                    }
                }
                Effect::Close(..) | Effect::Subscribe(..) | Effect::Unsubscribe(..) => {}
            }
        }
        self.send();
    }

    fn send(&mut self) {
        while self.connection.has_room()
            && let Some(message) = self.queue.pop_front()
        {
            self.number += 1;
            if self.connection.publish(self.number, message).is_err() {
                self.fleet.account.refused += 1;
            }
        }
    }

    /// Takes in what has come.
    fn take(&mut self) {
        let mut outcomes = Vec::new();
        loop {
            let came = self.connection.poll_now();
            self.connection.outcomes(&mut outcomes);
            for (_, outcome) in outcomes.drain(..) {
                count(&outcome, &mut self.fleet.account);
            }
            match came {
                Some(Incoming::Delivery(delivery)) => self.command(&delivery),
                Some(Incoming::TooLarge { tag, .. }) => {
                    self.connection.settle(tag, false, Settlement::Rejected);
                }
                Some(_) => {}
                None => break,
            }
        }
        self.effects();
    }

    fn command(&mut self, delivery: &Delivery) {
        let (message, now) = (&delivery.message, self.now());
        let properties = &delivery.detail().properties;
        let reply = properties.reply_to.clone().map(|topic| Reply {
            topic,
            correlation: properties
                .correlation_id
                .as_ref()
                .map(|id| id.as_bytes().clone()),
        });
        for device in self.fleet.takers(&message.topic) {
            let payload = &message.payload;
            self.fleet
                .command(device, &message.topic, payload, reply.as_ref(), now);
        }
        self.connection
            .settle(delivery.tag, false, Settlement::Accepted);
    }

    /// Until all is confirmed, or for as long as that may take.
    async fn leave(&mut self) {
        let end = Instant::now() + DRAIN;
        while self.connection.unconfirmed() + self.queue.len() > 0 {
            tokio::select! {
                driven = self.connection.drive() => match driven {
                    Ok(()) => self.take(),
                    Err(_) => return,
                },
                () = sleep_until(end) => return,
            }
        }
    }
}

fn count(outcome: &Outcome, account: &mut Account) {
    match outcome {
        Outcome::Confirmed | Outcome::Unrouted(_) => account.acknowledged += 1,
        Outcome::Written => account.sent += 1,
        Outcome::Nacked | Outcome::Refused(_) | Outcome::Returned { .. } => account.refused += 1,
    }
}

/// An answer goes to the queue that it is wanted in, all else to the exchange of the device.
fn message(said: Said, exchange: &str) -> Outgoing {
    let is_answer = said.is_answer;
    let correlation = said
        .correlation
        .and_then(|data| ByteString::try_from(data).ok());
    let json = said.payload.first() == Some(&b'{');
    Outgoing {
        exchange: if is_answer {
            ByteString::new()
        } else {
            exchange.into()
        },
        key: said.topic,
        properties: Arc::new(AmqpProperties {
            content_type: json.then(|| ByteString::from_static("application/json")),
            delivery_mode: (said.qos > 0).then_some(2),
            correlation_id: correlation,
            timestamp: Some(said.time / 1_000_000_000),
            ..AmqpProperties::default()
        }),
        payload: said.payload,
        returns: Returns::Ignored,
    }
}
