//! Consumers and deliveries (AMQP 0-9-1 §1.8.3): who gets the next message of a queue.

use std::collections::BTreeSet;
use std::rc::Rc;

use amq_protocol::protocol::{AMQPClass, basic};
use amq_protocol::types::FieldTable;
use bytes::BytesMut;

use super::super::frame::{Refusal, short};
use super::channel::{Channel, Consumer, Unsettled};
use super::connection::Phase;
use super::core::{Core, HIGH_WATER};
use super::events::Event;
use super::exchanges::check_room;
use super::faults::Action;
use super::matching::whole;
use super::message::{Held, Message, Properties};
use super::queue::Queued;
use super::queues::{REPLIES, count};
use super::settings::kind;
use super::wire::{self, Content, Head};
use crate::server::Key;

/// What a consumer takes beyond its name, in bytes.
const CONSUMER: usize = 2 * size_of::<Consumer>();

impl Core {
    pub(super) fn qos(&mut self, id: Key, number: u16, qos: &basic::Qos) -> Result<(), Refusal> {
        let channel = self.channel(id, number)?;
        // As RabbitMQ reads it: global is the channel, otherwise each consumer to come.
        match qos.global {
            true => channel.channel_prefetch = qos.prefetch_count,
            false => channel.prefetch = qos.prefetch_count,
        }
        self.send(
            id,
            number,
            AMQPClass::Basic(basic::AMQPMethod::QosOk(basic::QosOk {})),
        );
        self.feed_consumers(id);
        Ok(())
    }

    pub(super) fn consume(
        &mut self,
        id: Key,
        number: u16,
        asked: &basic::Consume,
    ) -> Result<(), Refusal> {
        let tag: Rc<str> = match asked.consumer_tag.as_str() {
            "" => self.name("amq.ctag-"),
            tag => tag.into(),
        };
        if self.channel(id, number)?.consumers.contains_key(&tag) {
            return Err(Refusal::not_allowed(format!(
                "attempt to reuse consumer tag '{tag}'"
            )));
        }
        let queue = match asked.queue.as_str() {
            REPLIES => {
                self.await_replies(id, number, asked.no_ack)?;
                None
            }
            name => Some(self.queue_for(id, number, name)?),
        };
        if let Some(queue) = queue {
            self.check_consumer(id, number, queue, asked.exclusive)?;
        }
        let priority = self.priority(id, queue, &asked.arguments)?;
        check_room(&self.memory, self.options.max_memory)?;
        let charge = self.memory.charge(Held::Definition, CONSUMER + tag.len());
        let channel = self.channel(id, number)?;
        let consumer = Consumer {
            connection: id,
            channel: number,
            tag: Rc::clone(&tag),
            queue,
            no_ack: asked.no_ack,
            priority,
            prefetch: channel.prefetch,
            unsettled: 0,
            _charge: charge,
        };
        self.employ(id, number, consumer, asked.exclusive);
        if !asked.nowait {
            let done = basic::ConsumeOk {
                consumer_tag: short(&tag),
            };
            self.send(
                id,
                number,
                AMQPClass::Basic(basic::AMQPMethod::ConsumeOk(done)),
            );
        }
        if let Some(queue) = queue {
            self.tell_consuming(id, queue);
            self.pump(queue);
        }
        Ok(())
    }

    fn tell_consuming(&mut self, id: Key, queue: Key) {
        if let (Some(connection), Some(queue)) = (self.connections.get(id), self.queues.get(queue))
        {
            let (peer, queue) = (connection.peer.clone(), queue.name.as_ref().to_owned());
            self.events.push(Event::Consuming { peer, queue });
        }
    }

    /// From now on the channel gets direct replies.
    fn await_replies(&mut self, id: Key, number: u16, no_ack: bool) -> Result<(), Refusal> {
        if !no_ack {
            return Err(Refusal::precondition("reply consumer cannot acknowledge"));
        }
        let key = self.name(&format!("{REPLIES}."));
        let channel = self.channel(id, number)?;
        if channel.replies.is_some() {
            return Err(Refusal::precondition("reply consumer already set"));
        }
        channel.replies = Some(key);
        Ok(())
    }

    /// Whether a queue takes one more consumer of this kind.
    fn check_consumer(
        &mut self,
        id: Key,
        number: u16,
        queue: Key,
        exclusive: bool,
    ) -> Result<(), Refusal> {
        let shared = self.channel(id, number)?.channel_prefetch > 0;
        let Some(queue) = self.queues.get(queue) else {
            return Ok(());
        };
        let place = format!("queue '{}' {}", queue.name, self.place(id));
        if queue.settings.quorum && shared {
            let text = format!("{place} does not support global qos");
            return Err(Refusal::not_implemented(text));
        }
        let taken = queue.taken_by.is_some();
        let wanted = !queue.consumers.is_empty() || queue.settings.single_active;
        if taken || (exclusive && wanted) {
            return Err(Refusal::access(format!("{place} in exclusive use")));
        }
        Ok(())
    }

    /// `x-priority`, 0 where it is not said.
    fn priority(
        &self,
        id: Key,
        queue: Option<Key>,
        arguments: &FieldTable,
    ) -> Result<i64, Refusal> {
        let Some(value) = arguments.inner().get("x-priority") else {
            return Ok(0);
        };
        whole(value).ok_or_else(|| {
            let name = queue.and_then(|queue| self.queues.get(queue));
            let name = name.map_or(REPLIES, |queue| &queue.name);
            let (place, kind) = (self.place(id), kind(value));
            Refusal::precondition(format!(
                "invalid arg 'x-priority' for queue '{name}' {place}: \"expected integer, got {kind}\""
            ))
        })
    }

    /// Enters a consumer at its channel and its queue.
    fn employ(&mut self, id: Key, number: u16, consumer: Consumer, exclusive: bool) {
        let (queue, tag, priority) = (consumer.queue, Rc::clone(&consumer.tag), consumer.priority);
        let key = self.consumers.insert(consumer);
        let mut replies = None;
        if let Ok(channel) = self.channel(id, number) {
            channel.consumers.insert(tag, key);
            replies = channel.replies.clone().filter(|_| queue.is_none());
        }
        if let Some(replies) = replies {
            self.replies.insert(replies, key);
        }
        let Some(queue) = queue.and_then(|queue| self.queues.get_mut(queue)) else {
            return;
        };
        let consumers = &self.consumers;
        let behind = |other: &Key| {
            consumers
                .get(*other)
                .is_some_and(|other| other.priority >= priority)
        };
        // The active one of a queue with a single active consumer stays in front.
        let at = match queue.settings.single_active {
            true => queue.consumers.len(),
            false => queue.consumers.partition_point(behind),
        };
        queue.consumers.insert(at, key);
        if exclusive {
            queue.taken_by = Some(key);
        }
    }

    pub(super) fn cancel(
        &mut self,
        id: Key,
        number: u16,
        asked: &basic::Cancel,
    ) -> Result<(), Refusal> {
        let tag = asked.consumer_tag.as_str();
        let channel = self.channel(id, number)?;
        let known = channel.consumers.remove(tag);
        let queue = known.and_then(|key| {
            let replies = self
                .consumers
                .get(key)
                .is_some_and(|consumer| consumer.queue.is_none());
            if replies
                && let Some(key) = self
                    .channel(id, number)
                    .ok()
                    .and_then(|channel| channel.replies.take())
            {
                self.replies.remove(&key);
            }
            self.dismiss(std::iter::once(key)).pop_first()
        });
        if !asked.nowait {
            let done = basic::CancelOk {
                consumer_tag: asked.consumer_tag.clone(),
            };
            self.send(
                id,
                number,
                AMQPClass::Basic(basic::AMQPMethod::CancelOk(done)),
            );
        }
        if let Some(queue) = queue {
            self.delete_if_abandoned(queue);
            // The next in line of a single active consumer takes over.
            self.pump(queue);
        }
        Ok(())
    }

    /// Takes consumers off their queues; which queues those were.
    pub(super) fn dismiss(&mut self, gone: impl Iterator<Item = Key>) -> BTreeSet<Key> {
        let gone = gone.filter_map(|key| self.consumers.remove(key)?.queue);
        let queues: BTreeSet<Key> = gone.collect();
        for key in &queues {
            let Some(queue) = self.queues.get_mut(*key) else {
                continue;
            };
            let there = |consumer: &Key| self.consumers.get(*consumer).is_some();
            self.work += queue.consumers.len() / 16;
            queue.consumers.retain(there);
            queue.taken_by = queue.taken_by.filter(there);
            queue.last_used = self.now;
            self.remind_of(*key);
        }
        queues
    }

    pub(super) fn get(&mut self, id: Key, number: u16, asked: &basic::Get) -> Result<(), Refusal> {
        let key = self.queue_for(id, number, asked.queue.as_str())?;
        self.expire(key);
        let now = self.now;
        let Some(queue) = self.queues.get_mut(key) else {
            return Ok(());
        };
        queue.last_used = now;
        let quorum = queue.settings.quorum;
        let (queued, left) = (queue.pop(), count(queue.len()));
        self.remind_of(key);
        let Some(queued) = queued else {
            self.send(
                id,
                number,
                AMQPClass::Basic(basic::AMQPMethod::GetEmpty(basic::GetEmpty {})),
            );
            return Ok(());
        };
        self.counts.delivered += 1;
        let tag = self.channel(id, number)?.deliveries.next_tag();
        let head = Head::GetOk {
            tag,
            redelivered: queued.redelivered,
            left,
        };
        let counted = quorum.then(|| queued.message.counted(queued.returns));
        if let Some(connection) = self.connections.get_mut(id) {
            wire::put_content(
                &mut connection.out,
                number,
                head,
                Content::with(&queued.message, counted.as_ref()),
                connection.frame_max,
            );
            self.announce(id);
        }
        if !asked.no_ack {
            let unsettled = Unsettled {
                queue: key,
                consumer: None,
                queued,
            };
            self.channel(id, number)?.deliveries.push(tag, unsettled);
        }
        Ok(())
    }

    /// Delivers from a queue as long as somebody takes.
    pub(super) fn pump(&mut self, key: Key) {
        loop {
            match self.queues.get(key) {
                Some(queue) if !queue.is_empty() && !queue.consumers.is_empty() => {}
                _ => return,
            }
            self.work += 1;
            if !self.expire_older(key) {
                return;
            }
            let Some(at) = self.chosen(key) else {
                return;
            };
            let Some(queue) = self.queues.get_mut(key) else {
                return;
            };
            let Some(queued) = queue.pop() else {
                return;
            };
            let consumer = queue.consumers[at];
            self.rotate(key, at);
            self.deliver(key, consumer, queued);
        }
    }

    /// The place of the consumer whose turn it is; `None`: nobody has room.
    pub(super) fn chosen(&mut self, key: Key) -> Option<usize> {
        let queue = self.queues.get(key)?;
        let eligible = match queue.settings.single_active {
            true => 1,
            false => queue.consumers.len(),
        };
        let mut starved = Vec::new();
        let mut found = None;
        self.work += queue.consumers.len() / 64;
        for (at, consumer) in queue.consumers.iter().take(eligible).enumerate() {
            let Some(consumer) = self.consumers.get(*consumer) else {
                continue;
            };
            let Some(connection) = self.connections.get(consumer.connection) else {
                continue;
            };
            let willing = connection.phase == Phase::Open
                && consumer.has_room()
                && connection
                    .channels
                    .get(&consumer.channel)
                    .is_some_and(Channel::has_room);
            if willing && connection.out.len() < HIGH_WATER {
                found = Some(at);
                break;
            }
            if willing {
                starved.push(consumer.connection);
            }
        }
        for id in starved {
            if let Some(connection) = self.connections.get_mut(id) {
                connection.starved = true;
            }
        }
        found
    }

    /// Sends a consumer behind the others of its priority.
    fn rotate(&mut self, key: Key, at: usize) {
        let Some(queue) = self.queues.get_mut(key) else {
            return;
        };
        if queue.consumers.len() < 2 || queue.settings.single_active {
            return;
        }
        let consumers = &self.consumers;
        let priority = |key: &Key| consumers.get(*key).map(|consumer| consumer.priority);
        let own = priority(&queue.consumers[at]);
        let same = queue.consumers[at..]
            .iter()
            .take_while(|other| priority(other) == own)
            .count();
        queue.consumers[at..at + same].rotate_left(1);
    }

    /// What a quorum queue says of a message that it delivers again; otherwise it goes out as it came.
    fn counted(&self, key: Key, queued: &Queued) -> Option<Properties> {
        let queue = self.queues.get(key).filter(|_| queued.returns > 0)?;
        let quorum = queue.settings.quorum;
        quorum.then(|| queued.message.counted(queued.returns))
    }

    fn deliver(&mut self, key: Key, consumer_key: Key, queued: Queued) {
        let counted = self.counted(key, &queued);
        let Some(consumer) = self.consumers.get_mut(consumer_key) else {
            return;
        };
        let (id, number) = (consumer.connection, consumer.channel);
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let Some(channel) = connection.channels.get_mut(&number) else {
            return;
        };
        let tag = channel.deliveries.next_tag();
        self.counts.delivered += 1;
        let head = Head::Deliver {
            consumer: &consumer.tag,
            tag,
            redelivered: queued.redelivered,
        };
        let content = Content::with(&queued.message, counted.as_ref());
        if self.faults.is_empty() {
            wire::put_content(
                &mut connection.out,
                number,
                head,
                content,
                connection.frame_max,
            );
        } else {
            let place = self.queues.get(key).map_or("", |queue| &queue.name);
            let of = |action: Action| action.is_of_delivering().then_some(action);
            let fault = self.faults.trigger(place, of);
            let late = spoil(
                &mut connection.out,
                fault,
                number,
                head,
                content,
                connection.frame_max,
            );
            if let Some((by, bytes)) = late {
                self.timers.delay(self.now + by, (id, bytes));
            }
        }
        if !consumer.no_ack {
            consumer.unsettled += 1;
            let consumer = Some(consumer_key);
            channel.deliveries.push(
                tag,
                Unsettled {
                    queue: key,
                    consumer,
                    queued,
                },
            );
        }
        self.announce(id);
    }

    /// Hands a direct reply to whoever waits for it; false: nobody does.
    pub(super) fn reply(&mut self, message: &Message) -> bool {
        let Some(key) = self.replies.get(&message.routing_key) else {
            return false;
        };
        let Some(consumer) = self.consumers.get(*key) else {
            return false;
        };
        let (id, number) = (consumer.connection, consumer.channel);
        let Some(connection) = self.connections.get_mut(id) else {
            return false;
        };
        let Some(channel) = connection.channels.get_mut(&number) else {
            return false;
        };
        let head = Head::Deliver {
            consumer: &consumer.tag,
            tag: channel.deliveries.next_tag(),
            redelivered: false,
        };
        wire::put_content(
            &mut connection.out,
            number,
            head,
            Content::of(message),
            connection.frame_max,
        );
        self.counts.delivered += 1;
        self.announce(id);
        true
    }

    /// Delivers from all queues that a connection consumes from: it has room again.
    pub(super) fn feed_consumers(&mut self, id: Key) {
        let Some(connection) = self.connections.get(id) else {
            return;
        };
        let keys = connection
            .channels
            .values()
            .flat_map(|channel| channel.consumers.values());
        let mut queues: Vec<Key> = keys
            .filter_map(|key| self.consumers.get(*key)?.queue)
            .collect();
        queues.sort_unstable();
        queues.dedup();
        for queue in queues {
            self.pump(queue);
        }
    }
}

/// Writes a delivery with what a fault does to it; what is to come late is handed back.
fn spoil(
    out: &mut BytesMut,
    fault: Option<Action>,
    number: u16,
    head: Head<'_>,
    content: Content<'_>,
    largest: usize,
) -> Option<(std::time::Duration, BytesMut)> {
    let wrong = |head| match head {
        Head::Deliver {
            consumer,
            tag,
            redelivered,
        } => Head::Deliver {
            consumer,
            tag: tag + 1_000_000,
            redelivered,
        },
        other => other,
    };
    match fault {
        Some(Action::DropDeliver) => {}
        Some(Action::DelayDeliver(by)) => {
            let mut late = BytesMut::new();
            wire::put_content(&mut late, number, head, content, largest);
            return Some((by, late));
        }
        Some(Action::DuplicateDeliver) => {
            wire::put_content(out, number, head, content, largest);
            wire::put_content(out, number, head, content, largest);
        }
        Some(Action::WrongTag) => wire::put_content(out, number, wrong(head), content, largest),
        _ => wire::put_content(out, number, head, content, largest),
    }
    None
}
