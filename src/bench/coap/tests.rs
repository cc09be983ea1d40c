//! One socket with a scripted server on a virtual clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::mix::Mix;
use super::observer::Observer;
use super::session::{CoapSession, Role};
use super::settings::{Scenario, Settings};
use super::template::Body;
use crate::bench::clock::Nanos;
use crate::bench::connection_state::ConnectionState;
use crate::bench::driver::{Action, Broken, Session};
use crate::bench::plan::Load;
use crate::bench::recorder::{Quantity, Records, Window};
use crate::bench::stamp::Stamp;
use crate::coap::code::Code;
use crate::coap::frame::{self, Csm};
use crate::coap::message::{Message, Token, Type};
use crate::coap::option::{self, Options};
use crate::coap::uri::Uri;
use crate::coap::wire::Framing;

const MS: Nanos = 1_000_000;
const SECOND: Nanos = 1_000 * MS;

fn settings(scenario: Scenario) -> Settings {
    Settings {
        scenario,
        uri: Uri::parse("coap://127.0.0.1/a").unwrap(),
        options: Options::new(),
        mix: Mix::new(&[(Code::GET, 1)]).unwrap(),
        confirmable: true,
        body: Body::Sized { least: 8, most: 8 },
        sockets: 1,
        observers: 0,
        load: Load::Closed {
            window: 4,
            think: Duration::ZERO,
        },
        window: 4,
        timeout: Duration::from_secs(100),
        ack_timeout: Duration::from_secs(2),
        max_retransmit: 4,
        run_id: 1,
        seed: 1,
    }
}

/// A lane, its books and its clock.
struct World {
    lane: ConnectionState,
    records: Records,
    now: Nanos,
    out: Vec<u8>,
    framing: Framing,
}

impl World {
    fn new(settings: &Settings) -> Self {
        Self::over(settings, Framing::Datagrams)
    }

    fn over(settings: &Settings, framing: Framing) -> Self {
        let group = Arc::new(settings.group(framing));
        let world = Self::of(Box::new(CoapSession::new(group, 0, 7)), framing);
        assert_eq!(world.lane.ready, framing == Framing::Datagrams);
        world
    }

    fn observing(framing: Framing) -> Self {
        let settings = settings(Scenario::Request);
        let group = Arc::new(settings.group_of(Role::Observe, framing));
        Self::of(Box::new(Observer::new(group, 0, 7)), framing)
    }

    fn of(session: Box<dyn Session>, framing: Framing) -> Self {
        let window = Window {
            from: SECOND,
            to: Nanos::MAX,
        };
        let mut world = Self {
            lane: ConnectionState::new(session, 0),
            records: Records {
                window,
                ..Records::default()
            },
            now: SECOND,
            out: Vec::new(),
            framing,
        };
        let wish = world.call(|lane, now, out, records| {
            lane.with(now, out, records, |session, io| session.connected(io))
                .1
        });
        world.lane.ready = wish == Action::Ready;
        world
    }

    fn call<T>(
        &mut self,
        call: impl FnOnce(&mut ConnectionState, Nanos, &mut Vec<u8>, &mut Records) -> T,
    ) -> T {
        call(&mut self.lane, self.now, &mut self.out, &mut self.records)
    }

    /// Messages that the socket has written since the last time.
    fn written(&mut self) -> Vec<Message> {
        let bytes = std::mem::take(&mut self.out);
        let mut messages = Vec::new();
        if self.framing == Framing::Stream {
            let mut decoder = frame::Decoder::new(1 << 20);
            decoder.push(&bytes);
            while let Some(message) = decoder.take().unwrap() {
                messages.push(message);
            }
            return messages;
        }
        let mut rest = &bytes[..];
        while let Some((prefix, behind)) = rest.split_first_chunk::<2>() {
            let (datagram, behind) = behind.split_at(u16::from_be_bytes(*prefix).into());
            messages.push(Message::decode(datagram).unwrap());
            rest = behind;
        }
        messages
    }

    /// Sends `count` requests now, and returns them.
    fn send(&mut self, count: u64) -> Vec<Message> {
        let sent = self.call(|lane, now, out, records| lane.fill_now(count, now, out, records).1);
        assert_eq!(sent, count);
        self.written()
    }

    fn hear(&mut self, message: &Message) -> Result<Action, Broken> {
        let bytes = match self.framing {
            Framing::Stream => frame::encode_stream(message).unwrap().to_vec(),
            Framing::Datagrams => {
                let datagram = message.encode().unwrap();
                [&(datagram.len() as u16).to_be_bytes()[..], &datagram].concat()
            }
        };
        let fed = self.call(|lane, now, out, records| lane.feed(&bytes, now, out, records));
        fed.map(|(taken, wish)| {
            assert_eq!(taken, bytes.len());
            wish
        })
    }

    /// Lets time pass as the engine does, up to `at`; what was written on the way, with its time.
    fn pass(&mut self, at: Nanos) -> Vec<(Nanos, Message)> {
        let mut written = Vec::new();
        loop {
            let next = self.call(|lane, now, out, records| {
                lane.with(now, out, records, |session, io| session.tick(false, io))
                    .0
            });
            let now = self.now;
            written.extend(self.written().into_iter().map(|message| (now, message)));
            match next {
                Some(next) if next <= at => self.now = next.max(self.now + 1),
                _ => break,
            }
        }
        self.now = at;
        written
    }

    fn counts(&self) -> BTreeMap<&'static str, u64> {
        let counts = self.records.counts.iter();
        counts
            .filter(|(_, count)| **count > 0)
            .map(|(name, count)| (*name, *count))
            .collect()
    }
}

fn answer(request: &Message, kind: Type, mid: u16, code: Code) -> Message {
    Message::new(kind, code, mid, request.token)
}

fn piggybacked(request: &Message) -> Message {
    answer(request, Type::Ack, request.mid, Code::CONTENT)
}

#[test]
fn each_response_answers_its_own_request() {
    let mut world = World::new(&settings(Scenario::Request));
    let requests = world.send(4);
    assert_eq!(world.lane.session.room(), 0);
    for (at, request) in requests.iter().enumerate().rev() {
        world.now += (at as Nanos + 1) * MS;
        world.hear(&piggybacked(request)).unwrap();
    }
    assert_eq!(world.records.messages.acknowledged, 4);
    assert_eq!(world.counts()["piggybacked"], 4);
    assert_eq!(world.lane.session.in_flight(), 0);
    let slowest = world.records.of(Quantity::Service).at_quantile(1.0);
    assert!(slowest.abs_diff(10 * MS) < MS / 50, "{slowest}");
    assert!(
        world.written().is_empty(),
        "acknowledgements are not answered"
    );
    assert_eq!(world.records.messages.received_bytes, 4 * 8);
    assert_eq!(world.records.messages.sent_bytes, 4 * 10);
}

#[test]
fn a_lost_request_is_sent_again_with_growing_waits_and_counted() {
    let mut world = World::new(&settings(Scenario::Request));
    let request = world.send(1).remove(0);
    let again = world.pass(SECOND + 40 * SECOND);
    assert_eq!(again.len(), 3, "at 2 to 3, 6 to 9, and 14 to 21 s");
    assert!(again.iter().all(|(_, message)| *message == request));
    let waits = [
        again[0].0 - SECOND,
        again[1].0 - again[0].0,
        again[2].0 - again[1].0,
    ];
    assert!((2 * SECOND..=3 * SECOND).contains(&waits[0]), "{waits:?}");
    assert!(waits[1].abs_diff(2 * waits[0]) < MS, "{waits:?}");
    assert!(waits[2].abs_diff(4 * waits[0]) < MS, "{waits:?}");
    world.hear(&piggybacked(&request)).unwrap();
    assert_eq!(world.counts()["retransmissions"], 3);
    let messages = world.records.messages;
    assert_eq!(
        (messages.sent, messages.repeated, messages.acknowledged),
        (1, 1, 1)
    );
}

fn challenge(request: &Message, echo: &'static [u8]) -> Message {
    let mut challenge = answer(request, Type::Ack, request.mid, Code::UNAUTHORIZED);
    challenge.options.push(option::ECHO, echo);
    challenge
}

#[test]
fn a_challenge_is_answered_with_its_echo_and_the_request_goes_on() {
    let mut settings = settings(Scenario::Request);
    settings.mix = Mix::new(&[(Code::PUT, 1)]).unwrap();
    settings.options.push_uint(option::NO_RESPONSE, 2);
    let mut world = World::new(&settings);
    let request = world.send(1).remove(0);
    world.now += 10 * MS;
    world.hear(&challenge(&request, b"one")).unwrap();
    let [again] = &world.written()[..] else {
        panic!("the request once more");
    };
    assert_eq!(again.options.first(option::ECHO).unwrap(), &b"one"[..]);
    assert!(again.mid != request.mid && again.token != request.token);
    assert_eq!(
        (again.code, &again.payload),
        (request.code, &request.payload)
    );
    let path = |it: &Message| it.options.texts(option::URI_PATH);
    assert_eq!(path(again), path(&request));
    assert!(again.options.contains(option::NO_RESPONSE));
    // Lost, it is the same again.
    let repeated = world.pass(world.now + 4 * SECOND);
    assert!(repeated.iter().all(|(_, it)| it == again) && !repeated.is_empty());
    world.hear(&piggybacked(again)).unwrap();
    let messages = &world.records.messages;
    assert_eq!((messages.acknowledged, messages.refused), (1, 0));
    assert_eq!(world.counts()["challenges"], 1);
    let waited = world.records.of(Quantity::Service).at_quantile(1.0);
    assert!(waited > 4 * SECOND, "from the first request on: {waited}");
    // The next request begins without.
    let next = world.send(1).remove(0);
    assert!(!next.options.contains(option::ECHO));
}

#[test]
fn challenges_without_end_are_a_refusal() {
    let mut world = World::new(&settings(Scenario::Request));
    let mut request = world.send(1).remove(0);
    for _ in 0..2 {
        world.hear(&challenge(&request, b"more")).unwrap();
        request = world.written().remove(0);
    }
    world.hear(&challenge(&request, b"more")).unwrap();
    assert!(world.written().is_empty());
    assert_eq!(world.records.messages.refused, 1);
    assert_eq!(world.lane.session.in_flight(), 0);
}

#[test]
fn an_observer_answers_a_challenge() {
    let mut world = World::observing(Framing::Datagrams);
    let asked = world.written().remove(0);
    world.hear(&challenge(&asked, b"who")).unwrap();
    let again = world.written().remove(0);
    assert_eq!(again.options.first(option::ECHO).unwrap(), &b"who"[..]);
    assert_eq!(again.options.observe(), Some(0));
    let mut accepted = piggybacked(&again);
    accepted.options.push_uint(option::OBSERVE, 1);
    assert_eq!(world.hear(&accepted).unwrap(), Action::Ready);
}

#[test]
fn a_request_that_nobody_answers_is_given_up_and_leaves_its_place() {
    let mut world = World::new(&settings(Scenario::Request));
    let request = world.send(4).remove(0);
    let again = world.pass(SECOND + 99 * SECOND);
    assert_eq!(again.len(), 16, "four times each");
    assert_eq!(world.records.messages.timed_out, 4);
    assert_eq!(world.lane.session.room(), 4);
    world.hear(&piggybacked(&request)).unwrap();
    assert_eq!(world.counts()["late_responses"], 1);
    assert_eq!(world.records.messages.acknowledged, 0);
}

#[test]
fn the_time_out_ends_it_before_all_repetitions() {
    let mut world = World::new(&Settings {
        timeout: Duration::from_secs(5),
        ..settings(Scenario::Request)
    });
    world.send(1);
    let again = world.pass(SECOND + 5 * SECOND);
    assert_eq!((again.len(), world.records.messages.timed_out), (1, 1));
}

#[test]
fn a_separate_response_is_awaited_in_peace_and_acknowledged() {
    let mut world = World::new(&settings(Scenario::Request));
    let request = world.send(1).remove(0);
    world.hear(&Message::empty(Type::Ack, request.mid)).unwrap();
    assert!(world.pass(30 * SECOND).is_empty(), "it is not sent again");
    let response = answer(&request, Type::Con, 99, Code::CONTENT);
    for _ in 0..2 {
        world.hear(&response).unwrap();
        assert_eq!(world.written(), [Message::empty(Type::Ack, 99)]);
    }
    assert_eq!(world.records.messages.acknowledged, 1);
    assert_eq!(world.counts()["separate"], 1);
    assert_eq!(world.counts()["duplicate_responses"], 1);
}

#[test]
fn promised_and_never_sent_is_a_time_out() {
    let mut world = World::new(&settings(Scenario::Request));
    let request = world.send(1).remove(0);
    world.hear(&Message::empty(Type::Ack, request.mid)).unwrap();
    assert!(world.pass(SECOND + 101 * SECOND).is_empty());
    assert_eq!(world.records.messages.timed_out, 1);
}

#[test]
fn a_reset_and_an_error_code_are_refusals() {
    let mut world = World::new(&settings(Scenario::Request));
    let requests = world.send(2);
    world
        .hear(&Message::empty(Type::Rst, requests[0].mid))
        .unwrap();
    let refusal = answer(&requests[1], Type::Ack, requests[1].mid, Code::NOT_FOUND);
    world.hear(&refusal).unwrap();
    assert_eq!(world.records.messages.refused, 2);
    assert_eq!(world.counts()["resets"], 1);
    let causes: Vec<_> = world.records.errors.keys().collect();
    assert_eq!(
        causes,
        [
            "refused by the server: 4.04 Not Found",
            "reset by the server"
        ]
    );
}

#[test]
fn a_success_that_answers_nothing_that_was_asked_is_none() {
    let mut world = World::new(&settings(Scenario::Request));
    let requests = world.send(2);
    for (request, code) in requests.iter().zip([Code::VALID, Code::CONTINUE]) {
        let success = answer(request, Type::Ack, request.mid, code);
        world.hear(&success).unwrap();
    }
    let messages = &world.records.messages;
    assert_eq!((messages.acknowledged, messages.refused), (0, 2));
    let causes: Vec<_> = world.records.errors.keys().collect();
    assert_eq!(
        causes,
        [
            "2.03 Valid in response to a request without ETag",
            "2.31 Continue in response to a request without Block1"
        ]
    );
    // Whoever asks whether its ETag is valid is told.
    let mut asking = settings(Scenario::Request);
    asking.options.push(option::ETAG, &b"1"[..]);
    let mut world = World::new(&asking);
    let request = world.send(1).remove(0);
    let valid = answer(&request, Type::Ack, request.mid, Code::VALID);
    world.hear(&valid).unwrap();
    assert_eq!(world.records.messages.acknowledged, 1);
}

#[test]
fn what_is_not_ours_is_rejected_and_answers_nothing() {
    let mut world = World::new(&settings(Scenario::Request));
    let request = world.send(1).remove(0);
    let strangers = [
        // Another token, another id in the acknowledgement, a request.
        Message::new(Type::Con, Code::CONTENT, 50, Token::new(&[9; 4]).unwrap()),
        answer(
            &request,
            Type::Ack,
            request.mid.wrapping_add(1),
            Code::CONTENT,
        ),
        answer(&request, Type::Con, 51, Code::GET),
    ];
    for stranger in &strangers {
        world.hear(stranger).unwrap();
    }
    let rejected = [50, 51].map(|mid| Message::empty(Type::Rst, mid));
    assert_eq!(world.written(), rejected);
    assert_eq!(world.records.messages.foreign, 3);
    assert_eq!(world.lane.session.in_flight(), 1);
    world.hear(&Message::empty(Type::Con, 52)).unwrap();
    assert_eq!(world.written(), [Message::empty(Type::Rst, 52)], "a ping");
}

#[test]
fn non_confirmable_requests_are_sent_once() {
    let mut world = World::new(&Settings {
        confirmable: false,
        ..settings(Scenario::Request)
    });
    let request = world.send(2).remove(0);
    assert_eq!(request.kind, Type::Non);
    world
        .hear(&answer(&request, Type::Non, 3, Code::CONTENT))
        .unwrap();
    assert!(world.pass(SECOND + 100 * SECOND).is_empty());
    let messages = world.records.messages;
    assert_eq!((messages.acknowledged, messages.timed_out), (1, 1));
}

#[test]
fn a_larger_body_is_noticed() {
    let mut world = World::new(&settings(Scenario::Request));
    let request = world.send(1).remove(0);
    let mut first = piggybacked(&request);
    first.options.push_uint(option::BLOCK2, 8 | 6);
    world.hear(&first).unwrap();
    assert_eq!(world.counts()["first_blocks"], 1);
}

#[test]
fn pings_are_answered_by_resets() {
    let mut world = World::new(&settings(Scenario::Ping));
    let pings = world.send(3);
    assert!(
        pings
            .iter()
            .all(|ping| ping.code == Code::EMPTY && ping.kind == Type::Con)
    );
    for ping in &pings {
        world.hear(&Message::empty(Type::Rst, ping.mid)).unwrap();
    }
    assert_eq!(world.records.messages.acknowledged, 3);
    assert!(world.records.errors.is_empty());
}

#[test]
fn a_connection_is_a_message_when_it_is_opened_again() {
    let mut world = World::new(&settings(Scenario::Churn));
    let (wish, sent, _) = world.call(|lane, now, out, records| lane.fill_now(1, now, out, records));
    assert_eq!((wish, sent), (Action::Again, 1));
    world.now += 3 * MS;
    let (_, wish) = world.call(|lane, now, out, records| {
        lane.with(now, out, records, |session, io| session.connected(io))
    });
    assert_eq!(wish, Action::Ready);
    assert_eq!(world.records.messages.acknowledged, 1);
}

#[test]
fn what_was_under_way_is_lost_with_the_socket() {
    let mut world = World::new(&settings(Scenario::Request));
    let old = world.send(2).remove(0);
    world.call(|lane, now, out, records| {
        lane.with(now, out, records, |session, io| session.lost(io))
    });
    assert_eq!(world.records.messages.lost_with_connection, 2);
    world.hear(&piggybacked(&old)).unwrap();
    assert_eq!(world.records.messages.acknowledged, 0);
}

#[test]
fn a_stream_greets_answers_pings_and_ends_by_an_abort() {
    let mut world = World::over(&settings(Scenario::Request), Framing::Stream);
    assert_eq!(world.written()[0].code, Code::CSM);
    assert_eq!(world.hear(&Csm::default().message()), Ok(Action::Ready));
    let requests = world.send(2);
    for request in &requests {
        world.hear(&piggybacked(request)).unwrap();
    }
    assert_eq!(world.records.messages.acknowledged, 2);
    assert_eq!(world.counts().get("piggybacked"), None);
    let token = Token::new(&[5]).unwrap();
    world
        .hear(&frame::signal_message(Code::PING, token))
        .unwrap();
    assert_eq!(world.written(), [frame::signal_message(Code::PONG, token)]);
    let broken = world.hear(&frame::abort("no\n")).unwrap_err();
    assert_eq!(broken.cause, "the server aborted the connection: no\\n");
}

#[test]
fn a_server_with_smaller_messages_gets_none_that_is_larger() {
    let mut settings = settings(Scenario::Request);
    settings.mix = Mix::new(&[(Code::PUT, 1)]).unwrap();
    settings.body = Body::Sized {
        least: 5000,
        most: 5000,
    };
    let csm = |max_message_size| {
        let mut world = World::over(&settings, Framing::Stream);
        let csm = Csm {
            max_message_size,
            block_wise: true,
        };
        world.hear(&csm.message())
    };
    assert_eq!(csm(6000), Ok(Action::Ready));
    let refused = csm(1152).unwrap_err();
    assert!(
        refused
            .cause
            .starts_with("the server accepts messages of at most 1152 bytes"),
        "{}",
        refused.cause
    );
}

#[test]
fn pongs_without_a_token_answer_the_oldest_ping() {
    let mut world = World::over(&settings(Scenario::Ping), Framing::Stream);
    world.written();
    world.hear(&Csm::default().message()).unwrap();
    let pings = world.send(2);
    assert!(pings.iter().all(|ping| ping.code == Code::PING));
    world
        .hear(&frame::signal_message(Code::PONG, pings[1].token))
        .unwrap();
    world
        .hear(&frame::signal_message(Code::PONG, Token::EMPTY))
        .unwrap();
    assert_eq!(world.records.messages.acknowledged, 2);
}

/// A notification with this number and Max-Age 9.
fn told(register: &Message, kind: Type, mid: u16, number: u64, payload: &[u8]) -> Message {
    let mut message = answer(register, kind, mid, Code::CONTENT);
    message.options.push_uint(option::OBSERVE, number);
    message.options.push_uint(option::MAX_AGE, 9);
    message.payload = payload.to_vec().into();
    message
}

#[test]
fn an_observer_registers_until_it_is_heard_and_counts_what_it_is_told() {
    let mut world = World::observing(Framing::Datagrams);
    let register = world.written().remove(0);
    assert_eq!(
        (register.code, register.options.observe()),
        (Code::GET, Some(0))
    );
    let again = world.pass(SECOND + 4 * SECOND);
    assert_eq!(again.len(), 1, "the first one was lost");
    assert_eq!(again[0].1, register);
    let answered = world.hear(&told(&register, Type::Ack, register.mid, 5, b"1"));
    assert_eq!(answered, Ok(Action::Ready));
    let mut stamped = [0; 24];
    Stamp {
        measured: true,
        due: world.now,
        sequence: 3,
        sender: 1,
        run: 1,
    }
    .write(&mut stamped);
    world.now += 2 * MS;
    for (mid, number, payload) in [
        (60, 6, &b"2"[..]),
        (61, 8, b"4"),
        (62, 7, b"3"),
        (62, 7, b"3"),
        (63, 9, &stamped),
    ] {
        world
            .hear(&told(&register, Type::Con, mid, number, payload))
            .unwrap();
        assert_eq!(world.written(), [Message::empty(Type::Ack, mid)]);
    }
    let messages = world.records.messages.clone();
    assert_eq!(
        (messages.received, messages.unique, messages.duplicate),
        (5, 4, 1)
    );
    assert_eq!((messages.reordered, messages.foreign), (1, 0));
    let latency = world.records.of(Quantity::EndToEnd).at_quantile(1.0);
    assert!(latency.abs_diff(2 * MS) < MS / 50, "{latency}");
}

#[test]
fn an_observer_registers_again_after_max_age_and_cancels_at_the_end() {
    let mut world = World::observing(Framing::Datagrams);
    let register = world.written().remove(0);
    world
        .hear(&told(&register, Type::Ack, register.mid, 5, b"1"))
        .unwrap();
    let began = world.now;
    let again = world.pass(began + 25 * SECOND);
    assert!(
        again[0].0 - began >= 14 * SECOND,
        "Max-Age and 5 to 15 s: {again:?}"
    );
    assert_eq!(again[0].1.token, register.token);
    let second = &again[0].1;
    world
        .hear(&told(second, Type::Ack, second.mid, 5, b"1"))
        .unwrap();
    assert_eq!(
        world.records.messages.received, 0,
        "an answer tells nothing new"
    );
    assert_eq!(world.counts()["registrations_again"], 1);
    world.call(|lane, now, out, records| {
        lane.with(now, out, records, |session, io| session.finish(io))
    });
    let cancel = world.written().remove(0);
    assert_eq!(
        (cancel.kind, cancel.options.observe()),
        (Type::Non, Some(1))
    );
}

#[test]
fn what_cannot_be_observed_is_no_connection() {
    for framing in [Framing::Datagrams, Framing::Stream] {
        let mut world = World::observing(framing);
        if framing == Framing::Stream {
            world.written();
            world.hear(&Csm::default().message()).unwrap();
        }
        let register = world.written().remove(0);
        let broken = world.hear(&piggybacked(&register)).unwrap_err();
        assert_eq!(broken.cause, "the resource cannot be observed");
        let valid = answer(&register, Type::Ack, register.mid, Code::VALID);
        let broken = world.hear(&valid).unwrap_err();
        assert!(broken.cause.starts_with("2.03 Valid in response"));
        let refusal = answer(&register, Type::Ack, register.mid, Code::NOT_FOUND);
        let broken = world.hear(&refusal).unwrap_err();
        assert_eq!(
            broken.cause,
            "observation refused by the server: 4.04 Not Found"
        );
    }
}
