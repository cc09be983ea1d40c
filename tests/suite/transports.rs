//! Ways to a server: which address, which of several servers, through what, and with which secrets.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::broker::{Broker, broker, started};
use crate::support::certificates::Certificates;
use crate::support::coap::server;
use crate::support::command::{Ended, Line, iotctl, program};
use crate::support::peer::{
    Peer, packet, read_packet, read_until, refuse, send, subscribed, welcome,
};
use crate::support::wait_for;

/// A port that nobody listens on.
fn dead_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn amqp_broker(words: &str) -> Broker {
    started(iotctl("amqp broker --listen 127.0.0.1:0").words(words))
}

/// A shell command that must succeed, in a folder; what it prints.
fn shell(folder: &Path, script: &str) -> String {
    let line = format!("cd {} && {script}", folder.display());
    let ended = program("sh", "-c").word(line).run().exits(0);
    ended.text().to_owned()
}

/// The pin of a certificate's key, as openssl computes it.
fn pin(folder: &Path, certificate: &str) -> String {
    let hash = shell(
        folder,
        &format!(
            "openssl x509 -in {certificate} -pubkey -noout | openssl pkey -pubin -outform der \
             | openssl dgst -sha256 -binary | base64"
        ),
    );
    format!("sha256/{}", hash.trim())
}

#[test]
fn a_pinned_key_is_demanded_besides_a_valid_certificate_or_alone() {
    let folder = TempDir::new().unwrap();
    let files = Certificates::in_folder(folder.path());
    let [right, wrong] = ["server.pem", "client.pem"].map(|it| pin(folder.path(), it));
    let curl = right.replacen('/', "//", 1);
    let both = |line: Line| {
        let line = line.word("--cert").word(&files.server);
        line.word("--key").word(&files.server_key)
    };
    let mqtt = started(both(iotctl("mqtt broker --listen mqtts://127.0.0.1:0")));
    let amqp = started(both(iotctl("amqp broker --listen amqps://127.0.0.1:0")));
    let coap = server(
        &format!(
            "--cert {} --key {} -r /temp=text:21.5",
            files.server.display(),
            files.server_key.display()
        ),
        &["coaps", "coaps+tcp"],
    );
    let commands = [
        format!("mqtt pub mqtts://localhost:{} -t a -m x -q 1", mqtt.port),
        format!("amqp ping amqps://localhost:{} -C 1", amqp.port),
        format!("coap get {}/temp", coap.uris[0]),
        format!("coap get {}/temp", coap.uris[1]),
    ];
    let ca = format!("--cafile {}", files.ca.display());
    for command in &commands {
        let run = |words: &str| iotctl(command).words(words).run();
        run(&format!("{ca} --tls-pin {right}")).exits(0);
        run(&format!("{ca} --tls-pin {wrong} --tls-pin {curl}")).exits(0);
        run(&format!("{ca} --tls-pin {wrong}"))
            .exits(3)
            .says(&format!("the public key {right} does not match --tls-pin"));
        // The authority is not trusted: the right key does not help.
        run(&format!("--tls-pin {right}"))
            .exits(3)
            .says("unknown issuer");
        let alone = run(&format!("--insecure --tls-pin {right}")).exits(0);
        assert!(!alone.stderr.contains("not verified"), "{}", alone.stderr);
        run(&format!("--insecure --tls-pin {wrong}"))
            .exits(3)
            .says("does not match --tls-pin");
    }
    iotctl(&commands[0])
        .words(&format!("--tls-version 1.2 --insecure --tls-pin {wrong}"))
        .run()
        .exits(3)
        .says("does not match --tls-pin");
    iotctl("mqtt pub -t a -m x --tls-pin sha256/AAAA")
        .run()
        .exits(2)
        .says("sha256/AAAA");
}

/// A broker that demands the client certificate of the usual authority, and the files.
struct Strict {
    broker: Broker,
    folder: TempDir,
    files: Certificates,
}

fn strict() -> Strict {
    let folder = TempDir::new().unwrap();
    let files = Certificates::in_folder(folder.path());
    let line = iotctl("mqtt broker --listen mqtts://127.0.0.1:0 --cert").word(&files.server);
    let line = line.word("--key").word(&files.server_key);
    let broker = started(line.word("--client-ca").word(&files.ca));
    Strict {
        broker,
        folder,
        files,
    }
}

impl Strict {
    fn line(&self, words: &str) -> Line {
        let port = self.broker.port;
        iotctl(&format!(
            "mqtt pub mqtts://localhost:{port} -t a -m x -q 1 --cafile"
        ))
        .word(&self.files.ca)
        .words(words)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// With a certificate and key, whose password is in a file.
    fn publish(&self, key: &str) -> Ended {
        let line = self.line("--cert").word(&self.files.client);
        let line = line.word("--key").word(self.path(key));
        line.word("--key-password-file").word(self.path("pw")).run()
    }
}

#[test]
fn encrypted_keys_are_opened() {
    let strict = strict();
    fs::write(strict.path("pw"), "geheim\u{e4}\n").unwrap();
    fs::write(strict.path("other"), "other").unwrap();
    let encrypt = |name: &str, words: &str| {
        let script = format!(
            "openssl pkcs8 -topk8 -in client.key {words} -passout file:pw -out {name} 2>&1"
        );
        shell(strict.folder.path(), &script);
    };
    for (number, words) in [
        "",
        "-v2 aes-128-cbc -v2prf hmacWithSHA1",
        "-v2 aes-192-cbc -v2prf hmacWithSHA512 -iter 1000",
        "-v2 aes-256-cbc -v2prf hmacWithSHA384",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("{number}.key");
        encrypt(&name, words);
        strict.publish(&name).exits(0);
    }
    for (name, words, said) in [
        (
            "des",
            "-v2 des3",
            "encrypted by DES-EDE3-CBC, which is not supported",
        ),
        (
            "scrypt",
            "-scrypt",
            "encrypted by scrypt, which is not supported",
        ),
        (
            "v1",
            "-v1 PBE-SHA1-3DES",
            "encrypted by SHA-1 and 3DES, which is not supported",
        ),
    ] {
        encrypt(name, words);
        strict
            .publish(name)
            .exits(2)
            .says(said)
            .says("openssl pkcs8 -topk8 -v2 aes-256-cbc");
    }
    shell(
        strict.folder.path(),
        "openssl pkey -in client.key -traditional -aes128 -passout file:pw -out old 2>&1",
    );
    strict
        .publish("old")
        .exits(2)
        .says("by MD5 of the password");

    let line = || {
        let line = strict.line("--cert").word(&strict.files.client);
        line.word("--key").word(strict.path("0.key"))
    };
    line()
        .env("IOTCTL_KEY_PASSWORD", "geheim\u{e4}")
        .run()
        .exits(0);
    line()
        .run()
        .exits(2)
        .says("0.key is encrypted\nhint: use --key-password-file FILE or IOTCTL_KEY_PASSWORD\n");
    line()
        .word("--key-password-file")
        .word(strict.path("other"))
        .run()
        .exits(2)
        .says("the password does not open the key in");
}

#[test]
fn a_certificate_may_come_with_its_key() {
    let strict = strict();
    fs::write(strict.path("pw"), "geheim\u{e4}\n").unwrap();
    let export = |name: &str, words: &str| {
        let script = format!(
            "openssl pkcs12 -export -in client.pem -inkey client.key {words} -out {name} 2>&1"
        );
        shell(strict.folder.path(), &script);
    };
    let with = |name: &str| {
        let line = strict.line("--cert").word(strict.path(name));
        line.word("--key-password-file")
            .word(strict.path("pw"))
            .run()
    };
    for (name, words) in [
        ("a.p12", "-passout file:pw"),
        (
            "b.p12",
            "-passout file:pw -certfile ca.pem -macalg sha512 -name mine",
        ),
        ("c.p12", "-passout file:pw -certpbe NONE -macalg sha1"),
        (
            "d.p12",
            "-passout file:pw -certpbe aes-128-cbc -keypbe aes-192-cbc -nomac",
        ),
    ] {
        export(name, words);
        with(name).exits(0);
    }
    export("empty.p12", "-passout pass:");
    let line = strict.line("--cert").word(strict.path("empty.p12"));
    line.run().exits(0);

    export(
        "old.p12",
        "-passout file:pw -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1",
    );
    with("old.p12")
        .exits(2)
        .says("old.p12 is encrypted by SHA-1 and 3DES, which is not supported")
        .says("openssl pkcs12 -legacy");
    fs::write(strict.path("pw2"), "other").unwrap();
    let line = strict.line("--cert").word(strict.path("a.p12"));
    line.word("--key-password-file")
        .word(strict.path("pw2"))
        .run()
        .exits(2)
        .says("the password does not open the PKCS#12 file");
    let line = strict.line("--cert").word(strict.path("a.p12"));
    line.run().exits(2).says("a.p12 is encrypted");
    let line = strict.line("--cert").word(strict.path("a.p12"));
    let line = line.word("--key").word(&strict.files.client_key);
    line.run().exits(2).says("is not used: the PKCS#12 file");
    shell(
        strict.folder.path(),
        "openssl pkcs12 -export -nokeys -in client.pem -passout file:pw -out none.p12 2>&1; \
         head -c 700 a.p12 > cut.p12; cat client.key client.pem > both.pem",
    );
    with("none.p12").exits(2).says("no private key found in");
    with("cut.p12")
        .exits(2)
        .says("it is damaged or of an unknown format");
    let line = strict.line("--cert").word(strict.path("both.pem"));
    line.run().exits(0);
    let line = strict.line("--cert").word(&strict.files.client);
    line.run()
        .exits(2)
        .says("--cert and --key must be used together");
    // In a file that lost a byte, whatever it says, nothing panics.
    let whole = fs::read(strict.path("a.p12")).unwrap();
    for at in (0..whole.len()).step_by(97) {
        let mut bad = whole.clone();
        bad[at] ^= 0x55;
        fs::write(strict.path("bad.p12"), bad).unwrap();
        let ended = with("bad.p12");
        assert!([0, 2].contains(&ended.code), "{at}: {}", ended.stderr);
    }
}

#[test]
fn of_several_servers_one_is_enough() {
    let broker = broker("");
    let (dead, port) = (dead_port(), broker.port);
    let host = format!("127.0.0.1:{dead},127.0.0.1:{port}");
    iotctl(&format!("mqtt pub -h {host} -t a -m first -q 1 -r"))
        .run()
        .exits(0)
        .quietly();
    iotctl(&format!("mqtt sub mqtt://{host}/a -C 1"))
        .run()
        .exits(0)
        .prints("first\n");
    iotctl("mqtt sub -t a -C 1")
        .env("IOTCTL_HOST", format!("127.0.0.1,localhost:{dead}"))
        .env("IOTCTL_PORT", port.to_string())
        .run()
        .exits(0)
        .prints("first\n");
    let failed = iotctl(&format!(
        "mqtt pub -h 127.0.0.1:{dead},no.invalid -t a -m x"
    ))
    .run();
    failed.exits(3).says(&format!(
        "cannot connect to any of 2 servers: mqtt://127.0.0.1:{dead}: connection refused; mqtt://no.invalid:1883: "
    ));
    let bench = format!("bench mqtt -h {host} --publishers 1 --count 10 -q 1");
    iotctl(&bench).run().exits(0);

    let amqp = amqp_broker("");
    let host = format!("127.0.0.1:{dead},127.0.0.1:{}", amqp.port);
    iotctl(&format!("amqp ping -h {host} -C 1")).run().exits(0);
    let coap = server("-r /temp=text:21.5", &["coap+tcp"]);
    let live = coap.uris[0].strip_prefix("coap+tcp://").unwrap();
    iotctl(&format!("coap get coap+tcp://127.0.0.1:{dead},{live}/temp"))
        .run()
        .exits(0)
        .prints("21.5");
    for words in [
        "coap get coap://a,b/temp",
        "coap get -h a,b /temp",
        "mqtt pub -h a,b:0 -t a -m x",
        "mqtt pub mqtt://a,,b -t a -m x",
    ] {
        iotctl(words).run().exits(2);
    }
}

/// Makes the queue `q` with one message.
fn queue_with(port: u16, message: &str) {
    let url = format!("amqp://127.0.0.1:{port}");
    iotctl(&format!("amqp declare queue {url} q"))
        .run()
        .exits(0);
    iotctl(&format!("amqp publish {url} -k q -m {message}"))
        .run()
        .exits(0);
}

#[test]
fn after_a_loss_the_next_server_is_connected_to() {
    let [mut first, mut second] = [broker(""), broker("")];
    let (one, two) = (first.port, second.port);
    let line = format!("mqtt sub -h 127.0.0.1:{one},127.0.0.1:{two} -t a -C 2");
    let mut waiting = iotctl(&line).start();
    first.sees_subscription("a");
    // Only the message shows that the client knows of its subscription.
    first.iotctl("pub -t a -m here -q 1").run().exits(0);
    assert_eq!(waiting.line(), "here");
    drop(first);
    waiting.hears(&format!("mqtt://127.0.0.1:{one} closed the connection"));
    second.sees_subscription("a");
    second.iotctl("pub -t a -m there -q 1").run().exits(0);
    assert_eq!(waiting.line(), "there");
    waiting.hears(&format!("reconnected to mqtt://127.0.0.1:{two}"));

    let [first, second] = [amqp_broker(""), amqp_broker("")];
    let (one, two) = (first.port, second.port);
    for (broker, message) in [(&first, "here"), (&second, "there")] {
        queue_with(broker.port, message);
    }
    let hosts = format!("127.0.0.1:{one},127.0.0.1:{two}");
    let mut waiting = iotctl(&format!("amqp consume -h {hosts} q -C 2")).start();
    assert_eq!(waiting.line(), "here");
    drop(first);
    assert_eq!(waiting.line(), "there");
    waiting.hears(&format!("reconnected to amqp://127.0.0.1:{two}"));
}

#[test]
fn one_family_or_one_interface_is_used() {
    let broker = broker("");
    for words in [
        "-4 -h localhost",
        "-A lo -h localhost",
        "-A 127.0.0.1 -4 -h 127.0.0.1",
    ] {
        iotctl(&format!(
            "mqtt pub -p {} -t a -m x -q 1 {words}",
            broker.port
        ))
        .run()
        .exits(0);
    }
    let coap = server("-r /temp=text:21.5", &["coap", "coap+tcp"]);
    for uri in &coap.uris {
        iotctl(&format!("coap get -A lo -4 {uri}/temp"))
            .run()
            .exits(0)
            .prints("21.5");
    }
    iotctl(&format!(
        "bench coap {}/temp -A lo --count 10",
        coap.uris[0]
    ))
    .run()
    .exits(0);
    iotctl(&format!(
        "bench mqtt -p {} -A lo --publishers 2 --count 10 -q 1",
        broker.port
    ))
    .run()
    .exits(0);
    for (words, said) in [
        (
            "-4 -h ::1",
            "::1 is an IPv6 address, but -4 allows IPv4 only",
        ),
        (
            "-6 -h 127.0.0.1",
            "127.0.0.1 is an IPv4 address, but -6 allows IPv6 only",
        ),
        (
            "-6 -A 127.0.0.1 -h h",
            "127.0.0.1 is an IPv4 address, but -6",
        ),
        ("-4 -6", "cannot be used with"),
        (
            "-A no-such0",
            "\"no-such0\" is neither an IP address nor a network interface of this machine",
        ),
        ("-S -h 127.0.0.1", "--srv needs a domain, not 127.0.0.1"),
        ("-S -h a,b", "--srv needs one host"),
        ("-S -p 1883 -h h", "cannot be used with"),
        ("-S -L mqtt://h:1883", "--srv cannot be used with a port"),
        ("-S -L ws://h", "--srv cannot be used with ws"),
    ] {
        iotctl(&format!("mqtt pub -t a -m x {words}"))
            .run()
            .exits(2)
            .says(said);
    }
    iotctl("coap get -S coap://h/temp")
        .run()
        .exits(2)
        .says("--srv cannot be used with coap");
    iotctl(&format!(
        "mqtt pub -6 -h localhost -p {} -t a -m x",
        dead_port()
    ))
    .run()
    .exits(3)
    .says("cannot connect to mqtt://localhost:");
    iotctl("coap get -6 coap://127.0.0.1/")
        .run()
        .exits(2)
        .says("IPv4 address, but -6");
}

/// The password of a CONNECT with a user name.
fn password_of(connect: &[u8]) -> String {
    let mut rest = &connect[10..];
    if connect[6] == 5 {
        rest = &rest[usize::from(rest[0]) + 1..];
    }
    let mut fields = Vec::new();
    while rest.len() > 1 {
        let length = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
        fields.push(&rest[2..2 + length]);
        rest = &rest[2 + length..];
    }
    String::from_utf8(fields.last().unwrap().to_vec()).unwrap()
}

#[test]
fn a_command_prints_the_password_for_each_connection() {
    let folder = TempDir::new().unwrap();
    let count = folder.path().join("count");
    let command = format!("echo x >> {0}; echo token-$(wc -l < {0})", count.display());
    let peer = Peer::start(|stream: &mut TcpStream, number| {
        // The second one is not answered, so that there are no more.
        match number {
            1 => password_of(&read_packet(stream).unwrap().1),
            _ => {
                let connect = welcome(stream);
                let subscribe = read_until(stream, 0x80).unwrap();
                send(stream, &packet(0x90, &[&subscribe[..2], &[0, 0]].concat()));
                password_of(&connect)
            }
        }
    });
    let line = iotctl(&format!("mqtt sub -p {} -u me -t a -V 5", peer.port));
    let running = line.word("--password-command").word(&command).start();
    assert_eq!(peer.result(), "token-1");
    assert_eq!(peer.result(), "token-2");
    drop(running);

    let amqp = amqp_broker("--user me:secret");
    let ping = format!(
        "amqp ping amqp://127.0.0.1:{} -u me -C 1 --password-command",
        amqp.port
    );
    iotctl(&ping).word("echo secret; echo more").run().exits(0);
    iotctl(&ping).word("echo other").run().exits(4);
    for (command, code, said) in [
        ("exit 3", 8, "--password-command failed: exit status: 3"),
        ("true", 8, "--password-command printed no password"),
    ] {
        iotctl(&ping).word(command).run().exits(code).says(said);
    }
    // It has as long as connecting may take, as the command has for all of it; and what it has started ends with it.
    let slow = |words: &str| iotctl(&ping).word("sleep 60 & wait").words(words);
    slow("--connect-timeout 200ms")
        .run()
        .exits(5)
        .says("--password-command did not end within 200ms");
    let sub = format!(
        "mqtt sub -p {} -u me -t a -W 0.2 --password-command",
        amqp.port
    );
    iotctl(&sub).word("sleep 60 & wait").run().exits(5);
    let begun = folder.path().join("begun");
    let waiting = format!("touch {}; sleep 60", begun.display());
    let running = iotctl(&ping)
        .word(&waiting)
        .words("--connect-timeout 1m")
        .start();
    wait_for("the command", || begun.exists().then_some(()));
    running.signal("INT");
    running.ends().exits(130);
    iotctl(&ping)
        .word("echo x")
        .words("-P y")
        .run()
        .exits(2)
        .says("cannot be used with");
}

#[test]
fn the_lowest_version_of_tls_is_a_choice() {
    let folder = TempDir::new().unwrap();
    let files = Certificates::in_folder(folder.path());
    let line = iotctl("mqtt broker --listen mqtts://127.0.0.1:0 --cert").word(&files.server);
    let broker = started(line.word("--key").word(&files.server_key));
    for version in ["1.2", "1.2+", "1.3", "tlsv1.3"] {
        let line = iotctl(&format!(
            "mqtt pub mqtts://localhost:{} -t a -m x",
            broker.port
        ));
        let line = line.word("--cafile").word(&files.ca);
        line.word("--tls-version").word(version).run().exits(0);
    }
    iotctl("mqtt pub -t a -m x --tls-version 1.1")
        .run()
        .exits(2)
        .says("1.2+");
}

/// Carries bytes between a client and a server until either ends.
fn carry(client: &mut TcpStream, mut server: TcpStream) {
    client.set_read_timeout(None).unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let mut client = client.try_clone().unwrap();
    let back = std::thread::spawn(move || {
        let _ = std::io::copy(&mut server, &mut client);
        let _ = client.shutdown(Shutdown::Both);
    });
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
    back.join().unwrap();
}

/// A SOCKS5 proxy that wants the login me, pw; it says where it led to.
fn socks5() -> Peer<u16> {
    Peer::start(|client, _| {
        let mut greeting = [0; 4];
        client.read_exact(&mut greeting).unwrap();
        client.write_all(&[5, 2]).unwrap();
        let mut login = [0; 7];
        client.read_exact(&mut login).unwrap();
        if &login != b"\x01\x02me\x02pw" {
            client.write_all(&[1, 1]).unwrap();
            return 0;
        }
        client.write_all(&[1, 0]).unwrap();
        let mut request = [0; 10];
        client.read_exact(&mut request).unwrap();
        let port = u16::from_be_bytes([request[8], request[9]]);
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
        carry(client, TcpStream::connect(("127.0.0.1", port)).unwrap());
        port
    })
}

/// An HTTP proxy that wants the login me, pw.
fn http() -> Peer<u16> {
    Peer::start(|client, _| {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        let head = String::from_utf8(head).unwrap();
        if !head.contains("Proxy-Authorization: Basic bWU6cHc=\r\n") {
            let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n";
            client.write_all(refusal).unwrap();
            return 0;
        }
        let place = head.split(' ').nth(1).unwrap();
        let port = place.rsplit(':').next().unwrap().parse().unwrap();
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        carry(client, TcpStream::connect(("127.0.0.1", port)).unwrap());
        port
    })
}

#[test]
fn proxies_lead_to_amqp_and_to_coap_over_tcp() {
    let amqp = amqp_broker("");
    let coap = server("-r /temp=text:21.5", &["coap+tcp", "coap"]);
    let coap_port: u16 = coap.uris[0].rsplit(':').next().unwrap().parse().unwrap();
    for (proxy, scheme) in [(socks5(), "socks5h"), (http(), "http")] {
        let url = format!("{scheme}://me:pw@127.0.0.1:{}", proxy.port);
        iotctl(&format!(
            "amqp ping amqp://127.0.0.1:{} -C 1 --proxy {url}",
            amqp.port
        ))
        .run()
        .exits(0);
        assert_eq!(proxy.result(), amqp.port);
        iotctl(&format!("coap get {}/temp", coap.uris[0]))
            .env("IOTCTL_PROXY", &url)
            .run()
            .exits(0)
            .prints("21.5");
        assert_eq!(proxy.result(), coap_port);
        let wrong = url.replace("pw@", "no@");
        iotctl(&format!(
            "amqp ping amqp://127.0.0.1:{} -C 1 --proxy {wrong}",
            amqp.port
        ))
        .run()
        .exits(4)
        .says(&format!("through {scheme}://127.0.0.1:"));
        iotctl(&format!("coap get {}/temp", coap.uris[1]))
            .env("IOTCTL_PROXY", &url)
            .run()
            .exits(2)
            .says("IOTCTL_PROXY needs TCP and cannot be used with coap\n")
            .says("hint: use coap+tcp://, or connect without the proxy\n");
    }
}

#[test]
fn the_end_of_the_time_during_an_outage_is_a_failure() {
    let gone = Peer::start(|stream: &mut TcpStream, number| {
        if number == 0 {
            subscribed(stream, &[0]);
        }
    });
    for end in ["--for 1s", "--idle 1s"] {
        let line = format!("mqtt sub -p {} -t a --retry forever {end}", gone.port);
        let ended = iotctl(&line).run().exits(5);
        ended.says("timed out: no connection to mqtt://localhost:");
    }

    let broker = amqp_broker("");
    queue_with(broker.port, "here");
    let url = format!("amqp://127.0.0.1:{}", broker.port);
    let mut waiting = iotctl(&format!("amqp consume {url} q --for 2s")).start();
    assert_eq!(waiting.line(), "here");
    drop(broker);
    waiting
        .ends()
        .exits(5)
        .says("timed out: no connection to amqp://127.0.0.1:");

    let coap = server("-r /temp=text:21.5", &["coap+tcp"]);
    let line = format!(
        "coap observe {}/temp --retry forever --for 2s",
        coap.uris[0]
    );
    let mut waiting = iotctl(&line).start();
    assert_eq!(waiting.line(), "21.5");
    drop(coap);
    waiting
        .ends()
        .exits(5)
        .says("timed out: no response from coap+tcp://127.0.0.1:");
}

#[test]
fn requests_of_coap_have_a_time_for_all_repetitions() {
    let coap = server("-r /temp=text:21.5", &["coap"]);
    let line = format!(
        "coap get {}/temp --repeat 1000 --repeat-delay 50ms --max-time 300ms",
        coap.uris[0]
    );
    let ended = iotctl(&line).run().exits(5).says("timed out");
    assert!(ended.text().starts_with("21.5"), "{}", ended.text());
    iotctl(&format!("coap get {}/temp --max-time 60s", coap.uris[0]))
        .run()
        .exits(0)
        .prints("21.5");
}

#[test]
fn a_token_is_the_data_of_a_method() {
    let folder = TempDir::new().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, "eyJhbGciOi\n").unwrap();
    let peer = Peer::start(|stream: &mut TcpStream, number| match number {
        0 => welcome(stream),
        _ => refuse(stream, 0x87),
    });
    let line = || {
        let line = format!(
            "mqtt pub -p {} -t a -m x --auth-method OAUTH2-JWT",
            peer.port
        );
        iotctl(&line).word("--auth-data-file").word(&token)
    };
    line().run();
    let connect = peer.result();
    // Properties 0x15 and 0x16 (MQTT 5.0 §3.1.2.11.9).
    let method = b"\x15\0\x0aOAUTH2-JWT";
    let data = b"\x16\0\x0aeyJhbGciOi";
    for property in [&method[..], data] {
        let found = connect.windows(property.len()).any(|it| it == property);
        assert!(found, "{property:?} in {connect:?}");
    }
    line().run().exits(4).says("not authorized");
    for (words, said) in [
        ("--auth-method OAUTH2-JWT", "needs --auth-data-file"),
        ("--auth-data-file x", "--auth-method"),
        (
            "-u me -P x --auth-method scram-sha-256 --auth-data-file x",
            "SCRAM makes its own data",
        ),
        ("-V 311 --auth-method x --auth-data-file x", "MQTT 5"),
        ("--psk 00", "pre-shared keys are for CoAP over DTLS only"),
    ] {
        iotctl(&format!("mqtt pub -t a -m x {words}"))
            .run()
            .exits(2)
            .says(said);
    }
    iotctl("amqp ping --psk-identity me")
        .run()
        .exits(2)
        .says("pre-shared keys are for CoAP");
    iotctl("amqp ping amqps://localhost")
        .env("IOTCTL_PSK", "x")
        .run()
        .exits(2)
        .says("a pre-shared key needs DTLS and cannot be used with amqps://")
        .says("TLS with pre-shared or raw public keys is not supported");
}
