//! A comment for a code review: GitHub-flavoured Markdown.

use crate::bench::result::{ErrorCount, Report};

use super::rows;
use super::units::count;

/// The summary as Markdown.
pub(crate) fn render(report: &Report) -> String {
    let mut page = format!("### {}\n\n", headline(report));
    maximum(report, &mut page);
    thresholds(report, &mut page);
    page += &format!("Verdict: {}.\n\n", escape(&rows::verdict(report)));
    table(&mut page, &["rate", "messages"], rates(report));
    latency(report, &mut page);
    table(&mut page, &["messages", "", ""], messages(report));
    list(&mut page, "Errors", errors(report));
    list(&mut page, "Warnings", rows::warnings(report));
    page += &format!(
        "Generator: {}.\n\n",
        escape(&rows::generator_line(&report.generator))
    );
    details(report, &mut page);
    page
}

fn headline(report: &Report) -> String {
    match rows::headline(report) {
        None => String::from("Load test"),
        Some((_, words)) => format!("Load test: {}", escape(&words)),
    }
}

fn maximum(report: &Report, page: &mut String) {
    if let Some((found, steps)) = rows::maximum(report) {
        *page += &format!(
            "**Highest rate: {}** ({})\n\n",
            escape(&found),
            escape(&steps.join(", "))
        );
    }
}

fn thresholds(report: &Report, page: &mut String) {
    let rows = report.thresholds.iter().map(|threshold| {
        let sign = if threshold.passed { "✅" } else { "❌" };
        vec![
            sign.to_owned(),
            code(&threshold.expression),
            rows::outcome(threshold),
        ]
    });
    table(page, &["", "threshold", "outcome"], rows.collect());
}

fn rates(report: &Report) -> Vec<Vec<String>> {
    let rates = rows::rates(report).into_iter();
    rates
        .map(|(name, rate)| vec![name.to_owned(), rate])
        .collect()
}

fn latency(report: &Report, page: &mut String) {
    let mut head = vec!["latency"];
    head.extend(rows::LATENCY_COLUMNS);
    let rows = rows::quantities(report).into_iter().map(|(name, latency)| {
        let mut row = vec![name.to_owned()];
        row.extend(rows::latency_row(latency));
        row
    });
    table(page, &head, rows.collect());
}

fn messages(report: &Report) -> Vec<Vec<String>> {
    let identities = rows::identities(report)
        .into_iter()
        .map(|row| vec![row.name.to_owned(), count(row.whole), row.terms().join(" ")]);
    let others = rows::other_counters(&report.messages)
        .into_iter()
        .chain(rows::counts(report))
        .map(|(name, number)| vec![name.to_owned(), count(number), String::new()]);
    identities.chain(others).collect()
}

fn errors(report: &Report) -> Vec<String> {
    let said = |error: &ErrorCount| match &error.hint {
        Some(hint) => format!("{} (hint: {hint})", rows::error_line(error)),
        None => rows::error_line(error),
    };
    report.errors.iter().map(said).collect()
}

fn details(report: &Report, page: &mut String) {
    *page += "<details><summary>Setup</summary>\n\n";
    let rows = rows::setup(report);
    table(
        page,
        &["setup", ""],
        rows.map(|(name, value)| vec![name.to_owned(), value.to_owned()])
            .collect(),
    );
    *page += &format!("{}\n\n</details>\n", escape(&rows::title(report)));
}

/// Numbers stand on the right: every column but the first, and all of text.
pub(in crate::bench) fn table(page: &mut String, head: &[&str], rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        return;
    }
    let numeric = |column: usize| column > 0 && head.len() > 3;
    let rule = (0..head.len()).map(|column| if numeric(column) { "---:" } else { "---" });
    *page += &format!("| {} |\n", head.join(" | "));
    *page += &format!("|{}|\n", rule.collect::<Vec<_>>().join("|"));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| escape(cell)).collect();
        *page += &format!("| {} |\n", cells.join(" | "));
    }
    page.push('\n');
}

fn list(page: &mut String, name: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    *page += &format!("**{name}**\n\n");
    for line in lines {
        *page += &format!("- {}\n", escape(&line));
    }
    page.push('\n');
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}

/// Text that Markdown and HTML in it leave as it is; line breaks become spaces.
pub(in crate::bench) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let is_code = text.starts_with('`');
    for letter in text.chars() {
        match letter {
            '|' => escaped.push_str("\\|"),
            letter if letter.is_control() => escaped.push(' '),
            letter if is_code => escaped.push(letter),
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            // A zero-width space keeps a name from being notified.
            '@' => escaped.push_str("@\u{200b}"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::sample;

    #[test]
    fn a_comment_begins_with_the_outcome() {
        let text = render(&sample::report());
        let head = "### Load test: 1 of 2 thresholds missed\n\n\
                    |  | threshold | outcome |\n|---|---|---|\n\
                    | ✅ | `p50 < 20ms` | passed |\n\
                    | ❌ | `lost == 0` | missed by 1,270 |\n\n\
                    Verdict: 1,270 of 1,499,990 expected messages were not received; the generator kept up: 42 % of one core, send lag p99 18 µs; throughput and latency were stable.\n\n\
                    | rate | messages |\n|---|---|\n| planned | 50.00 k/s |\n";
        assert!(text.starts_with(head), "{text}");
        assert!(text.contains("| latency | p50 | p90 | p99 | p99.9 | max | count |\n|---|---:|"));
        assert!(text.contains("| planned | 1,500,000 | = sent 1,499,990 + unsent 10 |"));
        assert!(text.contains("- 1,002 × connection lost: reset by peer\n"));
        assert!(text.contains("| retransmissions | 12 |"));
        assert!(text.contains("&lt;script>alert(1)&lt;/script> &amp; co"));
        assert!(text.contains("| end\\_to\\_end |"));
    }

    #[test]
    fn nothing_breaks_out_of_a_cell() {
        assert_eq!(
            escape("a|b\nc <i> @you *x*"),
            "a\\|b c &lt;i> @\u{200b}you \\*x\\*"
        );
    }
}
