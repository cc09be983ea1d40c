//! The commands of `ota`.

mod agent;
pub(crate) mod help;
mod server;
mod sign;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::flags::format::ReportFlags;
use super::flags::terminal::TerminalFlags;
use super::help::below;
use super::mqtt::session::SessionFlags;
use crate::command::mqtt::session::SessionArgs;
use crate::command::ota::delta::Plan as Delta;
use crate::command::ota::keys::Keygen;
use crate::command::ota::verify::Plan as Verify;
use crate::command::{self, ota};
use crate::connect::Protocol;
use crate::error::{Error, Result, brief};
use crate::firmware::{Algorithm, Identity};
use crate::mqtt::topic;
use crate::payload::visible::drives_terminal;
use agent::AgentFlags;
use server::{PublishFlags, RolloutFlags, ServeFlags, StatusFlags};
use sign::SignFlags;

#[derive(Subcommand, Debug)]
pub(crate) enum Ota {
    /// Generate a key pair
    #[command(disable_help_flag = true, after_help = below("ota keygen"))]
    Keygen(KeygenFlags),

    /// Sign an image: a SUIT manifest, and an MCUboot image where one is wanted
    #[command(disable_help_flag = true, override_usage = "iotctl ota sign [OPTIONS] <FILE>", after_help = below("ota sign"))]
    Sign(Box<SignFlags>),

    /// Make a patch from one image to another, in the format of bsdiff
    #[command(disable_help_flag = true, after_help = below("ota delta"))]
    Delta(DeltaFlags),

    /// Show what a manifest or an image says, without verifying who signed it
    #[command(disable_help_flag = true, after_help = below("ota inspect"))]
    Inspect(InspectFlags),

    /// Verify a manifest or an image
    #[command(disable_help_flag = true, after_help = below("ota verify"))]
    Verify(VerifyFlags),

    /// Run as a device with two slots, which is updated over MQTT, CoAP or AMQP
    #[command(disable_help_flag = true, override_usage = "iotctl ota agent [OPTIONS] [URL]", after_help = below("ota agent"))]
    Agent(Box<AgentFlags>),

    /// Serve images to devices, in blocks over MQTT or as files over CoAP
    #[command(disable_help_flag = true, after_help = below("ota serve"))]
    Serve(Box<ServeFlags>),

    /// Publish a manifest to devices, or take one back
    #[command(disable_help_flag = true, after_help = below("ota publish"))]
    Publish(Box<PublishFlags>),

    /// Offer an update to many devices in stages, and stop when too many fail
    #[command(disable_help_flag = true, after_help = below("ota rollout"))]
    Rollout(Box<RolloutFlags>),

    /// Show what devices report, or wait until so many have been updated
    #[command(disable_help_flag = true, after_help = below("ota status"))]
    Status(Box<StatusFlags>),
}

impl Ota {
    /// The plan of the command.
    pub(crate) fn command(self) -> Result<command::Command> {
        let command = match self {
            Self::Keygen(flags) => ota::Command::Keygen(flags.plan()),
            Self::Sign(flags) => ota::Command::Sign(Box::new(flags.plan()?)),
            Self::Delta(flags) => ota::Command::Delta(flags.plan()),
            Self::Inspect(flags) => ota::Command::Inspect {
                json: flags.report.json(),
                file: flags.file,
            },
            Self::Verify(flags) => ota::Command::Verify(flags.plan()?),
            Self::Agent(flags) => ota::Command::Agent(Box::new(flags.plan()?)),
            Self::Serve(flags) => ota::Command::Serve(Box::new(flags.plan()?)),
            Self::Publish(flags) => ota::Command::Publish(Box::new(flags.plan()?)),
            Self::Rollout(flags) => ota::Command::Rollout(Box::new(flags.plan()?)),
            Self::Status(flags) => ota::Command::Status(Box::new(flags.plan()?)),
        };
        Ok(command::Command::Ota(Box::new(command)))
    }
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Key")]
pub(crate) struct KeygenFlags {
    /// File for the private key, which must not exist; the public key goes beside it, to FILE.pub.pem without the .pem of FILE
    #[arg(value_name = "FILE", help_heading = None)]
    file: PathBuf,

    /// Type of the key
    #[arg(long = "type", value_name = "TYPE", default_value = "ed25519")]
    kind: KeyType,

    #[command(flatten)]
    terminal: TerminalFlags,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KeyType {
    Ed25519,
    P256,
}

impl KeygenFlags {
    fn plan(self) -> Keygen {
        let is_pem = self.file.extension().is_some_and(|end| end == "pem");
        let mut public = match is_pem {
            true => self.file.with_extension(""),
            false => self.file.clone(),
        }
        .into_os_string();
        public.push(".pub.pem");
        Keygen {
            public: public.into(),
            file: self.file,
            algorithm: match self.kind {
                KeyType::Ed25519 => Algorithm::Ed25519,
                KeyType::P256 => Algorithm::P256,
            },
        }
    }
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Patch")]
pub(crate) struct DeltaFlags {
    /// The image that devices have
    #[arg(value_name = "OLD", help_heading = None)]
    old: PathBuf,

    /// The image that they are to have; with --apply a patch
    #[arg(value_name = "NEW", help_heading = None)]
    new: PathBuf,

    /// File for the patch; with --apply for the image that it makes
    #[arg(short = 'o', long, value_name = "FILE")]
    out: PathBuf,

    /// Apply a patch instead
    #[arg(long)]
    apply: bool,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl DeltaFlags {
    fn plan(self) -> Delta {
        Delta {
            json: self.report.json(),
            old: self.old,
            new: self.new,
            out: self.out,
            apply: self.apply,
        }
    }
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct InspectFlags {
    /// A manifest or an image
    #[arg(value_name = "FILE", help_heading = None)]
    file: PathBuf,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// What the URL of a server may be for publish, agent and status.
const URL: &str = "Server URL: mqtt://[USER[:PASSWORD]@]HOST[:PORT], also mqtts, ws, wss, amqp, amqps and coap [default: mqtt://localhost]";

/// The words about the server, which may be one of another protocol.
fn session(flags: SessionFlags) -> Result<SessionArgs> {
    let alone = flags.of_mqtt_alone();
    let session = flags.words(&[])?.0;
    check_protocol(&session, alone)?;
    Ok(session)
}

/// Whether the URL is one of a protocol of ours, for which `alone`, a flag of MQTT, means something.
fn check_protocol(session: &SessionArgs, alone: Option<&str>) -> Result<()> {
    let url = session.connect.url.as_deref();
    let spoken = ota::protocol(url);
    match (url.and_then(|url| url.split_once("://")), spoken, alone) {
        (Some((scheme, _)), None, _) => Err(Error::usage(format!(
            "unknown scheme \"{}\"; expected mqtt, mqtts, ws, wss, amqp, amqps or coap",
            brief(scheme)
        ))),
        (_, Some(Protocol::Amqp | Protocol::Coap), Some(flag)) => {
            Err(Error::usage(format!("{flag} is for MQTT")))
        }
        _ => Ok(()),
    }
}

/// The same for a URL that must be one of MQTT; `otherwise` is how other protocols are used.
fn over_mqtt(command: &str, otherwise: &str, flags: SessionFlags) -> Result<SessionArgs> {
    let session = flags.words(&[])?.0;
    match ota::protocol(session.connect.url.as_deref()) {
        Some(Protocol::Amqp | Protocol::Coap) => {
            let text = format!("the URL of {command} must be one of MQTT");
            Err(Error::usage(text).hint(format!("use mqtt://HOST, or {otherwise}")))
        }
        _ => Ok(session),
    }
}

/// Below which topics updates are.
#[derive(Args, Debug)]
#[command(next_help_heading = "Topics")]
pub(crate) struct PrefixFlags {
    /// Topic below which manifests, blocks and reports are
    #[arg(long, value_name = "TOPIC", default_value = "ota")]
    prefix: String,
}

impl PrefixFlags {
    fn prefix(self) -> Result<String> {
        let is_bare = !self.prefix.starts_with('/') && !self.prefix.ends_with('/');
        let checked = topic::check_name(&self.prefix).map_err(|why| why.to_string());
        match checked {
            Ok(()) if is_bare => Ok(self.prefix),
            Ok(()) => Err(Error::usage("--prefix must not begin or end with /")),
            Err(why) => Err(Error::usage(format!("--prefix: {why}"))),
        }
    }
}

/// Which device it is.
#[derive(Args, Debug)]
pub(crate) struct DeviceFlags {
    /// Vendor of the device: a domain name, or a UUID
    #[arg(long, value_name = "NAME")]
    vendor: Option<String>,

    /// Class of the device, a name that the vendor gives to devices that run the same firmware, or a UUID
    #[arg(long, value_name = "NAME")]
    class: Option<String>,
}

impl DeviceFlags {
    /// Both or none.
    fn identity(self) -> Result<Option<Identity>> {
        match (self.vendor, self.class) {
            (Some(vendor), Some(class)) => identity(&vendor, &class).map(Some),
            (None, None) => Ok(None),
            _ => Err(Error::usage("--vendor and --class must be used together")),
        }
    }
}

/// The longest name of a vendor or a class: it is sent to devices.
const LONGEST_NAME: usize = 64;

/// Vendor and class by name.
fn identity(vendor: &str, class: &str) -> Result<Identity> {
    for (flag, name) in [("--vendor", vendor), ("--class", class)] {
        let is_good =
            !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains(drives_terminal);
        if !is_good {
            let text = format!(
                "{flag} wants a name of 1 to {LONGEST_NAME} bytes without control characters"
            );
            return Err(Error::usage(text));
        }
    }
    Ok(Identity::new(vendor, class))
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Verifying")]
pub(crate) struct VerifyFlags {
    /// A manifest or an image
    #[arg(value_name = "FILE", help_heading = None)]
    file: PathBuf,

    /// Public key whose signature counts, as a PEM file; may be repeated
    #[arg(long, value_name = "FILE", required = true)]
    trust: Vec<PathBuf>,

    /// Image that the manifest must be about
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,

    #[command(flatten)]
    device: DeviceFlags,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl VerifyFlags {
    fn plan(self) -> Result<Verify> {
        Ok(Verify {
            file: self.file,
            trust: self.trust,
            identity: self.device.identity()?,
            payload: self.payload,
            json: self.report.json(),
        })
    }
}
