//! A connection that publishes, over whichever AMQP the server speaks, as a target of messages.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use tokio::time::sleep_until;

use super::publish::Plan;
use super::session::Session;
use super::suspected::Suspected;
use crate::amqp::publisher::{Outcome as Known, Outgoing, Returns};
use crate::amqp::{v1, v091};
use crate::connect::Retry;
use crate::error::{Cause, Error, Kind, Result, brief, counted_were};
use crate::flow::{self, Number, Outcome, Progress};
use crate::message::{AmqpDetail, AmqpProperties, Detail, Message};
use crate::output::Console;

type Connecting<'a> = Pin<Box<dyn Future<Output = (Session, Result<Publisher>)> + 'a>>;

/// Where the connection stands.
#[expect(clippy::large_enum_variant, reason = "there is one of it in a command")]
enum Link<'a> {
    Up(Publisher, Session),
    /// It is made, or was lost and is made again.
    Connecting(Connecting<'a>),
    Down,
}

/// Publishes what it takes. What was not confirmed when the connection is lost is given back.
pub(crate) struct Publishing<'a> {
    plan: &'a Plan,
    link: Link<'a>,
    name: String,
    notes: Console,
    /// What is asked of messages that no queue gets.
    returns: Returns,
    /// How many those were on earlier connections.
    unroutable: u64,
    /// The plan's, which most messages share.
    properties: Arc<AmqpProperties>,
    /// Read while the server asked for a pause.
    parked: Option<(Number, Outgoing)>,
    known: Vec<(Number, Known)>,
    /// What the server said of messages that no queue got, until [`flow::Target::details`] asks.
    unrouted: HashMap<Number, String>,
    /// What could not be published at all.
    unsendable: Vec<Progress>,
    newest: Number,
    /// Without confirmations: everything was written, and that it was read is to be proved.
    proving: bool,
    last_progress: Instant,
    /// A message over which the server closes is refused, and the others go on.
    isolates: bool,
    suspected: Suspected,
}

impl<'a> Publishing<'a> {
    /// Over a connection that is not made yet.
    pub(crate) fn new(plan: &'a Plan, session: Session, notes: Console) -> Self {
        let name = session.target.to_string();
        let connecting = Box::pin(async move {
            let opening = session.connect_by(async |session| plan.publisher(session).await);
            let made = opening.await;
            (session, made)
        });
        Self {
            plan,
            name,
            link: Link::Connecting(connecting),
            notes,
            returns: match plan.mandatory {
                true => Returns::Told,
                false => Returns::Counted,
            },
            unroutable: 0,
            properties: Arc::new(plan.properties.clone()),
            parked: None,
            known: Vec::new(),
            unrouted: HashMap::new(),
            unsendable: Vec::new(),
            newest: 0,
            proving: false,
            last_progress: Instant::now(),
            isolates: false,
            suspected: Suspected::default(),
        }
    }

    /// The same, but where the server closes the channel or the connection over a message and says why, that message is refused,
    /// and the others are published over another connection. Otherwise that is the end.
    #[must_use]
    pub(crate) const fn isolating(mut self) -> Self {
        self.isolates = true;
        self
    }

    /// How many messages were accepted although no queue got them.
    pub(crate) fn unroutable(&self) -> u64 {
        match &self.link {
            Link::Up(publisher, _) => self.unroutable + publisher.unroutable(),
            Link::Connecting(_) | Link::Down => self.unroutable,
        }
    }

    /// Ends the connection, if there is one.
    pub(crate) async fn close(self) {
        if let Link::Up(publisher, _) = self.link {
            publisher.close().await;
        }
    }

    /// A message as it goes out.
    #[inline]
    fn outgoing(&self, message: Message) -> Outgoing {
        let plan = self.plan;
        let Message {
            topic,
            payload,
            detail,
            ..
        } = message;
        let (exchange, properties, addressed) = match detail {
            Detail::Amqp(amqp) => (amqp.exchange, Arc::new(amqp.properties), true),
            Detail::Plain | Detail::Mqtt(_) | Detail::Coap(_) => {
                (plan.exchange.clone(), Arc::clone(&self.properties), false)
            }
        };
        let key = match plan.keys.first() {
            Some(key) if topic.is_empty() && !addressed => key.fixed().cloned().unwrap_or_default(),
            _ => topic,
        };
        Outgoing {
            exchange,
            key,
            properties,
            payload,
            returns: self.returns,
        }
    }

    /// Hands a message to the connection. What cannot be sent at all is that message's failure where a record says it, and
    /// that of all where the command line does.
    #[inline]
    fn publish(&mut self, number: Number, message: Outgoing) -> Result<()> {
        let Link::Up(publisher, _) = &mut self.link else {
            return Ok(());
        };
        let of_all = Arc::ptr_eq(&message.properties, &self.properties);
        if publisher.unconfirmed() == 0 {
            self.last_progress = Instant::now();
        }
        self.newest = self.newest.max(number);
        if let Err(error) = publisher.publish(number, message) {
            if of_all {
                return Err(error);
            }
            let text = format!("message {number} cannot be published: {error}");
            let refused = Error::new(Kind::Refused, text);
            let refused = match error.hint_text() {
                Some(hint) => refused.hint(hint),
                None => refused,
            };
            self.unsendable
                .push(Progress::One(number, Outcome::Refused(refused)));
        }
        Ok(())
    }

    fn take_known(&mut self, into: &mut Vec<Progress>) {
        let refused = |text| Outcome::Refused(Error::new(Kind::Refused, text));
        let cannot = |words: &str| format!("{} refused messages ({words})", self.name);
        let no_queue = |words, exchange: &str, key: &str| {
            let text = format!("{} returned unroutable messages ({words})", self.name);
            let refusal = Error::new(Kind::Refused, text);
            Outcome::Refused(match exchange {
                "" => refusal.hint(format!(
                    "there is no queue {}: use iotctl amqp declare queue, or another exchange",
                    brief(key)
                )),
                // Exchanges of type headers and fanout need none.
                exchange if key.is_empty() => refusal.hint(format!(
                    "no queue of exchange {exchange} gets it: use iotctl amqp bind QUEUE -e {exchange}"
                )),
                exchange => refusal.hint(format!(
                    "no queue of exchange {exchange} gets the routing key {key}: use iotctl amqp bind QUEUE -e {exchange} -k {key}",
                    key = brief(key)
                )),
            })
        };
        for (number, known) in self.known.drain(..) {
            let outcome = match known {
                Known::Confirmed => Outcome::Accepted,
                // RabbitMQ says so of a full queue with reject-publish.
                Known::Nacked => {
                    let why = Error::new(Kind::Refused, cannot("nack"));
                    Outcome::Refused(why.because(Cause::RefusedForNow))
                }
                Known::Refused(words) => refused(cannot(&words)),
                // Its confirmation comes besides, and counts no more.
                Known::Returned {
                    words,
                    exchange,
                    key,
                } => no_queue(words, &exchange, &key),
                // Its confirmation comes besides.
                Known::Unrouted(words) => {
                    if self.plan.ack_report.is_some() {
                        self.unrouted.insert(number, words);
                    }
                    continue;
                }
                // Only the proof at the end counts.
                Known::Written => continue,
            };
            into.push(Progress::One(number, outcome));
        }
    }

    /// After a lost connection: gives back what was not confirmed, and connects again.
    fn come_back(&mut self, error: Error, into: &mut Vec<Progress>) -> Result<()> {
        let Link::Up(publisher, session) = std::mem::replace(&mut self.link, Link::Down) else {
            return Err(error);
        };
        self.unroutable += publisher.unroutable();
        if self.is_isolated(&publisher, &session, &error) {
            self.isolate(publisher, session, error, into);
            return Ok(());
        }
        if let Some(objection) = publisher.objection(&error) {
            return Err(objection);
        }
        // Without confirmations nobody knows what was lost with the connection.
        if error.kind() != Kind::Lost || publisher.is_broken() || !self.plan.confirms {
            return Err(error);
        }
        let abandoned = publisher.abandoned();
        let again = abandoned.len();
        let abandoned = abandoned.into_iter().chain(self.suspected.acquit());
        let abandoned = abandoned.chain(self.parked.take());
        into.extend(abandoned.map(|(number, message)| {
            Progress::One(number, Outcome::Again(Box::new(given_back(message))))
        }));
        self.connect_again(session, error, again);
        Ok(())
    }

    /// Whether the server closed over a message that is to be found, and not because it ends, or of its own accord.
    fn is_isolated(&self, publisher: &Publisher, session: &Session, error: &Error) -> bool {
        let objects =
            publisher.objected() || matches!(error.kind(), Kind::Refused | Kind::Unauthorized);
        let goes_on = self.plan.confirms && session.target.retry != Some(Retry::Never);
        self.isolates && objects && goes_on && publisher.unconfirmed() > 0 && !publisher.is_broken()
    }

    /// After the server has closed over a message: that one is refused once it is known, and the others go on.
    fn isolate(
        &mut self,
        publisher: Publisher,
        session: Session,
        error: Error,
        into: &mut Vec<Progress>,
    ) {
        if let Some((number, message)) = self.suspected.closed(publisher.abandoned()) {
            let text = format!("{error}, {}", over(number, &message.key));
            let kind = match error.kind() {
                kind @ (Kind::Refused | Kind::Unauthorized) => kind,
                _ => Kind::Refused,
            };
            let refused = Outcome::Refused(Error::new(kind, text));
            into.push(Progress::One(number, refused));
            session.progressed();
        }
        let again = self.suspected.len();
        self.connect_again(session, error.of_kind(Kind::Lost), again);
    }

    /// Connects after `error`; so many messages go again.
    fn connect_again(&mut self, session: Session, error: Error, again: usize) {
        let (plan, notes) = (self.plan, self.notes);
        self.link = Link::Connecting(Box::pin(async move {
            let connecting = async |session: &Session| plan.publisher(session).await;
            let made = session.remake(error, connecting).await;
            if made.is_ok() && again > 0 {
                let count = counted_were(again as u64, "message");
                notes.warn(format_args!(
                    "{count} not confirmed: publishing again, which may make duplicates"
                ));
            }
            (session, made)
        }));
    }

    /// When the server has had long enough to take or confirm a message.
    fn give_up_at(&self) -> Option<Instant> {
        let Link::Up(publisher, _) = &self.link else {
            return None;
        };
        let since = match publisher.unconfirmed() {
            0 => publisher.paused().filter(|_| self.parked.is_some())?,
            _ => self.last_progress,
        };
        Some(since + self.plan.ack_timeout)
    }

    fn unanswered(&self) -> Error {
        let limit = humantime::format_duration(self.plan.ack_timeout);
        let target = &self.name;
        let (blocked, paused) = match &self.link {
            Link::Up(publisher, _) => (publisher.blocked(), publisher.paused().is_some()),
            _ => (None, false),
        };
        let text = match blocked {
            Some(reason) => {
                format!("{target} accepted no message for {limit}: connection blocked: {reason}")
            }
            None if paused => format!("{target} took no message for {limit}: channel.flow is off"),
            None => format!("no confirm from {target} for {limit}"),
        };
        Error::new(Kind::TimedOut, text)
    }
}

/// Completes what the server said when it closed.
fn over(number: Number, key: &str) -> String {
    let place = match key {
        "" => String::new(),
        key => format!(" to {}", brief(key)),
    };
    format!("over message {number}{place}")
}

/// A message that goes out again: it says everything itself.
fn given_back(message: Outgoing) -> Message {
    Message {
        topic: message.key,
        detail: Detail::Amqp(Box::new(AmqpDetail {
            exchange: message.exchange,
            properties: Arc::unwrap_or_clone(message.properties),
            ..AmqpDetail::default()
        })),
        ..Message::plain(message.payload)
    }
}

impl flow::Target for Publishing<'_> {
    fn name(&self) -> String {
        self.name.clone()
    }

    #[inline]
    fn has_room(&self) -> bool {
        match &self.link {
            Link::Up(publisher, _) => {
                let free = self.parked.is_none() && self.suspected.is_clear();
                free && (publisher.has_room() || publisher.paused().is_some())
            }
            Link::Connecting(_) | Link::Down => false,
        }
    }

    fn is_idle(&self) -> bool {
        let under_way = match &self.link {
            Link::Up(publisher, _) => publisher.unconfirmed(),
            Link::Connecting(_) | Link::Down => 0,
        };
        let waiting = self.parked.is_some() || self.suspected.len() > 0;
        under_way == 0 && !waiting && self.unsendable.is_empty() && !self.proving
    }

    fn unsent(&self) -> u64 {
        u64::from(self.parked.is_some())
    }

    #[inline]
    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        let message = self.outgoing(message);
        match &self.link {
            Link::Up(publisher, _) if publisher.paused().is_some() => {
                self.parked = Some((number, message));
                Ok(())
            }
            _ => self.publish(number, message),
        }
    }

    fn details(&mut self, number: Number) -> Vec<(&'static str, Value)> {
        let Some(words) = self.unrouted.remove(&number) else {
            return Vec::new();
        };
        vec![("reason", format!("no queue received it ({words})").into())]
    }

    fn finish(&mut self) {
        self.proving = !self.plan.confirms && matches!(self.link, Link::Up(..));
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if let Link::Connecting(connecting) = &mut self.link {
            let (session, made) = connecting.await;
            self.link = Link::Down;
            self.link = Link::Up(made?, session);
            self.last_progress = Instant::now();
            return Ok(());
        }
        if matches!(&self.link, Link::Up(publisher, _) if publisher.has_room())
            && let Some((number, message)) = self.parked.take()
        {
            // There may be room for more now, which is not known before this returns.
            return self.publish(number, message);
        }
        if matches!(&self.link, Link::Up(publisher, _) if publisher.unconfirmed() == 0 && publisher.has_room())
            && let Some((number, message)) = self.suspected.next()
        {
            return self.publish(number, message);
        }
        if !self.unsendable.is_empty() {
            into.append(&mut self.unsendable);
            return Ok(());
        }
        let give_up = self.give_up_at();
        let Link::Up(publisher, session) = &mut self.link else {
            return std::future::pending().await;
        };
        if self.proving && publisher.unconfirmed() == 0 {
            publisher.proof().await?;
            self.proving = false;
            into.push(Progress::Through(self.newest));
            return Ok(());
        }
        let known = tokio::select! {
            biased;
            known = publisher.fates(&mut self.known) => known,
            () = sleep_until(give_up.unwrap_or_else(Instant::now).into()), if give_up.is_some() => return Err(self.unanswered()),
        };
        self.last_progress = Instant::now();
        if publisher.unconfirmed() == 0 {
            self.suspected.survived();
        }
        if !self.known.is_empty() {
            session.progressed();
            self.take_known(into);
        }
        match known {
            Ok(()) => Ok(()),
            Err(error) => self.come_back(error, into),
        }
    }
}

/// A connection that publishes.
pub(crate) enum Publisher {
    /// Over AMQP 0-9-1.
    V091(Box<v091::Connection>),
    /// Over AMQP 1.0.
    V10(Box<v1::Publisher>),
}

impl Publisher {
    /// Whether the window has room for one more.
    pub(crate) fn has_room(&self) -> bool {
        match self {
            Self::V091(v091) => v091.has_room(),
            Self::V10(one) => one.has_room(),
        }
    }

    /// How many messages are under way.
    pub(crate) fn unconfirmed(&self) -> usize {
        match self {
            Self::V091(v091) => v091.unconfirmed(),
            Self::V10(one) => one.unconfirmed(),
        }
    }

    /// How many messages no queue got, of those whose returns are counted. Over 1.0 such a message is refused.
    pub(crate) const fn unroutable(&self) -> u64 {
        match self {
            Self::V091(v091) => v091.unroutable(),
            Self::V10(_) => 0,
        }
    }

    /// Why the server takes nothing at the moment, if it said so, which over 1.0 it does by giving no credit.
    pub(crate) fn blocked(&self) -> Option<&str> {
        match self {
            Self::V091(v091) => v091.blocked(),
            Self::V10(_) => None,
        }
    }

    /// Since when the server wants no more messages for the moment, if it said so.
    pub(crate) fn paused(&self) -> Option<Instant> {
        match self {
            Self::V091(v091) => v091.paused(),
            Self::V10(_) => None,
        }
    }

    /// Whether trying again would break it again.
    pub(crate) fn is_broken(&self) -> bool {
        match self {
            Self::V091(v091) => v091.is_broken(),
            Self::V10(one) => one.is_broken(),
        }
    }

    /// Whether the server closed the connection over what it got, and said so.
    const fn objected(&self) -> bool {
        match self {
            Self::V091(v091) => v091.objected(),
            Self::V10(_) => false,
        }
    }

    /// What the server closed the connection over, if it said that it lies in what it got: to publish that again would end
    /// the next connection too, and to publish its neighbours again would double them.
    fn objection(&self, error: &Error) -> Option<Error> {
        let Self::V091(v091) = self else {
            return None;
        };
        let (number, message) = v091.oldest().filter(|_| v091.objected())?;
        let key = brief(&message.key);
        let which = match v091.unconfirmed() {
            1 => over(number, &message.key),
            count => format!("over one of {count} messages, from number {number} to {key} on"),
        };
        let text = format!("{error}, {which}");
        Some(Error::new(Kind::Refused, text))
    }

    /// Hands a message over under a number.
    pub(crate) fn publish(&mut self, number: u64, message: Outgoing) -> Result<()> {
        match self {
            Self::V091(v091) => v091.publish(number, message),
            Self::V10(one) => one.publish(number, message),
        }
    }

    /// Waits until something is known. Cancel-safe.
    pub(crate) async fn fates(&mut self, into: &mut Vec<(u64, Known)>) -> Result<()> {
        match self {
            Self::V091(v091) => v091.fates(into).await,
            Self::V10(one) => one.fates(into).await,
        }
    }

    /// Makes sure that the server has read all that was written.
    pub(crate) async fn proof(&mut self) -> Result<()> {
        match self {
            Self::V091(v091) => v091.proof().await,
            Self::V10(one) => one.proof().await,
        }
    }

    /// What is not known to have arrived, in order.
    pub(crate) fn abandoned(self) -> Vec<(u64, Outgoing)> {
        match self {
            Self::V091(v091) => v091.abandoned(),
            Self::V10(one) => one.abandoned(),
        }
    }

    /// Ends the connection.
    pub(crate) async fn close(self) {
        match self {
            // What was not confirmed is known by its missing confirm.
            Self::V091(v091) => drop(v091.close().await),
            Self::V10(one) => one.close().await,
        }
    }
}
