//! SUBSCRIBE and UNSUBSCRIBE in parts that the server takes, a few of them under way at a time.

use std::collections::VecDeque;

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
    Subscribe(VecDeque<Subscription>),
    Unsubscribe(VecDeque<ByteString>),
}

/// The requests that are not answered yet. What the server has not answered when the connection is lost, it may never have read:
/// of a session that it still has, it is asked for again.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// In the order in which they were made.
    open: VecDeque<Request>,
    /// Packets that wait for their answers, in the order in which they went out.
    asked: Vec<(u16, Part)>,
    next: u64,
}

#[derive(Debug)]
struct Request {
    number: u64,
    /// What has not gone out.
    filters: Filters,
    properties: Properties,
    answer: Answer,
}

/// One packet of a request.
#[derive(Debug)]
pub(super) struct Part {
    request: u64,
    filters: Filters,
}

/// The answers to one request.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) subscribes: bool,
    pub(super) answers: Vec<(ByteString, ReasonCode)>,
    /// The server's words, the first there are.
    pub(super) words: Option<ByteString>,
}

impl Requests {
    /// Whether all are answered.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The connection is gone: what was asked is to be asked again.
    pub(super) fn lost(&mut self) {
        for (_, part) in std::mem::take(&mut self.asked).into_iter().rev() {
            if let Some(request) = self.of(part.request) {
                request.filters.put_back(part.filters);
            }
        }
    }

    /// The session is gone, and with it what was to be unsubscribed from: the answers to that.
    pub(super) fn start_anew(&mut self) -> Vec<Answer> {
        let open = self.open.drain(..).map(|request| {
            let mut answer = request.answer;
            let gone = request.filters.names().into_iter();
            (answer.answers).extend(gone.map(|filter| (filter, ReasonCode::SUCCESS)));
            answer
        });
        open.filter(|answer| !answer.subscribes).collect()
    }

    fn of(&mut self, number: u64) -> Option<&mut Request> {
        self.open.iter_mut().find(|it| it.number == number)
    }

    /// Notes the answer to a part; the whole answer after the last one.
    pub(super) fn note(
        &mut self,
        part: &Part,
        reasons: Vec<ReasonCode>,
        words: Option<ByteString>,
    ) -> Option<Answer> {
        let request = self.of(part.request)?;
        let answer = &mut request.answer;
        answer.answers.extend(part.names().into_iter().zip(reasons));
        answer.words = answer.words.take().or(words);
        let is_done = request.filters.is_empty()
            && !(self.asked.iter()).any(|(_, other)| other.request == part.request);
        let at = (self.open.iter()).position(|it| is_done && it.number == part.request)?;
        self.open.remove(at).map(|request| request.answer)
    }

    /// The next part of what has not gone out, of as many filters as `fits` and [`MOST_FILTERS`] allow, but at least one.
    fn next_part(&mut self, fits: impl Fn(&Packet) -> bool) -> Option<(Part, Packet)> {
        let request = (self.open.iter_mut()).find(|it| !it.filters.is_empty())?;
        let mut filters = request.filters.take(MOST_FILTERS);
        let mut packet = filters.packet(&request.properties);
        while filters.len() > 1 && !fits(&packet) {
            let first = filters.take(filters.len() - 1);
            request
                .filters
                .put_back(std::mem::replace(&mut filters, first));
            packet = filters.packet(&request.properties);
        }
        let request = request.number;
        Some((Part { request, filters }, packet))
    }
}

impl Filters {
    fn len(&self) -> usize {
        match self {
            Self::Subscribe(subscriptions) => subscriptions.len(),
            Self::Unsubscribe(filters) => filters.len(),
        }
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first `most` of them.
    fn take(&mut self, most: usize) -> Self {
        let most = most.min(self.len());
        match self {
            Self::Subscribe(all) => Self::Subscribe(all.drain(..most).collect()),
            Self::Unsubscribe(all) => Self::Unsubscribe(all.drain(..most).collect()),
        }
    }

    /// Puts back what was taken from the front; both are of a kind.
    fn put_back(&mut self, first: Self) {
        match (self, first) {
            (Self::Subscribe(all), Self::Subscribe(first)) => {
                first.into_iter().rev().for_each(|one| all.push_front(one));
            }
            (Self::Unsubscribe(all), Self::Unsubscribe(first)) => {
                first.into_iter().rev().for_each(|one| all.push_front(one));
            }
            _ => {}
        }
    }

    fn names(&self) -> Vec<ByteString> {
        match self {
            Self::Subscribe(all) => all.iter().map(|one| one.filter.clone()).collect(),
            Self::Unsubscribe(all) => all.iter().cloned().collect(),
        }
    }

    fn packet(&self, properties: &Properties) -> Packet {
        match self {
            Self::Subscribe(all) => Packet::Subscribe(Subscribe {
                packet_id: 1,
                subscriptions: all.iter().cloned().collect(),
                properties: properties.clone(),
            }),
            Self::Unsubscribe(all) => Packet::Unsubscribe(Unsubscribe {
                packet_id: 1,
                filters: all.iter().cloned().collect(),
                properties: properties.clone(),
            }),
        }
    }
}

impl Part {
    pub(super) const fn subscribes(&self) -> bool {
        matches!(self.filters, Filters::Subscribe(_))
    }

    /// Of how many filters it is.
    pub(super) fn len(&self) -> usize {
        self.filters.len()
    }

    fn names(&self) -> Vec<ByteString> {
        self.filters.names()
    }
}

impl Session {
    /// Makes a request: it goes out now or, when offline, over the next connection to the same session.
    pub(super) fn ask(&mut self, filters: Filters, properties: &Properties) -> Result<(), Fault> {
        let answer = Answer {
            subscribes: matches!(filters, Filters::Subscribe(_)),
            answers: Vec::new(),
            words: None,
        };
        if filters.is_empty() {
            self.tell(answer);
            return Ok(());
        }
        self.requests.next += 1;
        self.requests.open.push_back(Request {
            number: self.requests.next,
            filters,
            properties: properties.clone(),
            answer,
        });
        self.ask_on()
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
        self.is_online() && self.requests.is_empty()
    }

    /// Whether a SUBSCRIBE is not answered yet.
    pub fn awaits_suback(&self) -> bool {
        self.requests
            .asked
            .iter()
            .any(|(_, part)| part.subscribes())
    }

    /// The answer that is awaited, and for which filters: those that went out first, and others of the same kind.
    pub fn awaited(&self) -> Option<(&'static str, Vec<ByteString>)> {
        let asked = &self.requests.asked;
        let subscribes = asked.first()?.1.subscribes();
        let parts = asked
            .iter()
            .filter(|(_, part)| part.subscribes() == subscribes);
        let filters = parts.flat_map(|(_, part)| part.names());
        Some((
            if subscribes { "SUBACK" } else { "UNSUBACK" },
            filters.collect(),
        ))
    }

    /// Sends what waits, as far as it may be under way. What the server does not take counts as refused.
    pub(super) fn ask_on(&mut self) -> Result<(), Fault> {
        while self.is_online() && self.requests.asked.len() < MOST_ASKED {
            // Taken out, as what fits is known to the session as a whole.
            let mut requests = std::mem::take(&mut self.requests);
            let next = requests.next_part(|packet| self.fits(packet));
            self.requests = requests;
            let Some((part, packet)) = next else {
                return Ok(());
            };
            if !self.is_available(&part) {
                self.refuse_unavailable(part);
            } else if self.fits(&packet) {
                self.ask_part(part, packet)?;
            } else {
                let limit = self.limits.largest_out;
                let words = format!("the server accepts packets of at most {limit} bytes");
                let reasons = vec![ReasonCode::PACKET_TOO_LARGE; part.len()];
                self.note(&part, reasons, Some(words.into()));
            }
        }
        Ok(())
    }

    fn ask_part(&mut self, part: Part, mut packet: Packet) -> Result<(), Fault> {
        let reserved = self.outbound.reserve();
        match &mut packet {
            Packet::Subscribe(subscribe) => subscribe.packet_id = reserved,
            Packet::Unsubscribe(unsubscribe) => unsubscribe.packet_id = reserved,
            // `Filters::packet` makes no others.
            _ => {}
        }
        self.requests.asked.push((reserved, part));
        self.send(&packet)
    }

    /// Notes the answer to a part, and tells that of the request after the last one.
    pub(super) fn note(
        &mut self,
        part: &Part,
        reasons: Vec<ReasonCode>,
        words: Option<ByteString>,
    ) {
        if let Some(answer) = self.requests.note(part, reasons, words) {
            self.tell(answer);
        }
    }

    /// Whether the server has what a part asks for. Some have said that they have no shared subscriptions (MQTT 5.0 §3.2.2.3.13):
    /// to ask for one all the same would end the connection.
    fn is_available(&self, part: &Part) -> bool {
        let Filters::Subscribe(all) = &part.filters else {
            return true;
        };
        self.limits.shared_available || !all.iter().any(is_shared)
    }

    /// Refuses the shared subscriptions of a part in the server's place; the others go back to what is to be asked.
    fn refuse_unavailable(&mut self, mut part: Part) {
        let Filters::Subscribe(all) = &mut part.filters else {
            return;
        };
        let (shared, others) = std::mem::take(all).into_iter().partition(is_shared);
        *all = shared;
        if let Some(request) = self.requests.of(part.request) {
            request.filters.put_back(Filters::Subscribe(others));
        }
        let reason = ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
        let reasons = vec![reason; part.len()];
        self.note(&part, reasons, None);
    }

    /// The part that an answer belongs to.
    ///
    /// # Errors
    /// There is none of that kind, or it does not have so many filters; `None`: the answer does not say.
    pub(super) fn answered(
        &mut self,
        packet_id: u16,
        subscribes: bool,
        reasons: Option<usize>,
    ) -> Result<Part, Fault> {
        let fault = |what: &str| {
            let name = if subscribes { "SUBACK" } else { "UNSUBACK" };
            let text = format!("{name} with {what}");
            Err(Fault::protocol(ReasonCode::PROTOCOL_ERROR, text))
        };
        let is_this =
            |(id, part): &(u16, Part)| *id == packet_id && part.subscribes() == subscribes;
        let Some(at) = self.requests.asked.iter().position(is_this) else {
            return fault("an unknown packet identifier");
        };
        let filters = self.requests.asked[at].1.len();
        if reasons.is_some_and(|reasons| reasons != filters) {
            return fault("a wrong number of reason codes");
        }
        self.outbound.give_back(packet_id);
        Ok(self.requests.asked.remove(at).1)
    }
}

fn is_shared(subscription: &Subscription) -> bool {
    topic::shared(&subscription.filter).is_some()
}
