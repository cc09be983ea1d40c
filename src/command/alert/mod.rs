//! `alert`: watches over readings, and tells when they are bad for long enough, and when that is over.
//!
//! | part | what it is for |
//! |---|---|
//! | [`router`] | what becomes of a reading |
//! | [`way`] | where notices go, and which have arrived |
//! | [`shape`] | what they look like there |
//! | [`keys`] | the keys of alarms, and the topics they stand for |
//! | [`store`] | the journal: what is kept over a restart |
//! | [`admin`] | `alert ack`, `alert silence`, `alert list` |
//! | [`others`] | alarms of others that explain ours |

pub(crate) mod admin;
mod keys;
mod others;
mod router;
pub(crate) mod shape;
mod store;
mod way;

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use bytestring::ByteString;

use crate::command::ends::source::exchange_of;
use crate::command::ends::{self, End, Reports, SourceArgs, SourceEnd, TargetArgs, TargetEnd};
use crate::command::hangup::{NOTHING_TO_REOPEN, reopen_at_hangup};
use crate::command::mqtt::session::SessionArgs;
use crate::connect::{ConnectArgs, Environment, Protocol, Target as Server};
use crate::error::Result;
use crate::flow::alarm::Rule;
use crate::flow::attended::{Attended, Taking};
use crate::flow::webhook::Webhook;
use crate::flow::{self, Commands, Exec, Fan, Origin, Printed, Ready, Refusals, Stages, Until};
use crate::mqtt::packet::{QoS, Subscription};
use crate::output::{Console, Format, Output, Style};
use crate::payload::captures::Pattern;
use crate::payload::expect::{Condition, Subject};
use crate::payload::template::Template;
use crate::stop::Stop;
use crate::store::Syncing;

use keys::Keys;
use others::Others;
pub(crate) use router::{Exit, Watch};
use shape::Shape;
use store::Store;
pub(crate) use way::{Marked, Marks, SharedMarks, Way};

/// Seconds of the keep-alive.
const KEEP_ALIVE: u16 = 60;

/// Where the readings come from, and which they are.
#[derive(Clone, Debug)]
pub struct From {
    /// The name of the server, or the file.
    pub end: End,
    /// What its journal may call it, beside that.
    pub alias: Option<End>,
    /// How to connect.
    pub connect: ConnectArgs,
    /// The topics; what stands for the wildcards is the key of an alarm.
    pub topic: Pattern,
    /// What of a message is the reading.
    pub value: Subject,
    /// What of it says when that was; otherwise when it came.
    pub time: Option<Subject>,
    /// AMQP: the queue to consume from; otherwise a temporary one, bound to the exchange.
    pub queue: Option<ByteString>,
    /// AMQP: the exchange to bind to; otherwise the one of MQTT's topics.
    pub exchange: Option<ByteString>,
    /// The session ends with the connection.
    pub clean: bool,
}

/// Where notices go.
#[derive(Clone, Debug)]
pub struct To {
    /// Servers.
    pub ends: Vec<End>,
    /// How to connect to them.
    pub connect: ConnectArgs,
    /// The topic that notices have there; needed if there are any.
    pub topic: Option<Template>,
    /// AMQP: the exchange to publish to.
    pub exchange: Option<ByteString>,
    /// MQTT: how they are published.
    pub qos: QoS,
    /// MQTT: whether they are retained.
    pub retain: bool,
    /// An empty message follows the last one of an alarm.
    pub forget: bool,
    /// A command.
    pub exec: Option<Exec>,
    /// URLs to post to.
    pub webhooks: Vec<String>,
    /// What is posted there.
    pub shape: Shape,
    /// Lines on standard output are JSON.
    pub json: bool,
    /// Who is told of each step of the escalation.
    pub steps: Vec<StepTo>,
}

/// Who is told of a step of the escalation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepTo {
    /// Whoever is told of the other notices.
    Everybody,
    /// Where it is posted to.
    Webhook(String),
    /// The words of a command.
    Command(Vec<String>),
}

/// What is watched over, and who is told.
#[derive(Clone, Debug)]
pub struct Plan {
    /// When an alarm fires.
    pub rule: Rule,
    /// The condition of [`flow::alarm::Test::When`].
    pub when: Option<Condition>,
    /// Where readings come from.
    pub from: From,
    /// Where notices go.
    pub to: To,
    /// Messages of these topics acknowledge the alarm of what stands for their wildcards.
    pub acknowledgements: Option<Pattern>,
    /// While the last message of such a topic says that it is firing, nothing is told of what has the same names.
    pub unless: Option<Pattern>,
    /// What has the same names as such a topic is stale once a message there says that the device is offline.
    pub status: Option<Pattern>,
    /// The journal; otherwise one of the name, and none for a recording.
    pub state: Option<PathBuf>,
    /// Ends after the first notice.
    pub once: bool,
    /// What becomes of notices that are refused for good.
    pub refusals: Refusals,
    /// Where the readings go whose notices are refused.
    pub letters: Option<End>,
    /// How many messages may be under way.
    pub window: u16,
    /// A server that grants QoS 0 where more was asked for ends it.
    pub strict: bool,
    /// How often a notice that is refused for now is sent again; `None`: for as long as connections are tried again.
    pub retries: Option<u32>,
    /// Who is told how far it is.
    pub reports: Reports,
    /// When it ends.
    pub until: Until,
    /// Who is told when readings can come.
    pub ready: Ready,
    /// What the terminal shows.
    pub style: Style,
}

/// Watches until it is told to stop.
///
/// # Errors
/// No connection, a refused notice, a deadline; see [`Kind`](crate::error::Kind).
pub(crate) async fn run(plan: Plan) -> Result<()> {
    let console = Console::new(plan.style);
    let ends = plan.resolve(console)?;
    let marks = Rc::new(RefCell::new(Marks::new(ends.targets.len())));
    let watch = plan.watch(&ends, marks.clone(), console)?;
    let mut stop = Stop::watch()?;
    reopen_at_hangup(&mut stop, Some(NOTHING_TO_REOPEN), console)?;
    let source = ends.source.open().await?;
    let mut ways = Vec::new();
    for (at, target) in ends.targets.iter().enumerate() {
        let way = target.open(plan.style, console).await?;
        ways.push(Marked::new(way, at, vec![marks.clone()], plan.refusals));
    }
    let origin = Origin::of(std::slice::from_ref(&source));
    let taking = || match plan.once {
        true => marks.borrow().taking(),
        false => Taking::GoesOn,
    };
    let mut source = Attended::new(source, taking, |_| Ok(()));
    let fan = Fan::new(watch, ways, plan.refusals).answering(origin);
    let mut target = plan.reports.of(fan, console).await?;
    let stages = Stages::default();
    let mut announcement = plan.ready.announcement()?;
    let ended = flow::pass_as(
        &mut announcement.watch(&mut source),
        &mut target,
        &stages,
        &plan.until,
        &mut stop,
        (console, |account, _| account.judged(&marks.borrow().told())),
    )
    .await;
    let mut fan = target.into_inner();
    let refused = fan.own_refusal().map_or(Ok(()), Err);
    let (watch, ways) = fan.into_parts();
    let kept = watch.finish();
    let closing = async {
        let mut closed = source.into_source().close().await;
        for way in ways {
            closed = closed.and(way.into_inner().close().await);
        }
        closed
    };
    let closed = stop.close(closing).await.unwrap_or(Ok(()));
    ended.and(kept).and(refused).and(closed)
}

/// The ends of the flow, with their files and secrets read.
struct Ends {
    source: SourceEnd,
    targets: Vec<Place>,
    letters: Option<usize>,
}

/// Where notices go, before anything is connected.
pub(crate) enum Place {
    Server(Box<TargetEnd>),
    Webhook {
        server: Box<Server>,
        step: Option<usize>,
    },
    Exec {
        exec: Exec,
        step: Option<usize>,
    },
    Output,
}

impl Place {
    pub(crate) async fn open(&self, style: Style, console: Console) -> Result<Way<'_>> {
        Ok(match self {
            Self::Server(end) => Way::Server(end.open().await?),
            Self::Webhook { server, .. } => {
                Way::Webhook(Box::new(Webhook::new(Server::clone(server), console)))
            }
            Self::Exec { exec, .. } => {
                Way::Exec(Commands::new(exec, console).with_variables(shape::variables))
            }
            Self::Output => {
                let format = Format::Text {
                    topic: false,
                    newline: true,
                };
                let output = Output::open(format, style)?;
                Way::Output(Box::new(Printed::new(output)))
            }
        })
    }
}

impl Plan {
    /// Refuses what has no effect at these servers.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] that names the flag.
    pub(crate) fn check_amqp(&self) -> Result<()> {
        let (from, to) = (&self.from, &self.to);
        ends::check_amqp("--queue", from.queue.is_some(), [&from.end])?;
        ends::check_amqp("--exchange", from.exchange.is_some(), [&from.end])?;
        let targets = to.ends.iter().chain(&self.letters);
        ends::check_amqp("--to-exchange", to.exchange.is_some(), targets)
    }

    fn resolve(&self, console: Console) -> Result<Ends> {
        self.check_amqp()?;
        let mut source = SourceEnd::resolve(self.source(), console)?;
        if self.strict {
            source.insist();
        }
        let mut targets = self.targets(console)?;
        let letters = match &self.letters {
            Some(end) => {
                let end = TargetEnd::resolve(self.target(end, "letters"), console)?;
                targets.push(Place::Server(Box::new(end)));
                Some(targets.len() - 1)
            }
            None => None,
        };
        Ok(Ends {
            source,
            targets,
            letters,
        })
    }

    fn targets(&self, console: Console) -> Result<Vec<Place>> {
        let mut targets = Vec::new();
        for (end, number) in self.to.ends.iter().zip(1..) {
            let args = self.target(end, &format!("pub{number}"));
            let end = TargetEnd::resolve(args, console)?;
            targets.push(Place::Server(Box::new(end)));
        }
        let exec = self.to.exec.clone();
        targets.extend(exec.map(|exec| Place::Exec { exec, step: None }));
        for url in &self.to.webhooks {
            targets.push(self.webhook(url, None)?);
        }
        let is_nobody = targets.is_empty();
        for (to, step) in self.to.steps.iter().zip(0..) {
            match to {
                StepTo::Everybody => {}
                StepTo::Webhook(url) => targets.push(self.webhook(url, Some(step))?),
                StepTo::Command(words) => targets.push(Place::Exec {
                    exec: Exec::of(words.clone()),
                    step: Some(step),
                }),
            }
        }
        if is_nobody {
            targets.push(Place::Output);
        }
        Ok(targets)
    }

    /// Where notices, or those of a step, are posted to.
    ///
    /// # Errors
    /// No URL of a server.
    pub(crate) fn webhook(&self, url: &str, step: Option<usize>) -> Result<Place> {
        let args = ConnectArgs {
            url: Some(url.to_owned()),
            username: None,
            password_file: None,
            ..self.to.connect.clone()
        };
        let server = args.resolve(Protocol::Http, &Environment::of_process())?;
        Ok(Place::Webhook {
            server: Box::new(server),
            step,
        })
    }

    /// A stable part of client identifiers, so that sessions are found again.
    pub(crate) fn client_id(&self, what: &str) -> ByteString {
        let ends = format!("{} {}", self.from.end, self.from.topic);
        // FNV-1a: it has to be the same in every version of this program.
        let hash = ends.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        format!("alert-{}-{hash:08x}-{what}", self.rule.name).into()
    }

    fn source(&self) -> SourceArgs {
        let subscription = |filter: &str| Subscription {
            filter: filter.into(),
            qos: QoS::AtLeastOnce,
            ..Subscription::default()
        };
        SourceArgs {
            end: self.from.end.clone(),
            connect: self.from.connect.clone(),
            subscriptions: self.filters().map(subscription).collect(),
            mqtt: SessionArgs {
                client_id: Some(self.client_id("sub")),
                persistent: !self.from.clean,
                keep_alive: KEEP_ALIVE,
                ..SessionArgs::default()
            },
            queue: self.from.queue.clone(),
            exchange: exchange_of(self.from.exchange.clone()),
            peek: false,
            retained_only: false,
            speed: None,
            window: self.window,
            style: self.style,
        }
    }

    fn target(&self, end: &End, what: &str) -> TargetArgs {
        TargetArgs {
            sink: None,
            end: end.clone(),
            connect: self.to.connect.clone(),
            mqtt: SessionArgs {
                client_id: Some(self.client_id(what)),
                keep_alive: KEEP_ALIVE,
                max_inflight: Some(self.window),
                ..SessionArgs::default()
            },
            state: None,
            qos: self.to.qos,
            retain: self.to.retain,
            exchange: exchange_of(self.to.exchange.clone()),
            window: self.window,
            retries: self.retries,
            sync: Syncing::Auto,
            format: Format::Json {
                pretty: false,
                embed: false,
                local: false,
            },
            style: self.style,
        }
    }

    fn watch(&self, ends: &Ends, marks: SharedMarks, console: Console) -> Result<Watch> {
        let exits = ends.targets.iter().enumerate();
        let exits = exits.filter(|(at, _)| Some(*at) != ends.letters);
        let exits = exits
            .map(|(target, place)| self.exit(target, place))
            .collect();
        let letters = ends.letters.map(|target| {
            let protocol = match &ends.targets[target] {
                Place::Server(end) => end.protocol(),
                _ => None,
            };
            (target, protocol, exchange_of(self.to.exchange.clone()))
        });
        let recorded = matches!(self.from.end, End::File(_));
        let journal = match (&self.state, recorded) {
            (Some(path), _) => Some(path.clone()),
            (None, true) => None,
            (None, false) => Some(store::usual_path(&self.rule.name)?),
        };
        self.watch_over(exits, letters, marks, recorded, journal, console)
    }

    /// The journal, where readings are not recorded.
    ///
    /// # Errors
    /// No place for it.
    pub(crate) fn journal(&self) -> Result<PathBuf> {
        let given = self.state.clone().map(Ok);
        given.unwrap_or_else(|| store::usual_path(&self.rule.name))
    }

    /// Who watches over the readings, tells these exits, and keeps alarms in this journal; `recorded`: time is that of readings.
    ///
    /// # Errors
    /// The journal cannot be used.
    pub(crate) fn watch_over(
        &self,
        exits: Vec<Exit>,
        letters: Option<(usize, Option<Protocol>, ByteString)>,
        marks: SharedMarks,
        recorded: bool,
        journal: Option<PathBuf>,
        console: Console,
    ) -> Result<Watch> {
        let (name, from) = (&self.rule.name, &self.from);
        let head = |end: &End| store::head(name, end, &from.topic);
        let alias = from.alias.as_ref().unwrap_or(&from.end);
        let heads = [head(&from.end), head(alias)];
        let keys = Keys::new(self.from.topic.clone());
        let heads = heads.each_ref().map(String::as_str);
        let store = journal.map(|path| Store::open(&path, heads, self.rule.clone()));
        let (store, alarms) = match store.transpose()? {
            Some((store, alarms)) => (Some(store), alarms),
            None => (None, flow::alarm::Alarms::new(self.rule.clone())),
        };
        Ok(Watch::new(router::Parts {
            keys,
            value: self.from.value.clone(),
            time: self.from.time.clone(),
            when: self.when.clone(),
            acknowledgements: self.acknowledgements.clone(),
            others: Others::alarms(self.unless.clone(), self.rule.max_keys),
            gone: Others::devices(self.status.clone(), self.rule.max_keys),
            alarms,
            store,
            exits,
            letters,
            topic: self.to.topic.clone(),
            forget: self.to.forget,
            marks,
            recorded,
            console,
        }))
    }

    /// The filters of all that it looks at.
    pub(crate) fn filters(&self) -> impl Iterator<Item = &str> {
        let patterns = [
            Some(&self.from.topic),
            self.acknowledgements.as_ref(),
            self.unless.as_ref(),
            self.status.as_ref(),
        ];
        patterns.into_iter().flatten().map(Pattern::filter)
    }

    fn exit(&self, target: usize, place: &Place) -> Exit {
        let (step, shape) = match place {
            Place::Webhook { step, .. } => (*step, self.to.shape),
            Place::Exec { step, .. } => (*step, Shape::Json),
            Place::Output if !self.to.json => (None, Shape::Line),
            _ => (None, Shape::Json),
        };
        let protocol = match place {
            Place::Server(end) => end.protocol(),
            _ => None,
        };
        Exit {
            target,
            step,
            shape,
            protocol,
            exchange: exchange_of(self.to.exchange.clone()),
            is_webhook: matches!(place, Place::Webhook { .. }),
            published: None,
            is_server: matches!(place, Place::Server(_)),
        }
    }
}
