//! Values of jq from JSON and messages, and bodies from them.

use std::rc::Rc;

use bytes::Bytes;
use jaq_json::{Map, Num, Val};
use serde_json::{Number, Value};

use super::Input;
use crate::message::{Message, UNTIMED, fields};
use crate::payload::media::LARGEST;

/// How deep a body may be nested.
pub(super) const DEEPEST: usize = 100;

/// How deep an output may be nested.
const DEEPEST_OUTPUT: usize = 500;

/// The value that a body is; `None`: it is nested too deep.
pub(super) fn value(json: &Value) -> Option<Val> {
    nested(json, DEEPEST)
}

fn nested(json: &Value, deepest: usize) -> Option<Val> {
    Some(match json {
        Value::Null => Val::Null,
        Value::Bool(it) => Val::Bool(*it),
        Value::Number(number) => Val::Num(num(number)),
        Value::String(it) => text(it),
        Value::Array(items) => {
            let below = deepest.checked_sub(1)?;
            let items: Option<Vec<Val>> = items.iter().map(|it| nested(it, below)).collect();
            Val::Arr(Rc::new(items?))
        }
        Value::Object(pairs) => {
            let below = deepest.checked_sub(1)?;
            let pair = |(key, it): (&String, &Value)| Some((text(key), nested(it, below)?));
            Val::obj(pairs.iter().map(pair).collect::<Option<Map>>()?)
        }
    })
}

fn num(number: &Number) -> Num {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(whole), ..) => Num::from_integral(whole),
        (_, Some(whole), _) => Num::from_integral(whole),
        (.., float) => Num::Float(float.unwrap_or(f64::NAN)),
    }
}

fn text(text: &str) -> Val {
    Val::utf8_str(Bytes::copy_from_slice(text.as_bytes()))
}

/// The values of [`super::VARIABLES`]; `null` for those that are not `used`.
pub(super) fn variables(input: Input<'_>, used: [bool; 5]) -> [Val; 5] {
    let message = input.message;
    let makers: [&dyn Fn() -> Val; 5] = [
        &|| Val::utf8_str(message.topic.as_bytes().clone()),
        &|| match message.time {
            UNTIMED => Val::Null,
            time => Val::from(humantime::format_rfc3339_micros(time).to_string()),
        },
        &|| text(message.detail.protocol()),
        &|| record(message),
        &|| captured(input),
    ];
    let mut values = makers.into_iter().zip(used);
    std::array::from_fn(|_| match values.next() {
        Some((make, true)) => make(),
        _ => Val::Null,
    })
}

/// What the message says, by the names of conditions; numbers and truth values of its protocol as such.
fn record(message: &Message) -> Val {
    let pair = |(name, value): (String, String)| {
        let value = match value.parse::<i64>() {
            _ if name.contains('.') => text(&value),
            Ok(number) => Val::Num(Num::from_integral(number)),
            Err(_) => match value.as_str() {
                "true" => Val::Bool(true),
                "false" => Val::Bool(false),
                other => text(other),
            },
        };
        (text(&name), value)
    };
    let mut record: Map = fields::all(message).into_iter().map(pair).collect();
    record.insert(text("topic"), text(&message.topic));
    record.insert(text("protocol"), text(message.detail.protocol()));
    Val::obj(record)
}

fn captured(input: Input<'_>) -> Val {
    let mut captured = Map::default();
    if let Some(captures) = input.captures {
        for (at, value) in captures.values().iter().enumerate() {
            captured.insert(text(&(at + 1).to_string()), text(value));
        }
        for (name, value) in captures.named() {
            captured.insert(text(name), text(value));
        }
    }
    Val::obj(captured)
}

/// The body that an output becomes.
///
/// # Errors
/// It is too long, nested too deep, or no JSON.
pub(super) fn body(output: &Val) -> Result<Vec<u8>, String> {
    let mut into = Vec::new();
    match output {
        Val::TStr(text) | Val::BStr(text) => into.extend_from_slice(text),
        other => write(other, DEEPEST_OUTPUT, &mut into)?,
    }
    match into.len() {
        ..=LARGEST => Ok(into),
        _ => Err(too_long()),
    }
}

/// Whether it is no number, or one that a double can hold.
pub(super) fn is_finite(output: &Val) -> bool {
    match output {
        Val::Num(Num::Float(float)) => float.is_finite(),
        Val::Num(number) => {
            let double = number.to_string().parse::<f64>();
            double.is_ok_and(f64::is_finite)
        }
        _ => true,
    }
}

fn too_long() -> String {
    format!("an output is longer than {LARGEST} bytes")
}

fn write(value: &Val, deepest: usize, into: &mut Vec<u8>) -> Result<(), String> {
    if into.len() > LARGEST {
        return Err(too_long());
    }
    let below = || {
        let below = deepest.checked_sub(1);
        below.ok_or_else(|| String::from("an output is nested too deep"))
    };
    match value {
        Val::Null => into.extend_from_slice(b"null"),
        Val::Bool(it) => into.extend_from_slice(it.to_string().as_bytes()),
        // As jq has it: there is no such number in JSON.
        Val::Num(Num::Float(float)) if !float.is_finite() => into.extend_from_slice(b"null"),
        Val::Num(number) => into.extend_from_slice(number.to_string().as_bytes()),
        Val::TStr(text) | Val::BStr(text) => write_text(text, into),
        Val::Arr(items) => {
            let below = below()?;
            into.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    into.push(b',');
                }
                write(item, below, into)?;
            }
            into.push(b']');
        }
        Val::Obj(pairs) => {
            let below = below()?;
            into.push(b'{');
            for (at, (key, value)) in pairs.iter().enumerate() {
                let Val::TStr(key) = key else {
                    return Err(format!("an object has the key {key}, which is no string"));
                };
                if at > 0 {
                    into.push(b',');
                }
                write_text(key, into);
                into.push(b':');
                write(value, below, into)?;
            }
            into.push(b'}');
        }
    }
    Ok(())
}

fn write_text(text: &[u8], into: &mut Vec<u8>) {
    let text = Value::String(String::from_utf8_lossy(text).into_owned());
    into.extend_from_slice(text.to_string().as_bytes());
}
