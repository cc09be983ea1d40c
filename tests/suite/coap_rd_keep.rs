//! `coap rd register --keep` and `--simple`, at aiocoap's directory and at scripted ones.

use std::net::UdpSocket;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use iotctl::coap::code::Code;
use iotctl::coap::message::{Message, Token, Type};
use iotctl::coap::option;
use serde_json::Value;

use crate::support::PATIENCE;
use crate::support::aiocoap::{self, directory};
use crate::support::coap::{Scripted, answer, scripted};
use crate::support::command::{Ended, Line, iotctl};

/// Registers at the interface of a scripted directory.
fn keep(directory: &Scripted, words: &str) -> Line {
    let line = iotctl("coap rd register --ep n1 -m </temp> --keep --lifetime 1").words(words);
    line.word(directory.uri("/rd"))
}

/// A directory that makes the registration `/reg/1`, and answers the Nth update as its script says, from 0.
fn forgetful(
    mut update: impl FnMut(&Message, usize) -> Option<Code> + Send + 'static,
    mut register: impl FnMut(usize) -> Code + Send + 'static,
) -> Scripted {
    let (mut updates, mut registrations) = (0, 0);
    scripted(move |request, _| {
        let path = request.options.texts(option::URI_PATH).join("/");
        match (request.code, path.as_str()) {
            (Code::POST, "rd") => {
                let mut made = answer(request, register(registrations), "");
                registrations += 1;
                made.options.push_text(option::LOCATION_PATH, "reg");
                made.options.push_text(option::LOCATION_PATH, "1");
                vec![made]
            }
            (Code::POST, "reg/1") => {
                let code = update(request, updates);
                updates += 1;
                let mut answered: Vec<_> =
                    code.map(|it| answer(request, it, "")).into_iter().collect();
                for it in answered
                    .iter_mut()
                    .filter(|it| it.code == Code::SERVICE_UNAVAILABLE)
                {
                    it.options.push_uint(option::MAX_AGE, 1);
                }
                answered
            }
            (Code::DELETE, "reg/1") => vec![answer(request, Code::DELETED, "")],
            _ => vec![answer(request, Code::NOT_FOUND, "")],
        }
    })
}

/// What became of a registration, one word a line.
fn events(ended: &Ended) -> Vec<String> {
    let word = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    ended.text().lines().map(word).collect()
}

#[test]
fn a_registration_is_kept_and_removed() {
    let directory = forgetful(|_, _| Some(Code::CHANGED), |_| Code::CREATED);
    let ended = keep(&directory, "-C 2 --output json")
        .run()
        .exits(0)
        .quietly();
    let lines: Vec<Value> = ended
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let words: Vec<&str> = lines.iter().filter_map(|it| it["event"].as_str()).collect();
    assert_eq!(words, ["registered", "updated", "updated", "removed"]);
    for line in &lines {
        assert_eq!(line["uri"], directory.uri("/reg/1"));
        assert!(
            line["rtt_ms"].is_number() && line["time"].is_string(),
            "{line}"
        );
    }
    assert_eq!(lines[1]["lifetime_s"], 1);
    let made = directory.request();
    assert_eq!(made.options.texts(option::URI_QUERY), ["ep=n1", "lt=1"]);
    // An update says nothing that the directory knows already.
    let update = directory.request();
    assert_eq!(update.options.texts(option::URI_PATH), ["reg", "1"]);
    assert!(update.payload.is_empty() && update.options.texts(option::URI_QUERY).is_empty());
    directory.request();
    assert_eq!(directory.request().code, Code::DELETE);
    assert_eq!(directory.others(), 0);
}

#[test]
fn a_directory_that_forgets_is_registered_at_anew() {
    let update = |_: &Message, number| {
        Some(if number == 0 {
            Code::NOT_FOUND
        } else {
            Code::CHANGED
        })
    };
    let directory = forgetful(update, |_| Code::CREATED);
    let ended = keep(&directory, "-C 2").run().exits(0);
    let words = ["registered", "lost", "registered", "updated", "removed"];
    assert_eq!(events(&ended), words);
    let uri = directory.uri("/reg/1");
    ended.contains(&format!("lost {uri}: 4.04 Not Found\nregistered {uri}\n"));
    let [_, _, again] = [(); 3].map(|()| directory.request());
    assert_eq!(again.payload, "</temp>");
    assert_eq!(again.options.texts(option::URI_QUERY), ["ep=n1", "lt=1"]);
}

#[test]
fn a_directory_that_falls_silent_is_registered_at_anew() {
    // It has trouble for a while even then.
    let register = |number| {
        if number == 1 {
            Code::SERVICE_UNAVAILABLE
        } else {
            Code::CREATED
        }
    };
    let directory = forgetful(|_, _| None, register);
    let ended = keep(&directory, "-C 1 --timeout 3").run().exits(0);
    assert_eq!(
        events(&ended),
        ["registered", "lost", "registered", "removed"]
    );
    ended.contains("no response within 3 s");
}

#[test]
fn a_directory_that_takes_us_no_more_ends_the_command() {
    let register = |number| {
        if number == 0 {
            Code::CREATED
        } else {
            Code::FORBIDDEN
        }
    };
    let directory = forgetful(|_, _| Some(Code::NOT_FOUND), register);
    let ended = keep(&directory, "").run().exits(4).says("4.03 Forbidden");
    assert_eq!(events(&ended), ["registered", "lost"]);
    let register = |number| match number {
        0 => Code::CREATED,
        _ => Code::SERVICE_UNAVAILABLE,
    };
    let directory = forgetful(|_, _| Some(Code::NOT_FOUND), register);
    let ended = keep(&directory, "").run().exits(1).says("5.03");
    assert_eq!(events(&ended), ["registered", "lost"]);
    let refusing = forgetful(|_, _| None, |_| Code::FORBIDDEN);
    keep(&refusing, "").run().exits(4).prints("");
}

#[test]
fn a_registration_that_is_kept_ends_in_time() {
    let directory = forgetful(|_, _| Some(Code::CHANGED), |_| Code::CREATED);
    let line = iotctl("coap rd register --ep n1 -m </temp> --keep --lifetime 1h --for 0.2");
    let ended = line.word(directory.uri("/rd")).run().exits(0);
    assert_eq!(events(&ended), ["registered", "removed"]);
}

/// A directory that asks before it answers, while the request waits, and wants to know more than there is.
fn asking(socket: UdpSocket) -> Vec<Message> {
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut buffer = [0; 4096];
    let mut hear = |wanted: &dyn Fn(&Message) -> bool| loop {
        let (length, from) = socket.recv_from(&mut buffer).unwrap();
        let message = Message::decode(&buffer[..length]).unwrap();
        if wanted(&message) {
            return (message, from);
        }
    };
    let (post, from) = hear(&|it| it.code == Code::POST);
    let tell = |message: &Message| socket.send_to(&message.encode().unwrap(), from).unwrap();
    tell(&Message::empty(Type::Ack, post.mid));
    let mut heard = vec![post.clone()];
    for (mid, path, query) in [
        (1, [".well-known", "core"], "rt=none"),
        (2, [".well-known", "core"], "rt=t*"),
        (3, ["a", "b"], ""),
    ] {
        let token = Token::new(&[mid as u8]).unwrap();
        let mut get = Message::new(Type::Con, Code::GET, mid, token);
        for segment in path {
            get.options.push_text(option::URI_PATH, segment);
        }
        if !query.is_empty() {
            get.options.push_text(option::URI_QUERY, query);
        }
        tell(&get);
        heard.push(hear(&|it| it.token == token).0);
    }
    tell(&Message::new(Type::Non, Code::CHANGED, 9, post.token));
    heard
}

#[test]
fn a_simple_registration_answers_what_the_directory_asks() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let uri = format!("coap://{}", socket.local_addr().unwrap());
    let peer = std::thread::spawn(|| asking(socket));
    let line = iotctl("coap rd register --simple --ep n1 -d hall --lifetime 1h").word(&uri);
    let line = line.word("-m").word("</temp>;rt=temperature,</led>");
    let ended = line.run().exits(0).prints("");
    ended.says(&format!("{uri}/.well-known/rd: registered"));
    let heard = peer.join().unwrap();
    let post = &heard[0].options;
    assert_eq!(post.texts(option::URI_PATH), [".well-known", "rd"]);
    assert_eq!(
        post.texts(option::URI_QUERY),
        ["ep=n1", "d=hall", "lt=3600"]
    );
    assert!(heard[0].payload.is_empty() && !post.contains(option::CONTENT_FORMAT));
    let bodies: Vec<&[u8]> = heard[1..].iter().map(|it| &it.payload[..]).collect();
    assert_eq!(bodies, [&b""[..], b"</temp>;rt=\"temperature\"", b""]);
    assert_eq!(heard[2].options.content_format(), Some(40));
    assert_eq!(
        (heard[1].code, heard[3].code),
        (Code::CONTENT, Code::NOT_FOUND)
    );
}

#[test]
fn aiocoaps_directory_fetches_the_links_and_is_kept_informed() {
    let directory = directory();
    let uri = directory.uri("coap", "");
    let lookup = |words: &str| {
        iotctl("coap rd lookup --output paths")
            .words(words)
            .word(&uri)
    };
    // More than one block.
    let links: Vec<String> = (0..100)
        .map(|at| format!("</light/{at}>;rt=light"))
        .collect();
    let register = || {
        let line =
            iotctl("coap rd register --ep node2 --lifetime 1 --simple -m").word(links.join(","));
        line.word(&uri)
    };
    register().run().exits(0).prints("");
    let found = lookup("res --filter rt=light").run().exits(0);
    assert_eq!(found.text().lines().count(), 100);
    let ended = register().words("--keep -C 2").run().exits(0);
    assert_eq!(events(&ended), ["registered", "updated", "updated"]);
    ended.says("a simple registration cannot be removed");
    let refused = iotctl("coap rd register --simple --ep n3 -m </x> --attribute proxy=on");
    refused.word(&uri).run().exits(1).says("4.00");
}

#[test]
fn aiocoaps_directory_has_a_registration_as_long_as_the_command_goes_on() {
    let directory = directory();
    let uri = directory.uri("coap", "");
    let lookup = || iotctl("coap rd lookup ep --output json").word(&uri).run();
    let line = iotctl("coap rd register --ep node1 --keep --lifetime 1 -m </temp>").word(&uri);
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let mut running = iotctl("coap rd register --ep node1 --keep --lifetime 1 -m </temp>")
            .word(&uri)
            .start();
        assert!(running.line().starts_with("registered coap://"));
        assert!(running.line().starts_with("updated coap://"));
        lookup().exits(0).contains("\"ep\":\"node1\"");
        running.signal(signal);
        let ended = running.ends().exits(code);
        assert_eq!(events(&ended).last().map(String::as_str), Some("removed"));
        lookup().exits(1).says("nothing was found");
    }
    let ended = line.words("-C 1").run().exits(0);
    assert_eq!(events(&ended), ["registered", "updated", "removed"]);
    let client = aiocoap::client("-m GET").word(directory.uri("coap", "/endpoint-lookup/"));
    assert!(!client.run().exits(0).text().contains("node1"));
}

#[test]
fn what_does_not_go_together_is_refused() {
    for (words, said) in [
        ("--for 1s", "--for needs --keep"),
        ("-C 1", "-C needs --keep"),
        ("--keep -C 0", "must be at least 1"),
        ("--simple --base coap://h", "--base"),
        ("--simple --oscore-secret x", "OSCORE"),
        ("--simple --proxy coap://127.0.0.1:2", "the proxy"),
    ] {
        let line = iotctl("coap rd register coap://127.0.0.1:1 --ep n -m </x>").words(words);
        line.run().exits(2).prints("").says(said);
    }
}

#[test]
fn a_registration_that_is_lost_at_the_end_is_a_failure_and_removed_all_the_same() {
    let register = |number| match number {
        0 => Code::CREATED,
        _ => Code::SERVICE_UNAVAILABLE,
    };
    let directory = forgetful(|_, _| None, register);
    let line =
        iotctl("coap rd register --ep n1 -m </temp> --keep --lifetime 4 --for 6 --timeout 1");
    let ended = line.word(directory.uri("/rd")).run().exits(5);
    assert_eq!(events(&ended), ["registered", "lost", "removed"]);
    ended.says("the registration was lost, and could not be made again in time");
}

#[test]
fn a_directory_that_is_busy_is_asked_again_when_it_says() {
    let (sender, asked) = channel();
    let update = move |_: &Message, number| {
        let _ = sender.send(Instant::now());
        Some(match number {
            0 => Code::SERVICE_UNAVAILABLE,
            _ => Code::CHANGED,
        })
    };
    let directory = forgetful(update, |_| Code::CREATED);
    let line = iotctl("coap rd register --ep n1 -m </temp> --keep --lifetime 8 -C 1");
    let ended = line.word(directory.uri("/rd")).run().exits(0);
    assert_eq!(events(&ended), ["registered", "updated", "removed"]);
    let [first, second] = [(); 2].map(|()| asked.recv_timeout(PATIENCE).unwrap());
    assert!(second - first >= Duration::from_secs(1));
}
