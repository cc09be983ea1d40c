//! The core with a clock and streams.

use std::time::{Instant, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite};

use super::core::Core;
use super::events::Event;
use super::link::Link;
use super::options::Options;
use crate::connect::Listener;
use crate::error::Result;
use crate::server::{self, Engine, Host, Key, Users};

/// A running broker; clones are the same broker.
pub(crate) type Broker = Host<Core>;

impl Host<Core> {
    /// A broker that tells `events` what is worth a line in a log.
    pub(crate) fn new(options: Options, events: impl FnMut(Event) + 'static) -> Self {
        Self::of(
            Core::new(options, Instant::now(), SystemTime::now()),
            events,
        )
    }

    /// Replaces who may connect. Clients who are connected stay.
    pub(crate) fn set_users(&self, users: Users) {
        self.state().engine.options.users = Some(users);
    }
}

/// Serves the clients of all listeners until `stop` is done, then says goodbye to them; see [`server::serve`].
///
/// # Errors
/// A listener does not work any more ([`crate::error::Kind::Local`]).
pub(crate) async fn serve(
    broker: Broker,
    listeners: Vec<Listener>,
    stop: impl Future,
) -> Result<()> {
    let patience = broker.state().engine.options.connect_timeout;
    let listeners = listeners.into_iter().map(|it| (it, 0)).collect();
    server::serve(broker, listeners, patience, stop).await
}

impl Engine for Core {
    type Event = Event;

    fn open(&mut self, peer: String, _: usize, now: Instant) -> Key {
        self.open(peer, now)
    }

    fn lost(&mut self, id: Key, now: Instant) {
        self.lost(id, now);
    }

    fn tick(&mut self, now: Instant) {
        self.tick(now);
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.next_deadline()
    }

    fn shut_down(&mut self, now: Instant) {
        self.shut_down(now);
    }

    fn ready(&mut self, each: impl FnMut(Key)) {
        self.ready(each);
    }

    fn take_events(&mut self) -> Vec<Event> {
        self.take_events()
    }

    fn not_accepted(error: String) -> Event {
        Event::NotAccepted { error }
    }

    fn stopped(&self) -> Event {
        Event::Stopped(self.counts())
    }

    async fn carry<S: AsyncRead + AsyncWrite + Unpin>(host: Broker, id: Key, stream: S) {
        Link::new(host, id, stream).await;
    }
}
