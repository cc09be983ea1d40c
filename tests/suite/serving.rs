//! What all three servers promise: logins, files read again, clients of every kind, and a machine without room.

use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

use crate::support::broker::{Broker, started};
use crate::support::certificates::Certificates;
use crate::support::command::{Line, Running, finish, iotctl, program, signal};
use crate::support::{PATIENCE, wait_for};

/// CONNECT of MQTT 3.1.1 with the client identifier `n`, and what answers it.
const CONNECT: &[u8] = b"\x10\x0d\0\x04MQTT\x04\x02\0\0\0\x01n";

fn mqtt(words: &str) -> Broker {
    started(iotctl("mqtt broker --listen 127.0.0.1:0").words(words))
}

fn amqp(words: &str) -> Broker {
    started(iotctl("amqp broker --listen 127.0.0.1:0").words(words))
}

fn connected(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn read(stream: &mut impl Read, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// A file in `folder` with this text.
fn file(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

// Clients that leave Nagle's algorithm on.

/// Sends requests in two pieces each and takes the time until each answer; the median, so that a busy machine does
/// not matter.
fn in_two_pieces(
    stream: &mut (impl Read + Write),
    request: impl Fn(u16) -> (Vec<u8>, Vec<u8>),
    answer: impl Fn(&mut dyn Read),
) -> Duration {
    let mut times: Vec<_> = (1..=15)
        .map(|number| {
            let (first, second) = request(number);
            let start = Instant::now();
            stream.write_all(&first).unwrap();
            stream.flush().unwrap();
            stream.write_all(&second).unwrap();
            stream.flush().unwrap();
            answer(stream);
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

/// Linux delays an acknowledgement by 40 ms.
#[track_caller]
fn is_prompt(time: Duration) {
    assert!(time < Duration::from_millis(20), "{time:?}");
}

/// PUBLISH with QoS 1, its first bytes and the rest.
fn publish(number: u16) -> (Vec<u8>, Vec<u8>) {
    let mut rest = vec![b'a', 0, 0];
    rest[1..].copy_from_slice(&number.to_be_bytes());
    rest.resize(60, b'x');
    (vec![0x32, 62, 0, 1], rest)
}

fn puback(stream: &mut dyn Read) {
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer[..2], [0x40, 2]);
}

#[test]
fn mqtt_clients_that_write_in_pieces_wait_for_no_acknowledgement() {
    let broker = mqtt("");
    let mut stream = connected(broker.port);
    stream.write_all(CONNECT).unwrap();
    read(&mut stream, 4);
    is_prompt(in_two_pieces(&mut stream, publish, puback));
}

#[test]
fn so_do_those_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let files = Certificates::in_folder(folder.path());
    let line = iotctl("mqtt broker --listen mqtts://127.0.0.1:0 --cert")
        .word(&files.server)
        .word("--key")
        .word(&files.server_key);
    let broker = started(line);
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(&files.ca).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(client, connected(broker.port));
    stream.write_all(CONNECT).unwrap();
    read(&mut stream, 4);
    is_prompt(in_two_pieces(&mut stream, publish, puback));
}

#[test]
fn a_broker_that_lets_everybody_in_says_so() {
    for (server, is_open) in [
        ("mqtt broker --listen 0.0.0.0:0", true),
        ("amqp broker --listen [::]:0", true),
        ("mqtt broker --listen 127.0.0.1:0", false),
        ("amqp broker --listen 0.0.0.0:0 --user me:secret", false),
    ] {
        let ended = iotctl(server).words("-- true").run().exits(0);
        let says = ended.stderr.contains("can connect: no users are defined");
        assert_eq!(says, is_open, "{server}: {}", ended.stderr);
    }
}

#[test]
fn so_do_those_of_coap_over_tcp() {
    let mut server = iotctl("coap server --listen coap+tcp://127.0.0.1:0").start();
    let url = server.line();
    let mut stream = connected(url.rsplit(':').next().unwrap().parse().unwrap());
    // An empty CSM (RFC 8323 §5.3), and the server's.
    stream.write_all(b"\x00\xe1").unwrap();
    let head = read(&mut stream, 2);
    read(&mut stream, usize::from(head[0] >> 4));
    let get = |number: u16| (vec![0x61, 1, number as u8], b"\xb5clock".to_vec());
    let answer = |stream: &mut dyn Read| {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        let mut length = usize::from(byte[0] >> 4);
        if length == 13 {
            stream.read_exact(&mut byte).unwrap();
            length = 13 + usize::from(byte[0]);
        }
        stream.read_exact(&mut vec![0; length + 2]).unwrap();
    };
    is_prompt(in_two_pieces(&mut stream, get, answer));
}

/// A method frame, its header and the rest.
fn method(channel: u16, payload: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut head = vec![1];
    head.extend(channel.to_be_bytes());
    head.extend((payload.len() as u32).to_be_bytes());
    (head, [payload, b"\xce"].concat())
}

fn frame(stream: &mut dyn Read) {
    let mut head = [0; 7];
    stream.read_exact(&mut head).unwrap();
    let length = u32::from_be_bytes(head[3..].try_into().unwrap());
    stream
        .read_exact(&mut vec![0; length as usize + 1])
        .unwrap();
}

/// connection.start-ok with PLAIN, for a user and a password.
fn start_ok(user: &str, password: &str) -> Vec<u8> {
    let response = format!("\0{user}\0{password}");
    let length = (response.len() as u32).to_be_bytes();
    let mut payload = b"\0\x0a\0\x0b\0\0\0\0\x05PLAIN".to_vec();
    payload.extend(length);
    payload.extend(response.as_bytes());
    payload.extend(b"\x05en_US");
    payload
}

#[test]
fn so_do_those_of_amqp() {
    let broker = amqp("");
    let mut stream = connected(broker.port);
    stream.set_nodelay(true).unwrap();
    stream.write_all(b"AMQP\0\0\x09\x01").unwrap();
    frame(&mut stream);
    let steps: [(u16, &[u8], bool); 5] = [
        (0, &start_ok("ann", "pw"), true),
        (0, b"\0\x0a\0\x1f\0\0\0\x02\0\0\0\0", false),
        (0, b"\0\x0a\0\x28\x01/\0\0", true),
        (1, b"\0\x14\0\x0a\0", true),
        (1, b"\0\x32\0\x0a\0\0\x01q\0\0\0\0\0", true),
    ];
    for (channel, payload, answered) in steps {
        let (head, rest) = method(channel, payload);
        stream.write_all(&[head, rest].concat()).unwrap();
        if answered {
            frame(&mut stream);
        }
    }
    stream.set_nodelay(false).unwrap();
    let get = |_| method(1, b"\0\x3c\0\x46\0\0\x01q\0");
    is_prompt(in_two_pieces(&mut stream, get, frame));
}

// Standard error.

/// A pipe that takes nothing more.
fn full_pipe() -> (PipeReader, PipeWriter) {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let (reader, mut writer) = std::io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    let full = loop {
        if let Err(cause) = writer.write(&[b'x'; 4096]) {
            break cause;
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

#[test]
fn a_standard_error_that_nobody_reads_stops_no_server() {
    let table = [
        ("mqtt broker --listen", "mqtt pub -t a -m x -q 1"),
        ("amqp broker --listen", "amqp ping"),
        ("coap server -v --listen", "coap get"),
    ];
    for (server, client) in table {
        let (reader, writer) = full_pipe();
        let mut command = iotctl(server).word("127.0.0.1:0").into_command();
        let child = command.stdout(Stdio::piped()).stderr(writer).spawn();
        drop(command);
        let mut child = child.unwrap();
        let mut url = String::new();
        let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut stdout, &mut url).unwrap();
        let mut url = url.trim().to_owned();
        if client == "coap get" {
            url += "/counter";
        }
        for _ in 0..3 {
            iotctl(client).word(&url).run().exits(0);
        }
        signal(child.id(), "TERM");
        finish(child).exits(0);
        drop(reader);
    }
}

#[test]
fn names_in_the_log_are_cut() {
    let mut broker = mqtt("");
    let name = "n".repeat(60_000);
    let ended = broker.iotctl("pub -t a -m x -q 1 -i").word(&name).run();
    ended.exits(0);
    let line = broker.running.hears(" connected from ");
    assert!(line.contains("nnn… (60000 bytes) connected from"), "{line}");
    assert!(line.len() < 400, "{}", line.len());
}

// Password files.

#[test]
fn no_hash_in_a_password_file_is_taken_for_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let table = [
        (
            "$argon2i$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
            "a hash by argon2i",
        ),
        ("$2y$10$abcdefghijklmnopqrstuv", "a hash by bcrypt"),
        ("$9$leaked$leaked", "a hash of an unknown kind"),
        ("", "is empty"),
        ("$7$x$y$z", "a malformed hash"),
    ];
    for (password, what) in table {
        let path = file(&folder, "p", &format!("ann:secret\nbob:{password}\n"));
        for server in ["mqtt broker", "amqp broker"] {
            let line = iotctl(server).words("--listen 127.0.0.1:0 --password-file");
            let ended = line.word(&path).run().exits(2).says("p:2: ").says(what);
            assert!(!ended.stderr.contains("leaked"), "{}", ended.stderr);
        }
    }
    iotctl("amqp broker --listen 127.0.0.1:0 --user bob:")
        .run()
        .exits(2)
        .says("--user: the password of bob is empty");
}

#[test]
fn a_byte_order_mark_loses_no_first_line() {
    let folder = tempfile::tempdir().unwrap();
    let users = file(&folder, "users", "\u{feff}ann:secret\r\n");
    let rights = file(&folder, "rights", "\u{feff}user ann\r\ntopic write a\r\n");
    let line = iotctl("mqtt broker --listen 127.0.0.1:0 --password-file").word(&users);
    let broker = started(line.word("--acl-file").word(&rights));
    let publish = "pub -u ann -P secret -q 1 -V mqttv5 -m x -t";
    broker.iotctl(&format!("{publish} a")).run().exits(0);
    broker.iotctl(&format!("{publish} b")).run().exits(4);
    let line = iotctl("amqp broker --listen 127.0.0.1:0 --password-file").word(&users);
    let broker = started(line);
    ping(&broker, "ann:secret").exits(0);
    ping(&broker, "ann:wrong").exits(4);
}

fn ping(broker: &Broker, login: &str) -> crate::support::command::Ended {
    let url = format!("amqp://{login}@127.0.0.1:{}", broker.port);
    iotctl("amqp ping").word(url).run()
}

/// "password", as mosquitto 2.0 hashes it.
const HASH: &str = "$7$101$0PDn/ZeYsc+WUxJ4$m0mppmp/6v5KTvcYTIIw2Tm8J8LJnTdfwKw9ZepHW3b4MY5ltfv+1tnTGfk/4Q8UHHlO90tD9pxSUWmycqvnrA==";

#[test]
fn hashed_passwords_are_checked_by_both_brokers() {
    let folder = tempfile::tempdir().unwrap();
    let users = file(&folder, "users", &format!("ann:{HASH}\nbob:plain\n"));
    let line = iotctl("mqtt broker --listen 127.0.0.1:0 --password-file").word(&users);
    let mqtt = started(line);
    let line = iotctl("amqp broker --listen 127.0.0.1:0 --password-file").word(&users);
    let amqp = started(line);
    let table = [
        ("ann", "password", 0),
        ("bob", "plain", 0),
        ("ann", "wrong", 4),
        ("ann", HASH, 4),
        ("bob", "wrong", 4),
        ("eve", "password", 4),
    ];
    for (user, password, code) in table {
        let publish = format!("pub -t a -m x -q 1 -u {user} -P {password}");
        mqtt.iotctl(&publish).run().exits(code);
        // As in a URL.
        let password = password.replace('/', "%2F").replace('$', "%24");
        ping(&amqp, &format!("{user}:{password}")).exits(code);
    }
}

/// CONNECT of MQTT 3.1.1 with a user name and a password.
fn connect_as(user: &str, password: &str) -> Vec<u8> {
    let field = |text: &str| [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat();
    let mut body = b"\0\x04MQTT\x04\xc2\0\0\0\0".to_vec();
    body.extend(field(user));
    body.extend(field(password));
    [vec![0x10, body.len() as u8], body].concat()
}

#[test]
fn what_follows_connect_waits_for_the_login() {
    let folder = tempfile::tempdir().unwrap();
    let users = file(&folder, "users", &format!("ann:{HASH}\n"));
    let line = iotctl("mqtt broker --listen 127.0.0.1:0 --password-file").word(&users);
    let broker = started(line);
    let mut stream = connected(broker.port);
    let (first, rest) = publish(1);
    let all = [connect_as("ann", "password"), first, rest].concat();
    stream.write_all(&all).unwrap();
    assert_eq!(read(&mut stream, 8), b"\x20\x02\0\0\x40\x02\0\x01");
    // A refused one is not heard any more.
    let mut stream = connected(broker.port);
    let (first, rest) = publish(1);
    let all = [connect_as("ann", "x"), first, rest].concat();
    stream.write_all(&all).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"\x20\x02\0\x04");
}

#[test]
fn a_flood_of_logins_holds_up_nobody_who_is_connected() {
    let folder = tempfile::tempdir().unwrap();
    // Seconds of work each, for users and strangers.
    let slow = HASH.replace("$101$", "$9000000$");
    let users = file(&folder, "users", &format!("ann:{slow}\n"));
    let line = iotctl("mqtt broker --listen 127.0.0.1:0 --allow-anonymous --password-file");
    let broker = started(line.word(&users));
    let flood: Vec<_> = (0..40)
        .map(|number| {
            let mut stream = connected(broker.port);
            let user = if number % 2 == 0 { "ann" } else { "eve" };
            stream.write_all(&connect_as(user, "guess")).unwrap();
            stream
        })
        .collect();
    broker.iotctl("pub -t a -m x -q 1").run().exits(0);
    let waiting = flood.iter().filter(|stream| {
        stream.set_nonblocking(true).unwrap();
        let peeked = stream.peek(&mut [0]);
        peeked.is_err_and(|cause| cause.kind() == ErrorKind::WouldBlock)
    });
    assert!(waiting.count() > 20);
}

// SIGHUP.

fn hang_up(running: &mut Running, words: &str) {
    running.signal("HUP");
    running.hears(words);
}

#[test]
fn sighup_reads_users_and_rights_again() {
    let folder = tempfile::tempdir().unwrap();
    let users = file(&folder, "users", "ann:one\n");
    let rights = file(&folder, "rights", "user ann\ntopic write a\n");
    let line = iotctl("mqtt broker --listen 127.0.0.1:0 --password-file").word(&users);
    let mut broker = started(line.word("--acl-file").word(&rights));
    let publish = |broker: &Broker, password: &str, topic: &str| {
        let words = format!("pub -u ann -P {password} -V mqttv5 -q 1 -m x -t {topic}");
        broker.iotctl(&words).run().code
    };
    assert_eq!(publish(&broker, "one", "a"), 0);
    file(&folder, "users", "ann:two\n");
    file(&folder, "rights", "user ann\ntopic write b\n");
    hang_up(&mut broker.running, "files reloaded");
    let outcomes = [("one", "b"), ("two", "a"), ("two", "b")];
    let outcomes = outcomes.map(|(password, topic)| publish(&broker, password, topic));
    assert_eq!(outcomes, [4, 4, 0]);
    // A good list of users is not taken either while the rights are broken.
    file(&folder, "users", "ann:three\n");
    file(&folder, "rights", "user ann\ntopic a/#/b\n");
    hang_up(
        &mut broker.running,
        ":2: the topic filter is not valid; the previous settings stay in force",
    );
    assert_eq!(publish(&broker, "two", "b"), 0);
    broker.running.signal("TERM");
    broker.running.ends().exits(0);
}

/// A file that is a pipe now, which nobody writes to.
fn stuck(path: &Path) {
    std::fs::remove_file(path).unwrap();
    let made = program("mkfifo", "").word(path).run();
    made.exits(0);
}

#[test]
fn a_file_that_does_not_come_holds_up_neither_clients_nor_signals() {
    let folder = tempfile::tempdir().unwrap();
    let users = file(&folder, "users", "ann:one\n");
    let brokers = ["mqtt", "amqp"].map(|kind| {
        let line = iotctl(&format!(
            "{kind} broker --listen 127.0.0.1:0 --password-file"
        ));
        started(line.word(&users))
    });
    stuck(&users);
    for broker in &brokers {
        broker.running.signal("HUP");
    }
    let [mqtt, amqp] = brokers;
    mqtt.iotctl("pub -u ann -P one -m x -t a").run().exits(0);
    ping(&amqp, "ann:one").exits(0);
    for broker in [mqtt, amqp] {
        broker.running.signal("TERM");
        broker.running.ends().exits(0);
    }
}

#[test]
fn a_file_that_comes_late_is_read_once_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let users = file(&folder, "users", "ann:one\n");
    let line = iotctl("amqp broker --listen 127.0.0.1:0 --password-file").word(&users);
    let mut broker = started(line);
    stuck(&users);
    broker.running.signal("HUP");
    ping(&broker, "ann:one").exits(0);
    // Opening a pipe for writing waits for its reader.
    std::fs::write(&users, "ann:two\n").unwrap();
    broker.running.hears("files reloaded");
    ping(&broker, "ann:one").exits(4);
    ping(&broker, "ann:two").exits(0);
}

#[test]
fn a_server_that_cannot_start_yet_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let users = file(&folder, "users", "");
    stuck(&users);
    for kind in ["mqtt", "amqp"] {
        let line = iotctl(&format!(
            "{kind} broker --listen 127.0.0.1:0 --password-file"
        ));
        let running = line.word(&users).start();
        // It waits for this writer.
        let writer = std::fs::OpenOptions::new()
            .write(true)
            .open(&users)
            .unwrap();
        running.signal("TERM");
        assert_ne!(running.ends().code, 0);
        drop(writer);
    }
}

#[test]
fn a_server_whose_addresses_nobody_reads_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["mqtt", "amqp"] {
        let (reader, writer) = full_pipe();
        let socket = folder.path().join(kind);
        let line = iotctl(&format!("{kind} broker --listen"));
        let line = line.word(format!("unix:{}", socket.display()));
        let mut command = line.into_command();
        let command = command.stdout(writer).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        wait_for("the socket", || socket.exists().then_some(()));
        signal(child.id(), "TERM");
        assert_eq!(finish(child).code.abs() % 128, 15);
        drop(reader);
    }
}

#[test]
fn sighup_reads_users_of_amqp_again() {
    let folder = tempfile::tempdir().unwrap();
    let users = file(&folder, "users", "ann:one\n");
    let line = iotctl("amqp broker --listen 127.0.0.1:0 --password-file").word(&users);
    let mut broker = started(line);
    ping(&broker, "ann:one").exits(0);
    file(&folder, "users", "ann:two\n");
    hang_up(&mut broker.running, "files reloaded");
    ping(&broker, "ann:one").exits(4);
    std::fs::remove_file(&users).unwrap();
    hang_up(&mut broker.running, "the previous settings stay in force");
    ping(&broker, "ann:two").exits(0);
}

#[test]
fn sighup_reads_certificates_again() {
    let folder = tempfile::tempdir().unwrap();
    let others = tempfile::tempdir().unwrap();
    let first = Certificates::in_folder(folder.path());
    let second = Certificates::in_folder(others.path());
    let copy = |from: &Path, to: &Path| {
        std::fs::copy(from, to).unwrap();
    };
    let servers = [
        "mqtt broker --listen mqtts",
        "coap server --listen coaps+tcp",
        "coap server --listen coaps",
    ];
    for server in servers {
        let keys = tempfile::tempdir().unwrap();
        let (cert, key) = (keys.path().join("cert"), keys.path().join("key"));
        copy(&first.server, &cert);
        copy(&first.server_key, &key);
        let line = iotctl(&format!("{server}://127.0.0.1:0 --cert"));
        let mut running = line.word(&cert).word("--key").word(&key).start();
        let url = running.line();
        let ask = |ca: &Path| {
            let words = match url.starts_with("mqtts") {
                true => format!("mqtt pub {url} -t a -m x -q 1"),
                false => format!("coap get {url}/counter"),
            };
            iotctl(&words).word("--cafile").word(ca).run().code
        };
        assert_eq!([ask(&first.ca), ask(&second.ca)], [0, 3]);
        // The key of another certificate.
        copy(&second.server_key, &key);
        hang_up(&mut running, "the previous settings stay in force");
        assert_eq!(ask(&first.ca), 0);
        copy(&second.server, &cert);
        hang_up(&mut running, "files reloaded");
        assert_eq!([ask(&first.ca), ask(&second.ca)], [3, 0]);
    }
}

#[test]
fn sighup_reads_the_key_of_dtls_again() {
    let folder = tempfile::tempdir().unwrap();
    let secret = file(&folder, "key", "first");
    let mut server =
        iotctl("coap server --listen coaps://127.0.0.1:0 --psk-identity me --psk-file")
            .word(&secret)
            .start();
    let uri = server.line();
    let ask = |key: &str| {
        let words = format!("coap get --psk-identity me --psk {key} {uri}/counter");
        iotctl(&words).words("--connect-timeout 3").run().code
    };
    assert_eq!(ask("first"), 0);
    file(&folder, "key", "second");
    hang_up(&mut server, "files reloaded");
    assert_eq!(ask("second"), 0);
    assert_ne!(ask("first"), 0);
    std::fs::remove_file(&secret).unwrap();
    hang_up(&mut server, "the previous settings stay in force");
    assert_eq!(ask("second"), 0);
}

// Addresses.

#[test]
fn addresses_have_their_interface() {
    let mut broker = iotctl("mqtt broker --listen [::1%lo]:0 --listen [::1%1]:0").start();
    let urls = broker.lines(2);
    for url in urls {
        let port = url.rsplit(':').next().unwrap();
        let words = format!("mqtt pub -h ::1 -p {port} -A ::1%lo -t a -m x -q 1");
        iotctl(&words).run().exits(0);
    }
    let mut server = iotctl("coap server --listen [::1%lo]:0").start();
    let port = server.line().rsplit(':').next().unwrap().to_owned();
    let words = format!("coap get coap://[::1]:{port}/counter -A ::1%lo");
    iotctl(&words).run().exits(0);
    for server in ["mqtt broker", "amqp broker", "coap server"] {
        iotctl(server)
            .words("--listen [fe80::1%no-such]:0")
            .run()
            .exits(2)
            .says("unknown network interface no-such");
    }
    iotctl("mqtt pub -h ::1 -A fe80::1%no-such -t a -m x")
        .run()
        .exits(2)
        .says("unknown network interface no-such");
}

// Descriptors.

/// A command line in a shell that may have so many files open.
fn with_descriptors(count: usize, words: &str) -> Line {
    let program_path = env!("CARGO_BIN_EXE_iotctl");
    program("sh", "-c").word(format!("ulimit -n {count} && exec {program_path} {words}"))
}

#[test]
fn too_few_descriptors_are_an_error_and_no_panic() {
    let commands = [
        "mqtt pub mqtt://127.0.0.1:1 -t a -m x",
        "mqtt sub mqtts://127.0.0.1:1 -t a --retry never",
        "coap get coap://127.0.0.1:1/a --timeout 100ms",
        "coap get coaps://127.0.0.1:1/a --timeout 100ms",
        "coap ping coap+tcp://127.0.0.1:1",
        "amqp publish amqp://127.0.0.1:1 -k a -m x",
        "amqp consume amqp://127.0.0.1:1 q",
        "bench mqtt mqtt://127.0.0.1:1 --count 1",
        "bench coap coap+tcp://127.0.0.1:1/a --count 1",
        "bench amqp amqp://127.0.0.1:1 --count 1",
        "bench mqtt --embedded --count 1",
        // Addresses that cannot be listened on.
        "mqtt broker --listen unix:/",
        "amqp broker --listen unix:/",
        "coap server --listen 192.0.2.1:0",
    ];
    for words in commands {
        for count in [5, 6, 7, 8, 9, 10, 12, 15] {
            let ended = with_descriptors(count, words).run();
            let said = &ended.stderr;
            let panicked = said.contains("panicked") || ended.code >= 100 || ended.code < 0;
            assert!(!panicked, "{count}: {words}: {} {said}", ended.code);
            if count == 6 {
                let start = "iotctl: cannot start: too many open files\nhint: ";
                assert!(said.starts_with(start), "{words}: {said}");
                assert_eq!(ended.code, 8, "{words}");
            }
        }
    }
}

#[test]
fn a_server_without_descriptors_says_so_and_goes_on_later() {
    let mut running = with_descriptors(24, "mqtt broker --listen 127.0.0.1:0").start();
    let port = running.line().rsplit(':').next().unwrap().parse().unwrap();
    let clients: Vec<_> = (0..30).map(|_| connected(port)).collect();
    running.hears("cannot accept on 127.0.0.1:");
    drop(clients);
    let mut broker = Broker { running, port };
    broker.iotctl("pub -t a -m x -q 1").run().exits(0);
    broker.running.hears(" connected from ");
}
