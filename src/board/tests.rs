//! The board as a whole.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::message::MqttDetail;

fn message(payload: &str, retain: bool) -> Message {
    Message {
        time: SystemTime::UNIX_EPOCH,
        detail: Detail::Mqtt(MqttDetail {
            retain,
            ..MqttDetail::default()
        }),
        ..Message::plain(payload.to_owned().into())
    }
}

fn fleet() -> (Board, Instant) {
    let options = Options {
        devices: vec!["devices/{id}/status".parse().unwrap()],
        values: vec!["sensors/{id}/{metric}=/value".parse().unwrap()],
        alerts: vec!["alerts/#".parse().unwrap()],
        ..Options::default()
    };
    let now = Instant::now();
    let mut board = Board::new("mqtt://h:1883".into(), options, now, SystemTime::UNIX_EPOCH);
    board.set_awaits(None);
    for (topic, payload, retain) in [
        ("devices/d1/status", "online", true),
        ("devices/d2/status", "{\"status\":\"offline\"}", false),
        ("sensors/d1/temp", "{\"value\":21.50}", false),
        ("sensors/d1/温度", "{\"value\":\"<b>\"}", false),
        (
            "alerts/d1/hot",
            "{\"severity\":\"critical\",\"state\":\"firing\"}",
            true,
        ),
        ("$SYS/broker/uptime", "5 seconds", true),
    ] {
        board.take(topic, &message(payload, retain), now);
    }
    (board, now)
}

#[test]
fn a_table_shows_devices_and_alerts() {
    let (board, now) = fleet();
    let now = now + Duration::from_secs(4);
    let table = board.table(now);
    assert!(table[0].starts_with("1970-01-01T00:00:04Z mqtt://h:1883: 2 devices (1 online, 1 offline), 1 alert, 5 topics, 0.5 msg/s"), "{}", table[0]);
    assert_eq!(
        table[1..],
        [
            "DEVICE  STATUS   SEEN  temp   温度",
            "d1      online   4s    21.50  <b>",
            "d2      offline  4s    -      -",
            "ALERT          SEVERITY  SINCE  TEXT",
            "alerts/d1/hot  critical  4s     {\"severity\":\"critical\",\"state\":\"firing\"}",
        ]
    );
}

#[test]
fn without_patterns_a_table_shows_topics() {
    let now = Instant::now();
    let mut board = Board::new("s".into(), Options::default(), now, SystemTime::UNIX_EPOCH);
    board.take("b/\x1b[2J", &message("x\ny", false), now);
    board.take("a", &message("", true), now);
    assert_eq!(
        board.table(now)[1..],
        [
            "TOPIC      VALUE   MSG/S  B/S  AGE  FLAGS",
            "a                  0      0    0s",
            "b/\\x1b[2J  x\\x0ay  1.1    3.3  0s",
        ]
    );
    assert!(board.table(now)[0].contains("s: not connected, 2 topics"));
}

#[test]
fn a_snapshot_has_all_and_expectations_read_it() {
    let (board, now) = fleet();
    let snapshot = board.snapshot(usize::MAX, now);
    assert_eq!(snapshot["connected"], json!(true));
    assert_eq!(
        snapshot["fleet"]["d1"]["values"],
        json!({"temp": 21.50, "温度": "<b>"})
    );
    assert_eq!(snapshot["fleet"]["d1"]["since_seconds"], json!(null));
    assert_eq!(snapshot["alerts"][0]["severity"], json!("critical"));
    let topics: Vec<_> = snapshot["topics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["topic"].as_str().unwrap())
        .collect();
    assert_eq!(
        topics,
        [
            "alerts/d1/hot",
            "devices/d1/status",
            "devices/d2/status",
            "sensors/d1/temp",
            "sensors/d1/温度"
        ]
    );
    let expect = |words: &str| words.parse::<Expectation>().unwrap().holds(&snapshot);
    assert!(expect("devices == 2 and offline == 1 and alerts > 0"));
    assert!(!expect("offline == 0"));
    assert_eq!(
        board.snapshot(2, now)["topics"].as_array().unwrap().len(),
        2
    );
    for name in expectation::NAMES {
        assert!(!snapshot["counts"][name].is_null(), "{name}");
    }
    let counts = snapshot["counts"].as_object().unwrap();
    assert_eq!(counts.len(), expectation::NAMES.len());
}

#[test]
fn numbers_that_may_look_different_once_they_are_read_are_there_as_they_came() {
    let (mut board, now) = fleet();
    for (name, number) in [
        ("a", "9007199254740993"),
        ("b", "1.10"),
        ("c", "-3.25"),
        ("d", "1e999"),
        ("e", "1e-9"),
        ("f", "0"),
        ("g", "-0"),
    ] {
        let payload = format!("{{\"value\":{number}}}");
        board.take(
            &format!("sensors/d3/{name}"),
            &message(&payload, false),
            now,
        );
    }
    let d3 = &board.snapshot(0, now)["fleet"]["d3"];
    assert_eq!(
        d3["spelled"],
        json!({"a": "9007199254740993", "b": "1.10", "e": "1e-9", "g": "-0"})
    );
    assert_eq!(d3["values"]["d"], json!("1e999"));
    assert_eq!(d3["values"]["c"], json!(-3.25));
}

#[test]
fn a_delta_has_what_is_new() {
    let (mut board, now) = fleet();
    let mut cursor = board.cursor();
    assert!(!board.is_ahead_of(cursor));
    board.take("sensors/d2/temp", &message("{\"value\":3}", false), now);
    assert!(board.is_ahead_of(cursor));
    let delta = board.delta(&mut cursor, 10, 10, now).unwrap();
    assert_eq!(delta["topics"].as_array().unwrap().len(), 1);
    assert_eq!(delta["topics"][0]["topic"], json!("sensors/d2/temp"));
    assert_eq!(cursor, board.cursor());
}

#[test]
fn what_was_not_heard_since_a_loss_is_stale() {
    let (mut board, now) = fleet();
    let before = board.changed();
    board.connection_lost(now);
    board.set_awaits(Some("no connection to mqtt://h:1883".into()));
    assert!(board.changed() > before);
    let later = now + Duration::from_secs(1);
    board.take("sensors/d1/temp", &message("{\"value\":3}", false), later);
    assert_eq!(board.counts(later)["stale"], json!(4));
    assert!(!board.is_stale(board.topics().get("sensors/d1/temp").unwrap()));
    assert!(board.headline(later).contains("not connected"));
}

#[test]
fn metrics_are_those_of_prometheus() {
    let (board, now) = fleet();
    let page = board.metrics(now);
    for line in [
        "# TYPE iotctl_watch_messages_total counter",
        "iotctl_watch_messages_total 5",
        "iotctl_watch_devices{status=\"offline\"} 1",
        "iotctl_watch_device_online{device=\"d1\"} 1",
        "iotctl_watch_left_out{what=\"devices\"} 0",
    ] {
        assert!(
            page.lines().any(|it| it == line),
            "{line} is not in\n{page}"
        );
    }
}

#[test]
fn metrics_of_a_large_fleet_have_those_that_are_offline_and_count_the_rest() {
    let (mut board, now) = fleet();
    for at in 0..1_200 {
        let topic = format!("devices/a{at}/status");
        board.take(&topic, &message("online", false), now);
    }
    for (id, status) in [("z1", "offline"), ("z2", "asleep")] {
        let topic = format!("devices/{id}/status");
        board.take(&topic, &message(status, false), now);
    }
    let page = board.metrics(now);
    let mut samples = page
        .lines()
        .filter(|it| it.starts_with("iotctl_watch_device_online{"));
    for id in ["d2", "z1", "z2"] {
        let wanted = format!("iotctl_watch_device_online{{device=\"{id}\"}} 0");
        assert_eq!(samples.next(), Some(&*wanted));
    }
    assert_eq!(samples.count(), 997);
    assert!(page.ends_with("iotctl_watch_left_out{what=\"devices\"} 204\n"));
}

#[test]
fn payloads_that_are_not_text_are_base64_and_cut_ones_are_whole_letters() {
    let now = Instant::now();
    let mut board = Board::new("s".into(), Options::default(), now, SystemTime::UNIX_EPOCH);
    let mut binary = message("", false);
    binary.payload = vec![0xff, 0xfe].into();
    board.take("b", &binary, now);
    board.take("long", &message(&"é€".repeat(2_000), false), now);
    let topics = board.snapshot(10, now)["topics"].clone();
    assert_eq!(topics[0]["payload_base64"], json!("//4="));
    assert_eq!(topics[1]["cut"], json!(true));
    assert_eq!(topics[1]["size_bytes"], json!(10_000));
    assert!(topics[1]["payload"].as_str().unwrap().len() > 4_000);
}

#[test]
fn history_is_kept_where_somebody_looks() {
    let (mut board, now) = fleet();
    board.look_at("sensors/d1/temp");
    board.take("sensors/d1/temp", &message("{\"value\":22}", false), now);
    let history = board.histories().get("sensors/d1/temp").unwrap();
    let numbers: Vec<f64> = history
        .numbers("/value")
        .into_iter()
        .map(|it| it.1)
        .collect();
    assert_eq!(numbers, [21.5, 22.0]);
    assert!(board.histories().get("devices/d1/status").is_none());
}

/// What comes to those who are there comes without the mark, and takes nothing away from what the server keeps.
#[test]
fn a_topic_is_retained_until_an_empty_message_comes() {
    let now = Instant::now();
    let mut board = Board::new("s".into(), Options::default(), now, SystemTime::UNIX_EPOCH);
    let steps = [
        ("1", true, true),
        ("2", false, true),
        ("", false, false),
        ("3", false, false),
        ("4", true, true),
        ("", true, false),
    ];
    for (payload, marked, retained) in steps {
        board.take("a", &message(payload, marked), now);
        let topic = board.topics().get("a").unwrap();
        assert_eq!(topic.retained, retained, "{payload:?}");
    }
}
