//! `cargo bench --bench load -- KEY=VALUE…`: one load of `bench mqtt` with its report in JSON, for measuring the
//! engine itself before and beside the command line.
//!
//! Keys: url, embedded, scenario, version, pub, sub, topic, qos, subqos, size, rate, window, duration, count, warmup,
//! drain, threads, connect-rate, arrivals, bind, interval, keepalive, coalesce.

use std::process::ExitCode;
use std::time::Duration;

use iotctl::bench::mqtt::{Pattern, Scenario};
use iotctl::bench::plan::{Arrivals, Coalesce, Stage};
use iotctl::command::bench_mqtt::{self, BodyWords, Plan};
use iotctl::connect;
use iotctl::mqtt::packet::{QoS, Version};

fn main() -> ExitCode {
    let mut plan = Plan::new(connect::Words::default());
    for word in std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
    {
        if word == "sink" {
            let peer = iotctl::bench::calibrate::NullPeer::start().expect("a null peer");
            std::fs::write(
                "/tmp/perf-engine/sink",
                format!("mqtt://{}", peer.address()),
            )
            .expect("x");
            loop {
                std::thread::park();
            }
        }
        let (key, value) = word.split_once('=').expect("KEY=VALUE");
        set(&mut plan, key, value);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    match runtime.block_on(bench_mqtt::run(plan)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            iotctl::output::report(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn set(plan: &mut Plan, key: &str, value: &str) {
    let number = || value.parse::<f64>().expect("a number");
    let level = || QoS::from_level(number() as u8).expect("0, 1 or 2");
    let time = || Duration::from_secs_f64(number());
    match key {
        "url" => plan.connect.url = Some(value.to_owned()),
        "cafile" => plan.connect.cafile = Some(value.into()),
        "embedded" => plan.embedded = value == "true",
        "scenario" => plan.scenario = scenario(value),
        "version" => {
            plan.version = if value == "5" {
                Version::V5
            } else {
                Version::V311
            }
        }
        "pub" => plan.publishers = number() as usize,
        "sub" => plan.subscribers = number() as usize,
        "topic" => plan.topic = Pattern::parse(value).expect("a topic"),
        "qos" => plan.qos = level(),
        "subqos" => plan.sub_qos = level(),
        "size" => {
            let (least, most) = value.split_once('-').unwrap_or((value, value));
            plan.body = BodyWords::Size {
                least: least.parse().expect("bytes"),
                most: most.parse().expect("bytes"),
            };
        }
        "rate" => {
            plan.stages = Some(vec![Stage {
                lasts: None,
                from: number(),
                to: number(),
            }]);
        }
        "window" => plan.window = number() as usize,
        "duration" => plan.course.duration = Some(time()),
        "count" => {
            plan.course.count = Some(number() as u64);
            plan.course.duration = None;
        }
        "warmup" => plan.course.warmup = time(),
        "drain" => plan.course.drain = time(),
        "interval" => plan.course.interval = time(),
        "threads" => plan.course.threads = number() as usize,
        "connect-rate" => plan.course.connect_rate = Some(number()),
        "keepalive" => plan.keep_alive = time(),
        "clean" => plan.clean = value == "true",
        "coalesce" => {
            plan.course.coalesce = Some(match value {
                "never" => Coalesce::Never,
                "adaptive" => Coalesce::Adaptive,
                _ => Coalesce::Fixed(Duration::from_micros(number() as u64)),
            });
        }
        "arrivals" => plan.arrivals = arrivals(value),
        "bind" => {
            plan.bind = value
                .split(',')
                .map(|one| one.parse().expect("an address"))
                .collect();
        }
        _ => panic!("unknown key {key}"),
    }
}

fn scenario(word: &str) -> Scenario {
    match word {
        "publish" => Scenario::Publish,
        "one-to-one" => Scenario::OneToOne,
        "idle" => Scenario::Idle,
        "churn" => Scenario::Churn,
        "subscribe" => Scenario::Subscribe,
        "wills" => Scenario::Wills,
        "request" => Scenario::Request,
        _ => panic!("unknown scenario {word}"),
    }
}

fn arrivals(word: &str) -> Arrivals {
    match word {
        "constant" => Arrivals::Constant,
        "uniform" => Arrivals::Uniform,
        "poisson" => Arrivals::Poisson,
        "devices" => Arrivals::Devices,
        _ => panic!("unknown arrivals {word}"),
    }
}
