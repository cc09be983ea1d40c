//! What becomes of delivered messages: acknowledged, put back, or rejected (AMQP 0-9-1 §1.8.3.13, §1.8.3.14).

use amq_protocol::protocol::{AMQPClass, basic};

use super::super::frame::Refusal;
use super::channel::{Operation, Outcome, Unsettled};
use super::core::Core;
use super::dead_letter::Reason;
use crate::server::Key;

impl Core {
    /// Settles deliveries, or notes it for tx.commit.
    pub(super) fn settle(
        &mut self,
        id: Key,
        number: u16,
        tag: u64,
        multiple: bool,
        outcome: Outcome,
    ) -> Result<(), Refusal> {
        let channel = self.channel(id, number)?;
        match &mut channel.transaction {
            Some(transaction) => {
                transaction.push(Operation::Settle {
                    tag,
                    multiple,
                    outcome,
                });
                Ok(())
            }
            None => self.settle_now(id, number, tag, multiple, outcome),
        }
    }

    pub(super) fn settle_now(
        &mut self,
        id: Key,
        number: u16,
        tag: u64,
        multiple: bool,
        outcome: Outcome,
    ) -> Result<(), Refusal> {
        let channel = self.channel(id, number)?;
        let settled = channel.deliveries.settle(tag, multiple)?;
        let shared = channel.channel_prefetch > 0;
        self.work += settled.len();
        let mut queues: Vec<Key> = Vec::new();
        for unsettled in &settled {
            self.credit(unsettled);
            if queues.last() != Some(&unsettled.queue) {
                queues.push(unsettled.queue);
            }
        }
        match outcome {
            Outcome::Ack => drop(settled),
            Outcome::Requeue => return self.requeue(settled, shared.then_some(id)),
            Outcome::Reject => {
                for unsettled in settled {
                    self.discard(unsettled.queue, unsettled.queued, Reason::Rejected);
                }
            }
        }
        if shared {
            // The room is for every consumer of the channel.
            self.feed_consumers(id);
        }
        for queue in queues {
            self.pump(queue);
        }
        Ok(())
    }

    fn requeue(&mut self, settled: Vec<Unsettled>, shared: Option<Key>) -> Result<(), Refusal> {
        self.return_to_queues(settled);
        if let Some(id) = shared {
            self.feed_consumers(id);
        }
        Ok(())
    }

    /// A consumer has room for one more.
    fn credit(&mut self, unsettled: &Unsettled) {
        if let Some(consumer) = unsettled
            .consumer
            .and_then(|key| self.consumers.get_mut(key))
        {
            consumer.unsettled = consumer.unsettled.saturating_sub(1);
        }
    }

    /// Puts back what a channel that ends has not settled.
    pub(super) fn put_back(&mut self, unsettled: Vec<Unsettled>) {
        for unsettled in &unsettled {
            self.credit(unsettled);
        }
        self.return_to_queues(unsettled);
    }

    /// Puts messages back where they were, all of them before any is delivered again, lest they change places.
    fn return_to_queues(&mut self, unsettled: Vec<Unsettled>) {
        self.work += unsettled.len();
        let mut queues: Vec<Key> = Vec::new();
        let mut back = Vec::with_capacity(unsettled.len());
        for Unsettled {
            queue: key,
            mut queued,
            ..
        } in unsettled
        {
            let Some(queue) = self.queues.get_mut(key) else {
                continue;
            };
            queued.redelivered = true;
            queued.returns += 1;
            queues.push(key);
            if queue
                .settings
                .deliveries
                .is_some_and(|limit| queued.returns > limit)
            {
                self.discard(key, queued, Reason::DeliveryLimit);
            } else if queue.settings.quorum {
                queue.put_back(queued);
            } else {
                back.push((key, queued));
            }
        }
        // The last first, so that each finds its place near the front: elsewhere all behind it would have to move.
        for (key, queued) in back.into_iter().rev() {
            if let Some(queue) = self.queues.get_mut(key) {
                queue.put_back(queued);
            }
        }
        queues.sort_unstable();
        queues.dedup();
        for queue in queues {
            self.pump(queue);
            self.trim(queue);
        }
    }

    /// basic.recover: all that is not settled goes back (§1.8.3.16).
    pub(super) fn recover(
        &mut self,
        id: Key,
        number: u16,
        requeue: bool,
        answered: bool,
    ) -> Result<(), Refusal> {
        if !requeue {
            return Err(Refusal::not_implemented("requeue=false"));
        }
        let unsettled = self.channel(id, number)?.deliveries.take_all();
        if answered {
            let done = basic::AMQPMethod::RecoverOk(basic::RecoverOk {});
            self.send(id, number, AMQPClass::Basic(done));
        }
        self.put_back(unsettled);
        Ok(())
    }
}
