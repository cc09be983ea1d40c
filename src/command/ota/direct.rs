//! Devices that are reached themselves, over CoAP: they are told to fetch an update, and asked for their reports.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream::{self, FuturesUnordered, StreamExt};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::coap::code::Code;
use crate::coap::endpoint::{Event, Failure, Partial, Reply, Request};
use crate::command::coap::client::{RequestClient, Tracer};
use crate::command::coap::session::{Place, SessionArgs, failed, is_absence, refused, shown};
use crate::connect::{Backoff, ConnectArgs, Retry};
use crate::error::{Error, Kind, Result};
use crate::output::Console;

/// Where a device is told the URL of a manifest, as RIOT has it.
pub(super) const TRIGGER: &str = "/suit/trigger";

/// Where an agent of ours reports.
pub(super) const STATUS: &str = "/suit/status";

/// Devices that are asked at the same time; a device that does not answer takes a minute and a half.
const AT_ONCE: usize = 256;

/// More devices than a command line has.
const MOST_DEVICES: usize = 10_000;

/// The longest report that is read.
const LONGEST_REPORT: usize = 64 << 10;

/// The longest manifest that is read, with an image in it.
const LONGEST_MANIFEST: usize = 16 << 20;

/// What is at the URL of a manifest.
///
/// # Errors
/// It cannot be fetched.
pub(super) async fn fetch(connect: &ConnectArgs, url: &str, console: Console) -> Result<Bytes> {
    let mut server = Devices::at(connect, &[url.to_owned()], "", None, console)?;
    server.session.transfer.body_limit = Some(LONGEST_MANIFEST);
    let reply = server
        .ask(&server.places[0], Code::GET, &Bytes::new())
        .await?;
    Ok(reply.response.payload)
}

/// Why a request without answer comes to nothing: what is taken at most is no flag here.
pub(super) fn unanswered(place: &Place, failure: &Failure, partial: Option<&Partial>) -> Error {
    match failure {
        Failure::TooLarge { limit } => {
            let uri = shown(&place.uri);
            let text = format!("{uri}: it has more than {limit} bytes, the most that is taken");
            Error::new(Kind::Refused, text)
        }
        _ => failed(place, failure, partial),
    }
}

/// Some devices.
pub(super) struct Devices {
    session: SessionArgs,
    watch: Tracer,
    console: Console,
    places: Vec<Place>,
}

impl Devices {
    /// Those at `uris`; where one has no path, it is `path`.
    ///
    /// # Errors
    /// [`Kind::Usage`]: one is no URI of CoAP.
    pub(super) fn at(
        connect: &ConnectArgs,
        uris: &[String],
        path: &str,
        timeout: Option<Duration>,
        console: Console,
    ) -> Result<Self> {
        if uris.len() > MOST_DEVICES {
            let text = format!("more than {MOST_DEVICES} devices");
            return Err(Error::usage(text));
        }
        let mut session = SessionArgs::of(connect.clone());
        session.transfer.timeout = timeout;
        session.transfer.body_limit = Some(LONGEST_REPORT);
        let place = |uri: &String| {
            let mut place = session.place_of(uri)?;
            if place.uri.path.is_empty() {
                place.uri.path = path.split('/').skip(1).map(str::to_owned).collect();
            }
            Ok(place)
        };
        let places = uris.iter().map(place).collect::<Result<_>>()?;
        Ok(Self {
            watch: Tracer::open(&session, console)?,
            session,
            console,
            places,
        })
    }

    /// Tells all of them where an update is.
    ///
    /// # Errors
    /// One of them did not take it; all were told.
    pub(super) async fn trigger(&self, url: &str) -> Result<()> {
        let url = Bytes::copy_from_slice(url.as_bytes());
        self.ask_all(Code::POST, &url, "did not take it", |place, reply| {
            let code = reply.response.code;
            let text = format!("{}: {code:?}", shown(&place.uri));
            self.console.note(text);
        })
        .await
    }

    /// Reads the report of each.
    ///
    /// # Errors
    /// One of them has none; all were asked.
    pub(super) async fn read(&self, mut told: impl FnMut(&str, &Bytes)) -> Result<()> {
        self.ask_all(
            Code::GET,
            &Bytes::new(),
            "gave no report",
            |place, reply| {
                told(&place.target.to_string(), &reply.response.payload);
            },
        )
        .await
    }

    /// Reads the report of each that is there; they are told apart by their places in the list.
    ///
    /// # Errors
    /// One of them is there, and has none.
    pub(super) async fn read_those_there(&self, mut told: impl FnMut(usize, &Bytes)) -> Result<()> {
        let nothing = Bytes::new();
        let ask = |(at, place)| {
            let asked = self.ask(place, Code::GET, &nothing);
            async move { (at, asked.await) }
        };
        let mut asked = stream::iter(self.places.iter().enumerate())
            .map(ask)
            .buffer_unordered(AT_ONCE);
        while let Some((at, reply)) = asked.next().await {
            match reply {
                Ok(reply) => told(at, &reply.response.payload),
                Err(why) if is_absence(&why) => self.console.warn(&why),
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }

    /// Tells one of them where an update is, as soon as it is there.
    ///
    /// # Errors
    /// It does not take it.
    pub(super) async fn trigger_when_there(&self, at: usize, url: &Bytes) -> Result<()> {
        let place = &self.places[at];
        let mut backoff = Backoff::new(Retry::Forever);
        loop {
            let Err(why) = self.ask(place, Code::POST, url).await else {
                return Ok(());
            };
            self.wait_for(place, why, &mut backoff).await?;
        }
    }

    /// Observes the report of one of them, which is called `name`, until that is of no use.
    pub(super) async fn follow_as(
        &self,
        at: usize,
        name: &str,
        told: &mpsc::Sender<(String, Bytes)>,
    ) -> Error {
        self.follow_one(&self.places[at], name, told).await
    }

    /// Observes the report of each until `told` has heard enough.
    ///
    /// # Errors
    /// One of them is there, and cannot be observed.
    pub(super) async fn follow(&self, mut told: impl FnMut(&str, &Bytes) -> bool) -> Result<()> {
        let (sender, mut receiver) = mpsc::channel(1);
        let follow = self.places.iter().map(|place| {
            let (name, sender) = (place.target.to_string(), sender.clone());
            async move { self.follow_one(place, &name, &sender).await }
        });
        let mut following: FuturesUnordered<_> = follow.collect();
        loop {
            tokio::select! {
                Some((place, report)) = receiver.recv() => if told(&place, &report) {
                    return Ok(());
                },
                Some(why) = following.next() => return Err(why),
            }
        }
    }

    async fn ask_all(
        &self,
        method: Code,
        body: &Bytes,
        otherwise: &str,
        mut answered: impl FnMut(&Place, &Reply),
    ) -> Result<()> {
        let ask = |place| async move { (place, self.ask(place, method, body).await) };
        let mut asked = stream::iter(&self.places)
            .map(ask)
            .buffer_unordered(AT_ONCE);
        let mut failures = Vec::new();
        while let Some((place, reply)) = asked.next().await {
            match reply {
                Ok(reply) => answered(place, &reply),
                Err(why) => failures.push(why),
            }
        }
        let count = failures.len();
        match failures.pop() {
            None => Ok(()),
            Some(only) if self.places.len() == 1 => Err(only),
            Some(last) => {
                for why in failures.iter().chain([&last]) {
                    self.console.warn(why);
                }
                let text = format!("{count} of {} devices {otherwise}", self.places.len());
                Err(Error::new(last.kind(), text))
            }
        }
    }

    async fn ask(&self, place: &Place, method: Code, body: &Bytes) -> Result<Reply> {
        let (mut client, mut request) = self.begin(place, method).await?;
        request.payload = body.clone();
        client.ask(place, self.session.proxy_mode, request)?;
        let reply = loop {
            match client.next().await {
                Event::Reply { reply, .. } => break reply,
                Event::Failed {
                    failure, partial, ..
                } => return Err(unanswered(place, &failure, partial.as_ref())),
                _ => {}
            }
        };
        client.close().await;
        match reply.response.code.is_success() {
            true => Ok(reply),
            false => Err(refused(&place.uri, &reply)),
        }
    }

    async fn begin(&self, place: &Place, method: Code) -> Result<(RequestClient, Request)> {
        let client = RequestClient::open(&self.session, &self.watch, place).await?;
        if client.is_group() {
            return Err(Error::usage("a multicast group is not a device"));
        }
        let request = self.session.request(&client, place, method)?;
        Ok((client, request))
    }

    /// Follows a device, away or not, until that is of no use.
    async fn follow_one(
        &self,
        place: &Place,
        name: &str,
        told: &mpsc::Sender<(String, Bytes)>,
    ) -> Error {
        let mut backoff = Backoff::new(Retry::Forever);
        loop {
            let why = match self.observe(place, name, told, &mut backoff).await {
                Ok(never) => match never {},
                Err(why) => why,
            };
            if let Err(why) = self.wait_for(place, why, &mut backoff).await {
                return why;
            }
        }
    }

    /// Waits until a device that is away is looked for again.
    ///
    /// # Errors
    /// It is there, or is not looked for any more.
    async fn wait_for(&self, place: &Place, why: Error, backoff: &mut Backoff) -> Result<()> {
        let now = Instant::now();
        let Some(wait) = backoff.next(now).filter(|_| is_absence(&why)) else {
            return Err(why);
        };
        if backoff.tells(why.text(), now) {
            self.console.warn(&why);
        }
        place.target.move_on();
        sleep(wait).await;
        Ok(())
    }

    async fn observe(
        &self,
        place: &Place,
        name: &str,
        told: &mpsc::Sender<(String, Bytes)>,
        backoff: &mut Backoff,
    ) -> Result<std::convert::Infallible> {
        let (mut client, mut request) = self.begin(place, Code::GET).await?;
        (request.observe, request.reregister) = (true, true);
        client.ask(place, self.session.proxy_mode, request)?;
        loop {
            let (reply, observed) = match client.next().await {
                Event::Notification { reply, .. } => (reply, true),
                Event::Reply { reply, .. } => (reply, false),
                Event::Failed {
                    failure, partial, ..
                } => return Err(unanswered(place, &failure, partial.as_ref())),
                _ => continue,
            };
            if !reply.response.code.is_success() {
                return Err(refused(&place.uri, &reply));
            }
            backoff.connected(Instant::now());
            let report = (name.to_owned(), reply.response.payload);
            let _ = told.send(report).await;
            if !observed {
                let text = format!("{}: the report cannot be observed", shown(&place.uri));
                return Err(Error::new(Kind::Refused, text));
            }
        }
    }
}
