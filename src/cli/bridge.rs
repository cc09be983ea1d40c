//! `bridge`: its flags, and the plan they make.

mod config;

use std::path::PathBuf;

use bytestring::ByteString;
use clap::{Args, ValueEnum};

use super::flags::between::BetweenFlags;
use super::flags::condition::MapFlags;
use super::flags::ends::{DeliveryFlags, EndsFlags, server};
use super::flags::ready::ReadyFlags;
use super::flags::terminal::TerminalFlags;
use super::flags::until::{self, EnoughFlags, LimitFlags};
use super::flags::written;
use super::syntax::values;
use crate::command::Command;
use crate::command::bridge::{Import, Letters, Map, Place, Plan, Retain, Tuning, topics};
use crate::command::route::Written;
use crate::command::route::file::File;
use crate::connect::{ConnectArgs, Retry};
use crate::error::{Error, Result};
use crate::message::topic;
use crate::mqtt::packet::RetainHandling;

/// What `--map` is here.
const MAP: &str = "Carry what this makes of each message: 'jq: EXPRESSION' of its payload as JSON; a string is carried as its text, anything else as JSON; no output drops the message, and each of several outputs is one message; $topic is where it came from";

/// What each is for, and its words.
pub(crate) const EXAMPLES: &[(&str, &str)] = &[
    (
        "Readings to a server in the cloud below site1/, commands back from it",
        "iotctl bridge mqtt://localhost mqtts://cloud.example \\\n    -t 'sensors/# out 1 \"\" site1/' -t 'commands/# in 1 \"\" site1/'",
    ),
    (
        "Both ways, each message once",
        "iotctl bridge mqtt://one.example mqtt://two.example -t '# both 1'",
    ),
    (
        "Between protocols",
        "iotctl bridge mqtt://edge.example amqp://localhost -t 'sensors/# out 1'\niotctl bridge coap://meter.example/power mqtt://localhost",
    ),
    (
        "A bridge of mosquitto's",
        "iotctl bridge mqtt://localhost --import /etc/mosquitto/mosquitto.conf",
    ),
];

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Bridge",
    mut_arg("map", |map| map.help(MAP)),
    mut_arg("duration", |it| it.help(until::FOR))
)]
pub(crate) struct BridgeFlags {
    /// Server that counts as the local one: a URL such as mqtt://HOST, amqp://HOST or coap://HOST/PATH, or the name of a context
    #[arg(value_name = "FROM", help_heading = None)]
    from: String,

    /// The other server, which counts as the remote one
    #[arg(value_name = "TO", help_heading = None, required_unless_present = "import")]
    to: Option<String>,

    /// Take the other server, the topics and the connection from a bridge of this mosquitto.conf instead
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "topic"])]
    import: Option<PathBuf>,

    /// Connection name in it, where there are several
    #[arg(long, value_name = "NAME", requires = "import")]
    connection: Option<String>,

    /// Which messages cross, as in mosquitto.conf: 'PATTERN [out|in|both [QOS [LOCAL-PREFIX [REMOTE-PREFIX]]]]'; may be repeated [default: '# out', at the QoS of the messages]
    #[arg(short = 't', long, value_name = "LINE")]
    topic: Vec<String>,

    /// Name of the bridge, from which client identifiers are made; two bridges between the same servers need two names [default: bridge- and a number made of both servers]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Topic that gets 1 while the bridge is connected, and 0 otherwise, retained, at both servers; for mosquitto's, the state of its own bridges is at $SYS/broker/connection/NAME/state
    #[arg(long, value_name = "TOPIC")]
    notify: Option<String>,

    /// Leave no sessions behind: messages that are published while the bridge is away are not carried
    #[arg(long)]
    clean: bool,

    /// What to do with the RETAIN flag
    #[arg(long, value_name = "WHAT", default_value = "keep")]
    retain: RetainWord,

    /// Which retained messages are carried when the bridge connects: always, new (only for new subscriptions) or never
    #[arg(long, value_name = "WHEN", default_value = "always", value_parser = values::retain_handling)]
    retain_handling: RetainHandling,

    /// MQTT: largest packet to accept, such as 64KiB; servers with MQTT 5 do not send larger messages [default: what the protocol allows, 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = values::packet_size)]
    max_packet_size: Option<u32>,

    /// AMQP: queue of the first server to consume from [default: a temporary one, bound to --from-exchange]
    #[arg(long, value_name = "QUEUE")]
    from_queue: Option<String>,

    /// AMQP: exchange of the first server [default: amq.topic; back from AMQP, the one that a message came from]
    #[arg(long, value_name = "NAME")]
    from_exchange: Option<String>,

    /// AMQP: queue of the other server to consume from [default: a temporary one, bound to --to-exchange]
    #[arg(long, value_name = "QUEUE")]
    to_queue: Option<String>,

    /// AMQP: exchange of the other server [default: amq.topic; for what came over AMQP, the one that it came from]
    #[arg(long, value_name = "NAME")]
    to_exchange: Option<String>,

    #[command(flatten)]
    delivery: DeliveryFlags,

    /// Have one message in flight at a time to each server, so that one that is temporarily rejected (basic.nack, a quota) and sent again is not overtaken
    #[arg(long, help_heading = "Delivery")]
    strict_order: bool,

    /// Connect once: end where a connection cannot be made or is lost, as mosquitto's start_type once does; the same as --retry never
    #[arg(long, conflicts_with = "retry", help_heading = "Connections")]
    once: bool,

    #[command(flatten, next_help_heading = "Bridge")]
    map: MapFlags,

    /// Print the equivalent iotctl route configuration, and exit; when to end, --ready-file, --report and --prometheus-listen are flags of iotctl route, and refused here
    #[arg(long)]
    print_config: bool,

    #[command(flatten)]
    between: BetweenFlags,

    #[command(flatten)]
    limits: LimitFlags,

    #[command(flatten)]
    enough: EnoughFlags,

    #[command(flatten)]
    ready: ReadyFlags,

    #[command(flatten)]
    ends: EndsFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RetainWord {
    /// As the message has it
    Keep,
    /// Nothing is retained
    Drop,
    /// Everything is retained
    Set,
}

impl From<RetainWord> for Retain {
    fn from(word: RetainWord) -> Self {
        match word {
            RetainWord::Keep => Self::Keep,
            RetainWord::Drop => Self::Drop,
            RetainWord::Set => Self::Set,
        }
    }
}

fn with_retry(connect: ConnectArgs, retry: Option<Retry>) -> ConnectArgs {
    ConnectArgs {
        retry: connect.retry.or(retry),
        ..connect
    }
}

fn maps(lines: &[String]) -> Result<Vec<Map>> {
    let maps = lines.iter().map(|line| {
        let maps = topics::parse(line);
        maps.map_err(|why| Error::usage(format!("--topic {line:?}: {why}")))
    });
    Ok(maps.collect::<Result<Vec<_>>>()?.concat())
}

impl BridgeFlags {
    /// The command, validated as far as possible without a file or the network.
    pub(crate) fn command(self) -> Result<Command> {
        // TO excludes --import, and so it would not be asked for.
        if self.connection.is_some() && self.import.is_none() {
            return Err(Error::usage("--connection needs --import"));
        }
        if !self.print_config {
            return Ok(Command::Bridge(Box::new(self.plan()?)));
        }
        written::refuse_of_run([
            self.limits.given(),
            self.enough.given(),
            self.between.progress().given(),
            self.ready.given(),
        ])?;
        let mut file = File::default();
        self.between.write(&mut file);
        let on_refused = self.delivery.on_refused.clone();
        let plan = self.plan()?;
        config::write(&plan, &on_refused, &mut file)?;
        Ok(Command::PrintRoutes(Written(file).into(), plan.style))
    }

    /// The plan of the command, validated as far as possible without a file or the network.
    pub(crate) fn plan(self) -> Result<Plan> {
        let maps = maps(&self.topic)?;
        let (refusals, letters) = self.delivery.refusals()?;
        let ends = std::iter::once(&*self.from).chain(self.to.as_deref());
        let connects = self.ends.connect(ends);
        // They exclude each other.
        let once = self.once.then_some(Retry::Never);
        let [from, to] = connects.map(|it| with_retry(it, once));
        let from_end = server("FROM", &self.from)?;
        // With --import it is in the file.
        let to_end = match &self.to {
            Some(name) => server("TO", name)?,
            None => from_end.clone(),
        };
        if let Some(topic) = &self.notify {
            topic::check_name(topic).map_err(|why| Error::usage(format!("--notify: {why}")))?;
        }
        let text = |text: Option<String>| text.map(ByteString::from);
        let place = |end, connect, queue, exchange| Place {
            end,
            connect,
            version: None,
            tuning: Tuning {
                max_packet_size: self.max_packet_size,
                ..Tuning::default()
            },
            queue: text(queue),
            exchange: text(exchange),
        };
        Ok(Plan {
            dead_letters: letters.map(|end| Letters {
                end,
                connect: to.clone(),
            }),
            places: [
                place(from_end, from, self.from_queue, self.from_exchange),
                place(to_end, to, self.to_queue, self.to_exchange),
            ],
            import: self.import.map(|file| Import {
                file,
                connection: self.connection,
            }),
            maps,
            name: self.name,
            clean: self.clean,
            notify: text(self.notify),
            retained: self.retain_handling,
            retain: self.retain.into(),
            refusals,
            window: self.delivery.window,
            retries: self.delivery.retries,
            strict_order: self.strict_order,
            strict: self.delivery.strict,
            stages: self.map.stages(),
            between: self.between.between(&[])?,
            until: self.enough.until(self.limits.until())?,
            ready: self.ready.ready(),
            style: self.terminal.style(),
        })
    }
}
