//! Habits of the AMQP library that users must not feel: requests without a deadline, heartbeats that cannot be had,
//! acknowledgements one by one, memory without bound, its URL rules and its own log.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, join, join_all};
use iotctl::amqp::consumer::Subscription;
use iotctl::amqp::topology::{Binding, Declaration, Deletion, Destination, Exchange, Queue};
use iotctl::amqp::v091::Connection;
use iotctl::amqp::{Channel, Client, Login, Options};
use iotctl::command::amqp::consume;
use iotctl::connect::{Protocol, Target};
use iotctl::error::{Error, Kind, Result};
use iotctl::output::{Output, Style};

use super::peer::{
    consumer, deliver, goodbye, method, next_ack, open_channel, short, start, tune, until, welcome,
};
use super::words::{LINES, block_on, session};
use crate::support::broker::started;
use crate::support::command::{finish, iotctl};
use crate::support::peer::{Peer, drain};
use crate::support::{PATIENCE, wait_for};

fn options(target: &Target) -> Options {
    Options {
        login: Login::of(target, None).unwrap(),
        vhost: "/".into(),
        name: "test".into(),
        heartbeat: 60,
        frame_max: 131_072,
        patience: PATIENCE,
        watcher: None,
    }
}

fn local(port: u16) -> Target {
    Target::tcp(Protocol::Amqp, "127.0.0.1", port)
}

/// Treats each connection in a thread of its own.
fn aside(stream: &TcpStream, script: impl FnOnce(&mut TcpStream) + Send + 'static) {
    let mut stream = stream.try_clone().unwrap();
    std::thread::spawn(move || script(&mut stream));
}

type Request = fn(Channel) -> BoxFuture<'static, Result<()>>;

fn binding() -> Binding {
    Binding {
        source: "e".into(),
        destination: Destination::Queue("q".into()),
        key: "k".into(),
        arguments: Vec::new(),
    }
}

fn deletion() -> Deletion {
    Deletion::Queue {
        name: "q".into(),
        if_unused: false,
        if_empty: false,
    }
}

async fn declare(channel: Channel, what: Declaration) -> Result<()> {
    channel.declare(&what).await.map(drop)
}

/// Every request that waits for an answer, and how an error names it.
#[rustfmt::skip]
const REQUESTS: &[(&str, Request)] = &[
    ("set the prefetch count", |c| async move { c.prefetch(1).await }.boxed()),
    ("declare the exchange \"e\"", |c| declare(c, Declaration::Exchange(Exchange::new("e", "topic"))).boxed()),
    ("declare the queue \"q\"", |c| declare(c, Declaration::Queue(Queue::new("q"))).boxed()),
    ("bind ", |c| declare(c, Declaration::Binding(binding())).boxed()),
    ("delete the queue \"q\"", |c| async move { c.delete(&deletion()).await.map(drop) }.boxed()),
    ("purge the queue \"q\"", |c| async move { c.purge("q").await.map(drop) }.boxed()),
    ("close the channel", |c| async move { c.close().await }.boxed()),
];

type Receiving = fn(Connection) -> BoxFuture<'static, Result<()>>;

async fn make(mut connection: Connection, what: Declaration) -> Result<()> {
    connection.declare(&what).await.map(drop)
}

/// The same for our own client.
#[rustfmt::skip]
const RECEIVING: &[(&str, Receiving)] = &[
    ("set the prefetch count", |mut c| async move { c.prefetch(1).await }.boxed()),
    ("consume from the queue \"q\"", |mut c| async move {
        c.consume(&Subscription { queue: "q".into(), ..Subscription::default() }).await
    }.boxed()),
    ("get from the queue \"q\"", |mut c| async move { c.get("q", false).await.map(drop) }.boxed()),
    ("declare the exchange \"e\"", |c| make(c, Declaration::Exchange(Exchange::new("e", "topic"))).boxed()),
    ("declare the queue \"q\"", |c| make(c, Declaration::Queue(Queue::new("q"))).boxed()),
    ("bind ", |c| make(c, Declaration::Binding(binding())).boxed()),
    ("find the queue \"q\"", |c| make(c, Declaration::QueueIsThere("q".into())).boxed()),
    ("find the exchange \"e\"", |c| make(c, Declaration::ExchangeIsThere("e".into())).boxed()),
];

fn says_what_it_waited_for(error: &Error, what: &str) {
    assert_eq!(error.kind(), Kind::TimedOut, "{what}: {error}");
    let words = format!("to the request to {what}");
    assert!(error.text().contains(&words), "{error}");
}

#[test]
fn every_request_has_its_deadline() {
    let peer = Peer::start(|stream, _| {
        aside(stream, |stream| {
            welcome(stream, 131_072);
            open_channel(stream);
            drain(stream);
        });
    });
    let target = local(peer.port);
    let patience = Duration::from_secs(4);
    let asking = REQUESTS.iter().map(|(what, request)| {
        let options = Options {
            patience,
            ..options(&target)
        };
        let target = &target;
        async move {
            let client = Client::connect(target, &options, |_| {}).await.unwrap();
            let channel = client.channel().await.unwrap();
            says_what_it_waited_for(&request(channel).await.unwrap_err(), what);
        }
    });
    let receiving = RECEIVING.iter().map(|(what, request)| {
        let options = Options {
            patience,
            ..options(&target)
        };
        let target = &target;
        async move {
            let connecting = Connection::connect(target, &options, |_| {}, false, 1);
            let error = request(connecting.await.unwrap()).await.unwrap_err();
            says_what_it_waited_for(&error, what);
        }
    });
    let asking = join(join_all(asking), join_all(receiving));
    // Far longer than the deadline, for a machine with much else to do.
    let ended = block_on(async { tokio::time::timeout(PATIENCE, asking).await });
    assert!(ended.is_ok());
}

/// Logs in with this Tune; the heartbeat that the client agrees to comes back.
pub(super) fn tuned(stream: &mut TcpStream, heartbeat: u16) -> Option<u16> {
    stream.read_exact(&mut [0; 8]).ok()?;
    stream.write_all(&start("PLAIN")).ok()?;
    until(stream, 10, 11)?;
    stream.write_all(&tune(131_072, heartbeat)).ok()?;
    let answer = until(stream, 10, 31)?;
    until(stream, 10, 40)?;
    stream.write_all(&method(0, 10, 41, &[0])).ok()?;
    Some(u16::from_be_bytes([answer[10], answer[11]]))
}

#[test]
fn the_shorter_heartbeat_is_agreed_on() {
    for (ours, theirs, agreed) in [(60, 0, 60), (5, 60, 5), (60, 7, 7), (0, 60, 60)] {
        let peer = Peer::start(move |stream, _| {
            let agreed = tuned(stream, theirs);
            drain(stream);
            agreed
        });
        let line = iotctl(&format!("amqp ping amqp://127.0.0.1:{}", peer.port));
        let asked = line.words(&format!("--heartbeat {ours}s --reply-timeout 0.1"));
        asked.run().exits(5);
        assert_eq!(peer.result(), Some(agreed), "{ours} and {theirs}");
    }
}

#[test]
fn a_server_without_a_heartbeat_is_given_up_and_gets_ours() {
    let peer = Peer::start(|stream, _| {
        tuned(stream, 1)?;
        open_channel(stream)?;
        until(stream, 60, 10)?;
        stream.write_all(&method(1, 60, 11, &[])).ok()?;
        until(stream, 60, 20)?;
        stream.write_all(&method(1, 60, 21, &short("c"))).ok()?;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        Some(rest)
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let ended = iotctl("amqp consume").words(&url).words("q --retry never");
    ended.run().exits(6).says("no heartbeat received");
    let rest = peer.result().unwrap();
    assert!(
        rest.windows(8)
            .any(|frame| frame == b"\x08\0\0\0\0\0\0\xCE")
    );
}

#[test]
fn what_comes_together_is_acknowledged_together() {
    const COUNT: u64 = 200;
    // The first one does not fit into the pipe, so that the consumer waits until it is read.
    let first = vec![b'x'; 100_000];
    let (here, all_here) = channel();
    let peer = Peer::start(move |stream, _| {
        consumer(stream)?;
        stream.write_all(&deliver(1, false, &first)).ok()?;
        for tag in 2..=COUNT {
            stream.write_all(&deliver(tag, false, b"x")).ok()?;
        }
        // While the reader stalls, nothing more is read; from now on all of it can be.
        here.send(()).ok()?;
        let mut acks = Vec::new();
        while acks.last().is_none_or(|(tag, _)| *tag < COUNT) {
            acks.push(next_ack(stream)?);
        }
        goodbye(stream);
        Some(acks)
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let mut plan = consume::Plan::new(session(url), "q");
    plan.prefetch = 1000;
    plan.until.count = Some(COUNT);
    plan.until.timeout = Some(PATIENCE);
    let (mut reader, writer) = std::io::pipe().unwrap();
    let reading = std::thread::spawn(move || {
        all_here.recv_timeout(PATIENCE).unwrap();
        let mut text = Vec::new();
        reader.read_to_end(&mut text).unwrap();
        text.len() as u64
    });
    let output = Output::over(writer.into(), LINES, Style::default());
    block_on(consume::run_to(plan, output)).unwrap();
    assert_eq!(reading.join().unwrap(), 100_001 + 2 * (COUNT - 1));
    let acks = peer.result().unwrap();
    assert!(acks.len() <= 2 && acks.iter().all(|ack| ack.1), "{acks:?}");
}

/// The memory that a process has of its own, without the program's file, in KiB (Linux).
fn own_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let words = line.unwrap().split_whitespace().next();
    words.unwrap().parse().unwrap()
}

/// What the queue `q` is like.
fn look(url: &str) -> String {
    let line = iotctl("amqp declare queue").words(url).words("q --passive");
    line.run().text().to_owned()
}

#[test]
fn a_reader_that_stalls_costs_no_memory() {
    const COUNT: usize = 1000;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    std::fs::write(&file, vec![b'x'; 100_000]).unwrap();
    let broker = started(iotctl("amqp broker --listen 127.0.0.1:0"));
    let url = format!("amqp://127.0.0.1:{}", broker.port);
    let publish = iotctl("amqp publish").words(&url);
    let publish = publish.words("--declare -k q --repeat 1000 -f");
    publish.word(&file).run().exits(0);
    let line = iotctl("amqp consume").words(&url).words("q");
    let mut command = line.into_command();
    let pipe = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = pipe.stderr(Stdio::piped()).spawn().unwrap();
    // No more are sent ahead than that, and no more than fit into the buffers between: not even the first fits into the
    // pipe.
    let left = wait_for("the messages sent ahead", || {
        let state = look(&url);
        let (_, state) = state.split_once('\t').unwrap();
        let left: usize = state.split(' ').next().unwrap().parse().unwrap();
        (left < COUNT).then_some(left)
    });
    assert!(left >= COUNT - 100, "{left}");
    let own = own_memory(child.id());
    child.kill().unwrap();
    finish(child);
    // The queue has 100 MB.
    assert!(own < 20_000, "{own} KiB");
}

#[test]
fn the_server_learns_what_the_url_says() {
    for (place, login, vhost) in [
        ("", "\0guest\0guest", "/"),
        ("/", "\0guest\0guest", "/"),
        ("/%2f", "\0guest\0guest", "/"),
        ("/a%2Fb", "\0guest\0guest", "a/b"),
        ("u%40x:p%3Aq@/plant", "\0u@x\0p:q", "plant"),
        ("u@", "\0u\0", "/"),
        ("u:@", "\0u\0", "/"),
    ] {
        let peer = Peer::start(|stream, _| {
            stream.read_exact(&mut [0; 8]).ok()?;
            stream.write_all(&start("PLAIN")).ok()?;
            let login = until(stream, 10, 11)?;
            stream.write_all(&tune(131_072, 0)).ok()?;
            Some((login, until(stream, 10, 40)?))
        });
        let (user, path) = place.split_once('@').unwrap_or(("", place));
        let at = if place.contains('@') { "@" } else { "" };
        let url = format!("amqp://{user}{at}127.0.0.1:{}{path}", peer.port);
        iotctl("amqp ping").word(&url).run();
        let (said, open) = peer.result().unwrap();
        let response = [&(login.len() as u32).to_be_bytes()[..], login.as_bytes()].concat();
        let found = said.windows(response.len()).any(|part| part == response);
        assert!(found, "{url}: {login:?}");
        assert_eq!(open[4..5 + vhost.len()], short(vhost), "{url}");
    }
    // What it does not understand it does not pass over.
    let ended = iotctl("amqp ping amqp://127.0.0.1:1/v?heartbeat=5").run();
    ended.exits(2).says("--heartbeat SECONDS");
}

#[test]
fn a_name_that_nobody_knows_is_one_line() {
    let ended = iotctl("amqp ping amqp://no-such-host.invalid --connect-timeout 60").run();
    let ended = ended.exits(3).prints("").says("no-such-host.invalid");
    assert!(ended.stderr.lines().count() <= 2, "{}", ended.stderr);
}

#[test]
fn the_librarys_own_log_stays_unseen() {
    let peer = Peer::start(|stream, _| consumer(stream));
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let line = iotctl("amqp consume").words(&url).words("q --retry never");
    let ended = line.env("RUST_LOG", "trace").run();
    let words = format!("iotctl: connection to {url} lost: closed by the server\n");
    ended.exits(6).prints("").says_only(&words);
}

#[test]
fn frames_of_any_size_are_not_asked_for() {
    let broker = started(iotctl(
        "amqp broker --listen 127.0.0.1:0 --fault frame-max:bytes=0",
    ));
    let url = format!("amqp://127.0.0.1:{}", broker.port);
    let body = "x".repeat(1_000_000);
    for words in ["", "--frame-max 4096"] {
        let publish = iotctl("amqp publish").words(&url).words(words);
        let publish = publish.words("--declare -k q -s").input(&*body);
        publish.run().exits(0);
        let consume = iotctl("amqp consume").words(&url).words(words);
        let ended = consume.words("q -C 1 -W 60 --output raw").run().exits(0);
        assert!(ended.stdout == body.as_bytes());
    }
}
