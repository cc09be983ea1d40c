//! Peers that misbehave: each ends within its deadline, with the right exit code, and with a line that says what happened.

use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::support::PATIENCE;
use crate::support::coap_peer::{ack, frame, message, option_of, parts, peer};
use crate::support::command::{Line, iotctl};
use crate::support::peer::Peer;
use crate::support::ports::free_ports;

/// Makes an answer to a request.
type Answer = fn(&[u8]) -> Vec<u8>;

fn get(uri: &str) -> Line {
    iotctl("coap get -W 1.5").word(uri)
}

#[test]
fn silence_ends_at_the_deadline() {
    let uri = peer(|_, _| Vec::new());
    let began = Instant::now();
    get(&uri).run().exits(5).says("no response within 1.5 s");
    get(&uri).words("-N").run().exits(5).says("no response");
    assert!(began.elapsed() < Duration::from_secs(60));
    let line = get(&uri).words("--ack-timeout 0.1 --max-retransmit 1");
    line.run().exits(5).says("no response to 2 transmissions");
}

#[test]
fn an_acknowledgement_without_response_is_told_from_silence() {
    let uri = peer(|request, _| {
        let (_, mid) = parts(request);
        vec![vec![0x60, 0, mid[0], mid[1]]]
    });
    get(&uri)
        .run()
        .exits(5)
        .says("acknowledged, but no response arrived");
}

#[test]
fn a_closed_port_is_known_at_once() {
    let [free] = free_ports();
    let uri = format!("coap://127.0.0.1:{free}/");
    let began = Instant::now();
    iotctl("coap get")
        .word(&uri)
        .run()
        .exits(3)
        .says("port unreachable (ICMP)");
    iotctl("coap ping -C 1").word(&uri).run().exits(3);
    iotctl("coap observe").word(&uri).run().exits(3);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_reset_is_a_rejection_and_to_a_ping_the_answer() {
    let uri = peer(|request, _| {
        let (_, mid) = parts(request);
        vec![vec![0x70, 0, mid[0], mid[1]]]
    });
    get(&uri)
        .run()
        .exits(6)
        .says("rejected the message (reset)");
    iotctl("coap ping -C 1").word(&uri).run().exits(0);
}

#[test]
fn refusals_say_why() {
    let uri = peer(|request, _| vec![ack(0x84, request, b"\xffno such thing")]);
    get(&uri)
        .run()
        .exits(1)
        .prints("")
        .says("4.04 Not Found: no such thing");
    let uri = peer(|request, _| vec![ack(0x81, request, b"")]);
    get(&uri).run().exits(4).says("4.01 Unauthorized");
    let uri = peer(|request, _| vec![ack(0xa0, request, b"\xff\x1b[31mred")]);
    get(&uri)
        .run()
        .exits(1)
        .says("5.00 Internal Server Error: \\x1b[31mred");
}

#[test]
fn a_body_goes_into_a_pipe_as_it_came() {
    let uri = peer(|request, _| vec![ack(0x45, request, b"\xff\x1b[31m\x07\xfe\0")]);
    assert_eq!(get(&uri).run().exits(0).stdout, b"\x1b[31m\x07\xfe\0");
}

#[test]
fn what_is_no_message_is_ignored() {
    let broken: [Answer; 5] = [
        // A token length of 15.
        |request| [&[0x6f], &ack(0x45, request, b"\xffx")[1..]].concat(),
        // An option that runs over the end.
        |request| ack(0x45, request, &[0xce, 1]),
        // A payload marker without payload.
        |request| ack(0x45, request, &[0xff]),
        // Version 2.
        |request| [&[0xa8], &ack(0x45, request, b"\xffx")[1..]].concat(),
        // Another token.
        |request| {
            let mut answer = ack(0x45, request, b"\xffx");
            answer[4] ^= 1;
            answer
        },
    ];
    for answer in broken {
        let uri = peer(move |request, _| vec![answer(request)]);
        let ended = get(&uri).run();
        assert!([5, 6].contains(&ended.code), "{ended:?}");
        ended.prints("");
    }
}

#[test]
fn an_unknown_critical_option_is_refused() {
    // Option 65001, which is odd: delta 65001 - 269 in two bytes.
    let option = [0xe1, 0xfc, 0xdc, 7];
    let uri = peer(move |request, _| vec![ack(0x45, request, &[&option[..], b"\xffx"].concat())]);
    get(&uri)
        .run()
        .exits(6)
        .prints("")
        .says("option 65001 is critical");
}

#[test]
fn what_is_lost_is_sent_again() {
    let uri = peer(|request, number| match number {
        0 | 1 => Vec::new(),
        _ => vec![ack(0x45, request, b"\xffx")],
    });
    let line = iotctl("coap get -W 20 --ack-timeout 0.1 --output json").word(&uri);
    let ended = line.run().exits(0);
    assert!(
        ended.text().contains("\"retransmitted\":2"),
        "{}",
        ended.text()
    );
}

#[test]
fn a_separate_response_is_acknowledged() {
    let uri = peer(|request, number| match number {
        0 => {
            let (_, mid) = parts(request);
            let mut response = message(0, 0x45, request, b"\xfflate");
            response[2] ^= 0x55;
            vec![vec![0x60, 0, mid[0], mid[1]], response]
        }
        _ => {
            assert_eq!(request[..2], [0x60, 0], "an empty acknowledgement");
            Vec::new()
        }
    });
    get(&uri).run().exits(0).prints("late");
}

#[test]
fn old_notifications_are_left_out() {
    let uri = peer(|request, number| {
        let notification = |sequence: u8, text: &[u8]| {
            let mut message = message(1, 0x45, request, &[&[0x61, sequence, 0xff], text].concat());
            message[3] = message[3].wrapping_add(sequence);
            message
        };
        match number {
            0 => {
                let first = ack(0x45, request, b"\x61\x03\xff3");
                let later = [(5, b"5"), (4, b"4"), (6, b"6")];
                let later = later.map(|(sequence, text)| notification(sequence, text));
                [vec![first], later.into()].concat()
            }
            _ => vec![ack(0x45, request, b"\xffover")],
        }
    });
    let line = iotctl("coap observe -C 3 -W 5").word(&uri);
    line.run().exits(0).prints("3\n5\n6\n");
}

#[test]
fn names_and_connections_fail_with_their_own_code() {
    iotctl("coap get coap://nowhere.invalid/")
        .run()
        .exits(3)
        .says("nowhere.invalid");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let line = iotctl("coap get").word(format!("coap+tcp://{address}/"));
    line.run().exits(3).says("connection refused");
}

#[test]
fn a_server_that_never_says_what_it_can_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("coap+tcp://{}/", silent.local_addr().unwrap());
    for command in ["get", "ping -C 1"] {
        let line = iotctl(&format!("coap {command} --connect-timeout 200ms")).word(&uri);
        let ended = line.run();
        assert!(matches!(ended.code, 1 | 5), "{}", ended.stderr);
        ended.says("the peer has not sent its CSM in time");
    }
}

/// Whenever it is, and however many pings were to come.
#[test]
fn a_peer_that_hangs_up_is_the_end_of_pinging() {
    let after = |pongs: usize| {
        Peer::start(move |stream, _| {
            use std::io::{Read, Write};
            let mut byte = [0; 1];
            let mut left = pongs;
            // Our CSM and pings; a Ping is the code 7.02.
            while stream.read_exact(&mut byte).is_ok() {
                if byte[0] != 0xe2 {
                    continue;
                }
                let mut token = [0; 8];
                let Some(rest) = left.checked_sub(1) else {
                    return;
                };
                left = rest;
                let length = stream.read(&mut token).unwrap();
                stream.write_all(&[length as u8, 0xe3]).unwrap();
                stream.write_all(&token[..length]).unwrap();
            }
        })
    };
    for (pongs, count) in [(0, 1), (0, 3), (1, 3)] {
        let peer = after(pongs);
        let uri = format!("coap+tcp://127.0.0.1:{}", peer.port);
        let line = iotctl("coap ping --interval 1ms -W 60 -C").word(count.to_string());
        line.word(&uri)
            .run()
            .exits(6)
            .says(&format!("connection to {uri} lost: "));
    }
}

#[test]
fn wrong_words_send_nothing() {
    for (words, says) in [
        ("get http://h/", "scheme"),
        ("get coap://h/#f", "fragment"),
        (
            "get coap://h/ -O nonsense=1",
            "neither the name of an option",
        ),
        ("get coap://h/ -O block2=1", "--block"),
        ("put coap://h/", "nothing to send"),
        ("put coap://h/ -m x -t nonsense/x", "invalid content format"),
        ("get coap://h/ --block 100", "not one of 16"),
        ("get -h h coap://h/", "cannot be used with --host or --port"),
        ("get coap://h/ --psk x", "not encrypted"),
        ("get coap+tcp://h/ --psk x", "DTLS"),
        ("observe coap://h/ -C 0", "-C must be at least 1"),
        ("server --listen coaps+tcp://127.0.0.1:0", "--cert"),
        (
            "server --fault explode",
            "the faults are drop, delay, duplicate",
        ),
        (
            "server --fault reset:way=in",
            "fault reset: unknown key way",
        ),
        ("server --fault drop:share=5%", "hint: use percent=5"),
        (
            "server --listen coap+tcp://127.0.0.1:0 --multicast",
            "--multicast needs --listen coap://",
        ),
        ("server -r temp=text:1", "slash"),
    ] {
        iotctl(&format!("coap {words}"))
            .run()
            .exits(2)
            .prints("")
            .says(says);
    }
}

#[test]
fn a_request_says_what_its_user_wants() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let port = peer.local_addr().unwrap().port();
    let [ours] = free_ports();
    let asked = std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        let mut seen = Vec::new();
        for _ in 0..3 {
            let (length, from) = peer.recv_from(&mut buffer).unwrap();
            let request = &buffer[..length];
            peer.send_to(&ack(0x45, request, b"\xffok"), from).unwrap();
            seen.push((request.to_vec(), from.port()));
        }
        seen
    });
    for words in [
        "--token 0x0102ff",
        "--token= --no-uri-host",
        &format!("--bind-port {ours} --token abc"),
    ] {
        let line = iotctl("coap get --timeout 60 --ack-timeout 90").words(words);
        let line = line.word(format!("coap://localhost:{port}/x"));
        line.words("-A 127.0.0.1").run().exits(0).prints("ok");
    }
    let seen = asked.join().unwrap();
    assert_eq!(parts(&seen[0].0).0, [1, 2, 0xff]);
    assert_eq!(option_of(&seen[0].0, 3).unwrap(), b"localhost");
    assert_eq!(parts(&seen[1].0).0, b"");
    assert_eq!(option_of(&seen[1].0, 3), None);
    assert_eq!((parts(&seen[2].0).0, seen[2].1), (&b"abc"[..], ours));
    for (words, said) in [
        (
            "get coap://h/ --token 123456789",
            "8 bytes, the limit of a token",
        ),
        ("get coap+tcp://h/ --bind-port 5000", "UDP and DTLS"),
        (
            "observe coap://h/ --no-uri-host --proxy coap://p",
            "--proxy",
        ),
    ] {
        iotctl("coap").words(words).run().exits(2).says(said);
    }
}

#[test]
fn a_server_that_wants_to_be_left_alone_is() {
    // CSM; the first notification; Release with a Hold-Off of one second.
    let server = Peer::start(|stream, number| {
        let came = Instant::now();
        stream.write_all(&[0, 0xe1]).unwrap();
        let asked = std::iter::from_fn(|| frame(stream)).find(|it| it.0 == 1);
        let token = asked.expect("a registration").1;
        let mut answer = vec![0x50 | token.len() as u8, 0x45];
        answer.extend_from_slice(&token);
        answer.extend_from_slice(&[0x61, 1, 0xff, b'v', b'0' + number as u8]);
        stream.write_all(&answer).unwrap();
        if number == 0 {
            stream
                .write_all(b"\x60\xe4\x41\x01\xff\x6e\x6f\x77")
                .unwrap();
        }
        while frame(stream).is_some() {}
        (came, Instant::now())
    });
    let uri = format!("coap+tcp://127.0.0.1:{}/x", server.port);
    let ended = iotctl("coap observe --retry 1m -C 2").word(uri).run();
    ended
        .exits(0)
        .prints("v0\nv1\n")
        .says("the peer released the connection for at least 1 s: now; observing again");
    let (first, second) = (server.result(), server.result());
    assert!(second.0 - first.1 > Duration::from_millis(900));
}

#[test]
fn a_file_that_cannot_be_written_ends_the_command_and_stays_as_it_was() {
    let uri = peer(|request, _| vec![ack(0x45, request, b"\xffbody")]);
    let full = get(&uri).words("-o /dev/full").run().exits(8);
    full.says("cannot write /dev/full: no space left on device");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    std::fs::write(&path, "a longer body than the new one").unwrap();
    get(&uri).word("-o").word(&path).run().exits(0);
    assert_eq!(std::fs::read(&path).unwrap(), b"body");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_pipe_with_nobody_at_its_other_end_does_not_keep_signals_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let (answered, asked) = channel();
    let uri = peer(move |request, _| {
        answered.send(()).unwrap();
        vec![ack(0x45, request, b"\xffbody")]
    });
    let writing = get(&uri).word("-o").word(&pipe).start();
    asked.recv_timeout(PATIENCE).unwrap();
    writing.signal("TERM");
    assert_eq!(writing.ends().code, -15);
    let line = iotctl("coap put").word(&uri).word("-f").word(&pipe);
    let reading = line.start();
    reading.signal("TERM");
    // It does not watch for signals yet: SIGTERM itself ends it.
    assert_eq!(reading.ends().code, -15);
}

#[test]
fn standard_output_under_its_name_is_written_to() {
    let uri = peer(|request, _| vec![ack(0x45, request, b"\xffbody")]);
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("/dev/stdout", &link).unwrap();
    for path in [Path::new("/dev/stdout"), &link] {
        get(&uri)
            .word("-o")
            .word(path)
            .run()
            .exits(0)
            .prints("body");
    }
}

#[test]
fn an_empty_identity_is_refused_before_anything_is_sent() {
    iotctl("coap get coaps://127.0.0.1:1/ --psk secret")
        .run()
        .exits(2)
        .says("the pre-shared key has no identity")
        .says("--psk-identity");
}
