//! One device: it connects, publishes what it is told to, hands on what comes, and leaves as it is told.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::wants::Wants;
use crate::amqp::Options;
use crate::amqp::consumer::{Delivery, Subscription};
use crate::amqp::publisher::{Outcome, Outgoing, Returns};
use crate::amqp::v091::{Connection, Incoming};
use crate::amqp::wish::Settlement;
use crate::command::amqp::session::Session;
use crate::connect::{Backoff, Retry};
use crate::device::account::Account;
use crate::device::fleet::{End, Outgoing as Said};
use crate::error::{Error, Kind, Result};
use crate::message::AmqpProperties;
use crate::output::Console;

/// The most messages of a device that wait for the server.
const MOST_WAITING: usize = 1000;

/// How many commands of each queue may be under way.
const PREFETCH: u16 = 100;

/// How many connections are opened at a time.
const MOST_DIALING: usize = 64;

/// What a device is told.
pub(super) enum Told {
    Publish(Outgoing),
    /// Its connection ends like this, and may take so long.
    Close(End, Duration),
    /// It is to be connected again: a connection that is silent is dropped.
    Wake,
    /// The run is over: what is under way may take so long.
    End(Duration),
}

/// What is heard of it.
pub(super) enum News {
    Opened,
    Lost,
    Count(Fate, u64),
    Command(Delivery),
    /// The first of all could not be connected.
    First(Error),
    GivenUp(Error),
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Acknowledged,
    Sent,
    Refused,
    Lost,
    Dropped,
    Unacknowledged,
}

impl Fate {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Confirmed | Outcome::Unrouted(_) => Self::Acknowledged,
            Outcome::Written => Self::Sent,
            Outcome::Nacked | Outcome::Refused(_) | Outcome::Returned { .. } => Self::Refused,
        }
    }

    /// Where it is counted.
    pub(super) const fn counter(self, account: &mut Account) -> &mut u64 {
        match self {
            Self::Acknowledged => &mut account.acknowledged,
            Self::Sent => &mut account.sent,
            Self::Refused => &mut account.refused,
            Self::Lost => &mut account.lost,
            Self::Dropped => &mut account.dropped,
            Self::Unacknowledged => &mut account.unacknowledged,
        }
    }
}

/// What all devices have in common.
pub(super) struct Shared {
    pub(super) session: Session,
    dialing: Semaphore,
    /// Whether a device has ever been connected.
    pub(super) ever: Cell<bool>,
    /// Whether an outage was reported, and is not over.
    pub(super) outage: Cell<bool>,
    console: Console,
}

impl Shared {
    pub(super) fn new(session: Session, console: Console) -> Self {
        Self {
            session,
            dialing: Semaphore::new(MOST_DIALING),
            ever: Cell::new(false),
            outage: Cell::new(false),
            console,
        }
    }
}

/// How a connection was left.
enum Left {
    /// The device has no connection any more, and wants none.
    Gone,
    Lost,
}

/// One device, from one wish to be connected to its end.
pub(super) struct Seat {
    device: usize,
    options: Options,
    wants: Rc<Wants>,
    shared: Rc<Shared>,
    news: UnboundedSender<(usize, News)>,
}

/// Messages that wait for the connection.
#[derive(Default)]
struct Waiting {
    queue: VecDeque<Outgoing>,
    /// Of the last one that was published.
    number: u64,
}

impl Seat {
    pub(super) fn new(
        device: usize,
        id: &ByteString,
        heartbeat: u16,
        wants: Rc<Wants>,
        shared: Rc<Shared>,
        news: UnboundedSender<(usize, News)>,
    ) -> Self {
        Self {
            device,
            options: Options {
                name: id.clone(),
                heartbeat,
                ..shared.session.options.clone()
            },
            wants,
            shared,
            news,
        }
    }

    fn tell(&self, news: News) {
        // The run is over where nobody listens.
        let _ = self.news.send((self.device, news));
    }

    fn count(&self, fate: Fate, count: usize) {
        if count > 0 {
            self.tell(News::Count(fate, count as u64));
        }
    }

    /// Until it is told to leave.
    pub(super) async fn live(self, mut told: UnboundedReceiver<Told>) {
        let (mut waiting, mut backoff) = (Waiting::default(), None);
        loop {
            let connection = tokio::select! {
                connection = self.connected(&mut backoff) => connection,
                fate = self.told_to_leave(&mut told, &mut waiting) => {
                    self.count(fate, waiting.queue.len());
                    return;
                }
            };
            let Some(connection) = connection else {
                self.count(Fate::Unacknowledged, waiting.queue.len());
                return;
            };
            match self.serve(connection, &mut told, &mut waiting).await {
                Left::Gone => return,
                Left::Lost => self.tell(News::Lost),
            }
        }
    }

    /// While there is no connection: until none is wanted any more, and what becomes of what waits then.
    async fn told_to_leave(
        &self,
        told: &mut UnboundedReceiver<Told>,
        waiting: &mut Waiting,
    ) -> Fate {
        loop {
            match told.recv().await {
                Some(Told::Publish(message)) => self.keep(message, waiting),
                Some(Told::Close(End::Crash | End::Silence, _)) => return Fate::Lost,
                Some(Told::Close(End::Clean, _) | Told::End(_)) | None => {
                    return Fate::Unacknowledged;
                }
                Some(Told::Wake) => {}
            }
        }
    }

    fn keep(&self, message: Outgoing, waiting: &mut Waiting) {
        match waiting.queue.len() < MOST_WAITING {
            true => waiting.queue.push_back(message),
            false => self.count(Fate::Dropped, 1),
        }
    }

    /// A connection; `None` where it is of no use to try again.
    async fn connected(&self, backoff: &mut Option<Backoff>) -> Option<Connection> {
        let shared = &self.shared;
        loop {
            let made = {
                // Nobody closes it.
                let _permit = shared.dialing.acquire().await;
                self.connect().await
            };
            let error = match made {
                Ok(connection) => {
                    if let Some(backoff) = backoff {
                        backoff.connected(Instant::now().into_std());
                    }
                    shared.ever.set(true);
                    shared.outage.set(false);
                    self.tell(News::Opened);
                    return Some(connection);
                }
                Err(error) => error,
            };
            let ever = shared.ever.get();
            let target = &shared.session.target;
            let usual = if ever { Retry::Forever } else { Retry::Never };
            let rule = || Backoff::new(target.retry.unwrap_or(usual));
            let wait = backoff
                .get_or_insert_with(rule)
                .next(Instant::now().into_std());
            // What the server took before may only not be free yet.
            let is_busy = ever && error.kind() == Kind::Refused;
            let may_pass = is_busy || shared.session.is_outage(&error);
            let Some(wait) = wait.filter(|_| may_pass) else {
                self.tell(match ever {
                    true => News::GivenUp(error),
                    false => News::First(error),
                });
                return None;
            };
            target.move_on();
            if !shared.outage.replace(true) {
                shared.console.warn(format_args!("{error}; trying again"));
            }
            sleep(wait).await;
        }
    }

    async fn connect(&self) -> Result<Connection> {
        let target = &self.shared.session.target;
        // That the server blocks its connections is the same for all.
        let first = (self.device == 0).then(|| self.shared.session.on_event());
        let on_event = move |event| {
            if let Some(first) = &first {
                first(event);
            }
        };
        let connecting = Connection::connect(target, &self.options, on_event, true, usize::MAX);
        let mut connection = connecting.await?;
        for declaration in &self.wants.declare {
            connection.declare(declaration).await?;
        }
        if !self.wants.queues.is_empty() {
            connection.prefetch(PREFETCH).await?;
        }
        for queue in &self.wants.queues {
            let subscription = Subscription {
                queue: queue.clone(),
                ..Subscription::default()
            };
            connection.consume(&subscription).await?;
        }
        Ok(connection)
    }

    /// Until the connection is over, by whichever side.
    async fn serve(
        &self,
        mut connection: Connection,
        told: &mut UnboundedReceiver<Told>,
        waiting: &mut Waiting,
    ) -> Left {
        let mut leaving: Option<Instant> = None;
        loop {
            self.take(&mut connection);
            self.send(&mut connection, waiting);
            let left = connection.unconfirmed() + waiting.queue.len();
            let is_late = leaving.is_some_and(|until| Instant::now() >= until);
            if leaving.is_some() && (left == 0 || is_late) {
                self.count(Fate::Unacknowledged, left);
                // What it still has against us changes nothing.
                let _ = connection.close().await;
                return Left::Gone;
            }
            let until = leaving.unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                driven = connection.drive() => if driven.is_err() {
                    return self.lost(connection, waiting, leaving.is_some());
                },
                order = told.recv() => match order {
                    Some(Told::Publish(message)) => self.keep(message, waiting),
                    Some(Told::Close(End::Clean, closing) | Told::End(closing)) => {
                        leaving.get_or_insert_with(|| Instant::now() + closing);
                    }
                    Some(Told::Close(end, _)) => {
                        self.vanish(connection, waiting, end, told).await;
                        return Left::Gone;
                    }
                    Some(Told::Wake) => {}
                    None => return Left::Gone,
                },
                () = sleep_until(until), if leaving.is_some() => {}
            }
        }
    }

    fn send(&self, connection: &mut Connection, waiting: &mut Waiting) {
        while connection.has_room()
            && let Some(message) = waiting.queue.pop_front()
        {
            waiting.number += 1;
            if connection.publish(waiting.number, message).is_err() {
                self.count(Fate::Refused, 1);
            }
        }
    }

    /// Takes in what has come.
    fn take(&self, connection: &mut Connection) {
        let (mut outcomes, mut fates) = (Vec::new(), Vec::new());
        loop {
            let came = connection.poll_now();
            connection.outcomes(&mut outcomes);
            fates.extend(outcomes.drain(..).map(|(_, outcome)| Fate::of(&outcome)));
            match came {
                Some(Incoming::Delivery(delivery)) => {
                    connection.settle(delivery.tag, false, Settlement::Accepted);
                    self.tell(News::Command(delivery));
                }
                Some(Incoming::TooLarge { tag, .. }) => {
                    connection.settle(tag, false, Settlement::Rejected);
                }
                Some(_) => {}
                None => break,
            }
        }
        for run in fates.chunk_by(|one, other| one == other) {
            self.count(run[0], run.len());
        }
    }

    /// The connection broke: what was under way goes out over another one, if there is to be one.
    fn lost(&self, mut connection: Connection, waiting: &mut Waiting, is_leaving: bool) -> Left {
        self.take(&mut connection);
        for (_, message) in connection.abandoned().into_iter().rev() {
            waiting.queue.push_front(message);
        }
        if is_leaving {
            self.count(Fate::Unacknowledged, waiting.queue.len());
            return Left::Gone;
        }
        Left::Lost
    }

    /// The device ends without a word, or is silent until it is told something else.
    async fn vanish(
        &self,
        mut connection: Connection,
        waiting: &mut Waiting,
        end: End,
        told: &mut UnboundedReceiver<Told>,
    ) {
        self.send(&mut connection, waiting);
        // What the device has sent is on its way.
        let _ = timeout(Duration::ZERO, connection.drive()).await;
        self.take(&mut connection);
        self.count(Fate::Lost, connection.unconfirmed() + waiting.queue.len());
        if end == End::Silence {
            let _ = told.recv().await;
        }
    }
}

/// An answer goes to the queue that it is wanted in, all else to the exchange of the device.
pub(super) fn message(said: Said, exchange: &str) -> Outgoing {
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
