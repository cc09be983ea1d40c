//! Strings and numbers as JSON.

use std::fmt::Debug;

/// Appends a JSON string.
pub(crate) fn push_string(text: &str, into: &mut String) {
    // A string can always be written.
    into.push_str(&serde_json::to_string(text).unwrap_or_default());
}

/// Appends a float in the fewest digits that mean it; what JSON cannot write is a string, as in protobuf's JSON.
pub(super) fn push_float(value: impl Debug + Copy + Into<f64>, into: &mut String) {
    let wide: f64 = value.into();
    match wide {
        _ if wide.is_nan() => into.push_str("\"NaN\""),
        f64::INFINITY => into.push_str("\"Infinity\""),
        f64::NEG_INFINITY => into.push_str("\"-Infinity\""),
        _ => into.push_str(&format!("{value:?}")),
    }
}

/// Writes the members of an object.
pub(super) struct Object {
    first: bool,
}

impl Object {
    pub(super) fn begin(into: &mut String) -> Self {
        into.push('{');
        Self { first: true }
    }

    /// Appends a name; its value is next.
    pub(super) fn name(&mut self, name: &str, into: &mut String) {
        if !std::mem::take(&mut self.first) {
            into.push(',');
        }
        push_string(name, into);
        into.push(':');
    }

    pub(super) fn end(self, into: &mut String) {
        into.push('}');
    }
}
