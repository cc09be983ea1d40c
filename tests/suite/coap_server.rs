//! `iotctl coap server`, asked by Debian's coap-client and by ourselves.

use std::io::Write;
use std::net::{IpAddr, TcpStream, UdpSocket};
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::PATIENCE;
use crate::support::capture::capture;
use crate::support::certificates::Certificates;
use crate::support::coap::{Server, server};
use crate::support::coap_peer::{content, frame};
use crate::support::command::{Ended, Line, iotctl, program};

impl Server {
    fn uri(&self, path: &str) -> String {
        format!("{}{path}", self.uris[0])
    }

    fn libcoap(&self, words: &str, path: &str) -> Line {
        program("coap-client-notls", words).word(self.uri(path))
    }

    fn ours(&self, command: &str, path: &str) -> Line {
        iotctl(&format!("coap {command}")).word(self.uri(path))
    }
}

#[test]
fn libcoaps_client_is_served() {
    let words = "-r /temp=text:21.5 -r /late=delay:0.3:late -r /large=large:100KiB -r /store=store";
    let server = server(words, &["coap"]);
    server.libcoap("", "/temp").run().exits(0).prints("21.5\n");
    server.libcoap("", "/late").run().exits(0).prints("late\n");
    let large = server.libcoap("", "/large").run().exits(0);
    assert_eq!(large.stdout.len(), 100 * 1024 + 1);
    assert!(
        large
            .stdout
            .chunks(64)
            .take(1600)
            .enumerate()
            .all(|(at, line)| { line == format!("{at:063}\n").as_bytes() })
    );
    server.libcoap("-m put -e on", "/store/led").run().exits(0);
    server
        .libcoap("", "/store/led")
        .run()
        .exits(0)
        .prints("on\n");
    let core = server.libcoap("", "/.well-known/core?rt=clock").run();
    core.exits(0).prints("");
}

#[test]
fn libcoaps_client_observes() {
    let server = server("-r /counter=counter:0.1", &["coap"]);
    let ended = server.libcoap("-s 1", "/counter").run().exits(0);
    assert!(ended.text().contains("23"), "{}", ended.text());
}

#[test]
fn a_path_with_escapes_is_the_same_however_it_is_written() {
    let server = server("-r /a%2fb/ä=store", &["coap"]);
    let there = "/a%2Fb/%C3%A4";
    let made = server.ours("post -m x", there).run().exits(0);
    made.says(&format!("{there}/1"));
    let one = format!("{there}/1");
    server.ours("get", &one).run().exits(0).prints("x");
    server.libcoap("", &one).run().exits(0).prints("x\n");
}

#[test]
fn every_transport_shows_the_same_resources() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::in_folder(folder.path());
    let (cert, key) = (
        certificates.server.display(),
        certificates.server_key.display(),
    );
    let words = format!("--cert {cert} --key {key} -r /temp=text:0 -r /counter=counter:0.05");
    let schemes = ["coap", "coap+tcp", "coap+ws", "coaps+tcp", "coaps+ws"];
    let server = server(&words, &schemes);
    for (at, uri) in server.uris.iter().enumerate() {
        let trust = if uri.starts_with("coaps") {
            format!("--cafile {}", certificates.ca.display())
        } else {
            String::new()
        };
        let line = |command: &str| iotctl(&format!("coap {command} {trust}"));
        line(&format!("put -m {at} {uri}/temp")).run().exits(0);
        server
            .ours("get", "/temp")
            .run()
            .exits(0)
            .prints(&at.to_string());
        let ended = line(&format!("observe -C 2 {uri}/counter")).run().exits(0);
        assert_eq!(ended.text().lines().count(), 2, "{uri}");
        line(&format!("ping -C 1 {uri}")).run().exits(0);
    }
}

#[test]
fn dtls_takes_keys_and_certificates_on_one_port() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::in_folder(folder.path());
    let (cert, key) = (
        certificates.server.display(),
        certificates.server_key.display(),
    );
    let words = format!("--cert {cert} --key {key} --psk-identity me --psk secret -r /a=text:1");
    let server = server(&words, &["coaps"]);
    let trust = format!("get --cafile {}", certificates.ca.display());
    server.ours(&trust, "/a").run().exits(0).prints("1");
    let ours = "get --psk-identity me --psk secret";
    server.ours(ours, "/a").run().exits(0).prints("1");
    let wrong = "get --connect-timeout 1 --psk-identity";
    for key in ["me --psk wrong", "you --psk secret"] {
        let ended = server.ours(&format!("{wrong} {key}"), "/a").run();
        assert!([3, 5].contains(&ended.code), "{ended:?}");
        ended.says("the handshake");
    }
    for variant in ["openssl", "gnutls"] {
        let client = |words: &str| program(&format!("coap-client-{variant}"), words);
        let line = client("-u me -k secret").word(server.uri("/a"));
        line.run().exits(0).prints("1\n");
    }
    let line = program("coap-client-openssl", "-n").word(server.uri("/a"));
    line.run().exits(0).prints("1\n");
}

#[test]
fn an_observer_hears_what_another_puts() {
    let server = server("-r /led=text:off", &["coap"]);
    let mut observer = server.ours("observe -C 2", "/led").start();
    assert_eq!(observer.line(), "off");
    server.ours("put -m on", "/led").run().exits(0);
    assert_eq!(observer.line(), "on");
    observer.ends().exits(0);
}

#[test]
fn conditions_are_obeyed() {
    let server = server("-r /store=store", &["coap"]);
    let put = |words: &str| server.ours(&format!("put {words}"), "/store/a");
    put("-m 1 --if-match").run().exits(1).says("4.12");
    put("-m 1 --if-none-match").run().exits(0);
    put("-m 1 --if-none-match")
        .run()
        .exits(1)
        .says("4.12 Precondition Failed");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("etag");
    let get = server
        .ours("get", "/store/a")
        .word("--etag-file")
        .word(&file);
    get.run().exits(0);
    let etag = std::fs::read_to_string(&file).unwrap();
    let known = format!("--if-match=0x{}", etag.trim());
    put(&format!("-m 2 {known}")).run().exits(0);
    put(&format!("-m 3 {known}")).run().exits(1);
    server.ours("delete", "/store/a").run().exits(0);
    server.ours("get", "/store/a").run().exits(1).says("4.04");
    let delete = server.ours("delete --if-match", "/store/a");
    delete.run().exits(1).says("4.12");
    let mine = server.ours("put -m mine", "/store/1");
    mine.run().exits(0);
    server
        .ours("post -m x", "/store")
        .run()
        .exits(0)
        .says("/store/2");
    server.ours("get", "/store/1").run().exits(0).prints("mine");
}

#[test]
fn links_come_as_link_format_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("a b>,\u{fc}.txt"), "odd").unwrap();
    let files = server(&format!("-d {}", folder.path().display()), &["coap"]);
    let plain = server("-r /x=text:x", &["coap"]);
    for (server, path) in [(&files, "/"), (&plain, "/.well-known/core")] {
        let get = server.ours("get --accept json", path);
        get.run().exits(1).says("4.06");
    }
    let listed = files.ours("get --accept link", "/").run().exits(0);
    let link = "/a%20b%3E,%C3%BC.txt";
    assert!(
        listed.text().starts_with(&format!("<{link}>")),
        "{listed:?}"
    );
    files.ours("get", link).run().exits(0).prints("odd");
}

#[test]
fn a_later_block_of_a_response_that_is_gone_carries_nothing_out() {
    let server = server("-r /store=store", &["coap"]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
        .connect(server.uris[0].strip_prefix("coap://").unwrap())
        .unwrap();
    let options = content(&[(11, b"store"), (23, &[0x16])], b"x");
    socket
        .send(&[&[0x40, 2, 0, 1][..], &options].concat())
        .unwrap();
    let mut buffer = [0; 100];
    socket.recv(&mut buffer).unwrap();
    assert_eq!(buffer[1], 0x88);
    server.ours("get", "/store").run().exits(0).prints("");
}

#[test]
fn what_is_owed_over_tcp_comes_before_pong_and_the_end() {
    let server = server("-r /late=delay:0.3:late", &["coap+tcp"]);
    let mut stream =
        TcpStream::connect(server.uris[0].strip_prefix("coap+tcp://").unwrap()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // CSM; GET /late; Ping with Custody; Release.
    stream
        .write_all(b"\x00\xe1\x51\x01\x07\xb4late\x11\xe2\x08\x20\x00\xe4")
        .unwrap();
    let codes = std::iter::from_fn(|| frame(&mut stream)).map(|it| it.0);
    assert_eq!(codes.collect::<Vec<_>>(), [0xe1, 0x45, 0xe3]);
}

#[test]
fn a_server_agrees_to_its_own_protocol_alone() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::in_folder(folder.path());
    let words = format!(
        "-r /x=text:hi --cert {} --key {}",
        certificates.server.display(),
        certificates.server_key.display()
    );
    let server = server(&words, &["coaps+tcp"]);
    let get = || {
        server
            .ours("get", "/x")
            .words("--cafile")
            .word(&certificates.ca)
    };
    get().run().exits(0).prints("hi");
    get().words("--tls-alpn coap").run().exits(0).prints("hi");
    let other = get().words("--tls-alpn mqtt").run().exits(3).prints("");
    other.says("none of the offered application protocols (ALPN)");
}

#[test]
fn an_etag_file_spares_what_is_known() {
    let (server, folder) = (
        server("-r /a=text:1 -r /c=counter", &["coap"]),
        TempDir::new().unwrap(),
    );
    let file = folder.path().join("etag");
    let get = || server.ours("get", "/a").word("--etag-file").word(&file);
    get().run().exits(0).prints("1");
    get().run().exits(0).prints("").says("has not changed");
    server.ours("put -m 2", "/a").run().exits(0);
    get().run().exits(0).prints("2");
    std::fs::write(&file, "no digits").unwrap();
    get().run().exits(2).says("does not hold an ETag");
    // What could not be shown is not known.
    std::fs::write(&file, "").unwrap();
    let full = std::fs::File::create("/dev/full").unwrap();
    let mut command = get().into_command();
    let ended = command.stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(ended.code(), Some(8));
    assert_eq!(std::fs::read(&file).unwrap(), b"");
    // A body without ETag leaves none behind.
    get().run().exits(0).prints("2");
    assert!(!std::fs::read(&file).unwrap().is_empty());
    let other = server.ours("get", "/c").word("--etag-file").word(&file);
    other.run().exits(0);
    assert_eq!(std::fs::read(&file).unwrap(), b"");
}

#[test]
fn a_directory_is_shown_and_nothing_beside_it() {
    let folder = TempDir::new().unwrap();
    let shown = folder.path().join("shown");
    std::fs::create_dir(&shown).unwrap();
    std::fs::write(folder.path().join("secret"), "secret").unwrap();
    let body = vec![7; 70_000];
    std::fs::write(shown.join("firmware.bin"), &body).unwrap();
    std::os::unix::fs::symlink("../secret", shown.join("link")).unwrap();
    std::os::unix::fs::symlink("firmware.bin", shown.join("newest.bin")).unwrap();
    let words = format!("-d {} --writable", shown.display());
    let server = server(&words, &["coap"]);
    assert!(server.ours("get", "/firmware.bin").run().exits(0).stdout == body);
    server
        .ours("get", "")
        .run()
        .exits(0)
        .contains("</firmware.bin>");
    // The directory is a list of its files.
    let found = |words: &str| {
        server
            .ours("discover --output paths", "")
            .words(words)
            .run()
    };
    found("").exits(0).prints("/\n");
    found("-R")
        .exits(0)
        .prints("/\n/firmware.bin\n/newest.bin\n");
    server
        .ours("get --quiet -o /dev/null", "/newest.bin")
        .run()
        .exits(0);
    for path in ["/..%2fsecret", "/%2e%2e/secret", "/link", "/nothing"] {
        let ended = server.ours("get", path).run().exits(1);
        assert!(ended.stdout.is_empty(), "{path}");
    }
    server.ours("put -m new", "/a.txt").run().exits(0);
    assert_eq!(std::fs::read(shown.join("a.txt")).unwrap(), b"new");
    server.ours("put -m new", "/link").run().exits(1);
    assert_eq!(
        std::fs::read(folder.path().join("secret")).unwrap(),
        b"secret"
    );
    server.ours("delete", "/a.txt").run().exits(0);
    assert!(!shown.join("a.txt").exists());
}

#[test]
fn faults_cost_time_and_not_bytes() {
    let faults = "--fault drop:every=7 --fault duplicate:every=5 --fault delay:by=20ms,every=3";
    let words = format!("-r /large=large:20KiB {faults}");
    let server = server(&words, &["coap"]);
    let line = server.ours("get --ack-timeout 0.1 --block 512", "/large");
    let ended = line.run().exits(0);
    assert_eq!(ended.stdout.len(), 20 * 1024);
    assert!(
        ended
            .stdout
            .chunks(64)
            .enumerate()
            .all(|(at, line)| line == format!("{at:063}\n").as_bytes())
    );
}

/// What comes of a request to a server with this fault, over this scheme, waiting so many seconds.
fn asked_with(fault: &str, scheme: &str, wait: u8) -> Ended {
    let key = match scheme {
        "coaps" => "--psk-identity me --psk secret",
        _ => "",
    };
    let server = server(&format!("-r /a=text:1 --fault {fault} {key}"), &[scheme]);
    server.ours(&format!("get -W {wait} {key}"), "/a").run()
}

fn every_fault_over(scheme: &str) {
    for fault in ["drop", "drop:percent=100", "delay:by=1h"] {
        let ended = asked_with(fault, scheme, 1).exits(5).prints("");
        ended.says("no response within 1 s\n");
    }
    for fault in ["duplicate", "delay:by=10ms", "reorder:by=10ms"] {
        asked_with(fault, scheme, 30).exits(0).prints("1");
    }
    let spoiled = asked_with("token", scheme, 4).exits(5).prints("");
    spoiled.says("only a response with an unknown token");
    let reset = asked_with("reset", scheme, 30).exits(6).prints("");
    reset.says(match scheme.contains('+') {
        true => "the connection ended: closed by the peer",
        false => "the peer rejected the message (reset)",
    });
    // A connection has no other port to answer from.
    let elsewhere = asked_with("source", scheme, if scheme.contains('+') { 30 } else { 1 });
    match scheme.contains('+') {
        true => elsewhere.exits(0).prints("1"),
        false => elsewhere.exits(5).says("no response within 1 s\n"),
    };
}

#[test]
fn every_fault_is_seen_for_what_it_is() {
    std::thread::scope(|scope| {
        for scheme in ["coap", "coaps", "coap+tcp", "coap+ws"] {
            scope.spawn(|| every_fault_over(scheme));
        }
    });
}

#[test]
fn a_single_fault_costs_a_retransmission() {
    let fault = |fault: &str| format!("-r /a=text:1 --fault {fault}");
    let faults = [
        "drop:nth=1",
        "drop:nth=1,way=in",
        "token:nth=1",
        "source:nth=1",
    ];
    for words in faults {
        let server = server(&fault(words), &["coap"]);
        let line = server.ours("get --ack-timeout 0.3 --output json", "/a");
        let ended = line.run().exits(0);
        assert!(!ended.text().contains("\"retransmitted\":0"), "{words}");
        server.ours("get", "/a").run().exits(0).prints("1");
    }
}

#[test]
fn the_next_message_overtakes_one_that_is_reordered() {
    let fault = "-r /a=text:1 --fault reorder:nth=1,by=1h";
    let server = server(fault, &["coap"]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = server.uris[0].strip_prefix("coap://").unwrap();
    socket.connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    for mid in [1, 2, 3] {
        socket.send(&[0x40, 1, 0, mid, 0xb1, b'a']).unwrap();
    }
    let mut answer = [0; 64];
    let mids: Vec<u8> = (0..3)
        .map(|_| socket.recv(&mut answer).map(|_| answer[3]).unwrap())
        .collect();
    assert_eq!(mids, [2, 1, 3]);
}

#[test]
fn the_members_of_a_group_are_found_and_named_once() {
    let words = "--multicast --leisure 0.2 --fault duplicate";
    let one = server(&format!("{words} -r /one=text:1"), &["coap"]);
    let port = one.uris[0].rsplit_once(':').unwrap().1;
    // The other has another address on the loopback interface, and the same port.
    let line = iotctl(&format!("coap server {words} -r /two=text:2"));
    let listen = format!("127.0.0.2:{port}");
    let mut other = line.word("--listen").word(&listen).start();
    assert_eq!(other.line(), format!("coap://{listen}"));
    let group = format!("coap://224.0.1.187:{port}");
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("seen.pcapng");
    let line = iotctl("coap discover -A 127.0.0.1 --collect 6s --output json --pcap");
    let ended = line.word(&file).word(&group);
    let ended = ended.run().exits(0).quietly();
    let mut found: Vec<String> = ended
        .text()
        .lines()
        .map(|line| {
            let link: Value = serde_json::from_str(line).unwrap();
            format!("{} {}", link["peer"], link["href"])
        })
        .collect();
    found.sort_unstable();
    let expected = [
        format!("\"127.0.0.1:{port}\" \"/one\""),
        format!("\"127.0.0.2:{port}\" \"/two\""),
    ];
    assert_eq!(found, expected);
    for packet in capture(&file) {
        let (ours, theirs) = match packet.outbound {
            true => (packet.from.0, packet.to.0.to_string()),
            false => (packet.to.0, packet.from.0.to_string()),
        };
        assert_eq!(ours, IpAddr::from([127, 0, 0, 1]));
        let is_group = theirs == "224.0.1.187";
        assert_eq!(is_group, packet.outbound);
        assert!(is_group || ["127.0.0.1", "127.0.0.2"].contains(&&theirs[..]));
    }
    // A refusal would be an error, which nobody sends to a group.
    let line = iotctl("coap get -A 127.0.0.1 --collect 2s");
    let nothing = line.word(format!("{group}/nothing")).run();
    nothing.exits(1).prints("").says("no response");
}

#[test]
fn who_asks_shows_its_address_where_the_server_wants_it() {
    let server = server(
        "-r /large=large:10KiB -r /store=store --challenge",
        &["coap"],
    );
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = server.uris[0].strip_prefix("coap://").unwrap();
    socket.connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send(b"\x40\x01\0\x01\xb5large").unwrap();
    let mut answer = [0; 2000];
    let length = socket.recv(&mut answer).unwrap();
    assert_eq!(answer[..4], [0x60, 0x81, 0, 1], "4.01 Unauthorized");
    assert!(length <= 15, "an option of 8 bytes and no payload");
    let got = server.ours("get", "/large").run().exits(0).quietly();
    assert_eq!(got.stdout.len(), 10 << 10);
    let put = server.ours("put -s", "/store/a").input([7; 5000]);
    put.run().exits(0);
    server.ours("observe -C 1", "/store/a").run().exits(0);
}

#[test]
fn the_plugtests_resources_are_there() {
    let server = server("--plugtest", &["coap"]);
    server
        .ours("discover --output paths", "")
        .run()
        .exits(0)
        .contains("/separate\n");
    server.ours("get", "/separate").run().exits(0);
    server.libcoap("", "/test").run().exits(0).contains("MID");
}

#[test]
fn a_signal_is_the_good_end() {
    let server = server("", &["coap"]);
    server
        .ours("discover", "")
        .run()
        .exits(0)
        .contains("/counter");
    server.running.signal("TERM");
    server.running.ends().exits(0);
}
