//! One MQTT connection of a load: a publisher, a subscriber, both, or neither.

mod retained;

use std::collections::HashSet;
use std::sync::Arc;

use bytes::BytesMut;

use super::super::clock::{Nanos, nanos};
use super::super::counters::Received;
use super::super::driver::{Broken, Io, Session};
use super::super::recorder::{Pending, Quantity, Unproved};
use super::super::stamp::Stamp;
use super::group::{Group, Role};
use super::in_flight::{InFlight, RESERVED, Step};
use super::property;
use super::scan::{Frame, Message, malformed};
use super::template::Template;
use crate::mqtt::packet::{
    ConnAck, Decoder, LARGEST_PACKET, Packet, QoS, ReasonCode, SubAck, Version,
};
use retained::Storm;

/// The packet identifier of the SUBSCRIBE that opens a connection.
const OPENING: u16 = RESERVED;
const PINGREQ: [u8; 2] = [0xC0, 0];
const DISCONNECT: [u8; 2] = [0xE0, 0];
/// Messages at QoS 0 after which arrival is proved each second; fewer are proved every ten seconds.
const WORTH_PROOF: u64 = 100;
const PROOF: Nanos = 1_000_000_000;
const SLOW_PROOF: Nanos = 10 * PROOF;

/// One connection.
pub(super) struct MqttSession {
    group: Arc<Group>,
    index: usize,
    sender: u32,
    template: Option<Box<Template>>,
    received: Option<Box<Received>>,
    flights: InFlight,
    sequence: u64,
    /// Messages in flight at most, beside the group's window: the broker's Receive Maximum.
    allowed: u16,
    /// QoS 0: written since the last PINGREQ.
    unproved: Unproved,
    /// QoS 0: written before the PINGREQ that is under way.
    asked: Option<Unproved>,
    /// When the last proof was complete, or the first message after it was written.
    proved_at: Nanos,
    written_at: Nanos,
    subscribed_at: Nanos,
    /// QoS 2: received and not yet released.
    held: Option<HashSet<u16>>,
    storm: Option<Box<Storm>>,
    /// When the connection was last opened.
    opened_at: Nanos,
    /// It was away, and what was kept for it is still coming.
    catching_up: bool,
    /// The broker has answered CONNECT and, if there was one, SUBSCRIBE.
    open: bool,
    /// It has answered SUBSCRIBE in the session that it has.
    is_subscribed: bool,
}

impl MqttSession {
    pub(super) fn new(group: Arc<Group>, index: usize, sender: u32) -> Self {
        let receives = group.filters(index).next().is_some();
        Self {
            index,
            sender,
            template: group.template(index),
            received: receives.then(|| {
                let received = Received::new(group.run_id, group.least);
                Box::new(received.sharing(group.books.clone()))
            }),
            flights: InFlight::default(),
            sequence: 0,
            allowed: u16::MAX,
            unproved: Unproved::default(),
            asked: None,
            proved_at: 0,
            written_at: 0,
            subscribed_at: 0,
            held: None,
            storm: (group.role == Role::Retained).then(Box::default),
            opened_at: 0,
            catching_up: false,
            open: false,
            is_subscribed: false,
            group,
        }
    }

    fn has_properties(&self) -> bool {
        self.group.version == Version::V5
    }

    fn stamp(&self, due: Nanos, sequence: u64, io: &Io<'_>) -> Stamp {
        Stamp {
            measured: io.records.window.holds(due),
            due,
            sequence,
            sender: self.sender,
            run: self.group.run_id,
        }
    }

    /// Publishes without acknowledgement.
    fn send_unanswered(&mut self, dues: &[Nanos], io: &mut Io<'_>) {
        if self.unproved.all == 0 && self.asked.is_none() {
            self.proved_at = io.now;
        }
        for due in dues {
            let stamp = self.stamp(*due, self.sequence, io);
            self.sequence += 1;
            self.unproved.all += 1;
            self.unproved.measured += u64::from(stamp.measured);
            if let Some(template) = &mut self.template {
                template.write(0, &stamp, io.out);
            }
        }
    }

    /// Enters the next message; its packet identifier.
    #[inline]
    fn enter(&mut self, due: Nanos, sent: Nanos) -> u16 {
        let sequence = self.sequence;
        self.sequence += 1;
        self.flights.enter(Pending {
            due,
            sent,
            sequence,
        })
    }

    fn send_answered(&mut self, dues: &[Nanos], io: &mut Io<'_>) {
        for due in dues {
            let stamp = self.stamp(*due, self.sequence, io);
            let packet_id = self.enter(*due, io.now);
            if let Some(template) = &mut self.template {
                template.write(packet_id, &stamp, io.out);
            }
        }
    }

    /// SUBSCRIBE as a message of its own, each time for another topic.
    fn send_subscriptions(&mut self, dues: &[Nanos], io: &mut Io<'_>) {
        for due in dues {
            let filter = self.group.subscription(self.index, self.sequence);
            let packet_id = self.enter(*due, io.now);
            self.group.write_subscribe(packet_id, vec![filter], io.out);
        }
    }

    /// A whole connection as a message: this one is closed and opened again.
    fn send_connection(&mut self, dues: &[Nanos], io: &mut Io<'_>) {
        for due in dues {
            self.enter(*due, io.now);
        }
        if !self.group.abrupt {
            io.out.extend_from_slice(&DISCONNECT);
        }
        self.open = false;
        io.again();
    }

    fn frame(&mut self, frame: &Frame<'_>, io: &mut Io<'_>) -> Result<(), Broken> {
        match frame.kind() {
            3 => self.publish(frame, io),
            4 => self.answered(frame, Step::Sent, io),
            5 => self.received_by_broker(frame, io),
            6 => {
                let (packet_id, _) = frame.acknowledgement()?;
                if let Some(held) = &mut self.held {
                    held.remove(&packet_id);
                }
                acknowledge(0x70, packet_id, io);
                Ok(())
            }
            7 => self.answered(frame, Step::Released, io),
            13 => {
                self.proved(io);
                Ok(())
            }
            _ => Err(malformed()),
        }
    }

    fn publish(&mut self, frame: &Frame<'_>, io: &mut Io<'_>) -> Result<(), Broken> {
        let message = frame.message(self.has_properties())?;
        let again = message.qos == 2 && !self.hold(message.packet_id);
        match message.qos {
            1 => acknowledge(0x40, message.packet_id, io),
            2 => acknowledge(0x50, message.packet_id, io),
            _ => {}
        }
        if again {
            return Ok(());
        }
        if self.storm.is_some() {
            self.take_retained(frame, &message, io);
        } else {
            self.take(&message, frame.length, io);
        }
        Ok(())
    }

    /// QoS 2: whether this identifier is new.
    fn hold(&mut self, packet_id: u16) -> bool {
        self.held.get_or_insert_default().insert(packet_id)
    }

    fn take(&mut self, message: &Message<'_>, length: usize, io: &mut Io<'_>) {
        if self.group.role == Role::Respond {
            return self.group.respond(message, io);
        }
        let beside = self
            .group
            .reads_property
            .then(|| property::read(message.properties));
        let stamped = match &beside {
            Some(stamp) => stamp.as_ref().map_or(&[][..], |stamp| stamp.as_slice()),
            None => message.payload,
        };
        if let Some(received) = &mut self.received {
            received.enter(stamped, length, io.now, io.records);
        }
        if self.catching_up {
            self.catch_up(stamped, io);
        }
        if self.group.role == Role::Request {
            self.response(message, io);
        }
    }

    /// The first message that was due after the return is the end of what was kept.
    fn catch_up(&mut self, stamped: &[u8], io: &mut Io<'_>) {
        let stamp = Stamp::read(stamped, io.now);
        if stamp.is_some_and(|stamp| stamp.due >= self.opened_at) {
            self.catching_up = false;
            let took = io.records.of(Quantity::CatchUp);
            took.span(self.opened_at, io.now);
        }
    }

    /// Leaves for a while, when it is time and the load has not ended: the broker keeps what comes meanwhile.
    fn leave(&mut self, io: &mut Io<'_>) -> Option<Nanos> {
        let time = nanos(self.group.away?);
        let at = self.opened_at + time;
        let window = io.records.window;
        if !self.open || window.from == Nanos::MAX || io.now >= window.to {
            return Some(io.now + time);
        }
        if io.now < at {
            return Some(at);
        }
        io.out.extend_from_slice(&DISCONNECT);
        self.open = false;
        self.catching_up = true;
        io.away(time);
        None
    }

    /// A response answers the request with its sequence number, whose identifier is that of its slot.
    fn response(&mut self, message: &Message<'_>, io: &mut Io<'_>) {
        let Some(stamp) = Stamp::read(message.payload, io.now) else {
            return;
        };
        let open = |(_, flight, _): &(u16, Pending, Step)| flight.sequence == stamp.sequence;
        let Some((packet_id, _, step)) = self.flights.iter().find(open) else {
            return;
        };
        if let Some(flight) = self.flights.take(packet_id, step) {
            io.records.acknowledged(&flight, io.now);
        }
    }

    fn answered(&mut self, frame: &Frame<'_>, step: Step, io: &mut Io<'_>) -> Result<(), Broken> {
        let (packet_id, reason) = frame.acknowledgement()?;
        if self.group.role == Role::Request {
            return Ok(());
        }
        let late = self.flights.is_late(packet_id);
        let Some(flight) = self.flights.take(packet_id, step) else {
            let name = match step {
                Step::Released => "PUBCOMP",
                _ => "PUBACK",
            };
            stray(late, name, io);
            return Ok(());
        };
        // What PUBREC has accepted is not refused (MQTT 5.0 §3.7.2.1).
        self.settle(&flight, if step == Step::Released { 0 } else { reason }, io);
        Ok(())
    }

    fn settle(&self, flight: &Pending, reason: u8, io: &mut Io<'_>) {
        if reason < 0x80 {
            return io.records.acknowledged(flight, io.now);
        }
        let cause = format!("refused by the broker: {}", ReasonCode(reason));
        io.records.refused_for(flight, &cause);
    }

    /// PUBREC, half way of QoS 2.
    fn received_by_broker(&mut self, frame: &Frame<'_>, io: &mut Io<'_>) -> Result<(), Broken> {
        let (packet_id, reason) = frame.acknowledgement()?;
        if reason >= 0x80 {
            if let Some(flight) = self.flights.take(packet_id, Step::Sent) {
                self.settle(&flight, reason, io);
            }
            return Ok(());
        }
        if !self.flights.release(packet_id) {
            stray(self.flights.is_late(packet_id), "PUBREC", io);
        }
        acknowledge(0x62, packet_id, io);
        Ok(())
    }

    /// PINGRESP: all that was written before the PINGREQ has been read.
    fn proved(&mut self, io: &mut Io<'_>) {
        if let Some(asked) = self.asked.take().filter(|asked| asked.all > 0) {
            io.records.proved(asked, self.proved_at, io.now);
        }
        self.proved_at = io.now;
        if self.storm.is_some() && !self.open {
            self.open = true;
            io.ready();
        }
    }

    fn ask(&mut self, io: &mut Io<'_>) {
        if self.asked.is_none() {
            self.asked = Some(std::mem::take(&mut self.unproved));
            io.out.extend_from_slice(&PINGREQ);
            self.written_at = io.now;
        }
    }

    /// What is not on the hot path goes through the codec.
    fn packet(&mut self, bytes: &[u8], io: &mut Io<'_>) -> Result<(), Broken> {
        // A CONNACK without properties is that of MQTT 3.1.1: the server knows no other.
        let older = self.has_properties() && bytes.len() == 4 && bytes[0] == 0x20;
        let version = match older {
            true => Version::V311,
            false => self.group.version,
        };
        let decoder = Decoder::new(version, LARGEST_PACKET);
        let read = decoder.decode(&mut BytesMut::from(bytes));
        match read.map_err(|cause| Broken::new(format!("protocol error: {cause}")))? {
            Some(Packet::ConnAck(ack)) if older && !ack.reason.is_failure() => {
                let reason = ReasonCode::UNSUPPORTED_PROTOCOL_VERSION;
                Err(self
                    .group
                    .refused(ConnAck { reason, ..ack }, self.group.version))
            }
            Some(Packet::ConnAck(ack)) => self.connected_with(ack, version, io),
            Some(Packet::SubAck(ack)) => self.subscribed(&ack, io),
            Some(Packet::UnsubAck(_)) => Ok(()),
            Some(Packet::Disconnect(disconnect)) => Err(self.group.dismissed(disconnect)),
            Some(other) => Err(Broken::new(format!(
                "protocol error: unexpected {}",
                other.name()
            ))),
            None => Err(malformed()),
        }
    }

    /// CONNACK, in the form of this version.
    fn connected_with(
        &mut self,
        ack: ConnAck,
        form: Version,
        io: &mut Io<'_>,
    ) -> Result<(), Broken> {
        if ack.reason.is_failure() {
            return Err(self.group.refused(ack, form));
        }
        self.group.takes(&ack.properties)?;
        self.allowed = ack.properties.receive_maximum().unwrap_or(u16::MAX);
        let limit = ack.properties.maximum_packet_size();
        self.group
            .fits(self.index, self.template.as_deref(), limit)?;
        self.proved_at = io.now;
        if self.group.role == Role::Connect {
            let now = io.now;
            self.flights
                .clear(|flight| io.records.acknowledged(flight, now));
        } else if ack.session_present {
            self.resume(io);
        } else {
            self.flights.clear(|flight| io.records.lost(flight));
        }
        self.opened_at = io.now;
        if self.store_retained(io) {
            return Ok(());
        }
        let filters: Vec<String> = self.group.filters(self.index).collect();
        self.is_subscribed &= self.group.away.is_some() && ack.session_present;
        if filters.is_empty() || self.is_subscribed {
            self.open = true;
            io.ready();
        } else {
            self.subscribed_at = io.now;
            self.group.write_subscribe(OPENING, filters, io.out);
        }
        Ok(())
    }

    /// The broker has kept the session: what it has not acknowledged is sent again (MQTT 5.0 §4.4).
    fn resume(&mut self, io: &mut Io<'_>) {
        let open: Vec<_> = self.flights.iter().collect();
        for (packet_id, flight, step) in open {
            io.records.messages.repeated += u64::from(io.records.window.holds(flight.due));
            if step == Step::Released {
                acknowledge(0x62, packet_id, io);
                continue;
            }
            let stamp = self.stamp(flight.due, flight.sequence, io);
            if let Some(template) = &mut self.template {
                template.write_again(packet_id, &stamp, io.out);
            }
        }
    }

    fn subscribed(&mut self, ack: &SubAck, io: &mut Io<'_>) -> Result<(), Broken> {
        let failed = ack.reasons.iter().find(|reason| reason.is_failure());
        if ack.packet_id != OPENING {
            if failed.is_none() && self.accepts_storm(ack.packet_id, io) {
                return Ok(());
            }
            let late = self.flights.is_late(ack.packet_id);
            match self.flights.take(ack.packet_id, Step::Sent) {
                Some(flight) => self.settle(&flight, failed.map_or(0, |reason| reason.0), io),
                None => stray(late, "SUBACK", io),
            }
            return Ok(());
        }
        if let Some(reason) = failed {
            let cause = format!("subscription refused: {reason}");
            return Err(Broken::of(reason.kind(), cause));
        }
        self.is_subscribed = true;
        let took = io.records.of(Quantity::Subscribe);
        took.span(self.subscribed_at, io.now);
        if !self.open {
            self.open = true;
            io.ready();
        }
        Ok(())
    }

    /// What is under way and proved only by a later answer.
    fn unanswered(&self) -> Unproved {
        let asked = self.asked.unwrap_or_default();
        Unproved {
            all: self.unproved.all + asked.all,
            measured: self.unproved.measured + asked.measured,
        }
    }
}

/// An answer to no message that waits for one: a second one, or one with a wrong identifier; unless its message was given
/// up and it is only `late`.
#[cold]
fn stray(late: bool, name: &str, io: &mut Io<'_>) {
    if !late {
        let cause = format!("{name} with an unknown packet identifier");
        io.records.error(&cause, None);
    }
}

/// An acknowledgement with success, which is the same in all versions.
#[inline]
fn acknowledge(first: u8, packet_id: u16, io: &mut Io<'_>) {
    let [high, low] = packet_id.to_be_bytes();
    io.out.extend_from_slice(&[first, 2, high, low]);
}

impl Session for MqttSession {
    fn connected(&mut self, io: &mut Io<'_>) {
        self.open = false;
        self.asked = None;
        self.written_at = io.now;
        self.group.write_connect(self.index, io.out);
    }

    fn received(&mut self, bytes: &[u8], io: &mut Io<'_>) -> Result<usize, Broken> {
        let mut taken = 0;
        while let Some(frame) = Frame::next(&bytes[taken..])? {
            match frame.kind() {
                3..=7 | 13 => self.frame(&frame, io)?,
                _ => self.packet(&bytes[taken..taken + frame.length], io)?,
            }
            taken += frame.length;
        }
        Ok(taken)
    }

    fn room(&self) -> usize {
        match self.group.role {
            Role::Receive | Role::Idle | Role::Respond => 0,
            Role::Publish if self.group.qos == QoS::AtMostOnce => usize::MAX,
            Role::Connect | Role::Retained => usize::from(self.open && self.flights.len() == 0),
            Role::Publish | Role::Request | Role::Subscribe => {
                let window = self.group.window.min(usize::from(self.allowed));
                let window = window.min(usize::from(RESERVED) - 1);
                window.saturating_sub(self.flights.len())
            }
        }
    }

    fn send(&mut self, dues: &[Nanos], io: &mut Io<'_>) {
        self.written_at = io.now;
        match self.group.role {
            Role::Publish if self.group.qos == QoS::AtMostOnce => self.send_unanswered(dues, io),
            Role::Publish | Role::Request => self.send_answered(dues, io),
            Role::Subscribe => self.send_subscriptions(dues, io),
            Role::Connect => self.send_connection(dues, io),
            Role::Retained => self.send_storms(dues, io),
            Role::Receive | Role::Idle | Role::Respond => {}
        }
    }

    fn in_flight(&self) -> usize {
        self.flights.len() + self.unanswered().all as usize
    }

    fn tick(&mut self, last: bool, io: &mut Io<'_>) -> Option<Nanos> {
        let publishes = self.group.role == Role::Publish && self.group.qos == QoS::AtMostOnce;
        if publishes && self.unproved.all > 0 {
            let since = io.now.saturating_sub(self.proved_at);
            let worth = self.unproved.all >= WORTH_PROOF && since >= PROOF;
            if last || worth || since >= SLOW_PROOF {
                self.ask(io);
            }
        }
        let keep_alive = nanos(self.group.keep_alive);
        if keep_alive > 0 && io.now.saturating_sub(self.written_at) >= keep_alive / 4 * 3 {
            self.ask(io);
        }
        let patience = nanos(self.group.ack_timeout);
        if self.flights.len() > 0 && self.open {
            let moment = io.now.saturating_sub(patience);
            self.flights
                .give_up(moment, |flight| io.records.timed_out(flight));
        }
        let often = if keep_alive > 0 {
            patience.min(keep_alive)
        } else {
            patience
        };
        if self.group.away.is_some() {
            return self.leave(io);
        }
        match (publishes, keep_alive) {
            // Thousands of devices that send a message now and then are not asked after each.
            (true, _) if (1..WORTH_PROOF / 4).contains(&self.unproved.all) => {
                Some(io.now + 5 * PROOF)
            }
            (true, _) => Some(io.now + PROOF),
            (false, _) => Some(io.now + often / 4),
        }
    }

    fn lost(&mut self, io: &mut Io<'_>) {
        if std::mem::take(&mut self.open) {
            // Whatever a connection ends by other than a DISCONNECT: its will is published, and must not stand for another.
            io.records.expects(self.group.heirs, io.now);
        }
        io.records.lost_unproved(self.unanswered());
        self.unproved = Unproved::default();
        self.asked = None;
        if self.group.clean && self.group.role != Role::Connect {
            self.flights.clear(|flight| io.records.lost(flight));
        }
    }

    fn finish(&mut self, io: &mut Io<'_>) {
        io.records.timed_out_unproved(self.unanswered());
        self.unproved = Unproved::default();
        self.asked = None;
        self.flights.clear(|flight| io.records.timed_out(flight));
        self.leave_retained();
        if self.open {
            io.out.extend_from_slice(self.group.goodbye());
        }
    }
}
