//! `alert`: what becomes of readings, through kills, outages and restarts.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use serde_json::Value;

use crate::support::coap::server;
use crate::support::command::{Line, Running, iotctl};
use crate::support::mosquitto::{Mosquitto, Settings, mosquitto};
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::wait_for;

/// A broker, and a folder for what an alert keeps.
struct Bench {
    broker: Mosquitto,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            broker: mosquitto(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.broker.port)
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("deep/state")
    }

    /// `alert` on temperatures, with these words more.
    fn line(&self, words: &str) -> Line {
        iotctl(&format!("alert {} -t", self.url()))
            .word("sensors/{device}/temperature")
            .words("--value /value --state")
            .word(self.state())
            .words(words)
    }

    /// The same, once readings can come.
    fn start(&self, words: &str) -> Running {
        let alert = self.ready(self.line(words));
        self.broker.sees_subscriptions("sensors/+/temperature", 1);
        alert
    }

    fn ready(&self, line: Line) -> Running {
        let ready = self.folder.path().join("ready");
        // One that was killed has left it.
        let _ = std::fs::remove_file(&ready);
        let running = line.word("--ready-file").word(&ready).start();
        wait_for("the alert", || ready.exists().then_some(()));
        running
    }

    fn read(&self, device: &str, value: &str) {
        let topic = format!("sensors/{device}/temperature");
        let body = format!("{{\"value\":{value}}}");
        let line = self.broker.iotctl(&format!("pub -q 1 -t {topic} -m"));
        line.word(body).run().exits(0);
    }

    fn list(&self) -> String {
        let line = iotctl("alert list alert --state").word(self.state());
        line.run().exits(0).text().to_owned()
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("{text:?} is not JSON"))
}

const OUT: &str = "--to URL --topic-out alerts/{device}/high_temp -q 2 --retain";

fn out(bench: &Bench) -> String {
    OUT.replace("URL", &bench.url())
}

#[test]
fn more_than_27_degrees_are_an_alert_at_qos_2_and_retained() {
    let bench = Bench::new();
    let mut watcher = bench
        .broker
        .iotctl("sub -t alerts/# -q 2 --output json")
        .start();
    bench.broker.sees_subscriptions("alerts/#", 1);
    let words = format!("{} --above 27 --clear-below 26", out(&bench));
    let alert = bench.start(&words);
    for value in ["26", "27", "27.5", "28", "26.5"] {
        bench.read("d7", value);
    }
    let record = json(&watcher.line());
    assert_eq!(record["topic"], "alerts/d7/high_temp");
    assert_eq!(record["mqtt"]["qos"], 2);
    let notice = json(record["payload"].as_str().unwrap());
    for (name, value) in [
        ("alert", "alert"),
        ("key", "d7"),
        ("state", "firing"),
        ("severity", "warning"),
    ] {
        assert_eq!(notice[name], value);
    }
    assert_eq!(
        (&notice["value"], &notice["limit"]),
        (&27.5.into(), &27.into())
    );
    // Whoever comes later finds it.
    let kept = bench
        .broker
        .iotctl("sub -t alerts/+/high_temp -C 1 -W 60")
        .run()
        .exits(0);
    assert_eq!(json(kept.text()), notice);
    bench.read("d7", "25.9");
    let ended = json(json(&watcher.line())["payload"].as_str().unwrap());
    assert_eq!(
        (&ended["state"], &ended["id"]),
        (&"ok".into(), &notice["id"])
    );
    alert.signal("TERM");
    alert
        .ends()
        .exits(143)
        .says("received 6 messages: 2 notices\n");
}

/// That a reading changes nothing needs no word, nor that one led to a notice only in time.
#[test]
fn the_last_line_counts_readings_and_notices() {
    let folder = tempfile::tempdir().unwrap();
    let day = folder.path().join("day.ndjson");
    let record = |second: u32, value: &str| {
        format!(
            "{{\"time\":\"2026-11-20T21:00:{second:02}Z\",\"topic\":\"s/d7\",\"payload\":\"{value}\"}}\n"
        )
    };
    std::fs::write(&day, [record(0, "28"), record(40, "25")].concat()).unwrap();
    let alert = |words: &str| {
        let line = iotctl("alert").word(&day).words("-t s/{device} --above 27");
        line.words(words).run().exits(0)
    };
    alert("--for 15s").says_only("iotctl: received 2 messages: 2 notices\n");
    alert("--for 1m").says_only("iotctl: received 2 messages: 0 notices\n");
}

#[test]
fn a_duration_ends_it() {
    let bench = Bench::new();
    let ended = bench.line("--above 27 --duration 100ms").run();
    ended.exits(0).says("received 0 messages: 0 notices");
}

#[test]
fn a_journal_that_cannot_be_written_is_told_with_the_flag() {
    let line = iotctl("alert mqtt://127.0.0.1:1 -t a --above 1 --state /dev/null/x");
    line.run()
        .exits(8)
        .says("cannot open /dev/null/x")
        .says("hint: use --state FILE");
}

#[test]
fn a_kill_between_reading_and_publishing_loses_no_alert_and_changes_no_id() {
    let bench = Bench::new();
    // Nobody answers there, so that the notice is on its way when the alert is killed.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let words = format!("--webhook http://127.0.0.1:{port} --above 27");
    let alert = bench.start(&words);
    bench.read("d7", "28");
    let (mut stream, _) = silent.accept().unwrap();
    let first = request(&mut stream);
    alert.signal("KILL");
    drop((alert, stream, silent));
    let hook = Hook::new(&["200 OK"]);
    let alert = bench.start(&words.replace(&port.to_string(), &hook.port.to_string()));
    let again = hook.next();
    let body = |request: &str| json(request.split_once("\r\n\r\n").unwrap().1);
    assert_eq!(body(&first)["id"], body(&again)["id"]);
    assert_eq!(body(&again)["state"], "firing");
    alert.signal("TERM");
    alert.ends().exits(143);
    // It has arrived, and does not come a third time.
    let hook = Hook::new(&["200 OK"]);
    let alert = bench.start(&format!(
        "--webhook http://127.0.0.1:{} --above 27",
        hook.port
    ));
    bench.read("d7", "20");
    assert_eq!(body(&hook.next())["state"], "ok");
    drop(alert);
}

/// Reads a request that ends with a JSON object or list.
fn request(stream: &mut impl Read) -> String {
    let mut text = String::new();
    while !text.ends_with(['}', ']']) {
        let mut bytes = [0; 1000];
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "{text}");
        text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    text
}

fn request_body(request: &str) -> Value {
    json(request.split_once("\r\n\r\n").unwrap().1)
}

/// A server that answers with these statuses, one for each request.
struct Hook {
    port: u16,
    requests: mpsc::Receiver<String>,
}

impl Hook {
    fn new(statuses: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, requests) = mpsc::channel();
        std::thread::spawn(move || {
            for status in statuses {
                let (mut stream, _) = listener.accept().unwrap();
                let request = request(&mut stream);
                let answer =
                    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
                if tell.send(request).is_err() {
                    return;
                }
            }
        });
        Self { port, requests }
    }

    fn next(&self) -> String {
        self.requests
            .recv_timeout(crate::support::PATIENCE)
            .unwrap()
    }
}

#[test]
fn a_webhook_that_fails_first_gets_it_later() {
    let bench = Bench::new();
    let hook = Hook::new(&["500 Oops", "429 Slow Down", "202 Accepted"]);
    let words = format!(
        "--webhook http://127.0.0.1:{}/api/v2/alerts --webhook-format alertmanager --above 27 --once",
        hook.port
    );
    let mut alert = bench.start(&words);
    bench.read("d7", "28");
    alert.hears("responded HTTP 500; trying again");
    for _ in 0..3 {
        let request = hook.next();
        assert!(request.starts_with("POST /api/v2/alerts HTTP/1.1\r\n"));
        let alerts = json(request.split_once("\r\n\r\n").unwrap().1);
        assert_eq!(alerts[0]["labels"]["device"], "d7");
    }
    alert.ends_by_itself().exits(0).says("answers again");
}

#[test]
fn a_notice_that_is_refused_is_told_after_a_restart() {
    let bench = Bench::new();
    let told = bench.folder.path().join("told");
    let alert = bench.ready(bench.line("--above 27 -W 60 --exec false ;"));
    bench.read("d7", "28");
    alert.ends_by_itself().exits(1);
    let hook = Hook::new(&["400 Bad Request"]);
    let words = format!("--above 27 -W 60 --webhook http://127.0.0.1:{}/", hook.port);
    bench.line(&words).run().exits(1).says("400");
    let first = request_body(&hook.next());
    let script = format!("cat >> {}", told.display());
    let good = || {
        let line = bench.line("--above 27 --once -W 60 --exec sh -c");
        line.word(&script).word(";")
    };
    good().run().exits(0);
    let notice = json(&std::fs::read_to_string(&told).unwrap());
    assert_eq!(
        (&notice["state"], &notice["key"], &notice["id"]),
        (&"firing".into(), &"d7".into(), &first["id"])
    );
    // Once it is told, that is that: the next one is about something else.
    let alert = bench.ready(good());
    bench.read("d8", "29");
    alert.ends_by_itself().exits(0);
    let all = std::fs::read_to_string(&told).unwrap();
    assert_eq!(all.matches("\"d7\"").count(), 1, "{all}");
    assert_eq!(all.matches("\"d8\"").count(), 1, "{all}");
}

#[test]
fn a_refused_notice_that_is_dropped_counts_as_told() {
    let bench = Bench::new();
    let dropping = "--above 27 --once -W 60 --on-refused drop --exec false ;";
    let alert = bench.ready(bench.line(dropping));
    bench.read("d7", "28");
    alert.ends_by_itself();
    let mut alert = bench.start("--above 27 -o json");
    bench.read("d8", "28");
    assert_eq!(json(&alert.line())["key"], "d8");
}

#[test]
fn a_broker_that_is_away_gets_it_when_it_is_back() {
    let bench = Bench::new();
    let mut target = Mosquitto::start(Settings {
        more: String::from("persistence true\n"),
        ..Settings::default()
    });
    let url = format!("mqtt://127.0.0.1:{}", target.port);
    let mut alert = bench.start(&format!(
        "--to {url} --topic-out a/{{device}} --retain --above 27"
    ));
    // It has connected before.
    bench.read("d1", "28");
    let first = target.iotctl("sub -t a/d1 -C 1 -W 60").run().exits(0);
    assert_eq!(json(first.text())["state"], "firing");
    target.stop();
    alert.hears("closed the connection");
    bench.read("d2", "28");
    bench.read("d1", "20");
    target.restart();
    for (device, state) in [("d2", "firing"), ("d1", "ok")] {
        wait_for(device, || {
            let got = target
                .iotctl(&format!("sub -t a/{device} -C 1 -W 60"))
                .run();
            (json(got.exits(0).text())["state"] == state).then_some(())
        });
    }
}

#[test]
fn a_command_gets_the_notice_and_its_variables() {
    let bench = Bench::new();
    let file = bench.folder.path().join("got");
    let script = format!(
        "cat > {0}.tmp; echo \" $IOTCTL_ALERT_NAME $IOTCTL_ALERT_KEY $IOTCTL_ALERT_STATE $IOTCTL_ALERT_VALUE\" >> {0}.tmp; mv {0}.tmp {0}",
        file.display()
    );
    let line = bench
        .line("--above 27 --once --exec sh -c")
        .word(script)
        .word(";");
    let alert = bench.ready(line);
    bench.read("d7", "28");
    alert.ends_by_itself().exits(0);
    let got = std::fs::read_to_string(file).unwrap();
    let (notice, variables) = got.rsplit_once("} ").unwrap();
    assert_eq!(variables, "alert d7 firing 28\n");
    assert_eq!(json(&format!("{notice}}}"))["key"], "d7");
}

#[test]
fn a_step_of_the_escalation_may_be_a_command() {
    let bench = Bench::new();
    let told = bench.folder.path().join("told");
    let script = "echo \"$IOTCTL_ALERT_KEY $IOTCTL_ALERT_STATE $IOTCTL_ALERT_SEVERITY\" >> told";
    let step = format!("10ms=page=exec:sh -c '{script}'").replace("told", told.to_str().unwrap());
    let line = bench.line("--above 27 --escalate").word(step);
    let mut alert = bench.ready(line);
    bench.broker.sees_subscriptions("sensors/+/temperature", 1);
    bench.read("d7", "28");
    assert!(alert.line().contains("d7 firing warning"));
    let heard = |lines: &str| {
        wait_for("the command", || {
            (std::fs::read_to_string(&told).ok()? == lines).then_some(())
        });
    };
    // The first notice is not for it.
    heard("d7 firing page\n");
    bench.read("d7", "20");
    assert!(alert.line().contains("d7 ok page"));
    heard("d7 firing page\nd7 ok page\n");
    alert.signal("TERM");
    alert.ends().exits(143);
    for (step, says) in [
        ("1m=page=exec:", "exec: the command is empty"),
        ("1m=page=exec:''", "exec: the command is empty"),
        ("1m=page=exec:sh -c 'true", "exec: a ' has no end"),
        ("1m=page=sh", "sh is not a URL with http or https"),
    ] {
        let line = iotctl("alert - -t t --above 1 --escalate").word(step);
        line.run().exits(2).says(says);
    }
}

#[test]
fn alarms_survive_a_restart_with_their_timers() {
    let bench = Bench::new();
    let words = "--above 27 --for 1h -o json";
    let alert = bench.start(words);
    bench.read("d7", "28");
    wait_for("the journal", || pending(&bench.state()).then_some(()));
    alert.signal("KILL");
    drop(alert);
    // As if it had been an hour.
    let text = std::fs::read_to_string(bench.state()).unwrap();
    let lines: Vec<String> = text.lines().map(hour_ago).collect();
    let damaged = lines.join("\n\0");
    std::fs::write(bench.state(), damaged + "\n").unwrap();
    let refused = bench.line(words).run().exits(8);
    refused.says(":2: the line is damaged");
    std::fs::write(bench.state(), lines.join("\n") + "\n{\"key\":\"torn").unwrap();
    let mut alert = bench.start(words);
    let notice = json(&alert.line());
    assert_eq!(
        (&notice["state"], &notice["key"]),
        (&"firing".into(), &"d7".into())
    );
    // A second one has to wait for the first to end.
    let refused = bench.line(words).run().exits(8);
    refused.says("is used by another process");
}

fn pending(state: &Path) -> bool {
    let text = std::fs::read_to_string(state).unwrap_or_default();
    text.contains("\"pending\"")
}

fn hour_ago(line: &str) -> String {
    let mut line = json(line);
    for name in ["from", "due", "last", "seen"] {
        if let Some(time) = line.get(name).and_then(Value::as_u64) {
            line[name] = (time - 3_600_000).into();
        }
    }
    line.to_string()
}

#[test]
fn silence_is_stale_and_alone_it_is_the_alarm() {
    let bench = Bench::new();
    let mut alert = bench.start("--above 27 --stale 200ms -o json");
    bench.read("d7", "20");
    assert_eq!(json(&alert.line())["state"], "stale");
    bench.read("d7", "20");
    assert_eq!(json(&alert.line())["state"], "ok");
    assert_eq!(json(&alert.line())["state"], "stale");
    drop(alert);
    let bench = Bench::new();
    let mut alert = bench.start("--stale 200ms --forget --retain -o json");
    bench.read("d7", "20");
    let notice = json(&alert.line());
    assert_eq!(
        (&notice["state"], &notice["limit"]),
        (&"firing".into(), &"200ms".into())
    );
}

#[test]
fn an_alarm_is_acknowledged_and_silenced_from_elsewhere() {
    let bench = Bench::new();
    let mut alert = bench.start("--above 27 --repeat 300ms -o json");
    bench.read("d7", "28");
    let notice = json(&alert.line());
    assert_eq!(json(&alert.line())["id"], notice["id"]);
    assert!(
        bench.list().contains(" d7 firing value=28 id="),
        "{}",
        bench.list()
    );
    let tell = |words: &str| {
        let line = iotctl(&format!("alert {words} --state")).word(bench.state());
        line.run()
    };
    tell("ack alert other")
        .exits(1)
        .says("no alarm is firing for other");
    tell("ack alert d7").exits(0);
    wait_for("the acknowledgement", || {
        bench.list().contains("acknowledged").then_some(())
    });
    tell("silence alert d8 1h").exits(0);
    wait_for("the silence", || {
        bench.list().contains("silence of d8 until").then_some(())
    });
    bench.read("d8", "30");
    bench.read("d9", "30");
    // What was repeated before the acknowledgement may still come.
    let next = wait_for("d9", || {
        Some(json(&alert.line())).filter(|it| it["key"] != "d7")
    });
    assert_eq!(next["key"], "d9");
    tell("silence alert d8 0").exits(0);
    let next = wait_for("d8", || {
        Some(json(&alert.line())).filter(|it| it["key"] != "d9")
    });
    assert_eq!(next["key"], "d8");
    iotctl("alert list none --state /nonexistent/x")
        .run()
        .exits(8);
}

#[test]
fn messages_acknowledge_and_explain_alarms() {
    let bench = Bench::new();
    let words = "--above 27 --repeat 300ms -o json --ack-topic alerts/{device}/ack --unless sites/{device}/down";
    let mut alert = bench.start(words);
    bench.broker.sees_subscriptions("sites/+/down", 1);
    let publish = |topic: &str, body: &str| {
        let line = bench.broker.iotctl(&format!("pub -q 1 -t {topic} -m"));
        line.word(body).run().exits(0);
    };
    publish("sites/d1/down", "{\"state\":\"firing\"}");
    bench.read("d1", "28");
    bench.read("d2", "28");
    assert_eq!(json(&alert.line())["key"], "d2");
    publish("alerts/d2/ack", "");
    wait_for("the acknowledgement", || {
        bench.list().contains("acknowledged").then_some(())
    });
    publish("sites/d1/down", "{\"state\":\"ok\"}");
    let next = wait_for("d1", || {
        Some(json(&alert.line())).filter(|it| it["key"] != "d2")
    });
    assert_eq!(
        (&next["key"], &next["state"]),
        (&"d1".into(), &"firing".into())
    );
}

#[test]
fn a_recording_has_its_own_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("day.ndjson");
    let line = |second: u32, value: &str| {
        format!(
            "{{\"time\":\"2026-11-20T21:00:{second:02}Z\",\"protocol\":\"mqtt\",\"topic\":\"s/d7\",\"payload\":\"{value}\"}}\n"
        )
    };
    let text: String = [
        (0, "28"),
        (10, "26"),
        (20, "28"),
        (49, "28"),
        (51, "26"),
        (52, "warm"),
        (50, "30"),
    ]
    .map(|(second, value)| line(second, value))
    .concat();
    std::fs::write(&file, text).unwrap();
    let ended = iotctl("alert")
        .word(&file)
        .words("-t s/{device} --above 27 --for 30s")
        .run()
        .exits(0);
    ended
        .prints("2026-11-20T21:00:50.000Z alert d7 firing warning value=28 limit=27\n2026-11-20T21:00:51.000Z alert d7 ok warning value=26 limit=27\n")
        .says("a reading is not a number, such as \"warm\" of s/d7")
        .says("1 reading late");
}

#[test]
fn what_is_due_between_two_records_is_told_when_it_was_due() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("day.ndjson");
    let line = |(second, topic): (u32, &str)| {
        let (minute, second) = (second / 60, second % 60);
        format!(
            "{{\"time\":\"2026-11-20T21:{minute:02}:{second:02}Z\",\"topic\":\"{topic}\",\"payload\":\"28\"}}\n"
        )
    };
    let watch = |records: &[(u32, &str)], words: &str| {
        let text: String = records.iter().copied().map(line).collect();
        std::fs::write(&file, text).unwrap();
        let ended = iotctl("alert").word(&file).words("-t s/{device}");
        let ended = ended.words(words).run().exits(0);
        let times = ended.text().lines().map(|line| {
            let mut words = line.split(' ');
            let time = &words.next().unwrap()[14..19];
            format!("{time} {}", words.nth(2).unwrap())
        });
        times.collect::<Vec<_>>().join(", ")
    };
    // Another topic tells the time as well.
    let day = [(0, "s/d7"), (40, "s/d7"), (600, "other")];
    for (words, told) in [
        ("--above 27 --for 5s", "00:05 firing"),
        ("--stale 1m", "01:40 firing"),
        (
            "--above 27 --repeat 4m",
            "00:00 firing, 04:00 firing, 08:00 firing",
        ),
        (
            "--above 27 --escalate 5m=page",
            "00:00 firing, 05:00 firing",
        ),
    ] {
        assert_eq!(watch(&day, words), told, "{words}");
    }
    // Records of notices have the time of the notices.
    let ended = iotctl("alert").word(&file);
    let ended = ended.words("-t s/{device} --stale 1m --to - --topic-out alerts/{device}");
    let record = json(ended.run().exits(0).text().lines().next().unwrap());
    assert!(
        record["time"]
            .as_str()
            .unwrap()
            .starts_with("2026-11-20T21:01:40"),
        "{record}"
    );
}

#[test]
fn it_ends_after_so_many_messages_or_in_silence_and_tells_its_numbers() {
    let bench = Bench::new();
    let mut alert = bench.start("--above 27 -C 2 --report 100ms --prometheus-listen 127.0.0.1:0");
    alert.hears("metrics at http://127.0.0.1:");
    bench.read("d7", "20");
    alert.hears("received 1: 0 stored, 1 filtered; ");
    bench.read("d7", "28");
    alert.ends().exits(0).says("received 2 messages");
    let quiet = bench.line("--above 27 --idle 100ms").run();
    quiet.exits(0).says("received 0 messages");
    bench
        .line("--above 27 -C 0")
        .run()
        .exits(2)
        .says("-C must be at least 1");
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_sent() {
    for (words, why) in [
        (
            "-t a/{b} --above 27 --clear-below 28",
            "clear-below 28 is above the limit 27",
        ),
        ("-t a/#/b --above 27", "# must be the last level"),
        ("-t a/{b} --above warm", "--above"),
        ("-t a/{b} --above 27 --below 5", "only one of --above"),
        ("-t a/{b}", "no alert condition"),
        ("--above 27", "no topic to monitor"),
        (
            "-t a/{b} --above 27 --to mqtt://h",
            "--to needs --topic-out",
        ),
        (
            "-t a/{b} --above 27 --to mqtt://h --topic-out x/{c}",
            "{c} is unknown",
        ),
        (
            "-t a/{b} --above 27 --webhook ftp://h",
            "is not a URL with http or https",
        ),
        ("-t a/{b} --above 27 --limit 5", "such as 5/h"),
        ("-t a/{b} --outside 5..5", "the range 5..5 is empty"),
        (
            "-t a/{b} --above 27 --name a/b",
            "cannot be the name of a file",
        ),
        (
            "-t a/{b} --above 27 --unless down/{B}",
            "--unless down/{B} has no name of -t a/{b}",
        ),
        (
            "-t a/{b} --stale 1h --status-topic status/+",
            "--status-topic status/+ has no name of -t a/{b}",
        ),
    ] {
        let line = iotctl(&format!("alert mqtt://127.0.0.1:1 {words}"));
        line.run().exits(2).says(why);
    }
}

#[test]
fn readings_of_coap_are_told_to_amqp() {
    let rabbit = rabbitmq();
    let amqp = format!("amqp://127.0.0.1:{}", rabbit.port);
    let (queue, topic) = (unique("alert-queue"), unique("alert/out"));
    let key = topic.replace('/', ".");
    iotctl(&format!("amqp declare queue {amqp} {queue}"))
        .run()
        .exits(0);
    iotctl(&format!("amqp bind {amqp} {queue} -e amq.topic -k {key}.*"))
        .run()
        .exits(0);
    let server = server("-r /store/d7=text:20", &["coap"]);
    let url = format!("{}/store/d7", server.uris[0]);
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready");
    let alert = iotctl(&format!(
        "alert {url} --above 27 --once --to {amqp} --ready-file"
    ))
    .word(&ready)
    .words("-t store/{device} --topic-out")
    .word(format!("{topic}/{{device}}"))
    .word("--state")
    .word(folder.path().join("state"))
    .start();
    wait_for("the alert", || ready.exists().then_some(()));
    iotctl(&format!("coap put --quiet {url} -m 28"))
        .run()
        .exits(0);
    let got = iotctl(&format!(
        "amqp consume {amqp} {queue} -C 1 -W 60 --output json"
    ))
    .run()
    .exits(0);
    let record = json(got.text());
    assert_eq!(record["topic"], format!("{key}.d7"), "{record}");
    assert_eq!(json(record["payload"].as_str().unwrap())["value"], 28);
    alert.ends_by_itself().exits(0);
}

#[test]
fn the_file_of_routes_that_flags_mean_is_the_same_alert() {
    let words = "alert mqtt://user:secret@localhost -t sensors/{device}/t --value /v --above 27 --clear-below 26 --for 90s \
        --stale 5m --to mqtt://b --topic-out alerts/{device} -q 2 -r --escalate 10m=critical=http://h/x --limit 5/h --escalate";
    let line = iotctl(words).word("20m=page=exec:sendmail -t 'on call'");
    let printed = line.word("--print-config").run().exits(0);
    let text = printed.text();
    assert!(!text.contains("secret"), "{text}");
    for line in [
        "topic = \"sensors/{device}/t\"",
        "above = 27.0",
        "for = \"1m 30s\"",
        "limit = \"5/1h\"",
        "topic-out = \"alerts/{device}\"",
        "webhook = \"http://h/x\"",
        "exec = [\"sendmail\", \"-t\", \"on call\"]",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in {text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.toml");
    std::fs::write(&file, text).unwrap();
    iotctl("route --check")
        .word(&file)
        .run()
        .exits(0)
        .says("1 source, 1 target, 1 alert: no mistakes found");
    for (words, flag) in [
        ("-W 1m", "-W"),
        ("-C 5", "-C"),
        ("--idle 1m", "--idle"),
        ("--drain 1m", "--drain"),
        ("--report 10s", "--report"),
        ("--prometheus-listen 127.0.0.1:0", "--prometheus-listen"),
        ("--ready-file r", "--ready-file"),
        ("--on-ready true", "--on-ready"),
    ] {
        let says = format!(
            "{flag} cannot be expressed in a routes file; it belongs on the command line of iotctl route"
        );
        let line = iotctl("alert mqtt://h -t t --above 1 --print-config").words(words);
        line.run().exits(2).prints("").says(&says);
    }
    iotctl("alert mqtt://h -t t --above 1 --print-config --once")
        .run()
        .exits(2)
        .says("--once cannot be expressed in a routes file");
    let clean = iotctl("alert mqtt://h -t t --above 1 --print-config --clean").run();
    assert!(clean.exits(0).text().contains("clean = true"));
    for (words, says) in [
        ("--rate 0/m", "a rate of 0"),
        ("--above 1 --flapping 0/10m", "flapping after 0 changes"),
        ("--when /a=1", "write == instead of ="),
        ("--when temp==1", "a value of a JSON payload is /temp"),
    ] {
        iotctl("alert - -t t")
            .words(words)
            .run()
            .exits(2)
            .says(says);
    }
    for (condition, says) in [
        ("/a == 1 && /b == 2", "write and instead of &&"),
        (".a.b > 1 || /b == 2", "write or instead of ||"),
        (".a.b > 1", "a value of a JSON payload is /a/b"),
    ] {
        let line = iotctl("alert - -t t --when").word(condition);
        line.run().exits(2).says(says);
    }
}

#[test]
fn a_device_that_says_that_it_is_offline_is_stale_at_once() {
    let bench = Bench::new();
    let mut alert =
        bench.start("--above 27 -o json --quiet --status-topic devices/{device}/status");
    bench.broker.sees_subscriptions("devices/+/status", 1);
    bench.read("d7", "28");
    assert_eq!(json(&alert.line())["state"], "firing");
    bench.read("d8", "20");
    // Its will says so.
    let ready = bench.folder.path().join("device");
    let device = bench
        .broker
        .iotctl("sub -t nothing --will-topic devices/d7/status --will-retain --will-qos 1 --will-payload")
        .word("{\"status\":\"offline\"}")
        .words("--ready-file")
        .word(&ready)
        .start();
    wait_for("the device", || ready.exists().then_some(()));
    device.signal("KILL");
    let notice = json(&alert.line());
    assert_eq!(
        (&notice["key"], &notice["state"]),
        (&"d7".into(), &"stale".into())
    );
    // A reading tells that it is back.
    bench.read("d7", "29");
    assert_eq!(json(&alert.line())["state"], "firing");
    let status = bench.broker.iotctl("pub -q 1 -t devices/d8/status -m 0");
    status.run().exits(0);
    let notice = json(&alert.line());
    assert_eq!(
        (&notice["key"], &notice["state"]),
        (&"d8".into(), &"stale".into())
    );
    alert.signal("TERM");
    alert.ends().exits(143);
}

#[test]
fn where_only_missing_readings_count_an_offline_device_fires() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("day.ndjson");
    let record = |second: u32, topic: &str, payload: &str| {
        format!(
            "{{\"time\":\"2026-11-20T21:00:{second:02}Z\",\"protocol\":\"mqtt\",\"topic\":\"{topic}\",\
             \"payload\":\"{payload}\",\"mqtt\":{{\"qos\":1}}}}\n"
        )
    };
    let records = [
        record(0, "s/d7", "1"),
        record(1, "s/d8", "1"),
        record(2, "status/d7", "offline"),
        record(3, "status/d8", "online"),
        record(4, "s/d7", "2"),
    ];
    std::fs::write(&path, records.concat()).unwrap();
    let line = iotctl("alert")
        .word(&path)
        .words("-t s/{device} --stale 5m --quiet");
    let ended = line.words("--status-topic status/{device}").run().exits(0);
    let states: Vec<&str> = ended
        .text()
        .lines()
        .map(|line| line.split(" severity").next().unwrap_or(line))
        .collect();
    assert_eq!(states.len(), 2, "{}", ended.text());
    assert!(
        states[0].contains("21:00:02.000Z alert d7 firing"),
        "{}",
        states[0]
    );
    assert!(
        states[1].contains("21:00:04.000Z alert d7 ok"),
        "{}",
        states[1]
    );
}
