//! The connection that publishes, with peers that do as a test wants.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::peer::{messages, method, open_channel, short, start, until, welcome};
use crate::support::broker::{Broker, started};
use crate::support::command::{Line, iotctl};
use crate::support::peer::{Peer, drain};
use crate::support::rabbitmq::rabbitmq;

/// Goes through everything up to a channel that confirms.
fn confirming(stream: &mut TcpStream, frame_max: u32) -> Option<()> {
    welcome(stream, frame_max)?;
    open_channel(stream)?;
    until(stream, 85, 10)?;
    stream.write_all(&method(1, 85, 11, &[])).ok()
}

/// Basic.Ack (80) or Basic.Nack (120).
fn settle(stream: &mut TcpStream, id: u16, tag: u64, multiple: bool) -> Option<()> {
    let mut arguments = tag.to_be_bytes().to_vec();
    arguments.push(multiple.into());
    stream.write_all(&method(1, 60, id, &arguments)).ok()
}

fn publish(port: u16, words: &str) -> Line {
    let url = format!("amqp://127.0.0.1:{port}");
    iotctl("amqp publish").words(&url).words(words)
}

fn lines(count: usize) -> String {
    (0..count).map(|number| format!("{number}\n")).collect()
}

#[test]
fn confirmations_in_any_order_are_each_counted_once() {
    let peer = Peer::start(|stream, _| {
        confirming(stream, 131_072)?;
        messages(stream, 10)?;
        settle(stream, 80, 10, false)?;
        settle(stream, 80, 4, true)?;
        settle(stream, 120, 6, true)?;
        settle(stream, 80, 0, true)?;
        drain(stream);
        Some(())
    });
    let ended = publish(peer.port, "-k q -l").input(lines(10)).run();
    ended
        .exits(1)
        .says("refused messages (nack): of 10 messages sent, 8 acknowledged, 2 refused");
}

#[test]
fn a_confirmation_of_nothing_ends_it_and_is_not_tried_again() {
    let peer = Peer::start(|stream, _| {
        confirming(stream, 131_072)?;
        messages(stream, 3)?;
        settle(stream, 80, 4, false)?;
        drain(stream);
        Some(())
    });
    let ended = publish(peer.port, "-k q -l").input(lines(3)).run();
    ended
        .exits(6)
        .says("protocol violation by ")
        .says("it confirmed message 4 of the channel, which was never sent")
        .says("of 3 messages sent, 0 acknowledged, 3 not acknowledged");
    assert_eq!(peer.result(), Some(()));
    assert_eq!(peer.others(), 0);
}

#[test]
fn bodies_are_cut_to_the_frames_that_were_agreed_on() {
    for (frame_max, part) in [(4096, 4088), (8192, 8184), (0, 131_064)] {
        let peer = Peer::start(move |stream, _| {
            confirming(stream, frame_max)?;
            let parts = messages(stream, 300_000_usize.div_ceil(part))?;
            settle(stream, 80, 1, false)?;
            drain(stream);
            Some(parts.iter().map(Vec::len).collect::<Vec<_>>())
        });
        let body = "x".repeat(300_000);
        publish(peer.port, "-k q -s").input(body).run().exits(0);
        let parts = peer.result().unwrap();
        assert_eq!(parts.iter().sum::<usize>(), 300_000);
        let (_, whole) = parts.split_last().unwrap();
        assert!(whole.iter().all(|size| *size == part), "{parts:?}");
    }
}

#[test]
fn a_pause_is_kept() {
    let peer = Peer::start(|stream, _| {
        confirming(stream, 131_072)?;
        messages(stream, 2)?;
        stream.write_all(&method(1, 20, 20, &[0])).ok()?;
        until(stream, 20, 21)?;
        settle(stream, 80, 2, true)?;
        // Nothing comes until it may.
        stream.set_nonblocking(true).ok()?;
        let early = stream.read(&mut [0; 1]).is_ok();
        stream.set_nonblocking(false).ok()?;
        stream.write_all(&method(1, 20, 20, &[1])).ok()?;
        let rest = messages(stream, 2)?;
        settle(stream, 80, 4, true)?;
        drain(stream);
        Some((early, rest.concat()))
    });
    let publish = publish(peer.port, "-k q -l --window 2");
    publish.input(lines(4)).run().exits(0);
    assert_eq!(peer.result(), Some((false, b"23".to_vec())));
}

#[test]
fn a_pause_without_an_end_is_given_up() {
    let peer = Peer::start(|stream, _| {
        confirming(stream, 131_072)?;
        messages(stream, 1)?;
        stream.write_all(&method(1, 20, 20, &[0])).ok()?;
        until(stream, 20, 21)?;
        settle(stream, 80, 1, false)?;
        drain(stream);
        Some(())
    });
    publish(peer.port, "-k q -l --window 1 --ack-timeout 1")
        .input(lines(2))
        .run()
        .exits(5)
        .says("took no message for 1s: channel.flow is off")
        .says("of 1 message sent, 1 acknowledged, 1 read but not sent");
}

#[test]
fn a_block_is_told_at_once_and_so_is_its_end() {
    let peer = Peer::start(|stream, _| {
        confirming(stream, 131_072)?;
        messages(stream, 1)?;
        stream
            .write_all(&method(0, 10, 60, &short("low on memory")))
            .ok()?;
        messages(stream, 1)?;
        stream.write_all(&method(0, 10, 61, &[])).ok()?;
        messages(stream, 1)?;
        settle(stream, 80, 3, true)?;
        drain(stream);
        Some(())
    });
    let mut running = publish(peer.port, "-k q -l").start();
    running.write(b"1\n");
    running.hears("blocked the connection: low on memory");
    running.write(b"2\n");
    running.hears("unblocked the connection");
    running.write(b"3\n");
    running.ends().exits(0);
}

/// How the publisher and everybody else fail at the same server, which must be alike.
#[track_caller]
fn fail_alike(url: &str, words: &str, code: i32, why: &str) {
    let ended = ["amqp ping", "amqp publish"].map(|command| {
        let line = iotctl(command).word(url).words(words);
        let line = match command {
            "amqp publish" => line.words("-k q -m x"),
            _ => line,
        };
        line.run().exits(code).says(why).stderr
    });
    assert_eq!(ended[0], ended[1]);
}

#[test]
fn a_login_fails_as_everywhere() {
    let server = rabbitmq();
    let (plain, secure) = (server.port, server.tls_port);
    let local = |login: &str, port: u16| format!("amqp://{login}127.0.0.1:{port}");
    fail_alike(
        &local("guest:no@", plain),
        "",
        4,
        "refused the login of user",
    );
    fail_alike(&local("guest@", plain), "", 4, "refused the login of user");
    fail_alike(&(local("", plain) + "/nope"), "", 1, "vhost nope not found");
    fail_alike(&local("", secure), "", 3, "use amqps://");
    let tls = format!("amqps://127.0.0.1:{plain}");
    fail_alike(&tls, "--insecure", 3, "TLS");
    let external = format!("amqps://localhost:{secure}");
    let ca = server.certificates.ca.display();
    let words = format!("--auth external --cafile {ca}");
    fail_alike(
        &external,
        &words,
        4,
        "refused the login of the client certificate",
    );
}

#[test]
fn many_lines_go_over_tls_too() {
    let server = rabbitmq();
    let queue = super::cli::declared("secure", "");
    let url = format!("amqps://localhost:{}", server.tls_port);
    for words in ["", "--no-confirm"] {
        let line = iotctl("amqp publish").word(&url).word("--cafile");
        let line = line.word(&server.certificates.ca).words(words);
        let line = line.words(&format!("-l -k {queue}"));
        line.input(lines(20_000)).run().exits(0).quietly();
    }
    super::cli::amqp("purge")
        .word(&queue)
        .run()
        .exits(0)
        .contains("40000 messages removed");
}

#[test]
fn other_protocols_and_silence_are_told_as_everywhere() {
    for (answer, code, why) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], 3, "speaks HTTP"),
        (b"AMQP\x00\x01\x00\x00", 3, "speaks AMQP 1.0, not"),
        (b"AMQP\x03\x01\x00\x00", 3, "speaks AMQP 1.0, not"),
        (b"AMQP\x00\x00\x08\x00", 3, "speaks AMQP 0-8-0, not"),
        (b"", 6, "closed the connection without sending anything"),
    ] {
        let peer = Peer::start(move |stream, _| {
            let _ = stream.read_exact(&mut [0; 8]);
            let _ = stream.write_all(answer);
        });
        // Left to itself the program would go on in 1.0, where it was built with that.
        let url = format!("amqp://127.0.0.1:{}", peer.port);
        fail_alike(&url, "--protocol 0-9-1", code, why);
    }
    let silent = Peer::start(|stream, _| drain(stream));
    let url = format!("amqp://127.0.0.1:{}", silent.port);
    let why = "did not complete the login within 2s";
    fail_alike(&url, "--connect-timeout 2", 5, why);
    let peer = Peer::start(|stream, _| {
        let _ = stream.read_exact(&mut [0; 8]);
        let _ = stream.write_all(&start("PLAIN AMQPLAIN"));
        until(stream, 10, 11);
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let why = "does not offer the SASL mechanism EXTERNAL; it offers PLAIN AMQPLAIN";
    fail_alike(&url, "--auth external", 4, why);
    let peer = Peer::start(|stream, _| {
        welcome(stream, 131_072);
        drain(stream);
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let why = "to the request to open a channel within 300ms";
    fail_alike(&url, "--reply-timeout 0.3", 5, why);
}

fn broker(words: &str) -> Broker {
    started(iotctl("amqp broker --listen 127.0.0.1:0").words(words))
}

#[test]
fn our_brokers_block_is_told_before_the_deadline() {
    let broker = broker("--fault block:after=1");
    let mut running = publish(broker.port, "-k q --declare -l --ack-timeout 3").start();
    running.write(b"1\n2\n3\n");
    running.hears("blocked the connection: ");
    running.ends().exits(5).says("connection blocked: ");
}

#[test]
fn a_server_that_ends_the_channel_is_answered_and_its_reason_told() {
    let peer = Peer::start(|stream, _| {
        confirming(stream, 131_072)?;
        messages(stream, 1)?;
        let reason = short("NOT_FOUND - no exchange 'e' in vhost '/'");
        let close = [&404u16.to_be_bytes()[..], &reason, &[0, 60, 0, 40]].concat();
        stream.write_all(&method(1, 20, 40, &close)).ok()?;
        until(stream, 20, 41)?;
        drain(stream);
        Some(())
    });
    publish(peer.port, "-e e -k q -m x")
        .run()
        .exits(1)
        .says("refused to take messages: no exchange 'e' in vhost '/'");
    assert_eq!(peer.result(), Some(()));
}

#[test]
fn an_idle_publisher_keeps_its_heartbeat_and_notices_the_end() {
    let peer = Peer::start(|stream, _| {
        super::guards::tuned(stream, 1)?;
        open_channel(stream)?;
        until(stream, 85, 10)?;
        stream.write_all(&method(1, 85, 11, &[])).ok()?;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        Some(rest)
    });
    // Nothing is published, and its standard input stays open.
    let running = publish(peer.port, "-k q -l --retry never").start();
    running
        .ends_by_itself()
        .exits(6)
        .says("no heartbeat received");
    let rest = peer.result().unwrap();
    assert!(
        rest.windows(8)
            .any(|frame| frame == b"\x08\0\0\0\0\0\0\xCE")
    );
}

#[test]
fn nonsense_is_no_reason_to_panic() {
    for garbage in [
        &b"\x01\0\x01\0\0\0\x04\0\x3c\0\x50\xCE"[..],
        b"\x01\0\x01\0\0\0\x04\0\xff\0\xff\xCE",
        b"\x02\0\x01\0\0\0\x02\0\0\xCE",
        b"\x09\0\0\0\0\0\0\xCE",
        b"\x01\0\x01\xff\xff\xff\xff",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ] {
        let peer = Peer::start(move |stream, _| {
            confirming(stream, 131_072)?;
            messages(stream, 1)?;
            stream.write_all(garbage).ok()?;
            drain(stream);
            Some(())
        });
        let ended = publish(peer.port, "-k q -m x").run().exits(6);
        let ended = ended.says("protocol violation by ");
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}

/// Connection.Close (10, 50) with this code, over basic.publish.
fn close(stream: &mut TcpStream, code: u16, text: &str) -> Option<()> {
    let mut arguments = code.to_be_bytes().to_vec();
    arguments.extend(short(text));
    arguments.extend([0, 60, 0, 40]);
    stream.write_all(&method(0, 10, 50, &arguments)).ok()
}

#[test]
fn what_a_server_objects_to_is_named_and_nothing_is_published_again() {
    let peer = Peer::start(|stream, _| {
        confirming(stream, 131_072)?;
        messages(stream, 3)?;
        settle(stream, 80, 1, false)?;
        close(stream, 541, "INTERNAL_ERROR")?;
        drain(stream);
        Some(())
    });
    let ended = publish(peer.port, "-k q -l").input(lines(3)).run();
    ended
        .exits(1)
        .says("over one of 2 messages, from number 2 to q on: of 3 messages sent, 1 acknowledged, 2 not acknowledged");
    assert_eq!(peer.result(), Some(()));
    assert_eq!(peer.others(), 0);
}

#[test]
fn a_message_that_no_connection_survives_is_named_and_its_neighbours_arrive() {
    // Takes the first message and the third, and closes over the second.
    let peer = Peer::start(|stream, number| {
        confirming(stream, 131_072)?;
        match number {
            0 => {
                messages(stream, 3)?;
                settle(stream, 80, 1, false)?;
            }
            1 => drop(messages(stream, 2)?),
            2..=5 => drop(messages(stream, 1)?),
            _ => {
                messages(stream, 1)?;
                settle(stream, 80, 1, false)?;
                drain(stream);
            }
        }
        Some(())
    });
    let ended = publish(peer.port, "-k q -l").input(lines(3)).run();
    ended.exits(1).says(
        "closed the connection each time it received message 2 to q: of 3 messages sent, 2 acknowledged, 1 refused, 7 sent again",
    );
}

#[test]
fn headers_over_a_frame_are_refused_before_they_are_sent() {
    let name = crate::support::rabbitmq::unique("wide");
    let url = rabbitmq().url();
    let at = |command: &str| iotctl("amqp").words(command).word(&url);
    at("declare queue").word(&name).run().exits(0);
    let wide = "x".repeat(200_000);
    let record = |body: &str, header: &str| {
        format!("{{\"payload\":\"{body}\",\"amqp\":{{\"headers\":{{\"h\":\"{header}\"}}}}}}\n")
    };
    let records = [record("1", "a"), record("2", &wide), record("3", "b")].concat();
    at("publish --ndjson")
        .words(&format!("-k {name}"))
        .input(records)
        .run()
        .exits(1)
        .says("message 2 cannot be published: properties and headers have ")
        .says("of 3 messages sent, 2 acknowledged, 1 refused")
        .says("hint: use a larger --frame-max");
    at("consume -C 2 --for 5s")
        .word(&name)
        .run()
        .exits(0)
        .prints("1\n3\n");
}

#[test]
fn records_of_a_fanout_exchange_are_published_again() {
    let name = crate::support::rabbitmq::unique("fan");
    let url = rabbitmq().url();
    let at = |command: &str| iotctl("amqp").words(command).word(&url);
    at("declare exchange --type fanout")
        .word(&name)
        .run()
        .exits(0);
    at("declare queue").word(&name).run().exits(0);
    at("bind")
        .words(&format!("{name} --exchange {name}"))
        .run()
        .exits(0);
    let words = format!("-e {name} -m x --header n:int=3 --header t:time=1700000000");
    at("publish").words(&words).run().exits(0);
    let consume = || at("consume -C 1 --output json").word(&name).run().exits(0);
    let first = consume();
    assert!(first.text().contains("\"topic\":\"\""), "{}", first.text());
    at("publish --ndjson")
        .input(first.stdout.clone())
        .run()
        .exits(0);
    let second = consume();
    let record = |text: &str| {
        let mut record: serde_json::Value = serde_json::from_str(text).unwrap();
        record["time"].take();
        record
    };
    assert_eq!(record(first.text()), record(second.text()));
}
