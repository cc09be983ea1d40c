//! clap's errors as one line and a hint: one line, and a hint.

use std::ffi::OsString;

use clap::error::ErrorKind;

use crate::connect::without_credentials;
use crate::error::{Error, Result};

use super::Parsed;

/// The longest line, in characters; a word of the user may be much longer.
const LONGEST: usize = 300;

/// A requested page, or the error for `words`.
pub(super) fn read(answer: &clap::Error, words: &[OsString]) -> Result<Parsed> {
    let text = answer.render().to_string();
    match answer.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Parsed::Print(text.into())),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Ok(Parsed::Incomplete(text)),
        _ => {
            let refused = refusal(&without_secrets(text, words), &command(words));
            Err(match hint_text(answer) {
                Some(hint) => refused.hint(hint),
                None => refused,
            })
        }
    }
}

/// clap quotes words in full: a URL among them is shown without user name and password.
fn without_secrets(mut text: String, words: &[OsString]) -> String {
    for word in words {
        let word = word.to_string_lossy();
        if !word.contains('@') {
            continue;
        }
        let value = word
            .strip_prefix("--")
            .and_then(|flag| flag.split_once('='));
        let url = value.map_or(&*word, |(_, value)| value);
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        for secret in [url, rest] {
            text = text.replace(secret, &without_credentials(secret));
        }
    }
    text
}

/// The hint of the value's own type, where it has one.
fn hint_text(answer: &clap::Error) -> Option<&str> {
    let cause = std::error::Error::source(answer)?;
    cause.downcast_ref::<Error>()?.hint_text()
}

/// Takes the parts of clap's text: `error: …`, then, each after an empty line, `  tip: …` and the usage.
fn refusal(text: &str, command: &str) -> Error {
    let what = text.split("\n\n").next().unwrap_or_default();
    let what = what.strip_prefix("error: ").unwrap_or(what);
    let line = what.split_whitespace().collect::<Vec<_>>().join(" ");
    let tip = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("tip: "));
    let refused = Error::usage(cut(line));
    match tip {
        Some(tip) => refused.hint(tip),
        None => refused.hint(format!("`{command} --help` shows the usage")),
    }
}

/// The words up to the last that names a command: `iotctl mqtt pub`.
fn command(words: &[OsString]) -> String {
    let commands = super::command();
    let (mut known, mut path) = (&commands, String::from("iotctl"));
    for word in words.iter().skip(1) {
        let Some(below) = known.find_subcommand(word) else {
            break;
        };
        known = below;
        path = format!("{path} {}", below.get_name());
    }
    path
}

fn cut(line: String) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_lines_become_one_and_a_hint() {
        let refused = refusal(
            "error: unexpected argument '--tpoic' found\n\n  tip: a similar argument exists: '--topic'\n\n\
             Usage: iotctl mqtt pub [OPTIONS] [URL]\n\nFor more information, try '--help'.\n",
            "iotctl mqtt pub",
        );
        assert_eq!(refused.text(), "unexpected argument '--tpoic' found");
        assert_eq!(
            refused.hint_text(),
            Some("a similar argument exists: '--topic'")
        );
    }

    #[test]
    fn without_a_tip_the_help_page_is_named() {
        let refused = refusal(
            "error: the following required arguments were not provided:\n  --key <FILE>\n\n\
             Usage: iotctl mqtt pub --cert <FILE> [URL]\n",
            "iotctl mqtt pub",
        );
        assert_eq!(
            refused.text(),
            "the following required arguments were not provided: --key <FILE>"
        );
        assert_eq!(
            refused.hint_text(),
            Some("`iotctl mqtt pub --help` shows the usage")
        );
    }

    #[test]
    fn the_command_is_known_by_its_words() {
        let path = |line: &str| command(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(path("./x mqtt pub -t mqtt"), "iotctl mqtt pub");
        assert_eq!(path("x frobnicate pub"), "iotctl");
    }

    #[test]
    fn a_url_is_quoted_without_its_password() {
        for word in [
            "mqtt://me:hunter2@h/a",
            "--listen=mqtts://me:hun/ter2@0.0.0.0:1",
            "me:hunter2@h",
        ] {
            let value = word.strip_prefix("--listen=").unwrap_or(word);
            let text =
                format!("error: invalid value '{value}' for '[URL]': \"{value}\" is none\n\n");
            let shown = without_secrets(text, &[OsString::from(word)]);
            assert!(!shown.contains("ter2") && !shown.contains("me:"), "{shown}");
        }
    }

    #[test]
    fn a_long_word_is_cut() {
        let text = format!("error: unexpected argument '{}' found", "x".repeat(70_000));
        let refused = refusal(&text, "iotctl");
        assert_eq!(refused.text().chars().count(), LONGEST + 1);
    }
}
