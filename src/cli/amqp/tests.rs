//! ConnectArgs → plan, and words → message for each refusal, of the AMQP commands.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

use crate::amqp::Mechanism;
use crate::amqp::consumer::Offset;
use crate::amqp::topology::{Binding, Declaration, Deletion, Destination, Exchange, Queue};
use crate::cli::{Parsed, parse};
use crate::command::Command;
use crate::command::amqp::consume::Settle;
use crate::command::amqp::session::SessionArgs;
use crate::command::amqp::topology::Action;
use crate::command::amqp::{self, consume, get, ping, publish, request, respond, topology};
use crate::error::{Kind, Result};
use crate::flow::Answer;
use crate::flow::{Pacing, Rate};
use crate::message::{AmqpProperties, AmqpValue};
use crate::output::Format;
use crate::payload::{Encoding, Source};

fn read(words: &[&str]) -> Result<Parsed> {
    parse(["iotctl", "amqp"].iter().chain(words).map(OsString::from))
}

fn plan(words: &[&str]) -> Command {
    match read(words) {
        Ok(Parsed::Command(plan)) => plan,
        other => panic!("{words:?} gave {other:?}"),
    }
}

/// The words of a command line without quoting.
fn split(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn publish(line: &str) -> publish::Plan {
    match plan(&[&["publish"], &split(line)[..]].concat()) {
        Command::Amqp(amqp::Command::Publish(plan)) => *plan,
        other => panic!("{other:?}"),
    }
}

fn consume(line: &str) -> consume::Plan {
    match plan(&[&["consume"], &split(line)[..]].concat()) {
        Command::Amqp(amqp::Command::Consume(plan)) => *plan,
        other => panic!("{other:?}"),
    }
}

fn get(line: &str) -> get::Plan {
    match plan(&[&["get"], &split(line)[..]].concat()) {
        Command::Amqp(amqp::Command::Get(plan)) => *plan,
        other => panic!("{other:?}"),
    }
}

fn request(line: &str) -> request::Plan {
    match plan(&[&["request"], &split(line)[..]].concat()) {
        Command::Amqp(amqp::Command::Request(plan)) => *plan,
        other => panic!("{other:?}"),
    }
}

fn respond(line: &str) -> respond::Plan {
    match plan(&[&["respond"], &split(line)[..]].concat()) {
        Command::Amqp(amqp::Command::Respond(plan)) => *plan,
        other => panic!("{other:?}"),
    }
}

fn ping(line: &str) -> ping::Plan {
    match plan(&[&["ping"], &split(line)[..]].concat()) {
        Command::Amqp(amqp::Command::Ping(plan)) => *plan,
        other => panic!("{other:?}"),
    }
}

fn topology(words: &[&str]) -> topology::Plan {
    match plan(words) {
        Command::Amqp(amqp::Command::Topology(plan)) => *plan,
        other => panic!("{other:?}"),
    }
}

fn actions(line: &str) -> Vec<Action> {
    topology(&split(line)).actions
}

fn url(session: &SessionArgs) -> Option<&str> {
    session.connect.url.as_deref()
}

fn refused(words: &[&str]) -> String {
    let refused = read(words).unwrap_err();
    assert_eq!(refused.kind(), Kind::Usage, "{refused}");
    assert!(!refused.text().contains('\n'), "{refused}");
    refused.text().to_owned()
}

#[test]
fn publish_has_the_plans_defaults() {
    let plan = publish("-k orders -m hello");
    let usual = publish::Plan::new(SessionArgs::default(), "orders", plan.source.clone());
    assert_eq!(plan.source, Source::Text(Bytes::from_static(b"hello")));
    assert_eq!((plan.keys, plan.exchange), (usual.keys, usual.exchange));
    assert_eq!(plan.properties, usual.properties);
    assert_eq!((plan.confirms, plan.mandatory), (true, false));
    assert_eq!(
        (plan.window, plan.ack_timeout),
        (usual.window, usual.ack_timeout)
    );
    assert_eq!(
        (plan.pacing, plan.declare),
        (Pacing::default(), usual.declare)
    );
    let (session, usual) = (plan.session, usual.session);
    assert_eq!(
        (session.heartbeat, session.frame_max, session.patience),
        (usual.heartbeat, usual.frame_max, usual.patience)
    );
    assert!(session.vhost.is_none() && session.name.is_none() && session.mechanism.is_none());
}

#[test]
fn publish_takes_every_flag() {
    let plan = publish(
        "amqp://h/v -e logs -k a -k b --hex -m 00ff --mandatory --window 10 --rate 10k/s --repeat 3 --repeat-delay 1s \
         --ack-timeout 5 --declare --exchange-type topic",
    );
    assert_eq!(url(&plan.session), Some("amqp://h/v"));
    assert_eq!(plan.exchange, "logs");
    assert_eq!(plan.keys, ["a", "b"].map(Into::into));
    assert_eq!(plan.encoding, Encoding::Hex);
    assert!(plan.mandatory);
    let pacing = Pacing {
        repeat: 3,
        delay: Duration::from_secs(1),
        rate: Some(Rate {
            per_second: 10_000.0,
            burst: None,
        }),
        ..Pacing::default()
    };
    assert_eq!((plan.window, plan.pacing), (10, pacing));
    assert_eq!(plan.ack_timeout, Duration::from_secs(5));
    assert_eq!(
        plan.declare,
        [Declaration::Exchange(Exchange::new("logs", "topic"))]
    );
    assert!(!publish("-k a -n --no-confirm").confirms);
    assert_eq!(
        publish("-k a -k b -n --declare").declare,
        ["a", "b"].map(|name| Declaration::Queue(Queue::new(name)))
    );
    // Records say where they go.
    assert!(publish("--ndjson").keys.is_empty());
}

#[test]
fn properties_become_what_goes_over_the_wire() {
    let plan = publish(
        "-k a -n --content-type text/plain --content-encoding gzip --header tries:int=5 --header to=x --persistent --priority 7 \
         --expiration 1m --message-id m --timestamp 1700000000 --message-type t --user-id u --app-id p --correlation-id c --reply-to r",
    );
    let expected = AmqpProperties {
        content_type: Some("text/plain".into()),
        content_encoding: Some("gzip".into()),
        headers: vec![
            ("tries".into(), AmqpValue::Int(5)),
            ("to".into(), AmqpValue::Text("x".into())),
        ],
        delivery_mode: Some(2),
        priority: Some(7),
        correlation_id: Some("c".into()),
        reply_to: Some("r".into()),
        expiration: Some("60000".into()),
        message_id: Some("m".into()),
        timestamp: Some(1_700_000_000),
        kind: Some("t".into()),
        user_id: Some("u".into()),
        app_id: Some("p".into()),
        cluster_id: None,
        not_text: Vec::new(),
    };
    assert_eq!(plan.properties, expected);
}

#[test]
fn the_session_is_said_alike_everywhere() {
    let words = "--vhost v --auth external --heartbeat 5 --frame-max 64KiB --connection-name n --reply-timeout 250ms \
                 -h host -p 5673 -u me --password-file f --cafile ca --cert c --key k --retry 5s";
    let plan = ping(words);
    let session = plan.session;
    assert_eq!(session.vhost.as_deref(), Some("v"));
    assert_eq!(session.mechanism, Some(Mechanism::External));
    assert_eq!((session.heartbeat, session.frame_max), (5, 65_536));
    assert_eq!(session.name.as_deref(), Some("n"));
    assert_eq!(session.patience, Duration::from_millis(250));
    let words = session.connect;
    assert_eq!(
        (words.host.as_deref(), words.port),
        (Some("host"), Some(5673))
    );
    assert_eq!(words.username.as_deref(), Some("me"));
    assert_eq!(words.password_file, Some(PathBuf::from("f")));
    assert_eq!(words.key, Some(PathBuf::from("k")));
}

#[test]
fn the_url_comes_first_and_may_be_left_out() {
    for line in [
        "amqp://h/ q -C 5",
        "-C 5 amqp://h/ q",
        "amqp://h/ -C 5 q",
        "-L amqp://h/ q -C 5",
    ] {
        let plan = consume(line);
        assert_eq!(
            (url(&plan.session), &*plan.queue),
            (Some("amqp://h/"), "q"),
            "{line}"
        );
        assert_eq!(plan.until.count, Some(5), "{line}");
    }
    let plan = consume("-h h q");
    assert_eq!((url(&plan.session), &*plan.queue), (None, "q"));
    assert_eq!(&*consume("amqp://h/ a://b").queue, "a://b");
    assert_eq!(url(&ping("amqp://h").session), Some("amqp://h"));
}

#[test]
fn consume_takes_every_flag() {
    let plan = consume(
        "q --ack nack --prefetch 7 --exclusive --priority -3 --offset first --consumer-tag t --argument x:int=1 -C 5 -W 4 --for 3 \
         --idle 2 --output json --pretty",
    );
    assert_eq!((plan.settle, plan.prefetch), (Settle::Nack, 7));
    assert_eq!((plan.exclusive, plan.priority), (true, Some(-3)));
    assert_eq!((plan.offset, &*plan.tag), (Some(Offset::First), "t"));
    assert_eq!(plan.arguments, [("x".into(), AmqpValue::Int(1))]);
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(plan.until.count, Some(5));
    assert_eq!(
        (plan.until.timeout, plan.until.duration, plan.until.idle),
        (seconds(4), seconds(3), seconds(2))
    );
    let pretty = Format::Json {
        pretty: true,
        embed: false,
        local: false,
    };
    assert_eq!(format!("{:?}", plan.format), format!("{pretty:?}"));
    let usual = consume("q");
    assert_eq!((usual.settle, usual.prefetch), (Settle::Ack, 100));
    assert!(usual.declare.is_empty() && usual.exec.is_none());
}

#[test]
fn consume_declares_and_binds() {
    let binding = |queue: &str, key: &str| {
        Declaration::Binding(Binding {
            source: "logs".into(),
            destination: Destination::Queue(queue.into()),
            key: key.into(),
            arguments: Vec::new(),
        })
    };
    let declared = consume("q --declare").declare;
    assert_eq!(declared, [Declaration::Queue(Queue::new("q"))]);
    let plan = consume("-e logs");
    assert_eq!(&*plan.queue, "");
    let temporary = Declaration::Queue(Queue::temporary());
    assert_eq!(plan.declare, [temporary, binding("", "#")]);
    let plan = consume("q -e logs -k a -k b");
    assert_eq!(plan.declare, [binding("q", "a"), binding("q", "b")]);
}

#[test]
fn the_words_after_exec_are_the_commands() {
    let exec = consume("q --workers 4 --requeue --exec sh -c x -- -D y")
        .exec
        .unwrap();
    assert_eq!(exec.command, ["sh", "-c", "x", "--", "-D", "y"]);
    assert_eq!((exec.workers.get(), exec.requeue), (4, true));
    // Behind `--` no flag of ours is looked for.
    assert_eq!(exec.suspicious, None);
    let ended = consume("q --exec ./w.sh -C 1 ; --workers 3");
    let exec = ended.exec.unwrap();
    assert_eq!(
        (&exec.command[..], exec.workers.get()),
        (&["./w.sh", "-C", "1"].map(String::from)[..], 3)
    );
    assert_eq!(exec.suspicious, None);
    for (words, flag) in [
        ("./w.sh -C 1", Some("-C")),
        ("./w.sh --count=1", Some("--count=1")),
        ("./w.sh x --requeue", Some("--requeue")),
        ("sh -c x", None),
        ("/bin/bash -c x -C 1", Some("-C")),
        ("grep --color png", Some("--color")),
        ("awk -9 - x", None),
        ("grep png", None),
    ] {
        let exec = consume(&format!("q --exec {words}")).exec.unwrap();
        assert_eq!(exec.suspicious.as_deref(), flag, "{words}");
    }
    let answer = respond("q --exec cat -C 1 ; -C 2");
    assert_eq!(answer.count, Some(2));
}

#[test]
fn get_takes_one_or_all() {
    let plan = get("amqp://h q");
    assert_eq!((&*plan.queue, plan.count), ("q", Some(1)));
    assert_eq!(plan.settle, Settle::Ack);
    assert_eq!(get("q --all --ack peek").count, None);
    assert_eq!(get("q -C 3").count, Some(3));
    let declared = get("q --declare").declare;
    assert_eq!(declared, [Declaration::Queue(Queue::new("q"))]);
}

#[test]
fn request_asks_a_queue_or_an_exchange() {
    let plan = request("amqp://h q -m x --reply-to a -W 2 --declare");
    assert_eq!((&*plan.key, &*plan.exchange), ("q", ""));
    assert_eq!(plan.reply_to.as_deref(), Some("a"));
    assert_eq!(plan.replies.until.timeout, Some(Duration::from_secs(2)));
    assert_eq!(plan.declare, [Declaration::Queue(Queue::new("q"))]);
    let plan = request("-k q -e x -l");
    assert_eq!((&*plan.key, &*plan.exchange), ("q", "x"));
    assert_eq!(plan.replies.until.timeout, None);
    assert!(plan.reply_to.is_none() && plan.declare.is_empty());
}

#[test]
fn respond_answers_in_three_ways() {
    assert_eq!(respond("q --echo").answer, Answer::Echo);
    let plan = respond("amqp://h q -m 42 -C 2 --for 1m --app-id a --declare");
    assert_eq!(plan.answer, Answer::Text(Bytes::from_static(b"42")));
    assert_eq!(plan.count, Some(2));
    assert_eq!(plan.duration, Some(Duration::from_secs(60)));
    assert_eq!(plan.properties.app_id.as_deref(), Some("a"));
    assert_eq!(plan.declare, [Declaration::Queue(Queue::new("q"))]);
    let answer = respond("q --exec cat").answer;
    assert!(matches!(answer, Answer::Exec(exec) if exec.command == ["cat"]));
}

#[test]
fn a_queue_is_declared_with_its_arguments() {
    let declared = actions(
        "declare queue amqp://h/ q --transient --auto-delete --argument a:string=1 --queue-type quorum --ttl 1m --expires 2 \
         --max-length 10k --max-length-bytes 1KiB --overflow drop-head --dead-letter-exchange x --dead-letter-key k \
         --max-priority 9 --lazy --single-active-consumer",
    );
    let text = |text: &str| AmqpValue::Text(text.into());
    let arguments = [
        ("a", text("1")),
        ("x-queue-type", text("quorum")),
        ("x-message-ttl", AmqpValue::Int(60_000)),
        ("x-expires", AmqpValue::Int(2000)),
        ("x-max-length", AmqpValue::Int(10_000)),
        ("x-max-length-bytes", AmqpValue::Int(1024)),
        ("x-overflow", text("drop-head")),
        ("x-dead-letter-exchange", text("x")),
        ("x-dead-letter-routing-key", text("k")),
        ("x-max-priority", AmqpValue::Int(9)),
        ("x-queue-mode", text("lazy")),
        ("x-single-active-consumer", AmqpValue::Bool(true)),
    ];
    let queue = Queue {
        durable: false,
        auto_delete: true,
        arguments: arguments.map(|(name, value)| (name.into(), value)).to_vec(),
        ..Queue::new("q")
    };
    assert_eq!(declared, [Action::Declare(Declaration::Queue(queue))]);
    for line in ["declare queue q", "declare queue q --durable"] {
        let usual = Action::Declare(Declaration::Queue(Queue::new("q")));
        assert_eq!(actions(line), [usual], "{line}");
    }
    let unnamed = topology(&["declare", "queue", "", "--output", "json"]);
    assert!(unnamed.json);
    assert_eq!(
        unnamed.actions,
        [Action::Declare(Declaration::Queue(Queue::new("")))]
    );
    let passive = Declaration::QueueIsThere("q".into());
    assert_eq!(
        actions("declare queue q --passive"),
        [Action::Declare(passive)]
    );
}

#[test]
fn an_exchange_is_declared_with_its_type() {
    let declared =
        actions("declare exchange x --type topic --internal --auto-delete --alternate-exchange o");
    let exchange = Exchange {
        auto_delete: true,
        internal: true,
        arguments: vec![("alternate-exchange".into(), AmqpValue::Text("o".into()))],
        ..Exchange::new("x", "topic")
    };
    assert_eq!(declared, [Action::Declare(Declaration::Exchange(exchange))]);
    let usual = Declaration::Exchange(Exchange::new("x", "direct"));
    assert_eq!(actions("declare exchange x"), [Action::Declare(usual)]);
    let passive = Declaration::ExchangeIsThere("x".into());
    assert_eq!(
        actions("declare exchange amqp://h x --passive"),
        [Action::Declare(passive)]
    );
}

#[test]
fn topology_is_taken_away() {
    let queue = Deletion::Queue {
        name: "q".into(),
        if_unused: true,
        if_empty: true,
    };
    assert_eq!(
        actions("delete queue q --if-unused --if-empty"),
        [Action::Delete(queue)]
    );
    let exchange = Deletion::Exchange {
        name: "x".into(),
        if_unused: false,
    };
    assert_eq!(
        actions("delete exchange amqp://h x"),
        [Action::Delete(exchange)]
    );
    assert_eq!(actions("purge q"), [Action::Purge("q".into())]);
}

#[test]
fn bindings_are_one_for_each_key() {
    let binding = |destination, key: &str| Binding {
        source: "x".into(),
        destination,
        key: key.into(),
        arguments: Vec::new(),
    };
    let queue = || Destination::Queue("q".into());
    assert_eq!(
        actions("bind amqp://h q -e x -k a -k b"),
        ["a", "b"].map(|key| Action::Bind(binding(queue(), key)))
    );
    assert_eq!(
        actions("unbind q -e x"),
        [Action::Unbind(binding(queue(), ""))]
    );
    let exchange = Destination::Exchange("y".into());
    assert_eq!(
        actions("bind -e x --to-exchange y"),
        [Action::Bind(binding(exchange, ""))]
    );
    let any = topology(&split("bind q -e x --argument x-match=any")).actions;
    assert!(
        matches!(&any[..], [Action::Bind(binding)] if binding.arguments == [("x-match".into(), AmqpValue::Text("any".into()))])
    );
}

#[test]
fn ping_counts() {
    let settings = ping("-C 3 --interval 10ms --output json").settings;
    assert_eq!((settings.count, settings.json), (Some(3), true));
    assert_eq!(settings.interval, Duration::from_millis(10));
    let settings = ping("").settings;
    assert_eq!((settings.count, settings.json), (Some(4), false));
    assert_eq!(settings.interval, Duration::from_secs(1));
    assert_eq!(ping("-C 0").settings.count, None);
}

#[test]
fn refusals_say_what_is_wrong_in_one_line() {
    for (line, why) in [
        ("publish -m x", "no exchange or routing key was given"),
        ("publish -k a", "there is nothing to publish"),
        (
            "publish -k a -m x --window 0",
            "--window must be at least 1",
        ),
        (
            "publish -k a -m x --repeat 0",
            "--repeat must be at least 1",
        ),
        (
            "publish -k a -m x --header x",
            "--header: \"x\" is not NAME=VALUE or NAME:TYPE=VALUE",
        ),
        (
            "publish -k a -m x --declare --exchange-type topic",
            "--exchange-type needs -e",
        ),
        ("consume", "no queue was given"),
        ("consume amqp://h", "no queue was given"),
        ("consume q -C 0", "-C must be at least 1"),
        ("consume q --workers 2", "--workers needs --exec"),
        ("consume q --requeue", "--requeue needs --exec"),
        (
            "consume q --workers 0 --exec cat",
            "--workers must be at least 1",
        ),
        (
            "consume amqp://h q -h h",
            "the argument URL cannot be used with -h",
        ),
        (
            "consume q q",
            "with two arguments the first is the URL, but this one has no ://",
        ),
        ("get", "no queue was given"),
        ("get q -C 0", "-C must be at least 1"),
        ("request -m x", "no queue or exchange was given"),
        (
            "request amqp://h q -k q -m x",
            "the argument '[KEY]' cannot be used with '-k <KEY>'",
        ),
        (
            "request q -k q -m x",
            "-k and the argument KEY cannot be used together",
        ),
        ("respond q", "no reply was given"),
        ("respond --echo", "no queue was given"),
        ("declare queue", "no queue was given"),
        ("declare exchange", "no exchange was given"),
        (
            "declare queue q --ttl 5 --argument x-message-ttl=1",
            "--ttl and --argument x-message-ttl cannot be used together",
        ),
        (
            "declare queue q --argument a:wide=1",
            "--argument: \"wide\" is not a type; the types are string, int, int32, bool, double, decimal, time, hex, base64, json, null",
        ),
        ("bind -e x", "no queue was given"),
        (
            "bind q -e x --to-exchange y",
            "the argument QUEUE cannot be used with --to-exchange",
        ),
        ("purge", "no queue was given"),
    ] {
        assert_eq!(refused(&split(line)), why, "{line}");
    }
}

#[test]
fn values_are_refused_by_their_type() {
    for (line, why) in [
        ("publish -k a -n --priority 256", "256"),
        ("publish -k a -n --rate 0", "a rate must be more than 0"),
        (
            "publish -k a -n --expiration 1us",
            "a whole number of milliseconds",
        ),
        ("publish -k a -n --mandatory --no-confirm", "--no-confirm"),
        ("publish -k a -n --exchange-type topic", "--declare"),
        ("publish -k a -n --frame-max 4095", "4096"),
        ("publish -k a -n --heartbeat 65536", "65535"),
        ("publish -k a -n --auth md5", "external"),
        ("consume q --prefetch 0", "from 1 to 65535"),
        ("consume q --ack maybe", "requeue"),
        ("consume q --offset soon", "first, last, next"),
        ("consume q -k a", "--exchange"),
        ("consume q --ack nack --exec cat", "--exec"),
        ("respond q --echo -m x", "-m"),
        ("declare exchange x --type Topic", "direct, fanout, topic"),
        ("declare queue q --queue-type fast", "quorum"),
        ("declare queue q --overflow spill", "reject-publish"),
        ("declare queue q --passive --ttl 5", "--ttl"),
        ("declare queue q --durable --transient", "--transient"),
        (
            "declare queue q --dead-letter-key k",
            "--dead-letter-exchange",
        ),
        ("declare queue q --max-priority 0", "from 1 to 255"),
        ("bind q", "--exchange"),
        ("get q --all -C 1", "-C"),
    ] {
        let said = refused(&split(line));
        assert!(said.contains(why), "{line} said {said}");
    }
}

#[test]
fn names_have_at_most_255_bytes() {
    let long = "n".repeat(256);
    for (line, what) in [
        ("consume", "the name of the queue"),
        ("purge", "the name of the queue"),
        ("declare queue", "the name of the queue"),
        ("delete exchange", "the name of the exchange"),
        ("publish -n -e", "-e"),
        ("publish -n -k", "-k"),
        ("publish -n -k a --message-id", "--message-id"),
        ("publish -n -k a --vhost", "--vhost"),
        ("bind q -e x -k", "-k"),
        ("consume q --consumer-tag", "--consumer-tag"),
        (
            "declare queue q --dead-letter-exchange",
            "--dead-letter-exchange",
        ),
    ] {
        let words = [&split(line)[..], &[&long]].concat();
        let said = refused(&words);
        assert_eq!(
            said,
            format!("{what} is longer than 255 bytes (256)"),
            "{line}"
        );
    }
    let header = format!("{long}=1");
    let said = refused(&["publish", "-n", "-k", "a", "--header", &header]);
    assert!(said.ends_with("which has 1 to 255 bytes"), "{said}");
}

#[test]
fn help_names_the_schemes_of_amqp() {
    for command in ["publish", "consume", "ping"] {
        let Ok(Parsed::Help(page, _)) = read(&[command, "--help"]) else {
            panic!("{command} has no help");
        };
        assert!(page.contains("amqp://[USER"), "{page}");
        assert!(page.contains("5672, with TLS 5671"), "{page}");
        assert!(
            !page.contains("mqtt://") && !page.contains("1883"),
            "{page}"
        );
    }
}
