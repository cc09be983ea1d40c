//! The ETSI descriptions for DTLS, and more of what can go wrong before the first request: both roles, against ourselves
//! and against libcoap on OpenSSL and GnuTLS.

use std::net::UdpSocket;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rcgen::date_time_ymd;
use rtc_dtls::cipher_suite::CipherSuiteId;
use rtc_dtls::config::ConfigBuilder;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_shared::TransportProtocol;
use tempfile::TempDir;

use crate::support::PATIENCE;
use crate::support::certificates::{Certificates, authority, leaf, leaf_with};
use crate::support::coap_peer::{ack, content};
use crate::support::command::{Line, Running, iotctl, program};
use crate::support::libcoap;
use crate::support::relay::Relay;

/// ETSI's identity and key.
const KEY: &str = "--psk-identity password --psk sesame";

/// Our server with one DTLS listener; its address.
fn ours(words: &str) -> (Running, String) {
    let line = iotctl("coap server -r /secure=text:safe --listen coaps://127.0.0.1:0");
    let mut running = line.words(words).start();
    let uri = running.line();
    let address = uri.strip_prefix("coaps://").unwrap().to_owned();
    (running, address)
}

fn get(address: &str, path: &str, words: &str) -> Line {
    let line = iotctl("coap get --connect-timeout 3").words(words);
    line.word(format!("coaps://{address}{path}"))
}

/// libcoap's client, which says nothing by its exit code.
fn libcoap_get(variant: &str, address: &str, words: &str) -> Line {
    let line = program(&format!("coap-client-{variant}"), words);
    line.word(format!("coaps://{address}/secure"))
}

#[test]
fn td_coap_dtls_01_a_key_opens() {
    let (_server, address) = ours(KEY);
    get(&address, "/secure", KEY).run().exits(0).prints("safe");
    for variant in ["openssl", "gnutls"] {
        let line = libcoap_get(variant, &address, "-u password -k sesame");
        line.run().exits(0).prints("safe\n");
    }
}

#[test]
fn td_coap_dtls_02_a_wrong_key_does_not_and_is_named() {
    let wrong = "--psk-identity password --psk wrong";
    let (_server, address) = ours(KEY);
    let began = Instant::now();
    let ended = get(&address, "/secure", wrong).run().prints("");
    assert!([3, 5].contains(&ended.code), "{ended:?}");
    // What was wrong about it the server does not say.
    assert!(!ended.stderr.contains("probably"), "{ended:?}");
    ended
        .says("the handshake")
        .says("hint: check --psk-identity and --psk");
    let unknown = get(&address, "/secure", "--psk-identity nobody --psk sesame");
    let ended = unknown.run().prints("");
    assert!([3, 5].contains(&ended.code), "{ended:?}");
    ended.says("the handshake");
    for variant in ["openssl", "gnutls"] {
        for words in ["-u password -k wrong", "-u nobody -k sesame"] {
            let line = libcoap_get(variant, &address, &format!("-B 2 {words}"));
            let ended = line.run();
            assert!(!ended.text().contains("safe"), "{ended:?}");
        }
        let folder = TempDir::new().unwrap();
        let server = libcoap::server(variant, folder.path(), "-k sesame");
        let address = format!("127.0.0.1:{}", server.port + 1);
        let ended = get(&address, "/", wrong).run().prints("");
        assert!([3, 5].contains(&ended.code), "{ended:?}");
        ended.says("the handshake");
    }
    // What is right still goes after all that is wrong.
    get(&address, "/secure", KEY).run().exits(0).prints("safe");
    assert!(began.elapsed() < Duration::from_secs(90));
}

/// A relay that loses the first datagram of each flight of a handshake, and lets everything else pass.
fn losing_flights(server: &str) -> Relay {
    losing_flights_of(server, &[true, false])
}

/// As [`losing_flights`], of these directions only; `true` is to the server.
fn losing_flights_of(server: &str, directions: &'static [bool]) -> Relay {
    let mut lost = Vec::new();
    Relay::to(server, move |it| {
        // The first byte is the record's type: 22 for a handshake. The message's type comes after the record's header.
        let handshake = it.bytes[0] == 22 && it.bytes[3..5] == [0, 0];
        let flight = (it.up, it.bytes.get(13).copied());
        if !handshake || !directions.contains(&it.up) || lost.contains(&flight) {
            return true;
        }
        lost.push(flight);
        false
    })
}

#[test]
fn td_coap_dtls_03_a_handshake_survives_losses() {
    let (_server, address) = ours(KEY);
    let patient = format!("--connect-timeout 25 {KEY}");
    let relay = losing_flights(&address);
    let line = iotctl("coap get").words(&patient);
    let line = line.word(format!("coaps://{}/secure", relay.address));
    line.run().exits(0).prints("safe");
    assert!(relay.lost() >= 3);
    for variant in ["openssl", "gnutls"] {
        // coap-client gives a handshake five seconds, which the losses of both directions together would take.
        let mut lost = 0;
        for directions in [&[true][..], &[false]] {
            let relay = losing_flights_of(&address, directions);
            let through = relay.address.to_string();
            let line = libcoap_get(variant, &through, "-B 25 -u password -k sesame");
            // It warns on standard output of what comes twice.
            line.run().exits(0).contains("safe\n");
            lost += relay.lost();
        }
        assert!(lost >= 3, "{variant}");
        let folder = TempDir::new().unwrap();
        let server = libcoap::server(variant, folder.path(), "-k sesame");
        let relay = losing_flights(&format!("127.0.0.1:{}", server.port + 1));
        let line = iotctl("coap get").words(&patient);
        let line = line.word(format!("coaps://{}/", relay.address));
        line.run().exits(0);
        assert!(relay.lost() >= 3, "{variant}");
    }
}

#[test]
fn td_coap_dtls_07_a_handshake_with_certificates_survives_losses() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::in_folder(folder.path());
    let (_server, address) = ours(&shown(&certificates.server, &certificates.server_key));
    let relay = losing_flights(&address);
    let line = iotctl("coap get --connect-timeout 25 --cafile").word(&certificates.ca);
    let line = line.word(format!("coaps://{}/secure", relay.address));
    line.run().exits(0).prints("safe");
    assert!(relay.lost() >= 3);
}

fn shown(cert: &Path, key: &Path) -> String {
    format!("--cert {} --key {}", cert.display(), key.display())
}

#[test]
fn certificates_that_prove_nothing_are_refused_and_named() {
    let folder = TempDir::new().unwrap();
    let issuer = authority("iotctl test CA");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let ca = write("ca.pem", &issuer.pem());
    let other_ca = write("other.pem", &authority("another CA").pem());
    let here = || vec![String::from("127.0.0.1")];
    let valid = leaf(&issuer, "valid", here());
    let elsewhere = leaf(&issuer, "elsewhere", vec!["evil.example".into()]);
    let expired = leaf_with(&issuer, "expired", here(), |it| {
        it.not_before = date_time_ymd(2020, 1, 1);
        it.not_after = date_time_ymd(2021, 1, 1);
    });
    let early = leaf_with(&issuer, "early", here(), |it| {
        it.not_before = date_time_ymd(2200, 1, 1);
        it.not_after = date_time_ymd(2201, 1, 1);
    });
    let cases = [
        (&valid, &other_ca, "unknown issuer"),
        (&elsewhere, &ca, "evil.example"),
        (&expired, &ca, "expired"),
        (&early, &ca, "not valid"),
    ];
    for ((cert, key), ca, says) in cases {
        let (cert, key) = (write("server.pem", cert), write("server.key", key));
        let (_server, address) = ours(&shown(&cert, &key));
        let trust = format!("--cafile {}", ca.display());
        let refused = get(&address, "/secure", &trust).run().exits(3);
        refused.prints("").says(says);
        let bold = get(&address, "/secure", "--insecure").run().exits(0);
        bold.prints("safe").says("not verified");
        let words = "-k secret -n -c server.pem -j server.key";
        let server = libcoap::server("openssl", folder.path(), words);
        let address = format!("127.0.0.1:{}", server.port + 1);
        let refused = get(&address, "/", &trust).run().exits(3);
        refused.prints("").says(says);
    }
}

#[test]
fn clients_must_show_what_the_server_asks_for() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::in_folder(folder.path());
    let (ca, server) = (
        certificates.ca.display(),
        shown(&certificates.server, &certificates.server_key),
    );
    let (_server, address) = ours(&format!("{server} --client-ca {ca}"));
    let trust = format!("--cafile {ca}");
    let with = shown(&certificates.client, &certificates.client_key);
    let shows = get(&address, "/secure", &format!("{trust} {with}"));
    shows.run().exits(0).prints("safe");
    let hides = get(&address, "/secure", &trust).run().prints("");
    assert!([3, 4, 5].contains(&hides.code), "{hides:?}");
    hides.says("cannot connect");
    let (client, key) = (
        certificates.client.display(),
        certificates.client_key.display(),
    );
    let line = libcoap_get(
        "openssl",
        &address,
        &format!("-C {ca} -c {client} -j {key}"),
    );
    line.run().exits(0).prints("safe\n");
    let line = libcoap_get("openssl", &address, &format!("-B 2 -C {ca}"));
    let ended = line.run();
    assert!(!ended.text().contains("safe"), "{ended:?}");
}

#[test]
fn the_server_says_why_it_does_not_let_a_client_in() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::in_folder(folder.path());
    let stranger = TempDir::new().unwrap();
    let strangers = Certificates::in_folder(stranger.path());
    let ca = certificates.ca.display();
    let server = shown(&certificates.server, &certificates.server_key);
    let (mut server, address) = ours(&format!(
        "{server} --client-ca {ca} --listen coaps+tcp://127.0.0.1:0"
    ));
    let strange = shown(&strangers.client, &strangers.client_key);
    let trust = format!("--cafile {ca}");
    let over_tcp = server.line();
    let shows = iotctl("coap get").word(format!("{over_tcp}/secure"));
    shows.words(&trust).words(&strange).run();
    server.hears("iotctl: TLS handshake with 127.0.0.1:");
    get(&address, "/secure", &format!("{trust} {strange}")).run();
    server.hears("iotctl: DTLS handshake with 127.0.0.1:");
    let (mut server, address) = ours(KEY);
    let long = "x".repeat(400);
    let unknown = format!("--psk-identity {long} --psk sesame");
    get(&address, "/secure", &unknown).run();
    let told = format!(" failed: no key for \"{}… (400 bytes)\"", &long[..160]);
    server.hears(&told);
    get(&address, "/secure", "--psk-identity password --psk wrong").run();
    server.hears("the key is wrong");
}

#[test]
fn a_client_without_key_is_told_that_the_server_wants_one() {
    let (_server, address) = ours(KEY);
    let mut servers = Vec::new();
    let mut addresses = vec![address];
    let folder = TempDir::new().unwrap();
    for variant in ["openssl", "gnutls"] {
        let server = libcoap::server(variant, folder.path(), "-k sesame");
        addresses.push(format!("127.0.0.1:{}", server.port + 1));
        servers.push(server);
    }
    for address in addresses {
        let ended = get(&address, "/secure", "").run().prints("");
        assert!([3, 4, 5].contains(&ended.code), "{ended:?}");
        ended.says("cannot connect").says("--psk");
    }
}

/// A fresh P-256 key in a folder: its private part, and its public one.
fn raw_key(folder: &Path, name: &str) -> (String, String) {
    let pair = rcgen::KeyPair::generate().unwrap();
    let write = |ending: &str, text: String| {
        let path = folder.join(format!("{name}.{ending}"));
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    // As libcoap wants it: the public part before the private one.
    let both = pair.public_key_pem() + &pair.serialize_pem();
    (write("key", both), write("pub", pair.public_key_pem()))
}

#[test]
fn td_coap_dtls_04_a_raw_public_key_opens() {
    let folder = TempDir::new().unwrap();
    let [server, client] = ["server", "client"].map(|it| raw_key(folder.path(), it));
    let of_client = format!("--rpk-key {} --rpk-peer {}", client.0, server.1);
    let of_server = format!("--rpk-key {} --rpk-peer {}", server.0, client.1);
    let (_server, address) = ours(&of_server);
    let opens = || get(&address, "/secure", &of_client);
    opens().run().exits(0).prints("safe");
    let line = libcoap_get("gnutls", &address, &format!("-M {}", client.0));
    line.run().exits(0).prints("safe\n");
    // Flights may be lost here too.
    let relay = losing_flights(&address);
    let patient = format!("--connect-timeout 25 {of_client}");
    let line = iotctl("coap get").words(&patient);
    let line = line.word(format!("coaps://{}/secure", relay.address));
    line.run().exits(0).prints("safe");
    assert!(relay.lost() >= 3);
    let theirs = libcoap::server("gnutls", folder.path(), &format!("-M {}", server.0));
    let relay = losing_flights(&format!("127.0.0.1:{}", theirs.port + 1));
    let line = iotctl("coap get").words(&patient);
    let line = line.word(format!("coaps://{}/", relay.address));
    line.run().exits(0).contains("libcoap");
    assert!(relay.lost() >= 3);
}

#[test]
fn td_coap_dtls_05_a_client_refuses_a_raw_public_key() {
    let folder = TempDir::new().unwrap();
    let [server, client] = ["server", "client"].map(|it| raw_key(folder.path(), it));
    let wrong = format!("--rpk-key {} --rpk-peer {}", client.0, client.1);
    let (mut ours, address) = ours(&format!("--rpk-key {}", server.0));
    let theirs = libcoap::server("gnutls", folder.path(), &format!("-M {}", server.0));
    for address in [address, format!("127.0.0.1:{}", theirs.port + 1)] {
        let refused = get(&address, "/secure", &wrong).run().exits(3).prints("");
        refused
            .says("the server's public key sha256/")
            .says("is not an expected one");
    }
    ours.hears("(certificate unknown)");
}

#[test]
fn td_coap_dtls_06_a_server_refuses_a_raw_public_key() {
    let folder = TempDir::new().unwrap();
    let [server, client] = ["server", "client"].map(|it| raw_key(folder.path(), it));
    let allowed = raw_key(folder.path(), "allowed");
    let (mut ours, address) = ours(&format!("--rpk-key {} --rpk-peer {}", server.0, allowed.1));
    let wrong = format!("--rpk-key {} --rpk-peer {}", client.0, server.1);
    let refused = get(&address, "/secure", &wrong).run().exits(3).prints("");
    refused.says("the peer rejected the handshake (certificate unknown)");
    ours.hears("the client's public key sha256/");
    let line = libcoap_get("gnutls", &address, &format!("-B 5 -M {}", client.0));
    let ended = line.run();
    assert!(!ended.text().contains("safe"), "{ended:?}");
    ours.hears("the client's public key sha256/");
    // Whom it knows it still lets in.
    let right = format!("--rpk-key {} --rpk-peer {}", allowed.0, server.1);
    get(&address, "/secure", &right)
        .run()
        .exits(0)
        .prints("safe");
}

#[test]
fn raw_public_keys_that_make_no_sense_are_refused_before_anything_is_sent() {
    let folder = TempDir::new().unwrap();
    let (key, public) = raw_key(folder.path(), "any");
    let cases = [
        (
            format!("--rpk-key {key}"),
            "needs the public key of the server",
        ),
        (
            format!("--rpk-peer {public} --psk x"),
            "cannot be used together",
        ),
        (
            format!("--rpk-peer {}", folder.path().join("none").display()),
            "none",
        ),
        (
            format!("--rpk-peer {public} --tls-pin sha256/{}=", "A".repeat(43)),
            "--tls-pin cannot be used with pre-shared or raw public keys",
        ),
    ];
    for (words, says) in cases {
        let ended = get("127.0.0.1:9", "/", &words).run().prints("");
        assert!([2, 8].contains(&ended.code), "{ended:?}");
        ended.says(says);
    }
    let line = iotctl("coap get coap://127.0.0.1:9/").words(&format!("--rpk-peer {public}"));
    line.run().exits(2).says("coaps://");
    let line = iotctl("coap server --listen coaps://127.0.0.1:0");
    line.words(&format!("--rpk-peer {public}")).run().exits(2);
    // A client that has to show something must not be let in for showing nothing in the other way.
    let raw = format!("--cert c.pem --key c.key --rpk-key {key}");
    for (words, says) in [
        (
            "--client-ca ca.pem",
            "--client-ca with --rpk-key needs --rpk-peer",
        ),
        (
            "--rpk-peer p.pem",
            "--rpk-peer with --cert needs --client-ca",
        ),
    ] {
        let line = iotctl("coap server --listen coaps://127.0.0.1:0").words(&raw);
        line.words(words).run().exits(2).says(says);
    }
}

/// How a server ends an association.
#[derive(Clone, Copy)]
enum End {
    Goodbye,
    FatalAlert,
}

/// A server that ends the association at each request, after a response in the same datagram if it has one; its address,
/// and the alerts that clients have sent.
fn ending(responds: bool, end: End) -> (String, Receiver<()>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let local = socket.local_addr().unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let config = ConfigBuilder::default()
        .with_crypto_provider(rtc_crypto::default_provider().unwrap())
        .with_psk(Some(Arc::new(|_: &[u8]| Ok(b"sesame".to_vec()))))
        .with_psk_identity_hint(Some(b"hint".to_vec()))
        .with_cipher_suites(vec![CipherSuiteId::Tls_Psk_With_Aes_128_Gcm_Sha256])
        .build(false, None)
        .unwrap();
    let mut endpoint = Endpoint::new(local, TransportProtocol::UDP, Some(Arc::new(config)));
    let (sender, alerts) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let (now, datagram) = (Instant::now(), &buffer[..length]);
            if datagram[0] == 21 && datagram[3..5] == [0, 1] {
                let _ = sender.send(());
                continue;
            }
            let events = endpoint.read(now, from, None, datagram.into());
            for event in events.unwrap_or_default() {
                let EndpointEvent::ApplicationData(request) = event else {
                    continue;
                };
                if responds {
                    let response = ack(0x45, &request, &content(&[], b"safe"));
                    endpoint.write(now, from, &response).unwrap();
                }
                match end {
                    End::Goodbye => drop(endpoint.stop(now, from)),
                    // The library sends one when it cannot open what came.
                    End::FatalAlert => {
                        let mut record = vec![23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0x10, 0, 0, 32];
                        record.resize(13 + 32, 7);
                        drop(endpoint.read(now, from, None, record[..].into()));
                    }
                }
                let last = std::iter::from_fn(|| endpoint.poll_transmit());
                let last: Vec<u8> = last.flat_map(|it| it.message.to_vec()).collect();
                socket.send_to(&last, from).unwrap();
            }
            while let Some(transmit) = endpoint.poll_transmit() {
                socket.send_to(&transmit.message, from).unwrap();
            }
        }
    });
    (local.to_string(), alerts)
}

#[test]
fn a_response_that_comes_with_the_end_of_the_association_counts() {
    let (address, alerts) = ending(true, End::Goodbye);
    let uri = format!("coaps://{address}/secure");
    // The second request does not go over the association that has ended.
    let line = get(&address, "/secure", KEY)
        .words("--timeout 20")
        .word(&uri);
    line.run().exits(0).prints("safe\nsafe\n");
    for _ in 0..2 {
        alerts.recv_timeout(PATIENCE).expect("a close_notify");
    }
}

#[test]
fn the_end_of_an_association_is_not_taken_for_a_closed_port() {
    let (address, alerts) = ending(false, End::Goodbye);
    let ended = get(&address, "/secure", KEY).run().exits(6).prints("");
    ended.says("the peer ended the association");
    alerts.recv_timeout(PATIENCE).expect("a close_notify");
}

#[test]
fn a_fatal_alert_ends_what_was_asked_and_is_named() {
    for command in ["get", "observe"] {
        let (address, _alerts) = ending(false, End::FatalAlert);
        let words = format!("coap {command} -W 600 {KEY} coaps://{address}/secure");
        iotctl(&words)
            .run()
            .exits(6)
            .says("the peer ended the association (unknown PSK identity)");
    }
}
