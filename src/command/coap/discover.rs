//! `coap discover`: what a server offers (RFC 6690), or the servers of a group.

use std::collections::{BTreeSet, HashSet, VecDeque};

use super::client::{RequestClient, Tracer, next_of};
use super::links::{self, Source};
use super::request::tell;
use super::session::{Place, SessionArgs, failed, refused};
use crate::coap::code::Code;
use crate::coap::endpoint::{Event, Reply};
use crate::coap::option;
use crate::coap::uri::Uri;
use crate::error::{Error, Kind, Result, counted};
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
        watch: &watch,
        is_group: client.is_group(),
        client: Some(client),
        answers: 0,
        links: 0,
    };
    let ended = match plan.recursive {
        true => search.descend(&place).await,
        false => search.list(&place).await,
    };
    if let Some(client) = &mut search.client {
        client.close().await;
    }
    watch.finish(&plan.session)?;
    ended?;
    let what = match (search.answers, search.links) {
        (0, _) => "no response",
        (_, 0) => "no resource was found",
        _ => return Ok(()),
    };
    Err(Error::new(Kind::Refused, format!("{}: {what}", place.uri)))
}

/// The URIs of what a server says can be observed (RFC 7641 §6), in its order; `server` is a place there.
///
/// # Errors
/// No answer, a refusal, an answer that is no link-format.
pub(crate) async fn observable(
    session: &SessionArgs,
    server: &Place,
    tracer: &Tracer,
    notes: Console,
) -> Result<Vec<Uri>> {
    let mut place = server.clone();
    (place.uri.path, place.uri.query) = (well_known(), Vec::new());
    let mut client = RequestClient::open(session, tracer, &place).await?;
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
    let own = uris.filter(|uri| is_same_server(uri, &place.uri));
    Ok(own.collect())
}

pub(crate) fn well_known() -> Vec<String> {
    vec![String::from(".well-known"), String::from("core")]
}

/// A running `coap discover`.
struct Search<'a> {
    plan: &'a Plan,
    notes: Console,
    output: &'a mut Output,
    watch: &'a Tracer,
    is_group: bool,
    client: Option<RequestClient>,
    answers: u64,
    links: usize,
}

/// Lists within lists: what is still to be asked for, and what was found.
struct Descent {
    waiting: VecDeque<Uri>,
    /// The lists that were asked for or are to be.
    known: BTreeSet<String>,
    found: Vec<Link>,
    /// The same: a server may have very many.
    seen: HashSet<Link>,
    source: Option<Source>,
    /// Why the first of the lists that could not be had was not, and how many there are.
    lost: Option<(Kind, usize)>,
}

impl Descent {
    fn from(uri: &Uri) -> Self {
        Self {
            waiting: VecDeque::from([uri.clone()]),
            known: BTreeSet::from([uri.to_string()]),
            found: Vec::new(),
            seen: HashSet::new(),
            source: None,
            lost: None,
        }
    }

    /// Takes the links of a list, with targets as seen from the server's root.
    fn take(&mut self, links: Vec<Link>, uri: &Uri) {
        for mut link in links {
            let target = uri.join(&link.target).ok();
            if let Some(target) = &target
                && !Uri::is_absolute(&link.target)
            {
                link.target = match is_same_server(target, uri) {
                    true => target.local(),
                    false => target.to_string(),
                };
            }
            let below = target.filter(|it| link.formats().contains(&40) && is_same_server(it, uri));
            let known = &mut self.known;
            let below = below.filter(|it| known.len() < MOST_LISTS && known.insert(it.to_string()));
            self.waiting.extend(below);
            if self.seen.insert(link.clone()) {
                self.found.push(link);
            }
        }
    }

    /// A list below the first one could not be had.
    fn lost(&mut self, error: &Error) {
        let (_, count) = self.lost.get_or_insert_with(|| (error.kind(), 0));
        *count += 1;
    }
}

impl Search<'_> {
    /// The connection, which is made anew where it has ended.
    async fn connection(&mut self, place: &Place) -> Result<&mut RequestClient> {
        let target = place.target.to_string();
        let client = match self.client.take().filter(|it| it.leads_to(&target)) {
            Some(client) => client,
            None => RequestClient::open(&self.plan.session, self.watch, place).await?,
        };
        Ok(self.client.insert(client))
    }

    async fn ask(&mut self, place: &Place) -> Result<()> {
        let (session, notes) = (&self.plan.session, self.notes);
        let client = self.connection(place).await?;
        let mut request = session.request(client, place, Code::GET)?;
        if !request.options.contains(option::ACCEPT) && !client.is_group() {
            request.options.push_uint(option::ACCEPT, 40);
        }
        session.show_request(&request, &place.uri, notes);
        client.ask(place, session.proxy_mode, request)
    }

    /// Asks one server, or the members of a group, and shows what each answers.
    async fn list(&mut self, place: &Place) -> Result<()> {
        self.ask(place).await?;
        while let Some(reply) = self.reply(place).await? {
            let member_by = self.is_group.then_some(place.uri.scheme);
            let source = Source {
                from: reply.from,
                member_by,
            };
            let shown = self
                .take(&reply, place)
                .map(|links| self.show(links, source));
            match shown {
                Err(error) if self.is_group => self.notes.warn(error),
                shown => shown?,
            }
            self.output.flush().await?;
            if !self.is_group {
                break;
            }
        }
        Ok(())
    }

    /// Follows the lists that links name, on the same server; shows everything at the end. That a list below cannot be
    /// had is no reason to keep the others.
    async fn descend(&mut self, place: &Place) -> Result<()> {
        let mut descent = Descent::from(&place.uri);
        while let Some(uri) = descent.waiting.pop_front() {
            let list = Place {
                uri,
                ..place.clone()
            };
            let is_first = descent.source.is_none();
            let reply = match self.fetch(&list).await {
                Ok(Some(reply)) => reply,
                Ok(None) => continue,
                Err(error) if is_first => return Err(error),
                Err(error) => {
                    self.notes.warn(error.text());
                    descent.lost(&error);
                    // There is no connection any more, and none to be had.
                    if self.client.is_none() {
                        break;
                    }
                    continue;
                }
            };
            let (from, member_by) = (reply.from, None);
            descent.source.get_or_insert(Source { from, member_by });
            match links_of(&reply, &list) {
                Ok(links) => descent.take(links, &list.uri),
                Err(error) if is_first => return Err(error),
                Err(error) => self.notes.warn(error),
            }
        }
        if let Some(source) = descent.source {
            self.show(descent.found, source);
        }
        self.output.flush().await?;
        match descent.lost {
            Some((kind, lost)) => {
                let lists = counted(lost as u64, "list");
                let text = format!("{}: {lists} could not be read", place.uri);
                Err(Error::new(kind, text))
            }
            None => Ok(()),
        }
    }

    /// The answer about one list.
    async fn fetch(&mut self, list: &Place) -> Result<Option<Reply>> {
        self.ask(list).await?;
        self.reply(list).await
    }

    /// The next answer; `None` when no other can come.
    async fn reply(&mut self, place: &Place) -> Result<Option<Reply>> {
        loop {
            match next_of(&mut self.client).await {
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
        if !reply.response.code.is_success() {
            return Err(refused(&place.uri, reply));
        }
        self.output.line_of_bytes(&reply.response.payload);
        self.links += 1;
        Ok(Vec::new())
    }

    fn show(&mut self, mut links: Vec<Link>, source: Source) {
        let filters = self.plan.filters.iter().map(|it| Filter::parse(it));
        let filters: Vec<Filter> = filters.collect();
        links.retain(|link| filters.iter().all(|filter| filter.matches(link)));
        self.links += links.len();
        if self.plan.shape != Shape::Raw {
            links::show(self.plan.shape, &links, source, self.output);
        }
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
