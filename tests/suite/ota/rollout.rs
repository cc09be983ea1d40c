//! `iotctl ota rollout`: stages, thresholds, crashes of the controller, and a second one.

use serde_json::Value;

use super::Expect;
use super::updating::{Site, firmware, site};
use crate::support::command::{Line, Running, iotctl, signal};
use crate::support::schema::{known, schema};
use crate::support::wait_for;

impl Site {
    /// Devices that are up, of which those in `bad` do not take an update well.
    fn fleet(&self, names: &[&str], bad: &[&str]) -> Vec<Running> {
        let start = |name: &&str| {
            let health = if bad.contains(name) { "exit 3" } else { "true" };
            self.agent(name, "").word("--health").word(health).start()
        };
        let agents = names.iter().map(start).collect();
        self.status(&format!("idle == {}", names.len()));
        agents
    }

    /// How many messages the server has retained there, once they are this many.
    fn left(&self, filter: &str, wanted: usize) -> usize {
        wait_for("what is retained", || {
            let line = self
                .broker
                .iotctl("sub --retained-only -F %t -t")
                .word(filter);
            let count = line.run().text().lines().count();
            (count == wanted).then_some(count)
        })
    }

    fn rollout(&self, plan: &str, words: &str) -> Line {
        let text = format!("name = 'r'\nmanifest = 'updates/fw-1.1.suit'\n{plan}");
        let file = self.folder.file("plan.toml", text);
        iotctl("ota rollout")
            .word(file)
            .word(self.url())
            .words(words)
    }
}

fn result(line: Line, code: i32) -> Value {
    let ended = line.words("--output json").run();
    assert_eq!(ended.code, code, "{}", ended.stderr);
    serde_json::from_slice(&ended.stdout).unwrap()
}

const STAGES: &str = "[[stage]]\ndevices = 1\n[[stage]]\npercent = 100\n";

#[test]
fn a_fleet_is_updated_stage_by_stage() {
    let site = site(20_000);
    let _server = site.serve("");
    let names = ["a", "b", "c", "d"];
    let _agents = site.fleet(&names, &[]);
    let ended = result(site.rollout(STAGES, ""), 0);
    assert_eq!(
        (&ended["state"], &ended["updated"]),
        (&"completed".into(), &4.into())
    );
    for name in names {
        assert_eq!(site.image(name, "b"), firmware(20_000, 1));
    }
    // It is over, and begun only once.
    let why = site.rollout(STAGES, "").run().failed(2);
    assert!(
        why.ends_with("plan.journal exists: the rollout was begun"),
        "{why}"
    );
    let ended = result(site.rollout(STAGES, "--resume"), 0);
    assert_eq!(ended["updated"], 4);
}

#[test]
fn a_rollout_is_for_a_class_by_its_name_or_its_uuid() {
    let site = site(20_000);
    let _server = site.serve("");
    let _agents = site.fleet(&["a", "b"], &[]);
    // Others report another class, or none.
    let other =
        r#"{"state":"idle","sequence":0,"id":"c","vendor":"example.com","class":"sensor-rev-c"}"#;
    site.retain("ota/status/c", other);
    site.retain("ota/status/d", r#"{"state":"idle","sequence":0,"id":"d"}"#);
    let plan = |class: &str| format!("class = '{class}'\n{STAGES}");
    let why = site.rollout(&plan("sensor-rev-a"), "").run().failed(1);
    assert_eq!(why, "iotctl: no device is selected");
    let why = site.rollout(&plan(""), "").run().failed(2);
    assert!(why.contains("class \"\": expected"), "{why}");
    let ended = result(
        site.rollout(&plan("4241f5c9-fd92-51bb-aa01-79d19dc81df4"), ""),
        0,
    );
    assert_eq!(ended["updated"], 2);
    let journal = site.folder.path("plan.journal");
    let chosen = std::fs::read_to_string(&journal).unwrap();
    assert!(chosen.contains(r#""devices":["a","b"]"#), "{chosen}");
}

/// What the parser takes, and what the schema says.
#[test]
fn the_schema_describes_the_plan() {
    let site = site(1_000);
    let schema = schema("rollout");
    for (table, described) in [
        ("", &schema["properties"]),
        ("[[stage]]\n", &schema["$defs"]["stage"]["properties"]),
    ] {
        let why = site
            .rollout(&format!("{table}zzzzzzzz = 1\n"), "")
            .run()
            .failed(2);
        let (_, known) = why.split_once("expected one of ").expect(&why);
        let mut known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let mut keys: Vec<&str> = described
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        known.sort_unstable();
        keys.sort_unstable();
        assert_eq!(known, keys);
    }
}

#[test]
fn a_device_that_is_not_well_stops_it() {
    let site = site(20_000);
    let _server = site.serve("");
    let _agents = site.fleet(&["a", "b", "c"], &["a"]);
    let ended = result(site.rollout(STAGES, ""), 7);
    assert_eq!(
        (&ended["failed"], &ended["waiting"]),
        (&1.into(), &2.into())
    );
    let why = ended["failures"][0]["error"].as_str().unwrap();
    assert_eq!(why, "rolled-back: --health ended with exit code 3");
    assert_eq!(site.status("")["counts"]["idle"], 2);
}

#[test]
fn a_silent_device_has_failed_after_its_time() {
    let site = site(20_000);
    let plan = format!("devices = ['a']\ntimeout = '1s'\nretries = 1\n{STAGES}");
    let ended = result(site.rollout(&plan, ""), 7);
    assert_eq!(ended["failures"][0]["error"], "timed out after 1 s");
}

#[test]
fn a_controller_that_was_killed_goes_on_and_a_second_one_is_refused() {
    let site = site(20_000);
    let plan = format!("devices = ['a', 'b', 'c']\n{STAGES}");
    // Nobody serves the image, so that the first device is under way.
    let _agents = site.fleet(&["a", "b", "c"], &[]);
    let first = site.rollout(&plan, "").start();
    site.status("downloading == 1");
    let journal = site.folder.path("plan.journal");
    let kept = std::fs::read(&journal).unwrap();
    let aside = site.folder.file(
        "other.toml",
        std::fs::read(site.folder.path("plan.toml")).unwrap(),
    );
    let second = iotctl("ota rollout").word(&aside).word(site.url());
    let why = second.run().failed(1);
    assert!(why.starts_with("iotctl: another controller ("), "{why}");
    signal(first.id(), "KILL");
    drop(first);
    assert!(!kept.is_empty());
    let _server = site.serve("");
    let ended = result(site.rollout(&plan, "--resume --retry forever"), 0);
    assert_eq!(ended["updated"], 3);
}

/// What the journal has of a kind.
fn entries(site: &Site, kind: &str) -> usize {
    let journal = std::fs::read_to_string(site.folder.path("plan.journal"));
    let lines = journal.unwrap_or_default();
    let begins = format!("{{\"{kind}\":");
    lines.lines().filter(|it| it.starts_with(&begins)).count()
}

/// A controller that was killed has offered the update to devices that are not there: they never see it.
#[test]
fn an_abort_after_a_crash_takes_back_and_offers_nothing() {
    let site = site(20_000);
    let plan = "devices = ['a', 'b']\n[[stage]]\npercent = 100\n";
    for action in ["--abort", "--resume"] {
        let first = site.rollout(plan, "").start();
        let left = site.left("ota/device/+/manifest", 2);
        assert_eq!(left, 2);
        signal(first.id(), "KILL");
        drop(first);
        let journal = site.folder.path("plan.journal");
        if action == "--resume" {
            // The power went just after the stop was written down.
            let mut lines = std::fs::read_to_string(&journal).unwrap();
            lines.push_str("{\"stopped\":{\"at\":1,\"why\":\"it was enough\"}}\n");
            std::fs::write(&journal, lines).unwrap();
        }
        let words = format!("{action} --retry forever --trace");
        let ended = site.rollout(plan, &words).run();
        let code = if action == "--abort" { 0 } else { 7 };
        assert_eq!(ended.code, code, "{}", ended.stderr);
        let counts = ": 0 updated, 0 failed, 0 in flight, 2 not offered\n";
        assert!(ended.text().ends_with(counts), "{}", ended.text());
        let given: Vec<_> = (ended.stderr.lines())
            .filter(|it| it.contains("PUBLISH") && it.contains("/manifest"))
            .filter(|it| !it.contains("0 bytes"))
            .collect();
        assert_eq!(given, [""; 0]);
        assert_eq!(site.left("ota/device/+/manifest", 0), 0);
        assert_eq!(
            (entries(&site, "offered"), entries(&site, "withdrawn")),
            (2, 2)
        );
        std::fs::remove_file(journal).unwrap();
    }
}

/// The last report of a silent device is asked for, beside those of all: what it reports then comes twice. And a server that has
/// had nothing to say for longer than it may take to answer is not late when it is asked.
#[test]
fn a_failure_after_silence_counts_once_and_the_server_is_not_late() {
    let site = site(20_000);
    let plan = "devices = ['a']\nretries = 1\ntimeout = '1h'\n[[stage]]\npercent = 100\n";
    let mut running = site.rollout(plan, "--trace --connect-timeout 4s").start();
    running.hears("SUBSCRIBE");
    wait_for("the offer", || {
        (entries(&site, "offered") == 1).then_some(())
    });
    while !running.hears("SUBSCRIBE").contains("ota/status/a") {}
    running.hears("SUBACK");
    let said = |state: &str| {
        format!(r#"{{"state":"{state}","sequence":1,"id":"a","at":"2026-01-01T00:00:00.000Z"}}"#)
    };
    site.retain("ota/status/a", &said("failed"));
    wait_for("the second offer", || {
        (entries(&site, "offered") == 2).then_some(())
    });
    site.retain("ota/status/a", &said("updated"));
    let ended = running.ends();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(!ended.stderr.contains("no SUBACK"), "{}", ended.stderr);
    assert!(ended.text().starts_with("completed: 1 updated, 0 failed"));
}

#[test]
fn stages_that_end_before_all_devices_say_so() {
    let site = site(20_000);
    for device in ["a", "b"] {
        let report = format!(r#"{{"state":"updated","sequence":1,"id":"{device}"}}"#);
        site.retain(&format!("ota/status/{device}"), &report);
    }
    let plan = "devices = ['a', 'b', 'c']\n[[stage]]\ndevices = 2\n";
    let ended = site.rollout(plan, "").run().succeeded();
    assert_eq!(
        ended,
        "completed: 2 updated, 0 failed, 0 in flight, 1 not offered: the stages end before them\n"
    );
}

#[test]
fn a_controller_that_is_gone_is_not_waited_for() {
    let site = site(20_000);
    let plan = format!("devices = ['a']\n{STAGES}");
    let why = site.rollout(&plan, "--pause").run().failed(1);
    assert_eq!(
        why,
        "iotctl: no controller runs this rollout; nothing is offered"
    );
    let _server = site.serve("");
    let _agents = site.fleet(&["a"], &[]);
    // As after a power cut of the server, which has forgotten the will.
    let lock = "ota/rollout/r/controller";
    site.retain(lock, "0123");
    let why = site.rollout(&plan, "--pause").run().failed(5);
    assert_eq!(
        why,
        "iotctl: the controller (0123) does not answer: nothing is paused"
    );
    let taken = site.rollout(&plan, "").run();
    assert!(
        taken
            .stderr
            .contains("the controller (0123) does not answer; taking over"),
        "{}",
        taken.stderr
    );
    assert!(taken.succeeded().starts_with("completed: 1 updated"));
}

#[test]
fn a_journal_without_a_rollout_is_not_resumed() {
    let site = site(20_000);
    let plan = format!("devices = ['a']\n{STAGES}");
    site.folder.file("plan.journal", "");
    let why = site.rollout(&plan, "--resume").run().failed(2);
    assert!(why.contains("holds no rollout"), "{why}");
    site.folder
        .file("plan.journal", "{\"rollout\":\"x\"}\nnonsense\n");
    let why = site.rollout(&plan, "--resume").run().failed(8);
    assert!(why.contains(":2: the line is damaged"), "{why}");
}

#[test]
fn a_rollout_is_paused_resumed_and_aborted() {
    let site = site(20_000);
    let plan = format!("devices = ['a', 'b', 'c']\ntimeout = '1h'\n{STAGES}");
    let _agents = site.fleet(&["a"], &[]);
    let mut first = site.rollout(&plan, "").start();
    site.status("downloading == 1");
    site.rollout(&plan, "--pause").run().succeeded();
    first.hears("iotctl: paused");
    let mut server = site.serve("");
    first.hears("iotctl: stage 1 passed");
    site.rollout(&plan, "--resume").run().succeeded();
    // The two others are not there; they are under way until it is aborted.
    site.rollout(&plan, "--abort").run().succeeded();
    let ended = first.ends();
    assert_eq!(ended.code, 7, "{}", ended.stderr);
    assert!(
        ended.text().starts_with("aborted: 1 updated"),
        "{}",
        ended.text()
    );
    server.signal("TERM");
    server.hears("sent");
}

/// The files that help shows, with the name of a manifest that is there; nothing listens where they are to go.
#[test]
fn the_file_that_help_shows_is_one() {
    let site = site(1_000);
    let (brief, full) = ("help ota rollout", "ota rollout --help");
    for (words, before, end) in [
        (brief, "cat > plan.toml <<'END'", "END"),
        (full, "FILE, for example", ""),
    ] {
        let help = iotctl(words).run().exits(0);
        let (_, file) = help.text().split_once(before).expect(words);
        let lines = file.lines().skip(1).map(str::trim);
        let lines: Vec<&str> = lines.take_while(|line| *line != end).collect();
        let file = lines
            .join("\n")
            .replace("sensor-1.4.0+7.suit", "fw-1.1.suit");
        let table: Value = toml::from_str(&file).unwrap();
        let schema = schema("rollout");
        known(&schema, &schema, &table, words);
        let plan = site.folder.file("shown.toml", file);
        let line = iotctl("ota rollout").word(plan);
        line.words("mqtt://127.0.0.1:1").run().failed(3);
    }
}
