//! `coap observe` as a flow: conditions, commands, deadlines under a flood, and servers that go away and come back.

use std::fs;
use std::io::Write;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use iotctl::coap::code::Code;
use iotctl::coap::message::{Message, Type};
use iotctl::coap::option;
use tempfile::TempDir;

use crate::support::coap::{Server, answer, content, scripted, server};
use crate::support::coap_peer::frame;
use crate::support::command::{Line, Running, iotctl, signal};
use crate::support::peer::Peer;
use crate::support::ports::free_ports;
use crate::support::wait_for;

fn observe(server: &Server, path: &str) -> Line {
    iotctl("coap observe").word(format!("{}{path}", server.uris[0]))
}

fn notification(request: &Message, sequence: u64, payload: &str) -> Message {
    let mut first = content(request, 0, payload);
    first.options.push_uint(option::OBSERVE, sequence);
    first
}

/// A server that answers a registration and then sends notifications of 1 KB without a pause, until it is asked again.
fn flood() -> Flood {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    // Nothing may ask it for anything any more.
    let patience = Some(Duration::from_millis(100));
    socket.set_read_timeout(patience).unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        let mut observer = None;
        for sequence in 1.. {
            if is_over.load(Ordering::Relaxed) {
                return;
            }
            socket.set_nonblocking(observer.is_some()).unwrap();
            if let Ok((length, from)) = socket.recv_from(&mut buffer)
                && let Ok(request) = Message::decode(&buffer[..length])
                && request.code.is_request()
            {
                let answer = notification(&request, 2 * sequence, "first");
                let _ = socket.send_to(&answer.encode().unwrap(), from);
                observer = (request.options.observe() == Some(0)).then_some((request, from));
            }
            if let Some((request, from)) = &observer {
                let payload = "x".repeat(1000);
                let mut next = notification(request, 2 * sequence + 1, &payload);
                (next.kind, next.mid) = (Type::Non, sequence as u16);
                let _ = socket.send_to(&next.encode().unwrap(), from);
            }
        }
    });
    let uri = format!("coap://127.0.0.1:{port}/flood");
    Flood { uri, over }
}

/// It ends with the test, as it takes a whole core.
struct Flood {
    uri: String,
    over: Arc<AtomicBool>,
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn lines(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn conditions_choose_and_a_template_shows() {
    let server = server("-r /count=counter:0.02", &["coap"]);
    let ended = observe(&server, "/count")
        .words("-C 2 -F")
        .word("%t=%p")
        .words("--filter")
        .word("payload >= 3")
        .words("--filter")
        .word("topic == /count")
        .run()
        .exits(0);
    let values = ended
        .text()
        .lines()
        .map(|line| line.strip_prefix("/count=").unwrap());
    let values: Vec<u64> = values.map(|value| value.parse().unwrap()).collect();
    assert!(
        values.len() == 2 && values.iter().all(|value| *value >= 3),
        "{values:?}"
    );
    observe(&server, "/count")
        .words("-C 1 --output csv")
        .run()
        .exits(0)
        .contains("time,topic,payload,encoding,code\n")
        .contains(",/count,");
}

#[test]
fn commands_run_side_by_side() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("began");
    let server = server("-r /count=counter:0.02", &["coap"]);
    // Each ends only when there are three.
    let script = "echo >> \"$OUT\"; while [ $(wc -l < \"$OUT\") -lt 3 ]; do sleep 0.02; done";
    observe(&server, "/count")
        .words("-C 3 -W 20 --workers 3 --exec sh -c")
        .word(script)
        .env("OUT", &file)
        .run()
        .exits(0);
    assert_eq!(lines(&file).len(), 3);
}

#[test]
fn a_signal_lets_the_command_finish() {
    let folder = TempDir::new().unwrap();
    let (file, gate) = (folder.path().join("out"), folder.path().join("gate"));
    let server = server("-r /x=text:1", &["coap"]);
    let script = "echo began >> \"$OUT\"; while [ ! -e \"$GATE\" ]; do sleep 0.02; done; echo ended >> \"$OUT\"";
    let observer = observe(&server, "/x")
        .words("--exec sh -c")
        .word(script)
        .env("OUT", &file)
        .env("GATE", &gate)
        .start();
    wait_for("the command", || (!lines(&file).is_empty()).then_some(()));
    observer.signal("TERM");
    fs::write(&gate, "").unwrap();
    observer
        .ends()
        .exits(143)
        .says("interrupted after 1 message");
    assert_eq!(lines(&file), ["began", "ended"]);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("out");
    let server = server("-r /x=text:1", &["coap"]);
    let observer = observe(&server, "/x")
        .words("--exec sh -c")
        .word("echo $$ >> \"$OUT\"; exec sleep 60 > /dev/null 2>&1")
        .env("OUT", &file)
        .start();
    wait_for("the command", || (!lines(&file).is_empty()).then_some(()));
    observer.signal("TERM");
    observer.signal("INT");
    // Without the words that it has after it waited for the command.
    let ended = observer.ends().quietly();
    assert!([-2, -15].contains(&ended.code), "{ended:?}");
    signal(lines(&file)[0].parse().unwrap(), "KILL");
}

#[test]
fn deadlines_hold_while_a_server_floods() {
    let flood = flood();
    let running = |words: &str| iotctl("coap observe").words(words).word(&flood.uri);
    let began = Instant::now();
    running("-W 0.5").run().exits(5).says("timed out after ");
    running("--for 0.5").run().exits(0);
    // A command that is slower than the server.
    let line = running("-W 0.5").words("--exec sleep 60");
    line.run().exits(5).says("timed out after 1 message");
    assert!(began.elapsed() < Duration::from_secs(50));
}

/// It keeps what fits, and says that there was more.
#[test]
fn what_comes_faster_than_commands_run_is_left_out_and_counted() {
    let folder = TempDir::new().unwrap();
    let gate = folder.path().join("gate");
    let flood = flood();
    let mut observer = iotctl("coap observe -C 2 --no-deregister")
        .word(&flood.uri)
        .words("--exec sh -c")
        .word("while [ ! -e \"$GATE\" ]; do sleep 0.02; done")
        .env("GATE", &gate)
        .start();
    observer.hears("notifications arrive faster than they are processed");
    fs::write(&gate, "").unwrap();
    observer
        .ends()
        .exits(8)
        .says(" dropped: they arrived faster than they were processed");
}

#[test]
fn deadlines_and_signals_hold_while_nobody_reads() {
    let flood = flood();
    for deadline in [true, false] {
        let words = if deadline { "-W 1" } else { "" };
        let line = iotctl("coap observe").words(words).word(&flood.uri);
        let mut command = line.into_command();
        let (stdout, writer) = std::io::pipe().unwrap();
        let command = command.stdout(writer).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let began = Instant::now();
        if !deadline {
            std::thread::sleep(Duration::from_millis(300));
            signal(child.id(), "TERM");
        }
        let status = child.wait().unwrap();
        assert!(began.elapsed() < Duration::from_secs(50));
        let expected = if deadline { Some(5) } else { None };
        assert_eq!(status.code(), expected);
        drop(stdout);
    }
}

/// A server that closes after each notification is not asked again and again as if all were well.
#[test]
fn an_outage_lasts_until_a_connection_has_held() {
    let server = Peer::start(|stream, number| {
        stream.write_all(&[0, 0xe1]).unwrap();
        let asked = std::iter::from_fn(|| frame(stream)).find(|it| it.0 == 1);
        let token = asked.expect("a registration").1;
        let mut answer = vec![0x50 | token.len() as u8, 0x45];
        answer.extend_from_slice(&token);
        answer.extend_from_slice(&[0x61, 1, 0xff, b'v', b'0' + (number % 10) as u8]);
        stream.write_all(&answer).unwrap();
    });
    let uri = format!("coap+tcp://127.0.0.1:{}/x", server.port);
    iotctl("coap observe --retry 0.5")
        .word(uri)
        .run()
        .exits(6)
        .contains("v0\nv1\n")
        .says("observing again, notifications may be missed");
}

#[test]
fn an_overloaded_server_is_left_alone_for_as_long_as_it_says() {
    let (sender, asked) = std::sync::mpsc::channel();
    let peer = scripted(move |request, number| {
        sender.send(Instant::now()).unwrap();
        match number {
            0 => {
                let mut busy = answer(request, Code::SERVICE_UNAVAILABLE, "");
                busy.options.push_uint(option::MAX_AGE, 1);
                vec![busy]
            }
            _ => vec![notification(request, 1, "back")],
        }
    });
    let line =
        |retry: &str| iotctl(&format!("coap observe -C 1 --retry {retry}")).word(peer.uri("/x"));
    line("forever")
        .run()
        .exits(0)
        .prints("back\n")
        .says("5.03 Service Unavailable");
    let (first, second) = (asked.recv().unwrap(), asked.recv().unwrap());
    assert!(second - first >= Duration::from_millis(1000));
    // Not for those who would not wait so long.
    let busy = scripted(|request, _| {
        let mut busy = answer(request, Code::SERVICE_UNAVAILABLE, "");
        busy.options.push_uint(option::MAX_AGE, 60);
        vec![busy]
    });
    iotctl("coap observe --retry 5s")
        .word(busy.uri("/x"))
        .run()
        .exits(1)
        .says("try again after 60 s");
}

#[test]
fn a_resource_that_was_deleted_is_observed_again_when_it_is_back() {
    let server = server("-r /store=store", &["coap"]);
    let uri = format!("{}/store/a", server.uris[0]);
    let put = |value: &str| {
        let line = iotctl("coap put -m").word(value).word(&uri);
        line.run().exits(0);
    };
    put("first");
    let mut observer = iotctl("coap observe --retry forever").word(&uri).start();
    assert_eq!(observer.line(), "first");
    iotctl("coap delete").word(&uri).run().exits(0);
    observer.hears("observing again");
    put("second");
    assert_eq!(observer.line(), "second");
    // One that was never there is a mistake.
    let missing = format!("{}/store/b", server.uris[0]);
    let line = iotctl("coap observe --retry forever").word(missing);
    line.run().exits(1).says("4.04 Not Found");
}

const KEY: &str = "--psk-identity me --psk secret";

/// A DTLS server on this port, with a resource of this value.
fn secured(port: u16, value: &str) -> Running {
    let line = iotctl(&format!(
        "coap server --listen coaps://127.0.0.1:{port} {KEY} -r"
    ));
    let mut running = line.word(format!("/x=text:{value}")).start();
    running.line();
    running
}

/// One that was killed says nothing, and its successor knows no keys of before.
#[test]
fn a_dtls_server_that_was_started_anew_is_found_again() {
    let [port] = free_ports();
    let uri = format!("coaps://127.0.0.1:{port}/x");
    let quick = "--ack-timeout 0.05 --max-retransmit 2";
    let first = secured(port, "first");
    let observer = format!("coap observe --retry forever --keep-alive 0.1 {quick} {KEY}");
    let mut observer = iotctl(&observer).word(&uri).start();
    let asker = format!("coap get --repeat 1000 --repeat-delay 0.02 {quick} {KEY}");
    let mut asker = iotctl(&asker).word(&uri).start();
    assert_eq!(
        (observer.line(), asker.line()),
        ("first".into(), "first".into())
    );
    first.signal("KILL");
    drop(first);
    observer.hears("observing again");
    let _second = secured(port, "second");
    assert_eq!(observer.line(), "second");
    wait_for("an answer", || (asker.line() == "second").then_some(()));
    asker.signal("TERM");
    observer.signal("TERM");
    asker.ends().exits(143);
    observer.ends().exits(143);
}
