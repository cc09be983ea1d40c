//! What goes together, and the plan that it makes.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

use super::given::{End, Given, Outcome, decimal, expiry, refused, template, version};
use crate::command::mqtt::mosquitto::{Client, StandIn};
use crate::command::mqtt::session::{SessionArgs, WillArgs};
use crate::command::mqtt::topics::Defaults;
use crate::command::mqtt::{publish, request, subscribe};
use crate::command::{self, mqtt};
use crate::connect::{ConnectArgs, Secret, TlsVersion};
use crate::flow::select::{Sample, Select};
use crate::flow::{Pacing, Ready, Replies, Stages, Summary, Until};
use crate::mqtt::packet::{
    Place, Properties, Property, QoS, RetainHandling, Subscription, Version,
};
use crate::output::{self, ColorChoice, Format, Style};
use crate::payload::template::Template;
use crate::payload::{Destination, Encoding, Framing, Source};
use crate::random::unguessable;

/// How many QoS 1 and 2 messages the clients let a server send before they are acknowledged.
const RECEIVE_MAXIMUM: u16 = 20;

/// How long no acknowledgement may come while some are awaited. The clients wait for ever, which helps nobody.
const ACK_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a response is waited for without `-W`. The client waits for ever.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// The plan of a client.
pub(super) fn command(given: &Given) -> Outcome<command::Command> {
    check(given)?;
    Ok(command::Command::Mqtt(match given.client {
        Client::Pub => mqtt::Command::Publish(Box::new(publish(given)?)),
        Client::Sub => mqtt::Command::Subscribe(Box::new(subscribe(given)?)),
        Client::Rr => mqtt::Command::Request(Box::new(request(given)?)),
    }))
}

/// What does not go together, in the order in which the clients look.
fn check(given: &Given) -> Outcome<()> {
    let has = |name| given.has(name);
    let wrong = |text| refused(text);
    if has("--will-payload") && !has("--will-topic") {
        return wrong("Will payload given, but no will topic given.");
    }
    if has("--will-retain") && !has("--will-topic") {
        return wrong("Will retain given, but no will topic given.");
    }
    if has("--cert") != has("--key") {
        return wrong("Both certfile and keyfile must be provided if one of them is set.");
    }
    if has("--keyform") && !has("--key") {
        return wrong("If keyform is set, keyfile must be also specified.");
    }
    if has("--tls-engine-kpass-sha1") && !(has("--keyform") && has("--tls-engine")) {
        return wrong(
            "when using tls-engine-kpass-sha1, both tls-engine and keyform must also be provided.",
        );
    }
    if (has("--cafile") || has("--capath")) && has("--psk") {
        return wrong("Only one of --psk or --cafile/--capath may be used at once.");
    }
    if has("--psk") && !has("--psk-identity") {
        return wrong("--psk-identity required if --psk used.");
    }
    // A generated identifier is another one the next time.
    let nameless = has("-I") || !has("-i");
    let expiry = given.last("-x").map(expiry).transpose()?;
    let forever = expiry.map_or_else(|| has("-c"), |seconds| seconds == u32::MAX);
    if version_of(given) == Version::V5 && forever && nameless {
        return wrong(
            "You must provide a client id if you are using an infinite session expiry interval.",
        );
    }
    if version_of(given) != Version::V5 && has("-c") && nameless {
        return wrong("You must provide a client id if you are using the -c option.");
    }
    check_client(given)
}

/// What one client needs.
fn check_client(given: &Given) -> Outcome<()> {
    let has = |name| given.has(name);
    let has_message = super::given::MESSAGES.iter().any(|name| given.has(name));
    match given.client {
        Client::Sub if !has("-t") && !has("-U") => {
            refused("You must specify a topic to subscribe to (-t) or unsubscribe from (-U).")
        }
        Client::Sub if has("-R") && has("--retained-only") => Err(End::Unable(String::from(
            "\nError: Combining '-R' and '--retained-only' makes no sense.\n",
        ))),
        Client::Pub if !has("-t") || !has_message => Err(End::Incomplete(String::from(
            "Error: Both topic and message must be supplied.\n",
        ))),
        Client::Rr if !has("-t") || !has_message || !has("-e") => {
            refused("All of topic, message, and response topic must be supplied.")
        }
        _ => check_tls(given),
    }
}

/// What rustls does not have, if TLS is used at all.
fn check_tls(given: &Given) -> Outcome<()> {
    let unable = |text: String| Err(End::Unable(format!("Error: {text}\n")));
    if given.has("--no-tls") {
        return Ok(());
    }
    if given.has("--psk") {
        return unable(String::from("TLS-PSK is not supported."));
    }
    if let Some(engine) = given.last("--tls-engine") {
        let engine = engine.display();
        return unable(format!(
            "Problem setting TLS engine, is {engine} a valid engine?"
        ));
    }
    if given.last("--keyform").is_some_and(|form| form != "pem") {
        return unable(String::from(
            "Problem setting key form, it must be one of 'pem' or 'engine'.",
        ));
    }
    let known = |word: &OsStr| word == "tlsv1.2" || word == "tlsv1.3";
    if given.has("--ciphers") || given.last("--tls-version").is_some_and(|it| !known(it)) {
        return unable(String::from(
            "Problem setting TLS options, check the options are valid.",
        ));
    }
    Ok(())
}

fn version_of(given: &Given) -> Version {
    let named = given.last("--protocol-version").and_then(version);
    named.unwrap_or(match given.client {
        Client::Rr => Version::V5,
        Client::Pub | Client::Sub => Version::V311,
    })
}

fn text(name: &str, value: &OsStr) -> Outcome<String> {
    match value.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => refused(format!("Malformed UTF-8 in {name} argument.\n")),
    }
}

/// The last value of an option, as text.
fn last(given: &Given, name: &str) -> Outcome<Option<String>> {
    given.last(name).map(|value| text(name, value)).transpose()
}

/// Where to, and how.
fn connect(given: &Given) -> Outcome<ConnectArgs> {
    let path = |name: &str| given.last(name).map(PathBuf::from);
    let port = given.number("-p").and_then(|port| u16::try_from(port).ok());
    let by_files = given.has("--cafile") || given.has("--capath");
    let unix = match given.later("--unix", "-h") {
        Some("--unix") => path("--unix"),
        _ => None,
    };
    let wanted = by_files || given.has("--tls-use-os-certs") || port == Some(8883);
    let tls = wanted && !given.has("--no-tls") && unix.is_none();
    let mut args = ConnectArgs {
        username: last(given, "-u")?,
        password: given.last("-P").map(|word| Secret::new(word.as_bytes())),
        tls: Some(tls),
        websocket: given.has("--ws") && unix.is_none(),
        proxy: parsed(given, "--proxy")?,
        bind: parsed(given, "-A")?,
        ..ConnectArgs::default()
    };
    if unix.is_none() {
        let usual = if by_files && tls { 8883 } else { 1883 };
        args.port = Some(port.unwrap_or(usual));
        args.host = Some(last(given, "-h")?.unwrap_or_else(|| String::from("localhost")));
    }
    args.unix = unix;
    if tls {
        args.cafile = path("--cafile");
        args.capath = path("--capath");
        args.cert = path("--cert");
        args.key = path("--key");
        args.insecure_name = given.has("--insecure");
        args.tls_alpn = last(given, "--tls-alpn")?.into_iter().collect();
        args.tls_keylog = path("--tls-keylog");
        // It is the lowest, and 1.2 is the lowest that there is.
        let newest = given
            .last("--tls-version")
            .is_some_and(|it| it == "tlsv1.3");
        args.tls_version = newest.then_some(TlsVersion::V13);
    }
    Ok(args)
}

fn parsed<T: std::str::FromStr<Err = String>>(given: &Given, name: &str) -> Outcome<Option<T>> {
    let Some(word) = last(given, name)? else {
        return Ok(None);
    };
    match word.parse() {
        Ok(value) => Ok(Some(value)),
        Err(why) => refused(format!("{name}: {why}.\n")),
    }
}

fn session(given: &Given) -> Outcome<SessionArgs> {
    let version = version_of(given);
    let persistent = given.has("-c");
    let expiry = given.last("-x").map(expiry).transpose()?;
    let session_expiry =
        expiry.filter(|seconds| version == Version::V5 && (persistent || *seconds > 0));
    let number = |name: &str| given.number(name).and_then(|it| u16::try_from(it).ok());
    Ok(SessionArgs {
        auth_token: None,
        connect: connect(given)?,
        version: Some(version),
        client_id: identifier(given, version)?,
        id_prefix: last(given, "-I")?.map(ByteString::from),
        keep_alive: number("-k").unwrap_or(60),
        persistent,
        session_expiry,
        will: will(given, version)?,
        max_inflight: given
            .number("-M")
            .map(|it| u16::try_from(it).unwrap_or(u16::MAX)),
        max_packet_size: None,
        mechanism: None,
        connect_properties: connect_properties(given, version)?,
        disconnect_properties: properties(given, Place::Disconnect, version)?,
        trace: false,
        shows_session: false,
        stands_in: Some(StandIn {
            client: given.client,
            version,
            latency: given.has("--latency"),
            debug: given.has("-d"),
            quiet: given.has("--quiet"),
        }),
        ..SessionArgs::default()
    })
}

/// The server chooses one, which MQTT 3.1 does not know.
fn identifier(given: &Given, version: Version) -> Outcome<Option<ByteString>> {
    Ok(match last(given, "-i")? {
        Some(id) if id.is_empty() && given.has("-c") => {
            return refused("Invalid id and/or clean_session.");
        }
        Some(id) => Some(id.into()),
        None if given.has("-I") => None,
        None if version == Version::V31 => Some(format!("mosq-{:016x}", unguessable()).into()),
        None => Some(ByteString::new()),
    })
}

/// Those for a packet; a version without properties has none.
fn properties(given: &Given, place: Place, version: Version) -> Outcome<Properties> {
    if version != Version::V5 {
        return Ok(Properties::default());
    }
    let properties = given.properties(place);
    match properties.check(place) {
        Ok(()) => Ok(properties),
        Err(why) => refused(format!("Error in {} properties: {why}", place.name())),
    }
}

fn connect_properties(given: &Given, version: Version) -> Outcome<Properties> {
    let mut properties = properties(given, Place::Connect, version)?;
    if version == Version::V5 && properties.receive_maximum().is_none() {
        let count = match given.client {
            Client::Rr => Some(1),
            _ => given.number("-C"),
        };
        // Not more than is wanted: what comes in excess is not acknowledged, but would be counted as delivered.
        let most = count.and_then(|count| u16::try_from(count).ok());
        let most = most.unwrap_or(RECEIVE_MAXIMUM).min(RECEIVE_MAXIMUM);
        properties.push(Property::ReceiveMaximum(most));
    }
    Ok(properties)
}

fn will(given: &Given, version: Version) -> Outcome<Option<WillArgs>> {
    let Some(topic) = last(given, "--will-topic")? else {
        return Ok(None);
    };
    let payload = given.last("--will-payload");
    Ok(Some(WillArgs {
        topic: topic.into(),
        payload: payload.map_or(Source::Empty, |text| Source::Text(bytes(text))),
        qos: qos(given, "--will-qos"),
        retain: given.has("--will-retain"),
        properties: properties(given, Place::Will, version)?,
    }))
}

fn bytes(word: &OsStr) -> Bytes {
    Bytes::copy_from_slice(word.as_bytes())
}

fn qos(given: &Given, name: &str) -> QoS {
    let level = given
        .number(name)
        .and_then(|level| u8::try_from(level).ok());
    level.and_then(QoS::from_level).unwrap_or_default()
}

/// What is sent.
fn source(given: &Given) -> Source {
    let source = |name: &str| match name {
        "-m" => Source::Text(given.last(name).map(bytes).unwrap_or_default()),
        "-f" => Source::File(given.last(name).map(PathBuf::from).unwrap_or_default()),
        "-l" => Source::Lines(Framing::after(b'\n')),
        "-s" => Source::Stdin,
        _ => Source::Empty,
    };
    let mut names = super::given::MESSAGES.into_iter();
    names
        .find(|name| given.has(name))
        .map_or(Source::Empty, source)
}

fn style(given: &Given) -> Style {
    Style {
        color: ColorChoice::Never,
        quiet: given.has("--quiet"),
    }
}

fn publish(given: &Given) -> Outcome<publish::Plan> {
    let session = session(given)?;
    let version = version_of(given);
    let repeat = given
        .number("--repeat")
        .and_then(|count| u64::try_from(count).ok());
    let delay = given
        .last("--repeat-delay")
        .map(decimal)
        .unwrap_or_default();
    Ok(publish::Plan {
        stages: Stages::default(),
        session,
        topics: last(given, "-t")?
            .map(|topic| Destination::new(topic.into()))
            .into_iter()
            .collect(),
        qos: qos(given, "-q"),
        lowers_qos: false,
        retain: given.has("-r"),
        properties: properties(given, Place::Publish, version)?,
        source: source(given),
        encoding: Encoding::Plain,
        pacing: Pacing {
            // Lines are sent once.
            repeat: repeat.filter(|_| !given.has("-l")).unwrap_or(1),
            delay: Duration::from_secs_f64(delay),
            ..Pacing::default()
        },
        ack_timeout: Some(ACK_TIMEOUT),
        require_subscribers: false,
        ack_report: None,
        until: Until::default(),
        style: style(given),
    })
}

/// A subscription with the options that are given for all.
fn subscription(given: &Given, version: Version) -> Subscription {
    let handling = match given.last("--retain-handling").and_then(OsStr::to_str) {
        _ if version != Version::V5 => RetainHandling::Always,
        Some("new") => RetainHandling::New,
        Some("never") => RetainHandling::Never,
        None if given.has("-R") => RetainHandling::Never,
        _ => RetainHandling::Always,
    };
    Subscription {
        filter: ByteString::new(),
        qos: qos(given, "-q"),
        no_local: false,
        retain_as_published: given.has("--retain-as-published") && version == Version::V5,
        retain_handling: handling,
    }
}

fn filters(given: &Given, name: &str) -> Outcome<Vec<ByteString>> {
    let words = given.all(name);
    words
        .map(|word| text(name, word).map(ByteString::from))
        .collect()
}

/// How a message is shown.
fn format(given: &Given) -> Outcome<Format> {
    let newline = !given.has("-N");
    Ok(match given.last("-F") {
        Some(word) => {
            let mut template = template(word)?;
            template.newline = newline;
            template.pretty = given.has("--pretty");
            Format::Template(template)
        }
        None => Format::Mosquitto {
            topic: given.has("-v"),
            newline,
        },
    })
}

fn timeout(given: &Given) -> Option<Duration> {
    let seconds = given.number("-W").and_then(|it| u64::try_from(it).ok());
    seconds.map(Duration::from_secs)
}

fn request(given: &Given) -> Outcome<request::Plan> {
    let version = version_of(given);
    let of_publish = properties(given, Place::Publish, version)?;
    if given.has("-e") && of_publish.response_topic().is_some() {
        let text = "Error in PUBLISH properties: Duplicate response topic.\n";
        return Err(End::Unable(text.into()));
    }
    Ok(request::Plan {
        session: session(given)?,
        topics: last(given, "-t")?
            .map(|topic| Destination::new(topic.into()))
            .into_iter()
            .collect(),
        response_topic: last(given, "-e")?.map(|topic| Template::plain(&topic)),
        correlate: false,
        subscription: Some(subscription(given, version)),
        subscribe_properties: properties(given, Place::Subscribe, version)?,
        qos: qos(given, "-q"),
        lowers_qos: false,
        retain: false,
        properties: of_publish,
        source: source(given),
        encoding: Encoding::Plain,
        pacing: Pacing::default(),
        replies: Replies {
            until: Until {
                timeout: Some(timeout(given).unwrap_or(PATIENCE)),
                ..Until::default()
            },
            latency: false,
        },
        stages: Stages::default(),
        format: format(given)?,
        style: style(given),
    })
}

fn subscribe(given: &Given) -> Outcome<subscribe::Plan> {
    let version = version_of(given);
    let session = session(given)?;
    let default = subscription(given, version);
    let of = |filter| Subscription {
        filter,
        ..default.clone()
    };
    let percent = given.last("--random-filter").map(decimal);
    let counts = given.has("--message-rate");
    let format = match given.has("-w") && !counts {
        true => Format::Lines {
            broker: last(given, "-h")?.unwrap_or_else(|| String::from("localhost")),
            inner: Box::new(format(given)?),
        },
        false => format(given)?,
    };
    let count = given.number("-C").and_then(|it| u64::try_from(it).ok());
    Ok(subscribe::Plan {
        subscriptions: filters(given, "-t")?.into_iter().map(of).collect(),
        topics_file: None,
        defaults: Defaults {
            options: default.clone(),
            version: Some(version),
            group: None,
        },
        subscribe_properties: properties(given, Place::Subscribe, version)?,
        wanted: subscribe::Wanted {
            unsubscribe: filters(given, "-U")?,
            unsubscribe_properties: properties(given, Place::Unsubscribe, version)?,
            filter_out: filters(given, "-T")?,
            takes_as_acknowledged: true,
            remove_retained: given.has("--remove-retained"),
            skip_retained: given.has("-R"),
            retained_only: given.has("--retained-only"),
            ends_at_live: true,
            exit_after_subscribe: given.has("-E"),
            ..subscribe::Wanted::default()
        },
        stages: Stages {
            select: Select {
                sample: percent.map(Sample::percent),
                ..Select::default()
            },
            ..Stages::default()
        },
        until: Until {
            count: count.filter(|_| !counts),
            timeout: timeout(given),
            ..Until::default()
        },
        exec: None,
        ready: Ready::default(),
        summary: counts.then_some(Summary::Rate),
        destination: output::Destination::Stdout,
        format,
        style: style(given),
        session,
    })
}
