//! What is wrong in a file of TOML, in the words of who wrote it.

use std::borrow::Cow;

use crate::error::meant;

/// What a parser of TOML says is wrong, in one line and without the text of a value: that may be a URL with a password in
/// it, or a header that logs in.
pub(crate) fn mistake(cause: &toml::de::Error) -> String {
    let line = cause.message().split('\n').next().unwrap_or_default();
    if let Some((what, word, known)) = unknown(line)
        && let Some(near) = meant(word, known).first()
    {
        return format!("{what}`{word}`; did you mean `{near}`?");
    }
    match (misfit(line), key(cause)) {
        (Some(why), Some(key)) => format!("{key}: {why}"),
        (Some(why), None) => why,
        (None, _) => line.to_owned(),
    }
}

/// The key of the value that is wrong. The parser tells it only of a text that it does not have.
pub(crate) fn key(cause: &toml::de::Error) -> Option<String> {
    let mut cause = cause.clone();
    cause.set_input(None);
    let told = cause.to_string();
    let path = told.trim_end().rsplit('\n').next()?;
    let path = path.strip_prefix("in `")?.strip_suffix('`')?;
    path.rsplit('.').next().map(str::to_owned)
}

/// `expected a whole number, not a string`, for serde's words of a value that is of another type, or too large.
fn misfit(line: &str) -> Option<String> {
    let rest = line
        .strip_prefix("invalid type: ")
        .or_else(|| line.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.rsplit_once(", expected ")?;
    let whole = |most: &str| Cow::from(format!("a whole number from 0 to {most}"));
    let (is_number, expected) = match expected {
        // Every number of 16 bits that a file has is a port, and 0 is none.
        "u16" => (true, "a whole number from 1 to 65535".into()),
        "u8" => (true, whole("255")),
        "u32" => (true, whole("4294967295")),
        "u64" | "usize" | "i64" | "i32" | "a nonzero u32" | "a nonzero u64" => {
            (true, "a whole number".into())
        }
        "f64" | "f32" => (true, "a number".into()),
        "a map" | "a table" => (false, "a table".into()),
        "a sequence" => (false, "a list".into()),
        "a boolean" => (false, "true or false".into()),
        text if text.starts_with("struct ") => (false, "a table".into()),
        text => (false, text.into()),
    };
    let kind = found.split([' ', '`', '"']).next().unwrap_or_default();
    let quoted = found.split('`').nth(1);
    let found = match (kind, quoted) {
        // Where no number is expected it may be a secret.
        ("integer" | "floating", Some(number)) if is_number => number,
        ("integer" | "floating", _) => "a number",
        ("string", _) => "a string",
        ("boolean", _) => "true or false",
        ("map", _) => "a table",
        ("sequence", _) => "a list",
        _ => kind,
    };
    Some(format!("expected {expected}, not {found}"))
}

/// What a parser of TOML does not know: what it is ("unknown field "), the word, and those that could stand there.
pub(crate) fn unknown(message: &str) -> Option<(&str, &str, Vec<&str>)> {
    let line = message.split('\n').next().unwrap_or_default();
    let mut words = line.split('`');
    let what = words.next()?;
    let word = words.next()?;
    let is_unknown = ["unknown field ", "unknown variant "].contains(&what);
    is_unknown.then(|| (what, word, words.skip(1).step_by(2).collect()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only what cannot be read matters")]
    struct Server {
        port: Option<u16>,
        topics: Option<Vec<String>>,
        srv: Option<bool>,
        url: Option<String>,
        speed: Option<f64>,
    }

    fn told(text: &str) -> String {
        mistake(&toml::from_str::<BTreeMap<String, Server>>(text).unwrap_err())
    }

    #[test]
    fn a_value_that_does_not_fit_is_told_with_its_key() {
        for (line, words) in [
            (
                "port = 99999",
                "port: expected a whole number from 1 to 65535, not 99999",
            ),
            (
                "port = \"4711, expected u8\"",
                "port: expected a whole number from 1 to 65535, not a string",
            ),
            ("topics = \"a\"", "topics: expected a list, not a string"),
            ("srv = 1", "srv: expected true or false, not a number"),
            ("url = 4711", "url: expected a string, not a number"),
            ("url = []", "url: expected a string, not a list"),
            (
                "speed = true",
                "speed: expected a number, not true or false",
            ),
        ] {
            assert_eq!(told(&format!("[a]\n{line}\n")), words);
        }
        assert_eq!(
            told("a = \"secret\"\n"),
            "a: expected a table, not a string"
        );
    }

    #[test]
    fn a_key_that_was_probably_meant_is_told_first() {
        assert_eq!(
            told("[a]\ntopcs = []\n"),
            "unknown field `topcs`; did you mean `topics`?"
        );
        assert_eq!(
            told("[a]\ncolour = 1\n"),
            "unknown field `colour`, expected one of `port`, `topics`, `srv`, `url`, `speed`"
        );
    }
}
