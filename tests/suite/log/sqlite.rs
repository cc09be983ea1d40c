//! Into a database.

use std::fs;
use std::path::Path;

use super::{log, logging, patient, records};
use crate::killed::{Trial, Victim, persistent};
use crate::support::command::program;
use crate::support::wait_for;

/// What Debian's own SQLite answers.
fn query(folder: &Path, words: &str) -> String {
    let asked = program("sqlite3", "-cmd")
        .word(".timeout 60000")
        .word(folder.join("a.db"))
        .word(words)
        .run();
    asked.exits(0).text().trim_end().to_owned()
}

/// How many messages are there.
fn rows(folder: &Path) -> u32 {
    let there = "SELECT COUNT(*) FROM sqlite_master WHERE name='message'";
    match query(folder, there).as_str() {
        "0" => 0,
        _ => query(folder, "SELECT COUNT(*) FROM message")
            .parse()
            .unwrap(),
    }
}

#[test]
fn rows_are_read_while_they_are_written() {
    let (broker, folder) = (patient(), tempfile::tempdir().unwrap());
    let line = log(
        folder.path(),
        &format!(
            "mqtt://127.0.0.1:{} -t n -C 5000 --to sqlite:a.db?table=readings",
            broker.port
        ),
    );
    let line = line.words("--columns n=/n,payload --index n");
    let running = logging(folder.path(), line);
    let input: String = (0..5000)
        .map(|number| format!("{{\"n\":{number}}}\n"))
        .collect();
    let publish = broker.iotctl("pub -t n -l -q 1").input(input);
    let publisher = std::thread::spawn(|| publish.run());
    let mut reads = 0;
    wait_for("all rows", || {
        if !fs::exists(folder.path().join("a.db")).unwrap() {
            return None;
        }
        let tables = query(
            folder.path(),
            "SELECT COUNT(*) FROM sqlite_master WHERE name='readings'",
        );
        if tables == "0" {
            return None;
        }
        assert_eq!(query(folder.path(), "PRAGMA integrity_check"), "ok");
        reads += 1;
        (query(folder.path(), "SELECT COUNT(DISTINCT n) FROM readings") == "5000").then_some(())
    });
    assert!(reads > 0);
    publisher.join().unwrap().exits(0);
    running.ends_by_itself().exits(0);
    let types = "SELECT GROUP_CONCAT(name||' '||type) FROM pragma_table_info('readings')";
    assert_eq!(query(folder.path(), types), "n INTEGER,payload TEXT");
}

#[test]
fn each_message_is_stored_once_however_often_it_is_killed() {
    const COUNT: u32 = 10_000;
    let (broker, folder) = (patient(), tempfile::tempdir().unwrap());
    let words = format!(
        "mqtt://127.0.0.1:{} -t n --to sqlite:a.db --columns n=/n --unique n --retry 10s",
        broker.port
    );
    let start = || log(folder.path(), &words).start();
    let mut running = start();
    broker.sees_subscriptions("n", 1);
    let input: String = (0..COUNT)
        .map(|number| format!("{{\"n\":{number}}}\n"))
        .collect();
    let publish = broker.iotctl("pub -t n -l -q 1").input(input);
    let publisher = std::thread::spawn(|| publish.run());
    let count = || rows(folder.path());
    for _ in 0..20 {
        let before = count();
        wait_for("more rows", || {
            let now = count();
            (now > before || now == COUNT).then_some(())
        });
        running.signal("KILL");
        running.ends();
        running = start();
    }
    publisher.join().unwrap().exits(0);
    wait_for("all rows", || (count() == COUNT).then_some(()));
    running.signal("TERM");
    running.ends().exits(143);
    let distinct = "SELECT COUNT(DISTINCT n), MIN(n), MAX(n) FROM message";
    assert_eq!(
        query(folder.path(), distinct),
        format!("{COUNT}|0|{}", COUNT - 1)
    );
    assert_eq!(query(folder.path(), "PRAGMA integrity_check"), "ok");
}

#[test]
fn rows_that_a_table_does_not_take_go_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    query(folder.path(), "CREATE TABLE message (v REAL NOT NULL)");
    let input = records(&[("a", "{\"v\":1}"), ("a", "{}"), ("a", "{\"v\":2}")]);
    let words = "- --to sqlite:a.db --columns v=/v";
    log(folder.path(), words)
        .input(input.as_str())
        .run()
        .exits(1)
        .says("a.db: table message refused a row: NOT NULL constraint failed");
    query(folder.path(), "DELETE FROM message");
    log(folder.path(), words)
        .words("--on-refused dead.ndjson")
        .input(input)
        .run()
        .exits(0)
        .says("received 3 messages: 2 delivered, 1 dead-lettered");
    assert_eq!(query(folder.path(), "SELECT SUM(v) FROM message"), "3.0");
    let dead = fs::read_to_string(folder.path().join("dead.ndjson")).unwrap();
    assert!(dead.contains("NOT NULL constraint failed"), "{dead}");
}

#[test]
fn whole_messages_are_kept_with_what_their_protocol_says() {
    let folder = tempfile::tempdir().unwrap();
    let record = r#"{"time":"2026-11-20T21:00:00.000000Z","topic":"a","payload_base64":"/wA=","mqtt":{"qos":1,"content_type":"x/y"}}"#;
    log(folder.path(), "- --to sqlite:a.db --index topic,time_ns")
        .input(format!("{record}\n"))
        .run()
        .exits(0);
    let row = "SELECT time_ns, protocol, topic, HEX(payload), TYPEOF(payload), JSON_EXTRACT(detail, '$.content_type') FROM message";
    assert_eq!(
        query(folder.path(), row),
        "1795208400000000000|mqtt|a|FF00|blob|x/y"
    );
}

#[test]
fn a_full_disk_is_an_error_and_others_are_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "trap '' XFSZ; ulimit -f 64; exec {} log - --to sqlite:a.db",
        env!("CARGO_BIN_EXE_iotctl")
    );
    let payload = "x".repeat(1000);
    let many: Vec<(&str, &str)> = (0..50).map(|_| ("a", &*payload)).collect();
    let many: String = (0..20).map(|_| records(&many)).collect();
    let mut limited = program("bash", "-c").word(script).into_command();
    limited.current_dir(folder.path());
    crate::support::command::Line::of(limited)
        .input(many)
        .run()
        .exits(8)
        .says("cannot write a.db: ");
    assert_eq!(query(folder.path(), "PRAGMA integrity_check"), "ok");
}

#[test]
fn each_number_is_a_row_once_whoever_is_killed() {
    let (mut server, folder) = (persistent(), tempfile::tempdir().unwrap());
    let words = format!(
        "mqtt://127.0.0.1:{} -t n --to sqlite:a.db --columns n=payload --types n=INTEGER --unique n --retry forever",
        server.port
    );
    let trial = Trial {
        server: &mut server,
        start: &|| log(folder.path(), &words).start(),
        arrived: &mut || rows(folder.path()) as usize,
        target: None,
    };
    let count = trial.run(&[Victim::Us, Victim::Server, Victim::Both], 50);
    let distinct = "SELECT COUNT(*), COUNT(DISTINCT n), MIN(n), MAX(n) FROM message";
    assert_eq!(
        query(folder.path(), distinct),
        format!("{count}|{count}|0|{}", count - 1)
    );
    assert_eq!(query(folder.path(), "PRAGMA integrity_check"), "ok");
}
