//! `mqtt clear`: its flags, and the plan they make.

use std::ffi::OsString;

use clap::Args;

use crate::command::mqtt::clear::{Permission, Plan};
use crate::error::{Error, Result};

use super::session::SessionFlags;
use super::subscribe::filters;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::flags::until::LimitFlags;
use crate::cli::syntax::numbers::Count;

#[derive(Args, Debug)]
#[command(next_help_heading = "Removing")]
pub(crate) struct ClearFlags {
    /// Topic filter of the retained messages to remove; may be repeated [default: the path of the URL]
    #[arg(short = 't', long, value_name = "FILTER")]
    topic: Vec<OsString>,

    /// Connect and list the topics; remove nothing
    #[arg(long)]
    dry_run: bool,

    /// Remove without asking
    #[arg(short = 'y', long, conflicts_with = "dry_run")]
    yes: bool,

    /// Remove without asking if exactly this many match; otherwise remove nothing and fail with exit code 7
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["dry_run", "yes"])]
    count: Option<Count>,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl ClearFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let filters = filters("-t", self.topic)?;
        if let Some(shared) = filters.iter().find(|filter| filter.starts_with("$share/")) {
            let text = format!(
                "-t {:?}: a shared subscription gets no retained messages",
                &**shared
            );
            return Err(Error::usage(text));
        }
        self.session.refuse_kept(None)?;
        let session = self.session.words(&[])?.0;
        Ok(Plan {
            session,
            filters,
            permission: match (self.dry_run, self.yes, self.count) {
                (true, ..) => Permission::Never,
                (_, true, _) => Permission::Given,
                (_, _, Some(Count(count))) => Permission::Count(count),
                _ => Permission::Ask,
            },
            until: self.limits.until(),
            style: self.terminal.style(),
        })
    }
}
