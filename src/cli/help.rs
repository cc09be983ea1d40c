//! What help and man pages say besides the flags: examples, exit codes, environment, files.

use std::fmt::Write;

use crate::coap;
use crate::error::Kind;
use crate::mqtt::broker::{FAULT_KEYS, FAULTS};

use super::coap_server::KINDS;

/// A worked example: what it is for, and the words.
type Example = (&'static str, &'static str);

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

const COAP_GET: &[Example] = &[
    (
        "What a resource holds",
        "iotctl coap get coap://device.example/temperature",
    ),
    (
        "The request and the response with their options",
        "iotctl coap get -v 'coap://device.example/log?n=10'",
    ),
    (
        "A JSON record, over DTLS with a pre-shared key",
        "iotctl coap get coaps://device.example/state --psk-identity me --psk-file key --output json",
    ),
    (
        "Only if it has changed since the last time",
        "iotctl coap get coap://device.example/firmware --etag-file firmware.etag > firmware.bin",
    ),
];

const COAP_PUT: &[Example] = &[
    (
        "Set a value",
        "iotctl coap put coap://device.example/led -m on",
    ),
    (
        "Send a file of any size, in blocks of 256 bytes",
        "iotctl coap put coap://device.example/firmware -f firmware.bin --block 256",
    ),
    (
        "JSON, only if nobody changed it meanwhile",
        "iotctl coap put coap://device.example/config -t json -m '{\"rate\":5}' --if-match=0x2a",
    ),
];

const COAP_POST: &[Example] = &[
    (
        "Set something off",
        "iotctl coap post coap://device.example/reboot",
    ),
    (
        "Hand over what a program says",
        "date | iotctl coap post coap://device.example/log -s",
    ),
];

const COAP_DELETE: &[Example] = &[(
    "Remove a resource",
    "iotctl coap delete coap://device.example/store/1",
)];

const COAP_FETCH: &[Example] = &[(
    "A part of a resource",
    "iotctl coap fetch coap://device.example/config -t json -m '[\"rate\"]'",
)];

const COAP_PATCH: &[Example] = &[(
    "Change a part of a resource",
    "iotctl coap patch coap://device.example/config -t merge-patch -m '{\"rate\":5}'",
)];

const COAP_IPATCH: &[Example] = &[(
    "Change a part of a resource, as often as one likes",
    "iotctl coap ipatch coap://device.example/config -t merge-patch -m '{\"rate\":5}'",
)];

const COAP_OBSERVE: &[Example] = &[
    (
        "Every change",
        "iotctl coap observe coap://device.example/temperature",
    ),
    (
        "Three of them, as JSON, within a minute",
        "iotctl coap observe coap://device.example/temperature -C 3 -W 1m --output json",
    ),
];

const COAP_DISCOVER: &[Example] = &[
    (
        "The resources of a server",
        "iotctl coap discover coap://device.example",
    ),
    (
        "Those that can be observed, as JSON",
        "iotctl coap discover coap://device.example --obs --output json",
    ),
    (
        "All servers in this network",
        "iotctl coap discover coap://224.0.1.187",
    ),
];

const COAP_PING: &[Example] = &[
    ("Four round trips", "iotctl coap ping coap://device.example"),
    (
        "A health check",
        "iotctl coap ping coaps://device.example --psk-identity me --psk-file key -C 1 -W 2",
    ),
];

const COAP_SERVER: &[Example] = &[
    (
        "A counter, a clock, a sensor and a store",
        "iotctl coap server",
    ),
    (
        "A resource of one's own on a free port, over UDP and TCP; the first lines say which",
        "iotctl coap server -r /temp=text:21.5 --listen 127.0.0.1:0 --listen coap+tcp://127.0.0.1:0",
    ),
    (
        "A directory for firmware updates, with a network that loses one datagram in ten",
        "iotctl coap server -d firmware --fault drop:share=10%",
    ),
];

const TOP: &[Example] = &[
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
        "IOTCTL_CONNECT_TIMEOUT, IOTCTL_RETRY, IOTCTL_BIND",
        "as the flags",
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
pub const FILES: &[(&str, &str)] = &[(
    "$XDG_CONFIG_HOME/iotctl/config.toml, ~/.config/iotctl/config.toml",
    "named contexts: under [contexts.NAME] the long flags about a connection, such as url, username and cafile; context = \"NAME\" names the default",
)];

/// The examples of one command, by its words after `iotctl`; none for most.
pub fn examples(command: &str) -> &'static [(&'static str, &'static str)] {
    match command {
        "" => TOP,
        "mqtt pub" => PUB,
        "mqtt sub" => SUB,
        "mqtt broker" => BROKER,
        "coap get" => COAP_GET,
        "coap put" => COAP_PUT,
        "coap post" => COAP_POST,
        "coap delete" => COAP_DELETE,
        "coap fetch" => COAP_FETCH,
        "coap patch" => COAP_PATCH,
        "coap ipatch" => COAP_IPATCH,
        "coap observe" => COAP_OBSERVE,
        "coap discover" => COAP_DISCOVER,
        "coap ping" => COAP_PING,
        "coap server" => COAP_SERVER,
        _ => &[],
    }
}

/// Every exit code and its meaning, in order.
pub fn exit_codes() -> impl Iterator<Item = (u8, &'static str)> {
    Kind::ALL
        .into_iter()
        .map(|kind| (kind.exit_code(), kind.meaning()))
}

/// The faults of `mqtt broker --fault`, then the keys that each may have.
pub fn faults() -> impl Iterator<Item = (&'static str, &'static str)> {
    FAULTS.iter().chain(FAULT_KEYS).copied()
}

/// The kinds of resources of `coap server --resource`.
pub fn resource_kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    KINDS.iter().copied()
}

/// The faults of `coap server --fault`, and their keys.
pub fn coap_faults() -> impl Iterator<Item = (&'static str, &'static str)> {
    coap::net::FAULTS.iter().copied()
}

/// What stands below the flags on a help page.
pub(super) fn below(command: &str) -> String {
    let mut text = String::new();
    if command == "mqtt broker" {
        section(&mut text, "Faults, for --fault:");
        for (name, meaning) in faults() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {name}\n      {meaning}");
        }
    }
    if command == "coap server" {
        entries(&mut text, "Kinds, for --resource:", KINDS);
        entries(&mut text, "Faults, for --fault:", coap::net::FAULTS);
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
