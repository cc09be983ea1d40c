//! Exchanges, queues and bindings: what is to be there, and how it is made, checked and taken away.

use bytestring::ByteString;
use lapin::ExchangeKind;
use lapin::options::{
    ExchangeBindOptions, ExchangeDeclareOptions, ExchangeDeleteOptions, ExchangeUnbindOptions,
    QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
};

use crate::error::Result;
use crate::message::AmqpValue;

use super::channel::Channel;
use super::frame::properties::check_short;
use super::frame::table::check;
use super::wire::{short, table};

/// Names and values, as a declaration, binding or consumer takes them.
pub type Arguments = Vec<(ByteString, AmqpValue)>;

/// An exchange (AMQP 0-9-1 §1.6).
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// 1–255 bytes.
    pub name: ByteString,
    /// `direct`, `fanout`, `topic`, `headers`, or what a plugin brings.
    pub kind: ByteString,
    /// Survives a restart of the server.
    pub durable: bool,
    /// Goes when its last binding goes.
    pub auto_delete: bool,
    /// Takes messages from other exchanges only.
    pub internal: bool,
    /// Such as `alternate-exchange`.
    pub arguments: Arguments,
}

impl Exchange {
    /// A durable exchange of this kind.
    pub fn new(name: impl Into<ByteString>, kind: impl Into<ByteString>) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            durable: true,
            auto_delete: false,
            internal: false,
            arguments: Arguments::new(),
        }
    }
}

/// A queue (AMQP 0-9-1 §1.7).
#[derive(Clone, Debug, PartialEq)]
pub struct Queue {
    /// At most 255 bytes; empty: the server makes one up.
    pub name: ByteString,
    /// Survives a restart of the server.
    pub durable: bool,
    /// For this connection only, and gone with it.
    pub exclusive: bool,
    /// Goes when its last consumer goes.
    pub auto_delete: bool,
    /// Such as `x-queue-type`, `x-message-ttl`, `x-max-length`, `x-dead-letter-exchange`.
    pub arguments: Arguments,
}

impl Queue {
    /// A durable queue without arguments.
    pub fn new(name: impl Into<ByteString>) -> Self {
        Self {
            name: name.into(),
            durable: true,
            exclusive: false,
            auto_delete: false,
            arguments: Arguments::new(),
        }
    }

    /// A queue that the server names, for this connection only.
    pub fn temporary() -> Self {
        Self {
            durable: false,
            exclusive: true,
            auto_delete: true,
            ..Self::new("")
        }
    }
}

/// What a queue is like at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueState {
    /// The name, also when the server made it up.
    pub name: ByteString,
    /// Messages that are ready to be delivered.
    pub messages: u32,
    /// Active consumers.
    pub consumers: u32,
}

/// Where the messages of a binding go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A queue; an empty name is the one declared last on the channel.
    Queue(ByteString),
    /// Another exchange.
    Exchange(ByteString),
}

/// A rule by which an exchange hands messages on.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// The exchange that the messages come from.
    pub source: ByteString,
    /// Where they go.
    pub destination: Destination,
    /// The binding key; what it means is up to the exchange.
    pub key: ByteString,
    /// Such as `x-match` and the headers to match.
    pub arguments: Arguments,
}

/// Something that is to be there.
#[derive(Clone, Debug, PartialEq)]
pub enum Declaration {
    /// Make the exchange, or check that it is like this.
    Exchange(Exchange),
    /// Make the queue, or check that it is like this.
    Queue(Queue),
    /// Make the binding.
    Binding(Binding),
    /// Check that an exchange of this name is there, whatever it is like.
    ExchangeIsThere(ByteString),
    /// Check that a queue of this name is there, whatever it is like.
    QueueIsThere(ByteString),
}

impl Declaration {
    /// What is asked for, as it completes "the server refused …".
    pub(super) fn request(&self) -> String {
        match self {
            Self::Exchange(exchange) => format!("to declare the exchange {:?}", exchange.name),
            Self::Queue(queue) => format!("to declare the queue {:?}", queue.name),
            Self::Binding(binding) => format!("to bind {}", words(binding)),
            Self::ExchangeIsThere(name) => format!("to find the exchange {name:?}"),
            Self::QueueIsThere(name) => format!("to find the queue {name:?}"),
        }
    }

    /// Refuses what the wire has no room for.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for a name over 255 bytes.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Exchange(exchange) => {
                check_short("exchange name", &exchange.name)?;
                check_short("exchange type", &exchange.kind)?;
                check(&exchange.arguments)
            }
            Self::Queue(queue) => {
                check_short("queue name", &queue.name)?;
                check(&queue.arguments)
            }
            Self::Binding(binding) => {
                check_short("exchange name", &binding.source)?;
                check_short("binding key", &binding.key)?;
                match &binding.destination {
                    Destination::Queue(name) => check_short("queue name", name)?,
                    Destination::Exchange(name) => check_short("exchange name", name)?,
                }
                check(&binding.arguments)
            }
            Self::ExchangeIsThere(name) => check_short("exchange name", name),
            Self::QueueIsThere(name) => check_short("queue name", name),
        }
    }
}

/// Something that is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// An exchange.
    Exchange {
        /// Its name.
        name: ByteString,
        /// Only when nothing is bound to it.
        if_unused: bool,
    },
    /// A queue, with its messages.
    Queue {
        /// Its name.
        name: ByteString,
        /// Only when nobody consumes from it.
        if_unused: bool,
        /// Only when it has no messages.
        if_empty: bool,
    },
}

impl Channel {
    /// Carries out a declaration; the state of a queue comes back.
    ///
    /// # Errors
    /// What the server objects to, such as other properties than it was declared with before. The channel is
    /// closed by it.
    pub async fn declare(&self, what: &Declaration) -> Result<Option<QueueState>> {
        match what {
            Declaration::Exchange(exchange) => self.declare_exchange(exchange).await.map(|()| None),
            Declaration::Queue(queue) => self.declare_queue(queue).await.map(Some),
            Declaration::Binding(binding) => self.bind(binding).await.map(|()| None),
            Declaration::ExchangeIsThere(name) => self.check_exchange(name).await.map(|()| None),
            Declaration::QueueIsThere(name) => self.check_queue(name).await.map(Some),
        }
    }

    /// Makes an exchange.
    ///
    /// # Errors
    /// See [`Channel::declare`].
    pub async fn declare_exchange(&self, exchange: &Exchange) -> Result<()> {
        let name = short("exchange name", &exchange.name)?;
        short("exchange type", &exchange.kind)?;
        let options = ExchangeDeclareOptions {
            durable: exchange.durable,
            auto_delete: exchange.auto_delete,
            internal: exchange.internal,
            ..ExchangeDeclareOptions::default()
        };
        let kind = ExchangeKind::Custom(exchange.kind.to_string());
        let arguments = table(&exchange.arguments)?;
        let what = format!("to declare the exchange {:?}", exchange.name);
        let declared = self.raw().exchange_declare(name, kind, options, arguments);
        self.guard(&what, declared).await
    }

    /// Checks that an exchange is there.
    ///
    /// # Errors
    /// [`crate::error::Kind::Refused`] when it is not; the channel is closed by it.
    pub async fn check_exchange(&self, name: &str) -> Result<()> {
        let options = ExchangeDeclareOptions {
            passive: true,
            ..ExchangeDeclareOptions::default()
        };
        let declared = self.raw().exchange_declare(
            short("exchange name", name)?,
            ExchangeKind::Direct,
            options,
            table(&[])?,
        );
        self.guard(&format!("to find the exchange {name:?}"), declared)
            .await
    }

    /// Makes a queue.
    ///
    /// # Errors
    /// See [`Channel::declare`].
    pub async fn declare_queue(&self, queue: &Queue) -> Result<QueueState> {
        let options = QueueDeclareOptions {
            durable: queue.durable,
            exclusive: queue.exclusive,
            auto_delete: queue.auto_delete,
            ..QueueDeclareOptions::default()
        };
        let name = short("queue name", &queue.name)?;
        let declared = self
            .raw()
            .queue_declare(name, options, table(&queue.arguments)?);
        let what = format!("to declare the queue {:?}", queue.name);
        self.guard(&what, declared).await.map(|queue| state(&queue))
    }

    /// Checks that a queue is there.
    ///
    /// # Errors
    /// [`crate::error::Kind::Refused`] when it is not; the channel is closed by it.
    pub async fn check_queue(&self, name: &str) -> Result<QueueState> {
        let options = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        let declared = self
            .raw()
            .queue_declare(short("queue name", name)?, options, table(&[])?);
        let what = format!("to find the queue {name:?}");
        self.guard(&what, declared).await.map(|queue| state(&queue))
    }

    /// Makes a binding.
    ///
    /// # Errors
    /// [`crate::error::Kind::Refused`] when either end is not there.
    pub async fn bind(&self, binding: &Binding) -> Result<()> {
        let source = short("exchange name", &binding.source)?;
        let key = short("binding key", &binding.key)?;
        let arguments = table(&binding.arguments)?;
        let what = format!("to bind {}", words(binding));
        match &binding.destination {
            Destination::Queue(name) => {
                let name = short("queue name", name)?;
                let options = QueueBindOptions::default();
                let bound = self.raw().queue_bind(name, source, key, options, arguments);
                self.guard(&what, bound).await
            }
            Destination::Exchange(name) => {
                let name = short("exchange name", name)?;
                let options = ExchangeBindOptions::default();
                let bound = self
                    .raw()
                    .exchange_bind(name, source, key, options, arguments);
                self.guard(&what, bound).await
            }
        }
    }

    /// Takes a binding away; one that is not there is fine.
    ///
    /// # Errors
    /// [`crate::error::Kind::Refused`] when either end is not there.
    pub async fn unbind(&self, binding: &Binding) -> Result<()> {
        let source = short("exchange name", &binding.source)?;
        let key = short("binding key", &binding.key)?;
        let arguments = table(&binding.arguments)?;
        let what = format!("to unbind {}", words(binding));
        match &binding.destination {
            Destination::Queue(name) => {
                let name = short("queue name", name)?;
                let unbound = self.raw().queue_unbind(name, source, key, arguments);
                self.guard(&what, unbound).await
            }
            Destination::Exchange(name) => {
                let name = short("exchange name", name)?;
                let options = ExchangeUnbindOptions::default();
                let unbound = self
                    .raw()
                    .exchange_unbind(name, source, key, options, arguments);
                self.guard(&what, unbound).await
            }
        }
    }

    /// Takes an exchange or a queue away; one that is not there is fine. How many messages went with a queue
    /// comes back.
    ///
    /// # Errors
    /// [`crate::error::Kind::Refused`] when it is in use, or not empty, and that was to be respected.
    pub async fn delete(&self, what: &Deletion) -> Result<u32> {
        match what {
            Deletion::Exchange { name, if_unused } => {
                let options = ExchangeDeleteOptions {
                    if_unused: *if_unused,
                    ..ExchangeDeleteOptions::default()
                };
                let deleted = self
                    .raw()
                    .exchange_delete(short("exchange name", name)?, options);
                let what = format!("to delete the exchange {name:?}");
                self.guard(&what, deleted).await.map(|()| 0)
            }
            Deletion::Queue {
                name,
                if_unused,
                if_empty,
            } => {
                let options = QueueDeleteOptions {
                    if_unused: *if_unused,
                    if_empty: *if_empty,
                    ..QueueDeleteOptions::default()
                };
                let deleted = self.raw().queue_delete(short("queue name", name)?, options);
                self.guard(&format!("to delete the queue {name:?}"), deleted)
                    .await
            }
        }
    }

    /// Throws away the messages of a queue that are ready; how many they were comes back.
    ///
    /// # Errors
    /// [`crate::error::Kind::Refused`] when there is no such queue.
    pub async fn purge(&self, queue: &str) -> Result<u32> {
        let purged = self
            .raw()
            .queue_purge(short("queue name", queue)?, QueuePurgeOptions::default());
        self.guard(&format!("to purge the queue {queue:?}"), purged)
            .await
    }
}

fn words(binding: &Binding) -> String {
    let destination = match &binding.destination {
        Destination::Queue(name) if name.is_empty() => String::from("the temporary queue"),
        Destination::Queue(name) => format!("the queue {name:?}"),
        Destination::Exchange(name) => format!("the exchange {name:?}"),
    };
    format!("{destination} to the exchange {:?}", binding.source)
}

fn state(queue: &lapin::Queue) -> QueueState {
    QueueState {
        name: queue.name().as_str().into(),
        messages: queue.message_count(),
        consumers: queue.consumer_count(),
    }
}
