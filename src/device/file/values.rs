//! How values come about, as it is written.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Plain, is_default};
use crate::device::span::Span;

/// How values come about.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Given {
    /// Always the same.
    Constant(Plain),
    /// By a rule.
    Rule(Box<Rule>),
}

/// How values come about, by name.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rule {
    Uniform(Between),
    Normal(Normal),
    Walk(Walk),
    Sine(Sine),
    Daily(Daily),
    Sawtooth(Sawtooth),
    Steps(Steps),
    Counter(Counter),
    Pick(Weighted),
    Bool(f64),
    Toggle(bool),
    Markov(Markov),
    Decay(Decay),
    Track(Track),
    File(Column),
    Jq(String),
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Between {
    pub(crate) min: f64,
    pub(crate) max: f64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Normal {
    pub(crate) mean: f64,
    pub(crate) deviation: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<f64>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Walk {
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) step: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<f64>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sine {
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) period: Span,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phase: Option<Span>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) noise: f64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Daily {
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// UTC.
    #[serde(default = "afternoon")]
    pub(crate) peak: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) noise: f64,
}

fn afternoon() -> String {
    String::from("15:00")
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sawtooth {
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) period: Span,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Steps {
    pub(crate) values: Vec<Plain>,
    pub(crate) every: Span,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counter {
    #[serde(default)]
    pub(crate) from: f64,
    #[serde(default)]
    pub(crate) step: Step,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) wrap: Option<f64>,
}

/// `1`, or `[0, 3]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Step {
    One(f64),
    Between(f64, f64),
}

impl Default for Step {
    fn default() -> Self {
        Self::One(1.0)
    }
}

/// `["a", "b"]`, or with weights `{ a = 1, b = 3 }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Weighted {
    Even(Vec<Plain>),
    Weights(BTreeMap<String, f64>),
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Markov {
    /// For each state the weights of what follows.
    pub(crate) states: BTreeMap<String, BTreeMap<String, f64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Decay {
    pub(crate) from: f64,
    #[serde(default)]
    pub(crate) to: f64,
    pub(crate) half_life: Span,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Track {
    /// Latitude and longitude.
    pub(crate) from: [f64; 2],
    /// Kilometres an hour.
    #[serde(default = "walking")]
    pub(crate) speed: f64,
    /// Metres around the beginning.
    #[serde(default = "around")]
    pub(crate) radius: f64,
}

const fn walking() -> f64 {
    5.0
}

const fn around() -> f64 {
    1000.0
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Column {
    /// A CSV file whose first row has the names of its columns.
    pub(crate) path: String,
    pub(crate) column: String,
    /// The sensor ends with the file; otherwise it begins anew.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) once: bool,
}

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Given;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a value, or a table such as { walk = { min = 0, max = 10, step = 1 } }",
                )
            }

            fn visit_bool<E: de::Error>(self, it: bool) -> Result<Given, E> {
                Ok(Given::Constant(Plain::Bool(it)))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Given, E> {
                Ok(Given::Constant(Plain::Whole(number)))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Given, E> {
                match number.is_finite() {
                    true => Ok(Given::Constant(Plain::Number(number))),
                    false => Err(E::custom("expected a finite number")),
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Given, E> {
                Ok(match text.strip_prefix("jq:") {
                    Some(code) => Given::Rule(Rule::Jq(code.trim().to_owned()).into()),
                    None => Given::Constant(Plain::Text(text.to_owned())),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given, A::Error> {
                let rule = Rule::deserialize(MapAccessDeserializer::new(&mut map))?;
                if let Some(other) = map.next_key::<String>()? {
                    let why = format!("a second kind of value, {other:?}, in the same table");
                    return Err(de::Error::custom(why));
                }
                Ok(Given::Rule(rule.into()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
