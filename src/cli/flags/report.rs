//! The flag that asks for an account of each message, the same for every command that publishes.

use clap::{Args, ValueEnum};

use crate::flow::AckReport;

#[derive(Args, Debug)]
pub(crate) struct AckReportFlags {
    /// Print a line for each message to standard output when its acknowledgement arrives: text, or json with one object per line
    #[arg(long, value_name = "FORMAT")]
    ack_report: Option<Report>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Report {
    Text,
    Json,
}

impl AckReportFlags {
    /// What is printed.
    pub(crate) fn report(&self) -> Option<AckReport> {
        self.ack_report.map(|report| match report {
            Report::Text => AckReport::Text,
            Report::Json => AckReport::Json,
        })
    }
}
