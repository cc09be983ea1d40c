//! Servers that refuse, keep silent, speak something else, or break the rules.

use std::io::{Read, Write};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use iotctl::amqp::publisher::Outgoing;
use iotctl::amqp::v091::Connection;
use iotctl::amqp::{Client, Login, Mechanism, Options};
use iotctl::command::amqp::session::{SessionArgs, Speaks};
use iotctl::command::amqp::{ping, publish, request};
use iotctl::command::ping::Settings;
use iotctl::connect::{ConnectArgs, Protocol, Target};
use iotctl::error::{Error, Kind};
use iotctl::output::{Format, Style};

use super::peer::{frame, messages, method, open_channel, short, start, until, welcome};
use super::words::{LINES, block_on, caught, session, shared, text};
use crate::support::PATIENCE;
use crate::support::peer::{Peer, drain};
use crate::support::rabbitmq::{RabbitMq, rabbitmq, unique};

fn ping(session: SessionArgs) -> Result<String, Error> {
    let plan = ping::Plan {
        session,
        settings: Settings {
            count: Some(1),
            interval: Duration::ZERO,
            wait: PATIENCE,
            json: false,
        },
        style: Style::default(),
    };
    let (ended, text) = caught(Format::Raw, |output| ping::run_to(plan, output));
    ended.map(|()| text)
}

/// The failure of a ping, with its kind checked.
#[track_caller]
fn refused(session: SessionArgs, kind: Kind) -> Error {
    let error = ping(session).unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    error
}

#[track_caller]
fn says(error: &Error, words: &str) {
    let hint = error.hint_text().unwrap_or_default();
    let all = format!("{} | {hint}", error.text());
    assert!(all.contains(words), "{words:?} is not in {all:?}");
}

fn peer_session(port: u16) -> SessionArgs {
    session(format!("amqp://127.0.0.1:{port}"))
}

fn tls(url: String) -> SessionArgs {
    SessionArgs {
        connect: ConnectArgs {
            url: Some(url),
            cafile: Some(rabbitmq().certificates.ca.clone()),
            ..ConnectArgs::default()
        },
        ..SessionArgs::default()
    }
}

#[test]
fn a_ping_shows_both_times() {
    let text = ping(shared()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[0].starts_with("connected to amqp://127.0.0.1:"),
        "{text}"
    );
    assert!(
        lines[0].contains(" ms: resolve ") && lines[0].contains(", handshake "),
        "{text}"
    );
    assert!(lines[1].starts_with("response from 127.0.0.1:"), "{text}");
    assert!(
        lines[2].contains(": 1 sent, 1 received, 0% lost; rtt min/avg/p50/"),
        "{text}"
    );
}

#[test]
fn urls_name_the_virtual_host() {
    let url = rabbitmq().url();
    for path in ["", "/", "/%2f"] {
        ping(session(format!("{url}{path}"))).unwrap();
    }
    let error = refused(session(format!("{url}/nope")), Kind::Refused);
    says(&error, "vhost nope not found");
    let mut words = shared();
    words.vhost = Some("gone".into());
    says(&refused(words, Kind::Refused), "vhost gone not found");
}

#[test]
fn a_wrong_password_is_not_authorised() {
    let port = rabbitmq().port;
    let error = refused(
        session(format!("amqp://guest:wrong@127.0.0.1:{port}")),
        Kind::Unauthorized,
    );
    says(&error, "refused the login of user \"guest\"");
    assert!(!error.text().contains("wrong"));
    // Not silently `guest`.
    refused(
        session(format!("amqp://guest:@127.0.0.1:{port}")),
        Kind::Unauthorized,
    );
    refused(
        session(format!("amqp://guest@127.0.0.1:{port}")),
        Kind::Unauthorized,
    );
}

#[test]
fn an_ipv6_address_is_not_taken_for_localhost() {
    let port = rabbitmq().port;
    let error = refused(session(format!("amqp://[::1]:{port}")), Kind::Unreachable);
    says(&error, &format!("amqp://[::1]:{port}"));
}

#[test]
fn tls_and_every_login() {
    let server = rabbitmq();
    let url = || format!("amqps://localhost:{}", server.tls_port);
    ping(tls(url())).unwrap();
    for mechanism in [Mechanism::Plain, Mechanism::AmqPlain] {
        let mut words = tls(url());
        words.mechanism = Some(mechanism);
        ping(words).unwrap();
    }
    // The certificate's name is no user of this server, which shows that it was asked by EXTERNAL.
    let mut words = tls(url());
    words.connect.cert = Some(server.certificates.client.clone());
    words.connect.key = Some(server.certificates.client_key.clone());
    says(
        &refused(words, Kind::Unauthorized),
        "the client certificate",
    );
}

#[test]
fn a_client_certificate_that_the_server_knows_is_a_login() {
    let server = rabbitmq();
    server.control(&["add_user", "machine", "a password that nobody uses"]);
    server.control(&["set_permissions", "machine", ".*", ".*", ".*"]);
    let mut words = tls(format!("amqps://localhost:{}", server.tls_port));
    words.connect.cert = Some(server.certificates.machine.clone());
    words.connect.key = Some(server.certificates.machine_key.clone());
    ping(words).unwrap();
}

#[test]
fn a_login_that_is_not_offered_is_named() {
    let peer = Peer::start(|stream, _| {
        stream.read_exact(&mut [0; 8]).unwrap();
        stream.write_all(&start("PLAIN AMQPLAIN")).unwrap();
        // As RabbitMQ does, without a word.
        until(stream, 10, 11);
    });
    let mut words = peer_session(peer.port);
    words.mechanism = Some(Mechanism::External);
    let error = refused(words, Kind::Unauthorized);
    says(
        &error,
        "does not offer the SASL mechanism EXTERNAL; it offers PLAIN AMQPLAIN",
    );
}

#[test]
fn plain_to_a_tls_port_and_back() {
    let server = rabbitmq();
    let plain = refused(
        session(format!("amqp://127.0.0.1:{}", server.tls_port)),
        Kind::Unreachable,
    );
    says(
        &plain,
        &format!("use amqps://127.0.0.1:{}", server.tls_port),
    );
    let encrypted = refused(
        tls(format!("amqps://localhost:{}", server.port)),
        Kind::Unreachable,
    );
    says(&encrypted, "TLS");
}

#[test]
fn other_protocols_are_named() {
    let answers: [(&[u8], &str); 3] = [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"),
        (b"AMQP\x00\x01\x00\x00", "AMQP 1.0"),
        (b"AMQP\x03\x01\x00\x00", "AMQP 1.0"),
    ];
    for (answer, name) in answers {
        let peer = Peer::start(move |stream, _| {
            let _ = stream.read_exact(&mut [0; 8]);
            let _ = stream.write_all(answer);
        });
        // Left to itself the program would go on in 1.0, where it was built with that.
        let session = SessionArgs {
            protocol: Speaks::V091,
            ..peer_session(peer.port)
        };
        let error = refused(session, Kind::Unreachable);
        says(&error, &format!("speaks {name}"));
        says(&error, ", not AMQP 0-9-1");
    }
}

#[test]
fn a_silent_server_is_given_up_in_time_and_let_go() {
    let (gone, is_gone) = channel();
    let peer = Peer::start(move |stream, _| {
        drain(stream);
        let _ = gone.send(());
    });
    let mut words = peer_session(peer.port);
    words.connect.connect_timeout = Some(Duration::from_millis(300));
    let began = Instant::now();
    let error = refused(words, Kind::TimedOut);
    says(&error, "did not complete the login within 300ms");
    assert!(began.elapsed() < Duration::from_secs(5));
    // The library's thread, which held the connection, is gone too.
    is_gone.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn a_server_that_stops_answering_is_given_up_in_time() {
    let peer = Peer::start(|stream, _| {
        welcome(stream, 131_072);
        drain(stream);
    });
    let mut words = peer_session(peer.port);
    words.patience = Duration::from_millis(300);
    let error = refused(words, Kind::TimedOut);
    says(&error, " to the request to open a channel within 300ms");
}

#[test]
fn an_unlimited_frame_size_is_not_taken_at_its_word() {
    let peer = Peer::start(|stream, _| {
        welcome(stream, 0);
        drain(stream);
    });
    let target = Target::tcp(Protocol::Amqp, "127.0.0.1", peer.port);
    let options = |frame_max| Options {
        login: Login::of(&target, None).unwrap(),
        vhost: "/".into(),
        name: "test".into(),
        heartbeat: 60,
        frame_max,
        patience: PATIENCE,
        watcher: None,
    };
    for (asked, agreed) in [(131_072, 131_072), (8192, 8192), (0, 4096)] {
        let client = block_on(Client::connect(&target, &options(asked), |_| {})).unwrap();
        assert_eq!(client.frame_max(), agreed);
    }
}

#[test]
fn a_confirmation_of_what_was_never_sent_ends_the_connection_for_good() {
    let peer = Peer::start(|stream, _| {
        welcome(stream, 131_072);
        open_channel(stream);
        until(stream, 85, 10);
        stream.write_all(&method(1, 85, 11, &[])).unwrap();
        for _ in 0..200 {
            until(stream, 60, 40);
        }
        let acknowledged = [&999_999u64.to_be_bytes()[..], &[0]].concat();
        stream.write_all(&method(1, 60, 80, &acknowledged)).unwrap();
        drain(stream);
    });
    let target = Target::tcp(Protocol::Amqp, "127.0.0.1", peer.port);
    let options = Options {
        login: Login::of(&target, None).unwrap(),
        vhost: "/".into(),
        name: "test".into(),
        heartbeat: 60,
        frame_max: 131_072,
        patience: PATIENCE,
        watcher: None,
    };
    let error = block_on(async {
        let connecting = Connection::connect(&target, &options, |_| {}, true, 1000);
        let mut connection = connecting.await.unwrap();
        for number in 0..200 {
            connection.publish(number, Outgoing::default()).unwrap();
        }
        let error = connection.fates(&mut Vec::new()).await.unwrap_err();
        assert!(connection.is_broken());
        let _ = connection.close().await;
        error
    });
    assert_eq!(error.kind(), Kind::Lost, "{error}");
    says(&error, "which was never sent");
}

#[test]
fn a_blocked_connection_is_told_and_given_up_in_time() {
    let peer = Peer::start(|stream, _| {
        welcome(stream, 131_072);
        open_channel(stream);
        until(stream, 85, 10);
        stream.write_all(&method(1, 85, 11, &[])).unwrap();
        stream
            .write_all(&method(0, 10, 60, &short("low on memory")))
            .unwrap();
        drain(stream);
    });
    let mut plan = publish::Plan::new(peer_session(peer.port), "k", text("x"));
    plan.ack_timeout = Duration::from_millis(500);
    let began = Instant::now();
    let error = block_on(publish::run(plan)).unwrap_err();
    assert_eq!(error.kind(), Kind::TimedOut);
    says(&error, "connection blocked: low on memory");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_real_server_that_is_low_on_memory_and_a_user_without_rights() {
    let server = RabbitMq::start();
    server.control(&["add_user", "nobody", "secret"]);
    let error = refused(
        session(format!("amqp://nobody:secret@127.0.0.1:{}", server.port)),
        Kind::Unauthorized,
    );
    says(&error, "access to vhost '/' refused");
    server.control(&["set_vm_memory_high_watermark", "0"]);
    let mut plan = publish::Plan::new(session(server.url()), unique("blocked"), text("x"));
    plan.pacing.repeat = 10;
    plan.ack_timeout = Duration::from_secs(1);
    let began = Instant::now();
    let error = block_on(publish::run(plan)).unwrap_err();
    assert_eq!(error.kind(), Kind::TimedOut, "{error}");
    says(
        &error,
        "of 10 messages sent, 0 acknowledged, 10 not acknowledged",
    );
    assert!(began.elapsed() < Duration::from_secs(10));
}

/// Connection.Close over what was sent (540), which is no loss that a client comes back from.
fn goodbye() -> Vec<u8> {
    let code = 540u16.to_be_bytes();
    let words = [&code[..], &short("NOT_IMPLEMENTED"), &[0; 4]].concat();
    method(0, 10, 50, &words)
}

/// Opens a channel with confirms.
fn confirming(stream: &mut std::net::TcpStream) {
    welcome(stream, 131_072);
    open_channel(stream);
    until(stream, 85, 10);
    stream.write_all(&method(1, 85, 11, &[])).unwrap();
}

fn confirm(tag: u64) -> Vec<u8> {
    method(1, 60, 80, &[&tag.to_be_bytes()[..], &[0]].concat())
}

#[test]
fn a_confirm_that_came_with_the_goodbye_counts() {
    let peer = Peer::start(|stream, number| {
        if number > 0 {
            return;
        }
        confirming(stream);
        messages(stream, 1);
        stream.write_all(&[confirm(1), goodbye()].concat()).unwrap();
        drain(stream);
    });
    let plan = publish::Plan::new(peer_session(peer.port), "k", text("x"));
    block_on(publish::run(plan)).unwrap();

    // Who has more to send is told.
    let peer = Peer::start(|stream, number| {
        if number > 0 {
            return;
        }
        confirming(stream);
        messages(stream, 2);
        stream.write_all(&[confirm(1), goodbye()].concat()).unwrap();
        drain(stream);
    });
    let mut plan = publish::Plan::new(peer_session(peer.port), "k", text("x"));
    plan.pacing.repeat = 2;
    let error = block_on(publish::run(plan)).unwrap_err();
    assert_eq!(error.kind(), Kind::Refused, "{error}");
}

/// Reads a message and gives it back to the consumer `c`, with its properties.
fn echo(stream: &mut std::net::TcpStream) -> Vec<u8> {
    let mut arguments = short("c");
    arguments.extend(1u64.to_be_bytes());
    arguments.push(0);
    arguments.extend([short(""), short("k")].concat());
    let mut frames = method(1, 60, 60, &arguments);
    loop {
        let (kind, payload) = frame(stream).unwrap();
        if kind == 1 {
            continue;
        }
        frames.extend([kind, 0, 1]);
        frames.extend((payload.len() as u32 - 1).to_be_bytes());
        frames.extend(payload);
        if kind == 3 {
            return frames;
        }
    }
}

#[test]
fn a_reply_that_came_with_the_goodbye_is_shown() {
    let peer = Peer::start(|stream, number| {
        if number > 0 {
            return;
        }
        confirming(stream);
        until(stream, 60, 10);
        stream.write_all(&method(1, 60, 11, &[])).unwrap();
        until(stream, 60, 20);
        stream.write_all(&method(1, 60, 21, &short("c"))).unwrap();
        let reply = echo(stream);
        stream
            .write_all(&[confirm(1), reply, goodbye()].concat())
            .unwrap();
        drain(stream);
    });
    let plan = request::Plan::new(peer_session(peer.port), "k", text("asked"));
    let (ended, answer) = caught(LINES, |output| request::run_to(plan, output));
    ended.unwrap();
    assert_eq!(answer, "asked\n");
}
