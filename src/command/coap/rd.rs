//! `coap rd`: registrations at a resource directory, and what is found there (RFC 9176).

use std::time::Duration;

use super::client::INTERRUPTED;
use super::directory::{Directory, origin};
use super::discover::{links_of, well_known};
use super::keep::{self, Became, Keep, USUAL_LIFETIME};
use super::links::{self, Shape, Source as From};
use super::session::{Place, SessionArgs, refused};
use crate::coap::code::Code;
use crate::coap::endpoint::Reply;
use crate::coap::uri;
use crate::error::{Error, Kind, Result};
use crate::output::Style;
use crate::payload::link::{self, Link};
use crate::payload::{Bodies, Encoding, Source};
use crate::stop::Stop;

/// What is asked of a directory.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where, and how: the directory, or for an update or removal the registration.
    pub session: SessionArgs,
    /// What is asked.
    pub action: Action,
    /// What the terminal shows.
    pub style: Style,
}

/// What is asked of a directory.
#[derive(Clone, Debug)]
pub enum Action {
    /// Make a registration, or replace that of the same endpoint; its URI is printed.
    Register(Register),
    /// Make a registration last longer, or change what is said of it.
    Update(Registration),
    /// Take a registration away.
    Remove,
    /// Ask for links.
    Lookup {
        /// Of what.
        what: Lookup,
        /// Which ones: `rt=temperature`, `ep=node-*`, `page=1`, ready for the query.
        filters: Vec<String>,
        /// How they are shown.
        shape: Shape,
    },
}

/// A registration that is to be made.
#[derive(Clone, Debug)]
pub struct Register {
    /// Whose: `ep=…` and `d=…`, ready for the query.
    pub endpoint: Vec<String>,
    /// How long, and what else is said of it.
    pub registration: Registration,
    /// What it offers.
    pub links: Links,
    /// Whether the directory fetches the links from us (§5.1).
    pub simple: bool,
    /// Whether it is kept as long as the command goes on.
    pub keep: Option<Keep>,
    /// One JSON object a line.
    pub json: bool,
}

/// What is said of a registration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registration {
    /// How long it counts; the directory's choice, a day or so, where not said.
    pub lifetime: Option<Duration>,
    /// What its links are relative to; the address that it comes from, where not said.
    pub base: Option<String>,
    /// More attributes: `et=oic.d.sensor`.
    pub attributes: Vec<String>,
}

/// Where the links of a registration come from.
#[derive(Clone, Debug)]
pub enum Links {
    /// A text in link-format.
    Of(Source),
    /// What this server says of itself.
    Device(String),
}

/// What is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Resources.
    Resources,
    /// Endpoints.
    Endpoints,
}

impl Lookup {
    /// The resource type of its interface (§9.4).
    const fn resource_type(self) -> &'static str {
        match self {
            Self::Resources => "core.rd-lookup-res",
            Self::Endpoints => "core.rd-lookup-ep",
        }
    }
}

impl Registration {
    fn query(&self) -> Vec<String> {
        let lifetime = self.lifetime.map(|it| format!("lt={}", it.as_secs()));
        let base = self.base.as_ref().map(|base| format!("base={base}"));
        let all = lifetime.into_iter().chain(base);
        all.chain(self.attributes.iter().cloned()).collect()
    }
}

/// Does it.
///
/// # Errors
/// No answer, a refusal, a server that is no resource directory, a signal.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let mut stop = Stop::watch()?;
    let mut directory = Directory::open(&plan.session, plan.style)?;
    let ended = match &plan.action {
        Action::Register(register) => make(register, &mut directory, &mut stop).await,
        other => {
            stop.unless_asked(INTERRUPTED, act(other, &mut directory))
                .await
        }
    };
    ended.and(directory.finish().await)
}

/// Makes a registration, and keeps it if that was asked for.
async fn make(register: &Register, directory: &mut Directory<'_>, stop: &mut Stop) -> Result<()> {
    let begin = async {
        let order = Order::prepare(register, directory).await?;
        let made = order.carry_out(directory).await?;
        made.show(register, &order, directory);
        directory.output.flush().await?;
        Ok((order, made))
    };
    let (order, made) = stop.unless_asked(INTERRUPTED, begin).await?;
    match &register.keep {
        Some(keep) => keep::keep(directory, &order, made, keep, stop).await,
        None => Ok(()),
    }
}

async fn act(action: &Action, directory: &mut Directory<'_>) -> Result<()> {
    let place = directory.session().only_place()?;
    match action {
        // What `make` does.
        Action::Register(_) => {}
        Action::Update(registration) => {
            let place = with_query(registered(place)?, registration.query());
            done(directory, Code::POST, &place).await?;
        }
        Action::Remove => done(directory, Code::DELETE, &registered(place)?).await?,
        Action::Lookup {
            what,
            filters,
            shape,
        } => look_up(directory, place, *what, filters, *shape).await?,
    }
    directory.output.flush().await
}

/// A registration has a path: without one, the directory itself would be asked.
fn registered(place: Place) -> Result<Place> {
    if place.uri.path.is_empty() {
        let text = format!("{} is not the URI of a registration", place.uri);
        return Err(Error::usage(text).hint("use the URI printed by coap rd register"));
    }
    Ok(place)
}

fn with_query(mut place: Place, query: Vec<String>) -> Place {
    place.uri.query.extend(query);
    place
}

async fn done(directory: &mut Directory<'_>, method: Code, place: &Place) -> Result<()> {
    let reply = directory.ask(method, place, None).await?;
    let (uri, code) = (&place.uri, reply.response.code);
    directory.notes.note(format_args!("{uri}: {code:?}"));
    Ok(())
}

/// What is sent to make a registration, as often as it is made.
pub(crate) struct Order {
    pub(crate) place: Place,
    /// `None`: the directory fetches them.
    links: Option<String>,
    pub(crate) lifetime: Duration,
    pub(crate) json: bool,
}

impl Order {
    pub(crate) async fn prepare(
        register: &Register,
        directory: &mut Directory<'_>,
    ) -> Result<Self> {
        let mut place = directory.session().only_place()?;
        let mut registration = register.registration.clone();
        let links = match &register.links {
            Links::Of(source) => read_links(source).await?,
            Links::Device(uri) => {
                let device = directory.session().place_of(uri)?;
                registration.base.get_or_insert_with(|| origin(&device.uri));
                links_of_device(directory, device).await?
            }
        };
        if register.simple {
            check_simple(&place)?;
            if place.uri.path.is_empty() {
                place.uri.path = vec![String::from(".well-known"), String::from("rd")];
            }
            directory.answer_with(links.clone());
        } else {
            place = directory.find(place, "core.rd").await?;
        }
        let query = [&register.endpoint[..], &registration.query()].concat();
        Ok(Self {
            place: with_query(place, query),
            links: (!register.simple).then(|| link::write(&links)),
            lifetime: registration.lifetime.unwrap_or(USUAL_LIFETIME),
            json: register.json,
        })
    }

    pub(crate) async fn post(&self, directory: &mut Directory<'_>) -> Result<Reply> {
        let links = self.links.as_deref();
        directory.exchange(Code::POST, &self.place, links).await
    }

    /// Makes the registration, or replaces that of the same endpoint.
    pub(crate) async fn carry_out(&self, directory: &mut Directory<'_>) -> Result<Made> {
        self.made(&self.post(directory).await?)
    }

    /// What an answer says.
    pub(crate) fn made(&self, reply: &Reply) -> Result<Made> {
        if !reply.response.code.is_success() {
            return Err(refused(&self.place.uri, reply));
        }
        let bare = with_query(self.place.clone(), Vec::new());
        if self.links.is_none() {
            let mut uri = bare.uri;
            uri.query.clear();
            return Ok(Made {
                uri: uri.to_string(),
                place: None,
                elapsed: reply.elapsed,
            });
        }
        let (asked, options) = (&self.place.uri, &reply.response.options);
        let lost =
            |text: String| Error::new(Kind::Lost, format!("{asked}: the response has {text}"));
        let located = asked.located(options).map_err(|fault| {
            let location = uri::location_of(options).unwrap_or_default();
            lost(format!("an invalid Location, {location}: {fault}"))
        })?;
        let Some(uri) = located else {
            return Err(lost(String::from("no Location of the registration")));
        };
        Ok(Made {
            uri: uri.to_string(),
            place: Some(Place { uri, ..bare }),
            elapsed: reply.elapsed,
        })
    }
}

/// A registration that was made.
pub(crate) struct Made {
    pub(crate) uri: String,
    /// Where it is updated and removed, if it can be.
    pub(crate) place: Option<Place>,
    /// How long the directory took to answer.
    pub(crate) elapsed: Duration,
}

impl Made {
    /// The URI alone, unless more comes.
    fn show(&self, register: &Register, order: &Order, directory: &mut Directory<'_>) {
        if register.json || register.keep.is_some() {
            let became = Became::Registered(self.elapsed);
            let line = became.line(&self.uri, order.lifetime, order.json);
            directory.output.line(&line);
        } else if self.place.is_some() {
            directory.output.line(&self.uri);
        } else {
            let notes = directory.notes;
            notes.note(format_args!("{}: registered", self.uri));
        }
    }
}

/// The directory fetches the links from the address that it is asked from.
fn check_simple(place: &Place) -> Result<()> {
    let why = match (place.proxied, &place.target.oscore) {
        (true, _) => "--proxy: the directory would request the links from the proxy",
        (_, Some(_)) => "OSCORE: the directory requests the links without it",
        _ => return Ok(()),
    };
    Err(Error::usage(format!("--simple cannot be used with {why}")))
}

/// What a device says of itself, without the list itself.
async fn links_of_device(directory: &mut Directory<'_>, mut device: Place) -> Result<Vec<Link>> {
    if device.uri.path.is_empty() {
        device.uri.path = well_known();
    }
    let reply = directory.ask(Code::GET, &device, None).await?;
    let mut links = links_of(&reply, &device)?;
    links.retain(|link| link.target != "/.well-known/core");
    Ok(links)
}

async fn look_up(
    directory: &mut Directory<'_>,
    place: Place,
    what: Lookup,
    filters: &[String],
    shape: Shape,
) -> Result<()> {
    let place = directory.find(place, what.resource_type()).await?;
    let place = with_query(place, filters.to_vec());
    let reply = directory.ask(Code::GET, &place, None).await?;
    let nothing = || {
        let text = format!("{}: nothing was found", place.uri);
        Err(Error::new(Kind::Refused, text))
    };
    if shape == Shape::Raw {
        let payload = &reply.response.payload;
        directory.output.line_of_bytes(payload);
        return if payload.is_empty() {
            nothing()
        } else {
            Ok(())
        };
    }
    let links = links_of(&reply, &place)?;
    let source = From {
        from: reply.from,
        member_by: None,
    };
    if links.is_empty() {
        return nothing();
    }
    links::show(shape, &links, source, &mut directory.output);
    Ok(())
}

async fn read_links(source: &Source) -> Result<Vec<Link>> {
    let body = Bodies::open(source, Encoding::Plain)?.body().await?;
    let wrong = |why: String| Error::usage(format!("the links are not in link-format: {why}"));
    let text = str::from_utf8(&body).map_err(|_| wrong(String::from("they are not text")))?;
    link::parse(text).map_err(|fault| wrong(fault.to_string()))
}
