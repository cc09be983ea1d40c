//! `mqtt sub`: subscribes, and shows what comes or runs a command for it.

use super::mosquitto;
use super::session::{SessionArgs, Wants};
use super::source::Subscribed;
pub(crate) use super::source::Wanted;
use crate::connect::{Retry, Target};
use crate::error::{Error, Result};
use crate::flow::{Exec, Ready, Receiver, Stages, Until};
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
    /// The options of a filter that the path of the URL names; its filter is empty.
    pub default: Subscription,
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
    /// Only how many messages come is shown, each second.
    pub counts: bool,
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
    let mut output = Output::open_at(&plan.destination, plan.format.clone(), plan.style)?;
    let mut stop = Stop::watch()?;
    let notes = Console::new(plan.style);
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
        counts: plan.counts,
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
            later: Retry::Forever,
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

    /// The filters of `-t`, or the one in the path of the URL.
    fn subscriptions(&self, target: &Target) -> Result<Vec<Subscription>> {
        if !self.subscriptions.is_empty() || !self.wanted.unsubscribe.is_empty() {
            return Ok(self.subscriptions.clone());
        }
        let filter = super::session::topic_of(target)
            .ok_or_else(|| Error::usage("no topic to subscribe to").hint("use -t FILTER"))?;
        topic::check_filter(&filter).map_err(|invalid| Error::usage(invalid.to_string()))?;
        Ok(vec![Subscription {
            filter,
            ..self.default.clone()
        }])
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
