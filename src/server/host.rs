//! An engine with a clock and streams: one task per connection on one thread.

use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::task::Waker;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::sleep_until;

use super::slab::Key;

/// A broker without sockets and clock. Every call says what time it is.
pub(crate) trait Engine: Sized + 'static {
    /// The events for the caller that runs it.
    type Event;

    /// A network connection from `peer` was accepted by a listener with this number.
    fn open(&mut self, peer: String, listener: usize, now: Instant) -> Key;

    /// The network connection is gone; its key means nothing any more.
    fn lost(&mut self, id: Key, now: Instant);

    /// Does what is due.
    fn tick(&mut self, now: Instant);

    /// When [`Self::tick`] is needed next.
    fn next_deadline(&self) -> Option<Instant>;

    /// Says goodbye to everyone.
    fn shut_down(&mut self, now: Instant);

    /// The connections that have something to do since the last call.
    fn ready(&mut self, each: impl FnMut(Key));

    /// What is worth telling since the last call.
    fn take_events(&mut self) -> Vec<Self::Event>;

    /// The event for a handshake that failed, for this reason.
    fn not_accepted(error: String) -> Self::Event;

    /// The event for the end.
    fn stopped(&self) -> Self::Event;

    /// Carries bytes between a stream and the engine until the connection ends.
    fn carry<S: AsyncRead + AsyncWrite + Unpin>(
        host: Host<Self>,
        id: Key,
        stream: S,
    ) -> impl Future<Output = ()>;
}

/// A running broker; clones are the same broker.
pub(crate) struct Host<E: Engine>(Rc<Inner<E>>);

struct Inner<E: Engine> {
    state: RefCell<State<E>>,
    /// A deadline is nearer than the one that is slept for.
    sooner: Notify,
    /// A connection has ended.
    ended: Notify,
}

/// What the tasks share; borrowed only between two awaits.
pub(crate) struct State<E: Engine> {
    /// The broker.
    pub engine: E,
    /// Whether it has said goodbye.
    pub stopping: bool,
    wakers: HashMap<Key, Waker>,
    tell: Box<dyn FnMut(E::Event)>,
    asleep_until: Option<Instant>,
}

impl<E: Engine> Clone for Host<E> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<E: Engine> Host<E> {
    /// A broker that tells `events` what is worth a line in a log.
    pub(crate) fn of(engine: E, events: impl FnMut(E::Event) + 'static) -> Self {
        let state = State {
            engine,
            stopping: false,
            wakers: HashMap::new(),
            tell: Box::new(events),
            asleep_until: None,
        };
        Self(Rc::new(Inner {
            state: RefCell::new(state),
            sooner: Notify::new(),
            ended: Notify::new(),
        }))
    }

    /// Serves one connection from `peer` by a listener until its end.
    pub(crate) async fn carry(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        peer: String,
        listener: usize,
    ) {
        let id = self.state().engine.open(peer, listener, Instant::now());
        self.settle();
        E::carry(self.clone(), id, stream).await;
        let mut state = self.state();
        state.engine.lost(id, Instant::now());
        state.wakers.remove(&id);
        drop(state);
        self.settle();
        self.0.ended.notify_one();
    }

    /// Does what is due, for as long as it is polled.
    pub(crate) async fn keep_time(&self) {
        loop {
            let deadline = self.state().engine.next_deadline();
            self.state().asleep_until = deadline;
            let due = async {
                match deadline {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => self.state().engine.tick(Instant::now()),
                () = self.0.sooner.notified() => {}
            }
            self.settle();
            // The engine may have more to do at once; the connections get their turn first.
            yield_now().await;
        }
    }

    /// Says goodbye to all clients and waits until every connection has ended.
    pub(crate) async fn stop(&self) {
        self.shut_down();
        self.settle();
        while !self.state().wakers.is_empty() {
            self.0.ended.notified().await;
        }
    }

    fn shut_down(&self) {
        let mut state = self.state();
        state.stopping = true;
        state.engine.shut_down(Instant::now());
    }

    /// Hands an event to the caller that runs the broker.
    pub(crate) fn tell(&self, event: E::Event) {
        (self.state().tell)(event);
    }

    /// Borrowed by one task at a time: all run on one thread, and none holds it across an await.
    pub(crate) fn state(&self) -> RefMut<'_, State<E>> {
        self.0.state.borrow_mut()
    }

    /// Names the task of a connection, to be woken when it is ready.
    pub(crate) fn watch(&self, id: Key, waker: &Waker) {
        let mut state = self.state();
        match state.wakers.get_mut(&id) {
            Some(known) => known.clone_from(waker),
            None => drop(state.wakers.insert(id, waker.clone())),
        }
    }

    /// Wakes the tasks that have something to do after the engine was called.
    pub(crate) fn settle(&self) {
        let mut state = self.state();
        let state = &mut *state;
        state.engine.ready(|id| {
            if let Some(waker) = state.wakers.get(&id) {
                waker.wake_by_ref();
            }
        });
        for event in state.engine.take_events() {
            (state.tell)(event);
        }
        let deadline = state.engine.next_deadline();
        let sooner = match (deadline, state.asleep_until) {
            (Some(deadline), Some(asleep)) => deadline < asleep,
            (deadline, asleep) => deadline.is_some() && asleep.is_none(),
        };
        if sooner {
            self.0.sooner.notify_one();
        }
    }
}

impl<E: Engine> fmt::Debug for Host<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({} connections)", self.state().wakers.len())
    }
}
