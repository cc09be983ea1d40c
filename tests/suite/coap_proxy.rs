//! Requests by way of a proxy.

use iotctl::coap::code::Code;
use iotctl::coap::option;

use crate::support::coap::{Scripted, answer, content, scripted};
use crate::support::command::{Line, iotctl};

/// A proxy that answers with what it was asked for, in the ways that it knows.
fn proxy(knows_scheme: bool, knows_uri: bool) -> Scripted {
    scripted(move |request, _| {
        let options = &request.options;
        let (scheme, whole) = (
            options.texts(option::PROXY_SCHEME),
            options.texts(option::PROXY_URI),
        );
        let said = match (scheme.first(), whole.first()) {
            (Some(scheme), _) if knows_scheme => {
                let [host, path] = [option::URI_HOST, option::URI_PATH]
                    .map(|number| options.texts(number).join("/"));
                let port = options.uint(option::URI_PORT).unwrap_or(0);
                format!("{scheme} {host} {port} {path}")
            }
            (None, Some(whole)) if knows_uri => whole.clone(),
            (Some(_), _) => return vec![answer(request, Code::BAD_OPTION, "")],
            _ => return vec![answer(request, Code::NOT_IMPLEMENTED, "")],
        };
        vec![content(request, 0, said)]
    })
}

fn through(proxy: &Scripted, command: &str, uri: &str) -> Line {
    let line = iotctl(&format!("coap {command}")).word("--proxy");
    line.word(proxy.uri("")).word(uri)
}

#[test]
fn a_proxy_is_told_by_scheme_or_by_uri() {
    let both = proxy(true, true);
    let uri = "coap://device.example/a/b?c=d";
    let asked = through(&both, "get", uri).run().exits(0);
    asked.prints("coap device.example 5683 a/b");
    let asked = through(&both, "get --proxy-mode uri", uri).run();
    asked.exits(0).prints(uri);
    let asked = through(&both, "put -m 1", "coaps+tcp://[::1]:99/x").run();
    asked.exits(0).prints("coaps+tcp [::1] 99 x");
}

#[test]
fn what_a_proxy_does_not_know_is_said_the_other_way() {
    for command in ["get", "put -m 1", "observe"] {
        let old = proxy(false, true);
        let ended = through(&old, command, "coap://device.example/x").run();
        assert!(
            ended.text().starts_with("coap://device.example/x"),
            "{ended:?}"
        );
        assert!(old.request().options.contains(option::PROXY_SCHEME));
        assert!(old.request().options.contains(option::PROXY_URI));
    }
    let old = proxy(false, true);
    let fixed = through(&old, "get --proxy-mode scheme", "coap://device.example/x");
    fixed.run().exits(1).says("4.02 Bad Option");
    assert_eq!(old.others(), 1);
    let none = proxy(false, false);
    let ended = through(&none, "get", "coap://device.example/x").run();
    ended.exits(1).says("5.01 Not Implemented");
}

#[test]
fn several_origins_are_asked_over_one_proxy() {
    let both = proxy(true, true);
    let line = through(&both, "get", "coap://one.example/x").word("coap://two.example/y");
    let ended = line.run().exits(0);
    ended.prints("coap one.example 5683 x\ncoap two.example 5683 y\n");
}

#[test]
fn bad_proxies_are_refused_before_anything_is_sent() {
    let refused = |words: &str, said: &str| {
        iotctl("coap get")
            .words(words)
            .run()
            .exits(2)
            .prints("")
            .says(said);
    };
    refused(
        "--proxy coap://127.0.0.1:1 /x",
        "--proxy needs an absolute URI",
    );
    refused(
        "--proxy coap://127.0.0.1:1/x coap://h/",
        "must not have a path",
    );
    refused("--proxy http://h coap://h/", "invalid URI http://h");
    refused("--proxy-mode uri coap://h/", "--proxy");
    refused(
        "-h h --proxy coap://127.0.0.1:1 coap://h/",
        "--proxy cannot be used with --host or --port",
    );
    refused("-O proxy-uri=x coap://h/", "--proxy sets the option");
    let long = format!(
        "--proxy coap://127.0.0.1:1 --proxy-mode uri coap://h/{}",
        "x/".repeat(600)
    );
    refused(&long, "--proxy-mode scheme");
}
