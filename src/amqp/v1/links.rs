//! One sending link for each address, in the connection's thread.

use std::collections::BTreeMap;
use std::result::Result as Either;

use fe2o3_amqp::link::delivery::DeliveryFut;
use fe2o3_amqp::link::{DetachError, SendError};
use fe2o3_amqp::types::messaging::{self, Data, Message};
use fe2o3_amqp::{Sendable, Sender};
use futures_util::future::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::super::address::{Address, Dialect};
use super::super::publisher::Outcome;
use super::diagnose::{self, End};
use super::publisher::{Command, Item, News};
use super::thread::{Opened, Ready};
use crate::error::Result;

/// Servers let one session have about so many links.
pub(super) const MOST: usize = 250;

/// As many messages are taken from the queue of a link at once.
const TAKEN: usize = 64;

/// A message that was sent, by its number, or that could not be.
type Sent = (
    u64,
    Either<DeliveryFut<Either<messaging::Outcome, SendError>>, SendError>,
);

/// A link's queue, and its task, which gives the link back when the queue is closed.
struct Link {
    queue: mpsc::UnboundedSender<(u64, Message<Data>)>,
    task: JoinHandle<Option<Sender>>,
}

/// Attaches to the first addresses, then sends what is asked for until nobody asks any more.
pub(super) async fn serve(
    mut opened: Opened,
    ready: Ready,
    first: Vec<Address>,
    confirms: bool,
    mut commands: mpsc::UnboundedReceiver<Command>,
    news: mpsc::UnboundedSender<News>,
) {
    let (sent, mut done) = mpsc::unbounded_channel();
    let mut links = Links {
        by_address: BTreeMap::new(),
        confirms,
        sent,
    };
    for address in first {
        if let Err(error) = links.attach(&mut opened, address).await {
            let _ = ready.send(Err(error));
            return opened.close().await;
        }
    }
    let _ = ready.send(Ok(opened.dialect));
    if let Err(error) = links
        .turn(&mut opened, &mut done, &mut commands, &news)
        .await
    {
        let _ = news.send(Err(error));
    }
    opened.close().await;
}

/// What the outcome says, with the server's words.
fn outcome_of(peer: messaging::Outcome, confirms: bool) -> Outcome {
    match peer {
        messaging::Outcome::Accepted(_) if confirms => Outcome::Confirmed,
        messaging::Outcome::Accepted(_) => Outcome::Written,
        messaging::Outcome::Rejected(rejected) => Outcome::Refused(match rejected.error {
            Some(error) => format!("rejected, {}", diagnose::described(&error)),
            None => String::from("rejected"),
        }),
        messaging::Outcome::Released(_) => {
            Outcome::Refused(String::from("released, nothing accepts it"))
        }
        messaging::Outcome::Modified(modified) => {
            Outcome::Refused(String::from(match modified.undeliverable_here {
                Some(true) => "modified, undeliverable here",
                _ => "modified, delivery failed",
            }))
        }
    }
}

struct Links {
    by_address: BTreeMap<Address, Link>,
    confirms: bool,
    sent: mpsc::UnboundedSender<Sent>,
}

impl Links {
    /// Sends and collects what became of it, until nobody asks any more.
    async fn turn(
        &mut self,
        opened: &mut Opened,
        done: &mut mpsc::UnboundedReceiver<Sent>,
        commands: &mut mpsc::UnboundedReceiver<Command>,
        news: &mpsc::UnboundedSender<News>,
    ) -> Result<()> {
        let what = "to take messages";
        let mut under_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                biased;
                Some((number, sent)) = done.recv() => match sent {
                    Ok(outcome) => under_way.push(outcome.map(move |outcome| (number, outcome))),
                    Err(error) => return Err(opened.explain(what, error).await),
                },
                Some(first) = under_way.next() => {
                    let (mut fates, mut next) = (Vec::new(), Some(first));
                    let mut failed = None;
                    while let Some((number, outcome)) = next {
                        match outcome {
                            Ok(outcome) => fates.push((number, outcome_of(outcome, self.confirms))),
                            Err(error) => failed = Some(error),
                        }
                        next = under_way.next().now_or_never().flatten();
                    }
                    let _ = news.send(Ok(fates));
                    if let Some(error) = failed {
                        return Err(opened.explain(what, error).await);
                    }
                }
                asked = commands.recv() => match asked {
                    Some(Command::Send(messages)) => self.send(opened, messages).await?,
                    Some(Command::Prove(reply)) => drop(reply.send(self.prove(opened).await)),
                    None => return Ok(()),
                },
                ended = opened.connection.on_close() => {
                    let end = ended.err().map_or(End::Closed, End::from);
                    return Err(end.words(&opened.target, what));
                }
            }
        }
    }

    async fn attach(&mut self, opened: &mut Opened, address: Address) -> Result<()> {
        if self.by_address.contains_key(&address) {
            return Ok(());
        }
        let text = address.text(opened.dialect, true)?;
        let what = format!("to take messages for {text:?}");
        let attached = Sender::builder()
            .name(format!("iotctl-{}", self.by_address.len()))
            .target(text.as_str())
            .attach(&mut opened.session);
        let limit = opened.patience;
        let sender = match tokio::time::timeout(limit, attached).await {
            Ok(Ok(sender)) => sender,
            Ok(Err(why)) => return Err(opened.explain(&what, why).await),
            Err(_) => return Err(diagnose::silent(&opened.target, &what, limit)),
        };
        let (queue, queued) = mpsc::unbounded_channel();
        let task = tokio::spawn(pump(sender, queued, self.sent.clone(), self.confirms));
        self.by_address.insert(address, Link { queue, task });
        Ok(())
    }

    async fn send(&mut self, opened: &mut Opened, messages: Vec<Item>) -> Result<()> {
        for (number, address, message) in messages {
            if !self.by_address.contains_key(&address) {
                self.attach(opened, address.clone()).await?;
            }
            if let Some(link) = self.by_address.get(&address) {
                // A link that is gone has told why among what was sent.
                let _ = link.queue.send((number, message));
            }
        }
        Ok(())
    }

    /// Ends each link: its answer shows that the server has read what came before.
    async fn prove(&mut self, opened: &mut Opened) -> Result<()> {
        let what = "to take messages";
        for Link { queue, task } in std::mem::take(&mut self.by_address).into_values() {
            drop(queue);
            let closing = async {
                match task.await {
                    // RabbitMQ's plugin answers a close wrongly, and others answer nothing else.
                    Ok(Some(sender)) if opened.dialect == Dialect::RabbitMq3 => {
                        let detached = sender.detach().await;
                        detached.map(drop).map_err(|(_, why)| why)
                    }
                    Ok(Some(sender)) => sender.close().await,
                    Ok(None) | Err(_) => Err(DetachError::IllegalState),
                }
            };
            match tokio::time::timeout(opened.patience, closing).await {
                Ok(Ok(())) => {}
                Ok(Err(why)) => return Err(opened.explain(what, why).await),
                Err(_) => return Err(diagnose::silent(&opened.target, what, opened.patience)),
            }
        }
        Ok(())
    }
}

/// Sends what is queued, waiting for the server's credit, until the queue is closed or the link is.
async fn pump(
    mut sender: Sender,
    mut queue: mpsc::UnboundedReceiver<(u64, Message<Data>)>,
    sent: mpsc::UnboundedSender<Sent>,
    confirms: bool,
) -> Option<Sender> {
    let mut taken = Vec::with_capacity(TAKEN);
    while queue.recv_many(&mut taken, TAKEN).await > 0 {
        for (number, message) in taken.drain(..) {
            let sendable = Sendable::builder()
                .message(message)
                .settled(!confirms)
                .build();
            let outcome = sender.send_batchable(sendable).await;
            let failed = outcome.is_err();
            let _ = sent.send((number, outcome));
            if failed {
                return None;
            }
        }
    }
    Some(sender)
}
