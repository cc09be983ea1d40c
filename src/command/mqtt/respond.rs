//! `mqtt respond`: answers requests by echo, with a text, or with what a command writes.
//!
//! Requests and replies have a connection of their own each, so that requests can wait unread while replies are acknowledged.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::rc::Rc;

use bytes::Bytes;
use bytestring::ByteString;

use super::publisher::Publisher;
use super::record::from_properties;
use super::session::{SessionArgs, Wants};
use super::source::{Subscribed, Wanted};
use crate::connect::{Retry, Target};
use crate::error::{Error, Kind, Result, brief};
use crate::flow::{
    self, Answer, Answers, Number, Outcome, Progress, Ready, Stages, Target as _, Until, answer,
};
use crate::message::{Detail, Message, MqttDetail, MqttProperties};
use crate::mqtt::client::Client;
use crate::mqtt::packet::{Disconnect, Properties, Publish, QoS, Subscription};
use crate::mqtt::topic;
use crate::output::{Console, Style};
use crate::payload::captures::Pattern;
use crate::payload::template::{Filler, Template};
use crate::stop::Stop;

/// As many bytes of requests may be worked on and of replies wait to be sent; one request always may.
const MOST_BYTES: usize = 64 << 20;

/// What to answer, how, where, and until when.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The session that requests come over.
    pub session: SessionArgs,
    /// What is subscribed to, and what its wildcards are called; at least one, unless the path of the URL is it.
    pub subscriptions: Vec<(Subscription, Pattern)>,
    /// The options of a filter that the path of the URL names; its filter is empty.
    pub default: Subscription,
    /// The share name (`--group`) of a filter that the path of the URL names.
    pub group: Option<ByteString>,
    /// For SUBSCRIBE.
    pub subscribe_properties: Properties,
    /// Retained requests are passed over.
    pub skip_retained: bool,
    /// Where replies go, with the places that [`answer::is_name`] knows and the names of the patterns; `None`: where the
    /// request says (MQTT 5).
    pub response_topic: Option<Template>,
    /// What the answer is.
    pub answer: Answer,
    /// Of the replies.
    pub qos: QoS,
    /// A server that does not take that QoS gets them at the highest that it takes.
    pub lowers_qos: bool,
    /// Whether replies are retained.
    pub retain: bool,
    /// MQTT 5 properties of each reply; correlation data is the request's.
    pub properties: Properties,
    /// Which requests are answered.
    pub stages: Stages,
    /// When it ends.
    pub until: Until,
    /// Who is told when requests can come.
    pub ready: Ready,
    /// What the terminal shows.
    pub style: Style,
}

/// Answers until the plan's end, or a signal.
///
/// # Errors
/// No connection, a refusal, requests that were not answered; see [`Kind`].
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let target = plan.session.target()?;
    let subscriptions = plan.subscriptions(&target)?;
    let mut stop = Stop::watch()?;
    let console = Console::new(plan.style);
    plan.answer.warn(console);
    let requests = plan
        .requests(target.clone(), &subscriptions, console)
        .await?;
    let replies = plan.replies(target, console).await?;
    let wanted = Wanted {
        subscribes: true,
        any_qos: plan.lowers_qos
            && subscriptions
                .iter()
                .all(|(it, _)| it.qos == plan.default.qos),
        skip_retained: plan.skip_retained,
        ..Wanted::default()
    };
    let mut source = Subscribed::new(requests, &wanted, plan.until.count.is_some(), console);
    let mut announcement = plan.ready.announcement()?;
    let patterns = subscriptions.into_iter().map(|(_, pattern)| pattern);
    let mut desk = Desk::new(&plan, patterns.collect(), replies, console);
    let ended = flow::run(
        &mut announcement.watch(&mut source),
        &mut desk,
        &plan.stages,
        &plan.until,
        &mut stop,
    )
    .await;
    let properties = || plan.session.disconnect_properties.clone();
    let goodbye = Disconnect {
        properties: properties(),
        ..Disconnect::default()
    };
    let closing = async {
        desk.publisher.client.close(goodbye).await;
        source.close(properties()).await
    };
    let closed = stop.close(closing).await.unwrap_or(Ok(()));
    ended.and(closed)
}

impl Plan {
    /// What is subscribed to: the filters of `-t`, or the one in the path of the URL.
    fn subscriptions(&self, target: &Target) -> Result<Vec<(Subscription, Pattern)>> {
        if !self.subscriptions.is_empty() {
            return Ok(self.subscriptions.clone());
        }
        let path = super::session::topic_of(target)
            .ok_or_else(|| Error::usage("no topic to take requests from").hint("use -t FILTER"))?;
        let filter = match &self.group {
            Some(group) => format!("$share/{group}/{path}"),
            None => path.to_string(),
        };
        let pattern: Pattern = filter
            .parse()
            .map_err(|why: topic::InvalidTopic| Error::usage(why.to_string()))?;
        let subscription = Subscription {
            filter: pattern.filter().into(),
            ..self.default.clone()
        };
        Ok(vec![(subscription, pattern)])
    }

    fn wants(&self) -> Wants {
        Wants {
            later: Retry::Forever,
            // Before MQTT 5 a request does not say where its reply is to go.
            version_5_only: self.response_topic.is_none()
                || !self.properties.is_empty()
                || !self.subscribe_properties.is_empty(),
            topic_aliases: 0,
        }
    }

    /// A client that subscribes to the requests.
    async fn requests(
        &self,
        target: Target,
        subscriptions: &[(Subscription, Pattern)],
        console: Console,
    ) -> Result<Client> {
        let wants = self.wants();
        let mut client = self.session.client(target, &wants, console).await?;
        let subscriptions: Vec<_> = subscriptions.iter().map(|(it, _)| it.clone()).collect();
        client
            .session()
            .subscribe(&subscriptions, &self.subscribe_properties)
            .map_err(|fault| Error::usage(fault.to_string()))?;
        Ok(client)
    }

    /// A client that publishes the replies: another one to the server.
    async fn replies(&self, target: Target, console: Console) -> Result<Publisher> {
        let id = self.session.client_id.as_ref();
        let session = SessionArgs {
            client_id: id.map(|id| format!("{id}-replies").into()),
            persistent: false,
            session_expiry: None,
            will: None,
            ..self.session.clone()
        };
        let client = session.client(target, &self.wants(), console).await?;
        let outline = Publish {
            qos: self.qos,
            ..Publish::default()
        };
        let mut publisher = Publisher::new(client, outline, None, console);
        if self.lowers_qos {
            publisher.lower_qos();
        }
        Ok(publisher)
    }
}

/// A request that is worked on.
struct Request {
    number: Number,
    /// Where its reply goes.
    topic: ByteString,
    correlation: Option<Bytes>,
}

/// Works on requests, and publishes the replies. A request is done with when its reply is acknowledged.
struct Desk<'a> {
    plan: &'a Plan,
    console: Console,
    patterns: Vec<Pattern>,
    filler: Filler,
    publisher: Publisher,
    answers: Answers<Request>,
    /// Replies that wait until they can be sent, and their bytes.
    ready: VecDeque<(Request, Bytes)>,
    waiting: usize,
    /// Replies that are not acknowledged, by their number among the replies.
    sent: BTreeMap<u64, Request>,
    replies: u64,
    /// The numbers of replies that reached nobody.
    unheard: Rc<RefCell<HashSet<u64>>>,
    done: Vec<Progress>,
}

impl<'a> Desk<'a> {
    fn new(plan: &'a Plan, patterns: Vec<Pattern>, publisher: Publisher, console: Console) -> Self {
        let unheard = Rc::<RefCell<HashSet<u64>>>::default();
        let mut publisher = publisher;
        // A retained reply waits for subscribers to come.
        if !plan.retain {
            let heard_of = Rc::clone(&unheard);
            publisher.on_unheard(move |number| {
                heard_of.borrow_mut().insert(number);
            });
        }
        Self {
            plan,
            console,
            patterns,
            filler: Filler::default(),
            publisher,
            answers: Answers::new(plan.answer.clone()),
            ready: VecDeque::new(),
            waiting: 0,
            sent: BTreeMap::new(),
            replies: 0,
            unheard,
            done: Vec::new(),
        }
    }

    /// What a name of the command's own stands for in the topic of a request.
    fn captured(patterns: &[Pattern], topic: &str, word: &str) -> Option<String> {
        let captures = patterns.iter().find_map(|pattern| pattern.matches(topic))?;
        let value = captures.named().find(|(name, _)| *name == word);
        value.map(|(_, value)| value.to_owned())
    }

    /// Where the reply to a request goes; `None`: it wants none.
    ///
    /// # Errors
    /// There can be no reply.
    fn reply_topic(&mut self, request: &Message) -> Result<Option<ByteString>> {
        let topic = match &self.plan.response_topic {
            Some(template) => {
                let patterns = &self.patterns;
                let named = |word: &str, into: &mut String| {
                    let captured = Self::captured(patterns, &request.topic, word);
                    into.push_str(&captured.unwrap_or_else(|| answer::named(request, word)));
                };
                self.filler.fill(template, named).into()
            }
            None => match properties(request).and_then(|it| it.response_topic.clone()) {
                Some(topic) => topic,
                None => return Ok(None),
            },
        };
        let refused = |why: String| {
            let from = brief(&request.topic);
            let text = format!("cannot reply to a request to {from}: {why}");
            Error::new(Kind::Refused, text)
        };
        topic::check_name(&topic).map_err(|why| refused(why.to_string()))?;
        // It would come back as the next request, for ever.
        if self.patterns.iter().any(|pattern| pattern.is_match(&topic)) {
            let why = format!("its reply to {} would be a request too", brief(&topic));
            return Err(refused(why));
        }
        Ok(Some(topic))
    }

    fn refuse(&mut self, number: Number, why: Error) {
        self.console.warn(&why);
        let refused = Outcome::Refused(why);
        self.done.push(Progress::One(number, refused));
    }

    /// A request was worked on.
    fn worked(&mut self, request: Request, answer: Option<Bytes>) {
        let Some(body) = answer else {
            let text = "the command failed or wrote too much; no reply sent";
            return self.refuse(request.number, Error::new(Kind::Refused, text));
        };
        self.waiting += body.len();
        self.ready.push_back((request, body));
    }

    /// Hands replies to the connection, as far as it takes them.
    fn publish(&mut self) -> Result<()> {
        while self.publisher.has_room()
            && let Some((request, body)) = self.ready.pop_front()
        {
            self.waiting -= body.len();
            self.replies += 1;
            let reply = self.reply(&request, body);
            self.sent.insert(self.replies, request);
            self.publisher.take(self.replies, reply)?;
        }
        Ok(())
    }

    fn reply(&self, request: &Request, payload: Bytes) -> Message {
        let mut properties = from_properties(&self.plan.properties);
        if request.correlation.is_some() {
            properties.correlation_data = request.correlation.clone();
        }
        let there = properties != MqttProperties::default();
        Message {
            topic: request.topic.clone(),
            payload,
            detail: Detail::Mqtt(MqttDetail {
                qos: self.plan.qos.level(),
                retain: self.plan.retain,
                properties: there.then(|| Box::new(properties)),
                ..MqttDetail::default()
            }),
            ..Message::default()
        }
    }

    /// What became of replies.
    fn published(&mut self, progress: Vec<Progress>) {
        for progress in progress {
            match progress {
                Progress::One(reply, outcome) => {
                    if let Some(request) = self.sent.remove(&reply) {
                        self.concluded(reply, request, outcome);
                    }
                }
                Progress::Through(last) => {
                    let later = self.sent.split_off(&(last + 1));
                    for (reply, request) in std::mem::replace(&mut self.sent, later) {
                        self.concluded(reply, request, Outcome::Accepted);
                    }
                }
            }
        }
    }

    fn concluded(&mut self, reply: u64, request: Request, outcome: Outcome) {
        let Request { number, topic, .. } = request;
        if self.unheard.borrow_mut().remove(&reply) {
            self.console.warn(format_args!(
                "a reply to {} reached nobody (no matching subscribers)",
                brief(&topic)
            ));
        }
        match outcome {
            Outcome::Refused(why) => self.refuse(number, why),
            Outcome::InDoubt(why) => {
                let topic = brief(&topic);
                let text = match why {
                    Some(why) => format!("a reply to {topic} is in doubt: {why}"),
                    None => {
                        format!("the connection was lost before a reply to {topic} was proved")
                    }
                };
                self.refuse(number, Error::new(Kind::Lost, text));
            }
            outcome => self.done.push(Progress::One(number, outcome)),
        }
    }
}

/// What an MQTT 5 request says besides its body.
fn properties(request: &Message) -> Option<&MqttProperties> {
    match &request.detail {
        Detail::Mqtt(detail) => detail.properties.as_deref(),
        _ => None,
    }
}

impl flow::Target for Desk<'_> {
    fn name(&self) -> String {
        self.publisher.name()
    }

    fn has_room(&self) -> bool {
        let work = self.answers.len() + self.ready.len();
        work == 0
            || work < self.plan.answer.workers().get()
                && self.answers.bytes() + self.waiting < MOST_BYTES
    }

    fn is_idle(&self) -> bool {
        self.answers.is_empty()
            && self.ready.is_empty()
            && self.sent.is_empty()
            && self.done.is_empty()
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        let topic = match self.reply_topic(&message) {
            Ok(Some(topic)) => topic,
            Ok(None) => {
                self.console.warn(format_args!(
                    "a request to {} has no response topic; no reply sent",
                    brief(&message.topic)
                ));
                self.done.push(Progress::One(number, Outcome::Accepted));
                return Ok(());
            }
            Err(why) => {
                self.refuse(number, why);
                return Ok(());
            }
        };
        let request = Request {
            number,
            topic,
            correlation: properties(&message).and_then(|it| it.correlation_data.clone()),
        };
        let patterns = &self.patterns;
        let captured = |word: &str| Self::captured(patterns, &message.topic, word);
        self.answers.begin(request, &message, captured);
        Ok(())
    }

    fn finish(&mut self) {
        self.publisher.finish();
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        self.publish()?;
        if self.done.is_empty() {
            let mut progress = Vec::new();
            let driven = tokio::select! {
                biased;
                driven = self.publisher.drive(&mut progress) => driven,
                worked = self.answers.next() => worked.map(|(request, answer)| {
                    self.worked(request, answer);
                }),
            };
            self.published(progress);
            driven?;
        }
        into.append(&mut self.done);
        Ok(())
    }
}
