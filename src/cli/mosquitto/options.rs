//! The one table of options: which client has them, what they take, and what they do.

use std::ffi::OsStr;
use std::fmt::Write;

use crate::command::mqtt::mosquitto::Client;

const P: u8 = 1;
const S: u8 = 2;
const R: u8 = 4;
const ALL: u8 = P | S | R;

/// An option.
pub(super) struct Opt {
    /// How it is written; the first stands for it in errors and in the code.
    names: &'static [&'static str],
    clients: u8,
    pub(super) takes: Takes,
    help: &'static str,
}

/// What follows an option.
#[derive(Clone, Copy)]
pub(super) enum Takes {
    Nothing,
    /// One word; with what is said where it is missing.
    Word(&'static str),
    /// A packet, the name of a property and its value, or two.
    Property,
}

const fn flag(names: &'static [&'static str], clients: u8, help: &'static str) -> Opt {
    let takes = Takes::Nothing;
    Opt {
        names,
        clients,
        takes,
        help,
    }
}

const fn word(
    names: &'static [&'static str],
    clients: u8,
    missing: &'static str,
    help: &'static str,
) -> Opt {
    let takes = Takes::Word(missing);
    Opt {
        names,
        clients,
        takes,
        help,
    }
}

const OPTIONS: &[Opt] = &[
    word(
        &["-A"],
        ALL,
        "no address specified",
        "local address to connect from",
    ),
    flag(
        &["-c", "--disable-clean-session"],
        ALL,
        "keep the session on the server; needs -i",
    ),
    word(
        &["-C"],
        S,
        "no count specified",
        "end after so many messages",
    ),
    flag(
        &["-d", "--debug"],
        ALL,
        "show each packet on standard output",
    ),
    Opt {
        names: &["-D", "--property"],
        clients: ALL,
        takes: Takes::Property,
        help: "MQTT 5 property of a packet",
    },
    word(
        &["-e"],
        R,
        "no response topic specified",
        "topic of the response",
    ),
    flag(&["-E"], S, "end once subscribed"),
    word(
        &["-f", "--file"],
        P | R,
        "no file specified",
        "send the content of a file",
    ),
    word(
        &["-F"],
        S | R,
        "no format specified",
        "how messages are shown",
    ),
    word(
        &["-h", "--host"],
        ALL,
        "no host specified",
        "server, localhost unless given",
    ),
    word(&["-i", "--id"], ALL, "no id specified", "client identifier"),
    word(
        &["-I", "--id-prefix"],
        ALL,
        "no id prefix specified",
        "the identifier is this and the process number",
    ),
    word(
        &["-k", "--keepalive"],
        ALL,
        "no keepalive specified",
        "seconds, 60 unless given",
    ),
    flag(
        &["-l", "--stdin-line"],
        P,
        "send each line of standard input",
    ),
    word(
        &["-L", "--url"],
        ALL,
        "no URL specified",
        "mqtt(s)|ws(s)://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC",
    ),
    word(
        &["-m", "--message"],
        P | R,
        "no message specified",
        "send this text",
    ),
    word(
        &["-M"],
        ALL,
        "max_inflight not specified",
        "QoS 1 and 2 messages in flight",
    ),
    flag(&["-n", "--null-message"], P | R, "send an empty message"),
    flag(&["-N"], S | R, "no line feed after a message"),
    word(
        &["-o"],
        ALL,
        "no options file specified",
        "file of options, one a line, in place of the usual one",
    ),
    word(
        &["-p", "--port"],
        ALL,
        "no port specified",
        "1883 unless given, 8883 with TLS",
    ),
    word(&["-P", "--pw"], ALL, "no password specified", "password"),
    word(
        &["-q", "--qos"],
        ALL,
        "no QoS specified",
        "quality of service: 0, 1 or 2",
    ),
    flag(&["-r", "--retain"], P, "retain the message"),
    flag(&["-R"], S | R, "pass over retained messages"),
    flag(
        &["-s", "--stdin-file"],
        P | R,
        "send all of standard input as one message",
    ),
    word(
        &["-t", "--topic"],
        ALL,
        "no topic specified",
        "topic, or filter to subscribe to",
    ),
    word(
        &["-T", "--filter-out"],
        S,
        "no topic filter specified",
        "pass over messages of these topics",
    ),
    word(
        &["-u", "--username"],
        ALL,
        "no username specified",
        "user name",
    ),
    word(
        &["-U", "--unsubscribe"],
        S,
        "no unsubscribe topic specified",
        "unsubscribe from a filter",
    ),
    flag(
        &["-v", "--verbose"],
        S | R,
        "show the topic before the message",
    ),
    word(
        &["--protocol-version", "-V"],
        ALL,
        "no version specified",
        "mqttv31, mqttv311 or mqttv5",
    ),
    flag(
        &["-w", "--watch"],
        S,
        "one line on the terminal for each topic",
    ),
    word(
        &["-W"],
        S | R,
        "no timeout specified",
        "give up after so many seconds",
    ),
    word(
        &["-x"],
        ALL,
        "no session expiry interval specified",
        "session expiry interval in seconds, -1 for never (MQTT 5)",
    ),
    flag(&["--latency"], R, "show how long the response took"),
    flag(
        &["--message-rate"],
        S,
        "show only how many messages come in a second",
    ),
    flag(
        &["--nodelay"],
        ALL,
        "always so: small packets are sent at once",
    ),
    flag(&["--pretty"], S | R, "JSON over several lines"),
    word(
        &["--proxy"],
        ALL,
        "no proxy url specified",
        "socks5h://[USER[:PASSWORD]@]HOST[:PORT] or http://...",
    ),
    flag(&["--quiet"], ALL, "no errors but those of options"),
    word(
        &["--random-filter"],
        S,
        "no chance specified",
        "show this percentage of the messages",
    ),
    flag(
        &["--remove-retained"],
        S,
        "remove each retained message received from the server",
    ),
    word(&["--repeat"], P, "no count specified", "send so many times"),
    word(
        &["--repeat-delay"],
        P,
        "no time specified",
        "seconds between two times",
    ),
    flag(
        &["--retain-as-published"],
        S | R,
        "keep the retain flag of the publisher (MQTT 5)",
    ),
    word(
        &["--retain-handling"],
        S | R,
        "no option specified",
        "retained messages: always, new or never (MQTT 5)",
    ),
    flag(
        &["--retained-only"],
        S,
        "end at the first message that is not retained",
    ),
    word(
        &["--unix"],
        ALL,
        "no socket path specified",
        "unix socket in place of a host",
    ),
    word(
        &["--will-payload"],
        ALL,
        "no will payload specified",
        "payload of the will",
    ),
    word(
        &["--will-qos"],
        ALL,
        "no will QoS specified",
        "quality of service of the will",
    ),
    flag(&["--will-retain"], ALL, "retain the will"),
    word(
        &["--will-topic"],
        ALL,
        "no will topic specified",
        "topic of the will",
    ),
    flag(&["--ws"], ALL, "WebSocket"),
    word(
        &["--cafile"],
        ALL,
        "no file specified",
        "certificates to trust; TLS",
    ),
    word(
        &["--capath"],
        ALL,
        "no directory specified",
        "directory of such files; TLS",
    ),
    word(&["--cert"], ALL, "no file specified", "our certificate"),
    word(
        &["--ciphers"],
        ALL,
        "no ciphers specified",
        "not supported: TLS 1.2 and 1.3 have safe ones here",
    ),
    flag(
        &["--insecure"],
        ALL,
        "do not verify the name in the server's certificate",
    ),
    word(&["--key"], ALL, "no file specified", "our private key"),
    word(
        &["--keyform"],
        ALL,
        "no keyform specified",
        "pem; engines are not supported",
    ),
    flag(&["--no-tls"], ALL, "no TLS, whatever else is given"),
    word(&["--psk"], ALL, "no key specified", "not supported"),
    word(
        &["--psk-identity"],
        ALL,
        "no identity specified",
        "not supported",
    ),
    word(
        &["--tls-alpn"],
        ALL,
        "no protocol specified",
        "ALPN protocol",
    ),
    word(
        &["--tls-engine"],
        ALL,
        "no engine_id specified",
        "not supported",
    ),
    word(
        &["--tls-engine-kpass-sha1"],
        ALL,
        "no kpass sha1 specified",
        "not supported",
    ),
    word(
        &["--tls-keylog"],
        ALL,
        "no file specified",
        "append the secrets of TLS connections to a file",
    ),
    flag(
        &["--tls-use-os-certs"],
        ALL,
        "trust what the operating system trusts; TLS",
    ),
    word(
        &["--tls-version"],
        ALL,
        "no version specified",
        "lowest TLS version: tlsv1.2 or tlsv1.3",
    ),
    flag(&["--help"], ALL, "show this"),
    flag(&["--version"], ALL, "show the version"),
];

const fn letter(client: Client) -> u8 {
    match client {
        Client::Pub => P,
        Client::Sub => S,
        Client::Rr => R,
    }
}

/// The option of a client that is written like this.
pub(super) fn find(word: &OsStr, client: Client) -> Option<&'static Opt> {
    OPTIONS
        .iter()
        .find(|option| option.names.iter().any(|name| word == *name))
        .filter(|option| option.clients & letter(client) != 0)
}

impl Opt {
    /// What stands for it.
    pub(super) const fn name(&self) -> &'static str {
        // Each option of the table has a name.
        self.names[0]
    }

    /// The name of what it takes, from the words about what is missing.
    fn value(&self) -> String {
        match self.takes {
            Takes::Nothing => String::new(),
            Takes::Property => String::from(" PACKET NAME VALUE"),
            Takes::Word(missing) => {
                let name = missing
                    .trim_start_matches("no ")
                    .trim_end_matches(" specified");
                let name = name.trim_end_matches(" not");
                format!(" {}", name.replace([' ', '_'], "-").to_uppercase())
            }
        }
    }
}

/// The help page of a client.
pub(super) fn help(client: Client) -> String {
    let (what, usage) = match client {
        Client::Pub => (
            "publishes messages, and waits for their acknowledgements",
            "-t TOPIC {-m MESSAGE | -f FILE | -l | -n | -s}",
        ),
        Client::Sub => ("subscribes, and shows the messages received", "-t FILTER"),
        Client::Rr => (
            "publishes a request, and shows the response",
            "-t TOPIC -e RESPONSE-TOPIC {-m MESSAGE | -f FILE | -n | -s}",
        ),
    };
    let name = client.name();
    let mut text = format!(
        "{name} {what}.\n{}\nUsage: {name} [OPTIONS] {usage}\n\n",
        version(client)
    );
    for option in OPTIONS
        .iter()
        .filter(|option| option.clients & letter(client) != 0)
    {
        let names = option.names.join(", ") + &option.value();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {names:<38} {}", option.help);
    }
    text
}

/// The line of `--version`.
pub(super) fn version(client: Client) -> String {
    let (name, version) = (client.name(), env!("CARGO_PKG_VERSION"));
    format!("{name} of iotctl {version}, with the options of mosquitto 2.1.\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_for_two_options() {
        let mut names: Vec<_> = OPTIONS.iter().flat_map(|option| option.names).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_client_has_its_own_options() {
        let known = |word: &str, client| find(word.as_ref(), client).map(Opt::name);
        assert_eq!(known("-V", Client::Pub), Some("--protocol-version"));
        assert_eq!(known("--stdin-line", Client::Pub), Some("-l"));
        assert_eq!(known("-l", Client::Sub), None);
        assert_eq!(known("-l", Client::Rr), None);
        assert_eq!(known("-r", Client::Rr), None);
        assert_eq!(known("-hlocalhost", Client::Pub), None);
        let page = help(Client::Rr);
        assert!(page.contains("  -M MAX-INFLIGHT "), "{page}");
        assert!(!page.contains("--repeat"), "{page}");
    }
}
