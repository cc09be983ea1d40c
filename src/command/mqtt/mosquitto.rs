//! What is different when a command takes the place of one of mosquitto's clients: exit codes, last words, the packet log.
//!
//! | ends by | exit code of mosquitto's clients |
//! |---|---|
//! | a refused connection | the return code of CONNACK (1 to 5), in MQTT 5 its reason code |
//! | options, files, name lookup, TCP | 1 |
//! | what MQTT does not allow | 2 |
//! | a lost connection, one that is closed instead of answering CONNECT | 7 |
//! | TLS, a login that a proxy refuses | 8, 11 |
//! | standard input or output | 14 |
//! | silence of the server | 19 |
//! | `-W` | 27 |
//! | a message or subscription that the server answers with a refusal, SIGINT and SIGTERM in mosquitto_sub | 0 |

use std::borrow::Cow;
use std::fmt::Write;
use std::fs::File;
use std::io;
use std::time::Duration;

use bytestring::ByteString;

use crate::error::{Cause, Error, Kind, Result};
use crate::mqtt::client::{Watcher, Way};
use crate::mqtt::packet::{Ack, Packet, Publish, QoS, ReasonCode, Subscription, Version};
use crate::output;
use crate::payload::{Bodies, Encoding, Source};

/// One of mosquitto's clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// `mosquitto_pub`
    Pub,
    /// `mosquitto_sub`
    Sub,
    /// `mosquitto_rr`
    Rr,
}

impl Client {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pub, Self::Sub, Self::Rr];

    /// The program's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pub => "mosquitto_pub",
            Self::Sub => "mosquitto_sub",
            Self::Rr => "mosquitto_rr",
        }
    }
}

/// Whose place a command takes, and how.
#[derive(Clone, Copy, Debug)]
pub struct StandIn {
    /// The program.
    pub client: Client,
    /// The version that it speaks.
    pub version: Version,
    /// How long the response took is shown (`--latency`).
    pub latency: bool,
    /// Each packet is shown on standard output (`-d`).
    pub debug: bool,
    /// Nothing is said but what is wrong with the options (`--quiet`).
    pub quiet: bool,
}

/// What they say of a server that breaks the protocol; mosquitto_pub of each refusal in MQTT 5, too.
const VIOLATION: &str =
    "Error: A network protocol error occurred when communicating with the broker.";

/// The exit code and the words of their library for a connection that there is not, or no more.
fn known(error: &Error) -> Option<(u8, Cow<'static, str>)> {
    let (code, words) = match (error.kind(), error.cause()) {
        (_, Some(Cause::Tls)) => (8, "Error: A TLS error occurred."),
        (_, Some(Cause::Lookup)) => (1, "Unable to connect (Lookup error.)."),
        (_, Some(Cause::Violation)) => (2, VIOLATION),
        (_, Some(Cause::HungUp | Cause::NoAnswer)) | (Kind::Lost, _) => {
            (7, "Error: The connection was lost.")
        }
        (_, Some(Cause::System(number))) => {
            let words = io::Error::from_raw_os_error(number).to_string();
            let words = words.split(" (os error").next().unwrap_or_default();
            return Some((1, format!("Error: {words}").into()));
        }
        _ => return None,
    };
    Some((code, words.into()))
}

/// The end with which nothing was sent.
fn refused(lines: impl Into<String>) -> Error {
    Error::stand_in(Kind::Usage, 1, lines)
}

/// A target that cannot be used: of the files that make it one, all are about TLS.
pub(super) fn unusable(cause: Error) -> Error {
    match cause.kind() {
        Kind::Local => refused("Error: Problem setting TLS options: File not found.\n"),
        _ => cause,
    }
}

/// How a command ends for its caller.
///
/// # Errors
/// Those of `ended`, in the words of the program whose place it takes.
pub(super) fn end(stands_in: Option<StandIn>, ended: Result<()>) -> Result<()> {
    match stands_in {
        Some(stands_in) => stands_in.end(ended),
        None => ended,
    }
}

impl StandIn {
    /// The input with what is read and checked before a connection is made.
    ///
    /// # Errors
    /// A file that cannot be read, and a standard input without content.
    pub(super) async fn input(&self, source: Source) -> Result<Source> {
        match &source {
            Source::File(path) => match File::open(path) {
                Ok(_) => Ok(source),
                Err(cause) => {
                    let (path, cause) = (path.display(), cause.to_string());
                    let cause = cause.split(" (os error").next().unwrap_or_default();
                    Err(self.silent(refused(format!(
                        "Error: Unable to read file \"{path}\": {cause}.\nError loading input file \"{path}\".\n"
                    ))))
                }
            },
            Source::Stdin => {
                let read = async { Bodies::open(&source, Encoding::Plain)?.body().await };
                let why = match read.await {
                    Ok(body) if !body.is_empty() => return Ok(Source::Text(body)),
                    Ok(_) => String::from("Zero length input."),
                    Err(cause) => cause.text().to_owned(),
                };
                Err(self.silent(refused(format!(
                    "Error: {why}\nError loading input from stdin.\n"
                ))))
            }
            _ => Ok(source),
        }
    }

    /// Without words, with `--quiet`.
    fn silent(&self, error: Error) -> Error {
        match self.quiet {
            true => error.reworded(""),
            false => error,
        }
    }

    /// How the command ends, as the other program would.
    ///
    /// # Errors
    /// The same failure, with that program's exit code.
    fn end(&self, ended: Result<()>) -> Result<()> {
        let Err(error) = ended else {
            return Ok(());
        };
        let is_asked = matches!(error.kind(), Kind::Interrupted | Kind::Terminated);
        match (error.kind(), error.cause()) {
            (Kind::ReaderGone | Kind::HungUp, _) | (_, Some(Cause::StandsIn(_))) => Err(error),
            _ if is_asked && self.client == Client::Sub => Ok(()),
            _ if is_asked => Err(error),
            _ => {
                let (code, lines) = self.last_words(&error);
                let error = Error::stand_in(error.kind(), code, lines);
                Err(self.silent(error))
            }
        }
    }

    fn last_words(&self, error: &Error) -> (u8, String) {
        if let Some(Cause::ConnectionRefused(reason)) = error.cause() {
            return self.no_connection(ReasonCode(reason));
        }
        if let Some((code, theirs)) = known(error) {
            // Their words, for who looks for them, and then what has happened.
            return (code, format!("{theirs}\n{error}\n"));
        }
        let code = match (error.kind(), error.cause()) {
            // Without a response there is nothing to show.
            (Kind::Refused, _) if self.client == Client::Rr => 1,
            (_, Some(Cause::MessageRefused | Cause::RefusedForNow)) => {
                return (0, format!("Warning: {error}\n"));
            }
            (Kind::Refused, _) if self.client == Client::Sub => {
                return (0, format!("Warning: {error}\n"));
            }
            (Kind::TimedOut, _) if self.client != Client::Pub => {
                return (27, String::from("Timed out\n"));
            }
            (Kind::TimedOut, _) => 19,
            (Kind::Unauthorized, _) => 11,
            (Kind::Local, _) => 14,
            _ => 1,
        };
        (code, format!("Error: {error}\n"))
    }

    fn no_connection(&self, reason: ReasonCode) -> (u8, String) {
        if self.version != Version::V5 {
            let code = reason.to_return_code();
            let why = match code {
                1 => "unacceptable protocol version",
                2 => "identifier rejected",
                3 => "broker unavailable",
                4 => "bad user name or password",
                _ => "not authorised",
            };
            let more = match self.client {
                Client::Pub => "Error: The connection was refused.\n",
                _ => "",
            };
            let lines = format!("Connection error: Connection Refused: {why}.\n{more}");
            return (code, lines);
        }
        let name = reason.name().unwrap_or("unknown reason");
        let (first, rest) = name.split_at(1);
        let advice = match reason {
            ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => {
                ". Try connecting to an MQTT v5 broker, or use MQTT v3.x mode."
            }
            _ => "",
        };
        let first = first.to_uppercase();
        let mut lines = format!("Connection error: {first}{rest}{advice}\n");
        if self.client == Client::Pub {
            lines.extend([VIOLATION, "\n"]);
        }
        (reason.0, lines)
    }

    /// Shows how long a response took, where that is wanted.
    ///
    /// # Errors
    /// Those of standard output.
    pub(super) fn tell_latency(&self, elapsed: Option<Duration>) -> Result<()> {
        let Some(elapsed) = elapsed.filter(|_| self.latency) else {
            return Ok(());
        };
        let nanos = elapsed.as_nanos();
        let shown = match nanos {
            0..1_000 => format!("{nanos}ns"),
            1_000..1_000_000 => format!("{:.6}µs", nanos as f64 / 1e3),
            1_000_000..1_000_000_000 => format!("{:.6}ms", nanos as f64 / 1e6),
            _ => format!("{}.{:09}", elapsed.as_secs(), elapsed.subsec_nanos()),
        };
        output::print(format!("Latency: {shown}\n").as_bytes())
    }

    /// Shows packets on standard output, as `-d` does.
    pub(super) fn log(&self) -> Watcher {
        let mut log = Log {
            id: ByteString::new(),
            packet_id: 0,
            subscribes: self.client == Client::Sub && !self.quiet,
        };
        Box::new(move |way, packet, _, _| {
            let lines = log.lines(way, packet);
            // Who cannot be shown the packets is not shown the messages either, and that ends the command.
            let _ = output::print(lines.as_bytes());
        })
    }
}

/// The lines of libmosquitto's log.
struct Log {
    id: ByteString,
    /// The newest identifier: libmosquitto gives one to QoS 0 messages, too.
    packet_id: u16,
    /// Granted levels are shown.
    subscribes: bool,
}

impl Log {
    fn lines(&mut self, way: Way, packet: &Packet) -> String {
        match packet {
            Packet::Connect(connect) => self.id = connect.client_id.clone(),
            Packet::ConnAck(ack) => {
                let assigned = ack.properties.assigned_client_identifier();
                self.id = assigned.unwrap_or_else(|| self.id.clone());
            }
            _ => {}
        }
        let id = match self.id.is_empty() {
            true => ByteString::from_static("(null)"),
            false => self.id.clone(),
        };
        let mut lines = String::new();
        let mut line = |text: String| {
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "Client {id} {text}");
        };
        match (way, packet) {
            (Way::Out, Packet::Subscribe(subscribe)) => {
                self.packet_id = subscribe.packet_id;
                let all = subscribe.subscriptions.iter();
                all.for_each(|one| line(subscription(subscribe.packet_id, one)));
            }
            (Way::Out, Packet::Unsubscribe(unsubscribe)) => {
                self.packet_id = unsubscribe.packet_id;
                let number = unsubscribe.packet_id;
                for filter in &unsubscribe.filters {
                    line(format!(
                        "sending UNSUBSCRIBE (Mid: {number}, Topic: {filter})"
                    ));
                }
            }
            (Way::Out, Packet::Publish(publish)) => {
                self.packet_id = match publish.qos {
                    QoS::AtMostOnce => self.packet_id.checked_add(1).unwrap_or(1),
                    _ => publish.packet_id,
                };
                line(format!("sending {}", message(publish, self.packet_id)));
            }
            (Way::In, Packet::Publish(publish)) => {
                line(format!("received {}", message(publish, publish.packet_id)));
            }
            (Way::Out, packet) => line(format!("sending {}", sent(packet))),
            (Way::In, Packet::Disconnect(disconnect)) => {
                return format!("Received DISCONNECT ({})\n", disconnect.reason.0);
            }
            (Way::In, packet) => line(format!("received {}", received(packet))),
        }
        if let (Packet::SubAck(ack), true) = (packet, self.subscribes) {
            let granted: Vec<_> = ack.reasons.iter().map(|it| it.0.to_string()).collect();
            let (number, granted) = (ack.packet_id, granted.join(", "));
            let _ = writeln!(lines, "Subscribed (mid: {number}): {granted}");
        }
        lines
    }
}

fn subscription(number: u16, one: &Subscription) -> String {
    let options = u8::from(one.no_local) << 2
        | u8::from(one.retain_as_published) << 3
        | (one.retain_handling as u8) << 4;
    let (filter, qos) = (&one.filter, one.qos.level());
    format!(
        "sending SUBSCRIBE (Mid: {number}, Topic: {filter}, QoS: {qos}, Options: 0x{options:02x})"
    )
}

fn message(publish: &Publish, number: u16) -> String {
    format!(
        "PUBLISH (d{}, q{}, r{}, m{number}, '{}', ... ({} bytes))",
        u8::from(publish.duplicate),
        publish.qos.level(),
        u8::from(publish.retain),
        publish.topic,
        publish.payload.len()
    )
}

fn sent(packet: &Packet) -> String {
    let name = packet.name();
    match packet {
        Packet::PubAck(Ack {
            packet_id, reason, ..
        })
        | Packet::PubRec(Ack {
            packet_id, reason, ..
        }) => {
            format!("{name} (m{packet_id}, rc{})", reason.0)
        }
        Packet::PubRel(Ack { packet_id, .. }) | Packet::PubComp(Ack { packet_id, .. }) => {
            format!("{name} (m{packet_id})")
        }
        _ => name.to_owned(),
    }
}

fn received(packet: &Packet) -> String {
    let name = packet.name();
    match packet {
        Packet::ConnAck(ack) => format!("{name} ({})", ack.reason.0),
        Packet::PubAck(Ack {
            packet_id, reason, ..
        })
        | Packet::PubComp(Ack {
            packet_id, reason, ..
        }) => {
            format!("{name} (Mid: {packet_id}, RC:{})", reason.0)
        }
        Packet::PubRec(Ack { packet_id, .. }) | Packet::PubRel(Ack { packet_id, .. }) => {
            format!("{name} (Mid: {packet_id})")
        }
        _ => name.to_owned(),
    }
}
