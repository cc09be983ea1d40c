//! A subscription as a source of messages.

mod answered;

use std::collections::VecDeque;
use std::time::{Instant, SystemTime};

use bytestring::ByteString;
use tokio::time::{sleep_until, timeout};

pub(super) use self::answered::refusal;
use super::record::record;
use super::retained::Search;
use super::session::tell;
use super::topics::covers;
use super::unaware::Unaware;
use super::unsettled::Unsettled;
use crate::connect::failure::{LOST_ACKNOWLEDGEMENTS, reconnected, unacknowledged, unconfirmed};
use crate::error::{Error, Kind, Result, brief};
use crate::flow::{Next, Source, recent::Recent};
use crate::mqtt::client::{CLOSING, Client, Connection, Notice};
use crate::mqtt::packet::{Disconnect, Properties, Publish, QoS, ReasonCode};
use crate::mqtt::session::client::{Event, Session};
use crate::mqtt::topic;
use crate::output::Console;
use crate::stop::DRAIN;

/// What is asked of the server, and which of its messages count.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Whether there are subscriptions at all.
    pub subscribes: bool,
    /// Filters to unsubscribe from once connected.
    pub unsubscribe: Vec<ByteString>,
    /// For UNSUBSCRIBE.
    pub unsubscribe_properties: Properties,
    /// Messages whose topic matches one of these filters are passed over.
    pub filter_out: Vec<ByteString>,
    /// Of a session that was there before, and may have other subscriptions still, which cannot be asked for: messages that none
    /// of these filters covers are passed over, and counted. Empty: all are wanted.
    pub only: Vec<ByteString>,
    /// The server is to forget each retained message that came.
    pub remove_retained: bool,
    /// The server need not prove that it has the last acknowledgements.
    pub takes_as_acknowledged: bool,
    /// Retained messages are passed over.
    pub skip_retained: bool,
    /// Only retained messages count; it ends once all of them came.
    pub retained_only: bool,
    /// With `retained_only`: the first that is not retained ends it before, as mosquitto_sub does.
    pub ends_at_live: bool,
    /// Messages may come twice, so that QoS 1 is as good as QoS 2.
    pub at_least_once: bool,
    /// A lower QoS than the one that was asked for is a failure.
    pub strict: bool,
    /// Nobody has asked for a QoS, so that whatever the server grants will do.
    pub any_qos: bool,
    /// What this server was sent comes back another way: who counts the servers that do not know bridges.
    pub unaware: Option<Unaware>,
    /// It ends once every subscription is acknowledged.
    pub exit_after_subscribe: bool,
}

/// Who is handed what came; whether more is wanted.
type Sink<'a> = &'a mut dyn FnMut(Next) -> Result<bool>;

/// What becomes of a message.
enum Verdict {
    /// It is handed on.
    New,
    /// The same, as one that may have come before.
    Again,
    /// Nobody wants it.
    Skipped,
    /// Nothing is wanted from here on.
    End,
}

/// The messages of a session's subscriptions.
pub(crate) struct Subscribed<'a, C = Client> {
    pub(super) client: C,
    wanted: &'a Wanted,
    notes: Console,
    /// What was handed out and not settled.
    unsettled: Unsettled,
    /// Whether something was acknowledged over this connection that would come again otherwise.
    owes: bool,
    /// What was handed out last; only where it matters whether it comes again.
    recent: Recent,
    /// When the batch came that is being handed out.
    time: SystemTime,
    /// The subscriptions are not answered yet, in the session that the server has.
    subscribing: bool,
    /// UNSUBSCRIBE is not answered yet.
    unsubscribing: bool,
    /// Topics whose retained message is to be removed.
    removals: VecDeque<ByteString>,
    refused: Option<Error>,
    /// As many were dropped, as they came at QoS 0 while too many waited.
    dropped: u64,
    is_old: bool,
    /// As many came for subscriptions of an earlier run.
    strays: u64,
    ever_connected: bool,
    /// Whether the server has ever answered a subscription, so that messages can have been missed since.
    ever_subscribed: bool,
    /// Whether it was told that a QoS is lower than the one that was asked for.
    told_granted: bool,
    /// Since when the connection has been down, or not subscribed.
    away_since: Option<Instant>,
    /// For the end of the retained messages.
    search: Search,
}

impl<'a, C: Connection> Subscribed<'a, C> {
    /// Over a client that has been told what to subscribe to; `counts`: a message that comes again is known as such.
    pub(crate) fn new(client: C, wanted: &'a Wanted, counts: bool, notes: Console) -> Self {
        Self {
            client,
            wanted,
            notes,
            unsettled: Unsettled::default(),
            owes: false,
            recent: Recent::new(if counts { usize::from(u16::MAX) } else { 0 }),
            time: SystemTime::now(),
            subscribing: wanted.subscribes,
            unsubscribing: !wanted.unsubscribe.is_empty(),
            removals: VecDeque::new(),
            refused: None,
            dropped: 0,
            is_old: false,
            strays: 0,
            ever_connected: false,
            ever_subscribed: false,
            told_granted: false,
            away_since: None,
            search: Search::default(),
        }
    }

    /// Disconnects, and says whether a request was refused meanwhile.
    ///
    /// # Errors
    /// That refusal; [`Kind::Lost`] where the server does not have the last acknowledgements.
    pub(crate) async fn close(&mut self, properties: Properties) -> Result<()> {
        // A server that does not answer any more holds nobody up.
        let _ = timeout(DRAIN, self.finish_removals()).await;
        let proved = self.prove().await;
        let disconnect = Disconnect {
            properties,
            ..Disconnect::default()
        };
        self.client.close(disconnect).await;
        if self.dropped > 0 {
            let (dropped, target) = (self.dropped, self.client.target());
            self.notes.warn(format_args!(
                "{dropped} messages of {target} at QoS 0 were dropped, as too many waited"
            ));
        }
        if self.strays > 1 {
            let (strays, target) = (self.strays, self.client.target());
            self.notes.warn(format_args!(
                "{strays} messages of {target} came for subscriptions of an earlier run and were left out"
            ));
        }
        self.refused.take().map_or(proved, Err)
    }

    /// Makes sure that the server has read all that was acknowledged, which it has before it answers a PINGREQ.
    ///
    /// # Errors
    /// [`Kind::Lost`]: nobody knows whether it has, as the connection is gone.
    async fn prove(&mut self) -> Result<()> {
        if !self.owes || self.wanted.takes_as_acknowledged {
            return Ok(());
        }
        // What was answered before is no proof.
        while self.client.poll_event().is_some() {}
        let mut unanswered = self.client.with(|session| session.ping(Instant::now()));
        let answered = async {
            if !self.client.is_online() {
                return false;
            }
            while unanswered > 0 {
                if self.client.drive().await.is_err() || self.client.poll_notice().is_some() {
                    return false;
                }
                while let Some(event) = self.client.poll_event() {
                    unanswered -= u32::from(event == Event::Pong);
                }
            }
            true
        };
        let answered = timeout(CLOSING, answered).await;
        let unacknowledged = |what: &str| unacknowledged(self.client.target(), Kind::Lost, what);
        match answered {
            Ok(true) => {}
            Ok(false) => return Err(unacknowledged(LOST_ACKNOWLEDGEMENTS)),
            // It may only be slow.
            Err(_) => self.notes.warn(unacknowledged(&unconfirmed(CLOSING))),
        }
        Ok(())
    }

    /// Publishes what removes retained messages, as far as the window allows.
    fn remove_retained(&mut self) {
        while !self.removals.is_empty()
            && self.client.can_publish(QoS::AtLeastOnce)
            && let Some(topic) = self.removals.pop_front()
        {
            let qos = QoS::AtLeastOnce.min(self.client.look(Session::maximum_qos));
            // At QoS 0 a ping has to prove that it was read.
            self.owes |= qos == QoS::AtMostOnce;
            let retain = true;
            let mut empty = Publish {
                topic,
                qos,
                retain,
                ..Publish::default()
            };
            if let Err(cause) = self.client.publish(&mut empty, 0) {
                let text = format!("cannot remove {}: {cause}", brief(&empty.topic));
                self.refused
                    .get_or_insert_with(|| Error::new(Kind::Refused, text));
            }
        }
    }

    async fn finish_removals(&mut self) {
        while self.client.is_online() && (!self.removals.is_empty() || self.client.unfinished() > 0)
        {
            self.remove_retained();
            if self.client.drive().await.is_err() {
                return;
            }
            while let Some(event) = self.client.poll_event() {
                self.removed(&event);
            }
        }
    }

    fn removed(&mut self, event: &Event) {
        // Over this connection it goes as the server takes it.
        if let Event::Unsendable { message, .. } = event {
            self.removals.push_back(message.0.topic.clone());
        }
        if let Event::Acknowledged { reason, topic, .. } = event
            && reason.is_failure()
        {
            let topic = topic.as_deref().unwrap_or_default();
            let text = format!(
                "{} refused to remove the retained message of {}: {reason}",
                self.client.target(),
                brief(topic)
            );
            self.refused
                .get_or_insert_with(|| Error::new(reason.kind(), text));
        }
    }

    /// The connection is gone: what it delivered cannot be acknowledged any more.
    fn noticed(&mut self, notice: Notice) -> Option<Next> {
        let lost = matches!(notice, Notice::Lost { .. });
        self.away_since.get_or_insert_with(Instant::now);
        self.unsettled.clear();
        // The server delivers again what it has no acknowledgement of.
        self.owes = false;
        if lost {
            self.recent.lost();
        }
        match notice {
            Notice::NoBridge if self.wanted.unaware.as_ref().is_some_and(Unaware::note) => {
                let text = "neither server knows bridges, so that messages would cross for ever";
                let error = Error::usage(text)
                    .hint("use a server with MQTT 5, or prefixes that keep the topics apart");
                return Some(Next::End(Err(error)));
            }
            notice => tell(notice, self.client.target(), self.notes),
        }
        lost.then_some(Next::Lost)
    }

    fn count_dropped(&mut self) {
        let dropped = self.client.with(Session::take_dropped);
        let is_first = dropped > 0 && self.dropped == 0;
        self.dropped += dropped;
        if is_first {
            let target = self.client.target();
            self.notes.warn(format_args!(
                "too many messages of {target} wait: those at QoS 0 are dropped"
            ));
        }
    }

    /// What becomes of a message.
    #[inline]
    fn verdict(&mut self, publish: &Publish) -> Verdict {
        let live = !publish.retain;
        // Others may come among the retained ones, and without end.
        if !live {
            self.search.came();
        }
        if self.wanted.retained_only && self.wanted.ends_at_live && live {
            return Verdict::End;
        }
        self.unsettled.handed_out(publish);
        let left_out = |filter: &ByteString| topic::matches(filter, &publish.topic);
        let passed_over = match live {
            true => self.wanted.retained_only,
            false => self.wanted.skip_retained,
        };
        if passed_over || self.wanted.filter_out.iter().any(left_out) {
            return Verdict::Skipped;
        }
        if self.is_old && self.is_stray(&publish.topic) {
            return Verdict::Skipped;
        }
        if self.wanted.remove_retained && publish.retain {
            self.removals.push_back(publish.topic.clone());
        }
        match publish.packet_id != 0 && self.is_again(publish) {
            true => Verdict::Again,
            false => Verdict::New,
        }
    }

    /// Whether a message comes for a subscription that an earlier run made, and nobody asks for now.
    fn is_stray(&mut self, name: &str) -> bool {
        let mut only = self.wanted.only.iter();
        if only.len() == 0 || only.any(|filter| covers(filter, name)) {
            return false;
        }
        if self.strays == 0 {
            let target = self.client.target();
            self.notes.warn(format_args!(
                "the session at {target} has a subscription of an earlier run: messages such as {} are left out; --clean ends the session",
                brief(name)
            ));
        }
        self.strays += 1;
        true
    }

    /// A message that is not simply handed on; whether more is wanted.
    #[inline(never)]
    fn odd_message(&self, publish: Publish, verdict: Verdict, sink: Sink<'_>) -> Result<bool> {
        sink(match verdict {
            Verdict::New => Next::Message(record(publish, self.time)),
            Verdict::Again => Next::Again(record(publish, self.time)),
            Verdict::Skipped => Next::Skipped,
            Verdict::End => Next::End(Ok(())),
        })
    }

    /// What the client says of its connection; whether more is wanted.
    #[inline]
    fn notices(&mut self, sink: Sink<'_>) -> Result<bool> {
        while let Some(notice) = self.client.poll_notice() {
            if let Some(next) = self.noticed(notice)
                && !sink(next)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    #[inline]
    fn is_again(&mut self, publish: &Publish) -> bool {
        // A message that is sent again has the identifier that it had (MQTT 5.0 §4.4).
        let id = publish.packet_id;
        self.recent
            .is_again(publish.duplicate, id, &publish.topic, &publish.payload)
    }

    fn event(&mut self, event: Event) -> Result<Option<Next>> {
        match event {
            Event::Connected {
                session_present, ..
            } => self.connected(session_present).map(|()| None),
            Event::Subscribed(answers, reason_string) => {
                Ok(self.subscribed(&answers, reason_string.as_deref()))
            }
            Event::Unsubscribed(answers) => {
                self.unsubscribed(&answers);
                self.unsubscribing = false;
                Ok(self.answered())
            }
            Event::Pong if self.wanted.retained_only => {
                Ok((self.search.answered(Instant::now())).then_some(Next::Complete))
            }
            event @ (Event::Acknowledged { .. } | Event::Unsendable { .. }) => {
                self.removed(&event);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    fn connected(&mut self, session_present: bool) -> Result<()> {
        if !self.ever_subscribed {
            self.away_since = None;
        }
        // What an earlier connection was lost over is asked for again; that is told when it is answered.
        self.subscribing |= self.wanted.subscribes && !session_present;
        if !self.subscribing
            && let Some(back) = self.back()
        {
            self.notes.note(format_args!("{back}; session present"));
        }
        self.is_old |= session_present && !self.ever_connected;
        if !self.ever_connected && !self.wanted.unsubscribe.is_empty() {
            let properties = &self.wanted.unsubscribe_properties;
            let filters = &self.wanted.unsubscribe;
            let asked = (self.client).with(|session| session.unsubscribe(filters, properties));
            asked.map_err(|fault| Error::usage(fault.to_string()))?;
        }
        self.ever_connected = true;
        Ok(())
    }

    /// That the connection is there again, if that has not been told and a subscription was there before.
    fn back(&mut self) -> Option<String> {
        if !self.ever_subscribed {
            return None;
        }
        let since = self.away_since.take()?;
        Some(reconnected(self.client.target(), since))
    }

    fn subscribed(
        &mut self,
        answers: &[(ByteString, ReasonCode)],
        reason_string: Option<&str>,
    ) -> Option<Next> {
        if let Some(back) = self.back() {
            self.notes.warn(format_args!(
                "{back} and subscribed again; messages published in between may have been missed"
            ));
        }
        self.ever_subscribed = true;
        let refused: Vec<_> = answers
            .iter()
            .filter(|(_, reason)| reason.is_failure())
            .collect();
        for (filter, reason) in &refused {
            let text = refusal(self.client.target(), filter, *reason, reason_string);
            if refused.len() < answers.len() {
                self.notes.warn(&text);
            }
            self.refused
                .get_or_insert_with(|| Error::new(reason.kind(), text));
        }
        if !refused.is_empty() && refused.len() == answers.len() {
            return Some(Next::End(Ok(())));
        }
        if let Some(lower) = self.granted_less(answers) {
            if self.wanted.strict {
                return Some(Next::End(Err(Error::new(Kind::Refused, lower))));
            }
            self.notes.warn(lower);
        }
        if self.wanted.retained_only {
            self.search.begin();
        }
        self.subscribing = false;
        self.answered()
    }

    /// One request was answered; the end at the last one when nothing else is to be waited for.
    fn answered(&self) -> Option<Next> {
        let is_last = !self.subscribing && !self.unsubscribing;
        let only_asked = self.wanted.exit_after_subscribe
            || !self.wanted.subscribes && !self.wanted.unsubscribe.is_empty();
        (is_last && only_asked).then_some(Next::End(Ok(())))
    }

    fn look_for_the_end(&mut self) {
        let client = &self.client;
        if self.search.asks(|| client.look(Session::unacknowledged)) {
            self.client.with(|session| session.ping(Instant::now()));
        }
    }
}

impl<C: Connection> Source for Subscribed<'_, C> {
    async fn drive(&mut self) -> Result<()> {
        self.look_for_the_end();
        self.remove_retained();
        match self.search.pause() {
            None => self.client.drive().await?,
            Some(end) => tokio::select! {
                biased;
                driven = self.client.drive() => driven?,
                () = sleep_until(end.into()) => self.search.resume(),
            },
        }
        self.time = SystemTime::now();
        Ok(())
    }

    async fn hold(&mut self) -> Error {
        loop {
            // Before that nothing was handed out that would be void.
            let told = match self.client.make().await {
                Ok(true) => return self.client.hold().await,
                made => made.and_then(|_| self.notices(&mut Next::failed)),
            };
            if let Err(error) = told {
                return error;
            }
        }
    }

    /// A new message is built in the one place where it is handed over directly: moved before, each of its moves would cost
    /// as much as all else that is done with it, as the processor has to wait for the writing of what it reads.
    #[inline]
    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        while self.notices(&mut sink)? {
            let more = match self.client.poll_event() {
                None => break,
                Some(Event::Message(publish)) => match self.verdict(&publish) {
                    Verdict::New => sink(Next::Message(record(publish, self.time)))?,
                    verdict => self.odd_message(publish, verdict, &mut sink)?,
                },
                Some(other) => match self.event(other)? {
                    Some(next) => (&mut sink as Sink<'_>)(next)?,
                    None => true,
                },
            };
            if !more {
                break;
            }
        }
        self.count_dropped();
        Ok(())
    }

    fn settle(&mut self, count: u64) {
        let unsettled = &mut self.unsettled;
        let acknowledged = (self.client).with(|session| unsettled.settle(count, session));
        self.owes |= acknowledged > 0 && self.client.look(Session::is_kept);
    }

    fn awaits(&self) -> Option<String> {
        let target = self.client.target();
        let missing = match self.client.is_online() {
            false => "connection to",
            true if self.subscribing => "SUBACK from",
            true if self.unsubscribing => "UNSUBACK from",
            true => return None,
        };
        Some(format!("no {missing} {target}"))
    }
}
