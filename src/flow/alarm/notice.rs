//! What is sent when an alarm changes.

use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, Value as Json, json};

use super::Millis;
use super::state::State;

/// One message about an alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Whose alarm; `*` for a summary.
    pub key: Rc<str>,
    /// What is told.
    pub state: State,
    /// How bad it is.
    pub severity: String,
    /// The reading it is about; of a summary, what was left out.
    pub value: Json,
    /// Since when this is so.
    pub since: Millis,
    /// When it was found.
    pub at: Millis,
    /// What names this occurrence.
    pub id: u64,
    /// The step of the escalation that this belongs to, from 0; `None`: none.
    pub step: Option<usize>,
    /// How many steps of the escalation were taken: who was told of these is to be told of the end.
    pub steps: usize,
    /// Who is to be told once it has arrived: the place of the alarm, and the number of the notice.
    pub(super) mark: Option<Mark>,
}

/// Which notice of which alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub(super) slot: u32,
    pub(super) emission: u32,
}

impl Notice {
    /// What tells that this one has arrived.
    pub fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// The message: `{"alert","key","state","severity","value","limit","since","at","id"}`.
    pub fn json(&self, alert: &str, limit: &Json) -> Map<String, Json> {
        let message = json!({
            "alert": alert,
            "key": &*self.key,
            "state": self.state.name(),
            "severity": self.severity,
            "value": self.value,
            "limit": limit,
            "since": time(self.since),
            "at": time(self.at),
            "id": format!("{:016x}", self.id),
        });
        match message {
            Json::Object(message) => message,
            _ => Map::new(),
        }
    }
}

/// `2026-11-20T21:00:00.123Z`
pub(crate) fn time(at: Millis) -> String {
    let time = UNIX_EPOCH + Duration::from_millis(at);
    humantime::format_rfc3339_millis(time).to_string()
}
