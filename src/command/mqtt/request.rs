//! `mqtt request`: sends requests and shows the replies to them.
//!
//! MQTT 5 has response topics and correlation data (MQTT 5.0 §4.10). Before that, requester and responder agree on the topic.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use bytestring::ByteString;

use super::mosquitto;
use super::publish::{first, outline, topics};
use super::publisher::forgotten;
use super::record::{published, record};
use super::session::{SessionArgs, Wants, tell};
use super::source::refusal;
use super::unsettled::Unsettled;
use crate::connect::{Retry, Target, within};
use crate::error::{Error, Kind, Result, brief};
use crate::flow::{
    self, Asking, Next, Pacing, Replies, Requester, Source, Stages, Strangers, answer,
};
use crate::message::Message;
use crate::mqtt::client::{Client, Notice};
use crate::mqtt::packet::{
    Disconnect, Place, Properties, Property, Publish, QoS, ReasonCode, RetainHandling,
    Subscription, Version,
};
use crate::mqtt::session::client::{Event, Unsendable};
use crate::mqtt::topic;
use crate::output::{Console, Format, Output, Style};
use crate::payload::template::{Filler, Template};
use crate::payload::{self, Bodies, Destination, Encoding};
use crate::random::unguessable;
use crate::stop::Stop;

/// What to ask, where, and which replies are awaited.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The session.
    pub session: SessionArgs,
    /// Valid topic names; each request goes to each. Empty as in [`super::publish::Plan`].
    pub topics: Vec<Destination>,
    /// Where replies come: a topic, or a filter of several, with the places that [`answer::is_name`] knows, filled in from
    /// the request. `None`: a topic for each request, told by the server or made up.
    pub response_topic: Option<Template>,
    /// Whether correlation data is sent with each request where there is none among `properties` (MQTT 5).
    pub correlate: bool,
    /// The options of the subscription to the replies, without its filter; `None`: those that suit replies (MQTT 5).
    pub subscription: Option<Subscription>,
    /// For SUBSCRIBE.
    pub subscribe_properties: Properties,
    /// Of requests that do not say their own, and of the subscription to the replies.
    pub qos: QoS,
    /// A server that does not take that QoS gets them at the highest that it takes.
    pub lowers_qos: bool,
    /// Whether the requests are retained.
    pub retain: bool,
    /// MQTT 5 properties of each request.
    pub properties: Properties,
    /// Where the requests come from; one is asked after the other.
    pub source: payload::Source,
    /// How they are written there.
    pub encoding: Encoding,
    /// How often, and how fast.
    pub pacing: Pacing,
    /// Which replies are awaited.
    pub replies: Replies,
    /// Which of them pass, and how they are read.
    pub stages: Stages,
    /// How a reply is shown.
    pub format: Format,
    /// What the terminal shows.
    pub style: Style,
}

/// Asks, and shows the replies.
///
/// # Errors
/// [`Kind::Refused`] when nobody is subscribed to the requests, [`Kind::TimedOut`] without a reply; no connection; see [`Kind`].
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let stands_in = plan.session.stands_in;
    mosquitto::end(stands_in, request(plan).await)
}

async fn request(mut plan: Plan) -> Result<()> {
    if let Some(stands_in) = plan.session.stands_in {
        plan.source = stands_in.input(plan.source).await?;
    }
    let target = plan.session.target()?;
    let topics = topics(&plan.topics, &plan.source, &target)?;
    let bodies = Bodies::open(&plan.source, plan.encoding)?;
    let bodies = bodies.like(outline(&topics, plan.qos, plan.retain));
    plan.properties
        .check(Place::Publish)
        .map_err(Error::usage)?;
    plan.stages.load()?;
    let mut output = Output::open(plan.format.clone(), plan.style)?;
    let mut stop = Stop::watch()?;
    let console = Console::new(plan.style);
    let server = target.clone();
    let client = plan.client(target, console).await?;
    let mut requester = MqttRequester::new(client, &plan, first(topics), console);
    let limit = plan.replies.until.timeout;
    let opening = within(limit, &server, requester.connected());
    let opened = stop.unless_asked("interrupted", opening).await;
    let asking = Asking {
        output: &mut output,
        stages: &plan.stages,
        replies: &plan.replies,
        console,
    };
    let ended = match opened {
        Ok(()) => {
            let asking = asking.ask_all(bodies, &plan.pacing, &mut requester, &mut stop);
            asking.await
        }
        Err(error) => Err(error),
    };
    requester.strangers.close();
    let elapsed = requester.elapsed.take();
    if let Some(stands_in) = plan.session.stands_in.filter(|_| ended.is_ok()) {
        stands_in.tell_latency(elapsed)?;
    }
    let goodbye = Disconnect {
        properties: plan.session.disconnect_properties.clone(),
        ..Disconnect::default()
    };
    let _ = stop.close(requester.client.close(goodbye)).await;
    ended
}

impl Plan {
    async fn client(&self, target: Target, console: Console) -> Result<Client> {
        let wants = Wants {
            later: Retry::Never,
            version_5_only: self.response_topic.is_none() || !self.properties.is_empty(),
            topic_aliases: 0,
        };
        let mut session = self.session.clone();
        let connect = &mut session.connect_properties;
        // A server that has topics for replies to this client says so only when it is asked.
        if self.response_topic.is_none() && connect.request_response_information().is_none() {
            connect.push(Property::RequestResponseInformation(1));
        }
        let mut client = session.client(target, &wants, console).await?;
        if session.persistent {
            client
                .session()
                .start_identifiers_after(std::process::id() as u16);
        }
        Ok(client)
    }
}

/// A request, and where its replies come.
struct Request {
    publish: Publish,
    /// The filter of the topics of its own replies.
    replies: ByteString,
    correlation: Option<Bytes>,
    sent: Option<Instant>,
}

/// Asks over one connection, which publishes and receives.
struct MqttRequester<'a> {
    client: Client,
    plan: &'a Plan,
    outline: Publish,
    console: Console,
    strangers: Strangers,
    unsettled: Unsettled,
    time: SystemTime,
    filler: Filler,
    /// Begins the correlation data of this run.
    id: u64,
    /// Begins the topics of replies, where they are made up.
    base: ByteString,
    asked: u64,
    version: Version,
    request: Option<Request>,
    /// How long the last reply took.
    elapsed: Option<Duration>,
    /// The filter that was subscribed to last, and whether the server has said so.
    subscription: Option<(ByteString, bool)>,
}

impl<'a> MqttRequester<'a> {
    fn new(client: Client, plan: &'a Plan, topic: ByteString, console: Console) -> Self {
        let id = unguessable();
        Self {
            client,
            plan,
            outline: Publish {
                qos: plan.qos,
                retain: plan.retain,
                topic,
                properties: plan.properties.clone(),
                ..Publish::default()
            },
            console,
            strangers: Strangers::new(console),
            unsettled: Unsettled::default(),
            time: SystemTime::now(),
            filler: Filler::default(),
            id,
            base: format!("iotctl/replies/{id:016x}").into(),
            elapsed: None,
            asked: 0,
            version: Version::default(),
            request: None,
            subscription: None,
        }
    }

    /// Waits for the connection.
    async fn connected(&mut self) -> Result<()> {
        loop {
            self.client.drive().await?;
            while let Some(notice) = self.client.poll_notice() {
                tell(notice, self.client.target(), self.console);
            }
            while let Some(event) = self.client.poll_event() {
                if let Event::Connected { properties, .. } = event {
                    self.take_base(&properties);
                    self.version = self.client.session().version();
                    return Ok(());
                }
            }
        }
    }

    /// Replies come below a topic that the server reserves for this client, if it has one (MQTT 5.0 §4.10.1).
    fn take_base(&mut self, properties: &Properties) {
        let Some(told) = properties.response_information() else {
            return;
        };
        let base = format!("{}/{:016x}", told.trim_end_matches('/'), self.id);
        match topic::check_name(&base) {
            Ok(()) => self.base = base.into(),
            Err(why) => self.console.warn(format_args!(
                "{} offers response information that cannot be used: {why}",
                self.client.target()
            )),
        }
    }

    /// Where the replies to a request come: what is subscribed to, and the filter of its own.
    fn replies_to(&mut self, message: &Message) -> Result<(ByteString, ByteString)> {
        let Some(template) = &self.plan.response_topic else {
            let (filter, own) = (
                format!("{}/+", self.base),
                format!("{}/{}", self.base, self.asked),
            );
            return Ok((filter.into(), own.into()));
        };
        let named = |word: &str, into: &mut String| into.push_str(&answer::named(message, word));
        let filter = ByteString::from(self.filler.fill(template, named));
        let wrong = |why: &dyn std::fmt::Display| {
            // Not a wrong usage any more, after something was sent.
            let kind = if self.asked > 1 {
                Kind::Local
            } else {
                Kind::Usage
            };
            Error::new(kind, format!("--response-topic: {why}"))
        };
        topic::check_plain_filter(&filter).map_err(|why| wrong(&why))?;
        if self.plan.subscription.is_none() && topic::matches(&filter, &message.topic) {
            let (filter, topic) = (brief(&filter), brief(&message.topic));
            return Err(wrong(&format_args!(
                "{filter} matches the topic of the request, {topic}"
            )));
        }
        Ok((filter.clone(), filter))
    }

    fn add_properties(&self, publish: &mut Publish, replies: &ByteString) -> Option<Bytes> {
        if self.version != Version::V5 {
            publish.properties = Properties::default();
            return None;
        }
        let properties = &mut publish.properties;
        let is_ours = |property: &Property| matches!(property, Property::ResponseTopic(_));
        properties.retain(|property| !is_ours(property));
        if topic::check_name(replies).is_ok() {
            properties.push(Property::ResponseTopic(replies.clone()));
        }
        if let Some(given) = properties.correlation_data() {
            return Some(given);
        }
        let data = Bytes::from(format!("{:016x}-{}", self.id, self.asked));
        let data = self.plan.correlate.then_some(data)?;
        properties.push(Property::CorrelationData(data.clone()));
        Some(data)
    }

    /// Subscribes to `filter` instead of what was subscribed to before.
    fn subscribe(&mut self, filter: &ByteString) -> Result<()> {
        let refused = |fault: crate::mqtt::session::fault::Fault| Error::usage(fault.to_string());
        let session = self.client.session();
        let before = self.subscription.replace((filter.clone(), false));
        if let Some((before, _)) = before {
            session
                .unsubscribe(&[before], &Properties::default())
                .map_err(refused)?;
        }
        let mut subscription = Subscription {
            filter: filter.clone(),
            qos: self.plan.qos,
            ..Subscription::default()
        };
        if let Some(given) = &self.plan.subscription {
            subscription = Subscription {
                filter: filter.clone(),
                ..given.clone()
            };
        } else if session.version() == Version::V5 {
            subscription.no_local = true;
            // What is retained is older than any request.
            subscription.retain_handling = RetainHandling::Never;
        }
        session
            .subscribe(&[subscription], &self.plan.subscribe_properties)
            .map_err(refused)
    }

    /// Sends the request when it can be sent.
    fn send(&mut self) -> Result<()> {
        let subscribed = matches!(self.subscription, Some((_, true)));
        let Some(request) = &mut self.request else {
            return Ok(());
        };
        let most = self.client.session().maximum_qos();
        if self.plan.lowers_qos && request.publish.qos <= self.plan.qos {
            request.publish.qos = request.publish.qos.min(most);
        }
        let qos = request.publish.qos;
        if request.sent.is_some() || !subscribed || !self.client.can_publish(qos) {
            return Ok(());
        }
        request.sent = Some(Instant::now());
        let sent = self.client.publish(&mut request.publish, self.asked);
        let topic = request.publish.topic.clone();
        sent.map_err(|unsendable| self.unsendable(&topic, &unsendable))
    }

    /// Hands over what happened to the connection; whether more is wanted.
    fn take_notices(&mut self, sink: &mut impl FnMut(Next) -> Result<bool>) -> Result<bool> {
        while let Some(notice) = self.client.poll_notice() {
            if let Some(next) = self.noticed(notice)
                && !sink(next)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn noticed(&mut self, notice: Notice) -> Option<Next> {
        let lost = matches!(notice, Notice::Lost { .. });
        self.unsettled.clear();
        tell(notice, self.client.target(), self.console);
        lost.then_some(Next::Lost)
    }

    fn event(&mut self, event: Event) -> Option<Next> {
        match event {
            Event::Message(publish) => self.message(publish),
            Event::Connected {
                session_present, ..
            } => {
                let subscription = self.subscription.as_mut().filter(|_| !session_present);
                if let Some((_, subscribed)) = subscription {
                    *subscribed = false;
                }
                None
            }
            Event::Subscribed(answers, words) => self.subscribed(&answers, words.as_deref()),
            Event::Acknowledged {
                ticket,
                reason,
                reason_string,
                ..
            } if ticket == self.asked => self.acknowledged(reason, reason_string.as_deref()),
            Event::InDoubt { ticket, reason } if ticket == self.asked => {
                let target = self.client.target();
                let lost =
                    || Error::new(Kind::Lost, format!("the connection to {target} was lost"));
                let why = reason.map_or_else(lost, |reason| forgotten(target, reason));
                Some(Next::End(Err(why)))
            }
            Event::Abandoned { ticket, topic } if ticket == self.asked => {
                let name = self.client.target().to_string();
                Some(Next::End(Err(flow::twice(&name, ticket, &topic))))
            }
            Event::Unsendable { ticket, message } if ticket == self.asked => {
                let (publish, why) = *message;
                if self.plan.lowers_qos && matches!(why, Unsendable::QosNotSupported(_)) {
                    self.request.as_mut()?.sent = None;
                    return None;
                }
                Some(Next::End(Err(self.unsendable(&publish.topic, &why))))
            }
            _ => None,
        }
    }

    fn unsendable(&self, topic: &str, why: &Unsendable) -> Error {
        let (topic, server) = (brief(topic), self.client.target());
        let text = format!("cannot publish to {topic} on {server}: {why}");
        Error::new(Kind::Refused, text)
    }

    fn subscribed(
        &mut self,
        answers: &[(ByteString, ReasonCode)],
        words: Option<&str>,
    ) -> Option<Next> {
        let (filter, subscribed) = self.subscription.as_mut()?;
        let (_, reason) = answers.iter().find(|(answered, _)| answered == filter)?;
        if reason.is_failure() {
            let text = refusal(self.client.target(), filter, *reason, words);
            return Some(Next::End(Err(Error::new(reason.kind(), text))));
        }
        *subscribed = true;
        None
    }

    fn acknowledged(&self, reason: ReasonCode, words: Option<&str>) -> Option<Next> {
        let request = self.request.as_ref()?;
        let (topic, server) = (brief(&request.publish.topic), self.client.target());
        let text = match reason {
            // A retained request waits for responders to come.
            ReasonCode::NO_MATCHING_SUBSCRIBERS if !request.publish.retain => {
                format!("no responder for {topic} on {server} (no matching subscribers)")
            }
            reason if reason.is_failure() => {
                let words = words
                    .map(|text| format!(": {}", brief(text)))
                    .unwrap_or_default();
                format!("{server} refused the request to {topic}: {reason}{words}")
            }
            _ => return None,
        };
        Some(Next::End(Err(Error::new(reason.kind(), text))))
    }

    fn message(&mut self, publish: Publish) -> Option<Next> {
        self.unsettled.handed_out(&publish);
        if self.is_reply(&publish) {
            let sent = self.request.as_ref().and_then(|request| request.sent);
            self.elapsed = sent.map(|sent| sent.elapsed());
            return Some(Next::Message(record(publish, self.time)));
        }
        Some(Next::Skipped)
    }

    fn is_reply(&mut self, publish: &Publish) -> bool {
        let topic = brief(&publish.topic);
        if publish.retain {
            self.strangers.came(format_args!(
                "a retained message on {topic}, which is older than the request"
            ));
            return false;
        }
        let request = self.request.as_ref().filter(|it| it.sent.is_some());
        let Some(request) = request.filter(|it| topic::matches(&it.replies, &publish.topic)) else {
            self.strangers
                .came(format_args!("a message on {topic}, which is late"));
            return false;
        };
        let (sent, found) = (&request.correlation, publish.properties.correlation_data());
        match (sent, found) {
            // A responder may know of no correlation data; the topic tells then.
            (Some(sent), Some(found)) if *sent != found => {
                let found = String::from_utf8_lossy(&found);
                self.strangers.came(format_args!(
                    "a reply to another request (correlation data {})",
                    brief(&found)
                ));
                false
            }
            _ => true,
        }
    }
}

impl Source for MqttRequester<'_> {
    async fn drive(&mut self) -> Result<()> {
        self.send()?;
        self.client.drive().await?;
        self.time = SystemTime::now();
        Ok(())
    }

    async fn hold(&mut self) -> Error {
        self.client.hold().await
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        // What came before a loss counts, also when both were in one read.
        while let Some(event) = self.client.poll_event() {
            if matches!(event, Event::Connected { .. }) && !self.take_notices(&mut sink)? {
                return Ok(());
            }
            if let Some(next) = self.event(event)
                && !sink(next)?
            {
                return Ok(());
            }
        }
        match self.take_notices(&mut sink)? {
            true => self.send(),
            false => Ok(()),
        }
    }

    fn settle(&mut self, count: u64) {
        self.unsettled.settle(count, self.client.session());
    }

    fn awaits(&self) -> Option<String> {
        let target = self.client.target();
        if !self.client.is_online() {
            return Some(format!("no connection to {target}"));
        }
        if !matches!(self.subscription, Some((_, true))) {
            return Some(format!("no SUBACK from {target}"));
        }
        let topic = &self.request.as_ref()?.publish.topic;
        Some(format!(
            "no reply to the request to {} on {target}",
            brief(topic)
        ))
    }
}

impl Requester for MqttRequester<'_> {
    fn name(&self) -> String {
        self.client.target().to_string()
    }

    fn ask(&mut self, mut request: Message) -> Result<()> {
        self.asked += 1;
        if request.topic.is_empty() {
            request.topic = self.outline.topic.clone();
        }
        let (filter, replies) = self.replies_to(&request)?;
        let mut publish = published(request, &self.outline);
        let correlation = self.add_properties(&mut publish, &replies);
        if self
            .subscription
            .as_ref()
            .is_none_or(|(known, _)| *known != filter)
        {
            self.subscribe(&filter)?;
        }
        self.request = Some(Request {
            publish,
            replies,
            correlation,
            sent: None,
        });
        self.send()
    }

    fn sent_at(&self) -> Option<Instant> {
        self.request.as_ref()?.sent
    }
}
