//! The README's examples do what they say, each against a broker of its own, those of AMQP against RabbitMQ.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use iotctl::error::Kind;

use crate::support::command::iotctl;
use crate::support::ports::free_ports;
use crate::support::rabbitmq::rabbitmq;

/// A shell that finds `iotctl`, knows no contexts, and works in a directory of its own.
fn shell(directory: &Path, script: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_iotctl"));
    let others = std::env::var("PATH").unwrap();
    let path = format!("{}:{others}", program.parent().unwrap().display());
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script])
        .current_dir(directory)
        .env_clear();
    shell
        .env("PATH", path)
        .env("HOME", directory)
        .stdin(Stdio::null());
    shell
}

fn readme() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap()
}

/// The text of every block in the README that is marked as `language`.
fn blocks(language: &str) -> Vec<String> {
    let readme = readme();
    let mark = format!("\n```{language}\n");
    let pieces = readme.split(&mark).skip(1);
    pieces
        .map(|piece| piece.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_example_prints_what_the_readme_says() {
    let examples = blocks("console");
    assert!(examples.len() >= 5, "the examples were not found");
    for example in examples {
        let mut broker = iotctl("mqtt broker --listen 127.0.0.1:0").start();
        let url = broker.line();
        let (_, port) = url.rsplit_once(':').unwrap();
        check(&example, port);
        broker.signal("TERM");
        broker.ends().exits(0);
    }
}

#[test]
fn every_amqp_example_prints_what_the_readme_says() {
    let examples = blocks("console amqp");
    assert!(examples.len() >= 3, "the examples were not found");
    for example in examples {
        check(&example, &rabbitmq().port.to_string());
    }
}

/// Runs the commands of an example in one shell and compares what they print.
#[track_caller]
fn check(example: &str, port: &str) {
    let (commands, expected): (Vec<_>, Vec<_>) =
        example.lines().partition(|line| line.starts_with("$ "));
    let script: Vec<_> = commands.iter().map(|line| &line[2..]).collect();
    let directory = tempfile::tempdir().unwrap();
    let mut shell = shell(directory.path(), &script.join("\n"));
    let ended = shell.env("IOTCTL_PORT", port).output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(
        stdout.lines().collect::<Vec<_>>(),
        expected,
        "{example}\nstderr: {stderr}"
    );
}

#[test]
fn the_first_command_loads_a_broker_and_prints_its_table() {
    let command = blocks("sh").into_iter().next().unwrap();
    let (build, script) = command.split_once(" && target/release/").unwrap();
    assert_eq!(build, "cargo build --release");
    let directory = tempfile::tempdir().unwrap();
    // As slow a machine as this one may be, it is the table that counts here.
    let script = script.replace("--rate 10k --duration 5s", "--rate 1k --duration 1s");
    let ended = shell(directory.path(), &script).output().unwrap();
    let stdout = String::from_utf8(ended.stdout).unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{stderr}");
    assert!(stderr.contains("sent "), "{stderr}");
    assert!(stdout.contains("sent 1,000 + unsent 0"), "{stdout}");
    assert!(
        stdout.contains("received 1,000 = unique 1,000 + duplicate 0"),
        "{stdout}"
    );
}

#[test]
fn the_second_command_shows_the_message() {
    let command = blocks("sh").into_iter().nth(1).unwrap();
    // On a port that is free here.
    let script = command
        .split_once("sh -c '")
        .unwrap()
        .1
        .trim_end()
        .trim_end_matches('\'');
    let [free] = free_ports();
    let free = free.to_string();
    let directory = tempfile::tempdir().unwrap();
    let mut shell = shell(directory.path(), &script.replace("18830", &free));
    let ended = shell.env("IOTCTL_PORT", &free).output().unwrap();
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert!(
        stdout.lines().any(|line| line == "hello world"),
        "{stdout}{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    assert!(ended.status.success());
}

#[test]
fn the_exit_codes_are_the_programs() {
    let readme = readme();
    for kind in Kind::ALL {
        let row = format!("\n| {} | {} |\n", kind.exit_code(), kind.meaning());
        assert!(readme.contains(&row), "the README lacks {row}");
    }
}
