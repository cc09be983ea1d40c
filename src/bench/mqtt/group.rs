//! What the connections of one group have in common, and the packets that open them.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::super::counters::Shared;
use super::super::driver::{Broken, Io};
use super::super::pattern::{Pattern, user_name};
use super::super::stamp::{Room, Stamp};
use super::leftover::Leftover;
use super::scan::Message;
use super::template::{Kind, Template};
use crate::error::Kind as ErrorKind;
use crate::mqtt::client::diagnose::way_elsewhere;
use crate::mqtt::packet::{
    ConnAck, Connect, Disconnect, Packet, Properties, Property, QoS, Subscribe, Subscription,
    Version, Will, encode,
};
use crate::mqtt::session::fault::{Fault, Refusal};
use crate::mqtt::session::limits::Limits;

/// What the connections of a group do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// They publish; they may receive besides.
    Publish,
    /// They only receive.
    Receive,
    /// They are open, and keep alive.
    Idle,
    /// Each message is a SUBSCRIBE.
    Subscribe,
    /// Each message is a connection: closed, and opened again.
    Connect,
    /// Each message is a SUBSCRIBE with all that is retained for it.
    Retained,
    /// They publish requests; a message is answered by its response.
    Request,
    /// They answer requests.
    Respond,
}

/// Everything about a group but its load.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) role: Role,
    pub(super) run_id: u64,
    /// The URL of the server.
    pub(super) server: String,
    pub(super) version: Version,
    pub(super) client_id: String,
    pub(super) keep_alive: Duration,
    pub(super) clean: bool,
    /// With `{client}`.
    pub(super) username: Option<ByteString>,
    pub(super) password: Option<Bytes>,
    /// Messages in flight at most.
    pub(super) window: usize,
    /// How long to wait for an answer before a message is given up.
    pub(super) ack_timeout: Duration,
    pub(super) qos: QoS,
    /// Where messages go, one pattern for each `{group}`.
    pub(super) topics: Vec<Pattern>,
    /// How they look, when the group publishes.
    pub(super) kind: Option<Kind>,
    /// QoS and RETAIN of what the load publishes, whichever group does: where a broker takes no such messages, nobody need
    /// connect.
    pub(super) published: Option<(QoS, bool)>,
    pub(super) sub_qos: QoS,
    pub(super) subscribe: Filters,
    /// In front of each filter: `$share/NAME/`.
    pub(super) shared: Option<String>,
    /// The books of those that share.
    pub(super) books: Option<Shared>,
    /// Leave without DISCONNECT, so that the will is published.
    pub(super) abrupt: bool,
    /// Receivers that are away this long, over and over, with a session that is kept for them.
    pub(super) away: Option<Duration>,
    /// Retained messages of each connection.
    pub(super) retained: usize,
    /// Stamps are in a property, not at the head of the body.
    pub(super) reads_property: bool,
    /// The least room for a stamp in messages; `None`: they carry none.
    pub(super) least: Option<Room>,
    /// Topic pattern and body of the will of each connection.
    pub(super) will: Option<Pattern>,
    /// How many receivers get each will.
    pub(super) heirs: u64,
    pub(super) first_sender: u32,
    /// What is retained at the end.
    pub(super) leftover: Arc<Leftover>,
}

/// What a connection subscribes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filters {
    /// Nothing.
    None,
    /// All messages of all publishers, of its `{group}`.
    All,
    /// The messages of the publisher with its number.
    Own,
    /// This topic, with `{client}` filled in.
    Pattern(Pattern),
    /// This topic, of all clients.
    Any(Pattern),
}

impl Group {
    /// The filters of connection `index`.
    pub(super) fn filters(&self, index: usize) -> impl Iterator<Item = String> {
        let pattern = self.pattern(index);
        let filter = match &self.subscribe {
            Filters::None => None,
            Filters::All => Some(pattern.filter(None)),
            Filters::Own => Some(pattern.filter(Some(index))),
            Filters::Pattern(pattern) => Some(pattern.filter(Some(index))),
            Filters::Any(pattern) => Some(pattern.filter(None)),
        };
        let shared = self.shared.as_deref();
        let whole = |filter: String| match shared {
            Some(name) => format!("$share/{name}/{filter}"),
            None => filter,
        };
        filter.map(whole).into_iter()
    }

    fn pattern(&self, index: usize) -> &Pattern {
        // There is at least one pattern, whatever the role.
        &self.topics[index % self.topics.len()]
    }

    /// The filter of SUBSCRIBE number `sequence` of connection `index`.
    pub(super) fn subscription(&self, index: usize, sequence: u64) -> String {
        let pattern = self.pattern(index);
        if pattern.counts() {
            pattern.fill(index, sequence)
        } else {
            format!("{}/{sequence}", pattern.fill(index, sequence))
        }
    }

    /// The packets of publisher `index`. They were tried when the driver was made, so that they can be encoded.
    pub(super) fn template(&self, index: usize) -> Option<Box<Template>> {
        let kind = self.kind.as_ref()?;
        Template::new(kind, self.pattern(index), index)
            .ok()
            .map(Box::new)
    }

    pub(super) fn client_id(&self, index: usize) -> String {
        format!("{}{index}", self.client_id)
    }

    pub(super) fn write_connect(&self, index: usize, out: &mut Vec<u8>) {
        let mut properties = Properties::default();
        if self.keeps_session() {
            properties.push(Property::SessionExpiryInterval(3600));
        }
        let packet = Packet::Connect(Box::new(Connect {
            version: self.version,
            client_id: self.client_id(index).into(),
            clean_start: self.clean,
            keep_alive: self.keep_alive.as_secs().min(u64::from(u16::MAX)) as u16,
            username: self
                .username
                .as_deref()
                .map(|name| user_name(name, index).into()),
            password: self.password.clone(),
            will: self.will.as_ref().map(|topic| self.will(topic, index)),
            properties,
            bridge: false,
        }));
        self.write(&packet, out);
    }

    fn keeps_session(&self) -> bool {
        self.version == Version::V5 && !self.clean
    }

    /// DISCONNECT; a session that was only kept for the run is not kept any longer (MQTT 5.0 §3.14.2.2.2).
    pub(super) fn goodbye(&self) -> &'static [u8] {
        if self.away.is_some() && self.keeps_session() {
            return &[0xE0, 7, 0, 5, 0x11, 0, 0, 0, 0];
        }
        &[0xE0, 0]
    }

    /// What a connection with retained messages subscribes to: all of its own.
    pub(super) fn retained_filter(&self, index: usize) -> String {
        self.pattern(index).filter(Some(index))
    }

    /// Connection `index` leaves `count` retained messages behind.
    pub(super) fn leave_retained(&self, index: usize, count: u64) {
        if count > 0 {
            self.leftover.enter(self.pattern(index), index, count);
        }
    }

    fn will(&self, topic: &Pattern, index: usize) -> Will {
        Will {
            topic: topic.fill(index, 0).into(),
            payload: Bytes::from_static(b"gone"),
            qos: self.qos,
            ..Will::default()
        }
    }

    pub(super) fn write_subscribe(&self, packet_id: u16, filters: Vec<String>, out: &mut Vec<u8>) {
        let subscription = |filter: String| Subscription {
            filter: filter.into(),
            qos: self.sub_qos,
            ..Subscription::default()
        };
        let packet = Packet::Subscribe(Subscribe {
            packet_id,
            subscriptions: filters.into_iter().map(subscription).collect(),
            properties: Properties::default(),
        });
        self.write(&packet, out);
    }

    /// The broker does not accept a connection; `form`: the version that its answer has the form of.
    pub(super) fn refused(&self, ack: ConnAck, form: Version) -> Broken {
        let (reason, asked) = (ack.reason, self.version);
        let fault = Fault::Refused(Box::new(Refusal { ack, asked, form }));
        let cause = format!("the broker refused the connection: {fault}");
        let version = fault.other_version().map(str::to_owned);
        Broken {
            hint: version.or_else(|| way_elsewhere(&self.server, &fault)),
            ..Broken::of(reason.kind(), cause)
        }
    }

    /// The broker ends a connection.
    pub(super) fn dismissed(&self, disconnect: Disconnect) -> Broken {
        let fault = Fault::Closed(disconnect);
        Broken {
            hint: way_elsewhere(&self.server, &fault),
            ..Broken::new(format!("the broker closed the connection: {fault}"))
        }
    }

    /// Whether the broker takes messages of the QoS of the load, and retained ones where they are (MQTT 5.0 §3.2.2.3.4).
    ///
    /// # Errors
    /// It does not.
    pub(super) fn takes(&self, server: &Properties) -> Result<(), Broken> {
        let Some((qos, retain)) = self.published else {
            return Ok(());
        };
        let taken = Limits::of(server).check(qos, retain);
        taken.map_err(|why| Broken::of(ErrorKind::Refused, format!("cannot publish: {why}")))
    }

    /// Whether the broker takes what a connection is to send (Maximum Packet Size, MQTT 5.0 §3.2.2.3.6).
    ///
    /// # Errors
    /// It does not.
    pub(super) fn fits(
        &self,
        index: usize,
        template: Option<&Template>,
        limit: Option<u32>,
    ) -> Result<(), Broken> {
        let Some(limit) = limit else {
            return Ok(());
        };
        let mut subscribe = Vec::new();
        let filters: Vec<String> = self.filters(index).collect();
        if !filters.is_empty() {
            self.write_subscribe(1, filters, &mut subscribe);
        }
        let published = template.map_or(0, Template::least);
        if subscribe.len().max(published) <= limit as usize {
            return Ok(());
        }
        let cause = format!("the broker accepts packets of at most {limit} bytes");
        Err(Broken::of(ErrorKind::Refused, cause))
    }

    fn write(&self, packet: &Packet, out: &mut Vec<u8>) {
        let mut bytes = BytesMut::new();
        // Client identifiers and filters were checked when the driver was made.
        if encode(packet, self.version, &mut bytes).is_ok() {
            out.extend_from_slice(&bytes);
        }
    }

    /// Sends a request's body back to the topic of its sender.
    pub(super) fn respond(&self, request: &Message<'_>, io: &mut Io<'_>) {
        let Some(stamp) = Stamp::read(request.payload, io.now) else {
            return;
        };
        let client = (stamp.sender.saturating_sub(self.first_sender)) as usize;
        let topic = self.topics[0].fill(client, 0);
        let publish = Packet::Publish(crate::mqtt::packet::Publish {
            topic: topic.into(),
            payload: Bytes::copy_from_slice(request.payload),
            ..Default::default()
        });
        self.write(&publish, io.out);
    }
}
