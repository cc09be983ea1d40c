//! The worked examples of the AMQP commands.

use crate::cli::help::Example;

const PUBLISH: &[Example] = &[
    (
        "Put a message into a queue, on disk, and fail when there is no such queue",
        "iotctl amqp publish -k tasks -m 'resize a.png' --persistent --mandatory",
    ),
    (
        "Publish over TLS to an exchange",
        "iotctl amqp publish amqps://me@broker.example --password-file pw -e logs -k web.error -m down",
    ),
    (
        "Publish each line of a file, 100 a second at most",
        "iotctl amqp publish -k tasks -l --rate 100/s < tasks.txt",
    ),
    (
        "Publish with properties and typed headers",
        "iotctl amqp publish -k a -m '{}' --content-type application/json --header tries:int=5",
    ),
];

const BROKER: &[Example] = &[
    ("A broker for this machine", "iotctl amqp broker"),
    (
        "A free port, a login, a virtual host; the first line says which port",
        "iotctl amqp broker --listen 127.0.0.1:0 --password-file users --vhost / --vhost test",
    ),
    (
        "Refuse every tenth message, to test a publisher",
        "iotctl amqp broker --fault nack:every=10",
    ),
];

const CONSUME: &[Example] = &[
    (
        "Take five messages from a queue",
        "iotctl amqp consume amqp://broker.example tasks -C 5",
    ),
    (
        "Show the errors of all programs as they come, with their routing keys",
        "iotctl amqp consume -e logs -k '*.error' -v",
    ),
    (
        "Run a command for each message, four at once; a failure makes it a dead letter",
        "iotctl amqp consume tasks --workers 4 --exec ./resize.sh",
    ),
    (
        "Look at what waits, without taking it",
        "iotctl amqp consume tasks --ack peek --idle 1s",
    ),
    (
        "Read a stream from its beginning",
        "iotctl amqp consume history --offset first --output json",
    ),
];

const TAP: &[Example] = &[
    (
        "Watch what passes an exchange, with routing keys",
        "iotctl amqp tap logs -v",
    ),
    (
        "Keep all that is published anywhere for a minute",
        "iotctl amqp tap --firehose -k 'publish.#' --for 1m --output json > seen.ndjson",
    ),
];

const GET: &[Example] = &[
    (
        "Take one message, or fail when there is none",
        "iotctl amqp get tasks",
    ),
    (
        "Empty a queue into a file",
        "iotctl amqp get tasks --all --output json > tasks.ndjson",
    ),
];

const REQUEST: &[Example] = &[
    (
        "Ask, and wait at most 2 seconds",
        "iotctl amqp request squares -m 7 -W 2",
    ),
    (
        "Ask once for each line",
        "seq 10 | iotctl amqp request amqp://broker.example squares -l",
    ),
];

const RESPOND: &[Example] = &[
    (
        "Answer with what a command writes",
        "iotctl amqp respond squares --declare --exec awk '{ print $1 * $1 }'",
    ),
    (
        "Answer with the request itself",
        "iotctl amqp respond echo --declare --echo",
    ),
];

const DECLARE_QUEUE: &[Example] = &[
    (
        "A queue whose rejected messages go to another one",
        "iotctl amqp declare queue tasks --dead-letter-exchange '' --dead-letter-key failed",
    ),
    (
        "A replicated queue of at most 10,000 messages that refuses more",
        "iotctl amqp declare queue tasks --queue-type quorum --max-length 10k --overflow reject-publish",
    ),
    (
        "Is it there, and how many messages wait?",
        "iotctl amqp declare queue tasks --passive --output json",
    ),
];

const DECLARE_EXCHANGE: &[Example] = &[(
    "An exchange that tells messages apart by their topic",
    "iotctl amqp declare exchange logs --type topic --alternate-exchange unrouted",
)];

const DELETE_QUEUE: &[Example] = &[(
    "Take a queue away that nobody needs",
    "iotctl amqp delete queue tasks --if-unused --if-empty",
)];

const DELETE_EXCHANGE: &[Example] = &[(
    "Take an exchange away",
    "iotctl amqp delete exchange amqp://broker.example logs --if-unused",
)];

const BIND: &[Example] = &[
    (
        "Errors and warnings of all programs go to one queue",
        "iotctl amqp bind alarms -e logs -k '*.error' -k '*.warning'",
    ),
    (
        "By headers",
        "iotctl amqp bind pdfs -e documents --argument x-match=any --argument format=pdf",
    ),
    (
        "From exchange to exchange",
        "iotctl amqp bind -e logs --to-exchange archive -k '#'",
    ),
];

const UNBIND: &[Example] = &[(
    "Warnings no longer",
    "iotctl amqp unbind alarms -e logs -k '*.warning'",
)];

const APPLY: &[Example] = &[
    (
        "Make what is missing; what is there and different is told, and exit code 1",
        "iotctl amqp apply topology.toml",
    ),
    (
        "Check a server before a release",
        "iotctl amqp apply amqps://broker.example topology.toml --check",
    ),
];

const PURGE: &[Example] = &[(
    "Throw away what waits in a queue",
    "iotctl amqp purge tasks",
)];

const PING: &[Example] = &[
    (
        "Is it there, and does it let us in?",
        "iotctl amqp ping amqps://broker.example -u me --password-file pw",
    ),
    (
        "Ten round trips as JSON",
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
