//! TLS that fails: each reason in its words, with its exit code and its way out.

use std::io::Read;
use std::net::Shutdown;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

use crate::support::broker::{Broker, broker, started};
use crate::support::certificates::{Certificates, authority, leaf, leaf_with, self_signed};
use crate::support::command::{Ended, iotctl};
use crate::support::mosquitto::mosquitto;
use crate::support::peer::{Peer, drain, rest};

/// Our broker with TLS, and the files that belong to it.
struct Server {
    broker: Broker,
    folder: TempDir,
    files: Certificates,
}

/// With the usual certificate; `more` are further words, in which `CA` stands for the authority's file.
fn server(more: &str) -> Server {
    let folder = TempDir::new().unwrap();
    let files = Certificates::in_folder(folder.path());
    let more = more.replace("CA", files.ca.to_str().unwrap());
    let broker = listening(&files.server, &files.server_key, &more);
    Server {
        broker,
        folder,
        files,
    }
}

/// With another certificate.
fn server_with((cert, key): (String, String)) -> Server {
    let folder = TempDir::new().unwrap();
    let files = Certificates::in_folder(folder.path());
    std::fs::write(&files.server, cert).unwrap();
    std::fs::write(&files.server_key, key).unwrap();
    let broker = listening(&files.server, &files.server_key, "");
    Server {
        broker,
        folder,
        files,
    }
}

fn listening(cert: &Path, key: &Path, more: &str) -> Broker {
    started(
        iotctl("mqtt broker --listen mqtts://127.0.0.1:0 --cert")
            .word(cert)
            .word("--key")
            .word(key)
            .words(more),
    )
}

impl Server {
    fn publish(&self, host: &str, words: &str) -> Ended {
        iotctl(&format!("mqtt pub mqtts://{host}:{}", self.broker.port))
            .words("-t a -q 1 -m x")
            .words(words)
            .run()
    }

    /// Trusting the usual authority.
    fn publish_trusting(&self, host: &str, words: &str) -> Ended {
        self.publish(
            host,
            &format!("--cafile {} {words}", self.files.ca.display()),
        )
    }

    /// A file beside the others.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

#[test]
fn an_unknown_issuer_is_named_with_the_way_out() {
    let server = server("");
    let other = server.file("other.pem", &authority("another CA").pem());
    server
        .publish("localhost", &format!("--cafile {}", other.display()))
        .exits(3)
        .says(&format!(
            "iotctl: cannot connect to mqtts://localhost:{}: certificate is signed by an unknown issuer",
            server.broker.port
        ))
        .says("(CN=iotctl test CA)")
        .says("hint: use --cafile FILE to trust its issuer, or --insecure to skip verification\n");
    // The operating system does not know it either.
    server
        .publish("localhost", "")
        .exits(3)
        .says("unknown issuer (CN=iotctl test CA)");
}

#[test]
fn the_right_issuer_and_names_are_accepted() {
    let server = server("");
    server.publish_trusting("localhost", "").exits(0);
    server.publish_trusting("127.0.0.1", "").exits(0);
    for version in ["1.2", "1.3"] {
        server
            .publish_trusting("localhost", &format!("--tls-version {version}"))
            .exits(0);
    }
    let folder = TempDir::new().unwrap();
    std::fs::copy(&server.files.ca, folder.path().join("any.pem")).unwrap();
    server
        .publish(
            "localhost",
            &format!("--capath {}", folder.path().display()),
        )
        .exits(0);
}

#[test]
fn a_wrong_name_lists_the_right_ones() {
    let folder = TempDir::new().unwrap();
    let issuer = authority("one CA");
    let ca = folder.path().join("one.pem");
    std::fs::write(&ca, issuer.pem()).unwrap();
    let server = server_with(leaf(&issuer, "x", vec!["right.example".into()]));
    let trusting = format!("--cafile {}", ca.display());
    server
        .publish("localhost", &trusting)
        .exits(3)
        .says("certificate is for \"right.example\", not \"localhost\"")
        .says("hint: use --tls-server-name NAME");
    server
        .publish(
            "localhost",
            &format!("{trusting} --tls-server-name right.example"),
        )
        .exits(0);
}

#[test]
fn dates_are_told_as_people_say_them() {
    let folder = TempDir::new().unwrap();
    let issuer = authority("one CA");
    let ca = folder.path().join("one.pem");
    std::fs::write(&ca, issuer.pem()).unwrap();
    let trusting = format!("--cafile {}", ca.display());
    let names = || vec!["localhost".into()];
    let expired = leaf_with(&issuer, "x", names(), |params| {
        params.not_before = rcgen::date_time_ymd(2019, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    server_with(expired)
        .publish("localhost", &trusting)
        .exits(3)
        .says("certificate expired ")
        .says(" years ago");
    let early = leaf_with(&issuer, "x", names(), |params| {
        params.not_before = rcgen::date_time_ymd(3000, 1, 1);
    });
    server_with(early)
        .publish("localhost", &trusting)
        .exits(3)
        .says("certificate is not valid yet, only in ");
}

#[test]
fn a_self_signed_certificate_is_called_so_and_can_be_trusted() {
    let server = server_with(self_signed(vec!["localhost".into()]));
    server
        .publish_trusting("localhost", "")
        .exits(3)
        .says("certificate is self-signed")
        .says("hint: use --cafile FILE to trust the certificate");
    let itself = server.files.server.display();
    server
        .publish("localhost", &format!("--cafile {itself}"))
        .exits(0);
}

#[test]
fn insecure_works_and_says_so() {
    let server = server_with(self_signed(vec!["wrong.example".into()]));
    server
        .publish("localhost", "--insecure")
        .exits(0)
        .says("is not verified (--insecure)");
    // It also stands above --cafile.
    server.publish_trusting("localhost", "--insecure").exits(0);
}

#[test]
fn a_missing_client_certificate_is_asked_for() {
    let server = server("--client-ca CA");
    for version in ["1.2", "1.3"] {
        server
            .publish_trusting("localhost", &format!("--tls-version {version}"))
            .exits(3)
            .says("client certificate")
            .says("hint: use --cert FILE --key FILE");
    }
    let files = &server.files;
    let identity = format!(
        "--cert {} --key {}",
        files.client.display(),
        files.client_key.display()
    );
    server.publish_trusting("localhost", &identity).exits(0);
    // One that the server does not trust.
    let (cert, key) = leaf(&authority("stranger"), "x", vec!["x".into()]);
    let (cert, key) = (server.file("x.pem", &cert), server.file("x.key", &key));
    let stranger = format!("--cert {} --key {}", cert.display(), key.display());
    server
        .publish_trusting("localhost", &stranger)
        .exits(3)
        .says("client certificate");
}

/// With TLS 1.3 the server refuses only after the handshake.
#[test]
fn coap_is_told_of_a_missing_client_certificate_too() {
    let folder = TempDir::new().unwrap();
    let files = Certificates::in_folder(folder.path());
    let ca = files.ca.display();
    let mut server =
        iotctl("coap server --listen coaps+tcp://127.0.0.1:0 --listen coaps+ws://127.0.0.1:0")
            .words(&format!("--client-ca {ca} --cert"))
            .word(&files.server)
            .word("--key")
            .word(&files.server_key)
            .start();
    for uri in server.lines(2) {
        for version in ["1.2", "1.3"] {
            for command in ["get", "observe", "ping -C 1", "discover"] {
                iotctl(&format!("coap {command} {uri} --cafile {ca}"))
                    .words(&format!("--tls-version {version}"))
                    .run()
                    .exits(3)
                    .says("client certificate")
                    .says("hint: use --cert FILE --key FILE");
            }
        }
    }
}

/// A server that closes each connection at the first data, without the goodbye of TLS; its certificate's authority.
fn abrupt(folder: &TempDir) -> (Peer, PathBuf) {
    let files = Certificates::in_folder(folder.path());
    let cert = CertificateDer::from_pem_file(&files.server).unwrap();
    let key = PrivateKeyDer::from_pem_file(&files.server_key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .unwrap();
    let config = Arc::new(config);
    let peer = Peer::start(move |stream, _| {
        let mut tls = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        let _ = rustls::Stream::new(&mut tls, stream).read(&mut [0; 1]);
        stream.shutdown(Shutdown::Write).unwrap();
        // What is not read would reset the connection.
        drain(stream);
    });
    (peer, files.ca)
}

#[test]
fn a_connection_that_ends_without_a_goodbye_is_lost_in_plain_words() {
    let folder = TempDir::new().unwrap();
    let (peer, ca) = abrupt(&folder);
    for words in [
        "coap get coaps+tcp://localhost:PORT/a",
        "coap observe coaps+tcp://localhost:PORT/a",
        "coap ping -C 2 coaps+tcp://localhost:PORT",
        "coap get coaps+ws://localhost:PORT/a",
        "mqtt sub mqtts://localhost:PORT -t a",
        "mqtt ping wss://localhost:PORT",
        "amqp ping amqps://localhost:PORT",
    ] {
        let words = words.replace("PORT", &peer.port.to_string());
        let ended = iotctl(&words).word("--cafile").word(&ca).run();
        assert!(matches!(ended.code, 3 | 6), "{words}: {}", ended.stderr);
        let said = &ended.stderr;
        assert!(said.contains("closed"), "{words}: {said}");
        assert!(!said.contains("close_notify"), "{words}: {said}");
    }
}

#[test]
fn mosquitto_asks_for_a_client_certificate_too() {
    let mosquitto = mosquitto();
    let files = &mosquitto.certificates;
    let url = format!("mqtts://localhost:{}", mosquitto.mutual_tls_port);
    for command in ["pub -m x", "sub"] {
        iotctl(&format!(
            "mqtt {command} {url} -t a --cafile {}",
            files.ca.display()
        ))
        .run()
        .exits(3)
        .says("client certificate")
        .says("hint: use --cert FILE --key FILE");
    }
}

/// Fails to connect at all with these words: what is wrong is seen before.
fn before_connecting(words: &str, code: i32, said: &str) {
    let peer = Peer::start(|stream, _| rest(stream));
    iotctl(&format!("mqtt pub mqtts://localhost:{}", peer.port))
        .words("-t a -m x")
        .words(words)
        .run()
        .exits(code)
        .says(said)
        .prints("");
    assert_eq!(peer.others(), 0, "connected in spite of {words}");
}

#[test]
fn files_are_checked_before_connecting() {
    let folder = TempDir::new().unwrap();
    let files = Certificates::in_folder(folder.path());
    let junk = folder.path().join("junk");
    std::fs::write(&junk, "no PEM at all\n").unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let junk = junk.display();
    let (cert, key) = (files.client.display(), files.client_key.display());
    before_connecting(
        "--cafile /nonexistent/ca.pem",
        8,
        "cannot read /nonexistent/ca.pem: no such file or directory",
    );
    before_connecting(
        &format!("--cafile {junk}"),
        2,
        &format!("no certificate found in {junk}"),
    );
    before_connecting(
        &format!("--cafile {key}"),
        2,
        &format!("no certificate found in {key}"),
    );
    before_connecting("--capath /nonexistent", 8, "cannot read /nonexistent");
    let empty = empty.display();
    before_connecting(
        &format!("--capath {empty}"),
        2,
        &format!("no certificate found in {empty}"),
    );
    before_connecting(
        &format!("--cert {cert} --key {}", files.server_key.display()),
        2,
        "does not match",
    );
    before_connecting(&format!("--cert {cert} --key {junk}"), 2, "no private key");
    before_connecting(&format!("--cert {junk} --key {key}"), 2, "no certificate");
    before_connecting(&format!("--cert {cert}"), 2, "--key");
    before_connecting("--tls-version 1.1", 2, "1.1");
}

#[test]
fn the_broker_checks_its_files_as_well() {
    let folder = TempDir::new().unwrap();
    let files = Certificates::in_folder(folder.path());
    let start = |cert: &Path, key: &Path| {
        iotctl("mqtt broker --listen mqtts://127.0.0.1:0 --cert")
            .word(cert)
            .word("--key")
            .word(key)
            .run()
    };
    start(Path::new("/nonexistent"), &files.server_key)
        .exits(8)
        .says("cannot read /nonexistent");
    start(&files.server, &files.client_key)
        .exits(2)
        .says("does not match");
}

#[test]
fn tls_and_plain_are_told_apart() {
    let server = server("");
    let port = server.broker.port;
    for command in ["pub -m x -t a", "sub -t a"] {
        iotctl(&format!("mqtt {command} -h localhost -p {port}"))
            .run()
            .exits(3)
            .says("speaks TLS, not MQTT")
            .says("hint: this looks like a TLS port; use mqtts://");
    }
    let plain = broker("");
    let mosquitto = mosquitto();
    for port in [plain.port, mosquitto.port] {
        for command in ["pub -m x -t a", "sub -t a"] {
            iotctl(&format!("mqtt {command} -L mqtts://localhost:{port}"))
                .run()
                .exits(3)
                .says("server does not speak TLS")
                .says("hint: ");
        }
    }
    // mosquitto closes a plain connection to its TLS port.
    iotctl(&format!(
        "mqtt pub -t a -m x -h localhost -p {}",
        mosquitto.tls_port
    ))
    .run()
    .exits(3)
    .says("this looks like a TLS port; use mqtts://localhost:");
}

#[test]
fn a_server_that_is_no_websocket_says_so() {
    let plain = broker("");
    iotctl(&format!("mqtt pub ws://127.0.0.1:{} -t a -m x", plain.port))
        .run()
        .exits(3)
        .says("ws://127.0.0.1:");
    let http = Peer::start(|stream, _| {
        crate::support::peer::send(
            stream,
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        );
        drop(std::io::copy(stream, &mut std::io::sink()));
    });
    iotctl(&format!("mqtt pub ws://127.0.0.1:{} -t a -m x", http.port))
        .run()
        .exits(3)
        .says("404");
}
