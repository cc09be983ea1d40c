//! A resource directory that is being asked, and what it asks of us.

use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout};

use super::client::{RequestClient, Tracer, next_of};
use super::discover::{links_of, well_known};
use super::request::tell;
use super::session::{Place, SessionArgs, failed, refused};
use crate::coap::code::Code;
use crate::coap::endpoint::{Config, Event, Incoming, Reply, Response};
use crate::coap::format;
use crate::coap::option;
use crate::coap::uri::{self, Uri};
use crate::error::{Error, Kind, Result};
use crate::output::{Console, Format, Output, Style};
use crate::payload::link::{self, Filter, Link};

/// How long the end of a connection may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// A directory that is being asked.
pub(crate) struct Directory<'a> {
    session: &'a SessionArgs,
    watch: Tracer,
    pub(crate) notes: Console,
    pub(crate) output: Output,
    /// What we say of ourselves, where the directory may ask for it.
    says: Option<Vec<Link>>,
    /// The connection of the last request.
    connection: Option<RequestClient>,
}

impl<'a> Directory<'a> {
    pub(crate) fn open(session: &'a SessionArgs, style: Style) -> Result<Self> {
        let notes = Console::new(style);
        Ok(Self {
            session,
            watch: Tracer::open(session, notes)?,
            notes,
            output: Output::open(Format::Raw, style)?,
            says: None,
            connection: None,
        })
    }

    /// From now on the directory is answered when it asks for our links (RFC 9176 §5.1).
    pub(crate) fn answer_with(&mut self, links: Vec<Link>) {
        self.says = Some(links);
        // It would be no such endpoint.
        self.connection = None;
    }

    pub(crate) const fn session(&self) -> &'a SessionArgs {
        self.session
    }

    /// Ends the connection; says whether everything is in the capture.
    pub(crate) async fn finish(&mut self) -> Result<()> {
        if let Some(connection) = &mut self.connection {
            // A peer that does not read cannot hold us.
            let _ = timeout(GOODBYE, connection.close()).await;
        }
        self.watch.finish(self.session)
    }

    /// Its interface of this type: the place that was named, or what its server's list says (§4.3).
    pub(crate) async fn find(&mut self, place: Place, resource_type: &str) -> Result<Place> {
        if !place.uri.path.is_empty() {
            return Ok(place);
        }
        let mut list = place.clone();
        list.uri.path = well_known();
        list.uri.query = vec![format!("rt={resource_type}")];
        let reply = self.ask(Code::GET, &list, None).await?;
        let links = links_of(&reply, &list)?;
        let is_it = |link: &&Link| link.words("rt").any(|word| word == resource_type);
        let Some(found) = links.iter().find(is_it) else {
            let text = format!(
                "{} is not a resource directory: it has no {resource_type}",
                place.uri
            );
            return Err(Error::new(Kind::Refused, text)
                .hint("use a URI with the path of the directory's interface"));
        };
        let bad = |fault: uri::BadUri| {
            let text = format!("{} names an invalid {resource_type}: {fault}", place.uri);
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

    /// One request, and its answer, which is a success.
    pub(crate) async fn ask(
        &mut self,
        method: Code,
        place: &Place,
        links: Option<&str>,
    ) -> Result<Reply> {
        let reply = self.exchange(method, place, links).await?;
        if reply.response.code.is_success() {
            Ok(reply)
        } else {
            Err(refused(&place.uri, &reply))
        }
    }

    /// One request, and its answer, whatever that says.
    pub(crate) async fn exchange(
        &mut self,
        method: Code,
        place: &Place,
        links: Option<&str>,
    ) -> Result<Reply> {
        let session = self.session;
        let name = place.target.to_string();
        let same = self.connection.take().filter(|it| it.leads_to(&name));
        let mut connection = match same {
            Some(connection) => connection,
            None => {
                let limit = self.session.transfer.timeout;
                RequestClient::open_with(self.config(), limit, &self.watch, place).await?
            }
        };
        if connection.is_group() {
            return Err(Error::usage(
                "a multicast group is not a resource directory",
            ));
        }
        self.begin(&mut connection, method, place, links)?;
        let reply = loop {
            match connection.next().await {
                Event::Reply { reply, .. } => break reply,
                Event::Failed { failure, .. } => return Err(failed(place, &failure, None)),
                Event::Finished { .. } => {
                    return Err(Error::usage(
                        "no-response cannot be used here: a response is needed",
                    ));
                }
                other => heard(&mut connection, other, self),
            }
        };
        self.connection = Some(connection);
        session.show_reply(&reply, self.notes);
        Ok(reply)
    }

    fn config(&self) -> Config {
        Config {
            serve: self.says.is_some(),
            ..self.session.config()
        }
    }

    fn begin(
        &self,
        connection: &mut RequestClient,
        method: Code,
        place: &Place,
        links: Option<&str>,
    ) -> Result<()> {
        let session = self.session;
        let mut request = session.request(connection, place, method)?;
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
        request.payload = links.unwrap_or_default().to_owned().into();
        session.show_request(&request, &place.uri, self.notes);
        connection.ask(place, session.proxy_mode, request)
    }

    /// Lets time pass, and answers what the directory asks meanwhile.
    ///
    /// # Errors
    /// Nobody reads our output any more.
    pub(crate) async fn idle(&mut self, until: Instant) -> Result<()> {
        let mut taken = self.connection.take();
        let ended = loop {
            tokio::select! {
                () = sleep_until(until.into()) => break Ok(()),
                () = self.output.reader_gone() => {
                    break Err(Error::new(Kind::ReaderGone, "the reader of standard output closed it"));
                }
                event = next_of(&mut taken) => if let Some(connection) = &mut taken {
                    heard(connection, event, self);
                },
            }
        };
        self.connection = taken;
        ended
    }
}

/// Takes an event that no request of ours waits for.
fn heard(connection: &mut RequestClient, event: Event, directory: &Directory<'_>) {
    let verbose = directory.session.verbose;
    match (event, &directory.says) {
        (Event::Incoming(request), Some(links)) => {
            if verbose {
                let (method, path) = (request.method, request.path());
                let peer = request.peer;
                directory
                    .notes
                    .plain(format_args!("* {peer} requests {method:?} {path}"));
            }
            connection.respond(request.exchange, said(&request, links));
        }
        (other, _) => tell(&other, directory.notes, verbose),
    }
}

/// What we say of ourselves (RFC 6690 §4).
fn said(request: &Incoming, links: &[Link]) -> Response {
    match (request.path().as_str(), request.method) {
        ("/.well-known/core", Code::GET) => {
            if !request.accepts(Some(format::LINK)) {
                return Response::new(Code::NOT_ACCEPTABLE);
            }
            let filters: Vec<Filter> = request.query().iter().map(|it| Filter::parse(it)).collect();
            let is_wanted = |link: &&Link| filters.iter().all(|filter| filter.matches(link));
            let wanted: Vec<Link> = links.iter().filter(is_wanted).cloned().collect();
            Response::content(format::LINK, link::write(&wanted))
        }
        ("/.well-known/core", _) => Response::new(Code::METHOD_NOT_ALLOWED),
        _ => Response::new(Code::NOT_FOUND),
    }
}

/// Scheme, host and port.
pub(crate) fn origin(uri: &Uri) -> String {
    let bare = Uri {
        path: Vec::new(),
        query: Vec::new(),
        ..uri.clone()
    };
    bare.to_string().trim_end_matches('/').to_owned()
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
