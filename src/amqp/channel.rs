//! One channel: every await has its deadline, every failure its words.

use std::sync::Arc;
use std::time::SystemTime;

use lapin::options::{
    BasicAckOptions, BasicGetOptions, BasicNackOptions, BasicQosOptions, ConfirmSelectOptions,
};

use crate::connect::Target;
use crate::error::Result;

use super::client::Link;
use super::consumer::{Delivery, received};
use super::wire::short;

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

    pub(super) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// Whether a refusal has closed it.
    pub fn is_closed(&self) -> bool {
        !self.raw.status().connected()
    }

    /// Where this is connected to.
    pub fn target(&self) -> &Target {
        &self.link.target
    }

    /// Why the server takes nothing from us at the moment, if it said so.
    pub fn blocked(&self) -> Option<String> {
        self.link.blocked()
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

    pub(super) async fn confirms(&self) -> Result<()> {
        let set = self.raw.confirm_select(ConfirmSelectOptions::default());
        self.guard("to confirm messages", set).await
    }

    /// Takes one message from a queue; `None` when it has none. How many are left comes with it.
    ///
    /// # Errors
    /// [`crate::error::Kind::Refused`] when there is no such queue.
    pub async fn get(&self, queue: &str) -> Result<Option<(Delivery, u32)>> {
        let name = short("queue name", queue)?;
        let got = self.raw.basic_get(name, BasicGetOptions::default());
        let what = format!("to get from the queue {queue:?}");
        let got = self.guard(&what, got).await?;
        Ok(got.map(|got| (received(got.delivery, SystemTime::now()), got.message_count)))
    }

    /// Acknowledges the delivery, and with `multiple` all before it too.
    ///
    /// # Errors
    /// A lost connection, silence.
    pub async fn ack(&self, tag: u64, multiple: bool) -> Result<()> {
        let sent = self.raw.basic_ack(tag, BasicAckOptions { multiple });
        self.guard("to acknowledge", sent).await
    }

    /// Gives the delivery back, and with `multiple` all before it too; unless it is to be requeued, the queue drops or dead-letters it.
    ///
    /// # Errors
    /// A lost connection, silence.
    pub async fn nack(&self, tag: u64, multiple: bool, requeue: bool) -> Result<()> {
        let options = BasicNackOptions { multiple, requeue };
        let sent = self.raw.basic_nack(tag, options);
        self.guard("to give a message back", sent).await
    }

    /// Refuses one delivery (AMQP 0-9-1 §1.8.3.14).
    ///
    /// # Errors
    /// A lost connection, silence.
    pub async fn reject(&self, tag: u64, requeue: bool) -> Result<()> {
        let options = lapin::options::BasicRejectOptions { requeue };
        let sent = self.raw.basic_reject(tag, options);
        self.guard("to reject a message", sent).await
    }

    /// Ends the channel; deliveries that are not acknowledged go back to their queues.
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
