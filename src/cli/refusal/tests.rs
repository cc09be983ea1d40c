use super::*;

#[test]
fn many_lines_become_one() {
    let refused = refusal(
        "error: the following required arguments were not provided:\n  --key <FILE>\n\n\
         Usage: iotctl mqtt pub --cert <FILE> [URL]\n",
    );
    assert_eq!(
        refused.text(),
        "the following required arguments were not provided: --key <FILE>"
    );
}

fn words(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

#[test]
fn the_command_is_known_by_its_words() {
    let root = crate::cli::command();
    let path = |line: &str| command(&root, &words(line)).1;
    assert_eq!(path("./x mqtt pub -t mqtt"), "mqtt pub");
    assert_eq!(path("x frobnicate pub"), "");
}

#[test]
fn a_flag_is_called_as_the_user_did() {
    let told =
        |line: &str, text: &str| as_given(Error::usage(text), &words(line)).text().to_owned();
    let wrong = "invalid value 'x' for '--port <PORT>': no";
    assert_eq!(
        told("x mqtt pub -p x", wrong),
        "invalid value 'x' for '-p <PORT>': no"
    );
    assert_eq!(
        told("x mqtt pub -px", wrong),
        "invalid value 'x' for '-p <PORT>': no"
    );
    assert_eq!(told("x mqtt pub --port x", wrong), wrong);
    assert_eq!(
        told("x mqtt sub --topic=a", "-t: a; not-t"),
        "--topic: a; not-t"
    );
    assert_eq!(told("x mqtt sub -t a --topic b", "-t: a"), "-t: a");
}

#[test]
fn a_url_is_quoted_without_its_password() {
    for word in [
        "mqtt://me:hunter2@h/a",
        "--listen=mqtts://me:hun/ter2@0.0.0.0:1",
        "me:hunter2@h",
    ] {
        let value = word.strip_prefix("--listen=").unwrap_or(word);
        let text = format!("error: invalid value '{value}' for '[URL]': \"{value}\" is none\n\n");
        let shown = without_secrets(text, &[OsString::from(word)]);
        assert!(!shown.contains("ter2") && !shown.contains("me:"), "{shown}");
    }
}

#[test]
fn what_other_programs_have_and_what_was_not_quoted_is_explained() {
    for (line, hint) in [
        ("mqtt sub -t a --cacert x", "--cafile FILE"),
        ("mqtt sub -t a -d", "--trace"),
        ("coap get coap://h/ --debug", "--trace"),
        ("amqp get q --json", "--output json"),
        ("mqtt sub -t a -o json", "--output json"),
        ("amqp ping --pinnedpubkey x", "--tls-pin"),
        ("mqtt pub -t a --remove-retained", "`iotctl mqtt clear`"),
        ("mqtt pub -t a --key-password x", "--key-password-file"),
        ("mqtt broker -p 1883", "--listen ADDRESS:PORT"),
        ("coap server --port 5683", "--listen ADDRESS:PORT"),
        ("amqp publish -q jobs -m x", "-k QUEUE"),
        ("amqp consume --queue jobs", "argument without a flag"),
        ("mqtt pub -t a -m hello world", "-m 'hello world'"),
        ("mqtt pub -t a mqtt://h -m hello world", "-m 'hello world'"),
        ("coap put coap://h/ -m hello world", "-m 'hello world'"),
        ("mqtt sub -t a --on-change /t", "write --on-change=/t"),
        (
            "mqtt sub mqtt://h -t a --on-change /t",
            "write --on-change=/t",
        ),
        ("mqtt sub -t a -W 10 s", "write 10s, without a space"),
        ("mqtt sub -t a --random-filter 50", "--sample 50%"),
        ("mqtt sub -t a --nodelay", "always on"),
        ("mqtt pub -t a -m x --keyform pem", "PEM or PKCS#12"),
        ("bench mqtt --stages 1m:20", "--stage TIME:RATE"),
        ("mqtt sub -t a -C -1", "without it there is no limit"),
        (
            "amqp consume q --count -1",
            "--count must be at least 1; without it there is no limit",
        ),
        ("mqtt pub -t a -m x -k -12", "-k must not be negative"),
        ("mqtt sub -t a --no-clean", "use -c"),
        ("mqtt sub -t a --client-id x", "-i ID"),
        ("bench mqtt --client-id x", "-I PREFIX"),
        ("bench mqtt --vus 10", "--publishers COUNT"),
        ("bench coap --vus=10", "--sockets COUNT"),
        ("bench amqp --vus 10", "--producers COUNT"),
        ("bench coap --iterations 5", "--count COUNT"),
        ("mqtt pub -t a -m x --iterations 5", "--repeat COUNT"),
        ("mqtt sub -t a --duration 5s", "--for TIME"),
        ("coap get coap://h/a --duration 5s", "-W TIME"),
        ("coap get coap://h/a -B 5", "-W TIME"),
        ("coap get coap://h/a -s 5", "coap observe --for TIME"),
        ("amqp publish -b x", "-m TEXT"),
        ("amqp get q --ackmode ack_requeue_true", "--ack peek"),
        ("amqp get q --no-ack", "use --ack auto"),
        ("amqp consume q --auto-ack", "use --ack auto"),
        ("amqp declare queue q --type quorum", "--queue-type"),
        ("amqp declare queue q --dlx x", "--dead-letter-exchange"),
        ("amqp declare queue q --durable=false", "use --transient"),
        ("amqp declare queue q --durable=true", "without a value"),
        ("amqp publish -k q -m x --delivery-mode 2", "--persistent"),
        ("amqp bind q --source x", "-e EXCHANGE"),
        ("amqp publish amqp://h q -m x", "-k"),
        ("mqtt pub mqtt://h a hello", "-t, a message with -m"),
        ("mqtt sub mqtt://h a", "a topic goes with -t"),
        ("mqtt sub -p 1883 a/b", "a topic goes with -t"),
        ("mqtt pub -t a -m x --pass x", "use -P PASSWORD"),
        ("coap ping -c 1 coap://h", "use -C COUNT"),
        ("bench mqtt -c 10", "-c takes no value; use --publishers 10"),
        ("bench mqtt -n 10", "--count COUNT"),
        ("bench coap --threshold x", "--assert"),
        ("coap put coap://h/a -d hello", "use -m TEXT"),
        ("coap put coap://h/a --json {}", "-m JSON -t json"),
        ("coap put coap://h/a hello", "use -m hello"),
        ("coap get coap://h/a --observe", "`iotctl coap observe`"),
        ("coap GET coap://h/a", "`iotctl coap get`"),
        ("mqtt sub -t a --jq .temp", "--filter 'jq: "),
        ("mqtt sub -t a --output JSON", "did you mean json?"),
        ("mqtt sub -t a --format json", "use --output json"),
        ("--context prod mqtt pub", "iotctl mqtt pub --context"),
        ("mqtt help pub", "`iotctl help mqtt pub`"),
        ("mqtt pub help", "`iotctl help mqtt pub`"),
        ("watch -h localhost", "`iotctl watch --help`"),
    ] {
        let refused = crate::cli::parse(words(&format!("iotctl {line}"))).unwrap_err();
        let told = refused.hint_text().unwrap_or_default();
        assert!(told.contains(hint), "{line}: {refused} {told}");
    }
    for line in [
        "mqtt pub -t a -m hello mqtt://h",
        "coap put -m on /led -h h",
    ] {
        assert!(
            crate::cli::parse(words(&format!("iotctl {line}"))).is_ok(),
            "{line}"
        );
    }
}

#[test]
fn a_hint_does_not_name_the_opposite_or_what_is_only_spelled_alike() {
    for (line, wrong) in [
        ("mqtt pub -t a -m x --decode", "--encode"),
        ("coap get coap://h/a --filter x", "--jitter"),
        ("amqp get q --ackmode ack_requeue_true", "auto"),
    ] {
        let refused = crate::cli::parse(words(&format!("iotctl {line}"))).unwrap_err();
        let told = refused.hint_text().unwrap_or_default();
        assert!(!told.contains(wrong), "{line}: {refused} {told}");
    }
    let refused = crate::cli::parse(words("iotctl mqtt sub -p 1883 a/b")).unwrap_err();
    assert_eq!(refused.text(), "\"a/b\" is not a URL");
}

#[test]
fn the_letter_of_the_host_is_help_where_there_is_no_host() {
    for line in ["log", "watch", "alert", "ota", "mqtt", "bench", "ota sign"] {
        let parsed = crate::cli::parse(words(&format!("iotctl {line} -h"))).unwrap();
        let Parsed::Help(page, _) = parsed else {
            panic!("{line}: {parsed:?}");
        };
        assert!(page.contains(&format!("iotctl {line}")), "{page}");
    }
    let refused = crate::cli::parse(words("iotctl mqtt sub -h")).unwrap_err();
    let told = refused.hint_text().unwrap_or_default();
    assert!(told.starts_with("-h is the host"), "{refused} {told}");
}

#[test]
fn no_refusal_of_a_value_has_the_words_of_a_library() {
    let mut root = crate::cli::command();
    root.build();
    let mut all = vec![(&root, "")];
    let mut at = 0;
    while let Some((command, first)) = all.get(at).copied() {
        for it in command.get_subcommands() {
            all.push((
                it,
                if first.is_empty() {
                    it.get_name()
                } else {
                    first
                },
            ));
        }
        at += 1;
    }
    let mut seen = std::collections::BTreeSet::new();
    for (command, first) in all {
        for flag in command.get_arguments().filter_map(clap::Arg::get_long) {
            if !seen.insert((first, flag)) {
                continue;
            }
            for value in ["zz", "-5"] {
                let words = ["iotctl", &format!("--{flag}={value}")];
                let Err(answer) = command.clone().try_get_matches_from(words) else {
                    continue;
                };
                let refused = refusal(&answer.render().to_string());
                for wrong in ["literal", "digit found", "syntax", " is not in ", "..="] {
                    assert!(!refused.text().contains(wrong), "{first} {refused}");
                }
            }
        }
    }
}

#[test]
fn a_long_list_is_cut_at_its_end() {
    let names = vec!["connections.failed"; 40].join(", ");
    let refused = refusal(&format!("error: invalid value 'x': there are {names}"));
    assert!(
        refused.text().ends_with("connections.failed, …"),
        "{refused}"
    );
    assert!(refused.text().chars().count() <= LONGEST + 2);
}

#[test]
fn a_long_word_is_cut() {
    let text = format!("error: unexpected argument '{}' found", "x".repeat(70_000));
    let refused = refusal(&text);
    assert_eq!(refused.text().chars().count(), LONGEST + 1);
    assert!(refused.text().ends_with("xxx' found"));
}
