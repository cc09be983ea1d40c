//! `ota sign`: its flags, and the plan they make.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::identity;
use crate::cli::flags::format::ReportFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::numbers::Size;
use crate::command::ota::sign::{Plan, image_version};
use crate::error::{Error, Result};
use crate::firmware::mcuboot::{HEADER, Options};
use crate::firmware::suit::Numbering;

/// The longest version: it is part of a file's name, and sent to devices.
const LONGEST_VERSION: usize = 64;

#[derive(Args, Debug)]
#[command(next_help_heading = "Manifest")]
pub(crate) struct SignFlags {
    /// The firmware
    #[arg(value_name = "FILE", help_heading = None)]
    file: PathBuf,

    /// Private key, Ed25519 or P-256, as a PEM file
    #[arg(long, value_name = "FILE")]
    key: PathBuf,

    /// File with the password of an encrypted key [default: asked for]
    #[arg(long, value_name = "FILE")]
    key_password_file: Option<PathBuf>,

    /// Version of the firmware; with --mcuboot MAJOR.MINOR.REVISION+BUILD, of which the last may be left out
    #[arg(long = "version", value_name = "VERSION")]
    firmware_version: String,

    /// Sequence number, which must be above that of what a device runs; auto: one above the highest in the directory
    #[arg(long, value_name = "NUMBER", default_value = "auto")]
    sequence: Auto<u64>,

    /// Vendor of the devices: a domain name, or a UUID
    #[arg(long, value_name = "NAME")]
    vendor: String,

    /// Class of the devices, a name that the vendor gives to devices that run the same firmware, or a UUID
    #[arg(long, value_name = "NAME")]
    class: String,

    /// Where devices get the image, absolute or relative to the manifest; may be repeated, and the first is tried first [default: beside the manifest]
    #[arg(long, value_name = "URI")]
    uri: Vec<String>,

    /// Put the image into the manifest's envelope
    #[arg(long, conflicts_with = "uri")]
    embed: bool,

    /// Image that devices may have, as it is in their slot: those that run it fetch a patch first; may be repeated
    #[arg(long, value_name = "FILE", conflicts_with = "embed")]
    delta_from: Vec<PathBuf>,

    /// Numbers of the algorithms: classic (-8 and -7), or fully-specified (-19 and -9), which few devices know yet
    #[arg(long, value_name = "NUMBERS", default_value = "classic")]
    cose: Cose,

    /// Directory for manifest and image
    #[arg(short = 'o', long = "out-dir", value_name = "DIR")]
    out_dir: PathBuf,

    /// Replace an image and a manifest of the same version that have other contents
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    mcuboot: McubootFlags,

    #[command(flatten)]
    report: ReportFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// The image around the firmware.
#[derive(Args, Debug)]
#[command(next_help_heading = "MCUboot")]
struct McubootFlags {
    /// Wrap the firmware in an MCUboot image first
    #[arg(long)]
    mcuboot: bool,

    /// Size of the header before the firmware
    #[arg(long, value_name = "SIZE", requires = "mcuboot")]
    header_size: Option<Size>,

    /// Size of the slot that the image must fit into, with MCUboot's trailer
    #[arg(long, value_name = "SIZE", requires = "mcuboot")]
    slot_size: Option<Size>,

    /// Security counter, below which MCUboot does not go back; auto: of the version
    #[arg(long, value_name = "NUMBER", requires = "mcuboot")]
    counter: Option<Auto<u32>>,
}

/// A number, or `auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Auto<T> {
    Auto,
    Is(T),
}

impl<T: FromStr> FromStr for Auto<T> {
    type Err = &'static str;

    fn from_str(word: &str) -> std::result::Result<Self, Self::Err> {
        match word {
            "auto" => Ok(Self::Auto),
            _ => word
                .parse()
                .map(Self::Is)
                .map_err(|_| "expected a whole number, or auto"),
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Cose {
    Classic,
    FullySpecified,
}

impl SignFlags {
    pub(super) fn plan(self) -> Result<Plan> {
        let version = self.firmware_version;
        let is_good = |letter: char| letter.is_ascii_alphanumeric() || ".+-_~".contains(letter);
        if version.is_empty() || version.len() > LONGEST_VERSION || !version.chars().all(is_good) {
            let text = format!(
                "--version wants 1 to {LONGEST_VERSION} letters, digits, dots, hyphens and plus signs"
            );
            return Err(Error::usage(text));
        }
        if let Some(uri) = self.uri.iter().find(|uri| !is_uri(uri)) {
            let text = format!("--uri {uri}: not a URI");
            return Err(Error::usage(text));
        }
        Ok(Plan {
            firmware: self.file,
            key: self.key,
            password: self.key_password_file,
            sequence: match self.sequence {
                Auto::Auto => None,
                // A device that was never updated has 0.
                Auto::Is(0) => return Err(Error::usage("--sequence must be at least 1")),
                Auto::Is(number) => Some(number),
            },
            identity: identity(&self.vendor, &self.class)?,
            mcuboot: self.mcuboot.options(&version)?,
            version,
            uris: self.uri,
            embed: self.embed,
            delta_from: self.delta_from,
            numbering: match self.cose {
                Cose::Classic => Numbering::Classic,
                Cose::FullySpecified => Numbering::FullySpecified,
            },
            directory: self.out_dir,
            force: self.force,
            json: self.report.json(),
            style: self.terminal.style(),
        })
    }
}

/// Absolute or relative, in printable ASCII (RFC 3986 §2); `#` is for payloads in the envelope.
fn is_uri(text: &str) -> bool {
    let is_shaped = text.bytes().all(|byte| byte.is_ascii_graphic());
    is_shaped && !text.is_empty() && !text.starts_with('#')
}

impl McubootFlags {
    fn options(self, version: &str) -> Result<Option<Options>> {
        if !self.mcuboot {
            return Ok(None);
        }
        let version = image_version(version)?;
        let header = self.header_size.map_or(HEADER as u64, |Size(size)| size);
        let header = u16::try_from(header)
            .ok()
            .filter(|size| usize::from(*size) >= HEADER);
        let Some(header) = header else {
            let text = format!("--header-size must be from {HEADER} to 65535");
            return Err(Error::usage(text));
        };
        Ok(Some(Options {
            version,
            header,
            counter: self.counter.map(|counter| match counter {
                Auto::Auto => version.counter(),
                Auto::Is(number) => number,
            }),
            slot: self.slot_size.map(|Size(size)| size),
        }))
    }
}
