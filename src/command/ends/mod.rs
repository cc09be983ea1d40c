//! The ends of a flow by name: where messages come from, and where they go.
//!
//! | name | as a source | as a target |
//! |---|---|---|
//! | `mqtt://…`, and the other schemes of MQTT | a subscription, in a session that outlives us | a publisher |
//! | `amqp://…` | a queue, or a temporary one bound to an exchange | a publisher, with confirms and returns |
//! | `coap://…/path` | an observation; without a path, or with `+`, `#` or `{name}` in it, of all that can be observed and matches | PUT of the body to a path |
//! | `coap-listen://ADDR:PORT`, also `coap+tcp-listen`, `coap+ws-listen` | what is put or posted to a server of ours | GET and Observe of the last message of each path |
//! | a name without `/` | the server of that context | the same |
//! | `sqlite:FILE`, `influx:…` | – | a store of `log`, where a command has stores |
//! | a file | recorded messages | records are appended, and are on the disk before a message is done with |
//! | `-` | records on standard input | standard output |

pub(crate) mod carry;
pub(crate) mod cycle;
pub(crate) mod hops;
mod joint;
mod metrics;
mod progress;
mod same;
pub(crate) mod source;
pub(crate) mod target;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::metrics::Metrics;
use self::progress::Progressing;
use crate::command::coap::listen::Listen;
use crate::command::hangup::reopen_at_hangup;
use crate::connect::scheme::is_plain;
use crate::connect::{
    ConnectArgs, Environment, Protocol, Retry, context_protocol, usual_protocol,
    without_credentials,
};
use crate::error::{Error, Result};
use crate::flow::{
    self, Dedup, Deduped, Fan, Merged, Origin, Ready, Refusals, Router, Source, Spooled, Stages,
    Target, Until,
};
use crate::output::Console;
use crate::stop::Stop;
use crate::store::spool::SpoolArgs;

pub(crate) use joint::Joint;
pub(crate) use same::is_same;
pub(crate) use source::SourceArgs;
pub(crate) use source::SourceEnd;
pub(crate) use target::TargetArgs;
pub(crate) use target::{AnyTarget, TargetEnd};

/// What the name of an end stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The server that this URL names.
    Url(Protocol, String),
    /// The server that the environment or the usual context names, else that of MQTT on this machine.
    Usual,
    /// The server of a context.
    Context(String),
    /// A CoAP server of our own.
    Listen(Listen),
    /// A file.
    File(PathBuf),
    /// A file of SQLite.
    Database(PathBuf),
    /// Another store, or a command, by what it is called.
    Store(String),
    /// Standard input or output (`-`).
    Standard,
}

/// What follows `influx` in the schemes of `log`.
const INFLUX: [&str; 6] = ["", "s", "2", "2s", "+tcp", "+udp"];

impl End {
    /// Reads a name; nothing is looked up.
    ///
    /// # Errors
    /// A URL with a scheme of none of the protocols.
    pub(crate) fn parse(name: &str) -> Result<Self> {
        if name == "-" {
            return Ok(Self::Standard);
        }
        if let Some(listen) = Listen::parse(name) {
            return listen.map(Self::Listen);
        }
        if is_store(name) {
            return Ok(Self::Store(name.to_owned()));
        }
        if name.starts_with("exec:") {
            let text = format!("{name:?}: a command is not named here");
            return Err(Error::usage(text)
                .hint("`iotctl route` runs one for each message, as exec says in its file"));
        }
        let scheme = name.split_once("://").map(|(scheme, _)| scheme);
        let scheme = scheme.or_else(|| name.strip_prefix("unix:").map(|_| "unix"));
        let Some(scheme) = scheme else {
            if is_host_and_port(name) && !Path::new(name).exists() {
                let text = format!("{name} looks like a server");
                let hint = format!("write mqtt://{name}, or ./{name} for a file");
                return Err(Error::usage(text).hint(hint));
            }
            return Ok(match name.contains(['/', '.']) {
                true => Self::File(name.into()),
                false => Self::Context(name.to_owned()),
            });
        };
        match Protocol::of_scheme(scheme) {
            Some(protocol) => Ok(Self::Url(protocol, name.to_owned())),
            None => {
                let text = format!("{scheme:?} is not a scheme of MQTT, CoAP or AMQP");
                Err(Error::usage(text))
            }
        }
    }

    /// Whether it is a server, of ours or of somebody else.
    pub(crate) const fn is_server(&self) -> bool {
        match self {
            Self::Url(..) | Self::Usual | Self::Context(_) | Self::Listen(_) => true,
            Self::File(_) | Self::Database(_) | Self::Store(_) | Self::Standard => false,
        }
    }

    /// Whether settings of TLS may be for it.
    pub(crate) fn may_be_encrypted(&self) -> bool {
        match self {
            Self::Url(_, url) => !is_plain(url),
            Self::Listen(listen) => !is_plain(&listen.to_string()),
            Self::Usual | Self::Context(_) => true,
            Self::File(_) | Self::Database(_) | Self::Store(_) | Self::Standard => false,
        }
    }

    /// The protocol of the server; `None`: there is none.
    ///
    /// # Errors
    /// A context that does not exist.
    pub(crate) fn protocol(&self) -> Result<Option<Protocol>> {
        Ok(match self {
            Self::Url(protocol, _) => Some(*protocol),
            Self::Usual => Some(usual_protocol(&Environment::of_process())?),
            Self::Context(name) => Some(protocol_of(name)?),
            Self::Listen(_) => Some(Protocol::Coap),
            Self::File(_) | Self::Database(_) | Self::Store(_) | Self::Standard => None,
        })
    }

    /// Whether it is known to speak AMQP.
    pub(crate) fn is_amqp(&self) -> bool {
        matches!(self.protocol(), Ok(Some(Protocol::Amqp)))
    }

    /// The file, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Database(path) => Some(path),
            Self::Url(..) | Self::Usual | Self::Context(_) => None,
            Self::Listen(_) | Self::Store(_) | Self::Standard => None,
        }
    }

    /// How to connect: `shared` is what the command line says of all its servers.
    pub(crate) fn connect(&self, shared: &ConnectArgs) -> ConnectArgs {
        match self {
            Self::Url(_, url) => ConnectArgs {
                url: Some(url.clone()),
                ..shared.for_server(url)
            },
            Self::Context(name) => ConnectArgs {
                context: Some(name.clone()),
                ..shared.clone()
            },
            Self::Listen(_) | Self::Usual | Self::Standard => shared.clone(),
            Self::File(_) | Self::Database(_) | Self::Store(_) => shared.clone(),
        }
    }
}

/// The protocol of a context.
///
/// # Errors
/// There is none of this name, and how a file is named if there is one.
fn protocol_of(name: &str) -> Result<Protocol> {
    context_protocol(name, &Environment::of_process()).map_err(|why| {
        match Path::new(name).exists() {
            true => why.hint(format!("write ./{name} for the file")),
            false => why,
        }
    })
}

/// What `log` calls a database or a time series: `sqlite:FILE`, `influx:FILE`, `influx2://HOST`.
pub(crate) fn is_store(name: &str) -> bool {
    let scheme = name.split_once(':').map_or("", |(scheme, _)| scheme);
    let influx = scheme.strip_prefix("influx");
    scheme == "sqlite" || influx.is_some_and(|rest| INFLUX.contains(&rest))
}

/// `HOST:PORT`, as servers are named without a scheme.
fn is_host_and_port(name: &str) -> bool {
    let Some((host, port)) = name.rsplit_once(':') else {
        return false;
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '[' | ']' | ':');
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    is_port && !host.is_empty() && host.chars().all(is_host)
}

/// Refuses what was said of AMQP where none of these ends speaks it.
///
/// # Errors
/// [`crate::error::Kind::Usage`] that names `flag`; a context that does not exist.
pub(crate) fn check_amqp<'a>(
    flag: &str,
    is_given: bool,
    ends: impl IntoIterator<Item = &'a End>,
) -> Result<()> {
    if !is_given {
        return Ok(());
    }
    for end in ends {
        if end.protocol()? == Some(Protocol::Amqp) {
            return Ok(());
        }
    }
    Err(Error::usage(format!("{flag} is for AMQP only")))
}

/// Refuses a file that would be read and written at the same time.
///
/// # Errors
/// [`crate::error::Kind::Usage`] that names it.
pub(crate) fn check_files<'a>(
    sources: impl IntoIterator<Item = &'a End>,
    targets: Vec<&Path>,
) -> Result<()> {
    let place = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    for source in sources {
        let End::File(path) = source else { continue };
        let is_regular = path.metadata().is_ok_and(|about| about.is_file());
        let mut targets = targets.iter();
        if is_regular && targets.any(|target| place(target) == place(path)) {
            let text = format!("{} is read from and written to", path.display());
            return Err(Error::usage(text).hint("name another file to write to"));
        }
    }
    Ok(())
}

/// Refuses a file that would be written twice at the same time.
///
/// # Errors
/// [`crate::error::Kind::Usage`] that names it.
pub(crate) fn check_twice<'a>(targets: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    let place = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut places: Vec<_> = targets.into_iter().map(place).collect();
    places.sort_unstable();
    let is_file = |path: &Path| path.metadata().map_or(true, |about| about.is_file());
    let mut pairs = places.windows(2);
    match pairs.find(|pair| pair[0] == pair[1] && is_file(&pair[0])) {
        Some([twice, ..]) => {
            let text = format!("{} is written to twice", twice.display());
            Err(Error::usage(text).hint("name another file for one of them"))
        }
        _ => Ok(()),
    }
}

/// A name that is the same for the same words, so that a session is found again.
pub(crate) fn stable_name<'a>(front: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    // FNV-1a: it has to be the same in every version of this program.
    let hash = words.into_iter().fold(0x811c_9dc5_u32, |hash, word| {
        word.bytes().chain([b' ']).fold(hash, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
    });
    format!("{front}-{hash:08x}")
}

/// The filter of the topics that a template makes of those of a filter.
pub(crate) fn image(text: &str, filter: &str) -> String {
    let text = text.replace("{topic}", filter);
    let level = |level: &str| match level.contains('{') {
        true if level.ends_with("...}") => "#".to_owned(),
        true => "+".to_owned(),
        false => level.to_owned(),
    };
    let mut levels: Vec<String> = text.split('/').map(level).collect();
    // What follows a rest may be anything.
    if let Some(at) = levels.iter().position(|level| level == "#") {
        levels.truncate(at + 1);
    }
    levels.join("/")
}

impl fmt::Display for End {
    /// As it was given, without a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(_, url) => f.write_str(&without_credentials(url)),
            Self::Store(name) if name.contains("://") => f.write_str(&without_credentials(name)),
            Self::Context(name) | Self::Store(name) => f.write_str(name),
            Self::Listen(listen) => listen.fmt(f),
            Self::File(path) | Self::Database(path) => path.display().fmt(f),
            Self::Usual => f.write_str("the usual server"),
            Self::Standard => f.write_str("-"),
        }
    }
}

/// What happens to messages between their sources and their targets, beside the routes: nothing of it, by default.
#[derive(Clone, Debug, Default)]
pub struct Between {
    /// They are kept on the disk until the targets have them.
    pub(crate) spool: Option<SpoolArgs>,
    /// Those with a key that another one had are passed over.
    pub(crate) dedup: Option<Dedup>,
    /// What has waited for another message with its key is not overtaken.
    pub(crate) in_order: bool,
    /// Who is told how far it is.
    pub(crate) reports: Reports,
}

/// Who is told how far it is: nobody, by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reports {
    /// How often a line tells it.
    pub(crate) every: Option<Duration>,
    /// Where Prometheus finds the totals.
    pub(crate) metrics: Option<SocketAddr>,
}

impl Reports {
    /// The target, of which it is told.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub(crate) async fn of<T: Target>(self, target: T, console: Console) -> Result<Progressing<T>> {
        let metrics = match self.metrics {
            Some(address) => Some(Metrics::serve(address, console).await?),
            None => None,
        };
        Ok(Progressing::new(target, self.every, metrics, console))
    }
}

impl Between {
    /// With a spool messages can come before there is a target for them.
    pub(crate) fn waits_for_targets(&self, connect: &mut ConnectArgs) {
        if self.spool.is_some() {
            connect.retry.get_or_insert(Retry::Forever);
        }
    }
}

/// Messages on their way from sources, through a router, to targets.
pub(crate) struct Passing<'a> {
    pub(crate) sources: &'a [SourceEnd],
    /// What each is called in the spool, and what else it may be called there.
    pub(crate) names: Vec<Vec<String>>,
    pub(crate) refusals: Refusals,
    pub(crate) stages: &'a Stages,
    pub(crate) between: &'a Between,
    pub(crate) until: &'a Until,
    pub(crate) ready: &'a Ready,
    /// What is said at SIGHUP, where the router does not say it itself.
    pub(crate) at_hangup: Option<&'static str>,
    pub(crate) console: Console,
}

impl Passing<'_> {
    /// Carries messages until the end that was asked for, and says in one line what became of them; the sources are closed
    /// then, and the targets by `close`. Gives back the router.
    pub(crate) async fn run<R: Router, T: Target>(
        self,
        targets: Vec<T>,
        router: impl FnOnce(Origin) -> R,
        close: impl AsyncFnOnce(Vec<T>) -> Result<()>,
    ) -> Result<(Result<()>, R)> {
        let mut stop = Stop::watch()?;
        reopen_at_hangup(&mut stop, self.at_hangup, self.console)?;
        let mut sources = Vec::new();
        for source in self.sources {
            sources.push(source.open().await?);
        }
        let mut source = Merged::new(sources);
        // What waits in a spool was answered when it came.
        let (arriving, leaving) = match self.between.spool {
            Some(_) => (source.origin(), Origin::default()),
            None => (source.origin(), source.origin()),
        };
        let fan = Fan::new(router(leaving.clone()), targets, self.refusals);
        let fan = fan.answering(leaving.clone());
        let target = Deduped::new(fan, self.between.dedup.clone(), leaving.clone())
            .in_order(self.between.in_order);
        let (reports, console) = (self.between.reports, self.console);
        let mut ended;
        let target = match &self.between.spool {
            None => {
                let mut target = reports.of(target, console).await?;
                ended = self.pass(&mut source, &mut target, &mut stop).await;
                target.into_inner()
            }
            Some(args) => {
                let (names, origins) = (self.names.clone(), [arriving, leaving]);
                let spooled = Spooled::open(args, names, origins, target, console)?;
                let mut spooled = reports.of(spooled, console).await?;
                ended = self.pass(&mut source, &mut spooled, &mut stop).await;
                let (closed, target) = stop.unless_again(spooled.into_inner().close()).await;
                ended = ended.and(closed);
                target
            }
        };
        let mut fan = target.into_inner();
        let own = fan.own_refusal().map_or(Ok(()), Err);
        let (router, targets) = fan.into_parts();
        let closing = async {
            let mut closed = Ok(());
            for source in source.into_sources() {
                closed = closed.and(source.close().await);
            }
            closed.and(close(targets).await)
        };
        let closed = stop.close(closing).await.unwrap_or(Ok(()));
        Ok((ended.and(own).and(closed), router))
    }

    async fn pass(
        &self,
        source: &mut impl Source,
        target: &mut impl Target,
        stop: &mut Stop,
    ) -> Result<()> {
        let mut announcement = self.ready.announcement()?;
        let (stages, until, console) = (self.stages, self.until, self.console);
        let mut source = announcement.watch(source);
        flow::pass(&mut source, target, stages, until, stop, console).await
    }
}

/// Opens targets; they connect when they are driven.
///
/// # Errors
/// A session that cannot be what it is to be.
pub(crate) async fn open(targets: &[TargetEnd]) -> Result<Vec<AnyTarget<'_>>> {
    let mut opened = Vec::new();
    for target in targets {
        opened.push(target.open().await?);
    }
    Ok(opened)
}

/// Ends the connections of targets in good order.
///
/// # Errors
/// The first failure.
pub(crate) async fn close(targets: Vec<AnyTarget<'_>>) -> Result<()> {
    let mut closed = Ok(());
    for target in targets {
        closed = closed.and(target.close().await);
    }
    closed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_of_a_template_has_wildcards_where_it_is_filled_in() {
        for (text, meant) in [
            ("alerts/{device}", "alerts/+"),
            ("site1/{topic}", "site1/a/+"),
            ("x/{rest...}", "x/#"),
            ("x/pre-{device}/y", "x/+/y"),
            ("fixed", "fixed"),
        ] {
            assert_eq!(image(text, "a/+"), meant);
        }
    }

    #[test]
    fn names_tell_what_they_stand_for() {
        for (name, meant) in [
            ("-", End::Standard),
            ("mqtts://h", End::Url(Protocol::Mqtt, "mqtts://h".into())),
            ("ws://h/x", End::Url(Protocol::Mqtt, "ws://h/x".into())),
            (
                "unix:/run/m",
                End::Url(Protocol::Mqtt, "unix:/run/m".into()),
            ),
            ("amqp://h", End::Url(Protocol::Amqp, "amqp://h".into())),
            (
                "coap+tcp://h/a",
                End::Url(Protocol::Coap, "coap+tcp://h/a".into()),
            ),
            ("cloud", End::Context("cloud".into())),
            ("day.ndjson", End::File("day.ndjson".into())),
            ("./cloud", End::File("./cloud".into())),
        ] {
            assert_eq!(End::parse(name).unwrap(), meant, "{name}");
        }
        for name in ["127.0.0.1:1883", "host:5672", "[::1]:1883", "a.example:1"] {
            let refused = End::parse(name).unwrap_err();
            assert_eq!(refused.text(), format!("{name} looks like a server"));
        }
        for name in ["./host:1883", "a/b:1", "2026-01-01T10:00:00.ndjson"] {
            assert_eq!(End::parse(name).unwrap(), End::File(name.into()));
        }
        let refused = End::parse("http://h").unwrap_err();
        assert_eq!(
            refused.text(),
            "\"http\" is not a scheme of MQTT, CoAP or AMQP"
        );
    }
}
