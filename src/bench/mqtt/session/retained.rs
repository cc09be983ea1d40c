//! A retained storm: each connection leaves retained messages at the broker, and each message of the load is a SUBSCRIBE
//! that is answered when all of them have come.

use super::super::super::clock::Nanos;
use super::super::super::driver::Io;
use super::super::super::recorder::Pending;
use super::super::super::stamp::Stamp;
use super::super::in_flight::Step;
use super::super::scan::{Frame, Message};
use super::{MqttSession, PINGREQ};

/// Where one connection's storm stands.
#[derive(Debug, Default)]
pub(super) struct Storm {
    /// The messages are at the broker.
    stored: bool,
    /// The packet identifier of the SUBSCRIBE that is under way.
    packet_id: u16,
    /// The broker has accepted it.
    accepted: bool,
    /// Messages that have not come yet.
    left: usize,
}

impl MqttSession {
    /// Leaves the messages at the broker; PINGRESP proves that it has them. Whether there is something to wait for.
    pub(super) fn store_retained(&mut self, io: &mut Io<'_>) -> bool {
        let Some(storm) = self.storm.as_mut().filter(|storm| !storm.stored) else {
            return false;
        };
        storm.stored = true;
        for number in 0..self.group.retained as u64 {
            let stamp = Stamp {
                measured: false,
                due: io.now,
                sequence: number,
                sender: self.sender,
                run: self.group.run_id,
            };
            if let Some(template) = &mut self.template {
                template.write(0, &stamp, io.out);
            }
        }
        io.out.extend_from_slice(&PINGREQ);
        true
    }

    /// Tells what stays at the broker.
    pub(super) fn leave_retained(&self) {
        let retains = self.group.kind.as_ref().is_some_and(|kind| kind.retain);
        let count = match &self.storm {
            Some(storm) if storm.stored => self.group.retained as u64,
            None if retains => self.sequence,
            _ => 0,
        };
        self.group.leave_retained(self.index, count);
    }

    pub(super) fn send_storms(&mut self, dues: &[Nanos], io: &mut Io<'_>) {
        for due in dues {
            let packet_id = self.flights.enter(Pending {
                due: *due,
                sent: io.now,
                sequence: self.sequence,
            });
            self.sequence += 1;
            if let Some(storm) = &mut self.storm {
                storm.packet_id = packet_id;
                storm.accepted = false;
                storm.left = self.group.retained;
            }
            let filter = self.group.retained_filter(self.index);
            self.group.write_subscribe(packet_id, vec![filter], io.out);
        }
    }

    /// The broker has accepted the SUBSCRIBE of a storm; `false`: it is not one.
    pub(super) fn accepts_storm(&mut self, packet_id: u16, io: &mut Io<'_>) -> bool {
        match &mut self.storm {
            Some(storm) if storm.packet_id == packet_id => storm.accepted = true,
            _ => return false,
        }
        self.end_storm(io);
        true
    }

    /// A retained message has come.
    pub(super) fn take_retained(&mut self, frame: &Frame<'_>, _: &Message<'_>, io: &mut Io<'_>) {
        let is_retained = frame.first & 1 == 1;
        let Some(storm) = self.storm.as_mut().filter(|storm| storm.left > 0) else {
            return;
        };
        if !is_retained {
            return;
        }
        storm.left -= 1;
        let open = self
            .flights
            .iter()
            .find(|(id, _, _)| *id == storm.packet_id);
        if let Some((_, flight, _)) = open {
            io.records.delivered(flight.due, frame.length, io.now);
        }
        self.end_storm(io);
    }

    fn end_storm(&mut self, io: &mut Io<'_>) {
        let Some(storm) = self.storm.as_mut() else {
            return;
        };
        if storm.accepted && storm.left == 0 {
            let packet_id = std::mem::take(&mut storm.packet_id);
            if let Some(flight) = self.flights.take(packet_id, Step::Sent) {
                io.records.acknowledged(&flight, io.now);
            }
        }
    }
}
