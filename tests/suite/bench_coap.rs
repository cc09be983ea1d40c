//! `bench coap` against our own server, libcoap's, and scripted ones.

use std::net::UdpSocket;
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;
use tempfile::TempDir;

use iotctl::coap::code::Code;
use iotctl::coap::message::{Message, Type};

use crate::support::bench::Figures;
use crate::support::certificates::Certificates;
use crate::support::coap::{answer, scripted, server};
use crate::support::command::{Line, iotctl};
use crate::support::libcoap;
use crate::support::wait_for;

fn bench(uri: &str, words: &str) -> Line {
    iotctl("bench coap --quiet --output json")
        .word(uri)
        .words(words)
}

fn count(found: &Figures, name: &str) -> u64 {
    found.0["counts"][name].as_u64().unwrap_or(0)
}

#[test]
fn every_request_is_answered_and_accounted_for() {
    let server = server("-r /temp=text:21.5 -r /store=store", &["coap", "coap+tcp"]);
    for uri in &server.uris {
        for (path, words) in [
            ("/temp", "--rate 500 --count 200"),
            (
                "/temp",
                "--max --count 500 --sockets 3 --outstanding 5 --threads 2",
            ),
            (
                "/store/{client}/{seq}",
                "--max --count 300 --outstanding 16 --size 16-200 --mix get=2,put=1,delete=1",
            ),
            (
                "/store/{client}",
                "--rate 500 --count 100 --method put -m on --content-format json",
            ),
        ] {
            let ended = bench(&format!("{uri}{path}"), words).run();
            let found = Figures::of(&ended);
            let sent = found.messages("sent");
            assert_eq!(found.messages("planned"), sent, "{words}: {found:?}");
            if words.contains("--mix") {
                // Nothing is stored where a GET or DELETE asks.
                assert!(found.messages("refused") > 0, "{words}: {found:?}");
            } else {
                assert_eq!(found.messages("acknowledged"), sent, "{words}: {found:?}");
            }
            assert_eq!(found.messages("foreign"), 0, "{words}");
            assert_eq!(count(&found, "req_attempt"), sent);
            assert_eq!(count(&found, "req_success"), found.messages("acknowledged"));
            assert!(count(&found, "rtt_max_us") >= count(&found, "rtt_min_us"));
            assert_eq!(found.connections("opened"), found.connections("planned"));
        }
    }
}

#[test]
fn libcoaps_server_is_loaded() {
    let server = libcoap::plain();
    let uri = server.uri("coap", "/");
    let ended = bench(&uri, "--max --count 2000 --outstanding 32").run();
    let found = Figures::of(&ended.exits(0));
    found.counts([("acknowledged", 2000), ("foreign", 0)]);
}

#[test]
fn lost_requests_are_sent_again_and_counted() {
    let server = server("-r /a=text:1 --fault drop:every=10", &["coap"]);
    let uri = format!("{}/a", server.uris[0]);
    let words = "--max --count 200 --outstanding 20 --ack-timeout 200ms --drain 60s";
    let found = Figures::of(&bench(&uri, words).run().exits(0));
    found.counts([("acknowledged", 200), ("timed_out", 0)]);
    assert!(count(&found, "retransmissions") >= 10, "{found:?}");
    assert!(found.messages("repeated") >= 10, "{found:?}");
}

#[test]
fn refusals_resets_and_separate_responses_are_told_apart() {
    let peer = scripted(|request, number| match number % 3 {
        0 => vec![answer(request, Code::NOT_FOUND, "no")],
        1 => vec![Message::empty(Type::Rst, request.mid)],
        _ => {
            let mut response = answer(request, Code::CONTENT, "late");
            (response.kind, response.mid) = (Type::Con, 7);
            vec![Message::empty(Type::Ack, request.mid), response]
        }
    });
    let ended = bench(&peer.uri("/a"), "--rate 200 --count 30").run();
    let found = Figures::of(&ended.exits(0));
    found.counts([("acknowledged", 10), ("refused", 20), ("timed_out", 0)]);
    assert_eq!(
        (count(&found, "resets"), count(&found, "separate")),
        (10, 10)
    );
    assert_eq!(count(&found, "req_failed"), 20);
    let causes = found.0["errors"].as_array().unwrap();
    assert!(
        causes
            .iter()
            .any(|one| one["cause"] == "refused by the server: 4.04 Not Found")
    );
}

#[test]
fn silence_is_a_time_out_and_a_closed_port_no_connection() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let uri = format!("coap://{address}/a");
    let words = "--rate 100 --count 5 --ack-timeout 100ms --max-retransmit 1 --drain 20s";
    let ended = bench(&uri, words).run();
    let found = Figures::of(&ended);
    found.counts([("timed_out", 5), ("repeated", 5)]);
    ended.exits(6).says("none of 5 messages was acknowledged");
    drop(silent);
    bench(&uri, "--count 5")
        .run()
        .exits(3)
        .says("port unreachable (ICMP)");
}

#[test]
fn pings_and_connections_are_messages_too() {
    let server = server("", &["coap", "coap+tcp"]);
    for uri in &server.uris {
        let words = "--scenario ping --rate 500 --count 50";
        Figures::of(&bench(uri, words).run().exits(0)).counts([("acknowledged", 50)]);
        let words = "--scenario churn --sockets 3 --rate 200 --count 40";
        let found = Figures::of(&bench(uri, words).run().exits(0));
        found.counts([("acknowledged", 40)]);
        assert_eq!(found.connections("lost"), 0);
        let words = "--scenario idle --sockets 20 --duration 100ms";
        let found = Figures::of(&bench(uri, words).run().exits(0));
        assert_eq!(found.connections("opened"), 20);
    }
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_sent() {
    for (words, why) in [
        ("coap://127.0.0.1/{x}", "unknown placeholder {x}"),
        (
            "coap://127.0.0.1/{seq}/{seq}",
            "the path has more than one {seq}",
        ),
        ("http://127.0.0.1/", "invalid URI http://127.0.0.1/"),
        (
            "coap+ws://127.0.0.1/",
            "bench coap does not support WebSocket",
        ),
        (
            "coap://127.0.0.1/a --method put --size 70k",
            "larger than a datagram",
        ),
        (
            "coap://127.0.0.1/a --sockets 100k --scenario idle",
            "need 2 source addresses",
        ),
    ] {
        iotctl("bench coap").words(words).run().says(why);
    }
}

#[test]
fn observers_are_told_what_is_put_and_how_long_it_took() {
    let server = server(
        "-r /a=text:0 -r /counter=counter:20ms",
        &["coap", "coap+tcp"],
    );
    for uri in &server.uris {
        let words = "--observers 3 --sockets 1 --method put --rate 100 --count 50";
        let found = Figures::of(&bench(&format!("{uri}/a"), words).run().exits(0));
        found.counts([("acknowledged", 50), ("foreign", 0)]);
        // A server tells the newest state, not each one.
        let received = found.messages("unique");
        assert!((3..=150).contains(&received), "{received}");
        assert_eq!(found.0["latency"]["end_to_end"]["count"], received);
        assert_eq!(found.0["latency"]["subscribe"]["count"], 3);
        let words = "--scenario observe --observers 4 --duration 1s --assert received>=20";
        let found = Figures::of(&bench(&format!("{uri}/counter"), words).run().exits(0));
        assert_eq!(found.connections("opened"), 4);
    }
    bench(
        &format!("{}/none", server.uris[0]),
        "--scenario observe --duration 1s",
    )
    .run()
    .exits(1)
    .says("observation refused by the server: 4.04 Not Found");
}

#[test]
fn dtls_and_tls_are_loaded_and_their_handshakes_counted() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::in_folder(folder.path());
    let (cert, key) = (
        certificates.server.display(),
        certificates.server_key.display(),
    );
    let words = format!("--cert {cert} --key {key} --psk-identity me --psk secret -r /a=text:1");
    let server = server(&words, &["coaps", "coaps+tcp"]);
    for uri in &server.uris {
        let uri = format!("{uri}/a");
        let trust = match uri.starts_with("coaps+tcp") {
            true => format!("--cafile {}", certificates.ca.display()),
            false => String::from("--psk-identity me --psk secret"),
        };
        let words = format!("--max --count 300 --sockets 2 --outstanding 8 {trust}");
        let found = Figures::of(&bench(&uri, &words).run().exits(0));
        found.counts([("acknowledged", 300), ("foreign", 0)]);
        let words = format!(
            "--scenario churn --sockets 2 --max --outstanding 1 --count 20 --no-resumption {trust}"
        );
        let found = Figures::of(&bench(&uri, &words).run().exits(0));
        found.counts([("acknowledged", 20)]);
        assert!(found.0["latency"]["handshake"]["count"].as_u64() >= Some(20));
        // Each message is a connection, and so are the two that begin.
        assert_eq!(found.connections("tls_full"), 22, "{uri}");
    }
    let words = "--psk-identity me --psk wrong --count 1 --connect-timeout 3s";
    let ended = bench(&format!("{}/a", server.uris[0]), words).run();
    ended.exits(3).says("the handshake");
}

#[test]
fn a_server_of_our_own_and_one_that_only_answers() {
    let ended = iotctl("bench coap --embedded --quiet --output json /store/{client}")
        .words("--method put --rate 500 --count 100")
        .run();
    let found = Figures::of(&ended.exits(0));
    found.counts([("acknowledged", 100)]);
    assert_eq!(
        found.0["setup"]["peer"],
        "built-in, sharing the processors of the generator"
    );
    let line = "bench coap --calibrate --quiet --output json --outstanding 64 --count 70k";
    let found = Figures::of(&iotctl(line).run().exits(0));
    found.counts([("sent", 70_000), ("foreign", 0)]);
    assert!(count(&found, "early_ids") > 0, "{found:?}");
    let warned = found.0["warnings"].as_array().unwrap();
    assert!(
        warned
            .iter()
            .any(|one| one.as_str().unwrap().contains("within 247 s"))
    );
    iotctl("bench coap --embedded coap://127.0.0.1/")
        .run()
        .exits(2)
        .says("the URI is only a path");
}

#[test]
fn a_file_can_say_all_of_it() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("load.toml");
    let text = "[coap]\nembedded = true\nurl = \"/bench\"\nsockets = 2\nmix = \"get=3,put=1\"\ncount = 40\nrate = 500\n";
    std::fs::write(&file, text).unwrap();
    let ended = iotctl("bench run")
        .word(&file)
        .words("--quiet --output json --count 20")
        .run();
    Figures::of(&ended.exits(0)).counts([("acknowledged", 20)]);
}

/// Without a writer there is nothing to read, and nobody else to answer a signal.
#[test]
fn a_body_that_does_not_come_keeps_no_signal_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for words in [
        "bench coap coap://127.0.0.1:1/ --method put --file",
        "bench mqtt mqtt://127.0.0.1:1 --file",
        "bench mqtt mqtt://127.0.0.1:1 --arrivals recorded:",
    ] {
        let (words, before) = words.rsplit_once(' ').unwrap();
        let line = match before.strip_suffix(':') {
            Some(_) => iotctl(words).word(format!("{before}{}", pipe.display())),
            None => iotctl(words).word(before).word(&pipe),
        };
        let running = line.start();
        // It can be opened for writing only when it is being read.
        let _writer = wait_for("a reader", || {
            let mut options = std::fs::OpenOptions::new();
            let options = options
                .write(true)
                .custom_flags(OFlags::NONBLOCK.bits() as i32);
            options.open(&pipe).ok()
        });
        running.signal("TERM");
        assert!([-15, 143].contains(&running.ends().code), "{words}");
    }
}
