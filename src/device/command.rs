//! What actuators are told, and what they make of it.

use serde_json::Value as Json;

use super::file::Kind;
use super::model::Actuator;
use super::span::Span;
use super::value::Value;
use crate::error::brief;

/// What a command asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wanted {
    /// This value.
    Value(Value),
    /// The other one of on and off.
    Toggle,
    /// Sensors, or all of them, report as often as this.
    Intervals(Vec<(Option<String>, Span)>),
    /// The device begins anew.
    Reboot,
}

impl Actuator {
    /// Reads a command.
    ///
    /// # Errors
    /// Why it is none, in one line.
    pub(crate) fn read(&self, payload: &[u8]) -> Result<Wanted, String> {
        if self.kind == Kind::Reboot {
            return Ok(Wanted::Reboot);
        }
        let text = str::from_utf8(payload).map_err(|_| "the command is not UTF-8 text")?;
        let text = text.trim();
        let json: Option<Json> = serde_json::from_str(text).ok();
        if self.kind == Kind::Config {
            return intervals(json.as_ref()).map(Wanted::Intervals);
        }
        let word = match &json {
            Some(Json::Object(object)) => {
                let keys = ["state", "value", "command", self.name.as_str()];
                let found = keys.iter().find_map(|key| object.get(*key));
                found
                    .map(plain)
                    .ok_or_else(|| format!("there is neither state nor value in {}", brief(text)))?
            }
            Some(json @ Json::String(_)) => plain(json),
            _ => text.to_owned(),
        };
        self.value(&word)
    }

    /// The value that the actuator has at first.
    pub(crate) fn first(&self, given: Option<Value>) -> Result<Value, String> {
        match (given, self.kind) {
            (Some(value), Kind::Switch | Kind::Number | Kind::Enum) => {
                match self.value(&value.to_string())? {
                    Wanted::Value(value) => Ok(value),
                    _ => Err(String::from("toggle is no state")),
                }
            }
            (Some(_), Kind::Config | Kind::Reboot) => Err(String::from("it has no state")),
            (None, Kind::Switch) => Ok(Value::text("off")),
            (None, Kind::Number) => Ok(Value::Number(0.0_f64.clamp(self.min, self.max))),
            (None, Kind::Enum) => Ok(self
                .options
                .first()
                .map_or(Value::None, |it| Value::text(it))),
            (None, Kind::Config | Kind::Reboot) => Ok(Value::None),
        }
    }

    fn value(&self, word: &str) -> Result<Wanted, String> {
        let unknown = |what: &str| Err(format!("unknown command {}; expected {what}", brief(word)));
        match self.kind {
            Kind::Switch => match word.to_ascii_lowercase().as_str() {
                "on" | "1" | "true" => Ok(Wanted::Value(Value::text("on"))),
                "off" | "0" | "false" => Ok(Wanted::Value(Value::text("off"))),
                "toggle" => Ok(Wanted::Toggle),
                _ => unknown("on, off or toggle"),
            },
            Kind::Number => {
                let number = word.parse().ok();
                let number = number.filter(|it| (self.min..=self.max).contains(it));
                match number.filter(|it| f64::is_finite(*it)) {
                    Some(number) => Ok(Wanted::Value(Value::Number(number))),
                    None if self.min == f64::MIN || self.max == f64::MAX => unknown("a number"),
                    None => unknown(&format!("a number from {} to {}", self.min, self.max)),
                }
            }
            Kind::Enum if self.options.iter().any(|it| it == word) => {
                Ok(Wanted::Value(Value::text(word)))
            }
            Kind::Enum => unknown(&self.options.join(", ")),
            Kind::Config | Kind::Reboot => Ok(Wanted::Reboot),
        }
    }

    /// A value as the state's payload has it: 1 and 0 for a switch.
    pub(crate) fn state_of(&self, value: &Value) -> String {
        match (self.kind, value) {
            (Kind::Switch, Value::Text(word)) => {
                String::from(if &**word == "on" { "1" } else { "0" })
            }
            (_, value) => value.to_string(),
        }
    }
}

fn plain(json: &Json) -> String {
    match json {
        Json::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}

/// `{"every": "10s"}` for all sensors, `{"temperature": 10}` for one.
fn intervals(json: Option<&Json>) -> Result<Vec<(Option<String>, Span)>, String> {
    let object = json.and_then(Json::as_object).filter(|it| !it.is_empty());
    let object = object.ok_or(r#"expected JSON such as {"every": "10s"}"#)?;
    let each = object.iter().map(|(key, value)| {
        let every = value.get("every").unwrap_or(value);
        let every = Span::parse(&plain(every))?;
        if every.least() == 0 {
            return Err(format!("{}: it must be longer than 0", brief(key)));
        }
        let all = ["every", "interval"].contains(&key.as_str());
        Ok(((!all).then(|| key.clone()), every))
    });
    each.collect()
}
