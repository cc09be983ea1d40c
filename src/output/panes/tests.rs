//! What is on the screen, and what keys do, without a terminal.

use std::time::{Duration, SystemTime};

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::super::action::Takes;
use super::draw::{Canvas, screen};
use super::state::State;
use super::*;
use crate::board::Options;
use crate::message::{Detail, Message, MqttDetail, MqttProperties};

struct World {
    board: Board,
    state: State,
    now: Instant,
}

fn message(payload: &[u8], retain: bool) -> Message {
    Message {
        time: SystemTime::UNIX_EPOCH,
        detail: Detail::Mqtt(MqttDetail {
            retain,
            ..MqttDetail::default()
        }),
        ..Message::plain(payload.to_vec().into())
    }
}

impl World {
    fn new() -> Self {
        let options = Options {
            devices: vec!["devices/{id}/status".parse().unwrap()],
            values: vec!["sensors/{id}/{metric}=/value".parse().unwrap()],
            alerts: vec!["alerts/#".parse().unwrap()],
            ..Options::default()
        };
        let now = Instant::now();
        let mut board = Board::new("mqtt://h:1883".into(), options, now, SystemTime::UNIX_EPOCH);
        board.set_awaits(None);
        let mut world = Self {
            board,
            state: State::new(false, Takes::Retained, now),
            now,
        };
        world.take("devices/d1/status", b"online", true);
        world.take("devices/d2/status", b"offline", true);
        world.take("sensors/d1/temp", b"{\"value\":21.5,\"unit\":\"C\"}", false);
        world.take("sensors/d2/\x1b[2J温度", b"\x1b]0;owned\x07", false);
        world.take(
            "alerts/d1/hot",
            b"{\"severity\":\"critical\",\"state\":\"firing\"}",
            false,
        );
        world.take("$SYS/broker/uptime", b"5 seconds", true);
        world
    }

    fn take(&mut self, topic: &str, payload: &[u8], retain: bool) {
        self.board.take(topic, &message(payload, retain), self.now);
    }

    fn keys(&mut self, keys: &[KeyCode]) -> Vec<Action> {
        let mut actions = Vec::new();
        self.draw(80, 24);
        for key in keys {
            let event = KeyEvent::new(*key, KeyModifiers::NONE);
            actions.extend(self.state.key(event, &mut self.board, self.now));
            self.draw(80, 24);
        }
        actions
    }

    fn typed(&mut self, text: &str) -> Vec<Action> {
        let keys: Vec<KeyCode> = text.chars().map(KeyCode::Char).collect();
        self.keys(&keys)
    }

    fn draw(&mut self, width: u16, height: u16) -> String {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        let mut canvas = Canvas::new(&mut buffer, false);
        screen(&mut canvas, &mut self.state, &self.board, self.now);
        let lines = buffer.content.chunks(usize::from(width));
        let line = |cells: &[ratatui_core::buffer::Cell]| {
            let text: String = cells
                .iter()
                .map(ratatui_core::buffer::Cell::symbol)
                .collect();
            text.trim_end().to_owned()
        };
        lines.map(line).collect::<Vec<_>>().join("\n")
    }

    fn shows(&mut self, words: &str) {
        let seen = self.draw(80, 24);
        assert!(seen.contains(words), "{words:?} is not in\n{seen}");
    }

    fn hides(&mut self, words: &str) {
        let seen = self.draw(80, 24);
        assert!(!seen.contains(words), "{words:?} is in\n{seen}");
    }
}

#[test]
fn topics_are_a_tree_that_opens_and_closes() {
    let mut world = World::new();
    world.shows("● mqtt://h:1883  2 devices (1 online, 1 offline), 1 alert, 5 topics");
    world.shows("▸ devices");
    world.hides("d1");
    world.keys(&[KeyCode::Down, KeyCode::Right, KeyCode::Down, KeyCode::Right]);
    world.shows("▾ devices");
    world.shows("status");
    world.shows("online");
    world.keys(&[KeyCode::Left, KeyCode::Left, KeyCode::Left]);
    world.hides("▾ devices");
}

#[test]
fn nothing_that_a_message_says_drives_the_terminal() {
    let mut world = World::new();
    world.keys(&[KeyCode::Char('s')]);
    for (width, height) in [(120, 40), (80, 24), (40, 10), (20, 4), (5, 2), (1, 1)] {
        let seen = world.draw(width, height);
        assert!(!seen.contains(['\x1b', '\x07']), "{seen:?}");
    }
    world.shows("\\x1b[2J温");
    world.shows("\\x1b]0;owned\\x07");
}

#[test]
fn every_pane_fits_into_small_terminals() {
    let mut world = World::new();
    for key in ['1', '2', '3', '4'] {
        world.typed(&key.to_string());
        for (width, height) in [(120, 40), (80, 24), (40, 10), (10, 3)] {
            world.draw(width, height);
        }
    }
    world.typed("2");
    world.shows("DEVICE");
    world.shows("offline");
    assert!(world.draw(40, 10).contains("d1"));
    world.typed("3");
    world.shows("critical");
    world.typed("4");
    world.shows("broker/uptime");
    world.typed("?");
    world.shows("remove the retained messages");
}

/// What each pane has to say is there in each size.
#[test]
fn what_matters_is_seen_in_each_size() {
    let mut world = World::new();
    for (width, height) in [(120, 40), (80, 24), (40, 10)] {
        let mut sees = |key: &str, all: &[&str]| {
            world.typed(key);
            let seen = world.draw(width, height);
            for words in all {
                assert!(seen.contains(words), "{words:?} is not in\n{seen}");
            }
        };
        sees(
            "1",
            &[
                "● mqtt://h:1883",
                "1 Topics",
                "▸ devices",
                "▸ sensors",
                "2 topics",
            ],
        );
        sees(
            "2",
            &[
                "2 Devices",
                "DEVICE",
                "d1",
                "online",
                "d2",
                "offline",
                "temp",
            ],
        );
        sees(
            "3",
            &["3 Alerts (1)", "SEVERITY", "alerts/d1/hot", "critical"],
        );
        sees("4", &["4 $SYS", "broker/uptime", "5 seconds"]);
    }
}

#[test]
fn what_is_asked_and_what_is_special_is_seen_where_there_is_little_room() {
    let mut world = World::new();
    world.keys(&[KeyCode::Down]);
    let topics = (0..8_000).map(|at| format!("devices/d{at}/status"));
    world.state.ask_to_clear("devices", topics.collect());
    world.typed("80");
    for (width, height) in [(80, 24), (40, 10)] {
        let seen = world.draw(width, height).replace('\n', " ");
        let words = "remove 8000 retained messages at devices and below? yes or 8000, Enter: 80▏";
        assert!(seen.contains(words), "{seen}");
    }
    world.keys(&[KeyCode::Esc]);
    world.typed("/temp");
    world.keys(&[KeyCode::Enter]);
    world.typed("p");
    world.state.recorded = Some(1_234);
    for (width, height) in [(80, 24), (40, 10)] {
        let seen = world.draw(width, height);
        for sign in ["PAUSED", "REC 1234", "/te"] {
            assert!(seen.contains(sign), "{sign} is not in\n{seen}");
        }
    }
    // A message of several lines is read to its end.
    world.typed("f/value >");
    world.keys(&[KeyCode::Enter]);
    let seen = world.draw(40, 10).replace('\n', " ");
    assert!(
        seen.contains("filter: /value >▏") && seen.contains("not a number"),
        "{seen}"
    );
}

#[test]
fn the_help_is_read_to_its_end_where_there_is_little_room() {
    let mut world = World::new();
    world.typed("?");
    let mut seen = String::new();
    for _ in 0..40 {
        seen.push_str(&world.draw(40, 10));
        let down = KeyEvent::new(KeyCode::Down, KeyModifiers::NONE);
        world.state.key(down, &mut world.board, world.now);
    }
    for (keys, what) in keys::HELP {
        assert!(seen.contains(keys), "{keys} is not in\n{seen}");
        for word in what.split(' ') {
            assert!(seen.contains(word), "{word} is not in\n{seen}");
        }
    }
    let last = world.draw(40, 10);
    assert!(
        last.contains("quit") && last.contains("any other key closes"),
        "{last}"
    );
    world.keys(&[KeyCode::Esc]);
    world.shows("▸ devices");
}

#[test]
fn devices_are_sorted_and_shown_in_detail() {
    let mut world = World::new();
    for (id, value) in [("d2", 100), ("d3", 9), ("d1", 30)] {
        world.now += Duration::from_secs(1);
        let payload = format!("{{\"value\":{value}}}");
        world.take(&format!("sensors/{id}/volts"), payload.as_bytes(), false);
    }
    world.typed("2");
    let order = |world: &mut World| -> Vec<String> {
        let seen = world.draw(80, 24);
        let lines = seen.lines().filter(|line| line.starts_with('d'));
        lines.map(|line| line[..2].to_owned()).collect()
    };
    world.shows("by id");
    assert_eq!(order(&mut world), ["d1", "d2", "d3"]);
    for (words, ids) in [
        ("by status", ["d2", "d3", "d1"]),
        ("by last seen", ["d1", "d3", "d2"]),
        ("by temp", ["d1", "d2", "d3"]),
        ("by volts", ["d2", "d1", "d3"]),
        ("by id", ["d1", "d2", "d3"]),
        ("by status", ["d2", "d3", "d1"]),
    ] {
        // Metrics of odd names come between.
        let found = (0..3).any(|_| {
            world.typed("s");
            world.draw(80, 24).contains(words)
        });
        assert!(found, "{words}");
        assert_eq!(order(&mut world), ids, "{words}");
    }
    // The chosen device stays chosen where it is by now.
    world.take("devices/d3/status", b"offline", false);
    world.keys(&[KeyCode::Down, KeyCode::Enter]);
    world.shows("last seen");
    let seen = world.draw(40, 10);
    assert!(seen.contains("volts") && seen.contains("  9"), "{seen}");
    world.keys(&[KeyCode::PageDown, KeyCode::Esc]);
    world.hides("last seen 0s ago");
    world.shows("DEVICE");
}

#[test]
fn what_the_server_says_of_itself_is_shown_in_detail() {
    let mut world = World::new();
    world.typed("4");
    world.keys(&[KeyCode::Enter]);
    world.shows("$SYS/broker/uptime");
    world.take("$SYS/broker/uptime", b"15 seconds", true);
    world.shows("+ 15 seconds");
    world.shows("- 5 seconds");
    // The topics have a detail of their own.
    world.typed("1");
    world.hides("15 seconds");
    world.typed("4");
    world.keys(&[KeyCode::Esc]);
    world.hides("- 5 seconds");
}

#[test]
fn a_filter_looks_at_what_is_kept_and_refuses_the_rest() {
    let mut world = World::new();
    world.now += Duration::from_secs(60);
    world.take("sensors/d1/temp", b"{\"value\":22}", false);
    let mut filtered = |line: &str| {
        world.keys(&[KeyCode::Esc, KeyCode::Esc]);
        world.typed("f");
        world.typed(line);
        world.keys(&[KeyCode::Enter]);
        world.draw(200, 24)
    };
    let seen = filtered("age < 10");
    assert!(
        seen.contains("sensors/d1/temp") && !seen.contains("devices/d1"),
        "{seen}"
    );
    let seen = filtered("age >= 60 and topic contains devices");
    assert!(
        seen.contains("devices/d1") && !seen.contains("sensors/d1"),
        "{seen}"
    );
    let seen = filtered("retain == true");
    assert!(
        seen.contains("devices/d1") && !seen.contains("sensors/d1"),
        "{seen}"
    );
    for (line, what) in [
        ("changed(/value)", "changed(/value) is not kept"),
        (
            "/value > 3 and not changed(/value)",
            "changed(/value) is not kept",
        ),
        ("header.site == a", "header.site is not kept"),
        ("{id} == d1", "{id} is not kept"),
    ] {
        let seen = filtered(line);
        assert!(seen.contains(what) && seen.contains(line), "{seen}");
    }
    // What is older than it was fulfils another condition, though nothing has come.
    let seen = filtered("age > 100");
    assert!(seen.contains("no topic matches"), "{seen}");
    world.now += Duration::from_secs(50);
    world.shows("devices/d1");
    world.hides("sensors/d1");
}

#[test]
fn a_size_is_that_of_the_message_and_not_of_what_is_kept() {
    let mut world = World::new();
    world.take("large", &[b'x'; 10_000], false);
    world.typed("fsize > 9000");
    world.keys(&[KeyCode::Enter]);
    world.shows("large");
}

#[test]
fn quitting_is_asked_about_while_something_is_under_way() {
    let mut world = World::new();
    let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(world.typed("q"), [Action::Quit]);
    world
        .state
        .ask_to_leave("removed 500 of 8000 retained messages".into());
    world.shows("removed 500 of 8000 retained messages: quit and leave the rest? y, n");
    assert_eq!(world.typed("n"), []);
    world
        .state
        .ask_to_leave("removed 500 of 8000 retained messages".into());
    assert_eq!(world.typed("y"), [Action::Leave]);
    let asked = world.state.key(control, &mut world.board, world.now);
    assert_eq!(asked, [Action::Leave]);
}

#[test]
fn a_topic_in_detail_shows_what_is_new_and_a_graph() {
    let mut world = World::new();
    world.typed("/temp");
    world.keys(&[KeyCode::Enter, KeyCode::Enter]);
    world.shows("\"value\": 21.5");
    for at in 0..20u64 {
        world.now += Duration::from_secs(1);
        let payload = format!("{{\"value\":{},\"unit\":\"C\"}}", 20 + at % 5);
        world.take("sensors/d1/temp", payload.as_bytes(), false);
    }
    world.shows("/value: 24, from 20 to 24 in 20s");
    world.shows("+   \"value\": 24,");
    world.shows("-   \"value\": 23,");
    let seen = world.draw(120, 40);
    assert!(
        seen.contains("  1s  {\"value\":23") || seen.contains("0s  {"),
        "{seen}"
    );
    assert!(
        seen.chars()
            .any(|it| ('\u{2801}'..='\u{28ff}').contains(&it)),
        "{seen}"
    );
    world.typed("g");
    world.keys(&[KeyCode::Backspace; 6]);
    world.typed("x");
    world.keys(&[KeyCode::Enter]);
    world.shows("\"x\" is not a JSON pointer");
    world.keys(&[KeyCode::Esc, KeyCode::Esc]);
    world.hides("\"unit\": \"C\"");
}

#[test]
fn a_topic_in_detail_shows_what_its_payload_says_in_any_form() {
    let mut world = World::new();
    let mut cbor = message(b"\xa2\x61t\xf9\x4d\x60\x61uaC", false);
    if let Detail::Mqtt(mqtt) = &mut cbor.detail {
        let properties = MqttProperties {
            content_type: Some("application/cbor".into()),
            ..MqttProperties::default()
        };
        mqtt.properties = Some(Box::new(properties));
    }
    world.board.take("meters/m1", &cbor, world.now);
    world.typed("/m1");
    world.keys(&[KeyCode::Enter, KeyCode::Enter]);
    world.shows("10 B, QoS 0, CBOR, 1 message");
    world.shows("\"t\": 21.5");
    world.shows("/t: 21.5, from 21.5 to 21.5");
    // The form is no longer what the message says it is.
    cbor.payload = b"\xff\xfe".as_slice().into();
    world.board.take("meters/m1", &cbor, world.now);
    world.shows("not valid CBOR");
    world.shows("+ ff fe");
}

#[test]
fn filters_and_searches_leave_out_the_rest() {
    let mut world = World::new();
    world.typed("f/value > 30");
    world.keys(&[KeyCode::Enter]);
    world.shows("no topic matches");
    world.take("sensors/d9/temp", b"{\"value\":31}", false);
    world.shows("sensors/d9/temp");
    world.typed("f");
    world.keys(&[KeyCode::Backspace; 11]);
    world.typed("/value >");
    world.keys(&[KeyCode::Enter]);
    world.shows("is not a number");
    world.keys(&[KeyCode::Esc, KeyCode::Esc]);
    world.shows("▸ sensors");
}

#[test]
fn a_pause_shows_what_was() {
    let mut world = World::new();
    world.typed("p");
    world.take("new/topic", b"1", false);
    world.shows("PAUSED");
    world.hides("new");
    world.typed("p");
    world.shows("▸ new");
}

#[test]
fn what_changes_something_is_asked_first() {
    let mut world = World::new();
    world.keys(&[KeyCode::Down]);
    // They are counted at the server, and then it is asked.
    let all = ["devices/d1/status", "devices/d2/status"].map(String::from);
    let asks = |world: &mut World| {
        assert_eq!(world.typed("D"), [Action::Count("devices".into())]);
        world.state.ask_to_clear("devices", all.to_vec());
    };
    asks(&mut world);
    world.shows("remove 2 retained messages at devices and below? yes or 2, Enter");
    // Neither one key nor another answer is enough.
    for answer in ["", "y", "n", "3"] {
        assert_eq!(world.typed(answer), []);
        assert_eq!(world.keys(&[KeyCode::Enter]), []);
        world.shows("nothing was done");
        asks(&mut world);
    }
    assert_eq!(world.keys(&[KeyCode::Esc]), []);
    world.shows("nothing was done");
    asks(&mut world);
    world.typed("2");
    assert_eq!(world.keys(&[KeyCode::Enter]).len(), 1);
    asks(&mut world);
    world.typed("yes");
    let asked = world.keys(&[KeyCode::Enter]);
    assert_eq!(asked, [Action::Clear(all.to_vec())]);
    world.state.ask_to_clear("devices", Vec::new());
    world.shows("there is no retained message at devices and below");
    // It comes when something else is asked for: that goes on.
    world.typed("/");
    world.state.ask_to_clear("devices", all.to_vec());
    world.shows("2 retained messages at devices and below: D asks again");
    world.keys(&[KeyCode::Esc]);
    world.typed("P");
    world.keys(&[KeyCode::Backspace; 7]);
    world.typed("a/b");
    world.keys(&[KeyCode::Enter]);
    world.typed("on");
    assert_eq!(world.keys(&[KeyCode::Enter]), []);
    let action = Action::Publish {
        topic: "a/b".into(),
        payload: "on".into(),
        retain: true,
    };
    assert_eq!(world.typed("r"), [action]);
    world.typed("w");
    let action = Action::Record(Some("recording.ndjson".into()));
    assert_eq!(world.keys(&[KeyCode::Enter]), [action]);
    world.state.recorded = Some(3);
    world.shows("REC 3");
    assert_eq!(world.typed("w"), [Action::Record(None)]);
    assert_eq!(world.typed("q"), [Action::Quit]);
}

#[test]
fn what_is_pasted_is_no_keys_and_goes_into_a_line_that_is_asked_for() {
    let mut world = World::new();
    world.keys(&[KeyCode::Down]);
    world.state.paste("Dynamo\nDyes\rq");
    world.shows("what was pasted was ignored: nothing is asked for");
    world.shows("▸ devices");
    // The question stands until it is answered by keys.
    world
        .state
        .ask_to_clear("devices", vec!["devices/d1/status".into()]);
    world.state.paste("yes\n");
    world.shows("Enter: yes▏");
    world.keys(&[KeyCode::Esc]);
    world.shows("nothing was done");
    world.typed("/");
    world.state.paste("te");
    world.typed("mp");
    world.shows("search: temp▏");
    world.shows("sensors/d1/temp");
    world.state.paste("a\x1b[2J");
    world.shows("search: temp▏  (what was pasted was ignored: it has line breaks");
    world.state.paste(&"x".repeat(5_000));
    world.shows("a line has 4096 bytes at most");
    world.keys(&[KeyCode::Esc]);
    // A payload has its lines, and is asked about all the same.
    world.typed("P");
    world.keys(&[KeyCode::Backspace; 20]);
    world.state.paste("a/b\r");
    world.keys(&[KeyCode::Enter]);
    world.state.paste("{\r\n\t\"a\": 1\r}\r\n");
    world.keys(&[KeyCode::Enter]);
    world.state.paste("y");
    world.shows("publish 11 bytes to a/b?");
    let action = Action::Publish {
        topic: "a/b".into(),
        payload: "{\n\t\"a\": 1\n}".into(),
        retain: false,
    };
    assert_eq!(world.typed("y"), [action]);
}

#[test]
fn a_lost_connection_is_seen() {
    let mut world = World::new();
    world.board.connection_lost(world.now);
    world
        .board
        .set_awaits(Some("no connection to mqtt://h:1883".into()));
    world.keys(&[KeyCode::Char('s')]);
    world.shows("○ mqtt://h:1883  no connection to mqtt://h:1883");
    world.shows("~");
}
