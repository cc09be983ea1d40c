//! One channel: every await has its deadline, every failure its words.

use std::sync::Arc;

use lapin::options::BasicQosOptions;

use crate::error::Result;

use super::client::Link;

/// A channel of a connection. The server closes it with the first request that it refuses.
pub struct Channel {
    raw: lapin::Channel,
    link: Arc<Link>,
}

impl Channel {
    pub(super) fn new(raw: lapin::Channel, link: Arc<Link>) -> Self {
        link.keep(raw.clone());
        Self { raw, link }
    }

    pub(super) fn raw(&self) -> &lapin::Channel {
        &self.raw
    }

    /// Whether a refusal has closed it.
    pub fn is_closed(&self) -> bool {
        !self.raw.status().connected()
    }

    pub(super) async fn guard<T>(
        &self,
        what: &str,
        future: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T> {
        self.link.guard(what, future).await
    }

    /// How many deliveries the server may send ahead of their acknowledgement; 0: any number (AMQP 0-9-1 §1.8.3.1).
    ///
    /// # Errors
    /// A lost connection, silence. Whatever the server had against earlier requests of this channel comes first.
    pub async fn prefetch(&self, count: u16) -> Result<()> {
        let set = self.raw.basic_qos(count, BasicQosOptions::default());
        self.guard("to set the prefetch count", set).await
    }

    /// Ends the channel.
    ///
    /// # Errors
    /// A lost connection, silence.
    pub async fn close(self) -> Result<()> {
        let closed = self.raw.close(200, "OK".into());
        let closed = self.link.guard("to close the channel", closed).await;
        self.link.let_go(&self.raw);
        closed
    }
}
