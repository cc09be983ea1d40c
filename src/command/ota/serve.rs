//! `ota serve`: hands out the images of a directory: in blocks, as devices ask for them over MQTT, and as files over CoAP.

mod files;
mod images;

use std::collections::{BTreeSet, VecDeque};
use std::future::pending;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use self::files::Files;
use self::images::{Block, Images};
use super::agent::{at_least_once, refused, subscribe};
use crate::command::mqtt::session::{SessionArgs, Wants, tell};
use crate::connect::Retry;
use crate::error::{Error, Kind, Result, counted};
use crate::firmware::wire::{Request, Topics};
use crate::firmware::{Digest, short};
use crate::mqtt::client::{Client, Connection as _};
use crate::mqtt::packet::{Disconnect, Publish, QoS};
use crate::mqtt::session::client::Event;
use crate::output::{Console, Style};
use crate::stop::Stop;

/// What may wait to be written to the server, in bytes; blocks beyond it stay in the queue.
const UNWRITTEN: usize = 256 << 10;

/// Blocks that may wait; requests beyond them are dropped, and made again by the device.
const LONGEST_QUEUE: usize = 64 << 10;

/// Requests for the same block that come within this time are answered once, with `--carousel`.
const GATHER: Duration = Duration::from_millis(20);

/// `ota serve`
#[derive(Clone, Debug)]
pub struct Plan {
    /// With the server; `None`: nothing goes over MQTT.
    pub session: Option<SessionArgs>,
    /// Where the files are served over CoAP.
    pub coap: Option<SocketAddr>,
    /// Below which topics.
    pub prefix: String,
    /// Of images and manifests.
    pub directory: PathBuf,
    /// Each block goes to all who miss it.
    pub carousel: bool,
    /// Of what it says.
    pub style: Style,
}

/// Serves until a signal.
pub(super) async fn run(plan: Plan) -> Result<()> {
    let console = Console::new(plan.style);
    let files = plan.coap.map(|at| Files::open(&plan.directory, at));
    let mut files = files.transpose()?;
    let mut stop = Stop::watch()?;
    if let Some(files) = &files {
        let (shown, address) = (plan.directory.display(), files.address);
        console.note(format_args!("serving {shown} on coap://{address}"));
    }
    let serving = async {
        match &plan.session {
            Some(session) => over_mqtt(&plan, session, &mut stop, console).await,
            None => {
                stop.asked().await;
                Ok(())
            }
        }
    };
    tokio::select! {
        biased;
        ended = serving => ended,
        never = serve(files.as_mut()) => never,
    }
}

async fn serve(files: Option<&mut Files>) -> ! {
    match files {
        Some(files) => files.serve().await,
        None => pending().await,
    }
}

async fn over_mqtt(
    plan: &Plan,
    session: &SessionArgs,
    stop: &mut Stop,
    console: Console,
) -> Result<()> {
    let mut images = Images::of(&plan.directory)?;
    warn_of(&mut images, console);
    let topics = Topics::new(&plan.prefix);
    let target = session.target()?;
    let name = target.to_string();
    let wants = Wants {
        later: Retry::Forever,
        version_5_only: false,
        topic_aliases: 0,
    };
    let mut client = session.client(target, &wants, console).await?;
    subscribe(&mut client, &[at_least_once(topics.requests(None))])?;
    let mut server = Server {
        topics,
        client,
        console,
        images,
        carousel: plan.carousel,
        queue: VecDeque::new(),
        gathered: BTreeSet::new(),
        flush_at: None,
        unknown: None,
        sent: 0,
    };
    let ended = server.drive(&name, stop).await;
    console.note(format_args!("{} sent", counted(server.sent, "block")));
    let closed = stop.close(server.client.close(Disconnect::default())).await;
    ended.and_then(|()| closed.map_err(|asked| Error::new(asked.kind(), "interrupted")))
}

/// Files that cannot be served are left out, and said.
fn warn_of(images: &mut Images, console: Console) {
    for why in images.news() {
        console.warn(why);
    }
}

struct Server {
    topics: Topics,
    client: Client,
    console: Console,
    images: Images,
    carousel: bool,
    /// What is to be sent, and to whom; nobody in particular with `--carousel`.
    queue: VecDeque<(Option<String>, Block)>,
    /// What is sent together when its time has come.
    gathered: BTreeSet<Block>,
    flush_at: Option<Instant>,
    /// The image that was asked for last and is not there.
    unknown: Option<Digest>,
    sent: u64,
}

impl Server {
    async fn drive(&mut self, name: &str, stop: &mut Stop) -> Result<()> {
        let mut ready = false;
        loop {
            self.send()?;
            let flush_at = self.flush_at;
            let late = flush_at.unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                _ = stop.asked() => return Ok(()),
                driven = self.client.drive() => {
                    let subscribed = self.events()?;
                    driven?;
                    if subscribed && !std::mem::replace(&mut ready, true) {
                        let count = counted(self.images.count() as u64, "image");
                        self.console.note(format_args!("serving {count} over {name}"));
                    }
                }
                () = sleep_until(late.into()), if flush_at.is_some() => {
                    self.flush_at = None;
                    let all = std::mem::take(&mut self.gathered);
                    self.queue.extend(all.into_iter().map(|block| (None, block)));
                }
            }
        }
    }

    /// Whether the server has answered the subscription.
    fn events(&mut self) -> Result<bool> {
        let mut subscribed = false;
        while let Some(notice) = self.client.poll_notice() {
            tell(notice, self.client.target(), self.console);
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Message(publish) => self.request(&publish),
                Event::Subscribed(answers, _) => {
                    refused(&answers)?;
                    subscribed = true;
                }
                _ => {}
            }
        }
        self.client.session().accept();
        Ok(subscribed)
    }

    fn request(&mut self, publish: &Publish) {
        let Some(image) = self.topics.requested(&publish.topic) else {
            return;
        };
        let request = match Request::decode(&publish.payload) {
            Ok(request) => request,
            Err(why) => return self.console.warn(&why),
        };
        let is_there = self.images.has(&image);
        warn_of(&mut self.images, self.console);
        if !is_there {
            if self.unknown.replace(image) != Some(image) {
                let (device, image) = (&request.device, short(&image));
                self.console.warn(format_args!(
                    "{device} asks for the image {image}, which is not here"
                ));
            }
            return;
        }
        let blocks = request
            .ask
            .numbers()
            .map(|number| (image, request.block, number));
        if self.carousel {
            self.gathered.extend(blocks);
            self.flush_at.get_or_insert_with(|| Instant::now() + GATHER);
        } else if self.queue.len() < LONGEST_QUEUE {
            let device = Some(request.device.clone());
            self.queue
                .extend(blocks.map(|block| (device.clone(), block)));
        }
    }

    /// Sends as much as the connection takes.
    fn send(&mut self) -> Result<()> {
        if !self.client.is_online() {
            // Who asked asks again.
            self.queue.clear();
            return Ok(());
        }
        while self.client.unwritten() < UNWRITTEN
            && let Some((device, (image, size, number))) = self.queue.pop_front()
        {
            let Some(payload) = self.images.block(&image, size, number) else {
                warn_of(&mut self.images, self.console);
                continue;
            };
            let topic = match &device {
                Some(device) => self.topics.block(device, &image, Some(number)),
                None => self.topics.shared_block(&image, Some(number)),
            };
            let mut publish = Publish {
                topic: topic.into(),
                payload,
                qos: QoS::AtMostOnce,
                ..Publish::default()
            };
            let published = self.client.publish(&mut publish, 0);
            published.map_err(|why| Error::new(Kind::Refused, why.to_string()))?;
            self.sent += 1;
        }
        Ok(())
    }
}
