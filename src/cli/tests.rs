//! Words → plan, and words → message for each refusal.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::command::mqtt::{broker, publish, subscribe};
use crate::connect::{Retry, TlsVersion};
use crate::error::{Error, Kind};
use crate::message::fields;
use crate::mqtt::packet::{Property, QoS, RetainHandling, Version};
use crate::output::{ColorChoice, Format, RowStyle, Rows};
use crate::payload::layout::Layout;
use crate::payload::select::Column;
use crate::payload::{Destination, Encoding, Framing, Source};

fn read(words: &[&str]) -> Result<Parsed> {
    parse(["iotctl"].iter().chain(words).map(OsString::from))
}

fn publish(words: &[&str]) -> Result<publish::Plan> {
    match read(&[&["mqtt", "pub"], words].concat())? {
        Parsed::Command(Command::Mqtt(crate::command::mqtt::Command::Publish(plan))) => Ok(*plan),
        other => panic!("{words:?} gave {other:?}"),
    }
}

fn subscribe(words: &[&str]) -> Result<subscribe::Plan> {
    match read(&[&["mqtt", "sub"], words].concat())? {
        Parsed::Command(Command::Mqtt(crate::command::mqtt::Command::Subscribe(plan))) => Ok(*plan),
        other => panic!("{words:?} gave {other:?}"),
    }
}

fn broker(words: &[&str]) -> Result<broker::Plan> {
    match read(&[&["mqtt", "broker"], words].concat())? {
        Parsed::Command(Command::Mqtt(crate::command::mqtt::Command::Broker(plan))) => Ok(*plan),
        other => panic!("{words:?} gave {other:?}"),
    }
}

/// The words of a command line without quoting.
fn split(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn text_of(refused: &Error) -> &str {
    assert_eq!(refused.kind(), Kind::Usage, "{refused}");
    assert!(!refused.text().contains('\n'), "{refused}");
    refused.text()
}

#[test]
fn clap_finds_no_fault_with_the_flags() {
    command().debug_assert();
}

#[test]
fn every_value_name_is_in_upper_case_and_every_flag_has_help() {
    fn walk(command: &clap::Command) {
        for argument in command.get_arguments() {
            let name = argument.get_id();
            assert!(
                argument.get_help().is_some(),
                "{name} of {}",
                command.get_name()
            );
            for value in argument.get_value_names().unwrap_or_default() {
                assert_eq!(value.to_uppercase(), value.as_str(), "{name}");
            }
        }
        command.get_subcommands().for_each(walk);
    }
    walk(&command());
}

#[test]
fn pub_has_mosquittos_defaults() {
    let plan = publish(&split("-t a/b -m hello")).unwrap();
    assert_eq!(plan.topics, ["a/b"].map(Destination::from));
    assert_eq!(plan.source, Source::Text(Bytes::from_static(b"hello")));
    assert_eq!(
        (plan.qos, plan.retain, plan.pacing.repeat),
        (QoS::AtMostOnce, false, 1)
    );
    assert_eq!(
        (plan.encoding, plan.pacing.delay),
        (Encoding::Plain, Duration::ZERO)
    );
    assert_eq!(plan.ack_timeout, Some(Duration::from_secs(30)));
    let session = &plan.session;
    assert_eq!(
        (session.version, session.keep_alive, session.persistent),
        (None, 60, false)
    );
    assert!(session.will.is_none() && session.connect_properties.is_empty());
    assert!(session.connect.url.is_none() && session.connect.host.is_none());
    assert_eq!(plan.style.color, ColorChoice::Auto);
}

#[test]
fn the_letters_are_mosquittos() {
    let plan = publish(&split(
        "-h host -p 1884 -u me -P pass -A 127.0.0.2 -V 311 -i id -k 5 -c -M 20 -t a -t b -q 2 -r -f file",
    ))
    .unwrap();
    let words = &plan.session.connect;
    assert_eq!(
        (words.host.as_deref(), words.port),
        (Some("host"), Some(1884))
    );
    assert_eq!(words.username.as_deref(), Some("me"));
    assert_eq!(words.password.as_ref().unwrap().reveal(), b"pass");
    assert_eq!(words.bind, Some("127.0.0.2".parse().unwrap()));
    assert_eq!(plan.session.version, Some(Version::V311));
    assert_eq!(plan.session.client_id.as_deref(), Some("id"));
    assert!(plan.session.persistent);
    assert_eq!(
        (plan.session.keep_alive, plan.session.max_inflight),
        (5, Some(20))
    );
    assert_eq!(plan.topics, ["a", "b"].map(Destination::from));
    assert_eq!((plan.qos, plan.retain), (QoS::ExactlyOnce, true));
    assert_eq!(plan.source, Source::File(PathBuf::from("file")));
}

#[test]
fn the_url_is_an_argument_or_a_flag() {
    for line in [
        "mqtt://h:1/t -m x",
        "-m x mqtt://h:1/t",
        "-m x -L mqtt://h:1/t",
        "-m x --url mqtt://h:1/t",
    ] {
        let plan = publish(&split(line)).unwrap();
        assert_eq!(
            plan.session.connect.url.as_deref(),
            Some("mqtt://h:1/t"),
            "{line}"
        );
        assert!(plan.topics.is_empty());
    }
}

#[test]
fn connection_flags_become_words() {
    let plan = publish(&[
        "-n",
        "--cafile",
        "ca",
        "--capath",
        "d",
        "--cert",
        "c",
        "--key",
        "k",
        "--insecure",
        "--tls-server-name",
        "n",
        "--tls-alpn",
        "mqtt",
        "--tls-alpn",
        "x",
        "--tls-version",
        "tlsv1.3",
        "--connect-timeout",
        "250ms",
        "--retry",
        "1m30s",
        "--ws",
        "--ws-header",
        "X-Token: a:b",
        "--context",
        "prod",
        "--password-file",
        "pw",
    ])
    .unwrap();
    let words = plan.session.connect;
    assert_eq!(words.cafile, Some(PathBuf::from("ca")));
    assert_eq!(words.capath, Some(PathBuf::from("d")));
    assert_eq!(
        (words.cert, words.key),
        (Some(PathBuf::from("c")), Some(PathBuf::from("k")))
    );
    assert_eq!((words.insecure, words.websocket), (Some(true), true));
    assert_eq!(words.tls_server_name.as_deref(), Some("n"));
    assert_eq!(words.tls_alpn, ["mqtt", "x"]);
    assert_eq!(words.tls_version, Some(TlsVersion::V13));
    assert_eq!(words.connect_timeout, Some(Duration::from_millis(250)));
    assert_eq!(words.retry, Some(Retry::For(Duration::from_secs(90))));
    assert_eq!(
        words.headers,
        [(String::from("X-Token"), String::from("a:b"))]
    );
    assert_eq!(words.context.as_deref(), Some("prod"));
    assert_eq!(words.password_file, Some(PathBuf::from("pw")));
    assert_eq!(plan.source, Source::Empty);
}

#[test]
fn each_source_of_messages() {
    for (flag, source) in [
        ("-s", Source::Stdin),
        ("-l", Source::Lines(Framing::after(b'\n'))),
        ("-0", Source::Lines(Framing::after(0))),
        ("-n", Source::Empty),
        ("--ndjson", Source::Records),
        ("--stdin-line", Source::Lines(Framing::after(b'\n'))),
    ] {
        assert_eq!(
            publish(&["-t", "a", flag]).unwrap().source,
            source,
            "{flag}"
        );
    }
    assert_eq!(
        publish(&split("-t a -l --hex")).unwrap().encoding,
        Encoding::Hex
    );
    assert_eq!(
        publish(&split("-t a -s --base64")).unwrap().encoding,
        Encoding::Base64
    );
}

#[test]
fn a_message_may_look_like_a_flag_and_hold_any_byte() {
    for text in ["-5", "-t", "--help", "-", "", "-D"] {
        let plan = publish(&["-t", "a", "-m", text]).unwrap();
        assert_eq!(
            plan.source,
            Source::Text(Bytes::from(text.to_owned())),
            "{text}"
        );
    }
    let words = ["iotctl", "mqtt", "pub", "-t", "a", "-m"].map(OsString::from);
    let words = words
        .into_iter()
        .chain([OsString::from_vec(vec![0xff, 0xfe])]);
    match parse(words).unwrap() {
        Parsed::Command(Command::Mqtt(crate::command::mqtt::Command::Publish(plan))) => {
            assert_eq!(plan.source, Source::Text(Bytes::from_static(b"\xff\xfe")));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn repeats_and_times_read_as_people_write_them() {
    let plan = publish(&split(
        "-t a -m x --repeat 10k --repeat-delay 250ms --ack-timeout never -k 1m -x 1day",
    ))
    .unwrap();
    assert_eq!(
        (plan.pacing.repeat, plan.pacing.delay),
        (10_000, Duration::from_millis(250))
    );
    assert_eq!(plan.ack_timeout, None);
    // Nobody could come back to its session, which therefore ends with it.
    let kept = |words: &str| {
        let plan = publish(&split(&format!("-t a -m x {words}"))).unwrap();
        plan.session.disconnect_properties.session_expiry_interval()
    };
    assert_eq!(
        plan.session.disconnect_properties.session_expiry_interval(),
        Some(0)
    );
    assert_eq!(kept("-D connect session-expiry-interval 5"), Some(0));
    assert_eq!(
        kept("-x 5 -D disconnect session-expiry-interval 7"),
        Some(7)
    );
    assert_eq!(
        (kept("-x 5 -i me"), kept("-x 0"), kept("")),
        (None, None, None)
    );
    assert_eq!(plan.session.keep_alive, 60);
    assert_eq!(plan.session.session_expiry, Some(86_400));
    for endless in ["never", "-1", "∞"] {
        let plan = publish(&["-t", "a", "-n", "-x", endless]).unwrap();
        assert_eq!(plan.session.session_expiry, Some(u32::MAX), "{endless}");
    }
}

#[test]
fn properties_go_to_their_packets() {
    let plan = publish(&split(
        "-D publish user-property k v -t a -D publish content-type text/plain mqtt://h -D connect receive-maximum 5 \
         -m x -D disconnect user-property a b -D will will-delay-interval 3 --will-topic w",
    ))
    .unwrap();
    let expected = [
        Property::UserProperty("k".into(), "v".into()),
        Property::ContentType("text/plain".into()),
    ];
    assert!(
        plan.properties.iter().eq(&expected),
        "{:?}",
        plan.properties
    );
    assert_eq!(plan.session.connect_properties.receive_maximum(), Some(5));
    assert_eq!(
        plan.session.disconnect_properties.user_properties().count(),
        1
    );
    assert_eq!(
        plan.session.will.unwrap().properties.will_delay_interval(),
        Some(3)
    );
    assert_eq!(plan.session.connect.url.as_deref(), Some("mqtt://h"));
}

#[test]
fn a_will_is_a_message_of_its_own() {
    let line = "-t a -n --will-topic gone/x --will-payload -1 --will-qos 1 --will-retain";
    let will = publish(&split(line)).unwrap().session.will.unwrap();
    assert_eq!(&*will.topic, "gone/x");
    assert_eq!(will.payload, Source::Text(Bytes::from_static(b"-1")));
    assert_eq!((will.qos, will.retain), (QoS::AtLeastOnce, true));
    let will = publish(&split("-t a -n --will-topic w --will-payload-file f"))
        .unwrap()
        .session
        .will
        .unwrap();
    assert_eq!(will.payload, Source::File(PathBuf::from("f")));
}

#[test]
fn sub_has_mosquittos_defaults_and_letters() {
    let plan = subscribe(&split("-t a/#")).unwrap();
    assert_eq!(&*plan.subscriptions[0].filter, "a/#");
    assert_eq!(plan.subscriptions[0].qos, QoS::AtMostOnce);
    assert_eq!(
        plan.format,
        Format::Text {
            topic: false,
            newline: true
        }
    );
    assert_eq!(
        (
            plan.until.count,
            plan.until.timeout,
            plan.until.duration,
            plan.until.idle
        ),
        (None, None, None, None)
    );

    let plan = subscribe(&split(
        "-t a -t b;qos=0;nl -q 1 -C 1k -W 0.5 -v -N -R -T x/# -U old",
    ))
    .unwrap();
    assert_eq!(plan.subscriptions[0].qos, QoS::AtLeastOnce);
    assert_eq!(plan.subscriptions[1].qos, QoS::AtMostOnce);
    assert!(plan.subscriptions[1].no_local && !plan.subscriptions[0].no_local);
    assert_eq!(
        (plan.until.count, plan.until.timeout),
        (Some(1000), Some(Duration::from_millis(500)))
    );
    assert_eq!(
        plan.format,
        Format::Text {
            topic: true,
            newline: false
        }
    );
    assert!(plan.wanted.skip_retained && !plan.wanted.retained_only);
    assert_eq!(
        (plan.wanted.filter_out, plan.wanted.unsubscribe),
        (vec!["x/#".into()], vec!["old".into()])
    );
}

#[test]
fn the_flags_of_all_subscriptions_are_their_defaults() {
    let line = "-t a -t b;rh=always --no-local --retain-as-published --retain-handling never --for 1m --idle 2";
    let plan = subscribe(&split(line)).unwrap();
    let [a, b] = &plan.subscriptions[..] else {
        panic!("{plan:?}")
    };
    assert!(a.no_local && a.retain_as_published && b.no_local && b.retain_as_published);
    assert_eq!(
        (a.retain_handling, b.retain_handling),
        (RetainHandling::Never, RetainHandling::Always)
    );
    assert_eq!(plan.defaults.options.retain_handling, RetainHandling::Never);
    assert_eq!(
        (plan.until.duration, plan.until.idle),
        (Some(Duration::from_secs(60)), Some(Duration::from_secs(2)))
    );
    assert!(
        subscribe(&split("-t a -E"))
            .unwrap()
            .wanted
            .exit_after_subscribe
    );
    assert!(
        subscribe(&split("-t a --retained-only"))
            .unwrap()
            .wanted
            .retained_only
    );
}

const fn rows(style: RowStyle, columns: Vec<Column>, local: bool) -> Format {
    Format::Rows(Rows {
        style,
        layout: Layout::of(columns),
        local,
    })
}

#[test]
fn each_output_format() {
    for (line, format) in [
        (
            "--output text",
            Format::Text {
                topic: false,
                newline: true,
            },
        ),
        (
            "--output json",
            Format::Json {
                pretty: false,
                embed: false,
                local: false,
            },
        ),
        (
            "--output json --pretty --embed-json",
            Format::Json {
                pretty: true,
                embed: true,
                local: false,
            },
        ),
        ("--output raw", Format::Raw),
        (
            "--output csv",
            rows(RowStyle::Csv, Column::usual(&fields::MQTT), false),
        ),
        (
            "--output tsv --columns time,t=/temp --local-time",
            rows(RowStyle::Tsv, Column::list("time,t=/temp").unwrap(), true),
        ),
        ("--output hexdump -v", Format::Hexdump { topic: true }),
        ("--output hex -v", Format::Hex { topic: true }),
        ("--output base64", Format::Base64 { topic: false }),
    ] {
        assert_eq!(
            subscribe(&[&["-t", "a"][..], &split(line)].concat())
                .unwrap()
                .format,
            format,
            "{line}"
        );
    }
    match subscribe(&["-t", "a", "-F", "%t %p", "-N", "--pretty"])
        .unwrap()
        .format
    {
        Format::Template(template) => assert!(!template.newline && template.pretty),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_broker_listens_where_it_is_told() {
    let plan = broker(&[]).unwrap();
    let shown: Vec<_> = plan
        .listen
        .iter()
        .map(|listen| (listen.address.to_string(), listen.tls, listen.websocket))
        .collect();
    assert_eq!(shown, [("127.0.0.1:1883".to_owned(), false, false)]);
    assert!(plan.files.anonymous && plan.options.allow_empty_client_id);

    let line = "--listen [::1]:0 --listen wss://0.0.0.0:443 --cert c --key k --client-ca ca --password-file p";
    let plan = broker(&split(line)).unwrap();
    let shown: Vec<_> = plan
        .listen
        .iter()
        .map(|listen| (listen.address.to_string(), listen.tls, listen.websocket))
        .collect();
    assert_eq!(
        shown,
        [
            ("[::1]:0".to_owned(), false, false),
            ("0.0.0.0:443".to_owned(), true, true)
        ]
    );
    let tls = plan.tls.unwrap();
    assert_eq!(
        [tls.cert, tls.key, tls.client_ca.unwrap()],
        ["c", "k", "ca"].map(PathBuf::from)
    );
    assert!(!plan.files.anonymous);
    assert!(
        broker(&split("--password-file p --allow-anonymous"))
            .unwrap()
            .files
            .anonymous
    );
}

#[test]
fn the_brokers_limits_reach_its_options() {
    let line = "--max-connections 10 --connect-timeout 1 --max-packet-size 64KiB --receive-maximum 5 --max-inflight 6 \
                --topic-alias-maximum 0 --server-keep-alive 30 --max-qos 1 --no-retain --max-queued 2k \
                --max-queued-bytes 1MiB --max-buffered-bytes 2MiB --queue-qos0 --session-expiry-limit 1h \
                --response-information r/ --sys-interval never --refuse-empty-id --fault dribble";
    let options = broker(&split(line)).unwrap().options;
    assert_eq!(
        (options.max_connections, options.connect_timeout),
        (Some(10), Duration::from_secs(1))
    );
    assert_eq!(
        (
            options.max_packet_size,
            options.receive_maximum,
            options.max_inflight
        ),
        (65_536, 5, 6)
    );
    assert_eq!(
        (options.topic_alias_maximum, options.server_keep_alive),
        (0, Some(30))
    );
    assert_eq!(
        (options.maximum_qos, options.retain_available),
        (QoS::AtLeastOnce, false)
    );
    assert_eq!(
        (options.max_queued, options.max_queued_bytes),
        (2000, 1 << 20)
    );
    assert_eq!(
        (options.max_buffered_bytes, options.queue_qos0_offline),
        (2 << 20, true)
    );
    assert_eq!(
        (options.session_expiry_limit, options.sys_interval),
        (Some(3600), None)
    );
    assert_eq!(options.response_information.as_deref(), Some("r/"));
    assert_eq!(
        (options.allow_empty_client_id, options.faults.len()),
        (false, 1)
    );
}

#[test]
fn pages_are_printed() {
    for words in [
        &["--help"][..],
        &["-h"],
        &["mqtt", "pub", "--help"],
        &["--version"],
        &["man"],
        &["man", "iotctl-mqtt-sub"],
    ] {
        match read(words).unwrap() {
            Parsed::Print(text) => assert!(text.contains("iotctl"), "{words:?}: {text}"),
            Parsed::ManPage(page) | Parsed::Help(page, _) => {
                assert!(page.contains("iotctl"), "{words:?}: {page}")
            }
            other => panic!("{words:?} gave {other:?}"),
        }
    }
    for words in [["--version"], ["-V"]] {
        let clap = top::Cli::read(&["iotctl".into(), words[0].into()]).unwrap_err();
        match read(&words).unwrap() {
            Parsed::Print(text) => {
                assert_eq!(text.split_inclusive('\n').next(), Some(&*clap.to_string()))
            }
            other => panic!("{words:?} gave {other:?}"),
        }
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(
            matches!(read(&["completions", shell]), Ok(Parsed::Print(_))),
            "{shell}"
        );
    }
    for words in [&[][..], &["mqtt"]] {
        assert!(
            matches!(read(words), Ok(Parsed::Incomplete(_))),
            "{words:?}"
        );
    }
}

#[test]
fn pub_refuses_what_cannot_be() {
    for (line, why) in [
        (
            "-t a/# -m x",
            r##"-t: topic "a/#" contains the wildcard #"##,
        ),
        ("-t + -m x", r#"-t: topic "+" contains the wildcard +"#),
        ("-t a", "there is nothing to publish"),
        (
            "-t a -m x -q 3",
            "invalid value '3' for '-q <QOS>': QoS is 0, 1 or 2",
        ),
        (
            "-t a -m x -f y",
            "the argument '-m <TEXT>' cannot be used with '-f <FILE>'",
        ),
        ("-t a -s -l", "the argument '-s' cannot be used with '-l'"),
        (
            "-t a -n --hex",
            "the argument '-n' cannot be used with '--hex'",
        ),
        (
            "-t a -m x --hex --base64",
            "the argument '--hex' cannot be used with '--base64'",
        ),
        (
            "-t a -m xx --hex",
            r#"-m: not hexadecimal: "x" at position 1"#,
        ),
        ("-t a -m x --repeat 0", "--repeat must be at least 1"),
        (
            "-t a -l --repeat 2",
            "--repeat cannot read standard input again",
        ),
        (
            "-t a -m x --repeat-delay 1",
            "--repeat-delay needs --repeat",
        ),
        (
            "-t a -m x -c",
            "-c (persistent session) needs a client identifier",
        ),
        (
            "-t a -m x -i b -I c",
            "the argument '-i <ID>' cannot be used with '-I <PREFIX>'",
        ),
        ("-t a -m x -V 311 -x 5", "-x needs MQTT 5, not -V 311"),
        (
            "-t a -m x -V 31 -D publish content-type x",
            "-D needs MQTT 5, not -V 31",
        ),
        (
            "-t a -m x -V 4",
            "invalid value '4' for '-V <VERSION>': expected 31, 311 or 5",
        ),
        ("-t a -m x --will-qos 1", "--will-qos needs --will-topic"),
        (
            "-t a -m x --will-payload y",
            "--will-payload needs --will-topic",
        ),
        (
            "-t a -m x -D will content-type y",
            "-D will needs --will-topic",
        ),
        (
            "-t a -m x --will-topic w/#",
            r##"--will-topic: topic "w/#" contains the wildcard #"##,
        ),
        (
            "-t a -m x -D subscribe user-property k v",
            "-D subscribe: this command sends no subscribe",
        ),
        (
            "-t a -m x -x 5 -D connect session-expiry-interval 5",
            "-x and -D connect session-expiry-interval cannot be used together",
        ),
        (
            "-t a -m x --key c",
            "the following required arguments were not provided: --cert <FILE>",
        ),
        (
            "-t a -m x --auth-method x",
            "--auth-method \"x\" needs --auth-data-file, unless it is scram-sha-256 or scram-sha-512",
        ),
        (
            "-t a -m x -h h mqtt://h",
            "the argument '-h <HOST>' cannot be used with '[URL]'",
        ),
        (
            "-t a -m x -p 0",
            "invalid value '0' for '-p <PORT>': expected a whole number from 1 to 65535",
        ),
        (
            "-t a -m x --header token",
            "--header needs a name before the colon",
        ),
        (
            "-t a -m x -D",
            "a value is required for '-D <COMMAND> <NAME> <VALUE>...' but none was supplied",
        ),
        ("-t a -m x --tpoic b", "unexpected argument '--tpoic' found"),
        (
            "-t a -m x --connect-timeout 0",
            "invalid value '0' for '--connect-timeout <TIME>': it must be more than 0",
        ),
    ] {
        assert_eq!(text_of(&publish(&split(line)).unwrap_err()), why, "{line}");
    }
    assert_eq!(
        text_of(&publish(&["-t", "", "-m", "x"]).unwrap_err()),
        "-t: topic is empty"
    );
}

#[test]
fn topics_that_no_packet_can_carry_are_refused() {
    let long = "x".repeat(70_000);
    let refused = publish(&["-t", &long, "-m", "x"]).unwrap_err();
    assert_eq!(
        text_of(&refused),
        "-t: topic is longer than 65535 bytes (70000)"
    );
    let words = ["iotctl", "mqtt", "pub", "-m", "x", "-t"].map(OsString::from);
    let refused = parse(
        words
            .into_iter()
            .chain([OsString::from_vec(b"a\xff".to_vec())]),
    )
    .unwrap_err();
    assert_eq!(text_of(&refused), "-t is not valid UTF-8: \"a\u{fffd}\"");
}

#[test]
fn sub_refuses_what_cannot_be() {
    for (line, why) in [
        (
            "-t a/#/b",
            r##"-t: filter "a/#/b": # must be the last level"##,
        ),
        (
            "-t a -T b#",
            r##"-T: filter "b#": # must occupy an entire level"##,
        ),
        (
            "-t a -U +b",
            r#"-U: filter "+b": + must occupy an entire level"#,
        ),
        ("-t a;qos=3", r#"-t "a;qos=3": QoS is 0, 1 or 2"#),
        ("-t a -C 0", "-C must be at least 1"),
        ("-t a -C -1", "unexpected argument '-1' found"),
        (
            "-t a -W 0",
            "invalid value '0' for '-W <TIME>': it must be more than 0",
        ),
        (
            "-t a -R --retained-only",
            "the argument '-R' cannot be used with '--retained-only'",
        ),
        (
            "-t a -F %p --output json",
            "the argument '-F <TEMPLATE>' cannot be used with '--output <FORMAT>'",
        ),
        (
            "-t a -v --output json",
            "-v needs --output text, hex, hexdump or base64",
        ),
        (
            "-t a -v -F %p",
            "-v needs --output text, hex, hexdump or base64",
        ),
        (
            "-t a --columns /x",
            "--columns needs --output csv, tsv or logfmt",
        ),
        (
            "-t a --output csv --columns exchange",
            "--columns: \"exchange\" is not a field of MQTT messages",
        ),
        (
            "-t a -F %{header.x}",
            "-F: \"header.x\" is not a field of MQTT messages",
        ),
        (
            "-t a --local-time",
            "--local-time needs --output json, csv, tsv or logfmt, or -F",
        ),
        (
            "-t a --output raw --decode",
            "--decode needs --output text, json, csv, tsv or logfmt, or -F",
        ),
        ("-t a -N --output csv", "-N needs --output text or -F"),
        ("-t a --pretty", "--pretty needs --output json or -F"),
        ("-t a --embed-json", "--embed-json needs --output json"),
        (
            "-t a -E -C 1",
            "the argument '-E' cannot be used with '-C <COUNT>'",
        ),
        (
            "-V 311 -t a --no-local",
            "--no-local needs MQTT 5, not -V 311",
        ),
        (
            "-V 31 -t a --retain-handling new",
            "--retain-handling needs MQTT 5, not -V 31",
        ),
        (
            "-V 311 -t a;rh=new",
            "the option rh=new of -t needs MQTT 5, not -V 311",
        ),
        (
            "-t a -D publish content-type x",
            "-D publish: this command sends no publish",
        ),
    ] {
        assert_eq!(
            text_of(&subscribe(&split(line)).unwrap_err()),
            why,
            "{line}"
        );
    }
}

#[test]
fn the_broker_refuses_what_cannot_be() {
    for (line, why) in [
        (
            "--listen mqtts://127.0.0.1:0",
            "--listen mqtts:// or wss:// needs --cert and --key",
        ),
        (
            "--cert c --key k",
            "--cert needs --listen mqtts:// or wss://",
        ),
        (
            "--listen 1883",
            "invalid value '1883' for '--listen <ADDR:PORT>': \"1883\" is not an address to listen on, such as 127.0.0.1:1883 or unix:/path",
        ),
        (
            "--listen tcp://h:1",
            "invalid value 'tcp://h:1' for '--listen <ADDR:PORT>': the schemes are mqtt, mqtts, ws and wss",
        ),
        (
            "--listen :1;acl=x",
            "invalid value ':1;acl=x' for '--listen <ADDR:PORT>': expected password-file=FILE, acl-file=FILE or allow-anonymous, not \"acl=x\"",
        ),
        (
            "--listen :1;allow-anonymous",
            "invalid value ':1;allow-anonymous' for '--listen <ADDR:PORT>': allow-anonymous needs a password-file",
        ),
        (
            "--listen :1;acl-file=x;acl-file=y",
            "invalid value ':1;acl-file=x;acl-file=y' for '--listen <ADDR:PORT>': \"acl-file=y\" is a second file of that kind",
        ),
        (
            "--fault drop",
            "invalid value 'drop' for '--fault <FAULT>': unknown fault drop",
        ),
        (
            "--max-qos 3",
            "invalid value '3' for '--max-qos <QOS>': QoS is 0, 1 or 2",
        ),
    ] {
        assert_eq!(text_of(&broker(&split(line)).unwrap_err()), why, "{line}");
    }
}

#[test]
fn wrong_commands_are_refused_with_a_way_out() {
    let refused = read(&["mqtt", "publish"]).unwrap_err();
    assert_eq!(text_of(&refused), "there is no command \"mqtt publish\"");
    assert_eq!(refused.hint_text(), Some("did you mean `iotctl mqtt pub`?"));
    let refused = publish(&split("-t a -m x --tpoic b")).unwrap_err();
    assert_eq!(refused.hint_text(), Some("did you mean --topic?"));
    assert_eq!(
        text_of(&read(&["frobnicate"]).unwrap_err()),
        "there is no command \"frobnicate\""
    );
}

#[test]
fn a_refusal_shows_no_secret() {
    let refused = publish(&["-t", "a", "-m", "x", "--ws-header", "hunter2"]).unwrap_err();
    assert!(!refused.text().contains("hunter2"));
}

mod coap {
    use super::*;
    use crate::coap::code::Code;
    use crate::coap::option;
    use crate::command::coap::session::{OptionValue, OptionWord};
    use crate::command::coap::{observe, request};

    fn request(line: &str) -> request::Plan {
        match read(&[&["coap"], &split(line)[..]].concat()).unwrap() {
            Parsed::Command(Command::Coap(crate::command::coap::Command::Request(plan))) => *plan,
            other => panic!("{line} gave {other:?}"),
        }
    }

    fn observe(line: &str) -> observe::Plan {
        match read(&[&["coap", "observe"], &split(line)[..]].concat()).unwrap() {
            Parsed::Command(Command::Coap(crate::command::coap::Command::Observe(plan))) => *plan,
            other => panic!("{line} gave {other:?}"),
        }
    }

    fn bytes(number: u16, value: &'static [u8]) -> OptionWord {
        OptionWord {
            number,
            value: OptionValue::Bytes(Bytes::from_static(value)),
        }
    }

    #[test]
    fn a_request_has_the_defaults_of_the_design() {
        let plan = request("get coap://h/a coap://h/b");
        assert_eq!(plan.session.uris, ["coap://h/a", "coap://h/b"]);
        assert_eq!((plan.method, &plan.source), (Code::GET, &Source::Empty));
        let transfer = &plan.session.transfer;
        assert!(transfer.confirmable);
        assert_eq!(transfer.timeout, Some(Duration::from_secs(30)));
        assert_eq!((transfer.block, transfer.max_retransmit), (None, None));
        assert!(plan.session.options.is_empty() && plan.etag_file.is_none());
    }

    #[test]
    fn the_words_of_a_request_become_its_plan() {
        let plan = request(
            "put coap://h/a -m x -t json -N -W 0 --block 64 --ack-timeout 1 --max-retransmit 2 --if-match=0x0a --if-none-match",
        );
        let transfer = &plan.session.transfer;
        assert_eq!((transfer.confirmable, transfer.timeout), (false, None));
        assert_eq!(transfer.block.unwrap().size(), 64);
        assert_eq!(transfer.ack_timeout, Some(Duration::from_secs(1)));
        assert_eq!(transfer.max_retransmit, Some(2));
        assert_eq!(plan.source, Source::Text(Bytes::from_static(b"x")));
        let expected = [
            bytes(option::IF_MATCH, &[10]),
            bytes(option::IF_NONE_MATCH, b""),
            bytes(option::CONTENT_FORMAT, &[50]),
        ];
        assert_eq!(plan.session.options, expected);
    }

    #[test]
    fn options_are_named_or_numbered() {
        let plan = request(
            "get coap://h/ -O uri-query=a=1 -O 65000,0x01ff -O max-age=300 -O accept=cbor -O etag=@file -O 5",
        );
        let file = OptionWord {
            number: option::ETAG,
            value: OptionValue::File(PathBuf::from("file")),
        };
        let expected = [
            bytes(option::URI_QUERY, b"a=1"),
            bytes(65_000, &[1, 255]),
            bytes(option::MAX_AGE, &[1, 44]),
            bytes(option::ACCEPT, &[60]),
            file,
            bytes(option::IF_NONE_MATCH, b""),
        ];
        assert_eq!(plan.session.options, expected);
    }

    #[test]
    fn a_post_needs_no_body_and_others_do() {
        assert_eq!(request("post coap://h/reboot").source, Source::Empty);
        assert_eq!(request("put coap://h/a -n").source, Source::Empty);
        let refused = read(&split("coap put coap://h/a")).unwrap_err();
        assert_eq!(text_of(&refused), "there is nothing to send");
    }

    #[test]
    fn an_observation_ends_as_a_subscription_does() {
        let plan = observe("coap://h/a -C 3 -W 5 --for 10 --idle 2 --no-deregister");
        assert_eq!((plan.until.count, plan.deregister), (Some(3), false));
        assert_eq!(plan.until.timeout, Some(Duration::from_secs(5)));
        assert_eq!(plan.until.duration, Some(Duration::from_secs(10)));
        assert_eq!(plan.until.idle, Some(Duration::from_secs(2)));
        assert!(plan.reregister);
    }

    #[test]
    fn keys_are_said_by_flags() {
        let plan = request("get coaps://h/a --psk-identity me --psk hex:00ff");
        let words = &plan.session.connect;
        assert_eq!(words.psk_identity.as_deref(), Some("me"));
        assert_eq!(words.psk.as_ref().unwrap().reveal(), b"hex:00ff");
        assert!(!format!("{plan:?}").contains("00ff"));
    }
}
