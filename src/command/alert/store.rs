//! What is kept of alarms over a restart.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::command::ends::End;
use crate::connect::Environment;
use crate::error::{Error, Kind, Result};
use crate::file;
use crate::flow::alarm::{Alarms, Millis, Rule, Saved, Silence};
use crate::flow::journal::{Journal, Lines};
use crate::payload::captures::Pattern;

/// A line of the journal, or of its inbox.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Line {
    Saved(Saved),
    Silence(Silence),
    Acknowledge { acknowledge: String },
}

impl Line {
    /// `None`: it is no line of ours.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn text(&self) -> String {
        // Its keys are texts and its numbers finite: that cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The journal of the alert of this name.
///
/// # Errors
/// A name that is no file name; no place for it.
pub(super) fn usual_path(name: &str) -> Result<PathBuf> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
        let text = format!("--name {name:?} cannot be the name of a file");
        return Err(Error::usage(text).hint("use another name, or --state FILE"));
    }
    let folder = Environment::of_process().state_folder().ok_or_else(|| {
        let text = "nowhere to keep the state of alarms: neither XDG_STATE_HOME nor HOME is set";
        Error::usage(text).hint("use --state FILE")
    })?;
    Ok(folder.join("alert").join(format!("{name}.journal")))
}

/// The first line of a journal. Limits may change, but not what the alarms are about.
pub(super) fn head(name: &str, from: &End, topic: &Pattern) -> String {
    json!({"alert": name, "version": 1, "from": from.to_string(), "topic": topic.to_string()})
        .to_string()
}

/// Whether a file that begins with this line is a journal of alarms.
pub(super) fn is_head(line: &str) -> bool {
    let head: Option<Value> = serde_json::from_str(line).ok();
    head.is_some_and(|head| head["alert"].is_string() && head["version"] == 1)
}

/// The journal of alarms.
pub(super) struct Store {
    journal: Journal,
}

impl Store {
    /// Opens the journal, which begins with one of these lines, and puts the alarms back as they were.
    ///
    /// # Errors
    /// Those of [`Journal::open`] and [`restored`].
    pub(super) fn open(
        path: &Path,
        [head, other]: [&str; 2],
        rule: Rule,
    ) -> Result<(Self, Alarms)> {
        let (journal, lines) = Journal::open_as(path, head, Some(other))?;
        let alarms = restored(&lines, rule, path)?;
        Ok((Self { journal }, alarms))
    }

    /// Keeps what has changed; it is safe after [`Store::sync`].
    pub(super) fn keep(&mut self, alarms: &mut Alarms) -> Result<()> {
        keep(&mut self.journal, alarms)
    }

    pub(super) fn sync(&mut self) -> Result<()> {
        self.journal.sync()
    }

    /// What others left for us; `apply` does it, and keeps it.
    pub(super) fn collect(
        &mut self,
        apply: impl FnOnce(&mut Journal, Lines) -> Result<()>,
    ) -> Result<()> {
        let Self { journal } = self;
        journal.collect(apply).map(drop)
    }
}

/// Keeps the alarms that have changed; what has become too long is written anew.
pub(super) fn keep(journal: &mut Journal, alarms: &mut Alarms) -> Result<()> {
    if !alarms.has_changed() {
        return Ok(());
    }
    let lines = alarms.changed().into_iter();
    let lines: String = lines.map(|saved| line(Line::Saved(saved))).collect();
    journal.append(&lines)?;
    if journal.is_long(alarms.len() as u64) {
        let silences = alarms.silences().iter().cloned().map(Line::Silence);
        let all = alarms.all().map(Line::Saved).chain(silences);
        journal.compact(all.map(line))?;
    }
    Ok(())
}

/// Keeps a silence.
pub(super) fn keep_silence(journal: &mut Journal, silence: &Silence) -> Result<()> {
    journal.append(&line(Line::Silence(silence.clone())))
}

fn line(line: Line) -> String {
    line.text() + "\n"
}

/// The alarms that the lines of a journal tell of; the last line about a key counts.
///
/// # Errors
/// [`Kind::Local`]: a line is none of ours, and whose alarm it was nobody knows.
pub(super) fn restored(lines: &Lines, rule: Rule, path: &Path) -> Result<Alarms> {
    let mut alarms = Alarms::new(rule);
    // The first line says whose journal it is.
    for (number, line) in (2..).zip(lines) {
        match Line::read(line) {
            Some(Line::Saved(saved)) => alarms.restore(saved),
            // What has ended ends itself.
            Some(Line::Silence(silence)) => alarms.restore_silence(silence),
            Some(Line::Acknowledge { .. }) => {}
            None => {
                let text = file::in_line(path.display(), number, "the line is damaged");
                let hint = "remove that line, or the file to begin anew";
                return Err(Error::new(Kind::Local, text).hint(hint));
            }
        }
    }
    Ok(alarms)
}

/// Now, as timers count.
pub(super) fn now() -> Millis {
    millis(std::time::SystemTime::now())
}

pub(super) fn millis(time: std::time::SystemTime) -> Millis {
    let since = time.duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
