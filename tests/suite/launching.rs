//! Commands that a server runs for, and scripts that are told when something is ready.

use std::net::TcpStream;
use std::path::Path;

use crate::support::broker::broker;
use crate::support::command::{Line, iotctl};
use crate::support::peer::{Peer, drain, subscribed};
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::wait_for;

/// The three servers.
const SERVERS: [&str; 3] = ["mqtt broker", "amqp broker", "coap server"];

fn shell(server: &str, script: &str) -> Line {
    iotctl(server).words("-- sh -c").word(script)
}

/// The program under test, for scripts.
fn program() -> &'static str {
    env!("CARGO_BIN_EXE_iotctl")
}

#[test]
fn a_server_runs_for_its_command_and_ends_as_that_does() {
    for (server, scheme) in SERVERS.into_iter().zip(["mqtt", "amqp", "coap"]) {
        let ended = shell(server, "echo $IOTCTL_URL; exit 7")
            .env("IOTCTL_HOST", "192.0.2.1")
            .env("IOTCTL_PORT", "1")
            .run()
            .exits(7);
        let url = ended.text().trim_end();
        let port = url.strip_prefix(&format!("{scheme}://127.0.0.1:"));
        assert!(port.is_some_and(|port| port != "0"), "{url}");
        assert!(ended.stderr.contains(&format!("listening on {url}\n")));
        // Nobody listens there any more.
        if server != "coap server" {
            let address = url.split("://").nth(1).unwrap();
            assert!(TcpStream::connect(address).is_err());
        }
        shell(server, "true").run().exits(0);
    }
}

#[test]
fn all_commands_find_the_server_in_their_environment() {
    for (server, script, shown) in [
        (
            "mqtt broker",
            "$I mqtt pub -t a -q 1 -r -m x && $I mqtt sub -t a -C 1 -W 60",
            "x\n",
        ),
        (
            "amqp broker",
            "$I amqp publish -k q --declare -m x && $I amqp get q",
            "x\n",
        ),
        (
            "coap server",
            "$I coap put /store/a -m x && $I coap get /store/a",
            "x",
        ),
    ] {
        let line = shell(server, script).env("I", program());
        line.run().exits(0).prints(shown);
    }
}

#[test]
fn standard_input_and_signals_are_the_commands() {
    iotctl("mqtt broker --quiet -- cat")
        .input("to the command")
        .run()
        .exits(0)
        .quietly()
        .prints("to the command");
    for (signal, caught) in [("TERM", 3), ("INT", 4)] {
        let script = "trap 'exit 3' TERM; trap 'exit 4' INT; echo up; while :; do sleep 0.05; done";
        let mut running = shell("mqtt broker", script).start();
        assert_eq!(running.line(), "up");
        running.signal(signal);
        running.ends_by_itself().exits(caught);
    }
    // As a shell has it.
    shell("mqtt broker", "kill -KILL $$").run().exits(137);
    iotctl("mqtt broker -- /nonexistent/command")
        .run()
        .exits(8)
        .says("cannot run /nonexistent/command: no such file or directory");
}

#[test]
fn a_second_signal_ends_both_at_once() {
    let script = "trap 'echo caught' TERM; echo $$; while :; do sleep 0.05; done";
    let mut running = shell("mqtt broker", script).start();
    let child = running.line();
    running.signal("TERM");
    assert_eq!(running.line(), "caught");
    running.signal("TERM");
    running.ends_by_itself().exits(143);
    wait_for("the end of the command", || {
        let state = std::fs::read_to_string(format!("/proc/{child}/stat"));
        let gone = state.map_or(true, |state| state.contains(") Z "));
        gone.then_some(())
    });
}

#[test]
fn the_url_is_in_a_file_while_clients_can_connect() {
    let folder = tempfile::tempdir().unwrap();
    for server in SERVERS {
        let file = folder.path().join("url");
        std::fs::write(&file, "of an earlier run").unwrap();
        let words = "--listen 127.0.0.1:0 --listen 127.0.0.1:0 --url-file";
        let mut running = iotctl(server).words(words).word(&file).start();
        let urls = running.lines(2);
        let lines = wait_for("the file", || std::fs::read_to_string(&file).ok());
        assert_eq!(lines.lines().collect::<Vec<_>>(), urls);
        running.signal("TERM");
        running.ends().exits(0);
        assert!(!file.exists());
    }
    let nowhere = folder.path().join("missing").join("url");
    iotctl("mqtt broker --listen 127.0.0.1:0 --url-file")
        .word(&nowhere)
        .run()
        .exits(8)
        .says(&format!(
            "cannot write {}: no such file or directory",
            nowhere.display()
        ));
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    // Nobody reads it.
    iotctl("mqtt broker --listen 127.0.0.1:0 --url-file")
        .word(&pipe)
        .run()
        .exits(8)
        .says("cannot write");
}

/// Runs a receiver to its end; it is told that it is ready exactly when it is.
fn told(receiver: Line, send: impl FnOnce()) {
    let folder = tempfile::tempdir().unwrap();
    let (ready, calls) = (folder.path().join("ready"), folder.path().join("calls"));
    std::fs::write(&ready, "of an earlier run").unwrap();
    let running = receiver
        .words("--on-ready")
        .word(format!("echo ready; echo called >> {}", calls.display()))
        .words("--ready-file")
        .word(&ready)
        .start();
    wait_for("readiness", || {
        std::fs::read(&ready).ok().filter(Vec::is_empty)
    });
    send();
    let ended = running.ends().exits(0);
    assert!(!ready.exists());
    let called = |path: &Path| std::fs::read_to_string(path).ok();
    wait_for("the command", || {
        called(&calls).filter(|it| it == "called\n")
    });
    // What it says is no message.
    assert!(!ended.text().contains("ready"), "{}", ended.text());
}

#[test]
fn receivers_tell_when_they_are_ready() {
    let broker = broker("");
    told(broker.iotctl("sub -t a -C 1 -W 60"), || {
        broker.iotctl("pub -t a -m x").run().exits(0);
    });
    told(broker.iotctl("respond -t b --echo -C 1 -W 60"), || {
        broker.iotctl("request -t b -m x -W 60").run().exits(0);
    });
    let name = unique("ready");
    let url = rabbitmq().url();
    let amqp = |words: &str| iotctl(&format!("amqp {words}"));
    amqp(&format!("declare queue {name} -L {url}"))
        .run()
        .exits(0);
    told(amqp(&format!("consume {url} {name} -C 1 -W 60")), || {
        amqp(&format!("publish {url} -k {name} -m x"))
            .run()
            .exits(0);
    });
    told(amqp(&format!("respond {url} {name} --echo -C 1")), || {
        amqp(&format!("request {url} {name} -m x -W 60"))
            .run()
            .exits(0);
    });
    let mut server = iotctl("coap server --listen 127.0.0.1:0").start();
    let url = server.line();
    iotctl(&format!("coap put {url}/store/a -m 0"))
        .run()
        .exits(0);
    told(
        iotctl(&format!("coap observe {url}/store/a -C 2 -W 60")),
        || {
            iotctl(&format!("coap put {url}/store/a -m 1"))
                .run()
                .exits(0);
        },
    );
}

#[test]
fn who_is_refused_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    std::fs::write(&ready, "of an earlier run").unwrap();
    let peer = Peer::start(|stream: &mut TcpStream, _| {
        subscribed(stream, &[0x87]);
        drain(stream);
    });
    let calls = folder.path().join("calls");
    let told = |line: Line| {
        let line = line
            .words("--on-ready")
            .word(format!("echo > {}", calls.display()));
        line.words("--ready-file").word(&ready)
    };
    told(iotctl(&format!("mqtt sub -p {} -t a", peer.port)))
        .run()
        .exits(4);
    assert!(!ready.exists());
    let broker = broker("--fault no-suback");
    told(broker.iotctl("sub -t a -W 500ms")).run().exits(5);
    assert!(!ready.exists() && !calls.exists());
}
