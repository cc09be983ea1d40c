//! The alerts of a file: who watches over which sources, and who is told.

use std::cell::RefCell;
use std::rc::Rc;

use super::Readers;
use super::alert_table::{AlertTable, StepTable};
use super::router::Shape;
use crate::command::alert::shape::Shape as Notice;
use crate::command::alert::{self, Exit, Marks, Place, SharedMarks, Watch};
use crate::command::ends::source::exchange_of;
use crate::command::ends::{self, End};
use crate::connect::{Protocol, without_credentials};
use crate::error::Result;
use crate::flow::Exec;
use crate::message::MqttDetail;
use crate::output::Console;

/// An alert that was checked.
pub(super) struct Alert {
    pub(super) plan: alert::Plan,
    /// The indices of its sources.
    pub(super) from: Vec<usize>,
    /// The indices of its targets, each with the step that it is for.
    pub(super) to: Vec<(usize, Option<usize>)>,
    /// Who else is told.
    own: Vec<(Own, Option<usize>)>,
    /// The filter of the topics of its notices.
    pub(super) image: String,
}

/// Who is told and is no target of the file.
#[derive(Clone)]
enum Own {
    Exec(Exec),
    Webhook(String),
}

/// How alerts are run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    /// Alarms are kept, and time is that of the clock; of each source whether it is a recording.
    Live,
    /// Nothing is kept.
    Dry,
    /// Nothing is kept, and time is that of the readings.
    Trial,
}

impl Alert {
    /// Reads a table; `sources` and `targets` are the names there are.
    pub(super) fn of(
        table: &AlertTable,
        readers: &Readers,
        sources: &[&str],
        target: impl Fn(&str) -> Result<usize, String>,
    ) -> Result<Self, String> {
        let why = |error: crate::error::Error| error.text().to_owned();
        let mut plan = (readers.alert)(&table.words()).map_err(why)?;
        let from = super::setup::indices(&table.from, sources)?;
        let names = from.iter().map(|at| sources[*at]);
        plan.from.end = End::Context(names.collect::<Vec<_>>().join(","));
        let (mut to, mut own) = (Vec::new(), Vec::new());
        for name in table.to.all() {
            to.push((target(name)?, None));
        }
        own.extend(exec(&table.exec)?.map(|exec| (Own::Exec(exec), None)));
        let webhooks = std::mem::take(&mut plan.to.webhooks);
        own.extend(webhooks.into_iter().map(|url| (Own::Webhook(url), None)));
        if to.is_empty() && own.is_empty() {
            return Err(String::from(
                "nobody is notified: to = \"TARGET\", exec or webhook is missing",
            ));
        }
        for (at, step) in table.escalate.iter().enumerate() {
            let StepTable {
                to: names,
                exec: words,
                webhook,
                ..
            } = step;
            for name in names.all() {
                to.push((target(name)?, Some(at)));
            }
            own.extend(exec(words)?.map(|exec| (Own::Exec(exec), Some(at))));
            let urls = webhook.all().iter();
            own.extend(urls.map(|url| (Own::Webhook(url.clone()), Some(at))));
        }
        for (who, step) in &own {
            if let Own::Webhook(url) = who {
                plan.webhook(url, *step).map_err(why)?;
            }
        }
        let filter = plan.from.topic.filter();
        let out = table.topic_out.as_ref().map(ToString::to_string);
        Ok(Self {
            image: out.map_or_else(|| filter.to_owned(), |text| ends::image(&text, filter)),
            plan,
            from,
            to,
            own,
        })
    }

    /// Who is told beside the targets of the file.
    ///
    /// # Errors
    /// A URL that names no server.
    pub(super) fn places(&self) -> Result<Vec<Place>> {
        let places = self.own.iter().map(|(own, step)| match own {
            Own::Exec(exec) => Ok(Place::Exec {
                exec: exec.clone(),
                step: *step,
            }),
            Own::Webhook(url) => self.plan.webhook(url, *step),
        });
        places.collect()
    }

    /// What those are called where messages are shown.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.own.iter().map(|(own, _)| match own {
            Own::Exec(exec) => exec.command.join(" "),
            Own::Webhook(url) => without_credentials(url),
        })
    }

    /// Those that are told, of which `first` is the first that is no target of the file.
    fn exits(&self, shapes: &[Shape], first: usize) -> Vec<Exit> {
        let published = || MqttDetail {
            qos: self.plan.to.qos.level(),
            retain: self.plan.to.retain,
            ..MqttDetail::default()
        };
        let targets = self.to.iter().map(|(target, step)| {
            let shape = &shapes[*target];
            Exit {
                target: *target,
                step: *step,
                shape: Notice::Json,
                protocol: shape.protocol,
                exchange: exchange_of(shape.exchange.clone()),
                is_webhook: false,
                published: (shape.protocol == Some(Protocol::Mqtt)).then(published),
                is_server: shape.protocol.is_some(),
            }
        });
        let own = self.own.iter().enumerate().map(|(at, (own, step))| {
            let is_webhook = matches!(own, Own::Webhook(_));
            Exit {
                target: first + at,
                step: *step,
                shape: match is_webhook {
                    true => self.plan.to.shape,
                    false => Notice::Json,
                },
                protocol: None,
                exchange: Default::default(),
                is_webhook,
                published: None,
                is_server: false,
            }
        });
        targets.chain(own).collect()
    }
}

fn exec(words: &[String]) -> Result<Option<Exec>, String> {
    match words {
        [] => Ok(None),
        [program, ..] if program.is_empty() => Err(String::from("exec: the command is empty")),
        words => Ok(Some(Exec::of(words.to_vec()))),
    }
}

/// An alert at work, and the indices of its sources.
pub(super) struct Watched {
    pub(super) from: Vec<usize>,
    pub(super) watch: Watch,
    pub(super) marks: SharedMarks,
}

/// Sets all alerts to work, over the targets with these shapes and those of their own behind them; `recorded` tells whether the
/// source with an index is a recording.
///
/// # Errors
/// A journal that cannot be used.
pub(super) fn watch(
    alerts: &[Alert],
    shapes: &[Shape],
    run: Run,
    recorded: impl Fn(usize) -> bool,
    console: Console,
) -> Result<Vec<Watched>> {
    let own = alerts.iter().map(|alert| alert.own.len());
    let count = shapes.len() + own.sum::<usize>();
    let mut first = shapes.len();
    let mut all = Vec::new();
    for alert in alerts {
        let marks = Rc::new(RefCell::new(Marks::new(count)));
        let recorded = run == Run::Trial || alert.from.iter().all(|at| recorded(*at));
        let journal = match run {
            Run::Live if recorded => alert.plan.state.clone(),
            Run::Live => Some(alert.plan.journal()?),
            Run::Dry | Run::Trial => None,
        };
        let exits = alert.exits(shapes, first);
        let plan = &alert.plan;
        let watch = plan.watch_over(exits, None, marks.clone(), recorded, journal, console)?;
        first += alert.own.len();
        all.push(Watched {
            from: alert.from.clone(),
            watch,
            marks,
        });
    }
    Ok(all)
}
