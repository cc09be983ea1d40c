//! What every CoAP client command says about its requests, and how they end.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

use super::client::{ProxyMode, RequestClient, spell_by_scheme};
use super::record;
use crate::coap::block::Szx;
use crate::coap::code::Code;
use crate::coap::endpoint::{Config, Failure, Loss, Partial, Reply, Request};
use crate::coap::message::Token;
use crate::coap::option::{self, Options};
use crate::coap::uri::{BadUri, Host, Uri};
use crate::connect::{
    self, ConnectArgs, Environment, Protocol, Target, or_context, without_credentials,
};
use crate::error::{Cause, Error, Kind, Result, counted};
use crate::file;
use crate::output::Console;

/// How long the members of a group may answer unless the user says otherwise.
pub(crate) const COLLECT: Duration = Duration::from_secs(5);

/// The words about the requests of one command.
#[derive(Clone, Debug)]
pub struct SessionArgs {
    /// How to connect, and where to for URIs that are only a path.
    pub connect: ConnectArgs,
    /// Absolute URIs, or paths below what `connect` says.
    pub uris: Vec<String>,
    /// How requests travel.
    pub transfer: Transfer,
    /// More options for each request.
    pub options: Vec<OptionWord>,
    /// Whom to ask in place of the URI's host.
    pub proxy: Option<String>,
    /// How the proxy is told what is asked for.
    pub proxy_mode: ProxyMode,
    /// A file for Wireshark that gets every message.
    pub pcap: Option<PathBuf>,
    /// Show the lines of request and response on standard error.
    pub verbose: bool,
    /// Show every message on standard error.
    pub trace: bool,
}

/// How requests travel.
#[derive(Clone, Debug, PartialEq)]
pub struct Transfer {
    /// Sent again until acknowledged.
    pub confirmable: bool,
    /// The wait for an answer; `None`: as long as the RFC has it.
    pub timeout: Option<Duration>,
    /// ACK_TIMEOUT.
    pub ack_timeout: Option<Duration>,
    /// MAX_RETRANSMIT.
    pub max_retransmit: Option<u8>,
    /// The largest block; a size that was said is asked for at once.
    pub block: Option<Szx>,
    /// How long the members of a group may answer.
    pub collect: Duration,
    /// The largest body of a response, in bytes.
    pub body_limit: Option<usize>,
}

impl Default for Transfer {
    fn default() -> Self {
        Self {
            confirmable: true,
            timeout: None,
            ack_timeout: None,
            max_retransmit: None,
            block: None,
            collect: COLLECT,
            body_limit: None,
        }
    }
}

/// What a request says that is mostly left to us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wording {
    /// Its token; random ones otherwise.
    pub token: Option<Token>,
    /// Leave Uri-Host out.
    pub no_host: bool,
}

impl Wording {
    pub(crate) fn apply(self, request: &mut Request) {
        request.token = self.token;
        if self.no_host {
            request.options.remove(option::URI_HOST);
        }
    }
}

/// An option as the user gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionWord {
    /// Its number.
    pub number: u16,
    /// Its value, or the file that holds it.
    pub value: OptionValue,
}

/// The value of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionValue {
    /// These bytes.
    Bytes(Bytes),
    /// The content of this file.
    File(PathBuf),
}

/// What is asked, and where.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) uri: Uri,
    /// Who is connected to: the URI's host, or a proxy.
    pub(crate) target: Target,
    pub(crate) proxied: bool,
}

/// A URI with several hosts: the same with the first one alone, and the URL of all servers.
fn several_hosts(word: &str) -> Option<(String, String)> {
    let (scheme, rest) = word.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (first, _) = authority.split_once(',')?;
    Some((
        format!("{scheme}://{first}{path}"),
        format!("{scheme}://{authority}"),
    ))
}

impl SessionArgs {
    /// Usual requests to the URI that `connect` names, or else to the root of its server.
    pub(crate) fn of(mut connect: ConnectArgs) -> Self {
        let uri = connect.url.take();
        Self {
            connect,
            uris: vec![uri.unwrap_or_else(|| String::from("/"))],
            transfer: Transfer::default(),
            options: Vec::new(),
            proxy: None,
            proxy_mode: ProxyMode::default(),
            pcap: None,
            verbose: false,
            trace: false,
        }
    }

    /// What is to be asked, in order; at least one.
    pub(crate) fn places(&self) -> Result<Vec<Place>> {
        let environment = Environment::of_process();
        if self.uris.is_empty() {
            return Ok(vec![self.place(None, &environment)?]);
        }
        let places = self.uris.iter();
        places
            .map(|word| self.place(Some(word), &environment))
            .collect()
    }

    /// The one thing to be asked.
    pub(crate) fn only_place(&self) -> Result<Place> {
        let environment = Environment::of_process();
        self.place(self.uris.first().map(String::as_str), &environment)
    }

    /// What an absolute URI names that came up on the way.
    pub(crate) fn place_of(&self, uri: &str) -> Result<Place> {
        let mut words = self.clone();
        (words.connect.host, words.connect.port) = (None, None);
        words.place(Some(uri), &Environment::of_process())
    }

    fn place(&self, word: Option<&str>, environment: &Environment) -> Result<Place> {
        let bad = |fault| bad_uri(word.unwrap_or_default(), "", &fault);
        let mut connect = self.connect.clone();
        if let Some(proxy) = &self.proxy {
            let uri = word.filter(|word| Uri::is_absolute(word)).ok_or_else(|| {
                Error::usage("--proxy needs an absolute URI")
                    .hint("the proxy forwards the request to the host of the URI")
            })?;
            let uri = Uri::parse(uri).map_err(bad)?;
            return self.proxied(uri, proxy, environment);
        }
        if let Some(word) = word.filter(|word| Uri::is_absolute(word)) {
            if connect.host.is_some() || connect.port.is_some() {
                return Err(
                    Error::usage("an absolute URI cannot be used with --host or --port")
                        .hint("with -h the URI must be a path, such as /.well-known/core"),
                );
            }
            let (first, all) = match several_hosts(word) {
                Some((first, all)) => (Uri::parse(&first).map_err(bad)?, Some(all)),
                None => (Uri::parse(word).map_err(bad)?, None),
            };
            let uri = first;
            let (scheme, host) = (uri.scheme.name(), &uri.host);
            connect.url = Some(match all {
                Some(all) => all,
                // DNS has the port.
                None if connect.srv && uri.port == uri.scheme.default_port() => {
                    format!("{scheme}://{host}")
                }
                None => format!("{scheme}://{host}:{}", uri.port),
            });
            let target = connect.resolve(Protocol::Coap, environment)?;
            let proxied = false;
            return Ok(Place {
                uri,
                target,
                proxied,
            });
        }
        if let Some(word) = word.filter(|word| !is_path(word)) {
            return Err(or_context(no_scheme(word), Some(word), environment));
        }
        let mut target = connect.resolve(Protocol::Coap, environment)?;
        let path = target.path.take().unwrap_or_default();
        let base = Uri::parse(&format!("{target}{path}")).map_err(bad)?;
        let uri = base.join(word.unwrap_or_default()).map_err(bad)?;
        let proxied = false;
        Ok(Place {
            uri,
            target,
            proxied,
        })
    }

    fn proxied(&self, uri: Uri, proxy: &str, environment: &Environment) -> Result<Place> {
        let mut connect = self.connect.clone();
        if connect.host.is_some() || connect.port.is_some() {
            return Err(Error::usage("--proxy cannot be used with --host or --port"));
        }
        let bad = |fault| bad_uri(proxy, " for --proxy", &fault);
        let there = Uri::parse(proxy).map_err(bad)?;
        if !there.path.is_empty() || !there.query.is_empty() {
            let proxy = without_credentials(proxy);
            return Err(Error::usage(format!(
                "--proxy {proxy} must not have a path"
            )));
        }
        connect.url = Some(format!(
            "{}://{}:{}",
            there.scheme.name(),
            there.host,
            there.port
        ));
        let target = connect.resolve(Protocol::Coap, environment)?;
        let proxied = true;
        Ok(Place {
            uri,
            target,
            proxied,
        })
    }

    /// The settings of an endpoint.
    pub(crate) fn config(&self) -> Config {
        let usual = Config::default();
        let transfer = &self.transfer;
        Config {
            // Who says when to send again means that.
            adapt: transfer.ack_timeout.is_none() && transfer.max_retransmit.is_none(),
            ack_timeout: transfer.ack_timeout.unwrap_or(usual.ack_timeout),
            max_retransmit: transfer.max_retransmit.unwrap_or(usual.max_retransmit),
            body_limit: transfer.body_limit.unwrap_or(usual.body_limit),
            ..usual
        }
    }

    /// A request for `uri` with all that the user said.
    pub(crate) fn request(
        &self,
        client: &RequestClient,
        place: &Place,
        method: Code,
    ) -> Result<Request> {
        let uri = &place.uri;
        let mut request = Request::new(client.peer(), method);
        let transfer = &self.transfer;
        // A group is never asked to acknowledge (RFC 7252 §8.1).
        request.confirmable = transfer.confirmable && !client.is_group();
        request.group = client.is_group().then_some(transfer.collect);
        request.deadline = transfer.timeout;
        request.block = transfer.block;
        request.early = transfer.block.is_some();
        match &uri.host {
            _ if place.proxied => spell_by_scheme(&mut request.options, uri, place.target.port),
            // The group's name says nothing to its members.
            Host::Name(_) if client.is_group() => uri.add_local_to(&mut request.options),
            _ => uri.add_to(&mut request.options),
        }
        add_options(&self.options, &mut request.options)?;
        Ok(request)
    }

    /// Shows a request, for `-v`.
    pub(crate) fn show_request(&self, request: &Request, uri: &Uri, notes: Console) {
        if self.verbose {
            let uri = shown(uri);
            let mut rest = record::options_line(&request.options, false);
            record::push_length(&mut rest, request.payload.len());
            notes.plain(format_args!("> {:?} {uri}{rest}", request.method));
        }
    }

    /// Shows a response, for `-v`.
    pub(crate) fn show_reply(&self, reply: &Reply, notes: Console) {
        if self.verbose {
            let line = record::response_line(&reply.response);
            let (from, elapsed) = (reply.from, reply.elapsed.as_secs_f64() * 1e3);
            let blocks = match reply.blocks {
                0 | 1 => String::new(),
                blocks => format!(" in {blocks} blocks"),
            };
            notes.plain(format_args!(
                "< {line}{blocks} from {from} after {elapsed:.3} ms"
            ));
        }
    }
}

/// Whether a word is a path on the server that is named elsewhere; `//` would begin another server's name.
fn is_path(word: &str) -> bool {
    word.starts_with('/') && !word.starts_with("//")
}

/// A word that may be a server or a path: to guess would ask, or change, the wrong one.
fn no_scheme(word: &str) -> Error {
    let word = without_credentials(word);
    let error = Error::usage(format!("invalid URI {word:?}: no scheme"));
    let word = word.trim_start_matches('/');
    match word.starts_with(|letter: char| letter.is_alphanumeric() || letter == '[') {
        true => error.hint(format!(
            "use coap://{word}, or /{word} for a path on the server named with -h"
        )),
        false => {
            error.hint("use coap://HOST/PATH, or /PATH for a path on the server named with -h")
        }
    }
}

/// What is wrong with a URI, without what may be a password or a token in it.
fn bad_uri(word: &str, place: &str, fault: &BadUri) -> Error {
    let word = without_credentials(word);
    let error = Error::usage(format!("invalid URI {word}{place}: {fault}"));
    match fault {
        BadUri::User => error.hint("use --psk-identity and --psk-file, or --cert and --key"),
        _ => error,
    }
}

/// Adds options as the user gave them; reads their files.
///
/// # Errors
/// A file that cannot be read; a value that the option cannot have.
pub(crate) fn add_options(words: &[OptionWord], options: &mut Options) -> Result<()> {
    for word in words {
        let value = match &word.value {
            OptionValue::Bytes(bytes) => bytes.clone(),
            OptionValue::File(path) => file::read(path, file::SMALL)?.into(),
        };
        let name =
            || option::name(word.number).map_or_else(|| word.number.to_string(), String::from);
        let limits =
            option::registered(word.number).map_or((0, option::LONGEST_VALUE), |it| it.length);
        if !(limits.0..=limits.1).contains(&value.len()) {
            return Err(Error::usage(format!(
                "the option {} has {}; it must have {} to {}",
                name(),
                counted(value.len() as u64, "byte"),
                limits.0,
                limits.1
            )));
        }
        options.push(word.number, value);
    }
    Ok(())
}

/// A URI as errors show it: its query may carry a token.
pub(crate) fn shown(uri: &Uri) -> String {
    let mut shown = uri.clone();
    shown.query.clear();
    shown.to_string()
}

/// Why an answer that is no success ends the command.
pub(crate) fn refused(uri: &Uri, reply: &Reply) -> Error {
    let response = &reply.response;
    let diagnostic = record::diagnostic(response)
        .map(|text| format!(": {text}"))
        .unwrap_or_default();
    let kind = match response.code {
        Code::UNAUTHORIZED | Code::FORBIDDEN => Kind::Unauthorized,
        _ => Kind::Refused,
    };
    let bare = if reply.bare {
        " (not protected by OSCORE)"
    } else {
        ""
    };
    let text = format!("{}: {:?}{bare}{diagnostic}", shown(uri), response.code);
    let mut error = Error::new(kind, text);
    if response.code == Code::HOP_LIMIT_REACHED {
        error = error.because(Cause::HopLimit);
    }
    match hint_text(reply) {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Whether an error says that the server is not there: another connection may find it again.
pub(crate) fn is_absence(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::Unreachable | Kind::TimedOut | Kind::Lost
    )
}

/// Whether an answer is about the state of the server, which may change, and not about the request.
pub(crate) const fn is_outage(code: Code) -> bool {
    let permanent = matches!(
        code,
        Code::NOT_IMPLEMENTED | Code::PROXYING_NOT_SUPPORTED | Code::HOP_LIMIT_REACHED
    );
    matches!(code, Code::TOO_MANY_REQUESTS) || code.class() == 5 && !permanent
}

/// How long an answer wants us to wait before the next request (RFC 7252 §5.9.3.4, RFC 8516 §3).
pub(crate) fn retry_after(reply: &Reply) -> Duration {
    let options = &reply.response.options;
    let seconds = match reply.response.code {
        Code::SERVICE_UNAVAILABLE | Code::TOO_MANY_REQUESTS
            if options.contains(option::MAX_AGE) =>
        {
            options.max_age()
        }
        _ => 0,
    };
    Duration::from_secs(seconds.into())
}

fn hint_text(reply: &Reply) -> Option<String> {
    let options = &reply.response.options;
    let said = |words: &str| reply.response.payload.starts_with(words.as_bytes());
    Some(match reply.response.code {
        // What RFC 8613 §8.2 has a server say, unprotected.
        Code::UNAUTHORIZED if said("Security context not found") => {
            String::from("check --oscore-sender-id and --oscore-id-context")
        }
        Code::UNAUTHORIZED if said("Replay detected") => String::from(
            "the server has seen higher sequence numbers: another client uses these keys, or the stored number was lost",
        ),
        Code::BAD_REQUEST if said("Decryption failed") => {
            String::from("check --oscore-secret, --oscore-salt and the IDs")
        }
        Code::NOT_ACCEPTABLE => String::from("use --accept to request another content format"),
        Code::UNSUPPORTED_CONTENT_FORMAT => {
            String::from("use --content-format to send another one")
        }
        Code::REQUEST_ENTITY_TOO_LARGE => {
            let size = options.uint(option::SIZE1)?;
            format!("the server accepts at most {size} bytes")
        }
        _ => match retry_after(reply).as_secs() {
            0 => return None,
            seconds => format!("try again after {seconds} s"),
        },
    })
}

/// Why a request without answer ends the command.
pub(crate) fn failed(place: &Place, failure: &Failure, partial: Option<&Partial>) -> Error {
    let uri = shown(&place.uri);
    let came = partial
        .map(|partial| partial.response.payload.len())
        .filter(|length| *length > 0)
        .map(|length| format!("; received {} of the body", counted(length as u64, "byte")))
        .unwrap_or_default();
    let kind = match failure {
        Failure::TimedOut { .. } | Failure::GaveUp { .. } => Kind::TimedOut,
        Failure::Disconnected(Loss {
            timed_out: true, ..
        }) => Kind::TimedOut,
        Failure::Unreachable => {
            let text = format!("cannot connect to {}: {failure}", place.target);
            return Error::new(Kind::Unreachable, text);
        }
        // The server does not accept our certificate, most often.
        Failure::Disconnected(Loss {
            alert: Some(alert), ..
        }) => return connect::refused(&place.target, *alert),
        Failure::Unsendable(_) => Kind::Usage,
        _ => Kind::Lost,
    };
    let error = Error::new(kind, format!("{uri}: {failure}{came}"));
    match failure {
        Failure::TimedOut {
            acknowledged: true, ..
        } => error.hint("use --timeout TIME to wait longer"),
        Failure::TooLarge { .. } => error.hint("use --body-limit SIZE to accept more"),
        _ => error,
    }
}
