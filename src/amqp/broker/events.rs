//! What the broker tells whoever runs it.

/// Something worth a line in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A client was let in.
    Connected {
        /// Who it is.
        user: String,
        /// Where it comes from.
        peer: String,
        /// Its virtual host.
        vhost: String,
    },
    /// A client was not let in, or a channel or connection was closed by the broker.
    Refused {
        /// Where it comes from.
        peer: String,
        /// What it was told.
        reason: String,
    },
    /// A client left.
    Disconnected {
        /// Where it came from.
        peer: String,
        /// Whether it closed the connection as it should.
        cleanly: bool,
    },
    /// A queue was declared.
    Declared {
        /// Its name.
        queue: String,
    },
    /// A client began to consume.
    Consuming {
        /// Where it comes from.
        peer: String,
        /// The queue.
        queue: String,
    },
    /// Publishers are held back, or let go on.
    Blocked(bool),
    /// A connection could not be accepted, or its handshake failed.
    NotAccepted {
        /// Why, in one line.
        error: String,
    },
    /// The broker has stopped.
    Stopped(Counts),
}

/// What happened since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Connections that were let in.
    pub connections: u64,
    /// Messages published by clients.
    pub published: u64,
    /// Messages delivered or fetched.
    pub delivered: u64,
    /// Messages that reached no queue.
    pub unroutable: u64,
    /// Messages that left a queue without being acknowledged: expired, rejected, one too many.
    pub discarded: u64,
    /// How often each fault happened, in the order of [`super::Options::faults`].
    pub faults: Vec<u64>,
}
