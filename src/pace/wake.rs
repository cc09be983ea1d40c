//! Which connections have something to do: one list per loop, filled by the runtime's wake-ups.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The list of one worker, and how the worker itself is woken.
#[derive(Debug, Default)]
pub(crate) struct Ready(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    connections: Vec<u32>,
    /// Somebody wants the worker to look around.
    poked: bool,
    worker: Option<Waker>,
}

impl Ready {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic happens while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the list to `into`, which is empty.
    pub(crate) fn take(&self, into: &mut Vec<u32>) {
        let mut state = self.state();
        state.poked = false;
        std::mem::swap(&mut state.connections, into);
    }

    /// Whether there is something to do; if not, `worker` is woken when there is.
    pub(crate) fn look(&self, worker: &Waker) -> bool {
        let mut state = self.state();
        if state.poked || !state.connections.is_empty() {
            return true;
        }
        match &mut state.worker {
            Some(known) => known.clone_from(worker),
            None => state.worker = Some(worker.clone()),
        }
        false
    }

    /// Wakes the worker to look around.
    pub(crate) fn poke(&self) {
        let mut state = self.state();
        state.poked = true;
        let worker = state.worker.take();
        drop(state);
        if let Some(worker) = worker {
            worker.wake();
        }
    }

    /// Lists a connection and wakes the worker.
    pub(crate) fn push(&self, connection: u32) {
        let mut state = self.state();
        state.connections.push(connection);
        let worker = state.worker.take();
        drop(state);
        if let Some(worker) = worker {
            worker.wake();
        }
    }
}

/// The bell of one connection: the runtime rings it when the socket can be read or written.
#[derive(Debug)]
pub(crate) struct Bell {
    connection: u32,
    rung: AtomicBool,
    ready: Arc<Ready>,
}

impl Bell {
    pub(crate) fn new(connection: u32, ready: &Arc<Ready>) -> Arc<Self> {
        Arc::new(Self {
            connection,
            rung: AtomicBool::new(false),
            ready: Arc::clone(ready),
        })
    }

    /// From now on it can be rung again.
    pub(crate) fn answered(&self) {
        self.rung.store(false, Ordering::Release);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.ready.push(self.connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_listed_once_until_it_is_answered() {
        let ready = Arc::new(Ready::default());
        let bell = Bell::new(7, &ready);
        let waker = Waker::from(Arc::clone(&bell));
        waker.wake_by_ref();
        waker.wake_by_ref();
        let mut list = Vec::new();
        ready.take(&mut list);
        assert_eq!(list, [7]);
        assert!(!ready.look(Waker::noop()));
        bell.answered();
        waker.wake_by_ref();
        assert!(ready.look(Waker::noop()));
    }
}
