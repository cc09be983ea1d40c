//! `mqtt pub`: its flags, and the plan they make.

use std::ffi::OsString;

use clap::Args;

use crate::command::mqtt::publish::Plan;
use crate::error::Result;
use crate::message::fields;
use crate::mqtt::packet::{Place, QoS};

use super::destination;
use super::session::SessionFlags;
use crate::cli::flags::condition::{FilterFlags, MapFlags};
use crate::cli::flags::connect::RETRY_30S;
use crate::cli::flags::input::{InputFlags, PacingFlags};
use crate::cli::flags::report::AckReportFlags;
use crate::cli::flags::terminal::TerminalFlags;
use crate::cli::flags::until::LimitFlags;
use crate::cli::syntax::numbers::Timeouts;
use crate::cli::syntax::values;

#[derive(Args, Debug)]
#[command(next_help_heading = "Publishing", mut_arg("retry", |it| it.help(RETRY_30S)))]
pub(crate) struct PubFlags {
    /// Topic to publish to, with options of its own: 'a/b;qos=1;retain'; {seq}, {time}, {unix_ms}, {uuid} and {random:LOW-HIGH} are filled in for each message, and {/POINTER} from its JSON; may be repeated: each message is published to every topic [default: the path of the URL]
    #[arg(short = 't', long, value_name = "TOPIC")]
    topic: Vec<OsString>,

    #[command(flatten)]
    input: InputFlags,

    #[command(flatten)]
    filter: FilterFlags,

    #[command(flatten)]
    map: MapFlags,

    /// Quality of service: 0 at most once, 1 at least once, 2 exactly once
    #[arg(short = 'q', long, value_name = "QOS", default_value = "0", value_parser = values::qos)]
    qos: QoS,

    /// Retain the message: the server stores it for future subscribers
    #[arg(short = 'r', long)]
    retain: bool,

    #[command(flatten)]
    pacing: PacingFlags,

    /// Give up when no acknowledgement arrives for this long, or never
    #[arg(long, value_name = "TIME", default_value = "30s")]
    ack_timeout: Timeouts,

    /// Fail if a message matches no subscription; needs MQTT 5 and QoS 1 or 2
    #[arg(long)]
    require_subscribers: bool,

    #[command(flatten)]
    report: AckReportFlags,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    session: SessionFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

impl PubFlags {
    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let (source, encoding) = self.input.words()?;
        let topics = destination::all(self.topic, self.qos, self.retain, &source)?;
        if self.require_subscribers {
            let lowest = destination::lowest_qos(&topics, self.qos);
            let acknowledged = lowest > QoS::AtMostOnce;
            values::needs(
                "--require-subscribers",
                true,
                "QoS 1 or 2 (-q 1)",
                acknowledged,
            )?;
            values::needs_v5(self.session.version(), "--require-subscribers", true)?;
        }
        let pacing = self.pacing.pacing(&source)?;
        let (session, mut sets) = self.session.words(&[Place::Publish])?;
        Ok(Plan {
            session,
            topics,
            qos: self.qos,
            lowers_qos: false,
            retain: self.retain,
            properties: sets.take(Place::Publish),
            stages: self
                .filter
                .stages(self.map, &fields::MQTT, self.terminal.style())?,
            source,
            encoding,
            pacing,
            ack_timeout: self.ack_timeout.0,
            require_subscribers: self.require_subscribers,
            ack_report: self.report.report(),
            until: self.limits.until(),
            style: self.terminal.style(),
        })
    }
}
