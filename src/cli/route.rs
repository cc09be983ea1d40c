//! `route`: its flags, and the plan they make.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::alert;
use super::flags::between::{self, ProgressFlags};
use super::flags::ready::ReadyFlags;
use super::flags::terminal::TerminalFlags;
use super::flags::until::{self, UntilFlags};
use super::log;
use super::mqtt::subscription;
use super::syntax::numbers::{Size, Timeouts};
use crate::command::route::{Mode, Plan, Readers};

/// What each is for, and its words.
pub(crate) const EXAMPLES: &[(&str, &str)] = &[
    (
        "Carry messages, after looking for mistakes in the file",
        "iotctl route routes.toml --check && iotctl route routes.toml",
    ),
    (
        "What would go where",
        "iotctl route routes.toml --dry-run --for 1m",
    ),
    (
        "Rules tried on recorded messages",
        "iotctl route routes.toml --test recording.ndjson --expect expected.ndjson",
    ),
];

/// What a file looks like.
pub(crate) const FILE: &str = r#"[source.edge]
url = "mqtt://localhost"
[target.edge]
url = "mqtt://localhost"
[target.rest]
file = "rest.ndjson"
[[route]]
from = "edge"
topic = "sensors/{id}/temperature"
where = "/value > 35"
map = "jq: {value, at: $time}"
to = "edge"
topic-out = "sensors/{id}/alert"
else = "rest"
"#;

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Routes",
    mut_arg("idle", |it| it.help(until::IDLE)),
    mut_arg("message_timeout", |it| it.help(until::MESSAGE_TIMEOUT))
)]
pub(crate) struct RouteFlags {
    /// TOML file of sources, targets and routes. Reloaded on SIGHUP: routes, and the limits of alerts
    #[arg(value_name = "FILE", help_heading = None)]
    file: PathBuf,

    /// Check the file without connecting, and end: names, topics, conditions, maps, and that no message can come back to its route
    #[arg(long, conflicts_with_all = ["dry_run", "test", "print_config"])]
    check: bool,

    /// Connect to the sources and print what would go to which target; nothing is sent, and nothing is acknowledged that a real run would get
    #[arg(long, conflicts_with_all = ["test", "print_config"])]
    dry_run: bool,

    /// Route recorded messages (NDJSON, as --output json writes them) without a connection, each at the time when it was recorded, and print what goes to which target
    #[arg(long, value_name = "FILE", conflicts_with = "print_config")]
    test: Option<PathBuf>,

    /// Compare what --test would print with this file, line by line; what a line does not name may be anything. Exit code 7 for the first difference
    #[arg(long, value_name = "FILE", requires = "test")]
    expect: Option<PathBuf>,

    /// Print the file as it was read, with the environment filled in and without comments
    #[arg(long)]
    print_config: bool,

    #[command(flatten)]
    reports: ProgressFlags,

    #[command(flatten)]
    until: UntilFlags,

    #[command(flatten)]
    ready: ReadyFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

fn size(word: &str) -> Result<u64, String> {
    let size = word.parse().map(|Size(size)| size);
    size.map_err(|why| format!("{word:?}: {why}"))
}

fn time(word: &str) -> Result<Option<Duration>, String> {
    let time = word.parse().map(|Timeouts(time)| time);
    time.map_err(|why| format!("{word:?}: {why}"))
}

impl RouteFlags {
    /// The plan of the command.
    pub(crate) fn plan(self) -> Plan {
        let mode = match self.test {
            Some(recording) => Mode::Test {
                recording,
                expect: self.expect,
            },
            None if self.check => Mode::Check,
            None if self.dry_run => Mode::DryRun,
            None if self.print_config => Mode::Print,
            None => Mode::Run,
        };
        Plan {
            file: self.file,
            mode,
            readers: Readers {
                filter: subscription::read_line,
                size,
                time,
                dedup: between::read_dedup,
                alert: alert::read,
                store: log::read_store,
                sync: log::sync,
            },
            reports: self.reports.reports(),
            until: self.until.until(),
            ready: self.ready.ready(),
            style: self.terminal.style(),
        }
    }
}
