//! The driver and the engine against the embedded broker, with faults of known number.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::{LocalSet, spawn_local};

use super::group::Group;
use super::scan::Frame;
use super::session::MqttSession;
use super::*;
use crate::bench::clock::{Clock, Nanos};
use crate::bench::connection_state::ConnectionState;
use crate::bench::dial::Dialer;
use crate::bench::engine::{self, Outcome, Run, coalesce_for};
use crate::bench::pattern::Pattern;
use crate::bench::plan::{Arrivals, Load, Phases, Plan, Shard, Stage};
use crate::bench::recorder::{Quantity, Records, Window};
use crate::bench::result::Report;
use crate::bench::stamp::Stamp;
use crate::connect::{ListenAddress, ListenOn, Listener, Protocol, Target};
use crate::mqtt::broker::{Broker, Options};
use crate::mqtt::packet::{QoS, Version};
use crate::payload::template::Template;

/// A broker in a thread of its own; it ends when it is dropped.
struct Peer {
    port: u16,
    _stop: oneshot::Sender<()>,
}

fn local() -> runtime::Runtime {
    runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn broker(faults: &[&str]) -> Peer {
    broker_with(Options {
        faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        ..Options::default()
    })
}

fn broker_with(options: Options) -> Peer {
    let options = Options {
        receive_maximum: u16::MAX,
        max_inflight: u16::MAX,
        sys_interval: None,
        ..options
    };
    let (tell, port) = mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    thread::spawn(move || {
        let serve = async move {
            let on = ListenOn {
                protocol: Protocol::Mqtt,
                address: ListenAddress::Tcp("127.0.0.1:0".parse().unwrap()),
                tls: None,
                websocket: false,
            };
            let listener = Listener::bind(&on).await.unwrap();
            if let ListenAddress::Tcp(address) = listener.local_addr() {
                tell.send(address.port()).unwrap();
            }
            let broker = Broker::new(options, |_| {});
            let keeper = broker.clone();
            spawn_local(async move { keeper.keep_time().await });
            spawn_local(async move {
                loop {
                    let incoming = listener.accept().await.unwrap();
                    let broker = broker.clone();
                    spawn_local(async move {
                        let peer = incoming.peer().to_owned();
                        if let Ok(stream) = incoming.ready().await {
                            broker.carry(stream, peer, 0).await;
                        }
                    });
                }
            });
            let _ = stopped.await;
        };
        local().block_on(LocalSet::new().run_until(serve));
    });
    Peer {
        port: port.recv().unwrap(),
        _stop: stop,
    }
}

fn settings(publishers: usize, subscribers: usize, qos: QoS) -> Settings {
    let rate = Stage {
        lasts: None,
        from: 1000.0,
        to: 1000.0,
    };
    Settings {
        scenario: Scenario::Publish,
        version: Version::V5,
        publishers,
        subscribers,
        topic: Pattern::parse("t/{client}").unwrap(),
        groups: 1,
        filter: None,
        qos,
        sub_qos: qos,
        body: Body::Sized {
            least: 64,
            most: 64,
        },
        load: Load::Open {
            stages: vec![rate],
            arrivals: Arrivals::Constant,
            window: 1000,
        },
        window: 1000,
        ack_timeout: Duration::from_secs(30),
        away: Duration::from_millis(100),
        retained: 10,
        stamp_property: false,
        keep_alive: Duration::ZERO,
        clean: true,
        retain: false,
        shared_group: None,
        client_prefix: String::from("b-"),
        username: None,
        password: None,
        server: String::from("mqtt://localhost:1883"),
        run_id: 4711,
        seed: 1,
        leftover: Arc::default(),
    }
}

fn run(peer: &Peer, settings: &Settings, count: u64) -> Report {
    outcome(peer, settings, count, 2).report
}

fn outcome(peer: &Peer, settings: &Settings, count: u64, threads: usize) -> Outcome {
    after(peer, settings, count, threads, Duration::ZERO)
}

fn warmed_up(peer: &Peer, settings: &Settings, count: u64, warmup: Duration) -> Report {
    after(peer, settings, count, 2, warmup).report
}

fn after(
    peer: &Peer,
    settings: &Settings,
    count: u64,
    threads: usize,
    warmup: Duration,
) -> Outcome {
    local().block_on(async {
        let target = Target::tcp(Protocol::Mqtt, "127.0.0.1", peer.port);
        let dialer = Dialer::new(target, Vec::new(), (settings.connections(), ""))
            .await
            .unwrap();
        let made = settings.make(&Arc::new(dialer)).unwrap();
        let loads: Vec<_> = made.groups.iter().map(|group| group.load.clone()).collect();
        let plan = Plan {
            groups: made.groups,
            phases: Phases {
                warmup,
                duration: None,
                count: Some(count),
                drain: Duration::from_secs(3),
                interval: Duration::from_millis(100),
                start_at: None,
                gate: None,
            },
            threads,
            coalesce: coalesce_for(&loads),
            connect_rate: None,
            shard: Shard { index: 0, count: 1 },
            seed: 1,
        };
        let run = Run {
            plan: &plan,
            drivers: made.drivers,
            run_id: settings.run_id,
        };
        engine::run(run, std::future::pending(), |_| true)
            .await
            .unwrap()
    })
}

fn check_the_sums(report: &Report) {
    let found = &report.messages;
    assert_eq!(found.planned, found.sent + found.unsent, "{found:?}");
    let ended = found.acknowledged + found.refused + found.timed_out + found.lost_with_connection;
    assert_eq!(found.sent, ended, "{found:?}");
    assert_eq!(found.received, found.unique + found.duplicate, "{found:?}");
    assert_eq!(found.missing, found.expected.saturating_sub(found.unique));
}

#[test]
fn everything_arrives_at_every_quality_of_service_in_every_version() {
    let peer = broker(&[]);
    for version in [Version::V311, Version::V5] {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
            let settings = Settings {
                version,
                ..settings(3, 2, qos)
            };
            let report = run(&peer, &settings, 300);
            check_the_sums(&report);
            let found = &report.messages;
            assert_eq!((found.planned, found.acknowledged), (300, 300), "{found:?}");
            assert_eq!((found.unique, found.duplicate), (600, 0), "{found:?}");
            assert_eq!(report.latency["end_to_end"].count, 600);
            assert_eq!(report.latency["lag"].count, 300);
            assert_eq!(report.connections.opened, 5);
            assert_eq!(report.errors, []);
        }
    }
}

#[test]
fn acknowledgements_that_never_come_are_timed_out() {
    let peer = broker(&["drop-ack:packet=puback,every=10"]);
    let report = run(&peer, &settings(2, 0, QoS::AtLeastOnce), 200);
    check_the_sums(&report);
    let found = &report.messages;
    assert_eq!((found.acknowledged, found.timed_out), (180, 20));
    assert_eq!(report.latency["response"].count, 180);
}

#[test]
fn a_lost_acknowledgement_does_not_hold_its_place_for_ever() {
    let peer = broker(&["drop-ack:packet=puback,every=20"]);
    for think in [Duration::ZERO, Duration::from_millis(1)] {
        let settings = Settings {
            load: Load::Closed { window: 1, think },
            window: 1,
            ack_timeout: Duration::from_secs(2),
            ..settings(1, 0, QoS::AtLeastOnce)
        };
        // A window of one: without giving up, the twentieth message would be the last.
        let report = run(&peer, &settings, 50);
        check_the_sums(&report);
        let found = &report.messages;
        assert_eq!((found.planned, found.unsent), (50, 0), "{found:?}");
        // The broker counts on from one run to the next.
        let lost = if think.is_zero() { 2 } else { 3 };
        assert_eq!(
            (found.acknowledged, found.timed_out),
            (50 - lost, lost),
            "{found:?}"
        );
    }
}

#[test]
fn losses_duplicates_and_disorder_are_counted_exactly() {
    let one = |fault: &str| {
        // Five more than a multiple of ten: the last one may be held back for one that never follows.
        let report = run(&broker(&[fault]), &settings(1, 1, QoS::AtMostOnce), 205);
        check_the_sums(&report);
        report.messages
    };
    let lost = one("drop-publish:every=10");
    assert_eq!((lost.unique, lost.missing), (185, 20));
    let doubled = one("duplicate-publish:every=10");
    assert_eq!((doubled.unique, doubled.duplicate), (205, 20));
    let swapped = one("reorder-publish:every=10");
    assert_eq!((swapped.unique, swapped.missing), (205, 0));
    assert_eq!(swapped.reordered, 20, "{swapped:?}");
}

#[test]
fn on_a_virtual_clock_a_known_delay_is_measured_exactly() {
    let settings = settings(1, 1, QoS::AtLeastOnce);
    let lane = |group: Group, sender| {
        let session = MqttSession::new(Arc::new(group), 0, sender);
        ConnectionState::new(Box::new(session), 0)
    };
    let mut publisher = lane(settings.senders(), 1);
    let mut subscriber = lane(settings.receivers(), 0);
    publisher.ready = true;
    let mut records = Records {
        window: Window {
            from: 0,
            to: Nanos::MAX,
        },
        ..Records::default()
    };
    let (delay, late) = (50_000_000, 2_000_000);
    let (mut there, mut back) = (Vec::new(), Vec::new());
    for number in 0..1_000 {
        let due = 1_795_000_000_000_000_000 + number * 1_000_000;
        // The generator itself is late; the delay counts from the moment that the message was due.
        publisher.backlog.push_back(due);
        publisher.fill(due + late, &mut there, &mut records);
        let fed = subscriber.feed(&there, due + delay, &mut back, &mut records);
        assert_eq!(fed.unwrap().0, there.len());
        there.clear();
        let fed = publisher.feed(&back, due + delay, &mut there, &mut records);
        assert_eq!(fed.unwrap().0, back.len());
        back.clear();
    }
    for (quantity, expected) in [
        (Quantity::EndToEnd, delay),
        (Quantity::Response, delay),
        (Quantity::Service, delay - late),
    ] {
        let found = records.of(quantity).histogram().unwrap().clone();
        assert_eq!(found.len(), 1_000);
        // All values are one value, to the three digits of a histogram.
        for value in [found.min(), found.max()] {
            assert!(
                value.abs_diff(expected) <= expected / 1_000,
                "{quantity:?} {value}"
            );
        }
    }
}

/// A broker that answers each PUBLISH 50 ms after it was due, and says how late its fastest answer was in truth.
fn late_peer() -> (Peer, mpsc::Receiver<Nanos>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (say, fastest) = mpsc::channel();
    let (stop, _) = oneshot::channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        let clock = Clock::start();
        let (mut input, mut length, mut least) = (vec![0; 4096], 0, Nanos::MAX);
        loop {
            let read = stream.read(&mut input[length..]).unwrap_or(0);
            length += read;
            let Some(frame) = Frame::next(&input[..length]).unwrap() else {
                continue;
            };
            if frame.kind() != 3 {
                match frame.kind() {
                    1 => stream.write_all(&[0x20, 3, 0, 0, 0]).unwrap(),
                    // DISCONNECT, or the end of the connection.
                    _ => return say.send(least).unwrap(),
                }
            } else {
                let message = frame.message(true).unwrap();
                let due = Stamp::read(message.payload, clock.now()).unwrap().due;
                while clock.now() < due + 50_000_000 {
                    thread::sleep(Duration::from_micros(100));
                }
                let [high, low] = message.packet_id.to_be_bytes();
                least = least.min(clock.now() - due);
                stream.write_all(&[0x40, 2, high, low]).unwrap();
            }
            let taken = frame.length;
            input.copy_within(taken..length, 0);
            length -= taken;
        }
    });
    (Peer { port, _stop: stop }, fastest)
}

#[test]
fn over_a_socket_a_known_delay_is_measured_within_a_millisecond() {
    let (peer, fastest) = late_peer();
    let rate = Stage {
        lasts: None,
        from: 10.0,
        to: 10.0,
    };
    let settings = Settings {
        load: Load::Open {
            stages: vec![rate],
            arrivals: Arrivals::Constant,
            window: 1,
        },
        ..settings(1, 0, QoS::AtLeastOnce)
    };
    let report = outcome(&peer, &settings, 30, 1).report;
    let truth = fastest.recv().unwrap() as f64 / 1e6;
    let found = report.latency["response"].min_ms;
    // The fastest answer as its peer saw it leave, and as it was measured here. A busy machine delays some; it
    // would have to delay all by more than a millisecond to be told from a wrong measurement.
    assert!(
        (truth - 0.1..truth + 1.0).contains(&found),
        "{found} for {truth}"
    );
}

#[test]
fn refusals_are_counted_by_cause() {
    let peer = broker(&["refuse-publish:code=0x87,every=4"]);
    let report = run(&peer, &settings(1, 0, QoS::AtLeastOnce), 100);
    check_the_sums(&report);
    assert_eq!(report.messages.refused, 25);
    assert_eq!(
        report.errors[0].cause,
        "refused by the broker: not authorized (0x87)"
    );
    assert_eq!(report.errors[0].count, 25);
}

#[test]
fn lost_connections_come_back_and_every_message_is_accounted_for() {
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let peer = broker(&["close:every=100"]);
        let report = run(&peer, &settings(2, 1, qos), 500);
        check_the_sums(&report);
        assert_eq!(report.messages.planned, 500);
        assert_eq!(report.messages.unsent, 0, "{:?}", report.messages);
        assert!(report.connections.lost >= 3, "{:?}", report.connections);
        assert_eq!(report.connections.lost, report.connections.reopened);
        assert!(report.connections.away_s > 0.0);
    }
}

#[test]
fn a_known_number_of_losses_is_counted_exactly() {
    for clean in [true, false] {
        // One message at a time: the broker closes four times, after the hundredth packet of each hundred.
        let peer = broker(&["close:every=100"]);
        let settings = Settings {
            load: Load::Closed {
                window: 1,
                think: Duration::ZERO,
            },
            window: 1,
            clean,
            ..settings(1, 0, QoS::AtLeastOnce)
        };
        let report = run(&peer, &settings, 450);
        check_the_sums(&report);
        let (found, links) = (&report.messages, &report.connections);
        assert_eq!((links.lost, links.reopened), (4, 4), "{links:?}");
        assert_eq!(found.sent, 450, "{found:?}");
        // The next message may already be under way when the connection is seen to be closed.
        let under_way = found.lost_with_connection + found.repeated;
        assert!(under_way <= 4, "{found:?}");
        if !clean {
            assert_eq!(found.acknowledged, 450, "the session goes on: {found:?}");
        }
    }
}

#[test]
fn the_warm_up_is_not_in_the_count() {
    let peer = broker(&[]);
    for load in [
        settings(2, 0, QoS::AtLeastOnce).load,
        Load::Closed {
            window: 1,
            think: Duration::ZERO,
        },
        Load::Closed {
            window: 1,
            think: Duration::from_millis(1),
        },
    ] {
        let settings = Settings {
            load,
            ..settings(2, 0, QoS::AtLeastOnce)
        };
        let report = warmed_up(&peer, &settings, 100, Duration::from_millis(50));
        check_the_sums(&report);
        let found = &report.messages;
        assert_eq!((found.planned, found.acknowledged), (100, 100), "{found:?}");
        let all: u64 = report.intervals.iter().map(|one| one.sent).sum();
        assert!(all >= 100, "{all}");
    }
}

#[test]
fn a_closed_loop_sends_its_count_and_no_more() {
    let peer = broker(&[]);
    for (qos, window) in [
        (QoS::AtMostOnce, 1),
        (QoS::AtLeastOnce, 1),
        (QoS::ExactlyOnce, 20),
    ] {
        let settings = Settings {
            load: Load::Closed {
                window,
                think: Duration::ZERO,
            },
            window,
            ..settings(2, 1, qos)
        };
        let report = run(&peer, &settings, 1000);
        check_the_sums(&report);
        let found = &report.messages;
        assert_eq!((found.planned, found.acknowledged), (1000, 1000));
        assert_eq!(found.unique, 1000, "{found:?}");
    }
}

#[test]
fn thinking_clients_pause_between_an_answer_and_the_next_message() {
    let peer = broker(&[]);
    let settings = Settings {
        load: Load::Closed {
            window: 1,
            think: Duration::from_millis(10),
        },
        window: 1,
        ..settings(2, 0, QoS::AtLeastOnce)
    };
    let report = run(&peer, &settings, 40);
    check_the_sums(&report);
    assert_eq!(report.messages.acknowledged, 40);
    // Each of two clients pauses nineteen times.
    assert!(report.phases.measured_s >= 0.19, "{:?}", report.phases);
}

#[test]
fn other_scenarios_count_their_own_kind_of_message() {
    let peer = broker(&[]);
    for (scenario, publishers, subscribers) in [
        (Scenario::OneToOne, 3, 3),
        (Scenario::Churn, 3, 0),
        (Scenario::Subscribe, 3, 0),
        (Scenario::Request, 3, 2),
    ] {
        let settings = Settings {
            scenario,
            ..settings(publishers, subscribers, QoS::AtLeastOnce)
        };
        let report = run(&peer, &settings, 120);
        check_the_sums(&report);
        let found = &report.messages;
        assert_eq!(found.acknowledged, 120, "{scenario:?}: {report:?}");
        assert_eq!(report.latency["response"].count, 120, "{scenario:?}");
        if scenario == Scenario::OneToOne {
            assert_eq!((found.expected, found.unique), (120, 120));
        }
    }
}

#[test]
fn a_retained_storm_counts_every_retained_message() {
    let peer = broker(&[]);
    for version in [Version::V311, Version::V5] {
        let settings = Settings {
            scenario: Scenario::RetainedStorm,
            version,
            topic: Pattern::parse("r/{client}/{seq}").unwrap(),
            ..settings(3, 0, QoS::AtLeastOnce)
        };
        let mut report = run(&peer, &settings, 30);
        check_the_sums(&report);
        let found = &report.messages;
        assert_eq!(found.acknowledged, 30, "{found:?}");
        assert_eq!((found.expected, found.unique), (300, 300), "{found:?}");
        assert_eq!(report.latency["end_to_end"].count, 300);
        let target = Target::tcp(Protocol::Mqtt, "127.0.0.1", peer.port);
        local().block_on(settings.leftover.clear(target, &settings, &mut report));
        assert_eq!(report.counts[CLEARED], 30, "{:?}", report.warnings);
    }
    // The retained messages are gone: a subscriber to all of them gets none.
    let settings = Settings {
        filter: Some(Pattern::parse("r/#").unwrap()),
        ..settings(1, 1, QoS::AtLeastOnce)
    };
    let found = run(&peer, &settings, 5).messages;
    assert_eq!((found.received, found.foreign), (0, 0), "{found:?}");
}

#[test]
fn subscribers_that_were_away_get_all_that_was_kept() {
    let peer = broker(&[]);
    for version in [Version::V311, Version::V5] {
        let settings = Settings {
            scenario: Scenario::Backlog,
            version,
            ..settings(2, 2, QoS::AtLeastOnce)
        };
        let report = run(&peer, &settings, 1_500);
        check_the_sums(&report);
        let (found, links) = (&report.messages, &report.connections);
        assert_eq!((found.acknowledged, found.missing), (1_500, 0), "{found:?}");
        assert_eq!(found.unique, 3_000, "{found:?}");
        assert_eq!((links.lost, links.failed), (0, 0), "{links:?}");
        // They were away for a tenth of a second at least once.
        assert!(report.latency["end_to_end"].max_ms >= 90.0);
        assert!(report.latency["catch_up"].count > 0);
    }
}

#[test]
fn bodies_that_are_not_ours_are_measured_by_a_property() {
    let peer = broker(&[]);
    let text = Template::parse("{\"n\":{seq},\"of\":{client}}").unwrap();
    for body in [
        Body::Verbatim(bytes::Bytes::from_static(b"21.5")),
        Body::Template(Arc::new(text)),
    ] {
        let settings = Settings {
            body,
            stamp_property: true,
            ..settings(2, 1, QoS::AtLeastOnce)
        };
        let report = run(&peer, &settings, 100);
        check_the_sums(&report);
        let found = &report.messages;
        assert_eq!((found.unique, found.foreign), (100, 0), "{found:?}");
        assert_eq!(report.latency["end_to_end"].count, 100);
    }
}

#[test]
fn a_refused_connection_is_said_with_its_class() {
    let peer = broker(&["refuse-connect:code=0x87,every=2"]);
    let settings = settings(4, 0, QoS::AtLeastOnce);
    let outcome = outcome(&peer, &settings, 40, 1);
    check_the_sums(&outcome.report);
    assert_eq!(outcome.report.connections.failed, 2);
    assert_eq!(outcome.report.messages.unsent, 20);
    let trouble = outcome.trouble.unwrap();
    assert_eq!(trouble.exit_code(), 4, "{trouble}");
}

#[test]
fn what_the_broker_says_is_too_long_is_not_sent() {
    let peer = broker_with(Options {
        max_packet_size: 60,
        ..Options::default()
    });
    for (publishers, subscribers) in [(1, 0), (0, 1)] {
        let mut settings = settings(publishers, subscribers, QoS::AtLeastOnce);
        if publishers == 0 {
            settings.filter = Some(Pattern::parse(&"f".repeat(60)).unwrap());
        }
        let outcome = outcome(&peer, &settings, 10, 1);
        let trouble = outcome.trouble.unwrap();
        assert_eq!(trouble.exit_code(), 1, "{trouble}");
        assert!(
            trouble.text().contains("packets of at most 60 bytes"),
            "{trouble}"
        );
    }
}
