//! A client that has two owners, who each see their half: one receives messages, the other publishes. Over one connection a
//! server knows that what comes back to it is what it was sent, and need not send it again.
//!
//! Both are driven in turns by one task. Whoever is first drives the connection for both, and says so when something came for the
//! other; so the connection is read while only one of them has time, and a pause of one never holds up the other.

use std::cell::{Ref, RefCell, RefMut};
use std::future::{Future, pending};
use std::rc::Rc;
use std::sync::Arc;

use super::{Client, Notice};
use crate::connect::Target;
use crate::error::{Error, Result};
use crate::mqtt::packet::{Disconnect, Publish, QoS, ReasonCode};
use crate::mqtt::session::client::{Event, Session, Ticket, Unsendable};

/// A connection to a server as who receives or publishes sees it: a client, or half of one.
pub(crate) trait Connection {
    /// Where it goes.
    fn target(&self) -> &Target;

    /// Asks the session for something.
    fn with<R>(&mut self, ask: impl FnOnce(&mut Session) -> R) -> R;

    /// Looks at the session.
    fn look<R>(&self, ask: impl FnOnce(&Session) -> R) -> R;

    /// Why the server ended the last connection, if it said so.
    fn dismissed(&self) -> Option<ReasonCode>;

    /// The next event of the session.
    fn poll_event(&mut self) -> Option<Event>;

    /// The next piece of news about the connection.
    fn poll_notice(&mut self) -> Option<Notice>;

    /// Takes the connection for lost, as the server does not do what it should: tries again later, or gives up.
    ///
    /// # Errors
    /// The end of it.
    fn give_up(&mut self, why: Error) -> Result<()>;

    /// A connection that the server ends over a message, and says so, is made again, as one that it closes without a word.
    fn outlive_objections(&mut self);

    /// As [`Client::make`].
    fn make(&mut self) -> impl Future<Output = Result<bool>>;

    /// As [`Client::drive`].
    fn drive(&mut self) -> impl Future<Output = Result<()>>;

    /// As [`Client::hold`].
    fn hold(&mut self) -> impl Future<Output = Error>;

    /// As [`Client::close`]; where two own it, by who publishes.
    fn close(&mut self, disconnect: Disconnect) -> impl Future<Output = ()>;

    /// Whether the connection is up and CONNECT was answered.
    fn is_online(&self) -> bool {
        self.look(Session::is_online)
    }

    /// Whether a message of this QoS can go out now.
    fn can_publish(&self, qos: QoS) -> bool {
        self.look(|session| session.can_publish(qos))
    }

    /// How many bytes wait to be written.
    fn unwritten(&self) -> usize {
        self.look(Session::unwritten)
    }

    /// How many messages are sent or to be sent again and not yet acknowledged.
    fn unfinished(&self) -> usize {
        self.look(Session::unfinished)
    }

    /// The memory that messages hold until they are acknowledged, in bytes.
    fn kept_bytes(&self) -> usize {
        self.look(Session::kept_bytes)
    }

    /// Hands a message to the session; see [`Session::publish`].
    ///
    /// # Errors
    /// What this server does not take.
    fn publish(&mut self, publish: &mut Publish, ticket: Ticket) -> Result<(), Unsendable> {
        self.with(|session| session.publish(publish, ticket))
    }
}

impl Connection for Client {
    #[inline]
    fn target(&self) -> &Target {
        &self.target
    }

    #[inline]
    fn with<R>(&mut self, ask: impl FnOnce(&mut Session) -> R) -> R {
        ask(&mut self.session)
    }

    #[inline]
    fn look<R>(&self, ask: impl FnOnce(&Session) -> R) -> R {
        ask(&self.session)
    }

    fn dismissed(&self) -> Option<ReasonCode> {
        self.dismissed
    }

    #[inline]
    fn poll_event(&mut self) -> Option<Event> {
        Self::poll_event(self)
    }

    #[inline]
    fn poll_notice(&mut self) -> Option<Notice> {
        Self::poll_notice(self)
    }

    fn give_up(&mut self, why: Error) -> Result<()> {
        self.session.acquit();
        self.failed(why, true)
    }

    fn outlive_objections(&mut self) {
        self.outlives_objections = true;
    }

    async fn make(&mut self) -> Result<bool> {
        Self::make(self).await
    }

    #[inline]
    async fn drive(&mut self) -> Result<()> {
        Self::drive(self).await
    }

    async fn hold(&mut self) -> Error {
        Self::hold(self).await
    }

    async fn close(&mut self, disconnect: Disconnect) {
        Self::close(self, disconnect).await;
    }
}

/// One half of a client.
pub(crate) struct Half {
    client: Rc<RefCell<Client>>,
    target: Arc<Target>,
    publishes: bool,
    /// As many losses of the connection were told.
    losses: u64,
}

impl Half {
    /// The half that receives, and the half that publishes.
    pub(crate) fn both(mut client: Client) -> [Self; 2] {
        client.session.part();
        let target = Arc::clone(&client.target);
        let client = Rc::new(RefCell::new(client));
        [false, true].map(|publishes| Self {
            client: Rc::clone(&client),
            target: Arc::clone(&target),
            publishes,
            losses: 0,
        })
    }

    // cannot panic: a borrow lasts only while one half is driven, and nothing is asked of either meanwhile.
    fn client(&self) -> Ref<'_, Client> {
        self.client.borrow()
    }

    // cannot panic: as above.
    fn client_mut(&self) -> RefMut<'_, Client> {
        self.client.borrow_mut()
    }
}

impl Connection for Half {
    fn target(&self) -> &Target {
        &self.target
    }

    fn with<R>(&mut self, ask: impl FnOnce(&mut Session) -> R) -> R {
        ask(&mut self.client_mut().session)
    }

    fn look<R>(&self, ask: impl FnOnce(&Session) -> R) -> R {
        ask(&self.client().session)
    }

    fn dismissed(&self) -> Option<ReasonCode> {
        self.client().dismissed
    }

    fn poll_event(&mut self) -> Option<Event> {
        match self.publishes {
            true => self.client_mut().poll_outcome(),
            false => self.client_mut().poll_event(),
        }
    }

    fn poll_notice(&mut self) -> Option<Notice> {
        if !self.publishes {
            return self.client_mut().poll_notice();
        }
        let losses = self.client().losses;
        (std::mem::replace(&mut self.losses, losses) != losses).then_some(Notice::Gone)
    }

    fn give_up(&mut self, why: Error) -> Result<()> {
        self.client_mut().give_up(why)
    }

    fn outlive_objections(&mut self) {
        self.client_mut().outlives_objections = true;
    }

    /// The other half makes it.
    async fn make(&mut self) -> Result<bool> {
        Ok(true)
    }

    #[expect(
        clippy::await_holding_refcell_ref,
        reason = "the other half sees that it is borrowed, and waits"
    )]
    async fn drive(&mut self) -> Result<()> {
        match self.client.try_borrow_mut() {
            Ok(mut client) => client.drive_half(self.publishes).await,
            // The other half drives; it ends when something came for this one, and with it the turn of both.
            Err(_) => pending().await,
        }
    }

    /// What comes meanwhile waits in the session: the other half needs the connection.
    #[expect(
        clippy::await_holding_refcell_ref,
        reason = "the other half sees that it is borrowed, and waits"
    )]
    async fn hold(&mut self) -> Error {
        let Ok(mut client) = self.client.try_borrow_mut() else {
            return pending().await;
        };
        client.session.set_reading(true, std::time::Instant::now());
        loop {
            if let Err(error) = client.step().await {
                return error;
            }
        }
    }

    #[expect(
        clippy::await_holding_refcell_ref,
        reason = "the other half is closed, and asks for nothing"
    )]
    async fn close(&mut self, disconnect: Disconnect) {
        if self.publishes {
            // Nobody else drives it any more.
            let mut client = self.client_mut();
            client.close(disconnect).await;
        }
    }
}
