//! What `schema/` says of what is printed: as much of JSON Schema as is used there for output.

use serde_json::Value;

/// A file of `schema/`.
pub fn schema(name: &str) -> Value {
    let path = format!("{}/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Every member is described, has its type, and none is missing.
#[track_caller]
pub fn check(value: &Value, schema: &Value) {
    check_in(schema, value, schema);
}

/// The same with a part of a schema.
#[track_caller]
pub fn check_in(root: &Value, value: &Value, schema: &Value) {
    let schema = match schema["$ref"].as_str() {
        Some(name) => root.pointer(name.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    let is_a = match &schema["type"] {
        Value::Array(names) => names.iter().any(|name| is(value, name)),
        name => is(value, name),
    };
    assert!(is_a, "{value} is not as described: {schema}");
    assert!(lacks(value, schema).is_none(), "{value}: {schema}");
    if let Some(ways) = schema["oneOf"].as_array() {
        let fulfilled = ways.iter().filter(|way| lacks(value, way).is_none());
        assert_eq!(fulfilled.count(), 1, "{value} is not one of {ways:?}");
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let below = match &schema["properties"][name] {
            Value::Null => &schema["additionalProperties"],
            below => below,
        };
        assert!(below.is_object(), "{name} of {value} is not described");
        check_in(root, member, below);
    }
    for item in value.as_array().into_iter().flatten() {
        check_in(root, item, &schema["items"]);
    }
}

/// A member that is required, and is not there.
fn lacks<'a>(value: &Value, schema: &'a Value) -> Option<&'a str> {
    let required = schema["required"].as_array().into_iter().flatten();
    let mut names = required.filter_map(Value::as_str);
    names.find(|name| value.get(name).is_none())
}

fn is(value: &Value, name: &Value) -> bool {
    match name.as_str().expect("a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        other => panic!("{other} is not known here"),
    }
}

/// Each key of an object is one that the schema has.
pub fn known(root: &Value, schema: &Value, value: &Value, place: &str) {
    let schema = match schema["$ref"].as_str() {
        Some(name) => root.pointer(name.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    match value {
        Value::Object(object) if schema["type"] == "object" => {
            for (key, value) in object {
                let below = match &schema["properties"][key] {
                    Value::Null => &schema["additionalProperties"],
                    below => below,
                };
                assert!(
                    !below.is_null() && *below != Value::Bool(false),
                    "{place}: the schema does not know {key}"
                );
                known(root, below, value, &format!("{place}.{key}"));
            }
        }
        Value::Array(list) => {
            for value in list {
                known(root, &schema["items"], value, place);
            }
        }
        _ => {}
    }
}
