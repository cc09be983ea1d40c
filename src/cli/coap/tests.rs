//! What the words of the CoAP client commands mean, and which are refused.

use std::path::Path;

use crate::coap::code::Code;
use crate::coap::option;
use crate::command::Command;
use crate::command::coap::client::ProxyMode;
use crate::command::coap::keep::Keep;
use crate::command::coap::rd::{Action, Links, Lookup, Register};
use crate::command::coap::{self, observe, rd, request};
use crate::flow::decode::ContentType;
use crate::payload::Source;

use crate::cli::{Parsed, parse};

fn parsed(words: &str) -> Result<Command, String> {
    let words = ["iotctl", "coap"].into_iter().chain(words.split(' '));
    match parse(words.map(Into::into)) {
        Ok(Parsed::Command(plan)) => Ok(plan),
        Ok(other) => panic!("no command: {other:?}"),
        Err(refused) => Err(refused.text().to_owned()),
    }
}

#[track_caller]
fn request(words: &str) -> request::Plan {
    match parsed(words) {
        Ok(Command::Coap(coap::Command::Request(plan))) => *plan,
        other => panic!("{words}: {other:?}"),
    }
}

#[track_caller]
fn observation(words: &str) -> observe::Plan {
    match parsed(words) {
        Ok(Command::Coap(coap::Command::Observe(plan))) => *plan,
        other => panic!("{words}: {other:?}"),
    }
}

#[track_caller]
fn directory(words: &str) -> rd::Plan {
    match parsed(words) {
        Ok(Command::Coap(coap::Command::Directory(plan))) => *plan,
        other => panic!("{words}: {other:?}"),
    }
}

#[track_caller]
fn refused(words: &str, said: &str) {
    let refusal = parsed(words).expect_err(words);
    assert!(refusal.contains(said), "{words}: {refusal}");
}

#[test]
fn proxies_and_captures_are_named() {
    let plan = request("get coap://h/a --proxy coap://p --pcap f");
    assert_eq!(plan.session.proxy.as_deref(), Some("coap://p"));
    assert_eq!(plan.session.proxy_mode, ProxyMode::Auto);
    assert_eq!(plan.session.pcap.as_deref(), Some(Path::new("f")));
    let plan = request("get coap://h/a --proxy coap://p --proxy-mode uri");
    assert_eq!(plan.session.proxy_mode, ProxyMode::Uri);
    refused("get coap://h/a -O proxy-scheme=coap", "--proxy sets");
    refused("get coap://h/a -O oscore=0x00", "--oscore-secret sets");
}

#[test]
fn security_contexts_are_spelled_out() {
    let plan = request(
        "get coap://h/a --oscore-secret 0x00ff --oscore-sender-id a --oscore-recipient-id b",
    );
    let words = &plan.session.connect.oscore;
    assert_eq!(
        words.secret.as_ref().map(|it| it.reveal().to_vec()),
        Some(b"0x00ff".to_vec())
    );
    assert_eq!(words.sender_id.as_deref(), Some("a"));
    assert!(!format!("{plan:?}").contains("00ff"));
    refused(
        "get coap://h/a --oscore-secret a --oscore-secret-file f",
        "--oscore-secret",
    );
    refused("ping coap://h --oscore-secret a", "--oscore-secret");
}

#[test]
fn bodies_are_read_and_written_in_cbor() {
    let plan = request("put coap://h/a --cbor [1]");
    assert_eq!(plan.source, Source::Text(vec![0x81, 1].into()));
    let format = plan.session.options.last().expect("a format");
    assert_eq!(format.number, option::CONTENT_FORMAT);
    let by = |words: &str| request(words).stages.decode.map(|it| it.content_type());
    assert_eq!(by("get coap://h/a --decode"), Some(ContentType::Named));
    let senml = ContentType::Given("application/senml+json");
    assert_eq!(by("get coap://h/a --decode=senml"), Some(senml));
    refused("put coap://h/a --cbor [1", "--cbor: at character 3");
    refused("put coap://h/a --cbor 1 -m x", "--cbor");
    refused("put coap://h/a --cbor 1 --hex", "--hex");
    refused(
        "get coap://h/a --decode --output hex",
        "--decode needs --output text, json",
    );
}

#[test]
fn downloads_have_one_file() {
    let plan = request("get coap://h/a -o f --resume");
    assert_eq!(
        (plan.file.as_deref(), plan.resume),
        (Some(Path::new("f")), true)
    );
    refused("get coap://h/a --resume", "--output-file");
    refused("post coap://h/a -o f --resume", "--resume is for get only");
    refused("get coap://h/a coap://h/b -o f", "one URI");
    refused("get coap://h/a -o f --decode", "-o needs");
    refused("get coap://h/a -o f --resume --etag-file e", "--etag-file");
}

#[test]
fn an_etag_is_of_one_resource() {
    assert!(request("get coap://h/a --etag-file e").etag_file.is_some());
    assert!(
        request("fetch coap://h/a -m x --etag-file e")
            .etag_file
            .is_some()
    );
    for method in [
        "put -m x",
        "post -m x",
        "delete",
        "patch -m x",
        "ipatch -m x",
    ] {
        let words = format!("{method} coap://h/a --etag-file e");
        refused(&words, "--etag-file is for get and fetch only");
    }
    refused("get coap://h/a coap://h/b --etag-file e", "of one URI");
    refused("fetch coap://h/a -l --etag-file e", "of one request");
    refused(
        "get coap://h/a --etag-file e --expect payload==1",
        "with --expect",
    );
}

#[test]
fn observations_know_their_end_and_their_body() {
    let words = "observe coap://h/a --until payload==5 --expect /a<3 --exec cat -D";
    let plan = observation(words);
    assert_eq!(
        plan.until.until.map(|it| it.to_string()).as_deref(),
        Some("payload==5")
    );
    assert_eq!((plan.stages.expect.len(), plan.method), (1, Code::GET));
    assert_eq!(plan.exec.expect("a command").command, ["cat", "-D"]);
    let plan = observation("observe coap://h/a -m x -t text");
    assert_eq!((plan.method, plan.session.options.len()), (Code::FETCH, 1));
    refused("observe coap://h/a --until warm", "none of ==");
    refused("observe coap://h/a -t text", "-t needs a body");
}

#[test]
fn directories_are_asked_for_what_is_said() {
    let plan = directory("rd register coap://rd --ep n -d s --lt 1h -m </a> --keep -C 3 --simple");
    let Action::Register(Register {
        endpoint,
        registration,
        links,
        keep,
        simple,
        ..
    }) = plan.action
    else {
        panic!("{plan:?}");
    };
    assert_eq!(endpoint, ["ep=n", "d=s"]);
    assert_eq!(registration.lifetime.map(|it| it.as_secs()), Some(3600));
    assert!(matches!(links, Links::Of(Source::Text(_))));
    let three = Keep {
        count: Some(3),
        duration: None,
    };
    assert_eq!((keep, simple), (Some(three), true));
    let plan = directory("rd lookup ep coap://rd --filter ep=n*");
    assert!(matches!(
        plan.action,
        Action::Lookup {
            what: Lookup::Endpoints,
            ..
        }
    ));
    let long = format!("rd register coap://rd -m </a> --ep {}", "n".repeat(64));
    refused(&long, "--ep has 64 bytes");
    refused(
        "rd register coap://rd --ep n -m </a> --lifetime 0",
        "--lifetime",
    );
    refused("rd lookup ep coap://rd --filter =x", "--filter");
    refused(
        "discover coap://h -R --output raw",
        "cannot be used together",
    );
}
