//! `mqtt clear`: removes retained messages, after it has counted them.

use std::collections::{BTreeSet, VecDeque};

use bytestring::ByteString;

use super::publish;
use super::session::{SessionArgs, Wants, topic_of};
use super::source::{Subscribed, Wanted};
use crate::connect::{Retry, Target};
use crate::error::{Error, Kind, Result, brief, counted};
use crate::flow::{self, Number, Pacing, Progress, Stages, Until};
use crate::message::Message;
use crate::mqtt::packet::{Properties, QoS, Subscription};
use crate::mqtt::topic;
use crate::output::{Console, Format, Output, Style};
use crate::payload::{Bodies, Destination, Encoding, Framing, Source, standard};
use crate::stop::Stop;

/// More bytes of topics than this are not gathered.
const MOST_BYTES: usize = 256 << 20;

/// What allows messages to be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// None is: their topics are shown (`--dry-run`).
    Never,
    /// They are, however many (`--yes`).
    Given,
    /// They are when they are exactly so many (`--count`).
    Count(u64),
    /// The user at the terminal is asked.
    Ask,
}

/// What to remove.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The session.
    pub session: SessionArgs,
    /// Valid filters. Empty when the path of the URL names one.
    pub filters: Vec<ByteString>,
    /// What allows it.
    pub permission: Permission,
    /// When it is given up.
    pub until: Until,
    /// What the terminal shows.
    pub style: Style,
}

/// Finds the retained messages, and removes them.
///
/// # Errors
/// No connection, a refusal; another number of messages than was given ([`Kind::Missed`]); no permission ([`Kind::Usage`]).
pub(crate) async fn run(plan: Plan) -> Result<()> {
    if plan.permission == Permission::Ask && !standard::input_is_terminal() {
        let text = "without a terminal, --yes, --count or --dry-run is needed";
        return Err(Error::usage(text).hint("see with --dry-run what would be removed"));
    }
    let console = Console::new(plan.style);
    let mut stop = Stop::watch()?;
    let target = plan.session.target()?;
    let (name, topics) = retained(&plan, target, console, &mut stop).await?;
    if plan.permission == Permission::Never {
        return shown(&topics, plan.style, console).await;
    }
    if topics.is_empty() {
        console.note(format_args!("{name} has no matching retained messages"));
        return plan.allows(0);
    }
    plan.allows(topics.len() as u64)?;
    let count = retained_messages(topics.len());
    if plan.permission == Permission::Ask {
        let question = format!("remove {count} from {name}? [y/N]");
        let asked = answered(&question, console);
        let answer = stop.unless_asked("interrupted; nothing was removed", asked);
        if !answer.await? {
            console.note("nothing was removed");
            return Err(Error::new(Kind::Refused, "not confirmed"));
        }
    }
    // Another connection, as it may have taken long to answer.
    plan.remove(topics, &mut stop).await?;
    console.note(format_args!("removed {count} from {name}"));
    Ok(())
}

impl Plan {
    /// Whether so many may be removed, as far as that is known.
    fn allows(&self, found: u64) -> Result<()> {
        match self.permission {
            Permission::Count(count) if count != found => {
                let found = retained_messages(found as usize);
                let text = format!("nothing was removed: {found} found, not {count}");
                Err(Error::new(Kind::Missed, text))
            }
            _ => Ok(()),
        }
    }

    /// Removes the retained messages of these topics, which match the filters. Where the server does not say that it refuses that,
    /// it is asked what is left.
    async fn remove(&self, topics: BTreeSet<ByteString>, stop: &mut Stop) -> Result<()> {
        let tells_refusals = publish::publish(self.removal(&topics)).await?;
        if tells_refusals {
            return Ok(());
        }
        let console = Console::new(self.style);
        let (name, found) = retained(self, self.session.target()?, console, stop).await?;
        let mut left = topics.intersection(&found);
        let Some(first) = left.next() else {
            return Ok(());
        };
        let (left, all) = (1 + left.count(), retained_messages(topics.len()));
        let first = brief(first);
        let text = format!("{left} of {all} are still on {name}, such as that of {first}");
        let hint = "before MQTT 5, and at QoS 0, a server does not say that it refuses a message: the client may lack the right to publish";
        Err(Error::new(Kind::Refused, text).hint(hint))
    }

    /// An empty message to each topic, which the server forgets the other for (MQTT 5.0 §3.3.1.3).
    fn removal(&self, topics: &BTreeSet<ByteString>) -> publish::Plan {
        publish::Plan {
            session: self.session.clone(),
            topics: topics.iter().cloned().map(Destination::new).collect(),
            qos: QoS::AtLeastOnce,
            lowers_qos: true,
            retain: true,
            properties: Properties::default(),
            source: Source::Empty,
            encoding: Encoding::Plain,
            stages: Stages::default(),
            pacing: Pacing::default(),
            ack_timeout: None,
            require_subscribers: false,
            ack_report: None,
            until: self.until.clone(),
            style: self.style,
        }
    }

    fn subscriptions(&self, target: &Target) -> Result<Vec<Subscription>> {
        let mut filters = self.filters.clone();
        if filters.is_empty() {
            let filter = topic_of(target)
                .ok_or_else(|| Error::usage("no topic to remove").hint("use -t FILTER"))?;
            topic::check_filter(&filter).map_err(|invalid| Error::usage(invalid.to_string()))?;
            filters.push(filter);
        }
        let plain = |filter| Subscription {
            filter,
            ..Subscription::default()
        };
        Ok(filters.into_iter().map(plain).collect())
    }
}

fn retained_messages(count: usize) -> String {
    counted(count as u64, "retained message")
}

/// The topics with retained messages that match a filter.
///
/// # Errors
/// No connection, a refusal; `until` is over.
pub(crate) async fn find(
    session: SessionArgs,
    filter: ByteString,
    until: Until,
    style: Style,
) -> Result<BTreeSet<ByteString>> {
    let plan = Plan {
        session,
        filters: vec![filter],
        permission: Permission::Never,
        until,
        style,
    };
    let target = plan.session.target()?;
    let mut stop = Stop::watch()?;
    let found = retained(&plan, target, Console::new(style), &mut stop).await;
    found.map(|(_, topics)| topics)
}

/// Removes the retained messages of these topics.
///
/// # Errors
/// No connection, a refusal, `until` is over; some are still there ([`Kind::Refused`]).
pub(crate) async fn remove(
    session: SessionArgs,
    topics: Vec<ByteString>,
    until: Until,
    style: Style,
) -> Result<()> {
    let plan = Plan {
        session,
        filters: topics.clone(),
        permission: Permission::Given,
        until,
        style,
    };
    let mut stop = Stop::watch()?;
    plan.remove(topics.into_iter().collect(), &mut stop).await
}

/// The server that was asked, and its topics with retained messages.
async fn retained(
    plan: &Plan,
    target: Target,
    console: Console,
    stop: &mut Stop,
) -> Result<(String, BTreeSet<ByteString>)> {
    let subscriptions = plan.subscriptions(&target)?;
    let wants = Wants {
        later: Retry::Never,
        version_5_only: false,
        topic_aliases: 0,
    };
    let mut client = plan.session.client(target, &wants, console).await?;
    client
        .session()
        .subscribe(&subscriptions, &Properties::default())
        .map_err(|fault| Error::usage(fault.to_string()))?;
    let wanted = Wanted {
        subscribes: true,
        retained_only: true,
        ..Wanted::default()
    };
    let mut source = Subscribed::new(client, &wanted, false, console);
    let mut found = Found::default();
    let stages = Stages::default();
    let ended = flow::run(&mut source, &mut found, &stages, &plan.until, stop).await;
    let name = source.client.target().to_string();
    let properties = plan.session.disconnect_properties.clone();
    let closed = stop.close(source.close(properties)).await.unwrap_or(Ok(()));
    ended.and(closed).map(|()| (name, found.topics))
}

async fn shown(topics: &BTreeSet<ByteString>, style: Style, console: Console) -> Result<()> {
    let mut output = Output::open(Format::Raw, style)?;
    for topic in topics {
        output.line(topic);
    }
    output.flush().await?;
    let count = retained_messages(topics.len());
    console.note(format_args!("{count} would be removed"));
    Ok(())
}

/// Asks the user.
async fn answered(question: &str, console: Console) -> Result<bool> {
    console.note(question);
    let mut bodies = Bodies::open(&Source::Lines(Framing::after(b'\n')), Encoding::Plain)?;
    let mut lines = VecDeque::new();
    bodies.next(&mut lines).await?;
    let line = lines.pop_front().unwrap_or_default();
    let word = line.payload.trim_ascii().to_ascii_lowercase();
    Ok(matches!(&*word, b"y" | b"yes"))
}

/// Gathers topics.
#[derive(Default)]
struct Found {
    topics: BTreeSet<ByteString>,
    bytes: usize,
    newest: Number,
    told: Number,
}

impl flow::Target for Found {
    fn name(&self) -> String {
        String::from("the list of topics")
    }

    fn has_room(&self) -> bool {
        true
    }

    fn is_idle(&self) -> bool {
        self.told == self.newest
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        self.newest = number;
        // Not a slice of what was read, which would stay in memory with it.
        let topic = ByteString::from(&*message.topic);
        let size = topic.len();
        if self.topics.insert(topic) {
            self.bytes += size + size_of::<ByteString>();
        }
        match self.bytes > MOST_BYTES {
            true => Err(Error::usage("too many topics match; use a narrower filter")),
            false => Ok(()),
        }
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.is_idle() {
            return std::future::pending().await;
        }
        self.told = self.newest;
        into.push(Progress::Through(self.newest));
        Ok(())
    }
}
