//! `replay`: sends recorded messages again, at the pace of the recording.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytestring::ByteString;
use serde_json::{Map, Value};

use super::ends::carry::{Losses, carry};
use super::ends::{End, Reports, TargetArgs, TargetEnd};
use crate::connect::Protocol;
use crate::error::{Error, Kind, Result, counted};
use crate::file::unreadable;
use crate::flow::latency::rounded;
use crate::flow::replay::survey::Survey;
use crate::flow::replay::{Assertion, Range, Recording, Replay, Replayed};
use crate::flow::until::messages;
use crate::flow::{self, Number, Progress, Target, Until};
use crate::message::{Detail, Message, UNTIMED, topic};
use crate::output::{Console, Format, Output, Style};
use crate::pace::alarm::Alarm;
use crate::payload::Form;
use crate::stop::{Asked, Stop};
use crate::store::spool;

/// So many topics are shown in a text about a recording.
const SHOWN_TOPICS: usize = 20;

/// What is replayed, where, and what is shown of it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which messages, and when.
    pub(crate) replay: Replay,
    /// Where they go.
    pub(crate) to: TargetArgs,
    /// AMQP: the exchange; otherwise the recorded one, or the one of MQTT's topics.
    pub(crate) exchange: Option<ByteString>,
    /// What is done with them.
    pub(crate) action: Action,
    /// Results are JSON.
    pub(crate) json: bool,
    /// What a message has that its target cannot carry, or does not take of it, is a failure.
    pub(crate) strict: bool,
    /// What the lag must be.
    pub(crate) assertions: Vec<Assertion>,
    /// Who is told how far it is.
    pub(crate) reports: Reports,
    /// When it is given up, and how long what is under way may take then.
    pub(crate) until: Until,
    /// What the terminal shows.
    pub(crate) style: Style,
}

/// What is done with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// They are sent.
    Send,
    /// It is shown when they would be sent, and where.
    DryRun,
    /// What is in the recordings is shown.
    Info,
    /// The recordings must be in order.
    Check {
        /// No longer may nothing have come.
        longest: Option<Duration>,
    },
}

/// Replays.
///
/// # Errors
/// A recording that cannot be read or holds what is no record; no connection, a refusal, a lost message; a threshold that is missed.
pub(crate) async fn run(mut plan: Plan) -> Result<()> {
    let console = Console::new(plan.style);
    plan.open_directories()?;
    match plan.action {
        Action::Info => info(&plan).await,
        Action::Check { longest } => check(&plan, longest, console).await,
        Action::Send | Action::DryRun => send(plan, console).await,
    }
}

async fn info(plan: &Plan) -> Result<()> {
    let survey = plan.replay.survey().await?;
    let mut output = Output::open(Format::Raw, plan.style)?;
    output.line(&match plan.json {
        true => survey.json().to_string(),
        false => described(&survey),
    });
    output.flush().await
}

async fn check(plan: &Plan, longest: Option<Duration>, console: Console) -> Result<()> {
    let survey = plan.replay.survey().await?;
    let problems = survey.problems(longest);
    let mut output = Output::open(Format::Raw, plan.style)?;
    if plan.json {
        let mut found = survey.json();
        found["problems"] = problems.clone().into();
        output.line(&found.to_string());
    } else {
        problems.iter().for_each(|problem| output.line(problem));
    }
    output.flush().await?;
    if !problems.is_empty() {
        let problems = counted(problems.len() as u64, "problem");
        let text = format!("{problems} in the recording");
        return Err(Error::new(Kind::Missed, text));
    }
    if !plan.json {
        let records = counted(survey.records, "record");
        console.note(format_args!("{records}, in order"));
    }
    Ok(())
}

async fn send(mut plan: Plan, console: Console) -> Result<()> {
    let (dry, exchange) = (plan.action == Action::DryRun, plan.exchange.clone());
    plan.check_target()?;
    let mut end = TargetEnd::resolve(plan.to.clone(), console)?;
    if plan.strict {
        end.insist();
    }
    let protocol = end.protocol();
    plan.replay.check = match (&plan.replay.topic, protocol) {
        (None, protocol) => check_of(protocol),
        (Some(_), Some(Protocol::Mqtt)) => check_response_topic,
        (Some(_), _) => |_| Ok(()),
    };
    plan.replay.clears = plan.replay.retain && protocol == Some(Protocol::Mqtt);
    let verified = plan.replay.verify(console).await?;
    let mut stop = Stop::watch()?;
    let (strict, mut losses) = (plan.strict, Losses::of_each(plan.strict));
    let qos = plan.replay.qos;
    let outgoing = |message| {
        let Some(protocol) = protocol else {
            // What does not say when it was is of when it is sent.
            return Ok(Message::timed(message, SystemTime::now));
        };
        let sent = carried(message, protocol, exchange.as_ref(), qos, &mut losses);
        told(&mut losses, strict, console).map(|()| sent)
    };
    let mut replay = plan.replay.clone();
    if dry {
        (replay.speed, replay.rounds) = (None, Some(1));
    }
    let mut source = Replayed::new(&replay, verified, Alarm::exact(), outgoing, console)?;
    let (ended, delivered) = if dry {
        let mut target = Shown::open(&plan, end.name())?;
        flow::deliver(&mut source, &mut target, &plan.until, &mut stop).await
    } else {
        let mut target = plan.reports.of(end.open().await?, console).await?;
        let sent = flow::deliver(&mut source, &mut target, &plan.until, &mut stop);
        let (ended, delivered) = sent.await;
        let closed = stop
            .close(target.into_inner().close())
            .await
            .unwrap_or(Ok(()));
        (ended.and(closed), delivered)
    };
    let asked = |error: &Error| Asked::of(error.kind()).is_some();
    if !dry && ended.as_ref().err().is_none_or(asked) {
        plan.account(&source, delivered, protocol.is_some(), console)
            .await?;
    }
    ended?;
    if source.count() == 0 && plan.replay.range != Range::default() {
        console.warn("no record is within --from and --until");
    }
    let missed = plan.assertions.iter().map(|it| it.check(source.lag()));
    missed
        .collect::<Result<(), _>>()
        .map_err(|why| Error::new(Kind::Missed, why))
}

impl Plan {
    /// A directory stands for the recordings in it, by name; that of a spool for what is left in it.
    fn open_directories(&mut self) -> Result<()> {
        let mut recordings = Vec::new();
        for recording in std::mem::take(&mut self.replay.recordings) {
            // One of rabtap's is one recording, of a message in each file.
            let is_directory = |it: &&PathBuf| recording.form != Form::Rabtap && it.is_dir();
            let Some(directory) = recording.file.as_ref().filter(is_directory) else {
                recordings.push(recording);
                continue;
            };
            let files = match spool::recordings(directory)? {
                Some(segments) => segments,
                None => recordings_in(directory)?,
            };
            recordings.extend(files.into_iter().map(|(file, from)| Recording {
                file: Some(file),
                from,
                ..recording.clone()
            }));
        }
        self.replay.recordings = recordings;
        Ok(())
    }

    /// A recording that grew by what is replayed of it would have no end.
    fn check_target(&self) -> Result<()> {
        let End::File(target) = &self.to.end else {
            return Ok(());
        };
        let place = fs::canonicalize(target).ok();
        let is_target = |file: &PathBuf| place.is_some() && fs::canonicalize(file).ok() == place;
        let mut files = self
            .replay
            .recordings
            .iter()
            .filter_map(|it| it.file.as_ref());
        if files.any(is_target) {
            let text = format!("{} is the target, and replayed", target.display());
            return Err(Error::usage(text));
        }
        Ok(())
    }

    /// One line about what the target has, and how late it was sent; what it has not confirmed is named.
    async fn account(
        &self,
        source: &Replayed<'_>,
        delivered: u64,
        sent: bool,
        console: Console,
    ) -> Result<()> {
        let open = source.count().saturating_sub(delivered);
        let elapsed = source.elapsed().unwrap_or_default();
        if self.json && sent {
            let mut account = Map::new();
            account.insert("messages".into(), delivered.into());
            account.insert("not_acknowledged".into(), open.into());
            let seconds = (elapsed.as_secs_f64() * 1e6).round() / 1e6;
            account.insert("elapsed_s".into(), seconds.into());
            source.lag().put(&mut account);
            let mut output = Output::open(Format::Raw, self.style)?;
            output.line(&Value::Object(account).to_string());
            return output.flush().await;
        }
        let lag = match source.lag().to_string() {
            lag if lag.is_empty() => lag,
            lag => format!(": {lag}"),
        };
        let open = match open {
            0 => String::new(),
            open => format!("; {open} not acknowledged"),
        };
        let seconds = elapsed.as_secs_f64();
        console.note(format_args!(
            "replayed {} in {seconds:.3} s{lag}{open}",
            messages(delivered)
        ));
        Ok(())
    }
}

/// The recordings in a directory, each from its beginning.
fn recordings_in(directory: &Path) -> Result<Vec<(PathBuf, u64)>> {
    let unread = |cause| unreadable(directory.display(), &cause);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(unread)? {
        let name = entry.map_err(unread)?.file_name();
        let text = name.to_string_lossy();
        if text.ends_with(".ndjson") || text.ends_with(".ndjson.gz") {
            files.push((directory.join(&name), 0));
        }
    }
    if files.is_empty() {
        let text = format!("{}: no *.ndjson or *.ndjson.gz in it", directory.display());
        return Err(Error::usage(text));
    }
    files.sort();
    Ok(files)
}

/// What is wrong with a message that goes to its own topic.
const fn check_of(protocol: Option<Protocol>) -> fn(&Message) -> Result<(), String> {
    match protocol {
        None | Some(Protocol::Http) => |_| Ok(()),
        Some(Protocol::Mqtt) => |message| {
            check_topic(message)?;
            topic::check_name(&message.topic).map_err(|invalid| invalid.to_string())?;
            check_response_topic(message)
        },
        // What came over a fanout exchange has an empty routing key.
        Some(Protocol::Amqp) => |message| match message.detail {
            Detail::Amqp(_) => Ok(()),
            _ => check_topic(message),
        },
        Some(Protocol::Coap) => check_topic,
    }
}

fn check_response_topic(message: &Message) -> Result<(), String> {
    let Detail::Mqtt(mqtt) = &message.detail else {
        return Ok(());
    };
    let properties = mqtt.properties.as_ref();
    match properties.and_then(|it| it.response_topic.as_ref()) {
        Some(name) => {
            topic::check_name(name).map_err(|invalid| format!("response_topic: {invalid}"))
        }
        None => Ok(()),
    }
}

fn check_topic(message: &Message) -> Result<(), String> {
    match message.topic.is_empty() {
        true => Err(String::from(
            "no topic; use --topic-out TOPIC for records without one",
        )),
        false => Ok(()),
    }
}

/// The message as `protocol` sends it. Its lifetime begins anew: it is as old as it was when it was recorded.
fn carried(
    message: Message,
    protocol: Protocol,
    exchange: Option<&ByteString>,
    qos: Option<u8>,
    losses: &mut Losses,
) -> Message {
    let time = message.time;
    let fresh = Message {
        time: UNTIMED,
        ..message
    };
    // What was published straight to a queue goes there again.
    let own = match &fresh.detail {
        Detail::Amqp(amqp) => Some(amqp.exchange.clone()),
        _ => None,
    };
    let exchange = exchange.or(own.as_ref());
    let mut message = carry(fresh, protocol, exchange, SystemTime::now(), losses);
    message.time = time;
    if let (Detail::Mqtt(mqtt), Some(qos)) = (&mut message.detail, qos) {
        mqtt.qos = qos;
    }
    message
}

/// Tells what a message loses, or refuses it for that.
fn told(losses: &mut Losses, strict: bool, console: Console) -> Result<()> {
    for what in losses.fresh() {
        if strict {
            let text = format!("{what} cannot be carried to the other protocol");
            return Err(Error::new(Kind::Refused, text));
        }
        console.warn(format_args!("left out, as it cannot be carried: {what}"));
    }
    Ok(())
}

/// What is in recordings, as lines for people.
fn described(survey: &Survey) -> String {
    let mut lines = vec![format!("records   {}", survey.records)];
    let protocols = survey.protocols.iter();
    let protocols: Vec<_> = protocols
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    lines.push(format!("protocols {}", protocols.join(", ")));
    if let Some((first, last)) = survey.times {
        let time = humantime::format_rfc3339_millis;
        lines.push(format!("first     {}", time(first)));
        lines.push(format!("last      {}", time(last)));
        lines.push(format!(
            "duration  {:.3} s",
            survey.duration().as_secs_f64()
        ));
    }
    if let Some(rate) = survey.rate() {
        lines.push(format!("rate      {rate:.1}/s"));
    }
    lines.push(format!("payloads  {} bytes", survey.payload_bytes));
    // Those of an even pace are none.
    let usual = survey
        .rate()
        .map_or(Duration::MAX, |rate| Duration::from_secs_f64(1.5 / rate));
    for gap in survey.gaps.iter().filter(|gap| gap.length > usual) {
        let after = humantime::format_rfc3339_millis(gap.after);
        lines.push(format!(
            "gap       {:.3} s after {after}",
            gap.length.as_secs_f64()
        ));
    }
    lines.extend(
        survey
            .problems(None)
            .into_iter()
            .map(|it| format!("problem   {it}")),
    );
    let topics = survey.by_count();
    lines.push(format!("topics    {}", topics.len()));
    let width = topics
        .first()
        .map_or(0, |(_, count)| count.to_string().len());
    let shown = topics.iter().take(SHOWN_TOPICS);
    lines.extend(shown.map(|(topic, count)| format!("  {count:>width$}  {topic}")));
    let rest = topics.len().saturating_sub(SHOWN_TOPICS);
    if rest > 0 || survey.other_topics > 0 {
        lines.push(format!("  and {rest} more"));
    }
    lines.join("\n")
}

/// A target that shows what would be sent.
struct Shown {
    output: Output,
    json: bool,
    speed: Option<f64>,
    /// When the first message was recorded.
    first: Option<SystemTime>,
    name: String,
    newest: Number,
    written: Number,
}

impl Shown {
    fn open(plan: &Plan, name: String) -> Result<Self> {
        Ok(Self {
            output: Output::open(Format::Raw, plan.style)?,
            json: plan.json,
            speed: plan.replay.speed,
            first: None,
            name,
            newest: 0,
            written: 0,
        })
    }

    /// In seconds after the first message.
    fn due(&mut self, time: SystemTime) -> f64 {
        let first = *self.first.get_or_insert(time);
        let after = time.duration_since(first).unwrap_or_default();
        self.speed.map_or(0.0, |speed| after.as_secs_f64() / speed)
    }
}

impl Target for Shown {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn has_room(&self) -> bool {
        self.written == self.newest || self.output.pending() < 1 << 16
    }

    fn is_idle(&self) -> bool {
        self.written == self.newest
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        self.newest = number;
        let due = rounded(self.due(message.time));
        let mut shown = Map::new();
        shown.insert("due_s".into(), due.into());
        shown.insert("topic".into(), (&*message.topic).into());
        if let Detail::Mqtt(mqtt) = &message.detail {
            shown.insert("qos".into(), mqtt.qos.into());
            shown.insert("retain".into(), mqtt.retain.into());
        }
        shown.insert("size_bytes".into(), message.payload.len().into());
        let line = match self.json {
            true => Value::Object(shown).to_string(),
            false => {
                let pairs = shown.iter().skip(2);
                let pairs: String = pairs
                    .map(|(name, value)| format!(" {name}={value}"))
                    .collect();
                format!("{due:.3} {}{pairs}", message.topic)
            }
        };
        self.output.line(&line);
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.is_idle() {
            self.output.reader_gone().await;
            let text = "the reader of standard output closed it";
            return Err(Error::new(Kind::ReaderGone, text));
        }
        self.output.flush().await?;
        self.written = self.newest;
        into.push(Progress::Through(self.newest));
        Ok(())
    }
}
