//! Whether a value is what a schema describes; for tests.

use serde_json::{Value, json};

/// What keeps `value` from being what `schema` describes; only the words that our schema uses.
pub(in crate::bench) fn complaints(
    value: &Value,
    schema: &Value,
    root: &Value,
    at: &str,
) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#')).unwrap();
        return complaints(value, target, root, at);
    }
    let mut found = Vec::new();
    let types = match &schema["type"] {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    if !types.iter().any(|kind| is_a(value, kind.as_str().unwrap())) {
        found.push(format!("{at} is not {types:?}"));
    }
    if value.is_number() && value.as_f64() < schema["minimum"].as_f64() {
        found.push(format!("{at} is below its minimum"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{at} is not one of {words:?}"));
    }
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(complaints(item, &schema["items"], root, &at.to_string()));
    }
    found.extend(member_complaints(value, schema, root, at));
    found
}

fn member_complaints(value: &Value, schema: &Value, root: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().unwrap()).is_none() {
            found.push(format!("{at} has no {name}"));
        }
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let at = format!("{at}/{name}");
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => found.push(format!("{at} is unknown")),
            (Value::Null, others) => found.extend(complaints(member, others, root, &at)),
            (known, _) => found.extend(complaints(member, known, root, &at)),
        }
    }
    found
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    }
}

/// Fails unless every member is documented and, but for `hint`, required.
pub(in crate::bench) fn is_complete(schema: &Value, at: &str) {
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let documented = ["description", "$ref"]
            .iter()
            .any(|word| !member[word].is_null());
        assert!(documented, "{at}/{name}");
        let required = schema["required"].as_array().unwrap();
        assert!(
            required.contains(&json!(name)) || name == "hint",
            "{at}/{name}"
        );
        is_complete(member, &format!("{at}/{name}"));
    }
    for (name, part) in schema["$defs"].as_object().into_iter().flatten() {
        is_complete(part, &format!("{at}/{name}"));
    }
}
