//! The flags about what happens between sources and targets, the same for every command that passes messages on.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::cli::syntax::numbers::{Size, Timeouts, Wait};
use crate::cli::syntax::values;
use crate::command::ends::{Between, Reports};
use crate::command::route::file::{File, SpoolTable};
use crate::error::{Error, Result};
use crate::flow::Dedup;
use crate::payload::captures::Pattern;
use crate::payload::select::Selector;
use crate::store::spool::{Full, SpoolArgs};

/// How long a key is remembered, unless it is said.
const WITHIN: Duration = Duration::from_secs(600);

#[derive(Args, Debug)]
#[command(next_help_heading = "Delivery")]
pub(crate) struct BetweenFlags {
    /// Keep messages in this folder until the targets have them: they are acknowledged once they are on the disk there, receiving goes on while a target is away, and what is left is delivered after a restart
    #[arg(long, value_name = "DIR")]
    spool: Option<PathBuf>,

    /// Maximum spool size
    #[arg(long, value_name = "SIZE", default_value = "1GiB", requires = "spool")]
    spool_size: Size,

    /// Messages that have been in the spool for longer are discarded and counted as expired; or never
    #[arg(long, value_name = "TIME", default_value = "7d", requires = "spool")]
    spool_age: Timeouts,

    /// What to do when the spool is full
    #[arg(long, value_name = "WHAT", default_value = "wait", requires = "spool")]
    spool_full: FullWord,

    /// Skip messages whose key was already delivered to and confirmed by the target: payload, a field such as topic, a JSON pointer such as /id, or a jq expression such as 'jq: [$topic, .id]'; a message without the key is passed on
    #[arg(long, value_name = "KEY")]
    dedup: Option<String>,

    /// How long a key of --dedup is remembered, in memory and for at most a million keys [default: 10m]
    #[arg(long, value_name = "TIME", requires = "dedup")]
    within: Option<Wait>,

    #[command(flatten)]
    reports: ProgressFlags,
}

/// Who is told how far it is.
#[derive(Args, Debug)]
pub(crate) struct ProgressFlags {
    /// Serve the totals to Prometheus at http://ADDR:PORT/metrics
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::socket_address)]
    prometheus_listen: Option<SocketAddr>,

    /// Print statistics on standard error at this interval
    #[arg(long, value_name = "TIME", help_heading = "Terminal")]
    report: Option<Wait>,
}

impl ProgressFlags {
    /// The words of the one that was given.
    pub(crate) const fn given(&self) -> Option<&'static str> {
        match (self.report, self.prometheus_listen) {
            (Some(_), _) => Some("--report"),
            (None, Some(_)) => Some("--prometheus-listen"),
            (None, None) => None,
        }
    }

    /// Who is told.
    pub(crate) fn reports(&self) -> Reports {
        Reports {
            every: self.report.map(|Wait(time)| time),
            metrics: self.prometheus_listen,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FullWord {
    /// Sources are not read
    Wait,
    /// The oldest messages are discarded and counted
    DropOldest,
}

impl BetweenFlags {
    /// Who is told how far it is.
    pub(crate) const fn progress(&self) -> &ProgressFlags {
        &self.reports
    }

    /// Writes it into a routes file.
    pub(crate) fn write(&self, file: &mut File) {
        let time = |time: Duration| humantime::format_duration(time).to_string();
        let (Size(size), Timeouts(age)) = (self.spool_size, self.spool_age);
        file.spool = self.spool.as_ref().map(|dir| SpoolTable {
            dir: dir.clone(),
            size: Some(size.to_string()),
            age: Some(age.map_or_else(|| String::from("never"), time)),
            full: match self.spool_full {
                FullWord::Wait => None,
                FullWord::DropOldest => Some(String::from("drop-oldest")),
            },
        });
        file.dedup.clone_from(&self.dedup);
        file.within = self.within.map(|Wait(within)| time(within));
    }

    /// What happens between them; `patterns` are what topics are matched by.
    pub(crate) fn between(self, patterns: &[Pattern]) -> Result<Between> {
        let (Size(size), Timeouts(age)) = (self.spool_size, self.spool_age);
        let spool = self.spool.map(|dir| SpoolArgs {
            dir,
            size,
            age,
            full: match self.spool_full {
                FullWord::Wait => Full::Wait,
                FullWord::DropOldest => Full::DropOldest,
            },
        });
        if spool.is_some() && size < SpoolArgs::SMALLEST {
            return Err(Error::usage("--spool-size must be at least 1MiB"));
        }
        let within = self.within.map_or(WITHIN, |Wait(within)| within);
        let dedup = self.dedup.map(|key| dedup(&key, patterns, within));
        Ok(Between {
            spool,
            dedup: dedup
                .transpose()
                .map_err(|why| Error::usage(format!("--dedup: {why}")))?,
            in_order: false,
            reports: self.reports.reports(),
        })
    }
}

/// Reads a key, and how long it counts, without patterns of topics.
pub(crate) fn read_dedup(key: &str, within: Option<&str>) -> Result<Dedup, String> {
    let within = within.map_or(Ok(WITHIN), |word| {
        let within = word.parse().map(|Wait(within)| within);
        within.map_err(|why| format!("within: {word:?}: {why}"))
    });
    dedup(key, &[], within?)
}

/// Reads a key.
fn dedup(key: &str, patterns: &[Pattern], within: Duration) -> Result<Dedup, String> {
    let key: Selector = key.parse()?;
    key.check_captures(patterns)?;
    Ok(Dedup {
        key,
        patterns: patterns.to_vec(),
        within,
    })
}
