//! `ota serve`, `ota publish` and `ota status`: their flags, and the plans they make.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{PrefixFlags, URL, check_protocol, over_mqtt, session};
use crate::cli::flags::connect::{RETRY_30S, RETRY_FOREVER};
use crate::cli::flags::format::ReportFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::flags::until::LimitFlags;
use crate::cli::mqtt::session::SessionFlags;
use crate::cli::syntax::numbers::Wait;
use crate::cli::syntax::values;
use crate::coap::uri::Uri;
use crate::command::mqtt::session::SessionArgs;
use crate::command::ota::{is_coap, publish, rollout, serve, status};
use crate::connect::{ConnectArgs, without_credentials};
use crate::error::{Error, Result};
use crate::firmware::wire::Audience;

/// What `--retry` of `ota status` is.
const STATUS_RETRY: &str = "Reconnect: never, forever, or for outages up to TIME [default: never; with --until, forever after the first connection]";

/// What the URL of `ota serve` may be.
const SERVED_OVER: &str = "Server URL: mqtt://[USER[:PASSWORD]@]HOST[:PORT], also mqtts, ws and wss [default: mqtt://localhost, or with --coap none]";

#[derive(Args, Debug)]
#[command(next_help_heading = "Serving", mut_arg("url", |url| url.help(SERVED_OVER)), mut_arg("retry", |it| it.help(RETRY_FOREVER)))]
pub(crate) struct ServeFlags {
    /// Directory of images, where ota sign writes them
    #[arg(value_name = "DIR", help_heading = None)]
    dir: PathBuf,

    /// Address and port where the files of the directory are served over CoAP; over MQTT as well where its server is named
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::socket_address)]
    coap: Option<SocketAddr>,

    /// Send each block once to all devices that miss it, for groups that are updated at the same time
    #[arg(long)]
    carousel: bool,

    #[command(flatten)]
    prefix: PrefixFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl ServeFlags {
    pub(super) fn plan(self) -> Result<serve::Plan> {
        let of_mqtt = self.session.of_mqtt_alone();
        let of_mqtt = self.carousel.then_some("--carousel").or(of_mqtt);
        let session = over_mqtt("ota serve", "--coap ADDR:PORT", self.session)?;
        let session = match (self.coap, of_mqtt) {
            (Some(_), Some(flag)) if !is_named(&session.connect) => {
                let text = format!("{flag} is for MQTT, whose server is not named");
                return Err(Error::usage(text).hint("add its URL, such as mqtt://localhost"));
            }
            (Some(_), _) => Some(session).filter(|it| is_named(&it.connect)),
            (None, _) => Some(session),
        };
        Ok(serve::Plan {
            session,
            coap: self.coap,
            prefix: self.prefix.prefix()?,
            directory: self.dir,
            carousel: self.carousel,
            style: self.terminal.style(),
        })
    }
}

/// Whether it is said which server is meant.
fn is_named(connect: &ConnectArgs) -> bool {
    let place = connect.host.is_some() || connect.port.is_some() || connect.unix.is_some();
    place || connect.url.is_some() || connect.context.is_some()
}

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Publishing",
    mut_arg("url", |url| url.help(URL)),
    mut_arg("retry", |it| it.help(RETRY_30S))
)]
pub(crate) struct PublishFlags {
    /// Manifest to publish, or a directory: the one with the highest sequence in it; with --trigger the URL of a manifest, coap://HOST/PATH, from where devices fetch it
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,

    /// Devices that it is for: all, group:NAME or device:NAME; may be repeated
    #[arg(long, value_name = "DEVICES", required_unless_present = "trigger")]
    to: Vec<String>,

    /// Take the manifest back instead
    #[arg(long, conflicts_with = "manifest")]
    remove: bool,

    /// Device that is told over CoAP to fetch the manifest, coap://HOST[/suit/trigger], instead of publishing it over MQTT; may be repeated
    #[arg(long, value_name = "URI", conflicts_with_all = ["to", "remove"])]
    trigger: Vec<String>,

    #[command(flatten)]
    prefix: PrefixFlags,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// `all`, `group:NAME` or `device:NAME`.
pub(super) fn audience(flag: &str, text: &str) -> Result<Audience> {
    let bad = || {
        let text = format!("{flag} {text}: expected all, group:NAME or device:NAME");
        Error::usage(text)
    };
    Audience::parse(text).ok_or_else(bad)
}

impl PublishFlags {
    pub(super) fn plan(self) -> Result<publish::Plan> {
        if self.manifest.is_none() && !self.remove {
            return Err(Error::usage(
                "--manifest is missing: a manifest, or a directory of manifests",
            ));
        }
        let to = self.to.iter().map(|text| audience("--to", text));
        let session = session(self.session)?;
        if !self.trigger.is_empty() {
            check_trigger(self.manifest.as_deref(), &self.trigger, &session)?;
        }
        Ok(publish::Plan {
            trigger: self.trigger,
            session,
            prefix: self.prefix.prefix()?,
            manifest: self.manifest,
            to: to.collect::<Result<_>>()?,
            until: self.limits.until(),
            style: self.terminal.style(),
        })
    }
}

fn check_trigger(manifest: Option<&Path>, devices: &[String], session: &SessionArgs) -> Result<()> {
    let url = manifest.and_then(Path::to_str);
    if url.is_none_or(|url| Uri::parse(url).is_err()) {
        return Err(
            Error::usage("with --trigger, --manifest must be the URL of a manifest")
                .hint("devices fetch it themselves: use coap://HOST/PATH"),
        );
    }
    let connect = &session.connect;
    if connect.url.is_some() || connect.host.is_some() || connect.port.is_some() {
        let text = "--trigger needs no server: devices are told over CoAP";
        return Err(Error::usage(text));
    }
    each_over_coap("--trigger", devices)
}

fn each_over_coap(flag: &str, uris: &[String]) -> Result<()> {
    match uris.iter().find(|uri| !is_coap(Some(uri))) {
        Some(uri) => {
            let uri = without_credentials(uri);
            Err(Error::usage(format!("{flag} {uri}: expected coap://HOST")))
        }
        None => Ok(()),
    }
}

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Watching",
    mut_arg("url", |url| url.help(URL).index(1)),
    mut_arg("retry", |it| it.help(STATUS_RETRY))
)]
pub(crate) struct StatusFlags {
    /// Wait until so many devices are in a state, such as 'updated == 1000' or 'failed > 0'; may be repeated, and the first that is met ends it
    #[arg(long, value_name = "GOAL")]
    until: Vec<status::Goal>,

    /// Count only devices that report this version
    #[arg(long = "version", value_name = "VERSION", requires = "until")]
    of_version: Option<String>,

    /// Fail after this long, with exit code 5
    #[arg(short = 'W', long, value_name = "TIME")]
    timeout: Option<Wait>,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    prefix: PrefixFlags,

    #[command(flatten)]
    session: SessionFlags,

    /// More devices that are asked themselves, where the URL is that of one, coap://HOST
    #[arg(value_name = "DEVICES", help_heading = None, index = 2)]
    devices: Vec<String>,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl StatusFlags {
    pub(super) fn plan(self) -> Result<status::Plan> {
        let mut session = session(self.session)?;
        let mut devices = self.devices;
        if is_coap(session.connect.url.as_deref()) || !devices.is_empty() {
            devices.splice(0..0, session.connect.url.take());
            each_over_coap("device", &devices)?;
        }
        Ok(status::Plan {
            session,
            devices,
            prefix: self.prefix.prefix()?,
            until: self.until,
            version: self.of_version,
            timeout: self.timeout.map(|Wait(time)| time),
            json: self.report.json(),
            style: self.terminal.style(),
        })
    }
}

/// What the URL of `ota rollout` may be.
const ROLLED_OUT_OVER: &str = "Server URL: mqtt://[USER[:PASSWORD]@]HOST[:PORT], also mqtts, ws, wss, amqp and amqps [default: mqtt://localhost, or none where the plan names devices as coap://HOST]";

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Rollout",
    mut_arg("url", |url| url.help(ROLLED_OUT_OVER)),
    mut_arg("retry", |it| it.help(RETRY_FOREVER))
)]
pub(crate) struct RolloutFlags {
    /// Plan: manifest, devices and stages; the journal is beside it
    #[arg(value_name = "PLAN", help_heading = None)]
    plan: PathBuf,

    /// Go on with a rollout that was interrupted or paused
    #[arg(long, group = "action")]
    resume: bool,

    /// Offer the update to no more devices until --resume; those that have begun go on
    #[arg(long, group = "action")]
    pause: bool,

    /// End the rollout, and take the manifest back from devices that have not begun
    #[arg(long, group = "action")]
    abort: bool,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    prefix: PrefixFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl RolloutFlags {
    pub(super) fn plan(self) -> Result<rollout::Plan> {
        let of_mqtt = self.session.of_mqtt_alone();
        let mut session = self.session.words(&[])?.0;
        // The URL has ://, the plan has not, in whichever order they come.
        let mut file = self.plan;
        if let Some(url) = file.to_str().filter(|it| it.contains("://")) {
            let plan = session.connect.url.replace(url.to_owned());
            let plan = plan.filter(|it| !it.contains("://"));
            let missing = || Error::usage("the plan is missing").hint("name a TOML file");
            file = plan.ok_or_else(missing)?.into();
        }
        check_protocol(&session, of_mqtt)?;
        if is_coap(session.connect.url.as_deref()) {
            let text = "the URL of ota rollout must be one of MQTT or AMQP";
            return Err(Error::usage(text).hint("name devices as coap://HOST in the plan"));
        }
        if session.will.is_some() {
            let text = "--will-topic cannot be used: the will of a rollout gives its lock back";
            return Err(Error::usage(text));
        }
        Ok(rollout::Plan {
            session,
            prefix: self.prefix.prefix()?,
            file,
            action: match (self.resume, self.pause, self.abort) {
                (true, ..) => rollout::Action::Resume,
                (_, true, _) => rollout::Action::Pause,
                (.., true) => rollout::Action::Abort,
                _ => rollout::Action::Begin,
            },
            json: self.report.json(),
            style: self.terminal.style(),
        })
    }
}
