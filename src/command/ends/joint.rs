//! A source and a target over one connection to an MQTT server.
//!
//! Such a server does not send back what it was sent over the same connection: MQTT 5 by No Local, MQTT 3.1.1 where it knows
//! bridges.

use std::cell::RefCell;
use std::rc::Rc;

use crate::mqtt::client::{Client, Half};

/// What the target leaves for the source: it opens the connection, whose session has what both want.
#[derive(Clone, Default)]
pub(crate) struct Joint(Rc<RefCell<Option<Half>>>);

impl Joint {
    /// The half that publishes.
    pub(super) fn open(&self, client: Client) -> Half {
        let [receives, publishes] = Half::both(client);
        self.0.replace(Some(receives));
        publishes
    }

    /// The half that receives, once the target is open.
    pub(super) fn take(&self) -> Option<Half> {
        self.0.take()
    }
}
