//! `coap discover`: what a server offers (RFC 6690), or the servers of a group.

use std::collections::{BTreeSet, VecDeque};

use super::client::{RequestClient, Tracer};
use super::links::{self, Source};
use super::request::tell;
use super::session::{Place, SessionArgs, failed, refused};
use crate::coap::code::Code;
use crate::coap::endpoint::{Event, Reply};
use crate::coap::option;
use crate::coap::uri::Uri;
use crate::error::{Error, Kind, Result};
use crate::output::{Console, Format, Output, Style};
use crate::payload::link::{self, Filter, Link};
use crate::stop::Stop;

pub(crate) use super::links::Shape;

/// Lists that are followed at most: a server may make up new ones for ever.
const MOST_LISTS: usize = 1000;

/// Whom to ask, and what for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where, and how.
    pub session: SessionArgs,
    /// What links must have: `rt=temperature`, `href=/sensors/*`, `obs`; all of them.
    pub filters: Vec<String>,
    /// Ask for the lists too that the links name (`ct=40`).
    pub recursive: bool,
    /// How the links are shown.
    pub shape: Shape,
    /// What the terminal shows.
    pub style: Style,
}

/// Asks for `/.well-known/core` unless the URI has a path.
///
/// # Errors
/// No answer, a refusal, an answer that is no link-format, or no link at all.
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let mut stop = Stop::watch()?;
    let mut output = Output::open(Format::Raw, plan.style)?;
    stop.unless_asked("interrupted", discover(&plan, &mut output))
        .await
}

async fn discover(plan: &Plan, output: &mut Output) -> Result<()> {
    let notes = Console::new(plan.style);
    let mut place = plan.session.only_place()?;
    if place.uri.path.is_empty() {
        place.uri.path = well_known();
    }
    if place.uri.query.is_empty() && !plan.recursive {
        // A server need not filter, and takes one filter only (RFC 6690 §4.1); we filter again.
        place.uri.query.extend(plan.filters.first().cloned());
    }
    let watch = Tracer::open(&plan.session, notes)?;
    let client = RequestClient::open(&plan.session, &watch, &place).await?;
    if plan.recursive && client.is_group() {
        return Err(Error::usage(
            "--recursive needs one server, not a multicast group",
        ));
    }
    let mut search = Search {
        plan,
        notes,
        output,
        client,
        answers: 0,
        links: 0,
    };
    if plan.recursive {
        search.descend(&mut place).await?;
    } else {
        search.list(&place).await?;
    }
    search.client.close().await;
    watch.finish(&plan.session)?;
    let what = match (search.answers, search.links) {
        (0, _) => "no response",
        (_, 0) => "no resource was found",
        _ => return Ok(()),
    };
    Err(Error::new(Kind::Refused, format!("{}: {what}", place.uri)))
}

/// The URIs of what the server of `session` says can be observed (RFC 7641 §6), in its order.
///
/// # Errors
/// No answer, a refusal, an answer that is no link-format; [`Kind::Refused`]: there is nothing.
pub(crate) async fn observable(session: &SessionArgs, notes: Console) -> Result<Vec<String>> {
    let mut place = session.only_place()?;
    place.uri.path = well_known();
    let tracer = Tracer::open(session, notes)?;
    let mut client = RequestClient::open(session, &tracer, &place).await?;
    let mut request = session.request(&client, &place, Code::GET)?;
    request.options.push_uint(option::ACCEPT, 40);
    client.ask(&place, session.proxy_mode, request)?;
    let links = loop {
        match client.next().await {
            Event::Reply { reply, .. } => break links_of(&reply, &place)?,
            Event::Failed { failure, .. } => return Err(failed(&place, &failure, None)),
            Event::Finished { .. } => break Vec::new(),
            other => tell(&other, notes, session.verbose),
        }
    };
    client.close().await;
    let observable = links.iter().filter(|link| link.has("obs"));
    let uris = observable.filter_map(|link| place.uri.join(&link.target).ok());
    let uris: Vec<String> = uris
        .filter(|uri| is_same_server(uri, &place.uri))
        .map(|uri| uri.to_string())
        .collect();
    match uris.is_empty() {
        true => {
            let text = format!("{} offers nothing that can be observed", place.target);
            Err(Error::new(Kind::Refused, text))
        }
        false => Ok(uris),
    }
}

pub(crate) fn well_known() -> Vec<String> {
    vec![String::from(".well-known"), String::from("core")]
}

/// A running `coap discover`.
struct Search<'a> {
    plan: &'a Plan,
    notes: Console,
    output: &'a mut Output,
    client: RequestClient,
    answers: u64,
    links: usize,
}

impl Search<'_> {
    fn ask(&mut self, place: &Place) -> Result<()> {
        let session = &self.plan.session;
        let mut request = session.request(&self.client, place, Code::GET)?;
        if !request.options.contains(option::ACCEPT) && !self.client.is_group() {
            request.options.push_uint(option::ACCEPT, 40);
        }
        session.show_request(&request, &place.uri, self.notes);
        self.client.ask(place, session.proxy_mode, request)
    }

    /// Asks one server, or the members of a group, and shows what each answers.
    async fn list(&mut self, place: &Place) -> Result<()> {
        self.ask(place)?;
        while let Some(reply) = self.reply(place).await? {
            let member_by = self.client.is_group().then_some(place.uri.scheme);
            let source = Source {
                from: reply.from,
                member_by,
            };
            let shown = self
                .take(&reply, place)
                .map(|links| self.show(&links, source));
            match shown {
                Err(error) if self.client.is_group() => self.notes.warn(error),
                shown => shown?,
            }
            self.output.flush().await?;
            if !self.client.is_group() {
                break;
            }
        }
        Ok(())
    }

    /// Follows the lists that links name, on the same server; shows everything at the end.
    async fn descend(&mut self, place: &mut Place) -> Result<()> {
        let mut waiting = VecDeque::from([place.uri.clone()]);
        let mut known: BTreeSet<String> = waiting.iter().map(Uri::to_string).collect();
        let mut found: Vec<Link> = Vec::new();
        let mut source = None;
        while let Some(uri) = waiting.pop_front() {
            let list = Place {
                uri: uri.clone(),
                ..place.clone()
            };
            self.ask(&list)?;
            let links = match self.reply(&list).await? {
                Some(reply) => {
                    let member_by = None;
                    let from = reply.from;
                    source.get_or_insert(Source { from, member_by });
                    self.take(&reply, &list)
                }
                None => continue,
            };
            for link in self.usable(links, &uri, found.is_empty())? {
                let below = uri.join(&link.target).ok();
                let below =
                    below.filter(|it| link.formats().contains(&40) && is_same_server(it, &uri));
                let below =
                    below.filter(|it| known.len() < MOST_LISTS && known.insert(it.to_string()));
                waiting.extend(below);
                if !found.iter().any(|other| other.target == link.target) {
                    found.push(link);
                }
            }
        }
        found.retain(|link| self.is_wanted(link));
        if let Some(source) = source {
            self.show(&found, source);
        }
        self.output.flush().await
    }

    /// The links of a list, with targets as seen from the server's root. That a list below cannot be read is no
    /// reason to keep the others.
    fn usable(&self, links: Result<Vec<Link>>, uri: &Uri, first: bool) -> Result<Vec<Link>> {
        let mut links = match links {
            Ok(links) => links,
            Err(error) if first => return Err(error),
            Err(error) => {
                self.notes.warn(error);
                return Ok(Vec::new());
            }
        };
        for link in links.iter_mut().filter(|it| !it.target.contains("://")) {
            if let Ok(target) = uri.join(&link.target) {
                link.target = target.local();
            }
        }
        Ok(links)
    }

    /// The next answer; `None` when no other can come.
    async fn reply(&mut self, place: &Place) -> Result<Option<Reply>> {
        loop {
            match self.client.next().await {
                Event::Reply { reply, .. } => {
                    self.plan.session.show_reply(&reply, self.notes);
                    self.answers += 1;
                    return Ok(Some(reply));
                }
                Event::Failed { failure, .. } => return Err(failed(place, &failure, None)),
                Event::Finished { .. } => return Ok(None),
                other => tell(&other, self.notes, self.plan.session.verbose),
            }
        }
    }

    /// The links of an answer; with `--output raw` its text is shown instead.
    fn take(&mut self, reply: &Reply, place: &Place) -> Result<Vec<Link>> {
        if self.plan.shape != Shape::Raw {
            return links_of(reply, place);
        }
        let text = text_of(reply, place)?;
        self.output.line(text);
        self.links += 1;
        Ok(Vec::new())
    }

    fn show(&mut self, links: &[Link], source: Source) {
        let mut links = links.to_vec();
        links.retain(|link| self.is_wanted(link));
        self.links += links.len();
        if self.plan.shape != Shape::Raw {
            links::show(self.plan.shape, &links, source, self.output);
        }
    }

    fn is_wanted(&self, link: &Link) -> bool {
        let mut filters = self.plan.filters.iter().map(|it| Filter::parse(it));
        filters.all(|filter| filter.matches(link))
    }
}

fn is_same_server(one: &Uri, other: &Uri) -> bool {
    (one.scheme, &one.host, one.port) == (other.scheme, &other.host, other.port)
}

/// The links of an answer to `place`.
///
/// # Errors
/// It is a refusal, or no link-format.
pub(crate) fn links_of(reply: &Reply, place: &Place) -> Result<Vec<Link>> {
    let text = text_of(reply, place)?;
    link::parse(text).map_err(|fault| no_links(reply, &fault.to_string()))
}

fn text_of<'a>(reply: &'a Reply, place: &Place) -> Result<&'a str> {
    if !reply.response.code.is_success() {
        return Err(refused(&place.uri, reply));
    }
    let text = str::from_utf8(&reply.response.payload);
    text.map_err(|_| no_links(reply, "it is not text"))
}

fn no_links(reply: &Reply, why: &str) -> Error {
    let text = format!("the response of {} is not link-format: {why}", reply.from);
    Error::new(Kind::Lost, text).hint("use --output raw to see the response")
}
