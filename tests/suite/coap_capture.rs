//! What `--pcap` writes.

use std::net::IpAddr;
use std::path::Path;

use iotctl::coap::code::Code;
use tempfile::TempDir;

use crate::support::capture::{COAP, Packet, capture};
use crate::support::coap::{content, scripted};
use crate::support::command::{Running, iotctl};

/// Our server at one listener, and its URI.
fn ours(listen: &str, words: &str) -> (Running, String) {
    let line = iotctl("coap server -r /temp=text:21.5 --listen").word(listen);
    let mut running = line.words(words).start();
    let uri = running.line();
    (running, uri)
}

fn port_of(uri: &str) -> u16 {
    uri.rsplit_once(':').unwrap().1.parse().unwrap()
}

#[test]
fn datagrams_stand_there_as_they_were_sent() {
    let folder = TempDir::new().unwrap();
    let peer = scripted(|request, _| vec![content(request, 0, "hello")]);
    let file = folder.path().join("seen.pcapng");
    let line = iotctl("coap get --ack-timeout 1m --timeout 90s --pcap").word(&file);
    let line = line.word(peer.uri("/one")).word(peer.uri("/two"));
    line.run().exits(0);
    let packets = capture(&file);
    assert_eq!(packets.len(), 4);
    for (at, packet) in packets.iter().enumerate() {
        let outbound = at % 2 == 0;
        assert_eq!(packet.outbound, outbound);
        let (ours, theirs) = match outbound {
            true => (packet.from, packet.to),
            false => (packet.to, packet.from),
        };
        let loopback: IpAddr = [127, 0, 0, 1].into();
        assert_eq!((ours.0, theirs), (loopback, (loopback, peer.port)));
        // Wireshark looks at the lower port first.
        match peer.port > COAP {
            true => assert_eq!(ours.1, COAP),
            false => assert_eq!(theirs.1, COAP),
        }
        assert!(packet.comment.contains("port was"), "{packet:?}");
        let message = packet.message();
        match outbound {
            true => assert_eq!(message, peer.request()),
            false => assert_eq!(message.payload, "hello"),
        }
        assert_eq!(packet.tcp, None);
    }
    assert!(packets.is_sorted_by_key(|it| it.nanos));
    // Nanoseconds: this is no earlier than 2020.
    assert!(packets[0].nanos > 1_577_836_800_000_000_000);
}

#[test]
fn every_transport_is_shown_in_clear() {
    let folder = TempDir::new().unwrap();
    let keys = "--psk-identity me --psk secret";
    for (listen, words, tcp) in [
        ("coap://[::1]:0", "", false),
        ("coaps://127.0.0.1:0", keys, false),
        ("coap+tcp://127.0.0.1:0", "", true),
        ("coap+ws://127.0.0.1:0", "", true),
    ] {
        let (_server, uri) = ours(listen, words);
        let file = folder.path().join("seen.pcapng");
        let line = iotctl("coap get").words(words).word("--pcap").word(&file);
        let line = line.word(format!("{uri}/temp"));
        line.run().exits(0).prints("21.5");
        let packets = capture(&file);
        let mut next = [1, 1];
        for packet in &packets {
            packet.message();
            assert_eq!(packet.tcp.is_some(), tcp, "{uri}");
            assert!([packet.from.1, packet.to.1].contains(&COAP), "{packet:?}");
            assert!(!packet.from.0.is_unspecified() && !packet.to.0.is_unspecified());
            if let Some((sequence, acknowledged)) = packet.tcp {
                let [ours, theirs] = [usize::from(!packet.outbound), usize::from(packet.outbound)];
                assert_eq!(
                    [sequence, acknowledged],
                    [next[ours], next[theirs]],
                    "{uri}"
                );
                next[ours] += packet.payload.len() as u32;
            }
        }
        let real = port_of(&uri);
        let is_said = |it: &Packet| {
            [it.from.1, it.to.1].contains(&real) || it.comment.contains(&real.to_string())
        };
        assert!(packets.iter().all(is_said), "{uri}");
        let of = |code| packets.iter().find(|it| it.message().code == code).unwrap();
        assert!(of(Code::GET).outbound);
        assert_eq!(of(Code::CONTENT).message().payload, "21.5");
    }
}

#[test]
fn a_capture_that_cannot_be_written_is_said() {
    let peer = scripted(|request, _| vec![content(request, 0, "hello")]);
    let get = |file: &Path| iotctl("coap get --pcap").word(file).word(peer.uri("/one"));
    let full = get("/dev/full".as_ref()).run().exits(8);
    full.says("cannot write /dev/full");
    let folder = TempDir::new().unwrap();
    let nowhere = folder.path().join("no/such/folder");
    get(&nowhere).run().exits(8).prints("");
}
