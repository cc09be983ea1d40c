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
    Text(Arc<str>),
    /// Latitude and longitude in degrees.
    Place(f64, f64),
}

impl Value {
    /// A text.
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// What a cell of a table holds.
    pub(crate) fn of_cell(cell: &str) -> Self {
        match (cell.trim(), cell.trim().parse()) {
            ("", _) => Self::None,
            ("true", _) => Self::Bool(true),
            ("false", _) => Self::Bool(false),
            (_, Ok(number)) if f64::is_finite(number) => Self::Number(number),
            _ => Self::text(cell),
        }
    }

    /// What an expression has given; a list is spelled as JSON.
    pub(crate) fn of_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::None,
            Json::Bool(it) => Self::Bool(*it),
            Json::Number(number) => number.as_f64().map_or(Self::None, Self::Number),
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
        match self {
            Self::Number(number) => Self::Number(round(number)),
            other => other,
        }
    }
}

impl fmt::Display for Value {
    /// As it stands in a payload: a text without quotes, a place as JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("null"),
            Self::Bool(it) => write!(f, "{it}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
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
            (Value::of_cell(" 2.50 "), "2.5"),
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
}
