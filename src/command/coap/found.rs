//! Resources of a server as one source of messages: the one that is named, or all that the server says can be observed.
//!
//! What can be observed is asked for at the beginning, and again whenever an observation that was lost is there again: the server
//! may have been started anew, with other resources.

use std::collections::HashSet;
use std::future::pending;
use std::time::{Duration, Instant};

use bytes::Bytes;
use bytestring::ByteString;
use futures_util::future::{FutureExt, LocalBoxFuture, join_all};
use tokio::time::sleep_until;

use super::client::Tracer;
use super::discover;
use super::observe::Plan;
use super::session::{Place, is_absence};
use super::source::Observed;
use crate::coap::uri::{Uri, local_text};
use crate::command::ends::carry::path_as_topic;
use crate::command::later::Later;
use crate::connect::{Backoff, Retry};
use crate::error::{Error, Kind, Result};
use crate::flow::{Next, Source, any};
use crate::message::topic;
use crate::output::Console;
use crate::payload::captures::Pattern;

/// Observations that are renewed one after the other make it ask again this often at most.
const SELDOM: Duration = Duration::from_secs(10);

/// Resources of a server that are observed; of more, the first ones.
const MOST: usize = 200;

/// Which resources of a server are observed.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// The one that the URI names.
    Named,
    /// Those that can be observed and whose path is of this kind, and one of these topics; without any, all.
    Matching {
        path: Option<Pattern>,
        topics: Vec<ByteString>,
    },
}

impl Wanted {
    pub(crate) const fn is_matching(&self) -> bool {
        matches!(self, Self::Matching { .. })
    }

    fn has(&self, uri: &Uri) -> bool {
        let Self::Matching { path, topics } = self else {
            return false;
        };
        let own = local_text(&uri.path, &[]);
        let own = path_as_topic(&own.into());
        let is_one = |filter: &ByteString| topic::matches(filter, &own);
        path.as_ref().is_none_or(|it| it.is_match(&own))
            && (topics.is_empty() || topics.iter().any(is_one))
    }

    /// What they have to match, in words.
    fn words(&self) -> String {
        let Self::Matching { path, topics } = self else {
            return String::new();
        };
        let filters = path.iter().map(Pattern::filter);
        let filters = filters.chain(topics.iter().map(|it| &**it));
        match filters.filter(|it| *it != "#").collect::<Vec<_>>() {
            none if none.is_empty() => String::new(),
            some => format!(" and matches {}", some.join(" or ")),
        }
    }
}

/// What is observed, with its files and secrets read.
pub(crate) struct Resources {
    pub(crate) plan: Plan,
    /// The resource that is named, or the server.
    pub(crate) place: Place,
    pub(crate) tracer: Tracer,
    pub(crate) wanted: Wanted,
    /// It ends once each of them has said something.
    pub(crate) once: bool,
    /// Those that were found.
    pub(crate) found: Later<Place>,
}

/// One of the resources.
struct Part<'a> {
    observed: Observed<'a>,
    heard: bool,
    /// Nothing more comes from it.
    over: bool,
}

/// The notifications of all of them.
pub(crate) struct Found<'a> {
    resources: &'a Resources,
    console: Console,
    parts: Vec<Part<'a>>,
    /// The URIs of those.
    known: HashSet<String>,
    search: Search<'a>,
    /// Whether the server has said what can be observed.
    searched: bool,
    told_most: bool,
    /// How often observations had come back when it was asked last.
    returns: u64,
    /// The same of those that were registered again as nothing had come for long, and before when none of them counts.
    renewals: u64,
    renew_at: Instant,
    /// Who is asked first the next time, so that one that floods does not keep out the others.
    turn: usize,
    ended: bool,
}

impl<'a> Found<'a> {
    /// Nothing is connected yet.
    pub(crate) fn new(resources: &'a Resources) -> Self {
        let console = Console::new(resources.plan.style);
        let searches = resources.wanted.is_matching();
        let mut found = Self {
            resources,
            console,
            parts: Vec::new(),
            known: HashSet::new(),
            search: Search::new(resources, searches, console),
            searched: !searches,
            told_most: false,
            returns: 0,
            renewals: 0,
            renew_at: Instant::now(),
            turn: 0,
            ended: false,
        };
        if !searches {
            found.observe(&resources.place);
        }
        found
    }

    fn observe(&mut self, place: &'a Place) {
        let (plan, tracer) = (&self.resources.plan, &self.resources.tracer);
        self.parts.push(Part {
            observed: Observed::new(plan, place, tracer, Bytes::new()),
            heard: false,
            over: false,
        });
    }

    /// Ends all observations, and waits until the server knows.
    ///
    /// # Errors
    /// [`Kind::Local`]: notifications were left out.
    pub(crate) async fn close(&mut self) -> Result<()> {
        let closing = self.parts.iter_mut().map(|part| part.observed.close());
        let closed = join_all(closing).await;
        closed.into_iter().fold(Ok(()), Result::and)
    }

    /// Looks at what the server has said.
    ///
    /// # Errors
    /// Nothing of it is wanted, at the beginning; why it has not said it.
    fn take_found(&mut self) -> Result<()> {
        let Some(found) = self.search.found.take() else {
            return Ok(());
        };
        let is_first = !self.searched;
        let uris = match found {
            Ok(uris) => uris,
            Err(error) if is_first => return Err(error),
            Err(error) => {
                self.console.warn(format_args!(
                    "{error}; resources that are new there are not observed"
                ));
                return Ok(());
            }
        };
        self.searched = true;
        let resources = self.resources;
        for uri in uris.into_iter().filter(|uri| resources.wanted.has(uri)) {
            if self.known.contains(&uri.to_string()) {
                continue;
            }
            if self.parts.len() == MOST {
                self.tell_most();
                break;
            }
            self.known.insert(uri.to_string());
            if !is_first {
                self.console
                    .note(format_args!("{uri} is new: observing it"));
            }
            let place = Place {
                uri,
                ..resources.place.clone()
            };
            self.observe(resources.found.keep(place));
        }
        match self.parts.is_empty() {
            true => {
                let (target, words) = (&resources.place.target, resources.wanted.words());
                let text = format!("{target} offers nothing that can be observed{words}");
                Err(Error::new(Kind::Refused, text))
            }
            false => Ok(()),
        }
    }

    fn tell_most(&mut self) {
        if !std::mem::replace(&mut self.told_most, true) {
            let target = &self.resources.place.target;
            self.console.warn(format_args!(
                "{target} has more resources that can be observed: the first {MOST} are"
            ));
        }
    }

    /// One of them has ended; returns why all have, if they have.
    fn over(&mut self, at: usize, end: Result<()>) -> Option<Result<()>> {
        self.parts[at].over = true;
        if self.parts.iter().all(|part| part.over) {
            return Some(end);
        }
        if let Err(error) = end {
            self.console
                .warn(format_args!("{error}; the others are observed on"));
        }
        None
    }

    /// Whether each has said something that has not ended.
    fn all_heard(&self) -> bool {
        let mut parts = self.parts.iter();
        self.searched && parts.all(|part| part.heard || part.over)
    }

    /// Asks again what there is, where the server may have been started anew.
    fn look_again(&mut self) {
        let parts = self.parts.iter();
        let returns = parts.map(|part| part.observed.returns()).sum();
        let parts = self.parts.iter();
        let renewals: u64 = parts.map(|part| part.observed.renewals()).sum();
        let now = Instant::now();
        let is_renewed = renewals > self.renewals && now >= self.renew_at;
        if (returns > self.returns || is_renewed) && self.resources.wanted.is_matching() {
            self.search.due = true;
            self.renew_at = now + SELDOM;
        }
        (self.returns, self.renewals) = (returns, renewals);
    }
}

impl Source for Found<'_> {
    async fn drive(&mut self) -> Result<()> {
        if self.ended {
            return pending().await;
        }
        self.look_again();
        if let ([only], false) = (&mut *self.parts, self.search.is_at_work()) {
            return only.observed.drive().await;
        }
        let parts = self.parts.iter_mut().filter(|part| !part.over);
        let parts = parts.map(|part| part.observed.drive().boxed_local());
        let search = self.search.drive().map(Ok).boxed_local();
        any(parts.chain([search]).collect()).await
    }

    async fn hold(&mut self) -> Error {
        let parts = self.parts.iter_mut().filter(|part| !part.over);
        let holding = parts.map(|part| part.observed.hold().boxed_local());
        any(holding.collect()).await
    }

    fn take(&mut self, mut sink: impl FnMut(Next) -> Result<bool>) -> Result<()> {
        if self.ended {
            return Ok(());
        }
        let mut end = self.take_found().err().map(Err);
        let count = self.parts.len();
        let start = self.turn;
        self.turn = (start + 1) % count.max(1);
        for at in (0..count).map(|at| (start + at) % count) {
            let Part {
                observed, heard, ..
            } = &mut self.parts[at];
            let (mut wants_more, mut own) = (true, None);
            observed.take(|next| match next {
                Next::End(ended) => {
                    own = Some(ended);
                    Ok(true)
                }
                next => {
                    *heard = true;
                    wants_more = sink(next)?;
                    Ok(wants_more)
                }
            })?;
            if let Some(ended) = own.and_then(|ended| self.over(at, ended)) {
                end = Some(ended);
            }
            if !wants_more {
                break;
            }
        }
        if self.resources.once && end.is_none() && self.all_heard() {
            end = Some(Ok(()));
        }
        if let Some(ended) = end {
            self.ended = true;
            sink(Next::End(ended))?;
        }
        Ok(())
    }

    /// A notification was acknowledged when it came: its server would send it again otherwise.
    fn settle(&mut self, _: u64) {}

    fn awaits(&self) -> Option<String> {
        if !self.searched {
            return Some(format!("no response from {}", self.resources.place.target));
        }
        let mut parts = self.parts.iter().filter(|part| !part.over);
        parts.find_map(|part| part.observed.awaits())
    }
}

/// Asks the server what can be observed.
struct Search<'a> {
    resources: &'a Resources,
    console: Console,
    /// Whether it is to be asked.
    due: bool,
    running: Option<LocalBoxFuture<'a, Result<Vec<Uri>>>>,
    backoff: Backoff,
    /// Before when it is not asked again.
    retry_at: Option<Instant>,
    /// What it has said, until that is looked at.
    found: Option<Result<Vec<Uri>>>,
}

impl<'a> Search<'a> {
    fn new(resources: &'a Resources, due: bool, console: Console) -> Self {
        let retry = resources.place.target.retry;
        Self {
            resources,
            console,
            due,
            running: None,
            backoff: Backoff::new(retry.unwrap_or(Retry::Never)),
            retry_at: None,
            found: None,
        }
    }

    const fn is_at_work(&self) -> bool {
        self.due || self.found.is_some()
    }

    /// Returns once the server has said it, or does not. Cancel-safe.
    async fn drive(&mut self) {
        if self.found.is_some() {
            return;
        }
        if !self.due {
            return pending().await;
        }
        if let Some(at) = self.retry_at {
            sleep_until(at.into()).await;
            self.retry_at = None;
        }
        let (resources, console) = (self.resources, self.console);
        let running = self.running.get_or_insert_with(|| {
            let (session, place) = (&resources.plan.session, &resources.place);
            discover::observable(session, place, &resources.tracer, console).boxed_local()
        });
        let answered = running.await;
        self.running = None;
        let now = Instant::now();
        let wait = match &answered {
            Err(error) if is_absence(error) => self.backoff.next_after(now, Duration::ZERO),
            _ => None,
        };
        match (answered, wait) {
            (Err(error), Some(wait)) => {
                self.retry_at = Some(now + wait);
                if self.backoff.tells(error.text(), now) {
                    self.console
                        .warn(format_args!("{error}; asking again what can be observed"));
                }
            }
            (answered, _) => {
                self.due = false;
                self.backoff.reset();
                self.found = Some(answered);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_matches_path_and_topics() {
        let has = |path: Option<&str>, topics: &[&str], uri: &str| {
            let wanted = Wanted::Matching {
                path: path.map(|it| it.parse().unwrap()),
                topics: topics.iter().map(|it| ByteString::from(*it)).collect(),
            };
            wanted.has(&Uri::parse(uri).unwrap())
        };
        assert!(has(None, &[], "coap://h/a/b"));
        assert!(has(Some("sensors/+"), &[], "coap://h/sensors/x"));
        assert!(has(Some("{room}/temp"), &[], "coap://h/r%201/temp?u=c"));
        assert!(!has(Some("sensors/+"), &[], "coap://h/sensors/x/y"));
        assert!(has(None, &["x", "sensors/#"], "coap://h/sensors/x/y"));
        assert!(!has(None, &["x", "y"], "coap://h/sensors"));
        assert!(!has(Some("a/#"), &["b/#"], "coap://h/a/b"));
        assert!(!Wanted::Named.has(&Uri::parse("coap://h/a").unwrap()));
    }

    #[test]
    fn what_is_wanted_is_said() {
        let words = |path: Option<&str>, topics: &[&'static str]| {
            let wanted = Wanted::Matching {
                path: path.map(|it| it.parse().unwrap()),
                topics: topics
                    .iter()
                    .map(|it| ByteString::from_static(it))
                    .collect(),
            };
            wanted.words()
        };
        assert_eq!(words(None, &["#"]), "");
        assert_eq!(words(Some("a/{b}"), &["#"]), " and matches a/+");
        assert_eq!(words(None, &["a/#", "b"]), " and matches a/# or b");
    }
}
