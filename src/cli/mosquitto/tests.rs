//! Words to plans, and what is refused in which words.

use super::*;
use crate::command::mqtt::{self, publish, subscribe};
use crate::connect::TlsVersion;
use crate::flow::select::Sample;
use crate::mqtt::packet::{Property, QoS, RetainHandling, Version};
use crate::output::Format;
use crate::payload::{Destination, Source};

fn words(line: &str) -> Vec<OsString> {
    line.split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| OsString::from(word.replace('~', " ")))
        .collect()
}

fn parse_with(file: Option<&str>, line: &str) -> Result<Parsed> {
    let call = Call::of(&words(&format!("iotctl {line}"))).unwrap();
    call.parse(file.map(|text| Ok(text.as_bytes().to_vec())))
}

fn refused(line: &str) -> String {
    match parse_with(None, line) {
        Err(error) => {
            assert_eq!(error.exit_code(), 1, "{line}");
            error.text().to_owned()
        }
        Ok(parsed) => panic!("{line}: {parsed:?}"),
    }
}

fn plan(parsed: Result<Parsed>) -> mqtt::Command {
    match parsed {
        Ok(Parsed::Command(crate::command::Command::Mqtt(command))) => command,
        other => panic!("{other:?}"),
    }
}

fn publishes_with(file: Option<&str>, line: &str) -> publish::Plan {
    match plan(parse_with(file, &format!("mosquitto_pub {line}"))) {
        mqtt::Command::Publish(plan) => *plan,
        other => panic!("{other:?}"),
    }
}

fn publishes(line: &str) -> publish::Plan {
    publishes_with(None, line)
}

fn subscribes(line: &str) -> subscribe::Plan {
    match plan(parse_with(None, &format!("mosquitto_sub {line}"))) {
        mqtt::Command::Subscribe(plan) => *plan,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_is_called_by_link_or_by_word() {
    let client = |line: &str| Call::of(&words(line)).map(|call| (call.client, call.words.len()));
    assert_eq!(
        client("/usr/bin/mosquitto_pub -t a"),
        Some((Client::Pub, 2))
    );
    assert_eq!(client("iotctl mosquitto_sub -t a"), Some((Client::Sub, 2)));
    assert_eq!(client("mosquitto_rr"), Some((Client::Rr, 0)));
    assert_eq!(client("iotctl mqtt pub -m mosquitto_pub"), None);
    assert_eq!(client("iotctl"), None);
}

#[test]
fn what_is_wrong_is_said_as_the_clients_do() {
    let ends = [
        (
            "-k 4",
            "Invalid keepalive given, it must be between 5 and 65535 inclusive.\n",
        ),
        ("-k", "-k argument given but no keepalive specified.\n"),
        ("-M", "-M argument given but max_inflight not specified.\n"),
        (
            "-V",
            "--protocol-version argument given but no version specified.\n",
        ),
        ("-V 4", "Invalid protocol version argument given.\n"),
        ("-p 70000", "Invalid port given: 70000"),
        (
            "-q 99999999999999999999",
            "Invalid QoS given: 9223372036854775807",
        ),
        ("-q -1x", "Invalid QoS given: -1"),
        ("--colour", "Unknown option '--colour'."),
        ("-C 1", "Unknown option '-C'."),
        ("-I a -i b", "-i and -I argument cannot be used together.\n"),
        ("-m a -l", "Only one type of message can be sent at once.\n"),
        ("-t a\u{7f}", "Malformed UTF-8 in -t argument.\n"),
        (
            "--will-topic a\u{fffe}",
            "Malformed UTF-8 in --will-topic argument.\n",
        ),
        (
            "-t a/#",
            "Invalid publish topic 'a/#', does it contain '+' or '#'?",
        ),
        ("-x 4294967296", "session-expiry-interval out of range.\n"),
        ("-x soon", "session-expiry-interval not a number.\n"),
        ("-L http://h/t", "Unsupported URL scheme.\n"),
        (
            "-L mqtt://h",
            "Invalid URL for -L argument specified - topic missing.",
        ),
        (
            "-D publish content-type",
            "--property argument given but not enough arguments specified.\n",
        ),
        (
            "-D publish user-property k",
            "--property argument given but not enough arguments specified.\n",
        ),
        (
            "-D nothing x y",
            "Invalid command nothing given in --property argument.\n",
        ),
        (
            "-D publish x y",
            "Invalid property name x given in --property argument.\n",
        ),
        (
            "-D connect topic-alias 1",
            "topic-alias property not allowed for connect in --property argument.\n",
        ),
        (
            "-D puback reason-string x",
            "reason-string property not supported for puback in --property argument.\n",
        ),
        (
            "-D connect receive-maximum 65536",
            "Property value (65536) out of range for property receive-maximum.\n",
        ),
        (
            "--will-payload x",
            "Will payload given, but no will topic given.",
        ),
        (
            "--cert c",
            "Both certfile and keyfile must be provided if one of them is set.",
        ),
        ("--psk 00", "--psk-identity required if --psk used."),
        (
            "-c",
            "You must provide a client id if you are using the -c option.",
        ),
        (
            "-x -1",
            "You must provide a client id if you are using an infinite session expiry interval.",
        ),
        ("-o", "-o argument given but no options file specified.\n"),
    ];
    for (line, why) in ends {
        let call = Call::of(&words(&format!("mosquitto_pub {line}"))).unwrap();
        let ended = call.options_file().and_then(|_| call.parse(None));
        let said = ended.unwrap_err();
        let help = "\nUse 'mosquitto_pub --help' to see usage.\n";
        assert_eq!(said.text(), format!("Error: {why}\n{help}"), "{line}");
        assert_eq!(said.exit_code(), 1);
    }
}

#[test]
fn formats_are_refused_as_the_clients_do() {
    for (format, why) in [
        ("%", "Incomplete format specifier."),
        ("%-08.", "Incomplete format specifier."),
        ("@", "Incomplete format specifier."),
        ("\\", "Incomplete escape specifier."),
        ("%Z", "Invalid format specifier 'Z'."),
        ("\\z", "Invalid escape specifier 'z'."),
    ] {
        let said = refused(&format!("mosquitto_sub -t a -F {format}"));
        assert!(said.starts_with(&format!("Error: {why}\n\nUse ")), "{said}");
    }
}

#[test]
fn what_is_missing_is_told() {
    let said = refused("mosquitto_sub -v");
    assert!(said.starts_with(
        "Error: You must specify a topic to subscribe to (-t) or unsubscribe from (-U).\n"
    ));
    let said = refused("mosquitto_rr -t a -m b");
    assert!(
        said.starts_with("Error: All of topic, message, and response topic must be supplied.\n")
    );
    let Ok(Parsed::Ended(page, error)) = parse_with(None, "mosquitto_pub -t a") else {
        panic!("no page");
    };
    assert!(page.contains("\n  -t, --topic TOPIC "));
    assert_eq!(
        error.text(),
        "Error: Both topic and message must be supplied.\n"
    );
    for asked in ["--help", "--version"] {
        let Ok(Parsed::Ended(_, error)) = parse_with(None, &format!("mosquitto_rr {asked}")) else {
            panic!("{asked}");
        };
        assert_eq!((error.exit_code(), error.text()), (1, ""));
    }
}

#[test]
fn the_last_of_a_repeated_option_counts() {
    let plan = publishes("-h a -p 1 -t a -q 1 -h b -p 2 -t b -q 2 -m x");
    assert_eq!(plan.session.connect.host.as_deref(), Some("b"));
    assert_eq!(
        (plan.session.connect.port, plan.qos),
        (Some(2), QoS::ExactlyOnce)
    );
    assert_eq!(plan.topics, ["b"].map(Destination::from));
}

#[test]
fn defaults_are_theirs() {
    let plan = publishes("-t a -m x");
    let session = &plan.session;
    assert_eq!(session.version, Some(Version::V311));
    assert_eq!(
        (session.client_id.as_deref(), session.keep_alive),
        (Some(""), 60)
    );
    assert_eq!(
        (session.connect.port, session.connect.tls),
        (Some(1883), Some(false))
    );
    let old = publishes("-V mqttv31 -t a -m x").session.client_id.unwrap();
    assert!(old.starts_with("mosq-") && old.len() <= 23, "{old}");
    let new = publishes("-V 5 -t a -m x").session.connect_properties;
    assert_eq!(new.receive_maximum(), Some(20));
    let few = subscribes("-V 5 -t a -C 3").session.connect_properties;
    assert_eq!(few.receive_maximum(), Some(3));
    let prefixed = publishes("-I me- -t a -m x").session;
    assert_eq!(
        (prefixed.client_id, prefixed.id_prefix.as_deref()),
        (None, Some("me-"))
    );
}

#[test]
fn a_url_names_all_at_once() {
    let plan = publishes("-L mqtts://me:p%40w@[::1]:9000/a/b%2F -m x");
    let connect = &plan.session.connect;
    assert_eq!(connect.host.as_deref(), Some("[::1]"));
    assert_eq!(
        (connect.port, connect.tls, connect.websocket),
        (Some(9000), Some(true), false)
    );
    assert_eq!(connect.username.as_deref(), Some("me"));
    assert_eq!(
        connect.password.as_ref().map(|it| it.reveal()),
        Some(&b"p@w"[..])
    );
    assert_eq!(plan.topics, ["a/b%2F"].map(Destination::from));
    let plan = publishes("-L ws://h/t -h other -m x");
    assert_eq!(plan.session.connect.host.as_deref(), Some("other"));
    assert!(plan.session.connect.websocket);
}

#[test]
fn tls_is_used_only_where_they_do() {
    let connect = |line: &str| publishes(&format!("-t a -m x {line}")).session.connect;
    let files = connect("--cafile c --insecure --tls-version tlsv1.3");
    assert_eq!((files.port, files.tls), (Some(8883), Some(true)));
    assert!(files.insecure_name && files.insecure.is_none());
    assert_eq!(files.tls_version, Some(TlsVersion::V13));
    assert_eq!(
        connect("--tls-version tlsv1.2 --cafile c").tls_version,
        None
    );
    assert_eq!(connect("-p 8883").tls, Some(true));
    let none = connect("--cafile c -p 8883 --no-tls");
    assert_eq!((none.tls, none.cafile), (Some(false), None));
    assert_eq!(connect("--cert c --key k").tls, Some(false));
    let unix = connect("-h h --unix /run/m");
    assert_eq!(
        (unix.host, unix.unix),
        (None, Some(PathBuf::from("/run/m")))
    );
    assert_eq!(connect("--unix /run/m -h h").unix, None);
}

#[test]
fn properties_go_to_their_packets_and_ask_for_mqtt_5() {
    let plan = publishes(
        "-t a -m x -D PUBLISH user-property k -5 -D publish correlation-data hex:00 -D will will-delay-interval 7 --will-topic w",
    );
    assert_eq!(plan.session.version, Some(Version::V5));
    let properties: Vec<_> = plan.properties.iter().cloned().collect();
    assert_eq!(
        properties,
        [
            Property::UserProperty("k".into(), "-5".into()),
            Property::CorrelationData("hex:00".into()),
        ]
    );
    let will = plan.session.will.unwrap();
    assert_eq!(will.properties.len(), 1);
    let old = publishes("-D publish content-type a -V 311 -t a -m x");
    assert_eq!(
        (old.session.version, old.properties.len()),
        (Some(Version::V311), 0)
    );
}

#[test]
fn a_file_of_options_comes_first() {
    let file = "# a comment\n-t a/b\r\n\n  -m two words\n-q 1\n-D publish user-property name a value\n-d\n";
    let plan = publishes_with(Some(file), "-q 2 -h h");
    assert_eq!(plan.topics, ["a/b"].map(Destination::from));
    assert_eq!(plan.source, Source::Text("two words".into()));
    assert_eq!(plan.qos, QoS::ExactlyOnce);
    assert!(plan.session.stands_in.unwrap().debug);
    let property = Property::UserProperty("name".into(), "a value".into());
    assert_eq!(plan.properties.iter().next(), Some(&property));
    let wrong = parse_with(Some("-q 7"), "mosquitto_pub -t a -m x").unwrap_err();
    assert!(wrong.text().starts_with("Error: Invalid QoS given: 7\n"));
}

#[test]
fn subscriptions_have_their_options() {
    let plan = subscribes(
        "-V 5 -t a -t b/# -U c -T b/x -q 1 -R --retain-as-published -W 3 -C 2 -E --remove-retained -v -N",
    );
    let filters: Vec<_> = plan.subscriptions.iter().map(|it| &*it.filter).collect();
    assert_eq!(filters, ["a", "b/#"]);
    let first = &plan.subscriptions[0];
    assert_eq!(
        (first.qos, first.retain_handling),
        (QoS::AtLeastOnce, RetainHandling::Never)
    );
    assert!(first.retain_as_published);
    assert_eq!(
        (plan.wanted.unsubscribe, plan.wanted.filter_out),
        (vec!["c".into()], vec!["b/x".into()])
    );
    assert_eq!(plan.until.count, Some(2));
    assert_eq!(plan.until.timeout, Some(std::time::Duration::from_secs(3)));
    assert_eq!(
        plan.format,
        Format::Mosquitto {
            topic: true,
            newline: false
        }
    );
    assert!(
        plan.wanted.remove_retained
            && plan.wanted.skip_retained
            && plan.wanted.exit_after_subscribe
    );
    let sample = |line| subscribes(line).stages.select.sample;
    let all = sample("-t a --random-filter 100");
    assert_eq!(all, Some(Sample::Share(u64::MAX)));
    let half = sample("-t a --random-filter 50");
    assert_eq!(half, Some(Sample::percent(50.0)));
}

#[test]
fn what_rustls_has_not_is_refused() {
    for (line, why) in [
        (
            "--psk 00 --psk-identity me",
            "Error: TLS-PSK is not supported.\n",
        ),
        (
            "--tls-engine x",
            "Error: Problem setting TLS engine, is x a valid engine?\n",
        ),
        (
            "--cafile c --ciphers ALL",
            "Error: Problem setting TLS options, check the options are valid.\n",
        ),
        (
            "--cafile c --tls-version tlsv1.1",
            "Error: Problem setting TLS options, check the options are valid.\n",
        ),
        (
            "--proxy ftp://h",
            "Error: --proxy: expected socks5h://HOST:PORT or http://HOST:PORT.\n\n\nUse 'mosquitto_pub --help' to see usage.\n",
        ),
    ] {
        assert_eq!(refused(&format!("mosquitto_pub -t a -m x {line}")), why);
    }
    assert_eq!(
        publishes("-t a -m x --no-tls --psk 0 --psk-identity me")
            .session
            .connect
            .tls,
        Some(false)
    );
}

#[test]
fn numbers_are_read_as_c_does() {
    for (text, meant) in [
        ("12x", 12),
        (" -3", -3),
        ("+4", 4),
        ("", 0),
        ("--5", 0),
        ("x", 0),
    ] {
        assert_eq!(given::number(text.as_ref()), meant, "{text:?}");
    }
    assert_eq!(given::number("-99999999999999999999".as_ref()), i64::MIN);
}
