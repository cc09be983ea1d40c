//! SUBSCRIBE and UNSUBSCRIBE in parts that the server takes, a few of them under way at a time.

use std::collections::{HashMap, VecDeque};

use bytestring::ByteString;

use super::Session;
use crate::mqtt::packet::{
    self, LARGEST_PACKET, Packet, Properties, ReasonCode, Subscribe, Subscription, Unsubscribe,
};
use crate::mqtt::session::fault::Fault;
use crate::mqtt::topic;

/// The most filters in one packet: some cloud brokers, AWS IoT among them, close the connection on more.
const MOST_FILTERS: usize = 8;

/// The most packets that wait for their answers; the identifiers that messages leave for them are few.
const MOST_ASKED: usize = 64;

/// What is asked for in one request.
#[derive(Clone, Debug)]
pub(super) enum Filters {
    Subscribe(Vec<Subscription>),
    Unsubscribe(Vec<ByteString>),
}

/// The requests that are not answered yet. They end with the connection.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// Packets that have not gone out.
    waiting: VecDeque<(u64, Packet)>,
    /// Packets that wait for their answers, by identifier.
    asked: HashMap<u16, Part>,
    /// What has been answered, by request.
    answers: HashMap<u64, Answer>,
    next: u64,
}

/// One packet of a request.
#[derive(Debug)]
pub(super) struct Part {
    request: u64,
    subscribes: bool,
    pub(super) filters: Vec<ByteString>,
}

/// The answers to one request.
#[derive(Debug)]
pub(super) struct Answer {
    /// Packets that are not answered yet.
    left: usize,
    pub(super) subscribes: bool,
    pub(super) answers: Vec<(ByteString, ReasonCode)>,
    /// The server's words, the first there are.
    pub(super) words: Option<ByteString>,
}

impl Requests {
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.asked.clear();
        self.answers.clear();
    }

    /// Notes the answer to a part; the whole answer after the last one.
    pub(super) fn note(
        &mut self,
        part: &Part,
        reasons: Vec<ReasonCode>,
        words: Option<ByteString>,
    ) -> Option<Answer> {
        let answer = self.answers.get_mut(&part.request)?;
        answer
            .answers
            .extend(part.filters.iter().cloned().zip(reasons));
        answer.words = answer.words.take().or(words);
        answer.left -= 1;
        let done = answer.left == 0;
        done.then(|| self.answers.remove(&part.request)).flatten()
    }
}

impl Filters {
    /// The request in packets of as many filters as `fits` and [`MOST_FILTERS`] allow, but at least one.
    fn packets(&self, properties: &Properties, fits: impl Fn(&Packet) -> bool) -> Vec<Packet> {
        match self {
            Self::Subscribe(subscriptions) => cut(subscriptions, fits, |part| {
                Packet::Subscribe(Subscribe {
                    packet_id: 1,
                    subscriptions: part.to_vec(),
                    properties: properties.clone(),
                })
            }),
            Self::Unsubscribe(filters) => cut(filters, fits, |part| {
                Packet::Unsubscribe(Unsubscribe {
                    packet_id: 1,
                    filters: part.to_vec(),
                    properties: properties.clone(),
                })
            }),
        }
    }
}

fn cut<T>(
    items: &[T],
    fits: impl Fn(&Packet) -> bool,
    packet: impl Fn(&[T]) -> Packet,
) -> Vec<Packet> {
    let mut packets = Vec::new();
    let mut rest = items;
    while !rest.is_empty() {
        let mut count = rest.len().min(MOST_FILTERS);
        let mut next = packet(&rest[..count]);
        while count > 1 && !fits(&next) {
            count -= 1;
            next = packet(&rest[..count]);
        }
        packets.push(next);
        rest = &rest[count..];
    }
    packets
}

impl Part {
    fn of(request: u64, packet: &Packet) -> Self {
        let (subscribes, filters) = match packet {
            Packet::Subscribe(subscribe) => {
                let filters = subscribe.subscriptions.iter();
                (true, filters.map(|one| one.filter.clone()).collect())
            }
            Packet::Unsubscribe(unsubscribe) => (false, unsubscribe.filters.clone()),
            // `Filters::packets` makes no others.
            _ => (false, Vec::new()),
        };
        Self {
            request,
            subscribes,
            filters,
        }
    }
}

impl Session {
    /// Sends a request, or as many of its parts as may be under way; the others follow the answers.
    pub(super) fn ask(
        &mut self,
        mut filters: Filters,
        properties: &Properties,
    ) -> Result<(), Fault> {
        let refused = self.unavailable(&mut filters);
        let packets = filters.packets(properties, |packet| self.fits(packet));
        self.requests.next += 1;
        let request = self.requests.next;
        let answer = Answer {
            left: packets.len(),
            subscribes: matches!(filters, Filters::Subscribe(_)),
            answers: refused,
            words: None,
        };
        if packets.is_empty() {
            self.tell(answer);
            return Ok(());
        }
        self.requests.answers.insert(request, answer);
        let parts = packets.into_iter().map(|packet| (request, packet));
        self.requests.waiting.extend(parts);
        self.ask_on()
    }

    /// Takes out shared subscriptions where the server has said that it has none (MQTT 5.0 §3.2.2.3.13): to ask for one all
    /// the same would end the connection.
    fn unavailable(&self, filters: &mut Filters) -> Vec<(ByteString, ReasonCode)> {
        let Filters::Subscribe(subscriptions) = filters else {
            return Vec::new();
        };
        if self.limits.shared_available {
            return Vec::new();
        }
        let shared = subscriptions.extract_if(.., |one| topic::shared(&one.filter).is_some());
        let refused =
            |one: Subscription| (one.filter, ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED);
        shared.map(refused).collect()
    }

    /// Whether the server takes a packet of this size (MQTT 5.0 §3.2.2.3.6). What cannot be encoded is found on sending.
    fn fits(&self, packet: &Packet) -> bool {
        let limit = self.limits.largest_out;
        limit == LARGEST_PACKET
            || packet::encoded_len(packet, self.connect.version)
                .map_or(true, |length| length <= limit)
    }

    /// Whether the connection is usable and every SUBSCRIBE and UNSUBSCRIBE is answered.
    pub fn is_ready(&self) -> bool {
        self.is_online() && self.requests.answers.is_empty()
    }

    /// Whether a SUBSCRIBE is not answered yet.
    pub fn awaits_suback(&self) -> bool {
        self.requests.asked.values().any(|part| part.subscribes)
    }

    /// The answer that is awaited, and for which filters: those that went out first, and others of the same kind.
    pub fn awaited(&self) -> Option<(&'static str, Vec<ByteString>)> {
        let mut asked: Vec<_> = self.requests.asked.iter().collect();
        asked.sort_unstable_by_key(|(packet_id, _)| **packet_id);
        let subscribes = asked.first()?.1.subscribes;
        let parts = asked
            .iter()
            .filter(|(_, part)| part.subscribes == subscribes);
        let filters = parts.flat_map(|(_, part)| part.filters.iter().cloned());
        Some((
            if subscribes { "SUBACK" } else { "UNSUBACK" },
            filters.collect(),
        ))
    }

    /// Sends what waits, as far as it may be under way. A filter too long for the server counts as refused.
    pub(super) fn ask_on(&mut self) -> Result<(), Fault> {
        while self.requests.asked.len() < MOST_ASKED {
            let Some((request, mut packet)) = self.requests.waiting.pop_front() else {
                return Ok(());
            };
            let part = Part::of(request, &packet);
            if !self.fits(&packet) {
                let limit = self.limits.largest_out;
                let words = format!("the server accepts packets of at most {limit} bytes");
                let reasons = vec![ReasonCode::PACKET_TOO_LARGE; part.filters.len()];
                if let Some(answer) = self.requests.note(&part, reasons, Some(words.into())) {
                    self.tell(answer);
                }
                continue;
            }
            let packet_id = self.outbound.reserve();
            match &mut packet {
                Packet::Subscribe(subscribe) => subscribe.packet_id = packet_id,
                Packet::Unsubscribe(unsubscribe) => unsubscribe.packet_id = packet_id,
                // `Filters::packets` makes no others.
                _ => {}
            }
            self.requests.asked.insert(packet_id, part);
            self.send(&packet)?;
        }
        Ok(())
    }

    /// The part that an answer belongs to; `None`: there is none of that kind.
    pub(super) fn answered(&mut self, packet_id: u16, subscribes: bool) -> Option<Part> {
        self.outbound.give_back(packet_id);
        let part = self.requests.asked.remove(&packet_id)?;
        (part.subscribes == subscribes).then_some(part)
    }
}
