//! `alert list`, `alert ack`, `alert silence`: what is kept of alarms, and what the process that watches over them is told.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::store::{self, Line};
use crate::error::{Error, Kind, Result};
use crate::flow::alarm::{Millis, Rule, Saved, Silence, State, time};
use crate::flow::journal;
use crate::output;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The alarms that are not ok, as JSON or as lines.
    List {
        /// One JSON object a line.
        json: bool,
    },
    /// Somebody takes care of the alarm of this key.
    Acknowledge(String),
    /// Nothing is told of this key, or of all, for so long; 0: it is again.
    Silence(Option<String>, Duration),
}

/// Of which alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Its journal, where that is not the usual one.
    pub state: Option<PathBuf>,
    /// What is asked for.
    pub action: Action,
}

/// Does it.
///
/// # Errors
/// [`Kind::Usage`]: no alert has this name; [`Kind::Local`]: the file of `state` cannot be read; [`Kind::Refused`]: there is
/// no such alarm.
pub(crate) fn run(plan: Plan) -> Result<()> {
    let is_usual = plan.state.is_none();
    let path = plan
        .state
        .map_or_else(|| store::usual_path(&plan.name), Ok)?;
    if is_usual && !path.exists() {
        let text = format!("no alert is named {}", plan.name);
        let hint = format!(
            "{} does not exist; --state FILE names another",
            path.display()
        );
        return Err(Error::usage(text).hint(hint));
    }
    let (head, lines) = journal::look_into(&path)?;
    if head.as_deref().is_some_and(|head| !store::is_head(head)) {
        let text = format!("{} is not the journal of an alert", path.display());
        return Err(Error::usage(text));
    }
    let rule = Rule {
        name: plan.name,
        max_keys: usize::MAX,
        ..Rule::default()
    };
    let alarms = store::restored(&lines, rule, &path)?;
    let line = match plan.action {
        Action::List { json } => {
            let all = alarms.all().map(|saved| shown(&saved, json));
            let now = store::now();
            let silences = alarms.silences().iter().filter(|it| it.until > now);
            let silences = silences.map(|silence| silenced(silence, json));
            let lines: String = all.chain(silences).collect();
            return output::print(lines.as_bytes());
        }
        Action::Acknowledge(acknowledge) => {
            if !alarms.is_firing(&acknowledge) {
                let text = format!("no alarm is firing for {acknowledge}");
                return Err(Error::new(Kind::Refused, text)
                    .hint("iotctl alert list NAME shows those that are"));
            }
            Line::Acknowledge { acknowledge }
        }
        Action::Silence(silence, time) => {
            let time = Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX);
            let until = store::now().saturating_add(time);
            Line::Silence(Silence { silence, until })
        }
    };
    journal::leave(&path, &line.text())
}

/// `2026-11-20T21:00:00.000Z d7 firing value=28.5 id=…`
fn shown(saved: &Saved, json: bool) -> String {
    let (state, since) = (saved.state(), time(saved.since()));
    let (key, id, acknowledged) = (saved.key(), saved.id(), saved.is_acknowledged());
    if json {
        let line = json!({
            "key": key, "state": state.name(), "since": since, "value": saved.value(), "acknowledged": acknowledged, "id": id,
        });
        return format!("{line}\n");
    }
    let care = match acknowledged && state == State::Firing {
        true => " acknowledged",
        false => "",
    };
    format!(
        "{since} {key} {} value={} id={id}{care}\n",
        state.name(),
        saved.value()
    )
}

fn silenced(silence: &Silence, json: bool) -> String {
    let until = time(silence.until);
    match (&silence.silence, json) {
        (key, true) => format!("{}\n", json!({"silence": key, "until": until})),
        (Some(key), false) => format!("silence of {key} until {until}\n"),
        (None, false) => format!("silence of all until {until}\n"),
    }
}
