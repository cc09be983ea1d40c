//! `iotctl ota rollout` over RabbitMQ: manifests to the queues of devices, reports from the queue of all.

use std::fs;

use serde_json::Value;

use super::Expect;
use super::amqp::Site;
use super::updating::firmware;
use crate::support::command::{Line, Running, signal};
use crate::support::wait_for;

const STAGES: &str = "[[stage]]\ndevices = 1\n[[stage]]\npercent = 100\n";

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

    fn rollout(&self, plan: &str, words: &str) -> Line {
        let text = format!("name = 'r'\nmanifest = 'updates/fw-1.1.suit'\n{plan}");
        let file = self.folder.file("plan.toml", text);
        self.line("ota rollout").word(file).words(words)
    }
}

fn result(line: Line, code: i32) -> Value {
    let ended = line.words("--output json").run();
    assert_eq!(ended.code, code, "{}", ended.stderr);
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[test]
fn a_fleet_is_updated_stage_by_stage() {
    let site = Site::new();
    site.sign(1, "--embed");
    let names = ["a", "b", "c"];
    let _agents = site.fleet(&names, &[]);
    let ended = result(site.rollout(STAGES, ""), 0);
    assert_eq!(
        (&ended["state"], &ended["updated"]),
        (&"completed".into(), &3.into())
    );
    for name in names {
        let image = site.folder.path(name).join("b");
        assert_eq!(fs::read(image).unwrap(), firmware(20_000, 1));
    }
    // What was read of the reports is there for others.
    assert_eq!(site.status("updated == 3")["counts"]["updated"], 3);
    let ended = result(site.rollout(STAGES, "--resume"), 0);
    assert_eq!(ended["updated"], 3);
}

#[test]
fn a_device_that_is_not_well_stops_it() {
    let site = Site::new();
    site.sign(1, "--embed");
    let _agents = site.fleet(&["a", "b", "c"], &["a"]);
    let ended = result(site.rollout(STAGES, ""), 7);
    assert_eq!(
        (&ended["failed"], &ended["waiting"]),
        (&1.into(), &2.into())
    );
    let why = ended["failures"][0]["error"].as_str().unwrap();
    assert_eq!(why, "rolled-back: --health ended with exit code 3");
}

#[test]
fn a_device_without_a_queue_is_said_and_has_failed_after_its_time() {
    let site = Site::new();
    site.sign(1, "--embed");
    let plan = format!("devices = ['nobody']\ntimeout = '2s'\n{STAGES}");
    let said = site.rollout(&plan, "").run();
    assert!(
        said.stderr
            .contains("nobody has no queue for a manifest yet: "),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains("nobody: timed out after 2 s"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains("nothing is taken back over AMQP"),
        "{}",
        said.stderr
    );
    said.exits(7);
}

#[test]
fn a_controller_that_was_killed_goes_on_and_a_second_one_is_refused() {
    let site = Site::new();
    site.sign(1, "--embed");
    // A device that has a queue, and is away.
    drop(site.fleet(&["a"], &[]));
    let plan = format!("devices = ['a']\n{STAGES}");
    let mut first = site.rollout(&plan, "").start();
    let journal = site.folder.path("plan.journal");
    let is_offered = |text: &String| text.contains("offered");
    wait_for("an offer", || {
        fs::read_to_string(&journal).ok().filter(is_offered)
    });
    let text = fs::read(site.folder.path("plan.toml")).unwrap();
    let aside = site.folder.file("other.toml", text);
    let second = site.line("ota rollout").word(aside).run().failed(1);
    assert!(
        second.starts_with("iotctl: another controller runs this rollout: "),
        "{second}"
    );
    for (word, answer) in [
        ("--pause", "paused: nothing more is offered until --resume"),
        ("--resume", "the controller that runs goes on"),
    ] {
        let told = site.rollout(&plan, word).run();
        assert!(told.stderr.contains(answer), "{}", told.stderr);
        told.succeeded();
    }
    first.hears("iotctl: paused");
    signal(first.id(), "KILL");
    drop(first);
    let again = site.rollout(&plan, "--resume --retry forever").start();
    let mut device = site.agent("a", "").start();
    device.hears("iotctl: updated");
    let ended = again.ends_by_itself();
    assert!(
        ended.text().starts_with("completed: 1 updated"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_rollout_is_aborted_from_anywhere() {
    let site = Site::new();
    site.sign(1, "--embed");
    drop(site.fleet(&["a"], &[]));
    let plan = format!("devices = ['a']\n{STAGES}");
    let why = site.rollout(&plan, "--pause").run().failed(1);
    assert_eq!(
        why,
        "iotctl: no controller runs this rollout; nothing is offered"
    );
    let first = site.rollout(&plan, "").start();
    let journal = site.folder.path("plan.journal");
    let is_offered = |text: &String| text.contains("offered");
    wait_for("an offer", || {
        fs::read_to_string(&journal).ok().filter(is_offered)
    });
    let told = site.rollout(&plan, "--abort").run();
    assert!(
        told.stderr.contains("aborted by the controller that runs"),
        "{}",
        told.stderr
    );
    told.succeeded();
    let ended = first.ends_by_itself();
    assert!(
        ended.stderr.contains("nothing is taken back over AMQP"),
        "{}",
        ended.stderr
    );
    ended.exits(7);
}
