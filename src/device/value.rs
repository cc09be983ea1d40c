//! What a sensor measures and an actuator is set to.

use std::fmt::{self, Write};
use std::sync::Arc;

use serde_json::{Map, Value as Json};

/// One value of a device.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Value {
    /// There is none yet.
    #[default]
    None,
    Bool(bool),
    /// Finite.
    Number(f64),
    /// A number that is spelled otherwise than [`Self::Number`] spells it: `1e5`, `2.50`, more digits than a double has.
    Spelled(Arc<str>),
    Text(Arc<str>),
    /// Latitude and longitude in degrees.
    Place(f64, f64),
}

impl Value {
    /// A text.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// What a cell of a table holds, which goes out as it stands there. Digits with zeros before them, such as `00123`, are a text.
    pub(crate) fn of_cell(cell: &str) -> Self {
        let word = cell.trim();
        match (word, word.parse::<f64>()) {
            ("", _) => Self::None,
            ("true", _) => Self::Bool(true),
            ("false", _) => Self::Bool(false),
            (_, Ok(number)) if number.is_finite() && !is_padded(word) => {
                match Self::Number(number) {
                    same if same.to_string() == word => same,
                    _ => Self::Spelled(word.into()),
                }
            }
            _ => Self::text(cell),
        }
    }

    /// What an expression has given; a list is spelled as JSON.
    pub(crate) fn of_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::None,
            Json::Bool(it) => Self::Bool(*it),
            Json::Number(number) if number.is_f64() => {
                number.as_f64().map_or(Self::None, Self::Number)
            }
            Json::Number(number) => Self::of_cell(&number.to_string()),
            Json::String(text) => Self::text(text),
            Json::Array(_) | Json::Object(_) => Self::text(&json.to_string()),
        }
    }

    /// The same as JSON.
    pub(crate) fn json(&self) -> Json {
        match self {
            Self::None => Json::Null,
            Self::Bool(it) => Json::from(*it),
            // Whole numbers are spelled as such.
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                Json::from(*number as i64)
            }
            Self::Number(number) => Json::from(*number),
            // `.5` is a number, though not to JSON.
            Self::Spelled(word) => serde_json::from_str(word)
                .unwrap_or_else(|_| word.parse::<f64>().map_or(Json::Null, Json::from)),
            Self::Text(text) => Json::from(&**text),
            Self::Place(latitude, longitude) => {
                let mut place = Map::new();
                place.insert("lat".to_owned(), Json::from(*latitude));
                place.insert("lon".to_owned(), Json::from(*longitude));
                Json::Object(place)
            }
        }
    }

    /// The same with a number rounded.
    pub(crate) fn rounded(self, decimals: u8) -> Self {
        let factor = 10_f64.powi(decimals.into());
        let round = |it: f64| {
            let rounded = (it * factor).round() / factor;
            // What is too large to be multiplied has no decimals; and there is no -0.
            if rounded.is_finite() {
                rounded + 0.0
            } else {
                it
            }
        };
        match (&self, self.number()) {
            // A whole number has no decimals, however many digits it has.
            (Self::Spelled(word), _) if word.parse::<i128>().is_ok() => self,
            (_, Some(number)) => Self::Number(round(number)),
            (_, None) => self,
        }
    }

    /// The number that it is.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Spelled(word) => word.parse().ok(),
            _ => None,
        }
    }
}

/// Whether zeros stand before its digits.
fn is_padded(word: &str) -> bool {
    let digits = word.trim_start_matches(['-', '+']).strip_prefix('0');
    digits.is_some_and(|it| it.starts_with(|it: char| it.is_ascii_digit()))
}

impl fmt::Display for Value {
    /// As it stands in a payload: a text without quotes, a place as JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("null"),
            Self::Bool(it) => write!(f, "{it}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) | Self::Spelled(text) => f.write_str(text),
            Self::Place(latitude, longitude) => {
                write!(f, r#"{{"lat":{latitude:.6},"lon":{longitude:.6}}}"#)
            }
        }
    }
}

/// Appends a value to JSON.
pub(crate) fn write_json(value: &Value, into: &mut String) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Text(text) => write!(into, "{}", Json::from(&**text)),
        Value::Spelled(word) if serde_json::from_str::<Json>(word).is_err() => {
            write!(into, "{}", value.json())
        }
        other => write!(into, "{other}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_spelled_as_people_do() {
        for (value, text) in [
            (Value::Number(21.456).rounded(2), "21.46"),
            (Value::Number(-0.001).rounded(2), "0"),
            (Value::Number(3.0), "3"),
            (Value::Number(1e300).rounded(9), &format!("{}", 1e300)),
            (Value::text("on"), "on"),
            (
                Value::Place(1.5, -2.0),
                r#"{"lat":1.500000,"lon":-2.000000}"#,
            ),
            (Value::None, "null"),
            (Value::of_cell(" 2.50 "), "2.50"),
            (Value::of_cell("2.50").rounded(1), "2.5"),
            (
                Value::of_cell("9007199254740993").rounded(1),
                "9007199254740993",
            ),
            (Value::of_cell("true"), "true"),
            (Value::of_cell(""), "null"),
        ] {
            assert_eq!(value.to_string(), text);
        }
        let mut json = String::new();
        write_json(&Value::text("a\"b"), &mut json);
        assert_eq!(json, r#""a\"b""#);
        assert_eq!(Value::Number(3.0).json(), 3);
    }

    #[test]
    fn cells_go_out_as_they_stand() {
        for (cell, json) in [
            ("00123", r#""00123""#),
            ("-007", r#""-007""#),
            ("1e5", "1e5"),
            ("9007199254740993", "9007199254740993"),
            ("48.137154", "48.137154"),
            ("0.10", "0.10"),
            ("-0", "-0"),
            (".5", "0.5"),
            ("+5", "5.0"),
            ("12 kg", r#""12 kg""#),
            ("inf", r#""inf""#),
        ] {
            let value = Value::of_cell(cell);
            assert_eq!(value.to_string(), cell);
            let mut text = String::new();
            write_json(&value, &mut text);
            assert_eq!(text, json);
        }
        assert_eq!(Value::of_cell("21.5"), Value::Number(21.5));
        let large = Value::of_cell("9007199254740993").json();
        assert_eq!(large, 9_007_199_254_740_993_u64);
        assert_eq!(Value::of_json(&large).json(), large);
        assert_eq!(Value::of_cell("1e5").json(), 1e5);
        assert_eq!(Value::of_json(&Json::from(-3)), Value::Number(-3.0));
    }
}
