//! The schemas of files, of which tests need no more than the keys.

use serde_json::Value;

/// `schema/NAME.schema.json`
pub fn schema(name: &str) -> Value {
    let path = format!("{}/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
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
