//! How a run of `simulate` is watched, and how it ends.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::{Account, kept, simulate, written};
use crate::support::broker::broker;
use crate::support::mosquitto::mosquitto;
use crate::support::peer::{Peer, read_until, welcome};
use crate::support::wait_for;

const READINGS: &str = r#"
[[device]]
id = "d{n}"
count = 3
status = { topic = "devices/{id}/status" }
[[device.sensor]]
name = "t"
every = "20ms"
value = { counter = {} }
qos = 1
"#;

/// Prometheus, a file, a page and JSON: all say the same, and what waits is told when all are there.
#[test]
fn a_run_is_watched_and_written_down() {
    let broker = mosquitto();
    let folder = tempfile::tempdir().unwrap();
    let (file, there) = (
        written(folder.path(), READINGS),
        folder.path().join("there"),
    );
    let page = folder.path().join("run.html");
    let mut fleet = simulate(broker.port, &file, &kept(folder.path()))
        .words("--output json --prometheus-listen 127.0.0.1:0 --assert births==3 --html")
        .word(&page)
        .word("--ready-file")
        .word(&there)
        .start();
    let said = fleet.hears("metrics at http://");
    let address = said.split("http://").nth(1).unwrap();
    let address = address.trim_end_matches("/metrics").to_owned();
    wait_for("all devices", || fs::metadata(&there).ok());
    let counted = wait_for("acknowledgements", || {
        let mut stream = TcpStream::connect(&address).unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let found = text.contains("\niotctl_simulate_acknowledged_total ")
            && !text.contains("\niotctl_simulate_acknowledged_total 0\n");
        found.then_some(text)
    });
    assert!(
        counted.contains("\niotctl_simulate_births_total 3\n"),
        "{counted}"
    );
    assert!(
        counted.contains("# HELP iotctl_simulate_births_total Births published.\n"),
        "{counted}"
    );
    fleet.signal("INT");
    let ended = fleet.ends().exits(130);
    assert!(!there.exists());
    let shown: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(shown, Account::of(folder.path()).0);
    assert_eq!(shown["published"], shown["acknowledged"]);
    let page = fs::read_to_string(page).unwrap();
    assert!(
        page.contains("all 1 assertions met") && page.contains("births"),
        "{page}"
    );
}

/// What is not acknowledged in time is counted, and the exit code says so.
#[test]
fn what_is_not_acknowledged_by_the_end_is_a_failure() {
    let broker = broker("--fault drop-ack:packet=puback");
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), READINGS);
    let words = kept(folder.path());
    let fleet = simulate(broker.port, &file, &words).words("--for 1s --drain 200ms");
    let ended = fleet.run().exits(6);
    ended.says("not acknowledged by the end of the run");
    let account = Account::of(folder.path());
    assert!(account.count("unacknowledged") > 3);
    assert_eq!(account.count("published"), account.count("unacknowledged"));
}

#[test]
fn a_file_that_cannot_be_written_is_found_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), READINGS);
    for words in ["--save-json /none/x", "--html /none/x"] {
        let ended = simulate(1, &file, words).run().exits(8);
        ended.says("cannot write /none/x");
    }
}

/// Readings made while the server is away are sent afterwards.
#[test]
fn readings_are_kept_through_an_outage() {
    let mut broker = mosquitto();
    let folder = tempfile::tempdir().unwrap();
    let file = written(
        folder.path(),
        &READINGS.replace("count = 3", "count = 3\nbuffer = 5000"),
    );
    let fleet = simulate(broker.port, &file, &kept(folder.path())).start();
    let mut readings = broker.iotctl("sub -t sensors/+/t").start();
    readings.line();
    broker.stop();
    broker.restart();
    for _ in 0..50 {
        readings.line();
    }
    fleet.signal("INT");
    fleet.ends().exits(130);
    let account = Account::of(folder.path());
    let (count, account) = (|name: &str| account.count(name), &account.0);
    assert!(count("buffered") > 0, "{account}");
    assert_eq!((count("while_offline"), count("buffer_dropped")), (0, 0));
    assert_eq!(count("buffered"), count("forwarded") + count("buffer_left"));
    // Three births for each connection of each device, and all readings.
    let sent = count("readings") - count("buffer_left") + count("births") + count("clean_ends");
    assert_eq!(count("published"), sent, "{account}");
    assert_eq!(count("published"), count("acknowledged"), "{account}");
}

/// Devices log in without sending the password.
#[test]
fn devices_log_in_by_scram() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    fs::write(&users, "ann:secret\n").unwrap();
    let broker = broker(&format!("--password-file {}", users.display()));
    let file = written(folder.path(), READINGS);
    let ready = folder.path().join("ready");
    let words = format!(
        "-u ann --auth-method scram-sha-256 --ready-file {}",
        ready.display()
    );
    let words = words.as_str();
    let fleet = |password| simulate(broker.port, &file, words).env("IOTCTL_PASSWORD", password);
    let running = fleet("secret").start();
    wait_for("the devices", || ready.exists().then_some(()));
    running.signal("TERM");
    running.ends().exits(143);
    fleet("wrong").run().exits(4).says("not authorized");
    let ended = simulate(broker.port, &file, words).run().exits(2);
    ended.says("--auth-method needs a user name and a password");
    let older = simulate(broker.port, &file, words).words("-V 311");
    older.run().exits(2).says("--auth-method needs MQTT 5");
}

/// A million readings a second are too many for any machine: the run says so, and an assertion judges it.
#[test]
fn a_fleet_that_falls_behind_its_schedule_says_so() {
    let broker = mosquitto();
    let folder = tempfile::tempdir().unwrap();
    let text = READINGS
        .replace("count = 3", "count = 200")
        .replace("qos = 1", "qos = 0");
    let file = written(folder.path(), &text);
    let words = format!("{} --speed 100000 --for 1s", kept(folder.path()));
    simulate(broker.port, &file, &words)
        .words("--assert late==0")
        .run()
        .exits(7)
        .says("the fleet fell behind its schedule")
        .contains("\nschedule: ");
    let account = Account::of(folder.path());
    assert!(account.count("late") > 0 && account.count("lag_max_ms") > 100);
}

/// A server that closes the connection at each PUBLISH has refused nothing.
#[test]
fn what_the_server_closes_the_connection_over_is_given_up_and_accounted_for() {
    let server = Peer::start(|stream, _| {
        welcome(stream);
        read_until(stream, 0x30)
    });
    let folder = tempfile::tempdir().unwrap();
    let file = written(
        folder.path(),
        &READINGS.replace("count = 3", "count = 1\nbuffer = 5"),
    );
    let words = kept(folder.path());
    let fleet = simulate(server.port, &file, &words).words("--for 4s --drain 1s");
    let ended = fleet.run().exits(6);
    for wrong in ["add up", "refused by the server", "--drain"] {
        assert!(!ended.stderr.contains(wrong), "{}", ended.stderr);
    }
    let account = Account::of(folder.path());
    assert_eq!(account.count("refused"), 0);
    if account.count("abandoned") > 0 {
        ended.says("given up: the server closed the connection each time it got them");
    }
}
