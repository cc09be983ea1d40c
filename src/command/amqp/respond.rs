//! `amqp respond`: answers requests by echo, with a text, or with what a command writes.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use tokio::time::{Instant, sleep_until, timeout};

use super::link::too_large;
use super::session::{Session, SessionArgs, messages};
use crate::amqp::consumer::{Delivery, Subscription};
use crate::amqp::frame::methods::DIRECT_REPLY_TO;
use crate::amqp::publisher::{MOST_BYTES, Outcome, Outgoing, Returns};
use crate::amqp::topology::Declaration;
use crate::amqp::v091::{Connection, Incoming};
use crate::amqp::wish::Settlement;
use crate::connect::Retry;
use crate::error::{Error, Kind, Result};
use crate::flow::{Answer, Answers, Ready};
use crate::message::AmqpProperties;
use crate::output::{Console, Style};
use crate::stop::Stop;

/// As often may the server close the connection over answers to a queue, before no more are sent there.
const STRIKES: u32 = 2;

/// What to answer, how, and until when.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The connection.
    pub session: SessionArgs,
    /// The queue that requests come to (`QUEUE`).
    pub queue: ByteString,
    /// What is made before, again after each reconnect (`--declare`).
    pub declare: Vec<Declaration>,
    /// What the answer is.
    pub answer: Answer,
    /// Properties of each answer; the correlation id is the request's.
    pub properties: AmqpProperties,
    /// End after so many requests (`-C`).
    pub count: Option<u64>,
    /// End after this long (`--for`): a success.
    pub duration: Option<Duration>,
    /// How long what is under way may take to end after a signal (`--drain`).
    pub drain: Duration,
    /// Who is told when requests can come.
    pub ready: Ready,
    /// What the terminal shows.
    pub style: Style,
}

/// Serves until the plan's end, or a signal.
///
/// # Errors
/// No connection, a refusal, commands that failed; see [`Kind`].
pub async fn run(plan: Plan) -> Result<()> {
    let mut stop = Stop::watch()?;
    stop.allow(plan.drain);
    let notes = Console::new(plan.style);
    plan.answer.warn(notes);
    let session = plan.session.session("respond", Retry::Forever, notes)?;
    let mut announcement = plan.ready.announcement()?;
    let opening = session.connect_by(async |session| Desk::open(&plan, session).await);
    let desk = stop.unless_asked("interrupted", opening).await?;
    announcement.tell()?;
    notes.note(format_args!(
        "serving requests to {:?} on {}",
        plan.queue, session.target
    ));
    let mut responder = Responder {
        plan: &plan,
        session,
        notes,
        ends: plan.duration.map(|limit| Instant::now() + limit),
        suspects: HashMap::new(),
        taken: 0,
        settled: 0,
        failed: 0,
    };
    responder.serve(desk, &mut stop).await
}

/// Two connections, and all that is under way on them. Requests have one of their own, so that they can wait unread while
/// answers are confirmed.
struct Desk {
    requests: Connection,
    answers: Connection,
    work: Answers<Delivery>,
    /// What is not published yet: the request, where its answer goes, the answer.
    ready: VecDeque<(Delivery, ByteString, Bytes)>,
    /// Where answers went that are not confirmed, by delivery tag, which numbers the answer too.
    answering: BTreeMap<u64, ByteString>,
    /// When a confirm came last, or the first of those that are missing was published.
    progressed: Instant,
}

impl Desk {
    async fn open(plan: &Plan, session: &Session) -> Result<Self> {
        let mut requests = session.receiver(&plan.declare, false).await?;
        requests.prefetch(plan.workers()).await?;
        let answers = session.receiver(&[], true).await?;
        requests.consume(&plan.subscription()).await?;
        Ok(Self {
            requests,
            answers,
            work: Answers::new(plan.answer.clone()),
            ready: VecDeque::new(),
            answering: BTreeMap::new(),
            progressed: Instant::now(),
        })
    }

    fn is_idle(&self) -> bool {
        self.work.is_empty() && self.ready.is_empty() && self.answering.is_empty()
    }

    /// Whether memory has room for another request.
    fn has_room(&self) -> bool {
        self.work.bytes() < MOST_BYTES && self.answers.has_room() && self.ready.is_empty()
    }

    /// When the server has had long enough to confirm a reply.
    fn gives_up(&self) -> Option<Instant> {
        let waits = !self.answering.is_empty();
        waits.then(|| self.progressed + self.answers.patience())
    }

    /// Whether the server has said that it takes nothing for now, which counts as a sign of life.
    fn is_put_off(&mut self) -> bool {
        let put_off = self.answers.blocked().is_some() || self.answers.paused().is_some();
        if put_off {
            self.progressed = Instant::now();
        }
        put_off
    }

    async fn close(self) {
        // What was not confirmed is known by its missing confirm; a request that was not acknowledged comes again.
        let _ = self.answers.close().await;
        let _ = self.requests.close().await;
    }
}

impl Plan {
    fn subscription(&self) -> Subscription {
        Subscription {
            queue: self.queue.clone(),
            ..Subscription::default()
        }
    }

    /// How many requests are worked on at once; the server sends no more.
    fn workers(&self) -> u16 {
        u16::try_from(self.answer.workers().get()).unwrap_or(u16::MAX)
    }

    /// The answer as it is published.
    fn outgoing(&self, request: &Delivery, reply_to: ByteString, body: Bytes) -> Outgoing {
        let asked = &request.detail().properties;
        let not_text = asked.not_text.iter();
        let properties = AmqpProperties {
            correlation_id: asked.correlation_id.clone(),
            not_text: not_text
                .filter(|(name, _)| *name == "correlation_id")
                .cloned()
                .collect(),
            ..self.properties.clone()
        };
        Outgoing {
            // RabbitMQ takes a direct reply-to for no queue, and returns what goes there although it arrives.
            returns: match reply_to.starts_with(DIRECT_REPLY_TO) {
                true => Returns::Ignored,
                false => Returns::Told,
            },
            key: reply_to,
            properties: properties.into(),
            payload: body,
            ..Outgoing::default()
        }
    }
}

struct Responder<'a> {
    plan: &'a Plan,
    session: Session,
    notes: Console,
    ends: Option<Instant>,
    /// Where answers went that the server may have closed the connection for, and how often it did.
    suspects: HashMap<ByteString, u32>,
    taken: u64,
    settled: u64,
    failed: u64,
}

impl Responder<'_> {
    async fn serve(&mut self, mut desk: Desk, stop: &mut Stop) -> Result<()> {
        let mut accepts = true;
        let ended = loop {
            accepts &= self.plan.count.is_none_or(|count| self.taken < count);
            if !accepts && desk.is_idle() {
                break self.verdict();
            }
            let left = self
                .ends
                .filter(|_| !accepts)
                .map(|end| end + self.plan.drain);
            let at = left.unwrap_or_else(Instant::now);
            if !desk.is_put_off() && desk.gives_up().is_some_and(|at| at <= Instant::now()) {
                let limit = humantime::format_duration(desk.answers.patience());
                let text = format!("no confirm from {} for {limit}", self.session.target);
                break Err(Error::new(Kind::TimedOut, text));
            }
            let turned = tokio::select! {
                biased;
                () = sleep_until(at), if left.is_some() => {
                    let open = messages(self.taken.saturating_sub(self.settled));
                    let text = format!("timed out: {open} still under way");
                    break Err(Error::new(Kind::TimedOut, text));
                }
                asked = stop.asked() => {
                    let draining = timeout(self.plan.drain, self.drain(&mut desk));
                    let _ = stop.unless_again(draining).await;
                    let text = format!("interrupted after {}", messages(self.settled));
                    break Err(Error::new(asked.kind(), text));
                }
                turned = self.turn(&mut desk, accepts) => turned,
            };
            match turned {
                Ok(more) => accepts &= more,
                // It came with the confirm of the last reply.
                Err(_) if self.is_done() && desk.is_idle() => break self.verdict(),
                Err(error) if !self.session.is_outage(&error) => {
                    // As after a signal: the queue may be gone, and the requesters wait all the same.
                    let draining = timeout(self.plan.drain, self.drain(&mut desk));
                    let _ = stop.unless_again(draining).await;
                    break Err(error);
                }
                Err(error) => {
                    desk = self.come_back(desk, error, stop).await?;
                    // What was under way comes again, as it was not acknowledged.
                    self.taken = self.settled;
                    accepts = self.ends.is_none_or(|end| Instant::now() < end);
                }
            }
        };
        // Requests that are not answered go back to the queue.
        stop.unless_again(desk.close()).await;
        ended
    }

    /// Whether as many requests are done with as were wanted.
    fn is_done(&self) -> bool {
        self.plan.count.is_some_and(|count| self.settled >= count)
    }

    /// Lets what is under way end.
    async fn drain(&mut self, desk: &mut Desk) -> Result<()> {
        while !desk.is_idle() {
            self.turn(desk, false).await?;
        }
        Ok(())
    }

    /// Deals with one thing that happens; `false`: no more requests are to be taken.
    async fn turn(&mut self, desk: &mut Desk, accepts: bool) -> Result<bool> {
        self.publish(desk)?;
        let silent = desk.gives_up();
        let wanted = accepts && desk.has_room();
        let mut fates = Vec::new();
        tokio::select! {
            biased;
            known = desk.answers.fates(&mut fates) => {
                self.confirmed(desk, fates);
                known?;
            }
            worked = desk.work.next() => {
                let (request, answer) = worked?;
                self.worked(desk, request, answer);
            }
            incoming = next(&mut desk.requests, wanted) => self.take(desk, incoming?)?,
            () = sleep_until(self.ends.unwrap_or_else(Instant::now)), if accepts && self.ends.is_some() => return Ok(false),
            // Whoever waits for the end of this looks at the time.
            () = sleep_until(silent.unwrap_or_else(Instant::now)), if silent.is_some() => {}
        }
        Ok(true)
    }

    /// Begins to work on a request.
    fn take(&mut self, desk: &mut Desk, incoming: Incoming) -> Result<()> {
        match incoming {
            Incoming::Delivery(request) => {
                self.taken += 1;
                let message = request.message.clone();
                desk.work.begin(request, &message, |_| None);
            }
            Incoming::TooLarge { tag, size } => {
                self.taken += 1;
                self.settled += 1;
                self.failed += 1;
                self.notes.warn(too_large(tag, size));
                // It stays unsettled, and may have been all that the server sends at once.
                desk.requests.consume_anew(&self.plan.subscription());
            }
            Incoming::Cancelled => return Err(self.session.cancelled(&self.plan.queue)),
            Incoming::Empty => {}
        }
        Ok(())
    }

    /// The request was worked on; its answer is to be published.
    fn worked(&mut self, desk: &mut Desk, request: Delivery, answer: Option<Bytes>) {
        let requeue = matches!(&self.plan.answer, Answer::Exec(exec) if exec.requeue);
        let Some(body) = answer else {
            let why = "the command failed or wrote too much";
            return self.give_up(desk, &request, requeue, why);
        };
        let properties = &request.detail().properties;
        match &properties.reply_to {
            Some(to) if self.suspects.get(to).is_some_and(|times| *times >= STRIKES) => {
                let target = &self.session.target;
                let why = format!("a reply to {to:?} makes {target} close the connection");
                self.give_up(desk, &request, false, &why);
            }
            Some(to) => {
                let to = to.clone();
                desk.ready.push_back((request, to, body));
            }
            None if properties.not_text("reply_to").is_some() => {
                let why = "the queue for the reply (reply-to) is not UTF-8";
                self.give_up(desk, &request, false, why);
            }
            None => {
                self.settled += 1;
                self.notes.warn("a request has no reply-to; no reply sent");
                desk.requests
                    .settle(request.tag, false, Settlement::Accepted);
            }
        }
    }

    /// Gives a request back without an answer.
    fn give_up(&mut self, desk: &mut Desk, request: &Delivery, requeue: bool, why: &str) {
        self.failed += 1;
        self.settled += 1;
        self.notes.warn(format_args!("{why}; no reply sent"));
        let how = match requeue {
            true => Settlement::Released,
            false => Settlement::Failed,
        };
        desk.requests.settle(request.tag, false, how);
    }

    /// Publishes answers. One that may be what the server closes the connection for goes alone, so that no other comes to
    /// be suspected with it.
    fn publish(&self, desk: &mut Desk) -> Result<()> {
        let suspected = |to: &ByteString| self.suspects.contains_key(to);
        while let Some((_, to, _)) = desk.ready.front() {
            let alone = suspected(to) || desk.answering.values().any(suspected);
            if alone && !desk.answering.is_empty() {
                break;
            }
            if let Some((request, to, body)) = desk.ready.pop_front() {
                if desk.answering.is_empty() {
                    desk.progressed = Instant::now();
                }
                desk.answering.insert(request.tag, to.clone());
                let answer = self.plan.outgoing(&request, to, body);
                desk.answers.publish(request.tag, answer)?;
            }
        }
        Ok(())
    }

    /// A request is acknowledged when its answer is confirmed.
    fn confirmed(&mut self, desk: &mut Desk, fates: Vec<(u64, Outcome)>) {
        if !fates.is_empty() {
            desk.progressed = Instant::now();
        }
        for (number, fate) in fates {
            if let (Outcome::Returned { words, .. }, Some(to)) =
                (&fate, desk.answering.get(&number))
            {
                self.notes.warn(format_args!(
                    "a reply to {to:?} was returned: it reached nobody ({words})"
                ));
                // Its confirm follows. As over MQTT it is no failure: who asked has left.
                continue;
            }
            let Some(to) = desk.answering.remove(&number) else {
                continue;
            };
            self.suspects.remove(&to);
            self.settled += 1;
            if fate == Outcome::Nacked {
                self.failed += 1;
                self.notes.warn("the server refused a reply (nack)");
            }
            desk.requests.settle(number, false, Settlement::Accepted);
        }
    }

    fn verdict(&self) -> Result<()> {
        match self.failed {
            0 => Ok(()),
            failed => Err(Error::new(
                Kind::Refused,
                format!("{failed} of {} got no reply", messages(self.settled)),
            )),
        }
    }

    async fn come_back(&mut self, desk: Desk, error: Error, stop: &mut Stop) -> Result<Desk> {
        let broken = desk.answers.is_broken() || desk.requests.is_broken();
        if broken || !self.session.is_outage(&error) {
            return Err(error);
        }
        if desk.answers.objected() {
            let alone = desk.answering.len() == 1;
            for to in desk.answering.into_values() {
                *self.suspects.entry(to).or_default() += if alone { STRIKES } else { 1 };
            }
        }
        // Only then does the server give back what it has sent.
        drop((desk.requests, desk.answers));
        let plan = self.plan;
        let connecting = async |session: &Session| Desk::open(plan, session).await;
        let opening = self.session.remake(error, connecting);
        stop.unless_asked("interrupted", opening).await
    }
}

/// The next request; without `wanted` it waits unread.
async fn next(requests: &mut Connection, wanted: bool) -> Result<Incoming> {
    if !wanted {
        match requests.hold().await {}
    }
    loop {
        match requests.poll_now() {
            Some(incoming) => return Ok(incoming),
            None => requests.drive().await?,
        }
    }
}
