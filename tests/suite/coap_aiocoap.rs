//! PyPI's aiocoap on the other side, over UDP, DTLS with a pre-shared key, TCP and WebSocket.

use tempfile::TempDir;

use crate::support::aiocoap::{IDENTITY, KEY, client, directory, fileserver, keys, proxy};
use crate::support::command::{Line, iotctl};

const SCHEMES: [&str; 4] = ["coap", "coaps", "coap+tcp", "coap+ws"];

/// `iotctl` with these words, and with the key where it is of use.
fn ours(words: &str, scheme: &str) -> Line {
    let line = iotctl(words);
    match scheme {
        "coaps" => {
            let line = line.word("--psk-identity").word(IDENTITY);
            line.word("--psk").word(KEY)
        }
        _ => line,
    }
}

fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 251) as u8).collect()
}

#[test]
fn bodies_come_and_go_over_every_transport() {
    let folder = TempDir::new().unwrap();
    let server = fileserver(folder.path());
    let body = noise(50_000);
    for scheme in SCHEMES {
        let name = scheme.replace('+', "-");
        let uri = server.uri(scheme, &format!("/{name}.bin"));
        let put = ours("coap put -s -t octets", scheme).word(&uri);
        put.input(body.clone()).run().exits(0);
        let stored = std::fs::read(folder.path().join(format!("{name}.bin"))).unwrap();
        assert!(stored == body, "{scheme}");
        let got = ours("coap get", scheme).word(&uri).run();
        let got = got.exits(0).quietly();
        assert!(got.stdout == body, "{scheme}");
        ours("coap delete", scheme).word(&uri).run().exits(0);
        let gone = ours("coap get", scheme).word(&uri).run().exits(1);
        gone.prints("").says("4.04 Not Found");
    }
}

#[test]
fn conditions_are_understood() {
    let folder = TempDir::new().unwrap();
    // It gives an ETag to what takes several blocks only.
    let body = "1".repeat(3000);
    std::fs::write(folder.path().join("a.txt"), &body).unwrap();
    let server = fileserver(folder.path());
    let uri = server.uri("coap", "/a.txt");
    let file = folder.path().join("etag");
    let get = || {
        let line = iotctl("coap get").word(&uri).word("--etag-file");
        line.word(&file).run().exits(0)
    };
    get().prints(&body);
    get().prints("").says("has not changed");
    let put = |words: &str| iotctl("coap put -m 2").words(words).word(&uri).run();
    put("--if-none-match").exits(1).says("4.12");
    put("--if-match=0x01").exits(1).says("4.12");
    put("--if-match").exits(0);
    get().prints("2");
}

#[test]
fn its_resources_are_discovered() {
    let folder = TempDir::new().unwrap();
    let server = fileserver(folder.path());
    let line = iotctl("coap discover --output raw").word(server.uri("coap", ""));
    line.run().exits(0).contains("<");
    let line = iotctl("coap ping -C 2").word(server.uri("coap", ""));
    line.run().exits(0);
}

#[test]
fn its_client_is_served_over_every_transport() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("body");
    std::fs::write(&file, noise(30_000)).unwrap();
    let words = "coap server -r /temp=text:21.5 -r /late=delay:0.3:late -r /store=store";
    let mut line = ours(words, "coaps").words("-r /large=large:100KiB");
    for scheme in SCHEMES {
        line = line.words(&format!("--listen {scheme}://127.0.0.1:0"));
    }
    let mut running = line.start();
    let keys = keys("coaps://127.0.0.1*");
    for uri in running.lines(SCHEMES.len()) {
        let ask = |words: &str, path: &str| {
            let line = client("--credentials").word(&keys.file).words(words);
            line.word(format!("{uri}{path}")).run()
        };
        let got = ask("--quiet", "/temp").exits(0);
        assert_eq!(got.stdout, b"21.5", "{uri}");
        let got = ask("--quiet", "/late").exits(0);
        assert_eq!(got.stdout, b"late", "{uri}");
        let got = ask("--quiet", "/large").exits(0);
        assert_eq!(got.stdout.len(), 100 << 10, "{uri}");
        let put = format!("-m PUT --content-format 42 --payload @{}", file.display());
        ask(&put, "/store/a").exits(0);
        assert!(
            ask("--quiet", "/store/a").exits(0).stdout == noise(30_000),
            "{uri}"
        );
        ask("", "/nothing").exits(1).says("4.04 Not Found");
    }
}

#[test]
fn its_directory_is_registered_at_and_asked() {
    let directory = directory();
    let uri = directory.uri("coap", "");
    let register = iotctl("coap rd register --ep node1 --lifetime 5m --base coap://192.0.2.1");
    let line = register
        .word("-m")
        .word("</temp>;rt=temperature")
        .word(&uri);
    let made = line.run().exits(0);
    let registration = String::from_utf8(made.stdout).unwrap();
    let registration = registration.trim_end();
    let lookup = |what: &str| iotctl("coap rd lookup --output json").word(what).word(&uri);
    lookup("res")
        .run()
        .exits(0)
        .contains("coap://192.0.2.1/temp");
    lookup("ep").run().exits(0).contains("\"ep\":\"node1\"");
    let update = iotctl("coap rd update --lifetime 10m").word(registration);
    update.run().exits(0);
    let remove = || iotctl("coap rd remove").word(registration).run();
    remove().exits(0);
    lookup("ep").run().exits(1).says("nothing was found");
    remove().exits(1).says("4.04");
}

#[test]
fn its_proxy_is_asked() {
    let proxy = proxy();
    let mut server = iotctl("coap server -r /temp=text:21.5 -r /large=large:20KiB")
        .words("--listen coap://127.0.0.1:0")
        .start();
    let origin = server.line();
    let get = |words: &str, path: &str| {
        let line = iotctl("coap get --proxy").word(proxy.uri("coap", ""));
        line.words(words).word(format!("{origin}{path}")).run()
    };
    get("", "/temp").exits(0).prints("21.5");
    assert_eq!(get("", "/large").exits(0).stdout.len(), 20 << 10);
    get("", "/nothing").exits(1).says("4.04 Not Found");
    // It knows one way only.
    get("--proxy-mode scheme", "/temp").exits(0).prints("21.5");
    get("--proxy-mode uri", "/temp").exits(1).says("5.01");
}
