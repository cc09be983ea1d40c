//! `coap rd`: its flags, and the plans they make.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clap::{Args, Subcommand, ValueEnum};

use crate::command::coap::keep::Keep;
use crate::command::coap::rd::{Action, Links, Lookup, Plan, Register, Registration};
use crate::connect::without_credentials;
use crate::error::{Error, Result};
use crate::payload::Source;
use crate::payload::link;

use super::discover::DiscoverOutput;
use super::flags::{CoapConnectFlags, OptionFlags, TransferFlags};
use crate::cli::flags::format::ReportFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::help;
use crate::cli::syntax::numbers::{Count, Wait};
use crate::cli::syntax::values;

#[derive(Subcommand, Debug)]
pub(crate) enum Rd {
    /// Register an endpoint and its links, and print the URI of the registration
    #[command(disable_help_flag = true, after_help = help::below("coap rd register"))]
    Register(Box<RegisterFlags>),

    /// Extend a registration, or change its attributes
    #[command(disable_help_flag = true, after_help = help::below("coap rd update"))]
    Update(Box<UpdateFlags>),

    /// Remove a registration
    #[command(disable_help_flag = true, after_help = help::below("coap rd remove"))]
    Remove(Box<RemoveFlags>),

    /// Find resources or endpoints
    #[command(disable_help_flag = true, after_help = help::below("coap rd lookup"))]
    Lookup(Box<LookupFlags>),
}

impl Rd {
    pub(crate) fn plan(self) -> Result<Plan> {
        match self {
            Self::Register(flags) => flags.plan(),
            Self::Update(flags) => flags.plan(),
            Self::Remove(flags) => Ok(flags.plan()),
            Self::Lookup(flags) => flags.plan(),
        }
    }
}

/// Request and connection flags.
#[derive(Args, Debug)]
struct AskingFlags {
    #[command(flatten)]
    options: OptionFlags,

    #[command(flatten)]
    transfer: TransferFlags,

    #[command(flatten)]
    connect: CoapConnectFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl AskingFlags {
    fn plan(self, uri: Option<String>, action: Action) -> Plan {
        let uris = uri.into_iter().collect();
        Plan {
            session: self.transfer.session(uris, self.connect, self.options),
            action,
            style: self.terminal.style(),
        }
    }
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Registration")]
pub(crate) struct RegisterFlags {
    /// The directory: coap://HOST[:PORT], whose interface is discovered; with a path, the interface itself
    #[arg(value_name = "URI", help_heading = None)]
    uri: Option<String>,

    /// Name of the endpoint, at most 63 bytes
    #[arg(long, value_name = "NAME")]
    ep: String,

    /// Sector of the endpoint
    #[arg(short = 'd', long, value_name = "SECTOR")]
    sector: Option<String>,

    #[command(flatten)]
    said: SaidFlags,

    #[command(flatten)]
    links: LinkFlags,

    #[command(flatten)]
    keep: KeepFlags,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    asking: AskingFlags,
}

/// The attributes of a registration.
#[derive(Args, Debug)]
struct SaidFlags {
    /// Lifetime of the registration, in whole seconds [default: the directory's, usually 25 hours]
    #[arg(long, visible_alias = "lt", value_name = "TIME")]
    lifetime: Option<Wait>,

    /// Base URI of the links, such as coap://device.example [default: the source address of the registration]
    #[arg(long, value_name = "URI")]
    base: Option<String>,

    /// Further endpoint attribute, such as et=oic.d.sensor; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = endpoint_attribute)]
    attribute: Vec<String>,
}

/// What an update changes; the rest stays (RFC 9176 §5.3.1).
#[derive(Args, Debug)]
struct ChangeFlags {
    /// New lifetime of the registration, in whole seconds [default: its last one]
    #[arg(long, visible_alias = "lt", value_name = "TIME")]
    lifetime: Option<Wait>,

    /// New base URI of the links, such as coap://device.example [default: the one that was given; without one, the source address of the update]
    #[arg(long, value_name = "URI")]
    base: Option<String>,

    /// Endpoint attribute to set, such as et=oic.d.sensor; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = endpoint_attribute)]
    attribute: Vec<String>,
}

/// Where the links come from: one of these.
#[derive(Args, Debug)]
#[command(next_help_heading = "Links")]
struct LinkFlags {
    /// Links in link-format, as in the examples
    #[arg(short = 'm', long, value_name = "LINKS", group = "links")]
    message: Option<OsString>,

    /// File of links
    #[arg(short = 'f', long, value_name = "FILE", group = "links")]
    file: Option<PathBuf>,

    /// Links from standard input
    #[arg(short = 's', long, group = "links")]
    stdin: bool,

    /// Links advertised by this server, coap://HOST[:PORT], which also becomes the base
    #[arg(long, value_name = "URI", group = "links")]
    links_of: Option<String>,

    /// Simple registration: the directory fetches the links from the source address of the request to its /.well-known/rd
    #[arg(long, conflicts_with_all = ["base", "links_of"])]
    simple: bool,
}

/// How long a registration is kept.
#[derive(Args, Debug)]
#[command(next_help_heading = "Keeping")]
struct KeepFlags {
    /// Keep running: update the registration before it expires, register again if the directory lost it, and remove it at the end (by a signal, --for or -C)
    #[arg(short = 'k', long)]
    keep: bool,

    /// With --keep: end after this long, with exit code 0 unless the registration is lost then
    #[arg(long = "for", value_name = "TIME")]
    duration: Option<Wait>,

    /// With --keep: end after this many updates, with exit code 0
    #[arg(short = 'C', long, value_name = "COUNT")]
    count: Option<Count>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Registration")]
pub(crate) struct UpdateFlags {
    /// The registration, as register prints it
    #[arg(value_name = "URI", help_heading = None)]
    uri: Option<String>,

    #[command(flatten)]
    change: ChangeFlags,

    #[command(flatten)]
    asking: AskingFlags,
}

#[derive(Args, Debug)]
pub(crate) struct RemoveFlags {
    /// The registration, as register prints it
    #[arg(value_name = "URI", help_heading = None)]
    uri: Option<String>,

    #[command(flatten)]
    asking: AskingFlags,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Finding")]
pub(crate) struct LookupFlags {
    /// What to look up
    #[arg(value_name = "WHAT", help_heading = None)]
    what: LookupWord,

    /// The directory: coap://HOST[:PORT], whose interface is discovered; with a path, the interface itself
    #[arg(value_name = "URI", help_heading = None)]
    uri: Option<String>,

    /// Filter, such as rt=temperature, ep=node-*, or page=0 and count=10; a trailing * matches any suffix; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = attribute)]
    filter: Vec<String>,

    /// Output format: table, tree, json (one object per line), paths, or raw (the unmodified response)
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "table",
        help_heading = "Output"
    )]
    output: DiscoverOutput,

    #[command(flatten)]
    asking: AskingFlags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LookupWord {
    /// Resources
    #[value(alias = "resources")]
    Res,
    /// Endpoints
    #[value(alias = "endpoints")]
    Ep,
}

impl RegisterFlags {
    fn plan(self) -> Result<Plan> {
        let mut endpoint = vec![format!("ep={}", bounded("--ep", self.ep)?)];
        if let Some(sector) = self.sector {
            endpoint.push(format!("d={}", bounded("--sector", sector)?));
        }
        let action = Action::Register(Register {
            endpoint,
            registration: self.said.registration()?,
            simple: self.links.simple,
            links: self.links.links()?,
            keep: self.keep.keep()?,
            json: self.report.json(),
        });
        Ok(self.asking.plan(self.uri, action))
    }
}

impl KeepFlags {
    fn keep(self) -> Result<Option<Keep>> {
        values::needs("--for", self.duration.is_some(), "--keep", self.keep)?;
        values::needs("--count", self.count.is_some(), "--keep", self.keep)?;
        if self.count == Some(Count(0)) {
            return Err(Error::usage("-C must be at least 1"));
        }
        Ok(self.keep.then_some(Keep {
            count: self.count.map(|Count(count)| count),
            duration: self.duration.map(|Wait(time)| time),
        }))
    }
}

impl UpdateFlags {
    fn plan(self) -> Result<Plan> {
        let ChangeFlags {
            lifetime,
            base,
            attribute,
        } = self.change;
        let said = SaidFlags {
            lifetime,
            base,
            attribute,
        };
        let action = Action::Update(said.registration()?);
        Ok(self.asking.plan(self.uri, action))
    }
}

impl RemoveFlags {
    fn plan(self) -> Plan {
        self.asking.plan(self.uri, Action::Remove)
    }
}

impl LookupFlags {
    fn plan(self) -> Result<Plan> {
        let action = Action::Lookup {
            what: match self.what {
                LookupWord::Res => Lookup::Resources,
                LookupWord::Ep => Lookup::Endpoints,
            },
            filters: self.filter,
            shape: self.output.shape(),
        };
        Ok(self.asking.plan(self.uri, action))
    }
}

/// The lifetime of a registration (RFC 9176 §5): from 1 to 4294967295 seconds.
///
/// # Errors
/// It is another length of time.
pub(in crate::cli) fn lifetime(given: Option<Wait>) -> Result<Option<Duration>> {
    let lifetime = given.map(|Wait(time)| time);
    let whole = |time: &Duration| {
        time.subsec_nanos() == 0 && (1..=u64::from(u32::MAX)).contains(&time.as_secs())
    };
    match lifetime.as_ref().is_none_or(whole) {
        true => Ok(lifetime),
        false => Err(Error::usage(
            "--lifetime must be whole seconds from 1 to 4294967295",
        )),
    }
}

impl SaidFlags {
    fn registration(self) -> Result<Registration> {
        let lifetime = lifetime(self.lifetime)?;
        if let Some(base) = &self.base
            && !base.contains("://")
        {
            return Err(Error::usage(format!(
                "--base {} is not an absolute URI such as coap://device.example",
                without_credentials(base)
            )));
        }
        Ok(Registration {
            lifetime,
            base: self.base,
            attributes: self.attribute,
        })
    }
}

impl LinkFlags {
    fn links(self) -> Result<Links> {
        Ok(match self {
            Self {
                message: Some(text),
                ..
            } => {
                let text = Bytes::from(text.into_vec());
                let read = str::from_utf8(&text).map(link::parse);
                if let Ok(Err(fault)) = read {
                    return Err(Error::usage(format!("-m: {fault}")));
                }
                Links::Of(Source::Text(text))
            }
            Self {
                file: Some(file), ..
            } => Links::Of(Source::File(file)),
            Self {
                links_of: Some(uri),
                ..
            } => Links::Device(uri),
            Self { stdin: true, .. } => Links::Of(Source::Stdin),
            _ => {
                return Err(Error::usage("there are no links to register")
                    .hint("use -m LINKS, -f FILE, -s for standard input, or --links-of URI"));
            }
        })
    }
}

/// Names of endpoints and sectors have 1 to 63 bytes (RFC 9176 §5).
fn bounded(flag: &str, name: String) -> Result<String> {
    match name.len() {
        1..=63 => Ok(name),
        length => Err(Error::usage(format!(
            "{flag} has {length} bytes; it must have 1 to 63"
        ))),
    }
}

/// Names that mean something else in the query of a registration or of a lookup (RFC 9176 §5, §6.1).
fn endpoint_attribute(word: &str) -> Result<String, String> {
    let instead = match word.split_once('=').map(|(name, _)| name) {
        Some("lt") => "use --lifetime",
        Some("base") => "use --base",
        Some("ep") => "use --ep of register",
        Some("d") => "use --sector of register",
        Some("page" | "count" | "href") => "lookups use it",
        _ => return attribute(word),
    };
    Err(format!("the name is reserved: {instead}"))
}

fn attribute(word: &str) -> Result<String, String> {
    match word.split_once('=') {
        Some((name, _)) if !name.is_empty() && word.len() <= 255 => Ok(word.to_owned()),
        Some(_) => Err(String::from("it has no name, or more than 255 bytes")),
        None => Err(format!("{word:?} is not NAME=VALUE")),
    }
}
