//! One worker: a thread with a loop, its connections, its schedules and its books.
//!
//! The loop is one task. A wake-up of any socket lists its connection; a step then reads what has arrived,
//! makes due what is due, and writes, for each connection in one go.

mod due;
mod news;
mod opening;
mod traffic;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{JoinSet, unconstrained, yield_now};

use super::super::clock::{Clock, Nanos};
use super::super::connection_state::ConnectionState;
use super::super::driver::{Driver, Link};
use super::super::plan::Coalesce;
use super::super::recorder::Records;
use super::coalesce::Gather;
use super::connection::Connection;
use super::control::{Control, WorkerEvent, WorkerStatus};
use super::load::Runner;
use crate::error::{Error, Result};
use crate::pace::punctual::Punctual;
use crate::pace::timer::Timer;
use crate::pace::wake::Ready;

/// Connections that a worker opens at once.
const DIALS: usize = 256;
/// Between two tries to connect again at most.
const LONGEST_BACKOFF: Nanos = 10_000_000_000;
/// Bytes read at once.
const READ: usize = 256 * 1024;
/// Reads of one connection before others have their turn.
const READS: usize = 8;
/// Messages that may wait on all connections of a worker; more that are due are not sent at all.
const WAITING: usize = 4 << 20;
/// Ticks of connections come in multiples of this.
const TICKS: Nanos = 50_000_000;
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
    pub(super) news: UnboundedSender<WorkerEvent>,
}

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Job {
    Tick,
    /// A tick that a session has asked for, beside those that follow from one another.
    Extra,
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
    /// When sending begins, as of this step.
    begin: Nanos,
    begun: bool,
    /// When messages were last made due.
    looked: Nanos,
    draining: bool,
    next_report: Nanos,
    gather: Gather,
    punctual: Punctual,
    /// Something is left to do at once.
    busy: bool,
    standing: WorkerStatus,
    trouble: Option<Error>,
}

/// Runs a worker to its end; what it has to say goes to the coordinator.
pub(super) async fn run(setup: Setup) {
    match Worker::new(setup) {
        Ok(worker) => unconstrained(worker.run()).await,
        Err((news, number, error)) => {
            let standing = WorkerStatus {
                settled: true,
                sent_all: true,
                idle: true,
                due: 0,
                connections: 0,
                ended: true,
            };
            // When the coordinator is gone nobody wants to know.
            let _ = news.send(WorkerEvent {
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
    fn new(setup: Setup) -> Result<Self, (UnboundedSender<WorkerEvent>, usize, Error)> {
        let timer = match Timer::new(setup.clock) {
            Ok(timer) => timer,
            Err(error) => return Err((setup.news, setup.number, error)),
        };
        let (mut connections, mut bases) = (Vec::new(), Vec::new());
        for (number, part) in setup.parts.iter().enumerate() {
            bases.push(connections.len());
            for (index, sender) in &part.connections {
                let session = part.driver.session(*index, *sender);
                let mut lane = ConnectionState::new(session, part.driver.receivers(*index));
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
            begin: Nanos::MAX,
            begun: false,
            looked: 0,
            draining: false,
            next_report: now + setup.interval,
            gather: Gather::new(setup.coalesce),
            punctual: Punctual::default(),
            busy: false,
            standing: WorkerStatus::default(),
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
            if let Some(moment) = self.punctual.woke(self.now()) {
                while self.now() < moment {
                    std::hint::spin_loop();
                }
            }
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
        // In this order: once the beginning is known the window is, and nothing is due without a window.
        self.begin = self.setup.control.begins();
        self.records.window = self.setup.control.window();
        self.records.at = now;
        self.take_dialed();
        self.dial(now);
        let before = (self.records.reads, self.records.brought());
        self.take_listed();
        self.take_timers(now);
        self.make_due(self.now());
        self.write_dirty();
        let brought = self.records.brought() - before.1;
        let limit = self.in_flight_limit();
        self.gather
            .woke(now, self.records.reads - before.0, brought, limit);
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
        let mut exact = Nanos::MAX;
        for part in &mut self.setup.parts {
            if let Some(at) = part.runner.next(begin, self.looked).filter(|at| *at < end) {
                deadline = deadline.min(at);
                if part.runner.is_exact() {
                    exact = exact.min(at);
                }
            }
        }
        if exact == deadline && self.gather.wait().is_zero() {
            self.punctual.ask(exact)
        } else {
            self.punctual.forget();
            deadline
        }
    }
}
