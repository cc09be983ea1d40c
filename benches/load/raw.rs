//! The limit beside ours: what the kernel alone takes for the same bytes. Packets are encoded beforehand, nothing is
//! measured per message, one system call per batch where the load allows it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use iotctl::bench::system::cpu_seconds;
use rustix::event::epoll;
use socket2::{Domain, Socket, Type};

use super::took::{BATCH, Took, timed};
use super::{amqp, coap};

const READ: usize = 256 * 1024;

/// `raw KIND URL SECONDS WORDS…`
pub(crate) fn run(words: &[String]) {
    let [kind, url, seconds, rest @ ..] = words else {
        panic!("raw KIND URL SECONDS WORDS…");
    };
    let address = url.trim_start_matches("mqtt://");
    let address = address.trim_start_matches("amqp://");
    let address = address.trim_start_matches("coap://");
    let lasts = Duration::from_secs_f64(seconds.parse().expect("seconds"));
    let number = |at: usize| rest[at].parse::<usize>().expect("a number");
    let took = match kind.as_str() {
        "publish" => publish(address, lasts, number(0) as u8, number(1), number(2)),
        "amqp" => amqp::publish(address, lasts, number(0), number(1)),
        "coap" => coap::ask(address, lasts, number(0)),
        "receive" => receive(address, lasts, number(0)),
        "fleet" => fleet(address, lasts, number(0), number(1)),
        "connect" => connect(address, number(0), &rest[1]),
        "timer" => return timer(lasts, number(0)),
        _ => panic!("unknown kind {kind}"),
    };
    let each = took.cpu / took.messages as f64 * 1e6;
    let rate = took.messages as f64 / took.seconds;
    say(&format!(
        "{{\"rate\":{rate:.0},\"cpu_s_per_million\":{each:.5}}}\n"
    ));
}

fn say(text: &str) {
    std::io::stdout()
        .write_all(text.as_bytes())
        .expect("standard output");
}

/// A CONNECT of MQTT 3.1.1.
fn greeting(number: usize) -> Vec<u8> {
    let id = format!("raw-{number}");
    let mut packet = vec![0x10, 12 + id.len() as u8, 0, 4];
    packet.extend(b"MQTT\x04\x02\0\0\0");
    packet.push(id.len() as u8);
    packet.extend(id.as_bytes());
    packet
}

fn opened(address: &str, number: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a peer");
    stream.set_nodelay(true).expect("no delay");
    stream.write_all(&greeting(number)).expect("CONNECT");
    stream.read_exact(&mut [0; 4]).expect("CONNACK");
    stream
}

/// A PUBLISH of 256 bytes.
fn packet(qos: u8, id: u16) -> Vec<u8> {
    let remaining = 2 + 7 + usize::from(qos > 0) * 2 + 256;
    let mut packet = vec![
        0x30 | qos << 1,
        remaining as u8 | 0x80,
        (remaining >> 7) as u8,
    ];
    packet.extend(b"\0\x07bench/0");
    if qos > 0 {
        packet.extend(id.to_be_bytes());
    }
    packet.extend([b'x'; 256]);
    packet
}

/// All connections write a batch, and at QoS 1 wait for its acknowledgements.
fn publish(address: &str, lasts: Duration, qos: u8, window: usize, connections: usize) -> Took {
    let mut streams: Vec<_> = (0..connections)
        .map(|number| opened(address, number))
        .collect();
    let in_batch = match qos {
        0 => BATCH / packet(0, 0).len(),
        _ => window,
    };
    let batch: Vec<u8> = (1..=in_batch as u16)
        .flat_map(|id| packet(qos, id))
        .collect();
    let mut input = vec![0; READ];
    timed(lasts, || {
        for stream in &mut streams {
            stream.write_all(&batch).expect("a batch");
        }
        for stream in streams.iter_mut().filter(|_| qos > 0) {
            stream
                .read_exact(&mut input[..4 * window])
                .expect("acknowledgements");
        }
        (in_batch * connections) as u64
    })
}

/// Reads what a blasting peer sends.
fn receive(address: &str, lasts: Duration, subscribers: usize) -> Took {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC).expect("epoll");
    let mut streams = Vec::new();
    for number in 0..subscribers {
        let mut stream = opened(address, number);
        stream
            .write_all(b"\x82\x0d\0\x01\0\x08bench/00\0")
            .expect("SUBSCRIBE");
        stream.read_exact(&mut [0; 5]).expect("SUBACK");
        let data = epoll::EventData::new_u64(number as u64);
        epoll::add(&poll, &stream, data, epoll::EventFlags::IN).expect("epoll");
        streams.push(stream);
    }
    let mut input = vec![0; READ];
    let mut events = Vec::with_capacity(256);
    let mut bytes = 0;
    let mut took = timed(lasts, || {
        events.clear();
        epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), None).expect("epoll");
        for event in &events {
            let stream = &mut streams[event.data.u64() as usize];
            bytes += stream.read(&mut input).expect("messages");
        }
        0
    });
    took.messages = (bytes / super::BLASTED) as u64;
    took
}

/// Many connections that send one message after the other, scheduled every millisecond.
fn fleet(address: &str, lasts: Duration, connections: usize, rate: usize) -> Took {
    iotctl::bench::system::reserve_descriptors(connections as u64, "").expect("descriptors");
    let mut streams: Vec<_> = (0..connections)
        .map(|number| opened(address, number))
        .collect();
    let packet = packet(0, 0);
    let begin = Instant::now();
    let mut sent = 0;
    timed(lasts, || {
        std::thread::sleep(Duration::from_millis(1));
        let due = (begin.elapsed().as_secs_f64() * rate as f64) as usize;
        let before = sent;
        while sent < due {
            streams[sent % connections]
                .write_all(&packet)
                .expect("a message");
            sent += 1;
        }
        (sent - before) as u64
    })
}

/// Opens connections, 256 at a time, from these addresses in turn.
fn connect(address: &str, connections: usize, sources: &str) -> Took {
    let to: SocketAddr = address.parse().expect("an address");
    let address = |source: &str| SocketAddr::new(source.parse().expect("an address"), 0);
    let sources: Vec<SocketAddr> = sources.split(',').map(address).collect();
    iotctl::bench::system::reserve_descriptors(connections as u64, "").expect("descriptors");
    let (begin, before) = (Instant::now(), cpu_seconds());
    let mut streams: Vec<TcpStream> = Vec::with_capacity(connections);
    while streams.len() < connections {
        let first = streams.len();
        for number in first..connections.min(first + 256) {
            let mut stream = connect_from(sources[number % sources.len()], to);
            stream.write_all(&greeting(number)).expect("CONNECT");
            streams.push(stream);
        }
        for stream in &mut streams[first..] {
            stream.read_exact(&mut [0; 4]).expect("CONNACK");
        }
    }
    Took {
        messages: connections as u64,
        seconds: begin.elapsed().as_secs_f64(),
        cpu: cpu_seconds() - before,
    }
}

fn connect_from(source: SocketAddr, to: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None).expect("a socket");
    socket.bind(&source.into()).expect("a source address");
    socket.connect(&to.into()).expect("a peer");
    socket.into()
}

/// How late the kernel wakes a thread that sleeps until a moment, `rate` times a second.
fn timer(lasts: Duration, rate: usize) {
    use rustix::thread::clock_nanosleep_absolute;
    use rustix::time::{ClockId, clock_gettime};
    let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
    let nanos = || {
        let now = clock_gettime(ClockId::Monotonic);
        now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
    };
    let period = 1_000_000_000 / rate as u64;
    let (mut next, before) = (nanos() + period, cpu_seconds());
    let mut late = Vec::new();
    let count = (lasts.as_secs_f64() * rate as f64) as usize;
    while late.len() < count {
        let at = rustix::time::Timespec {
            tv_sec: (next / 1_000_000_000) as i64,
            tv_nsec: (next % 1_000_000_000) as i64,
        };
        clock_nanosleep_absolute(ClockId::Monotonic, &at).expect("a sleep");
        late.push(nanos() - next);
        next += period;
    }
    let cpu = cpu_seconds() - before;
    late.sort_unstable();
    let at = |part: f64| late[(count as f64 * part) as usize] as f64 / 1e3;
    let (p50, p99) = (at(0.5), at(0.99));
    let each = cpu / count as f64 * 1e6;
    say(&format!(
        "{{\"p50_us\":{p50:.1},\"p99_us\":{p99:.1},\"cpu_s_per_million\":{each:.3}}}\n"
    ));
}
