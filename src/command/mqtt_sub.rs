//! `mqtt sub`: subscribes and shows what comes.

use std::time::{Duration, Instant, SystemTime};

use bytestring::ByteString;
use tokio::time::sleep_until;

use super::mqtt_record::record;
use super::mqtt_session::{SessionWords, Wants, tell};
use crate::connect::{Retry, Target};
use crate::error::{Error, Kind, Result, brief};
use crate::mqtt::client::Client;
use crate::mqtt::packet::{Disconnect, Properties, Publish, ReasonCode, Subscription};
use crate::mqtt::session::client::Event;
use crate::mqtt::topic;
use crate::output::{Format, Notes, Output, Style};
use crate::stop::Stop;

/// The highest topic alias that the server may use towards us.
const TOPIC_ALIASES: u16 = 16;

/// What to subscribe to, until when, and how to show what comes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The session.
    pub session: SessionWords,
    /// Valid filters with their options. Empty when the path of the URL names it, or with
    /// `unsubscribe`; the former is known only once the URL is resolved.
    pub subscriptions: Vec<Subscription>,
    /// The options of a filter that the path of the URL names; its filter is empty.
    pub default: Subscription,
    /// For SUBSCRIBE.
    pub subscribe_properties: Properties,
    /// For UNSUBSCRIBE.
    pub unsubscribe_properties: Properties,
    /// Filters to unsubscribe from once connected.
    pub unsubscribe: Vec<ByteString>,
    /// Messages whose topic matches one of these filters are not shown and not counted.
    pub filter_out: Vec<ByteString>,
    /// Do not show retained messages.
    pub skip_retained: bool,
    /// Show retained messages only, and end at the first that is not.
    pub retained_only: bool,
    /// End once every subscription is acknowledged.
    pub exit_after_subscribe: bool,
    /// End after so many messages; at least 1.
    pub count: Option<u64>,
    /// Give up after this long: a failure ([`TimedOut`](crate::error::Kind::TimedOut)).
    pub timeout: Option<Duration>,
    /// End after this long: a success.
    pub duration: Option<Duration>,
    /// End when nothing came for this long: a success.
    pub idle: Option<Duration>,
    /// How a message is shown.
    pub format: Format,
    /// What the terminal shows.
    pub style: Style,
}

/// How a subscription came to its end.
enum Ending {
    /// All that was asked for is done.
    Done,
    /// It was cut short.
    Failed(Error),
}

/// Subscribes and shows what comes.
///
/// # Errors
/// No connection, a refusal, a deadline, a lost reader; see [`Kind`].
pub async fn run(plan: Plan) -> Result<()> {
    let target = plan.session.target()?;
    let subscriptions = plan.wanted(&target)?;
    let mut output = Output::open(plan.format.clone(), plan.style)?;
    let mut stop = Stop::watch()?;
    let notes = Notes::new(plan.style);
    let wants = Wants {
        later: Retry::Forever,
        version_5_only: plan.needs_version_5(&subscriptions),
        topic_aliases: TOPIC_ALIASES,
    };
    let mut client = plan.session.client(target, &wants, notes).await?;
    if !subscriptions.is_empty() {
        client
            .session()
            .subscribe(&subscriptions, &plan.subscribe_properties)
            .map_err(|fault| Error::usage(fault.to_string()))?;
    }
    let mut subscriber = Subscriber::new(&plan, client, notes);
    let ended = subscriber.listen(&mut output, &mut stop).await;
    let properties = plan.session.disconnect_properties.clone();
    stop.unless_again(subscriber.client.close(Disconnect {
        properties,
        ..Disconnect::default()
    }))
    .await;
    ended
}

impl Plan {
    /// The filters of `-t`, or the one in the path of the URL.
    fn wanted(&self, target: &Target) -> Result<Vec<Subscription>> {
        if !self.subscriptions.is_empty() || !self.unsubscribe.is_empty() {
            return Ok(self.subscriptions.clone());
        }
        let filter = super::mqtt_session::topic_of(target)
            .ok_or_else(|| Error::usage("no topic to subscribe to").hint("-t FILTER names one"))?;
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
            || !self.unsubscribe_properties.is_empty()
    }
}

/// A running `mqtt sub`.
struct Subscriber<'a> {
    plan: &'a Plan,
    client: Client,
    notes: Notes,
    began: Instant,
    last_message: Instant,
    shown: u64,
    /// Subscribe and unsubscribe requests that are not answered yet.
    unanswered: usize,
    refused: Option<Error>,
    ever_connected: bool,
    /// Since when the connection has been down.
    away_since: Option<Instant>,
    /// Whether a message came since the last PINGREQ that looks for the end of the retained ones.
    came_since_ping: bool,
    /// Whether such a PINGREQ is to be sent as soon as all that came is acknowledged.
    wants_ping: bool,
}

impl<'a> Subscriber<'a> {
    fn new(plan: &'a Plan, client: Client, notes: Notes) -> Self {
        let now = Instant::now();
        Self {
            plan,
            client,
            notes,
            began: now,
            last_message: now,
            shown: 0,
            unanswered: 1,
            refused: None,
            ever_connected: false,
            away_since: None,
            came_since_ping: false,
            wants_ping: false,
        }
    }

    async fn listen(&mut self, output: &mut Output, stop: &mut Stop) -> Result<()> {
        loop {
            let deadline = self.deadline();
            tokio::select! {
                biased;
                asked = stop.asked() => {
                    self.flush(output, stop).await?;
                    return Err(Error::new(asked.kind(), self.interrupted()));
                }
                driven = self.client.drive() => driven?,
                () = output.reader_gone() => return Err(Error::new(Kind::ReaderGone, "nobody reads our output any more")),
                () = sleep_until(deadline.unwrap_or_else(far_away).into()), if deadline.is_some() => {
                    if let Some(ending) = self.time_passed(Instant::now()) {
                        return self.end(ending);
                    }
                }
            }
            let ending = self.take_in(output)?;
            self.flush(output, stop).await?;
            self.client.session().accept();
            self.look_for_the_end();
            if let Some(ending) = ending {
                return self.end(ending);
            }
        }
    }

    fn end(&mut self, ending: Ending) -> Result<()> {
        match (ending, self.refused.take()) {
            (Ending::Failed(error), _) | (Ending::Done, Some(error)) => Err(error),
            (Ending::Done, None) => Ok(()),
        }
    }

    /// Writes what waits. A reader that stalls stops us reading from the server, which slows the server down;
    /// the keep-alive goes on.
    async fn flush(&mut self, output: &mut Output, stop: &mut Stop) -> Result<()> {
        if output.pending() == 0 {
            return Ok(());
        }
        tokio::select! {
            biased;
            written = output.flush() => written,
            error = self.client.hold() => Err(error),
            asked = stop.asked() => Err(Error::new(asked.kind(), self.interrupted())),
        }
    }

    /// Takes what the client has for us.
    fn take_in(&mut self, output: &mut Output) -> Result<Option<Ending>> {
        while let Some(notice) = self.client.poll_notice() {
            self.away_since.get_or_insert_with(Instant::now);
            tell(notice, &self.client, self.notes);
        }
        let time = SystemTime::now();
        while let Some(event) = self.client.poll_event() {
            let ending = match event {
                Event::Message(publish) => self.message(publish, time, output)?,
                other => self.event(other)?,
            };
            if ending.is_some() {
                return Ok(ending);
            }
        }
        Ok(None)
    }

    fn message(
        &mut self,
        publish: Publish,
        time: SystemTime,
        output: &mut Output,
    ) -> Result<Option<Ending>> {
        self.came_since_ping = true;
        if self.plan.retained_only && !publish.retain {
            return Ok(Some(Ending::Done));
        }
        let left_out = |filter: &ByteString| topic::matches(filter, &publish.topic);
        if (self.plan.skip_retained && publish.retain) || self.plan.filter_out.iter().any(left_out)
        {
            return Ok(None);
        }
        output.message(&record(publish, time))?;
        self.shown += 1;
        if self.plan.idle.is_some() {
            self.last_message = Instant::now();
        }
        Ok((self.plan.count == Some(self.shown)).then_some(Ending::Done))
    }

    fn event(&mut self, event: Event) -> Result<Option<Ending>> {
        match event {
            Event::Connected {
                session_present, ..
            } => {
                self.connected(session_present)?;
                Ok(None)
            }
            Event::Subscribed(answers, reason_string) => {
                Ok(self.subscribed(&answers, reason_string.as_deref()))
            }
            Event::Unsubscribed(answers) => {
                self.unsubscribed(&answers);
                Ok(self.answered())
            }
            Event::Pong if self.plan.retained_only => Ok(self.pong()),
            _ => Ok(None),
        }
    }

    fn connected(&mut self, session_present: bool) -> Result<()> {
        if let Some(since) = self.away_since.take().filter(|_| self.ever_connected) {
            let target = self.client.target();
            let away = humantime::format_duration(Duration::from_millis(
                since.elapsed().as_millis() as u64,
            ));
            if session_present {
                self.notes.note(format_args!(
                    "connected to {target} again after {away}; the server kept the session"
                ));
            } else {
                self.notes.warn(format_args!(
                    "connected to {target} again after {away} and subscribed anew; messages published meanwhile may have been missed"
                ));
            }
        }
        if !self.ever_connected && !self.plan.unsubscribe.is_empty() {
            let properties = &self.plan.unsubscribe_properties;
            let asked = self
                .client
                .session()
                .unsubscribe(&self.plan.unsubscribe, properties);
            asked.map_err(|fault| Error::usage(fault.to_string()))?;
            self.unanswered += usize::from(!self.plan.subscriptions.is_empty());
        }
        self.ever_connected = true;
        Ok(())
    }

    fn subscribed(
        &mut self,
        answers: &[(ByteString, ReasonCode)],
        reason_string: Option<&str>,
    ) -> Option<Ending> {
        let refused: Vec<_> = answers
            .iter()
            .filter(|(_, reason)| reason.is_failure())
            .collect();
        for (filter, reason) in &refused {
            let words = reason_string
                .map(|text| format!(": {}", brief(text)))
                .unwrap_or_default();
            let text = format!(
                "{} refused the subscription to {filter}: {reason}{words}",
                self.client.target()
            );
            if refused.len() < answers.len() {
                self.notes.warn(&text);
            }
            self.refused
                .get_or_insert_with(|| Error::new(Kind::Refused, text));
        }
        if !refused.is_empty() && refused.len() == answers.len() {
            return Some(Ending::Done);
        }
        self.wants_ping = self.plan.retained_only;
        self.answered()
    }

    fn unsubscribed(&mut self, answers: &[(ByteString, ReasonCode)]) {
        for (filter, reason) in answers {
            if reason.is_failure() {
                let text = format!(
                    "{} refused to unsubscribe {filter}: {reason}",
                    self.client.target()
                );
                self.refused
                    .get_or_insert_with(|| Error::new(Kind::Refused, text));
            } else if *reason == ReasonCode::NO_SUBSCRIPTION_EXISTED {
                self.notes
                    .note(format_args!("there was no subscription to {filter}"));
            }
        }
    }

    /// One request was answered; true for the last one when nothing else is to be waited for.
    fn answered(&mut self) -> Option<Ending> {
        self.unanswered = self.unanswered.saturating_sub(1);
        let only_asked = self.plan.exit_after_subscribe
            || self.plan.subscriptions.is_empty() && !self.plan.unsubscribe.is_empty();
        (self.unanswered == 0 && only_asked).then_some(Ending::Done)
    }

    /// The server sends what it has retained before it answers a PINGREQ; at QoS 1 and 2 as far as its window
    /// allows. So we ask again until nothing comes between two answers, and only once all that came is
    /// acknowledged: before that a full window looks like the end.
    fn look_for_the_end(&mut self) {
        if self.wants_ping && self.client.session().unacknowledged() == 0 {
            self.wants_ping = false;
            self.came_since_ping = false;
            self.client.session().ping(Instant::now());
        }
    }

    fn pong(&mut self) -> Option<Ending> {
        if !self.came_since_ping {
            return Some(Ending::Done);
        }
        self.wants_ping = true;
        None
    }

    fn deadline(&self) -> Option<Instant> {
        let ends = [
            self.plan.timeout.map(|limit| self.began + limit),
            self.plan.duration.map(|limit| self.began + limit),
            self.plan.idle.map(|limit| self.last_message + limit),
        ];
        ends.into_iter().flatten().min()
    }

    fn time_passed(&self, now: Instant) -> Option<Ending> {
        if self
            .plan
            .timeout
            .is_some_and(|limit| now >= self.began + limit)
        {
            return Some(Ending::Failed(self.timed_out()));
        }
        let over = self
            .plan
            .duration
            .is_some_and(|limit| now >= self.began + limit);
        let idle = self
            .plan
            .idle
            .is_some_and(|limit| now >= self.last_message + limit);
        match (over || idle, self.ever_connected, self.plan.count) {
            (false, ..) => None,
            (true, false, _) => Some(Ending::Failed(self.timed_out())),
            (true, true, Some(count)) => {
                let text = format!("{} of {count} messages came", self.shown);
                Some(Ending::Failed(Error::new(Kind::TimedOut, text)))
            }
            (true, true, None) => Some(Ending::Done),
        }
    }

    fn timed_out(&self) -> Error {
        let target = self.client.target();
        let text = if !self.ever_connected {
            format!("timed out: no connection to {target}")
        } else if self.unanswered > 0 {
            format!("timed out: {target} did not answer the subscription (no SUBACK)")
        } else {
            match self.plan.count {
                Some(count) => format!("timed out: {} of {count} messages came", self.shown),
                None => format!("timed out after {}", messages(self.shown)),
            }
        };
        Error::new(Kind::TimedOut, text)
    }

    fn interrupted(&self) -> String {
        match self.plan.count {
            Some(count) => format!("interrupted: {} of {count} messages came", self.shown),
            None => format!("interrupted after {}", messages(self.shown)),
        }
    }
}

fn messages(count: u64) -> String {
    if count == 1 {
        String::from("1 message")
    } else {
        format!("{count} messages")
    }
}

/// A time for a timer that is never looked at.
fn far_away() -> Instant {
    Instant::now() + Duration::from_secs(86_400)
}
