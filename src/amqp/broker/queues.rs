//! The methods of queues (AMQP 0-9-1 §1.7), and how queues come and go.

use std::rc::Rc;

use amq_protocol::protocol::basic;
use amq_protocol::protocol::{AMQPClass, queue};

use super::super::frame::{Refusal, short};
use super::chores::Chore;
use super::core::{Core, Reminder};
use super::events::Event;
use super::exchange::{Binding, Destination};
use super::exchanges::check_room;
use super::queue::Queue;
use super::settings::Settings;
use crate::server::Key;

/// How the routing keys of direct replies begin, and the queue that stands for them (RabbitMQ's direct reply-to).
pub(super) const REPLIES: &str = "amq.rabbitmq.reply-to";

impl Core {
    /// The name that a client means: an empty one is the queue that it declared last on the channel (§1.7.2.1).
    ///
    /// # Errors
    /// 404: it declared none.
    pub(super) fn queue_name(
        &mut self,
        id: Key,
        number: u16,
        name: &str,
    ) -> Result<Rc<str>, Refusal> {
        if !name.is_empty() {
            return Ok(name.into());
        }
        let last = self.channel(id, number)?.last_queue.clone();
        last.ok_or_else(|| Refusal::not_found("no previously declared queue"))
    }

    pub(super) fn vhost_of(&self, id: Key) -> usize {
        self.connections
            .get(id)
            .map_or(0, |connection| connection.vhost)
    }

    /// ` in vhost '/'`
    pub(super) fn place(&self, id: Key) -> String {
        let vhost = self
            .vhosts
            .get(self.vhost_of(id))
            .map_or("", |vhost| &vhost.name);
        format!("in vhost '{vhost}'")
    }

    /// A queue that this connection may use.
    ///
    /// # Errors
    /// 404: there is none of this name; 405: it belongs to another connection.
    pub(super) fn queue_for(&mut self, id: Key, number: u16, name: &str) -> Result<Key, Refusal> {
        let key = self.queue_of(id, number, name)?;
        self.check_owner(id, key).map(|()| key)
    }

    fn check_owner(&self, id: Key, key: Key) -> Result<(), Refusal> {
        match self.queues.get(key) {
            Some(queue) if queue.owner.is_some_and(|owner| owner != id) => {
                Err(locked(&queue.name, &self.place(id)))
            }
            _ => Ok(()),
        }
    }

    /// A queue, whoever it belongs to.
    ///
    /// # Errors
    /// 404: there is none of this name.
    fn queue_of(&mut self, id: Key, number: u16, name: &str) -> Result<Key, Refusal> {
        let name = self.queue_name(id, number, name)?;
        let found = self
            .vhosts
            .get(self.vhost_of(id))
            .and_then(|vhost| vhost.queues.get(&name).copied());
        found.ok_or_else(|| Refusal::not_found(format!("no queue '{name}' {}", self.place(id))))
    }

    pub(super) fn declare_queue(
        &mut self,
        id: Key,
        number: u16,
        asked: &queue::Declare,
    ) -> Result<queue::AMQPMethod, Refusal> {
        let name = asked.queue.as_str();
        if name.starts_with(REPLIES) {
            return self.declare_replies(id, name);
        }
        if !asked.passive && name.starts_with("amq.") {
            return Err(Refusal::access(format!(
                "queue name '{name}' contains reserved prefix 'amq.*'"
            )));
        }
        let exists = |core: &Self, name: &str| {
            core.vhosts
                .get(core.vhost_of(id))
                .is_some_and(|vhost| vhost.queues.contains_key(name))
        };
        let key = if asked.passive || (!name.is_empty() && exists(self, name)) {
            let key = self.queue_for(id, number, name)?;
            if !asked.passive {
                self.check_same(id, key, asked)?;
            }
            key
        } else {
            self.create_queue(id, asked)?
        };
        let now = self.now;
        let Some(queue) = self.queues.get_mut(key) else {
            return Err(Refusal::not_found("the queue is gone"));
        };
        queue.last_used = now;
        let (name, messages, consumers) =
            (Rc::clone(&queue.name), queue.len(), queue.consumers.len());
        self.remind_of(key);
        self.channel(id, number)?.last_queue = Some(Rc::clone(&name));
        Ok(declared(&name, messages, consumers))
    }

    /// Whether somebody waits for direct replies under this name; of their own queue RabbitMQ says that somebody always does.
    fn declare_replies(&self, id: Key, name: &str) -> Result<queue::AMQPMethod, Refusal> {
        if name == REPLIES || self.replies.contains_key(name) {
            return Ok(declared(name, 0, 1));
        }
        Err(Refusal::not_found(format!(
            "no queue '{name}' {}",
            self.place(id)
        )))
    }

    /// A queue that is there is declared again: it must be the same (§1.7.2.1).
    fn check_same(&self, id: Key, key: Key, asked: &queue::Declare) -> Result<(), Refusal> {
        let Some(queue) = self.queues.get(key) else {
            return Ok(());
        };
        let place = self.place(id);
        let name = &queue.name;
        let differs = |what: &str, received: &str, current: &str| {
            Refusal::precondition(format!(
                "inequivalent arg '{what}' for queue '{name}' {place}: received {received} but current is {current}"
            ))
        };
        if asked.exclusive != queue.owner.is_some() {
            return Err(locked(name, &place));
        }
        let flags = [
            ("durable", asked.durable, queue.durable),
            ("auto_delete", asked.auto_delete, queue.auto_delete),
        ];
        for (what, received, current) in flags {
            if received != current {
                return Err(differs(
                    what,
                    &format!("'{received}'"),
                    &format!("'{current}'"),
                ));
            }
        }
        match queue.settings.difference(&asked.arguments) {
            Some((what, received, current)) => Err(differs(what, &received, &current)),
            None => Ok(()),
        }
    }

    fn create_queue(&mut self, id: Key, asked: &queue::Declare) -> Result<Key, Refusal> {
        let name = asked.queue.as_str();
        let name: Rc<str> = match name {
            "" => self.name("amq.gen-"),
            name => name.into(),
        };
        let place = format!("queue '{name}' {}", self.place(id));
        let settings = Settings::read(&asked.arguments, &place)?;
        let odd = [
            ("non-durable", !asked.durable),
            ("exclusive-owner", asked.exclusive),
            ("auto-delete", asked.auto_delete),
        ];
        if let Some((what, _)) = odd.iter().find(|(_, odd)| settings.quorum && *odd) {
            let why = format!("invalid property '{what}' for {place}");
            return Err(Refusal::precondition(why));
        }
        let vhost = self.vhost_of(id);
        check_room(&self.memory, self.options.max_memory)?;
        let mut queue = Queue::new(Rc::clone(&name), vhost, settings, self.now, &self.memory);
        queue.durable = asked.durable;
        queue.auto_delete = asked.auto_delete;
        queue.owner = asked.exclusive.then_some(id);
        let key = self.queues.insert(queue);
        if asked.exclusive
            && let Some(connection) = self.connections.get_mut(id)
        {
            connection.exclusive.insert(key);
        }
        if let Some(vhost) = self.vhosts.get_mut(vhost) {
            vhost.queues.insert(Rc::clone(&name), key);
        }
        self.events.push(Event::Declared {
            queue: name.as_ref().to_owned(),
        });
        Ok(key)
    }

    pub(super) fn purge_queue(
        &mut self,
        id: Key,
        number: u16,
        asked: &queue::Purge,
    ) -> Result<queue::AMQPMethod, Refusal> {
        let key = self.queue_for(id, number, asked.queue.as_str())?;
        let mut gone = 0;
        if let Some(queue) = self.queues.get_mut(key) {
            gone = queue.len();
            let lines = queue.take_all();
            self.do_later(Chore::Forget(lines));
        }
        Ok(queue::AMQPMethod::PurgeOk(queue::PurgeOk {
            message_count: count(gone),
        }))
    }

    /// The answer, and the queue that is to be deleted after it.
    pub(super) fn delete_queue_asked(
        &mut self,
        id: Key,
        number: u16,
        asked: &queue::Delete,
    ) -> Result<(queue::AMQPMethod, Option<Key>), Refusal> {
        let (key, gone) = match self.queue_for(id, number, asked.queue.as_str()) {
            // To delete what is not there is no error, as in RabbitMQ.
            Err(refusal) if refusal.code == 404 => (None, 0),
            Err(refusal) => return Err(refusal),
            Ok(key) => {
                let place = self.place(id);
                let Some(queue) = self.queues.get(key) else {
                    return Err(Refusal::not_found("the queue is gone"));
                };
                let name = &queue.name;
                let conditions = [("if-unused", asked.if_unused), ("if-empty", asked.if_empty)];
                if queue.settings.quorum
                    && let Some((flag, _)) = conditions.iter().find(|(_, set)| *set)
                {
                    return Err(Refusal::not_implemented(format!(
                        "cannot delete queue '{name}' {place}. queue.delete operations with {flag} flag set are not supported by quorum queues"
                    )));
                }
                if asked.if_unused && !queue.consumers.is_empty() {
                    return Err(Refusal::precondition(format!(
                        "queue '{name}' {place} in use"
                    )));
                }
                if asked.if_empty && !queue.is_empty() {
                    return Err(Refusal::precondition(format!(
                        "queue '{name}' {place} not empty"
                    )));
                }
                (Some(key), queue.len())
            }
        };
        let answer = queue::DeleteOk {
            message_count: count(gone),
        };
        Ok((queue::AMQPMethod::DeleteOk(answer), key))
    }

    /// Takes a queue away with its messages and bindings; its consumers are told.
    pub(super) fn delete_queue(&mut self, key: Key) {
        let Some(mut queue) = self.queues.remove(key) else {
            return;
        };
        self.work += 1 + queue.consumers.len();
        self.do_later(Chore::Forget(queue.take_all()));
        if let Some(connection) = queue.owner.and_then(|id| self.connections.get_mut(id)) {
            connection.exclusive.remove(&key);
        }
        for consumer in &queue.consumers {
            self.cancel_for(*consumer);
        }
        if let Some(vhost) = self.vhosts.get_mut(queue.vhost) {
            vhost.queues.remove(&queue.name);
        }
        self.unbind_all(queue.vhost, &Destination::Queue(key));
    }

    /// Tells a consumer that its queue is gone (RabbitMQ's consumer cancel notify), and forgets it.
    fn cancel_for(&mut self, consumer: Key) {
        let Some(consumer) = self.consumers.remove(consumer) else {
            return;
        };
        let Some(connection) = self.connections.get_mut(consumer.connection) else {
            return;
        };
        if let Some(channel) = connection.channels.get_mut(&consumer.channel) {
            channel.consumers.remove(&consumer.tag);
        }
        if connection.capabilities.cancel_notify {
            let cancel = basic::Cancel {
                consumer_tag: short(&consumer.tag),
                nowait: true,
            };
            let cancel = AMQPClass::Basic(basic::AMQPMethod::Cancel(cancel));
            self.send(consumer.connection, consumer.channel, cancel);
        }
    }

    /// Takes a queue away that was to go with its last consumer.
    pub(super) fn delete_if_abandoned(&mut self, key: Key) {
        let abandoned = |queue: &Queue| queue.auto_delete && queue.consumers.is_empty();
        if self.queues.get(key).is_some_and(abandoned) {
            self.delete_queue(key);
        }
    }

    /// Discards what has expired, the queue itself perhaps.
    pub(super) fn check_queue(&mut self, key: Key) {
        let now = self.now;
        let Some(queue) = self.queues.get_mut(key) else {
            return;
        };
        queue.next_check = queue.next_check.filter(|at| *at > now);
        if queue.end().is_some_and(|at| at <= now) {
            return self.delete_queue(key);
        }
        self.expire(key);
        self.remind_of(key);
    }

    /// Sees to it that somebody looks when the next message expires, or the queue does.
    pub(super) fn remind_of(&mut self, key: Key) {
        let Some(queue) = self.queues.get_mut(key) else {
            return;
        };
        let Some(at) = queue.next_expiry() else {
            return;
        };
        if queue.next_check.is_none_or(|known| at < known) {
            queue.next_check = Some(at);
            self.timers.remind(at, Reminder::Queue(key));
        }
    }

    pub(super) fn bind_queue(
        &mut self,
        id: Key,
        number: u16,
        asked: &queue::Bind,
    ) -> Result<queue::AMQPMethod, Refusal> {
        let kind = self.exchange_for(id, asked.exchange.as_str())?.kind;
        let key = self.queue_for(id, number, asked.queue.as_str())?;
        let routing_key =
            self.binding_key(id, number, asked.queue.as_str(), asked.routing_key.as_str())?;
        kind.check_binding(&asked.arguments)?;
        let binding = Binding {
            destination: Destination::Queue(key),
            arguments: asked.arguments.clone(),
        };
        self.bind(id, asked.exchange.as_str(), &routing_key, binding)?;
        Ok(queue::AMQPMethod::BindOk(queue::BindOk {}))
    }

    pub(super) fn unbind_queue(
        &mut self,
        id: Key,
        number: u16,
        asked: &queue::Unbind,
    ) -> Result<queue::AMQPMethod, Refusal> {
        let (name, key) = (asked.queue.as_str(), asked.routing_key.as_str());
        match self.queue_of(id, number, name) {
            // To take away what is not there is no error, as in RabbitMQ, whoever the queue belongs to.
            Err(refusal) if refusal.code == 404 => {}
            found => {
                let queue = found?;
                let routing_key = self.binding_key(id, number, name, key)?;
                let binding = Binding {
                    destination: Destination::Queue(queue),
                    arguments: asked.arguments.clone(),
                };
                let exchange = asked.exchange.as_str();
                let vhost = self.vhosts.get(self.vhost_of(id));
                if vhost.is_some_and(|it| it.is_bound(exchange, &routing_key, &binding)) {
                    self.check_owner(id, queue)?;
                }
                self.unbind(id, exchange, &routing_key, &binding)?;
            }
        }
        Ok(queue::AMQPMethod::UnbindOk(queue::UnbindOk {}))
    }

    /// With neither queue nor key named, the key is the name of the last queue (§1.7.2.3).
    fn binding_key(
        &mut self,
        id: Key,
        number: u16,
        queue: &str,
        key: &str,
    ) -> Result<Rc<str>, Refusal> {
        match (queue, key) {
            ("", "") => self.queue_name(id, number, ""),
            _ => Ok(key.into()),
        }
    }
}

fn locked(name: &str, place: &str) -> Refusal {
    Refusal::locked(format!(
        "cannot obtain exclusive access to locked queue '{name}' {place}. It could be originally declared on another \
         connection or the exclusive property value does not match that of the original declaration."
    ))
}

fn declared(name: &str, messages: usize, consumers: usize) -> queue::AMQPMethod {
    queue::AMQPMethod::DeclareOk(queue::DeclareOk {
        queue: short(name),
        message_count: count(messages),
        consumer_count: count(consumers),
    })
}

pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
