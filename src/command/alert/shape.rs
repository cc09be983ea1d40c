//! What notices look like where they go.

use bytestring::ByteString;
use serde_json::{Map, Value, json};

use crate::message::{Detail, Message, MqttDetail, MqttProperties};
use crate::payload::captures::Captures;

/// What is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// `{"alert","key","state","severity","value","limit","since","at","id"}`
    #[default]
    Json,
    /// A line for people.
    Line,
    /// A list with one alert, as version 2 of Alertmanager's interface has it: `POST /api/v2/alerts`.
    Alertmanager,
    /// A text with a title, a priority and tags, as ntfy has it.
    Ntfy,
}

/// Priorities of ntfy, 1 to 5, by words that severities often are.
const URGENT: [&str; 4] = ["critical", "emergency", "page", "fatal"];

impl Shape {
    /// The message for a notice; what stands for the wildcards of its topic becomes labels of Alertmanager.
    pub(super) fn message(
        self,
        notice: &Map<String, Value>,
        captures: Option<&Captures<'_>>,
    ) -> Message {
        match self {
            Self::Json => with_headers(
                Value::Object(notice.clone()).to_string(),
                &[("Content-Type", "application/json")],
            ),
            Self::Line => Message::plain(line(notice).into()),
            Self::Alertmanager => with_headers(
                alertmanager(notice, captures).to_string(),
                &[("Content-Type", "application/json")],
            ),
            Self::Ntfy => ntfy(notice),
        }
    }
}

fn with_headers(text: String, headers: &[(&str, &str)]) -> Message {
    let pairs = headers.iter();
    let properties = MqttProperties {
        user_properties: pairs
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect(),
        ..MqttProperties::default()
    };
    Message {
        detail: Detail::Mqtt(MqttDetail {
            properties: Some(Box::new(properties)),
            ..MqttDetail::default()
        }),
        ..Message::plain(text.into())
    }
}

fn text(notice: &Map<String, Value>, name: &str) -> String {
    match notice.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::from("-"),
        Some(other) => other.to_string(),
    }
}

/// `2026-11-20T21:00:00.000Z high-temp d7 firing warning value=28.5 limit=27`
fn line(notice: &Map<String, Value>) -> String {
    // What peers send must not drive a terminal, or begin a line.
    let text = |name| text(notice, name).replace(char::is_control, "\u{fffd}");
    format!(
        "{} {} {} {} {} value={} limit={}",
        text("at"),
        text("alert"),
        text("key"),
        text("state"),
        text("severity"),
        text("value"),
        text("limit")
    )
}

/// Labels name the alert and must stay the same from its beginning to its end; what changes are annotations.
fn alertmanager(notice: &Map<String, Value>, captures: Option<&Captures<'_>>) -> Value {
    let text = |name| text(notice, name);
    let mut labels = Map::new();
    let named = captures.into_iter().flat_map(Captures::named);
    for (name, value) in named {
        labels.insert(name.to_owned(), value.into());
    }
    labels.insert("alertname".into(), text("alert").into());
    labels.insert("key".into(), text("key").into());
    let mut alert = json!({
        "labels": labels,
        "annotations": {
            "state": text("state"),
            "severity": text("severity"),
            "value": text("value"),
            "limit": text("limit"),
            "id": text("id"),
        },
        "startsAt": text("since"),
    });
    if notice.get("state").is_some_and(|state| state == "ok") {
        alert["endsAt"] = text("at").into();
    }
    json!([alert])
}

fn ntfy(notice: &Map<String, Value>) -> Message {
    let text = |name| text(notice, name);
    let (state, severity) = (text("state"), text("severity"));
    let title = format!("{} {} {state}", text("alert"), text("key"));
    let priority = match state.as_str() {
        "firing" if URGENT.contains(&severity.as_str()) => "5",
        "firing" => "4",
        _ => "3",
    };
    // Headers are one line.
    let title: String = title
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it })
        .collect();
    let severity = severity.replace(|it: char| it.is_control() || it == ',', " ");
    let headers = [
        ("Title", &*title),
        ("Priority", priority),
        ("Tags", &*severity),
    ];
    with_headers(line(notice), &headers)
}

/// What a command finds in its environment: `IOTCTL_ALERT_STATE` and so on.
pub(super) fn variables(message: &Message) -> Vec<(String, String)> {
    let Ok(Value::Object(notice)) = serde_json::from_slice(&message.payload) else {
        return Vec::new();
    };
    let pairs = notice.keys().map(|name| {
        let variable = match name.as_str() {
            "alert" => String::from("IOTCTL_ALERT_NAME"),
            name => format!("IOTCTL_ALERT_{}", name.to_uppercase()),
        };
        (variable, text(&notice, name))
    });
    pairs.collect()
}

/// A message without a body, which removes a retained one.
pub(super) fn empty(topic: ByteString) -> Message {
    Message {
        topic,
        ..Message::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(state: &str, severity: &str) -> Map<String, Value> {
        let notice = json!({
            "alert": "high\ntemp", "key": "d7", "state": state, "severity": severity, "value": 28.5, "limit": 27,
            "since": "2026-11-20T21:00:00.000Z", "at": "2026-11-20T21:00:30.000Z", "id": "00ff"
        });
        match notice {
            Value::Object(notice) => notice,
            other => panic!("{other}"),
        }
    }

    fn body(message: &Message) -> &str {
        std::str::from_utf8(&message.payload).unwrap()
    }

    #[test]
    fn alertmanager_knows_an_alert_by_its_labels() {
        let pattern: crate::payload::captures::Pattern = "sensors/{device}/+".parse().unwrap();
        let captures = pattern.matches("sensors/d7/t").unwrap();
        let message = Shape::Alertmanager.message(&notice("ok", "warning"), Some(&captures));
        let alerts: Value = serde_json::from_str(body(&message)).unwrap();
        assert_eq!(
            alerts[0]["labels"],
            json!({"device": "d7", "alertname": "high\ntemp", "key": "d7"})
        );
        assert_eq!(alerts[0]["endsAt"], "2026-11-20T21:00:30.000Z");
        let message = Shape::Alertmanager.message(&notice("firing", "critical"), None);
        let alerts: Value = serde_json::from_str(body(&message)).unwrap();
        assert_eq!(alerts[0].get("endsAt"), None);
        assert_eq!(alerts[0]["annotations"]["severity"], "critical");
    }

    #[test]
    fn ntfy_has_headers_of_one_line() {
        for (state, severity, priority) in [
            ("firing", "warning", "4"),
            ("firing", "critical", "5"),
            ("ok", "critical", "3"),
        ] {
            let message = Shape::Ntfy.message(&notice(state, severity), None);
            let Detail::Mqtt(mqtt) = &message.detail else {
                panic!("no headers");
            };
            let headers = &mqtt.properties.as_ref().unwrap().user_properties;
            let title = format!("high temp d7 {state}");
            assert_eq!(
                headers[..],
                [
                    ("Title".into(), title.into()),
                    ("Priority".into(), priority.into()),
                    ("Tags".into(), severity.into())
                ]
            );
        }
    }

    #[test]
    fn people_get_a_line_and_commands_get_variables() {
        let notice = notice("firing", "warning");
        let message = Shape::Line.message(&notice, None);
        assert_eq!(
            body(&message),
            "2026-11-20T21:00:30.000Z high\u{fffd}temp d7 firing warning value=28.5 limit=27"
        );
        let variables = variables(&Shape::Json.message(&notice, None));
        assert_eq!(variables.len(), 9);
        assert!(variables.contains(&("IOTCTL_ALERT_NAME".into(), "high\ntemp".into())));
        assert!(variables.contains(&("IOTCTL_ALERT_VALUE".into(), "28.5".into())));
    }
}
