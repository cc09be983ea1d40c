//! `alert`: its flags, and the plan they make.

mod alarm;
mod config;
mod words;

use bytestring::ByteString;
use clap::{Args, FromArgMatches, ValueEnum};

use self::alarm::{StateFlags, TestFlags};
use self::words::{EscalateWord, millis, per, step};
use super::flags::between::ProgressFlags;
use super::flags::ends::{DeliveryFlags, EndsFlags, server};
use super::flags::exec::ExecFlags;
use super::flags::ready::ReadyFlags;
use super::flags::terminal::TerminalFlags;
use super::flags::until::{DrainFlags, EnoughFlags};
use super::flags::written;
use super::syntax::numbers::{Count, Span, Wait, whole};
use crate::command::Command;
use crate::command::alert::shape::Shape;
use crate::command::alert::{From, Plan, StepTo, To, admin};
use crate::command::ends::source::path_pattern;
use crate::command::ends::{self, End};
use crate::command::route::Written;
use crate::command::route::alert_table::Word;
use crate::connect::{ConnectArgs, Protocol, without_credentials};
use crate::error::{Error, Result};
use crate::flow::Until;
use crate::flow::alarm::{Millis, Rule};
use crate::message::fields;
use crate::message::topic::intersect;
use crate::mqtt::packet::QoS;
use crate::payload::captures::Pattern;
use crate::payload::expect::Subject;
use crate::payload::template::Template;

/// What is run for each notice.
const EXEC: &str = "Run this command for each notice, with the notice as JSON on standard input and IOTCTL_ALERT_NAME, IOTCTL_ALERT_KEY, IOTCTL_ALERT_STATE and so on in its environment; everything after --exec belongs to the command, up to a lone ';'. A reading is acknowledged when the commands of its notices have exited with 0; another code counts as refused (--on-refused)";
const EXEC_JSON: &str = "Pass the message of the notice on standard input as one line of JSON, as --output json shows it, instead of the notice";

const MESSAGES: &str = "End after this many messages, readings and others";

/// On its help page.
pub(super) const EXAMPLES: &[(&str, &str)] = &[
    (
        "Publish an alert for each device above 27 degrees, retained, until it is below 26",
        "iotctl alert mqtt://broker.example -t 'sensors/{device}/temperature' --value /value --above 27 --clear-below 26 --to mqtt://broker.example --topic-out 'alerts/{device}/high_temp' -q 2 -r",
    ),
    (
        "Run a command when a device has been silent for five minutes",
        "iotctl alert mqtt://broker.example -t 'devices/{id}/status' --stale 5m --exec ./page.sh",
    ),
    (
        "Notify a webhook of what lasts for half a minute, and another one when nobody acknowledges it",
        "iotctl alert cloud -t 'sensors/{device}/temperature' --above 27 --for 30s --webhook https://hooks.example/t --escalate 10m=critical=https://hooks.example/call",
    ),
    (
        "Run a command for what nobody has acknowledged after ten minutes",
        "iotctl alert cloud -t 'sensors/{device}/temperature' --above 27 --webhook https://hooks.example/t --escalate '10m=critical=exec:sendmail -t'",
    ),
    (
        "Look at the alerts about what comes through a pipe",
        "iotctl mqtt sub -t 'sensors/#' --output json | iotctl alert - -t 'sensors/{device}/temperature' --value /value --above 27 --to - --topic-out 'alerts/{device}' | iotctl watch - --alerts 'alerts/#'",
    ),
    (
        "See what is firing, and acknowledge it",
        "iotctl alert list alert; iotctl alert ack alert d7",
    ),
];

#[derive(Args, Debug)]
#[command(
    next_help_heading = "Readings",
    mut_arg("exec", |exec| exec.help(EXEC)),
    mut_arg("exec_json", |json| json.help(EXEC_JSON)),
    // --count is how many readings must be bad.
    mut_arg("messages", |count| count.long(None).help(MESSAGES))
)]
pub(crate) struct AlertFlags {
    /// Server or file that readings come from: a URL such as mqtt://HOST, the name of a context, a file of recorded messages, or - for such messages on standard input [default: IOTCTL_URL, the default context, or mqtt://localhost]. Instead of one: list NAME, ack NAME KEY, silence NAME KEY TIME and silence NAME TIME look at the alarms of an alert that is running, acknowledge one, and silence one or all
    #[arg(value_name = "FROM", help_heading = None)]
    from: Option<String>,

    /// After list, ack and silence: the name of the alert, the key of an alarm, a time
    #[arg(value_name = "WORD", help_heading = None)]
    words: Vec<String>,

    /// Topics of the readings; {name} stands for one level and {name...} for the rest, as + and # do, and what stands there is the key of an alarm
    #[arg(short = 't', long, value_name = "PATTERN")]
    topic: Option<Pattern>,

    /// The reading: payload, a JSON pointer such as /value, or a field such as retain
    #[arg(long, value_name = "WHAT", default_value = "payload")]
    value: Subject,

    /// When a reading was, as ISO 8601 or a number since 1970: a JSON pointer such as /timestamp, or a field. Readings that are not newer than the last of their key are skipped [default: when the message came]
    #[arg(long, value_name = "WHAT")]
    time: Option<Subject>,

    /// AMQP: queue to consume from [default: a temporary one, bound to --exchange]
    #[arg(long, alias = "from-queue", value_name = "QUEUE")]
    queue: Option<String>,

    /// AMQP: exchange that a temporary queue is bound to [default: amq.topic]
    #[arg(long, alias = "from-exchange", value_name = "NAME")]
    exchange: Option<String>,

    /// Leave no session behind: readings that are published while the command is away are not seen
    #[arg(long)]
    clean: bool,

    #[command(flatten)]
    test: TestFlags,

    #[command(flatten)]
    state: StateFlags,

    #[command(flatten)]
    to: ToFlags,

    #[command(flatten)]
    exec: ExecFlags,

    #[command(flatten)]
    delivery: DeliveryFlags,

    #[command(flatten, next_help_heading = "Delivery")]
    reports: ProgressFlags,

    /// Fail after this long, with exit code 5
    #[arg(
        short = 'W',
        long,
        value_name = "TIME",
        help_heading = "End conditions"
    )]
    timeout: Option<Wait>,

    /// End after this long, with exit code 0, or 5 where -C asked for more messages
    #[arg(
        long = "duration",
        value_name = "TIME",
        help_heading = "End conditions"
    )]
    lasts: Option<Wait>,

    /// Print the equivalent iotctl route configuration, and exit; the topic of its notices and all that belongs to the alert is in there; when to end, --ready-file, --report and --prometheus-listen are flags of iotctl route, and refused here
    #[arg(long, help_heading = "State")]
    print_config: bool,

    /// End when the first notice has been delivered
    #[arg(long, help_heading = "End conditions")]
    once: bool,

    #[command(flatten)]
    enough: EnoughFlags,

    #[command(flatten)]
    drain: DrainFlags,

    #[command(flatten)]
    ready: ReadyFlags,

    #[command(flatten)]
    ends: EndsFlags,

    #[command(flatten)]
    terminal: TerminalFlags,
}

/// Where notices go, and how often.
#[derive(Args, Debug)]
#[command(next_help_heading = "Notices")]
struct ToFlags {
    /// Server that notices are published to, as FROM, or - for records on standard output, as --output json of mqtt sub shows messages; may be repeated. Without it, --exec and --webhook they are shown on standard output
    #[arg(long, value_name = "URL")]
    to: Vec<String>,

    /// Topic that they are published to; a name of --topic in braces, {alert} and {severity} are filled in
    #[arg(long, value_name = "TOPIC")]
    topic_out: Option<String>,

    /// AMQP: exchange that they are published to [default: amq.topic]
    #[arg(long, value_name = "NAME")]
    to_exchange: Option<String>,

    /// MQTT: QoS that they are published with
    #[arg(short = 'q', long, value_name = "QOS", default_value = "1", value_parser = whole(0..=2_u8))]
    qos: u8,

    /// MQTT: retain the last one of each topic
    #[arg(short = 'r', long)]
    retain: bool,

    /// After an alarm has ended publish an empty message too, which removes the retained one
    #[arg(long, requires = "retain")]
    forget: bool,

    /// URL that notices are posted to, with http or https; may be repeated
    #[arg(long, value_name = "URL")]
    webhook: Vec<String>,

    /// What is posted
    #[arg(long, value_name = "FORMAT", default_value = "json")]
    webhook_format: FormatWord,

    /// How notices are shown on standard output
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "text")]
    output: OutputWord,

    /// Severity label (free text)
    #[arg(long, value_name = "WORD", default_value = "warning")]
    severity: String,

    /// Send another notice of an alarm that fires, this often, until it is acknowledged
    #[arg(long, value_name = "TIME")]
    repeat: Option<Wait>,

    /// After TIME, an alarm that fires and is not acknowledged has another severity, and another notice is sent: to all, or only to the URL of a webhook or, as with --exec, to a command (exec:COMMAND, whose words are separated by spaces unless they are in quotes), which is notified of the end too; may be repeated
    #[arg(long, value_name = "TIME=SEVERITY[=URL|COMMAND]", value_parser = step)]
    escalate: Vec<EscalateWord>,

    /// Rate limit for notices, such as 5/h; suppressed notices are summarised in one
    #[arg(long, value_name = "COUNT/TIME", value_parser = per::<u32>)]
    limit: Option<(u32, Millis)>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatWord {
    /// The message that servers get
    Json,
    /// Version 2 of Alertmanager's interface; the URL is that of /api/v2/alerts
    Alertmanager,
    /// Text with headers, as ntfy has it
    Ntfy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutputWord {
    /// One human-readable line
    Text,
    /// One JSON object per line
    Json,
}

/// Reads an alert of a routes file, whose keys are these flags; it says itself where readings come from and notices go.
pub(crate) fn read(words: &[String]) -> Result<Plan> {
    let command = AlertFlags::augment_args(clap::Command::new("alert"));
    let command = command.no_binary_name(true).disable_help_flag(true);
    let words = std::iter::once("-").chain(words.iter().map(String::as_str));
    let flags = command.try_get_matches_from(words);
    let flags = flags.and_then(|matches| AlertFlags::from_arg_matches(&matches));
    let flags = flags.map_err(|error| {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        Error::usage(line.strip_prefix("error: ").unwrap_or(line))
    });
    flags?.checked()
}

impl AlertFlags {
    /// The command, validated as far as possible without a file or the network.
    pub(crate) fn command(self) -> Result<Command> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        let usual = self.state.name.clone();
        let usual = usual.as_str();
        let action = match (self.from.as_deref().unwrap_or_default(), words.as_slice()) {
            ("list", [name]) => {
                let json = self.to.output == OutputWord::Json;
                (name, admin::Action::List { json })
            }
            ("list", []) => {
                let json = self.to.output == OutputWord::Json;
                (&usual, admin::Action::List { json })
            }
            (word @ ("ls" | "status"), [] | [_]) if self.topic.is_none() => {
                let text = format!("there is no command \"alert {word}\"");
                return Err(Error::usage(text).hint("did you mean `iotctl alert list`?"));
            }
            ("ack", [name, key]) => (name, admin::Action::Acknowledge((*key).to_owned())),
            ("silence", [name, key, time]) => (name, silence(Some(key), time)?),
            ("silence", [name, time]) => (name, silence(None, time)?),
            ("list" | "ack" | "silence", _) => {
                return Err(Error::usage(
                    "expected list [NAME], ack NAME KEY, silence NAME KEY TIME or silence NAME TIME",
                ));
            }
            (_, []) => return self.watching(),
            (_, [word, ..]) => {
                return Err(Error::usage(format!("unexpected word {word:?} after FROM")));
            }
        };
        let (name, action) = action;
        Ok(Command::Alarms(admin::Plan {
            name: (*name).to_owned(),
            state: self.state.state,
            action,
        }))
    }

    fn watching(self) -> Result<Command> {
        if !self.print_config {
            return Ok(Command::Alert(Box::new(self.plan()?)));
        }
        if self.from.is_none() {
            return Err(Error::usage("--print-config needs FROM"));
        }
        written::refuse_of_run([
            self.timeout.as_ref().map(|_| "--timeout"),
            self.lasts.as_ref().map(|_| "--duration"),
            self.enough.given(),
            self.drain.given(),
            self.reports.given(),
            self.ready.given(),
        ])?;
        written::refuse([("--once", self.once)])?;
        let (style, out) = (self.terminal.style(), self.to.topic_out.clone());
        let mut file = config::file(&self.plan()?)?;
        for alert in &mut file.alert {
            alert.topic_out = out.clone().map(Word::Text);
        }
        Ok(Command::PrintRoutes(Box::new(Written(file)), style))
    }

    fn rule(&self) -> Result<Rule> {
        let (test, to) = (&self.test, &self.to);
        let Count(max_keys) = self.state.max_keys;
        let rule = Rule {
            name: self.state.name.clone(),
            test: test.test()?,
            clear_below: test.clear_below,
            clear_above: test.clear_above,
            hold: test.hold.map_or(0, |Span(time)| millis(time)),
            clear_hold: test.clear_for.map_or(0, |Span(time)| millis(time)),
            count: test.count,
            stale: test.stale.map(|Wait(time)| millis(time)),
            severity: to.severity.clone(),
            repeat: to.repeat.map(|Wait(time)| millis(time).max(1)),
            escalation: to.escalate.iter().map(|it| it.step.clone()).collect(),
            flapping: test.flapping,
            limit: to.limit,
            // As many slots as a number of 32 bits counts.
            max_keys: usize::try_from(max_keys).unwrap_or(usize::MAX).min(1 << 31),
        };
        rule.check().map_err(Error::usage)?;
        Ok(rule)
    }

    /// Refuses what messages of the protocol do not have, where that is known.
    fn check_fields(&self, end: &End, topic: &Pattern) -> Result<()> {
        let fields = match end {
            End::Url(Protocol::Mqtt, _) => &fields::MQTT,
            End::Url(Protocol::Amqp, _) => &fields::AMQP,
            End::Url(Protocol::Coap, _) | End::Listen(_) => &fields::COAP,
            End::Url(Protocol::Http, _)
            | End::Usual
            | End::Context(_)
            | End::File(_)
            | End::Database(_)
            | End::Store(_)
            | End::Standard => return Ok(()),
        };
        for (flag, subject) in [
            ("--value", Some(&self.value)),
            ("--time", self.time.as_ref()),
        ] {
            let checked = subject.map_or(Ok(()), |subject| subject.check(fields));
            checked.map_err(|why| Error::usage(format!("{flag}: {why}")))?;
        }
        let when = self.test.when.as_ref();
        let checked = when.map_or(Ok(()), |when| when.check_in(fields, |name| topic.has(name)));
        checked.map_err(|why| Error::usage(format!("--when: {why}")))
    }

    fn plan(self) -> Result<Plan> {
        let is_named = !self.to.to.is_empty();
        match (&self.to.topic_out, is_named) {
            (None, true) => Err(Error::usage("--to needs --topic-out")
                .hint("such as --topic-out 'alerts/{device}'")),
            (Some(_), false) => {
                Err(Error::usage("--topic-out needs --to").hint("such as --to mqtt://HOST"))
            }
            _ => self.checked(),
        }
    }

    /// The topics of `-t`, or of the path of the source.
    fn watched(&self, end: &End) -> Result<Pattern> {
        let topic = match &self.topic {
            Some(topic) => Some(topic.clone()),
            None => path_pattern(end)?,
        };
        topic.ok_or_else(|| {
            Error::usage("no topic to monitor")
                .hint("use -t PATTERN, such as -t 'sensors/{device}/temperature'")
        })
    }

    /// The same where somebody else says where notices go.
    fn checked(self) -> Result<Plan> {
        let rule = self.rule()?;
        let end = match &self.from {
            Some(name) => End::parse(name)?,
            None => End::Usual,
        };
        let topic = self.watched(&end)?;
        self.check_fields(&end, &topic)?;
        self.test.check_names(&topic)?;
        let (refusals, letters) = self.delivery.refusals()?;
        // No name: the usual server, which may be encrypted, too.
        let from = std::iter::once(self.from.as_deref().unwrap_or_default());
        let ends = from.chain(self.to.to.iter().map(String::as_str));
        let [from_connect, to_connect] = self.ends.connect(ends);
        self.to.check_loop(&end, &topic)?;
        let to = To {
            connect: to_connect,
            exec: self.exec.exec::<Self>(false)?,
            ..self.to.to(&topic)?
        };
        Ok(Plan {
            rule,
            when: self.test.when,
            from: From {
                end,
                alias: None,
                connect: from_connect,
                topic,
                value: self.value,
                time: self.time,
                queue: self.queue.map(ByteString::from),
                exchange: self.exchange.map(ByteString::from),
                clean: self.clean,
            },
            to,
            acknowledgements: self.state.ack_topic,
            unless: self.test.unless,
            status: self.test.status_topic,
            state: self.state.state,
            once: self.once,
            refusals,
            letters,
            window: self.delivery.window,
            strict: self.delivery.strict,
            retries: self.delivery.retries,
            reports: self.reports.reports(),
            until: self.enough.until(Until {
                timeout: self.timeout.map(|Wait(time)| time),
                duration: self.lasts.map(|Wait(time)| time),
                ..self.drain.until()
            })?,
            ready: self.ready.ready(),
            style: self.terminal.style(),
        })
    }
}

impl ToFlags {
    /// Refuses notices that would come back as readings.
    fn check_loop(&self, from: &End, topic: &Pattern) -> Result<()> {
        let Some(text) = &self.topic_out else {
            return Ok(());
        };
        let mut ends = self.to.iter().filter_map(|name| End::parse(name).ok());
        let filter = topic.filter();
        // What comes from standard input does not go there.
        if !from.is_server()
            || !ends.any(|end| end == *from)
            || !intersect(&ends::image(text, filter), filter)
        {
            return Ok(());
        }
        let text = format!("--topic-out {text:?} comes back as a reading of -t {topic}");
        Err(Error::usage(text).hint("choose a topic that -t does not match"))
    }

    /// Where notices go, but for the command, and for how to connect.
    fn to(self, topic: &Pattern) -> Result<To> {
        let out = self.topic_out.as_deref();
        let out = out.map(|text| topic_out(text, topic)).transpose()?;
        let servers = self.to.iter().map(|name| match name.as_str() {
            "-" => Ok(End::Standard),
            name => server("--to", name),
        });
        let servers = servers.collect::<Result<Vec<End>>>()?;
        let steps: Vec<_> = self.escalate.into_iter().map(|it| it.to).collect();
        let own = steps.iter().filter_map(|to| match to {
            StepTo::Webhook(url) => Some(url),
            StepTo::Everybody | StepTo::Command(_) => None,
        });
        for url in self.webhook.iter().chain(own) {
            let is_http = |scheme| url.starts_with(scheme);
            if !["http://", "https://"].into_iter().any(is_http) {
                let shown = without_credentials(url);
                return Err(Error::usage(format!(
                    "{shown} is not a URL with http or https"
                )));
            }
        }
        Ok(To {
            ends: servers,
            topic: out,
            exchange: self.to_exchange.map(ByteString::from),
            qos: match self.qos {
                0 => QoS::AtMostOnce,
                1 => QoS::AtLeastOnce,
                _ => QoS::ExactlyOnce,
            },
            retain: self.retain,
            forget: self.forget,
            webhooks: self.webhook,
            shape: match self.webhook_format {
                FormatWord::Json => Shape::Json,
                FormatWord::Alertmanager => Shape::Alertmanager,
                FormatWord::Ntfy => Shape::Ntfy,
            },
            json: self.output == OutputWord::Json,
            steps,
            connect: ConnectArgs::default(),
            exec: None,
        })
    }
}

fn silence(key: Option<&str>, time: &str) -> Result<admin::Action> {
    let Span(time) = time
        .parse()
        .map_err(|why| Error::usage(format!("the time {time:?}: {why}")))?;
    Ok(admin::Action::Silence(key.map(str::to_owned), time))
}

/// Reads the topic of notices.
fn topic_out(text: &str, topic: &Pattern) -> Result<Template> {
    let known = |name: &str| topic.has(name) || matches!(name, "alert" | "severity");
    if text.contains(['+', '#']) {
        let text = format!("--topic-out: {text:?} contains a wildcard");
        return Err(Error::usage(text));
    }
    let template = Template::of_topic(text, known);
    template.map_err(|place| {
        let error = Error::usage(format!("--topic-out {text:?}: {place} is unknown"));
        error.hint(format!("--topic {topic} has to name it"))
    })
}
