//! `cargo bench --bench load -- KEY=VALUE…`: one load of `bench mqtt` with its report in JSON, for measuring the
//! engine itself before and beside the command line.
//!
//! Keys: url, embedded, scenario, version, pub, sub, topic, qos, subqos, size, rate, window, duration, count, warmup,
//! drain, threads, connect-rate, arrivals, bind, interval, keepalive, coalesce.

use std::process::ExitCode;
use std::time::Duration;

use iotctl::bench::mqtt::{Pattern, Scenario};
use iotctl::bench::plan::{Coalesce, Stage};
use iotctl::command::bench::ArrivalWords;
use iotctl::command::bench_mqtt::{self, BodyWords, Plan};
use iotctl::connect;
use iotctl::mqtt::packet::{QoS, Version};

fn main() -> ExitCode {
    let words = std::env::args().skip(1);
    let words: Vec<String> = words.filter(|word| !word.starts_with('-')).collect();
    match words.first().map(String::as_str) {
        Some("sink") => sink(&words[1]),
        Some("raw") => raw(&words[1..]),
        Some("blast") => blast(&words[1]),
        _ => return load(&words),
    }
    ExitCode::SUCCESS
}

/// The null peer in a process of its own; writes its URL to a file.
fn sink(path: &str) {
    let peer = iotctl::bench::calibrate::NullPeer::start().expect("a null peer");
    std::fs::write(path, format!("mqtt://{}", peer.address())).expect("a file");
    loop {
        std::thread::park();
    }
}

fn load(words: &[String]) -> ExitCode {
    let mut plan = Plan::new(connect::Words::default());
    plan.course.results.form = iotctl::bench::report::Form::Json;
    for word in words {
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
        "run-id" => plan.course.run_id = Some(number() as u64),
        "rate" => {
            plan.load.stages = Some(vec![Stage {
                lasts: None,
                from: number(),
                to: number(),
            }]);
        }
        "window" => plan.load.window = number() as usize,
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
        "arrivals" => plan.load.arrivals = arrivals(value),
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

fn arrivals(word: &str) -> ArrivalWords {
    match word {
        "constant" => ArrivalWords::Constant,
        "uniform" => ArrivalWords::Uniform,
        "poisson" => ArrivalWords::Poisson,
        "devices" => ArrivalWords::Devices,
        _ => panic!("unknown arrivals {word}"),
    }
}

/// The physical limit beside ours: pre-encoded packets, one write per batch, nothing measured per message.
fn raw(words: &[String]) {
    use std::io::{Read, Write};
    let [url, qos, window, seconds] = words else {
        panic!("raw URL QOS WINDOW SECONDS");
    };
    let mut stream =
        std::net::TcpStream::connect(url.trim_start_matches("mqtt://")).expect("a peer");
    stream.set_nodelay(true).expect("no delay");
    let connect = [
        0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 1, b'r',
    ];
    stream.write_all(&connect).expect("CONNECT");
    let mut input = vec![0; 256 * 1024];
    stream.read_exact(&mut input[..4]).expect("CONNACK");
    let qos: u8 = qos.parse().expect("0 or 1");
    let window: usize = window.parse().expect("a number");
    let packet = |id: u16| {
        let mut packet = vec![0x30 | qos << 1];
        let remaining = 2 + 7 + usize::from(qos > 0) * 2 + 256;
        packet.extend([
            (remaining & 0x7F) as u8 | 0x80,
            (remaining >> 7) as u8,
            0,
            7,
        ]);
        packet.extend(b"bench/0");
        if qos > 0 {
            packet.extend(id.to_be_bytes());
        }
        packet.extend([b'x'; 256]);
        packet
    };
    let batch: Vec<u8> = if qos == 0 {
        (0..240).flat_map(|_| packet(0)).collect()
    } else {
        (1..=window as u16).flat_map(packet).collect()
    };
    let each = packet(1).len();
    let (begin, before) = (
        std::time::Instant::now(),
        iotctl::bench::system::cpu_seconds(),
    );
    let lasts = Duration::from_secs_f64(seconds.parse().expect("seconds"));
    let mut sent = 0_u64;
    while begin.elapsed() < lasts {
        stream.write_all(&batch).expect("a batch");
        sent += (batch.len() / each) as u64;
        let mut waits = if qos > 0 { 4 * window } else { 0 };
        while waits > 0 {
            waits -= stream.read(&mut input[..waits]).expect("acknowledgements");
        }
    }
    let cpu = iotctl::bench::system::cpu_seconds() - before;
    let rate = sent as f64 / begin.elapsed().as_secs_f64();
    let text = format!(
        "raw qos {qos}: {rate:.0}/s, {:.4} CPU-s/M\n",
        cpu / sent as f64 * 1e6
    );
    std::io::stdout()
        .write_all(text.as_bytes())
        .expect("standard output");
}

/// A peer that sends 256-byte messages at QoS 0, stamped, to everybody who subscribes, as fast as they read.
fn blast(path: &str) {
    use iotctl::bench::stamp::Stamp;
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::fs::write(path, format!("mqtt://{address}")).expect("a file");
    let clock = iotctl::bench::clock::Clock::start();
    let mut packet = vec![0x30, 0x8A, 0x02, 0, 8];
    packet.extend(b"bench/00");
    packet.extend([b'x'; 256]);
    let mut streams = Vec::new();
    for stream in listener
        .incoming()
        .take(std::env::var("SUBS").map_or(1, |n| n.parse().expect("n")))
    {
        let mut stream = stream.expect("a connection");
        let mut input = [0; 4096];
        let _ = stream.read(&mut input).expect("CONNECT");
        stream.write_all(&[0x20, 2, 0, 0]).expect("CONNACK");
        let _ = stream.read(&mut input).expect("SUBSCRIBE");
        stream
            .write_all(&[0x90, 3, input[2], input[3], 0])
            .expect("SUBACK");
        streams.push(stream);
    }
    let mut sequence = 0;
    let mut batch = packet.repeat(240);
    loop {
        let due = clock.now();
        for message in batch.chunks_exact_mut(packet.len()) {
            let stamp = Stamp {
                measured: true,
                due,
                sequence,
                sender: 1,
                run: 4711,
            };
            stamp.write(&mut message[13..]);
            sequence += 1;
        }
        for stream in &mut streams {
            if stream.write_all(&batch).is_err() {
                return;
            }
        }
    }
}
