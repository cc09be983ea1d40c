//! `mqtt sub`: subscribes, and shows what comes or runs a command for it.

use super::mosquitto;
use super::session::{SessionArgs, Wants};
use super::source::Subscribed;
pub(crate) use super::source::Wanted;
use super::topics::{Defaults, TopicsFile};
use crate::command::hangup::reopen_destination;
use crate::connect::{Retry, Target};
use crate::error::{Error, Result};
use crate::flow::{Exec, Ready, Receiver, Stages, Summary, Until};
use crate::mqtt::client::Client;
use crate::mqtt::packet::{Properties, Subscription};
use crate::mqtt::topic;
use crate::output::{Console, Destination, Format, Output, Style};
use crate::stop::Stop;

/// The highest topic alias that the server may use towards us.
const TOPIC_ALIASES: u16 = 16;

/// What to subscribe to, until when, and where what comes is to go.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The session.
    pub session: SessionArgs,
    /// Valid filters with their options. Empty when the path of the URL names it, or with
    /// `unsubscribe`; the former is known only once the URL is resolved.
    pub subscriptions: Vec<Subscription>,
    /// A file with more of them.
    pub topics_file: Option<TopicsFile>,
    /// For those of the file, and the one that the path of the URL names.
    pub defaults: Defaults,
    /// For SUBSCRIBE.
    pub subscribe_properties: Properties,
    /// What else is asked of the server, and which of its messages count.
    pub wanted: Wanted,
    /// Which messages pass, and what they must be.
    pub stages: Stages,
    /// When it ends.
    pub until: Until,
    /// Run a command for each message instead of showing it.
    pub exec: Option<Exec>,
    /// Who is told when messages can come.
    pub ready: Ready,
    /// Where messages go.
    pub destination: Destination,
    /// How a message is shown.
    pub format: Format,
    /// Shown instead of messages.
    pub summary: Option<Summary>,
    /// What the terminal shows.
    pub style: Style,
}

/// Subscribes and shows what comes.
///
/// # Errors
/// No connection, a refusal, a deadline, a lost reader; see [`Kind`](crate::error::Kind).
pub(crate) async fn run(plan: Plan) -> Result<()> {
    mosquitto::end(plan.session.stands_in, subscribe(&plan).await)
}

async fn subscribe(plan: &Plan) -> Result<()> {
    plan.stages.load()?;
    let target = plan.session.target()?;
    let subscriptions = plan.subscriptions(&target)?;
    if plan.wanted.retained_only && subscriptions.iter().any(is_shared) {
        let text =
            "a shared subscription gets no retained messages: --retained-only cannot be used";
        return Err(Error::usage(text));
    }
    let mut output = Output::open_at(&plan.destination, plan.format.clone(), plan.style)?;
    let mut stop = Stop::watch()?;
    let notes = Console::new(plan.style);
    reopen_destination(&mut stop, &plan.destination, notes)?;
    let client = plan.client(target, &subscriptions, notes).await?;
    let wanted = Wanted {
        subscribes: !subscriptions.is_empty(),
        ..plan.wanted.clone()
    };
    let counts = plan.until.count.is_some();
    let mut source = Subscribed::new(client, &wanted, counts, notes);
    // What was passed over is no news to who calls another program.
    let account = Console::new(Style {
        quiet: plan.style.quiet || plan.session.stands_in.is_some(),
        ..plan.style
    });
    let receiver = Receiver {
        output: &mut output,
        exec: plan.exec.as_ref(),
        summary: plan.summary,
        stages: &plan.stages,
        until: &plan.until,
        ready: &plan.ready,
        console: account,
    };
    let ended = receiver.receive(&mut source, &mut stop).await;
    let properties = plan.session.disconnect_properties.clone();
    let closed = stop.close(source.close(properties)).await.unwrap_or(Ok(()));
    ended.and(closed)
}

impl Plan {
    /// A client that subscribes as soon as it is connected.
    async fn client(
        &self,
        target: Target,
        subscriptions: &[Subscription],
        notes: Console,
    ) -> Result<Client> {
        let wants = Wants {
            // A question that is asked once is not asked for ever.
            later: match subscriptions {
                [] => Retry::Never,
                _ => Retry::Forever,
            },
            version_5_only: self.needs_version_5(subscriptions),
            topic_aliases: TOPIC_ALIASES,
        };
        let mut client = self.session.client(target, &wants, notes).await?;
        if !subscriptions.is_empty() {
            client
                .session()
                .subscribe(subscriptions, &self.subscribe_properties)
                .map_err(|fault| Error::usage(fault.to_string()))?;
        }
        Ok(client)
    }

    /// The filters of `-t` and of the file, or the one in the path of the URL.
    fn subscriptions(&self, target: &Target) -> Result<Vec<Subscription>> {
        let mut subscriptions = self.subscriptions.clone();
        if let Some(file) = &self.topics_file {
            subscriptions.extend(file.subscriptions(&self.defaults)?);
        }
        if subscriptions.is_empty() && self.wanted.unsubscribe.is_empty() {
            subscriptions.push(self.defaults.of_url(target)?);
        }
        Ok(subscriptions)
    }

    fn needs_version_5(&self, subscriptions: &[Subscription]) -> bool {
        let plain = |subscription: &Subscription| Subscription {
            filter: subscription.filter.clone(),
            qos: subscription.qos,
            ..Subscription::default()
        };
        subscriptions
            .iter()
            .any(|subscription| *subscription != plain(subscription))
            || !self.subscribe_properties.is_empty()
            || !self.wanted.unsubscribe_properties.is_empty()
    }
}

fn is_shared(one: &Subscription) -> bool {
    topic::shared(&one.filter).is_some()
}
