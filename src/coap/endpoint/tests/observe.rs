//! TD_COAP_OBS_01 to 14, from both sides.

use super::*;
use crate::coap::endpoint::{Cancel, Exchange, Gone, Ignored, Response};
use crate::coap::message::Token;
use crate::coap::option;

fn confirmable_notifications(net: &Net) -> Vec<&Packet> {
    let mut down = net.down();
    down.retain(|it| it.message.kind == Type::Con && it.message.options.contains(option::OBSERVE));
    down
}

#[test]
fn td_coap_obs_01_confirmable() {
    let mut net = Net::new();
    net.begin(observe("obs"));
    net.run_for(seconds(16.0));
    assert_eq!(net.notified(), ["tick 0", "tick 1", "tick 2", "tick 3"]);
    let first = &net.up()[0].message;
    assert_eq!(
        first.options.first(option::OBSERVE).map(|it| it.len()),
        Some(0)
    );
    let notifications = confirmable_notifications(&net);
    assert_eq!(notifications.len(), 3);
    for notification in notifications {
        assert_eq!(notification.message.token, first.token);
        let mid = notification.message.mid;
        let acknowledged = |it: &&&Packet| is_empty(it, Type::Ack) && it.message.mid == mid;
        assert_eq!(net.up().iter().filter(acknowledged).count(), 1);
    }
}

#[test]
fn td_coap_obs_02_non_confirmable() {
    let mut net = Net::new();
    net.begin(observe("obs-non"));
    net.run_for(seconds(16.0));
    assert_eq!(net.notified().len(), 4);
    assert_eq!(net.up().len(), 1, "nothing is acknowledged");
}

#[test]
fn td_coap_obs_04_registration_again_after_max_age() {
    let mut net = Net::new();
    let handle = net.begin(observe("obs"));
    net.run_for(seconds(6.0));
    // The server forgets us without a word.
    net.begin(with_body(Code::POST, "obs-reset", "sesame"));
    net.run_for(seconds(21.0));
    assert!(net.events.contains(&Event::Reregistered { handle }));
    let registrations: Vec<_> = net
        .up()
        .into_iter()
        .filter(|it| it.message.options.contains(option::OBSERVE))
        .collect();
    assert_eq!(registrations.len(), 2);
    assert_eq!(
        registrations[0].message.token,
        registrations[1].message.token
    );
    let silence = registrations[1].at - seconds(5.0);
    assert!(
        (seconds(10.0)..seconds(20.1)).contains(&silence),
        "{silence:?}"
    );
    net.run_for(seconds(10.0));
    assert!(net.notified().len() > 3, "{:?}", net.notified());
}

#[test]
fn td_coap_obs_05_the_client_is_gone() {
    let mut net = Net::new();
    net.begin(observe("obs"));
    net.run_for(seconds(6.0));
    let before = net.down().len();
    net.fate = Box::new(|_| vec![]);
    net.client = Endpoint::seeded(Config::default(), 3);
    net.run_for(seconds(300.0));
    assert_eq!(
        net.down().len(),
        before + 5,
        "one notification, and four retransmissions"
    );
}

#[test]
fn td_coap_obs_06_a_reset_ends_it() {
    for path in ["obs", "obs-non"] {
        let mut net = Net::new();
        let handle = net.begin(observe(path));
        net.run_for(seconds(6.0));
        net.client.cancel(net.now, handle, Cancel::Forget);
        net.run_for(seconds(20.0));
        assert_eq!(net.notified().len(), 2);
        let last = net.up().into_iter().next_back().expect("a reset");
        assert!(is_empty(last, Type::Rst), "{path}");
        let after = net
            .down()
            .into_iter()
            .filter(|it| it.at > seconds(6.0))
            .count();
        assert_eq!(after, 1, "{path}: one notification more, and no other");
        assert!(net.client.is_idle());
    }
}

#[test]
fn td_coap_obs_07_08_errors_end_it() {
    let mut other = with_body(Code::PUT, "obs", "{}");
    other.options.set_uint(option::CONTENT_FORMAT, 50);
    let ends = [
        (request(Code::DELETE, "obs"), Code::NOT_FOUND),
        (other, Code::NOT_ACCEPTABLE),
    ];
    for (asked, code) in ends {
        let mut net = Net::new();
        let handle = net.begin(observe("obs"));
        net.run_for(seconds(6.0));
        net.begin(asked);
        let last = net.end(handle).expect("a last notification");
        assert_eq!(
            (last.response.code, last.response.options.observe()),
            (code, None)
        );
        net.run_for(seconds(30.0));
        assert!(net.client.is_idle());
        assert_eq!(net.notified().len(), 2);
    }
}

#[test]
fn td_coap_obs_09_a_put_is_notified() {
    let mut net = Net::new();
    net.begin(observe("obs"));
    net.run_for(seconds(1.0));
    net.ask(with_body(Code::PUT, "obs", "new"));
    net.run_for(seconds(1.0));
    assert_eq!(net.notified(), ["tick 0", "new"]);
}

#[test]
fn td_coap_obs_10_another_get_does_not_cancel() {
    let mut net = Net::new();
    net.begin(observe("obs"));
    net.run_for(seconds(6.0));
    assert_eq!(body(&net.get("obs")), "tick 1");
    net.run_for(seconds(5.0));
    assert_eq!(net.notified().len(), 3);
}

#[test]
fn td_coap_obs_11_lossy() {
    let mut net = Net::new();
    let mut random = Random::seeded(11);
    net.fate = Box::new(move |_| match random.next() % 10 {
        0..3 => vec![],
        3..5 => vec![LATENCY, 3 * LATENCY],
        _ => vec![LATENCY],
    });
    let mut asked = observe("obs");
    asked.deadline = Some(seconds(120.0));
    net.begin(asked);
    net.run_for(seconds(300.0));
    let notified = net.notified();
    assert!(notified.len() > 15, "{notified:?}");
    assert!(
        (1..notified.len()).all(|at| !notified[..at].contains(&notified[at])),
        "{notified:?}"
    );
    // Never more than one waits for its acknowledgement.
    let mut open: Option<(u16, Duration)> = None;
    for packet in &net.sent {
        let mid = packet.message.mid;
        let registers = packet.message.options.observe() == Some(0);
        let settles =
            packet.message.code == Code::EMPTY && open.is_some_and(|it| it.0 == mid) || registers;
        if packet.up && settles {
            // A new registration takes the place of the one before, unacknowledged notification and all.
            open = None;
        } else if !packet.up && packet.message.kind == Type::Con {
            // Another one takes its place only when it would be sent again.
            let timed_out = |sent: Duration| packet.at - sent >= Config::default().ack_timeout;
            assert!(open.is_none_or(|(it, sent)| it == mid || timed_out(sent)));
            open = Some((mid, packet.at));
        }
    }
}

#[test]
fn a_notification_that_is_sent_again_has_the_state_of_now() {
    let mut net = Net::losing(&[], &[2, 3]);
    net.begin(observe("obs"));
    net.run_for(seconds(14.5));
    assert_eq!(net.notified(), ["tick 0", "tick 2"]);
    let sent = confirmable_notifications(&net);
    let [first, second, third] = sent[..] else {
        panic!("{sent:?}")
    };
    assert_eq!(first.bytes, second.bytes);
    assert_ne!(third.message.mid, first.message.mid);
    assert_eq!(third.message.token, first.message.token);
    assert!(third.message.options.observe() > first.message.options.observe());
    // Time-outs go on as before.
    assert_eq!(third.at - second.at, 2 * (second.at - first.at));
}

#[test]
fn a_state_that_ends_it_takes_the_place_of_one_that_was_not_acknowledged() {
    let (mut server, now) = (Endpoint::seeded(serving(), 1), Instant::now());
    let (observer, _) = registered(&mut server, now, (1, 1));
    server.notify(now, observer, state("1"), true);
    server.notify(now, observer, Response::new(Code::NOT_FOUND), false);
    let sent = sent_by(&mut server);
    let [notification] = &sent[..] else {
        panic!("{sent:?}")
    };
    let again = server.poll_timeout().expect("a time-out");
    server.handle_timeout(again);
    let last = &sent_by(&mut server)[0];
    assert_eq!((last.kind, last.code), (Type::Con, Code::NOT_FOUND));
    assert_ne!(last.mid, notification.mid);
    assert!(!server.is_observer(observer));
    let next = server.poll_timeout().expect("it may be lost");
    server.handle_timeout(next);
    assert_eq!(sent_by(&mut server), std::slice::from_ref(last));
    // A reset of what it took the place of ends it too (RFC 7641 §3.6).
    let reset = Message::empty(Type::Rst, notification.mid);
    let reset = reset.encode().expect("encodes");
    server.handle_datagram(next, client_address(), &reset);
    server.handle_timeout(next + seconds(300.0));
    assert_eq!(sent_by(&mut server), []);
}

#[test]
fn whoever_registers_anew_is_not_told_of_the_end_before() {
    for deregisters in [false, true] {
        let (mut server, now) = (Endpoint::seeded(serving(), 1), Instant::now());
        let (observer, first) = registered(&mut server, now, (1, 1));
        server.notify(now, observer, Response::new(Code::NOT_FOUND), false);
        assert_eq!(sent_by(&mut server)[0].code, Code::NOT_FOUND);
        // That was lost.
        if deregisters {
            let exchange = asked(&mut server, now, client_address(), (2, 1, 1));
            server.respond(now, exchange, state("0"));
        } else {
            let (observer, second) = registered(&mut server, now, (2, 1));
            // RFC 7641 §4.4: the number is greater than that of any notification before.
            assert!(second.options.observe() > first.options.observe().map(|it| it + 1));
            assert!(server.is_observer(observer));
        }
        sent_by(&mut server);
        server.handle_timeout(now + seconds(300.0));
        assert_eq!(sent_by(&mut server), []);
    }
}

#[test]
fn who_gives_way_is_told_though_it_has_not_acknowledged() {
    let config = Config {
        observers: 2,
        ..serving()
    };
    let (mut server, now) = (Endpoint::seeded(config, 1), Instant::now());
    let (oldest, _) = registered(&mut server, now, (1, 1));
    registered(&mut server, now, (2, 2));
    server.notify(now, oldest, state("1"), true);
    sent_by(&mut server);
    let newcomer = Peer::from(([192, 0, 2, 3], 5683));
    let exchange = asked(&mut server, now, newcomer, (1, 1, 0));
    server.respond(now, exchange, state("0"));
    let codes: Vec<_> = sent_by(&mut server).iter().map(|it| it.code).collect();
    assert_eq!(codes, [Code::SERVICE_UNAVAILABLE, Code::CONTENT]);
    assert!(server.is_observer(exchange) && !server.is_observer(oldest));
}

/// What a server has sent by now.
fn sent_by(server: &mut Endpoint) -> Vec<Message> {
    let sent = std::iter::from_fn(|| server.poll_transmit());
    sent.map(|it| Message::decode(&it.1).expect("CoAP"))
        .collect()
}

fn state(body: &'static str) -> Response {
    Response::content(0, body).with(option::OBSERVE, Bytes::new())
}

/// A GET with a message id, a token and an Observe option.
fn asking((mid, token, observe): (u16, u8, u64)) -> Message {
    let token = Token::new(&[token]).expect("a token");
    let mut ask = Message::new(Type::Con, Code::GET, mid, token);
    ask.options.push_uint(option::OBSERVE, observe);
    ask
}

/// The exchange of that GET, which the server is to answer.
fn asked(server: &mut Endpoint, now: Instant, from: Peer, what: (u16, u8, u64)) -> Exchange {
    let bytes = asking(what).encode().expect("encodes");
    server.handle_datagram(now, from, &bytes);
    let event = std::iter::from_fn(|| server.poll_event()).find_map(|event| match event {
        Event::Incoming(incoming) => Some(incoming.exchange),
        _ => None,
    });
    event.expect("a request")
}

/// An observer, and the answer to its registration.
fn registered(server: &mut Endpoint, now: Instant, what: (u16, u8)) -> (Exchange, Message) {
    let observer = asked(server, now, client_address(), (what.0, what.1, 0));
    server.respond(now, observer, state("0"));
    (observer, sent_by(server).remove(0))
}

fn serving() -> Config {
    Config {
        serve: true,
        ..Config::default()
    }
}

#[test]
fn td_coap_obs_12_deregistration() {
    let mut net = Net::new();
    let handle = net.begin(observe("obs"));
    net.run_for(seconds(6.0));
    net.client.cancel(net.now, handle, Cancel::Deregister);
    net.run_for(seconds(1.0));
    assert!(net.events.contains(&Event::Finished { handle }));
    let last = &net.up().into_iter().next_back().expect("sent").message;
    let first = &net.up()[0].message;
    assert_eq!((last.code, last.token), (Code::GET, first.token));
    assert_eq!(last.options.observe(), Some(1));
    assert_eq!(
        last.options.texts(option::URI_PATH),
        first.options.texts(option::URI_PATH)
    );
    assert_eq!(net.notified().len(), 2, "the answer is no notification");
    let sent = net.sent.len();
    net.run_for(seconds(60.0));
    assert_eq!(net.sent.len(), sent, "then silence");
    assert!(net.client.is_idle() && net.client.lingers_until().is_some());
}

#[test]
fn td_coap_obs_13_14_large_and_varying() {
    for path in ["obs-large", "obs-pumping", "obs-pumping-non"] {
        let mut net = Net::new();
        net.begin(observe(path));
        net.run_for(seconds(21.0));
        let notified = net.notified();
        assert_eq!(notified.len(), 5, "{path}");
        for (tick, body) in notified.iter().enumerate() {
            assert!(body.starts_with(&format!("tick {tick}")), "{path}: {body}");
            let large = path == "obs-large" || tick % 2 == 1;
            assert_eq!(body.len(), if large { 300 } else { 6 }, "{path}");
        }
        let fetched = net
            .up()
            .into_iter()
            .filter(|it| it.message.options.block2().is_some());
        let token = net.up()[0].message.token;
        for packet in fetched {
            assert!(!packet.message.options.contains(option::OBSERVE));
            assert_ne!(packet.message.token, token);
        }
    }
}

#[test]
fn a_notification_during_the_transfer_of_another_begins_it_anew() {
    let mut net = Net::new();
    // So slow that a notification comes before the one before is whole.
    net.fate = Box::new(|_| vec![seconds(0.7)]);
    net.begin(observe("obs-large"));
    net.run_for(seconds(60.0));
    assert!(net.notified().iter().all(|it| it.len() == 300));
}

#[test]
fn a_resource_that_is_not_observable_answers_once() {
    let mut net = Net::new();
    let reply = net.ask(observe("test"));
    assert_eq!(reply.response.options.observe(), None);
    assert!(net.client.is_idle());
    assert!(net.notified().is_empty());
    assert_eq!(net.ask(observe("large")).response.payload.len(), 1280);
}

#[test]
fn observers_are_bounded_and_replaced() {
    let mut net = Net::with(
        Config::default(),
        Config {
            observers: 2,
            ..Config::default()
        },
    );
    for _ in 0..3 {
        net.begin(observe("obs"));
    }
    net.run_for(seconds(1.0));
    assert_eq!(net.notified().len(), 2);
    let replies = net
        .events
        .iter()
        .filter(|it| matches!(it, Event::Reply { .. }));
    assert_eq!(
        replies.count(),
        1,
        "the third one is answered, and not registered"
    );
}

#[test]
fn old_notifications_are_dropped_until_128_seconds_have_passed() {
    let mut alone = alone::Alone::new();
    alone.begin(observe("x"));
    let token = alone.sent().pop().expect("sent").token;
    let mut notify = |sequence: u32, mid, wait| {
        alone.wait(seconds(wait));
        let mut message = Message::new(Type::Non, Code::CONTENT, mid, token);
        message.options.push_uint(option::OBSERVE, sequence.into());
        message.options.push_uint(option::MAX_AGE, 3600);
        alone.deliver(&message);
        let events = alone.events();
        let stale = events.iter().any(|it| {
            matches!(
                it,
                Event::Ignored {
                    ignored: Ignored::Stale,
                    ..
                }
            )
        });
        let fresh = events
            .iter()
            .any(|it| matches!(it, Event::Notification { .. }));
        assert_ne!(stale, fresh);
        fresh
    };
    let order = [3, 5, 4, 6, 7].map(|sequence| notify(sequence, sequence as u16, 1.0));
    assert_eq!(order, [true, true, false, true, true]);
    assert!(notify(2, 20, 129.0), "after 128 s everything is fresh");
    assert!(notify(0x7F_FFFF, 21, 1.0) && notify(0xFF_FFFE, 22, 1.0));
    assert!(notify(0, 23, 1.0), "it wraps");
    assert!(!notify(0xFF_FFFF, 24, 1.0));
}

#[test]
fn max_age_nought_registers_again_after_the_grace() {
    let mut alone = alone::Alone::new();
    alone.begin(observe("x"));
    let first = alone.sent().pop().expect("sent");
    let mut answer = Message::new(Type::Ack, Code::CONTENT, first.mid, first.token);
    answer.options.push_uint(option::OBSERVE, 1);
    answer.options.push_uint(option::MAX_AGE, 0);
    alone.deliver(&answer);
    alone.wait(seconds(4.9));
    assert!(alone.sent().is_empty());
    alone.wait(seconds(10.2));
    let again = alone.sent();
    assert_eq!(
        (again[0].token, again[0].options.observe()),
        (first.token, Some(0))
    );
}

#[test]
fn the_server_says_why_an_observer_is_gone() {
    let mut server = Endpoint::seeded(
        Config {
            serve: true,
            ..Config::default()
        },
        5,
    );
    let now = Instant::now();
    let mut register = Message::new(Type::Con, Code::GET, 1, Token::EMPTY);
    register.options.push_uint(option::OBSERVE, 0);
    server.handle_datagram(now, client_address(), &register.encode().expect("encodes"));
    let Some(Event::Incoming(incoming)) = server.poll_event() else {
        panic!("a request");
    };
    let state = || Response::content(0, "x").with_uint(option::OBSERVE, 0);
    server.respond(now, incoming.exchange, state());
    assert!(server.notify(now, incoming.exchange, state(), false));
    let last = std::iter::from_fn(|| server.poll_transmit())
        .last()
        .expect("a notification");
    let mid = Message::decode(&last.1).expect("CoAP").mid;
    let reset = Message::empty(Type::Rst, mid).encode().expect("encodes");
    server.handle_datagram(now, client_address(), &reset);
    let gone = Event::ObserverGone {
        exchange: incoming.exchange,
        gone: Gone::Reset,
    };
    assert_eq!(server.poll_event(), Some(gone));
    assert!(!server.notify(now, incoming.exchange, state(), false));
}
