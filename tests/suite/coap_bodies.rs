//! Bodies that are decoded, written in CBOR's notation, compared, and handed to commands.

use std::fs;
use std::time::{Duration, Instant};

use iotctl::coap::code::Code;
use iotctl::coap::message::{Message, Type};
use iotctl::coap::option;
use tempfile::TempDir;

use crate::support::coap::{Scripted, answer, content, scripted};
use crate::support::command::{Running, iotctl};
use crate::support::ports::free_ports;
use crate::support::wait_for;

struct Server {
    _running: Running,
    uri: String,
}

fn server(words: &str) -> Server {
    let mut running = iotctl("coap server --listen 127.0.0.1:0")
        .words(words)
        .start();
    let uri = running.line();
    Server {
        _running: running,
        uri,
    }
}

#[test]
fn a_body_is_shown_as_its_format_has_it() {
    let bodies: [(u16, &[u8], &str); 5] = [
        (50, b"{\"a\":1.50}", "{\n  \"a\": 1.50\n}"),
        (60, b"\xa1\x01\x41\x02", "{\n  1: h'02'\n}"),
        (
            110,
            b"[{\"bn\":\"n/\",\"n\":\"t\",\"v\":2,\"u\":\"Cel\"}]",
            "n/t 2 Cel",
        ),
        (40, b"</a>;rt=x,</b>", "</a>;rt=\"x\"\n</b>"),
        (0, b"21.5", "21.5"),
    ];
    for (format, body, shown) in bodies {
        let peer = scripted(move |request, _| vec![content(request, format, body)]);
        let get = |words: &str| iotctl("coap get").words(words).word(peer.uri("/x"));
        let decoded = get("--decode").run().exits(0);
        decoded.prints(&format!("{shown}\n")).quietly();
        let plain = get("").run().exits(0);
        assert_eq!(plain.stdout, body);
        let record = get("--decode --output json").run().exits(0);
        assert!(record.stdout.starts_with(b"{"));
    }
    let peer = scripted(|request, _| vec![content(request, 42, "\u{1}")]);
    let get = |words: &str| iotctl("coap get").words(words).word(peer.uri("/x"));
    get("--decode")
        .run()
        .exits(0)
        .prints("\u{1}\n")
        .says("cannot be decoded");
    get("--decode=cbor").run().exits(0).prints("1\n").quietly();
    get("--decode=json")
        .run()
        .exits(0)
        .says("not valid application/json");
}

#[test]
fn cbor_is_written_as_people_read_it() {
    let server = server("-r /store=store");
    let uri = format!("{}/store/a", server.uri);
    let put = iotctl("coap put").word(&uri).word("--cbor");
    put.word("{\"on\": true, 1: [h'00ff', -2.5]}")
        .run()
        .exits(0);
    let got = iotctl("coap get --decode").word(&uri).run().exits(0);
    got.prints("{\n  \"on\": true,\n  1: [\n    h'00ff',\n    -2.5\n  ]\n}\n");
    let expected = iotctl("coap get").word(&uri).word("--expect");
    expected.word("/on == true").run().exits(0);
    let put = iotctl("coap put").word(&uri).word("--cbor");
    put.word("[1,")
        .run()
        .exits(2)
        .says("--cbor: at character 4");
}

#[test]
fn an_answer_can_be_expected() {
    let server = server("-r /temp=text:21.5");
    let get = |condition: &str| {
        let get = iotctl("coap get --expect").word(condition);
        get.word(format!("{}/temp", server.uri)).run()
    };
    get("payload == 21.50").exits(0).prints("21.5").quietly();
    let missed = get("payload > 22").exits(7).prints("21.5");
    missed.says("/temp: condition not met: payload > 22");
    get("payload").exits(2).says("has none of ==");
}

#[test]
fn an_observation_ends_with_what_was_waited_for() {
    let server = server("-r /count=counter:0.05");
    let observe = |words: &str, condition: &str| {
        let line = iotctl("coap observe").word(format!("{}/count", server.uri));
        line.words(words).word(condition).run()
    };
    let ended = observe("--until", "payload >= 3").exits(0);
    let last: u64 = ended.text().lines().last().unwrap().parse().unwrap();
    assert!(last >= 3);
    let never = observe("-C 2 --until", "payload < 0").exits(7);
    never.says("none met the condition payload < 0");
}

#[test]
fn an_observation_ends_with_what_was_not_expected() {
    let server = server("-r /count=counter:0.05");
    let line = iotctl("coap observe --expect").word("payload < 4");
    let ended = line.word(format!("{}/count", server.uri)).run().exits(7);
    let last: u64 = ended.text().lines().last().unwrap().parse().unwrap();
    assert!(last >= 4);
    ended.says("/count: condition not met");
}

#[test]
fn a_command_gets_each_notification() {
    let folder = TempDir::new().unwrap();
    let server = server("-r /count=counter:0.05");
    let told = folder.path().join("told");
    let script = format!(
        "cat >> {0}; echo \" $IOTCTL_TOPIC $IOTCTL_CODE\" >> {0}",
        told.display()
    );
    let observe = |script: &str| {
        let line = iotctl("coap observe -C 3").word(format!("{}/count", server.uri));
        line.words("--exec sh -c").word(script).run()
    };
    observe(&script).exits(0).prints("").quietly();
    let told = fs::read_to_string(&told).unwrap();
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(
        lines.iter().all(|line| line.ends_with(" /count 2.05")),
        "{told}"
    );
    observe("exit 3")
        .exits(1)
        .says("the command failed for 3 of 3 messages");
    let line = iotctl("coap observe -C 1").word(format!("{}/count", server.uri));
    line.words("--exec /no/such/program")
        .run()
        .exits(8)
        .says("cannot run /no/such/program");
}

#[test]
fn a_part_of_a_resource_is_observed_by_fetch() {
    let peer = scripted(|request, number| {
        let answer = |sequence: u64| -> Message {
            let mut answer = content(request, 50, format!("{sequence}"));
            answer.options.push_uint(option::OBSERVE, sequence);
            answer
        };
        match number {
            0 => vec![answer(1)],
            _ => vec![content(request, 50, "over")],
        }
    });
    let line = iotctl("coap observe -C 1 -t json -m").word("[\"temp\"]");
    line.word(peer.uri("/x")).run().exits(0).prints("1\n");
    let (begun, ended) = (peer.request(), peer.request());
    assert_eq!(
        (begun.code, begun.options.observe()),
        (Code::FETCH, Some(0))
    );
    assert_eq!(
        (begun.payload, begun.options.content_format()),
        ("[\"temp\"]".into(), Some(50))
    );
    assert_eq!(
        (ended.code, ended.options.observe()),
        (Code::FETCH, Some(1))
    );
    assert_eq!(ended.payload, "[\"temp\"]");
    iotctl("coap observe -t json coap://127.0.0.1:1/")
        .run()
        .exits(2)
        .says("needs a body");
}

/// The block of 64 bytes that a request asks for, of a body of 10 with this letter and ETag.
fn block(request: &Message, letter: u8) -> Message {
    let body: Vec<u8> = (0..640).map(|at| letter + (at / 64) as u8).collect();
    let num = request.options.block2().map_or(0, |it| it.num as usize);
    let size = request.options.block2().map_or(64, |it| it.szx.size());
    // Asked for larger blocks, it answers with its own.
    let start = num * size;
    if start >= body.len() {
        return answer(request, Code::BAD_OPTION, "no such block");
    }
    let mut part = content(request, 42, &body[start..start + 64]);
    part.options.push(option::ETAG, vec![letter]);
    let more = start + 64 < body.len();
    let number = (start / 64) as u64;
    part.options
        .push_uint(option::BLOCK2, number << 4 | u64::from(more) << 3 | 2);
    part
}

/// A server that breaks off after so many blocks, once.
fn breaking(after: usize, letters: [u8; 2]) -> Scripted {
    scripted(move |request, number| match number {
        _ if number < after => vec![block(request, letters[0])],
        _ if number == after => vec![Message::empty(Type::Rst, request.mid)],
        _ => vec![block(request, letters[1])],
    })
}

#[test]
fn an_interrupted_download_goes_on_where_it_stopped() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("body");
    let get = |peer: &Scripted| {
        let line = iotctl("coap get --resume --block 64 -o").word(&file);
        line.word(peer.uri("/x")).run()
    };
    let whole = |letter: u8| -> Vec<u8> { (0..640).map(|at| letter + (at / 64) as u8).collect() };
    let peer = breaking(4, [b'a', b'a']);
    let broken = get(&peer).exits(6).prints("");
    broken.says("hint: rerun the command to resume at byte 256");
    assert!(!file.exists());
    (0..5).for_each(|_| drop(peer.request()));
    get(&peer).exits(0).prints("").quietly();
    assert_eq!(fs::read(&file).unwrap(), whole(b'a'));
    assert_eq!(peer.request().options.block2().unwrap().num, 4);
    assert_eq!(
        (peer.others(), fs::read_dir(folder.path()).unwrap().count()),
        (5, 1)
    );
    // Another body in the meantime: nothing of the first is kept.
    let peer = breaking(4, [b'a', b'k']);
    get(&peer).exits(6);
    get(&peer).exits(0);
    assert_eq!(fs::read(&file).unwrap(), whole(b'k'));
}

#[test]
fn a_download_is_gone_on_with_only_from_the_same_uri() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("body");
    let peer = breaking(4, [b'a', b'a']);
    let get = |path: &str| {
        let line = iotctl("coap get --resume --block 64 -o").word(&file);
        line.word(peer.uri(path)).run()
    };
    get("/x").exits(6);
    (0..5).for_each(|_| drop(peer.request()));
    get("/y").exits(0).quietly();
    let first = peer.request().options.block2();
    assert_eq!(first.map_or(0, |it| it.num), 0);
}

#[test]
fn a_download_that_cannot_go_on_begins_anew() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("body");
    let peer = scripted(|request, _| match request.options.block2() {
        Some(block) if block.num == 4 => vec![answer(request, Code::BAD_OPTION, "")],
        _ => vec![content(request, 42, "short")],
    });
    fs::write(folder.path().join("body.part"), [b'a'; 256]).unwrap();
    let beside = format!("61\n{}\n", peer.uri("/x"));
    fs::write(folder.path().join("body.part.etag"), beside).unwrap();
    let line = iotctl("coap get --resume --block 64 -o").word(&file);
    let ended = line.word(peer.uri("/x")).run().exits(0);
    ended.says("starting over");
    assert_eq!(fs::read(&file).unwrap(), b"short");
}

#[test]
fn a_body_goes_into_a_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("body");
    let server = server("-r /big=large:100KiB -r /small=text:21.5");
    let get = |path: &str| {
        let line = iotctl("coap get").word(format!("{}{path}", server.uri));
        line.word("-o").word(&file)
    };
    get("/small").run().exits(0).prints("").quietly();
    assert_eq!(fs::read(&file).unwrap(), b"21.5");
    get("/big")
        .word("--resume")
        .run()
        .exits(0)
        .prints("")
        .quietly();
    assert_eq!(fs::read(&file).unwrap().len(), 100 * 1024);
    get("/missing").run().exits(1);
    assert_eq!(fs::read(&file).unwrap().len(), 100 * 1024);
    get("/small").words("--output json").run().exits(2);
    get("/small")
        .word("coap://127.0.0.1:1/")
        .run()
        .exits(2)
        .says("one URI");
    iotctl("coap put -m x --resume -o f coap://127.0.0.1:1/")
        .run()
        .exits(2)
        .says("--resume is for get only");
    let line = iotctl("coap get -o /dev/full").word(format!("{}/small", server.uri));
    line.run().exits(8).says("cannot write /dev/full");
}

#[test]
fn bodies_larger_than_any_message_go_over_streams() {
    let body: Vec<u8> = (0..10 << 20).map(|at| (at * 7 + at / 251) as u8).collect();
    for scheme in ["coap+tcp", "coap+ws"] {
        let listen = format!("coap server -r /store=store --listen {scheme}://127.0.0.1:0");
        let mut running = iotctl(&listen).start();
        let uri = format!("{}/store/a", running.line());
        let put = iotctl("coap put --trace -s -t octets").word(&uri);
        let sent = put.input(body.clone()).run().exits(0);
        // Blocks of 1024 bytes, several in one message (RFC 8323 §6).
        sent.says("Block1 0+/1024").says("Block1 256+/1024");
        let got = iotctl("coap get").word(&uri).run().exits(0);
        assert!(got.stdout == body, "{scheme}");
    }
}

#[test]
fn an_interrupted_command_says_where_it_goes_on() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("body");
    // Silence after the second block, in which the signal comes.
    let peer = scripted(|request, number| match number {
        0 | 1 => vec![block(request, b'a')],
        _ => Vec::new(),
    });
    let line = iotctl("coap get --resume --block 64 -o").word(&file);
    let running = line.word(peer.uri("/x")).start();
    let part = folder.path().join("body.part");
    wait_for("two blocks in the file", || {
        let length = fs::metadata(&part).map_or(0, |it| it.len());
        (length == 128).then_some(())
    });
    running.signal("INT");
    running.ends().exits(130).says("resume at byte 128");
}

#[test]
fn requests_are_repeated_with_bodies_of_their_own() {
    let server = scripted(|request, number| match number {
        1 => vec![answer(request, Code::SERVICE_UNAVAILABLE, "")],
        _ => vec![content(request, 0, &request.payload)],
    });
    let line = iotctl("coap post --repeat 3 --repeat-delay 0.01 --ack-timeout 1m --template");
    let ended = line.word("{seq} {random:7-7}").word(server.uri("/x")).run();
    let ended = ended.exits(1).prints("0 7\n2 7\n");
    ended
        .says("5.03")
        .says("of 3 requests sent, 2 succeeded, 1 refused");
    let bodies = [(); 3].map(|()| server.request().payload);
    assert_eq!(bodies, ["0 7", "1 7", "2 7"]);
    for (words, said) in [
        ("get coap://h/ --repeat 0", "--repeat must be at least 1"),
        ("get coap://h/ --repeat-delay 1s", "needs --repeat"),
        ("get coap://h/ --repeat 2 -o f", "one response"),
        ("put coap://h/ --template x --hex", "--hex"),
    ] {
        iotctl("coap").words(words).run().exits(2).says(said);
    }
}

#[test]
fn bodies_come_from_lines_and_records_and_at_a_rate() {
    let server = server("-r /store=store");
    let get = |path: &str| {
        iotctl("coap get")
            .word(format!("{}{path}", server.uri))
            .run()
    };
    let put = |words: &str, path: &str| {
        let line = iotctl("coap put").words(words);
        line.word(format!("{}{path}", server.uri))
    };
    let began = Instant::now();
    put("-l --rate 20", "/store/line")
        .input("a\nb\nc\n")
        .run()
        .exits(0)
        .prints("");
    assert!(began.elapsed() >= Duration::from_millis(100));
    get("/store/line").prints("c");
    // As `--output json` writes them: each goes to its path.
    let records = "{\"topic\":\"/store/k1\",\"payload\":\"v1\"}\n{\"topic\":\"/store/k2\",\"payload_base64\":\"djI=\"}\n";
    put("--ndjson", "").input(records).run().exits(0);
    get("/store/k1").prints("v1");
    get("/store/k2").prints("v2");
    let read = iotctl("coap get --output json").word(format!("{}/store/k1", server.uri));
    let record = read.run().text().replace("/store/k1", "/store/k3");
    put("--ndjson", "").input(record).run().exits(0);
    get("/store/k3").prints("v1");
    // What was right before a mistake is sent.
    put("--ndjson", "")
        .input("{\"topic\":\"/store/k4\",\"payload\":\"v4\"}\nbroken\n")
        .run()
        .exits(8)
        .says(":2: ")
        .says("of 1 request sent, 1 succeeded");
    get("/store/k4").prints("v4");
    iotctl("coap observe coap://127.0.0.1:1/ --ndjson")
        .run()
        .exits(2)
        .says("an observation has one body");
}

#[test]
fn a_record_goes_out_in_its_format_and_an_error_response_not_at_all() {
    let answering = scripted(|request, number| match number {
        0 => vec![content(request, 50, "{}")],
        1 => vec![answer(request, Code::NOT_FOUND, "no such thing")],
        2 => vec![content(request, 60, "\u{f5}")],
        _ => vec![answer(request, Code::CHANGED, "")],
    });
    let uri = |path: &str| answering.uri(path);
    let asked = iotctl("coap get --repeat 3 --repeat-delay 0 --output json").word(uri("/x"));
    let records = asked.run().exits(1).stdout;
    for _ in 0..3 {
        answering.request();
    }
    let put = iotctl("coap put --ndjson -t text").word(uri("/"));
    let ended = put.input(records.clone()).run().exits(0);
    ended.says_only("iotctl: skipped 1 record of an error response\n");
    for format in [50, 60] {
        let sent = answering.request();
        assert_eq!(sent.options.content_format(), Some(format));
        assert_eq!(sent.options.texts(option::URI_PATH), ["x"]);
    }
    assert_eq!(answering.others(), 0);
    // What is no message to CoAP is none to MQTT either.
    let broker = crate::support::broker::broker("");
    let line = broker.iotctl("pub --ndjson -q 1").input(records);
    line.run()
        .exits(0)
        .says("skipped 1 record of an error response");
}

#[test]
fn requests_that_fail_are_counted_by_why_and_told_once() {
    let dead = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let uri = format!("coap://{}/x", dead.local_addr().unwrap());
    let line = iotctl("coap get --repeat 3 --repeat-delay 0 -W 0.05").word(&uri);
    let ended = line.run().exits(5).prints("");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    ended.says("of 3 requests sent, 0 succeeded, 3 timed out");
    let server = scripted(|request, number| match number {
        0 => vec![content(request, 0, "20")],
        1 => vec![content(request, 0, "21")],
        2 => vec![answer(request, Code::NOT_FOUND, "")],
        _ => vec![],
    });
    let words = "--repeat 4 --repeat-delay 0 -W 1 --ack-timeout 1m --expect";
    let line = iotctl("coap get").words(words).word("payload == 20");
    let ended = line.word(server.uri("/x")).run().exits(7);
    ended.says("of 4 requests sent, 1 succeeded, 1 refused, 1 timed out, 1 missed the expectation");
}

#[test]
fn a_target_without_a_scheme_is_a_path() {
    let server = scripted(|request, _| vec![content(request, 0, "x")]);
    let at = || iotctl("coap get").words(&format!("-h 127.0.0.1 -p {}", server.port));
    at().word("/a?b=coap://h/x").run().exits(0).prints("x");
    let request = server.request();
    assert_eq!(request.options.texts(option::URI_PATH), ["a"]);
    assert_eq!(request.options.texts(option::URI_QUERY), ["b=coap://h/x"]);
    let host = format!("127.0.0.1:{}/a", server.port);
    for (word, hint) in [
        (&*host, "use coap://127.0.0.1:"),
        ("time", "use coap://time, or /time for a path"),
        ("//127.0.0.1/a", "use coap://127.0.0.1/a, or"),
        ("[::1]/a", "use coap://[::1]/a"),
        ("me:hunter2@h/a", "use coap://h/a"),
        ("?a", "use coap://HOST/PATH"),
        ("", "use coap://HOST/PATH"),
    ] {
        let ended = at().word(word).run().exits(2).says("no scheme").says(hint);
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    }
    for command in ["put -m x", "observe", "discover", "ping", "rd lookup ep"] {
        let ended = iotctl("coap").words(command).word(&host).run();
        ended.exits(2).says("no scheme");
    }
    assert_eq!(server.others(), 0);
}

#[test]
fn the_time_for_a_response_bounds_the_connection_too() {
    // It accepts, and says nothing: the handshake goes on.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let line = iotctl("coap get -W 0.3 --insecure").word(format!("coaps+tcp://{address}/x"));
    line.run().exits(5).says(&format!(
        "no connection to coaps+tcp://{address} within 300ms"
    ));
}

#[test]
fn an_observation_may_ask_whether_the_server_is_still_there() {
    let server = server("-r /temp=text:21.5");
    let line = iotctl("coap observe --keep-alive 0.02 --trace");
    let mut running = line.word(format!("{}/temp", server.uri)).start();
    running.hears(" RST 0.00 ");
    running.hears(" RST 0.00 ");
    running.signal("INT");
    assert_eq!(running.ends().code, -2);
    // It registers, and then says nothing more.
    let silent = scripted(|request, number| match number {
        0 => {
            let mut first = content(request, 0, "first");
            first.options.push_uint(option::OBSERVE, 1);
            vec![first]
        }
        _ => Vec::new(),
    });
    let words = "coap observe --keep-alive 0.02 --ack-timeout 3 --max-retransmit 0";
    let ended = iotctl(words).word(silent.uri("/x")).run().exits(5);
    ended
        .prints("first\n")
        .says("no response to 1 transmissions");
}

#[test]
fn a_server_that_comes_back_is_observed_again() {
    for (scheme, words) in [("coap+tcp", ""), ("coap", "--keep-alive 0.1")] {
        let [port] = free_ports();
        let serve = |value: &str| {
            let line = iotctl("coap server --listen").word(format!("{scheme}://127.0.0.1:{port}"));
            let mut running = line.word("-r").word(format!("/x=text:{value}")).start();
            running.line();
            running
        };
        let first = serve("first");
        let line = iotctl("coap observe --retry forever").words(words);
        let line = line.word(format!("{scheme}://127.0.0.1:{port}/x"));
        let mut observer = line.words("--output hex").start();
        assert_eq!(observer.line(), "6669727374");
        drop(first);
        observer.hears("observing again, notifications may be missed");
        let _second = serve("second");
        assert_eq!(observer.line(), "7365636f6e64");
        observer.signal("INT");
        assert_eq!(observer.ends().code, -2);
    }
    let [port] = free_ports();
    let line = iotctl("coap observe --retry 0.3").word(format!("coap://127.0.0.1:{port}/x"));
    line.run()
        .exits(3)
        .says("observing again")
        .says("port unreachable");
    let line = iotctl("coap observe --retry forever --for 0.3");
    let ended = line.word(format!("coap://127.0.0.1:{port}/x")).run();
    ended.exits(5).says("timed out: no response from");
}
