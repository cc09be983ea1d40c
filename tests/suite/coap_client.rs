//! Our client against Debian's coap-server, over UDP, TCP, TLS and DTLS.

use serde_json::Value;
use tempfile::TempDir;

use crate::support::certificates::{Certificates, authority};
use crate::support::command::iotctl;
use crate::support::libcoap::{self, Libcoap, server};

fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 251) as u8).collect()
}

#[test]
fn get_shows_the_body_byte_for_byte() {
    let server = libcoap::plain();
    let ended = server.iotctl("get", "/").run().exits(0).quietly();
    assert!(
        ended
            .text()
            .starts_with("This is a test server made with libcoap")
    );
    server
        .iotctl("get", "/nothing")
        .run()
        .exits(1)
        .prints("")
        .says("4.04 Not Found");
    server
        .iotctl("delete", "/")
        .run()
        .exits(1)
        .says("4.05 Method Not Allowed");
}

#[test]
fn a_large_body_survives_both_ways_in_blocks_of_any_size() {
    let server = libcoap::plain();
    let body = noise(50_000);
    for block in [16, 64, 1024] {
        let words = format!("-s -t octets --block {block}");
        let put = server.iotctl("put", "/example_data").words(&words);
        put.input(body.clone()).run().exits(0);
        let get = server.iotctl("get", "/example_data");
        let ended = get.words(&format!("--block {block}")).run().exits(0);
        assert!(ended.stdout == body, "blocks of {block} bytes");
    }
}

#[test]
fn json_says_all_about_an_answer() {
    let server = libcoap::plain();
    let ended = server
        .iotctl("get", "/time")
        .words("--output json")
        .run()
        .exits(0);
    let record: Value = serde_json::from_str(ended.text()).unwrap();
    assert_eq!(
        (&record["protocol"], &record["topic"]),
        (&"coap".into(), &"/time".into())
    );
    let coap = &record["coap"];
    assert_eq!(
        (&coap["code"], &coap["type"]),
        (&"2.05".into(), &"ACK".into())
    );
    assert_eq!(coap["peer"], format!("127.0.0.1:{}", server.port));
    assert_eq!(coap["options"][0]["name"], "Max-Age");
    assert!(coap["rtt_ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn several_uris_are_asked_in_turn_and_the_failures_counted() {
    let server = libcoap::plain();
    let line = server
        .iotctl("get", "/time")
        .word(server.uri("coap", "/nothing"));
    let ended = line.word(server.uri("coap", "/time")).run().exits(1);
    assert_eq!(ended.text().lines().count(), 2);
    ended
        .says("4.04 Not Found")
        .says("of 3 requests sent, 2 succeeded, 1 refused");
}

#[test]
fn conditions_and_options_reach_the_server() {
    let server = libcoap::plain();
    let words = "-v -O 65000=0x01ff -O if-match=0x2a --accept json";
    let ended = server.iotctl("get", "/time").words(words).run().exits(0);
    ended
        .says("If-Match 0x2a")
        .says("option-65000 0x01ff")
        .says("Accept 50 (application/json)");
}

#[test]
fn observations_end_after_a_count_and_are_deregistered() {
    let server = libcoap::plain();
    let ended = server
        .iotctl("observe", "/time")
        .words("-C 2 --trace")
        .run()
        .exits(0);
    assert_eq!(ended.text().lines().count(), 2);
    ended.says("Observe 0").says("Observe 1");
    server
        .iotctl("observe", "/")
        .words("-C 2")
        .run()
        .exits(1)
        .says("the resource is not observable");
    server
        .iotctl("observe", "/time")
        .words("--for 0.2")
        .run()
        .exits(0);
    server
        .iotctl("observe", "/time")
        .words("-C 5 -W 0.5")
        .run()
        .exits(5)
        .says(" of 5 messages");
}

#[test]
fn an_interrupted_observation_says_goodbye() {
    let server = libcoap::plain();
    let mut running = server.iotctl("observe", "/time").words("--trace").start();
    running.line();
    running.signal("INT");
    running.hears("Observe 1");
    running.ends().exits(130);
}

#[test]
fn resources_are_discovered_and_filtered() {
    let server = libcoap::plain();
    let ended = server.iotctl("discover", "").run().exits(0);
    ended
        .contains("PATH")
        .contains("/example_data")
        .contains("ticks");
    server
        .iotctl("discover", "")
        .words("--rt ticks --output paths")
        .run()
        .exits(0)
        .prints("/time\n");
    let ended = server
        .iotctl("discover", "")
        .words("--href /time --output json")
        .run()
        .exits(0);
    let link: Value = serde_json::from_str(ended.text()).unwrap();
    assert_eq!(
        (&link["href"], &link["obs"]),
        (&"/time".into(), &true.into())
    );
    server
        .iotctl("discover", "")
        .words("--rt nothing")
        .run()
        .exits(1);
}

#[test]
fn pings_are_counted() {
    let server = libcoap::plain();
    let ended = server
        .iotctl("ping", "")
        .words("-C 1 --output json")
        .run()
        .exits(0);
    let last = ended.text().lines().last().unwrap();
    let summary: Value = serde_json::from_str(last).unwrap();
    assert_eq!((&summary["sent"], &summary["lost"]), (&1.into(), &0.into()));
    assert!(summary["rtt_avg_ms"].as_f64().unwrap() > 0.0);
}

#[test]
fn tcp_carries_what_udp_does() {
    let server = libcoap::plain();
    let uri = server.uri("coap+tcp", "/example_data");
    let body = noise(300_000);
    let put = iotctl("coap put -s -t octets").word(&uri);
    put.input(body.clone()).run().exits(0);
    assert!(iotctl("coap get").word(&uri).run().exits(0).stdout == body);
    let time = server.uri("coap+tcp", "/time");
    let ended = iotctl("coap observe -C 2").word(&time).run().exits(0);
    assert_eq!(ended.text().lines().count(), 2);
    iotctl("coap ping -C 1").word(&time).run().exits(0);
}

/// A server with a key and a certificate.
fn secure(variant: &str, folder: &TempDir) -> (Libcoap, Certificates) {
    let certificates = Certificates::in_folder(folder.path());
    let words = match variant {
        "openssl" => "-k secret -n -c server.pem -j server.key",
        _ => "-k secret",
    };
    (server(variant, folder.path(), words), certificates)
}

#[test]
fn a_pre_shared_key_opens_dtls() {
    for variant in ["openssl", "gnutls"] {
        let folder = TempDir::new().unwrap();
        let (server, _) = secure(variant, &folder);
        let uri = server.uri("coaps", "/time");
        for key in ["secret", "hex:736563726574", "base64:c2VjcmV0"] {
            let line = iotctl("coap get --psk-identity me --psk").word(key);
            line.word(&uri).run().exits(0).quietly();
        }
        let line = iotctl("coap get --psk-identity me").env("IOTCTL_PSK", "secret");
        line.word(&uri).run().exits(0).quietly();
        let body = noise(20_000);
        let data = server.uri("coaps", "/example_data");
        let key = "--psk-identity me --psk secret";
        let put = iotctl("coap put -s -t octets").words(key).word(&data);
        put.input(body.clone()).run().exits(0);
        let got = iotctl("coap get").words(key).word(&data).run().exits(0);
        assert!(got.stdout == body, "{variant}");
        let observed = iotctl("coap observe -C 2").words(key).word(&uri);
        assert_eq!(observed.run().exits(0).text().lines().count(), 2);
    }
}

#[test]
fn a_wrong_key_is_suspected_within_the_time_to_connect() {
    let folder = TempDir::new().unwrap();
    let (server, _) = secure("openssl", &folder);
    let line = iotctl("coap get --psk-identity me --psk wrong --connect-timeout 1.5");
    let ended = line.word(server.uri("coaps", "/time")).run().exits(5);
    ended
        .says("the handshake")
        .says("hint: check --psk-identity");
}

#[test]
fn the_servers_certificate_is_verified_name_included() {
    let folder = TempDir::new().unwrap();
    let (server, certificates) = secure("openssl", &folder);
    let uri = server.uri("coaps", "/time");
    let get = |words: &str| iotctl("coap get").words(words).word(&uri);
    let trust = format!("--cafile {}", certificates.ca.display());
    get(&trust).run().exits(0).quietly();
    let other = folder.path().join("other.pem");
    std::fs::write(&other, authority("another CA").pem()).unwrap();
    let untrusted = format!("--cafile {}", other.display());
    get(&untrusted).run().exits(3).says("unknown issuer");
    let misnamed = format!("{trust} --tls-server-name evil.example");
    get(&misnamed).run().exits(3).says("not \"evil.example\"");
    get("--insecure").run().exits(0).says("not verified");
    let (cert, key) = (
        certificates.client.display(),
        certificates.client_key.display(),
    );
    get(&format!("{trust} --cert {cert} --key {key}"))
        .run()
        .exits(0)
        .quietly();
    let tls = server.uri("coaps+tcp", "/time");
    iotctl("coap get")
        .words(&trust)
        .word(tls)
        .run()
        .exits(0)
        .quietly();
}

#[test]
fn what_is_no_dtls_is_told_from_a_closed_port() {
    let server = libcoap::plain();
    let uri = format!("coaps://127.0.0.1:{}/", server.port);
    let key = "--psk-identity me --psk secret";
    let line = iotctl("coap get").words(key).word(uri);
    line.run().exits(3).says("does not speak DTLS");
    let closed = iotctl("coap get").words(key).word("coaps://127.0.0.1:1/");
    closed.run().exits(3).says("port unreachable (ICMP)");
}
