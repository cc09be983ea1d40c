//! Sessions with a scripted server on a virtual clock.

use std::sync::Arc;
use std::time::Duration;

use super::session::AmqpSession;
use super::settings::Role;
use super::*;
use crate::amqp::frame::methods::{self, Name, method, plain};
use crate::amqp::frame::{
    BEAT, BODY, Fields, Frame, HEADER, METHOD, PROTOCOL, put_frame, put_short,
};
use crate::amqp::{Login, Mechanism, Options};
use crate::bench::clock::Nanos;
use crate::bench::connection_state::ConnectionState;
use crate::bench::driver::{Action, Broken};
use crate::bench::pattern::Pattern;
use crate::bench::plan::Load;
use crate::bench::recorder::{Records, Window};
use crate::bench::result::Messages;
use crate::bench::stamp::Stamp;
use crate::connect::{Protocol, Target};
use crate::error::Kind;
use crate::random::Random;

const RUN: u64 = 4711;
const SECOND: Nanos = 1_000_000_000;
const BEGIN: Nanos = 1_795_000_000 * SECOND;

fn settings() -> Settings {
    let login = Login::of(&Target::tcp(Protocol::Amqp, "h", 1), Some(Mechanism::Plain)).unwrap();
    let queue = Pattern::parse_key("queue", "q{queue}").unwrap();
    Settings {
        scenario: Scenario::Publish,
        options: Options {
            login,
            vhost: "/".into(),
            name: "test".into(),
            heartbeat: 60,
            frame_max: 131_072,
            patience: Duration::from_secs(5),
            watcher: None,
        },
        producers: 1,
        consumers: 1,
        channels: 1,
        exchange: String::new(),
        routed: true,
        key: queue.clone(),
        queue,
        queues: 1,
        streams: false,
        size: (30, 30),
        persistent: false,
        mandatory: false,
        confirms: true,
        consuming: Consuming {
            prefetch: 100,
            ..Consuming::default()
        },
        load: Load::Closed {
            window: 10,
            think: Duration::ZERO,
        },
        window: 10,
        ack_timeout: Duration::from_secs(30),
        sharded: false,
        run_id: RUN,
        seed: 1,
    }
}

/// A connection, and what it writes.
struct Rig {
    lane: ConnectionState,
    records: Records,
    out: Vec<u8>,
    now: Nanos,
    wish: Action,
}

impl Rig {
    fn new(settings: &Settings, role: Role) -> Self {
        let session = AmqpSession::new(Arc::new(settings.group(role)), 0, 0);
        let window = Window {
            from: 0,
            to: Nanos::MAX,
        };
        let mut rig = Self {
            lane: ConnectionState::new(Box::new(session), 0),
            records: Records {
                window,
                ..Records::default()
            },
            out: Vec::new(),
            now: BEGIN,
            wish: Action::Nothing,
        };
        rig.connect();
        rig
    }

    fn connect(&mut self) {
        self.lane.ready = false;
        self.lane
            .with(self.now, &mut self.out, &mut self.records, |session, io| {
                session.connected(io);
            });
        assert_eq!(self.out, PROTOCOL);
        self.out.clear();
    }

    /// A publisher or consumer that is open.
    fn open(settings: &Settings, role: Role) -> Self {
        let mut rig = Self::new(settings, role);
        rig.greet();
        rig
    }

    fn greet(&mut self) {
        self.hear(&greeting()).unwrap();
        self.out.clear();
        assert!(self.lane.ready);
    }

    /// The session reads these bytes.
    fn hear(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let (taken, wish) = self
            .lane
            .feed(bytes, self.now, &mut self.out, &mut self.records)?;
        assert_eq!(taken, bytes.len());
        self.wish = wish;
        Ok(())
    }

    fn hear_method(&mut self, name: Name, fields: &[u8]) -> Result<(), Broken> {
        let mut bytes = Vec::new();
        let channel = u16::from(name.0 != 10);
        plain(channel, name, fields, &mut bytes);
        self.hear(&bytes)
    }

    fn hear_ack(&mut self, name: Name, tag: u64, flags: u8) {
        let fields = [&tag.to_be_bytes()[..], &[flags]].concat();
        self.hear_method(name, &fields).unwrap();
    }

    fn send(&mut self, count: u64) -> Vec<u8> {
        self.out.clear();
        let (out, records) = (&mut self.out, &mut self.records);
        let (_, sent, _) = self.lane.fill_now(count, self.now, out, records);
        assert_eq!(sent, count);
        std::mem::take(&mut self.out)
    }

    fn tick(&mut self, last: bool) {
        let (_, wish) =
            self.lane
                .with(self.now, &mut self.out, &mut self.records, |session, io| {
                    session.tick(last, io)
                });
        self.wish = wish;
    }

    fn lose(&mut self) {
        self.out.clear();
        self.lane
            .with(self.now, &mut self.out, &mut self.records, |session, io| {
                session.lost(io);
            });
    }

    /// The methods written since the last look.
    fn said(&mut self) -> Vec<Name> {
        names(&std::mem::take(&mut self.out))
    }

    fn messages(&self) -> &Messages {
        &self.records.messages
    }

    fn room(&self) -> usize {
        self.lane.session.room()
    }

    fn causes(&self) -> Vec<&str> {
        self.records.errors.keys().map(String::as_str).collect()
    }
}

fn names(bytes: &[u8]) -> Vec<Name> {
    frames(bytes)
        .iter()
        .filter(|frame| frame.kind == METHOD)
        .map(|frame| {
            let mut fields = Fields(frame.payload);
            (fields.short().unwrap(), fields.short().unwrap())
        })
        .collect()
}

fn frames(bytes: &[u8]) -> Vec<Frame<'_>> {
    let (mut at, mut found) = (0, Vec::new());
    while let Some(frame) = Frame::split(&bytes[at..], 1 << 20).unwrap() {
        at += frame.length();
        found.push(frame);
    }
    assert_eq!(at, bytes.len());
    found
}

/// All that a server says up to an open channel, for publishers and consumers alike.
fn greeting() -> Vec<u8> {
    let mut bytes = Vec::new();
    let (out, start) = (
        &mut bytes,
        b"\x00\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US",
    );
    plain(0, methods::START, start, out);
    plain(0, methods::TUNE, &[0, 10, 0, 2, 0, 0, 0, 60], out);
    plain(0, methods::OPEN_OK, &[0], out);
    plain(1, methods::CHANNEL_OPEN_OK, &[0; 4], out);
    bytes
}

fn confirming(settings: &Settings) -> Rig {
    let mut rig = Rig::new(settings, Role::Publish);
    rig.hear(&greeting()).unwrap();
    assert_eq!(
        rig.said(),
        [
            methods::START_OK,
            methods::TUNE_OK,
            methods::OPEN,
            methods::CHANNEL_OPEN,
            methods::CONFIRM
        ]
    );
    assert!(!rig.lane.ready);
    rig.hear_method(methods::CONFIRM_OK, &[]).unwrap();
    assert!(rig.lane.ready);
    rig
}

fn consuming(settings: &Settings) -> Rig {
    let mut rig = Rig::new(settings, Role::Consume);
    rig.hear(&greeting()).unwrap();
    assert_eq!(rig.said().last(), Some(&methods::QOS));
    rig.hear_method(methods::QOS_OK, &[]).unwrap();
    assert_eq!(rig.said(), [methods::CONSUME]);
    rig.hear_method(methods::CONSUME_OK, b"\x01t").unwrap();
    assert!(rig.lane.ready);
    rig
}

fn stamp(sequence: u64) -> Stamp {
    Stamp {
        measured: true,
        due: BEGIN,
        sequence,
        sender: 0,
        run: RUN,
    }
}

/// The header and the bodies of a message, in pieces of this size.
fn content(sequence: u64, piece: usize, out: &mut Vec<u8>) {
    let mut body = [0; 30];
    stamp(sequence).write(&mut body);
    put_frame(HEADER, 1, out, |out| {
        out.extend_from_slice(&[0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 30, 0, 0]);
    });
    for piece in body.chunks(piece) {
        put_frame(BODY, 1, out, |out| out.extend_from_slice(piece));
    }
}

fn delivery(name: Name, tag: u64, sequence: u64, piece: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    method(1, name, &mut bytes, |out| {
        if name == methods::DELIVER {
            put_short("t", out);
        }
        out.extend_from_slice(&tag.to_be_bytes());
        out.push(0);
        put_short("", out);
        put_short("q0", out);
    });
    content(sequence, piece, &mut bytes);
    bytes
}

fn returned(sequence: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    method(1, methods::RETURN, &mut bytes, |out| {
        out.extend_from_slice(&312_u16.to_be_bytes());
        ["NO_ROUTE", "", "q0"]
            .iter()
            .for_each(|text| put_short(text, out));
    });
    content(sequence, 30, &mut bytes);
    bytes
}

#[test]
fn confirms_of_one_of_many_and_refusals_each_count_once() {
    let mut rig = confirming(&settings());
    assert_eq!(rig.room(), 10);
    let written = rig.send(10);
    assert_eq!(names(&written), [methods::PUBLISH; 10]);
    assert_eq!((rig.room(), rig.lane.session.in_flight()), (0, 10));
    rig.now += 5 * SECOND;
    rig.hear_ack(methods::ACK, 2, 0);
    rig.hear_ack(methods::ACK, 4, 1);
    rig.hear_ack(methods::ACK, 4, 1);
    rig.hear_ack(methods::NACK, 6, 1);
    rig.hear_ack(methods::ACK, 77, 1);
    let found = rig.messages();
    assert_eq!((found.sent, found.acknowledged, found.refused), (10, 4, 2));
    assert_eq!(rig.room(), 6);
    let count = |cause: &str| rig.records.errors[cause].0;
    assert_eq!(count("the server refused the message (basic.nack)"), 2);
    let wrong = "basic.ack with an unknown delivery tag";
    assert_eq!((rig.records.errors.len(), count(wrong)), (2, 1));
    rig.now += 26 * SECOND;
    rig.tick(false);
    assert_eq!((rig.messages().timed_out, rig.room()), (4, 10));
    rig.hear_ack(methods::ACK, 10, 1);
    assert_eq!(rig.messages().acknowledged, 4, "too late");
    assert_eq!(rig.send(1).len(), written.len() / 10);
    rig.hear_ack(methods::ACK, 11, 0);
    assert_eq!(rig.messages().acknowledged, 5);
}

#[test]
fn a_returned_message_is_refused_and_its_confirm_does_not_count() {
    let mut rig = confirming(&settings());
    rig.send(3);
    rig.hear(&returned(1)).unwrap();
    rig.hear_ack(methods::ACK, 3, 1);
    let found = rig.messages();
    assert_eq!((found.acknowledged, found.refused), (2, 1));
    assert_eq!(
        rig.causes(),
        ["the server returned the message: 312 NO_ROUTE"]
    );
}

#[test]
fn without_confirms_arrival_is_proved_by_the_answer_to_a_question() {
    let mut rig = Rig::open(
        &Settings {
            confirms: false,
            ..settings()
        },
        Role::Publish,
    );
    assert_eq!(rig.room(), usize::MAX);
    rig.send(100);
    rig.tick(false);
    assert_eq!(rig.said(), [], "it is too early");
    rig.now += SECOND;
    rig.tick(false);
    assert_eq!(rig.said(), [methods::QOS]);
    rig.send(50);
    // Two of the first hundred came back, and then the answer.
    rig.hear(&returned(3)).unwrap();
    rig.hear(&returned(4)).unwrap();
    rig.hear_method(methods::QOS_OK, &[]).unwrap();
    assert_eq!(rig.messages().acknowledged, 98);
    rig.hear(&returned(120)).unwrap();
    assert_eq!(rig.lane.session.in_flight(), 49);
    rig.tick(true);
    rig.hear_method(methods::QOS_OK, &[]).unwrap();
    let found = rig.messages();
    assert_eq!((found.acknowledged, found.refused), (147, 3));
    rig.send(7);
    rig.lose();
    assert_eq!(rig.messages().lost_with_connection, 7);
}

#[test]
fn a_request_ends_with_its_answer() {
    let settings = Settings {
        scenario: Scenario::Request,
        ..settings()
    };
    let mut asking = Rig::new(&settings, Role::Publish);
    asking.hear(&greeting()).unwrap();
    assert_eq!(asking.said().last(), Some(&methods::CONSUME));
    asking.hear_method(methods::CONSUME_OK, b"\x01t").unwrap();
    let asked = asking.send(3);
    // What the responder would be sent: header and body of the second request, and who is to be answered.
    let parts = frames(&asked);
    let mut bytes = delivery(methods::DELIVER, 1, 0, 30);
    bytes.truncate(frames(&bytes)[0].length());
    for part in &parts[4..6] {
        put_frame(part.kind, 1, &mut bytes, |out| {
            out.extend_from_slice(part.payload);
        });
    }
    let mut answering = consuming(&settings);
    answering.hear(&bytes).unwrap();
    assert_eq!(answering.messages().unique, 1);
    let answer = std::mem::take(&mut answering.out);
    assert_eq!(names(&answer), [methods::PUBLISH, methods::ACK]);
    let body = frames(&answer)[2].payload;
    assert_eq!(Stamp::read(body, BEGIN).unwrap().sequence, 1);
    let mut bytes = delivery(methods::DELIVER, 1, 0, 30);
    bytes.truncate(frames(&bytes)[0].length());
    for part in &frames(&answer)[1..3] {
        put_frame(part.kind, 1, &mut bytes, |out| {
            out.extend_from_slice(part.payload);
        });
    }
    asking.now += SECOND;
    asking.hear(&bytes).unwrap();
    asking.hear(&bytes).unwrap();
    assert_eq!(asking.messages().acknowledged, 1, "once");
    assert_eq!(asking.lane.session.in_flight(), 2);
}

#[test]
fn a_blocked_connection_sends_nothing_and_says_why() {
    let mut rig = confirming(&settings());
    rig.hear_method(methods::BLOCKED, b"\x0Alow memory")
        .unwrap();
    assert_eq!(rig.room(), 0);
    assert_eq!(
        rig.causes(),
        ["the server blocked the connection: low memory"]
    );
    assert_eq!(rig.records.counts["held_back"], 1, "the peer is the limit");
    rig.hear_method(methods::UNBLOCKED, &[]).unwrap();
    assert_eq!(rig.room(), 10);
    for (active, room) in [(0, 0), (1, 10)] {
        rig.hear_method(methods::FLOW, &[active]).unwrap();
        assert_eq!((rig.said(), rig.room()), (vec![methods::FLOW_OK], room));
    }
}

#[test]
fn what_the_server_closes_has_its_reason_and_class() {
    let close = |code: u16, text: &str| {
        let mut fields = code.to_be_bytes().to_vec();
        put_short(text, &mut fields);
        fields.extend_from_slice(&[0; 4]);
        fields
    };
    for (name, code, text, kind, said) in [
        (
            methods::CLOSE,
            320,
            "CONNECTION_FORCED",
            Kind::Lost,
            "the server closed the connection with 320: CONNECTION_FORCED",
        ),
        (
            methods::CHANNEL_CLOSE,
            404,
            "NOT_FOUND",
            Kind::Refused,
            "the server closed the channel with 404: NOT_FOUND",
        ),
        (
            methods::CLOSE,
            403,
            "",
            Kind::Unauthorized,
            "the server closed the connection with 403",
        ),
    ] {
        let mut rig = confirming(&settings());
        let broken = rig.hear_method(name, &close(code, text)).unwrap_err();
        assert_eq!((broken.kind, broken.cause.as_str()), (kind, said));
    }
    let mut rig = consuming(&settings());
    let broken = rig.hear_method(methods::CANCEL, b"\x01t\x01").unwrap_err();
    assert_eq!(broken.kind, Kind::Refused);
    let mut rig = Rig::new(&settings(), Role::Publish);
    let broken = rig.hear(&PROTOCOL).unwrap_err();
    assert_eq!(broken.cause, "the server does not speak AMQP 0-9-1");
    let mut rig = Rig::new(
        &Settings {
            channels: 11,
            ..settings()
        },
        Role::Publish,
    );
    let broken = rig.hear(&greeting()).unwrap_err();
    assert_eq!(
        broken.cause,
        "the server allows 10 channels per connection, but 11 are needed"
    );
}

#[test]
fn after_a_loss_tags_begin_anew_and_sequences_go_on() {
    let mut rig = confirming(&settings());
    rig.send(5);
    rig.hear_ack(methods::ACK, 2, 1);
    rig.lose();
    assert_eq!(rig.messages().lost_with_connection, 3);
    rig.connect();
    rig.hear(&greeting()).unwrap();
    rig.hear_method(methods::CONFIRM_OK, &[]).unwrap();
    let written = rig.send(1);
    let body = frames(&written)[2].payload;
    assert_eq!(Stamp::read(body, BEGIN).unwrap().sequence, 5);
    rig.send(1);
    rig.hear(&returned(6)).unwrap();
    rig.hear_ack(methods::ACK, 2, 1);
    let found = rig.messages();
    assert_eq!((found.acknowledged, found.refused), (3, 1));
}

#[test]
fn deliveries_are_entered_and_acknowledged_as_asked() {
    let mut settings = settings();
    settings.consuming.multi_ack = 3;
    let mut rig = consuming(&settings);
    for (tag, sequence, piece) in [(1, 0, 30), (2, 1, 7), (3, 3, 1), (4, 2, 30), (5, 3, 30)] {
        rig.hear(&delivery(methods::DELIVER, tag, sequence, piece))
            .unwrap();
    }
    let found = rig.messages();
    assert_eq!((found.received, found.unique), (5, 4));
    assert_eq!((found.duplicate, found.reordered), (1, 1));
    let mut expected = Vec::new();
    methods::ack(1, 3, true, &mut expected);
    assert_eq!(rig.out, expected);
    rig.out.clear();
    rig.tick(false);
    assert_eq!(rig.said(), [], "others may follow");
    rig.now += SECOND;
    rig.tick(false);
    expected.clear();
    methods::ack(1, 5, true, &mut expected);
    assert_eq!(rig.out, expected);
}

#[test]
fn a_delivery_that_never_came_is_not_acknowledged_with_others() {
    let mut settings = settings();
    settings.consuming.multi_ack = 2;
    let mut rig = consuming(&settings);
    for tag in [1, 2, 4, 5] {
        rig.hear(&delivery(methods::DELIVER, tag, tag, 30)).unwrap();
    }
    let mut expected = Vec::new();
    methods::ack(1, 2, true, &mut expected);
    methods::ack(1, 4, false, &mut expected);
    methods::ack(1, 5, false, &mut expected);
    assert_eq!(rig.out, expected);
}

#[test]
fn a_share_is_refused_and_goes_back() {
    let mut settings = settings();
    settings.consuming.nack = 1.0;
    settings.consuming.requeue = true;
    let mut rig = consuming(&settings);
    rig.hear(&delivery(methods::DELIVER, 9, 0, 30)).unwrap();
    let mut expected = Vec::new();
    methods::nack(1, 9, false, true, &mut expected);
    assert_eq!(rig.out, expected);
}

#[test]
fn consumers_work_on_one_message_after_the_other() {
    let mut settings = settings();
    settings.consuming.latency = Duration::from_millis(1);
    let mut rig = consuming(&settings);
    for tag in 1..=2 {
        rig.hear(&delivery(methods::DELIVER, tag, tag, 30)).unwrap();
    }
    assert_eq!((rig.said(), rig.wish), (vec![], Action::Nothing));
    rig.tick(false);
    let first = BEGIN + 1_000_000;
    for (now, said, wish) in [
        (first, vec![methods::ACK], Action::Tick(first + 1_000_000)),
        (first + 1_000_000, vec![methods::ACK], Action::Nothing),
    ] {
        rig.now = now;
        rig.tick(false);
        assert_eq!((rig.said(), rig.wish), (said, wish));
    }
}

#[test]
fn messages_are_asked_for_one_by_one() {
    let mut settings = settings();
    settings.consuming.poll = Some(Duration::from_millis(5));
    let mut rig = Rig::new(&settings, Role::Consume);
    rig.hear(&greeting()).unwrap();
    rig.hear_method(methods::QOS_OK, &[]).unwrap();
    assert!(rig.lane.ready);
    rig.out.clear();
    rig.tick(false);
    // It may have asked when it was ready.
    rig.out.clear();
    rig.hear(&delivery(methods::GET_OK, 1, 0, 30)).unwrap();
    assert_eq!(rig.said(), [methods::ACK, methods::GET]);
    rig.hear_method(methods::GET_EMPTY, &[0]).unwrap();
    let later = BEGIN + 5_000_000;
    assert_eq!((rig.said(), rig.wish), (vec![], Action::Tick(later)));
    rig.now = later;
    rig.tick(false);
    assert_eq!(rig.said(), [methods::GET]);
    assert_eq!(rig.messages().unique, 1);
}

#[test]
fn a_heartbeat_is_sent_when_nothing_else_was() {
    let mut rig = consuming(&settings());
    for (seconds, said) in [(20, false), (11, true), (20, false), (11, true)] {
        rig.now += seconds * SECOND;
        rig.tick(false);
        assert_eq!(std::mem::take(&mut rig.out) == BEAT, said);
    }
}

/// Lets a session and the null peer talk until there is nothing left to say.
fn talk(rig: &mut Rig, null: &mut Null) {
    while !rig.out.is_empty() {
        let mut answers = Vec::new();
        let asked = std::mem::take(&mut rig.out);
        null.answer(&asked, &mut answers);
        rig.hear(&answers).unwrap();
    }
}

fn begun(settings: &Settings) -> (Rig, Null) {
    let (mut rig, mut null) = (Rig::new(settings, settings.role()), Null::default());
    rig.out.extend_from_slice(&PROTOCOL);
    talk(&mut rig, &mut null);
    assert!(rig.lane.ready, "{:?}", settings.scenario);
    (rig, null)
}

#[test]
fn every_scenario_ends_its_messages() {
    for scenario in [
        Scenario::Publish,
        Scenario::Channels,
        Scenario::Queues,
        Scenario::Consumers,
        Scenario::Bindings,
    ] {
        for size in [(0, 0), (30, 30), (10, 300_000)] {
            let settings = Settings {
                scenario,
                channels: 3,
                size,
                ..settings()
            };
            let (mut rig, mut null) = begun(&settings);
            for round in 1..=7 {
                rig.out = rig.send(10);
                assert_eq!(rig.room(), 0, "{scenario:?}");
                talk(&mut rig, &mut null);
                let found = rig.messages();
                assert_eq!((found.sent, found.acknowledged), (10 * round, 10 * round));
            }
            rig.send(4);
            rig.lose();
            assert_eq!(rig.messages().lost_with_connection, 4, "{scenario:?}");
        }
    }
}

#[test]
fn a_connection_may_be_the_message() {
    let settings = Settings {
        scenario: Scenario::Connections,
        ..settings()
    };
    let (mut rig, _) = begun(&settings);
    for round in 1..=3 {
        assert_eq!(rig.room(), 1);
        let closing = rig.send(1);
        assert_eq!(names(&closing), [methods::CLOSE]);
        assert_eq!((rig.room(), rig.lane.session.in_flight()), (0, 1));
        rig.hear_method(methods::CLOSE_OK, &[]).unwrap();
        assert_eq!(rig.wish, Action::Again);
        rig.connect();
        let mut null = Null::default();
        rig.out.extend_from_slice(&PROTOCOL);
        talk(&mut rig, &mut null);
        assert_eq!(rig.messages().acknowledged, round);
    }
    rig.send(1);
    rig.now += 31 * SECOND;
    rig.tick(false);
    assert_eq!((rig.messages().timed_out, rig.wish), (1, Action::Again));
}

#[test]
fn channels_that_never_answer_time_out_and_their_numbers_are_not_used_again() {
    let settings = Settings {
        scenario: Scenario::Channels,
        ..settings()
    };
    let (mut rig, _) = begun(&settings);
    rig.send(2);
    rig.now += 31 * SECOND;
    rig.tick(false);
    assert_eq!((rig.messages().timed_out, rig.room()), (2, 10));
    let third = rig.send(1);
    assert_eq!(frames(&third)[0].channel, 4);
    let mut late = Vec::new();
    plain(2, methods::CHANNEL_CLOSE_OK, &[], &mut late);
    rig.hear(&late).unwrap();
    let found = rig.messages();
    assert_eq!((found.acknowledged, found.timed_out), (0, 2));
    assert_eq!(frames(&rig.send(1))[0].channel, 2);
}

#[test]
fn whatever_arrives_is_taken_in_any_pieces_and_never_panics() {
    let mut told = greeting();
    plain(1, methods::QOS_OK, &[], &mut told);
    plain(1, methods::CONSUME_OK, b"\x01t", &mut told);
    told.extend_from_slice(&delivery(methods::DELIVER, 1, 0, 9));
    told.extend_from_slice(&delivery(methods::DELIVER, 2, 1, 30));
    told.extend_from_slice(&BEAT);
    let mut random = Random::new(7, 7);
    for round in 0..3000 {
        let mut bytes = told.clone();
        if round > 0 {
            for _ in 0..random.between(1, 3) {
                let at = random.between(0, bytes.len() - 1);
                bytes[at] = random.next() as u8;
            }
        }
        let mut rig = Rig::new(&settings(), Role::Consume);
        let (mut from, mut to) = (0, 0);
        while to < bytes.len() {
            to = bytes.len().min(to + random.between(1, 40));
            let (out, records) = (&mut rig.out, &mut rig.records);
            match rig.lane.feed(&bytes[from..to], BEGIN, out, records) {
                Ok((taken, _)) => from += taken,
                Err(_) if round > 0 => break,
                Err(broken) => panic!("{broken:?}"),
            }
        }
        assert!(round > 0 || rig.messages().unique == 2);
    }
}
