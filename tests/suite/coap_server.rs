//! `iotctl coap server`, asked by Debian's coap-client and by ourselves.

use tempfile::TempDir;

use crate::support::certificates::Certificates;
use crate::support::command::{Line, Running, iotctl, program};

/// A running server and the URIs of its listeners.
struct Server {
    running: Running,
    uris: Vec<String>,
}

fn server(words: &str, listeners: &[&str]) -> Server {
    let mut line = iotctl("coap server").words(words);
    for scheme in listeners {
        line = line
            .word("--listen")
            .word(format!("{scheme}://127.0.0.1:0"));
    }
    let mut running = line.start();
    let uris = running.lines(listeners.len());
    Server { running, uris }
}

impl Server {
    fn uri(&self, path: &str) -> String {
        format!("{}{path}", self.uris[0])
    }

    fn libcoap(&self, words: &str, path: &str) -> Line {
        program("coap-client-notls", words).word(self.uri(path))
    }

    fn ours(&self, command: &str, path: &str) -> Line {
        iotctl(&format!("coap {command}")).word(self.uri(path))
    }
}

#[test]
fn libcoaps_client_is_served() {
    let words = "-r /temp=text:21.5 -r /late=delay:0.3:late -r /large=large:100KiB -r /store=store";
    let server = server(words, &["coap"]);
    server.libcoap("", "/temp").run().exits(0).prints("21.5\n");
    server.libcoap("", "/late").run().exits(0).prints("late\n");
    let large = server.libcoap("", "/large").run().exits(0);
    assert_eq!(large.stdout.len(), 100 * 1024 + 1);
    assert!(
        large
            .stdout
            .chunks(64)
            .take(1600)
            .enumerate()
            .all(|(at, line)| { line == format!("{at:063}\n").as_bytes() })
    );
    server.libcoap("-m put -e on", "/store/led").run().exits(0);
    server
        .libcoap("", "/store/led")
        .run()
        .exits(0)
        .prints("on\n");
    let core = server.libcoap("", "/.well-known/core?rt=clock").run();
    core.exits(0).prints("");
}

#[test]
fn libcoaps_client_observes() {
    let server = server("-r /counter=counter:0.1", &["coap"]);
    let ended = server.libcoap("-s 1", "/counter").run().exits(0);
    assert!(ended.text().contains("23"), "{}", ended.text());
}

#[test]
fn every_transport_shows_the_same_resources() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::in_folder(folder.path());
    let (cert, key) = (
        certificates.server.display(),
        certificates.server_key.display(),
    );
    let words = format!("--cert {cert} --key {key} -r /temp=text:0 -r /counter=counter:0.05");
    let schemes = ["coap", "coap+tcp", "coap+ws", "coaps+tcp", "coaps+ws"];
    let server = server(&words, &schemes);
    for (at, uri) in server.uris.iter().enumerate() {
        let trust = if uri.starts_with("coaps") {
            format!("--cafile {}", certificates.ca.display())
        } else {
            String::new()
        };
        let line = |command: &str| iotctl(&format!("coap {command} {trust}"));
        line(&format!("put -m {at} {uri}/temp")).run().exits(0);
        server
            .ours("get", "/temp")
            .run()
            .exits(0)
            .prints(&at.to_string());
        let ended = line(&format!("observe -C 2 {uri}/counter")).run().exits(0);
        assert_eq!(ended.text().lines().count(), 2, "{uri}");
        line(&format!("ping -C 1 {uri}")).run().exits(0);
    }
}

#[test]
fn dtls_takes_keys_and_certificates_on_one_port() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::in_folder(folder.path());
    let (cert, key) = (
        certificates.server.display(),
        certificates.server_key.display(),
    );
    let words = format!("--cert {cert} --key {key} --psk-identity me --psk secret -r /a=text:1");
    let server = server(&words, &["coaps"]);
    let trust = format!("get --cafile {}", certificates.ca.display());
    server.ours(&trust, "/a").run().exits(0).prints("1");
    let ours = "get --psk-identity me --psk secret";
    server.ours(ours, "/a").run().exits(0).prints("1");
    let wrong = "get --connect-timeout 1 --psk-identity";
    for key in ["me --psk wrong", "you --psk secret"] {
        let ended = server.ours(&format!("{wrong} {key}"), "/a").run();
        assert!([3, 5].contains(&ended.code), "{ended:?}");
        ended.says("the key or its identity is wrong");
    }
    for variant in ["openssl", "gnutls"] {
        let client = |words: &str| program(&format!("coap-client-{variant}"), words);
        let line = client("-u me -k secret").word(server.uri("/a"));
        line.run().exits(0).prints("1\n");
    }
    let line = program("coap-client-openssl", "-n").word(server.uri("/a"));
    line.run().exits(0).prints("1\n");
}

#[test]
fn an_observer_hears_what_another_puts() {
    let server = server("-r /led=text:off", &["coap"]);
    let mut observer = server.ours("observe -C 2", "/led").start();
    assert_eq!(observer.line(), "off");
    server.ours("put -m on", "/led").run().exits(0);
    assert_eq!(observer.line(), "on");
    observer.ends().exits(0);
}

#[test]
fn conditions_are_obeyed() {
    let server = server("-r /store=store", &["coap"]);
    let put = |words: &str| server.ours(&format!("put {words}"), "/store/a");
    put("-m 1 --if-match").run().exits(1).says("4.12");
    put("-m 1 --if-none-match").run().exits(0);
    put("-m 1 --if-none-match")
        .run()
        .exits(1)
        .says("4.12 Precondition Failed");
    put("-m 2 --if-match=0x01").run().exits(0);
    put("-m 3 --if-match=0x01").run().exits(1);
    server.ours("delete", "/store/a").run().exits(0);
    server.ours("get", "/store/a").run().exits(1).says("4.04");
    server
        .ours("post -m x", "/store")
        .run()
        .exits(0)
        .says("/store/1");
}

#[test]
fn an_etag_file_spares_what_is_known() {
    let (server, folder) = (server("-r /a=text:1", &["coap"]), TempDir::new().unwrap());
    let file = folder.path().join("etag");
    let get = || server.ours("get", "/a").word("--etag-file").word(&file);
    get().run().exits(0).prints("1");
    get().run().exits(0).prints("").says("has not changed");
    server.ours("put -m 2", "/a").run().exits(0);
    get().run().exits(0).prints("2");
    std::fs::write(&file, "no digits").unwrap();
    get().run().exits(2).says("does not hold an ETag");
}

#[test]
fn a_directory_is_shown_and_nothing_beside_it() {
    let folder = TempDir::new().unwrap();
    let shown = folder.path().join("shown");
    std::fs::create_dir(&shown).unwrap();
    std::fs::write(folder.path().join("secret"), "secret").unwrap();
    let body = vec![7; 70_000];
    std::fs::write(shown.join("firmware.bin"), &body).unwrap();
    std::os::unix::fs::symlink("../secret", shown.join("link")).unwrap();
    let words = format!("-d {} --writable", shown.display());
    let server = server(&words, &["coap"]);
    assert!(server.ours("get", "/firmware.bin").run().exits(0).stdout == body);
    server
        .ours("get", "")
        .run()
        .exits(0)
        .contains("</firmware.bin>");
    for path in ["/..%2fsecret", "/%2e%2e/secret", "/link", "/nothing"] {
        let ended = server.ours("get", path).run().exits(1);
        assert!(ended.stdout.is_empty(), "{path}");
    }
    server.ours("put -m new", "/a.txt").run().exits(0);
    assert_eq!(std::fs::read(shown.join("a.txt")).unwrap(), b"new");
    server.ours("put -m new", "/link").run().exits(1);
    assert_eq!(
        std::fs::read(folder.path().join("secret")).unwrap(),
        b"secret"
    );
    server.ours("delete", "/a.txt").run().exits(0);
    assert!(!shown.join("a.txt").exists());
}

#[test]
fn faults_cost_time_and_not_bytes() {
    let faults = "--fault drop:every=7 --fault duplicate:every=5 --fault delay:by=20ms,every=3";
    let words = format!("-r /large=large:20KiB {faults}");
    let server = server(&words, &["coap"]);
    let line = server.ours("get --ack-timeout 0.1 --block 512", "/large");
    let ended = line.run().exits(0);
    assert_eq!(ended.stdout.len(), 20 * 1024);
    assert!(
        ended
            .stdout
            .chunks(64)
            .enumerate()
            .all(|(at, line)| line == format!("{at:063}\n").as_bytes())
    );
}

#[test]
fn the_plugtests_resources_are_there() {
    let server = server("--plugtest", &["coap"]);
    server
        .ours("discover --output paths", "")
        .run()
        .exits(0)
        .contains("/separate\n");
    server.ours("get", "/separate").run().exits(0);
    server.libcoap("", "/test").run().exits(0).contains("MID");
}

#[test]
fn a_signal_is_the_good_end() {
    let server = server("", &["coap"]);
    server
        .ours("discover", "")
        .run()
        .exits(0)
        .contains("/counter");
    server.running.signal("TERM");
    server.running.ends().exits(0);
}
