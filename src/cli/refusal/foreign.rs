//! Flags that users know from other programs, and what does the same here.

use clap::Command;

/// A flag of another program.
struct Foreign {
    /// How it is written there.
    flags: &'static [&'static str],
    /// The commands that it means something to: the beginning of their words, or empty for all.
    commands: &'static str,
    /// A flag that the command must have for it.
    has: &'static str,
    /// What to use instead.
    hint: &'static str,
}

const fn row(
    flags: &'static [&'static str],
    commands: &'static str,
    has: &'static str,
    hint: &'static str,
) -> Foreign {
    Foreign {
        flags,
        commands,
        has,
        hint,
    }
}

/// Of several rows for a flag, the first that fits counts.
const FOREIGN: &[Foreign] = &[
    // Programs of all kinds, curl among them.
    // As curl has them.
    row(&["-d"], "coap", "message", "use -m TEXT"),
    row(
        &["--json"],
        "coap",
        "message",
        "use -m JSON -t json for a body; --output json is how the response is shown",
    ),
    row(
        &["-d", "--debug"],
        "",
        "trace",
        "--trace shows what is sent and received",
    ),
    row(&["-o", "--json"], "", "output", "use --output json"),
    row(&["--silent"], "", "quiet", "use --quiet"),
    row(
        &["--pinnedpubkey"],
        "",
        "tls-pin",
        "use --tls-pin sha256/BASE64",
    ),
    row(
        &["--pass", "--passwd"],
        "",
        "password",
        "use -P PASSWORD or --password-file FILE; for a private key --key-password-file FILE",
    ),
    row(
        &["--jq"],
        "",
        "map",
        "use --filter 'jq: .temp > 20' to select messages, --map 'jq: .temp' to change them",
    ),
    row(&["--jq"], "", "filter", "use --filter 'jq: .temp > 20'"),
    row(
        &["--decode"],
        "",
        "encode",
        "commands that receive decode, such as `iotctl mqtt sub`",
    ),
    row(
        &["--key-password", "--keypass", "--pass"],
        "",
        "key-password-file",
        "use --key-password-file FILE, or IOTCTL_KEY_PASSWORD",
    ),
    row(&["-p", "--port"], "", "listen", "use --listen ADDRESS:PORT"),
    row(
        &["--server", "--broker"],
        "",
        "host",
        "use -h HOST or a URL",
    ),
    row(
        &["--data", "--data-binary", "--payload", "--body"],
        "",
        "message",
        "use -m TEXT or -f FILE",
    ),
    row(&["--max-time", "--wait"], "", "timeout", "use -W TIME"),
    row(&["--ifaddr", "--interface"], "", "bind", "use -A ADDRESS"),
    // TLS, by several of them.
    row(
        &["--cacert", "--ca-cert", "--cacertfile", "--ca-file"],
        "",
        "cafile",
        "use --cafile FILE",
    ),
    row(
        &["--keyform", "--tls-engine", "--tls-engine-kpass-sha1"],
        "",
        "key",
        "leave it out: keys are PEM or PKCS#12 files",
    ),
    row(
        &["--tls-use-os-certs"],
        "",
        "cafile",
        "leave it out: the operating system's certificates are the default",
    ),
    row(
        &["--ciphers", "--tls-ciphers", "--ssl-version"],
        "",
        "tls-version",
        "--tls-version chooses the version; the cipher suites are fixed",
    ),
    row(
        &["--ssl", "--tls"],
        "",
        "ws",
        "use a URL: mqtts://HOST or wss://HOST",
    ),
    row(&["--ssl", "--tls"], "", "vhost", "use a URL: amqps://HOST"),
    row(
        &["--ssl", "--tls"],
        "",
        "psk-identity",
        "use a URI: coaps://HOST or coaps+tcp://HOST",
    ),
    row(
        &["--nodelay"],
        "",
        "no-tls",
        "leave it out: TCP_NODELAY is always on",
    ),
    // Load generators: emqtt-bench, mqttx bench, k6, PerfTest.
    row(
        &["--clients", "--connections", "--concurrency", "--vus"],
        "bench",
        "publishers",
        "use --publishers COUNT and --subscribers COUNT",
    ),
    row(
        &["--clients", "--connections", "--concurrency", "--vus"],
        "bench",
        "sockets",
        "use --sockets COUNT",
    ),
    row(
        &["--clients", "--connections", "--concurrency", "--vus"],
        "bench",
        "producers",
        "use --producers COUNT and --consumers COUNT",
    ),
    row(
        &["--iterations", "--requests", "--limit", "--pmessages"],
        "bench",
        "count",
        "use --count COUNT",
    ),
    row(&["-n"], "bench", "count", "use --count COUNT"),
    row(
        &["--threshold", "--thresholds"],
        "bench",
        "assert",
        "use --assert, such as --assert 'p99 < 20ms'",
    ),
    row(
        &["--threshold", "--thresholds"],
        "simulate",
        "assert",
        "use --assert, such as --assert 'crashes == 3'",
    ),
    row(
        &["--rps", "--qps"],
        "bench",
        "rate",
        "use --rate RATE, for all together",
    ),
    row(&["--time"], "bench", "duration", "use --duration TIME"),
    row(
        &["--stages"],
        "bench",
        "stage",
        "use --stage TIME:RATE for each stage",
    ),
    row(
        &["--connrate", "--conn-rate"],
        "bench",
        "connect-rate",
        "use --connect-rate RATE",
    ),
    row(
        &["--interval_of_msg", "--message-interval"],
        "bench",
        "rate",
        "use --rate RATE, for all together: clients · 1000 / milliseconds",
    ),
    row(
        &["--max-random-wait", "--min-random-wait"],
        "bench",
        "arrivals",
        "use --arrivals devices",
    ),
    row(
        &["--payload-hdrs", "--wait-before-publishing", "--lowmem"],
        "bench",
        "count",
        "leave it out: this is always so",
    ),
    row(&["--prefix"], "bench", "id-prefix", "use -I PREFIX"),
    row(
        &["--client-id", "--clientid"],
        "bench",
        "id-prefix",
        "use -I PREFIX",
    ),
    row(
        &["--inflight", "--in-flight"],
        "bench",
        "window",
        "use -M COUNT",
    ),
    row(&["-x"], "bench amqp", "producers", "use --producers COUNT"),
    row(&["-y"], "bench amqp", "consumers", "use --consumers COUNT"),
    row(
        &["-X", "-Y"],
        "bench amqp",
        "channels",
        "use --channels COUNT",
    ),
    row(
        &["-r"],
        "bench amqp",
        "rate",
        "use --rate RATE, for all together",
    ),
    row(&["-z"], "bench amqp", "duration", "use --duration TIME"),
    row(&["-C"], "bench amqp", "count", "use --count COUNT"),
    row(&["-s"], "bench amqp", "size", "use --size SIZE"),
    row(&["-q"], "bench amqp", "prefetch", "use --prefetch COUNT"),
    row(
        &["--clients", "--devices", "--vus"],
        "simulate",
        "count",
        "use --count COUNT",
    ),
    row(
        &["--iterations", "--limit"],
        "simulate",
        "for",
        "use --for TIME",
    ),
    row(&["--duration"], "", "for", "use --for TIME"),
    row(&["--duration"], "", "timeout", "use -W TIME"),
    row(
        &["--iterations", "--count"],
        "",
        "repeat",
        "use --repeat COUNT",
    ),
    row(&["--iterations", "--limit"], "", "count", "use -C COUNT"),
    row(
        &["--size", "--payload-size"],
        "",
        "random",
        "use --random SIZE",
    ),
    row(&["--payload-size"], "", "size", "use --size SIZE"),
    // ping(8) of the operating system.
    row(&["-c"], "coap ping", "interval", "use -C COUNT"),
    row(&["-c"], "amqp ping", "interval", "use -C COUNT"),
    // Clients of MQTT: mosquitto's, mqttx, HiveMQ's.
    row(
        &["--remove-retained"],
        "",
        "topic",
        "`iotctl mqtt clear` removes retained messages",
    ),
    row(
        &["--random-filter"],
        "",
        "sample",
        "use --sample, such as --sample 50%",
    ),
    row(
        &["--client-id", "--clientid", "--identifier"],
        "",
        "id",
        "use -i ID",
    ),
    row(
        &["--no-clean", "--no-clean-session", "--no-cleanstart"],
        "mqtt",
        "persistent",
        "use -c, and -x TIME for how long the session is kept",
    ),
    row(
        &[
            "--clean",
            "--clean-session",
            "--clean-start",
            "--cleanstart",
        ],
        "mqtt",
        "persistent",
        "leave it out: a session is clean unless -c is given",
    ),
    row(
        &["--mqtt-version", "--mqttversion"],
        "",
        "protocol-version",
        "use -V 5, 311 or 31",
    ),
    row(
        &["--protocol"],
        "",
        "ws",
        "the URL names it: mqtt, mqtts, ws or wss",
    ),
    row(&["--path"], "", "ws", "the URL names it: ws://HOST/mqtt"),
    row(
        &[
            "--reconnect-period",
            "--maximum-reconnect-times",
            "--reconnect",
        ],
        "",
        "retry",
        "use --retry TIME",
    ),
    row(
        &["--rcv-max", "--receive-maximum", "--inflight"],
        "",
        "max-inflight",
        "use -M COUNT",
    ),
    row(
        &["--will-message"],
        "",
        "will-payload",
        "use --will-payload TEXT",
    ),
    row(
        &["--user-properties", "--user-property"],
        "mqtt",
        "property",
        "use -D publish user-property NAME VALUE",
    ),
    row(
        &["--conn-user-properties"],
        "mqtt",
        "property",
        "use -D connect user-property NAME VALUE",
    ),
    row(
        &["--multiline", "--line-mode", "--line-buffered"],
        "",
        "lines",
        "use -l",
    ),
    row(&["--file-read"], "", "file", "use -f FILE"),
    row(
        &["--file-save"],
        "",
        "output-file",
        "use --output-file 'DIR/{seq}'",
    ),
    row(&["--file-write"], "", "output-file", "use > FILE"),
    row(
        &["--load-options", "--save-options"],
        "",
        "context",
        "use a context: --context NAME",
    ),
    // Clients of AMQP: amqp-tools, rabbitmqadmin.
    row(
        &["-q", "--queue"],
        "amqp",
        "mandatory",
        "-k QUEUE publishes to a queue",
    ),
    row(
        &["-q", "--queue"],
        "amqp",
        "vhost",
        "the queue is an argument without a flag, after the URL",
    ),
    row(&["-b"], "amqp", "message", "use -m TEXT"),
    row(
        &["-r", "--routing_key"],
        "amqp",
        "routing-key",
        "use -k KEY",
    ),
    row(
        &["--authfile"],
        "",
        "password-file",
        "use -u NAME --password-file FILE",
    ),
    row(&["--no-ack", "--auto-ack"], "amqp", "ack", "use --ack auto"),
    // Half of its modes leave the message in the queue, as the usual one does.
    row(
        &["--ackmode"],
        "amqp",
        "ack",
        "use --ack peek, which leaves messages in the queue, or --ack ack, which removes them",
    ),
    row(
        &["--type"],
        "amqp declare queue",
        "queue-type",
        "use --queue-type classic, quorum or stream",
    ),
    row(
        &["--dlx", "--dead-letter"],
        "amqp",
        "dead-letter-exchange",
        "use --dead-letter-exchange NAME",
    ),
    row(
        &["--delivery-mode"],
        "amqp",
        "persistent",
        "use --persistent for delivery mode 2; without it the mode is 1",
    ),
    row(&["--source"], "amqp bind", "exchange", "use -e EXCHANGE"),
    row(&["--source"], "amqp unbind", "exchange", "use -e EXCHANGE"),
    // coap-client.
    row(
        &["-m"],
        "coap",
        "collect",
        "a body goes with put, post, fetch, patch and ipatch",
    ),
    row(&["-B"], "coap", "timeout", "use -W TIME"),
    row(&["-K"], "coap", "keep-alive", "use --keep-alive TIME"),
    row(&["-b"], "coap", "block", "use --block SIZE"),
    row(&["-T"], "coap", "token", "use --token TOKEN"),
    row(&["-U"], "coap", "no-uri-host", "use --no-uri-host"),
    row(&["-P"], "coap", "proxy", "use --proxy URI"),
    row(&["-a"], "coap", "bind", "use -A ADDRESS"),
    row(
        &["-G"],
        "coap",
        "repeat",
        "use --repeat COUNT --repeat-delay 1",
    ),
    row(
        &["--observe", "--subscribe"],
        "coap get",
        "token",
        "use `iotctl coap observe`",
    ),
    row(
        &["--filter", "--until"],
        "coap",
        "collect",
        "`iotctl coap observe` has conditions; here only --expect checks the response",
    ),
    row(
        &["-s"],
        "coap",
        "token",
        "use `iotctl coap observe --for TIME`",
    ),
    row(&["-u"], "coap", "psk-identity", "use --psk-identity NAME"),
    row(&["-k"], "coap", "psk-file", "use --psk-file FILE"),
    row(&["-j"], "coap", "key", "use --key FILE"),
    row(&["-c"], "coap", "cert", "use --cert FILE"),
    row(&["-C", "-R"], "coap", "cafile", "use --cafile FILE"),
    row(&["-n"], "coap", "insecure", "use --insecure"),
    row(
        &["-r"],
        "coap",
        "psk-identity",
        "use a URI: coap+tcp://HOST or coaps+tcp://HOST",
    ),
    row(&["-H"], "coap", "option", "use -O 16=LIMIT"),
];

/// What does here what a flag of another program does.
pub(super) fn foreign(command: &Command, path: &str, flag: &str) -> Option<String> {
    let fits = |row: &&Foreign| row.flags.contains(&flag) && row.fits(command, path);
    Some(FOREIGN.iter().find(fits)?.hint.to_owned())
}

impl Foreign {
    fn fits(&self, command: &Command, path: &str) -> bool {
        let mut flags = command.get_arguments();
        path.starts_with(self.commands) && flags.any(|it| it.get_long() == Some(self.has))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_for_a_command_that_does_not_know_the_flag() {
        let mut root = crate::cli::command();
        root.build();
        let mut all = vec![(&root, String::new())];
        let mut at = 0;
        while let Some((command, path)) = all.get(at).cloned() {
            let below = command.get_subcommands();
            all.extend(below.map(|it| (it, format!("{path} {}", it.get_name()).trim().to_owned())));
            at += 1;
        }
        let knows = |command: &Command, flag: &str| {
            command.get_arguments().any(|it| {
                let longs = it.get_all_aliases().unwrap_or_default();
                let letters = it.get_all_short_aliases().unwrap_or_default();
                let longs = longs.into_iter().chain(it.get_long());
                let mut letters = letters.into_iter().chain(it.get_short());
                longs.map(|name| format!("--{name}")).any(|it| it == flag)
                    || letters.any(|letter| format!("-{letter}") == flag)
            })
        };
        for (number, row) in FOREIGN.iter().enumerate() {
            for flag in row.flags {
                let told = |(command, path): &(&Command, String)| {
                    let before = FOREIGN[..number].iter();
                    let mut before = before.filter(|it| it.flags.contains(flag));
                    !knows(command, flag)
                        && row.fits(command, path)
                        && !before.any(|it| it.fits(command, path))
                };
                assert!(all.iter().any(told), "{flag}: {}", row.hint);
            }
        }
    }
}
