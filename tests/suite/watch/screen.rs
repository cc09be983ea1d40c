//! The screen, on a terminal of tmux.

use super::{FLEET, publish};
use crate::support::broker::{Broker, broker};
use crate::support::command::signal;
use crate::support::mosquitto::mosquitto;
use crate::support::tmux::Terminal;
use crate::support::wait_for;

fn url(port: u16) -> String {
    format!("mqtt://127.0.0.1:{port}")
}

fn open(broker: &Broker, environment: &str, columns: u32, lines: u32) -> Terminal {
    let url = url(broker.port);
    let words = [&["watch", &url], &FLEET[..]].concat();
    Terminal::start(&words, environment, columns, lines)
}

fn filled() -> Broker {
    let broker = broker("");
    for (topic, payload) in [
        ("devices/d1/status", "online"),
        ("devices/d2/status", "offline"),
        ("sensors/d1/temperature", r#"{"value":21.5,"unit":"C"}"#),
        ("sensors/d2/garbage", "\x1b[2J\x1b]0;owned\x07\u{202e}"),
        (
            "alerts/d1/hot",
            r#"{"state":"firing","severity":"critical"}"#,
        ),
    ] {
        publish(broker.port, &["-t", topic, "-m", payload, "-r"]);
    }
    broker
}

#[test]
fn each_pane_shows_its_part_in_every_size() {
    let broker = filled();
    let terminal = open(&broker, "", 120, 40);
    terminal.shows(&[
        "● mqtt://127.0.0.1:",
        "2 devices (1 online, 1 offline), 1 alert, 5 topics",
        "▸ devices",
        "2 topics",
    ]);
    assert!(terminal.is_taken());
    terminal.keys(&["2"]);
    terminal.shows(&[
        "DEVICE",
        "temperature",
        "d1",
        "online",
        "21.5",
        "d2",
        "offline",
    ]);
    terminal.keys(&["3"]);
    terminal.shows(&["alerts/d1/hot", "critical", "firing"]);
    terminal.keys(&["4"]);
    terminal.shows(&["start with --sys"]);
    terminal.resize(40, 10);
    terminal.insists("1", &["▸ devices", "1 Topics"]);
    terminal.resize(80, 24);
    terminal.insists("2", &["DEVICE", "temperature"]);
    terminal.keys(&["1", "?"]);
    terminal.shows(&["remove the retained messages of a topic and below"]);
    terminal.keys(&["Escape"]);
    terminal.shows(&["▸ sensors"]);
    terminal.keys(&["q"]);
    terminal.ends_with(0);
}

#[test]
fn what_messages_say_does_not_drive_the_terminal() {
    let broker = filled();
    let terminal = open(&broker, "", 100, 30);
    terminal.keys(&["s"]);
    let seen = terminal.shows(&["\\x1b[2J\\x1b]0;owned\\x07"]);
    assert!(seen.contains("devices/d1/status"), "{seen}");
    terminal.keys(&["C-c"]);
    terminal.ends_with(0);
}

#[test]
fn a_topic_in_detail_changes_while_it_is_looked_at() {
    let broker = filled();
    let terminal = open(&broker, "", 120, 40);
    terminal.shows(&["▸ sensors"]);
    terminal.types("/temperature");
    terminal.shows(&["search: temperature"]);
    terminal.keys(&["Enter", "Enter"]);
    terminal.shows(&["\"value\": 21.5", "retained", "/value: 21.5"]);
    publish(
        broker.port,
        &[
            "-t",
            "sensors/d1/temperature",
            "-m",
            r#"{"value":22,"unit":"C"}"#,
        ],
    );
    terminal.shows(&[
        "+   \"value\": 22,",
        "-   \"value\": 21.5,",
        "/value: 22, from 21.5 to 22",
    ]);
    terminal.keys(&["p"]);
    terminal.shows(&["PAUSED"]);
    publish(
        broker.port,
        &[
            "-t",
            "sensors/d1/temperature",
            "-m",
            r#"{"value":23,"unit":"C"}"#,
        ],
    );
    terminal.keys(&["p"]);
    terminal.shows(&["/value: 23, from 21.5 to 23"]);
    terminal.keys(&["q"]);
    terminal.ends_with(0);
}

#[test]
fn the_screen_publishes_removes_and_records_when_it_is_told_to() {
    let broker = filled();
    let terminal = open(&broker, "", 120, 30);
    terminal.shows(&["▸ devices"]);
    terminal.keys(&["w", "Enter"]);
    terminal.shows(&["REC 0"]);
    terminal.keys(&["P", "C-u"]);
    terminal.types("sensors/d3/temperature");
    terminal.keys(&["Enter"]);
    terminal.types(r#"{"value":3}"#);
    terminal.keys(&["Enter"]);
    terminal.shows(&["publish 11 bytes to sensors/d3/temperature?"]);
    terminal.keys(&["y"]);
    terminal.shows(&["published to sensors/d3/temperature", "REC 1", "3 devices"]);
    terminal.keys(&["w"]);
    terminal.shows(&["recorded 1 message to recording.ndjson"]);
    let recorded = std::fs::read_to_string(terminal.file("recording.ndjson")).unwrap();
    assert!(
        recorded.contains("\"topic\":\"sensors/d3/temperature\""),
        "{recorded}"
    );
    terminal.keys(&["Home", "Down", "D"]);
    let question = "remove 2 retained messages at devices and below? yes or 2, Enter";
    terminal.shows(&[question]);
    terminal.keys(&["n", "Enter"]);
    terminal.shows(&["nothing was done"]);
    // What is pasted presses no keys.
    terminal.pastes("Dyes\nD2\nq");
    terminal.shows(&["what was pasted was ignored", "▸ devices"]);
    terminal.keys(&["D"]);
    terminal.shows(&[question]);
    terminal.pastes("yes\n");
    terminal.shows(&["Enter: yes"]);
    terminal.keys(&["Enter"]);
    terminal.shows(&["removed 2 retained messages"]);
    let left = super::watch(
        broker.port,
        &["--once", "-t", "devices/#", "--expect", "topics == 0"],
    );
    left.run().exits(0);
    terminal.keys(&["q"]);
    terminal.ends_with(0);
}

/// What is updated while it is watched, or retained only then, comes without a mark: the server is asked.
#[test]
fn retained_messages_are_counted_at_the_server() {
    let broker = mosquitto();
    publish(broker.port, &["-t", "a/old", "-m", "1", "-r"]);
    let terminal = Terminal::start(&["watch", &url(broker.port)], "", 100, 20);
    terminal.shows(&["▸ a"]);
    publish(broker.port, &["-t", "a/old", "-m", "2", "-r"]);
    publish(broker.port, &["-t", "a/new", "-m", "3", "-r"]);
    publish(broker.port, &["-t", "a/live", "-m", "4"]);
    terminal.keys(&["s"]);
    terminal.shows(&["a/old", "a/new", "a/live"]);
    terminal.keys(&["s", "s", "s", "s", "D"]);
    terminal.shows(&["remove 2 retained messages at a and below? yes or 2, Enter"]);
    terminal.keys(&["2", "Enter"]);
    terminal.shows(&["removed 2 retained messages"]);
    terminal.keys(&["D"]);
    terminal.shows(&["there is no retained message at a and below"]);
    terminal.keys(&["q"]);
    terminal.ends_with(0);
}

/// Many retained messages are removed bit by bit, and the rest is not dropped without a word.
#[test]
fn many_retained_messages_are_removed_with_progress() {
    let broker = mosquitto();
    let record = |at: u32| format!("{{\"topic\":\"many/{at}\",\"payload\":\"x\"}}\n");
    let records: String = (0..6_000).map(record).collect();
    let line = broker.iotctl("pub --ndjson -r -q 1");
    line.input(records).run().exits(0);
    let terminal = Terminal::start(&["watch", &url(broker.port)], "", 100, 20);
    terminal.shows(&["6000 topics"]);
    terminal.keys(&["D"]);
    terminal.shows(&["remove 6000 retained messages at many and below? yes or 6000, Enter"]);
    terminal.types("6000");
    terminal.keys(&["Enter"]);
    terminal.shows(&["removed 500 of 6000 retained messages"]);
    terminal.keys(&["q"]);
    terminal.shows(&["of 6000 retained messages: quit and leave the rest? y, n"]);
    terminal.keys(&["n"]);
    terminal.shows(&["removed 3000 of 6000 retained messages"]);
    terminal.keys(&["q"]);
    terminal.shows(&["quit and leave the rest? y, n"]);
    terminal.keys(&["y"]);
    let seen = terminal.ends_with(0);
    assert!(
        seen.contains("of 6000 retained messages: the rest was left"),
        "{seen}"
    );
}

#[test]
fn the_terminal_is_given_back_on_every_way_out() {
    let broker = filled();
    let terminal = open(&broker, "", 80, 24);
    terminal.shows(&["▸ devices"]);
    signal(terminal.program(), "TERM");
    terminal.ends_with(143);
    let terminal = open(&broker, "", 80, 24);
    terminal.shows(&["▸ devices"]);
    signal(terminal.program(), "INT");
    terminal.ends_with(130);
    // No connection at all.
    let words = ["watch", "mqtt://127.0.0.1:1"];
    let terminal = Terminal::start(&words, "", 80, 24);
    let seen = terminal.ends_with(3);
    assert!(
        seen.contains("cannot connect to mqtt://127.0.0.1:1"),
        "{seen}"
    );
}

#[test]
fn a_program_that_is_stopped_gives_the_terminal_back() {
    let broker = filled();
    // With job control, as in a shell that people use.
    let terminal = open(&broker, "A=1; set -m", 80, 24);
    terminal.shows(&["▸ devices"]);
    let program = terminal.program();
    terminal.keys(&["C-z"]);
    terminal.ends_with(148);
    signal(program, "KILL");
}

#[test]
fn a_lost_connection_is_seen_and_the_way_back() {
    let mut broker = mosquitto();
    let terminal = Terminal::start(&["watch", &url(broker.port)], "", 120, 20);
    broker.sees_subscriptions("#", 1);
    publish(broker.port, &["-t", "a", "-m", "1"]);
    terminal.shows(&["● mqtt", "1 topic"]);
    broker.kill();
    terminal.shows(&["○ mqtt", "no connection to", "~"]);
    broker.restart();
    terminal.shows(&["● mqtt", "1 topic", "~"]);
    publish(broker.port, &["-t", "a", "-m", "2"]);
    wait_for("news", || (!terminal.seen().contains('~')).then_some(()));
    terminal.keys(&["q"]);
    terminal.ends_with(0);
}

#[test]
fn a_terminal_that_cannot_be_drawn_on_gets_tables() {
    let broker = filled();
    for (environment, why) in [("TERM=dumb", "TERM is dumb"), ("TERM=", "TERM is not set")] {
        let terminal = open(&broker, environment, 100, 24);
        terminal.shows(&[&format!("{why}: printing a table every 10s")]);
        assert!(!terminal.is_taken());
        signal(terminal.program(), "INT");
        terminal.ends_with(130);
    }
}

#[test]
fn colours_go_when_they_are_not_wanted() {
    let broker = filled();
    let is_coloured = |terminal: &Terminal| {
        terminal.shows(&["▸ devices"]);
        terminal.colours().contains("\x1b[38;5;")
    };
    assert!(is_coloured(&open(&broker, "TERM=screen-256color", 80, 24)));
    assert!(!is_coloured(&open(&broker, "NO_COLOR=1", 80, 24)));
}
