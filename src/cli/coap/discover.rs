//! `coap discover`: its flags, and the plan they make.

use clap::{Args, ValueEnum};

use crate::command::coap::discover::{Plan, Shape};
use crate::error::{Error, Result};

use super::flags::{CoapConnectFlags, OptionFlags, TransferFlags};
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Discovering")]
pub(crate) struct DiscoverFlags {
    /// Server to query: coap://HOST[:PORT], or a multicast group such as coap://224.0.1.187 or coap://[ff02::fd%25eth0]
    #[arg(value_name = "URI", help_heading = None)]
    uri: Option<String>,

    /// Only resources of this type (rt); a trailing * matches any suffix
    #[arg(long, value_name = "TYPE")]
    rt: Option<String>,

    /// Only resources with this interface description (if); a trailing * matches any suffix
    #[arg(long = "if", value_name = "INTERFACE")]
    interface: Option<String>,

    /// Only resources at this path; a trailing * matches any suffix
    #[arg(long, value_name = "PATH")]
    href: Option<String>,

    /// Only resources with this content format, by number
    #[arg(long, value_name = "FORMAT", value_parser = values::content_format)]
    ct: Option<u16>,

    /// Only observable resources
    #[arg(long)]
    obs: bool,

    /// Also query the link lists on the same server that its links point to (content format 40)
    #[arg(short = 'R', long)]
    recursive: bool,

    /// Output format: table, tree, json (one object per line), paths, or raw (the unmodified response)
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "table",
        help_heading = "Output"
    )]
    output: DiscoverOutput,

    #[command(flatten)]
    options: OptionFlags,

    #[command(flatten)]
    transfer: TransferFlags,

    #[command(flatten)]
    connect: CoapConnectFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiscoverOutput {
    #[value(alias = "text")]
    Table,
    Tree,
    Json,
    Paths,
    Raw,
}

impl DiscoverOutput {
    pub(crate) const fn shape(self) -> Shape {
        match self {
            Self::Table => Shape::Table,
            Self::Tree => Shape::Tree,
            Self::Json => Shape::Json,
            Self::Paths => Shape::Paths,
            Self::Raw => Shape::Raw,
        }
    }
}

impl DiscoverFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        if self.recursive && self.output == DiscoverOutput::Raw {
            return Err(Error::usage(
                "--recursive and --output raw cannot be used together",
            ));
        }
        let filters = [
            self.rt.map(|it| format!("rt={it}")),
            self.interface.map(|it| format!("if={it}")),
            self.href.map(|it| format!("href={it}")),
            self.ct.map(|it| format!("ct={it}")),
            self.obs.then(|| String::from("obs")),
        ];
        let uris = self.uri.into_iter().collect();
        Ok(Plan {
            session: self.transfer.session(uris, self.connect, self.options),
            filters: filters.into_iter().flatten().collect(),
            recursive: self.recursive,
            shape: self.output.shape(),
            style: self.terminal.style(),
        })
    }
}
