//! Whether a binding fits a message: topic patterns (AMQP 0-9-1 §3.1.3.3) and header tables (§3.1.3.4).

use amq_protocol::types::{AMQPValue, FieldTable};

/// Whether a routing key fits a pattern: `*` is one word, `#` any number of words.
///
/// Takes at most words times words steps, whatever the pattern: only the last `#` is ever tried again.
pub(super) fn topic(pattern: &str, key: &str) -> bool {
    if !pattern.contains(['*', '#']) {
        return pattern == key;
    }
    let pattern: Vec<&str> = pattern.split('.').collect();
    // The empty key has no words, so that `*` does not fit it.
    let key: Vec<&str> = key.split('.').filter(|_| !key.is_empty()).collect();
    let (mut at, mut word) = (0, 0);
    let mut again = None;
    while word < key.len() {
        match pattern.get(at) {
            Some(&"#") => {
                again = Some((at + 1, word));
                at += 1;
            }
            Some(&own) if own == "*" || own == key[word] => {
                at += 1;
                word += 1;
            }
            _ => {
                let Some((after, from)) = again else {
                    return false;
                };
                again = Some((after, from + 1));
                (at, word) = (after, from + 1);
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == "#")
}

/// Whether the headers of a message fit the arguments of a binding, by its `x-match`: `all` (the default), `any`,
/// `all-with-x`, `any-with-x`. An argument without a value wants the header to be there, whatever it is.
pub(super) fn headers(arguments: &FieldTable, headers: &FieldTable) -> bool {
    let how = match arguments.inner().get("x-match") {
        Some(AMQPValue::LongString(how)) => how.as_bytes(),
        _ => b"all",
    };
    let with_x = how.ends_with(b"-with-x");
    let counts = |name: &str| name != "x-match" && (with_x || !name.starts_with("x-"));
    let mut wanted = arguments
        .into_iter()
        .filter(|(name, _)| counts(name.as_str()));
    let fits = |name: &str, value: &AMQPValue| match (value, headers.inner().get(name)) {
        (_, None) => false,
        (AMQPValue::Void, Some(_)) => true,
        (wanted, Some(there)) => same(wanted, there),
    };
    if how.starts_with(b"any") {
        wanted.any(|(name, value)| fits(name.as_str(), value))
    } else {
        wanted.all(|(name, value)| fits(name.as_str(), value))
    }
}

/// Whether two values are equal; whole numbers are, in whatever size they came.
pub(super) fn same(one: &AMQPValue, other: &AMQPValue) -> bool {
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

/// A whole number of any size.
pub(super) fn whole(value: &AMQPValue) -> Option<i64> {
    match *value {
        AMQPValue::ShortShortInt(number) => Some(number.into()),
        AMQPValue::ShortShortUInt(number) => Some(number.into()),
        AMQPValue::ShortInt(number) => Some(number.into()),
        AMQPValue::ShortUInt(number) => Some(number.into()),
        AMQPValue::LongInt(number) => Some(number.into()),
        AMQPValue::LongUInt(number) => Some(number.into()),
        AMQPValue::LongLongInt(number) => Some(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_patterns() {
        let table = [
            ("*.error", "web.error", true),
            ("*.error", "error", false),
            ("*.error", "a.b.error", false),
            ("#", "", true),
            ("#", "a.b.c", true),
            ("*", "", false),
            ("", "", true),
            ("a.#", "a", true),
            ("a.#", "a.b.c", true),
            ("#.a", "b.c.a", true),
            ("#.a", "b.c.a.d", false),
            ("a.#.b.#.c", "a.x.b.y.b.c", true),
            ("a.#.b.#.c", "a.x.y.c", false),
            ("*.*", "a.b", true),
            ("*.*", "a", false),
            ("#.#", "a", true),
            ("a.*.c", "a..c", true),
            ("a.b", "a.b", true),
            ("a.b", "a.B", false),
        ];
        for (pattern, key, expected) in table {
            assert_eq!(topic(pattern, key), expected, "{pattern} {key}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_longer() {
        let pattern = "#.a.".repeat(60) + "z";
        let key = "a.".repeat(120) + "b";
        assert!(!topic(&pattern, &key));
    }

    #[test]
    fn header_tables() {
        let table = |pairs: &[(&str, AMQPValue)]| {
            let mut table = FieldTable::default();
            for (name, value) in pairs {
                table.insert((*name).into(), value.clone());
            }
            table
        };
        let text = |text: &str| AMQPValue::LongString(text.into());
        let message = table(&[
            ("a", AMQPValue::LongInt(1)),
            ("b", text("x")),
            ("x-c", text("y")),
        ]);
        let fits = |how: &str, pairs: &[(&str, AMQPValue)]| {
            let mut arguments = table(pairs);
            if !how.is_empty() {
                arguments.insert("x-match".into(), text(how));
            }
            headers(&arguments, &message)
        };
        let one = AMQPValue::LongLongInt(1);
        assert!(fits("", &[("a", one.clone()), ("b", text("x"))]));
        assert!(!fits("all", &[("a", one.clone()), ("b", text("z"))]));
        assert!(fits("any", &[("a", one), ("b", text("z"))]));
        assert!(fits("all", &[("a", AMQPValue::Void)]));
        assert!(fits("all", &[("x-c", text("no"))]), "x- is passed over");
        assert!(!fits("all-with-x", &[("x-c", text("no"))]));
        assert!(fits("any-with-x", &[("x-c", text("y"))]));
        assert!(fits("all", &[]));
        assert!(!fits("any", &[]));
    }
}
