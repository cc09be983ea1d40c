//! `ota agent`: its flags, and the plan they make.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{PrefixFlags, URL, identity, session};
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::mqtt::session::SessionFlags;
use crate::cli::syntax::numbers::{Size, Wait};
use crate::cli::syntax::values;
use crate::command::ota::agent::Plan;
use crate::command::ota::agent::commands::Commands;
use crate::command::ota::is_coap;
use crate::connect::ConnectArgs;
use crate::error::{Error, Result};
use crate::firmware::device::{BLOCKS, GIVE_UP_AFTER, Slot};
use crate::firmware::wire::{LONGEST_NAME, is_name};

/// What `-i` is here.
const ID: &str = "Client identifier [default: ota-DEVICE; with --prefix, PREFIX-DEVICE]";

/// What `--retry` is here.
const RETRY: &str = "Reconnect: never, forever, or for outages up to TIME [default: forever]";

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Device",
    mut_arg("url", |url| url.help(URL)),
    mut_arg("id", |id| id.help(ID)),
    mut_arg("retry", |it| it.help(RETRY)),
    // The will of an agent says that it is gone: there is no other.
    mut_arg("will_topic", |it| it.hide(true)),
    mut_arg("will_payload", |it| it.hide(true)),
    mut_arg("will_payload_file", |it| it.hide(true)),
    mut_arg("will_qos", |it| it.hide(true)),
    mut_arg("will_retain", |it| it.hide(true))
)]
pub(crate) struct AgentFlags {
    /// Directory for the state and the two images, a and b
    #[arg(long, value_name = "DIR")]
    slots: PathBuf,

    /// File or block device of slot a [default: a in the directory of --slots]
    #[arg(long, value_name = "FILE", requires = "slot_b")]
    slot_a: Option<PathBuf>,

    /// File or block device of slot b
    #[arg(long, value_name = "FILE", requires = "slot_a")]
    slot_b: Option<PathBuf>,

    /// Size of a slot; larger images are refused [default: of the block devices, or none]
    #[arg(long, value_name = "SIZE")]
    slot_size: Option<Size>,

    /// Slot that runs, as the boot loader says; so it is seen when the boot loader went back [default: as installed]
    #[arg(long, value_name = "SLOT")]
    booted: Option<SlotName>,

    /// Name of the device
    #[arg(long, value_name = "NAME")]
    device: String,

    /// Group that the device is in; may be repeated
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,

    /// Vendor of the device: a domain name, or a UUID
    #[arg(long, value_name = "NAME")]
    vendor: String,

    /// Class of the device, a name that the vendor gives to devices that run the same firmware, or a UUID
    #[arg(long, value_name = "NAME")]
    class: String,

    /// Public key whose signature counts, as a PEM file; may be repeated
    #[arg(long, value_name = "FILE", required = true)]
    trust: Vec<PathBuf>,

    /// Install older versions too
    #[arg(long)]
    allow_downgrade: bool,

    /// Bytes of a block, 64 to 64KiB
    #[arg(long, value_name = "SIZE", default_value = "4KiB")]
    block_size: Size,

    /// Give up when nothing comes for this long: no part of an image [default: 5m], or with --once no manifest [default: waits]; with --once with exit code 5
    #[arg(short = 'W', long, value_name = "TIME")]
    timeout: Option<Wait>,

    /// How often to look for a manifest over CoAP, where the URL is that of a manifest
    #[arg(long, value_name = "TIME", default_value = "15m")]
    poll: Wait,

    /// Address and port where the device is told of updates over CoAP, and asked for its state, as devices of RIOT; its URL is then that of a manifest, or left out
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::socket_address)]
    listen: Option<SocketAddr>,

    /// End with the first update: exit code 0 when it is confirmed, 1 when it is not
    #[arg(long)]
    once: bool,

    #[command(flatten)]
    commands: CommandFlags,

    #[command(flatten)]
    prefix: PrefixFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// The user's commands.
#[derive(Args, Debug)]
#[command(next_help_heading = "Commands")]
struct CommandFlags {
    /// Command for sh that tells the boot loader to start the slot $IOTCTL_OTA_SLOT, whose image is $IOTCTL_OTA_PATH; also for going back
    #[arg(long, value_name = "COMMAND")]
    install: Option<String>,

    /// Command for sh that starts the device again, after which the agent ends [default: the new image counts as started]
    #[arg(long, value_name = "COMMAND")]
    reboot: Option<String>,

    /// Command for sh that ends with 0 if the new image works [default: the server can be reached]
    #[arg(long, value_name = "COMMAND")]
    health: Option<String>,

    /// How long a new image may take to be confirmed; then the device goes back to the other slot
    #[arg(long, value_name = "TIME", default_value = "2m")]
    within: Wait,

    /// Command for sh that tells the boot loader to keep the slot $IOTCTL_OTA_SLOT
    #[arg(long, value_name = "COMMAND")]
    confirm: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SlotName {
    A,
    B,
}

impl AgentFlags {
    pub(super) fn plan(self) -> Result<Plan> {
        let session = session(self.session)?;
        if session.will.is_some() {
            let text = "--will-topic cannot be used: the will of an agent says that it is gone";
            return Err(Error::usage(text));
        }
        for (flag, name) in std::iter::once(("--device", &self.device))
            .chain(self.group.iter().map(|name| ("--group", name)))
        {
            check_name(flag, name)?;
        }
        let Size(block) = self.block_size;
        let block = u32::try_from(block)
            .ok()
            .filter(|block| BLOCKS.contains(block));
        let Some(block) = block else {
            let (least, most) = (BLOCKS.start(), BLOCKS.end());
            let text = format!("--block-size must be from {least} to {most}");
            return Err(Error::usage(text));
        };
        if self.listen.is_some() {
            manifest_or_nothing(&session.connect)?;
        }
        let Wait(within) = self.commands.within;
        let Wait(poll) = self.poll;
        let timeout = self.timeout.map(|Wait(time)| time);
        Ok(Plan {
            session,
            prefix: self.prefix.prefix()?,
            id: self.device,
            groups: self.group,
            folder: self.slots,
            slots: self.slot_a.zip(self.slot_b).map(|(a, b)| [a, b]),
            slot_size: self.slot_size.map(|Size(size)| size),
            booted: self.booted.map(|slot| match slot {
                SlotName::A => Slot::A,
                SlotName::B => Slot::B,
            }),
            trust: self.trust,
            identity: identity(&self.vendor, &self.class)?,
            commands: Commands {
                install: self.commands.install,
                reboot: self.commands.reboot,
                health: self.commands.health,
                confirm: self.commands.confirm,
            },
            within,
            timeout: timeout.unwrap_or(GIVE_UP_AFTER),
            manifest_within: timeout.filter(|_| self.once),
            block,
            allow_downgrade: self.allow_downgrade,
            poll,
            listen: self.listen,
            once: self.once,
            style: self.terminal.style(),
        })
    }
}

/// Who is told of updates over CoAP fetches them over CoAP too.
fn manifest_or_nothing(connect: &ConnectArgs) -> Result<()> {
    let url = connect.url.as_deref();
    let elsewhere = connect.host.is_some() || connect.port.is_some();
    match elsewhere || url.is_some() && !is_coap(url) {
        true => Err(Error::usage("--listen is for devices that fetch over CoAP")
            .hint("leave the URL out, or use that of a manifest, coap://HOST/PATH")),
        false => Ok(()),
    }
}

/// A level of a topic.
pub(super) fn check_name(flag: &str, name: &str) -> Result<()> {
    match is_name(name) {
        true => Ok(()),
        false => {
            let text =
                format!("{flag} wants a name of 1 to {LONGEST_NAME} bytes without / + # and $");
            Err(Error::usage(text))
        }
    }
}
