//! The examples of `mqtt`.

use crate::cli::help::Example;

/// The examples of one command of `mqtt`, by its words after `iotctl`; none for most.
pub(crate) fn examples(command: &str) -> &'static [Example] {
    match command {
        "mqtt pub" => PUB,
        "mqtt sub" => SUB,
        "mqtt request" => REQUEST,
        "mqtt respond" => RESPOND,
        "mqtt ping" => PING,
        "mqtt probe" => PROBE,
        "mqtt sys" => SYS,
        "mqtt clear" => CLEAR,
        "mqtt broker" => BROKER,
        _ => &[],
    }
}

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
