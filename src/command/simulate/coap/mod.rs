//! Devices that speak CoAP: one server shows what all of them measure, as resources that can be observed, and takes commands by
//! PUT.

mod registered;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::sleep;

use self::registered::Registered;
use super::looking::Lookers;
use super::{Plan, ends};
use crate::coap::code::Code;
use crate::coap::endpoint::{Incoming, Response};
use crate::coap::net::Server;
use crate::coap::site::{Answer, Change, Resource, Site};
use crate::coap::uri::local_text;
use crate::device::file;
use crate::device::fleet::{Effect, Fate, Fleet, Outgoing};
use crate::device::model::Model;
use crate::error::{Error, Result};
use crate::output::{Console, print};
use crate::pace::clock::{Clock, Nanos};
use crate::payload::link::Link;

/// Where the resource is that lets time pass; nobody sees it.
const HEART: &str = "/.fleet";

/// How often values change without an end in time.
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

/// How often it is shown how things stand.
const PERIOD: Duration = Duration::from_millis(250);

/// How many things of the fleet happen before requests are looked at again.
const MOST_STEPS: usize = 1000;

fn check_url(url: Option<&str>) -> Result<()> {
    match url {
        None => Ok(()),
        Some(url) => Err(Error::usage(format!(
            "the devices are CoAP servers, and connect to none: {url}"
        ))
        .hint("--listen says where they are reached, --rd where they are registered")),
    }
}

/// Runs the fleet until its time is over or a signal comes.
pub(super) async fn run(model: Model, plan: &Plan, console: Console) -> Result<()> {
    check_url(plan.connect.url.as_deref())?;
    let clock = model.start.unwrap_or_else(|| Clock::start().now());
    let summary = model.summary();
    let mut lookers = Lookers::begin(plan, console).await?;
    let mut stop = plan.stop()?;
    let (shared, site) = shown(Fleet::new(model, clock).at_speed(plan.speed));
    let mut server = Server::new(site, &[]);
    let address = server.listen_datagrams(plan.listen)?;
    print(format!("coap://{address}\n").as_bytes())?;
    console.note(format_args!("{summary}; the totals follow at the end"));
    let registering = Registered::make(&shared, plan, format!("coap://{address}"), console);
    let registered = stop.unless_asked("interrupted", async {
        tokio::select! {
            () = server.serve(|_| {}) => Ok(None),
            registered = registering => registered,
        }
    });
    let mut registered = registered.await?;
    let asked = {
        let serving = server.serve(|_| {});
        tokio::pin!(serving);
        let keeping = keep(registered.as_mut());
        tokio::pin!(keeping);
        let end = sleep(plan.duration.unwrap_or(FOREVER));
        tokio::pin!(end);
        loop {
            lookers.look(&lock(&shared).fleet)?;
            tokio::select! {
                () = &mut serving => break None,
                asked = stop.asked() => break Some(asked),
                () = &mut end => break None,
                () = &mut keeping => {}
                () = sleep(PERIOD) => {}
            }
        }
    };
    let seconds = {
        let mut shared = lock(&shared);
        let now = shared.now(Instant::now());
        shared.fleet.finish(now);
        shared.effects(now);
        lookers.judge(&shared.fleet);
        shared.began.elapsed().as_secs_f64()
    };
    if let Some(registered) = &registered {
        // The directory forgets in time what it is not told.
        let _ = stop.close(registered.remove()).await;
    }
    ends::report(
        &lock(&shared).fleet.account,
        file::Protocol::Coap,
        seconds,
        plan,
    )?;
    match asked {
        Some(asked) => Err(Error::new(asked.kind(), "interrupted")),
        None => Ok(()),
    }
}

/// Renews what is registered; for ever.
async fn keep(registered: Option<&mut Registered>) {
    match registered {
        Some(registered) => registered.keep().await,
        None => std::future::pending().await,
    }
}

/// The fleet, and what its resources show.
struct Shared {
    fleet: Fleet,
    shown: Vec<Shown>,
    paths: HashMap<String, usize>,
    began: Instant,
}

/// What a resource shows.
struct Shown {
    device: usize,
    body: Option<Bytes>,
    /// The observers do not know it yet.
    changed: bool,
}

type Fleets = Arc<Mutex<Shared>>;

fn lock(shared: &Fleets) -> MutexGuard<'_, Shared> {
    // Nothing that can panic leaves it half changed.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn now(&self, now: Instant) -> Nanos {
        self.fleet.now(now.duration_since(self.began))
    }

    /// When something happens next.
    fn due(&self) -> Option<Instant> {
        self.began.checked_add(self.fleet.next_wake()?)
    }

    fn advance(&mut self, now: Instant) {
        let now = self.now(now);
        self.effects(now);
        for _ in 0..MOST_STEPS {
            if !self.fleet.step(now) {
                break;
            }
            self.effects(now);
        }
    }

    fn effects(&mut self, now: Nanos) {
        while let Some(effect) = self.fleet.next_effect() {
            match effect {
                Effect::Open(device) => self.fleet.opened(device, now),
                Effect::Publish(_, message) => self.show(message),
                Effect::Close(..) | Effect::Subscribe(..) | Effect::Unsubscribe(..) => {}
            }
        }
    }

    fn show(&mut self, message: Outgoing) {
        self.fleet.account.sent += 1;
        if let Some(at) = self.paths.get(&*message.topic) {
            let shown = &mut self.shown[*at];
            (shown.body, shown.changed) = (Some(message.payload), true);
        }
    }
}

/// The resources of a fleet.
fn shown(fleet: Fleet) -> (Fleets, Site) {
    let began = Instant::now();
    let mut paths = HashMap::new();
    let mut all = Vec::new();
    let mut told = HashMap::new();
    for device in 0..fleet.model().devices.len() {
        for path in fleet.topics(device) {
            paths.entry(path).or_insert_with(|| {
                all.push(Shown {
                    device,
                    body: None,
                    changed: false,
                });
                all.len() - 1
            });
        }
        for (path, _) in fleet.subscriptions(device) {
            told.insert(path.to_string(), device);
        }
    }
    let shared = Arc::new(Mutex::new(Shared {
        fleet,
        shown: all,
        paths: paths.clone(),
        began,
    }));
    let mut site = Site::new();
    site.add(HEART, Heart(Arc::clone(&shared)));
    for (path, at) in &paths {
        let resource = Measured {
            shared: Arc::clone(&shared),
            at: Some(*at),
            told: told.remove(path).map(|device| (device, path.clone())),
        };
        site.add(&spelled(path), resource);
    }
    for (path, device) in told {
        let resource = Measured {
            shared: Arc::clone(&shared),
            at: None,
            told: Some((device, path.clone())),
        };
        site.add(&spelled(&path), resource);
    }
    (shared, site)
}

/// A path as links and requests spell it, percent-encoded where it must be.
fn spelled(path: &str) -> String {
    local_text::<&str>(&path.split('/').collect::<Vec<_>>(), &[])
}

/// Lets time pass.
struct Heart(Fleets);

impl Resource for Heart {
    fn answer(&mut self, _now: Instant, _request: &Incoming) -> Answer {
        Response::error(Code::NOT_FOUND, "no such resource").into()
    }

    fn link(&self, _link: Link) -> Option<Link> {
        None
    }

    fn due(&self) -> Option<Instant> {
        lock(&self.0).due()
    }

    fn tick(&mut self, now: Instant) -> Change {
        lock(&self.0).advance(now);
        Change::None
    }
}

/// What a sensor measures or an actuator is set to, and may be told.
struct Measured {
    shared: Fleets,
    /// Which of what is shown.
    at: Option<usize>,
    /// The device that takes commands here, by this path.
    told: Option<(usize, String)>,
}

impl Measured {
    fn get(&self) -> Answer {
        let shared = lock(&self.shared);
        let shown = self.at.map(|at| &shared.shown[at]);
        match shown {
            None => Code::METHOD_NOT_ALLOWED.into(),
            Some(shown) if !shared.fleet.is_online(shown.device) => {
                Response::error(Code::SERVICE_UNAVAILABLE, "the device is away").into()
            }
            Some(Shown { body: None, .. }) => {
                Response::error(Code::SERVICE_UNAVAILABLE, "there is no value yet").into()
            }
            Some(Shown {
                body: Some(body), ..
            }) => {
                // JSON is 50, plain text 0 (RFC 7252 §12.3).
                let format = if body.first() == Some(&b'{') { 50 } else { 0 };
                Response::content(format, body.clone()).into()
            }
        }
    }

    fn put(&self, now: Instant, request: &Incoming) -> Answer {
        let Some((device, path)) = &self.told else {
            return Code::METHOD_NOT_ALLOWED.into();
        };
        let mut shared = lock(&self.shared);
        if !shared.fleet.is_online(*device) {
            return Response::error(Code::SERVICE_UNAVAILABLE, "the device is away").into();
        }
        let now = shared.now(now);
        let fate = shared.fleet.request(*device, path, &request.payload, now);
        shared.effects(now);
        // What rules make of it has happened, too, when it is answered.
        while shared.fleet.step(now) {
            shared.effects(now);
        }
        let (code, why) = match fate {
            Fate::Taken => return Code::CHANGED.into(),
            Fate::Unknown => (Code::BAD_REQUEST, "unknown command"),
            Fate::Failed => (Code::INTERNAL_SERVER_ERROR, "the command failed"),
            Fate::Dropped => (Code::SERVICE_UNAVAILABLE, "too many commands wait"),
        };
        Response::error(code, why).into()
    }
}

impl Resource for Measured {
    fn answer(&mut self, now: Instant, request: &Incoming) -> Answer {
        match request.method {
            Code::GET => self.get(),
            Code::PUT | Code::POST => self.put(now, request),
            _ => Code::METHOD_NOT_ALLOWED.into(),
        }
    }

    fn link(&self, link: Link) -> Option<Link> {
        let kind = match self.told {
            Some(_) => "actuator",
            None => "sensor",
        };
        Some(link.with("rt", kind))
    }

    fn is_observable(&self) -> bool {
        self.at.is_some()
    }

    fn due(&self) -> Option<Instant> {
        let shared = lock(&self.shared);
        let changed = self.at.is_some_and(|at| shared.shown[at].changed);
        changed.then_some(shared.began)
    }

    fn tick(&mut self, _now: Instant) -> Change {
        if let Some(at) = self.at {
            lock(&self.shared).shown[at].changed = false;
        }
        Change::Updated
    }
}
