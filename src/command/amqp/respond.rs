//! `amqp respond`: answers requests by echo, with a text, or with what a command writes.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep_until};

use super::session::{Session, SessionArgs, messages, prepared};
use crate::amqp::consumer::{Consumer, Delivery, Subscription};
use crate::amqp::publisher::{Outcome, Outgoing, Publisher};
use crate::amqp::topology::Declaration;
use crate::amqp::{Channel, Client};
use crate::connect::Retry;
use crate::error::{Error, Kind, Result};
use crate::flow::Exec;
use crate::message::AmqpProperties;
use crate::output::{Console, Style};
use crate::stop::Stop;

/// What the answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The request itself (`--echo`).
    Echo,
    /// Always the same (`-m`).
    Text(Bytes),
    /// What the command writes on standard output (`--exec`). When it fails nothing is answered, and the request is given back.
    Exec(Exec),
}

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
    /// What the terminal shows.
    pub style: Style,
}

/// Serves until the plan's end, or a signal.
///
/// # Errors
/// No connection, a refusal, commands that failed; see [`Kind`].
pub async fn run(plan: Plan) -> Result<()> {
    let mut stop = Stop::watch()?;
    let notes = Console::new(plan.style);
    let session = plan.session.session("respond", Retry::Forever, notes)?;
    let opening = session.connect_by(async |session| open(&plan, session.client().await?).await);
    let desk = stop.unless_asked("interrupted", opening).await?;
    notes.note(format_args!(
        "answering requests to {:?} on {}",
        plan.queue, session.target
    ));
    let mut responder = Responder {
        plan: &plan,
        session,
        notes,
        ends: plan.duration.map(|limit| Instant::now() + limit),
        desk: Some(desk),
        taken: 0,
        settled: 0,
        failed: 0,
    };
    let ended = responder.serve(&mut stop).await;
    if let Some(desk) = responder.desk.take() {
        // Requests that are not answered go back to the queue.
        stop.unless_again(desk.client.close()).await;
    }
    ended
}

/// A request, whether it can be answered, and the answer.
type Worked = (Delivery, Result<(bool, Vec<u8>)>);

/// A connection and all that is under way on it.
struct Desk {
    client: Client,
    requests: Consumer,
    channel: Channel,
    publisher: Publisher,
    work: FuturesUnordered<BoxFuture<'static, Worked>>,
    /// The requests whose answers are not confirmed, by delivery tag, which numbers the answer too.
    answering: HashSet<u64>,
}

async fn open(plan: &Plan, client: Client) -> Result<Desk> {
    let (channel, _) = prepared(&client, &plan.declare).await?;
    channel.prefetch(plan.workers()).await?;
    let subscription = Subscription {
        queue: plan.queue.clone(),
        ..Subscription::default()
    };
    let requests = channel.consume(&subscription).await?;
    let publisher = Publisher::new(client.channel().await?, true, usize::MAX).await?;
    Ok(Desk {
        client,
        requests,
        channel,
        publisher,
        work: FuturesUnordered::new(),
        answering: HashSet::new(),
    })
}

impl Plan {
    /// How many requests are worked on at once; the server sends no more.
    fn workers(&self) -> u16 {
        let workers = match &self.answer {
            Answer::Exec(exec) => exec.workers,
            Answer::Echo | Answer::Text(_) => NonZeroUsize::MIN.saturating_add(99),
        };
        u16::try_from(workers.get()).unwrap_or(u16::MAX)
    }
}

struct Responder<'a> {
    plan: &'a Plan,
    session: Session,
    notes: Console,
    ends: Option<Instant>,
    desk: Option<Desk>,
    taken: u64,
    settled: u64,
    failed: u64,
}

impl Responder<'_> {
    async fn serve(&mut self, stop: &mut Stop) -> Result<()> {
        loop {
            let turned = tokio::select! {
                biased;
                asked = stop.asked() => {
                    let text = format!("interrupted after {}", messages(self.settled));
                    return Err(Error::new(asked.kind(), text));
                }
                turned = self.turn() => turned,
            };
            match turned {
                Ok(false) => {}
                Ok(true) => return self.verdict(),
                Err(error) => self.come_back(error, stop).await?,
            }
        }
    }

    /// Deals with one thing that happens; `true`: it was the last.
    async fn turn(&mut self) -> Result<bool> {
        let Some(desk) = &mut self.desk else {
            return Err(Error::new(Kind::Lost, "no connection"));
        };
        let more = self.plan.count.is_none_or(|count| self.taken < count);
        let mut fates = Vec::new();
        tokio::select! {
            biased;
            known = desk.publisher.fates(&mut fates), if desk.publisher.unconfirmed() > 0 => {
                self.confirmed(fates).await?;
                known?;
            }
            Some((request, answer)) = desk.work.next() => self.answer(request, answer).await?,
            request = desk.requests.next(), if more => {
                let request = request?;
                self.taken += 1;
                self.session.progressed();
                desk.work.push(work(self.plan.answer.clone(), request));
            }
            () = sleep_until(self.ends.unwrap_or_else(Instant::now)), if self.ends.is_some() => return Ok(true),
        }
        Ok(self.plan.count == Some(self.settled))
    }

    /// Publishes an answer. The request is acknowledged when the answer is confirmed.
    async fn answer(&mut self, request: Delivery, answer: Result<(bool, Vec<u8>)>) -> Result<()> {
        let Some(desk) = &mut self.desk else {
            return Ok(());
        };
        let (good, body) = answer?;
        if !good {
            self.failed += 1;
            self.settled += 1;
            let requeue = matches!(&self.plan.answer, Answer::Exec(exec) if exec.requeue);
            self.notes.warn("the command failed; nothing is answered");
            return desk.channel.nack(request.tag, false, requeue).await;
        }
        let properties = &request.detail().properties;
        let Some(reply_to) = properties.reply_to.clone() else {
            self.settled += 1;
            self.notes
                .warn("a request says no queue for its answer (reply-to); nothing is answered");
            return desk.channel.ack(request.tag, false).await;
        };
        let answer = Outgoing {
            key: reply_to,
            properties: AmqpProperties {
                correlation_id: properties.correlation_id.clone(),
                ..self.plan.properties.clone()
            }
            .into(),
            payload: body.into(),
            ..Outgoing::default()
        };
        desk.answering.insert(request.tag);
        desk.publisher.publish(request.tag, answer)
    }

    async fn confirmed(&mut self, fates: Vec<(u64, Outcome)>) -> Result<()> {
        let Some(desk) = &mut self.desk else {
            return Ok(());
        };
        for (number, fate) in fates {
            if !desk.answering.remove(&number) {
                continue;
            }
            self.settled += 1;
            if fate == Outcome::Nacked {
                self.failed += 1;
                self.notes.warn("the server refused an answer (nack)");
            }
            desk.channel.ack(number, false).await?;
        }
        Ok(())
    }

    fn verdict(&self) -> Result<()> {
        match self.failed {
            0 => Ok(()),
            failed => Err(Error::new(
                Kind::Refused,
                format!("{failed} of {} were not answered", messages(self.settled)),
            )),
        }
    }

    async fn come_back(&mut self, error: Error, stop: &mut Stop) -> Result<()> {
        let broken = self
            .desk
            .as_ref()
            .is_some_and(|desk| desk.client.is_broken());
        if error.kind() != Kind::Lost || broken {
            return Err(error);
        }
        // What was under way comes again, as it was not acknowledged.
        self.desk = None;
        self.taken = self.settled;
        let plan = self.plan;
        let connecting = async |session: &Session| open(plan, session.client().await?).await;
        let opening = self.session.remake(error, connecting);
        self.desk = Some(stop.unless_asked("interrupted", opening).await?);
        Ok(())
    }
}

fn work(answer: Answer, request: Delivery) -> BoxFuture<'static, Worked> {
    async move {
        let answered = match &answer {
            Answer::Echo => Ok((true, request.message.payload.to_vec())),
            Answer::Text(text) => Ok((true, text.to_vec())),
            Answer::Exec(exec) => exec.answer(&request.message).await,
        };
        (request, answered)
    }
    .boxed()
}
