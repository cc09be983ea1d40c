//! The result itself: versioned JSON, documented in `schema/bench-report.schema.json`.

use serde::Deserialize;
use serde_json::Value;

use crate::bench::result::{Report, SCHEMA_VERSION};
use crate::error::{Error, Result};
use crate::file::json_mistake;

/// More than any run counts, or takes in milliseconds: what JSON's readers hold exactly.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// The report as indented JSON. Members stand in a fixed order, so that two results can be compared line by line.
pub(crate) fn render(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).unwrap_or_else(|cause| {
        // The report has string keys only, which is all that could be refused.
        unreachable!("a report is always JSON: {cause}")
    });
    text.push('\n');
    text
}

/// Reads what [`render`] wrote; `name` is the file, for errors.
///
/// # Errors
/// [`Kind::Usage`](crate::error::Kind::Usage), naming the file, when it is no result or one of another version.
pub(crate) fn read(text: &[u8], name: &str) -> Result<Report> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u32,
    }

    let no_result = |cause: &serde_json::Error| {
        let why = json_mistake(cause);
        Error::usage(format!("{name} is not a bench result file: {why}"))
    };
    let Version { schema_version } =
        serde_json::from_slice(text).map_err(|cause| no_result(&cause))?;
    if schema_version != SCHEMA_VERSION {
        let said = format!(
            "{name} has version {schema_version} of the result schema, not {SCHEMA_VERSION}"
        );
        return Err(
            Error::usage(said).hint("use the version of iotctl that wrote it, or repeat the run")
        );
    }
    let report: Report = serde_json::from_slice(text).map_err(|cause| no_result(&cause))?;
    let within = serde_json::to_value(&report).is_ok_and(|whole| is_within(&whole));
    if !within {
        let said = format!("{name} is not a bench result file: it has impossible numbers");
        return Err(Error::usage(said));
    }
    Ok(report)
}

/// Whether every number is one that a run can have, so that sums of many stay numbers. The run's id is any.
fn is_within(value: &Value) -> bool {
    match value {
        Value::Number(number) => number
            .as_f64()
            .is_some_and(|number| number.abs() <= LARGEST),
        Value::Array(values) => values.iter().all(is_within),
        Value::Object(members) => {
            let mut members = members.iter();
            members.all(|(name, value)| name == "run_id" || is_within(value))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bench::report::sample;
    use crate::bench::report::schema::{complaints, is_complete};

    const SCHEMA: &str = include_str!("../../../schema/bench-report.schema.json");

    #[test]
    fn a_report_is_what_the_schema_describes() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let mut value: Value = serde_json::from_str(&render(&sample::report())).unwrap();
        assert_eq!(complaints(&value, &schema, &schema, ""), [""; 0]);
        let members = value["messages"].as_object_mut().unwrap();
        members.shift_remove("sent");
        members.insert("sentt".to_owned(), json!("1"));
        assert_eq!(
            complaints(&value, &schema, &schema, ""),
            ["/messages has no \"sent\"", "/messages/sentt is unknown"]
        );
    }

    #[test]
    fn every_member_of_the_schema_is_documented_and_required() {
        is_complete(&serde_json::from_str(SCHEMA).unwrap(), "");
    }

    #[test]
    fn a_report_survives_being_written() {
        let report = sample::report();
        let text = render(&report);
        assert_eq!(read(text.as_bytes(), "a.json").unwrap(), report);
        assert_eq!(render(&report), text, "it is always the same");
    }

    #[test]
    fn what_is_no_result_is_told() {
        let said = |text: &str| {
            read(text.as_bytes(), "a.json")
                .unwrap_err()
                .text()
                .to_owned()
        };
        assert_eq!(
            said("{"),
            "a.json is not a bench result file: it ends too early"
        );
        assert_eq!(
            said("{\"schema_version\": 9}"),
            "a.json has version 9 of the result schema, not 1"
        );
        let mut huge = sample::report();
        huge.messages.sent = u64::MAX;
        assert_eq!(
            said(&render(&huge)),
            "a.json is not a bench result file: it has impossible numbers"
        );
        let deep = format!("{{\"schema_version\": 1, \"x\": {}", "[".repeat(1 << 20));
        assert!(said(&deep).starts_with("a.json is not a bench result file: "));
        assert_eq!(
            said("{\"schema_version\": 1}"),
            "a.json is not a bench result file: tool is missing"
        );
    }
}
