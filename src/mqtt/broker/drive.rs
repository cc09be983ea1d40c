//! The core with a clock and streams.

use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};

use super::core::Core;
use super::events::Event;
use super::link::Link;
use super::options::{Access, Options};
use crate::connect::Listener;
use crate::error::Result;
use crate::server::{self, Engine, Host, Key};

/// A running broker; clones are the same broker.
pub(crate) type Broker = Host<Core>;

impl Host<Core> {
    /// A broker that tells `events` what is worth a line in a log.
    pub(crate) fn new(options: Options, events: impl FnMut(Event) + 'static) -> Self {
        Self::of(Core::new(options, Instant::now()), events)
    }

    /// Replaces [`Options::access`]. Clients who are connected stay; what they may do changes at once.
    pub(crate) fn set_access(&self, access: Vec<Access>) {
        self.state().engine.options.access = access;
    }
}

/// Serves the clients of all listeners until `stop` is done, then says goodbye to them; see [`server::serve`]. With each
/// listener comes the index of what holds for its clients in [`Options::access`].
///
/// # Errors
/// A listener does not work any more ([`crate::error::Kind::Local`]).
pub(crate) async fn serve(
    broker: Broker,
    listeners: Vec<(Listener, usize)>,
    stop: impl Future,
) -> Result<()> {
    let patience = broker.state().engine.options.connect_timeout;
    server::serve(broker, listeners, patience, stop).await
}

impl Engine for Core {
    type Event = Event;

    fn open(&mut self, peer: String, access: usize, now: Instant) -> Key {
        self.open(peer, access, now)
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
