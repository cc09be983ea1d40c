//! What the coordinator tells the workers, and what they tell it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::super::clock::Nanos;
use super::super::recorder::{Records, Window};
use crate::error::Error;

/// The course of the run; moments are only ever set once, or moved closer.
#[derive(Debug)]
pub(super) struct Control {
    begin: AtomicU64,
    from: AtomicU64,
    to: AtomicU64,
    over: AtomicBool,
}

impl Control {
    pub(super) const fn new() -> Self {
        Self {
            begin: AtomicU64::new(Nanos::MAX),
            from: AtomicU64::new(Nanos::MAX),
            to: AtomicU64::new(Nanos::MAX),
            over: AtomicBool::new(false),
        }
    }

    /// Sending begins at `begin`; the measured time is `window`.
    pub(super) fn begin(&self, begin: Nanos, window: Window) {
        self.from.store(window.from, Ordering::SeqCst);
        self.to.store(window.to, Ordering::SeqCst);
        self.begin.store(begin, Ordering::SeqCst);
    }

    /// Nothing becomes due from `at` on. Unless all has been due, it must not have passed yet, or workers would disagree
    /// on what was.
    pub(super) fn end(&self, at: Nanos) {
        self.to.fetch_min(at, Ordering::SeqCst);
        self.from.fetch_min(at, Ordering::SeqCst);
    }

    /// The run is over.
    pub(super) fn finish(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    /// When sending begins; far away as long as that is not known.
    pub(super) fn begins(&self) -> Nanos {
        self.begin.load(Ordering::SeqCst)
    }

    pub(super) fn window(&self) -> Window {
        Window {
            from: self.from.load(Ordering::SeqCst),
            to: self.to.load(Ordering::SeqCst),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }
}

/// What a worker has to say.
#[derive(Debug)]
pub(super) struct WorkerEvent {
    /// Which worker.
    pub(super) worker: usize,
    /// When.
    pub(super) at: Nanos,
    /// What it has seen since the last news.
    pub(super) records: Records,
    /// How it stands.
    pub(super) standing: WorkerStatus,
    /// The first failure to connect, with its exit code.
    pub(super) trouble: Option<Error>,
}

/// How a worker stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct WorkerStatus {
    /// Every connection has been tried.
    pub(super) settled: bool,
    /// Nothing will become due any more.
    pub(super) sent_all: bool,
    /// Nothing waits to be sent or answered.
    pub(super) idle: bool,
    /// When the newest message was due.
    pub(super) due: Nanos,
    /// Open connections.
    pub(super) connections: u64,
    /// The worker has ended.
    pub(super) ended: bool,
}
