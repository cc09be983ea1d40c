//! One worker: a thread with a loop, its connections, its schedules and its books.
//!
//! The loop is one task. A wake-up of any socket lists its connection; a step then reads what has arrived,
//! makes due what is due, and writes, for each connection in one go.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinSet, unconstrained, yield_now};

use super::super::clock::{Clock, Nanos, nanos};
use super::super::driver::{Broken, Driver, Io, Link, Session, Wish};
use super::super::lane::Lane;
use super::super::plan::Coalesce;
use super::super::recorder::{Quantity, Records};
use super::coalesce::Gather;
use super::connection::{Connection, State};
use super::control::{Control, News, Standing};
use super::load::Runner;
use super::timer::Timer;
use super::wake::Ready;
use crate::connect::{Backoff, Retry};
use crate::error::{Error, Result, plain};

/// Connections that a worker opens at once.
const DIALS: usize = 256;
/// How long a protocol may take to greet.
const GREETING: Nanos = 10_000_000_000;
/// Bytes read at once.
const READ: usize = 256 * 1024;
/// Reads of one connection before others have their turn.
const READS: usize = 8;
/// Messages that may wait on all connections of a worker; more that are due are not sent at all.
const WAITING: usize = 4 << 20;
/// Between two reports while draining.
const DRAIN_REPORT: Nanos = 20_000_000;

/// The connections of one group that a worker has.
pub(super) struct Part {
    pub(super) driver: Arc<dyn Driver>,
    /// Numbers in the group, with the sender number of each.
    pub(super) connections: Vec<(usize, u32)>,
    pub(super) runner: Runner,
    /// Messages in flight on a connection.
    pub(super) window: usize,
}

/// Everything that makes a worker.
pub(super) struct Setup {
    pub(super) number: usize,
    pub(super) clock: Clock,
    pub(super) parts: Vec<Part>,
    pub(super) coalesce: Coalesce,
    /// Nanoseconds between two reports.
    pub(super) interval: Nanos,
    /// Nanoseconds between two new connections.
    pub(super) dial_every: Nanos,
    pub(super) seed: u64,
    /// Whether any worker sends anything.
    pub(super) sends: bool,
    pub(super) control: Arc<Control>,
    pub(super) ready: Arc<Ready>,
    pub(super) news: UnboundedSender<News>,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Job {
    Tick,
    Dial,
    Write,
    GiveUpGreeting,
}

pub(super) struct Worker {
    setup: Setup,
    connections: Vec<Connection>,
    /// Where each part's connections begin.
    bases: Vec<usize>,
    records: Records,
    timer: Timer,
    timers: BinaryHeap<Reverse<(Nanos, u32, Job)>>,
    dials: JoinSet<(u32, Result<Box<dyn Link>>)>,
    to_dial: VecDeque<u32>,
    next_dial: Nanos,
    unsettled: usize,
    open: u64,
    listed: Vec<u32>,
    dirty: Vec<u32>,
    /// Which connection, and when; emptied in every step.
    due: Vec<(usize, Nanos)>,
    input: Vec<u8>,
    out: Vec<u8>,
    waiting: usize,
    begun: bool,
    draining: bool,
    next_report: Nanos,
    gather: Gather,
    /// Something is left to do at once.
    busy: bool,
    standing: Standing,
    trouble: Option<Error>,
}

/// Runs a worker to its end; what it has to say goes to the coordinator.
pub(super) async fn run(setup: Setup) {
    match Worker::new(setup) {
        Ok(worker) => unconstrained(worker.run()).await,
        Err((news, number, error)) => {
            let standing = Standing {
                settled: true,
                sent_all: true,
                idle: true,
                connections: 0,
                ended: true,
            };
            // When the coordinator is gone nobody wants to know.
            let _ = news.send(News {
                worker: number,
                at: 0,
                records: Records::default(),
                standing,
                trouble: Some(error),
            });
        }
    }
}

impl Worker {
    fn new(setup: Setup) -> Result<Self, (UnboundedSender<News>, usize, Error)> {
        let timer = match Timer::new(setup.clock) {
            Ok(timer) => timer,
            Err(error) => return Err((setup.news, setup.number, error)),
        };
        let (mut connections, mut bases) = (Vec::new(), Vec::new());
        for (number, part) in setup.parts.iter().enumerate() {
            bases.push(connections.len());
            for (index, sender) in &part.connections {
                let session = part.driver.session(*index, *sender);
                let mut lane = Lane::new(session, part.driver.receivers(*index));
                lane.plans_at_send = part.runner.think().is_some();
                let at = connections.len() as u32;
                connections.push(Connection::new(at, number, *index, lane, &setup.ready));
            }
        }
        let now = setup.clock.now();
        Ok(Self {
            bases,
            records: Records::default(),
            timer,
            timers: BinaryHeap::new(),
            dials: JoinSet::new(),
            to_dial: (0..connections.len() as u32).collect(),
            next_dial: now,
            unsettled: connections.len(),
            open: 0,
            listed: Vec::new(),
            dirty: Vec::new(),
            due: Vec::new(),
            input: vec![0; READ],
            out: Vec::new(),
            waiting: 0,
            begun: false,
            draining: false,
            next_report: now + setup.interval,
            gather: Gather::new(setup.coalesce),
            busy: false,
            standing: Standing::default(),
            trouble: None,
            connections,
            setup,
        })
    }

    async fn run(mut self) {
        while !self.setup.control.is_over() {
            let now = self.now();
            self.step(now);
            if self.busy {
                yield_now().await;
                continue;
            }
            self.wait().await;
            if !self.gather.wait().is_zero() {
                std::thread::sleep(self.gather.wait());
                yield_now().await;
            }
        }
        self.finish();
    }

    fn now(&self) -> Nanos {
        self.setup.clock.now()
    }

    /// Everything that can be done now.
    fn step(&mut self, now: Nanos) {
        self.busy = false;
        self.records.window = self.setup.control.window();
        self.take_dialed();
        self.dial(now);
        let before = (self.records.reads, self.records.flow);
        self.take_listed();
        self.take_timers(now);
        self.make_due(self.now());
        self.write_dirty();
        let brought = self.records.flow.received + self.records.flow.acknowledged
            - before.1.received
            - before.1.acknowledged;
        let limit = self.in_flight_limit();
        self.gather
            .woke(self.records.reads - before.0, brought, limit);
        self.settle(now);
    }

    fn in_flight_limit(&self) -> u64 {
        let part = |part: &Part| match part.runner {
            Runner::Silent => u64::MAX,
            _ => (part.window as u64).saturating_mul(part.connections.len() as u64),
        };
        self.setup.parts.iter().map(part).max().unwrap_or(0)
    }

    /// Sleeps until something happens or is due.
    async fn wait(&mut self) {
        let deadline = self.deadline();
        self.timer.set(deadline);
        let (timer, ready, dials) = (&mut self.timer, &self.setup.ready, &mut self.dials);
        let arrived = poll_fn(|cx| {
            let listed = ready.look(cx.waker());
            let rung = timer.poll(cx).is_ready();
            match dials.poll_join_next(cx) {
                Poll::Ready(Some(Ok(dialed))) => Poll::Ready(Some(dialed)),
                // A dial that was cancelled or panicked has nothing to say.
                Poll::Ready(Some(Err(_))) => Poll::Ready(None),
                _ if listed || rung => Poll::Ready(None),
                _ => Poll::Pending,
            }
        });
        if let Some((connection, dialed)) = arrived.await {
            self.dialed(connection as usize, dialed);
        }
    }

    fn deadline(&mut self) -> Nanos {
        let mut deadline = self.next_report;
        if let Some(Reverse((at, _, _))) = self.timers.peek() {
            deadline = deadline.min(*at);
        }
        if !self.to_dial.is_empty() && self.dials.len() < DIALS {
            deadline = deadline.min(self.next_dial);
        }
        let begin = self.setup.control.begins();
        if !self.begun {
            return deadline.min(begin);
        }
        let end = self.records.window.to;
        if !self.draining {
            deadline = deadline.min(end);
        }
        for part in &mut self.setup.parts {
            if let Some(at) = part.runner.next(begin).filter(|at| *at < end) {
                deadline = deadline.min(at);
            }
        }
        deadline
    }
}

/// Opening, losing and closing connections.
impl Worker {
    fn dial(&mut self, now: Nanos) {
        while self.dials.len() < DIALS && self.next_dial <= now {
            let Some(number) = self.to_dial.pop_front() else {
                return;
            };
            if self.setup.dial_every > 0 {
                self.next_dial += self.setup.dial_every;
            }
            let connection = &mut self.connections[number as usize];
            connection.dialed = now;
            let dialing = self.setup.parts[connection.part]
                .driver
                .dial(connection.index);
            self.dials.spawn(async move { (number, dialing.await) });
        }
    }

    fn take_dialed(&mut self) {
        while let Some(joined) = self.dials.try_join_next() {
            if let Ok((number, dialed)) = joined {
                self.dialed(number as usize, dialed);
            }
        }
    }

    fn dialed(&mut self, number: usize, dialed: Result<Box<dyn Link>>) {
        let now = self.now();
        let link = match dialed {
            Ok(link) => link,
            Err(error) => {
                let broken = Broken {
                    cause: error.text().to_owned(),
                    hint: error.way_out().map(str::to_owned),
                    kind: error.kind(),
                };
                return self.lose(number, now, &broken);
            }
        };
        let connection = &mut self.connections[number];
        let took = self.records.of(Quantity::Handshake);
        took.span(connection.dialed, now);
        connection.attach(link);
        self.timers.push(Reverse((
            now + GREETING,
            number as u32,
            Job::GiveUpGreeting,
        )));
        self.call(number, now, |session, io| session.connected(io));
        self.read(number);
    }

    /// Calls a session and does what it wishes.
    fn call<T>(
        &mut self,
        number: usize,
        now: Nanos,
        call: impl FnOnce(&mut dyn Session, &mut Io<'_>) -> T,
    ) -> T {
        let lane = &mut self.connections[number].lane;
        let (returned, wish) = lane.with(now, &mut self.out, &mut self.records, call);
        self.write_out(number, now);
        self.grant(number, now, wish);
        returned
    }

    fn grant(&mut self, number: usize, now: Nanos, wish: Wish) {
        match wish {
            Wish::Nothing => {}
            Wish::Ready => self.opened(number, now),
            Wish::Again => self.open_again(number),
        }
    }

    fn opened(&mut self, number: usize, now: Nanos) {
        let connection = &mut self.connections[number];
        if connection.state != State::Greeting {
            return;
        }
        connection.state = State::Open;
        connection.lane.ready = true;
        self.open += 1;
        self.records
            .of(Quantity::Connect)
            .span(connection.dialed, now);
        if let Some(backoff) = &mut connection.backoff {
            backoff.reset();
        }
        if connection.again {
            connection.again = false;
        } else if connection.known {
            self.records.links.reopened += 1;
            self.records.links.away += now.saturating_sub(connection.since);
        } else {
            connection.known = true;
            self.unsettled -= 1;
            self.records.links.opened += 1;
        }
        self.think_first(number, now);
        self.tick(number, now);
        self.mark(number);
    }

    fn open_again(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        if connection.state == State::Open {
            self.open -= 1;
        }
        connection.detach();
        connection.again = true;
        self.to_dial.push_back(number as u32);
    }

    /// The connection cannot go on, or could not be opened.
    fn lose(&mut self, number: usize, now: Nanos, broken: &Broken) {
        let connection = &mut self.connections[number];
        let was = connection.state;
        connection.detach();
        self.out.clear();
        connection
            .lane
            .with(now, &mut self.out, &mut self.records, |session, io| {
                session.lost(io);
            });
        self.records.error(&broken.cause, broken.hint.as_deref());
        if was == State::Open {
            self.open -= 1;
            self.records.links.lost += 1;
            connection.since = now;
        }
        if !connection.known {
            self.unsettled -= 1;
            self.records.links.failed += 1;
            connection.state = State::Failed;
            self.trouble.get_or_insert_with(|| broken.error());
            return;
        }
        let seed = self.setup.seed ^ number as u64;
        let backoff = connection
            .backoff
            .get_or_insert_with(|| Box::new(Backoff::seeded(Retry::Forever, seed)));
        // It never gives up; the end of the run does.
        let wait = backoff.next(Instant::now()).map_or(GREETING, nanos);
        self.timers
            .push(Reverse((now + wait, number as u32, Job::Dial)));
    }

    /// Gives up, says goodbye and sends the last news.
    fn finish(mut self) {
        let now = self.now();
        self.records.window = self.setup.control.window();
        for number in 0..self.connections.len() {
            let connection = &mut self.connections[number];
            connection.lane.abandon(&mut self.records);
            if connection.known && connection.state != State::Open && !connection.again {
                self.records.links.away += now.saturating_sub(connection.since);
            }
            self.out.clear();
            connection
                .lane
                .with(now, &mut self.out, &mut self.records, |session, io| {
                    session.finish(io);
                });
            // Whoever cannot hear the goodbye sees the connection close.
            let _ = connection.write(&mut self.out);
            connection.detach();
        }
        self.open = 0;
        self.standing.ended = true;
        self.report(now);
    }
}

/// Reading and writing.
impl Worker {
    fn take_listed(&mut self) {
        let mut listed = std::mem::take(&mut self.listed);
        self.setup.ready.take(&mut listed);
        for number in listed.drain(..) {
            self.connections[number as usize].answered();
            self.read(number as usize);
            self.mark(number as usize);
        }
        self.listed = listed;
    }

    fn read(&mut self, number: usize) {
        for _ in 0..READS {
            let connection = &mut self.connections[number];
            let rest = connection.rest.len();
            if self.input.len() < 2 * rest {
                self.input.resize(2 * rest, 0);
            }
            self.input[..rest].copy_from_slice(&connection.rest);
            let read = match connection.read(&mut self.input[rest..]) {
                Poll::Pending => return,
                Poll::Ready(read) => read,
            };
            let now = self.now();
            let length = match read {
                Ok(0) => {
                    return self.lose(number, now, &Broken::new("connection closed by the peer"));
                }
                Ok(read) => rest + read,
                Err(cause) => {
                    let cause = format!("connection lost: {}", plain(&cause));
                    return self.lose(number, now, &Broken::new(cause));
                }
            };
            self.records.reads += 1;
            if !self.feed(number, length, now) {
                return;
            }
        }
        // There may be more, and the bell rings only after a read that finds nothing.
        self.setup.ready.push(number as u32);
    }

    /// Hands the session the first `length` bytes of the input; whether the connection goes on.
    fn feed(&mut self, number: usize, length: usize, now: Nanos) -> bool {
        let connection = &mut self.connections[number];
        let before = connection.lane.session.in_flight();
        let bytes = &self.input[..length];
        let fed = connection
            .lane
            .feed(bytes, now, &mut self.out, &mut self.records);
        let (taken, wish) = match fed {
            Ok(fed) => fed,
            Err(broken) => {
                self.lose(number, now, &broken);
                return false;
            }
        };
        connection.rest.clear();
        connection.rest.extend_from_slice(&bytes[taken..]);
        let answered = before.saturating_sub(connection.lane.session.in_flight());
        self.think_after(number, answered, now);
        if !self.out.is_empty() {
            self.write_out(number, now);
        }
        self.grant(number, now, wish);
        self.mark(number);
        self.connections[number].state != State::Away
    }

    fn write_out(&mut self, number: usize, now: Nanos) {
        let written = self.connections[number].write(&mut self.out);
        if let Err(cause) = written {
            self.out.clear();
            let cause = format!("connection lost: {}", plain(&cause));
            self.lose(number, now, &Broken::new(cause));
        }
    }

    /// Lists a connection to be written to.
    fn mark(&mut self, number: usize) {
        let connection = &mut self.connections[number];
        if !connection.dirty {
            connection.dirty = true;
            self.dirty.push(number as u32);
        }
    }

    fn write_dirty(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for number in dirty.drain(..) {
            self.connections[number as usize].dirty = false;
            self.write(number as usize);
        }
        // Those that were marked meanwhile have more to write at once.
        dirty.append(&mut self.dirty);
        self.dirty = dirty;
        self.busy |= !self.dirty.is_empty();
    }

    /// Writes one batch of what may be sent.
    fn write(&mut self, number: usize) {
        let now = self.now();
        if self.connections[number].is_blocked() {
            self.write_out(number, now);
            if self.connections[number].is_blocked() {
                return;
            }
        }
        if !self.connections[number].lane.ready || !self.begun {
            return;
        }
        let (wish, more) = self.fill(number, now);
        if !self.out.is_empty() {
            self.write_out(number, now);
        }
        self.grant(number, now, wish);
        if more && !self.connections[number].is_blocked() {
            self.mark(number);
        }
    }

    fn fill(&mut self, number: usize, now: Nanos) -> (Wish, bool) {
        let connection = &mut self.connections[number];
        let lane = &mut connection.lane;
        let runner = &mut self.setup.parts[connection.part].runner;
        if !runner.is_eager() {
            let before = lane.backlog.len();
            let filled = lane.fill(now, &mut self.out, &mut self.records);
            self.waiting = self.waiting.saturating_sub(before - lane.backlog.len());
            return filled;
        }
        if now >= self.records.window.to {
            return (Wish::Nothing, false);
        }
        let Some(left) = runner.left() else {
            return (Wish::Nothing, false);
        };
        let (wish, sent, more) = lane.fill_now(*left, now, &mut self.out, &mut self.records);
        *left -= sent;
        (wish, more)
    }
}

/// Time.
impl Worker {
    fn make_due(&mut self, now: Nanos) {
        let begin = self.setup.control.begins();
        if now < begin {
            return;
        }
        if !self.begun {
            self.begun = true;
            self.next_report = begin + self.setup.interval;
            for number in 0..self.connections.len() {
                self.think_first(number, now);
                self.mark(number);
            }
        }
        let end = self.records.window.to;
        let mut dues = std::mem::take(&mut self.due);
        for (part, base) in self.setup.parts.iter_mut().zip(&self.bases) {
            part.runner.take_due(begin, now, end, |connection, at| {
                dues.push((base + connection, at));
            });
        }
        for (number, at) in dues.drain(..) {
            self.records.tardy.span(at, now);
            self.enqueue(number, at);
        }
        self.due = dues;
    }

    fn enqueue(&mut self, number: usize, at: Nanos) {
        self.records.planned(at);
        if self.waiting >= WAITING {
            self.records.messages.unsent += u64::from(self.records.window.holds(at));
            return;
        }
        self.waiting += 1;
        self.connections[number].lane.backlog.push_back(at);
        self.mark(number);
    }

    /// A closed load that pauses between messages begins with a window full.
    fn think_first(&mut self, number: usize, now: Nanos) {
        let connection = &self.connections[number];
        let part = &self.setup.parts[connection.part];
        if part.runner.think().is_none() || !self.begun || !connection.lane.ready {
            return;
        }
        let under_way = connection.lane.session.in_flight() + connection.lane.backlog.len();
        self.plan_next(number, part.window.saturating_sub(under_way), now);
    }

    fn think_after(&mut self, number: usize, answered: usize, now: Nanos) {
        let part = &self.setup.parts[self.connections[number].part];
        if let Some(think) = part.runner.think() {
            self.plan_next(number, answered, now + think);
        }
    }

    fn plan_next(&mut self, number: usize, count: usize, at: Nanos) {
        let connection = &mut self.connections[number];
        let runner = &mut self.setup.parts[connection.part].runner;
        let Some(left) = runner.left() else {
            return;
        };
        let count = (count as u64).min(*left);
        if count == 0 || at >= self.records.window.to {
            return;
        }
        *left -= count;
        for _ in 0..count {
            connection.lane.backlog.push_back(at);
        }
        self.timers.push(Reverse((at, number as u32, Job::Write)));
    }

    fn take_timers(&mut self, now: Nanos) {
        while let Some(Reverse((at, number, job))) = self.timers.peek().copied() {
            if at > now {
                return;
            }
            self.timers.pop();
            let number = number as usize;
            match job {
                Job::Write => self.mark(number),
                Job::Dial => self.to_dial.push_back(number as u32),
                Job::Tick => {
                    self.connections[number].ticking = false;
                    self.tick(number, now);
                }
                Job::GiveUpGreeting => self.give_up_greeting(number, now),
            }
        }
    }

    fn tick(&mut self, number: usize, now: Nanos) {
        if self.connections[number].state != State::Open || self.connections[number].ticking {
            return;
        }
        let next = self.call(number, now, |session, io| session.tick(false, io));
        if let Some(next) = next {
            self.connections[number].ticking = true;
            self.timers.push(Reverse((next, number as u32, Job::Tick)));
        }
    }

    fn give_up_greeting(&mut self, number: usize, now: Nanos) {
        let connection = &self.connections[number];
        if connection.state == State::Greeting && connection.dialed + GREETING <= now {
            let broken = Broken::new("no answer to the first packet within 10s");
            self.lose(number, now, &broken);
        }
    }
}

/// What the coordinator is told.
impl Worker {
    /// Reports when it is time, or when something has changed that the coordinator waits for.
    fn settle(&mut self, now: Nanos) {
        let before = self.standing;
        self.standing.settled = self.unsettled == 0;
        if self.begun {
            self.standing.sent_all = self.has_sent_all(now);
        }
        let drains = self.begun && (self.standing.sent_all || now >= self.records.window.to);
        if drains && !self.draining {
            self.draining = true;
            self.next_report = now;
        }
        if now >= self.next_report && drains {
            self.prove(now);
            self.standing.idle = self.is_idle();
        }
        let changed =
            (before.settled, before.sent_all) != (self.standing.settled, self.standing.sent_all);
        if now >= self.next_report || changed {
            self.report(now);
        }
    }

    fn has_sent_all(&mut self, now: Nanos) -> bool {
        let begin = self.setup.control.begins();
        let end = self.records.window.to;
        let silent = |part: &Part| matches!(part.runner, Runner::Silent);
        if self.setup.parts.iter().all(silent) {
            return self.setup.sends || now >= end;
        }
        let done = |part: &mut Part| part.runner.is_done(begin, now, end);
        self.setup.parts.iter_mut().all(done)
    }

    /// Sending has ended: asks for proof of what is not acknowledged on its own.
    fn prove(&mut self, now: Nanos) {
        for number in 0..self.connections.len() {
            let connection = &self.connections[number];
            if connection.state == State::Open
                && connection.lane.backlog.is_empty()
                && connection.lane.session.in_flight() > 0
            {
                self.call(number, now, |session, io| session.tick(true, io));
            }
        }
    }

    fn is_idle(&self) -> bool {
        let idle = |connection: &Connection| connection.lane.is_idle();
        self.connections.iter().all(idle)
    }

    fn report(&mut self, now: Nanos) {
        self.standing.connections = self.open;
        let step = if self.draining {
            DRAIN_REPORT
        } else {
            self.setup.interval
        };
        if now >= self.next_report {
            self.next_report = (self.next_report + step).max(now + step / 2);
        }
        let news = News {
            worker: self.setup.number,
            at: now,
            records: self.records.take(),
            standing: self.standing,
            trouble: self.trouble.take(),
        };
        // When the coordinator is gone the run is over.
        if self.setup.news.send(news).is_err() {
            self.setup.control.finish();
        }
    }
}
