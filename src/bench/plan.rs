//! What a run is to do. A plan is complete: every default is already filled in.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::gate::Gate;

/// One run of the engine.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// What the connections do; at least one group.
    pub groups: Vec<Group>,
    /// How the run passes through its phases.
    pub phases: Phases,
    /// Worker threads, each with a loop and histograms of its own.
    pub threads: usize,
    /// When to read from connections that have something to read.
    pub coalesce: Coalesce,
    /// New connections in a second, over all groups; `None`: as fast as they come.
    pub connect_rate: Option<f64>,
    /// Which part of the whole load this process does.
    pub shard: Shard,
    /// Seed of everything random, so that a run can be repeated.
    pub seed: u64,
}

impl Plan {
    /// Whether messages are due by the clock.
    pub(crate) fn is_open(&self) -> bool {
        let mut loads = self.groups.iter().filter_map(|group| group.load.as_ref());
        loads.any(|load| matches!(load, Load::Open { .. }))
    }
}

/// Connections that all do the same.
#[derive(Clone, Debug)]
pub struct Group {
    /// For reports.
    pub name: String,
    /// How many connections, over all shards.
    pub connections: usize,
    /// What each sends; `None`: nothing.
    pub load: Option<Load>,
}

/// When messages are sent.
#[derive(Clone, Debug)]
pub enum Load {
    /// Open loop: sends are due by the clock, whatever the peer does. Response times count from the due time.
    Open {
        /// Rates one after another; the last one goes on.
        stages: Vec<Stage>,
        /// How the sends of a rate are spread in time.
        arrivals: Arrivals,
        /// Messages that await their acknowledgement on one connection at most; more that are due wait, and
        /// their waiting counts.
        window: usize,
    },
    /// Closed loop: a new message as soon as an acknowledgement leaves room in the window.
    Closed {
        /// Messages in flight on each connection.
        window: usize,
        /// Pause between an acknowledgement and the next send.
        think: Duration,
    },
}

/// A stretch of an open load; the rate moves evenly from `from` to `to`.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// How long; `None`: to the end of the run.
    pub lasts: Option<Duration>,
    /// Messages in a second over the whole group, at its beginning.
    pub from: f64,
    /// Messages in a second over the whole group, at its end.
    pub to: f64,
}

/// How sends are spread in time.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Evenly, one after the other over all connections.
    Constant,
    /// With gaps drawn evenly from 0 to twice the mean.
    Uniform,
    /// A Poisson process: exponential gaps.
    Poisson,
    /// Each connection like a device: its own period, begun at a random phase.
    Devices,
    /// All sends of an interval at once at its beginning.
    Bursts {
        /// The interval.
        every: Duration,
    },
    /// Gaps as they were recorded, over and over; the rate of the stages does not count.
    Recorded(Vec<Duration>),
}

/// The phases of a run. Only what happens while measuring is in the figures.
#[derive(Clone, Debug)]
pub(crate) struct Phases {
    /// Load that is not measured yet.
    pub warmup: Duration,
    /// How long to measure; `None`: until `count`.
    pub duration: Option<Duration>,
    /// How many messages to send, over all connections and shards; `None`: until `duration`.
    pub count: Option<u64>,
    /// How long to wait for what is still under way when sending has ended.
    pub drain: Duration,
    /// Between two points of the time series and two live reports.
    pub interval: Duration,
    /// When all shards begin to send; `None`: as soon as all connections are open.
    pub start_at: Option<SystemTime>,
    /// Where this process waits for the others of its run; `None`: it is alone.
    pub gate: Option<Arc<Gate>>,
}

/// When to read. Reading at once shows the true latency but wakes both sides for each message; letting
/// messages gather shows the peer's true capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coalesce {
    /// At once.
    Never,
    /// After 100 to 500 µs, the longer the higher the rate.
    Adaptive,
    /// Always after this long.
    Fixed(Duration),
}

/// Part `index` of `count` equal ones; 0 of 1 is the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shard {
    /// From 0.
    pub index: u32,
    /// At least 1.
    pub count: u32,
}

impl Default for Shard {
    /// The whole.
    fn default() -> Self {
        Self { index: 0, count: 1 }
    }
}
