//! The driver and the engine against the embedded broker, with faults of known number.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::{LocalSet, spawn_local};

use super::*;
use crate::bench::engine::{self, Outcome, Run, coalesce_for};
use crate::bench::plan::{Arrivals, Load, Phases, Plan, Shard, Stage};
use crate::bench::result::Report;
use crate::connect::{ListenAddress, ListenOn, Listener, Protocol, Target};
use crate::mqtt::broker::{Broker, Options};
use crate::mqtt::packet::{QoS, Version};

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
    let options = Options {
        faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        receive_maximum: u16::MAX,
        max_inflight: u16::MAX,
        sys_interval: None,
        ..Options::default()
    };
    let (tell, port) = mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    thread::spawn(move || {
        let serve = async move {
            let on = ListenOn {
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
                            broker.carry(stream, peer).await;
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
        keep_alive: Duration::ZERO,
        clean: true,
        retain: false,
        shared_group: None,
        client_prefix: String::from("b-"),
        username: None,
        password: None,
        run_id: 4711,
        seed: 1,
    }
}

fn run(peer: &Peer, settings: &Settings, count: u64) -> Report {
    outcome(peer, settings, count, 2).report
}

fn outcome(peer: &Peer, settings: &Settings, count: u64, threads: usize) -> Outcome {
    local().block_on(async {
        let target = Target::tcp(Protocol::Mqtt, "127.0.0.1", peer.port);
        let dialer = Dialer::new(target, Vec::new(), settings.connections())
            .await
            .unwrap();
        let made = settings.make(&Arc::new(dialer)).unwrap();
        let loads: Vec<_> = made.groups.iter().map(|group| group.load.clone()).collect();
        let plan = Plan {
            groups: made.groups,
            phases: Phases {
                warmup: Duration::ZERO,
                duration: None,
                count: Some(count),
                drain: Duration::from_millis(500),
                interval: Duration::from_millis(100),
                start_at: None,
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
fn a_known_delay_is_measured_within_a_millisecond() {
    let peer = broker(&["delay-publish:by=50ms"]);
    let report = run(&peer, &settings(1, 1, QoS::AtMostOnce), 200);
    let least = report.latency["end_to_end"].min_ms;
    // The smallest: whatever else this machine does only ever adds to it, and the broker's own timer rounds up.
    assert!((49.9..52.0).contains(&least), "{least}");
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
