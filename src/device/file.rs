//! The file of a fleet, as it is written.

mod ota;
mod values;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(crate) use self::ota::{Ota, UpdateFaults};
pub(crate) use self::values::{Counter, Given, Normal, Rule, Step, Track, Walk, Weighted};
use super::span::Span;
use super::value::Value;
use crate::error::{Error, Result, meant};
use crate::file::{self, Flaw};

/// The whole file.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct File {
    /// What all random numbers follow from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
    /// When the simulated time begins, as RFC 3339; otherwise now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<Spanned<String>>,
    /// The devices, in groups of the same kind.
    #[serde(default)]
    pub(crate) device: Vec<Spanned<Device>>,
    /// What follows from what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) rule: Vec<Spanned<Automation>>,
}

/// Names with the values that each stands for in turn: `["a", "b"]` or `"1-5"`.
pub(crate) type Vary = BTreeMap<String, Choices>;

/// The values that a name stands for.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Choices {
    /// `"101-105"`, or one text.
    Text(String),
    /// Each of them.
    List(Vec<Plain>),
}

/// A group of devices.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Device {
    /// How many there are, for each combination of what varies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<u32>,
    /// The identifier of each: `sensor-{n:04}`.
    pub(crate) id: String,
    /// What they speak.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) protocol: Protocol,
    /// A device for each combination.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) vary: Vary,
    /// When they are connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) connect: Option<Connect>,
    /// Birth, will and end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<Status>,
    /// What wears out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) state: BTreeMap<String, Wear>,
    /// How many readings each keeps while it has no connection, and sends afterwards.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) buffer: u32,
    /// The firmware updates that they take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ota: Option<Spanned<Ota>>,
    /// AMQP: the exchange that messages go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exchange: Option<String>,
    /// What they measure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sensor: Vec<Spanned<Sensor>>,
    /// What they can be told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) actuator: Vec<Spanned<Actuator>>,
}

/// What devices speak.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    #[default]
    Mqtt,
    Coap,
    Amqp,
}

impl Protocol {
    /// As it is written.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mqtt => "mqtt",
            Self::Coap => "coap",
            Self::Amqp => "amqp",
        }
    }
}

/// When devices are connected.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Connect {
    /// The first connections are spread over this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) spread: Option<Span>,
    /// How long each stays; otherwise to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stay: Option<Span>,
    /// How long it is away then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) away: Option<Span>,
    /// This part of the ends is without DISCONNECT.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) crash: f64,
    /// At this part of the ends the connection stays open, and nothing is sent over it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) silent: f64,
    /// The keep-alive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keep_alive: Option<Span>,
}

/// Birth, will and end.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Status {
    pub(crate) topic: String,
    #[serde(default = "online")]
    pub(crate) online: String,
    #[serde(default = "offline")]
    pub(crate) offline: String,
    #[serde(default = "one")]
    pub(crate) qos: u8,
    #[serde(default = "yes")]
    pub(crate) retain: bool,
}

fn online() -> String {
    String::from(r#"{"status":"online","timestamp":"{time}"}"#)
}

fn offline() -> String {
    String::from(r#"{"status":"offline","timestamp":"{time}"}"#)
}

const fn one() -> u8 {
    1
}

const fn yes() -> bool {
    true
}

/// What wears out: a battery, ink.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Wear {
    /// What it begins with, and comes back to.
    pub(crate) from: f64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) per_message: f64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) per_hour: f64,
    /// Where it comes back; otherwise the device is dead at 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) recharge_at: Option<f64>,
}

/// What a device measures.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Sensor {
    pub(crate) name: String,
    /// MQTT topic, AMQP routing key; CoAP path below that of the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) topic: Option<String>,
    /// The time between two readings.
    pub(crate) every: Span,
    /// The time before the first; otherwise anything up to `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first: Option<Span>,
    /// How values come about; without it the sensor reports the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Given>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<String>,
    /// Digits behind the point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) decimals: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payload: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) qos: u8,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) retain: bool,
    /// Only this part of the readings is reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) chance: Option<f64>,
    /// Only values that differ from the one before are reported.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) on_change: bool,
    /// A sensor for each combination.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) vary: Vary,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) faults: Option<Faults>,
}

/// What is wrong with some readings.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Faults {
    /// The chance that a reading is repeated for the time of `stuck-for`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) stuck: f64,
    /// In readings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stuck_for: Option<u16>,
    /// The chance of a value ten times too large.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) spike: f64,
    /// The chance that a reading is not sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) missing: f64,
    /// The chance that it is sent twice.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) duplicate: f64,
    /// The chance that it is sent after the next one.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) out_of_order: f64,
    /// The device's clock is wrong by up to this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) skew: Option<Span>,
}

/// What a device can be told.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Actuator {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) kind: Kind,
    /// MQTT topic of commands, AMQP queue; CoAP path below that of the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) command: Option<String>,
    /// Where its state is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<String>,
    /// Where each command is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ack: Option<String>,
    /// The state's payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payload: Option<String>,
    /// What it is at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) initial: Option<Plain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) options: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<f64>,
    /// How long a command takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) delay: Option<Span>,
    /// The chance that one fails.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) fail: f64,
    #[serde(default = "one")]
    pub(crate) qos: u8,
    #[serde(default = "yes")]
    pub(crate) retain: bool,
    /// An actuator for each combination.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) vary: Vary,
}

/// Which commands an actuator takes.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// on, off, toggle.
    #[default]
    Switch,
    /// A number.
    Number,
    /// One of the options.
    Enum,
    /// How often sensors report.
    Config,
    /// The device begins anew.
    Reboot,
}

/// What follows from what.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Automation {
    pub(crate) when: String,
    pub(crate) then: Then,
}

/// A command of the fleet to itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Then {
    pub(crate) command: String,
    pub(crate) payload: String,
}

/// A value that is written down.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Plain {
    Bool(bool),
    Whole(i64),
    Number(f64),
    Text(String),
}

impl Plain {
    /// What it is to a device.
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Bool(it) => Value::Bool(*it),
            // A double has not as many digits.
            Self::Whole(number) => Value::of_cell(&number.to_string()),
            Self::Number(number) => Value::Number(*number),
            Self::Text(text) => Value::text(text),
        }
    }
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A text of TOML and what it is called, for errors that name the line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
}

impl Text<'_> {
    /// Reads it.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage) with the line.
    pub(crate) fn parse(self) -> Result<File> {
        if let Ok(table) = DeTable::parse(self.text)
            && let Some(at) = not_finite(table.get_ref())
        {
            return Err(self.wrong(at, "a number must be finite"));
        }
        toml::from_str(self.text).map_err(|cause| {
            let at = cause.span().map_or(0, |span| span.start);
            self.wrong(at, &mistaken(&cause))
        })
    }

    /// What is wrong at this byte.
    pub(crate) fn wrong(self, at: usize, why: &str) -> Error {
        Flaw::at(self.text, at, why).refuses(self.name)
    }
}

/// Where the first number stands that is infinite, or none.
fn not_finite(table: &DeTable<'_>) -> Option<usize> {
    let mut all = table.values();
    all.find_map(not_finite_in)
}

fn not_finite_in(value: &Spanned<DeValue<'_>>) -> Option<usize> {
    match value.get_ref() {
        DeValue::Float(number) => {
            let read = number.as_str().parse::<f64>();
            read.is_ok_and(|it| !it.is_finite())
                .then(|| value.span().start)
        }
        DeValue::Array(values) => values.iter().find_map(not_finite_in),
        DeValue::Table(table) => not_finite(table),
        _ => None,
    }
}

/// The same with the key that was probably meant, where there is one.
fn mistaken(cause: &toml::de::Error) -> String {
    let Some((_, word, known)) = file::unknown(cause.message()) else {
        return file::mistake(cause);
    };
    match meant(word, known.iter().copied()).first() {
        Some(near) => format!("unknown key {word}; did you mean {near}?"),
        None => format!("unknown key {word}; expected {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let name = "f.toml";
        Text { name, text }.parse().unwrap_err().text().to_owned()
    }

    #[test]
    fn a_wrong_key_is_shown_with_its_line_and_the_one_that_was_meant() {
        let device = "[[device]]\nid = \"a\"\n";
        assert_eq!(
            refusal(&format!("{device}cuont = 3\n")),
            "f.toml:3: unknown key cuont; did you mean count?"
        );
        let sensor = "[[device.sensor]]\nname = \"t\"\nevery = \"1s\"\n";
        assert_eq!(
            refusal(&format!(
                "{device}{sensor}value = {{ wlak = {{ min = 1, max = 2, step = 1 }} }}\n"
            )),
            "f.toml:6: unknown key wlak; did you mean walk?"
        );
        assert_eq!(
            refusal(&format!(
                "{device}{sensor}value = {{ walk = {{ min = 1 }} }}\n"
            )),
            "f.toml:6: missing field `max`"
        );
        assert!(
            refusal(&format!(
                "{device}[[device.sensor]]\nname = \"x\"\nevery = \"soon\"\n"
            ))
            .starts_with("f.toml:5: expected a time such as 30s")
        );
        assert!(refusal("x").starts_with("f.toml:1: "));
        for number in ["nan", "-inf", "1e999"] {
            assert_eq!(
                refusal(&format!(
                    "{device}{sensor}value = {{ uniform = {{ min = 0, max = {number} }} }}\n"
                )),
                "f.toml:6: a number must be finite"
            );
        }
        let two = "value = { toggle = true, bool = 0.5 }\n";
        let two = refusal(&format!("{device}{sensor}{two}"));
        assert!(
            two.ends_with("a second kind of value, \"toggle\", in the same table"),
            "{two}"
        );
    }

    #[test]
    fn what_is_read_is_written_again() {
        let text = r#"
seed = 1
[[device]]
count = 2
id = "d{n}"
vary = { floor = ["f1", 2], room = "1-3" }
[[device.sensor]]
name = "t"
every = "1s±10%"
value = { walk = { min = 1, max = 2, step = 0.5 } }
[[device.sensor]]
name = "u"
every = "1s"
value = "jq: .t"
[[device.sensor]]
name = "v"
every = "1s"
value = { pick = { a = 1, b = 2 } }
[[device.actuator]]
name = "led"
initial = "on"
"#;
        let file = Text { name: "", text }.parse().unwrap();
        let again = toml::to_string(&file).unwrap();
        let name = "";
        let second = Text { name, text: &again }.parse().unwrap();
        assert_eq!(toml::to_string(&second).unwrap(), again);
        assert!(
            again.contains("1s±10%") && again.contains("jq = \".t\""),
            "{again}"
        );
    }
}
