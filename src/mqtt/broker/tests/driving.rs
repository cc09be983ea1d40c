//! The driver over streams in memory and over a real listener.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::{LocalSet, spawn_local};

use super::world::{ack, filter, goodbye, message, v5, v311};
use crate::connect::{ListenOn, Listener};
use crate::mqtt::broker::options::Options;
use crate::mqtt::broker::{Broker, Event, serve};
use crate::mqtt::packet::{
    self, Connect, Decoder, LARGEST_PACKET, Packet, QoS, ReasonCode, Subscribe, Version,
};

/// A client that speaks packets over any stream.
struct Client<S> {
    stream: S,
    version: Version,
    input: BytesMut,
    /// How many bytes each read brought.
    reads: Vec<usize>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    async fn connect(stream: S, connect: Connect) -> Self {
        let mut client = Self {
            stream,
            version: connect.version,
            input: BytesMut::new(),
            reads: Vec::new(),
        };
        client.send(Packet::Connect(Box::new(connect))).await;
        let answer = client.next().await;
        assert!(matches!(answer, Some(Packet::ConnAck(_))), "{answer:?}");
        client
    }

    async fn send(&mut self, packet: Packet) {
        let mut bytes = BytesMut::new();
        packet::encode(&packet, self.version, &mut bytes).unwrap();
        self.stream.write_all(&bytes).await.unwrap();
    }

    async fn subscribe(&mut self, text: &str) {
        let subscribe = Subscribe {
            packet_id: 1,
            subscriptions: vec![filter(text, 2)],
            ..Subscribe::default()
        };
        self.send(Packet::Subscribe(subscribe)).await;
        assert!(matches!(self.next().await, Some(Packet::SubAck(_))));
    }

    /// The next packet; `None`: the broker closed the connection.
    async fn next(&mut self) -> Option<Packet> {
        let decoder = Decoder::new(self.version, LARGEST_PACKET);
        loop {
            if let Some(packet) = decoder.decode(&mut self.input).unwrap() {
                return Some(packet);
            }
            self.input.reserve(1 << 16);
            match self.stream.read_buf(&mut self.input).await.unwrap() {
                0 => return None,
                count => self.reads.push(count),
            }
        }
    }
}

/// Runs `test` with a broker whose clock goes.
fn with_broker<F: Future<Output = ()>>(options: Options, test: impl FnOnce(Broker) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let tasks = LocalSet::new();
    tasks.block_on(&runtime, async {
        let broker = Broker::new(options, |_| {});
        let clock = broker.clone();
        spawn_local(async move { clock.keep_time().await });
        test(broker).await;
    });
}

/// A stream to the broker that takes `room` bytes before it blocks.
fn dial(broker: &Broker, room: usize) -> DuplexStream {
    let (ours, theirs) = duplex(room);
    let broker = broker.clone();
    spawn_local(async move { broker.carry(theirs, String::from("memory"), 0).await });
    ours
}

#[test]
fn messages_go_from_stream_to_stream() {
    with_broker(Options::default(), async |broker| {
        let mut a = Client::connect(dial(&broker, 1 << 16), v5("a")).await;
        let mut b = Client::connect(dial(&broker, 1 << 16), v311("b")).await;
        a.subscribe("t/#").await;
        b.send(Packet::Publish(message("t/1", "hello", 1))).await;
        assert_eq!(b.next().await, Some(Packet::PubAck(ack(77))));
        match a.next().await {
            Some(Packet::Publish(got)) => {
                assert_eq!((&*got.topic, &*got.payload), ("t/1", &b"hello"[..]));
                assert_eq!(got.qos, QoS::AtLeastOnce);
            }
            other => panic!("PUBLISH, not {other:?}"),
        }
    });
}

#[test]
fn a_message_much_larger_than_a_batch_arrives_whole() {
    with_broker(Options::default(), async |broker| {
        let mut a = Client::connect(dial(&broker, 1 << 12), v5("a")).await;
        a.subscribe("t").await;
        let mut b = Client::connect(dial(&broker, 1 << 12), v5("b")).await;
        let large = "x".repeat(3 << 20);
        b.send(Packet::Publish(message("t", &large, 0))).await;
        match a.next().await {
            Some(Packet::Publish(got)) => assert_eq!(got.payload.len(), large.len()),
            other => panic!("PUBLISH, not {other:?}"),
        }
    });
}

#[test]
fn a_client_that_does_not_read_delays_nobody() {
    with_broker(Options::default(), async |broker| {
        let mut slow = Client::connect(dial(&broker, 64), v5("slow")).await;
        slow.subscribe("t").await;
        let mut quick = Client::connect(dial(&broker, 1 << 16), v5("quick")).await;
        quick.subscribe("t").await;
        let mut b = Client::connect(dial(&broker, 1 << 16), v5("b")).await;
        for _ in 0..1_000 {
            b.send(Packet::Publish(message("t", &"x".repeat(100), 0)))
                .await;
        }
        for _ in 0..1_000 {
            assert!(matches!(quick.next().await, Some(Packet::Publish(_))));
        }
    });
}

#[test]
fn many_messages_are_written_together() {
    with_broker(Options::default(), async |broker| {
        let mut a = Client::connect(dial(&broker, 1 << 20), v5("a")).await;
        a.subscribe("t").await;
        let mut b = Client::connect(dial(&broker, 1 << 20), v5("b")).await;
        let mut batch = BytesMut::new();
        for _ in 0..1_000 {
            packet::encode_publish(&message("t", "x", 0), Version::V5, &mut batch).unwrap();
        }
        b.stream.write_all(&batch).await.unwrap();
        a.reads.clear();
        for _ in 0..1_000 {
            assert!(matches!(a.next().await, Some(Packet::Publish(_))));
        }
        assert!(a.reads.len() < 20, "{} reads", a.reads.len());
    });
}

#[test]
fn the_end_is_told_before_the_close_even_with_bytes_unread() {
    with_broker(Options::default(), async |broker| {
        let mut a = Client::connect(dial(&broker, 1 << 16), v5("a")).await;
        // PUBLISH with QoS 3, then much that nobody will look at.
        a.stream.write_all(&[0x36, 0x00]).await.unwrap();
        a.stream.write_all(&[0; 30_000]).await.unwrap();
        assert_eq!(a.next().await, Some(goodbye(ReasonCode::MALFORMED_PACKET)));
        assert_eq!(a.next().await, None);
    });
}

#[test]
fn a_packet_over_the_limit_is_refused_at_its_header() {
    let options = Options {
        max_packet_size: 1_000,
        ..Options::default()
    };
    with_broker(options, async |broker| {
        let mut a = Client::connect(dial(&broker, 1 << 16), v5("a")).await;
        a.stream.write_all(&[0x30, 0xff, 0x7f]).await.unwrap();
        assert_eq!(a.next().await, Some(goodbye(ReasonCode::PACKET_TOO_LARGE)));
    });
}

#[test]
fn a_dribbling_broker_writes_one_byte_at_a_time() {
    let options = Options {
        faults: vec!["dribble".parse().unwrap()],
        ..Options::default()
    };
    with_broker(options, async |broker| {
        // One byte of room: the reads show what a write brought.
        let mut a = Client::connect(dial(&broker, 1), v311("a")).await;
        a.reads.clear();
        a.send(Packet::PingReq).await;
        assert_eq!(a.next().await, Some(Packet::PingResp));
        assert_eq!(a.reads, [1, 1]);
    });
}

#[test]
fn time_goes_on_while_nobody_sends_anything() {
    let options = Options {
        faults: vec!["delay-ack:by=20ms,packet=pingresp".parse().unwrap()],
        ..Options::default()
    };
    with_broker(options, async |broker| {
        let mut a = Client::connect(dial(&broker, 1 << 10), v311("a")).await;
        a.send(Packet::PingReq).await;
        assert_eq!(a.next().await, Some(Packet::PingResp));
    });
}

#[test]
fn serving_ends_when_it_is_asked_to_and_says_goodbye() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let on = ListenOn::plain("127.0.0.1:0".parse().unwrap());
        let listener = Listener::bind(&on).await.unwrap();
        let address = listener.local_addr().to_string();
        let told = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&told);
        let (stop, stopped) = oneshot::channel::<()>();
        let client = async {
            let stream = TcpStream::connect(&address).await.unwrap();
            let mut a = Client::connect(stream, v5("a")).await;
            stop.send(()).unwrap();
            assert_eq!(
                a.next().await,
                Some(goodbye(ReasonCode::SERVER_SHUTTING_DOWN))
            );
            assert_eq!(a.next().await, None);
        };
        let events = move |event| log.borrow_mut().push(event);
        let broker = Broker::new(Options::default(), events);
        let serving = serve(broker, vec![(listener, 0)], stopped);
        let both = async { tokio::join!(serving, client) };
        let (served, ()) = tokio::time::timeout(Duration::from_secs(10), both)
            .await
            .unwrap();
        served.unwrap();
        let told = told.borrow();
        assert!(matches!(&told[0], Event::Connected { client_id, .. } if client_id == "a"));
        assert!(matches!(told.last(), Some(Event::Stopped(counts)) if counts.connections == 1));
    });
}
