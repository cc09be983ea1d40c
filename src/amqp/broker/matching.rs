//! Whether a binding fits a message: topic patterns (AMQP 0-9-1 §3.1.3.3) and header tables (§3.1.3.4).

use amq_protocol::types::{AMQPValue, FieldTable};

/// Whether this binding key has words that stand for others.
pub(super) fn is_pattern(key: &str) -> bool {
    key.split('.').any(|word| matches!(word, "*" | "#"))
}

/// The words of a routing key; the empty one has none, so that `*` does not fit it.
pub(super) fn words(key: &str) -> Vec<&str> {
    key.split('.').filter(|_| !key.is_empty()).collect()
}

/// Whether the words of a routing key fit a pattern: `*` is one word, `#` any number of words. Adds what it took to
/// `steps`.
///
/// Takes at most words times words steps, whatever the pattern: only the last `#` is ever tried again.
pub(super) fn topic(pattern: &str, key: &[&str], steps: &mut usize) -> bool {
    let mut pattern = pattern.split('.');
    let mut word = 0;
    let mut again = None;
    loop {
        *steps += 1;
        match pattern.next() {
            Some("#") => again = Some((pattern.clone(), word)),
            Some(own)
                if key
                    .get(word)
                    .is_some_and(|there| own == "*" || own == *there) =>
            {
                word += 1;
            }
            None if word == key.len() => return true,
            _ => {
                let Some((after, from)) = again.filter(|(_, from)| *from < key.len()) else {
                    return false;
                };
                word = from + 1;
                pattern = after.clone();
                again = Some((after, word));
            }
        }
    }
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
            let fits = match is_pattern(pattern) {
                true => topic(pattern, &words(key), &mut 0),
                false => pattern == key,
            };
            assert_eq!(fits, expected, "{pattern} {key}");
        }
        assert!(!is_pattern("a*.b#"), "only whole words stand for others");
    }

    #[test]
    fn a_hostile_pattern_takes_no_longer() {
        let pattern = "#.a.".repeat(60) + "z";
        let key = "a.".repeat(120) + "b";
        let mut steps = 0;
        assert!(!topic(&pattern, &words(&key), &mut steps));
        assert!(steps < 61 * 121 * 2, "{steps}");
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
