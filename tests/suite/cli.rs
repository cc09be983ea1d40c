//! The program as a shell sees it: exit codes, and what goes to which stream.

use std::process::{Command, Output, Stdio};

fn iotctl(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iotctl"));
    command
        .args(words)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

#[test]
fn help_and_version_go_to_standard_output() {
    for words in [
        &["--help"][..],
        &["--version"],
        &["mqtt", "--help"],
        &["mqtt", "pub", "--help"],
        &["man"],
        &["man", "mqtt", "pub"],
        &["man", "iotctl-mqtt-pub"],
        &["help"],
        &["help", "mqtt", "pub"],
        &["version"],
    ] {
        let ended = iotctl(words);
        assert_eq!(ended.status.code(), Some(0), "{words:?}");
        assert!(text(&ended.stdout).contains("iotctl"), "{words:?}");
        assert!(ended.stderr.is_empty(), "{words:?}");
    }
}

#[test]
fn the_short_page_is_as_wide_as_the_terminal() {
    let widest = |columns: &str| {
        let page = Command::new(env!("CARGO_BIN_EXE_iotctl"))
            .args(["help", "mqtt", "pub"])
            .env("COLUMNS", columns)
            .output()
            .unwrap();
        let page = text(&page.stdout).to_owned();
        let lines = page.lines().take_while(|line| *line != "Examples:");
        lines.map(|line| line.chars().count()).max().unwrap()
    };
    for (columns, least, most) in [
        ("50", 41, 50),
        ("80", 66, 80),
        ("100", 81, 100),
        ("1000", 81, 100),
    ] {
        let wide = widest(columns);
        assert!((least..=most).contains(&wide), "{columns}: {wide}");
    }
}

#[test]
fn the_version_comes_first_and_then_the_features_that_are_built_in() {
    let said = iotctl(&["--version"]).stdout;
    let lines: Vec<_> = text(&said).lines().collect();
    let [version, features] = lines[..] else {
        panic!("not two lines: {lines:?}");
    };
    assert_eq!(version, concat!("iotctl ", env!("CARGO_PKG_VERSION")));
    let sqlite = if cfg!(feature = "sqlite") {
        "+sqlite"
    } else {
        "-sqlite"
    };
    assert!(
        features.starts_with("features: ") && features.contains("+jq") && features.contains(sqlite),
        "{features}"
    );
    for words in [["-V"], ["version"]] {
        assert_eq!(iotctl(&words).stdout, said, "{words:?}");
    }
}

#[test]
fn the_help_pages_have_examples_and_every_exit_code() {
    for command in [
        "mqtt pub",
        "mqtt sub",
        "mqtt broker",
        "bench mqtt",
        "bench run",
        "bench report",
        "bench compare",
        "bench merge",
        "amqp publish",
        "amqp consume",
        "amqp get",
        "amqp request",
        "amqp respond",
        "amqp declare queue",
        "amqp declare exchange",
        "amqp delete queue",
        "amqp delete exchange",
        "amqp bind",
        "amqp unbind",
        "amqp purge",
        "amqp ping",
    ] {
        let words: Vec<_> = command.split(' ').chain(["--help"]).collect();
        let ended = iotctl(&words);
        let page = text(&ended.stdout);
        assert!(page.contains("\nExamples:\n"), "{command}");
        for kind in iotctl::error::Kind::ALL {
            let line = format!("  {:<3}  {}\n", kind.exit_code(), kind.meaning());
            assert!(page.contains(&line), "{command} lacks {line:?}");
        }
        let longest = page.lines().map(|line| line.chars().count()).max();
        assert!(
            longest <= Some(100),
            "{command} has lines of {longest:?} characters"
        );
    }
}

#[test]
fn help_pages_promise_only_what_the_command_has() {
    let page = |command: &str| {
        let words: Vec<_> = command.split(' ').chain(["--help"]).collect();
        let page = text(&iotctl(&words).stdout).to_owned();
        page.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (command, lacking) in [
        ("mqtt pub", "-C asked for more"),
        ("watch", "-C asked for more"),
        ("coap get", "or after --for"),
        ("alert", "or after --for"),
        ("log", "commands of --exec"),
        ("route", "that passes --filter"),
        ("mqtt request", "in the environment of --exec"),
        ("amqp get", "in the environment of --exec"),
        ("ota agent", "--will-topic"),
        ("ota agent", "[default: generated]"),
    ] {
        assert!(!page(command).contains(lacking), "{command}: {lacking}");
    }
    let never = "for outages up to TIME [default: never]";
    let forever = "[default: never for the first connection, forever after that]";
    for (command, there) in [
        ("mqtt sub", "-C asked for more"),
        ("bridge", "-C asked for more"),
        ("simulate", "or after --for"),
        ("mqtt sub", "commands of --exec"),
        ("mqtt sub", "in the environment of --exec"),
        ("ota agent", "[default: ota-DEVICE"),
        ("mqtt request", never),
        ("mqtt ping", never),
        ("mqtt probe", never),
        ("mqtt clear", never),
        ("amqp declare queue", never),
        ("mqtt sub", forever),
        ("mqtt respond", forever),
        ("amqp consume", forever),
        ("simulate", forever),
        (
            "mqtt pub",
            "[default: never for the first connection, for 30s after that]",
        ),
        ("ota agent", "for outages up to TIME [default: forever]"),
        ("replay", "--proxy <URL>"),
        ("replay", "AMQP: the exchange"),
        ("log", "AMQP: the exchange"),
    ] {
        assert!(page(command).contains(there), "{command}: {there}");
    }
    let page = page("simulate");
    let results = page.split("Results: ").nth(1).unwrap_or_default();
    assert!(results.starts_with("--assert"), "{page}");
}

#[test]
fn no_words_show_the_help_page_and_fail() {
    let ended = iotctl(&[]);
    assert_eq!(ended.status.code(), Some(2));
    assert!(text(&ended.stdout).contains("Usage: iotctl <COMMAND>"));
    assert_eq!(text(&ended.stderr), "iotctl: no command was given\n");
}

#[test]
fn wrong_words_are_one_line_a_hint_and_exit_2() {
    for (words, stderr) in [
        (
            &["mqtt", "pub", "-t", "a/#", "-m", "x"][..],
            "iotctl: -t: topic \"a/#\" contains the wildcard #\nhint: wildcards are for subscribing only\n",
        ),
        (
            &["mqtt", "pub", "-t", "a"],
            "iotctl: there is nothing to publish\nhint: use -m TEXT, -f FILE, --template TEXT, --cbor NOTATION, -n for an empty message, \
             or read standard input with -s, -l, -0 or --ndjson\n",
        ),
        (
            &["mqtt", "sub", "-t", "a", "-V", "311", "-x", "5"],
            "iotctl: -x needs MQTT 5, not -V 311\nhint: remove -V 311 or -x\n",
        ),
        (
            &["mqtt", "sub", "--tpoic", "a"],
            "iotctl: unexpected argument '--tpoic' found\nhint: did you mean --topic?\n",
        ),
        (
            &["mqtt", "pub", "--retian"],
            "iotctl: unexpected argument '--retian' found\nhint: did you mean --retain?\n",
        ),
        (
            &["mqtt", "pub", "--ca", "x"],
            "iotctl: unexpected argument '--ca' found\nhint: did you mean --cafile or --capath?\n",
        ),
        (
            &["mqtt", "pub", "-d"],
            "iotctl: unexpected argument '-d' found\nhint: --trace shows what is sent and received\n",
        ),
        (
            &["mqtt", "sbu"],
            "iotctl: there is no command \"mqtt sbu\"\nhint: did you mean `iotctl mqtt sub`?\n",
        ),
        (
            &["pub", "-t", "a"],
            "iotctl: there is no command \"pub\"\nhint: did you mean `iotctl mqtt pub`?\n",
        ),
        (
            &["mqtt", "help"],
            "iotctl: there is no command \"mqtt help\"\nhint: did you mean `iotctl help mqtt`?\n",
        ),
        (
            &["man", "nosuch"],
            "iotctl: there is no command \"nosuch\"\nhint: `iotctl help` lists the commands\n",
        ),
        (
            &["help", "mqtt", "puv"],
            "iotctl: there is no command \"mqtt puv\"\nhint: did you mean `iotctl mqtt pub`?\n",
        ),
        (
            &["mqtt", "sub", "--color", "nevr"],
            "iotctl: invalid value 'nevr' for '--color <WHEN>' [possible values: auto, always, never]\nhint: did you mean never?\n",
        ),
        (
            &["mqtt", "sub", "-p", "abc"],
            "iotctl: invalid value 'abc' for '-p <PORT>': expected a whole number from 1 to 65535\n",
        ),
        (
            &["mqtt", "pub", "-h"],
            "iotctl: a value is required for '-h <HOST>' but none was supplied\n\
             hint: -h is the host; --help shows the usage\n",
        ),
        (
            &["mqtt", "broker", "--fault", "drop"],
            "iotctl: invalid value 'drop' for '--fault <FAULT>': unknown fault drop\n\
             hint: the faults are drop-ack,",
        ),
    ] {
        let ended = iotctl(words);
        let said = text(&ended.stderr);
        assert!(said.starts_with(stderr), "{words:?} said {said}");
        assert_eq!(said.lines().count(), 2, "{words:?} said {said}");
        assert_eq!(ended.status.code(), Some(2), "{words:?}");
        assert!(ended.stdout.is_empty(), "{words:?}");
    }
}

#[test]
fn completions_are_printed_for_each_shell() {
    for (shell, sign) in [
        ("bash", "complete -F _iotctl"),
        ("zsh", "#compdef iotctl"),
        ("fish", "complete -c iotctl"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let ended = iotctl(&["completions", shell]);
        assert_eq!(ended.status.code(), Some(0), "{shell}");
        assert!(text(&ended.stdout).contains(sign), "{shell}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .expect("a device that is full");
    let mut command = Command::new(env!("CARGO_BIN_EXE_iotctl"));
    let ended = command
        .arg("--help")
        .stdout(full)
        .output()
        .expect("the program starts");
    assert_eq!(ended.status.code(), Some(8));
    assert!(
        text(&ended.stderr).starts_with("iotctl: cannot write to standard output: no space left")
    );
}

#[test]
fn a_reader_that_leaves_ends_the_program_quietly() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_iotctl"));
    let ended = command
        .arg("--help")
        .stdout(writer)
        .output()
        .expect("the program starts");
    assert_eq!((ended.status.code(), text(&ended.stderr)), (Some(0), ""));
}
