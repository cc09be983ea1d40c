//! What the flags of an alert are in a routes file (`--print-config`).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cli::flags::written;
use crate::command::alert::shape::Shape;
use crate::command::alert::{Plan, StepTo};
use crate::command::ends::End;
use crate::command::route::alert_table::{AlertTable, StepTable, Word};
use crate::command::route::file::{File, Names, SourceTable, TargetTable};
use crate::error::{Error, Result};
use crate::flow::Refusals;
use crate::flow::alarm::{Millis, Test};

/// The name of the source.
const SOURCE: &str = "source";

/// The name of the target of what is refused.
const REFUSED: &str = "refused";

/// The routes file with this alert.
///
/// # Errors
/// What has no place in such a file.
pub(super) fn file(plan: &Plan) -> Result<File> {
    plan.check_amqp()?;
    let source = SourceTable {
        queue: plan.from.queue.as_ref().map(ToString::to_string),
        exchange: plan.from.exchange.as_ref().map(ToString::to_string),
        clean: Some(true).filter(|_| plan.from.clean && plan.from.end.is_server()),
        id: Some(plan.client_id("sub").to_string()).filter(|_| plan.from.end.is_server()),
        ..written::source(&plan.from.end, &plan.from.connect)
    };
    let names = (1..).map(|number| format!("target{number}"));
    let mut target: BTreeMap<String, TargetTable> = names
        .zip(plan.to.ends.iter().map(|end| to(plan, end)))
        .collect();
    let mut alert = table(plan)?;
    alert.from = Names::One(SOURCE.to_owned());
    alert.to = written::names(target.keys().cloned().collect());
    if plan.to.ends.is_empty() && plan.to.exec.is_none() && plan.to.webhooks.is_empty() {
        let shown = TargetTable {
            file: Some(String::from("-")),
            ..TargetTable::default()
        };
        target.insert(String::from("output"), shown);
        alert.to = Names::One(String::from("output"));
    }
    let on_refused = match (plan.refusals, &plan.letters) {
        (Refusals::Drop, _) => Some(String::from("drop")),
        (Refusals::DeadLetter, Some(end)) => {
            target.insert(REFUSED.to_owned(), to(plan, end));
            Some(REFUSED.to_owned())
        }
        _ => None,
    };
    Ok(File {
        on_refused,
        window: Some(plan.window),
        strict: Some(true).filter(|_| plan.strict),
        source: BTreeMap::from([(SOURCE.to_owned(), source)]),
        target,
        alert: vec![alert],
        ..File::default()
    })
}

fn to(plan: &Plan, name: &End) -> TargetTable {
    TargetTable {
        exchange: plan
            .to
            .exchange
            .as_ref()
            .filter(|_| name.is_amqp())
            .map(ToString::to_string),
        retries: plan.retries.filter(|_| name.is_server()),
        ..written::target(name, &plan.to.connect)
    }
}

fn table(plan: &Plan) -> Result<AlertTable> {
    let (time, text) = (|time: &Millis| text(span(*time)), text::<String>);
    let per = |(count, within): &(u32, Millis)| text(format!("{count}/{}", span(*within)));
    let rule = &plan.rule;
    let steps = rule.escalation.iter().zip(&plan.to.steps);
    let exec = plan.to.exec.as_ref();
    if exec.is_some_and(|exec| exec.json || exec.workers.get() > 1) {
        let text = "--exec-json and --workers cannot be expressed in a routes file";
        return Err(Error::usage(text));
    }
    let mut table = AlertTable {
        name: rule.name.clone(),
        topic: plan.from.topic.to_string(),
        value: Some(text(plan.from.value.to_string())),
        time: plan.from.time.as_ref().map(|time| text(time.to_string())),
        clear_below: rule.clear_below.map(Word::Number),
        clear_above: rule.clear_above.map(Word::Number),
        hold: Some(&rule.hold).filter(|it| **it > 0).map(time),
        clear_for: Some(&rule.clear_hold).filter(|it| **it > 0).map(time),
        count: rule.count.map(|(bad, of)| text(format!("{bad} of {of}"))),
        stale: rule.stale.as_ref().map(time),
        unless: plan.unless.as_ref().map(|it| text(it.to_string())),
        status_topic: plan.status.as_ref().map(|it| text(it.to_string())),
        flapping: rule.flapping.as_ref().map(per),
        state: plan.state.clone(),
        max_keys: i64::try_from(rule.max_keys).ok().map(Word::Whole),
        ack_topic: plan
            .acknowledgements
            .as_ref()
            .map(|it| text(it.to_string())),
        qos: Some(plan.to.qos.level()),
        retain: Some(plan.to.retain).filter(|it| *it),
        forget: Some(plan.to.forget).filter(|it| *it),
        exec: exec.map(|exec| exec.command.clone()).unwrap_or_default(),
        webhook: written::names(plan.to.webhooks.clone()),
        webhook_format: match plan.to.shape {
            Shape::Alertmanager => Some(text(String::from("alertmanager"))),
            Shape::Ntfy => Some(text(String::from("ntfy"))),
            Shape::Json | Shape::Line => None,
        },
        severity: Some(text(rule.severity.clone())),
        repeat: rule.repeat.as_ref().map(time),
        limit: rule.limit.as_ref().map(per),
        escalate: steps
            .map(|(step, to)| StepTable {
                after: time(&step.after),
                severity: step.severity.clone(),
                ..step_to(to)
            })
            .collect(),
        ..AlertTable::default()
    };
    set_test(&mut table, &rule.test, plan);
    Ok(table)
}

/// Who is told of a step.
fn step_to(to: &StepTo) -> StepTable {
    let table = StepTable::default();
    match to {
        StepTo::Everybody => table,
        StepTo::Webhook(url) => StepTable {
            webhook: Names::One(url.clone()),
            ..table
        },
        StepTo::Command(words) => StepTable {
            exec: words.clone(),
            ..table
        },
    }
}

fn set_test(table: &mut AlertTable, test: &Test, plan: &Plan) {
    let range = |low: &f64, high: &f64| Some(text(format!("{low}..{high}")));
    match test {
        Test::Above(limit) => table.above = Some(Word::Number(*limit)),
        Test::Below(limit) => table.below = Some(Word::Number(*limit)),
        Test::Outside(low, high) => table.outside = range(low, high),
        Test::Inside(low, high) => table.inside = range(low, high),
        Test::Equal(value) => table.equal = Some(text(value.clone())),
        Test::Changed => table.changed = Some(true),
        Test::Rate(by, within) => table.rate = Some(text(format!("{by}/{}", span(*within)))),
        Test::When(_) => table.when = plan.when.as_ref().map(|it| text(it.to_string())),
        Test::Missing => {}
    }
}

fn text<T: Into<String>>(words: T) -> Word {
    Word::Text(words.into())
}

/// `1m 30s`
fn span(time: Millis) -> String {
    humantime::format_duration(Duration::from_millis(time)).to_string()
}
