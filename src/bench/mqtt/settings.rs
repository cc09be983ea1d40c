//! What an MQTT load is to be, and the groups and drivers made of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

use super::super::counters::Shared;
use super::super::dial::Dialer;
use super::super::driver::{Broken, Dialing, Driver, End, LoadPlan, Session};
use super::super::pattern::Pattern;
use super::super::plan::Load;
use super::super::stamp::Room;
use super::group::{Filters, Group, Role};
use super::leftover::Leftover;
use super::property;
use super::session::MqttSession;
use super::template::{Body, Kind, Place, Template, filling};
use crate::error::{Error, Result};
use crate::mqtt::packet::{Properties, QoS, Version};

/// Who sends what to whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    /// Publishers, and subscribers that each get everything.
    #[default]
    Publish,
    /// Publisher n writes to subscriber n alone.
    OneToOne,
    /// Connections that only stay open.
    Idle,
    /// Each message is a connection: closed and opened again.
    Churn,
    /// Each message is a SUBSCRIBE.
    Subscribe,
    /// As churn, without a DISCONNECT: the will of each is published.
    Wills,
    /// Publishers send requests, subscribers answer them.
    Request,
    /// Each message is a SUBSCRIBE that is answered when all that is retained has come.
    RetainedStorm,
    /// Subscribers go away, and come back to what was kept for them.
    Backlog,
}

/// An MQTT load, complete.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Who sends what to whom.
    pub scenario: Scenario,
    /// The protocol's version.
    pub version: Version,
    /// Connections that send.
    pub publishers: usize,
    /// Connections that receive.
    pub subscribers: usize,
    /// Where messages go.
    pub topic: Pattern,
    /// How many values `{group}` has; at least one.
    pub groups: usize,
    /// What subscribers subscribe to, unless it follows from the topic.
    pub filter: Option<Pattern>,
    /// Of what is published.
    pub qos: QoS,
    /// Of subscriptions.
    pub sub_qos: QoS,
    /// What messages carry.
    pub body: Body,
    /// When messages are sent.
    pub load: Load,
    /// Messages under way on a connection at most.
    pub window: usize,
    /// How long to wait for an answer before a message is given up and its place in the window is free again.
    pub ack_timeout: Duration,
    /// How long receivers are away, and between that, in [`Scenario::Backlog`].
    pub away: Duration,
    /// Messages that each connection has retained, in [`Scenario::RetainedStorm`].
    pub retained: usize,
    /// Stamps are in a User Property (MQTT 5), so that bodies stay as they are.
    pub stamp_property: bool,
    /// Zero: none.
    pub keep_alive: Duration,
    /// Clean Start.
    pub clean: bool,
    /// RETAIN of what is published.
    pub retain: bool,
    /// Subscribers share their subscription under this name.
    pub shared_group: Option<String>,
    /// What client identifiers begin with; the role and a number follow.
    pub client_prefix: String,
    /// User name.
    pub username: Option<ByteString>,
    /// Password.
    pub password: Option<Bytes>,
    /// The URL of the server, for what is said of it.
    pub server: String,
    /// Of this run.
    pub run_id: u64,
    /// Of everything random.
    pub seed: u64,
    /// What is retained at the end.
    pub leftover: Arc<Leftover>,
}

impl Settings {
    /// How many connections it needs, over all shards.
    pub(crate) const fn connections(&self) -> usize {
        self.publishers + self.subscribers
    }

    /// The groups and drivers, all to connect through `dialer`.
    ///
    /// # Errors
    /// Topics, filters or bodies that MQTT cannot carry; no connections at all.
    pub(crate) fn make(&self, dialer: &Arc<Dialer>) -> Result<LoadPlan> {
        if self.connections() == 0 {
            return Err(Error::usage(
                "neither publishers nor subscribers: nothing to do",
            ));
        }
        let mut made = LoadPlan {
            warnings: self.warnings(),
            ..LoadPlan::default()
        };
        // Receivers are first: they are open before anything is sent.
        if self.subscribers > 0 {
            let receivers = self.receivers();
            self.add(
                &mut made,
                "subscribers",
                receivers,
                self.subscribers,
                None,
                dialer,
            )?;
        }
        if self.publishers > 0 {
            let senders = self.senders();
            let load = (senders.role != Role::Idle).then(|| self.load.clone());
            self.add(
                &mut made,
                "publishers",
                senders,
                self.publishers,
                load,
                dialer,
            )?;
        }
        Ok(made)
    }

    fn warnings(&self) -> Vec<String> {
        let said = self.room().unwrap_or(Room::Nothing).warning();
        said.map(str::to_owned).into_iter().collect()
    }

    /// The least room for a stamp that messages have; `None`: they carry none.
    fn room(&self) -> Option<Room> {
        match &self.body {
            _ if self.scenario == Scenario::Wills => None,
            _ if self.stamp_property => Some(Room::Whole),
            Body::Sized { least, .. } => Some(Room::of(*least)),
            Body::Stamped(bytes) => Some(Room::of(bytes.len())),
            Body::Verbatim(_) | Body::Template(_) => None,
        }
    }

    fn add(
        &self,
        made: &mut LoadPlan,
        name: &str,
        group: Group,
        connections: usize,
        load: Option<Load>,
        dialer: &Arc<Dialer>,
    ) -> Result<()> {
        let each = match (load.is_some(), group.role) {
            (true, Role::Publish) => self.receivers_of_each(),
            // Each message is a connection that ends with its will.
            (true, Role::Connect) if group.will.is_some() => self.receivers_of_each(),
            (true, Role::Retained) => self.retained as u64,
            _ => 0,
        };
        if let Some(kind) = &group.kind {
            Template::new(kind, &group.topics[0], connections)?;
        }
        made.add(name, connections, load, |number| MqttDriver {
            group: Arc::new(group),
            dialer: Arc::clone(dialer),
            number,
            receivers: each,
            only: (self.scenario == Scenario::OneToOne).then_some(self.subscribers),
        });
        Ok(())
    }

    /// How many subscribers get each message.
    fn receivers_of_each(&self) -> u64 {
        match (self.scenario, &self.shared_group) {
            (_, Some(_)) => u64::from(self.subscribers > 0),
            (Scenario::OneToOne, None) => 1,
            (_, None) => (self.subscribers / self.groups.max(1)) as u64,
        }
    }

    pub(super) fn senders(&self) -> Group {
        let role = match self.scenario {
            Scenario::Publish | Scenario::OneToOne | Scenario::Backlog => Role::Publish,
            Scenario::RetainedStorm => Role::Retained,
            Scenario::Idle => Role::Idle,
            Scenario::Churn | Scenario::Wills => Role::Connect,
            Scenario::Subscribe => Role::Subscribe,
            Scenario::Request => Role::Request,
        };
        let request = role == Role::Request;
        let mut group = self.group(role, "pub");
        let publishes = matches!(role, Role::Publish | Role::Request | Role::Retained);
        group.kind = publishes.then(|| self.kind());
        if role == Role::Retained {
            // Stored before the load begins, and proved by a PINGRESP.
            group.kind = group.kind.map(|kind| Kind {
                qos: QoS::AtMostOnce,
                retain: true,
                ..kind
            });
        }
        if request {
            group.topics = vec![self.topic.with("/request")];
            group.subscribe = Filters::Pattern(self.topic.with("/response/{client}"));
        }
        if self.scenario == Scenario::Wills {
            group.abrupt = true;
            group.will = Some(self.topic.clone());
            group.heirs = self.receivers_of_each();
        }
        group
    }

    pub(super) fn receivers(&self) -> Group {
        let mut group = self.group(Role::Receive, "sub");
        group.subscribe = match (&self.filter, self.scenario) {
            (Some(filter), _) => Filters::Pattern(filter.clone()),
            (None, Scenario::OneToOne) => Filters::Own,
            (
                None,
                Scenario::Idle | Scenario::Churn | Scenario::Subscribe | Scenario::RetainedStorm,
            ) => Filters::None,
            (None, Scenario::Publish | Scenario::Wills | Scenario::Request | Scenario::Backlog) => {
                Filters::All
            }
        };
        if self.scenario == Scenario::Backlog {
            group.away = Some(self.away);
            group.clean = false;
        }
        group.shared.clone_from(&self.shared_group);
        group.books = self.shared_group.is_some().then(Shared::default);
        if self.scenario == Scenario::Request {
            group.role = Role::Respond;
            group.topics = vec![self.topic.with("/response/{client}")];
            group.subscribe = Filters::Any(self.topic.with("/request"));
            // Each request is answered once, by any of them.
            group
                .shared
                .get_or_insert_with(|| String::from("responders"));
            group.first_sender = self.subscribers as u32;
        }
        group
    }

    fn group(&self, role: Role, what: &str) -> Group {
        let groups = if self.topic.groups() {
            self.groups.max(1)
        } else {
            1
        };
        Group {
            role,
            run_id: self.run_id,
            server: self.server.clone(),
            version: self.version,
            client_id: format!("{}{what}-", self.client_prefix),
            keep_alive: self.keep_alive,
            clean: self.clean,
            username: self.username.clone(),
            password: self.password.clone(),
            window: self.window,
            ack_timeout: self.ack_timeout,
            qos: self.qos,
            topics: (0..groups)
                .map(|group| self.topic.of_group(group))
                .collect(),
            kind: None,
            published: self.published(),
            sub_qos: self.sub_qos,
            subscribe: Filters::None,
            shared: None,
            books: None,
            abrupt: false,
            away: None,
            retained: self.retained,
            reads_property: self.stamp_property,
            least: self.room(),
            will: None,
            heirs: 0,
            first_sender: 0,
            leftover: Arc::clone(&self.leftover),
        }
    }

    fn published(&self) -> Option<(QoS, bool)> {
        let published = match self.scenario {
            Scenario::RetainedStorm => (QoS::AtMostOnce, true),
            Scenario::Publish | Scenario::OneToOne | Scenario::Backlog | Scenario::Request => {
                (self.qos, self.retain)
            }
            Scenario::Idle | Scenario::Churn | Scenario::Wills | Scenario::Subscribe => {
                return None;
            }
        };
        (self.publishers > 0).then_some(published)
    }

    fn kind(&self) -> Kind {
        Kind {
            version: self.version,
            qos: self.qos,
            retain: self.retain,
            filling: filling(&self.body, self.seed),
            body: self.body.clone(),
            place: self.place(),
            properties: match self.stamp_property {
                true => [property::place()].into_iter().collect(),
                false => Properties::default(),
            },
            seed: self.seed,
        }
    }

    const fn place(&self) -> Place {
        match self.body {
            _ if self.stamp_property => Place::Property,
            Body::Sized { .. } | Body::Stamped(_) => Place::Body,
            Body::Verbatim(_) | Body::Template(_) => Place::Nowhere,
        }
    }
}

struct MqttDriver {
    group: Arc<Group>,
    dialer: Arc<Dialer>,
    /// Connections of the groups before this one.
    number: usize,
    receivers: u64,
    /// Only the first so many publishers have a receiver.
    only: Option<usize>,
}

impl Driver for MqttDriver {
    fn dial(&self, index: usize) -> Dialing {
        self.dialer.dial(self.number + index)
    }

    fn patience(&self) -> Duration {
        self.dialer.patience()
    }

    fn unusable(&self, end: End<'_>) -> Broken {
        self.dialer.unusable(end)
    }

    fn session(&self, index: usize, sender: u32) -> Box<dyn Session> {
        Box::new(MqttSession::new(Arc::clone(&self.group), index, sender))
    }

    fn receivers(&self, index: usize) -> u64 {
        match self.only {
            Some(only) if index >= only => 0,
            _ => self.receivers,
        }
    }
}
