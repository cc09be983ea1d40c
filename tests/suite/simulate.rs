//! `simulate`: fleets of devices, seen by brokers and clients that are not ours.

mod ends;
mod peers;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::aiocoap;
use crate::support::broker::broker;
use crate::support::command::{Line, iotctl, program, signal};
use crate::support::mosquitto::{Mosquitto, Settings, mosquitto};
use crate::support::peer::{Peer, drain};
use crate::support::ports::free_ports;
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::schema::{known, schema};
use crate::support::wait_for;

fn written(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("fleet.toml");
    fs::write(&path, text).unwrap();
    path
}

fn simulate(port: u16, file: &Path, words: &str) -> Line {
    iotctl("simulate")
        .word(format!("mqtt://127.0.0.1:{port}"))
        .word(file)
        .words(words)
}

/// The account that a fleet has left in this folder.
struct Account(Value);

impl Account {
    fn of(folder: &Path) -> Self {
        let text = fs::read(folder.join("account.json")).unwrap();
        Self(serde_json::from_slice(&text).unwrap())
    }

    fn count(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap()
    }
}

/// Words that have it written there.
fn kept(folder: &Path) -> String {
    format!("--save-json {}", folder.join("account.json").display())
}

#[test]
fn a_fleet_that_nobody_lets_in_has_failed() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), CRASHES);
    let silent = Peer::start(|stream, _| drain(stream));
    let asserted = "--assert published==acknowledged";
    for words in ["--for 300ms", &format!("--for 300ms {asserted}")] {
        let ended = simulate(silent.port, &file, words).run().exits(5);
        ended.says("connected none of 10 devices by the end of the run");
    }
    let text = "[[device]]\nid = 'd'\nprotocol = 'amqp'\n[[device.sensor]]\nname = 't'\nevery = '1s'\nvalue = 1\n";
    let file = written(folder.path(), text);
    iotctl("simulate --for 300ms --retry 1m")
        .word(format!("amqp://127.0.0.1:{}", silent.port))
        .word(&file)
        .run()
        .exits(5)
        .says("connected none of 1 device by the end of the run");
}

/// What is lost at QoS 0 while the server is away nobody counts.
#[test]
fn a_server_that_is_away_at_the_end_is_a_failure() {
    let mut broker = mosquitto();
    let folder = tempfile::tempdir().unwrap();
    let text = CRASHES
        .replace("connect = ", "#")
        .replace("qos = 1", "qos = 0");
    let file = written(folder.path(), &text.replace("status = ", "#"));
    let mut fleet = simulate(broker.port, &file, "--for 3s").start();
    let mut readings = broker.iotctl("sub -t sensors/+/temperature").start();
    readings.line();
    broker.stop();
    fleet.hears("trying again");
    let ended = fleet.ends().exits(6);
    ended
        .says("10 devices had no connection to")
        .says("at the end of the run");
}

/// Ten devices that end their connections by crashes and cleanly, over and over.
const CRASHES: &str = r#"
[[device]]
count = 10
id = "sensor-{n}"
connect = { stay = "100ms..400ms", away = "10ms..50ms", crash = 0.5 }
status = { topic = "devices/{id}/status", online = "online", offline = "offline" }
[[device.sensor]]
name = "temperature"
every = "50ms"
value = { walk = { min = 15, max = 35, step = 0.4 } }
qos = 1
"#;

/// Mosquitto publishes the will of each device that crashed; the births and the clean ends are the devices' own.
#[test]
fn mosquitto_sees_each_birth_each_will_and_each_clean_end() {
    let broker = mosquitto();
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), CRASHES);
    let mut watcher = paho(&format!("statuses {}", broker.port)).start();
    assert_eq!(watcher.line(), "ready");
    let words = kept(folder.path());
    let fleet = simulate(broker.port, &file, &words).words("--for 4s");
    fleet.run().exits(0);
    let account = Account::of(folder.path());
    let (count, account) = (|name: &str| account.count(name), &account.0);
    assert!(
        count("crashes") > 5 && count("clean_ends") > 10,
        "{account}"
    );
    assert_eq!(count("wills_expected"), count("crashes"));
    let fates = count("acknowledged") + count("lost");
    assert_eq!(count("published"), fates, "{account}");
    broker.iotctl("pub -t the/end -m x -q 1").run().exits(0);
    let offline = count("clean_ends") + count("crashes");
    let expected = format!("{} {offline}", count("births"));
    assert_eq!(watcher.line(), expected, "{account}");
    watcher.ends().exits(0);
}

/// Eclipse Paho, which does what `tests/clients/fleet.py` says.
fn paho(words: &str) -> Line {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/fleet.py");
    program("mqtt-python", path).words(words)
}

/// Connections that stay open and are silent: the keep-alive ends them, and the will is published.
#[test]
fn mosquitto_finds_the_devices_that_fall_silent() {
    let broker = mosquitto();
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
[[device]]
count = 5
id = "sensor-{n}"
connect = { stay = "200ms", away = "1h", silent = 1.0, keep-alive = "1s" }
status = { topic = "devices/{id}/status", online = "online", offline = "offline" }
"#;
    let file = written(folder.path(), text);
    let watcher = broker.sub_line("-t devices/+/status -C 10 -F").word("%p");
    let watcher = watcher.start();
    broker.sees_subscriptions("devices/+/status", 1);
    let fleet = simulate(broker.port, &file, &kept(folder.path())).start();
    let seen = watcher.ends().exits(0);
    let said = |word: &str| seen.text().lines().filter(|line| *line == word).count();
    assert_eq!((said("online"), said("offline")), (5, 5), "{}", seen.text());
    signal(fleet.id(), "INT");
    assert_eq!(fleet.ends().code, -2);
    let account = Account::of(folder.path());
    let counts = ["silences", "wills_expected", "crashes", "clean_ends"];
    assert_eq!(counts.map(|name| account.count(name)), [5, 5, 0, 0]);
}

#[test]
fn devices_connect_from_the_addresses_that_they_are_told_in_turn() {
    let broker = Mosquitto::start(Settings {
        more: String::from("log_type notice"),
        ..Settings::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
[[device]]
count = 6
id = "sensor-{n}"
status = { topic = "devices/{id}/status", online = "online", offline = "offline" }
"#;
    let file = written(folder.path(), text);
    let watcher = broker.sub_line("-t devices/+/status -C 6").start();
    broker.sees_subscriptions("devices/+/status", 1);
    let words = "--bind 127.0.0.2,127.0.0.3";
    let fleet = simulate(broker.port, &file, words).start();
    watcher.ends().exits(0);
    signal(fleet.id(), "INT");
    assert_eq!(fleet.ends().code, -2);
    let log = broker.log();
    let of = |address: &str| {
        let begin = format!("New client connected from {address}:");
        let lines = log.lines().filter(|line| line.contains(&begin));
        lines.filter(|line| line.contains(" as sensor-")).count()
    };
    assert_eq!((of("127.0.0.2"), of("127.0.0.3")), (3, 3), "{log}");
}

/// Fifty pins of a device are told to toggle, and each publishes its state, retained.
#[test]
fn fifty_pins_toggle_and_show_their_states() {
    let broker = mosquitto();
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
[[device]]
id = "pi"
[[device.actuator]]
name = "gpio{pin}"
vary = { pin = "1-50" }
command = "gpio/{pin}/command"
state = "gpio/{pin}/state"
ack = "commands/{id}/ack"
"#;
    let file = written(folder.path(), text);
    let fleet = simulate(broker.port, &file, "").start();
    for pin in 1..=50 {
        broker.sees_subscriptions(&format!("gpio/{pin}/command"), 1);
    }
    let toggled = paho(&format!("pins {} 50", broker.port)).run();
    toggled.exits(0).prints("ok 50 50\n");
    let mut acks = broker.iotctl("sub -t commands/pi/ack -q 1").start();
    broker.sees_subscriptions("commands/pi/ack", 2);
    let states = broker.iotctl("sub -t gpio/+/state -q 1 -C 50 -v").run();
    let states = states.exits(0);
    let states = states.text();
    assert_eq!(
        states.lines().filter(|it| it.ends_with("/state 1")).count(),
        50,
        "{states}"
    );
    broker
        .iotctl("pub -t gpio/7/command -m blink -q 1")
        .run()
        .exits(0);
    let ack: Value = serde_json::from_str(&acks.line()).unwrap();
    let why = "unknown command blink; expected on, off or toggle";
    assert_eq!(
        (&ack["status"], &ack["error"]),
        (&"error".into(), &why.into())
    );
    fleet.signal("INT");
    let ended = fleet.ends().exits(130);
    ended.contains("commands 51: 50 executed, 1 unknown");
}

/// A request of MQTT 5 is answered at its response topic, with its correlation data.
#[test]
fn a_request_gets_its_response() {
    let mut broker = broker("");
    let fleet = iotctl("simulate --scenario gpio")
        .word(format!("mqtt://127.0.0.1:{}", broker.port))
        .start();
    broker.sees_subscription("gpio/17/command");
    let asked = broker.iotctl("request -t gpio/17/command -m on").run();
    let answer: Value = serde_json::from_str(asked.exits(0).text().trim()).unwrap();
    assert_eq!(
        (&answer["device"], &answer["value"]),
        (&"pi".into(), &"on".into())
    );
    fleet.signal("TERM");
    fleet.ends().exits(143);
}

/// The devices of a server that goes away come back, and nothing at QoS 1 is lost.
#[test]
fn devices_come_back_after_an_outage() {
    let mut broker = mosquitto();
    let folder = tempfile::tempdir().unwrap();
    let text = CRASHES.replace("connect = ", "#");
    let file = written(folder.path(), &text);
    let fleet = simulate(broker.port, &file, &kept(folder.path())).start();
    let mut readings = broker.iotctl("sub -t sensors/+/temperature").start();
    for _ in 0..50 {
        readings.line();
    }
    broker.stop();
    broker.restart();
    for _ in 0..50 {
        readings.line();
    }
    fleet.signal("INT");
    fleet.ends().exits(130);
    let account = Account::of(folder.path());
    let (count, account) = (|name: &str| account.count(name), &account.0);
    assert_eq!(count("lost_connections"), 10, "{account}");
    assert_eq!(count("connections"), 20, "{account}");
    assert_eq!(count("published"), count("acknowledged"), "{account}");
    assert_eq!(count("wills_expected"), 0);
}

/// The same seed makes the same bytes in the same order; the records can be replayed.
#[test]
fn a_preview_is_the_same_each_time() {
    let preview = |words: &str| {
        let ended = iotctl("simulate --preview 3000").words(words).run();
        ended.exits(0).stdout
    };
    for scenario in ["home", "building", "factory", "vehicle", "gpio"] {
        let words = format!("--scenario {scenario}");
        let first = preview(&words);
        assert_eq!(memchr::memchr_iter(b'\n', &first).count(), 3000);
        assert!(first == preview(&words), "{scenario} differs from itself");
        assert!(first != preview(&format!("{words} --seed 2")), "{scenario}");
    }
}

/// Each scenario is a file that can be printed, changed and used.
#[test]
fn a_printed_scenario_is_a_fleet() {
    let folder = tempfile::tempdir().unwrap();
    for scenario in ["home", "building", "factory", "vehicle", "gpio"] {
        for more in ["", "--seed 7"] {
            let words = format!("simulate --scenario {scenario} --print-config {more}");
            let text = iotctl(&words).run().exits(0);
            let file = written(folder.path(), text.text());
            iotctl("simulate --check").word(&file).run().exits(0);
        }
    }
}

/// Nothing is connected to before the file is right.
#[test]
fn mistakes_are_usage_errors_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let device = "[[device]]\nid = \"d\"\n";
    for (text, why) in [
        (
            "",
            "fleet.toml:1: there are no devices; begin one with [[device]]",
        ),
        (
            "[[device]]\nid = \"d\"\nstatsu = 1\n",
            "fleet.toml:3: unknown key statsu; did you mean status?",
        ),
        (
            "[[device]]\nid = \"d\"\n[[device.sensor]]\nname = \"t\"\nevery = 0\n",
            "fleet.toml:3: sensor t: every must be longer than 0",
        ),
        (
            "[[device]]\nid = \"d\"\ncount = 2\n",
            "fleet.toml:1: two devices are called d: the id needs {n}, or what varies",
        ),
        (
            "[[device]]\nid = \"d\\u0000\"\n",
            "fleet.toml:1: the id \"d\\0\" has a control character",
        ),
        (
            "[[device]]\nid = \"d\"\n[[device]]\nid = \"e\"\nprotocol = \"coap\"\n",
            "some devices speak mqtt, others coap",
        ),
        (
            "[[device]]\nid = \"d{n}\"\ncount = 2\n[[device.sensor]]\nname = \"t\"\nevery = 1\nvalue = 1\ntopic = \"t\"\nretain = true\n",
            "fleet.toml:1: d1 and d2 would share the retained topic of the sensor t: it needs {id}",
        ),
    ] {
        let file = written(folder.path(), text);
        for words in ["", "--check"] {
            simulate(1, &file, words).run().exits(2).says(why);
        }
    }
    let file = written(folder.path(), device);
    simulate(1, &file, "--count 3").run().exits(2);
    simulate(1, &file, "--assert crahses==0").run().exits(2);
    simulate(1, &file, "").run().exits(3);
    simulate(1, &file, "--speed 1e12").run().exits(2);
    fs::write(&file, b"[[device]]\nid = \"\xff\"\n").unwrap();
    let ended = simulate(1, &file, "--check").run();
    ended.exits(2).says("fleet.toml:2: the text is not UTF-8");
    let many = written(folder.path(), "[[device]]\nid = \"d{n}\"\ncount = 200000\n");
    let refused = simulate(1, &many, "").run().exits(2);
    // That is for load tests.
    assert!(!refused.stderr.contains("--shard"), "{}", refused.stderr);
}

/// A sensor that never reports does not keep a preview from its end.
#[test]
fn a_preview_of_what_is_never_sent_ends() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[[device]]\nid = \"d\"\n[[device.sensor]]\nname = \"t\"\nevery = 1\nvalue = 1\n";
    for (more, sent) in [("chance = 0.0\n", 0), ("on-change = true\n", 1)] {
        let file = written(folder.path(), &format!("{text}{more}"));
        let ended = iotctl("simulate").word(&file).words("--preview 5").run();
        let ended = ended.exits(0).says("nothing was sent in");
        assert_eq!(ended.text().lines().count(), sent, "{more}");
    }
}

/// What is asserted is judged at the end.
#[test]
fn an_assertion_that_is_not_met_fails() {
    let broker = mosquitto();
    let folder = tempfile::tempdir().unwrap();
    let file = written(
        folder.path(),
        "[[device]]\nid = \"d\"\nstatus = { topic = \"s\" }\n",
    );
    let words = "--for 1s --assert births==1 --assert published==acknowledged";
    simulate(broker.port, &file, words).run().exits(0);
    let ended = simulate(broker.port, &file, "--for 1s --assert crashes==1").run();
    ended.exits(7).says("not met: crashes==1, but it is 0");
}

/// The schema of the file knows the scenarios, and no other keys.
#[test]
fn the_schema_describes_the_scenarios() {
    let schema = schema("fleet");
    for scenario in ["home", "building", "factory", "vehicle", "gpio"] {
        let words = format!("simulate --scenario {scenario} --print-config");
        let text = iotctl(&words).run().exits(0);
        let file: Value = toml::from_str(text.text()).unwrap();
        known(&schema, &schema, &file, scenario);
    }
    let wrong: Value = toml::from_str("[[device]]\nid = \"d\"\nstatsu = 1\n").unwrap();
    let refused = std::panic::catch_unwind(|| known(&schema, &schema, &wrong, "wrong"));
    assert!(refused.is_err());
}

/// An aiocoap client observes a sensor and tells an actuator; a directory of aiocoap knows each device.
#[test]
fn coap_devices_are_observed_told_and_registered() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
[[device]]
id = "node-{n}"
count = 2
protocol = "coap"
[[device.sensor]]
name = "temperature"
every = "100ms"
value = { counter = {} }
payload = "{value}"
[[device.actuator]]
name = "led"
"#;
    let file = written(folder.path(), text);
    let directory = aiocoap::directory();
    let mut fleet = iotctl("simulate --listen 127.0.0.1:0")
        .words(&kept(folder.path()))
        .word("--rd")
        .word(directory.uri("coap", ""))
        .word(&file)
        .start();
    let uri = fleet.line();
    fleet.hears("2 devices registered");
    let found = iotctl("coap rd lookup ep")
        .word(directory.uri("coap", ""))
        .run()
        .exits(0);
    for id in ["node-1", "node-2"] {
        assert!(found.text().contains(id), "{}", found.text());
    }
    let observed = iotctl(&format!(
        "coap observe {uri}/node-2/temperature -C 3 --retry 10s"
    ))
    .run();
    let observed = observed.exits(0);
    let values: Vec<u64> = observed
        .text()
        .lines()
        .map(|it| it.parse().unwrap())
        .collect();
    assert!(values.is_sorted() && values.len() == 3, "{values:?}");
    aiocoap::client(&format!("-m PUT --payload on {uri}/node-1/led"))
        .run()
        .exits(0);
    let shown = aiocoap::client(&format!("{uri}/node-1/led")).run().exits(0);
    assert!(shown.text().contains('1'), "{}", shown.text());
    let bad = iotctl(&format!("coap put {uri}/node-1/led -m blink")).run();
    bad.exits(1).says("unknown command");
    fleet.signal("INT");
    fleet.ends().exits(130);
    let account = Account::of(folder.path());
    assert_eq!(account.count("executed"), 1);
    assert_eq!(account.count("unknown_commands"), 1);
    assert_eq!(account.count("published"), account.count("sent"));
}

/// The links of devices with odd identifiers lead to their resources.
#[test]
fn coap_links_lead_to_devices_of_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
[[device]]
id = "node {what}"
vary = { what = ["?", "%41", ">,<", "ü"] }
protocol = "coap"
[[device.sensor]]
name = "t"
every = "10ms"
value = 7
payload = "{value}"
"#;
    let mut fleet = iotctl("simulate --listen 127.0.0.1:0")
        .word(written(folder.path(), text))
        .start();
    let uri = fleet.line();
    let links = iotctl("coap get")
        .word(format!("{uri}/.well-known/core"))
        .run()
        .exits(0);
    let paths = links.text().split('<').skip(1);
    let paths: Vec<_> = paths.map(|it| it.split('>').next().unwrap()).collect();
    assert_eq!(paths.len(), 4, "{paths:?}");
    for path in paths {
        wait_for("a value", || {
            let read = iotctl("coap get").word(format!("{uri}{path}")).run();
            (read.text() == "7").then_some(())
        });
    }
    fleet.signal("INT");
    fleet.ends().exits(130);
}

/// An expression that fails is told once, and the exit code says so.
#[test]
fn an_expression_that_fails_is_told_and_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
[[device]]
id = "d"
[[device.sensor]]
name = "t"
every = "10ms"
value = "warm"
[[device.sensor]]
name = "made"
every = "10ms"
value = "jq: .t - 1"
"#;
    let file = written(folder.path(), text);
    let ended = iotctl("simulate").word(&file).words("--preview 5").run();
    let ended = ended.exits(1).says("sensor made of d fails: ");
    let ended = ended.says("not reported, as the expression failed");
    assert!(!ended.text().contains("made"), "{}", ended.text());
    let broker = mosquitto();
    let ended = simulate(broker.port, &file, "--for 1s").run().exits(1);
    assert_eq!(ended.stderr.matches("sensor made of d fails").count(), 1);
    let text = text.replace("id = \"d\"", "id = \"a#{n}\"");
    let ended = iotctl("simulate --check").word(written(folder.path(), &text));
    let ended = ended.run().exits(2);
    ended.says("topic \"sensors/a#1/t\" contains the wildcard #");
}

/// What the directory has lost is registered again before its lifetime ends, and all is taken away at the end.
#[test]
fn coap_registrations_are_renewed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(
        folder.path(),
        "[[device]]\nid = \"node-{n}\"\ncount = 2\nprotocol = \"coap\"\n",
    );
    let directory = aiocoap::directory();
    let uri = directory.uri("coap", "");
    let mut fleet = iotctl("simulate --listen 127.0.0.1:0 --lifetime 2s --rd")
        .word(&uri)
        .word(&file)
        .start();
    fleet.hears("2 devices registered");
    let lookup = || iotctl("coap rd lookup ep --output json").word(&uri).run();
    let registrations = |text: &str| -> Vec<String> {
        let words = text.split('"');
        let words = words.filter(|word| word.contains("/reg/"));
        words.map(str::to_owned).collect()
    };
    let found = lookup().exits(0);
    let first = registrations(found.text());
    assert!(first.len() >= 2, "{}", found.text());
    let path = &first[0][first[0].find("/reg/").unwrap()..];
    let removed = aiocoap::client(&format!("-m DELETE {uri}{path}")).run();
    removed.exits(0);
    wait_for("the registration", || {
        let found = lookup();
        let text = found.text();
        (text.contains("node-1") && text.contains("node-2")).then_some(())
    });
    fleet.signal("INT");
    fleet.ends().exits(130);
    lookup().exits(1).says("nothing was found");
}

/// RabbitMQ confirms each reading, and hands on commands from a queue.
#[test]
fn amqp_devices_publish_and_take_commands_from_queues() {
    let rabbit = rabbitmq();
    let folder = tempfile::tempdir().unwrap();
    let id = unique("device");
    let text = format!(
        r#"
[[device]]
id = "{id}"
protocol = "amqp"
[[device.sensor]]
name = "temperature"
topic = "sensors.{{id}}.temperature"
every = "50ms"
value = 21.5
payload = "{{value}}"
[[device.actuator]]
name = "led"
command = "commands.{{id}}.led"
state = "states.{{id}}.led"
"#
    );
    let file = written(folder.path(), &text);
    let url = rabbit.url();
    let mut fleet = iotctl("simulate")
        .word(&url)
        .word(&file)
        .words(&kept(folder.path()))
        .start();
    fleet.hears("the totals follow");
    let consume =
        format!("amqp consume {url} --exchange amq.topic -C 2 -k sensors.{id}.temperature");
    iotctl(&consume).run().exits(0).prints("21.5\n21.5\n");
    let mut states = iotctl(&format!(
        "amqp consume {url} --exchange amq.topic -C 1 -k states.{id}.led"
    ))
    .word("--on-ready")
    .word(format!(
        "iotctl amqp publish {url} -k commands.{id}.led -m toggle"
    ))
    .env("PATH", path())
    .start();
    assert_eq!(states.line(), "1");
    states.ends().exits(0);
    fleet.signal("INT");
    fleet.ends().exits(130);
    let account = Account::of(folder.path());
    assert_eq!(account.count("published"), account.count("acknowledged"));
    assert_eq!(account.count("executed"), 1);
}

/// Each device has a connection of its own, which a crash cuts; a command for several reaches each of them.
#[test]
fn amqp_devices_crash_one_by_one_and_share_commands() {
    let rabbit = rabbitmq();
    let folder = tempfile::tempdir().unwrap();
    let id = unique("device");
    let fleet = |connect: &str| {
        format!(
            r#"
[[device]]
id = "{id}-{{n}}"
count = 3
protocol = "amqp"
connect = {connect}
status = {{ topic = "status.{{id}}" }}
[[device.sensor]]
name = "t"
every = "20ms"
value = 1
[[device.actuator]]
name = "led"
command = "all.{id}.led"
state = "states.{id}.{{n}}"
"#
        )
    };
    let url = rabbit.url();
    let text = fleet(r#"{ stay = "100ms..300ms", away = "50ms", crash = 0.5 }"#);
    let file = written(folder.path(), &text);
    let run = iotctl("simulate").word(&url).word(&file);
    run.words(&kept(folder.path()))
        .words("--for 3s")
        .run()
        .exits(0);
    let account = Account::of(folder.path());
    let (count, account) = (|name: &str| account.count(name), &account.0);
    assert!(count("crashes") > 2 && count("clean_ends") > 3, "{account}");
    assert!(count("connections") > count("crashes"), "{account}");
    assert_eq!(
        count("published"),
        count("acknowledged") + count("lost"),
        "{account}"
    );
    assert_eq!(count("wills_expected"), 0);

    let file = written(folder.path(), &fleet("{}"));
    let there = folder.path().join("there");
    let run = iotctl("simulate").word(&url).word(&file);
    let fleet = run
        .words(&kept(folder.path()))
        .word("--ready-file")
        .word(&there)
        .start();
    wait_for("all devices", || fs::metadata(&there).ok());
    let consume = format!("amqp consume {url} --exchange amq.topic -C 3 -k states.{id}.*");
    let publish = format!("iotctl amqp publish {url} --exchange amq.topic -k all.{id}.led -m on");
    let states = iotctl(&consume).word("--on-ready").word(publish);
    let states = states.env("PATH", path()).run();
    states.exits(0).prints("1\n1\n1\n");
    fleet.signal("INT");
    fleet.ends().exits(130);
    let account = Account::of(folder.path());
    let counts = ["connections", "births", "clean_ends", "executed"];
    assert_eq!(
        counts.map(|name| account.count(name)),
        [3, 3, 3, 3],
        "{}",
        account.0
    );
}

/// Where `iotctl` is found first.
fn path() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_iotctl"));
    let others = std::env::var("PATH").unwrap();
    format!("{}:{others}", program.parent().unwrap().display())
}

#[test]
fn an_account_that_cannot_be_written_is_known_before_anything_is_connected() {
    let [port] = free_ports();
    let line = iotctl(&format!("simulate mqtt://127.0.0.1:{port} --scenario home"));
    let ended = line.words("--for 1s --save-json /nope/x.json").run();
    let ended = ended.exits(8);
    ended.says("iotctl: cannot write /nope/x.json: no such file or directory\n");
}
