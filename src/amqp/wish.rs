//! What is wanted of a connection over AMQP 1.0, which is made for one purpose.

use super::address::Address;

/// What to send to, and how.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    /// Where everything goes, whatever exchange and key say (`--address`).
    pub address: Option<Address>,
    /// What is attached to at once, so that an unknown address is refused before anything is sent.
    pub first: Vec<Address>,
    /// The server says what became of each message.
    pub confirms: bool,
    /// How many may be under way.
    pub window: usize,
}

/// What to receive from, and how.
#[derive(Clone, Debug)]
pub(crate) struct Receiving {
    /// From where.
    pub address: Address,
    /// Deliveries that the server may send ahead of their settlement; at least 1.
    pub ahead: u16,
    /// The server counts a message as done when it has sent it, where it can.
    pub settled: bool,
}

/// What becomes of a received message (AMQP 1.0 part 3 §3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It is done with.
    Accepted,
    /// It is invalid: the server drops or dead-letters it.
    Rejected,
    /// It could not be worked on, which the server counts.
    Failed,
    /// It goes back as if nothing had been.
    Released,
    /// Nothing is said of it before the end, which gives it back.
    Held,
}
