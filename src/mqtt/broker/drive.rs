//! The core with a clock and streams: one task per connection on one thread.

use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::task::Waker;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::sleep_until;

use super::core::Core;
use super::events::{Counts, Event};
use super::link::Link;
use super::options::Options;
use super::slab::Key;

/// A running broker; clones are the same broker.
#[derive(Clone)]
pub struct Broker(Rc<Inner>);

struct Inner {
    state: RefCell<State>,
    /// A deadline is nearer than the one that is slept for.
    sooner: Notify,
    /// A connection has ended.
    ended: Notify,
}

/// What the tasks share; borrowed only between two awaits.
pub(super) struct State {
    pub(super) core: Core,
    wakers: HashMap<Key, Waker>,
    tell: Box<dyn FnMut(Event)>,
    asleep_until: Option<Instant>,
    pub(super) stopping: bool,
}

impl Broker {
    /// A broker that tells `events` what is worth a line in a log.
    pub fn new(options: Options, events: impl FnMut(Event) + 'static) -> Self {
        let state = State {
            core: Core::new(options, Instant::now()),
            wakers: HashMap::new(),
            tell: Box::new(events),
            asleep_until: None,
            stopping: false,
        };
        Self(Rc::new(Inner {
            state: RefCell::new(state),
            sooner: Notify::new(),
            ended: Notify::new(),
        }))
    }

    /// Serves one connection from `peer` until its end.
    pub async fn carry(&self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: String) {
        let id = self.state().core.open(peer, Instant::now());
        self.settle();
        Link::new(self.clone(), id, stream).await;
        let mut state = self.state();
        state.core.lost(id, Instant::now());
        state.wakers.remove(&id);
        drop(state);
        self.settle();
        self.0.ended.notify_one();
    }

    /// Does what is due, for as long as it is polled: keep-alive, wills, expiry, `$SYS`.
    pub async fn keep_time(&self) {
        loop {
            let deadline = self.state().core.next_deadline();
            self.state().asleep_until = deadline;
            let due = async {
                match deadline {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => self.state().core.tick(Instant::now()),
                () = self.0.sooner.notified() => {}
            }
            self.settle();
        }
    }

    /// Says goodbye to all clients and waits until every connection has ended.
    pub async fn stop(&self) {
        self.shut_down();
        self.settle();
        while !self.state().wakers.is_empty() {
            self.0.ended.notified().await;
        }
    }

    fn shut_down(&self) {
        let mut state = self.state();
        state.stopping = true;
        state.core.shut_down(Instant::now());
    }

    /// What happened since the start.
    pub fn counts(&self) -> Counts {
        self.state().core.counts()
    }

    pub(super) fn tell(&self, event: Event) {
        (self.state().tell)(event);
    }

    /// Borrowed by one task at a time: all run on one thread, and none holds it across an await.
    pub(super) fn state(&self) -> RefMut<'_, State> {
        self.0.state.borrow_mut()
    }

    pub(super) fn watch(&self, id: Key, waker: &Waker) {
        let mut state = self.state();
        match state.wakers.get_mut(&id) {
            Some(known) => known.clone_from(waker),
            None => drop(state.wakers.insert(id, waker.clone())),
        }
    }

    /// Wakes whoever has something to do after the core was called.
    pub(super) fn settle(&self) {
        let mut state = self.state();
        let state = &mut *state;
        state.core.ready(|id| {
            if let Some(waker) = state.wakers.get(&id) {
                waker.wake_by_ref();
            }
        });
        for event in state.core.take_events() {
            (state.tell)(event);
        }
        let deadline = state.core.next_deadline();
        let sooner = match (deadline, state.asleep_until) {
            (Some(deadline), Some(asleep)) => deadline < asleep,
            (deadline, asleep) => deadline.is_some() && asleep.is_none(),
        };
        if sooner {
            self.0.sooner.notify_one();
        }
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Broker({} connections)", self.state().wakers.len())
    }
}
