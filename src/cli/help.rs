//! What help and man pages say besides the flags: examples, exit codes, environment, files.

use std::fmt::Write;

use crate::bench::report::terms::TERMS;
use crate::command::bench as load;
use crate::command::bench::mqtt::ScenarioPreset;
use crate::error::Kind;
use crate::message::fields::{self, Fields};
use crate::payload::select;
use crate::server::{WHEN_KEYS, Wrong};

use super::{amqp, bench, bridge, coap, log, mqtt, ota, replay, route, simulate, watch};
use crate::cli::coap::server::KINDS;

/// A worked example: what it is for, and the words.
pub(crate) type Example = (&'static str, &'static str);

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
    ("Read the man page of a command", "iotctl man mqtt pub"),
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
        "%-10t, %010l, %3p",
        "left-aligned, zero-padded, and a payload cut off at 3 bytes; %.2:x separates groups of digits with colons",
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
        "same as the flags: IOTCTL_PASSWORD_FILE is --password-file; flags override the environment, which overrides the context. A URL replaces server, user name and password together; a user it names without a password has the one given here, unless that is for another user or host. Another host given by -h gets no user name, password and path of the server below. A server whose scheme or port is another protocol's is not used",
    ),
    (
        "IOTCTL_CAFILE, IOTCTL_CAPATH, IOTCTL_CERT, IOTCTL_KEY, IOTCTL_KEY_PASSWORD, IOTCTL_KEY_PASSWORD_FILE, IOTCTL_INSECURE, IOTCTL_INSECURE_NAME, IOTCTL_TLS_PIN, IOTCTL_TLS_SERVER_NAME, IOTCTL_TLS_ALPN, IOTCTL_TLS_VERSION",
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
        "alert" => super::alert::EXAMPLES,
        "bridge" => bridge::EXAMPLES,
        "log" => log::EXAMPLES,
        "route" => route::EXAMPLES,
        "watch" => watch::EXAMPLES,
        "simulate" => simulate::EXAMPLES,
        _ if command.starts_with("mqtt") => mqtt::help::examples(command),
        _ if command.starts_with("bench") => bench::help::examples(command),
        _ if command.starts_with("coap") => coap::help::examples(command),
        _ if command.starts_with("ota") => ota::help::examples(command),
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
        "bench coap" => load::coap::ScenarioPreset::all().collect(),
        "bench amqp" => load::amqp::ScenarioPreset::all().collect(),
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
pub(crate) fn fields_title(command: &str) -> &'static str {
    match command {
        "mqtt respond" => {
            "Fields for conditions; in the environment of --exec, content-type is IOTCTL_CONTENT_TYPE:"
        }
        "amqp respond" => {
            "Fields in the environment of --exec, where content-type is IOTCTL_CONTENT_TYPE:"
        }
        "amqp get" => "Fields for columns:",
        "mqtt sub" | "amqp consume" | "amqp tap" | "coap observe" => {
            "Fields for conditions and columns; in the environment of --exec, content-type is IOTCTL_CONTENT_TYPE:"
        }
        _ => "Fields for conditions and columns:",
    }
}

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
        "mqtt sub" | "mqtt request" | "mqtt respond" => Some(&fields::MQTT),
        "log" | "replay" => Some(&fields::ANY),
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
        "ota rollout" => ota::help::PLAN,
        _ => return,
    };
    let page = command.split(' ').next().unwrap_or_default();
    section(
        text,
        &format!("FILE, for example; docs/{page}.md has all keys:"),
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
        let rows = fields.rows();
        let rows = rows.iter().map(|(name, meaning)| (&**name, &**meaning));
        table(&mut text, fields_title(command), rows);
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
