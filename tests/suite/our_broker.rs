//! `mqtt broker` with mosquitto's clients, and with ours where those cannot do it.

use serde_json::Value;

use crate::support::broker::{Broker, broker, started};
use crate::support::certificates::Certificates;
use crate::support::command::{Running, finish, iotctl, program, signal};

/// A mosquitto_sub that is subscribed.
fn listening(broker: &mut Broker, filter: &str, words: &str) -> Running {
    let running = broker.sub_line(&format!("-t {filter} {words}")).start();
    broker.sees_subscription(filter);
    running
}

#[test]
fn mosquitto_s_clients_talk_in_each_version_and_quality() {
    let mut broker = broker("");
    for version in ["mqttv31", "mqttv311", "mqttv5"] {
        for qos in [0, 1, 2] {
            let topic = format!("{version}/{qos}");
            let words = format!("-V {version} -q {qos}");
            let receiver = listening(
                &mut broker,
                &topic,
                &format!("{words} -C 2 -W 20 -F %q:%r:%p"),
            );
            for message in ["one", "two"] {
                broker
                    .pub_line(&format!("{words} -t {topic} -m {message}"))
                    .run()
                    .exits(0);
            }
            receiver
                .ends()
                .exits(0)
                .prints(&format!("{qos}:0:one\n{qos}:0:two\n"));
        }
    }
}

#[test]
fn many_lines_of_mosquitto_pub_arrive() {
    let mut broker = broker("");
    for qos in [0, 1, 2] {
        let topic = format!("many/{qos}");
        let words = format!("-q {qos} -C 5000 -W 30");
        let receiver = listening(&mut broker, &topic, &words);
        let lines: String = (0..5_000).map(|number| format!("{number}\n")).collect();
        broker
            .pub_line(&format!("-q {qos} -t {topic} -l"))
            .input(lines.clone())
            .run()
            .exits(0);
        receiver.ends().exits(0).prints(&lines);
    }
}

#[test]
fn the_lowest_quality_of_both_sides_counts() {
    let mut broker = broker("");
    for (published, subscribed, delivered) in [(2, 1, 1), (1, 2, 1), (0, 2, 0), (2, 0, 0)] {
        let topic = format!("q/{published}/{subscribed}");
        let words = format!("-q {subscribed} -C 1 -W 20 -F %q");
        let receiver = listening(&mut broker, &topic, &words);
        broker
            .pub_line(&format!("-q {published} -t {topic} -m x"))
            .run()
            .exits(0);
        receiver.ends().exits(0).prints(&format!("{delivered}\n"));
    }
}

#[test]
fn tls_with_and_without_a_client_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let files = Certificates::in_folder(folder.path());
    for mutual in [false, true] {
        let mut line = iotctl("mqtt broker --listen mqtts://127.0.0.1:0 --cert")
            .word(&files.server)
            .word("--key")
            .word(&files.server_key);
        let mut words = format!("--cafile {}", files.ca.display());
        if mutual {
            line = line.word("--client-ca").word(&files.ca);
            words += &format!(
                " --cert {} --key {}",
                files.client.display(),
                files.client_key.display()
            );
        }
        let mut broker = started(line);
        let receiver = listening(&mut broker, "t", &format!("{words} -C 1 -W 20"));
        broker
            .pub_line(&format!("{words} -t t -m secret -q 1"))
            .run()
            .exits(0);
        receiver.ends().exits(0).prints("secret\n");
    }
}

#[test]
fn several_listeners_print_a_line_each() {
    let folder = tempfile::tempdir().unwrap();
    let files = Certificates::in_folder(folder.path());
    let socket = folder.path().join("socket");
    let mut running = iotctl("mqtt broker --listen 127.0.0.1:0 --listen mqtts://127.0.0.1:0")
        .words("--listen ws://127.0.0.1:0 --listen wss://[::1]:0 --listen")
        .word(format!("unix:{}", socket.display()))
        .word("--cert")
        .word(&files.server)
        .word("--key")
        .word(&files.server_key)
        .start();
    let urls = running.lines(5);
    let schemes = ["mqtt://", "mqtts://", "ws://", "wss://[::1]:"];
    let ca = files.ca.display();
    for (url, start) in urls.iter().zip(schemes) {
        assert!(url.starts_with(start), "{url}");
        assert!(!url.ends_with(":0"), "{url}");
        let mut words = format!("mqtt pub {url} -t a -m x -q 1");
        if start.contains("s://") && start != "ws://" {
            words += &format!(" --cafile {ca} --tls-server-name localhost");
        }
        iotctl(&words).run().exits(0);
    }
    assert!(urls[4].starts_with("unix:"), "{}", urls[4]);
    program("mosquitto_pub", "-t a -m x -q 1 --unix")
        .word(&socket)
        .run()
        .exits(0);
}

#[test]
fn retained_messages_stay_until_they_are_emptied() {
    let mut broker = broker("");
    broker.pub_line("-t r/a -m old -r").run().exits(0);
    broker.pub_line("-t r/a -m kept -r -q 1").run().exits(0);
    broker
        .sub_line("-t r/# -C 1 -W 20 -F %t:%r:%p")
        .run()
        .exits(0)
        .prints("r/a:1:kept\n");
    let receiver = listening(&mut broker, "r/a", "-C 2 -W 20 -F %r:%p");
    broker.pub_line("-t r/a -m new -r").run().exits(0);
    receiver.ends().exits(0).prints("1:kept\n0:new\n");
    broker.pub_line("-t r/a -n -r").run().exits(0);
    broker
        .iotctl("sub -t r/# --retained-only")
        .run()
        .exits(0)
        .prints("");
}

#[test]
fn wills_come_after_a_kill_only() {
    let mut broker = broker("");
    let mut witness = listening(&mut broker, "will/#", "-v");
    let client = |broker: &mut Broker, name: &str| {
        let words = format!("-C 1 --will-topic will/{name} --will-payload gone");
        listening(broker, &format!("own/{name}"), &words)
    };
    // Not by a signal, which mosquitto_sub does not always survive without a deadlock.
    let clean = client(&mut broker, "clean");
    broker.pub_line("-t own/clean -m x").run().exits(0);
    clean.ends().exits(0);
    let killed = client(&mut broker, "kill");
    killed.signal("KILL");
    killed.ends().exits(-9);
    assert_eq!(witness.line(), "will/kill gone");
}

#[test]
fn a_will_can_be_delayed_and_withdrawn() {
    let mut broker = broker("");
    let mut witness = listening(&mut broker, "will", "");
    let words = "sub -i delayed -x 100 --will-topic will --will-payload gone";
    let start = |broker: &mut Broker, delay: u32| {
        let running = broker
            .iotctl(&format!(
                "{words} -D will will-delay-interval {delay} -t own"
            ))
            .start();
        broker.sees_subscription("own");
        running
    };
    // Back before the delay is over: no will.
    start(&mut broker, 60).signal("KILL");
    broker
        .running
        .hears("delayed disconnected without DISCONNECT");
    start(&mut broker, 1).signal("KILL");
    assert_eq!(witness.line(), "gone");
}

#[test]
fn persistent_sessions_keep_messages() {
    let mut broker = broker("");
    for (version, expiry) in [("mqttv311", ""), ("mqttv5", "-x 1000")] {
        let id = format!("keeper-{version}");
        let words = format!("-V {version} -i {id} -c {expiry} -q 1 -t kept/{version}");
        broker.sub_line(&format!("{words} -E")).run().exits(0);
        for message in ["one", "two"] {
            broker
                .pub_line(&format!("-q 1 -t kept/{version} -m {message}"))
                .run()
                .exits(0);
        }
        broker
            .sub_line(&format!("{words} -C 2 -W 20"))
            .run()
            .exits(0)
            .prints("one\ntwo\n");
        broker.running.hears(&format!("{id} connected from "));
    }
}

#[test]
fn properties_go_through() {
    let mut broker = broker("");
    let receiver = listening(
        &mut broker,
        "p",
        "-V mqttv5 -C 1 -W 20 -F %C|%R|%D|%F|%P|%p",
    );
    broker
        .pub_line("-V mqttv5 -t p -m x -D publish content-type text/plain")
        .words("-D publish response-topic r/t -D publish correlation-data id7")
        .words("-D publish payload-format-indicator 1")
        .words("-D publish user-property k v -D publish user-property k w")
        .run()
        .exits(0);
    receiver
        .ends()
        .exits(0)
        .prints("text/plain|r/t|id7|1|k:v k:w|x\n");
}

#[test]
fn a_message_expires_while_it_waits() {
    let broker = broker("");
    let words = "-V mqttv5 -i e -c -x 1000 -q 1 -t e";
    broker.sub_line(&format!("{words} -E")).run().exits(0);
    for (message, expiry) in [("short", 1), ("long", 1000)] {
        broker
            .pub_line(&format!(
                "-V mqttv5 -q 1 -t e -m {message} -D publish message-expiry-interval {expiry}"
            ))
            .run()
            .exits(0);
    }
    // A retained message with the same expiry tells when the time is over.
    broker
        .pub_line("-V mqttv5 -q 1 -t clock -m x -r -D publish message-expiry-interval 1")
        .run()
        .exits(0);
    crate::support::wait_for("the second to pass", || {
        let left = broker.iotctl("sub -t clock --retained-only").run();
        left.stdout.is_empty().then_some(())
    });
    broker
        .sub_line(&format!("{words} -C 1 -W 20"))
        .run()
        .exits(0)
        .prints("long\n");
}

#[test]
fn shared_subscriptions_share() {
    let mut broker = broker("");
    let share = |broker: &mut Broker| listening(broker, "$share/g/s", "-V mqttv5 -q 1");
    let (mut one, mut two) = (share(&mut broker), share(&mut broker));
    broker
        .iotctl("pub -t s -q 1 -l")
        .input("1\n2\n3\n4\n")
        .run()
        .exits(0);
    let mut all = [one.lines(2), two.lines(2)].concat();
    all.sort();
    assert_eq!(all, ["1", "2", "3", "4"]);
}

#[test]
fn scram_never_sends_the_password() {
    let directory = tempfile::tempdir().unwrap();
    let users = directory.path().join("users");
    std::fs::write(&users, "ann:secret\n").unwrap();
    let broker = broker(&format!("--password-file {}", users.display()));
    for method in ["scram-sha-256", "SCRAM-SHA-512"] {
        let line = format!("pub -t t -m x -q 1 -u ann --auth-method {method}");
        broker
            .iotctl(&line)
            .env("IOTCTL_PASSWORD", "secret")
            .run()
            .exits(0);
        broker
            .iotctl(&line)
            .env("IOTCTL_PASSWORD", "wrong")
            .run()
            .exits(4)
            .says("not authorized");
        broker
            .iotctl(&line)
            .run()
            .exits(2)
            .says("--auth-method needs a user name and a password");
    }
}

#[test]
fn each_listener_may_have_its_own_users() {
    let directory = tempfile::tempdir().unwrap();
    let users = directory.path().join("users");
    // "password", by argon2id.
    std::fs::write(
        &users,
        "ann:$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFi$xxFyw6sthWjNXKDiZ/dJO2N4z2P5I2Dxf/vp++tEuEk\n",
    )
    .unwrap();
    let own = format!(
        "mqtt broker --quiet --listen 127.0.0.1:0 --listen 127.0.0.1:0;password-file={}",
        users.display()
    );
    let mut broker = iotctl(&own).start();
    let (open, closed) = (broker.line(), broker.line());
    let publish =
        |url: &str, more: &str| iotctl(&format!("mqtt pub {url} -t t -m x -q 1 {more}")).run();
    publish(&open, "").exits(0);
    publish(&open, "-u ann -P wrong").exits(0);
    publish(&closed, "").exits(4);
    publish(&closed, "-u ann -P wrong").exits(4);
    publish(&closed, "-u ann -P password").exits(0);
    broker.signal("TERM");
    broker.ends().exits(0);
}

#[test]
fn the_figures_are_told() {
    let broker = broker("--sys-interval 100ms");
    let shown = broker
        .sub_line("-t $SYS/broker/version -t $SYS/broker/clients/connected -C 2 -W 20 -v")
        .run()
        .exits(0);
    let text = shown.text();
    assert!(
        text.contains("$SYS/broker/version iotctl version "),
        "{text}"
    );
    assert!(text.contains("$SYS/broker/clients/connected "), "{text}");
    // A wildcard does not reach them.
    broker.iotctl("sub -t # --for 1s").run().exits(0).prints("");
}

#[test]
fn users_and_rights_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (users, rights) = (folder.path().join("users"), folder.path().join("rights"));
    std::fs::write(&users, "ann:one\nbob:two:three\n").unwrap();
    let acl = "topic read public/#\nuser ann\ntopic readwrite #\nuser bob\ntopic read shown/#\npattern write own/%u/#\n";
    std::fs::write(&rights, acl).unwrap();
    let mut broker = started(
        iotctl("mqtt broker --listen 127.0.0.1:0 --password-file")
            .word(&users)
            .word("--acl-file")
            .word(&rights),
    );
    for (words, code) in [
        ("-u ann -P one", 0),
        ("-u ann -P two", 4),
        ("-u carl -P one", 4),
        ("-u ann", 4),
        ("", 5),
    ] {
        let ended = broker.pub_line(&format!("-t own/ann/x -m x {words}")).run();
        assert_eq!(ended.code, code, "{words}: {}", ended.stderr);
    }
    let bob = "-u bob -P two:three";
    let receiver = listening(&mut broker, "own/#", "-u ann -P one -C 1 -W 20 -v");
    // Denied ones are dropped on 3.1.1 and refused on 5.
    broker
        .pub_line(&format!("{bob} -t own/ann/x -m no -q 1"))
        .run()
        .exits(0);
    broker
        .iotctl(&format!("pub {bob} -t own/ann/x -m no -q 1"))
        .run()
        .exits(4)
        .says("not authorized");
    broker
        .pub_line(&format!("{bob} -t own/bob/x -m yes -q 1"))
        .run()
        .exits(0);
    receiver.ends().exits(0).prints("own/bob/x yes\n");
    broker
        .iotctl(&format!("sub {bob} -t hidden/#"))
        .run()
        .exits(4)
        .says("refused the subscription to hidden/#: not authorized");
    broker
        .iotctl(&format!("sub {bob} -t shown/# -E"))
        .run()
        .exits(0);
}

#[test]
fn connections_are_limited() {
    let mut broker = broker("--max-connections 1");
    let first = listening(&mut broker, "a", "");
    let ended = broker.pub_line("-V mqttv5 -t a -m x").run();
    assert_ne!(ended.code, 0);
    let ended = broker
        .iotctl("pub -t a -m x")
        .run()
        .says("refused the connection");
    assert_eq!(ended.code, 1);
    drop(first);
    crate::support::wait_for("the place to be free", || {
        (broker.pub_line("-t a -m x").run().code == 0).then_some(())
    });
}

#[test]
fn a_signal_ends_it_well_and_tells_its_clients() {
    for name in ["TERM", "INT"] {
        let mut broker = broker("");
        let client = broker.iotctl("sub -t a --retry never").start();
        broker.sees_subscription("a");
        broker.running.signal(name);
        let Broker { running, .. } = broker;
        running.ends().exits(0).says("stopped after 1 connection, ");
        client.ends().exits(6).says("server shutting down");
    }
}

#[test]
fn it_says_what_it_is_and_keeps_quiet_when_told() {
    let mut talking = broker("");
    talking.running.hears("a broker for development and tests");
    let quiet = broker("--quiet");
    quiet.pub_line("-t a -m x").run().exits(0);
    quiet.running.signal("TERM");
    quiet.running.ends().exits(0).quietly();
}

#[test]
fn limits_are_told_and_kept() {
    let broker = broker("--max-packet-size 1KiB --max-qos 1 --no-retain --server-keep-alive 7");
    let big = "x".repeat(2_000);
    broker
        .iotctl("pub -t a -q 1 -m")
        .word(&big)
        .run()
        .exits(1)
        .says("1024");
    broker
        .iotctl("pub -t a -q 2 -m x")
        .run()
        .exits(1)
        .says("QoS");
    broker
        .iotctl("pub -t a -r -m x")
        .run()
        .exits(1)
        .says("retain");
    broker.iotctl("pub -t a -q 1 -m x").run().exits(0);
}

#[test]
fn a_slow_client_does_not_hold_up_the_others() {
    let mut broker = broker("--max-buffered-bytes 1MiB");
    let slow = listening(&mut broker, "a", "-q 0");
    signal(slow.id(), "STOP");
    let mut fast = broker.iotctl("sub -t a -q 0 -C 3000 -F %l").start();
    broker.sees_subscription("a");
    // Each round less than the bound: on a busy machine the fast one may not be so fast.
    let round = format!("{}\n", "x".repeat(4_000)).repeat(200);
    for _ in 0..15 {
        broker
            .iotctl("pub -t a -q 1 -l")
            .input(round.clone())
            .run()
            .exits(0);
        assert_eq!(fast.lines(200), ["4000"; 200]);
    }
    fast.ends().exits(0);
    signal(slow.id(), "CONT");
}

#[test]
fn faults_do_what_they_say() {
    // Acknowledgements sent twice, and one byte at a time: nothing is lost or doubled at QoS 2.
    let doubled = ["puback", "pubrec", "pubrel", "pubcomp"]
        .map(|kind| format!("--fault duplicate-ack:packet={kind}"))
        .join(" ");
    let mut broker = broker(&format!("--fault dribble {doubled}"));
    let receiver = broker.iotctl("sub -t a -q 2 -C 20").start();
    broker.sees_subscription("a");
    let lines: String = (0..20).map(|number| format!("{number}\n")).collect();
    broker
        .iotctl("pub -t a -q 2 -l")
        .input(lines.clone())
        .run()
        .exits(0);
    receiver.ends().exits(0).prints(&lines);
}

#[test]
fn sessions_can_be_forgotten() {
    let broker = broker("--fault forget-sessions");
    let words = "sub -c -i f -q 1 -t f";
    broker.iotctl(&format!("{words} -E")).run().exits(0);
    broker.iotctl("pub -t f -q 1 -m x").run().exits(0);
    broker
        .iotctl(&format!("{words} -C 1 -W 300ms"))
        .run()
        .exits(5);
}

#[test]
fn the_server_s_keep_alive_of_0_stops_pings() {
    let mut broker = broker("--fault server-keep-alive:seconds=0");
    let running = broker.iotctl("sub -t a -k 1 --for 1500ms").start();
    broker.sees_subscription("a");
    running.ends().exits(0).quietly();
}

#[test]
fn a_silent_client_is_cut_off() {
    let mut broker = broker("");
    let client = listening(&mut broker, "a", "-i sleeper -k 5");
    let quick = broker.iotctl("sub -t b -i quick -k 1").start();
    broker.sees_subscription("b");
    signal(quick.id(), "STOP");
    broker
        .running
        .hears("quick disconnected: keep alive timeout");
    signal(quick.id(), "CONT");
    drop(client);
}

#[test]
fn a_client_that_says_nothing_is_cut_off() {
    let broker = broker("--connect-timeout 200ms");
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", broker.port)).unwrap();
    stream
        .set_read_timeout(Some(crate::support::PATIENCE))
        .unwrap();
    let mut byte = [0];
    let read = std::io::Read::read(&mut stream, &mut byte).unwrap();
    assert_eq!(read, 0);
}

#[test]
fn records_of_all_our_outputs_are_json() {
    let broker = broker("");
    broker.iotctl("pub -t a/b -m x -r -q 1").run().exits(0);
    let shown = broker
        .iotctl("sub -t a/# -C 1 --output json")
        .run()
        .exits(0);
    let record: Value = serde_json::from_str(shown.text()).unwrap();
    assert_eq!(record["topic"], "a/b");
    assert_eq!(record["mqtt"]["retain"], true);
}

#[test]
fn it_needs_no_standard_output() {
    let mut command = iotctl("mqtt broker --listen 127.0.0.1:0").into_command();
    let (reader, writer) = std::io::pipe().unwrap();
    let child = command
        .stdout(writer)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut reader = std::io::BufReader::new(reader);
    std::io::BufRead::read_line(&mut reader, &mut line).unwrap();
    // Whoever started it has read the first line and gone away.
    drop(reader);
    let port = line.trim().rsplit(':').next().unwrap();
    program("mosquitto_pub", &format!("-p {port} -t a -m x -q 1"))
        .run()
        .exits(0);
    signal(child.id(), "TERM");
    finish(child).exits(0);
}
