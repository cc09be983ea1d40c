//! `coap server`: resources for development and tests.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::listen::{Listen, Live, Protection};
use crate::coap::endpoint::Incoming;
use crate::coap::net::{Fault, Notice, Server};
use crate::coap::plugtest;
use crate::coap::resources::{Clock, Counter, Directory, Late, Sensor, Stored, Tree};
use crate::coap::secure::LiveSecrets;
use crate::coap::site::Site;
use crate::command::serving::{Launch, Serving, Starting, fresh_tls, renew_tls};
use crate::connect::{Environment, LiveTls, OscoreArgs};
use crate::error::{Result, brief, counted};
use crate::file::unreadable;
use crate::output::Style;

/// What the server listens on, what it shows, and what it does wrong.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where it listens; at least one.
    pub listen: Vec<Listen>,
    /// Join the groups of all CoAP nodes on every `coap` listener, and answer within this time.
    pub multicast: Option<Duration>,
    /// Who asks over UDP must first show that its address is its own.
    pub challenge: bool,
    /// How listeners with TLS or DTLS protect what they hear.
    pub protection: Protection,
    /// What protects requests and responses, whatever the transport.
    pub oscore: OscoreArgs,
    /// What it shows, by path.
    pub resources: Vec<Declared>,
    /// A directory whose files it shows.
    pub directory: Option<PathBuf>,
    /// Whether files may be put and deleted.
    pub writable: bool,
    /// Whether it has the resources of the ETSI plugtest.
    pub plugtest: bool,
    /// What it does wrong on purpose.
    pub faults: Vec<Fault>,
    /// Say each request on standard error.
    pub verbose: bool,
    /// Who is told, and what runs meanwhile.
    pub launch: Launch,
    /// What the terminal shows.
    pub style: Style,
}

/// A resource as the user declared it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// `/a/b`
    pub path: String,
    /// What it does.
    pub kind: Kind,
}

/// What a declared resource does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Holds this body of this content format.
    Fixed(u16, Bytes),
    /// Holds the content of a file.
    File(PathBuf),
    /// Counts up.
    Counter(Duration),
    /// Shows the time.
    Clock(Duration),
    /// Shows a value that wanders.
    Sensor(Duration),
    /// Holds so many bytes.
    Large(usize),
    /// Holds this text, which comes later.
    Late(Duration, Bytes),
    /// Takes whatever is put below it.
    Tree,
}

/// All bodies that a tree keeps, in bytes.
const ROOM: usize = 64 << 20;

/// Serves until a signal comes, which is the good end of a server.
///
/// # Errors
/// Unreadable files, addresses that cannot be listened on.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let mut starting = Starting::new(plan.style, &plan.launch)?;
    let notes = starting.notes;
    let mut server = Server::new(plan.site()?, &plan.faults);
    server.set_challenge(plan.challenge);
    if let Some(leisure) = plan.multicast {
        server.set_leisure(leisure);
    }
    let mut secured = Secured::default();
    for listen in &plan.listen {
        let groups = plan.multicast.is_some();
        let (address, live) = plan.protection.bind(*listen, groups, &mut server).await?;
        secured.add(live);
        starting.listens(format!("{}://{address}", listen.scheme.name()));
    }
    if let Some(oscore) = plan
        .oscore
        .clone()
        .read_for_server(&Environment::of_process())?
    {
        server.protect(&oscore).await?;
    }
    let serving = starting.ready().await?;
    notes.note("a server for development and tests");
    let verbose = plan.verbose;
    let seen = move |what: Notice<'_>| match what {
        Notice::Request(request) if verbose => {
            let Incoming { peer, method, .. } = request;
            let length = counted(request.payload.len() as u64, "byte");
            notes.plain(format_args!(
                "{peer} {method:?} {} {length}",
                brief(&request.path())
            ));
        }
        Notice::Request(_) => {}
        Notice::NotAccepted(why) => notes.warn(why),
    };
    tokio::select! {
        () = server.serve(seen) => Ok(()),
        ended = secured.asked_to_stop(serving, plan) => ended,
    }
}

/// What protects the listeners, and can be read again.
#[derive(Default)]
struct Secured {
    streams: Vec<LiveTls>,
    datagrams: Vec<LiveSecrets>,
}

/// Puts into force what was read.
type Apply = Box<dyn FnOnce() + Send>;

impl Secured {
    fn add(&mut self, live: Option<Live>) {
        match live {
            Some(Live::Streams(tls)) => self.streams.push(tls),
            Some(Live::Datagrams(secrets)) => self.datagrams.push(secrets),
            None => {}
        }
    }

    /// Waits until the server is to stop, and reads the files again when it is asked to.
    async fn asked_to_stop(self, mut serving: Serving, plan: Plan) -> Result<()> {
        let Self { streams, datagrams } = self;
        let protection = plan.protection;
        let Protection {
            psk_file, rpk_key, ..
        } = &protection;
        let has_files = protection.tls.is_some() || psk_file.is_some() || rpk_key.is_some();
        let tls = protection.tls.clone().filter(|_| !streams.is_empty());
        let read = move || {
            let secrets = protection.secrets()?;
            let fresh = |it: &LiveSecrets| Ok(Box::new(it.fresh(&secrets)?) as Apply);
            let datagrams = datagrams.iter().map(fresh).collect::<Result<_>>()?;
            Ok((fresh_tls(tls.as_ref())?, datagrams))
        };
        let apply = |(tls, datagrams): (Option<_>, Vec<Apply>)| {
            let files = if has_files { datagrams.len() } else { 0 };
            for fresh in datagrams {
                fresh();
            }
            files + renew_tls(&streams, tls.as_ref())
        };
        serving.asked_to_stop(read, apply).await
    }
}

impl Plan {
    fn site(&self) -> Result<Site> {
        let now = Instant::now();
        let mut site = if self.plugtest {
            plugtest::site(now, plugtest::Pace::default())
        } else {
            Site::new()
        };
        if let Some(directory) = &self.directory {
            let shown = Directory::open(directory, self.writable)
                .map_err(|cause| unreadable(directory.display(), &cause))?;
            site.add("/", shown);
        }
        for declared in &self.resources {
            add(&mut site, declared, now)?;
        }
        Ok(site)
    }
}

fn add(site: &mut Site, declared: &Declared, now: Instant) -> Result<()> {
    let path = declared.path.as_str();
    match &declared.kind {
        Kind::Fixed(format, body) => site.add(path, Stored::new(Some(*format), body.clone())),
        Kind::File(file) => {
            let body = crate::file::read(file, ROOM as u64)?;
            site.add(path, Stored::new(None, body));
        }
        Kind::Counter(interval) => site.add(path, Counter::new(now, *interval)),
        Kind::Clock(interval) => site.add(path, Clock::new(now, *interval)),
        Kind::Sensor(interval) => site.add(path, Sensor::new(now, *interval)),
        Kind::Large(size) => {
            // Lines of 64 letters, so that a piece that is missing or doubled can be seen.
            let line = |number: usize| format!("{number:063}\n").into_bytes();
            let mut body: Vec<u8> = (0..size.div_ceil(64)).flat_map(line).collect();
            body.truncate(*size);
            site.add(path, Stored::new(Some(42), body));
        }
        Kind::Late(delay, body) => {
            site.add(path, Late::new(Stored::new(Some(0), body.clone()), *delay));
        }
        Kind::Tree => site.add(path, Tree::new(declared.path.clone(), ROOM)),
    }
    Ok(())
}
