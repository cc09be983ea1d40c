//! The flags about the course of a load test and its results, the same for every protocol.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::bench::plan::Coalesce;
use crate::bench::report::Form;
use crate::bench::threshold::Assert;
use crate::command::bench::{MOST_RUN_ID, Results, RunOptions};
use crate::error::{Error, Result};

use super::syntax::{ShardWord, coalesce};
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::syntax::moment::Moment;
use crate::cli::syntax::numbers::{Count, Span, Wait, whole};
use crate::cli::syntax::rate::Rate;
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunOptionFlags {
    /// Measured time [default: 10s; with --count or --stage, until they are done]
    #[arg(short = 'd', long, value_name = "TIME")]
    duration: Option<Wait>,

    /// Total number of messages to send
    #[arg(long, value_name = "COUNT")]
    count: Option<Count>,

    /// Warm-up time before the measurement, excluded from the figures
    #[arg(long, value_name = "TIME", default_value = "0")]
    warmup: Span,

    /// Wait at most this long for outstanding messages after the last one was sent
    #[arg(long, value_name = "TIME", default_value = "5s")]
    drain: Span,

    /// Interval of the time series and of the live lines
    #[arg(long, value_name = "TIME", default_value = "1s")]
    interval: Wait,

    /// Worker threads, 1 to 1024
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = whole(1..=1024_u16))]
    threads: u16,

    /// Share the load among this many processes on this machine, each with --threads of its own: for more cores, and for more connections than one process may have descriptors; one report
    #[arg(long, value_name = "COUNT", default_value = "1", conflicts_with = "shard", value_parser = whole(1..=1024_u16))]
    processes: u16,

    /// Coalesce reads: never, adaptive, or a TIME such as 500us [default: adaptive with --max, else never]
    #[arg(long, value_name = "HOW", value_parser = coalesce)]
    coalesce: Option<Coalesce>,

    /// New connections per second [default: as fast as possible]
    #[arg(long, value_name = "RATE")]
    connect_rate: Option<Rate>,

    /// Generate this shard of the load: INDEX/COUNT, from 0 [default: IOTCTL_SHARD; JOB_COMPLETION_INDEX with IOTCTL_SHARDS; SLURM_PROCID with SLURM_NTASKS]
    #[arg(long, value_name = "INDEX/COUNT")]
    shard: Option<ShardWord>,

    /// Start sending at this time, to synchronize shards: 2026-11-20T21:00:00Z, or seconds since 1970
    #[arg(long, value_name = "TIME")]
    start_at: Option<Moment>,

    /// Identifier of the run, the same for all shards [default: IOTCTL_RUN; SLURM_JOB_ID; without shards, a new one each time]
    #[arg(long, value_name = "NUMBER", value_parser = whole(1..=MOST_RUN_ID))]
    run_id: Option<u64>,

    /// Maximum clock difference between the shards' machines; without it shards do not report end-to-end latency; 0 for shards on one machine
    #[arg(long, value_name = "TIME")]
    clock_error: Option<Span>,

    /// Do a full TLS handshake for each connection instead of resuming sessions
    #[arg(long)]
    no_resumption: bool,

    /// Random seed, for repeatable runs
    #[arg(long, value_name = "NUMBER", value_parser = whole(0..=u64::MAX))]
    seed: Option<u64>,

    #[command(flatten)]
    results: ResultFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Results")]
struct ResultFlags {
    /// Threshold, such as 'p99 < 20ms', on a quantity listed below; exit code 7 if it is not met; may be repeated
    #[arg(long, value_name = "THRESHOLD")]
    assert: Vec<Assert>,

    /// Stop as soon as an interval misses a threshold
    #[arg(long, requires = "assert")]
    abort_on_miss: bool,

    /// Format of the report on standard output
    #[arg(short = 'o', long, value_name = "FORM", default_value = "text", value_parser = form())]
    output: Form,

    /// Also write the result to a file, for bench report, compare and merge
    #[arg(long, value_name = "FILE", value_parser = values::result_file())]
    save_json: Option<PathBuf>,

    /// Write an HTML page with plots to a file
    #[arg(long, value_name = "FILE", value_parser = values::result_file())]
    html: Option<PathBuf>,

    /// Write the time series to a CSV file
    #[arg(long, value_name = "FILE", value_parser = values::result_file())]
    csv: Option<PathBuf>,

    /// Write the latency distributions to a file, as an HdrHistogram V2 log
    #[arg(long, value_name = "FILE", value_parser = values::result_file())]
    hlog: Option<PathBuf>,

    /// Write a Markdown summary to a file
    #[arg(long, value_name = "FILE", value_parser = values::result_file())]
    markdown: Option<PathBuf>,

    /// Write the threshold results to a file, as JUnit test cases
    #[arg(long, value_name = "FILE", value_parser = values::result_file())]
    junit: Option<PathBuf>,

    /// Serve Prometheus metrics at http://ADDR:PORT/metrics during the run
    #[arg(long, value_name = "ADDR:PORT", value_parser = values::socket_address)]
    prometheus_listen: Option<SocketAddr>,
}

impl RunOptionFlags {
    /// The run options; `stages_last`: the total duration of the stages, where it is known.
    pub(crate) fn course(self, stages_last: Option<Duration>) -> Result<RunOptions> {
        let Span(warmup) = self.warmup;
        let count = self.count.map(|Count(count)| count);
        if count == Some(0) {
            return Err(Error::usage("--count 0 sends nothing"));
        }
        let default = match (stages_last, count) {
            (Some(all), _) => Some(all.saturating_sub(warmup)),
            (None, Some(_)) => None,
            (None, None) => Some(Duration::from_secs(10)),
        };
        let duration = self.duration.map(|Wait(time)| time).or(default);
        if duration == Some(Duration::ZERO) {
            return Err(Error::usage("--warmup is longer than the stages together"));
        }
        let Wait(interval) = self.interval;
        if interval < Duration::from_millis(10) {
            return Err(Error::usage("--interval must be at least 10ms"));
        }
        values::needs(
            "--start-at",
            self.start_at.is_some() && count.is_none(),
            "--duration",
            duration.is_some(),
        )?;
        Ok(RunOptions {
            warmup,
            duration,
            count,
            drain: self.drain.0,
            interval,
            threads: self.threads.into(),
            coalesce: self.coalesce,
            connect_rate: self.connect_rate.map(|Rate(rate)| rate),
            shard: self.shard.map(|ShardWord(shard)| shard),
            start_at: self.start_at.map(|Moment(time)| time),
            run_id: self.run_id,
            clock_error: self.clock_error.map(|Span(time)| time),
            full_handshakes: self.no_resumption,
            seed: self.seed,
            processes: self.processes.into(),
            part: None,
            find_max: None,
            results: self.results.results(),
            style: self.terminal.style(),
        })
    }
}

/// Whether every process gets a connection.
///
/// # Errors
/// [`Kind::Usage`](crate::error::Kind::Usage) when there are more processes and threads than connections.
pub(crate) fn check_processes(course: &RunOptions, connections: usize) -> Result<()> {
    let RunOptions {
        processes, threads, ..
    } = *course;
    if processes == 1 || processes * threads <= connections {
        return Ok(());
    }
    let each = match threads {
        1 => String::new(),
        _ => format!(" with --threads {threads}"),
    };
    Err(Error::usage(format!(
        "--processes {processes}{each} is more than the number of connections: {connections}"
    )))
}

impl ResultFlags {
    fn results(self) -> Results {
        let files = [
            (Form::Json, self.save_json),
            (Form::Html, self.html),
            (Form::Csv, self.csv),
            (Form::Hlog, self.hlog),
            (Form::Markdown, self.markdown),
            (Form::Junit, self.junit),
        ];
        Results {
            form: self.output,
            files: files
                .into_iter()
                .filter_map(|(form, file)| Some((form, file?)))
                .collect(),
            thresholds: self.assert,
            abort_on_miss: self.abort_on_miss,
            prometheus: self.prometheus_listen,
        }
    }
}

/// The name of a form.
pub(crate) fn form() -> impl TypedValueParser<Value = Form> {
    PossibleValuesParser::new(Form::ALL.map(Form::name)).try_map(|name| name.parse::<Form>())
}
