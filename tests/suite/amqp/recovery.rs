//! Connections that are lost on the way: what was not acknowledged comes again, what was not confirmed goes out again.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use super::peer::{
    consumer, deliver, goodbye, messages, method, next_ack, open_channel, short, until, welcome,
};
use super::words::tool;
use crate::support::broker::{Broker, started};
use crate::support::command::{Running, iotctl};
use crate::support::peer::{Peer, drain};
use crate::support::rabbitmq::{RabbitMq, rabbitmq, unique};
use crate::support::wait_for;

/// Takes the declaration of the queue `q`, then everything up to its consumer `c`.
fn declared(stream: &mut TcpStream) -> Option<()> {
    welcome(stream, 131_072)?;
    open_channel(stream)?;
    until(stream, 50, 10)?;
    let counts = [0; 8];
    let ok = [&short("q")[..], &counts].concat();
    stream.write_all(&method(1, 50, 11, &ok)).ok()?;
    until(stream, 60, 10)?;
    stream.write_all(&method(1, 60, 11, &[])).ok()?;
    until(stream, 60, 20)?;
    stream.write_all(&method(1, 60, 21, &short("c"))).ok()
}

#[test]
fn a_consumer_comes_back_and_says_what_may_be_missing() {
    let peer = Peer::start(|stream, number| {
        declared(stream)?;
        if number == 0 {
            stream.write_all(&deliver(1, false, b"one")).ok()?;
            return next_ack(stream);
        }
        // On the new connection tags count from 1 again.
        for (tag, body) in [(1, b"two"), (2, b"six")] {
            stream.write_all(&deliver(tag, true, body)).ok()?;
        }
        let mut ack = next_ack(stream)?;
        if ack.0 == 1 {
            ack = next_ack(stream)?;
        }
        goodbye(stream);
        Some(ack)
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let consume = iotctl("amqp consume").words(&url);
    let ended = consume
        .words("q --declare -C 3 -W 60")
        .run()
        .exits(0)
        .prints("one\ntwo\nsix\n");
    let told = ended
        .says(&format!("connection to {url} lost"))
        .says("retrying in ")
        .says(&format!("reconnected to {url} after "));
    told.says("consuming again; unacknowledged messages are redelivered");
    assert_eq!(peer.result().map(|ack| ack.0), Some(1));
    assert_eq!(peer.result().map(|ack| ack.0), Some(2));
}

#[test]
fn a_consumer_that_is_not_to_come_back_ends() {
    let peer = Peer::start(|stream, _| {
        consumer(stream)?;
        stream.write_all(&deliver(1, false, b"one")).ok()?;
        next_ack(stream)
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let ended = iotctl("amqp consume")
        .words(&url)
        .words("q --retry never")
        .run();
    ended.exits(6).prints("one\n").says("lost");
}

#[test]
fn a_stream_is_read_on_where_it_was_left() {
    let server = rabbitmq();
    server.control(&["add_vhost", "streams"]);
    server.control(&[
        "set_permissions",
        "-p",
        "streams",
        "guest",
        ".*",
        ".*",
        ".*",
    ]);
    let url = format!("{}/streams", server.url());
    let declare = iotctl("amqp declare queue").words(&url);
    declare.words("log --queue-type stream").run().exits(0);
    let publish = |lines: &str| {
        let line = iotctl("amqp publish").words(&url);
        let line = line.words("-k log -l --mandatory");
        line.input(lines).run().exits(0);
    };
    publish("one\ntwo\nthree\n");
    let consume = iotctl("amqp consume").words(&url);
    let mut consume = consume.words("log --offset 1 -W 85").start();
    assert_eq!(consume.lines(2), ["two", "three"]);
    server.control(&["close_all_connections", "--vhost", "streams", "enough"]);
    consume.hears("enough; retrying in ");
    consume.hears("consuming again, from offset 3 of the stream");
    publish("four\n");
    assert_eq!(consume.line(), "four");
    consume.signal("TERM");
    consume.ends().exits(143);
}

/// Hands on what both sides say, until the server ends it.
fn relay(stream: &mut TcpStream, port: u16) {
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut from, mut to) = (stream.try_clone().unwrap(), server.try_clone().unwrap());
    let up = std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let _ = std::io::copy(&mut server, stream);
    let _ = stream.shutdown(Shutdown::Both);
    up.join().unwrap();
}

#[test]
fn what_a_stream_gets_during_an_outage_comes_without_an_offset() {
    let server = rabbitmq();
    server.control(&["add_vhost", "gaps"]);
    server.control(&["set_permissions", "-p", "gaps", "guest", ".*", ".*", ".*"]);
    let url = format!("{}/gaps", server.url());
    let declare = iotctl("amqp declare queue").words(&url);
    declare.words("log --queue-type stream").run().exits(0);
    let publish = move |line: &str| {
        let publish = iotctl("amqp publish").words(&url);
        let publish = publish.words("-k log --mandatory -m").word(line);
        publish.run().exits(0);
    };
    let meanwhile = publish.clone();
    let peer = Peer::start(move |stream, number| {
        // It is away until this is there.
        if number == 1 {
            meanwhile("meanwhile");
        }
        relay(stream, rabbitmq().port);
    });
    let line = format!("amqp consume amqp://127.0.0.1:{}/gaps log", peer.port);
    let mut consume = iotctl(&line).start();
    // It begins with what comes once it is there, which is not seen.
    let heard = AtomicBool::new(false);
    let before = std::thread::scope(|scope| {
        let publishing = scope.spawn(|| {
            let mut count = 0;
            while !heard.load(Ordering::Relaxed) {
                publish(&count.to_string());
                count += 1;
            }
            count
        });
        let first: u64 = consume.line().parse().unwrap();
        heard.store(true, Ordering::Relaxed);
        (first + 1..publishing.join().unwrap()).map(|it| it.to_string())
    });
    let before: Vec<String> = before.collect();
    assert_eq!(consume.lines(before.len()), before);
    server.control(&["close_all_connections", "--vhost", "gaps", "enough"]);
    consume.hears("consuming again, from offset ");
    publish("after");
    assert_eq!(consume.lines(2), ["meanwhile", "after"]);
    consume.signal("TERM");
    consume.ends().exits(143);
}

/// Our broker on a port that it had before.
fn again(port: u16) -> Broker {
    started(iotctl(&format!("amqp broker --listen 127.0.0.1:{port}")))
}

fn consumes(broker: &mut Broker, words: &str) -> Running {
    let url = format!("amqp://127.0.0.1:{}", broker.port);
    let running = iotctl("amqp consume").words(&url).words(words).start();
    broker.running.hears(" consumes from ");
    running
}

#[test]
fn a_temporary_queue_is_made_again_after_a_restart() {
    let mut broker = started(iotctl("amqp broker --listen 127.0.0.1:0"));
    let port = broker.port;
    let url = format!("amqp://127.0.0.1:{port}");
    let mut tap = consumes(&mut broker, "-e amq.topic -k #");
    let mut named = consumes(&mut broker, "q --declare");
    for round in ["before", "after"] {
        for words in ["-e amq.topic -k a.b", "-k q"] {
            let publish = iotctl("amqp publish").words(&url).words(words);
            publish.words("--mandatory -m").word(round).run().exits(0);
        }
        assert_eq!(tap.line(), round);
        assert_eq!(named.line(), round);
        if round == "before" {
            broker.running.signal("KILL");
            tap.hears("retrying in ");
            named.hears("retrying in ");
            drop(broker);
            broker = again(port);
            broker.running.hears(" consumes from ");
            broker.running.hears(" consumes from ");
        }
    }
    for mut running in [tap, named] {
        running.hears("consuming again; ");
        running.signal("TERM");
        running.ends().exits(143);
    }
}

#[test]
fn a_server_killed_meanwhile_loses_nothing_that_was_not_acknowledged() {
    const COUNT: usize = 20_000;
    let mut server = RabbitMq::start();
    let url = server.url();
    let publish = iotctl("amqp publish").words(&url);
    let publish = publish.words("-k work --declare --persistent -l --mandatory");
    let lines: Vec<String> = (0..COUNT).map(|number| number.to_string()).collect();
    let all = lines.join("\n");
    publish.input(all).run().exits(0);
    server.write_down();
    let consume = iotctl("amqp consume").words(&url);
    let mut consume = consume
        .words("work --prefetch 50 --retry 80s -W 85")
        .start();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for line in consume.lines(COUNT / 10) {
        *seen.entry(line).or_default() += 1;
    }
    server.kill();
    consume.hears("retrying in ");
    server.restart();
    // What was shown and not acknowledged when the server died comes twice; nothing else does, and nothing is missing.
    while seen.len() < COUNT {
        *seen.entry(consume.line()).or_default() += 1;
    }
    let twice: usize = seen.values().map(|times| times - 1).sum();
    assert!(twice < COUNT, "{twice} came more than once");
    consume.signal("TERM");
    consume.ends().exits(143);
    wait_for("the queue to be empty", || {
        (tool(server.port, &["amqp-get", "-q", "work"]).0 == 2).then_some(())
    });
}

#[test]
fn what_was_not_confirmed_is_published_again_and_said_to_be() {
    let peer = Peer::start(|stream, number| {
        welcome(stream, 131_072)?;
        open_channel(stream)?;
        until(stream, 85, 10)?;
        stream.write_all(&method(1, 85, 11, &[])).ok()?;
        let came = messages(stream, if number == 0 { 5 } else { 3 })?;
        // The first two of five, then all of the other three.
        let last: u64 = if number == 0 { 2 } else { 3 };
        let ack = [&last.to_be_bytes()[..], &[1]].concat();
        stream.write_all(&method(1, 60, 80, &ack)).ok()?;
        if number > 0 {
            drain(stream);
        }
        Some(came.concat())
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let publish = iotctl("amqp publish").words(&url);
    let mut publish = publish.words("-k q -l").into_command();
    let pipes = publish.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = Running::new(pipes.stderr(Stdio::piped()).spawn().unwrap());
    running.write(b"1\n2\n3\n4\n5\n");
    running.hears(&format!("reconnected to {url} after "));
    running.hears("3 messages were not confirmed: publishing again, which may make duplicates");
    running
        .ends()
        .exits(0)
        .says(&format!("connection to {url} lost"));
    assert_eq!(peer.result().unwrap(), b"12345");
    assert_eq!(peer.result().unwrap(), b"345");
}

#[test]
fn a_message_that_comes_again_counts_once() {
    let peer = Peer::start(|stream, number| {
        consumer(stream)?;
        if number == 0 {
            stream.write_all(&deliver(1, false, b"one")).ok()?;
            return next_ack(stream);
        }
        // The acknowledgement was lost; the second was sent before as well, and never read.
        for (tag, body) in [(1, b"one"), (2, b"two")] {
            stream.write_all(&deliver(tag, true, body)).ok()?;
        }
        goodbye(stream);
        None
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let consume = iotctl("amqp consume").words(&url);
    let ended = consume.words("q -C 2 -W 60").run();
    ended.exits(0).prints("one\none\ntwo\n");
}

#[test]
fn acknowledgements_that_did_not_arrive_are_a_failure() {
    let (sender, go) = channel();
    let peer = Peer::start(move |stream, _| {
        consumer(stream)?;
        for tag in [1, 2] {
            stream.write_all(&deliver(tag, false, b"x")).ok()?;
        }
        go.recv().ok()
    });
    let folder = tempfile::tempdir().unwrap();
    let (file, gate) = (folder.path().join("out"), folder.path().join("gate"));
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let consume = iotctl("amqp consume").words(&url);
    let consume = consume.words("q -C 2 --workers 2 --exec sh -c");
    let script = "echo >> \"$OUT\"; while [ ! -e \"$GATE\" ]; do sleep 0.02; done";
    let consume = consume.word(script).env("OUT", &file).env("GATE", &gate);
    let consume = consume.start();
    wait_for("two commands", || (began(&file) == 2).then_some(()));
    sender.send(()).unwrap();
    peer.result();
    std::fs::write(&gate, "").unwrap();
    consume
        .ends()
        .exits(6)
        .says("was lost before it had the last acknowledgements; messages may be redelivered");
}

fn began(file: &Path) -> usize {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().count()
}

/// A process that is killed while its commands run has acknowledged nothing of what they work on.
#[test]
fn a_consumer_that_is_killed_loses_nothing() {
    let ours = started(iotctl("amqp broker --listen 127.0.0.1:0"));
    let ours = format!("amqp://127.0.0.1:{}", ours.port);
    for url in [rabbitmq().url(), ours] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("out");
        let queue = unique("keeper");
        let publish = iotctl("amqp publish").words(&url);
        let publish = publish.words(&format!("-k {queue} --declare --mandatory -l"));
        publish.input("0\n1\n2\n3\n4\n").run().exits(0);
        let consume = |words: &str, script: &str| {
            let consume = iotctl("amqp consume").words(&url).words(&queue);
            let consume = consume.words(words).words("--exec sh -c");
            consume.word(script).env("OUT", &file)
        };
        // They end with their parent, which is killed.
        let stuck = "cat >> \"$OUT\"; echo >> \"$OUT\"; while kill -0 $PPID; do sleep 0.02; done 2>/dev/null";
        let killed = consume("--workers 2", stuck).start();
        wait_for("two commands", || (began(&file) == 2).then_some(()));
        killed.signal("KILL");
        killed.ends();
        std::fs::remove_file(&file).unwrap();
        let append = "cat >> \"$OUT\"; echo >> \"$OUT\"";
        consume("-C 5", append).run().exits(0);
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, "0\n1\n2\n3\n4\n", "{url}");
    }
}
