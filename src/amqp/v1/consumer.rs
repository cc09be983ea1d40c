//! Deliveries as records, and their settlement.

use std::collections::BTreeMap;

use fe2o3_amqp::Receiver;
use fe2o3_amqp::link::delivery::DeliveryInfo;
use fe2o3_amqp::link::receiver::CreditMode;
use fe2o3_amqp::types::definitions::SenderSettleMode;
use fe2o3_amqp::types::messaging::{Body, Modified, Source};
use fe2o3_amqp::types::primitives::Value;
use tokio::sync::mpsc;

use super::super::address::{Address, Dialect};
use super::super::client::{CLOSING, Options};
use super::super::consumer::Delivery;
use super::super::wish::{Receiving, Settlement};
use super::diagnose::End;
use super::thread::{Opened, Ready, Thread};
use super::wire::incoming;
use crate::connect::Target;
use crate::error::{Error, Result};

/// A connection that consumes, and nothing else. Deliveries wait in it up to what was wished for.
pub(crate) struct Consumer {
    thread: Thread,
    came: mpsc::Receiver<Result<Delivery>>,
    commands: mpsc::UnboundedSender<Command>,
    /// What came while it was waited for.
    first: Option<Delivery>,
    /// How it ended, when that was seen before it was asked for.
    end: Option<Error>,
}

impl Consumer {
    /// Connects, logs in and attaches to the address, within the target's time for connecting.
    ///
    /// # Errors
    /// No connection, a refused login, another protocol, silence; [`crate::error::Kind::Refused`] for an unknown address.
    pub(crate) async fn connect(
        target: &Target,
        options: &Options,
        wish: Receiving,
    ) -> Result<Self> {
        let (commands, asked) = mpsc::unbounded_channel();
        let (deliveries, came) = mpsc::channel(wish.ahead.max(1).into());
        let job = |opened, ready| serve(opened, ready, wish, deliveries, asked);
        let thread = Thread::start(target, options, job).await?;
        Ok(Self {
            thread,
            came,
            commands,
            first: None,
            end: None,
        })
    }

    /// Waits until a message came. Cancel-safe.
    ///
    /// # Errors
    /// What ended the link or the connection.
    pub(crate) async fn drive(&mut self) -> Result<()> {
        if let Some(end) = self.end.take() {
            return Err(end);
        }
        if self.first.is_none() {
            let came = self.thread.unless_panicked(self.came.recv()).await?;
            self.first = Some(came.unwrap_or_else(|| Err(self.thread.gone()))?);
        }
        Ok(())
    }

    /// A message that came already, if there is one.
    pub(crate) fn poll_now(&mut self) -> Option<Delivery> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        match self.came.try_recv().ok()? {
            Ok(delivery) => Some(delivery),
            Err(end) => {
                self.end = Some(end);
                None
            }
        }
    }

    /// Tells the server what became of the messages with these tags. Those that it thinks done already only make
    /// room for more.
    pub(crate) fn settle(&self, tags: Vec<u64>, how: Settlement) {
        // A thread that is gone has said so by `drive`.
        let _ = self.commands.send(Command::Settle(tags, how));
    }

    /// Lets the server send so many more ahead.
    pub(crate) fn widen(&self, count: u16) {
        let _ = self.commands.send(Command::Widen(count));
    }

    /// Whether the library broke, or the server broke the rules, so that trying again would come to the same.
    pub(crate) fn is_broken(&self) -> bool {
        self.thread.is_broken()
    }

    /// Ends the connection cleanly where the server plays along, after all settlements, and within a moment in any
    /// case: what is not settled goes back.
    pub(crate) async fn close(self) {
        drop(self.commands);
        drop(self.came);
        self.thread.join().await;
    }
}

enum Command {
    /// This became of messages.
    Settle(Vec<u64>, Settlement),
    /// More may come ahead.
    Widen(u16),
}

type Commands = mpsc::UnboundedReceiver<Command>;
type Deliveries = mpsc::Sender<Result<Delivery>>;

async fn serve(
    mut opened: Opened,
    ready: Ready,
    wish: Receiving,
    deliveries: Deliveries,
    commands: Commands,
) {
    let receiving = match attach(&mut opened, &wish).await {
        Ok(receiving) => receiving,
        Err(error) => {
            let _ = ready.send(Err(error));
            return opened.close().await;
        }
    };
    let _ = ready.send(Ok(opened.dialect));
    match receiving.run(commands, &deliveries).await {
        Ok(receiver) => {
            // The answer shows that the settlements before it were read.
            let ending = async {
                match opened.dialect {
                    Dialect::RabbitMq3 => drop(receiver.detach().await),
                    Dialect::RabbitMq4 | Dialect::Plain => drop(receiver.close().await),
                }
            };
            let _ = tokio::time::timeout(CLOSING, ending).await;
        }
        Err(end) => {
            let error = opened.explain("to go on consuming", end).await;
            let _ = deliveries.send(Err(error)).await;
        }
    }
    opened.close().await;
}

async fn attach(opened: &mut Opened, wish: &Receiving) -> Result<Attached> {
    let address = wish.address.text(opened.dialect, false)?;
    let mode = match wish.settled {
        true => SenderSettleMode::Settled,
        false => SenderSettleMode::Unsettled,
    };
    let what = format!("to consume from {address:?}");
    let attached = Receiver::builder()
        .name("iotctl")
        .source(Source::from(address.as_str()))
        .sender_settle_mode(mode)
        .credit_mode(CreditMode::Manual)
        .verify_incoming_source(false)
        .verify_incoming_target(false)
        .attach(&mut opened.session);
    let limit = opened.patience;
    let mut receiver = match tokio::time::timeout(limit, attached).await {
        Ok(Ok(receiver)) => receiver,
        Ok(Err(why)) => return Err(opened.explain(&what, why).await),
        Err(_) => return Err(super::diagnose::silent(&opened.target, &what, limit)),
    };
    let ahead = u32::from(wish.ahead.max(1));
    if let Err(why) = receiver.set_credit(ahead).await {
        return Err(opened.explain(&what, why).await);
    }
    Ok(Attached {
        receiver,
        address: wish.address.clone(),
        dialect: opened.dialect,
        unsettled: BTreeMap::new(),
        tags: 0,
        ahead,
        credit: ahead,
    })
}

/// The link, in the thread.
struct Attached {
    receiver: Receiver,
    address: Address,
    dialect: Dialect,
    unsettled: BTreeMap<u64, DeliveryInfo>,
    /// The last that was given out; the first is 1.
    tags: u64,
    ahead: u32,
    /// How many more messages the server may send.
    credit: u32,
}

impl Attached {
    /// Until nobody wants more.
    async fn run(
        mut self,
        mut commands: Commands,
        deliveries: &Deliveries,
    ) -> std::result::Result<Receiver, End> {
        loop {
            tokio::select! {
                biased;
                asked = commands.recv() => match asked {
                    Some(command) => self.carry_out(command).await?,
                    None => return Ok(self.receiver),
                },
                came = receive(&mut self.receiver, deliveries) => match came {
                    Some((room, came)) => {
                        self.tags += 1;
                        self.credit = self.credit.saturating_sub(1);
                        let (info, message) = incoming(came?, self.tags, self.dialect, &self.address);
                        self.unsettled.insert(self.tags, info);
                        room.send(Ok(Delivery { message, tag: self.tags }));
                    }
                    // Nobody reads any more; what was settled is still to be told.
                    None => match commands.recv().await {
                        Some(command) => self.carry_out(command).await?,
                        None => return Ok(self.receiver),
                    },
                },
            }
        }
    }

    async fn carry_out(&mut self, command: Command) -> std::result::Result<(), End> {
        match command {
            Command::Settle(tags, how) => self.settle(tags, how).await,
            Command::Widen(count) => {
                self.ahead = self.ahead.saturating_add(count.into());
                self.more().await
            }
        }
    }

    async fn settle(&mut self, tags: Vec<u64>, how: Settlement) -> std::result::Result<(), End> {
        let infos = tags.iter().filter_map(|tag| self.unsettled.remove(tag));
        let infos: Vec<DeliveryInfo> = infos.collect();
        let receiver = &self.receiver;
        match how {
            // RabbitMQ's plugin gives back whatever is modified, at once and for ever.
            Settlement::Failed if self.dialect == Dialect::RabbitMq3 => {
                receiver.reject_all(infos, None).await?;
            }
            Settlement::Accepted => receiver.accept_all(infos).await?,
            Settlement::Rejected => receiver.reject_all(infos, None).await?,
            Settlement::Held => {}
            Settlement::Released => receiver.release_all(infos).await?,
            Settlement::Failed => {
                let failed = Modified {
                    delivery_failed: Some(true),
                    undeliverable_here: Some(true),
                    message_annotations: None,
                };
                receiver.modify_all(infos, failed).await?;
            }
        }
        self.more().await
    }

    /// Lets the server send as many as there is room for, when that is worth a word.
    async fn more(&mut self) -> std::result::Result<(), End> {
        let unsettled = u32::try_from(self.unsettled.len()).unwrap_or(u32::MAX);
        let room = self.ahead.saturating_sub(unsettled);
        // RabbitMQ's plugin loses count of what is on its way, and sends too many, unless it has sent all that it may.
        let counts = self.dialect != Dialect::RabbitMq3 || self.credit == 0;
        if counts && room >= self.credit + self.ahead.div_ceil(2) {
            self.receiver.set_credit(room).await?;
            self.credit = room;
        }
        Ok(())
    }
}

type Came = std::result::Result<fe2o3_amqp::Delivery<Body<Value>>, fe2o3_amqp::link::RecvError>;

/// The next message and room for it; `None`: nobody wants it. Cancel-safe.
async fn receive<'a>(
    receiver: &mut Receiver,
    deliveries: &'a Deliveries,
) -> Option<(mpsc::Permit<'a, Result<Delivery>>, Came)> {
    let room = deliveries.reserve().await.ok()?;
    let came = tokio::select! {
        came = receiver.recv::<Body<Value>>() => came,
        () = deliveries.closed() => return None,
    };
    Some((room, came))
}
