//! A client without server: the test says what arrives.

use super::*;

pub(super) struct Alone {
    pub(super) now: Instant,
    pub(super) client: Endpoint,
}

impl Alone {
    pub(super) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(super) fn with(config: Config) -> Self {
        Self {
            now: Instant::now(),
            client: Endpoint::seeded(config, 4),
        }
    }

    pub(super) fn begin(&mut self, request: Request) -> Handle {
        self.client.request(self.now, request).expect("a request")
    }

    /// What the client has sent since the last call.
    pub(super) fn sent(&mut self) -> Vec<Message> {
        let sent = std::iter::from_fn(|| self.client.poll_transmit());
        sent.map(|it| Message::decode(&it.1).expect("CoAP"))
            .collect()
    }

    /// Begins a request and takes its message.
    pub(super) fn asked(&mut self, request: Request) -> Message {
        self.begin(request);
        self.sent().pop().expect("a message")
    }

    pub(super) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    /// How the request ended, if it has.
    pub(super) fn outcome(&mut self) -> Option<Result<Reply, Failure>> {
        self.events().into_iter().find_map(|event| match event {
            Event::Reply { reply, .. } => Some(Ok(reply)),
            Event::Failed { failure, .. } => Some(Err(failure)),
            _ => None,
        })
    }

    pub(super) fn deliver(&mut self, message: &Message) {
        let bytes = message.encode().expect("encodes");
        self.raw(&bytes);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.client
            .handle_datagram(self.now, server_address(), bytes);
    }

    pub(super) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.client.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(next);
            self.client.handle_timeout(self.now);
        }
        self.now = end;
    }
}
