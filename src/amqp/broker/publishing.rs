//! From basic.publish to the queues: content, routing, returns, confirms (AMQP 0-9-1 §1.8.3.7, §4.2.6).

use std::collections::HashSet;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};

use super::super::frame::{Refusal, short};
use super::channel::{Channel, Incoming, Operation};
use super::core::{Core, Reminder};
use super::exchange::{Headers, Routed, copies};
use super::faults::Action;
use super::message::{BOOKKEEPING, Held, Message, Properties};
use super::queues::REPLIES;
use super::settings::Overflow;
use super::wire::{self, Content, Head, Publish};
use crate::server::Key;

impl Core {
    pub(super) fn begin_publish(
        &mut self,
        id: Key,
        number: u16,
        publish: Publish<'_>,
    ) -> Result<(), Refusal> {
        if publish.immediate {
            return Err(Refusal::not_implemented("immediate=true"));
        }
        let charge = self.memory.charge(Held::Unfinished, BOOKKEEPING);
        if let Some(connection) = self.connections.get_mut(id) {
            connection.publishes = true;
            connection.content_at = self.now;
        }
        self.watch_content(id);
        if self.blocked {
            self.tell_blocked(id);
        }
        let channel = self.channel(id, number)?;
        let (exchange, routing_key) = channel.address(publish.exchange, publish.routing_key);
        channel.incoming = Some(Incoming {
            exchange,
            routing_key,
            mandatory: publish.mandatory,
            properties: Properties::default(),
            size: None,
            body: Vec::new(),
            charge,
        });
        Ok(())
    }

    /// A content header came (§2.3.5.2).
    pub(super) fn on_header(
        &mut self,
        id: Key,
        number: u16,
        payload: &[u8],
    ) -> Result<(), Refusal> {
        let options = &self.options;
        // Half of the memory is for messages that are whole: what takes more would stop everybody.
        let most = options.max_message_size.min(options.max_memory / 2) as u64;
        let Some(channel) = self.known_channel(id, number)? else {
            return Ok(());
        };
        let Some(incoming) = channel
            .incoming
            .as_mut()
            .filter(|incoming| incoming.size.is_none())
        else {
            return Err(Refusal::unexpected("a content header without a message"));
        };
        if !payload.starts_with(&[0, 60]) {
            return Err(Refusal::unexpected("a content header of another class"));
        }
        let [0, 60, _, _, s7, s6, s5, s4, s3, s2, s1, s0, properties @ ..] = payload else {
            return Err(Refusal::syntax("a content header that is cut short"));
        };
        let size = u64::from_be_bytes([*s7, *s6, *s5, *s4, *s3, *s2, *s1, *s0]);
        if size > most {
            channel.incoming = None;
            return Err(Refusal::precondition(format!(
                "message size {size} is larger than the limit of {most}"
            )));
        }
        incoming.properties = Properties::parse(properties)?;
        incoming.charge.grow(properties.len());
        incoming.size = Some(size);
        if size == 0 {
            self.complete(id, number)
        } else {
            Ok(())
        }
    }

    /// A part of a body came (§2.3.5.3).
    pub(super) fn on_body(&mut self, id: Key, number: u16, payload: &[u8]) -> Result<(), Refusal> {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.content_at = self.now;
        }
        let Some(channel) = self.known_channel(id, number)? else {
            return Ok(());
        };
        let Some((incoming, size)) = channel.incoming.as_mut().and_then(|incoming| {
            let size = incoming.size?;
            Some((incoming, size))
        }) else {
            return Err(Refusal::unexpected("a body without a content header"));
        };
        let before = incoming.body.capacity();
        incoming.take(payload, size);
        let length = incoming.body.len() as u64;
        if length > size {
            return Err(Refusal::unexpected("a body is longer than its header said"));
        }
        incoming.charge.grow(incoming.body.capacity() - before);
        if length == size {
            return self.complete(id, number);
        }
        Ok(())
    }

    /// The channel that content is for; `None`: it is being closed, and what comes is ignored.
    fn known_channel(&mut self, id: Key, number: u16) -> Result<Option<&mut Channel>, Refusal> {
        let connection = self.connections.get_mut(id);
        match connection.and_then(|connection| connection.channels.get_mut(&number)) {
            None => Err(Refusal::channel(format!("channel {number} is not open"))),
            Some(channel) if channel.closing => Ok(None),
            Some(channel) => Ok(Some(channel)),
        }
    }

    /// A message is whole.
    fn complete(&mut self, id: Key, number: u16) -> Result<(), Refusal> {
        let channel = self.channel(id, number)?;
        let Some(incoming) = channel.incoming.take() else {
            return Ok(());
        };
        match &mut channel.transaction {
            Some(transaction) => {
                transaction.push(Operation::Publish(incoming));
                Ok(())
            }
            None => self.publish(id, number, incoming),
        }
    }

    pub(super) fn commit(
        &mut self,
        id: Key,
        number: u16,
        operation: Operation,
    ) -> Result<(), Refusal> {
        self.work += 1;
        match operation {
            Operation::Publish(incoming) => self.publish(id, number, incoming),
            Operation::Settle {
                tag,
                multiple,
                outcome,
            } => self.settle_now(id, number, tag, multiple, outcome),
        }
    }

    fn publish(&mut self, id: Key, number: u16, incoming: Incoming) -> Result<(), Refusal> {
        let Incoming {
            exchange,
            routing_key,
            mandatory,
            properties,
            body,
            charge,
            ..
        } = incoming;
        drop(charge);
        self.check_publish(id, &exchange, &properties)?;
        let properties = self.check_reply_to(id, number, properties)?;
        let body = Bytes::from(body);
        let message = Message::new(exchange, routing_key, properties, body, &self.memory)?;
        self.counts.published += 1;
        self.count_block();
        let channel = self.channel(id, number)?;
        let tag = channel.confirms.as_mut().map(|confirms| {
            confirms.published += 1;
            confirms.published
        });
        let fault = match self.faults.is_empty() {
            true => None,
            false => {
                let of = |action: Action| action.is_of_publishing().then_some(action);
                self.faults.trigger(&message.exchange, of)
            }
        };
        let taken = fault != Some(Action::Nack) && self.route(id, number, message, mandatory)?;
        if let Some(tag) = tag {
            self.confirm(id, number, tag, taken, fault);
        }
        Ok(())
    }

    /// Whether this exchange takes messages from clients, and from this one.
    fn check_publish(&self, id: Key, name: &str, properties: &Properties) -> Result<(), Refusal> {
        let vhost = self.vhosts.get(self.vhost_of(id));
        let Some(exchange) = vhost.and_then(|vhost| vhost.exchanges.get(name)) else {
            return Err(Refusal::not_found(format!(
                "no exchange '{name}' {}",
                self.place(id)
            )));
        };
        if exchange.internal {
            let text = format!(
                "cannot publish to internal exchange '{name}' {}",
                self.place(id)
            );
            return Err(Refusal::access(text));
        }
        let user = self.connections.get(id).map(|connection| &*connection.user);
        match &properties.user_id {
            Some(claimed) if user != Some(&**claimed) => Err(Refusal::precondition(format!(
                "user_id property set to '{claimed}' but authenticated user was '{}'",
                user.unwrap_or_default()
            ))),
            _ => Ok(()),
        }
    }

    /// Puts the channel's own reply key where a message asks for direct replies.
    fn check_reply_to(
        &mut self,
        id: Key,
        number: u16,
        properties: Properties,
    ) -> Result<Properties, Refusal> {
        if properties.reply_to.as_deref() != Some(REPLIES) {
            return Ok(properties);
        }
        let Some(key) = self.channel(id, number)?.replies.clone() else {
            return Err(Refusal::precondition("fast reply consumer does not exist"));
        };
        Ok(Properties::of(
            &properties.whole().with_reply_to(short(&key)),
        ))
    }

    /// Hands a message to the queues; whether all of them took it. What nobody gets is returned where that is wanted.
    fn route(
        &mut self,
        id: Key,
        number: u16,
        message: Message,
        mandatory: bool,
    ) -> Result<bool, Refusal> {
        if message.exchange.is_empty() && message.routing_key.starts_with(REPLIES) {
            let gone = !self.reply(&message);
            if gone && mandatory {
                self.give_back(id, number, &message);
            }
            return Ok(true);
        }
        let (routed, message) = self.queues_for(self.vhost_of(id), message)?;
        self.work += routed.steps / 16;
        let queues = routed.queues;
        if queues.is_empty() {
            self.counts.unroutable += 1;
            if mandatory {
                self.give_back(id, number, &message);
            }
            return Ok(true);
        }
        let message = Rc::new(message);
        let mut taken = true;
        for queue in queues {
            taken &= self.enqueue(queue, Rc::clone(&message));
        }
        Ok(taken)
    }

    /// Where a message goes, by its key and the CC and BCC of its headers; BCC is not shown to anyone.
    fn queues_for(&self, vhost: usize, message: Message) -> Result<(Routed, Message), Refusal> {
        let Some(vhost) = self.vhosts.get(vhost) else {
            return Ok((Routed::default(), message));
        };
        if !message.properties.has_headers {
            let headers = Headers(&Default::default);
            let routed = vhost.route(&message.exchange, &[&message.routing_key], &headers)?;
            return Ok((routed, message));
        }
        let table = message.properties.headers();
        let (cc, bcc) = (copies(&table, "CC")?, copies(&table, "BCC")?);
        let copies = cc.iter().chain(&bcc).map(String::as_str);
        let mut known = HashSet::new();
        let keys: Vec<&str> = std::iter::once(&*message.routing_key)
            .chain(copies)
            .filter(|key| known.insert(*key))
            .collect();
        let headers = Headers(&|| table.clone());
        let routed = vhost.route(&message.exchange, &keys, &headers)?;
        let message = match bcc.is_empty() {
            true => message,
            false => message.without_bcc(),
        };
        Ok((routed, message))
    }

    /// Adds a message to a queue; false: the queue is full and does not take it.
    pub(super) fn enqueue(&mut self, key: Key, message: Rc<Message>) -> bool {
        self.work += 1;
        let Some(queue) = self.queues.get_mut(key) else {
            return true;
        };
        // Where somebody waits for it, it does not stay.
        if let Some(overflow) = queue.refuses(&message)
            && self.chosen(key).is_none()
        {
            if overflow == Overflow::RejectToDeadLetters {
                self.bury_refused(key, message);
            }
            return false;
        }
        let now = self.now;
        if let Some(queue) = self.queues.get_mut(key) {
            queue.push(message, now);
        }
        self.pump(key);
        self.trim(key);
        true
    }

    /// Sends a message back to its publisher: nobody gets it (§1.8.3.8).
    fn give_back(&mut self, id: Key, number: u16, message: &Message) {
        if let Some(connection) = self.connections.get_mut(id) {
            let head = Head::Return {
                code: 312,
                text: "NO_ROUTE",
            };
            wire::put_content(
                &mut connection.out,
                number,
                head,
                Content::of(message),
                connection.frame_max,
            );
            self.announce(id);
        }
    }

    /// Notes what is to be said about a published message, now or at the end of the batch.
    fn confirm(&mut self, id: Key, number: u16, tag: u64, taken: bool, fault: Option<Action>) {
        let singly = self.faults.affects_confirms();
        let Some(connection) = self.connections.get_mut(id) else {
            return;
        };
        let Some(confirms) = connection
            .channels
            .get_mut(&number)
            .and_then(|channel| channel.confirms.as_mut())
        else {
            return;
        };
        if !singly {
            if !taken {
                confirms.refused.push(tag);
            }
            if tag == confirms.answered + 1 {
                self.confirming.push((id, number));
            }
            return;
        }
        confirms.answered = tag;
        let mut bytes = BytesMut::new();
        let said = if fault == Some(Action::WrongConfirm) {
            tag + 1_000_000
        } else {
            tag
        };
        wire::put_confirm(&mut bytes, number, said, false, taken);
        match fault {
            Some(Action::DropConfirm) => {}
            Some(Action::DelayConfirm(by)) => self.timers.delay(self.now + by, (id, bytes)),
            _ => self.post(id, &bytes),
        }
    }

    /// Confirms what came in this batch: one confirm for all up to the next that was not taken.
    pub(super) fn answer_publishers(&mut self) {
        for (id, number) in std::mem::take(&mut self.confirming) {
            let Some(connection) = self.connections.get_mut(id) else {
                continue;
            };
            let Some(confirms) = connection
                .channels
                .get_mut(&number)
                .and_then(|channel| channel.confirms.as_mut())
            else {
                continue;
            };
            let out = &mut connection.out;
            for refused in confirms.refused.drain(..) {
                let before = refused - 1;
                if before > confirms.answered {
                    wire::put_confirm(out, number, before, before > confirms.answered + 1, true);
                }
                wire::put_confirm(out, number, refused, false, false);
                confirms.answered = refused;
            }
            if confirms.published > confirms.answered {
                let several = confirms.published > confirms.answered + 1;
                wire::put_confirm(out, number, confirms.published, several, true);
                confirms.answered = confirms.published;
            }
            self.announce(id);
        }
    }

    /// The fault that blocks after a number of messages.
    fn count_block(&mut self) {
        if self.faults.is_empty() {
            return;
        }
        let published = self.counts.published;
        let struck = self.faults.trigger("", |action| match action {
            Action::Block { after, during } => (after == published).then_some(during),
            _ => None,
        });
        if let Some(during) = struck {
            self.hold_back(true);
            if let Some(during) = during {
                self.timers.remind(self.now + during, Reminder::Unblock);
            }
        }
    }
}

impl<'a> Content<'a> {
    pub(super) fn of(message: &'a Message) -> Self {
        Self::with(message, None)
    }

    /// The same with other properties than its own.
    pub(super) fn with(message: &'a Message, properties: Option<&'a Properties>) -> Self {
        Self {
            exchange: &message.exchange,
            routing_key: &message.routing_key,
            properties: &properties.unwrap_or(&message.properties).wire,
            body: &message.body,
        }
    }
}
