//! The sender's side of QoS 1 and 2 (MQTT 5.0 §4.3, §4.4): what was sent and is not yet complete.

use std::collections::{HashMap, VecDeque, hash_map};
use std::hash::{BuildHasherDefault, Hasher};

use bytestring::ByteString;

use crate::mqtt::packet::{Ack, Packet, Publish, QoS, ReasonCode};

/// The widest window: it leaves identifiers for SUBSCRIBE and UNSUBSCRIBE, whatever the peer allows.
const WIDEST: u16 = 65_000;

/// Where an outgoing message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// PUBLISH sent; kept whole, because it may have to be sent again.
    Published(Publish),
    /// QoS 2: PUBREC received, with this reason, and PUBREL sent. The receiver owns the message now; who would rather send it
    /// twice than lose it keeps it.
    Released(ReasonCode, Option<Box<Publish>>),
}

impl State {
    fn held(&self) -> usize {
        match self {
            Self::Published(publish) => publish.held(),
            Self::Released(_, kept) => kept.as_ref().map_or(0, |publish| publish.held()),
        }
    }

    fn is_exactly_once(&self) -> bool {
        match self {
            Self::Published(publish) => publish.qos == QoS::ExactlyOnce,
            Self::Released(..) => true,
        }
    }
}

#[derive(Clone, Debug)]
struct Entry<T> {
    /// Grows with each message, so that a resumed session sends again in the original order.
    order: u64,
    tag: T,
    state: State,
    /// Whether a PUBREL of it was sent again when the session was resumed.
    released_again: bool,
}

/// What an acknowledgement did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress<T> {
    /// The message is complete: accepted or refused, as the reason says.
    Done {
        /// What the sender attached to the message.
        tag: T,
        /// The receiver's reason code.
        reason: ReasonCode,
    },
    /// The receiver had the message (PUBREC), and knows nothing of it any more: it may or may not have passed it on.
    InDoubt(T),
    /// PUBREC: this PUBREL is to be sent.
    Release(Ack),
    /// The identifier is not in flight, or not at this stage: nothing to do, and no reason to end the connection.
    Unexpected,
}

/// A message taken back out of the store because the peer has lost the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Orphan<T> {
    /// Never acknowledged: to be sent anew.
    Unsent(T, Publish),
    /// The peer had sent PUBREC and owned the message when it lost the session.
    InDoubt(T),
}

/// Spreads packet identifiers over a hash table. We choose them ourselves, one after the other, so that there is
/// nobody to be guarded against and a multiplication does.
#[derive(Debug, Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u16(byte.into());
        }
    }

    fn write_u16(&mut self, id: u16) {
        self.0 = (self.0 ^ u64::from(id)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The messages in flight, by packet identifier; at most `window` of them.
///
/// Session state: it outlives the network connection. `T` is what the sender attaches to a message
/// to know it again; it is never the packet identifier, which wraps.
#[derive(Debug)]
pub(crate) struct Outbound<T> {
    entries: HashMap<u16, Entry<T>, BuildHasherDefault<Spread>>,
    /// Of a resumed session, what has not been sent again yet on this connection.
    again: VecDeque<u16>,
    /// Identifiers that SUBSCRIBE and UNSUBSCRIBE use at the moment; one number space serves all (MQTT 5.0 §2.2.1).
    reserved: Vec<u16>,
    window: u16,
    /// At most so many of them are of QoS 2.
    most_exactly_once: u16,
    /// And so many are.
    exactly_once: usize,
    last_id: u16,
    next_order: u64,
    /// What the messages kept hold, in bytes.
    held: usize,
    /// A message that the peer had, when it lost the session, is sent anew.
    at_least_once: bool,
}

impl<T: Clone> Outbound<T> {
    /// An empty store for at most `window` messages at a time.
    pub(crate) fn new(window: u16) -> Self {
        Self {
            entries: HashMap::default(),
            again: VecDeque::new(),
            reserved: Vec::new(),
            window: window.clamp(1, WIDEST),
            most_exactly_once: WIDEST,
            exactly_once: 0,
            last_id: 0,
            next_order: 0,
            held: 0,
            at_least_once: false,
        }
    }

    /// Would rather send a message of QoS 2 twice than lose it with the peer's session.
    pub(crate) fn loses_none(&mut self) {
        self.at_least_once = true;
    }

    /// Changes the window: the peer's Receive Maximum is known only after CONNACK.
    pub(crate) fn set_window(&mut self, window: u16) {
        self.window = window.clamp(1, WIDEST);
    }

    /// Lets at most so many messages of QoS 2 be in flight; `None`: as many as the window lets.
    pub(crate) fn limit_exactly_once(&mut self, most: Option<u16>) {
        self.most_exactly_once = most.unwrap_or(WIDEST);
    }

    /// Lets the next identifier be the one after `last`.
    pub(crate) fn start_after(&mut self, last: u16) {
        self.last_id = last;
    }

    /// How many more messages may be sent now.
    pub(crate) fn free(&self) -> usize {
        usize::from(self.window).saturating_sub(self.entries.len())
    }

    /// Whether one more message of this QoS (1 or 2) may be sent now.
    pub(crate) fn has_room(&self, qos: QoS) -> bool {
        let fits = || self.exactly_once < usize::from(self.most_exactly_once);
        self.free() > 0 && (qos < QoS::ExactlyOnce || fits())
    }

    /// The memory that the messages in flight hold, in bytes.
    pub(crate) const fn held(&self) -> usize {
        self.held
    }

    /// How many messages are in flight.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether a message with this identifier is in flight.
    pub(crate) fn holds(&self, packet_id: u16) -> bool {
        self.entries.contains_key(&packet_id)
    }

    /// Gives `publish` (QoS 1 or 2) its identifier and keeps a copy until it is complete.
    /// The caller has made sure that [`Self::free`] is not 0.
    pub(crate) fn start(&mut self, publish: &mut Publish, tag: T) {
        let (place, id) = loop {
            let id = self.next_id();
            if let hash_map::Entry::Vacant(place) = self.entries.entry(id)
                && (self.reserved.is_empty() || !self.reserved.contains(&id))
            {
                break (place, id);
            }
        };
        publish.packet_id = id;
        self.next_order += 1;
        let state = State::Published(publish.clone());
        // A copy may hold less than what it was copied from.
        self.held += state.held();
        self.exactly_once += usize::from(state.is_exactly_once());
        place.insert(Entry {
            order: self.next_order,
            tag,
            state,
            released_again: false,
        });
    }

    /// An identifier for a SUBSCRIBE or UNSUBSCRIBE, taken until [`Self::give_back`].
    pub(crate) fn reserve(&mut self) -> u16 {
        let id = self.unused_id();
        self.reserved.push(id);
        id
    }

    /// Frees an identifier of [`Self::reserve`]; false if it was not reserved.
    pub(crate) fn give_back(&mut self, packet_id: u16) -> bool {
        let known = self.reserved.iter().position(|&id| id == packet_id);
        known.map(|at| self.reserved.swap_remove(at)).is_some()
    }

    /// Frees all reserved identifiers: their answers cannot come any more, the connection is gone.
    pub(crate) fn give_back_all(&mut self) {
        self.reserved.clear();
    }

    /// The next identifier that nothing uses. There is always one: the window is at most [`WIDEST`], and whoever
    /// subscribes does not leave five hundred requests unanswered.
    fn unused_id(&mut self) -> u16 {
        loop {
            let id = self.next_id();
            if !self.entries.contains_key(&id) && !self.reserved.contains(&id) {
                return id;
            }
        }
    }

    fn next_id(&mut self) -> u16 {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        self.last_id
    }

    /// What the sender attached to a message in flight.
    pub(crate) fn tag(&self, packet_id: u16) -> Option<&T> {
        self.entries.get(&packet_id).map(|entry| &entry.tag)
    }

    /// Where a message in flight is to go; `None` when the receiver owns it already, or it is unknown.
    pub(crate) fn topic(&self, packet_id: u16) -> Option<ByteString> {
        match &self.entries.get(&packet_id)?.state {
            State::Published(publish) => Some(publish.topic.clone()),
            State::Released(_, kept) => kept.as_ref().map(|publish| publish.topic.clone()),
        }
    }

    /// PUBACK: completes a QoS 1 message.
    pub(crate) fn puback(&mut self, ack: &Ack) -> Progress<T> {
        self.complete_if(
            ack,
            |state| matches!(state, State::Published(publish) if publish.qos == QoS::AtLeastOnce),
        )
    }

    /// PUBREC: a QoS 2 message was received, or refused, which completes it (MQTT 5.0 §4.3.3).
    pub(crate) fn pubrec(&mut self, ack: &Ack) -> Progress<T> {
        let Some(entry) = self.entries.get_mut(&ack.packet_id) else {
            return Progress::Unexpected;
        };
        match &entry.state {
            State::Published(publish) if publish.qos != QoS::ExactlyOnce => Progress::Unexpected,
            State::Published(_) if ack.reason.is_failure() => self.complete_if(ack, |_| true),
            // A PUBREC that comes twice is answered twice: the first PUBREL may have been lost.
            State::Published(_) | State::Released(..) => {
                self.held -= entry.state.held();
                let released = State::Released(ack.reason, None);
                let kept = match std::mem::replace(&mut entry.state, released) {
                    State::Published(publish) => self.at_least_once.then(|| Box::new(publish)),
                    State::Released(_, kept) => kept,
                };
                entry.state = State::Released(ack.reason, kept);
                self.held += entry.state.held();
                Progress::Release(Ack {
                    packet_id: ack.packet_id,
                    ..Ack::default()
                })
            }
        }
    }

    /// PUBCOMP: completes a QoS 2 message.
    pub(crate) fn pubcomp(&mut self, ack: &Ack) -> Progress<T> {
        self.complete_if(ack, |state| matches!(state, State::Released(..)))
    }

    fn complete_if(&mut self, ack: &Ack, fits: impl Fn(&State) -> bool) -> Progress<T> {
        match self.entries.entry(ack.packet_id) {
            hash_map::Entry::Occupied(entry) if fits(&entry.get().state) => {
                let entry = entry.remove();
                self.held -= entry.state.held();
                self.exactly_once -= usize::from(entry.state.is_exactly_once());
                let tag = entry.tag;
                match entry.state {
                    // What PUBREC said of the subscribers, PUBCOMP does not repeat (MQTT 5.0 §3.5.2.1, §3.7.2.1). A receiver that
                    // has completed the message before the session was resumed does not find it any more: that is no error.
                    State::Released(reason, _) => {
                        match !ack.reason.is_failure() || entry.released_again {
                            true => Progress::Done { tag, reason },
                            false => Progress::InDoubt(tag),
                        }
                    }
                    State::Published(_) => Progress::Done {
                        tag,
                        reason: ack.reason,
                    },
                }
            }
            _ => Progress::Unexpected,
        }
    }

    /// Forgets a message in flight, which is not to be sent again.
    pub(crate) fn forget(&mut self, packet_id: u16) {
        if let Some(entry) = self.entries.remove(&packet_id) {
            self.held -= entry.state.held();
            self.exactly_once -= usize::from(entry.state.is_exactly_once());
        }
    }

    /// The one message that was sent over this connection and that the receiver does not own; `None` where there is another
    /// number of them.
    pub(crate) fn only_sent(&self) -> Option<u16> {
        let sent = self.entries.iter().filter(|(id, entry)| {
            matches!(entry.state, State::Published(_)) && !self.again.contains(id)
        });
        let mut ids = sent.map(|(id, _)| *id);
        ids.next().filter(|_| ids.next().is_none())
    }

    /// Forgets a message that the receiver does not own; what the sender attached to it, and where it was to go.
    pub(crate) fn give_up(&mut self, packet_id: u16) -> Option<(T, ByteString)> {
        let topic = self.topic(packet_id)?;
        let entry = self.entries.remove(&packet_id)?;
        self.held -= entry.state.held();
        self.exactly_once -= usize::from(entry.state.is_exactly_once());
        Some((entry.tag, topic))
    }

    /// Whether messages of a resumed session are still to be sent again.
    pub(crate) fn has_again(&self) -> bool {
        !self.again.is_empty()
    }

    /// A resumed session begins: everything in flight is to be sent again, in the original order, by
    /// [`Self::next_again`].
    pub(crate) fn resume(&mut self) {
        let mut ids: Vec<_> = self
            .entries
            .iter()
            .map(|(id, entry)| (entry.order, *id))
            .collect();
        ids.sort_unstable();
        self.again = ids.into_iter().map(|(_, id)| id).collect();
    }

    /// What is to be sent again next, PUBLISH with DUP set or PUBREL; `None` when that is all, or the window,
    /// which may be smaller than on the connection before, has no room yet.
    pub(crate) fn next_again(&mut self) -> Option<Packet> {
        while self.entries.len() - self.again.len().min(self.entries.len())
            < usize::from(self.window)
        {
            let packet_id = self.again.pop_front()?;
            // It may have been completed meanwhile by a late acknowledgement.
            let Some(entry) = self.entries.get_mut(&packet_id) else {
                continue;
            };
            entry.released_again = matches!(entry.state, State::Released(..));
            return Some(match &entry.state {
                State::Published(publish) => Packet::Publish(Publish {
                    duplicate: true,
                    ..publish.clone()
                }),
                State::Released(..) => Packet::PubRel(Ack {
                    packet_id,
                    ..Ack::default()
                }),
            });
        }
        None
    }

    /// Empties the store, in the original order: the peer has lost the session.
    pub(crate) fn orphans(&mut self) -> Vec<Orphan<T>> {
        self.again.clear();
        (self.held, self.exactly_once) = (0, 0);
        let mut entries: Vec<_> = self.entries.drain().map(|(_, entry)| entry).collect();
        entries.sort_unstable_by_key(|entry| entry.order);
        let orphan = |entry: Entry<T>| match entry.state {
            State::Published(publish) => Orphan::Unsent(entry.tag, publish),
            State::Released(_, Some(publish)) => Orphan::Unsent(entry.tag, *publish),
            State::Released(_, None) => Orphan::InDoubt(entry.tag),
        };
        entries.into_iter().map(orphan).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::packet::Property;

    fn message(qos: QoS) -> Publish {
        Publish {
            qos,
            topic: "a".into(),
            ..Publish::default()
        }
    }

    fn ack(packet_id: u16) -> Ack {
        Ack {
            packet_id,
            ..Ack::default()
        }
    }

    fn refusal(packet_id: u16) -> Ack {
        Ack {
            packet_id,
            reason: ReasonCode::NOT_AUTHORIZED,
            ..Ack::default()
        }
    }

    /// A list of properties that grew has more room than its copy.
    #[test]
    fn what_is_completed_holds_nothing() {
        let mut outbound = Outbound::new(10);
        let mut publish = message(QoS::AtLeastOnce);
        for _ in 0..3 {
            let pair = Property::UserProperty("k".into(), "v".into());
            publish.properties.push(pair);
        }
        outbound.start(&mut publish, ());
        assert!(outbound.held() > 0);
        outbound.puback(&ack(publish.packet_id));
        assert_eq!(outbound.held(), 0);
    }

    #[test]
    fn identifiers_wrap_around_and_skip_those_in_use() {
        let mut store = Outbound::new(10);
        store.start(&mut message(QoS::AtLeastOnce), 0);
        let reserved = store.reserve();
        assert_eq!(reserved, 2);
        for round in 0..65_533u32 {
            let mut publish = message(QoS::AtLeastOnce);
            store.start(&mut publish, round);
            assert!(publish.packet_id > 2, "identifiers 1 and 2 are in use");
            store.puback(&ack(publish.packet_id));
        }
        let mut wrapped = message(QoS::AtLeastOnce);
        store.start(&mut wrapped, 0);
        assert_eq!(wrapped.packet_id, 3);
    }

    #[test]
    fn messages_of_qos_2_have_a_window_of_their_own() {
        let mut store = Outbound::new(10);
        store.limit_exactly_once(Some(2));
        for qos in [QoS::ExactlyOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            assert!(store.has_room(qos));
            store.start(&mut message(qos), ());
        }
        assert!(store.has_room(QoS::AtLeastOnce) && !store.has_room(QoS::ExactlyOnce));
        store.puback(&ack(2));
        store.pubrec(&ack(1));
        assert!(!store.has_room(QoS::ExactlyOnce), "the server has it still");
        store.pubcomp(&ack(1));
        assert!(store.has_room(QoS::ExactlyOnce));
        store.start(&mut message(QoS::ExactlyOnce), ());
        store.pubrec(&refusal(3));
        assert!(store.has_room(QoS::ExactlyOnce));
        store.orphans();
        store.limit_exactly_once(Some(1));
        assert!(store.has_room(QoS::ExactlyOnce));
    }

    #[test]
    fn a_refused_pubrec_frees_the_window() {
        let mut store = Outbound::new(1);
        for round in 0..5 {
            assert_eq!(store.free(), 1);
            let mut publish = message(QoS::ExactlyOnce);
            store.start(&mut publish, round);
            assert_eq!(store.free(), 0);
            let done = store.pubrec(&refusal(publish.packet_id));
            assert_eq!(
                done,
                Progress::Done {
                    tag: round,
                    reason: ReasonCode::NOT_AUTHORIZED
                }
            );
        }
    }

    #[test]
    fn acknowledgements_out_of_place_change_nothing() {
        let mut store = Outbound::new(5);
        store.start(&mut message(QoS::AtLeastOnce), ());
        store.start(&mut message(QoS::ExactlyOnce), ());
        assert_eq!(store.puback(&ack(9)), Progress::Unexpected);
        assert_eq!(store.puback(&ack(2)), Progress::Unexpected);
        assert_eq!(store.pubrec(&ack(1)), Progress::Unexpected);
        assert_eq!(store.pubcomp(&ack(2)), Progress::Unexpected);
        assert_eq!(store.len(), 2);
    }

    #[test]
    fn a_resumed_session_sends_again_in_order_from_where_each_message_stood() {
        let mut store = Outbound::new(5);
        for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce, QoS::AtLeastOnce] {
            store.start(&mut message(qos), ());
        }
        store.pubrec(&ack(2));
        store.resume();
        let again: Vec<_> = std::iter::from_fn(|| store.next_again()).collect();
        let Packet::Publish(first) = &again[0] else {
            panic!("a PUBLISH comes first")
        };
        assert!(first.duplicate && first.packet_id == 1);
        assert_eq!(again[1], Packet::PubRel(ack(2)));
        assert!(matches!(&again[2], Packet::Publish(third) if third.packet_id == 3));
    }

    /// MQTT 5.0 §3.6.2.1: not found is "not an error during recovery", and a mismatch otherwise.
    #[test]
    fn a_message_that_pubrec_accepted_is_never_refused() {
        let mut store = Outbound::new(5);
        let not_found = |packet_id| Ack {
            reason: ReasonCode::PACKET_IDENTIFIER_NOT_FOUND,
            ..ack(packet_id)
        };
        for tag in ['a', 'b', 'c'] {
            store.start(&mut message(QoS::ExactlyOnce), tag);
        }
        store.pubrec(&ack(1));
        assert_eq!(store.pubcomp(&not_found(1)), Progress::InDoubt('a'));
        store.pubrec(&Ack {
            reason: ReasonCode::NO_MATCHING_SUBSCRIBERS,
            ..ack(2)
        });
        store.resume();
        while store.next_again().is_some() {}
        let done = |tag, reason| Progress::Done { tag, reason };
        let unheard = done('b', ReasonCode::NO_MATCHING_SUBSCRIBERS);
        assert_eq!(store.pubcomp(&not_found(2)), unheard);
        // Its PUBREL is sent for the first time.
        store.pubrec(&ack(3));
        assert_eq!(store.pubcomp(&not_found(3)), Progress::InDoubt('c'));
        assert_eq!((store.len(), store.held()), (0, 0));
    }

    #[test]
    fn a_smaller_window_is_kept_while_a_session_is_resumed() {
        let mut store = Outbound::new(5);
        for _ in 0..4 {
            store.start(&mut message(QoS::AtLeastOnce), ());
        }
        store.set_window(2);
        store.resume();
        let sent = |store: &mut Outbound<()>| std::iter::from_fn(|| store.next_again()).count();
        assert_eq!(sent(&mut store), 2);
        store.puback(&ack(1));
        assert_eq!(sent(&mut store), 1);
        store.puback(&ack(2));
        store.puback(&ack(3));
        assert_eq!(sent(&mut store), 1);
        assert_eq!((sent(&mut store), store.free()), (0, 1));
    }

    #[test]
    fn a_lost_session_gives_everything_back() {
        let mut store = Outbound::new(5);
        store.start(&mut message(QoS::AtLeastOnce), 'a');
        store.start(&mut message(QoS::ExactlyOnce), 'b');
        store.pubrec(&ack(2));
        let orphans = store.orphans();
        assert!(matches!(&orphans[0], Orphan::Unsent('a', publish) if publish.packet_id == 1));
        assert_eq!(orphans[1], Orphan::InDoubt('b'));
        assert_eq!(store.len(), 0);
    }

    #[test]
    fn who_loses_none_gets_a_released_message_back_too() {
        let mut store = Outbound::new(5);
        store.loses_none();
        for tag in ['a', 'b'] {
            store.start(&mut message(QoS::ExactlyOnce), tag);
        }
        let held = store.held;
        for id in [1, 2, 2] {
            store.pubrec(&ack(id));
        }
        assert_eq!((store.held, store.topic(2).is_some()), (held, true));
        store.pubcomp(&ack(1));
        let orphans = store.orphans();
        assert!(matches!(&orphans[..], [Orphan::Unsent('b', publish)] if publish.packet_id == 2));
        assert_eq!(store.held, 0);
    }
}
