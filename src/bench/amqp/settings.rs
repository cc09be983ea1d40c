//! What an AMQP load is to be, and what the connections of a group have in common.

use std::time::Duration;

use super::super::counters::Shared;
use super::super::letters::letters;
use super::super::pattern::{Pattern, user_name};
use super::super::plan::Load;
use super::super::stamp::Room;
use super::template::Kind;
use crate::amqp::consumer::Offset;
use crate::amqp::{Login, Options};

/// Who does what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    /// Producers publish, consumers take.
    #[default]
    Publish,
    /// Connections that only stay open.
    Idle,
    /// Each message is a connection: closed and opened again.
    Connections,
    /// Each message is a channel: opened and closed.
    Channels,
    /// Each message is a queue: declared and deleted.
    Queues,
    /// Each message is a consumer: begun and cancelled.
    Consumers,
    /// Each message is a binding: made and taken away.
    Bindings,
    /// Producers send requests, consumers answer them.
    Request,
}

/// An AMQP load, complete.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Who does what.
    pub scenario: Scenario,
    /// Login, virtual host, heartbeats and frames.
    pub options: Options,
    /// Connections that publish.
    pub producers: usize,
    /// Connections that consume.
    pub consumers: usize,
    /// Channels of each connection.
    pub channels: u16,
    /// Where messages go; empty: the default exchange, whose keys are queues.
    pub exchange: String,
    /// Whether each queue gets its own messages only, by its key; otherwise the exchange copies each to all.
    pub routed: bool,
    /// The routing key of messages; `{queue}` is filled in as a group.
    pub key: Pattern,
    /// The names of the queues.
    pub queue: Pattern,
    /// How many there are; at least one.
    pub queues: usize,
    /// The queues are streams: each consumer gets everything.
    pub streams: bool,
    /// Bytes of a message, at least and at most.
    pub size: (usize, usize),
    /// The server keeps messages over a restart.
    pub persistent: bool,
    /// Messages that reach no queue come back.
    pub mandatory: bool,
    /// The server confirms messages.
    pub confirms: bool,
    /// How consumers take messages.
    pub consuming: Consuming,
    /// When messages are sent.
    pub load: Load,
    /// Messages on a connection that await their confirm, at most.
    pub window: usize,
    /// How long to wait for a confirm before a message is given up.
    pub ack_timeout: Duration,
    /// Other processes do their part of the load.
    pub sharded: bool,
    /// Of this run.
    pub run_id: u64,
    /// Of everything random.
    pub seed: u64,
}

/// How consumers take messages.
#[derive(Clone, Debug)]
pub struct Consuming {
    /// Deliveries that a channel has not acknowledged, at most; 0 is no limit.
    pub prefetch: u16,
    /// As many deliveries are acknowledged at once; at least 1, and not more than `prefetch`.
    pub multi_ack: u16,
    /// Deliveries need no acknowledgement.
    pub auto_ack: bool,
    /// Time from a delivery to its acknowledgement.
    pub latency: Duration,
    /// The part of deliveries that is refused, from 0 to 1.
    pub nack: f64,
    /// What is refused goes back to its queue.
    pub requeue: bool,
    /// Messages are asked for one by one, with this pause when there is none.
    pub poll: Option<Duration>,
    /// Where in a stream to begin.
    pub offset: Option<Offset>,
}

/// What the connections of a group do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Publish,
    Consume,
    Idle,
    Connect,
    /// Another churn than that of connections.
    Churn,
}

/// What the connections of a group have in common.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) role: Role,
    pub(super) settings: Settings,
    pub(super) kind: Kind,
    /// The books of each queue whose consumers compete.
    pub(super) shared: Vec<Shared>,
}

impl Default for Consuming {
    /// Each delivery is acknowledged, and a thousand may wait for that.
    fn default() -> Self {
        Self {
            prefetch: 1000,
            multi_ack: 1,
            auto_ack: false,
            latency: Duration::ZERO,
            nack: 0.0,
            requeue: false,
            poll: None,
            offset: None,
        }
    }
}

impl Settings {
    /// How many connections it needs, over all shards.
    pub(crate) const fn connections(&self) -> usize {
        self.producers + self.consumers
    }

    /// The names of the queues.
    pub(crate) fn queue_names(&self) -> Vec<String> {
        let name = |queue| self.queue.of_group(queue).fill(0, 0);
        (0..self.queues).map(name).collect()
    }

    pub(super) const fn role(&self) -> Role {
        match self.scenario {
            Scenario::Publish | Scenario::Request => Role::Publish,
            Scenario::Idle => Role::Idle,
            Scenario::Connections => Role::Connect,
            Scenario::Channels | Scenario::Queues | Scenario::Consumers | Scenario::Bindings => {
                Role::Churn
            }
        }
    }

    /// The login of connection `index`: its user name may have a `{client}`.
    pub(crate) fn login(&self, index: usize) -> Login {
        let mut login = self.options.login.clone();
        login.username = user_name(&login.username, index);
        login
    }

    /// What a reader of the report must know.
    pub(super) fn warnings(&self) -> Vec<String> {
        let publishes = self.role() == Role::Publish;
        let several = publishes && self.compete() && self.sharded;
        let all = [
            Room::of(self.size.0).warning().filter(|_| publishes),
            several.then_some(
                "a message delivered to consumers of one queue in two shards counts twice and not as a duplicate, so it may hide a missing one",
            ),
        ];
        all.into_iter().flatten().map(str::to_owned).collect()
    }

    /// Whether each message in a queue comes to one of several consumers only.
    const fn compete(&self) -> bool {
        !self.streams && self.consumers * (self.channels as usize) > self.queues
    }

    /// How many consumers get each message.
    pub(super) fn receivers(&self) -> u64 {
        let consumers = self.consumers * usize::from(self.channels);
        let queues = match self.exchange.is_empty() {
            true => usize::from(self.key == self.queue),
            false if self.routed && self.key.groups() => 1,
            false => self.queues,
        };
        let each = if self.streams {
            consumers / self.queues
        } else {
            usize::from(consumers > 0)
        };
        (queues * each) as u64
    }

    pub(super) fn group(&self, role: Role) -> Group {
        let (least, most) = self.size;
        let kind = Kind {
            exchange: self.exchange.clone(),
            mandatory: self.mandatory,
            persistent: self.persistent,
            reply_to: self.scenario == Scenario::Request,
            filling: letters(most, self.seed),
            least,
            seed: self.seed,
        };
        let shared = match role {
            Role::Consume if self.compete() => self.queues,
            _ => 0,
        };
        Group {
            role,
            settings: self.clone(),
            kind,
            shared: std::iter::repeat_with(Shared::default)
                .take(shared)
                .collect(),
        }
    }
}

impl Group {
    /// Whether messages are requests.
    pub(super) fn requests(&self) -> bool {
        self.settings.scenario == Scenario::Request
    }

    /// Whether each message has an answer of its own.
    pub(super) fn is_answered(&self) -> bool {
        self.settings.confirms || self.requests()
    }

    /// The queue of channel `channel` of connection `index`: they take turns.
    pub(super) fn queue_of(&self, index: usize, channel: u16) -> usize {
        let place = index * usize::from(self.settings.channels) + usize::from(channel - 1);
        place % self.settings.queues
    }
}
