//! Alerts that are active: those whose topic says so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use serde_json::Value;

use super::text;
use crate::payload::captures::Pattern;
use crate::payload::pointer;

/// Alerts that are kept; of more, the new ones are counted only.
const MOST: usize = 10_000;

/// Characters of what is shown of one.
const LONGEST: usize = 200;

/// What says that one is over: the state that `iotctl alert` sends, and what others call it.
const OVER: [&str; 8] = [
    "ok",
    "cleared",
    "clear",
    "resolved",
    "normal",
    "inactive",
    "closed",
    "recovered",
];

/// One alert.
#[derive(Clone, Debug)]
pub struct Alert {
    /// How bad it is, where it says so.
    pub severity: String,
    /// What it is about: the beginning of the payload.
    pub text: String,
    /// When the first message about it came, by the clock.
    pub time: SystemTime,
    /// The same.
    pub since: Instant,
    /// When the last one came.
    pub updated: Instant,
}

/// Those that are active, by topic.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    patterns: Vec<Pattern>,
    active: BTreeMap<Arc<str>, Alert>,
    left_out: u64,
}

impl Alerts {
    pub(super) fn new(patterns: Vec<Pattern>) -> Self {
        Self {
            patterns,
            ..Self::default()
        }
    }

    /// Whether any were asked for.
    pub fn is_wanted(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Those that are active, by topic.
    pub const fn active(&self) -> &BTreeMap<Arc<str>, Alert> {
        &self.active
    }

    /// For how many there was no room.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    pub(super) fn take(&mut self, topic: &str, payload: &[u8], time: SystemTime, now: Instant) {
        if !self.patterns.iter().any(|pattern| pattern.is_match(topic)) {
            return;
        }
        if is_over(payload) {
            self.active.remove(topic);
            return;
        }
        let severity = ["/severity", "/level"]
            .iter()
            .find_map(|pointer| pointer::find(payload, pointer))
            .map(|found| text::cell(found.trim_matches('"'), 20))
            .unwrap_or_default();
        let shown =
            breach(payload).unwrap_or_else(|| String::from_utf8_lossy(payload).into_owned());
        let shown = text::cell(&shown, LONGEST);
        if let Some(alert) = self.active.get_mut(topic) {
            alert.severity = severity;
            alert.text = shown;
            alert.updated = now;
        } else if self.active.len() >= MOST {
            self.left_out += 1;
        } else {
            let alert = Alert {
                severity,
                text: shown,
                time,
                since: now,
                updated: now,
            };
            self.active.insert(topic.into(), alert);
        }
    }
}

/// What a notice of `iotctl alert` is about: `d7 28.5 > 27`.
fn breach(payload: &[u8]) -> Option<String> {
    let notice: Value = serde_json::from_slice(payload).ok()?;
    let word = |name: &str| match &notice[name] {
        Value::String(text) => Some(text.clone()),
        number @ (Value::Number(_) | Value::Bool(_)) => Some(number.to_string()),
        _ => None,
    };
    let (key, value) = (word("key")?, word("value")?);
    notice["alert"].as_str()?;
    Some(
        match (&notice["limit"], word("limit"), notice["value"].as_f64()) {
            (Value::Number(limit), Some(shown), Some(found)) => {
                let sign = match limit.as_f64() {
                    Some(limit) if found > limit => '>',
                    Some(limit) if found < limit => '<',
                    _ => '=',
                };
                format!("{key} {value} {sign} {shown}")
            }
            (_, Some(limit), _) => format!("{key} {value}, limit {limit}"),
            _ => format!("{key} {value}"),
        },
    )
}

/// Whether a payload says that an alert is over: it is empty, or its state is one of those.
fn is_over(payload: &[u8]) -> bool {
    let plain = payload.trim_ascii();
    let state = match plain.first() {
        None => return true,
        Some(b'{') => ["/state", "/status"]
            .iter()
            .find_map(|pointer| pointer::find(payload, pointer)),
        Some(_) => str::from_utf8(plain).ok(),
    };
    let state = state.unwrap_or_default().trim_matches('"').to_lowercase();
    OVER.contains(&&*state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_come_and_go() {
        let now = Instant::now();
        let time = SystemTime::UNIX_EPOCH;
        let mut alerts = Alerts::new(vec!["alerts/#".parse().unwrap()]);
        let firing = br#"{"alert":"hot","state":"firing","severity":"critical","value":31}"#;
        alerts.take("alerts/d1/hot", firing, time, now);
        alerts.take("alerts/d2/hot", b"31 degrees\n", time, now);
        alerts.take("sensors/d1", b"31", time, now);
        assert_eq!(alerts.active().len(), 2);
        assert_eq!(alerts.active()["alerts/d1/hot"].severity, "critical");
        assert_eq!(alerts.active()["alerts/d2/hot"].text, "31 degrees\\x0a");
        alerts.take("alerts/d1/hot", br#"{"state":"ok"}"#, time, now);
        alerts.take("alerts/d2/hot", b"", time, now);
        assert!(alerts.active().is_empty());
    }

    #[test]
    fn a_notice_is_shown_by_what_it_is_about() {
        let notice = |rest: &str| {
            let text = format!(r#"{{"alert":"hot","key":"d7","state":"firing",{rest}}}"#);
            breach(text.as_bytes())
        };
        for (rest, shown) in [
            (r#""value":28.5,"limit":27"#, Some("d7 28.5 > 27")),
            (r#""value":1,"limit":2"#, Some("d7 1 < 2")),
            (
                r#""value":"open","limit":"closed""#,
                Some("d7 open, limit closed"),
            ),
            (r#""value":3,"limit":null"#, Some("d7 3")),
            (r#""value":null"#, None),
        ] {
            assert_eq!(notice(rest).as_deref(), shown, "{rest}");
        }
        assert_eq!(breach(br#"{"value":3,"key":"d7"}"#), None);
        assert_eq!(breach(b"31 degrees"), None);
    }

    #[test]
    fn a_flood_is_bounded() {
        let now = Instant::now();
        let mut alerts = Alerts::new(vec!["#".parse().unwrap()]);
        for at in 0..MOST + 3 {
            alerts.take(&format!("a/{at}"), b"x", SystemTime::UNIX_EPOCH, now);
        }
        assert_eq!((alerts.active().len(), alerts.left_out()), (MOST, 3));
    }
}
