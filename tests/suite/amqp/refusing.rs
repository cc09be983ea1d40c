//! Servers that close the channel or the connection over one message, and say why.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::peer::{messages, method, open_channel, short, until, welcome};
use crate::support::broker::{Broker, broker};
use crate::support::command::{Line, Running, iotctl};
use crate::support::peer::{Peer, drain};
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::wait_for;

/// Channel.Close, or Connection.Close where the code is one of a hard error.
fn farewell(code: u16, text: &str) -> Vec<u8> {
    let arguments = [&code.to_be_bytes()[..], &short(text), &[0; 4]].concat();
    match code {
        403 | 404 | 406 => method(1, 20, 40, &arguments),
        _ => method(0, 10, 50, &arguments),
    }
}

fn confirming(stream: &mut TcpStream) -> Option<()> {
    welcome(stream, 131_072)?;
    open_channel(stream)?;
    until(stream, 85, 10)?;
    stream.write_all(&method(1, 85, 11, &[])).ok()
}

fn confirm(stream: &mut TcpStream, tag: u64, multiple: bool) -> Option<()> {
    let arguments = [&tag.to_be_bytes()[..], &[multiple.into()]].concat();
    stream.write_all(&method(1, 60, 80, &arguments)).ok()
}

type Got = Arc<Mutex<Vec<String>>>;

/// A server that confirms each message, but closes with these words over each `evil`; and what it has confirmed.
fn fastidious(code: u16, text: &str) -> (Peer<Option<()>>, Got) {
    let (farewell, got) = (farewell(code, text), Got::default());
    let kept = Arc::clone(&got);
    let peer = Peer::start(move |stream, _| {
        confirming(stream)?;
        for tag in 1.. {
            let body = messages(stream, 1)?.remove(0);
            if body == b"evil" {
                stream.write_all(&farewell).ok()?;
                drain(stream);
                return None;
            }
            kept.lock().unwrap().push(String::from_utf8(body).unwrap());
            confirm(stream, tag, false)?;
        }
        Some(())
    });
    (peer, got)
}

fn amqp(peer: &Peer<Option<()>>) -> String {
    format!("amqp://127.0.0.1:{}", peer.port)
}

/// A bridge from a broker, once messages can come.
fn bridged(broker: &Broker, to: &str, words: &[&str], folder: &Path) -> Running {
    let line = format!("bridge mqtt://127.0.0.1:{} {to} -t", broker.port);
    let line = iotctl(&line).word("# out 1");
    let line = words.iter().fold(line, |line, word| line.word(word));
    let ready = folder.join("ready");
    let bridge = line.word("--ready-file").word(&ready).start();
    wait_for("the bridge", || ready.exists().then_some(()));
    bridge
}

fn good_and_evil(broker: &Broker) {
    let publish = broker.iotctl("pub -t a/x -q 1 -l");
    publish.input("1\nevil\n2\n3\n").run().exits(0);
}

fn all_good(got: &Got) {
    wait_for("the good ones", || {
        (*got.lock().unwrap() == ["1", "2", "3"]).then_some(())
    });
}

#[test]
fn a_message_over_which_a_server_closes_is_refused_and_the_others_arrive() {
    for (code, text) in [
        (403, "ACCESS_REFUSED - access to topic refused"),
        (541, "INTERNAL_ERROR"),
    ] {
        let (broker, folder) = (broker(""), tempfile::tempdir().unwrap());
        let (peer, got) = fastidious(code, text);
        let dropping = ["--on-refused", "drop"];
        let mut bridge = bridged(&broker, &amqp(&peer), &dropping, folder.path());
        good_and_evil(&broker);
        all_good(&got);
        bridge.signal("TERM");
        bridge.hears("received 4 messages: 3 delivered, 1 failed");
        bridge.ends().exits(143);
    }
}

#[test]
fn why_a_server_closed_stands_in_the_record_of_the_message() {
    let (broker, folder) = (broker(""), tempfile::tempdir().unwrap());
    let (peer, got) = fastidious(404, "NOT_FOUND - no exchange 'x' in vhost '/'");
    let file = folder.path().join("refused.ndjson");
    let words = ["--on-refused", file.to_str().unwrap()];
    let bridge = bridged(&broker, &amqp(&peer), &words, folder.path());
    good_and_evil(&broker);
    all_good(&got);
    let letter = wait_for("the record", || {
        let text = std::fs::read_to_string(&file).ok()?;
        text.ends_with('\n').then_some(text)
    });
    assert_eq!(letter.lines().count(), 1, "{letter}");
    assert!(letter.contains("\"payload\":\"evil\""), "{letter}");
    let why = "refused to take messages: no exchange 'x' in vhost '/', over message ";
    assert!(letter.contains(why), "{letter}");
    bridge.signal("TERM");
    bridge.ends().exits(143);
}

#[test]
fn a_bridge_that_stops_names_the_message_that_a_server_closed_over() {
    for (code, text, exit, why) in [
        (
            403,
            "ACCESS_REFUSED - no",
            4,
            "refused to take messages: no",
        ),
        (501, "FRAME_ERROR - no", 1, "ended the connection: no"),
    ] {
        let (broker, folder) = (broker(""), tempfile::tempdir().unwrap());
        let (peer, _) = fastidious(code, text);
        let bridge = bridged(&broker, &amqp(&peer), &[], folder.path());
        good_and_evil(&broker);
        let ended = bridge.ends_by_itself().exits(exit).says(why);
        ended.says("over message 2 to a.x");
    }
}

#[test]
fn a_gateway_answers_a_put_that_its_server_closed_over() {
    let (peer, got) = fastidious(403, "ACCESS_REFUSED - no");
    let line = format!("bridge coap-listen://127.0.0.1:0 {} -t", amqp(&peer));
    let mut gateway = iotctl(&line).word("# out 1").start();
    let line = gateway.hears("listening on coap://");
    let place = line.rsplit_once("coap://").unwrap().1.trim().to_owned();
    let put = |body: &str| iotctl(&format!("coap put coap://{place}/a -m {body}")).run();
    put("1").exits(0);
    put("evil").exits(1).says("5.02");
    put("2").exits(0);
    assert_eq!(*got.lock().unwrap(), ["1", "2"]);
    gateway.signal("TERM");
    gateway.ends().exits(143);
}

#[test]
fn user_properties_do_not_choose_where_rabbitmq_routes_a_message() {
    let (broker, folder) = (broker(""), tempfile::tempdir().unwrap());
    let server = rabbitmq().url();
    let [prefix, named, other] = ["carried", "named", "other"].map(unique);
    for (queue, key) in [(&named, format!("{prefix}.#")), (&other, other.clone())] {
        let declare = iotctl("amqp declare queue").words(&server).word(queue);
        declare.run().exits(0);
        let bind = iotctl("amqp bind").words(&server).word(queue);
        bind.words("-e amq.topic -k").word(&key).run().exits(0);
    }
    let mut bridge = bridged(&broker, &server, &[], folder.path());
    let publish = broker.iotctl(&format!("pub -t {prefix}/a -m x -q 1"));
    let publish = [("CC", &other), ("CC", &other), ("BCC", &other)]
        .iter()
        .fold(publish, |line, (name, value)| {
            line.words("-D publish user-property")
                .word(name)
                .word(value)
        });
    publish.words("-D publish user-property k v").run().exits(0);
    let got = iotctl(&format!(
        "amqp consume {server} {named} -C 1 -W 80 --output json"
    ));
    got.run().exits(0).contains("\"k\":\"v\"");
    bridge.hears("a user property CC or BCC cannot be carried");
    iotctl(&format!("amqp get {server} {other}"))
        .run()
        .exits(1)
        .says("is empty");
    bridge.signal("TERM");
    bridge.ends().exits(143);
}

fn publishing(peer: &Peer<Option<()>>, words: &str) -> Line {
    let line = iotctl("amqp publish").words(&amqp(peer)).words(words);
    line.words("-k q -m x --repeat 5 --retry never --ack-report json")
}

#[test]
fn confirms_that_come_with_the_end_are_reported() {
    for farewell in [
        farewell(404, "NOT_FOUND - no exchange"),
        farewell(501, "FRAME_ERROR - no"),
        farewell(320, "CONNECTION_FORCED - bye"),
        Vec::new(),
    ] {
        let peer = Peer::start(move |stream, _| {
            confirming(stream)?;
            messages(stream, 5)?;
            let confirm = [&2_u64.to_be_bytes()[..], &[1]].concat();
            let last = [method(1, 60, 80, &confirm), farewell.clone()].concat();
            stream.write_all(&last).ok()?;
            if !farewell.is_empty() {
                drain(stream);
            }
            Some(())
        });
        let ended = publishing(&peer, "").run();
        assert!(ended.code != 0, "{}", ended.stderr);
        let lines = ended.text().lines();
        let acknowledged = lines.filter(|line| line.contains("\"outcome\":\"acknowledged\""));
        assert_eq!(acknowledged.count(), 2, "{}{}", ended.text(), ended.stderr);
    }
}

#[test]
fn a_request_that_is_denied_is_what_the_server_refused() {
    let peer = Peer::start(|stream, _| {
        welcome(stream, 131_072)?;
        open_channel(stream)?;
        until(stream, 85, 10)?;
        stream.write_all(&method(1, 85, 11, &[])).ok()?;
        until(stream, 60, 10)?;
        stream.write_all(&method(1, 60, 11, &[])).ok()?;
        until(stream, 60, 20)?;
        stream.write_all(&method(1, 60, 21, &short("c"))).ok()?;
        messages(stream, 1)?;
        let farewell = farewell(403, "ACCESS_REFUSED - access to exchange 'e' refused");
        stream.write_all(&farewell).ok()?;
        drain(stream);
        Some(())
    });
    let line = iotctl("amqp request").words(&amqp(&peer));
    let ended = line.words("-e e -k k -m x -W 80").run().exits(4);
    ended.says("refused the request to \"k\": access to exchange 'e' refused");
}
