//! Sends within a window and knows what became of each message.

use std::collections::{BTreeMap, BTreeSet};

use fe2o3_amqp::types::messaging::{Data, Message};
use tokio::sync::{mpsc, oneshot};

use super::super::address::Address;
use super::super::client::Options;
use super::super::publisher::{MOST_BYTES, Outcome, Outgoing};
use super::super::wish::Sending;
use super::links;
use super::thread::Thread;
use super::wire;
use crate::connect::Target;
use crate::error::{Error, Kind, Result};

/// A message on its way: its number, where it goes, and as the library has it.
pub(super) type Item = (u64, Address, Message<Data>);

/// What the thread is asked for.
pub(super) enum Command {
    /// To send these.
    Send(Vec<Item>),
    /// To make sure that the server has read everything.
    Prove(oneshot::Sender<Result<()>>),
}

/// What comes back: fates, and at last why there are no more.
pub(super) type News = Result<Vec<(u64, Outcome)>>;

/// A connection that sends, and nothing else.
pub(crate) struct Publisher {
    thread: Thread,
    wish: Sending,
    commands: mpsc::UnboundedSender<Command>,
    news: mpsc::UnboundedReceiver<News>,
    /// Not handed to the thread yet.
    out: Vec<Item>,
    /// What is not settled, to be sent again over another connection.
    kept: BTreeMap<u64, Outgoing>,
    bytes: usize,
    /// The addresses that are attached to.
    known: BTreeSet<Address>,
}

impl Publisher {
    /// Connects and logs in, within the target's time for connecting, and attaches to the first addresses.
    ///
    /// # Errors
    /// No connection, a refused login, another protocol, silence; [`Kind::Refused`] for an unknown address.
    pub(crate) async fn connect(target: &Target, options: &Options, wish: Sending) -> Result<Self> {
        let (commands, asked) = mpsc::unbounded_channel();
        let (tell, news) = mpsc::unbounded_channel();
        let first: Vec<Address> = match &wish.address {
            Some(address) => vec![address.clone()],
            None => wish.first.clone(),
        };
        let (known, confirms) = (first.iter().cloned().collect(), wish.confirms);
        let job = move |opened, ready| links::serve(opened, ready, first, confirms, asked, tell);
        let thread = Thread::start(target, options, job).await?;
        Ok(Self {
            thread,
            wish,
            commands,
            news,
            out: Vec::new(),
            kept: BTreeMap::new(),
            bytes: 0,
            known,
        })
    }

    /// Whether the window has room for one more.
    pub(crate) fn has_room(&self) -> bool {
        self.kept.is_empty() || (self.kept.len() < self.wish.window && self.bytes < MOST_BYTES)
    }

    /// How many messages are not settled yet.
    pub(crate) fn unconfirmed(&self) -> usize {
        self.kept.len()
    }

    /// Whether the library broke, or the server broke the rules, so that trying again would come to the same.
    pub(crate) fn is_broken(&self) -> bool {
        self.thread.is_broken()
    }

    /// Puts a message among those that [`Publisher::fates`] sends, under a number that [`Outcome`]s name; numbers must
    /// not repeat.
    ///
    /// # Errors
    /// [`Kind::Usage`] for what AMQP 1.0 cannot carry; nothing is sent then.
    pub(crate) fn publish(&mut self, number: u64, message: Outgoing) -> Result<()> {
        let encoded = wire::outgoing(&message, self.thread.dialect)?;
        let address = match &self.wish.address {
            Some(address) => address.clone(),
            None => Address::of(&message.exchange, &message.key),
        };
        if !self.known.contains(&address) {
            if self.known.len() >= links::MOST {
                return Err(Error::new(
                    Kind::Refused,
                    format!(
                        "over AMQP 1.0 one run sends to at most {} addresses",
                        links::MOST
                    ),
                ));
            }
            self.known.insert(address.clone());
        }
        self.bytes += message.payload.len();
        self.kept.insert(number, message);
        self.out.push((number, address, encoded));
        Ok(())
    }

    /// Sends, waits until something is known, and appends all that is; with nothing under way only the end of the
    /// connection ends it. Cancel-safe.
    ///
    /// # Errors
    /// What ended a link or the connection. [`Publisher::abandoned`] tells what is in doubt then.
    pub(crate) async fn fates(&mut self, into: &mut Vec<(u64, Outcome)>) -> Result<()> {
        if !self.out.is_empty() {
            // A thread that is gone has left why among the news.
            let _ = self
                .commands
                .send(Command::Send(std::mem::take(&mut self.out)));
        }
        let came = self.thread.unless_panicked(self.news.recv()).await?;
        let mut next = Some(came.unwrap_or_else(|| Err(self.thread.gone())));
        while let Some(news) = next {
            for (number, fate) in news? {
                if let Some(message) = self.kept.remove(&number) {
                    self.bytes -= message.payload.len();
                }
                into.push((number, fate));
            }
            next = self.news.try_recv().ok();
        }
        Ok(())
    }

    /// Makes sure that the server has read all that was written, when it says nothing of messages.
    ///
    /// # Errors
    /// What the server had against it, a lost connection, silence.
    pub(crate) async fn proof(&mut self) -> Result<()> {
        if self.wish.confirms {
            return Ok(());
        }
        let (reply, proved) = oneshot::channel();
        let _ = self.commands.send(Command::Prove(reply));
        let proved = self.thread.unless_panicked(proved).await?;
        proved.unwrap_or_else(|_| Err(self.thread.gone()))
    }

    /// What was sent and is not known to have arrived, to be sent again, in order.
    pub(crate) fn abandoned(self) -> Vec<(u64, Outgoing)> {
        self.kept.into_iter().collect()
    }

    /// Ends the connection cleanly where the server plays along, and within a moment in any case.
    pub(crate) async fn close(self) {
        drop(self.commands);
        self.thread.join().await;
    }
}
