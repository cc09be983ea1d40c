//! A server that many use, some of whom mean no good: what each can take of it, and that nobody is locked out.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;

use iotctl::coap::code::Code;
use iotctl::coap::frame::{self, Csm, Decoder};
use iotctl::coap::message::{Message, Token, Type};
use iotctl::coap::option;
use tempfile::TempDir;

use crate::support::coap::{Server, server};
use crate::support::command::{Line, iotctl, program};
use crate::support::{PATIENCE, wait_for};

const KEY: &str = "--psk-identity me --psk secret";

/// A server on all addresses of both families.
fn everywhere(words: &str, schemes: &[&str]) -> Server {
    let mut line = iotctl("coap server -r /temp=text:21.5").words(words);
    for scheme in schemes {
        for any in ["0.0.0.0", "[::]"] {
            line = line.word("--listen").word(format!("{scheme}://{any}:0"));
        }
    }
    let mut running = line.start();
    let uris = running.lines(2 * schemes.len());
    Server { running, uris }
}

fn port_of(uri: &str) -> &str {
    uri.rsplit_once(':').unwrap().1
}

#[test]
fn an_answer_leaves_from_the_address_that_was_asked() {
    let server = everywhere(KEY, &["coap", "coaps", "coap+tcp"]);
    for uri in &server.uris {
        let (scheme, port) = (uri.split_once(':').unwrap().0, port_of(uri));
        let hosts: &[&str] = match uri.contains("[::]") {
            true => &["127.0.0.1", "127.0.0.2", "[::1]"],
            false => &["127.0.0.1", "127.0.0.2"],
        };
        for host in hosts {
            let place = format!("{scheme}://{host}:{port}/temp");
            let key = if scheme == "coaps" { KEY } else { "" };
            // It hears nobody but whom it asked.
            let ended = iotctl("coap get -W 5").words(key).word(&place).run();
            ended.exits(0).prints("21.5");
            if scheme == "coaps" {
                for variant in ["openssl", "gnutls"] {
                    let client = program(&format!("coap-client-{variant}"), "-u me -k secret");
                    client.word(&place).run().exits(0).prints("21.5\n");
                }
            }
        }
    }
}

#[test]
fn one_socket_that_asks_two_addresses_gets_each_answer_from_there() {
    let server = everywhere("-r /late=delay:0.1:late", &["coap"]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let hosts = ["127.0.0.2", "127.0.0.3"];
    for host in hosts {
        // The same message id and token: these are two endpoints.
        let to = format!("{host}:{}", port_of(&server.uris[0]));
        socket.send_to(b"\x41\x01\0\x01t\xb4late", to).unwrap();
    }
    let mut late = Vec::new();
    let mut buffer = [0; 100];
    while late.len() < 2 {
        let (length, from) = socket.recv_from(&mut buffer).unwrap();
        if buffer[..length].ends_with(b"late") {
            late.push(from.ip().to_string());
            let ack = [0x60, 0, buffer[2], buffer[3]];
            socket.send_to(&ack, from).unwrap();
        }
    }
    late.sort_unstable();
    assert_eq!(late, hosts);
}

/// A port that nobody has just now.
fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

#[test]
fn a_dtls_client_comes_back_from_the_same_port() {
    let words = format!("-r /counter=counter:0.05 -r /temp=text:21.5 {KEY}");
    let server = server(&words, &["coaps"]);
    let port = free_port();
    for _ in 0..3 {
        let line = iotctl(&format!("coap observe {KEY} --bind-port {port}"));
        let mut observer = line.word(format!("{}/counter", server.uris[0])).start();
        observer.line();
        // It ends without a word to the server.
        observer.signal("KILL");
        drop(observer.ends());
    }
    for variant in ["openssl", "gnutls"] {
        let words = format!("-u me -k secret -p {port}");
        let client = program(&format!("coap-client-{variant}"), &words);
        let line = client.word(format!("{}/temp", server.uris[0]));
        line.run().exits(0).prints("21.5\n");
    }
}

/// Carries datagrams between one client and `server`, and puts garbage before and behind each.
fn spoiling(server: &str, garbage: &'static [u8]) -> u16 {
    let outer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = outer.local_addr().unwrap().port();
    let inner = UdpSocket::bind("127.0.0.1:0").unwrap();
    inner.connect(server).unwrap();
    for socket in [&outer, &inner] {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    let (back, out) = (inner.try_clone().unwrap(), outer.try_clone().unwrap());
    let (sender, client) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        let mut known = None;
        while let Ok((length, from)) = outer.recv_from(&mut buffer) {
            if known.replace(from).is_none() {
                let _ = sender.send(from);
            }
            for datagram in [garbage, &buffer[..length], garbage] {
                let _ = inner.send(datagram);
            }
        }
    });
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        let Ok(client) = client.recv() else {
            return;
        };
        while let Ok(length) = back.recv(&mut buffer) {
            for datagram in [garbage, &buffer[..length], garbage] {
                let _ = out.send_to(datagram, client);
            }
        }
    });
    port
}

#[test]
fn garbage_ends_no_handshake_of_either_side() {
    let server = server(&format!("-r /temp=text:21.5 {KEY}"), &["coaps"]);
    let address = server.uris[0].strip_prefix("coaps://").unwrap();
    let all: [&[u8]; 5] = [
        b"\x00",
        b"no DTLS at all, but text",
        b"\x16\xfe\xfd\0\0\0\0\0\0\xff\x01\0\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x17\xfe\xfd\0\0\0\0\0\0\xff\x02\0\x04data",
        b"\x16\xfe\xfd\0\x01\0\0\0\0\xff\x03\0\x20garbage of the next epoch, 32 by.",
    ];
    for garbage in all {
        let port = spoiling(address, garbage);
        let line = iotctl(&format!(
            "coap get -W 8 {KEY} coaps://127.0.0.1:{port}/temp"
        ));
        line.run().exits(0).prints("21.5");
    }
}

/// A client of TCP that says what it likes.
struct Plain {
    stream: TcpStream,
    decoder: Decoder,
}

impl Plain {
    fn connect(uri: &str) -> Self {
        let stream = TcpStream::connect(uri.split_once("://").unwrap().1).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut plain = Self {
            stream,
            decoder: Decoder::new(usize::MAX),
        };
        let csm = Csm {
            max_message_size: 8 << 20,
            block_wise: true,
        };
        plain.say(&csm.message());
        plain
    }

    fn say(&mut self, message: &Message) {
        let bytes = frame::encode_stream(message).unwrap();
        self.stream.write_all(&bytes).unwrap();
    }

    /// The next message; `None` at the end of the connection.
    fn hear(&mut self) -> Option<Message> {
        let mut buffer = vec![0; 65_536];
        loop {
            if let Some(message) = self.decoder.take().unwrap() {
                return Some(message);
            }
            match self.stream.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.decoder.push(&buffer[..length]),
            }
        }
    }
}

fn asking(method: Code, path: &str, token: u8) -> Message {
    let token = Token::new(&[token]).unwrap();
    let mut message = Message::new(Type::Con, method, 0, token);
    message.options.push_text(option::URI_PATH, path);
    message
}

/// The memory of a process, in bytes.
fn resident(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|it| it.starts_with("VmRSS:")).unwrap();
    let kilobytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes << 10
}

#[test]
fn an_observer_that_does_not_read_costs_little_and_gets_the_newest_state() {
    let server = server("-r /led=text:off", &["coap+tcp"]);
    let mut observer = Plain::connect(&server.uris[0]);
    let mut get = asking(Code::GET, "led", 1);
    get.options.push_uint(option::OBSERVE, 0);
    observer.say(&get);
    while observer.hear().unwrap().code != Code::CONTENT {}
    let before = resident(server.running.id());
    let mut changing = Plain::connect(&server.uris[0]);
    let body = |number: u32| format!("{number:060000}").into_bytes();
    for number in 1..=300 {
        let mut put = asking(Code::PUT, "led", 2);
        put.payload = body(number).into();
        changing.say(&put);
        while changing.hear().unwrap().code != Code::CHANGED {}
    }
    let grown = resident(server.running.id()).saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes");
    let mut heard = 0;
    while observer.hear().unwrap().payload != body(300) {
        heard += 1;
    }
    assert!(heard < 299, "some were left out");
}

#[test]
fn answers_that_nobody_reads_do_not_fill_the_memory() {
    let server = server("-r /large=large:1MiB", &["coap+tcp"]);
    let mut greedy = Plain::connect(&server.uris[0]);
    let before = resident(server.running.id());
    let get = frame::encode_stream(&asking(Code::GET, "large", 1)).unwrap();
    greedy.stream.write_all(&get.repeat(2000)).unwrap();
    // Others are served meanwhile, also after all of these have come.
    for _ in 0..20 {
        let mut other = Plain::connect(&server.uris[0]);
        other.say(&asking(Code::GET, ".well-known", 1));
        while !other.hear().unwrap().code.is_response() {}
    }
    let grown = resident(server.running.id()).saturating_sub(before);
    assert!(grown < 32 << 20, "{grown} bytes");
    for _ in 0..2000 {
        while greedy.hear().unwrap().payload.len() != 1 << 20 {}
    }
}

#[test]
fn lengths_and_options_that_no_message_has_end_the_connection() {
    let server = server("-r /temp=text:21.5", &["coap+tcp", "coap+ws"]);
    let mut millions = Message::new(Type::Con, Code::GET, 0, Token::EMPTY);
    millions.options.push_text(option::URI_PATH, "temp");
    let mut bytes = frame::encode_stream(&millions).unwrap().to_vec();
    // Four million empty options behind the path.
    bytes.splice(..1, [0xF0]);
    let length = 5 + (4 << 20) - 65_805_u32;
    bytes.splice(1..1, length.to_be_bytes());
    bytes.resize(bytes.len() + (4 << 20), 0);
    for what in [&[0xF0, 0xFF, 0xFF, 0xFF, 0xFF, 1][..], &bytes] {
        let mut client = Plain::connect(&server.uris[0]);
        // The connection may end before all of it is written.
        let _ = client.stream.write_all(what);
        let mut codes = Vec::new();
        while let Some(message) = client.hear() {
            codes.push(message.code);
        }
        assert!(!codes.iter().any(|it| it.is_response()), "{codes:?}");
    }
    let grown = resident(server.running.id());
    assert!(grown < 100 << 20, "{grown} bytes");
    iotctl("coap get")
        .word(format!("{}/temp", server.uris[0]))
        .run()
        .exits(0);
}

/// A folder with all that is no file, and what is asked of it.
fn odd_folder(folder: &Path) -> (UnixListener, Vec<&'static str>) {
    let shown = folder.join("shown");
    fs::create_dir(&shown).unwrap();
    let made = Command::new("mkfifo").arg(shown.join("pipe")).status();
    assert!(made.unwrap().success());
    let socket = UnixListener::bind(shown.join("socket")).unwrap();
    symlink("/dev/zero", shown.join("zero")).unwrap();
    symlink("../new", shown.join("dangling")).unwrap();
    symlink(folder.join("new"), shown.join("absolute")).unwrap();
    symlink("..", shown.join("up")).unwrap();
    symlink("circle", shown.join("circle")).unwrap();
    fs::write(folder.join("secret"), "secret").unwrap();
    let paths = vec![
        "/pipe",
        "/socket",
        "/zero",
        "/dangling",
        "/absolute",
        "/up/secret",
        "/circle",
    ];
    (socket, paths)
}

#[test]
fn a_directory_is_not_left_and_nothing_but_files_is_touched() {
    let folder = TempDir::new().unwrap();
    let (_socket, paths) = odd_folder(folder.path());
    let shown = folder.path().join("shown");
    let server = server(&format!("-d {} --writable", shown.display()), &["coap"]);
    let ask = |words: &str, path: &str| -> Line {
        iotctl(&format!("coap {words} -W 5 {}{path}", server.uris[0]))
    };
    for path in paths {
        for words in ["get", "put -m x", "delete"] {
            ask(words, path).run().exits(1).prints("");
        }
    }
    assert!(!folder.path().join("new").exists());
    assert_eq!(fs::read(folder.path().join("secret")).unwrap(), b"secret");
    // A link that stays inside is shown, and not written through.
    ask("put -m one", "/a.txt").run().exits(0);
    symlink("a.txt", shown.join("inside")).unwrap();
    ask("get", "/inside").run().exits(0).prints("one");
    ask("put -m two", "/inside").run().exits(1).says("4.05");
    fs::create_dir(shown.join("sub")).unwrap();
    ask("put -m three", "/sub/b.txt").run().exits(0);
    ask("get", "/sub/b.txt").run().exits(0).prints("three");
    ask("get", "/sub/").run().exits(0).contains("</sub/b.txt>");
    ask("delete", "/sub/b.txt").run().exits(0);
    let left: Vec<_> = fs::read_dir(shown.join("sub")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn of_two_addresses_the_better_failure_is_told() {
    // On ::1 nobody listens; on 127.0.0.1 somebody refuses.
    let server = server(KEY, &["coaps"]);
    let port = port_of(&server.uris[0]);
    let wrong = "--psk-identity me --psk wrong";
    let line = iotctl(&format!("coap get {wrong} coaps://localhost:{port}/"));
    line.run().exits(3).says("the handshake");
    let nobody = free_port();
    let line = iotctl(&format!("coap get -W 5 coap://localhost:{nobody}/"));
    line.run().exits(3).says("port unreachable (ICMP)");
}

#[test]
fn a_connection_that_says_nothing_is_closed() {
    let server = server("", &["coap+tcp"]);
    let address = server.uris[0].split_once("://").unwrap().1;
    let mut silent = TcpStream::connect(address).unwrap();
    silent.set_read_timeout(Some(PATIENCE)).unwrap();
    let said = wait_for("the end of the connection", || {
        let mut said = Vec::new();
        silent.read_to_end(&mut said).is_ok().then_some(said)
    });
    let text = String::from_utf8_lossy(&said);
    assert!(text.contains("has not sent its CSM in time"), "{text}");
}
