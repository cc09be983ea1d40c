//! The worked examples of the AMQP commands.

use crate::cli::help::Example;

const PUBLISH: &[Example] = &[
    (
        "Publish a persistent message to a queue, and fail if the queue does not exist",
        "iotctl amqp publish -k tasks -m 'resize a.png' --persistent --mandatory",
    ),
    (
        "Publish over TLS to an exchange",
        "iotctl amqp publish amqps://me@broker.example --password-file pw -e logs -k web.error -m down",
    ),
    (
        "Publish each line of a file, at most 100 per second",
        "iotctl amqp publish -k tasks -l --rate 100/s < tasks.txt",
    ),
    (
        "Publish with properties and typed headers",
        "iotctl amqp publish -k a -m '{}' --content-type application/json --header tries:int=5",
    ),
];

const BROKER: &[Example] = &[
    ("Start a broker on this machine", "iotctl amqp broker"),
    (
        "On a free port, printed on the first line, with logins and virtual hosts",
        "iotctl amqp broker --listen 127.0.0.1:0 --password-file users --vhost / --vhost test",
    ),
    (
        "Refuse every tenth message, to test a publisher",
        "iotctl amqp broker --fault nack:every=10",
    ),
];

const CONSUME: &[Example] = &[
    (
        "Consume five messages from a queue",
        "iotctl amqp consume amqp://broker.example tasks -C 5",
    ),
    (
        "Follow the errors of all programs, with their routing keys",
        "iotctl amqp consume -e logs -k '*.error' -v",
    ),
    (
        "Run a command for each message, four at a time; if it fails, the message is dead-lettered",
        "iotctl amqp consume tasks --workers 4 --exec ./resize.sh",
    ),
    (
        "Look at the messages of a queue without removing them",
        "iotctl amqp consume tasks --ack peek --idle 1s",
    ),
    (
        "Read a stream from its beginning",
        "iotctl amqp consume history --offset first --output json",
    ),
];

const TAP: &[Example] = &[
    (
        "Watch the messages of an exchange, with routing keys",
        "iotctl amqp tap logs -v",
    ),
    (
        "Record everything that is published for one minute",
        "iotctl amqp tap --firehose -k 'publish.#' --for 1m --output json > seen.ndjson",
    ),
];

const GET: &[Example] = &[
    (
        "Get one message, or fail if the queue is empty",
        "iotctl amqp get tasks",
    ),
    (
        "Empty a queue into a file",
        "iotctl amqp get tasks --all --output json > tasks.ndjson",
    ),
];

const REQUEST: &[Example] = &[
    (
        "Send a request, and wait at most 2 seconds for the reply",
        "iotctl amqp request squares -m 7 -W 2",
    ),
    (
        "Send each line as a request",
        "seq 10 | iotctl amqp request amqp://broker.example squares -l",
    ),
];

const RESPOND: &[Example] = &[
    (
        "Reply with the output of a command",
        "iotctl amqp respond squares --declare --exec awk '{ print $1 * $1 }'",
    ),
    (
        "Echo each request",
        "iotctl amqp respond echo --declare --echo",
    ),
];

const DECLARE_QUEUE: &[Example] = &[
    (
        "Declare a queue whose rejected messages go to another queue",
        "iotctl amqp declare queue tasks --dead-letter-exchange '' --dead-letter-key failed",
    ),
    (
        "Declare a replicated queue that refuses messages above 10,000",
        "iotctl amqp declare queue tasks --queue-type quorum --max-length 10k --overflow reject-publish",
    ),
    (
        "Check that a queue exists, and count its messages",
        "iotctl amqp declare queue tasks --passive --output json",
    ),
];

const DECLARE_EXCHANGE: &[Example] = &[(
    "Declare a topic exchange",
    "iotctl amqp declare exchange logs --type topic --alternate-exchange unrouted",
)];

const DELETE_QUEUE: &[Example] = &[(
    "Delete a queue if it is unused and empty",
    "iotctl amqp delete queue tasks --if-unused --if-empty",
)];

const DELETE_EXCHANGE: &[Example] = &[(
    "Delete an exchange if it is unused",
    "iotctl amqp delete exchange amqp://broker.example logs --if-unused",
)];

const BIND: &[Example] = &[
    (
        "Route the errors and warnings of all programs to one queue",
        "iotctl amqp bind alarms -e logs -k '*.error' -k '*.warning'",
    ),
    (
        "Bind by headers",
        "iotctl amqp bind pdfs -e documents --argument x-match=any --argument format=pdf",
    ),
    (
        "Bind an exchange to another exchange",
        "iotctl amqp bind -e logs --to-exchange archive -k '#'",
    ),
];

const UNBIND: &[Example] = &[(
    "Stop routing warnings",
    "iotctl amqp unbind alarms -e logs -k '*.warning'",
)];

const APPLY: &[Example] = &[
    (
        "Create what is missing; report what differs and exit with code 1",
        "iotctl amqp apply topology.toml",
    ),
    (
        "Check a server before a release",
        "iotctl amqp apply amqps://broker.example topology.toml --check",
    ),
];

const PURGE: &[Example] = &[(
    "Remove all messages from a queue",
    "iotctl amqp purge tasks",
)];

const PING: &[Example] = &[
    (
        "Check that the server is up and accepts the login",
        "iotctl amqp ping amqps://broker.example -u me --password-file pw",
    ),
    (
        "Measure ten round trips, as JSON",
        "iotctl amqp ping -h broker.example -C 10 --output json",
    ),
];

/// The examples of one command, by its words after `iotctl`.
pub(crate) fn examples(command: &str) -> &'static [Example] {
    match command {
        "amqp publish" => PUBLISH,
        "amqp consume" => CONSUME,
        "amqp tap" => TAP,
        "amqp get" => GET,
        "amqp request" => REQUEST,
        "amqp respond" => RESPOND,
        "amqp declare queue" => DECLARE_QUEUE,
        "amqp declare exchange" => DECLARE_EXCHANGE,
        "amqp delete queue" => DELETE_QUEUE,
        "amqp delete exchange" => DELETE_EXCHANGE,
        "amqp bind" => BIND,
        "amqp unbind" => UNBIND,
        "amqp apply" => APPLY,
        "amqp purge" => PURGE,
        "amqp ping" => PING,
        "amqp broker" => BROKER,
        _ => &[],
    }
}
