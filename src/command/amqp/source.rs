//! A queue as the source of a flow.

use std::collections::VecDeque;

use futures_util::future::{FutureExt, LocalBoxFuture};

use super::consume::Plan;
use super::link::{Link, Settle, refused_as_too_large, too_large};
use super::session::Session;
use crate::amqp::consumer::{Delivery, Offset};
use crate::amqp::firehose;
use crate::amqp::v091::Incoming;
use crate::amqp::wish::Settlement;
use crate::error::{Error, Kind, Result};
use crate::flow::recent::Recent;
use crate::flow::{Fate, Next, Number, Source};
use crate::message::AmqpValue;
use crate::output::Console;

/// The header by which a stream numbers its messages.
const STREAM_OFFSET: &str = "x-stream-offset";

/// The header in which a quorum queue counts how often a message was given back.
const DELIVERY_COUNT: &str = "x-delivery-count";

/// What is said where messages of such a queue are only looked at.
pub(super) const COUNTED: &str = "the queue counts how often a message is given back (x-delivery-count), and each look at it counts: beyond its delivery limit a message is dropped or dead-lettered";

/// A message that was handed out.
struct Arrival {
    tag: u64,
    /// Where it stands in a stream.
    offset: Option<i64>,
    /// Whether the server was told of it, or is not to be told.
    settled: bool,
}

enum State<'a> {
    Opening(LocalBoxFuture<'a, Result<Link>>),
    Open(Link),
    /// It could not be opened, or not again.
    Over,
}

/// The messages of a queue.
pub(crate) struct Consumed<'a> {
    plan: &'a Plan,
    session: &'a Session,
    notes: Console,
    state: State<'a>,
    /// What was handed out and is not done with in order.
    arrivals: VecDeque<Arrival>,
    /// The number of the first of them.
    first: Number,
    /// Behind the last message of a stream.
    next_offset: Option<i64>,
    /// Where the consumer that runs began in a stream, until something has come.
    begun: Option<i64>,
    /// The connection that the arrivals came on is gone, and nobody knows.
    lost: bool,
    /// What was handed out last; only where it matters whether it comes again.
    recent: Recent,
    /// Something was acknowledged or rejected.
    settled: bool,
    /// The server has ended the consumer.
    cancelled: bool,
    /// Messages that stay unsettled until the end.
    held: u64,
    /// Those among them that the server counts for the consumer that runs.
    held_here: u16,
    /// Those that were just taken and are to be held.
    set_aside: u16,
    /// The queue counts what is given back.
    counted: bool,
    /// Whether that was said.
    told_counted: bool,
}

impl<'a> Consumed<'a> {
    /// What the plan says, over a connection that is not made yet.
    pub(crate) fn new(plan: &'a Plan, session: &'a Session, notes: Console) -> Self {
        let opening = session.connect_by(async |session| plan.open(None, session).await);
        Self {
            plan,
            session,
            notes,
            state: State::Opening(opening.boxed_local()),
            arrivals: VecDeque::new(),
            first: 1,
            next_offset: None,
            begun: None,
            lost: false,
            recent: Recent::new(plan.until.count.map_or(0, |_| plan.ahead().into())),
            settled: false,
            cancelled: false,
            held: 0,
            held_here: 0,
            set_aside: 0,
            counted: false,
            told_counted: false,
        }
    }

    /// Ends the connection in good order.
    ///
    /// # Errors
    /// The server does not have the last acknowledgements.
    pub(crate) async fn close(self) -> Result<()> {
        let State::Open(link) = self.state else {
            return Ok(());
        };
        let ended = link.end().await;
        match ended {
            Err(error) if self.settled => match error.kind() {
                // It may only be slow.
                Kind::TimedOut => self.notes.warn(error),
                _ => return Err(error),
            },
            _ => {}
        }
        Ok(())
    }

    /// Goes on over another connection, when that is worth a try.
    fn come_back(&mut self, error: Error) -> Result<()> {
        let broken = matches!(&self.state, State::Open(link) if link.is_broken());
        let has_offsets = matches!(&self.state, State::Open(Link::V091(_)));
        if broken || !self.session.is_outage(&error) {
            // Without a consumer the channel still takes acknowledgements of what came before.
            if !self.cancelled {
                self.state = State::Over;
            }
            return Err(error);
        }
        self.state = State::Over;
        (self.lost, self.cancelled) = (true, false);
        self.recent.lost();
        let (plan, session) = (self.plan, self.session);
        self.begun = has_offsets.then(|| self.place()).flatten();
        let place = self.begun.map(Offset::At);
        let notes = self.notes;
        let opening = async move {
            let make = async |session: &Session| plan.open(place.clone(), session).await;
            let link = session.remake(error, make).await?;
            match &place {
                Some(Offset::At(next)) => notes.warn(format_args!(
                    "consuming again, from offset {next} of the stream"
                )),
                _ => notes.warn(
                    "consuming again; unacknowledged messages are redelivered, and those of a temporary queue are lost",
                ),
            }
            Ok(link)
        };
        self.state = State::Opening(opening.boxed_local());
        Ok(())
    }

    /// Where to go on in a stream: other than a queue, it remembers nothing for us, and without a place it begins with what comes
    /// from then on.
    fn place(&self) -> Option<i64> {
        let mut open = self.arrivals.iter().filter(|arrival| !arrival.settled);
        let first = open.find_map(|arrival| arrival.offset);
        first.or(self.begun).or(self.next_offset)
    }

    fn is_again(&mut self, delivery: &Delivery) -> bool {
        let (flagged, message) = (delivery.detail().redelivered, &delivery.message);
        self.recent
            .is_again(flagged, 0, &message.topic, &message.payload)
    }

    /// What came, as it is handed out.
    fn next(&mut self, incoming: Incoming) -> Option<Next> {
        match incoming {
            Incoming::Delivery(delivery) => {
                let offset = stream_offset(&delivery);
                let again = match offset.zip(self.next_offset) {
                    Some((offset, next)) => offset < next,
                    None => self.is_again(&delivery),
                };
                self.next_offset = offset.map(|it| it.saturating_add(1)).or(self.next_offset);
                self.begun = None;
                self.counted |= is_counted(&delivery);
                self.arrivals.push_back(Arrival {
                    tag: delivery.tag,
                    offset,
                    settled: false,
                });
                let message = match self.plan.firehose {
                    true => firehose::original(delivery.message),
                    false => delivery.message,
                };
                Some(match again {
                    true => Next::Again(message),
                    false => Next::Message(message),
                })
            }
            Incoming::TooLarge { tag, size } => {
                self.notes.warn(too_large(tag, size));
                self.set_aside += 1;
                self.arrivals.push_back(Arrival {
                    tag,
                    offset: None,
                    settled: true,
                });
                Some(Next::Refused(refused_as_too_large()))
            }
            Incoming::Cancelled => {
                self.cancelled = true;
                None
            }
            Incoming::Empty => None,
        }
    }

    /// A message stays unsettled until the end. When so many do that the server would send no more, another consumer
    /// takes over.
    fn hold_back(&mut self) {
        self.held += 1;
        self.held_here += 1;
        if self.counted && !std::mem::replace(&mut self.told_counted, true) {
            self.notes.warn(COUNTED);
        }
        let State::Open(link) = &mut self.state else {
            return;
        };
        let window = self.plan.ahead();
        // No more are looked at than were asked for, unless others may be among them.
        let more = self.plan.holds_back() || self.plan.until.count.is_none();
        if !more || self.held_here < window.div_ceil(2) {
            return;
        }
        if link.widen(&self.plan.subscription(), self.held_here) {
            if self.held == u64::from(self.held_here) {
                self.notes.note(
                    "holding such messages until the end; other consumers cannot get them before",
                );
            }
            self.held_here = 0;
        }
    }

    /// Tells the server what became of messages; `all`: of all up to the last, except those that are held.
    fn tell(&mut self, tags: Vec<u64>, how: Settlement, all: bool) {
        if how == Settlement::Held {
            return tags.iter().for_each(|_| self.hold_back());
        }
        let all = all && self.held == 0;
        if let (State::Open(link), false) = (&mut self.state, self.lost) {
            link.settle(tags, how, all);
            self.settled = true;
        }
    }

    /// What the server is told of a message.
    fn settlement(&self, arrival: &Arrival, fate: Fate) -> Settlement {
        let requeue = self.plan.exec.as_ref().is_some_and(|exec| exec.requeue);
        let how = match fate {
            Fate::Filtered if self.plan.holds_back() => Settlement::Held,
            Fate::Filtered => Settlement::Accepted,
            Fate::Accepted | Fate::Dropped | Fate::TooFar => self.plan.settle.settlement(),
            Fate::Refused if requeue => Settlement::Released,
            Fate::Refused => Settlement::Failed,
        };
        match how {
            // A stream keeps what is acknowledged, and RabbitMQ closes the connection over every other answer.
            _ if arrival.offset.is_some() => Settlement::Accepted,
            how => how,
        }
    }
}

impl Source for Consumed<'_> {
    async fn drive(&mut self) -> Result<()> {
        let driven = match &mut self.state {
            _ if self.cancelled => Err(self.session.cancelled(&self.plan.queue)),
            State::Open(link) => link.drive().await,
            State::Opening(opening) => {
                let opened = opening.await;
                self.state = State::Over;
                self.state = State::Open(opened?);
                self.held_here = 0;
                return Ok(());
            }
            State::Over => Err(Error::new(Kind::Lost, "no connection")),
        };
        match driven {
            Ok(()) => Ok(()),
            Err(error) => self.come_back(error),
        }
    }

    async fn hold(&mut self) -> Error {
        match &mut self.state {
            State::Open(link) => link.hold().await,
            State::Opening(_) | State::Over => std::future::pending().await,
        }
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        if std::mem::take(&mut self.lost) {
            self.first += self.arrivals.len() as Number;
            self.arrivals.clear();
            self.held = 0;
            if !sink(Next::Lost)? {
                return Ok(());
            }
        }
        let mut link = match std::mem::replace(&mut self.state, State::Over) {
            State::Open(link) => link,
            other => {
                self.state = other;
                return Ok(());
            }
        };
        let before = self.arrivals.len();
        let taken = link.take(|incoming| match self.next(incoming) {
            Some(next) => sink(next),
            None => Ok(false),
        });
        self.state = State::Open(link);
        for _ in 0..std::mem::take(&mut self.set_aside) {
            self.hold_back();
        }
        if self.plan.settle == Settle::Auto {
            let new = self.arrivals.range_mut(before..);
            let tags = new.filter_map(|arrival| {
                let settled = std::mem::replace(&mut arrival.settled, true);
                (!settled).then_some(arrival.tag)
            });
            let tags = tags.collect();
            self.tell(tags, Settlement::Accepted, true);
        }
        taken
    }

    fn settle(&mut self, count: u64) {
        // No more than there are.
        let count = (count as usize).min(self.arrivals.len());
        self.first += count as Number;
        let Some(first) = self.arrivals.front() else {
            return;
        };
        let how = self.settlement(first, Fate::Accepted);
        let done = self.arrivals.drain(..count);
        let tags: Vec<u64> = done
            .filter(|arrival| !arrival.settled)
            .map(|arrival| arrival.tag)
            .collect();
        if !tags.is_empty() {
            self.tell(tags, how, true);
        }
    }

    fn settle_one(&mut self, number: Number, fate: Fate) {
        let Some(place) = number.checked_sub(self.first).map(|place| place as usize) else {
            return;
        };
        let Some(arrival) = self.arrivals.get(place).filter(|arrival| !arrival.settled) else {
            return;
        };
        let (tag, how) = (arrival.tag, self.settlement(arrival, fate));
        self.arrivals[place].settled = true;
        self.tell(vec![tag], how, false);
    }

    fn awaits(&self) -> Option<String> {
        match self.state {
            State::Open(_) => None,
            State::Opening(_) | State::Over => {
                Some(format!("no connection to {}", self.session.target))
            }
        }
    }
}

/// Whether a delivery is of a queue that counts how often a message is given back.
pub(super) fn is_counted(delivery: &Delivery) -> bool {
    let headers = &delivery.detail().properties.headers;
    headers.iter().any(|(name, _)| *name == DELIVERY_COUNT)
}

fn stream_offset(delivery: &Delivery) -> Option<i64> {
    let headers = &delivery.detail().properties.headers;
    headers.iter().find_map(|(name, value)| match value {
        AmqpValue::Int(offset) if *name == STREAM_OFFSET => Some(*offset),
        _ => None,
    })
}
