//! What help and man pages say besides the flags: examples, exit codes, environment, files.

use std::fmt::Write;

use crate::bench::report::terms::TERMS;
use crate::command::bench;
use crate::command::bench::mqtt::ScenarioPreset;
use crate::error::Kind;
use crate::message::fields::{self, Fields};
use crate::payload::select;
use crate::server::{WHEN_KEYS, Wrong};

use super::{amqp, bridge, coap, log, ota, replay, route, simulate, watch};
use crate::cli::coap::server::KINDS;

/// A worked example: what it is for, and the words.
pub(crate) type Example = (&'static str, &'static str);

const PUB: &[Example] = &[
    (
        "Publish one message to the broker on this machine",
        "iotctl mqtt pub -t room/temperature -m 21.5",
    ),
    (
        "Publish a retained message at QoS 1 over TLS",
        "iotctl mqtt pub mqtts://broker.example -u me --password-file pw -t state -m on -q 1 -r",
    ),
    (
        "Publish each line of a program's output",
        "vmstat -n 1 | iotctl mqtt pub -t host/vmstat -l -q 1",
    ),
    (
        "Publish binary data",
        "iotctl mqtt pub -t cmd --hex -m '01 ff 00'",
    ),
    (
        "Publish with MQTT 5 properties",
        "iotctl mqtt pub -t a -m 5 -D publish content-type text/plain",
    ),
    (
        "Replay a recording",
        "iotctl mqtt pub --ndjson < recording.ndjson",
    ),
];

const SUB: &[Example] = &[
    (
        "Show all messages with their topics",
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
        "Save the retained messages, and restore them later",
        "iotctl mqtt sub -t '#' -q 2 --retained-only --output json > retained.ndjson; iotctl mqtt pub --ndjson < retained.ndjson",
    ),
    (
        "Choose the output format",
        "iotctl mqtt sub -t 'a/+' -F '%I %t %p'",
    ),
    (
        "Receive messages that were published while this command was not running",
        "iotctl mqtt sub -t 'jobs/#' -q 1 -c -i worker-1 -x 1day",
    ),
];

const REQUEST: &[Example] = &[
    (
        "Send one request and print the reply, or fail after 2 seconds",
        "iotctl mqtt request -t device/7/status -m '' -W 2",
    ),
    (
        "Ask a device that speaks MQTT 3.1.1",
        "iotctl mqtt request -V 311 -t gpio/17/command -m on --response-topic 'gpio/{2}/state'",
    ),
    (
        "Collect the replies of all devices, until none arrives for 2 seconds",
        "iotctl mqtt request -t all/version -n --idle 2 -v",
    ),
    (
        "Send each line as a request, and measure latency",
        "seq 100 | iotctl mqtt request -t square -l --latency",
    ),
];

const RESPOND: &[Example] = &[
    (
        "Reply with the request itself",
        "iotctl mqtt respond -t echo --echo",
    ),
    (
        "Compute the replies, shared with other responders of the group",
        "iotctl mqtt respond -t square --group workers --exec awk '{ print $1 * $1 }'",
    ),
    (
        "Simulate pins that are switched by 'on' and 'off', with their state retained",
        "iotctl mqtt respond -t 'gpio/{pin}/command' --response-topic 'gpio/{pin}/state' -r --exec sed 's/^on$/1/; s/^off$/0/'",
    ),
    (
        "Fill in a template",
        "iotctl mqtt respond -t 'device/{id}/status' --template '{\"id\":\"{id}\",\"at\":\"{time}\"}'",
    ),
];

const PING: &[Example] = &[
    (
        "Check that a broker is up and takes the login, and show its certificate",
        "iotctl mqtt ping mqtts://broker.example -u me --password-file pw -C 1",
    ),
    (
        "Measure ten round trips, for a script",
        "iotctl mqtt ping -h broker.example -C 10 --interval 200ms --output json",
    ),
];

const PROBE: &[Example] = &[
    (
        "Show what a broker can do",
        "iotctl mqtt probe -h broker.example",
    ),
    (
        "List what it does not support",
        "iotctl mqtt probe -h broker.example --output json | jq -r 'select(.supported == false).feature'",
    ),
];

const SYS: &[Example] = &[
    (
        "Show the figures of a broker",
        "iotctl mqtt sys -h broker.example",
    ),
    (
        "Follow its load for one minute",
        "iotctl mqtt sys -h broker.example --watch --for 1m",
    ),
];

const CLEAR: &[Example] = &[
    (
        "See which retained messages there are, then remove them",
        "iotctl mqtt clear -t 'lamp/#' --dry-run; iotctl mqtt clear -t 'lamp/#'",
    ),
    (
        "Remove them in a script, if there are as many as expected",
        "iotctl mqtt clear -t 'lamp/#' --count 2",
    ),
];

const BROKER: &[Example] = &[
    ("Start a broker on this machine", "iotctl mqtt broker"),
    (
        "Use a free port, printed on the first line",
        "iotctl mqtt broker --listen 127.0.0.1:0",
    ),
    (
        "Listen on TCP and WebSocket, with passwords",
        "iotctl mqtt broker --listen 0.0.0.0:1883 --listen ws://0.0.0.0:80 --password-file users",
    ),
    (
        "Drop every tenth acknowledgement, to test a client",
        "iotctl mqtt broker --fault drop-ack:packet=puback,every=10",
    ),
];

const BENCH_MQTT: &[Example] = &[
    (
        "Load the embedded broker for 5 seconds",
        "iotctl bench mqtt --embedded --duration 5s",
    ),
    (
        "Send 10,000 messages per second from 100 devices to one subscriber, with thresholds for CI",
        "iotctl bench mqtt mqtt://broker.example --scenario fan-in --rate 10k -q 1 --assert 'p99 < 20ms' --assert 'lost == 0'",
    ),
    (
        "Send as fast as the broker accepts, and save the result and a page with plots",
        "iotctl bench mqtt -h broker.example --max -q 1 --publishers 10 --save-json run.json --html run.html",
    ),
    (
        "Run stages: a ramp, a plateau, a spike",
        "iotctl bench mqtt --stage 10s:0-5k --stage 30s:5k --stage 5s:50k",
    ),
    (
        "Open 50,000 idle connections at 2,000 per second",
        "iotctl bench mqtt --scenario idle --publishers 50k --connect-rate 2k --duration 1m",
    ),
    (
        "Measure the limit of the generator on this machine",
        "iotctl bench mqtt --calibrate --max",
    ),
];

const BENCH_AMQP: &[Example] = &[
    (
        "Run one producer and one consumer on the embedded broker for 5 seconds",
        "iotctl bench amqp --embedded --duration 5s",
    ),
    (
        "Send 10,000 persistent messages per second to a quorum queue, with thresholds for CI",
        "iotctl bench amqp amqp://broker.example --queue-type quorum --persistent --rate 10k --assert 'p99 < 20ms' --assert 'lost == 0'",
    ),
    (
        "Send to ten queues as fast as a window of 100 unconfirmed messages allows",
        "iotctl bench amqp -h broker.example --producers 10 --consumers 10 --queues 10 --window 100",
    ),
    (
        "Measure how many queues per second a server declares and deletes",
        "iotctl bench amqp -h broker.example --scenario queue-churn",
    ),
];

const BENCH_COAP: &[Example] = &[
    (
        "Send 1,000 requests per second, with thresholds for CI",
        "iotctl bench coap coap://server.example/sensors/temp --rate 1k --assert 'p99 < 20ms' --assert 'lost == 0'",
    ),
    (
        "Send as fast as the server responds, from 50 clients with 4 outstanding requests each, one in five a PUT",
        "iotctl bench coap coap://server.example/store/{client} --sockets 50 --outstanding 4 --mix get=80,put=20",
    ),
];

const BENCH_RUN: &[Example] = &[(
    "Run the load test of load.toml for 5 seconds",
    "iotctl bench run load.toml --duration 5s",
)];

const BENCH_REPORT: &[Example] = &[
    (
        "Make a page with plots from a saved result",
        "iotctl bench report run.json --output html > run.html",
    ),
    (
        "Check a saved result against a threshold",
        "iotctl bench report run.json --assert 'p99.9 < 50ms'",
    ),
];

const BENCH_COMPARE: &[Example] = &[
    ("Compare two runs", "iotctl bench compare old.json new.json"),
    (
        "Compare five runs each; exit code 7 for a regression of more than 5%",
        "iotctl bench compare --bound 5% old/*.json -- new/*.json",
    ),
];

const BENCH_MERGE: &[Example] = &[(
    "Merge the results of all workers",
    "iotctl bench merge worker-*.json --output text",
)];

const INSTALL: &[Example] = &[(
    "Let scripts that call mosquitto_pub and mosquitto_sub find this program first",
    "iotctl install --links ~/.local/bin",
)];

const TOP: &[Example] = &[
    (
        "Start a broker, subscribe, publish",
        "iotctl mqtt broker &\niotctl mqtt sub -t hello -C 1 &\niotctl mqtt pub -t hello -m world",
    ),
    (
        "Load the embedded broker and show a report",
        "iotctl bench mqtt --embedded --duration 5s",
    ),
    (
        "Install completions for bash",
        "iotctl completions bash > ~/.local/share/bash-completion/completions/iotctl",
    ),
    (
        "Read the man page of a command",
        "iotctl man mqtt pub | man -l -",
    ),
];

/// The sequences of `mqtt sub -F` and their meaning.
pub(crate) const TEMPLATE: &[(&str, &str)] = &[
    (
        "%p, %x, %X",
        "payload: raw, in lower-case hex, in upper-case hex",
    ),
    ("%f, %d", "payload as a 4-byte float, as an 8-byte double"),
    ("%t, %l", "topic, length of the payload in bytes"),
    ("%q, %r, %m", "QoS, retain flag (0 or 1), packet identifier"),
    (
        "%j, %J",
        "JSON with the payload as text, with the payload embedded",
    ),
    (
        "%I, %U",
        "local time such as 2026-11-20T21:00:00+0000, Unix time with nanoseconds",
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
        "local time formatted by strftime with %X, nanoseconds",
    ),
    (
        "%%, @@, \\\\, \\0, \\a, \\e, \\n, \\r, \\t, \\v",
        "literal characters, and escapes as in C",
    ),
    (
        "%{/temp}, %{qos}, %.1{/temp|/t|\"none\"}",
        "what a JSON pointer finds in the payload, a field, the first of several alternatives; the names are below",
    ),
    (
        "%-10t, %010l, %.3p",
        "left-aligned, zero-padded, truncated; %.2:x separates groups of digits with colons",
    ),
];

/// The quantities of `bench … --assert` and their meaning.
pub(crate) const QUANTITIES: &[(&str, &str)] = &[
    (
        "p50, p99, p99.9, min, mean, stdev, max",
        "response time, from the moment a message was due; other times are service.p99 (from sending), lag.p99 (from due to sent), end_to_end.p99, connect.p99, handshake.p99, subscribe.p99, catch_up.p99",
    ),
    (
        "lost, loss",
        "messages never received, or, without receivers, never acknowledged; the same in percent",
    ),
    (
        "rate",
        "messages accepted per second; also rate.planned, rate.offered, rate.delivered",
    ),
    ("errors", "failures of any kind"),
    (
        "planned, sent, unsent, acknowledged, refused, timed_out, lost_with_connection, repeated",
        "message counts of the senders",
    ),
    (
        "expected, received, unique, duplicate, undecided, missing, reordered, late, foreign",
        "message counts of the receivers",
    ),
    (
        "connections.opened, .failed, .lost, .reopened, .rate, .away",
        "connections, connections opened per second, and the time without any connection",
    ),
    ("cpu, rss", "resources used by the generator: 80%, 64MiB"),
];

/// The environment variables and their meaning.
pub(crate) const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "IOTCTL_URL, IOTCTL_HOST, IOTCTL_PORT, IOTCTL_UNIX, IOTCTL_USERNAME, IOTCTL_PASSWORD, IOTCTL_PASSWORD_FILE, IOTCTL_PASSWORD_COMMAND",
        "same as the flags: IOTCTL_PASSWORD_FILE is --password-file; flags override the environment, which overrides the context. A URL replaces server, user name and password together; a user it names without a password has the one given here, unless that is for another user or host. A server whose scheme or port is another protocol's is not used",
    ),
    (
        "IOTCTL_CAFILE, IOTCTL_CAPATH, IOTCTL_CERT, IOTCTL_KEY, IOTCTL_KEY_PASSWORD, IOTCTL_KEY_PASSWORD_FILE, IOTCTL_INSECURE, IOTCTL_TLS_PIN, IOTCTL_TLS_SERVER_NAME, IOTCTL_TLS_ALPN, IOTCTL_TLS_VERSION",
        "same as the flags; several ALPN protocols and several pins are separated by commas; IOTCTL_KEY_PASSWORD is the password of an encrypted key",
    ),
    (
        "IOTCTL_PSK_IDENTITY, IOTCTL_PSK, IOTCTL_PSK_FILE, IOTCTL_RPK_KEY, IOTCTL_RPK_PEER",
        "same as the flags, for DTLS",
    ),
    (
        "IOTCTL_OSCORE_SECRET, IOTCTL_OSCORE_SECRET_FILE, IOTCTL_OSCORE_SALT, IOTCTL_OSCORE_SENDER_ID, IOTCTL_OSCORE_RECIPIENT_ID, IOTCTL_OSCORE_ID_CONTEXT, IOTCTL_OSCORE_STATE",
        "same as the flags, for CoAP",
    ),
    (
        "IOTCTL_CONNECT_TIMEOUT, IOTCTL_RETRY, IOTCTL_BIND, IOTCTL_IPV4, IOTCTL_IPV6, IOTCTL_SRV",
        "same as the flags; the last three are true or false",
    ),
    (
        "IOTCTL_SHARD, IOTCTL_SHARDS, IOTCTL_RUN",
        "for bench: --shard as INDEX/COUNT; the number of shards, used with JOB_COMPLETION_INDEX; an identifier shared by all shards of one run",
    ),
    ("IOTCTL_CONTEXT", "the context to use without --context"),
    (
        "IOTCTL_CONFIG",
        "the configuration file, instead of the default below",
    ),
    (
        "NO_COLOR",
        "if not empty, disables colour unless --color is given",
    ),
];

/// The files that commands read by default, and their purpose.
pub(crate) const FILES: &[(&str, &str)] = &[
    (
        "$XDG_CONFIG_HOME/iotctl/config.toml, ~/.config/iotctl/config.toml",
        "named contexts: the table [contexts.NAME] has the long connection flags, such as url, username and cafile; context = \"NAME\" sets the default",
    ),
    (
        "$XDG_STATE_HOME/iotctl/oscore/, ~/.local/state/iotctl/oscore/",
        "the sequence number of each OSCORE context; if one is lost, new keys must be agreed on",
    ),
];

/// The examples of one command, by its words after `iotctl`; none for most.
pub(crate) fn examples(command: &str) -> &'static [(&'static str, &'static str)] {
    match command {
        "" => TOP,
        "install" => INSTALL,
        "replay" => replay::EXAMPLES,
        "mqtt pub" => PUB,
        "mqtt sub" => SUB,
        "mqtt request" => REQUEST,
        "mqtt respond" => RESPOND,
        "mqtt ping" => PING,
        "mqtt probe" => PROBE,
        "mqtt sys" => SYS,
        "mqtt clear" => CLEAR,
        "mqtt broker" => BROKER,
        "alert" => super::alert::EXAMPLES,
        "bench mqtt" => BENCH_MQTT,
        "bench amqp" => BENCH_AMQP,
        "bench coap" => BENCH_COAP,
        "bench run" => BENCH_RUN,
        "bench report" => BENCH_REPORT,
        "bench compare" => BENCH_COMPARE,
        "bench merge" => BENCH_MERGE,
        "bridge" => bridge::EXAMPLES,
        "log" => log::EXAMPLES,
        "ota keygen" => ota::help::KEYGEN,
        "ota sign" => ota::help::SIGN,
        "ota inspect" => ota::help::INSPECT,
        "ota verify" => ota::help::VERIFY,
        "ota agent" => ota::help::AGENT,
        "ota serve" => ota::help::SERVE,
        "ota publish" => ota::help::PUBLISH,
        "ota rollout" => ota::help::ROLLOUT,
        "ota status" => ota::help::STATUS,
        "route" => route::EXAMPLES,
        "watch" => watch::EXAMPLES,
        "simulate" => simulate::EXAMPLES,
        _ if command.starts_with("coap") => coap::help::examples(command),
        _ => amqp::help::examples(command),
    }
}

/// Every exit code and its meaning, in order.
pub(crate) fn exit_codes() -> impl Iterator<Item = (u8, &'static str)> {
    Kind::ALL
        .into_iter()
        .map(|kind| (kind.exit_code(), kind.meaning()))
}

/// The scenarios of a load test's `--scenario`, and what each does; none for other commands.
pub(crate) fn scenarios(command: &str) -> Vec<(&'static str, &'static str)> {
    match command {
        "bench mqtt" => ScenarioPreset::all().collect(),
        "bench coap" => bench::coap::ScenarioPreset::all().collect(),
        "bench amqp" => bench::amqp::ScenarioPreset::all().collect(),
        _ => Vec::new(),
    }
}

/// The faults of a server's `--fault`, then the keys that they may have; none for other commands.
pub(crate) fn faults(command: &str) -> Vec<(&'static str, &'static str)> {
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
pub(crate) fn resource_kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    KINDS.iter().copied()
}

/// The heading of the fields of a message.
pub(crate) const FIELDS_TITLE: &str = "Fields for conditions and columns; in the environment of --exec, content-type is IOTCTL_CONTENT_TYPE:";

/// The heading of what columns show besides fields.
pub(crate) const OTHERS_TITLE: &str = "Other names for --columns, %{…} in -F, and --output-file:";

/// What columns show besides fields.
pub(crate) const OTHERS: &[(&str, &str)] = &select::OTHERS;

/// Whether a command shows columns.
pub(crate) fn has_columns(command: &str) -> bool {
    fields(command).is_some() && !command.ends_with("respond")
}

/// The fields of the messages that a command receives; none for most.
pub(crate) fn fields(command: &str) -> Option<&'static Fields> {
    match command {
        "mqtt sub" | "mqtt request" | "mqtt respond" | "log" | "replay" => Some(&fields::MQTT),
        "amqp consume" | "amqp tap" | "amqp get" | "amqp request" | "amqp respond" => {
            Some(&fields::AMQP)
        }
        "coap observe" | "coap get" | "coap put" | "coap post" | "coap delete" | "coap fetch"
        | "coap patch" | "coap ipatch" => Some(&fields::COAP),
        _ => None,
    }
}

/// What the file of a command looks like.
fn file_of(command: &str, text: &mut String) {
    let file = match command {
        "route" => route::FILE,
        "simulate" => simulate::FILE,
        _ => return,
    };
    section(
        text,
        &format!("FILE, for example; docs/{command}.md has all keys:"),
    );
    text.extend(file.lines().map(|line| format!("  {line}\n")));
}

/// The text below the flags on a help page.
pub(super) fn below(command: &str) -> String {
    let mut text = String::new();
    let scenarios = scenarios(command);
    if !scenarios.is_empty() {
        section(&mut text, "Scenarios for --scenario:");
        listed(&mut text, scenarios.into_iter());
        section(&mut text, "Quantities for --assert:");
        listed(&mut text, QUANTITIES.iter().copied());
        let terms = TERMS.iter().map(|term| (term.name, term.brief));
        table(
            &mut text,
            "Words of the report; iotctl man bench has more:",
            terms,
        );
    }
    file_of(command, &mut text);
    if command == "coap server" {
        entries(&mut text, "Resource kinds for --resource:", KINDS);
    }
    let faults = faults(command);
    if !faults.is_empty() {
        section(&mut text, "Faults for --fault:");
        listed(&mut text, faults.into_iter());
    }
    if let Some(fields) = fields(command) {
        let rows: Vec<_> = fields.rows().collect();
        let rows = rows.iter().map(|(name, meaning)| (&**name, *meaning));
        table(&mut text, FIELDS_TITLE, rows);
    }
    if has_columns(command) {
        table(&mut text, OTHERS_TITLE, OTHERS.iter().copied());
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
