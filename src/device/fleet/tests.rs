use super::*;
use crate::device::file::Text;
use crate::device::model::Overrides;
use crate::device::scenario::SCENARIOS;
use std::path::Path;

const SECOND: Nanos = 1_000_000_000;

fn model(text: &str) -> Model {
    let text = Text {
        name: "f.toml",
        text,
    };
    let file = text.parse().unwrap();
    Model::of(text, &file, Path::new(""), file.seed.unwrap_or(1)).unwrap()
}

fn refusal(text: &str) -> String {
    let text = Text {
        name: "f.toml",
        text,
    };
    let made = text
        .parse()
        .and_then(|file| Model::of(text, &file, Path::new(""), 1));
    made.unwrap_err().text().to_owned()
}

/// A fleet whose connections all hold.
struct World {
    fleet: Fleet,
    now: Nanos,
    sent: Vec<(usize, Outgoing)>,
    closed: Vec<(usize, End)>,
}

impl World {
    fn new(text: &str) -> Self {
        Self::of(model(text))
    }

    fn of(model: Model) -> Self {
        Self {
            fleet: Fleet::new(model, 0),
            now: 0,
            sent: Vec::new(),
            closed: Vec::new(),
        }
    }

    fn run(&mut self, until: Nanos) {
        loop {
            while let Some(effect) = self.fleet.next_effect() {
                match effect {
                    Effect::Open(device) => self.fleet.opened(device, self.now),
                    Effect::Close(device, end) => self.closed.push((device, end)),
                    Effect::Publish(device, message) => self.sent.push((device, message)),
                    Effect::Subscribe(..) | Effect::Unsubscribe(..) => {}
                }
            }
            match self.fleet.next_due().filter(|at| *at <= until) {
                Some(at) => {
                    self.now = at;
                    self.fleet.step(at);
                }
                None => break,
            }
        }
        self.now = until;
    }

    fn tell(&mut self, device: usize, topic: &str, payload: &str) {
        let payload = Bytes::copy_from_slice(payload.as_bytes());
        self.fleet.command(device, topic, &payload, None, self.now);
    }

    fn at(&self, topic: &str) -> Vec<String> {
        let of = self.sent.iter().filter(|(_, it)| *it.topic == *topic);
        of.map(|(_, it)| String::from_utf8(it.payload.to_vec()).unwrap())
            .collect()
    }

    fn lines(&self) -> Vec<String> {
        let line = |(device, it): &(usize, Outgoing)| format!("{device} {it:?}");
        self.sent.iter().map(line).collect()
    }
}

const SENSORS: &str = r#"
seed = 7
[[device]]
count = 3
id = "d{n}"
connect = { spread = "10s", stay = "20s..1m", away = "5s", crash = 0.5 }
status = { topic = "devices/{id}/status" }
[[device.sensor]]
name = "t"
every = "1s±10%"
value = { walk = { min = 15, max = 35, step = 0.4 } }
[[device.sensor]]
name = "twice"
every = "2s"
value = { jq = ".t * 2" }
"#;

#[test]
fn the_same_seed_makes_the_same_bytes_and_another_device_changes_no_other() {
    let run = |text: &str| {
        let mut world = World::new(text);
        world.run(300 * SECOND);
        world
    };
    let (one, other) = (run(SENSORS), run(SENSORS));
    assert!(one.sent.len() > 500, "{}", one.sent.len());
    assert_eq!(one.lines(), other.lines());
    let more = run(&SENSORS.replace("count = 3", "count = 4"));
    let of_three = more.lines().into_iter().filter(|it| !it.starts_with("3 "));
    assert_eq!(one.lines(), of_three.collect::<Vec<_>>());
    assert_ne!(
        one.lines(),
        run(&SENSORS.replace("seed = 7", "seed = 8")).lines()
    );
}

#[test]
fn births_ends_and_wills_are_counted() {
    let mut world = World::new(SENSORS);
    world.run(600 * SECOND);
    world.fleet.finish(world.now);
    world.run(600 * SECOND);
    let account = &world.fleet.account;
    let ends = |end| world.closed.iter().filter(|it| it.1 == end).count() as u64;
    assert_eq!(account.crashes, ends(End::Crash));
    assert_eq!(account.clean_ends, ends(End::Clean));
    assert_eq!(account.wills_expected, account.crashes);
    assert_eq!(account.connections, account.births);
    assert_eq!(account.connections, account.crashes + account.clean_ends);
    assert!(account.crashes > 5 && account.clean_ends > 5, "{account:?}");
    let offline = |status: &&(usize, Outgoing)| {
        status.1.topic.ends_with("/status")
            && status.1.payload.starts_with(b"{\"status\":\"offline\"")
    };
    let said = world.sent.iter().filter(offline).count() as u64;
    assert_eq!(said, account.clean_ends);
    assert!(
        world
            .sent
            .iter()
            .filter(offline)
            .all(|it| it.1.retain && it.1.qos == 1)
    );
    assert_eq!(account.published, world.sent.len() as u64);
    let read = account.published - account.births - account.clean_ends;
    assert_eq!(
        account.readings,
        read + account.while_away + account.not_reported
    );
}

#[test]
fn values_stay_within_their_bounds_and_follow_each_other() {
    let mut world = World::new(SENSORS);
    world.run(1000 * SECOND);
    for text in world.at("sensors/d1/t") {
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let value = json["value"].as_f64().unwrap();
        assert!((15.0..=35.0).contains(&value), "{text}");
        assert!(
            json["timestamp"]
                .as_str()
                .unwrap()
                .starts_with("1970-01-01T00:")
        );
    }
    let double = world.at("sensors/d1/twice");
    assert!(
        double.iter().any(|text| text.contains("\"value\":5")),
        "{double:?}"
    );
}

const PINS: &str = r#"
[[device]]
id = "pi"
[[device.actuator]]
name = "gpio{pin}"
vary = { pin = "1-3" }
command = "gpio/{pin}/command"
state = "gpio/{pin}/state"
ack = "commands/{id}/ack"
[[device.actuator]]
name = "dim"
kind = "number"
min = 0
max = 100
delay = "1s"
command = "dim/set"
state = "dim"
[[device.actuator]]
name = "config"
kind = "config"
command = "pi/config"
[[device.actuator]]
name = "reboot"
kind = "reboot"
command = "pi/reboot"
[[device.sensor]]
name = "t"
every = "1h"
value = 3
payload = "{value:.2} {gpio1} {dim} {seq}"
"#;

#[test]
fn commands_make_states_and_acknowledgements() {
    let mut world = World::new(PINS);
    world.run(0);
    assert_eq!(world.at("gpio/2/state"), ["0"]);
    for (word, state) in [
        ("on", "1"),
        ("toggle", "0"),
        ("ON", "1"),
        ("0", "0"),
        ("true", "1"),
        (r#"{"state":"off"}"#, "0"),
        (r#"{"state": 1}"#, "1"),
    ] {
        world.tell(0, "gpio/2/command", word);
        world.run(world.now);
        assert_eq!(world.at("gpio/2/state").last().unwrap(), state, "{word}");
    }
    world.tell(0, "gpio/2/command", "blink");
    world.tell(0, "dim/set", "150");
    world.tell(0, "dim/set", r#"{"value": 50}"#);
    world.run(world.now);
    assert_eq!(world.at("dim"), ["0"]);
    world.run(SECOND);
    assert_eq!(world.at("dim"), ["0", "50"]);
    let acks = world.at("commands/pi/ack");
    assert_eq!(acks.len(), 8);
    assert!(
        acks[0].contains(r#""status":"ok","value":"on""#),
        "{}",
        acks[0]
    );
    assert!(acks[7].contains(r#""error":"unknown command blink; expected on, off or toggle""#));
    let account = &world.fleet.account;
    assert_eq!(
        (account.commands, account.executed, account.unknown_commands),
        (10, 8, 2)
    );
}

#[test]
fn a_device_is_configured_and_begins_anew() {
    let mut world = World::new(PINS);
    world.run(0);
    world.tell(0, "pi/config", r#"{"t": "10s"}"#);
    world.tell(0, "pi/config", r#"{"x": "10s"}"#);
    world.tell(0, "gpio/1/command", "on");
    world.run(25 * SECOND);
    let read = world.at("sensors/pi/t");
    assert_eq!(read.len(), 2, "{read:?}");
    assert!(read[0].starts_with("3.00 on 0 "), "{read:?}");
    world.tell(0, "pi/reboot", "now");
    world.run(26 * SECOND);
    assert_eq!(world.closed, [(0, End::Clean)]);
    world.tell(0, "gpio/1/command", "on");
    world.run(40 * SECOND);
    assert_eq!(world.at("gpio/1/state"), ["0", "1", "0"]);
    let account = &world.fleet.account;
    assert_eq!(
        (
            account.reboots,
            account.unknown_commands,
            account.dropped_commands
        ),
        (1, 1, 1)
    );
}

#[test]
fn a_request_is_answered_where_it_wants() {
    let mut world = World::new(PINS);
    world.run(0);
    let reply = Reply {
        topic: "answers/7".into(),
        correlation: Some(Bytes::from_static(b"\x01")),
    };
    let on = Bytes::from_static(b"on");
    world
        .fleet
        .command(0, "gpio/3/command", &on, Some(&reply), 0);
    world.run(0);
    let answer = world
        .sent
        .iter()
        .find(|(_, it)| *it.topic == *"answers/7")
        .unwrap();
    assert_eq!(answer.1.correlation, reply.correlation);
}

#[test]
fn rules_act_once_and_circles_end() {
    let text = r#"
[[device]]
id = "m-{room}"
vary = { room = ["a", "b"] }
[[device.sensor]]
name = "motion"
every = "1s"
value = { steps = { values = [false, true, true, false], every = "1s" } }
first = "0s"
[[device]]
id = "l-{room}"
vary = { room = ["a", "b"] }
[[device.actuator]]
name = "light"
command = "home/{room}/light/set"
state = "home/{room}/light"
payload = "{value}"
[[rule]]
when = "motion of {room} == true and light of {room} == off"
then = { command = "home/{room}/light/set", payload = "on" }
"#;
    let mut world = World::new(text);
    world.run(3 * SECOND);
    assert_eq!(world.at("home/a/light"), ["off", "on"]);
    assert_eq!(world.at("home/b/light"), ["off", "on"]);
    assert_eq!(world.fleet.account.rule_commands, 2);
    let circle = format!(
        "{text}[[rule]]\nwhen = \"light of {{room}} == on\"\nthen = {{ command = \"home/{{room}}/light/set\", payload = \"off\" }}\n"
    );
    let mut world = World::new(&circle);
    world.run(3 * SECOND);
    assert_eq!(world.fleet.account.stopped_rules, 2);
}

#[test]
fn faults_and_batteries_are_exact() {
    let text = r#"
[[device]]
id = "d"
state = { battery = { from = 100, per-message = -1, recharge-at = 50 } }
[[device.sensor]]
name = "t"
every = "1s"
value = { counter = {} }
payload = "{value} {battery}"
faults = { stuck = 0.01, stuck-for = 3, spike = 0.02, missing = 0.05, duplicate = 0.05, out-of-order = 0.05, skew = "5s" }
"#;
    let mut world = World::new(text);
    world.run(2000 * SECOND);
    world.fleet.finish(world.now);
    world.run(world.now);
    let account = world.fleet.account.clone();
    let sent = world.at("sensors/d/t").len() as u64;
    assert_eq!(
        sent,
        account.readings - account.missing + account.duplicated
    );
    for count in [
        account.stuck,
        account.spikes,
        account.missing,
        account.duplicated,
        account.out_of_order,
    ] {
        assert!(count > 10, "{account:?}");
    }
    assert!(account.recharged > 10, "{account:?}");
    let mut world = World::new(&text.replace(", recharge-at = 50", ""));
    world.run(2000 * SECOND);
    assert_eq!((world.fleet.account.dead, world.closed.len()), (1, 1));
}

#[test]
fn the_scenarios_run() {
    for (name, text) in SCENARIOS {
        let mut world = World::new(text);
        world.run(120 * SECOND);
        assert!(world.sent.len() > 40, "{name}: {}", world.sent.len());
        assert_eq!(world.fleet.account.unknown_commands, 0, "{name}");
    }
    let home = model(SCENARIOS[0].1);
    assert_eq!(home.devices.len(), 110);
}

#[test]
fn mistakes_are_refused_with_their_line() {
    let device = "[[device]]\nid = \"d\"\n";
    let sensor = |more: &str| format!("{device}[[device.sensor]]\nname = \"t\"\n{more}\n");
    for (text, why) in [
        (
            String::new(),
            "f.toml:1: there are no devices; begin one with [[device]]",
        ),
        (
            sensor("every = 0"),
            "f.toml:3: sensor t: every must be longer than 0",
        ),
        (
            sensor("every = 1\nvalue = { walk = { min = 3, max = 1, step = 1 } }"),
            "f.toml:3: sensor t: min 3 is greater than max 1",
        ),
        (
            sensor("every = 1\ntopic = \"a/+/b\""),
            "f.toml:3: sensor t: topic \"a/+/b\" contains the wildcard +",
        ),
        (
            sensor("every = 1\ntopic = \"a/{rom}\""),
            "f.toml:3: sensor t: topic: unknown placeholder {rom}",
        ),
        (
            sensor("every = 1\nqos = 3"),
            "f.toml:3: sensor t: qos = 3 is not 0, 1 or 2",
        ),
        (
            format!("{device}count = 2\n"),
            "f.toml:1: two devices are called d: the id needs {n}, or what varies",
        ),
        (
            "[[device]]\nid = \"d{n}\"\ncount = 2\nstatus = { topic = \"s\" }\n".to_owned(),
            "f.toml:1: d1 and d2 would share a retained status: its topic needs {id}",
        ),
        (
            format!(
                "{device}[[rule]]\nwhen = \"x of d == 1\"\nthen = {{ command = \"c\", payload = \"on\" }}\n"
            ),
            "f.toml:3: when: there is no x of d",
        ),
    ] {
        assert_eq!(refusal(&text), why);
    }
    let described = Text {
        name: "f.toml",
        text: SENSORS,
    };
    let mut file = described.parse().unwrap();
    Overrides {
        seed: Some(3),
        count: Some(9),
    }
    .apply(described, &mut file)
    .unwrap();
    assert_eq!(
        (file.seed, file.device[0].get_ref().count),
        (Some(3), Some(9))
    );
}

#[test]
fn what_devices_cannot_share_is_refused() {
    let two = "[[device]]\nid = \"d{n}\"\ncount = 2\n";
    let coap = "protocol = \"coap\"\n";
    let sensor = "[[device.sensor]]\nname = \"s\"\nevery = 1\n";
    let actuator = "[[device.actuator]]\nname = \"a\"\n";
    for (text, why) in [
        (
            format!("{two}{actuator}state = \"s\"\n"),
            "f.toml:1: d1 and d2 would share the retained topic of the actuator a: it needs {id}",
        ),
        (
            format!("{two}{coap}{actuator}command = \"a\"\n"),
            "f.toml:1: d1 and d2 would share the path of the actuator a: it needs {id}",
        ),
        (
            format!("{two}{coap}{sensor}topic = \"/s\"\n"),
            "f.toml:1: d1 and d2 would share the path of the sensor s: it needs {id}",
        ),
        (
            format!("{two}{coap}{actuator}ack = \"{{id}}/ack\"\n"),
            "f.toml:5: actuator a: ack: a CoAP request has its answer in the response",
        ),
    ] {
        assert_eq!(refusal(&text), why);
    }
    // What no server keeps may be shared, and a device may take commands where it shows its state.
    model(&format!(
        "{two}{sensor}topic = \"s\"\n{actuator}command = \"a\"\n"
    ));
    model(&format!("{two}{actuator}state = \"s\"\nretain = false\n"));
    model(&format!("{two}{coap}{sensor}{actuator}"));
    let amqp = "protocol = \"amqp\"\n";
    model(&format!("{two}{amqp}{actuator}state = \"s\"\n"));
}

/// Several devices of each group need identifiers with a number.
#[test]
fn a_count_for_identifiers_without_a_number_is_refused() {
    let counted = |text: &str, count| {
        let text = Text {
            name: "f.toml",
            text,
        };
        let mut file = text.parse().unwrap();
        let count = Some(count);
        let overrides = Overrides { seed: None, count };
        overrides.apply(text, &mut file)
    };
    for (name, text) in SCENARIOS {
        assert!(counted(text, 1).is_ok(), "{name}");
        let refused = counted(text, 5).err();
        assert_eq!(refused.is_none(), ["factory", "vehicle"].contains(&name));
    }
    let refused = counted(SCENARIOS[0].1, 5).unwrap_err();
    let why = "--count 5 needs {n} in the id \"multi-{room}\"";
    assert!(refused.text().ends_with(why), "{}", refused.text());
    assert!(refused.hint_text().unwrap().contains("--print-config"));
}

/// An answer that cannot wait says what has become of the command.
#[test]
fn a_request_has_the_fate_of_its_command() {
    let device = "[[device]]\nid = \"d\"\nprotocol = \"coap\"\n";
    let actuator =
        |name: &str, more: &str| format!("[[device.actuator]]\nname = \"{name}\"\n{more}\n");
    let text = [
        device.to_owned(),
        actuator("sure", ""),
        actuator("broken", "fail = 1.0"),
        actuator("slow", "fail = 1.0\ndelay = \"1s\""),
    ];
    let mut world = World::new(&text.concat());
    world.run(SECOND);
    let mut asked = |name: &str, word: &'static str| {
        let (topic, word) = (format!("d/{name}"), Bytes::from_static(word.as_bytes()));
        world.fleet.request(0, &topic, &word, world.now)
    };
    assert_eq!(asked("sure", "on"), Fate::Taken);
    assert_eq!(asked("sure", "blink"), Fate::Unknown);
    assert_eq!(asked("broken", "on"), Fate::Failed);
    // It is taken, and fails later.
    assert_eq!(asked("slow", "on"), Fate::Taken);
    assert_eq!(world.fleet.account.failed, 1);
    world.run(3 * SECOND);
    let account = &world.fleet.account;
    assert_eq!((account.executed, account.failed), (1, 2));
    assert_eq!((account.commands, account.unknown_commands), (4, 1));
}

/// RabbitMQ's names for answers may have letters that are wildcards of MQTT, where nobody is answered there.
#[test]
fn an_answer_goes_to_any_queue_and_to_no_wildcard() {
    for (protocol, topic, answers) in [("amqp", "commands.d.a", 1), ("mqtt", "commands/d/a", 0)] {
        let actuator = "[[device.actuator]]\nname = \"a\"\n";
        let device = format!("[[device]]\nid = \"d\"\nprotocol = \"{protocol}\"\n");
        let mut world = World::new(&(device + actuator));
        world.run(SECOND);
        let reply = Reply {
            topic: "amq.rabbitmq.reply-to.g1h+ab==".into(),
            correlation: None,
        };
        let (on, now) = (Bytes::from_static(b"on"), world.now);
        world.fleet.command(0, topic, &on, Some(&reply), now);
        world.run(2 * SECOND);
        let sent = world.sent.iter().filter(|(_, it)| it.is_answer);
        assert_eq!(sent.count(), answers, "{protocol}");
    }
}

/// Readings made while a device is away are sent afterwards, with their own times; the oldest ones give way.
#[test]
fn readings_without_a_connection_are_kept() {
    let text = r#"
[[device]]
id = "d"
buffer = 5
connect = { stay = "10s", away = "9s" }
[[device.sensor]]
name = "t"
every = "1s"
first = "500ms"
value = { counter = {} }
payload = "{value} {seq} {unix_ms}"
"#;
    let mut world = World::new(text);
    world.run(40 * SECOND);
    let lines = world.at("sensors/d/t");
    let numbers: Vec<u64> = lines
        .iter()
        .map(|it| it.split(' ').next().unwrap().parse().unwrap())
        .collect();
    // Ten while it is connected; of nine the last five; ten; the last five; and two.
    let expected: Vec<u64> = (0..10).chain(14..29).chain(33..40).collect();
    assert_eq!(numbers, expected, "{lines:?}");
    for (number, line) in numbers.iter().zip(&lines) {
        assert!(
            line.ends_with(&format!(" {}", 500 + number * 1000)),
            "{line}"
        );
    }
    let account = &world.fleet.account;
    let counts = (account.buffered, account.forwarded, account.buffer_dropped);
    assert_eq!(counts, (18, 10, 8));
    assert_eq!(account.while_away, 0);
    world.fleet.finish(world.now);
    assert_eq!(world.fleet.buffered, 0);
}

/// What a run leaves in a buffer is counted, and what can be sent at its end is.
#[test]
fn a_buffer_is_emptied_at_the_end() {
    let text = r#"
[[device]]
id = "d{n}"
count = 2
buffer = 1000
connect = { stay = "1s", away = "1h" }
[[device.sensor]]
name = "t"
every = "100ms"
first = "0s"
value = 1
"#;
    let mut world = World::new(text);
    world.run(30 * SECOND);
    // One comes back, and goes on sending what it has kept.
    world.fleet.units[0].standing = Standing::Connecting;
    world.fleet.opened(0, world.now);
    world.fleet.finish(world.now);
    world.run(30 * SECOND);
    let account = &world.fleet.account;
    assert_eq!(
        account.buffered,
        account.forwarded + account.buffer_left,
        "{account:?}"
    );
    assert_eq!(account.forwarded, account.buffer_left);
    assert_eq!(account.published, world.sent.len() as u64);
}

/// The machine sees to the fleet each second only, which is ten seconds of the fleet.
#[test]
fn what_happens_late_is_counted_by_the_machines_clock() {
    let text = "[[device]]\nid = \"d{n}\"\ncount = 10\n[[device.sensor]]\nname = \"t\"\nevery = \"1s\"\nvalue = 1";
    let mut fleet = Fleet::new(model(text), 0).at_speed(10.0);
    for turn in 0..=3 {
        let now = fleet.now(Duration::from_secs(turn));
        assert_eq!(now, 10 * turn * SECOND);
        while fleet.step(now) {
            while let Some(effect) = fleet.next_effect() {
                if let Effect::Open(device) = effect {
                    fleet.opened(device, now);
                }
            }
        }
    }
    let account = fleet.account.clone();
    assert!((280..=300).contains(&account.readings), "{account:?}");
    // What was due in the last second of each turn is not late.
    assert!((250..=280).contains(&account.late), "{account:?}");
    assert!((900..1000).contains(&account.lag_max_ms), "{account:?}");
    let said = account.fell_behind().unwrap();
    assert!(
        said.starts_with("the fleet fell behind its schedule (2"),
        "{said}"
    );
    assert_eq!(
        fleet.next_wake(),
        fleet.next_due().map(|at| Duration::from_nanos(at / 10))
    );
    // What is overdue at the end is late, too.
    fleet.finish(60 * SECOND);
    assert_eq!(fleet.account.late, account.late + 10);
    assert!(fleet.account.lag_max_ms >= 2900);
}

#[test]
fn what_happens_in_time_is_not_late() {
    let mut world = World::new(SENSORS);
    world.run(300 * SECOND);
    world.fleet.finish(world.now);
    let account = &world.fleet.account;
    assert_eq!((account.late, account.lag_max_ms), (0, 0));
    assert_eq!(account.fell_behind(), None);
}

/// What is recorded or written down goes out as it stands, unless the file says otherwise; the unit is no part of the JSON.
#[test]
fn written_values_and_units_go_out_as_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("d.csv"),
        "serial,at\n00123,48.137154\n1e5,9007199254740993\n",
    )
    .unwrap();
    let text = r#"
[[device]]
id = "d"
[[device.sensor]]
name = "serial"
every = "1s"
value = { file = { path = "d.csv", column = "serial" } }
payload = "{value} {json}"
[[device.sensor]]
name = "at"
every = "1s"
value = { file = { path = "d.csv", column = "at" } }
payload = "{value}"
[[device.sensor]]
name = "rounded"
every = "1s"
decimals = 1
value = { file = { path = "d.csv", column = "at" } }
payload = "{value}"
[[device.sensor]]
name = "large"
every = "1s"
value = 9007199254740993
unit = 'a"b\{n}'
"#;
    let text = Text {
        name: "f.toml",
        text,
    };
    let model = Model::of(text, &text.parse().unwrap(), folder.path(), 1).unwrap();
    let mut world = World::of(model);
    world.run(2 * SECOND);
    let first_two = |name: &str| world.at(&format!("sensors/d/{name}"))[..2].to_vec();
    assert_eq!(first_two("serial"), ["00123 \"00123\"", "1e5 1e5"]);
    assert_eq!(first_two("at"), ["48.137154", "9007199254740993"]);
    assert_eq!(first_two("rounded"), ["48.1", "9007199254740993"]);
    let large: serde_json::Value = serde_json::from_str(&first_two("large")[0]).unwrap();
    assert_eq!(large["value"], 9_007_199_254_740_993_u64);
    assert_eq!(large["unit"], "a\"b\\{n}");
}

/// An expression that fails is not reported, and counted; one that only waits for the first values of others has not failed.
#[test]
fn an_expression_that_fails_is_counted_and_not_reported() {
    let fleet = |first: &str, code: &str| {
        let mut world = World::new(&format!(
            r#"
[[device]]
id = "d"
[[device.sensor]]
name = "t"
every = "1s"
first = "{first}"
value = "warm"
[[device.sensor]]
name = "made"
every = "1s"
first = "1s"
value = {{ jq = "{code}" }}
"#
        ));
        world.run(10 * SECOND);
        world
    };
    let world = fleet("0s", ".t - 1");
    assert_eq!(world.at("sensors/d/made"), [""; 0]);
    assert_eq!(world.fleet.account.failed_readings, 10);
    assert_eq!(world.fleet.account.not_reported, 0);
    let said = world.fleet.failure().unwrap();
    assert!(said.starts_with("sensor made of d fails: "), "{said}");
    for code in ["1e1000", "nan", "[1, infinite][1]"] {
        let world = fleet("0s", code);
        assert_eq!(world.at("sensors/d/made"), [""; 0], "{code}");
        assert_eq!(world.fleet.account.failed_readings, 10, "{code}");
    }
    let world = fleet("3500ms", ".t | ascii_upcase");
    let account = &world.fleet.account;
    assert_eq!((account.failed_readings, account.not_reported), (0, 3));
    assert_eq!(world.at("sensors/d/made").len(), 7);
    assert!(world.at("sensors/d/made")[0].contains("WARM"));
    assert_eq!(world.fleet.failure(), None);
}

/// What is filled in may make a topic illegal; it is found before anything is sent.
#[test]
fn a_topic_that_cannot_be_published_to_is_refused() {
    for (id, rest, said) in [
        (
            "a#{n}",
            "",
            "device a#1: topic \"sensors/a#1/t\" contains the wildcard #",
        ),
        (
            "a+",
            "",
            "device a+: topic \"sensors/a+/t\" contains the wildcard +",
        ),
        ("a\\u0000", "", "control character"),
        (
            "..",
            "protocol = \"coap\"",
            "device ..: the path ../t cannot have the segment ..",
        ),
    ] {
        let text = format!(
            "[[device]]\nid = \"{id}\"\ncount = 1\n{rest}\n[[device.sensor]]\nname = \"t\"\nevery = \"1s\"\nvalue = 1"
        );
        let refused = refusal(&text);
        assert!(refused.contains(said), "{refused}");
    }
    let vary = "[[device]]\nid = \"d\"\n[[device.actuator]]\nname = \"pin{pin}\"\nvary = { pin = [\"1\", \"2\"] }\nstate = \"a/{room}\"";
    let vary = vary.replace("id = \"d\"", "id = \"d\"\nvary = { room = [\"x+y\"] }");
    let refused = refusal(&vary);
    assert!(
        refused.contains("topic \"a/x+y\" contains the wildcard +"),
        "{refused}"
    );
    let long = "x".repeat(300);
    let text = format!(
        "[[device]]\nid = \"{long}\"\nprotocol = \"amqp\"\n[[device.actuator]]\nname = \"led\""
    );
    assert!(refusal(&text).contains("is longer than 255 bytes"));
}
