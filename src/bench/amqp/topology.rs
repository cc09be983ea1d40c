//! Queues and bindings for the length of a run: made before it, taken away after it.

use bytestring::ByteString;

use super::settings::Settings;
use crate::amqp::topology::{Arguments, Binding, Deletion, Destination, Exchange, Queue};
use crate::amqp::{Channel, Client, Options};
use crate::connect::Target;
use crate::error::{Error, Kind, Result};

/// Bytes; every server takes frames of this size.
const FRAME_MAX: u32 = 8192;

/// What a run needs at the server.
#[derive(Clone, Debug)]
pub(crate) struct Topology {
    /// The queues' names.
    pub queues: Vec<String>,
    /// What they are like.
    pub arguments: Arguments,
    /// The exchange and its type; `None`: the default one, to which nothing is bound.
    pub exchange: Option<(String, String)>,
    /// Each queue's binding key, where there is an exchange.
    pub keys: Vec<String>,
    /// Whether the exchange was not there before, once that is known.
    made_exchange: bool,
}

impl Topology {
    /// What `settings` need, with an exchange of this type where they name one.
    pub(crate) fn new(settings: &Settings, kind: &str, arguments: Arguments) -> Self {
        let exchange = &settings.exchange;
        let key = |queue| match kind {
            "topic" => settings.key.of_group(queue).binding(),
            _ if settings.routed => settings.key.of_group(queue).fill(0, 0),
            _ => String::new(),
        };
        Self {
            queues: settings.queue_names(),
            arguments,
            exchange: (!exchange.is_empty()).then(|| (exchange.clone(), kind.to_owned())),
            keys: (0..settings.queues).map(key).collect(),
            made_exchange: false,
        }
    }

    /// Makes all of it.
    ///
    /// # Errors
    /// Those of a connection; [`Kind::Refused`] for a queue that is there already: it is not ours to fill and delete.
    pub(crate) async fn make(&mut self, mut desk: Desk<'_>) -> Result<()> {
        let made = self.make_at(&mut desk).await;
        desk.client.close().await;
        made
    }

    async fn make_at(&mut self, desk: &mut Desk<'_>) -> Result<()> {
        for name in &self.queues {
            let known = desk.channel().await?.check_queue(name).await;
            if is_there(known.map(|_| ()))? {
                let text = format!("the queue {name:?} already exists");
                let hint =
                    "use --predeclared to use the existing queue, or choose another with --queue";
                return Err(Error::new(Kind::Refused, text).hint(hint));
            }
        }
        if let Some((name, kind)) = &self.exchange
            && !is_there(desk.channel().await?.check_exchange(name).await)?
        {
            let exchange = Exchange::new(name.clone(), kind.clone());
            desk.channel().await?.declare_exchange(&exchange).await?;
            self.made_exchange = true;
        }
        for (number, name) in self.queues.iter().enumerate() {
            if let Err(error) = self.make_queue(desk.channel().await?, number).await {
                self.delete_first(desk, number + 1).await;
                return Err(Error::new(error.kind(), format!("queue {name:?}: {error}")));
            }
        }
        Ok(())
    }

    async fn make_queue(&self, channel: &Channel, number: usize) -> Result<()> {
        let name = ByteString::from(self.queues[number].as_str());
        let queue = Queue {
            durable: true,
            arguments: self.arguments.clone(),
            ..Queue::new(name.clone())
        };
        channel.declare_queue(&queue).await?;
        if let Some((exchange, _)) = &self.exchange {
            let binding = Binding {
                source: exchange.as_str().into(),
                destination: Destination::Queue(name),
                key: self.keys[number].as_str().into(),
                arguments: Arguments::new(),
            };
            channel.bind(&binding).await?;
        }
        Ok(())
    }

    /// Deletes what was declared, and reports what could not be deleted.
    pub(crate) async fn delete(&self, target: &Target, options: &Options) -> Option<String> {
        let mut desk = match Desk::open(target, options).await {
            Ok(desk) => desk,
            Err(error) => {
                return Some(format!(
                    "its queues were not deleted from the server: {error}"
                ));
            }
        };
        let left = self.delete_first(&mut desk, self.queues.len()).await;
        desk.client.close().await;
        left
    }

    async fn delete_first(&self, desk: &mut Desk<'_>, count: usize) -> Option<String> {
        let mut left = None;
        for name in &self.queues[..count] {
            let deletion = Deletion::Queue {
                name: name.as_str().into(),
                if_unused: false,
                if_empty: false,
            };
            left = left.or(desk.delete(&deletion).await.err());
        }
        if let (true, Some((name, _))) = (self.made_exchange, &self.exchange) {
            let deletion = Deletion::Exchange {
                name: name.as_str().into(),
                if_unused: false,
            };
            left = left.or(desk.delete(&deletion).await.err());
        }
        left.map(|error| format!("not everything was deleted from the server: {error}"))
    }
}

/// A connection with one channel, as a server may allow no more; what is refused closes the channel.
pub(crate) struct Desk<'a> {
    target: &'a Target,
    options: Options,
    client: Client,
    channel: Option<Channel>,
}

impl<'a> Desk<'a> {
    /// Connects.
    ///
    /// # Errors
    /// No connection, or no login.
    pub(crate) async fn open(target: &'a Target, options: &Options) -> Result<Self> {
        // Small frames, for memory follows from their size.
        let options = Options {
            frame_max: options.frame_max.min(FRAME_MAX),
            ..options.clone()
        };
        Ok(Self {
            target,
            client: Client::connect(target, &options, |_| {}).await?,
            options,
            channel: None,
        })
    }

    /// The channel, another one if it was closed.
    async fn channel(&mut self) -> Result<&Channel> {
        let used = match self.channel.take().filter(|used| !used.is_closed()) {
            Some(used) => used,
            None => match self.client.channel().await {
                // The number of the one that was closed is not free yet.
                Err(error) if error.kind() == Kind::Refused => {
                    let fresh = Client::connect(self.target, &self.options, |_| {}).await?;
                    std::mem::replace(&mut self.client, fresh).close().await;
                    self.client.channel().await?
                }
                opened => opened?,
            },
        };
        Ok(self.channel.insert(used))
    }

    async fn delete(&mut self, what: &Deletion) -> Result<u32> {
        self.channel().await?.delete(what).await
    }
}

/// Whether a passive declaration has found what it looked for.
fn is_there(found: Result<()>) -> Result<bool> {
    match found {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == Kind::Refused => Ok(false),
        Err(error) => Err(error),
    }
}
