//! Receiving: what is asked of the server, and what comes.

use std::convert::Infallible;
use std::time::SystemTime;

use bytes::BufMut;

use super::super::consumer::{Subscription, queue_words};
use super::super::frame::methods::{self, Consume};
use super::super::frame::{Fields, properties, put_short, table};
use super::super::topology::{Declaration, Destination, Exchange, Queue, QueueState};
use super::super::wish::Settlement;
use super::connection::Connection;
use super::inbox::{Incoming, Taken};
use super::login::CHANNEL;
use crate::error::{Error, Result};
use crate::message::AmqpValue;

impl Connection {
    /// Carries out a declaration; the state of a queue comes back.
    ///
    /// # Errors
    /// What the server objects to, such as other properties than it was declared with before.
    pub async fn declare(&mut self, what: &Declaration) -> Result<Option<QueueState>> {
        what.check()?;
        let out = &mut self.link.out;
        match what {
            Declaration::Exchange(exchange) => {
                let Exchange {
                    name,
                    kind,
                    arguments,
                    ..
                } = exchange;
                let flags = [
                    false,
                    exchange.durable,
                    exchange.auto_delete,
                    exchange.internal,
                ];
                declare_exchange([name, kind], bits(flags), arguments, out);
            }
            Declaration::ExchangeIsThere(name) => {
                declare_exchange([name, "direct"], 1, &[], out);
            }
            Declaration::Queue(queue) => {
                let Queue {
                    name, arguments, ..
                } = queue;
                let flags = [false, queue.durable, queue.exclusive, queue.auto_delete];
                methods::declare(CHANNEL, name, bits(flags), arguments, out);
            }
            Declaration::QueueIsThere(name) => methods::declare(CHANNEL, name, 1, &[], out),
            Declaration::Binding(binding) => {
                let (method, to) = match &binding.destination {
                    Destination::Queue(name) => (methods::BIND, name),
                    Destination::Exchange(name) => (methods::EXCHANGE_BIND, name),
                };
                let names = [&**to, &*binding.source, &*binding.key];
                methods::bind(CHANNEL, method, names, &binding.arguments, out);
            }
        }
        let answers = [
            methods::DECLARE_OK,
            methods::EXCHANGE_DECLARE_OK,
            methods::BIND_OK,
            methods::EXCHANGE_BIND_OK,
        ];
        let (name, fields) = self.answer(&what.request(), &answers).await?;
        Ok(match name {
            methods::DECLARE_OK => queue_state(&fields),
            _ => None,
        })
    }

    /// Deletes a queue, and what is in it.
    ///
    /// # Errors
    /// [`crate::error::Kind::Refused`] when another connection has it for itself; a lost connection, silence.
    pub async fn delete(&mut self, queue: &str) -> Result<()> {
        methods::delete(CHANNEL, queue, &mut self.link.out);
        let what = format!("to delete the queue {queue:?}");
        self.answer(&what, &[methods::DELETE_OK]).await.map(|_| ())
    }

    /// How many deliveries the server may send ahead of their acknowledgement to each consumer from now on; 0: any
    /// number (AMQP 0-9-1 §1.8.3.1).
    ///
    /// # Errors
    /// A lost connection, silence.
    pub async fn prefetch(&mut self, count: u16) -> Result<()> {
        methods::qos(CHANNEL, count, &mut self.link.out);
        let what = "to set the prefetch count";
        self.answer(what, &[methods::QOS_OK]).await.map(|_| ())
    }

    /// Starts to consume. Set the prefetch count first.
    ///
    /// # Errors
    /// [`crate::error::Kind::Refused`] when there is no such queue or somebody has it for himself.
    pub async fn consume(&mut self, what: &Subscription) -> Result<()> {
        properties::check_short("queue name", &what.queue)?;
        properties::check_short("consumer tag", &what.tag)?;
        table::check(&what.arguments)?;
        self.put_consume(what);
        let asked = format!("to consume from {}", queue_words(&what.queue));
        let (_, fields) = self.answer(&asked, &[methods::CONSUME_OK]).await?;
        let tag = Fields(&fields).bytes().unwrap_or_default();
        self.inbox.consumer = Some(tag.to_vec());
        Ok(())
    }

    /// Goes on with another consumer, to which the server may send as many messages again; those that are not
    /// acknowledged stay so. `false`: there is no consumer to go on from yet.
    pub fn consume_anew(&mut self, what: &Subscription) -> bool {
        let Some(tag) = self.inbox.consumer.take() else {
            return false;
        };
        methods::cancel(CHANNEL, &tag, &mut self.link.out);
        self.put_consume(what);
        true
    }

    fn put_consume(&mut self, what: &Subscription) {
        self.inbox.consumes = true;
        let mut arguments = what.arguments.clone();
        if let Some(priority) = what.priority {
            arguments.push(("x-priority".into(), AmqpValue::Int32(priority)));
        }
        arguments.extend(what.offset.as_ref().map(|offset| offset.argument()));
        let how = Consume {
            tag: &what.tag,
            auto_ack: what.no_ack,
            exclusive: what.exclusive,
            arguments: &arguments,
        };
        methods::consume(CHANNEL, &what.queue, how, &mut self.link.out);
    }

    /// Takes one message from a queue, if it has one; with `no_ack` it is done with when it is sent.
    ///
    /// # Errors
    /// [`crate::error::Kind::Refused`] when there is no such queue; a lost connection, silence.
    pub async fn get(&mut self, queue: &str, no_ack: bool) -> Result<Incoming> {
        properties::check_short("queue name", queue)?;
        methods::get(CHANNEL, queue, no_ack, &mut self.link.out);
        let what = format!("to get from {}", queue_words(queue));
        let patience = self.patience();
        match tokio::time::timeout(patience, self.incoming(&what)).await {
            Ok(came) => came,
            Err(_) => Err(self.silent(&what)),
        }
    }

    async fn incoming(&mut self, what: &str) -> Result<Incoming> {
        loop {
            match self.poll_now() {
                Some(incoming) => return Ok(incoming),
                None => self.progress(what).await?,
            }
        }
    }

    /// What came already, if there is anything.
    pub fn poll_now(&mut self) -> Option<Incoming> {
        let mut came = None;
        // It fails only where the closure does.
        let _ = self.take(|incoming| {
            came = Some(incoming);
            Ok(false)
        });
        came
    }

    /// Puts into the next write what became of a message, and with `multiple` of all before it that are not settled;
    /// for [`Settlement::Rejected`] there is no `multiple`.
    pub fn settle(&mut self, tag: u64, multiple: bool, how: Settlement) {
        let out = &mut self.link.out;
        match how {
            Settlement::Accepted => methods::ack(CHANNEL, tag, multiple, out),
            Settlement::Failed => methods::nack(CHANNEL, tag, multiple, false, out),
            Settlement::Released => methods::nack(CHANNEL, tag, multiple, true, out),
            Settlement::Rejected => methods::reject(CHANNEL, tag, out),
            Settlement::Held => {}
        }
    }

    /// Puts into the next write what became of messages that came in this order, none of which, and none before them, is to
    /// stay unsettled.
    pub fn settle_all(&mut self, tags: &[u64], how: Settlement) {
        let known = self.inbox.tags;
        match how {
            Settlement::Rejected => tags.iter().for_each(|tag| self.settle(*tag, false, how)),
            _ => known.settle(tags, |tag, multiple| self.settle(tag, multiple, how)),
        }
    }

    /// Waits until [`Connection::take`] has something, or something was written. Cancel-safe.
    ///
    /// # Errors
    /// What ended the channel or the connection.
    pub async fn drive(&mut self) -> Result<()> {
        self.progress("to go on consuming").await
    }

    /// The same while something else is waited for; `what` completes "the server refused …".
    ///
    /// # Errors
    /// Those of [`Connection::drive`].
    pub async fn progress(&mut self, what: &str) -> Result<()> {
        if !self.is_over() {
            if self.link.has_frame() {
                return Ok(());
            }
            match self.link.progress().await {
                Ok(()) => return Ok(()),
                Err(end) => self.over(end),
            }
        }
        Err(self.ended(what).await)
    }

    /// Writes what waits to be written, and keeps the connection alive, but reads nothing. Cancel-safe.
    pub async fn hold(&mut self) -> Infallible {
        self.link.hold().await
    }

    /// Does other work, with the connection held meanwhile.
    pub async fn alive_during<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            biased;
            done = work => done,
            never = self.hold() => match never {},
        }
    }

    /// Hands over what came, for as long as `sink` wants more; the rest stays unread.
    ///
    /// # Errors
    /// Those of `sink`.
    pub fn take(&mut self, mut sink: impl FnMut(Incoming) -> Result<bool>) -> Result<()> {
        let (inbox, heard, marks) = (&mut self.inbox, &mut self.heard, &self.marks);
        let time = SystemTime::now();
        let mut failed: Option<Error> = None;
        let took = self
            .link
            .frames(|frame, out| match inbox.take(frame, time)? {
                Taken::Part => Ok(true),
                Taken::Not => heard.take(frame, marks, out).map(|()| true),
                Taken::Whole(incoming) => Ok(sink(incoming).unwrap_or_else(|error| {
                    failed = Some(error);
                    false
                })),
            });
        if let Err(end) = took {
            self.over(end);
        }
        failed.map_or(Ok(()), Err)
    }
}

fn bits(flags: [bool; 4]) -> u8 {
    let flags = flags.into_iter().enumerate();
    flags.map(|(bit, set)| u8::from(set) << bit).sum()
}

fn declare_exchange(
    [name, kind]: [&str; 2],
    flags: u8,
    arguments: &[(bytestring::ByteString, AmqpValue)],
    out: &mut bytes::BytesMut,
) {
    methods::method(CHANNEL, methods::EXCHANGE_DECLARE, out, |out| {
        out.put_u16(0);
        put_short(name, out);
        put_short(kind, out);
        out.put_u8(flags);
        table::put(arguments, out);
    });
}

/// Queue.Declare-Ok.
fn queue_state(fields: &[u8]) -> Option<QueueState> {
    let mut fields = Fields(fields);
    Some(QueueState {
        name: fields.text().ok()?.into(),
        messages: fields.long().ok()?,
        consumers: fields.long().ok()?,
    })
}
