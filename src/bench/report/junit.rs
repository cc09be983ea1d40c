//! JUnit XML: one test case for each threshold, so that CI shows a miss where it shows failed tests; and one for the run
//! itself, where it has no thresholds or has failed whatever they say.

use crate::bench::failure::Failure;
use crate::bench::result::{Report, Threshold};

use super::rows;
use super::units::three;

/// The thresholds as a test suite; its time is the time measured.
pub(crate) fn render(report: &Report) -> String {
    let missed = report.thresholds.iter().filter(|one| !one.passed).count();
    let failure = Failure::of(report);
    let mut cases: Vec<String> = report.thresholds.iter().map(case).collect();
    if cases.is_empty() || failure.is_some() {
        cases.insert(0, run(failure.as_ref()));
    }
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    xml += &format!(
        "  <testsuite name=\"iotctl bench\" tests=\"{}\" failures=\"{missed}\" errors=\"{}\" \
         skipped=\"0\" time=\"{:.3}\" timestamp=\"{}\">\n    <properties>\n",
        cases.len(),
        u8::from(failure.is_some()),
        report.phases.measured_s,
        escape(report.started_at.trim_end_matches('Z'))
    );
    for (name, value) in &report.setup {
        xml += &format!(
            "      <property name=\"{}\" value=\"{}\"/>\n",
            escape(name),
            escape(value)
        );
    }
    xml += "    </properties>\n";
    xml += &cases.concat();
    xml += "  </testsuite>\n</testsuites>\n";
    xml
}

/// The run itself.
fn run(failure: Option<&Failure>) -> String {
    let start = "    <testcase classname=\"iotctl.bench\" name=\"run\"";
    let Some(failure) = failure else {
        return format!("{start}/>\n");
    };
    let why = escape(&failure.text);
    format!(
        "{start}>\n      <error type=\"run\" message=\"{why}\">{why}</error>\n    </testcase>\n"
    )
}

fn case(threshold: &Threshold) -> String {
    let name = escape(&threshold.expression);
    let start = format!("    <testcase classname=\"iotctl.bench\" name=\"{name}\"");
    if threshold.passed {
        return format!("{start}/>\n");
    }
    let outcome = escape(&rows::outcome(threshold));
    let measured = three(threshold.measured);
    format!(
        "{start}>\n      <failure type=\"threshold\" message=\"{outcome}\">\
         {name}: {outcome}; measured {measured}</failure>\n    </testcase>\n"
    )
}

/// Text for XML; characters that XML 1.0 has no place for become U+FFFD.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_for_each_threshold() {
        let passed = Threshold {
            expression: String::from("p99 < 20ms"),
            measured: 1.0,
            passed: true,
            missed_by: String::new(),
        };
        let missed = Threshold {
            expression: String::from("lost == 0"),
            measured: 12.0,
            passed: false,
            missed_by: String::from("12"),
        };
        let mut report = Report {
            started_at: String::from("2026-11-20T21:00:00Z"),
            thresholds: vec![passed, missed],
            ..Report::default()
        };
        report
            .setup
            .insert(String::from("topic"), String::from("a\"<b>&\u{1}"));
        assert_eq!(
            render(&report),
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="iotctl bench" tests="2" failures="1" errors="0" skipped="0" time="0.000" timestamp="2026-11-20T21:00:00">
    <properties>
      <property name="topic" value="a&quot;&lt;b&gt;&amp;�"/>
    </properties>
    <testcase classname="iotctl.bench" name="p99 &lt; 20ms"/>
    <testcase classname="iotctl.bench" name="lost == 0">
      <failure type="threshold" message="missed by 12">lost == 0: missed by 12; measured 12.0</failure>
    </testcase>
  </testsuite>
</testsuites>
"#
        );
    }

    #[test]
    fn the_run_itself_is_a_case_without_thresholds_and_when_it_has_failed() {
        let mut report = Report::default();
        let passed = render(&report);
        assert!(
            passed.contains("tests=\"1\" failures=\"0\" errors=\"0\""),
            "{passed}"
        );
        assert!(passed.contains("<testcase classname=\"iotctl.bench\" name=\"run\"/>\n"));
        report.connections.planned = 1;
        let failed = render(&report);
        assert!(
            failed.contains("tests=\"1\" failures=\"0\" errors=\"1\""),
            "{failed}"
        );
        let why = "<error type=\"run\" message=\"no connection was opened\">";
        assert!(failed.contains(why), "{failed}");
        let lost = "lost == 0"
            .parse::<crate::bench::threshold::Assert>()
            .unwrap();
        report.thresholds.push(lost.evaluate(&report));
        let failed = render(&report);
        assert!(
            failed.contains("tests=\"2\" failures=\"1\" errors=\"1\""),
            "{failed}"
        );
    }
}
