//! What a server keeps for its peers is bounded, and shared between them.

use super::*;
use crate::coap::block::{Block, Szx};
use crate::coap::endpoint::{Closing, Gone, Response, Transport};
use crate::coap::frame::{self, Csm};
use crate::coap::message::Token;
use crate::coap::option;
use crate::coap::site::{Answer, Change, Resource};

fn peer(host: u8, port: u16) -> Peer {
    ([192, 0, 2, host], port).into()
}

fn serving(config: Config) -> (Endpoint, Instant) {
    let config = Config {
        serve: true,
        ..config
    };
    (Endpoint::seeded(config, 1), Instant::now())
}

/// A server that `clients` are connected to, which have sent their CSM.
fn streams(config: Config, clients: &[Peer]) -> (Endpoint, Instant) {
    let (mut server, now) = serving(Config {
        transport: Transport::Stream,
        ..config
    });
    for client in clients {
        server.connected(now, *client);
        hear(&mut server, now, *client, &Csm::default().message());
    }
    transmitted(&mut server);
    (server, now)
}

fn hear(server: &mut Endpoint, now: Instant, from: Peer, message: &Message) {
    let bytes = frame::encode_stream(message).expect("encodes");
    server.handle_stream(now, from, &bytes);
}

fn transmitted(server: &mut Endpoint) -> Vec<(Peer, Bytes)> {
    std::iter::from_fn(|| server.poll_transmit()).collect()
}

fn bytes(sent: &[(Peer, Bytes)]) -> usize {
    sent.iter().map(|it| it.1.len()).sum()
}

fn closings(server: &mut Endpoint) -> Vec<(Peer, Closing)> {
    let events = std::iter::from_fn(|| server.poll_event());
    let closings = events.filter_map(|event| match event {
        Event::Close { peer, closing } => Some((peer, closing)),
        _ => None,
    });
    closings.collect()
}

fn asking(path: &str, token: u8, observe: bool) -> Message {
    let token = Token::new(&[token]).expect("a token");
    let mut message = Message::new(Type::Con, Code::GET, token.bytes()[0].into(), token);
    if observe {
        message.options.push_uint(option::OBSERVE, 0);
    }
    message.options.push_text(option::URI_PATH, path);
    message
}

/// Counts how often it was asked; of so many bytes.
struct Counting(usize, usize);

impl Resource for Counting {
    fn answer(&mut self, _now: Instant, request: &crate::coap::endpoint::Incoming) -> Answer {
        if request.method == Code::PUT {
            self.0 += 1;
            return Answer::from(Code::CHANGED).and(Change::Updated);
        }
        Response::content(0, format!("{:0length$}", self.0, length = self.1)).into()
    }

    fn is_observable(&self) -> bool {
        true
    }
}

fn site(length: usize) -> Site {
    let mut site = Site::new();
    site.add("/count", Counting(0, length));
    site
}

fn settle(server: &mut Endpoint, site: &mut Site, now: Instant) {
    while let Some(event) = server.poll_event() {
        site.handle(now, server, event);
    }
}

fn put(token: u8) -> Message {
    let mut message = asking("count", token, false);
    message.code = Code::PUT;
    message
}

#[test]
fn an_observer_that_does_not_read_gets_the_newest_state_and_no_more() {
    let [slow, fast] = [peer(1, 1), peer(2, 1)];
    let config = Config {
        outbox: 10_000,
        ..Config::default()
    };
    let (mut server, now) = streams(config, &[slow, fast]);
    let mut site = site(900);
    hear(&mut server, now, slow, &asking("count", 1, true));
    settle(&mut server, &mut site, now);
    for _ in 0..1000 {
        hear(&mut server, now, fast, &put(2));
        settle(&mut server, &mut site, now);
        let sent = transmitted(&mut server);
        let own = sent.iter().filter(|it| it.0 == fast).map(|it| it.1.len());
        server.written(now, fast, own.sum());
    }
    // What was sent up to here went to both; the rest waits.
    server.written(now, slow, 1);
    assert!(transmitted(&mut server).is_empty());
    server.written(now, slow, 100_000);
    let sent = transmitted(&mut server);
    assert_eq!(sent.len(), 1);
    let newest = format!("{:0900}", 1000);
    assert!(sent[0].1.ends_with(newest.as_bytes()));
}

/// What a server with `/count` answers over a datagram.
fn answered(asked: &Message) -> Message {
    let (mut server, now) = serving(Config::default());
    let bytes = asked.encode().expect("encodes");
    server.handle_datagram(now, peer(1, 1), &bytes);
    settle(&mut server, &mut site(9), now);
    let (_, bytes) = server.poll_transmit().expect("an answer");
    Message::decode(&bytes).expect("CoAP")
}

#[test]
fn errors_are_no_blocks_of_what_was_asked_for() {
    for offset in [0, 16, 1024] {
        let mut asked = asking("nothing", 1, false);
        let block = Block::at(offset, false, Szx::MIN).expect("a block");
        asked.options.set_block(option::BLOCK2, block);
        let answer = answered(&asked);
        assert_eq!(answer.code, Code::NOT_FOUND);
        assert_eq!(answer.options.block2(), None);
    }
}

#[test]
fn a_path_that_must_not_be_is_refused() {
    let refused = |segment: &'static [u8]| {
        let mut asked = put(1);
        asked.options.push(option::URI_PATH, segment);
        let answer = answered(&asked);
        let text = String::from_utf8_lossy(&answer.payload).into_owned();
        (answer.code, text)
    };
    let malformed = String::from("Uri-Path (11) is malformed");
    assert_eq!(refused(b"\xff"), (Code::BAD_OPTION, malformed));
    for dots in [&b"."[..], b".."] {
        let text = String::from("a segment of the path is . or ..");
        assert_eq!(refused(dots), (Code::BAD_REQUEST, text));
    }
}

#[test]
fn requests_wait_until_there_is_room_for_their_answers() {
    let client = peer(1, 1);
    let config = Config {
        outbox: 10_000,
        ..Config::default()
    };
    for transport in [Transport::Stream, Transport::WebSocket] {
        let config = Config {
            transport,
            ..config.clone()
        };
        let (mut server, now) = serving(config);
        let mut site = site(900);
        server.connected(now, client);
        let mut messages = vec![Csm::default().message()];
        messages.extend((0..100).map(|token| asking("count", token, false)));
        let encode = |message: &Message| match transport {
            Transport::WebSocket => frame::encode_websocket(message),
            _ => frame::encode_stream(message),
        };
        let whole: Vec<Bytes> = messages
            .iter()
            .map(|it| encode(it).expect("encodes"))
            .collect();
        match transport {
            Transport::WebSocket => {
                for frame in &whole {
                    server.handle_frame(now, client, frame);
                    settle(&mut server, &mut site, now);
                }
            }
            _ => server.handle_stream(now, client, &whole.concat()),
        }
        settle(&mut server, &mut site, now);
        let mut answers = 0;
        while let sent = transmitted(&mut server)
            && !sent.is_empty()
        {
            // All that is in one read may be answered at once where the application does so later.
            answers += sent.len();
            server.written(now, client, bytes(&sent));
            settle(&mut server, &mut site, now);
        }
        assert_eq!(answers, 101, "{transport:?}");
    }
}

#[test]
fn a_connection_needs_its_csm_in_time() {
    let config = Config {
        transport: Transport::Stream,
        csm_deadline: Some(seconds(10.0)),
        ..Config::default()
    };
    let (mut server, now) = serving(config);
    let client = peer(1, 1);
    server.connected(now, client);
    // A message that never ends is none.
    server.handle_stream(now + seconds(9.0), client, &[0xF0]);
    server.handle_timeout(now + seconds(9.9));
    assert!(closings(&mut server).is_empty());
    server.handle_timeout(now + seconds(10.0));
    assert_eq!(closings(&mut server), [(client, Closing::LateCsm)]);
}

#[test]
fn a_silent_connection_is_asked_and_then_closed() {
    let client = peer(1, 1);
    let config = Config {
        csm_deadline: Some(seconds(10.0)),
        silence: Some(seconds(60.0)),
        ..Config::default()
    };
    let (mut server, mut now) = streams(config, &[client]);
    let mut pings = 0;
    for _ in 0..5 {
        while let Some(due) = server.poll_timeout()
            && pings == 0
        {
            now = due;
            server.handle_timeout(now);
            pings += transmitted(&mut server).len();
        }
        let pong = frame::signal_message(Code::PONG, Token::EMPTY);
        hear(&mut server, now, client, &pong);
        assert!(closings(&mut server).is_empty());
        assert_eq!(std::mem::take(&mut pings), 1);
    }
    let last = now;
    while closings(&mut server).is_empty() {
        now = server.poll_timeout().expect("its end");
        server.handle_timeout(now);
    }
    assert_eq!(now, last + seconds(90.0));
}

#[test]
fn unfinished_messages_share_what_memory_there_is() {
    let clients: Vec<Peer> = (1..=8).map(|host| peer(host, 1)).collect();
    let config = Config {
        block_memory: 1 << 20,
        ..Config::default()
    };
    let (mut server, now) = streams(config, &clients);
    // Of a message of a megabyte, and then of one of four gigabytes.
    let head = [0xF0, 0, 0x0F, 0, 0, 1];
    let mut closed = Vec::new();
    for client in &clients {
        server.handle_stream(now, *client, &head);
        server.handle_stream(now, *client, &[0; 300_000]);
        closed.extend(closings(&mut server));
        assert!(server.core.partial <= 1 << 20);
    }
    let of = |it: &Peer| closed.contains(&(*it, Closing::Crowded));
    assert!(!of(&clients[0]) && !of(&clients[1]) && clients[2..].iter().all(of));
    server.disconnected(now, clients[0], "it is gone");
    server.disconnected(now, clients[1], "it is gone");
    assert_eq!(server.core.partial, 0);
}

#[test]
fn observers_are_shared_between_hosts() {
    let (mut server, now) = serving(Config {
        observers: 4,
        ..Config::default()
    });
    let mut site = site(1);
    let mut register = |from: Peer| {
        let message = asking("count", from.address().port() as u8, true);
        server.handle_datagram(now, from, &message.encode().expect("encodes"));
        let mut gone = Vec::new();
        while let Some(event) = server.poll_event() {
            if let Event::ObserverGone {
                exchange,
                gone: why,
            } = &event
            {
                gone.push((exchange.number(), *why));
            }
            site.handle(now, &mut server, event);
        }
        let sent = transmitted(&mut server);
        let decoded = sent
            .iter()
            .map(|it| (it.0, Message::decode(&it.1).expect("CoAP")));
        let codes = decoded.map(|(to, it)| (to, it.code, it.options.observe().is_some()));
        (codes.collect::<Vec<_>>(), gone)
    };
    let greedy = |port| peer(1, port);
    for port in 1..=4 {
        assert_eq!(
            register(greedy(port)).0,
            [(greedy(port), Code::CONTENT, true)]
        );
    }
    // Its own do not give way: it is answered once.
    assert_eq!(register(greedy(5)).0, [(greedy(5), Code::CONTENT, false)]);
    let (sent, gone) = register(peer(2, 6));
    assert!(sent.contains(&(greedy(1), Code::SERVICE_UNAVAILABLE, false)));
    assert!(sent.contains(&(peer(2, 6), Code::CONTENT, true)));
    assert_eq!(gone, [(1, Gone::Ended)]);
}

#[test]
fn a_large_request_is_answered_and_begins_no_observation() {
    let (mut server, now) = serving(Config::default());
    let mut site = site(1);
    for (length, observed) in [(10, true), (255, false)] {
        let mut message = asking("count", length as u8, true);
        for _ in 0..16 {
            message.options.push(option::URI_QUERY, vec![b'x'; length]);
        }
        server.handle_datagram(now, peer(1, 1), &message.encode().expect("encodes"));
        settle(&mut server, &mut site, now);
        let sent = transmitted(&mut server);
        let answer = Message::decode(&sent[0].1).expect("CoAP");
        assert_eq!(answer.code, Code::CONTENT);
        assert_eq!(answer.options.observe().is_some(), observed);
    }
}

#[test]
fn many_observers_are_told_in_turns_and_all_of_the_newest_state() {
    let (mut server, now) = serving(Config::default());
    let mut site = site(1);
    for port in 1..=1000 {
        let message = asking("count", 1, true);
        let bytes = message.encode().expect("encodes");
        server.handle_datagram(now, peer(1, port), &bytes);
        settle(&mut server, &mut site, now);
    }
    transmitted(&mut server);
    let mut told = HashMap::new();
    let mut turn = |server: &mut Endpoint, site: &mut Site| {
        let sent = transmitted(server);
        for (to, bytes) in &sent {
            let message = Message::decode(bytes).expect("CoAP");
            told.insert(*to, message.payload);
            let ack = Message::empty(Type::Ack, message.mid);
            server.handle_datagram(now, *to, &ack.encode().expect("encodes"));
        }
        settle(server, site, now);
        sent.len()
    };
    let put = put(2).encode().expect("encodes");
    server.handle_datagram(now, peer(2, 1), &put);
    settle(&mut server, &mut site, now);
    let first = turn(&mut server, &mut site);
    assert!((2..500).contains(&first), "{first}");
    let mut again = Message::decode(&put).expect("CoAP");
    again.mid += 1;
    server.handle_datagram(now, peer(2, 1), &again.encode().expect("encodes"));
    settle(&mut server, &mut site, now);
    while site.poll_timeout().is_some_and(|due| due <= now) {
        site.handle_timeout(now, &mut server);
        assert!(turn(&mut server, &mut site) < 600);
    }
    told.remove(&peer(2, 1));
    assert_eq!(told.len(), 1000);
    assert!(told.values().all(|it| it == "2"));
}

#[test]
fn what_was_said_to_somebody_who_is_gone_is_not_said_to_others() {
    let (mut server, now) = serving(Config::default());
    let mut site = site(5000);
    let request = asking("count", 1, true).encode().expect("encodes");
    server.handle_datagram(now, peer(1, 1), &request);
    settle(&mut server, &mut site, now);
    let mut next = asking("count", 2, false);
    next.options.push_uint(option::BLOCK2, 0x16);
    transmitted(&mut server);
    server.forget_peer(peer(1, 1));
    settle(&mut server, &mut site, now);
    // The same message is a new one, and a block in the middle belongs to no body that was kept.
    for message in [request, next.encode().expect("encodes")] {
        server.handle_datagram(now, peer(1, 1), &message);
        let asked = std::iter::from_fn(|| server.poll_event());
        let asked = asked.filter(|it| matches!(it, Event::Incoming(_)));
        assert_eq!(asked.count(), 1);
    }
}
