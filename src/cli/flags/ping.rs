//! The flags of a ping, the same for every protocol.

use clap::Args;

use crate::command::ping::Settings;
use crate::error::{Error, Result};

use super::format::ReportFlags;
use crate::cli::syntax::numbers::{Count, Span, Wait};

#[derive(Args, Debug)]
#[command(next_help_heading = "Pinging")]
pub(crate) struct PingFlags {
    /// Number of round trips; 0 for no limit
    #[arg(short = 'C', long, value_name = "COUNT", default_value = "4")]
    count: Count,

    /// Interval between round trips
    #[arg(long, value_name = "TIME", default_value = "1s")]
    interval: Span,

    /// Time to wait for each answer
    #[arg(short = 'W', long, value_name = "TIME", default_value = "2s")]
    timeout: Wait,

    #[command(flatten)]
    report: ReportFlags,
}

impl PingFlags {
    /// How often, how fast, and how it is shown.
    pub(crate) fn settings(self) -> Result<Settings> {
        let (Count(count), Span(interval), Wait(wait)) = (self.count, self.interval, self.timeout);
        if count > u64::from(u32::MAX) {
            return Err(Error::usage("--count must be at most 4294967295"));
        }
        Ok(Settings {
            count: Some(count).filter(|count| *count > 0),
            interval,
            wait,
            json: self.report.json(),
        })
    }
}
