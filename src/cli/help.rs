//! What help and man pages say besides the flags: examples, exit codes, environment, files.

use std::fmt::Write;

use crate::command::bench;
use crate::command::bench::mqtt::ScenarioPreset;
use crate::error::Kind;
use crate::message::fields::{self, Fields};
use crate::server::{WHEN_KEYS, Wrong};

use super::{amqp, coap};
use crate::cli::coap::server::KINDS;

/// A worked example: what it is for, and the words.
pub(super) type Example = (&'static str, &'static str);

const PUB: &[Example] = &[
    (
        "Publish one message to the broker on this machine",
        "iotctl mqtt pub -t room/temperature -m 21.5",
    ),
    (
        "Publish over TLS, acknowledged, and keep it for later subscribers",
        "iotctl mqtt pub mqtts://broker.example -u me --password-file pw -t state -m on -q 1 -r",
    ),
    (
        "Publish each line of a program's output",
        "vmstat -n 1 | iotctl mqtt pub -t host/vmstat -l -q 1",
    ),
    (
        "Publish bytes",
        "iotctl mqtt pub -t cmd --hex -m '01 ff 00'",
    ),
    (
        "Publish with MQTT 5 properties",
        "iotctl mqtt pub -t a -m 5 -D publish content-type text/plain",
    ),
    (
        "Publish a recording again",
        "iotctl mqtt pub --ndjson < recording.ndjson",
    ),
];

const SUB: &[Example] = &[
    (
        "Show everything with its topic",
        "iotctl mqtt sub -t '#' -v",
    ),
    (
        "Wait for one message, at most 5 seconds",
        "iotctl mqtt sub -t door/state -C 1 -W 5",
    ),
    (
        "Record for one minute",
        "iotctl mqtt sub -t 'sensors/#;qos=1' --for 1m --output json > recording.ndjson",
    ),
    (
        "List what is retained",
        "iotctl mqtt sub -t '#' -v --retained-only --idle 1",
    ),
    (
        "Choose what is shown",
        "iotctl mqtt sub -t 'a/+' -F '%I %t %p'",
    ),
    (
        "Lose nothing while this command is away",
        "iotctl mqtt sub -t 'jobs/#' -q 1 -c -i worker-1 -x 1day",
    ),
];

const BROKER: &[Example] = &[
    ("A broker for this machine", "iotctl mqtt broker"),
    (
        "A free port; the first line says which",
        "iotctl mqtt broker --listen 127.0.0.1:0",
    ),
    (
        "TCP and WebSocket, with passwords",
        "iotctl mqtt broker --listen 0.0.0.0:1883 --listen ws://0.0.0.0:80 --password-file users",
    ),
    (
        "Lose every tenth acknowledgement, to test a client",
        "iotctl mqtt broker --fault drop-ack:packet=puback,every=10",
    ),
];

const BENCH_MQTT: &[Example] = &[
    (
        "Load a broker of our own for 5 seconds",
        "iotctl bench mqtt --embedded --duration 5s",
    ),
    (
        "10,000 messages a second from 100 devices to one subscriber, and a verdict for CI",
        "iotctl bench mqtt mqtt://broker.example --scenario fan-in --rate 10k -q 1 --assert 'p99 < 20ms' --assert 'lost == 0'",
    ),
    (
        "As fast as the broker takes them, keeping the result and a page with plots",
        "iotctl bench mqtt -h broker.example --max -q 1 --publishers 10 --save-json run.json --html run.html",
    ),
    (
        "Stages: a ramp, a plateau, a spike",
        "iotctl bench mqtt --stage 10s:0-5k --stage 30s:5k --stage 5s:50k",
    ),
    (
        "50,000 idle connections, opened at 2,000 a second",
        "iotctl bench mqtt --scenario idle --publishers 50k --connect-rate 2k --duration 1m",
    ),
    (
        "What this machine's generator reaches at best",
        "iotctl bench mqtt --calibrate --max",
    ),
];

const BENCH_AMQP: &[Example] = &[
    (
        "One producer and one consumer on a broker of our own for 5 seconds",
        "iotctl bench amqp --embedded --duration 5s",
    ),
    (
        "10,000 persistent messages a second to a quorum queue, and a verdict for CI",
        "iotctl bench amqp amqp://broker.example --queue-type quorum --persistent --rate 10k --assert 'p99 < 20ms' --assert 'lost == 0'",
    ),
    (
        "As fast as a window of 100 unconfirmed messages allows, spread over ten queues",
        "iotctl bench amqp -h broker.example --producers 10 --consumers 10 --queues 10 --window 100",
    ),
    (
        "How many queues a second a server declares and deletes",
        "iotctl bench amqp -h broker.example --scenario queue-churn",
    ),
];

const BENCH_COAP: &[Example] = &[
    (
        "1,000 requests a second, and a verdict for CI",
        "iotctl bench coap coap://server.example/sensors/temp --rate 1k --assert 'p99 < 20ms' --assert 'lost == 0'",
    ),
    (
        "As fast as the server answers 50 clients with 4 requests under way each, one in five a PUT",
        "iotctl bench coap coap://server.example/store/{client} --sockets 50 --outstanding 4 --mix get=80,put=20",
    ),
];

const BENCH_RUN: &[Example] = &[(
    "What load.toml says, shorter",
    "iotctl bench run load.toml --duration 5s",
)];

const BENCH_REPORT: &[Example] = &[
    (
        "A page with plots of a kept result",
        "iotctl bench report run.json --output html > run.html",
    ),
    (
        "Judge it",
        "iotctl bench report run.json --assert 'p99.9 < 50ms'",
    ),
];

const BENCH_COMPARE: &[Example] = &[
    ("Two runs", "iotctl bench compare old.json new.json"),
    (
        "Five runs each; a regression of more than 5% is exit code 7",
        "iotctl bench compare --bound 5% old/*.json -- new/*.json",
    ),
];

const BENCH_MERGE: &[Example] = &[(
    "One result from those of all workers",
    "iotctl bench merge worker-*.json --output text",
)];

const TOP: &[Example] = &[
    (
        "Load a broker of our own, and see how it fares",
        "iotctl bench mqtt --embedded --duration 5s",
    ),
    (
        "Start a broker, subscribe, publish",
        "iotctl mqtt broker &\niotctl mqtt sub -t hello -C 1 &\niotctl mqtt pub -t hello -m world",
    ),
    (
        "Complete words in bash",
        "iotctl completions bash > ~/.local/share/bash-completion/completions/iotctl",
    ),
    (
        "Read the manual of a command",
        "iotctl man mqtt-pub | man -l -",
    ),
];

/// The sequences of `mqtt sub -F`, and what they stand for.
pub const TEMPLATE: &[(&str, &str)] = &[
    (
        "%p, %x, %X",
        "the payload: its bytes, in hexadecimal digits, in upper-case ones",
    ),
    ("%f, %d", "the payload as a 4-byte float, an 8-byte double"),
    ("%t, %l", "topic, length of the payload in bytes"),
    ("%q, %r, %m", "QoS, retain flag (0 or 1), packet identifier"),
    (
        "%j, %J",
        "JSON with the payload as text, with the payload embedded",
    ),
    (
        "%I, %U",
        "local time as 2026-11-20T21:00:00+0000, Unix time with nanoseconds",
    ),
    (
        "%C, %R, %D, %P",
        "content type, response topic, correlation data, user properties",
    ),
    (
        "%A, %S, %E, %F",
        "topic alias, subscription identifier, message expiry interval, payload format indicator",
    ),
    (
        "@X, @N",
        "what strftime makes of %X in local time, nanoseconds",
    ),
    (
        "%%, @@, \\\\, \\0, \\a, \\e, \\n, \\r, \\t, \\v",
        "the letters themselves, and as in C",
    ),
    (
        "%-10t, %010l, %.3p",
        "left-aligned, padded with zeros, cut; %.2:x separates groups of digits by colons",
    ),
];

/// The quantities of `bench … --assert`, and what they are.
pub const QUANTITIES: &[(&str, &str)] = &[
    (
        "p50, p99, p99.9, min, mean, stdev, max",
        "response time, from the moment a message was due; other times as service.p99 (from its sending), lag.p99 (between the two), end_to_end.p99, connect.p99, handshake.p99, subscribe.p99, catch_up.p99",
    ),
    (
        "lost, loss",
        "messages that never arrived, or, without receivers, were never acknowledged; the same in percent",
    ),
    (
        "rate",
        "messages accepted in a second; also rate.planned, rate.offered, rate.delivered",
    ),
    ("errors", "failures of any kind"),
    (
        "planned, sent, unsent, acknowledged, refused, timed_out, lost_with_connection, repeated",
        "what became of messages on the sending side",
    ),
    (
        "expected, received, unique, duplicate, undecided, missing, reordered, late, foreign",
        "and on the receiving side",
    ),
    (
        "connections.opened, .failed, .lost, .reopened, .rate, .away",
        "connections, those opened in a second, and the time that all were away",
    ),
    ("cpu, rss", "what the generator needed: 80%, 64MiB"),
];

/// The variables that commands read, and what for.
pub const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "IOTCTL_URL, IOTCTL_HOST, IOTCTL_PORT, IOTCTL_UNIX, IOTCTL_USERNAME, IOTCTL_PASSWORD, IOTCTL_PASSWORD_FILE",
        "as the flags: IOTCTL_PASSWORD_FILE is --password-file; flags win over the environment, which wins over the context",
    ),
    (
        "IOTCTL_CAFILE, IOTCTL_CAPATH, IOTCTL_CERT, IOTCTL_KEY, IOTCTL_INSECURE, IOTCTL_TLS_SERVER_NAME, IOTCTL_TLS_ALPN, IOTCTL_TLS_VERSION",
        "as the flags; several protocols for ALPN are separated by commas",
    ),
    (
        "IOTCTL_PSK_IDENTITY, IOTCTL_PSK, IOTCTL_PSK_FILE",
        "as the flags, for DTLS",
    ),
    (
        "IOTCTL_OSCORE_SECRET, IOTCTL_OSCORE_SECRET_FILE, IOTCTL_OSCORE_SALT, IOTCTL_OSCORE_SENDER_ID, IOTCTL_OSCORE_RECIPIENT_ID, IOTCTL_OSCORE_ID_CONTEXT, IOTCTL_OSCORE_STATE",
        "as the flags, for CoAP",
    ),
    (
        "IOTCTL_CONNECT_TIMEOUT, IOTCTL_RETRY, IOTCTL_BIND",
        "as the flags",
    ),
    (
        "IOTCTL_SHARD, IOTCTL_SHARDS, IOTCTL_RUN",
        "for bench: --shard as INDEX/COUNT; the number of shards beside JOB_COMPLETION_INDEX; a word that is the same for all shards of one run",
    ),
    (
        "IOTCTL_CONTEXT",
        "the context to use when --context names none",
    ),
    (
        "IOTCTL_CONFIG",
        "the configuration file, instead of the one below",
    ),
    (
        "NO_COLOR",
        "when set to something, no colour unless --color asks for it",
    ),
];

/// The files that commands read without being told, and what for.
pub const FILES: &[(&str, &str)] = &[
    (
        "$XDG_CONFIG_HOME/iotctl/config.toml, ~/.config/iotctl/config.toml",
        "named contexts: under [contexts.NAME] the long flags about a connection, such as url, username and cafile; context = \"NAME\" names the default",
    ),
    (
        "$XDG_STATE_HOME/iotctl/oscore/, ~/.local/state/iotctl/oscore/",
        "the sequence number of each OSCORE context; whoever loses one must agree on new keys",
    ),
];

/// The examples of one command, by its words after `iotctl`; none for most.
pub fn examples(command: &str) -> &'static [(&'static str, &'static str)] {
    match command {
        "" => TOP,
        "mqtt pub" => PUB,
        "mqtt sub" => SUB,
        "mqtt broker" => BROKER,
        "bench mqtt" => BENCH_MQTT,
        "bench amqp" => BENCH_AMQP,
        "bench coap" => BENCH_COAP,
        "bench run" => BENCH_RUN,
        "bench report" => BENCH_REPORT,
        "bench compare" => BENCH_COMPARE,
        "bench merge" => BENCH_MERGE,
        _ if command.starts_with("coap") => coap::help::examples(command),
        _ => amqp::help::examples(command),
    }
}

/// Every exit code and its meaning, in order.
pub fn exit_codes() -> impl Iterator<Item = (u8, &'static str)> {
    Kind::ALL
        .into_iter()
        .map(|kind| (kind.exit_code(), kind.meaning()))
}

/// The scenarios of a load test's `--scenario`, and what each does; none for other commands.
pub fn scenarios(command: &str) -> Vec<(&'static str, &'static str)> {
    match command {
        "bench mqtt" => ScenarioPreset::all().collect(),
        "bench coap" => bench::coap::ScenarioPreset::all().collect(),
        "bench amqp" => bench::amqp::ScenarioPreset::all().collect(),
        _ => Vec::new(),
    }
}

/// The faults of a server's `--fault`, then the keys that they may have; none for other commands.
pub fn faults(command: &str) -> Vec<(&'static str, &'static str)> {
    let (faults, keys) = match command {
        "mqtt broker" => (
            crate::mqtt::broker::Injected::FAULTS,
            crate::mqtt::broker::FAULT_KEYS,
        ),
        "amqp broker" => (
            crate::amqp::broker::Injected::FAULTS,
            crate::amqp::broker::FAULT_KEYS,
        ),
        "coap server" => (
            crate::coap::net::Injected::FAULTS,
            crate::coap::net::FAULT_KEYS,
        ),
        _ => return Vec::new(),
    };
    [faults, WHEN_KEYS, keys].concat()
}

/// The kinds of resources of `coap server --resource`.
pub fn resource_kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    KINDS.iter().copied()
}

/// What stands above the fields of a message: where they are used.
pub const FIELDS_TITLE: &str =
    "Fields, for conditions; in the environment of --exec content-type is IOTCTL_CONTENT_TYPE:";

/// The fields of the messages that a command receives; none for most.
pub fn fields(command: &str) -> Option<&'static Fields> {
    match command {
        "mqtt sub" => Some(&fields::MQTT),
        "amqp consume" | "amqp tap" | "amqp respond" => Some(&fields::AMQP),
        "coap observe" | "coap get" | "coap put" | "coap post" | "coap delete" | "coap fetch"
        | "coap patch" | "coap ipatch" => Some(&fields::COAP),
        _ => None,
    }
}

/// What stands below the flags on a help page.
pub(super) fn below(command: &str) -> String {
    let mut text = String::new();
    let scenarios = scenarios(command);
    if !scenarios.is_empty() {
        section(&mut text, "Scenarios, for --scenario:");
        listed(&mut text, scenarios.into_iter());
        section(&mut text, "Quantities, for --assert:");
        listed(&mut text, QUANTITIES.iter().copied());
    }
    if command == "coap server" {
        entries(&mut text, "Kinds, for --resource:", KINDS);
    }
    let faults = faults(command);
    if !faults.is_empty() {
        section(&mut text, "Faults, for --fault:");
        listed(&mut text, faults.into_iter());
    }
    if let Some(fields) = fields(command) {
        let rows: Vec<_> = fields.rows().collect();
        let rows = rows.iter().map(|(name, meaning)| (&**name, *meaning));
        table(&mut text, FIELDS_TITLE, rows);
    }
    section(&mut text, "Examples:");
    for (purpose, words) in examples(command) {
        let words = words.replace('\n', "\n      ");
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {purpose}:\n      {words}");
    }
    let codes: Vec<_> = exit_codes()
        .map(|(code, meaning)| (code.to_string(), meaning))
        .collect();
    let codes = codes
        .iter()
        .map(|(code, meaning)| (code.as_str(), *meaning));
    table(&mut text, "Exit codes:", codes);
    text.truncate(text.trim_end().len());
    text
}

fn entries(text: &mut String, title: &str, rows: &[(&str, &str)]) {
    section(text, title);
    for (name, meaning) in rows {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {name}\n      {meaning}");
    }
}

fn section(text: &mut String, title: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(title);
    text.push('\n');
}

fn listed<'a>(text: &mut String, rows: impl Iterator<Item = (&'a str, &'a str)>) {
    for (name, meaning) in rows {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {name}\n      {meaning}");
    }
}

fn table<'a>(text: &mut String, title: &str, rows: impl Iterator<Item = (&'a str, &'a str)>) {
    section(text, title);
    let rows: Vec<_> = rows.collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, meaning) in rows {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {name:<width$}  {meaning}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_pages_end_with_examples_and_the_exit_codes() {
        let text = below("mqtt pub");
        assert!(
            text.starts_with("Examples:\n  Publish one message"),
            "{text}"
        );
        assert!(text.ends_with("  143  terminated (SIGTERM)"), "{text}");
        assert!(below("mqtt broker").contains("drop-publish"));
    }
}
