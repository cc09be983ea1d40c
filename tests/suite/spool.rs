//! `--spool` and `--dedup` of `bridge`, `route` and `log`: what is acknowledged is on the disk, and arrives, once the target is
//! there.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use crate::support::broker::{Broker, broker, started};
use crate::support::command::{Line, iotctl};
use crate::support::ports::free_ports;
use crate::support::wait_for;

/// Words, with these in place of `FROM`, `TO` and `DIR`.
fn filled(words: &str, from: &str, to: &str, folder: &Path) -> String {
    let folder = folder.display().to_string();
    let words = words.replace("FROM", from).replace("TO", to);
    words.replace("DIR", &folder)
}

fn url(port: u16) -> String {
    format!("mqtt://127.0.0.1:{port}")
}

fn broker_at(port: u16) -> Broker {
    started(iotctl(&format!("mqtt broker --listen 127.0.0.1:{port}")))
}

/// Publishes numbers, one after the other.
fn publish(broker: &Broker, numbers: std::ops::Range<u32>) {
    let lines: String = numbers.map(|number| format!("{number}\n")).collect();
    let line = broker.iotctl("pub -t s/n -l -q 1").input(lines);
    line.run().exits(0);
}

/// What a spool has not delivered.
fn left(folder: &Path) -> Vec<u32> {
    let line = iotctl("replay --speed max").word(folder.join("spool"));
    let ended = line.run();
    ended.text().lines().map(|it| it.parse().unwrap()).collect()
}

#[test]
fn a_bridge_receives_while_its_target_is_away_and_is_killed_and_nothing_is_lost() {
    let one = broker("");
    let [port] = free_ports();
    let folder = tempfile::tempdir().unwrap();
    let words = "bridge FROM TO -t 's/#' --clean --spool DIR/spool";
    let words = filled(words, &url(one.port), &url(port), folder.path());
    let bridge = || iotctl(&words.replace("'s/#'", "s/#"));
    let running = bridge().ready(folder.path());
    publish(&one, 0..50);
    wait_for("the spool", || {
        (left(folder.path()).len() == 50).then_some(())
    });
    running.signal("KILL");
    running.ends();
    // What comes from here on is not subscribed to: it has to be there already.
    let running = bridge().ready(folder.path());
    publish(&one, 50..60);
    wait_for("the spool", || {
        (left(folder.path()).len() == 60).then_some(())
    });
    running.signal("KILL");
    running.ends();
    let mut two = broker_at(port);
    let mut watcher = two.iotctl("sub -t # -q 1").start();
    two.sees_subscription("#");
    let running = bridge().ready(folder.path());
    let lines = watcher.lines(60);
    let numbers: Vec<u32> = lines.iter().map(|it| it.parse().unwrap()).collect();
    assert_eq!(numbers, (0..60).collect::<Vec<_>>());
    wait_for("the cursor", || {
        left(folder.path()).is_empty().then_some(())
    });
    running.signal("TERM");
    let ended = running.ends();
    ended
        .says("received 0 messages: 0 spooled")
        .says("from the spool 60 messages: 60 delivered");
    iotctl("replay --info")
        .word(folder.path().join("none"))
        .run()
        .exits(8);
}

#[test]
fn a_spool_is_not_delivered_the_wrong_way_round_and_topics_that_changed_lose_nothing() {
    let one = broker("");
    let [port] = free_ports();
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let (from, to) = (url(one.port), url(port));
    let bridge = |from: &str, to: &str, topic: &str| {
        let words = format!("bridge {from} {to} -t {topic} --clean --spool");
        iotctl(&words).word(&spool)
    };
    let running = bridge(&from, &to, "s/#").ready(folder.path());
    publish(&one, 0..5);
    wait_for("the spool", || {
        (left(folder.path()).len() == 5).then_some(())
    });
    running.signal("KILL");
    running.ends();
    bridge(&to, &from, "s/#")
        .run()
        .exits(2)
        .says("has messages from mqtt://");
    assert_eq!(left(folder.path()).len(), 5);
    let two = broker("");
    let running = bridge(&from, &url(two.port), "other/#").start();
    let bad = spool.join("bad.ndjson");
    wait_for("what is kept", || {
        let text = fs::read_to_string(&bad).ok()?;
        (text.lines().count() == 5).then_some(())
    });
    running.signal("TERM");
    running
        .ends()
        .says("5 lines of the spool cannot be delivered, and went to ");
}

#[test]
fn what_is_too_old_or_goes_nowhere_is_done_with_though_nothing_else_comes() {
    let one = broker("");
    let [port] = free_ports();
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let bad = spool.join("bad.ndjson");
    let bridge = |to: &str, words: &str| {
        let words = format!("bridge {} {to} {words} --clean --spool", url(one.port));
        iotctl(&words).word(&spool)
    };
    let fill = |range: std::ops::Range<u32>| {
        let count = range.len();
        let running = bridge(&url(port), "-t s/#").ready(folder.path());
        publish(&one, range);
        wait_for("the spool", || {
            (left(folder.path()).len() == count).then_some(())
        });
        running.signal("KILL");
        running.ends();
    };
    let two = broker("");
    fill(0..5);
    // A second run finds nothing to do.
    for told in ["5 filtered out", "received 0 messages"] {
        bridge(&url(two.port), "-t other/# --idle 1")
            .run()
            .says(told);
        assert!(left(folder.path()).is_empty(), "{told}");
        assert_eq!(fs::read_to_string(&bad).unwrap().lines().count(), 5);
    }
    fill(5..8);
    for told in ["3 expired", "received 0 messages"] {
        bridge(&url(two.port), "-t s/# --spool-age 1ms --idle 1")
            .run()
            .says(told);
        assert!(left(folder.path()).is_empty(), "{told}");
    }
    fs::write(spool.join("00000099.ndjson"), "no record\n").unwrap();
    for _ in 0..2 {
        bridge(&url(two.port), "-t s/# --idle 1").run().exits(0);
        assert!(left(folder.path()).is_empty());
        assert_eq!(fs::read_to_string(&bad).unwrap().lines().count(), 6);
    }
}

#[test]
fn a_spool_belongs_to_one_process_and_its_flags_to_it() {
    let one = broker("");
    let folder = tempfile::tempdir().unwrap();
    let words = "log FROM -t s/# --to DIR/x.ndjson --spool DIR/spool";
    let words = filled(words, &url(one.port), "", folder.path());
    let running = iotctl(&words).ready(folder.path());
    let second = words.replace("x.ndjson", "y.ndjson");
    iotctl(&second)
        .word("--clean")
        .run()
        .exits(8)
        .says("is used by another process");
    publish(&one, 0..3);
    wait_for("the file", || {
        let text = fs::read_to_string(folder.path().join("x.ndjson")).ok()?;
        (text.lines().count() == 3).then_some(())
    });
    running.signal("TERM");
    running
        .ends()
        .says("received 3 messages: 3 spooled")
        .says("from the spool 3 messages: 3 delivered");
    iotctl("log x.ndjson --to y.ndjson --spool-size 1GiB")
        .run()
        .exits(2);
    iotctl("log x.ndjson --to y.ndjson --spool d --spool-size 1KiB")
        .run()
        .exits(2)
        .says("--spool-size must be at least 1MiB");
}

#[test]
fn a_route_that_ends_in_time_leaves_what_is_not_delivered() {
    let one = broker("");
    let [port] = free_ports();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.toml");
    let routes = filled(
        "[spool]\ndir = \"spool\"\nsize = \"2MiB\"\n[source.a]\nurl = \"FROM\"\n[target.b]\nurl = \"TO\"\n[[route]]\nfrom = \"a\"\ntopic = \"s/{x}\"\nto = \"b\"\ntopic-out = \"r/{x}\"\n",
        &url(one.port),
        &url(port),
        folder.path(),
    );
    fs::write(&file, routes).unwrap();
    let running = iotctl("route --for 2s --drain 100ms")
        .word(&file)
        .ready(folder.path());
    publish(&one, 0..5);
    running
        .ends()
        .exits(0)
        .says("received 5 messages: 5 spooled")
        .says("5 messages left in the spool");
    let mut two = broker_at(port);
    let mut watcher = two.iotctl("sub -t # -q 1 -v").start();
    two.sees_subscription("#");
    let running = iotctl("route").word(&file).start();
    let lines: Vec<String> = (0..5).map(|number| format!("r/n {number}")).collect();
    assert_eq!(watcher.lines(5), lines);
    running.signal("TERM");
    running.ends();
}

#[test]
fn a_full_disk_is_an_error_and_what_was_not_stored_is_not_acknowledged() {
    let mut one = broker("");
    let folder = tempfile::tempdir().unwrap();
    let words = "log FROM -t s/# --to DIR/x.ndjson --spool DIR/spool";
    let words = filled(words, &url(one.port), "", folder.path());
    // A file may have 64 KiB: the spool is full before the target.
    let limited = format!("ulimit -f 64; exec \"$0\" {words} \"$@\"");
    let mut command = std::process::Command::new("bash");
    let program = iotctl("").into_command();
    command.args(["-c", &limited]).arg(program.get_program());
    let running = Line::of(command).ready(folder.path());
    one.sees_subscription("s/#");
    let line = "x".repeat(1000) + "\n";
    let lines = line.repeat(200);
    one.iotctl("pub -t s/n -l -q 1").input(lines).run().exits(0);
    running.ends().exits(8).says("cannot write");
    // They come again, and go where there is room.
    let running = iotctl(&words).start();
    wait_for("the file", || {
        let text = fs::read_to_string(folder.path().join("x.ndjson")).ok()?;
        (text.lines().count() >= 200).then_some(())
    });
    running.signal("TERM");
    running.ends();
}

#[test]
fn a_key_that_was_there_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let record = |id: u32, body: &str| {
        format!("{{\"topic\":\"a\",\"payload\":\"{{\\\"id\\\":{id},\\\"v\\\":{body}}}\"}}\n")
    };
    let input = [(1, "1"), (2, "2"), (1, "3"), (2, "4"), (3, "5")];
    let input: String = input.map(|(id, body)| record(id, body)).concat();
    let path = folder.path().join("x.ndjson");
    let line = |words: &str| iotctl(words).word("--to").word(&path).input(input.clone());
    line("log - --dedup /id --within 1h")
        .run()
        .exits(0)
        .says("received 5 messages: 3 delivered, 2 duplicates");
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
    line("log - --dedup jq:[$topic,.v]")
        .word("--spool")
        .word(folder.path().join("spool"))
        .run()
        .exits(0)
        .says("from the spool 5 messages: 5 delivered");
    line("log - --dedup {x}")
        .run()
        .exits(2)
        .says("--dedup: {x} needs a pattern of topics");
    line("log - --dedup nothing")
        .run()
        .exits(2)
        .says("--dedup: ");
}

/// What Prometheus finds there.
fn page(address: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn what_comes_and_what_waits_in_a_spool_is_reported() {
    let one = broker("");
    let [port] = free_ports();
    let folder = tempfile::tempdir().unwrap();
    let words = "bridge FROM TO -t s/# --clean --spool DIR/spool --report 100ms --prometheus-listen 127.0.0.1:0";
    let words = filled(words, &url(one.port), &url(port), folder.path());
    let mut running = iotctl(&words).ready(folder.path());
    let listens = running.hears("metrics at http://");
    let address = listens.rsplit_once("http://").unwrap().1;
    let address = address.strip_suffix("/metrics").unwrap().to_owned();
    publish(&one, 0..5);
    let line = running.hears("received 5: 5 spooled, 0 stored");
    assert!(line.contains("5 left in the spool ("), "{line}");
    let has = |wanted: &[&str]| {
        wait_for("the totals", || {
            let text = page(&address);
            let has = |wanted: &&str| text.lines().any(|line| line == *wanted);
            wanted.iter().all(has).then_some(())
        });
    };
    has(&[
        "iotctl_received_messages_total 5",
        "iotctl_spooled_messages_total 5",
        "iotctl_messages_total{outcome=\"delivered\"} 0",
        "iotctl_spool_messages 5",
        "iotctl_spool_dropped_messages_total 0",
    ]);
    let _two = broker_at(port);
    running.hears("received 5: 5 spooled, 5 stored;");
    has(&[
        "iotctl_messages_total{outcome=\"delivered\"} 5",
        "iotctl_spool_messages 0",
        "iotctl_spool_bytes 0",
    ]);
    running.signal("TERM");
    running.ends().exits(143);
}

/// The number that stands before these words in one of the lines.
fn number_before(text: &str, words: &str) -> u64 {
    let line = text.lines().find(|line| line.contains(words));
    let line = line.unwrap_or_else(|| panic!("{words} is not in {text}"));
    let before = line.split(words).next().unwrap();
    let digits: String = before.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

#[test]
fn what_is_dropped_while_a_target_has_it_is_counted() {
    let one = broker("");
    let two = broker("--fault drop-ack:packet=puback");
    let folder = tempfile::tempdir().unwrap();
    let words = "bridge FROM TO --clean --window 100 --spool DIR/spool --spool-size 1MiB --spool-full drop-oldest --report 100ms --drain 100ms -t";
    let words = filled(words, &url(one.port), &url(two.port), folder.path());
    let mut running = iotctl(&words).word("s/# out 1").ready(folder.path());
    let lines = format!("{}\n", "x".repeat(1000)).repeat(1500);
    let publishing = one.iotctl("pub -t s/n -l -q 1").input(lines);
    publishing.run().exits(0);
    running.hears("received 1500: 1500 spooled, 0 stored");
    running.signal("TERM");
    let ended = running.ends().exits(143);
    let dropped = number_before(&ended.stderr, " messages dropped, as the spool was full");
    let left = number_before(&ended.stderr, " messages left in the spool");
    assert_eq!(dropped + left, 1500, "{}", ended.stderr);
}

#[test]
fn a_route_takes_over_the_spool_of_the_flags_that_it_was_printed_from() {
    let one = broker("");
    let [port] = free_ports();
    let folder = tempfile::tempdir().unwrap();
    let words = "bridge FROM TO -t s/# --clean --spool DIR/spool";
    let words = filled(words, &url(one.port), &url(port), folder.path());
    let printed = iotctl(&words).word("--print-config").run().exits(0);
    let file = folder.path().join("r.toml");
    fs::write(&file, printed.text()).unwrap();
    let running = iotctl(&words).ready(folder.path());
    publish(&one, 0..3);
    wait_for("the spool", || {
        (left(folder.path()).len() == 3).then_some(())
    });
    running.signal("KILL");
    running.ends();
    let _two = broker_at(port);
    iotctl("route --idle 1s")
        .word(&file)
        .run()
        .exits(0)
        .says("from the spool 3 messages: 3 delivered");
}
