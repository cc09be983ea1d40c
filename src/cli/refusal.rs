//! clap's answers in our words: one line, and a hint.

use clap::error::ErrorKind;

use crate::error::{Error, Result};

use super::Parsed;

/// The longest line, in characters; a word of the user may be much longer.
const LONGEST: usize = 300;

/// A page that was asked for, or why the words are refused.
pub(super) fn read(answer: &clap::Error) -> Result<Parsed> {
    let text = answer.render().to_string();
    match answer.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Parsed::Print(text.into())),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Ok(Parsed::Incomplete(text)),
        _ => Err(refusal(&text)),
    }
}

/// Takes the parts of clap's text: `error: …`, then, each after an empty line, `  tip: …` and `Usage: …`.
fn refusal(text: &str) -> Error {
    let mut parts = text.split("\n\n");
    let what = parts.next().unwrap_or_default();
    let what = what.strip_prefix("error: ").unwrap_or(what);
    let line = what.split_whitespace().collect::<Vec<_>>().join(" ");
    let tip = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("tip: "));
    let refused = Error::usage(cut(line));
    match tip {
        Some(tip) => refused.hint(tip),
        None => refused.hint(format!("`{} --help` shows what can be said", command(text))),
    }
}

/// The command in the line `Usage: iotctl mqtt pub [OPTIONS] [URL]`; the program when there is no such line.
fn command(text: &str) -> String {
    let usage = text.lines().find_map(|line| line.strip_prefix("Usage: "));
    let words = usage.unwrap_or("iotctl").split(' ');
    let names =
        words.take_while(|word| word.starts_with(|letter: char| letter.is_ascii_lowercase()));
    names.collect::<Vec<_>>().join(" ")
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
        );
        assert_eq!(refused.text(), "unexpected argument '--tpoic' found");
        assert_eq!(
            refused.way_out(),
            Some("a similar argument exists: '--topic'")
        );
    }

    #[test]
    fn without_a_tip_the_help_page_is_named() {
        let refused = refusal(
            "error: the following required arguments were not provided:\n  --key <FILE>\n\n\
             Usage: iotctl mqtt pub --cert <FILE> [URL]\n",
        );
        assert_eq!(
            refused.text(),
            "the following required arguments were not provided: --key <FILE>"
        );
        assert_eq!(
            refused.way_out(),
            Some("`iotctl mqtt pub --help` shows what can be said")
        );
        assert_eq!(
            refusal("error: x").way_out(),
            Some("`iotctl --help` shows what can be said")
        );
    }

    #[test]
    fn a_long_word_is_cut() {
        let refused = refusal(&format!(
            "error: unexpected argument '{}' found",
            "x".repeat(70_000)
        ));
        assert_eq!(refused.text().chars().count(), LONGEST + 1);
    }
}
