//! `iotctl amqp broker` with our own commands, amqp-tools, and lapin used directly.

use futures_util::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};

use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use tempfile::TempDir;

use crate::support::broker::{Broker, started};
use crate::support::certificates::Certificates;
use crate::support::command::{Line, iotctl, program};

fn broker(words: &str) -> Broker {
    started(iotctl("amqp broker --listen 127.0.0.1:0").words(words))
}

impl Broker {
    fn url(&self) -> String {
        format!("amqp://127.0.0.1:{}", self.port)
    }

    /// `iotctl amqp COMMAND URL`
    fn amqp(&self, command: &str) -> Line {
        iotctl("amqp").words(command).word(self.url())
    }

    /// One of amqp-tools.
    fn tool(&self, name: &str) -> Line {
        program(name, "-u").word(self.url())
    }

    #[track_caller]
    fn declare(&self, words: &str) {
        self.amqp("declare queue").words(words).run().exits(0);
    }

    /// Waits until somebody consumes from this queue.
    fn sees_consumer(&mut self, queue: &str) {
        self.running.hears(&format!(" consumes from {queue}"));
    }
}

#[test]
fn wrong_input_behind_a_request_is_no_wrong_usage() {
    let mut broker = broker("");
    let respond = broker.amqp("respond").words("q --declare --echo -C 1");
    let serving = respond.start();
    broker.sees_consumer("q");
    let request = broker.amqp("request").words("-k q --ndjson");
    let records = "{\"payload\":\"one\"}\n{\"payload\":2}\n";
    let ended = request.input(records).run().exits(8).prints("one\n");
    ended
        .says("standard input:2: payload: invalid type")
        .says("of 1 request sent, 1 succeeded");
    serving.ends().exits(0);
    let request = broker.amqp("request").words("-k q --ndjson");
    request.input("{}\n").run().exits(2);
}

#[test]
fn requests_are_counted_as_requests() {
    let mut broker = broker("");
    let respond = broker.amqp("respond").words("q --declare --echo -C 1");
    let serving = respond.start();
    broker.sees_consumer("q");
    let request = broker.amqp("request").words("-k q -l -W 0.2");
    let ended = request.input("a\nb\nc\n").run().exits(5).prints("a\n");
    ended
        .says("no reply to the request")
        .says("of 2 requests sent, 1 succeeded, 1 timed out, 1 read but not sent");
    serving.ends().exits(0);
}

#[test]
fn what_no_queue_receives_is_counted() {
    let broker = broker("");
    broker.declare("q");
    for confirm in ["", "--no-confirm"] {
        let publish = |words: &str| {
            let line = broker.amqp("publish").words("-k q -k nowhere -m x");
            line.words(confirm).words(words).run()
        };
        publish("--repeat 3")
            .exits(0)
            .says("no queue received 3 messages, which the server dropped")
            .says("--declare declares the queue, --mandatory makes this an error");
        publish("--quiet").exits(0).quietly();
    }
    let line = broker.amqp("publish").words("-k nowhere -m x --mandatory");
    line.run().exits(1).says("312 NO_ROUTE");
    // Nothing is added to a message whose return is only counted.
    let taken = broker.amqp("get").words("q --output json").run();
    assert!(!taken.exits(0).text().contains("message_id"));
}

#[test]
fn the_time_for_a_reply_bounds_the_connection_too() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("amqp://{}", listener.local_addr().unwrap());
    let line = iotctl("amqp request -m x -W 0.3").word(&url).words("-k q");
    line.run()
        .exits(5)
        .says(&format!("no connection to {url} within 300ms"));
}

#[test]
fn a_task_queue_with_dead_letters() {
    let broker = broker("");
    broker.declare("failed");
    broker
        .amqp("declare queue")
        .words("tasks --queue-type quorum --dead-letter-exchange")
        .word("")
        .words("--dead-letter-key failed")
        .run()
        .exits(0);
    let publish = broker
        .amqp("publish")
        .words("-k tasks -l --persistent --mandatory");
    publish.input("resize a.png\nresize b.txt\n").run().exits(0);
    let work = broker
        .amqp("consume")
        .words("tasks -C 2 --quiet --exec grep png");
    work.run().exits(1);
    let failed = broker
        .amqp("consume")
        .words("failed -C 1 --output json")
        .run();
    failed
        .exits(0)
        .contains("resize b.txt")
        .contains("rejected");
    broker
        .amqp("get")
        .words("tasks")
        .run()
        .exits(1)
        .says("is empty");
}

#[test]
fn errors_of_all_programs() {
    let mut broker = broker("");
    broker
        .amqp("declare exchange")
        .words("logs --type topic")
        .run()
        .exits(0);
    broker.declare("errors");
    broker
        .amqp("bind")
        .words("errors -e logs -k *.error")
        .run()
        .exits(0);
    let mut tap = broker.amqp("consume").words("-e logs -k # -v").start();
    broker.running.hears(" consumes from amq.gen-");
    for (key, body) in [("kitchen.info", "open"), ("kitchen.error", "fire")] {
        let publish = broker
            .amqp("publish")
            .words("-e logs -k")
            .word(key)
            .words("-m");
        publish.word(body).run().exits(0);
    }
    assert_eq!(tap.lines(2), ["kitchen.info open", "kitchen.error fire"]);
    tap.signal("TERM");
    tap.ends();
    broker
        .amqp("get")
        .words("errors --all")
        .run()
        .exits(0)
        .prints("fire\n");
    broker
        .amqp("unbind")
        .words("errors -e logs -k *.error")
        .run()
        .exits(0);
    broker
        .amqp("publish")
        .words("-e logs -k a.error -m x --mandatory")
        .run()
        .exits(1);
    for _ in 0..2 {
        let gone = broker.amqp("delete exchange").words("logs").run();
        gone.exits(0).prints("logs\tdeleted, or did not exist\n");
    }
    broker.amqp("delete queue").words("errors").run().exits(0);
    broker
        .amqp("purge")
        .words("errors")
        .run()
        .exits(1)
        .says("no queue 'errors'");
}

#[test]
fn remote_procedure_calls() {
    let mut broker = broker("");
    let respond = broker
        .amqp("respond")
        .words("echo --declare --echo -C 3")
        .start();
    broker.sees_consumer("echo");
    let request = broker.amqp("request").words("echo -l").input("7\n8\n9\n");
    let answered = request.run();
    answered.exits(0).prints("7\n8\n9\n");
    respond.ends_by_itself().exits(0);
    broker
        .amqp("request")
        .words("nobody -m 7")
        .run()
        .exits(1)
        .says("no responder for");
}

#[test]
fn ping_and_logins() {
    let folder = TempDir::new().unwrap();
    let users = folder.path().join("users");
    std::fs::write(&users, "ann:secret\n").unwrap();
    let line = iotctl("amqp broker --listen 127.0.0.1:0 --vhost / --vhost test --password-file");
    let broker = started(line.word(&users));
    let ping = |user: &str, password: &str, vhost: &str| {
        let url = format!("amqp://{user}:{password}@127.0.0.1:{}/{vhost}", broker.port);
        iotctl("amqp ping").word(url).run()
    };
    ping("ann", "secret", "").exits(0);
    ping("ann", "secret", "test").exits(0);
    ping("ann", "wrong", "").exits(4).says("refused the login");
    ping("bob", "secret", "").exits(4);
    ping("ann", "secret", "nowhere")
        .exits(1)
        .says("vhost nowhere not found");
}

#[test]
fn over_tls() {
    let folder = TempDir::new().unwrap();
    let certificates = Certificates::in_folder(folder.path());
    let line = iotctl("amqp broker --listen amqps://127.0.0.1:0 --cert")
        .word(&certificates.server)
        .word("--key")
        .word(&certificates.server_key);
    let broker = started(line);
    let url = format!("amqps://127.0.0.1:{}", broker.port);
    let ping = iotctl("amqp ping")
        .word(url)
        .word("--cafile")
        .word(&certificates.ca);
    ping.run().exits(0);
    broker.amqp("ping").run().exits(3).says("TLS");
}

#[test]
fn amqp_tools() {
    let mut broker = broker("");
    broker
        .tool("amqp-declare-queue")
        .words("-q tools")
        .run()
        .exits(0)
        .prints("tools\n");
    let publish = broker
        .tool("amqp-publish")
        .words("-r tools -l -p -C text/plain");
    publish.input("one\ntwo\nthree\n").run().exits(0);
    let got = broker.tool("amqp-get").words("-q tools").run();
    assert_eq!((got.code, got.stdout), (0, b"one\n".to_vec()));
    let consumed = broker
        .tool("amqp-consume")
        .words("-q tools -c 2 -p 1 cat")
        .run();
    assert_eq!(
        (consumed.code, consumed.stdout),
        (0, b"two\nthree\n".to_vec())
    );
    assert_eq!(broker.tool("amqp-get").words("-q tools").run().code, 2);
    broker
        .tool("amqp-publish")
        .words("-e nosuch -r k -b x")
        .run()
        .exits(1);
    // A queue of its own, bound to an exchange.
    let tap = broker
        .tool("amqp-consume")
        .words("-e amq.topic -r a.# -A -c 1 cat")
        .start();
    broker.running.hears(" consumes from amq.gen-");
    broker
        .tool("amqp-publish")
        .words("-e amq.topic -r a.b -b tapped")
        .run()
        .exits(0);
    let ended = tap.ends_by_itself();
    assert_eq!(ended.stdout, b"tapped\n");
    broker
        .tool("amqp-delete-queue")
        .words("-q tools")
        .run()
        .exits(0)
        .prints("0\n");
}

#[test]
fn faults_are_noticed() {
    let refusing = broker("--fault nack:nth=2");
    refusing.declare("q");
    let publish = refusing
        .amqp("publish")
        .words("-k q -l")
        .input("1\n2\n3\n")
        .run();
    assert_eq!(publish.code, 1, "{publish:?}");
    refusing.amqp("get").words("q --all").run().prints("1\n3\n");

    let cutting = broker("--fault close:after=7");
    cutting
        .amqp("publish")
        .words("-k q -l --retry never")
        .input("1\n2\n3\n4\n5\n")
        .run()
        .exits(6);

    let unlimited = broker("--fault frame-max:bytes=0");
    unlimited.declare("q");
    unlimited
        .amqp("publish")
        .words("-k q -m x --mandatory")
        .run()
        .exits(0);

    let silent = broker("--fault drop-confirm");
    silent.declare("q");
    silent
        .amqp("publish")
        .words("-k q -m x --ack-timeout 1s")
        .run()
        .exits(5);
}

#[test]
fn a_message_that_was_lost_on_its_way_is_not_acknowledged_with_others() {
    for words in ["", "--workers 3 --exec true", "--ack nack"] {
        let losing = broker("--fault drop-deliver:nth=1");
        losing.declare("q");
        let publish = losing.amqp("publish").words("-k q -l");
        publish.input("a\nb\nc\n").run().exits(0);
        let consume = losing.amqp("consume").words("q -C 2").words(words);
        consume.run().exits(0);
        let left = losing.amqp("get").words("q --all").run();
        left.prints("a\n");
    }
}

#[test]
fn the_end_of_the_broker_is_its_good_end() {
    let mut broker = broker("");
    broker.declare("q");
    let consume = broker.amqp("consume").words("q --retry never").start();
    broker.sees_consumer("q");
    broker.running.signal("TERM");
    consume.ends_by_itself().exits(6).says("shutting down");
    let ended = broker.running.ends_by_itself();
    ended.exits(0).says("stopped after 2 connections");
}

#[test]
fn wrong_words_are_refused() {
    for (words, expected) in [
        (
            "--listen ws://127.0.0.1:0",
            "the schemes are amqp and amqps",
        ),
        ("--listen amqps://127.0.0.1:0", "needs --cert and --key"),
        ("--user ann", "expected USER:PASSWORD"),
        ("--fault nothing", "unknown fault nothing"),
    ] {
        iotctl("amqp broker")
            .words(words)
            .run()
            .exits(2)
            .says(expected);
    }
}

/// Runs `work` with a channel of lapin's.
fn with_lapin<F: Future<Output = lapin::Result<()>>>(
    broker: &Broker,
    work: impl FnOnce(Channel) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let url = format!("{}/%2f", broker.url());
        let connection = Connection::connect(&url, ConnectionProperties::default())
            .await
            .unwrap();
        let channel = connection.create_channel().await.unwrap();
        work(channel).await.unwrap();
        connection.close(200, "bye".into()).await.unwrap();
    });
}

#[test]
fn lapin_publishes_with_confirms_and_consumes() {
    let broker = broker("");
    with_lapin(&broker, async |channel| {
        let queue = QueueDeclareOptions::default();
        channel
            .queue_declare("q".into(), queue, FieldTable::default())
            .await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        let properties = BasicProperties::default().with_delivery_mode(2);
        let mandatory = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        for number in 0..100_u8 {
            let body = [number];
            let publish =
                channel.basic_publish("".into(), "q".into(), mandatory, &body, properties.clone());
            assert!(matches!(publish.await?.await?, Confirmation::Ack(None)));
        }
        let lost = channel.basic_publish("".into(), "nobody".into(), mandatory, b"x", properties);
        assert!(
            matches!(lost.await?.await?, Confirmation::Ack(Some(_))),
            "it is returned"
        );

        channel.basic_qos(10, BasicQosOptions::default()).await?;
        let consume = BasicConsumeOptions::default();
        let mut consumer = channel
            .basic_consume("q".into(), "c".into(), consume, FieldTable::default())
            .await?;
        for number in 0..100_u8 {
            let delivery = consumer.next().await.unwrap()?;
            assert_eq!(delivery.data, [number]);
            delivery.ack(BasicAckOptions::default()).await?;
        }
        Ok(())
    });
}
