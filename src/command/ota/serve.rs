//! `ota serve`: hands out the images of a directory in blocks, as devices ask for them.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use tokio::time::sleep_until;

use super::agent::{at_least_once, refused, subscribe};
use super::sign::MANIFEST;
use crate::command::mqtt::session::{SessionArgs, Wants, tell};
use crate::connect::Retry;
use crate::error::{Error, Kind, Result, counted};
use crate::file;
use crate::firmware::wire::{Request, Topics};
use crate::firmware::{Digest, digest_of, short};
use crate::mqtt::client::{Client, Connection as _};
use crate::mqtt::packet::{Disconnect, Publish, QoS};
use crate::mqtt::session::client::Event;
use crate::output::{Console, Style};
use crate::stop::Stop;

/// What may wait to be written to the server, in bytes; blocks beyond it stay in the queue.
const UNWRITTEN: usize = 256 << 10;

/// Blocks that may wait; requests beyond them are dropped, and made again by the device.
const LONGEST_QUEUE: usize = 64 << 10;

/// The directory is looked at for an unknown image no more often.
const RESCAN: Duration = Duration::from_secs(1);

/// Blocks that are kept for the next device that asks for them, in bytes with what each takes besides.
const MOST_KEPT: usize = 16 << 20;
const ENTRY: usize = 160;

/// Requests for the same block that come within this time are answered once, with `--carousel`.
const GATHER: Duration = Duration::from_millis(20);

/// `ota serve`
#[derive(Clone, Debug)]
pub struct Plan {
    /// With the server.
    pub session: SessionArgs,
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
    let images = Images::of(&plan.directory)?;
    let mut stop = Stop::watch()?;
    let topics = Topics::new(&plan.prefix);
    let target = plan.session.target()?;
    let name = target.to_string();
    let wants = Wants {
        later: Retry::Forever,
        version_5_only: false,
        topic_aliases: 0,
    };
    let mut client = plan.session.client(target, &wants, console).await?;
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
    let ended = server.drive(&name, &mut stop).await;
    console.note(format_args!("{} sent", counted(server.sent, "block")));
    let closed = stop.close(server.client.close(Disconnect::default())).await;
    ended.and_then(|()| closed.map_err(|asked| Error::new(asked.kind(), "interrupted")))
}

/// A block of an image: image, bytes of a block, number.
type Block = (Digest, u32, u32);

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
                        let count = counted(self.images.known.len() as u64, "image");
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
        if !self.images.has(&image) {
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
            let payload = match self.images.block(&image, size, number) {
                Ok(Some(payload)) => payload,
                Ok(None) => continue,
                Err(cause) => {
                    self.console
                        .warn(format_args!("image {}: {cause}", short(&image)));
                    self.images.forget(&image);
                    continue;
                }
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

/// A file as it was when its digest was computed.
struct Image {
    path: PathBuf,
    file: File,
    size: u64,
    changed: SystemTime,
}

/// The files of a directory by their digests.
struct Images {
    directory: PathBuf,
    known: HashMap<Digest, Image>,
    looked_at: Instant,
    kept: Kept,
}

/// The blocks that were read last.
#[derive(Default)]
struct Kept {
    blocks: HashMap<Block, Bytes>,
    /// The oldest first.
    order: VecDeque<Block>,
    bytes: usize,
}

impl Kept {
    fn keep(&mut self, block: Block, bytes: Bytes) {
        self.bytes += bytes.len() + ENTRY;
        self.blocks.insert(block, bytes);
        self.order.push_back(block);
        while self.bytes > MOST_KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            let gone = self.blocks.remove(&oldest).unwrap_or_default();
            self.bytes -= gone.len() + ENTRY;
        }
    }
}

impl Images {
    fn of(directory: &Path) -> Result<Self> {
        let mut images = Self {
            directory: directory.to_owned(),
            known: HashMap::new(),
            looked_at: Instant::now(),
            kept: Kept::default(),
        };
        images.look()?;
        Ok(images)
    }

    fn look(&mut self) -> Result<()> {
        let failed = |cause| file::unreadable(self.directory.display(), &cause);
        let mut known = HashMap::new();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|end| end == MANIFEST) || !path.is_file() {
                continue;
            }
            let failed = |cause| file::unreadable(path.display(), &cause);
            let file = File::open(&path).map_err(failed)?;
            let (size, changed) = file.metadata().and_then(|it| stamp(&it)).map_err(failed)?;
            let same = |it: &Image| it.path == path && it.size == size && it.changed == changed;
            let before = self
                .known
                .iter()
                .find(|(_, it)| same(it))
                .map(|(digest, _)| *digest);
            let digest = match before {
                Some(digest) => digest,
                None => digest_of(&file).map_err(failed)?,
            };
            known.insert(
                digest,
                Image {
                    path,
                    file,
                    size,
                    changed,
                },
            );
        }
        self.known = known;
        self.looked_at = Instant::now();
        Ok(())
    }

    /// Whether the image is there; files that were added since are seen.
    fn has(&mut self, image: &Digest) -> bool {
        if !self.known.contains_key(image) && self.looked_at.elapsed() >= RESCAN {
            // A directory that is gone for a moment is looked at again.
            let _ = self.look();
        }
        self.known.contains_key(image)
    }

    /// A block, which is read once for many devices; `None` where the image has no such block.
    fn block(&mut self, digest: &Digest, size: u32, number: u32) -> io::Result<Option<Bytes>> {
        let Some(image) = self.known.get(digest) else {
            return Ok(None);
        };
        let at = u64::from(size) * u64::from(number);
        let length = image.size.saturating_sub(at).min(size.into());
        if length == 0 {
            return Ok(None);
        }
        if stamp(&image.file.metadata()?)? != (image.size, image.changed) {
            let text = format!("{} was changed", image.path.display());
            return Err(io::Error::other(text));
        }
        let name = (*digest, size, number);
        if let Some(kept) = self.kept.blocks.get(&name) {
            return Ok(Some(kept.clone()));
        }
        let mut block = vec![0; length as usize];
        image.file.read_exact_at(&mut block, at)?;
        let block = Bytes::from(block);
        self.kept.keep(name, block.clone());
        Ok(Some(block))
    }

    fn forget(&mut self, image: &Digest) {
        self.known.remove(image);
    }
}

fn stamp(about: &Metadata) -> io::Result<(u64, SystemTime)> {
    Ok((about.len(), about.modified()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_kept_within_bounds_the_newest_longest() {
        let mut kept = Kept::default();
        let block = Bytes::from(vec![1; 64 << 10]);
        for number in 0..1000 {
            kept.keep(([0; 32], 64 << 10, number), block.clone());
            assert!(kept.bytes <= MOST_KEPT);
            assert!(kept.blocks.contains_key(&([0; 32], 64 << 10, number)));
        }
        let each = (64 << 10) + ENTRY;
        assert_eq!(kept.blocks.len(), MOST_KEPT / each);
        assert_eq!(kept.order.len(), kept.blocks.len());
        assert_eq!(kept.bytes, kept.blocks.len() * each);
    }
}
