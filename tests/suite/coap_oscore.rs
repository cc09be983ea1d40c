//! OSCORE: the client commands and the server under one security context, and the sequence number between runs.

use std::fs;

use tempfile::TempDir;

use crate::support::command::{Line, Running, iotctl};

const SECRET: &str = "hex:0102030405060708090a0b0c0d0e0f10";
const CLIENT: &str = "--oscore-sender-id 0x01 --oscore-recipient-id 0x02";
const SERVER: &str = "--oscore-sender-id 0x02 --oscore-recipient-id 0x01";

struct Protected {
    folder: TempDir,
    _running: Running,
    uri: String,
}

/// A server of these resources that takes protected requests only.
fn server(scheme: &str, words: &str) -> Protected {
    let folder = TempDir::new().unwrap();
    let line = iotctl(&format!("coap server {words} {SERVER}"));
    let line = line
        .word("--listen")
        .word(format!("{scheme}://127.0.0.1:0"));
    let mut running = keyed(line, &folder).start();
    let uri = running.line();
    Protected {
        folder,
        _running: running,
        uri,
    }
}

fn keyed(line: Line, folder: &TempDir) -> Line {
    let line = line.env("IOTCTL_OSCORE_SECRET", SECRET);
    line.env("XDG_STATE_HOME", folder.path())
}

impl Protected {
    fn plain(&self, command: &str, path: &str) -> Line {
        iotctl(&format!("coap {command}")).word(format!("{}{path}", self.uri))
    }

    fn ours(&self, command: &str, path: &str) -> Line {
        keyed(self.plain(command, path).words(CLIENT), &self.folder)
    }

    /// The numbers that the two state files hold.
    fn numbers(&self) -> Vec<u64> {
        let files = fs::read_dir(self.folder.path().join("iotctl/oscore")).unwrap();
        let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        let number = |text: String| text.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
        let mut numbers: Vec<u64> = texts.map(number).collect();
        numbers.sort_unstable();
        numbers
    }
}

#[test]
fn requests_blocks_and_observations_are_protected_over_every_transport() {
    let body = vec![b'x'; 5000];
    for scheme in ["coap", "coap+tcp", "coap+ws"] {
        let server = server(
            scheme,
            "-r /temp=text:21.5 -r /store=store -r /count=counter:0.05",
        );
        let ended = server.ours("get -v --trace", "/temp").run();
        let ended = ended.exits(0).prints("21.5").says("OSCORE 0x09");
        assert!(!ended.stderr.contains("CON 0.01"), "{}", ended.stderr);
        let put = server.ours("put -s", "/store/big").input(body.clone());
        put.run().exits(0);
        let got = server.ours("get", "/store/big").run().exits(0);
        assert!(got.stdout == body, "{scheme}");
        let observed = server.ours("observe -C 3", "/count").run().exits(0);
        assert_eq!(observed.text().lines().count(), 3, "{scheme}");
        let found = server.ours("discover --output paths", "").run().exits(0);
        found.contains("/temp");
    }
}

#[test]
fn what_is_not_protected_is_refused() {
    let server = server("coap", "-r /temp=text:21.5");
    let ended = server.plain("get", "/temp").run().exits(4).prints("");
    ended.says("only OSCORE-protected requests are accepted");
    let wrong = server
        .ours("get", "/temp")
        .env("IOTCTL_OSCORE_SECRET", "another");
    wrong
        .run()
        .exits(1)
        .says("4.00 Bad Request (not protected by OSCORE): Decryption failed")
        .says("hint: check --oscore-secret");
    let unknown = keyed(
        server.plain("get --oscore-sender-id 0x07", "/temp"),
        &server.folder,
    );
    unknown.run().exits(4).says("Security context not found");
    server.plain("ping -C 1", "").run().exits(0);
}

#[test]
fn a_success_that_is_not_protected_is_none() {
    let folder = TempDir::new().unwrap();
    let mut server = iotctl("coap server -r /a=text:1 --listen 127.0.0.1:0").start();
    let uri = server.line();
    let get = iotctl("coap get").words(CLIENT).word(format!("{uri}/a"));
    keyed(get, &folder)
        .run()
        .exits(1)
        .says("4.02 Bad Option (not protected by OSCORE)");
}

#[test]
fn the_sequence_number_outlives_the_command_and_a_crash() {
    let server = server("coap", "-r /temp=text:21.5 -r /count=counter:1h");
    server.ours("get", "/temp").run().exits(0);
    // The server has reserved its step; the client has given back what it did not use: the challenge took one more.
    assert_eq!(server.numbers(), [2, 1024]);
    server.ours("get", "/temp").run().exits(0);
    assert_eq!(server.numbers(), [3, 1024]);
    let mut crashed = server.ours("observe", "/count").start();
    crashed.line();
    crashed.signal("KILL");
    crashed.ends();
    assert_eq!(server.numbers(), [1024, 3 + 1024]);
    server.ours("get", "/temp").run().exits(0);
    assert_eq!(server.numbers(), [1024, 4 + 1024]);
}

#[test]
fn two_commands_do_not_share_a_context() {
    let server = server("coap", "-r /temp=text:21.5 -r /count=counter:1h");
    let mut first = server.ours("observe", "/count").start();
    first.line();
    let second = server.ours("get --connect-timeout 0.1", "/temp").run();
    second.exits(8).prints("").says("in use by another command");
    first.signal("TERM");
    first.ends().exits(143);
    server.ours("get", "/temp").run().exits(0).prints("21.5");
}

#[test]
fn bad_contexts_are_refused_before_anything_is_sent() {
    let folder = TempDir::new().unwrap();
    let get = |words: &str| iotctl("coap get coap://127.0.0.1:1/").words(words);
    let refused = |line: Line, words: &str| {
        keyed(line, &folder).run().exits(2).prints("").says(words);
    };
    refused(get(""), "have the same OSCORE ID");
    refused(
        get("--oscore-sender-id 0x0102030405060708"),
        "more than 7 bytes",
    );
    refused(get("--oscore-sender-id 0x1"), "has invalid digits");
    let group = iotctl("coap get coap://224.0.1.187/").words(CLIENT);
    refused(group, "cannot protect multicast requests");
    let bare = get("--oscore-sender-id 1").env("XDG_STATE_HOME", folder.path());
    bare.run().exits(2).says("OSCORE needs a master secret");
    let state = folder.path().join("state");
    fs::write(&state, "something else\n").unwrap();
    let line = get(CLIENT).word("--oscore-state").word(&state);
    refused(line, "does not hold an OSCORE sequence number");
}

#[test]
fn an_emptied_state_file_is_refused() {
    let server = server("coap", "-r /temp=text:21.5");
    let state = server.folder.path().join("state");
    let ours = || {
        server
            .ours("get", "/temp")
            .word("--oscore-state")
            .word(&state)
    };
    ours().run().exits(0).prints("21.5");
    fs::write(&state, "").unwrap();
    let ended = ours().run().exits(2);
    ended.says("is empty: the OSCORE sequence number in it is lost");
    assert_eq!(fs::read_to_string(&state).unwrap(), "");
    // Nothing is left beside it.
    let names = fs::read_dir(server.folder.path()).unwrap();
    assert_eq!(names.count(), 2);
}
