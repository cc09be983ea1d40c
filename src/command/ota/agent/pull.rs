//! A device over CoAP: it looks for a manifest from time to time or is told where one is, and fetches the image from where that
//! says.

use std::future::pending;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::{sleep, sleep_until, timeout_at};

use super::core::Core;
use super::listen::{Desk, Listener};
use crate::coap::code::Code;
use crate::coap::endpoint::{Cancel, Event, Failure, Reply, Resume};
use crate::coap::option;
use crate::coap::uri::Uri;
use crate::command::coap::client::{RequestClient, Tracer};
use crate::command::coap::session::{Place, SessionArgs, refused, shown};
use crate::command::ota::direct::unanswered;
use crate::connect::ConnectArgs;
use crate::error::{Error, Kind, Result};
use crate::firmware::Digest;
use crate::firmware::device::{Download, Offer};
use crate::stop::Stop;

/// Until a fetch that failed is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// Until the server is looked for again while a new image is on trial.
const SOON: Duration = Duration::from_secs(1);

/// The most that is fetched of a manifest without an image in it.
const LARGEST_MANIFEST: u64 = 64 << 10;

/// How long so much of a manifest may take; one that comes for ever, in small blocks, is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most that is fetched of one with an image in it: it is in memory until it is verified.
const LARGEST_ENVELOPE: u64 = 16 << 20;

pub(super) async fn run(mut core: Core) -> Result<()> {
    let mut stop = Stop::watch()?;
    let connect = core.plan.session.connect.clone();
    let home = connect.url.is_some() || core.plan.listen.is_none();
    let session = SessionArgs::of(connect);
    let home = home.then(|| session.only_place()).transpose()?;
    let mut listener = core.listen()?;
    let mut puller = Puller::new(core, session, home)?;
    let driven = tokio::select! {
        asked = stop.asked() => Err(asked),
        driven = puller.drive() => Ok(driven),
        never = serve(listener.as_mut()) => never,
    };
    puller.core.remember();
    if let Some(listener) = &mut listener {
        listener.finish();
    }
    match driven {
        Ok(driven) => driven,
        Err(asked) => puller.core.stopped(asked),
    }
}

async fn serve(listener: Option<&mut Listener>) -> ! {
    match listener {
        Some(listener) => listener.serve().await,
        None => pending().await,
    }
}

/// Until somebody says where a manifest is.
async fn triggered(desk: Option<&Desk>) {
    match desk {
        Some(desk) => desk.triggered().await,
        None => pending().await,
    }
}

pub(super) struct Puller {
    pub(super) core: Core,
    session: SessionArgs,
    watch: Tracer,
    /// Where a manifest is looked for from time to time.
    home: Option<Place>,
    /// Of the manifest whose image is fetched; `None` where that came otherwise.
    place: Option<Place>,
    looked_at: Option<Instant>,
    /// The manifest of what runs, which is not fetched again: it may have the image in it.
    installed: Option<(Uri, Bytes)>,
    /// Whether the last fetch came to an end.
    reached: bool,
    /// How many blocks were missing when a fetch failed for the first time, and when.
    lacking: Option<(u32, Instant)>,
}

impl Puller {
    fn new(core: Core, mut session: SessionArgs, home: Option<Place>) -> Result<Self> {
        session.transfer.timeout = Some(core.plan.timeout);
        let watch = Tracer::open(&session, core.console)?;
        Ok(Self {
            core,
            session,
            watch,
            reached: home.is_none(),
            place: home.clone(),
            home,
            looked_at: None,
            installed: None,
            lacking: None,
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
            let desk = self.core.desk.clone();
            let trigger = triggered(desk.as_deref());
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
            } else if self.core.takes_manifests()
                && let Some(url) = desk.as_deref().and_then(Desk::take)
            {
                tokio::select! {
                    biased;
                    () = trigger => {
                        let text = "this manifest is given up, as another one is to be fetched";
                        self.core.console.warn(text);
                    }
                    ended = self.told(&url) => ended?,
                }
            } else if self.core.is_downloading() {
                tokio::select! {
                    biased;
                    () = trigger => {}
                    ended = self.image() => ended?,
                }
            } else if (self.looked_at.is_some() || self.core.device.unwritten().is_some())
                && let Some(ended) = self.core.ending()
            {
                return ended;
            } else if self.core.device.is_idle() {
                tokio::select! {
                    biased;
                    () = trigger => {}
                    ended = self.idle() => ended?,
                }
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
        let Some(place) = self.home.clone() else {
            // There is none; the device can be told of the next update.
            self.reached = true;
            return;
        };
        if self.reached {
            return;
        }
        let soon = Instant::now() + SOON;
        let until = self.core.next_time().unwrap_or(soon);
        let fetched = timeout_at(until.into(), self.is_there(&place)).await;
        self.reached = matches!(fetched, Ok(Ok(true)));
        if !self.reached {
            sleep_until(until.min(soon).into()).await;
        }
    }

    /// Whether a server answers at all, be it with the beginning of something large.
    async fn is_there(&self, place: &Place) -> Result<bool> {
        let mut client =
            RequestClient::open_with(self.session.config(), None, &self.watch, place).await?;
        let request = self.session.request(&client, place, Code::GET)?;
        client.ask(place, self.session.proxy_mode, request)?;
        let is_there = loop {
            match client.next().await {
                Event::Reply { .. } => break true,
                Event::Progress { received, .. } if received > 0 => break true,
                Event::Failed { .. } => break false,
                _ => {}
            }
        };
        client.cancel(Cancel::Forget);
        client.close().await;
        Ok(is_there)
    }

    /// Waits until a manifest is to be looked for, and looks; or until nobody has said where one is for too long.
    async fn idle(&mut self) -> Result<()> {
        let Some(home) = self.home.clone() else {
            match self.core.patience() {
                Some(end) => sleep_until(end.into()).await,
                None => pending().await,
            }
            return self.core.missed().map_or(Ok(()), Err);
        };
        if let Some(looked_at) = self.looked_at {
            match looked_at.checked_add(self.core.plan.poll) {
                Some(at) => sleep_until(at.into()).await,
                None => pending().await,
            }
        }
        self.manifest(&home).await
    }

    /// Somebody has said where a manifest is.
    async fn told(&mut self, url: &str) -> Result<()> {
        match self.session.place_of(url) {
            Ok(place) => {
                let text = format!("told to fetch {}", shown(&place.uri));
                self.core.console.note(text);
                self.manifest(&place).await
            }
            Err(why) => {
                self.core.console.warn(why);
                Ok(())
            }
        }
    }

    async fn manifest(&mut self, place: &Place) -> Result<()> {
        self.looked_at = Some(Instant::now());
        let limit = match self.core.device.config().capacity {
            Some(slot) => slot.saturating_add(LARGEST_MANIFEST).min(LARGEST_ENVELOPE),
            None => LARGEST_ENVELOPE,
        };
        match self.fetch(place, None, limit as usize).await {
            Ok(reply) if reply.response.code == Code::VALID => {}
            Ok(reply) => self.take(place, &reply),
            Err(why) if self.core.plan.once => return Err(why),
            Err(why) => self.core.console.warn(&why),
        }
        match self.core.plan.once && self.core.device.is_idle() && self.core.ending().is_none() {
            true => Err(Error::new(Kind::Refused, "there is no update")),
            false => Ok(()),
        }
    }

    fn take(&mut self, place: &Place, reply: &Reply) {
        self.installed = None;
        match self.core.manifest(&reply.response.payload) {
            Some(Offer::Taken) => (self.place, self.lacking) = (Some(place.clone()), None),
            Some(Offer::Known) if self.core.device.is_idle() => {
                let etag = reply.response.options.first(option::ETAG).cloned();
                self.installed = etag.map(|etag| (place.uri.clone(), etag));
            }
            _ => {}
        }
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
                Ok(()) => {
                    self.lacking = None;
                    return Ok(());
                }
                Err(why) => {
                    self.core.console.warn(&why);
                    last = Some(why);
                }
            }
        }
        let nowhere = || Error::new(Kind::Refused, "the manifest does not say where it is");
        let why = last.unwrap_or_else(nowhere);
        let once = self.core.plan.once;
        // The image may be there where the patch is not.
        if patch.is_some() && (once || why.kind() == Kind::Refused) {
            self.core.device.gave_up(why.text());
        } else if once {
            self.core.device.gave_up(why.text());
            return Err(why);
        } else {
            self.wait_again(&why).await;
        }
        Ok(())
    }

    /// Until the image is fetched again, or is given up: nothing of it has come for too long.
    async fn wait_again(&mut self, why: &Error) {
        let left = self.core.device.download().map_or(0, Download::left);
        let (before, since) = *self.lacking.get_or_insert_with(|| (left, Instant::now()));
        if before != left {
            self.lacking = Some((left, Instant::now()));
        } else if since.elapsed() >= self.core.plan.timeout {
            self.lacking = None;
            return self.core.device.gave_up(why.text());
        }
        sleep(AGAIN.min(self.core.plan.timeout)).await;
    }

    async fn source(&mut self, uri: &str, image: &Digest, size: u64) -> Result<()> {
        let bad = |why: String| Error::new(Kind::Refused, format!("{uri}: {why}"));
        let place = match &self.place {
            Some(own) => {
                let absolute = own.uri.join(uri).map_err(|why| bad(why.to_string()))?;
                self.place_of(own, absolute)?
            }
            None => {
                let place = self.session.place_of(uri);
                place.map_err(|why| bad(why.text().to_owned()))?
            }
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

    /// The same server as that of the manifest, `own`, is connected to in the same way.
    fn place_of(&self, own: &Place, uri: Uri) -> Result<Place> {
        let is_same =
            (uri.scheme, &uri.host, uri.port) == (own.uri.scheme, &own.uri.host, own.uri.port);
        match is_same {
            true => Ok(Place { uri, ..own.clone() }),
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
        if let Some((_, etag)) = self.installed.as_ref().filter(|(uri, _)| *uri == place.uri) {
            request.options.push(option::ETAG, etag.clone());
        }
        let there = self.core.device.download().map_or(0, |it| it.prefix());
        if image.is_some() && there > 0 {
            request.resume = Some(Resume {
                offset: there as usize,
                // The digest in the manifest says in the end whether it was the same.
                etag: None,
            });
        }
        client.ask(place, self.session.proxy_mode, request)?;
        let (began, mut came) = (Instant::now(), 0);
        let reply = loop {
            let until = image.is_none().then(|| began + patience(came));
            match next(&mut client, place, until).await? {
                Event::Reply { reply, .. } => break reply,
                Event::Progress { received, .. } => {
                    came = received as u64;
                    if let (Some(image), Some(arrived)) = (image, client.arrived()) {
                        self.core.feed(image, arrived.offset as u64, arrived.body);
                        self.core.tell();
                    }
                }
                Event::Failed {
                    failure, partial, ..
                } => {
                    self.reached = matches!(failure, Failure::TooLarge { .. });
                    return Err(unanswered(place, &failure, partial.as_ref()));
                }
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

/// How long a manifest may take of which so many bytes have come: one with an image in it is large.
fn patience(came: u64) -> Duration {
    let parts = u32::try_from(1 + came / LARGEST_MANIFEST);
    PATIENCE.saturating_mul(parts.unwrap_or(u32::MAX))
}

/// What comes next, if it comes in time.
async fn next(client: &mut RequestClient, place: &Place, until: Option<Instant>) -> Result<Event> {
    let Some(until) = until else {
        return Ok(client.next().await);
    };
    match timeout_at(until.into(), client.next()).await {
        Ok(event) => Ok(event),
        Err(_) => {
            client.cancel(Cancel::Forget);
            let uri = shown(&place.uri);
            let text = format!("{uri}: the manifest comes too slowly, and is given up");
            Err(Error::new(Kind::TimedOut, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_has_a_minute_and_a_large_one_longer() {
        assert_eq!(patience(0), Duration::from_secs(60));
        // In blocks of 16 bytes, each of which comes just in time for the one before.
        assert_eq!(patience(16 * 60), Duration::from_secs(60));
        assert_eq!(patience(1 << 20), Duration::from_secs(17 * 60));
        assert!(patience(u64::MAX) > Duration::from_secs(60));
    }
}
