//! A device over CoAP: it looks for a manifest from time to time, and fetches the image from where that says.

use std::time::{Duration, Instant};

use tokio::time::{sleep, sleep_until};

use super::core::Core;
use crate::coap::code::Code;
use crate::coap::endpoint::{Event, Reply, Resume};
use crate::coap::uri::Uri;
use crate::command::coap::client::{RequestClient, Tracer};
use crate::command::coap::session::{Place, SessionArgs, failed, refused};
use crate::connect::ConnectArgs;
use crate::error::{Error, Kind, Result};
use crate::firmware::Digest;
use crate::stop::Stop;

/// Until a fetch that failed is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// Until the server is looked for again while a new image is on trial.
const SOON: Duration = Duration::from_secs(1);

/// The most that is fetched of a manifest, with a small image in it.
const LARGEST_MANIFEST: usize = 64 << 10;

pub(super) async fn run(core: Core) -> Result<()> {
    let mut stop = Stop::watch()?;
    let session = SessionArgs::of(core.plan.session.connect.clone());
    let place = session.only_place()?;
    let mut puller = Puller::new(core, session, Some(place))?;
    let driven = tokio::select! {
        asked = stop.asked() => Err(asked),
        driven = puller.drive() => Ok(driven),
    };
    puller.core.remember();
    match driven {
        Ok(driven) => driven,
        Err(asked) => puller.core.stopped(asked),
    }
}

pub(super) struct Puller {
    pub(super) core: Core,
    session: SessionArgs,
    watch: Tracer,
    /// Of the manifest; `None` where that comes otherwise.
    place: Option<Place>,
    looked_at: Option<Instant>,
    /// Whether the last fetch came to an end.
    reached: bool,
}

impl Puller {
    fn new(core: Core, session: SessionArgs, place: Option<Place>) -> Result<Self> {
        let watch = Tracer::open(&session, core.console)?;
        Ok(Self {
            core,
            session,
            watch,
            place,
            looked_at: None,
            reached: false,
        })
    }

    /// For images whose manifests do not come over CoAP: their URIs are absolute.
    pub(super) fn anywhere(core: Core) -> Result<Self> {
        let session = SessionArgs::of(ConnectArgs::default());
        Self::new(core, session, None)
    }

    async fn drive(&mut self) -> Result<()> {
        loop {
            self.core.steps(self.reached);
            self.core.tell();
            if self.core.waits_for_server() {
                self.look_for_server().await;
                if self.reached {
                    self.core.server_reached();
                    if self.finish_step().await {
                        return Ok(());
                    }
                }
            } else if self.core.is_busy() {
                if self.finish_step().await {
                    return Ok(());
                }
            } else if self.core.is_downloading() {
                self.image().await?;
            } else if self.looked_at.is_some()
                && let Some(ended) = self.core.ending()
            {
                return ended;
            } else if self.core.device.is_idle() {
                self.idle().await?;
            } else {
                // A step that failed is taken again when its time has come.
                let at = self.core.next_time().unwrap_or_else(Instant::now);
                sleep_until(at.into()).await;
            }
        }
    }

    /// Whether the device starts again.
    async fn finish_step(&mut self) -> bool {
        let until = self.core.next_time();
        let late = until.unwrap_or_else(Instant::now);
        tokio::select! {
            outcome = self.core.outcome() => self.core.ended(outcome),
            () = sleep_until(late.into()), if until.is_some() => false,
        }
    }

    /// Whether it was reached is known then, or some time has passed.
    async fn look_for_server(&mut self) {
        if self.reached {
            return;
        }
        let soon = Instant::now() + SOON;
        let until = self.core.next_time().unwrap_or(soon);
        let fetched = tokio::time::timeout_at(until.into(), self.fetch_manifest()).await;
        if !matches!(fetched, Ok(Ok(_))) {
            sleep_until(until.min(soon).into()).await;
        }
    }

    /// Waits until a manifest is to be looked for, and looks.
    async fn idle(&mut self) -> Result<()> {
        if let Some(looked_at) = self.looked_at {
            sleep_until((looked_at + self.core.plan.poll).into()).await;
        }
        self.looked_at = Some(Instant::now());
        match self.fetch_manifest().await {
            Ok(reply) => self.core.manifest(&reply.response.payload),
            Err(why) if self.core.plan.once => return Err(why),
            Err(why) => self.core.console.warn(&why),
        }
        match self.core.plan.once && self.core.device.is_idle() && self.core.ending().is_none() {
            true => Err(Error::new(Kind::Refused, "there is no update")),
            false => Ok(()),
        }
    }

    async fn fetch_manifest(&mut self) -> Result<Reply> {
        let place = self.place.clone();
        let place = place.ok_or_else(|| Error::usage("there is no URL of a manifest"))?;
        self.fetch(&place, None, LARGEST_MANIFEST).await
    }

    /// Fetches what is missing of the image, from the first source that has it.
    pub(super) async fn image(&mut self) -> Result<()> {
        let Some(update) = self.core.device.update().cloned() else {
            return Ok(());
        };
        let mut last = None;
        let patch = self.core.device.patch().cloned();
        let (digest, size) = match &patch {
            Some(patch) => (patch.digest, patch.size),
            None => (update.digest, update.size),
        };
        for source in update.sources.iter().filter(|it| it.patch == patch) {
            match self.source(&source.uri, &digest, size).await {
                Ok(()) => return Ok(()),
                Err(why) => {
                    self.core.console.warn(&why);
                    last = Some(why);
                }
            }
        }
        match last {
            // The image may be there where the patch is not.
            Some(why)
                if patch.is_some() && (self.core.plan.once || why.kind() == Kind::Refused) =>
            {
                self.core.device.gave_up(why.text());
                Ok(())
            }
            Some(why) if self.core.plan.once => {
                self.core.device.gave_up(why.text());
                Err(why)
            }
            _ => {
                sleep(AGAIN).await;
                Ok(())
            }
        }
    }

    async fn source(&mut self, uri: &str, image: &Digest, size: u64) -> Result<()> {
        let bad = |why: String| Error::new(Kind::Refused, format!("{uri}: {why}"));
        let place = match &self.place {
            Some(own) => {
                let absolute = own.uri.join(uri).map_err(|why| bad(why.to_string()))?;
                self.place_of(own, &absolute)?
            }
            None => self
                .session
                .place_of(uri)
                .map_err(|why| bad(why.text().to_owned()))?,
        };
        let limit = usize::try_from(size).unwrap_or(usize::MAX);
        let reply = self.fetch(&place, Some(image), limit).await?;
        let (offset, body) = (reply.offset as u64, &reply.response.payload);
        self.core.feed(image, offset, body);
        match self.core.device.download() {
            Some(download) if download.left() > 0 => {
                let given = offset + body.len() as u64;
                Err(bad(format!(
                    "it has {given} bytes, the manifest says {size}"
                )))
            }
            _ => Ok(()),
        }
    }

    /// The same server as that of the manifest is connected to in the same way.
    fn place_of(&self, place: &Place, uri: &Uri) -> Result<Place> {
        let own = &place.uri;
        match (uri.scheme, &uri.host, uri.port) == (own.scheme, &own.host, own.port) {
            true => Ok(Place {
                uri: uri.clone(),
                ..place.clone()
            }),
            false => self.session.place_of(&uri.to_string()),
        }
    }

    /// One request; what comes of an image is written while it comes.
    async fn fetch(
        &mut self,
        place: &Place,
        image: Option<&Digest>,
        limit: usize,
    ) -> Result<Reply> {
        let mut config = self.session.config();
        config.body_limit = limit.max(1);
        self.reached = false;
        let mut client = RequestClient::open_with(config, None, &self.watch, place).await?;
        let mut request = self.session.request(&client, place, Code::GET)?;
        let there = self.core.device.download().map_or(0, |it| it.prefix());
        if image.is_some() && there > 0 {
            request.resume = Some(Resume {
                offset: there as usize,
                // The digest in the manifest says in the end whether it was the same.
                etag: None,
            });
        }
        client.ask(place, self.session.proxy_mode, request)?;
        let reply = loop {
            match client.next().await {
                Event::Reply { reply, .. } => break reply,
                Event::Progress { .. } => {
                    if let (Some(image), Some(arrived)) = (image, client.arrived()) {
                        self.core.feed(image, arrived.offset as u64, arrived.body);
                        self.core.tell();
                    }
                }
                Event::Failed {
                    failure, partial, ..
                } => return Err(failed(place, &failure, partial.as_ref())),
                _ => {}
            }
        };
        client.close().await;
        self.reached = true;
        match reply.response.code.is_success() {
            true => Ok(reply),
            false => Err(refused(&place.uri, &reply)),
        }
    }
}
