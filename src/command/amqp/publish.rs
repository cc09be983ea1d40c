//! `amqp publish`: publishes messages and waits until each is confirmed.

use std::time::Duration;

use bytestring::ByteString;

use super::publisher::{Publisher, Publishing};
use super::session::{Session, SessionArgs, Speaks, messages, not_of_one, prepared};
use crate::amqp::address::Address;
use crate::amqp::topology::Declaration;
use crate::amqp::wish::Sending;
use crate::amqp::{v1, v091};
use crate::connect::Retry;
use crate::error::{Error, Result};
use crate::flow::{self, AckReport, Input, Pacing, Reported, Stages, Until};
use crate::message::{AmqpDetail, AmqpProperties, Detail, Message};
use crate::output::{Console, Format, Output, Style};
use crate::payload::{Bodies, Destination, Encoding, Outline, Source};
use crate::stop::Stop;

/// How long to keep trying to come back after a lost connection, unless `--retry` says.
const LATER: Retry = Retry::For(Duration::from_secs(30));

/// The usual number of messages under way.
pub const WINDOW: usize = 1000;

/// What to publish, where and how often.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The connection.
    pub session: SessionArgs,
    /// For messages that do not say their own (`-e`, default: the default exchange, which is the empty name).
    pub exchange: ByteString,
    /// Each message goes out under each (`-k`, several); empty: records name theirs, and others have the empty one.
    pub keys: Vec<Destination>,
    /// Where messages go over AMQP 1.0, instead of what exchange and keys say (`--address`).
    pub address: Option<ByteString>,
    /// Properties and headers of each message (`--content-type`, `--header NAME:TYPE=VALUE`, `--persistent` is delivery mode 2, …);
    /// records say their own.
    pub properties: AmqpProperties,
    /// A message that no queue gets is a failure (`--mandatory`); needs confirmations.
    pub mandatory: bool,
    /// The server confirms each message (default; `--no-confirm` turns it off).
    pub confirms: bool,
    /// How many messages may wait for their confirmation (`--window`, default 1000).
    pub window: usize,
    /// Where the bodies come from (`-m -f -s -l -n --ndjson`).
    pub source: Source,
    /// How the bodies are written there (`--hex`, `--base64`).
    pub encoding: Encoding,
    /// What becomes of each message before (`--map`).
    pub stages: Stages,
    /// How often, and how fast.
    pub pacing: Pacing,
    /// What is made before anything is published (`--declare`), again after each reconnect.
    pub declare: Vec<Declaration>,
    /// How long no confirmation at all may come while some are awaited (`--ack-timeout`, default 30 s).
    pub ack_timeout: Duration,
    /// Prints what became of each message (`--ack-report`); needs confirmations.
    pub ack_report: Option<AckReport>,
    /// When it is given up, and how long what is under way may take then (`-W`, `--drain`).
    pub until: Until,
    /// What the terminal shows.
    pub style: Style,
}

impl Plan {
    /// One message to a routing key, with everything else as the defaults are.
    pub fn new(session: SessionArgs, key: impl Into<ByteString>, source: Source) -> Self {
        Self {
            session,
            exchange: ByteString::new(),
            keys: vec![Destination::new(key.into())],
            address: None,
            properties: AmqpProperties::default(),
            mandatory: false,
            confirms: true,
            window: WINDOW,
            source,
            encoding: Encoding::Plain,
            stages: Stages::default(),
            pacing: Pacing::default(),
            declare: Vec::new(),
            ack_timeout: Duration::from_secs(30),
            ack_report: None,
            until: Until::default(),
            style: Style::default(),
        }
    }
}

/// Publishes and waits until every message is confirmed.
///
/// # Errors
/// No connection, a refusal, a returned message, a deadline, unreadable input; see [`Kind`](crate::error::Kind).
pub async fn run(plan: Plan) -> Result<()> {
    if plan.mandatory && !plan.confirms {
        return Err(Error::usage("--mandatory needs publisher confirms"));
    }
    if plan.session.protocol == Speaks::V10 {
        plan.fits_one()?;
    }
    let bodies = Bodies::open(&plan.source, plan.encoding)?.like(plan.outline());
    let opened = |report| Output::open(Format::Raw, plan.style).map(|output| (report, output));
    let report = plan.ack_report.map(opened).transpose()?;
    let mut stop = Stop::watch()?;
    let notes = Console::new(plan.style);
    if let Some(file) = plan.source.named_file() {
        notes.note(file);
    }
    let session = plan.session.session("publish", LATER, notes)?;
    let mut input = Input::new(bodies, &plan.pacing);
    let mut publishing = Publishing::new(&plan, session, notes);
    let first = plan.keys.first().and_then(Destination::fixed);
    let key = first.cloned().unwrap_or_default();
    let target = Reported::new(&mut publishing, report, key);
    let (ended, target) =
        flow::send_mapped(&mut input, target, &plan.stages, &plan.until, &mut stop).await;
    let _ = stop.close(target.close()).await;
    let unroutable = publishing.unroutable();
    let _ = stop.close(publishing.close()).await;
    input.report(notes);
    if unroutable > 0 {
        // An exchange has bindings; without one the key names the queue.
        let way_out = match plan.exchange.is_empty() {
            true => "; --declare declares the queue, --mandatory makes this an error",
            false => "",
        };
        notes.warn(format_args!(
            "no queue received {}, which the server dropped (312 NO_ROUTE){way_out}",
            messages(unroutable)
        ));
    }
    ended
}

impl Plan {
    /// What records do not say, and what they must.
    fn outline(&self) -> Outline {
        Outline {
            topics: self.keys.clone(),
            detail: Detail::Amqp(Box::new(AmqpDetail {
                exchange: self.exchange.clone(),
                ..AmqpDetail::default()
            })),
            check: check_record,
        }
    }

    /// Connects to publish, over whichever AMQP it is to be.
    pub(super) async fn publisher(&self, session: &Session) -> Result<Publisher> {
        let v091 = async |session: &Session| self.v091(session).await;
        session
            .over(v091, async |session| self.one(session).await)
            .await
    }

    async fn one(&self, session: &Session) -> Result<Publisher> {
        self.fits_one()?;
        let keys = self.keys.iter().filter_map(Destination::fixed);
        let wish = Sending {
            address: self.address.clone().map(Address::Said),
            first: keys.map(|key| Address::of(&self.exchange, key)).collect(),
            confirms: self.confirms,
            window: self.window,
        };
        let publisher = v1::Publisher::connect(&session.target, &session.options, wish).await?;
        Ok(Publisher::V10(Box::new(publisher)))
    }

    /// Refuses what AMQP 1.0 has no word for.
    fn fits_one(&self) -> Result<()> {
        v1::available()?;
        v1::carries(&self.properties)?;
        let flags = [
            (self.mandatory, "--mandatory"),
            (!self.declare.is_empty(), "--declare"),
        ];
        not_of_one(&flags)
    }

    /// Declares what is to be there, and then connects to publish.
    async fn v091(&self, session: &Session) -> Result<Publisher> {
        if !self.declare.is_empty() {
            let client = session.client().await?;
            prepared(&client, &self.declare).await?;
            client.close().await;
        }
        let (target, options) = (&session.target, &session.options);
        let said = session.on_event();
        let publisher =
            v091::Connection::connect(target, options, said, self.confirms, self.window).await?;
        Ok(Publisher::V091(Box::new(publisher)))
    }
}

fn check_record(message: &Message) -> Result<(), String> {
    match message.topic.len() {
        256.. => Err(String::from(
            "the topic is longer than 255 bytes, too long for a routing key",
        )),
        _ => Ok(()),
    }
}
