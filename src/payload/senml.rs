//! Sensor measurement lists (RFC 8428): base values resolved, one measurement a line.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, Value};

/// Times below this count from now (§4.5.3).
const RELATIVE: f64 = (1_u64 << 28) as f64;

/// The labels of the CBOR form (§6), by their numbers.
const LABELS: [(&str, &str); 15] = [
    ("-1", "bver"),
    ("-2", "bn"),
    ("-3", "bt"),
    ("-4", "bu"),
    ("-5", "bv"),
    ("-6", "bs"),
    ("0", "n"),
    ("1", "u"),
    ("2", "v"),
    ("3", "vs"),
    ("4", "vb"),
    ("5", "s"),
    ("6", "t"),
    ("7", "ut"),
    ("8", "vd"),
];

/// What later records inherit.
#[derive(Default)]
struct Base {
    name: String,
    time: f64,
    unit: Option<String>,
    value: Option<f64>,
    sum: Option<f64>,
}

/// The measurements of a list, one a line: `urn:dev:1/temp 21.5 Cel 2026-11-20T21:00:00Z`. The list is JSON, or CBOR
/// as JSON, with numbers for names.
///
/// # Errors
/// What is wrong with it.
pub fn lines(list: &Value) -> Result<Vec<String>, String> {
    each(list, Base::line)
}

/// The measurements of a list as resolved records (§4.6): with their whole names, and without base values. Times below 2^28
/// stay relative to now.
///
/// # Errors
/// What is wrong with it.
pub fn resolved(list: &Value) -> Result<Vec<Value>, String> {
    each(list, Base::record)
}

/// What is made of each measurement of a list.
fn each<T>(
    list: &Value,
    make: impl Fn(&mut Base, &Map<String, Value>) -> Result<Option<T>, String>,
) -> Result<Vec<T>, String> {
    let records = list.as_array().ok_or("not an array")?;
    let mut base = Base::default();
    let mut made = Vec::new();
    for (at, record) in records.iter().enumerate() {
        let record = record
            .as_object()
            .ok_or_else(|| format!("record {} is not an object", at + 1))?;
        let one = make(&mut base, record).map_err(|why| format!("record {}: {why}", at + 1))?;
        made.extend(one);
    }
    Ok(made)
}

/// A measurement with all that it inherits.
struct Measurement {
    name: String,
    value: Option<(&'static str, Value)>,
    unit: Option<String>,
    sum: Option<f64>,
    time: f64,
}

impl Base {
    /// Takes over the base values of a record, and resolves the measurement that it may hold.
    fn measurement(&mut self, record: &Map<String, Value>) -> Result<Option<Measurement>, String> {
        self.name = text(record, "bn")?.unwrap_or_else(|| std::mem::take(&mut self.name));
        self.time = number(record, "bt")?.unwrap_or(self.time);
        self.unit = text(record, "bu")?.or_else(|| self.unit.take());
        self.value = number(record, "bv")?.or(self.value);
        self.sum = number(record, "bs")?.or(self.sum);
        let value = self.value(record)?;
        let sum = number(record, "s")?.map(|sum| sum + self.sum.unwrap_or(0.0));
        if value.is_none() && sum.is_none() {
            return Ok(None);
        }
        let name = format!("{}{}", self.name, text(record, "n")?.unwrap_or_default());
        if name.is_empty() {
            return Err(String::from("the name is missing"));
        }
        Ok(Some(Measurement {
            name,
            value,
            unit: text(record, "u")?.or_else(|| self.unit.clone()),
            sum,
            time: self.time + number(record, "t")?.unwrap_or(0.0),
        }))
    }

    /// The value under its name in SenML; a number with its base.
    fn value(&self, record: &Map<String, Value>) -> Result<Option<(&'static str, Value)>, String> {
        if let Some(value) = number(record, "v")? {
            return Ok(Some(("v", plain(value + self.value.unwrap_or(0.0)))));
        }
        if let Some(words) = text(record, "vs")? {
            return Ok(Some(("vs", words.into())));
        }
        if let Some(value) = member(record, "vb") {
            let value = value.as_bool().ok_or("vb is neither true nor false")?;
            return Ok(Some(("vb", value.into())));
        }
        Ok(text(record, "vd")?.map(|data| ("vd", data.into())))
    }

    fn line(&mut self, record: &Map<String, Value>) -> Result<Option<String>, String> {
        Ok(self.measurement(record)?.map(|it| it.line()))
    }

    fn record(&mut self, record: &Map<String, Value>) -> Result<Option<Value>, String> {
        let Some(it) = self.measurement(record)? else {
            return Ok(None);
        };
        let mut resolved = Map::new();
        resolved.insert(String::from("n"), it.name.into());
        resolved.extend(it.unit.map(|unit| (String::from("u"), unit.into())));
        resolved.extend(it.value.map(|(name, value)| (name.to_owned(), value)));
        resolved.extend(it.sum.map(|sum| (String::from("s"), plain(sum))));
        if it.time != 0.0 {
            resolved.insert(String::from("t"), plain(it.time));
        }
        let update = member(record, "ut").cloned();
        resolved.extend(update.map(|time| (String::from("ut"), time)));
        Ok(Some(resolved.into()))
    }
}

/// A whole number without a fraction, as the list may have had it.
fn plain(number: f64) -> Value {
    // Exactly what an f64 can hold.
    match number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        true => Value::from(number as i64),
        false => number.into(),
    }
}

impl Measurement {
    fn line(self) -> String {
        let mut line = self.name;
        let value = match self.value {
            None => String::from("-"),
            Some(("vs", words)) => format!("{:?}", words.as_str().unwrap_or_default()),
            Some(("vd", data)) => format!("base64:{}", data.as_str().unwrap_or_default()),
            Some((_, value)) => value
                .as_f64()
                .map_or_else(|| value.to_string(), |it| it.to_string()),
        };
        // Writing to a String cannot fail, here and below.
        let _ = write!(line, " {value}");
        if let Some(unit) = self.unit {
            let _ = write!(line, " {unit}");
        }
        if let Some(sum) = self.sum {
            let _ = write!(line, " sum {sum}");
        }
        line.push_str(&time_text(self.time));
        line
    }
}

fn member<'a>(record: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    record.get(name).or_else(|| {
        let label = LABELS.iter().find(|(_, other)| *other == name)?.0;
        record.get(label)
    })
}

fn number(record: &Map<String, Value>, name: &str) -> Result<Option<f64>, String> {
    let value = member(record, name);
    let number = value.map(|it| it.as_f64().ok_or_else(|| format!("{name} is not a number")));
    number.transpose()
}

fn text(record: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    let value = member(record, name);
    let text = value.map(|it| it.as_str().ok_or_else(|| format!("{name} is not a string")));
    text.transpose().map(|text| text.map(String::from))
}

/// With a space in front; nothing for a measurement of now.
fn time_text(time: f64) -> String {
    match time {
        0.0 => String::new(),
        _ if time < 0.0 => format!(" {} s ago", -time),
        _ if time < RELATIVE => format!(" in {time} s"),
        // The year 9999 is the last that RFC 3339 can write.
        _ if time >= 253_402_300_800.0 => format!(" {time} s"),
        _ => {
            // What a number that large can tell apart.
            let micros = (time * 1e6).round() as u64;
            let moment = UNIX_EPOCH + Duration::from_micros(micros);
            match micros % 1_000_000 {
                0 => format!(" {}", humantime::format_rfc3339_seconds(moment)),
                _ => format!(" {}", humantime::format_rfc3339_micros(moment)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::cbor;

    fn shown(text: &str) -> Result<String, String> {
        lines(&serde_json::from_str(text).expect("JSON")).map(|it| it.join("\n"))
    }

    #[test]
    fn base_values_are_resolved() {
        // RFC 8428 §5.1.3, shortened.
        let list = r#"[{"bn":"urn:dev:ow:10e2073a01080063:","bt":1.276020076001e+09,"bu":"A","bver":5,
            "n":"voltage","u":"V","v":120.1},{"n":"current","t":-5,"v":1.2},{"bv":10,"bs":1,"n":"x","v":1,"s":2}]"#;
        assert_eq!(
            shown(list).as_deref(),
            Ok(
                "urn:dev:ow:10e2073a01080063:voltage 120.1 V 2010-06-08T18:01:16.001000Z\n\
                urn:dev:ow:10e2073a01080063:current 1.2 A 2010-06-08T18:01:11.001000Z\n\
                urn:dev:ow:10e2073a01080063:x 11 A sum 3 2010-06-08T18:01:16.001000Z"
            )
        );
        let kinds = r#"[{"n":"a","vs":"x \"y\""},{"n":"b","vb":false,"t":-2.5},{"n":"c","vd":"AQ","t":60},{"bn":"d"},{"s":4}]"#;
        assert_eq!(
            shown(kinds).as_deref(),
            Ok("a \"x \\\"y\\\"\"\nb false 2.5 s ago\nc base64:AQ in 60 s\nd - sum 4")
        );
    }

    #[test]
    fn records_are_resolved() {
        // RFC 8428 §5.1.4, shortened.
        let list = r#"[{"bn":"2001:db8::2/","bt":1.320078429e+09,"n":"temperature","u":"Cel","v":25.2},
            {"n":"humidity","u":"%RH","v":30,"t":2,"ut":60},{"bv":1,"n":"on","vb":true},{"s":5,"n":"x"}]"#;
        let records = resolved(&serde_json::from_str(list).unwrap()).unwrap();
        let expected = concat!(
            r#"[{"n":"2001:db8::2/temperature","u":"Cel","v":25.2,"t":1320078429},"#,
            r#"{"n":"2001:db8::2/humidity","u":"%RH","v":30,"t":1320078431,"ut":60},"#,
            r#"{"n":"2001:db8::2/on","vb":true,"t":1320078429},{"n":"2001:db8::2/x","s":5,"t":1320078429}]"#
        );
        assert_eq!(Value::from(records).to_string(), expected);
    }

    #[test]
    fn numbers_stand_for_names_in_cbor() {
        let bytes =
            cbor::from_diagnostic(r#"[{-2: "n/", 0: "t", 1: "Cel", 2: 21.5}, {0: "d", 8: h'01'}]"#);
        let json = cbor::json(&bytes.unwrap()).unwrap();
        assert_eq!(lines(&json).unwrap(), ["n/t 21.5 Cel", "n/d base64:AQ"]);
    }

    #[test]
    fn what_is_wrong_is_said_and_nothing_panics() {
        for (list, why) in [
            ("{}", "not an array"),
            ("[1]", "record 1 is not an object"),
            (r#"[{"n":"a","v":"x"}]"#, "record 1: v is not a number"),
            (r#"[{"bn":"a"},{"bt":"x"}]"#, "record 2: bt is not a number"),
            (r#"[{"v":1}]"#, "record 1: the name is missing"),
            (
                r#"[{"n":"a","vb":1}]"#,
                "record 1: vb is neither true nor false",
            ),
        ] {
            assert_eq!(shown(list), Err(why.into()));
        }
        assert!(shown(r#"[{"n":"a","v":1,"t":1e300},{"n":"a","v":1,"t":-1e300}]"#).is_ok());
        assert_eq!(shown("[]").as_deref(), Ok(""));
    }
}
