//! `coap rd` at a small scripted directory, and `coap discover` of lists within lists.

use iotctl::coap::code::Code;
use iotctl::coap::message::{Message, Type};
use iotctl::coap::option;
use serde_json::Value;

use crate::support::coap::{Scripted, answer, content, scripted};
use crate::support::command::{Line, iotctl};

/// A directory that forgets everything.
fn directory() -> Scripted {
    scripted(|request, _| {
        let options = &request.options;
        let path = options.texts(option::URI_PATH).join("/");
        let answered = match (request.code, path.as_str()) {
            (Code::GET, ".well-known/core") => {
                let list = "</rd/>;rt=core.rd;ct=40,</res/>;rt=core.rd-lookup-res;ct=40,</ep/>;rt=\"other core.rd-lookup-ep\";ct=40";
                content(request, 40, list)
            }
            (Code::POST, "rd/") => {
                let mut made = answer(request, Code::CREATED, "");
                for segment in ["reg", "4711", ""] {
                    made.options.push_text(option::LOCATION_PATH, segment);
                }
                made
            }
            (Code::GET, "res/") if options.texts(option::URI_QUERY) == ["rt=odd"] => {
                content(request, 40, b"\xff no links")
            }
            (Code::GET, "res/") if options.texts(option::URI_QUERY) == ["rt=none"] => {
                content(request, 40, "")
            }
            (Code::GET, "res/") => content(
                request,
                40,
                "<coap://n1/temp>;rt=temperature;anchor=\"coap://n1\"",
            ),
            (Code::GET, "ep/") => content(request, 40, "</reg/4711/>;ep=n1;base=\"coap://n1\""),
            (Code::POST, "reg/4711/") => answer(request, Code::CHANGED, ""),
            (Code::DELETE, "reg/4711/") => answer(request, Code::DELETED, ""),
            _ => answer(request, Code::NOT_FOUND, ""),
        };
        vec![answered]
    })
}

fn rd(directory: &Scripted, command: &str, path: &str) -> Line {
    iotctl(&format!("coap rd {command}")).word(directory.uri(path))
}

fn query(request: &Message) -> Vec<String> {
    request.options.texts(option::URI_QUERY)
}

#[test]
fn a_registration_is_made_where_the_directory_says() {
    let directory = directory();
    let words = "register --ep n1 -d hall --lifetime 5m --attribute et=sensor --base coap://n1";
    let line = rd(&directory, words, "").word("-m");
    let ended = line.word("</temp>;rt=\"temperature\";obs, </led>").run();
    let location = format!("{}\n", directory.uri("/reg/4711/"));
    ended.exits(0).prints(&location).quietly();
    assert_eq!(query(&directory.request()), ["rt=core.rd"]);
    let made = directory.request();
    let said = ["ep=n1", "d=hall", "lt=300", "base=coap://n1", "et=sensor"];
    assert_eq!(query(&made), said);
    assert_eq!(made.options.content_format(), Some(40));
    assert_eq!(made.payload, "</temp>;rt=\"temperature\";obs,</led>");
    let named = rd(&directory, "register --ep n1 -s", "/rd/").input("</x>");
    named.run().exits(0).prints(&location);
    assert_eq!(directory.request().payload, "</x>");
}

#[test]
fn a_registration_is_refreshed_and_removed() {
    let directory = directory();
    let line = rd(
        &directory,
        "update --lifetime 60 --attribute x=1",
        "/reg/4711/",
    );
    line.run().exits(0).prints("").says("2.04 Changed");
    let update = directory.request();
    assert_eq!(query(&update), ["lt=60", "x=1"]);
    assert!(update.payload.is_empty() && !update.options.contains(option::CONTENT_FORMAT));
    let removed = rd(&directory, "remove", "/reg/4711/").run().exits(0);
    removed.says("2.02 Deleted");
    assert_eq!(directory.request().code, Code::DELETE);
    rd(&directory, "remove", "/reg/1/")
        .run()
        .exits(1)
        .says("4.04");
}

#[test]
fn resources_and_endpoints_are_looked_up() {
    let directory = directory();
    let line =
        rd(&directory, "lookup res --output paths", "").words("--filter rt=temp* --filter count=3");
    line.run().exits(0).prints("coap://n1/temp\n");
    assert_eq!(query(&directory.request()), ["rt=core.rd-lookup-res"]);
    assert_eq!(query(&directory.request()), ["rt=temp*", "count=3"]);
    let ended = rd(&directory, "lookup ep --output json", "").run().exits(0);
    let found: Value = serde_json::from_str(ended.text()).unwrap();
    assert_eq!(
        (&found["ep"], &found["href"]),
        (&"n1".into(), &"/reg/4711/".into())
    );
    let none = rd(&directory, "lookup res --filter rt=none", "")
        .run()
        .exits(1);
    none.prints("").says("nothing was found");
}

#[test]
fn what_a_device_says_of_itself_is_registered() {
    let directory = directory();
    let words = "coap server --listen 127.0.0.1:0 -r /temp=text:21.5";
    let mut device = iotctl(words).start();
    let uri = device.line();
    let line = iotctl("coap rd register --ep n1").word(directory.uri(""));
    line.word("--links-of").word(&uri).run().exits(0);
    directory.request();
    let made = directory.request();
    assert_eq!(query(&made), ["ep=n1".to_owned(), format!("base={uri}")]);
    let links = String::from_utf8(made.payload.to_vec()).unwrap();
    assert!(
        links.contains("</temp>") && !links.contains("well-known"),
        "{links}"
    );
}

#[test]
fn what_is_no_directory_and_what_is_no_link_is_said() {
    let server = scripted(|request, _| vec![content(request, 40, "</x>;rt=core")]);
    let ended = rd(&server, "lookup ep", "").run().exits(1);
    ended.says("is not a resource directory").says("hint:");
    let broken = scripted(|request, _| vec![content(request, 40, "<x")]);
    rd(&broken, "lookup ep", "")
        .run()
        .exits(6)
        .says("link-format");
    let refused = |words: &str, said: &str| {
        let ended = iotctl("coap rd").words(words).run().exits(2);
        ended.prints("").says(said);
    };
    refused("register coap://127.0.0.1:1 --ep n -m <x", "a closing >");
    refused("register coap://127.0.0.1:1 --ep n", "no links to register");
    refused("register coap://127.0.0.1:1 -m </x>", "--ep");
    refused(
        "register coap://127.0.0.1:1 --ep n -m </x> --lifetime 1.5",
        "whole seconds",
    );
    refused(
        "register coap://127.0.0.1:1 --ep n -m </x> --base h",
        "not an absolute URI",
    );
    refused("update coap://127.0.0.1:1", "not the URI of a registration");
    refused("lookup ep coap://127.0.0.1:1 --filter x", "NAME=VALUE");
    refused("lookup all coap://127.0.0.1:1", "res");
}

/// A server whose list names another, that one itself, one that is no list, and one that is gone.
fn nested() -> Scripted {
    scripted(|request, _| {
        let path = request.options.texts(option::URI_PATH).join("/");
        vec![match path.as_str() {
            ".well-known/core" => content(
                request,
                40,
                "</a>;ct=40,</gone>;ct=40,</z>;ct=0;rt=last,<coap://127.0.0.1:1/far>;ct=40",
            ),
            "a" => content(
                request,
                40,
                "</.well-known/core>;ct=40,</a/b>;rt=deep,<sub/c>;ct=40",
            ),
            "sub/c" => content(request, 40, "</a>;ct=40,</a/b>;rt=deep"),
            _ => answer(request, Code::NOT_FOUND, ""),
        }]
    })
}

#[test]
fn lists_within_lists_are_followed_once() {
    let server = nested();
    let discover = |words: &str| iotctl("coap discover -R").words(words).word(server.uri(""));
    let ended = discover("--output paths").run().exits(0);
    let mut found: Vec<&str> = ended.text().lines().collect();
    found.sort_unstable();
    let all = [
        "/.well-known/core",
        "/a",
        "/a/b",
        "/gone",
        "/sub/c",
        "/z",
        "coap://127.0.0.1:1/far",
    ];
    assert_eq!(found, all);
    ended.says("/gone: 4.04");
    assert_eq!(server.others(), 4);
    let filtered = discover("--output paths --rt deep").run().exits(0);
    filtered.prints("/a/b\n");
    let tree = discover("--output tree").run().exits(0);
    assert!(
        tree.text().contains("/a link\n  /b rt=deep\n"),
        "{}",
        tree.text()
    );
    discover("--output raw").run().exits(2);
}
#[test]
fn raw_output_is_what_came() {
    let directory = directory();
    let line = rd(&directory, "lookup res --filter rt=odd --output raw", "");
    assert_eq!(line.run().exits(0).stdout, b"\xff no links\n");
    let line = rd(&directory, "lookup res --filter rt=odd", "");
    line.run().exits(6).says("use --output raw");
    let odd = scripted(|request, _| vec![content(request, 40, b"\xff no links")]);
    let discover = |words: &str| iotctl("coap discover").words(words).word(odd.uri(""));
    let ended = discover("--output raw").run().exits(0);
    assert_eq!(ended.stdout, b"\xff no links\n");
    discover("").run().exits(6).says("use --output raw");
}

#[test]
fn a_list_that_cannot_be_had_does_not_take_the_others_along() {
    let server = scripted(|request, _| {
        let path = request.options.texts(option::URI_PATH).join("/");
        match path.as_str() {
            ".well-known/core" => {
                let list = "</mute>;ct=40,</reset>;ct=40,</list>;ct=40,</s>;rt=one,</s>;rt=two,<//127.0.0.1:1/x>;rt=far";
                vec![content(request, 40, list)]
            }
            "mute" => Vec::new(),
            "reset" => vec![Message::empty(Type::Rst, request.mid)],
            _ => vec![content(request, 40, "</deep>;rt=x<y")],
        }
    });
    let discover = |output: &str| {
        let line = iotctl("coap discover -R --timeout 1 --output").word(output);
        let ended = line.word(server.uri("")).run().exits(5);
        ended.says("2 lists could not be read")
    };
    discover("paths")
        .says("/mute: no response within 1 s")
        .says("/reset: the peer rejected the message (reset)")
        .prints("/mute\n/reset\n/list\n/s\n/s\ncoap://127.0.0.1:1/x\n/deep\n");
    let ended = discover("tree");
    ended
        .contains("/deep rt=x<y\n")
        .contains("/s rt=one\n/s rt=two\n");
}

#[test]
fn reserved_names_and_unusable_locations_are_refused() {
    for (attribute, says) in [
        ("lt=60", "use --lifetime"),
        ("ep=other", "use --ep"),
        ("d=hall", "use --sector"),
        ("base=coap://h", "use --base"),
        ("count=1", "reserved"),
    ] {
        for words in ["register --ep n1 -m </x>", "update"] {
            let line = iotctl(&format!("coap rd {words} --attribute {attribute}"));
            let line = line.word("coap://127.0.0.1:1/reg");
            line.run().exits(2).prints("").says(says);
        }
    }
    let strange = scripted(|request, _| {
        let mut made = answer(request, Code::CREATED, "");
        made.options.push(option::LOCATION_PATH, vec![0xff]);
        vec![made]
    });
    let line = rd(&strange, "register --ep n1 -m </x>", "/rd");
    let ended = line.run().exits(6).prints("");
    ended
        .says("the response has an invalid Location, /%FF: ")
        .says("UTF-8");
    // Whatever its segments are, it is on the server that says it.
    let odd = scripted(|request, _| {
        let mut made = answer(request, Code::CREATED, "");
        for segment in ["", "other", "x"] {
            made.options.push_text(option::LOCATION_PATH, segment);
        }
        vec![made]
    });
    let line = rd(&odd, "register --ep n1 -m </x>", "/rd");
    let registered = format!("{}\n", odd.uri("//other/x"));
    line.run().exits(0).prints(&registered);
}
