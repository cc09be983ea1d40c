//! When all that a server has retained has come.

use std::time::Instant;

use crate::mqtt::client::Client;
use crate::mqtt::packet::Publish;

/// What came after a subscription. A server that lets only so many messages be under way (20 with mosquitto) sends the next ones as
/// the first are acknowledged: only when nothing came between two answers to pings has all come.
#[derive(Debug, Default)]
pub(super) struct Retained {
    /// Something has come since the last ping.
    fresh: bool,
    /// A ping is not answered yet.
    asked: bool,
    /// The server has taken the subscription.
    begun: bool,
    all: bool,
}

impl Retained {
    /// A message has come.
    pub(super) const fn message(&mut self, publish: &Publish) {
        self.fresh |= publish.retain;
    }

    /// The server has taken the subscription; it may be another one, after a lost connection.
    pub(super) const fn subscribed(&mut self) {
        (self.begun, self.asked, self.all) = (true, false, false);
    }

    /// A ping was answered.
    pub(super) const fn answered(&mut self) {
        if self.asked {
            self.asked = false;
            self.all |= !self.fresh;
        }
    }

    /// Asks again where more may come; what has come must be acknowledged.
    pub(super) fn go_on(&mut self, client: &mut Client) {
        if self.begun && !self.all && !self.asked {
            (self.asked, self.fresh) = (true, false);
            client.session().ping(Instant::now());
        }
    }

    /// Whether all has come.
    pub(super) const fn is_all(&self) -> bool {
        self.all
    }
}
