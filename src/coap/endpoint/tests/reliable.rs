//! TCP and WebSocket: CSM, large messages, BERT, signals.

use super::*;
use crate::coap::block::{Block, Szx};
use crate::coap::endpoint::{Closing, Incoming, Response, Transport};
use crate::coap::frame::{self, Csm};
use crate::coap::message::Token;
use crate::coap::option;
use crate::coap::site::{Answer, Resource};

struct Kept(Bytes);

impl Resource for Kept {
    fn answer(&mut self, _now: Instant, request: &Incoming) -> Answer {
        if request.method == Code::PUT {
            self.0 = request.payload.clone();
            return Code::CHANGED.into();
        }
        Response::content(42, self.0.clone()).into()
    }
}

/// Client and server on one connection without delay.
struct Pipe {
    now: Instant,
    client: Endpoint,
    server: Endpoint,
    site: Site,
    events: Vec<Event>,
    up: usize,
}

impl Pipe {
    fn new(transport: Transport, largest: usize) -> Self {
        let config = |serve| Config {
            transport,
            serve,
            max_message_size: largest,
            ..Config::default()
        };
        let now = Instant::now();
        let mut pipe = Self {
            now,
            client: Endpoint::seeded(config(false), 1),
            server: Endpoint::seeded(config(true), 2),
            site: plugtest::site(now, Pace::default()),
            events: Vec::new(),
            up: 0,
        };
        pipe.site.add("/kept", Kept(pattern(100_000)));
        pipe.client.connected(now, server_address());
        pipe.server.connected(now, client_address());
        pipe
    }

    fn hand(to: &mut Endpoint, now: Instant, from: Peer, bytes: &[u8]) {
        match to.config().transport {
            Transport::WebSocket => to.handle_frame(now, from, bytes),
            // In pieces, as a stream may bring them.
            _ => bytes
                .chunks(1000)
                .for_each(|piece| to.handle_stream(now, from, piece)),
        }
    }

    fn run(&mut self) {
        loop {
            let mut idle = true;
            while let Some((_, bytes)) = self.client.poll_transmit() {
                Self::hand(&mut self.server, self.now, client_address(), &bytes);
                self.up += 1;
                idle = false;
            }
            while let Some(event) = self.server.poll_event() {
                self.site.handle(self.now, &mut self.server, event);
            }
            while let Some((_, bytes)) = self.server.poll_transmit() {
                Self::hand(&mut self.client, self.now, server_address(), &bytes);
                idle = false;
            }
            self.events
                .extend(std::iter::from_fn(|| self.client.poll_event()));
            if idle {
                return;
            }
        }
    }

    fn ask(&mut self, request: Request) -> Reply {
        self.client.request(self.now, request).expect("a request");
        self.events.clear();
        self.run();
        let reply = self.events.drain(..).find_map(|event| match event {
            Event::Reply { reply, .. } => Some(reply),
            _ => None,
        });
        reply.expect("a reply")
    }
}

#[test]
fn large_bodies_go_in_one_message() {
    for transport in [Transport::Stream, Transport::WebSocket] {
        let mut pipe = Pipe::new(transport, 8 << 20);
        pipe.run();
        let reply = pipe.ask(get("kept"));
        assert_eq!(
            (reply.response.payload, reply.blocks),
            (pattern(100_000), 1)
        );
        let sent = pattern(200_000);
        assert_eq!(
            pipe.ask(with_body(Code::PUT, "kept", sent.clone())).blocks,
            1
        );
        assert!(pipe.ask(get("kept")).response.payload == sent);
    }
}

#[test]
fn bodies_larger_than_a_message_go_as_bert() {
    let mut pipe = Pipe::new(Transport::Stream, 16 << 10);
    let sent = pattern(100_001);
    let reply = pipe.ask(with_body(Code::PUT, "kept", sent.clone()));
    assert_eq!((reply.response.code, reply.blocks), (Code::CHANGED, 7));
    let reply = pipe.ask(get("kept"));
    assert!(reply.response.payload == sent);
    assert_eq!(reply.blocks, 7);
}

/// What comes of a first block of 2048 bytes from a peer that takes none of that size itself.
fn several_blocks_to(largest: usize) -> Option<Result<Reply, Failure>> {
    let now = Instant::now();
    let config = Config {
        transport: Transport::Stream,
        max_message_size: largest,
        ..Config::default()
    };
    let mut client = Endpoint::seeded(config, 1);
    client.connected(now, server_address());
    let csm = Csm {
        block_wise: true,
        ..Csm::default()
    };
    hear(&mut client, now, &csm.message());
    client.request(now, get("x")).expect("a request");
    for more in [true, false] {
        let Some(asked) = said(&mut client).pop().filter(|it| it.code == Code::GET) else {
            break;
        };
        let offset = asked.options.block2().map_or(0, Block::offset);
        assert!(asked.options.block2().is_none_or(|it| it.szx == Szx::MAX));
        let mut answer = Message::new(Type::Con, Code::CONTENT, 0, asked.token);
        let block = Block::at(offset, more, Szx::BERT).expect("a block");
        answer.options.set_block(option::BLOCK2, block);
        answer.payload = pattern(2500).slice(offset..if more { 2048 } else { 2500 });
        hear(&mut client, now, &answer);
    }
    std::iter::from_fn(|| client.poll_event()).find_map(|event| match event {
        Event::Reply { reply, .. } => Some(Ok(reply)),
        Event::Failed { failure, .. } => Some(Err(failure)),
        _ => None,
    })
}

#[test]
fn whether_several_blocks_may_come_is_ours_to_say() {
    let reply = several_blocks_to(8 << 20).expect("ended").expect("a reply");
    assert_eq!(reply.response.payload, pattern(2500));
    let refused = several_blocks_to(frame::BASE_MESSAGE_SIZE);
    assert!(!matches!(refused, Some(Ok(_))), "{refused:?}");
}

#[test]
fn small_messages_only_means_ordinary_blocks() {
    let mut pipe = Pipe::new(Transport::Stream, frame::BASE_MESSAGE_SIZE);
    let sent = pattern(5000);
    assert_eq!(
        pipe.ask(with_body(Code::PUT, "kept", sent.clone()))
            .response
            .code,
        Code::CHANGED
    );
    assert_eq!(pipe.ask(get("kept")).response.payload, sent);
}

#[test]
fn observation_and_ping_work() {
    let mut pipe = Pipe::new(Transport::Stream, 8 << 20);
    pipe.client
        .request(pipe.now, observe("obs"))
        .expect("a request");
    let ping = pipe.client.ping(pipe.now, server_address(), seconds(5.0));
    pipe.run();
    pipe.now += seconds(5.0);
    pipe.site.handle_timeout(pipe.now, &mut pipe.server);
    pipe.run();
    let bodies: Vec<_> = pipe
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Notification { reply, .. } => Some(body(reply)),
            _ => None,
        })
        .collect();
    assert_eq!(bodies, ["tick 0", "tick 1"]);
    let ponged = |event: &Event| matches!(event, Event::Pong { handle, .. } if *handle == ping);
    assert!(pipe.events.iter().any(ponged));
}

fn client() -> (Endpoint, Instant) {
    client_with(None)
}

fn client_with(csm_deadline: Option<Duration>) -> (Endpoint, Instant) {
    let now = Instant::now();
    let config = Config {
        transport: Transport::Stream,
        csm_deadline,
        ..Config::default()
    };
    let mut client = Endpoint::seeded(config, 1);
    client.connected(now, server_address());
    (client, now)
}

fn said(client: &mut Endpoint) -> Vec<Message> {
    let mut decoder = frame::Decoder::new(8 << 20);
    while let Some((_, bytes)) = client.poll_transmit() {
        decoder.push(&bytes);
    }
    std::iter::from_fn(|| decoder.take().expect("frames")).collect()
}

fn hear(client: &mut Endpoint, now: Instant, message: &Message) {
    let bytes = frame::encode_stream(message).expect("encodes");
    client.handle_stream(now, server_address(), &bytes);
}

fn closing(client: &mut Endpoint) -> Option<Closing> {
    std::iter::from_fn(|| client.poll_event()).find_map(|event| match event {
        Event::Close { closing, .. } => Some(closing),
        _ => None,
    })
}

#[test]
fn our_csm_comes_first_and_large_uploads_wait_for_theirs() {
    let (mut client, now) = client();
    client
        .request(now, with_body(Code::PUT, "x", pattern(5000)))
        .expect("a request");
    let codes: Vec<Code> = said(&mut client).iter().map(|it| it.code).collect();
    assert_eq!(codes, [Code::CSM]);
    client.handle_timeout(now + seconds(1.0));
    let put = said(&mut client).pop().expect("without their CSM");
    assert_eq!(put.payload.len(), 1024);
    assert!(put.options.block1().is_some());
}

#[test]
fn a_peer_without_csm_is_aborted() {
    let (mut client, now) = client();
    hear(
        &mut client,
        now,
        &Message::new(Type::Con, Code::CONTENT, 0, Token::EMPTY),
    );
    assert_eq!(closing(&mut client), Some(Closing::NoCsm));
    assert_eq!(said(&mut client).pop().map(|it| it.code), Some(Code::ABORT));
    hear(&mut client, now, &Csm::default().message());
    assert_eq!(closing(&mut client), None, "nothing more is read");
}

#[test]
fn a_server_that_answers_without_csm_is_heard() {
    let (mut client, now) = client();
    client.request(now, get("x")).expect("a request");
    let asked = said(&mut client).pop().expect("a request");
    let mut answer = Message::new(Type::Con, Code::CONTENT, 0, asked.token);
    answer.payload = Bytes::from_static(b"here");
    hear(&mut client, now, &answer);
    let events: Vec<_> = std::iter::from_fn(|| client.poll_event()).collect();
    assert!(matches!(&events[..], [Event::Reply { reply, .. }] if body(reply) == "here"));
}

#[test]
fn a_server_that_says_nothing_is_left_in_time_and_one_that_answers_without_csm_is_not() {
    for answers in [false, true] {
        let (mut client, now) = client_with(Some(seconds(2.0)));
        client.request(now, get("x")).expect("a request");
        if answers {
            let asked = said(&mut client).pop().expect("a request");
            let answer = Message::new(Type::Con, Code::CONTENT, 0, asked.token);
            hear(&mut client, now, &answer);
        }
        client.handle_timeout(now + seconds(2.0));
        let late = (!answers).then_some(Closing::LateCsm);
        assert_eq!(closing(&mut client), late);
    }
}

#[test]
fn no_message_is_longer_than_the_server_takes() {
    for limit in [90, 200, 1152, 5000] {
        let (mut client, now) = client();
        let csm = Csm {
            max_message_size: limit,
            block_wise: true,
        };
        hear(&mut client, now, &csm.message());
        said(&mut client);
        let mut asked = with_body(Code::PUT, "a/path/of/some/length", pattern(6000));
        asked.options.push_text(option::URI_QUERY, "key=value");
        client.request(now, asked).expect("a request");
        let mut sent = 0;
        while let Some((_, frame)) = client.poll_transmit() {
            assert!(frame.len() <= limit, "{} of {limit}", frame.len());
            let mut decoder = frame::Decoder::new(8 << 20);
            decoder.push(&frame);
            let asked = decoder.take().expect("a frame").expect("whole");
            sent += asked.payload.len();
            let block = asked.options.block1().expect("blocks");
            let code = match block.more {
                true => Code::CONTINUE,
                false => Code::CHANGED,
            };
            let mut answer = Message::new(Type::Con, code, 0, asked.token);
            answer.options.set_block(option::BLOCK1, block);
            hear(&mut client, now, &answer);
        }
        assert_eq!(sent, 6000, "{limit}");
        assert!(client.is_idle());
    }
}

#[test]
fn no_block_is_longer_than_the_client_takes_whatever_the_server_prefers() {
    let now = Instant::now();
    let config = Config {
        transport: Transport::Stream,
        serve: true,
        serve_block: Szx::of_size(512).expect("a size"),
        ..Config::default()
    };
    let mut server = Endpoint::seeded(config, 2);
    let mut site = Site::new();
    site.add("/kept", Kept(pattern(5000)));
    server.connected(now, server_address());
    let csm = Csm {
        max_message_size: 300,
        block_wise: true,
    };
    hear(&mut server, now, &csm.message());
    said(&mut server);
    let mut asked = Message::new(Type::Con, Code::GET, 0, Token::EMPTY);
    asked.options.push_text(option::URI_PATH, "kept");
    hear(&mut server, now, &asked);
    while let Some(event) = server.poll_event() {
        site.handle(now, &mut server, event);
    }
    let (_, answer) = server.poll_transmit().expect("an answer");
    assert!((100..=300).contains(&answer.len()), "{}", answer.len());
}

#[test]
fn a_request_that_no_block_makes_short_enough_is_not_sent() {
    let (mut client, now) = client();
    let csm = Csm {
        max_message_size: 40,
        block_wise: true,
    };
    hear(&mut client, now, &csm.message());
    said(&mut client);
    let asked = with_body(Code::PUT, "a/path/of/some/length", pattern(20));
    client.request(now, asked).expect("a request");
    let events: Vec<_> = std::iter::from_fn(|| client.poll_event()).collect();
    let unsendable = |it: &Event| matches!(it, Event::Failed { failure: Failure::Unsendable(why), .. } if why.contains("at most"));
    assert!(events.iter().any(unsendable), "{events:?}");
    assert!(said(&mut client).is_empty());
}

#[test]
fn notifications_count_whatever_their_numbers_are() {
    let (mut client, now) = client();
    hear(&mut client, now, &Csm::default().message());
    client.request(now, observe("x")).expect("a request");
    let asked = said(&mut client).pop().expect("a registration");
    for number in [0, 0, 7, 3] {
        let mut note = Message::new(Type::Con, Code::CONTENT, 0, asked.token);
        note.options.set_uint(option::OBSERVE, number);
        hear(&mut client, now, &note);
    }
    let events = std::iter::from_fn(|| client.poll_event());
    let notified = events.filter(|it| matches!(it, Event::Notification { .. }));
    assert_eq!(notified.count(), 4);
}

#[test]
fn release_says_why_and_for_how_long() {
    let released = |hold_off: Option<u64>, why: &'static str| {
        let (mut client, now) = client();
        hear(&mut client, now, &Csm::default().message());
        let mut release = frame::signal_message(Code::RELEASE, Token::EMPTY);
        if let Some(seconds) = hold_off {
            release.options.push_uint(frame::signal::HOLD_OFF, seconds);
        }
        release.payload = why.into();
        hear(&mut client, now, &release);
        closing(&mut client).expect("closed").to_string()
    };
    assert_eq!(released(None, ""), "the peer released the connection");
    assert_eq!(
        released(Some(90), "maintenance"),
        "the peer released the connection for at least 90 s: maintenance"
    );
    // More than its three bytes can say.
    assert!(released(Some(u64::MAX), "").ends_with("16777215 s"));
}

#[test]
fn signals_are_understood() {
    let (mut client, now) = client();
    hear(&mut client, now, &Csm::default().message());
    said(&mut client);
    let token = Token::new(b"ping").expect("a token");
    hear(&mut client, now, &frame::signal_message(Code::PING, token));
    let pong = said(&mut client).pop().expect("a pong");
    assert_eq!((pong.code, pong.token), (Code::PONG, token));
    hear(&mut client, now, &frame::abort("no CSM received"));
    assert_eq!(
        closing(&mut client),
        Some(Closing::Aborted("no CSM received".into()))
    );
}

#[test]
fn a_critical_option_of_a_signal_aborts() {
    let (mut client, now) = client();
    let mut csm = Csm::default().message();
    csm.options.push_uint(1, 1);
    hear(&mut client, now, &csm);
    assert_eq!(closing(&mut client), Some(Closing::SignalOption(1)));
}

#[test]
fn garbage_aborts_and_a_lost_connection_fails_what_waits() {
    let (mut client, now) = client();
    client.request(now, get("x")).expect("a request");
    client.handle_stream(now, server_address(), &[0x0F, 1, 2, 3]);
    assert!(matches!(closing(&mut client), Some(Closing::Frame(_))));
    client.disconnected(now, server_address(), "reset by peer");
    let failed = std::iter::from_fn(|| client.poll_event()).find_map(|event| match event {
        Event::Failed { failure, .. } => Some(failure),
        _ => None,
    });
    assert_eq!(failed, Some(Failure::Disconnected("reset by peer".into())));
    assert!(client.is_idle());
}

#[test]
fn silence_on_a_connection_ends_at_the_deadline() {
    let (mut client, now) = client();
    let mut asked = get("x");
    asked.options.push_uint(option::ACCEPT, 0);
    client.request(now, asked).expect("a request");
    client.handle_timeout(now + seconds(31.0));
    assert!(client.is_idle());
}
