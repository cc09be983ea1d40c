//! A broker, its clients and a clock.

use std::time::{Duration, Instant, SystemTime};

use amq_protocol::frame::{AMQPContentHeader, AMQPFrame, WriteContext, gen_frame, parse_frame};
use amq_protocol::protocol::{AMQPClass, basic, channel, confirm, connection, exchange, queue};
use amq_protocol::types::{AMQPValue, FieldTable};
use bytes::BytesMut;

use crate::amqp::broker::core::{Core, Disposition};
use crate::amqp::broker::options::Options;
use crate::server::Key;

pub(super) type Properties = basic::AMQPProperties;

pub(super) struct World {
    pub(super) core: Core,
    pub(super) now: Instant,
}

/// A client's network connection with channel 1 open.
pub(super) type Who = Key;

/// A message as a client got it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Got {
    pub(super) tag: u64,
    pub(super) redelivered: bool,
    pub(super) key: String,
    pub(super) body: String,
    pub(super) properties: Properties,
}

pub(super) fn table(pairs: &[(&str, AMQPValue)]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in pairs {
        table.insert((*name).into(), value.clone());
    }
    table
}

pub(super) fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

pub(super) const fn int(number: i64) -> AMQPValue {
    AMQPValue::LongLongInt(number)
}

pub(super) fn start_ok(user: &str, password: &str) -> connection::AMQPMethod {
    let capabilities = [
        "consumer_cancel_notify",
        "connection.blocked",
        "authentication_failure_close",
    ];
    let capabilities = capabilities.map(|name| (name, AMQPValue::Boolean(true)));
    connection::AMQPMethod::StartOk(connection::StartOk {
        client_properties: table(&[("capabilities", AMQPValue::FieldTable(table(&capabilities)))]),
        mechanism: "PLAIN".into(),
        response: format!("\0{user}\0{password}").as_str().into(),
        locale: "en_US".into(),
    })
}

pub(super) fn tune_ok(frame_max: u32, heartbeat: u16) -> connection::AMQPMethod {
    connection::AMQPMethod::TuneOk(connection::TuneOk {
        channel_max: 0,
        frame_max,
        heartbeat,
    })
}

pub(super) fn open(vhost: &str) -> connection::AMQPMethod {
    connection::AMQPMethod::Open(connection::Open {
        virtual_host: vhost.into(),
    })
}

pub(super) fn encoded(frame: &AMQPFrame) -> Vec<u8> {
    gen_frame(frame)(WriteContext::from(Vec::new()))
        .unwrap()
        .into_inner()
        .0
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(super) fn with(options: Options) -> Self {
        let now = Instant::now();
        Self {
            core: Core::new(options, now, SystemTime::UNIX_EPOCH),
            now,
        }
    }

    pub(super) fn with_fault(fault: &str) -> Self {
        let faults = vec![fault.parse().unwrap()];
        Self::with(Options {
            faults,
            ..Options::default()
        })
    }

    /// A network connection on which nothing was said.
    pub(super) fn connect(&mut self) -> Who {
        self.core.open(String::from("peer"), self.now)
    }

    /// A client that is in, with channel 1.
    pub(super) fn client(&mut self) -> Who {
        self.client_with(0, 0)
    }

    pub(super) fn client_with(&mut self, frame_max: u32, heartbeat: u16) -> Who {
        let who = self.connect();
        self.bytes(who, b"AMQP\0\0\x09\x01");
        for method in [
            start_ok("guest", "guest"),
            tune_ok(frame_max, heartbeat),
            open("/"),
        ] {
            self.send(who, 0, AMQPClass::Connection(method));
        }
        self.open_channel(who, 1);
        let frames = self.frames(who);
        assert_eq!(frames.len(), 4, "{frames:?}");
        who
    }

    pub(super) fn open_channel(&mut self, who: Who, number: u16) {
        self.send(
            who,
            number,
            AMQPClass::Channel(channel::AMQPMethod::Open(channel::Open {})),
        );
    }

    pub(super) fn bytes(&mut self, who: Who, bytes: &[u8]) {
        let mut input = BytesMut::from(bytes);
        let mut before = usize::MAX;
        while input.len() < before {
            before = input.len();
            self.core.feed(who, &mut input, self.now);
        }
    }

    pub(super) fn send(&mut self, who: Who, number: u16, method: AMQPClass) {
        self.bytes(who, &encoded(&AMQPFrame::Method(number, method)));
    }

    pub(super) fn basic(&mut self, who: Who, method: basic::AMQPMethod) {
        self.send(who, 1, AMQPClass::Basic(method));
    }

    /// Lets time pass, in steps in which all that is due is done.
    pub(super) fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.core.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.core.tick(self.now);
        }
        self.now = end;
    }

    /// All that was written to a client.
    pub(super) fn output(&mut self, who: Who) -> Vec<u8> {
        let mut all = Vec::new();
        let mut out = BytesMut::new();
        while self.core.pull(who, &mut out, self.now) {
            all.extend_from_slice(&out);
            out.clear();
        }
        all
    }

    pub(super) fn frames(&mut self, who: Who) -> Vec<AMQPFrame> {
        let output = self.output(who);
        let mut rest = &output[..];
        let mut frames = Vec::new();
        while !rest.is_empty() {
            let (after, frame) = parse_frame(rest).unwrap();
            frames.push(frame);
            rest = after;
        }
        frames
    }

    /// What came with the reply code and text of a close, of the channel or the connection.
    pub(super) fn closed(&mut self, who: Who) -> (&'static str, u16, String) {
        let frames = self.frames(who);
        let close = frames.iter().find_map(|frame| match frame {
            AMQPFrame::Method(_, AMQPClass::Channel(channel::AMQPMethod::Close(close))) => {
                Some(("channel", close.reply_code, close.reply_text.to_string()))
            }
            AMQPFrame::Method(_, AMQPClass::Connection(connection::AMQPMethod::Close(close))) => {
                Some(("connection", close.reply_code, close.reply_text.to_string()))
            }
            _ => None,
        });
        close.unwrap_or_else(|| panic!("nothing was closed: {frames:?}"))
    }

    /// The messages that came, by basic.deliver, basic.get-ok or basic.return.
    pub(super) fn got(&mut self, who: Who) -> Vec<Got> {
        let mut got: Vec<Got> = Vec::new();
        let mut message = |tag, redelivered, key: String| {
            let (body, properties) = (String::new(), Properties::default());
            got.push(Got {
                tag,
                redelivered,
                key,
                body,
                properties,
            });
        };
        let mut contents = Vec::new();
        for frame in self.frames(who) {
            match frame {
                AMQPFrame::Method(_, AMQPClass::Basic(basic::AMQPMethod::Deliver(head))) => {
                    message(
                        head.delivery_tag,
                        head.redelivered,
                        head.routing_key.to_string(),
                    );
                }
                AMQPFrame::Method(_, AMQPClass::Basic(basic::AMQPMethod::GetOk(head))) => {
                    message(
                        head.delivery_tag,
                        head.redelivered,
                        head.routing_key.to_string(),
                    );
                }
                AMQPFrame::Method(_, AMQPClass::Basic(basic::AMQPMethod::Return(head))) => {
                    message(head.reply_code.into(), false, head.routing_key.to_string());
                }
                AMQPFrame::Header(_, header) => contents.push((header.properties, Vec::new())),
                AMQPFrame::Body(_, body) => contents.last_mut().unwrap().1.extend(body),
                _ => {}
            }
        }
        for (got, (properties, body)) in got.iter_mut().zip(contents) {
            got.properties = properties;
            got.body = String::from_utf8(body).unwrap();
        }
        got
    }

    pub(super) fn bodies(&mut self, who: Who) -> Vec<String> {
        self.got(who).into_iter().map(|got| got.body).collect()
    }

    /// Fetches all messages of a queue, acknowledged at once.
    pub(super) fn drain(&mut self, who: Who, queue: &str) -> Vec<Got> {
        let mut all = Vec::new();
        loop {
            let get = basic::Get {
                queue: queue.into(),
                no_ack: true,
            };
            self.basic(who, basic::AMQPMethod::Get(get));
            match self.got(who).pop() {
                Some(got) => all.push(got),
                None => return all,
            }
        }
    }

    pub(super) fn drained(&mut self, who: Who, queue: &str) -> Vec<String> {
        self.drain(who, queue)
            .into_iter()
            .map(|got| got.body)
            .collect()
    }

    pub(super) fn queue(&mut self, who: Who, name: &str, arguments: &[(&str, AMQPValue)]) {
        self.declare(
            who,
            queue::Declare {
                queue: name.into(),
                arguments: table(arguments),
                ..declare()
            },
        );
    }

    pub(super) fn declare(&mut self, who: Who, declare: queue::Declare) {
        self.send(
            who,
            1,
            AMQPClass::Queue(queue::AMQPMethod::Declare(declare)),
        );
    }

    pub(super) fn exchange(
        &mut self,
        who: Who,
        name: &str,
        kind: &str,
        arguments: &[(&str, AMQPValue)],
    ) {
        let declare = exchange::Declare {
            exchange: name.into(),
            kind: kind.into(),
            passive: false,
            durable: false,
            auto_delete: false,
            internal: false,
            nowait: true,
            arguments: table(arguments),
        };
        self.send(
            who,
            1,
            AMQPClass::Exchange(exchange::AMQPMethod::Declare(declare)),
        );
    }

    pub(super) fn bind(&mut self, who: Who, queue: &str, exchange: &str, key: &str) {
        let bind = queue::Bind {
            queue: queue.into(),
            exchange: exchange.into(),
            routing_key: key.into(),
            nowait: true,
            arguments: FieldTable::default(),
        };
        self.send(who, 1, AMQPClass::Queue(queue::AMQPMethod::Bind(bind)));
    }

    pub(super) fn publish(&mut self, who: Who, exchange: &str, key: &str, body: &str) {
        self.publish_with(who, exchange, key, body, Properties::default(), false);
    }

    pub(super) fn publish_with(
        &mut self,
        who: Who,
        exchange: &str,
        key: &str,
        body: &str,
        properties: Properties,
        mandatory: bool,
    ) {
        self.bytes(who, &published(exchange, key, body, properties, mandatory));
    }

    pub(super) fn consume(&mut self, who: Who, queue: &str, tag: &str) {
        self.consume_with(who, consume(queue, tag));
    }

    pub(super) fn consume_with(&mut self, who: Who, consume: basic::Consume) {
        self.basic(who, basic::AMQPMethod::Consume(consume));
    }

    pub(super) fn qos(&mut self, who: Who, prefetch_count: u16, global: bool) {
        self.basic(
            who,
            basic::AMQPMethod::Qos(basic::Qos {
                prefetch_count,
                global,
            }),
        );
        self.output(who);
    }

    pub(super) fn ack(&mut self, who: Who, delivery_tag: u64, multiple: bool) {
        self.basic(
            who,
            basic::AMQPMethod::Ack(basic::Ack {
                delivery_tag,
                multiple,
            }),
        );
    }

    pub(super) fn nack(&mut self, who: Who, delivery_tag: u64, multiple: bool, requeue: bool) {
        self.basic(
            who,
            basic::AMQPMethod::Nack(basic::Nack {
                delivery_tag,
                multiple,
                requeue,
            }),
        );
    }

    pub(super) fn select_confirms(&mut self, who: Who) {
        let select = confirm::AMQPMethod::Select(confirm::Select { nowait: true });
        self.send(who, 1, AMQPClass::Confirm(select));
    }

    /// The confirms that came: tag, multiple, taken.
    pub(super) fn confirms(&mut self, who: Who) -> Vec<(u64, bool, bool)> {
        let confirm = |frame| match frame {
            AMQPFrame::Method(_, AMQPClass::Basic(basic::AMQPMethod::Ack(ack))) => {
                Some((ack.delivery_tag, ack.multiple, true))
            }
            AMQPFrame::Method(_, AMQPClass::Basic(basic::AMQPMethod::Nack(nack))) => {
                Some((nack.delivery_tag, nack.multiple, false))
            }
            _ => None,
        };
        self.frames(who).into_iter().filter_map(confirm).collect()
    }

    /// A request whose answer is not read.
    pub(super) fn qos_unread(&mut self, who: Who) {
        let qos = basic::Qos {
            prefetch_count: 1,
            global: false,
        };
        self.basic(who, basic::AMQPMethod::Qos(qos));
    }

    pub(super) fn delete_all(&mut self) {
        for key in self.core.queues.keys() {
            self.core.delete_queue(key);
        }
    }

    pub(super) fn fate(&self, who: Who) -> Disposition {
        self.core.fate(who)
    }
}

/// queue.declare without an answer.
pub(super) fn declare() -> queue::Declare {
    queue::Declare {
        queue: "".into(),
        passive: false,
        durable: false,
        exclusive: false,
        auto_delete: false,
        nowait: true,
        arguments: FieldTable::default(),
    }
}

/// basic.consume without an answer.
pub(super) fn consume(queue: &str, tag: &str) -> basic::Consume {
    basic::Consume {
        queue: queue.into(),
        consumer_tag: tag.into(),
        no_local: false,
        no_ack: false,
        exclusive: false,
        nowait: true,
        arguments: FieldTable::default(),
    }
}

/// The frames of a message on channel 1.
pub(super) fn published(
    exchange: &str,
    key: &str,
    body: &str,
    properties: Properties,
    mandatory: bool,
) -> Vec<u8> {
    let publish = basic::AMQPMethod::Publish(basic::Publish {
        exchange: exchange.into(),
        routing_key: key.into(),
        mandatory,
        immediate: false,
    });
    let header = AMQPContentHeader {
        class_id: 60,
        body_size: body.len() as u64,
        properties,
    };
    let mut bytes = encoded(&AMQPFrame::Method(1, AMQPClass::Basic(publish)));
    bytes.extend(encoded(&AMQPFrame::Header(1, header)));
    for part in body.as_bytes().chunks(4_000) {
        bytes.extend(encoded(&AMQPFrame::Body(1, part.to_vec())));
    }
    bytes
}
