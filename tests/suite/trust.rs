//! Whom iotctl trusts, and what it never shows: certificates, keys and passwords, over all protocols alike.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use crate::support::certificates::{Certificates, authority, leaf};
use crate::support::command::{Ended, Line, Running, iotctl};

/// A certificate of X.509 version 1 with its key.
const VERSION_1: &str = include_str!("../../src/connect/tests/version_1.pem");

/// The servers with TLS or DTLS, and a client of each, whose URL is `URL`.
const PAIRS: [(&str, &str); 4] = [
    (
        "mqtt broker --listen mqtts://127.0.0.1:0",
        "mqtt pub URL -t a -m x -q 1",
    ),
    (
        "amqp broker --listen amqps://127.0.0.1:0",
        "amqp declare queue URL q",
    ),
    (
        "coap server -r /a=text:safe --listen coaps://127.0.0.1:0",
        "coap get URL/a",
    ),
    (
        "coap server -r /a=text:safe --listen coaps+tcp://127.0.0.1:0",
        "coap get URL/a",
    ),
];

fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn with(line: Line, flag: &str, path: &Path) -> Line {
    line.words(flag).word(path)
}

/// A server that shows this certificate; where it listens.
fn serving(words: &str, (cert, key): (&Path, &Path), more: &str) -> (Running, String) {
    let line = with(with(iotctl(words), "--cert", cert), "--key", key);
    let mut running = line.words(more).start();
    let url = running.line();
    (running, url)
}

fn client(words: &str, url: &str) -> Line {
    iotctl(&words.replace("URL", url)).words("--connect-timeout 5")
}

#[test]
fn a_certificate_of_version_1_that_is_named_itself_suffices() {
    let folder = TempDir::new().unwrap();
    let files = Certificates::in_folder(folder.path());
    let old = file(&folder, "old.pem", VERSION_1);
    for (server, words) in PAIRS {
        let (_server, url) = serving(server, (&old, &old), "");
        with(client(words, &url), "--cafile", &files.ca)
            .run()
            .exits(3)
            .says("certificate has the outdated X.509 version 1")
            .says("hint: use --cafile with the server's own certificate to trust it")
            .says("subjectAltName=DNS:NAME");
        with(client(words, &url), "--cafile", &old).run().exits(0);
    }
    // Of a client too.
    for (server, words) in PAIRS.into_iter().filter(|(it, _)| !it.starts_with("amqp")) {
        for (client_ca, code) in [(&old, 0), (&files.ca, 3)] {
            let more = format!("--client-ca {}", client_ca.display());
            let (_server, url) = serving(server, (&files.server, &files.server_key), &more);
            let line = with(client(words, &url), "--cafile", &files.ca);
            let ended = with(with(line, "--cert", &old), "--key", &old).run();
            ended.exits(code);
        }
    }
}

#[test]
fn an_authority_that_has_expired_is_refused() {
    let folder = TempDir::new().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "ages");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = rcgen::date_time_ymd(2019, 1, 1);
    params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let ca = file(&folder, "ages.pem", &issuer.pem());
    let (cert, key) = leaf(&issuer, "x", vec!["localhost".into(), "127.0.0.1".into()]);
    let (cert, key) = (file(&folder, "x.pem", &cert), file(&folder, "x.key", &key));
    for (server, words) in PAIRS {
        let (_server, url) = serving(server, (&cert, &key), "");
        with(client(words, &url), "--cafile", &ca)
            .run()
            .exits(3)
            .says(&format!(
                "the CA certificate CN=ages in {}: certificate expired ",
                ca.display()
            ))
            .says(" years ago");
        // In a folder it does not spoil the rest: the server's own certificate lies there too.
        let line = with(client(words, &url), "--capath", folder.path());
        line.run().exits(0);
    }
}

#[test]
fn no_error_shows_what_is_in_a_pem_file() {
    let folder = TempDir::new().unwrap();
    let files = Certificates::in_folder(folder.path());
    let key = std::fs::read_to_string(&files.server_key).unwrap();
    let body = key.lines().nth(1).unwrap();
    let bytes = format!("{:?}", &body.as_bytes()[..8]);
    let bytes = bytes.trim_matches(['[', ']']);
    let hidden = |ended: Ended, what: &str| {
        let text = format!("{}{}", ended.text(), ended.stderr);
        let leaks = text.contains(&body[..8]) || text.contains(bytes);
        assert!(!leaks, "{text}");
        ended.exits(2).says(what);
    };
    for (text, what) in [
        (
            key.replace('\n', "\\n"),
            "its line breaks are written as \\n",
        ),
        (key.replace('\n', " "), "it is all on one line"),
        (key.replace("-----END", "----END"), "an END line is missing"),
    ] {
        let bad = file(&folder, "bad.key", &text);
        for (server, words) in PAIRS {
            let line = with(iotctl(server), "--cert", &files.server);
            hidden(with(line, "--key", &bad).run(), what);
            let url = server.rsplit(' ').next().unwrap();
            let url = url.replace(":0", ":1");
            let line = with(client(words, &url), "--cert", &files.client);
            hidden(with(line, "--key", &bad).run(), what);
            let line = client(words, &url);
            hidden(with(line, "--cafile", &bad).run(), what);
        }
        let line = iotctl("bench mqtt mqtts://127.0.0.1:1 --rate 1 --duration 1s");
        hidden(with(line, "--cafile", &bad).run(), what);
    }
}

#[test]
fn no_error_shows_the_password_of_a_url() {
    let commands = [
        ("mqtt pub URL -t a -m x", "mqtt"),
        ("mqtt sub -L URL -t a", "wss"),
        ("mqtt pub URL -t a -m x", "unix"),
        ("mqtt pub -h URL -t a -m x", "mqtt"),
        ("mqtt pub mqtt://127.0.0.1:1 URL -t a -m x", "mqtt"),
        ("mqtt broker --listen URL", "mqtt"),
        ("amqp ping URL", "amqp"),
        ("amqp publish URL -m x", "amqps"),
        ("coap get URL", "coap"),
        ("coap observe URL", "coaps+tcp"),
        ("coap get --proxy URL coap://h/a", "coap"),
        ("coap get --proxy=URL coap://h/a", "coap+ws"),
        ("coap server --listen URL", "coap"),
        (
            "coap rd register coap://127.0.0.1:1 --ep x -m </a> --base URL",
            "nonsense",
        ),
        ("bench mqtt URL --rate 1 --duration 1s", "mqtt"),
        ("bench coap URL --rate 1 --duration 1s", "coap"),
        ("bench amqp URL --rate 1 --duration 1s", "amqp"),
    ];
    for (words, scheme) in commands {
        for password in ["hun/ter2", "hun?ter2", "hun#ter2", "/ter2", "ter2"] {
            let url = match scheme {
                "nonsense" => format!("me:{password}@127.0.0.1:99999"),
                "unix" => format!("unix://me:{password}@/nonexistent/s%"),
                _ => format!("{scheme}://me:{password}@127.0.0.1:99999"),
            };
            let ended = iotctl(&words.replace("URL", &url)).run();
            let said = format!("{}{}", ended.text(), ended.stderr);
            assert!(
                !said.contains("ter2") && !said.contains("hun"),
                "{words}: {said}"
            );
            ended.exits(2);
        }
    }
    iotctl("mqtt pub mqtt://me:hun/ter2@h -t a -m x")
        .run()
        .exits(2)
        .says("a / in the password must be written as %2F");
    iotctl("amqp ping amqp://me:hunter2@h/v?heartbeat=5")
        .run()
        .exits(2)
        .says("hint: use --heartbeat SECONDS instead");
    iotctl("mqtt pub -h h:hunter2 -t a -m x")
        .run()
        .exits(2)
        .says("not a text with a colon\nhint: a port is a number from 1 to 65535\n");
}

#[test]
fn a_hash_in_an_mqtt_url_is_part_of_the_topic() {
    let mut broker = iotctl("mqtt broker --listen 127.0.0.1:0").start();
    let url = broker.line();
    iotctl(&format!("mqtt pub {url}/u/x -m hello -r"))
        .run()
        .exits(0);
    let place = url.strip_prefix("mqtt://").unwrap();
    iotctl(&format!("mqtt ping -h {place} -C 1")).run().exits(0);
    iotctl(&format!("mqtt sub {url}/u/# -v -C 1"))
        .run()
        .exits(0)
        .prints("u/x hello\n");
    iotctl(&format!("mqtt pub {url}/a/# -m x"))
        .run()
        .exits(2)
        .says("contains the wildcard #");
}

#[test]
fn commands_of_exec_do_not_get_our_secrets() {
    let secrets = |line: Line| {
        line.env("IOTCTL_PASSWORD", "hunter2")
            .env("IOTCTL_OSCORE_SALT", "hunter2")
            .env("IOTCTL_OTHER", "kept")
    };
    let hidden = |ended: Ended, topic: &str| {
        assert!(!ended.text().contains("hunter2"), "{}", ended.text());
        let ended = ended.exits(0).contains("IOTCTL_OTHER=kept");
        ended.contains(&format!("IOTCTL_TOPIC={topic}"));
    };
    let mut broker = iotctl("amqp broker --listen 127.0.0.1:0 --user ann:hunter2").start();
    let url = broker.line();
    let port = url.rsplit(':').next().unwrap();
    let ann = |command: &str, words: &str| {
        let line = iotctl(&format!("amqp {command} -h 127.0.0.1 -p {port} -u ann"));
        secrets(line.words(words))
    };
    ann("declare queue", "q").run().exits(0);
    ann("publish", "-k q -m x --mandatory").run().exits(0);
    hidden(ann("consume", "q -C 1 --exec env").run(), "q");

    let mut server = iotctl("coap server -r /c=counter:0.05 --listen 127.0.0.1:0").start();
    let url = server.line();
    let line = iotctl(&format!("coap observe {url}/c -C 1 --exec env"))
        .env("IOTCTL_URL", "coap://me:hunter2@h")
        .env("IOTCTL_PASSWORD", "hunter2")
        .env("IOTCTL_OTHER", "kept");
    hidden(line.run(), "/c");
}

#[test]
fn a_client_certificate_that_is_missing_is_asked_for_by_each_server() {
    let folder = TempDir::new().unwrap();
    let files = Certificates::in_folder(folder.path());
    let more = format!("--client-ca {}", files.ca.display());
    for (server, words) in PAIRS {
        let (_server, url) = serving(server, (&files.server, &files.server_key), &more);
        let ended = with(client(words, &url), "--cafile", &files.ca).run();
        ended.says("client certificate");
    }
    let stranger = authority("stranger");
    let (cert, key) = leaf(&stranger, "x", vec!["x".into()]);
    let (cert, key) = (file(&folder, "x.pem", &cert), file(&folder, "x.key", &key));
    for (server, words) in PAIRS {
        let (_server, url) = serving(server, (&files.server, &files.server_key), &more);
        let line = with(client(words, &url), "--cafile", &files.ca);
        let ended = with(with(line, "--cert", &cert), "--key", &key).run();
        assert!([3, 6].contains(&ended.code), "{ended:?}");
        ended.says("client certificate");
    }
}
