//! `coap rd`: registrations at a resource directory, and what is found there (RFC 9176).

use std::time::Duration;

use super::coap_asking::{Asking, Watch};
use super::coap_discover::{links_of, well_known};
use super::coap_links::{self, Shape, Source as From};
use super::coap_request::tell;
use super::coap_session::{Place, SessionWords, failed, refused};
use crate::coap::code::Code;
use crate::coap::endpoint::{Event, Reply};
use crate::coap::format;
use crate::coap::link;
use crate::coap::option;
use crate::coap::uri::{self, Uri};
use crate::error::{Error, Kind, Result};
use crate::output::{Format, Notes, Output, Style};
use crate::payload::{Bodies, Encoding, Source};
use crate::stop::Stop;

/// What is asked of a directory.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where, and how: the directory, or for an update or removal the registration.
    pub session: SessionWords,
    /// What is asked.
    pub action: Action,
    /// What the terminal shows.
    pub style: Style,
}

/// What is asked of a directory.
#[derive(Clone, Debug)]
pub enum Action {
    /// Make a registration, or replace that of the same endpoint; its URI is printed.
    Register {
        /// Whose: `ep=…` and `d=…`, ready for the query.
        endpoint: Vec<String>,
        /// How long, and what else is said of it.
        registration: Registration,
        /// What it offers.
        links: Links,
    },
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
/// No answer, a refusal, a server that is no resource directory.
pub async fn run(plan: Plan) -> Result<()> {
    let mut stop = Stop::watch()?;
    tokio::select! {
        ended = carry_out(&plan) => ended,
        asked = stop.asked() => Err(Error::new(asked.kind(), "interrupted while waiting for an answer")),
    }
}

async fn carry_out(plan: &Plan) -> Result<()> {
    let notes = Notes::new(plan.style);
    let mut directory = Directory {
        session: &plan.session,
        watch: Watch::open(&plan.session, notes)?,
        notes,
        connection: None,
        output: Output::open(Format::Raw, plan.style)?,
    };
    let place = plan.session.only_place()?;
    match &plan.action {
        Action::Register {
            endpoint,
            registration,
            links,
        } => {
            directory
                .register(place, endpoint, registration, links)
                .await?
        }
        Action::Update(registration) => {
            let place = with_query(registered(place)?, registration.query());
            directory.done(Code::POST, &place).await?;
        }
        Action::Remove => directory.done(Code::DELETE, &registered(place)?).await?,
        Action::Lookup {
            what,
            filters,
            shape,
        } => directory.look_up(place, *what, filters, *shape).await?,
    }
    directory.output.flush().await?;
    if let Some((_, connection)) = &mut directory.connection {
        connection.close().await;
    }
    directory.watch.finish(&plan.session)
}

/// A registration has a path: without one, the directory itself would be asked.
fn registered(place: Place) -> Result<Place> {
    if place.uri.path.is_empty() {
        let text = format!("{} is not the URI of a registration", place.uri);
        return Err(Error::usage(text).hint("coap rd register prints it"));
    }
    Ok(place)
}

fn with_query(mut place: Place, query: Vec<String>) -> Place {
    place.uri.query.extend(query);
    place
}

/// A directory that is being asked.
struct Directory<'a> {
    session: &'a SessionWords,
    watch: Watch,
    notes: Notes,
    /// The connection of the last request, and where it leads.
    connection: Option<(String, Asking)>,
    output: Output,
}

impl Directory<'_> {
    async fn register(
        &mut self,
        place: Place,
        endpoint: &[String],
        registration: &Registration,
        links: &Links,
    ) -> Result<()> {
        let mut registration = registration.clone();
        let text = match links {
            Links::Of(source) => read_links(source).await?,
            Links::Device(uri) => {
                let device = self.session.place_of(uri)?;
                let base = origin(&device.uri);
                registration.base.get_or_insert(base);
                self.links_of_device(device).await?
            }
        };
        let place = self.find(place, "core.rd").await?;
        let query = [endpoint, &registration.query()].concat();
        let place = with_query(place, query);
        let reply = self.ask(Code::POST, &place, Some(text)).await?;
        let Some(location) = uri::location_of(&reply.response.options) else {
            let text = format!(
                "{}: the answer does not say where the registration is",
                place.uri
            );
            return Err(Error::new(Kind::Lost, text));
        };
        let registered = place
            .uri
            .join(&location)
            .map_or(location, |it| it.to_string());
        self.output.line(&registered);
        Ok(())
    }

    /// What a device says of itself, without the list itself.
    async fn links_of_device(&mut self, mut device: Place) -> Result<String> {
        if device.uri.path.is_empty() {
            device.uri.path = well_known();
        }
        let reply = self.ask(Code::GET, &device, None).await?;
        let mut links = links_of(&reply, &device)?;
        links.retain(|link| link.target != "/.well-known/core");
        Ok(link::write(&links))
    }

    async fn look_up(
        &mut self,
        place: Place,
        what: Lookup,
        filters: &[String],
        shape: Shape,
    ) -> Result<()> {
        let place = self.find(place, what.resource_type()).await?;
        let place = with_query(place, filters.to_vec());
        let reply = self.ask(Code::GET, &place, None).await?;
        let links = links_of(&reply, &place)?;
        if shape == Shape::Raw {
            let text = String::from_utf8_lossy(&reply.response.payload);
            self.output.line(&text);
        }
        let source = From {
            from: reply.from,
            member_by: None,
        };
        if links.is_empty() {
            let text = format!("{}: nothing was found", place.uri);
            return Err(Error::new(Kind::Refused, text));
        }
        coap_links::show(shape, &links, source, &mut self.output);
        Ok(())
    }

    /// The directory's interface of this type: the place that was named, or what its server's list says (§4.3).
    async fn find(&mut self, place: Place, resource_type: &str) -> Result<Place> {
        if !place.uri.path.is_empty() {
            return Ok(place);
        }
        let mut list = place.clone();
        list.uri.path = well_known();
        list.uri.query = vec![format!("rt={resource_type}")];
        let reply = self.ask(Code::GET, &list, None).await?;
        let links = links_of(&reply, &list)?;
        let is_it = |link: &&link::Link| link.words("rt").any(|word| word == resource_type);
        let Some(found) = links.iter().find(is_it) else {
            let text = format!(
                "{} is no resource directory: it has no {resource_type}",
                place.uri
            );
            return Err(Error::new(Kind::Refused, text)
                .hint("a URI with a path names the directory's interface itself"));
        };
        let bad = |fault: uri::BadUri| {
            let text = format!("{} names a bad {resource_type}: {fault}", place.uri);
            Error::new(Kind::Lost, text)
        };
        let found = list.uri.join(&found.target).map_err(bad)?;
        if origin(&found) != origin(&place.uri) {
            return self.session.place_of(&found.to_string());
        }
        Ok(Place {
            uri: found,
            ..place
        })
    }

    async fn done(&mut self, method: Code, place: &Place) -> Result<()> {
        let reply = self.ask(method, place, None).await?;
        let code = reply.response.code;
        self.notes.note(format_args!("{}: {code:?}", place.uri));
        Ok(())
    }

    /// One request, and its answer, which is a success.
    async fn ask(&mut self, method: Code, place: &Place, links: Option<String>) -> Result<Reply> {
        let (session, notes) = (self.session, self.notes);
        let name = place.target.to_string();
        let same = self.connection.take().filter(|(other, _)| *other == name);
        let mut connection = match same {
            Some((_, connection)) => connection,
            None => Asking::open(session, &self.watch, place).await?,
        };
        if connection.is_group() {
            return Err(Error::usage("a group is no resource directory"));
        }
        let mut request = session.request(&connection, place, method)?;
        let content_format = if links.is_some() {
            option::CONTENT_FORMAT
        } else {
            option::ACCEPT
        };
        if (links.is_some() || method == Code::GET) && !request.options.contains(content_format) {
            request
                .options
                .push_uint(content_format, format::LINK.into());
        }
        request.payload = links.unwrap_or_default().into();
        session.show_request(&request, &place.uri, notes);
        connection.ask(place, session.proxy_mode, request)?;
        let reply = loop {
            match connection.next().await {
                Event::Reply { reply, .. } => break reply,
                Event::Failed { failure, .. } => return Err(failed(place, &failure, None)),
                Event::Finished { .. } => {
                    return Err(Error::usage(
                        "no-response does not go with this: an answer is needed",
                    ));
                }
                other => tell(&other, notes, session.verbose),
            }
        };
        self.connection = Some((name, connection));
        session.show_reply(&reply, notes);
        if reply.response.code.is_success() {
            Ok(reply)
        } else {
            Err(refused(&place.uri, &reply))
        }
    }
}

/// Scheme, host and port.
fn origin(uri: &Uri) -> String {
    let bare = Uri {
        path: Vec::new(),
        query: Vec::new(),
        ..uri.clone()
    };
    bare.to_string().trim_end_matches('/').to_owned()
}

async fn read_links(source: &Source) -> Result<String> {
    let mut bodies = Vec::new();
    Bodies::open(source, Encoding::Plain)?
        .next(&mut bodies)
        .await?;
    let body = bodies.pop().map(|body| body.payload).unwrap_or_default();
    let wrong = |why: String| Error::usage(format!("the links are not in link-format: {why}"));
    let text = str::from_utf8(&body).map_err(|_| wrong(String::from("they are no text")))?;
    let links = link::parse(text).map_err(|fault| wrong(fault.to_string()))?;
    Ok(link::write(&links))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_no_path() {
        for (uri, expected) in [
            ("coap://h/a/b?c", "coap://h"),
            ("coaps+tcp://[::1]:99/", "coaps+tcp://[::1]:99"),
        ] {
            assert_eq!(origin(&Uri::parse(uri).expect(uri)), expected);
        }
    }
}
