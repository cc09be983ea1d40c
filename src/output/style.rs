//! Whether there is colour, and what it means.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal};
use std::str::FromStr;

use colored::{ColoredString, Colorize, control};
use rustix::termios::tcgetwinsize;

use crate::error::Error;

/// Which of standard input, output and error are terminals.
pub fn terminals() -> [bool; 3] {
    [
        io::stdin().is_terminal(),
        io::stdout().is_terminal(),
        io::stderr().is_terminal(),
    ]
}

/// How many columns the terminal has that standard output is; `None`: it is none, or does not say it.
pub fn columns() -> Option<usize> {
    let size = tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Why a terminal cannot be drawn on, by what `TERM` says of it; `None`: it can.
pub fn lacks_screen() -> Option<&'static str> {
    match env::var_os("TERM") {
        Some(name) if name == "dumb" => Some("TERM is dumb"),
        Some(name) if !name.is_empty() => None,
        _ => Some("TERM is not set"),
    }
}

/// How a command speaks: what `--color` and `--quiet` chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// `--color`.
    pub color: ColorChoice,
    /// `--quiet`: no notes and no warnings; errors and results are still shown.
    pub quiet: bool,
}

/// When colour is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal, unless the environment variable `NO_COLOR` is set to something.
    #[default]
    Auto,
    /// Always, in pipes and files too.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// Every choice, in the order in which help shows them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Always, Self::Never];

    /// The word for it on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    /// Whether a stream is coloured, given that it is a `terminal` or not.
    pub(super) fn colors(self, terminal: bool) -> bool {
        match self {
            Self::Auto => terminal && env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

impl fmt::Display for ColorChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ColorChoice {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|choice| choice.name() == word)
            .ok_or_else(|| Error::usage(format!("{word:?} is not one of auto, always, never")))
    }
}

/// What a coloured piece of text is; the colours are chosen here and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// The name of the program before a note.
    Speaker,
    /// The name of the program before a warning.
    Caution,
    /// Where a message came from.
    Topic,
    /// The heading of a part of a help page.
    Heading,
    /// A threshold that was passed, a figure that is better.
    Good,
    /// A threshold that was missed, a figure that is worse.
    Bad,
}

impl Tone {
    /// `text` in this tone, for a stream that is coloured.
    pub(super) fn paint(self, text: &str) -> ColoredString {
        // Whether a stream is coloured was decided by `ColorChoice::colors`, for each stream alone.
        control::set_override(true);
        match self {
            Self::Speaker => text.dimmed(),
            Self::Caution => text.yellow(),
            Self::Topic => text.cyan(),
            Self::Heading => text.bold(),
            Self::Good => text.green(),
            Self::Bad => text.red(),
        }
    }
}

/// How reports say what was judged: after a threshold, and in the verdict on a figure.
const VERDICTS: [(&str, &str, Tone); 6] = [
    ("  ", "passed", Tone::Good),
    ("  ", "missed", Tone::Bad),
    ("% ", "better", Tone::Good),
    ("% ", "worse", Tone::Bad),
    (", ", "better", Tone::Good),
    (", ", "worse", Tone::Bad),
];

/// The text of a report with its verdicts painted, one a line at most.
pub(super) fn judged(text: &str) -> String {
    let paint = |line: &str| {
        let found = VERDICTS.iter().find_map(|(front, word, tone)| {
            let (before, after) = line.split_once(&format!("{front}{word}"))?;
            let ends = !after.starts_with(|next: char| next.is_alphanumeric() || next == '_');
            ends.then(|| format!("{before}{front}{}{after}", tone.paint(word)))
        });
        found.unwrap_or_else(|| line.to_owned())
    };
    text.split_inclusive('\n').map(paint).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_by_their_names() {
        for choice in ColorChoice::ALL {
            assert_eq!(choice.name().parse::<ColorChoice>().unwrap(), choice);
        }
        let error = "sometimes".parse::<ColorChoice>().unwrap_err();
        assert_eq!(
            error.text(),
            r#""sometimes" is not one of auto, always, never"#
        );
    }

    #[test]
    fn verdicts_are_painted_and_nothing_else() {
        let text = "thresholds  p50 < 20ms  passed\n            lost == 0  missed by 1,270\np99  1.0  2.0  100 % worse (over)\nerrors  increased, better\nlate  missedx; 5 % betterment\n";
        assert_eq!(
            judged(text),
            "thresholds  p50 < 20ms  \u{1b}[32mpassed\u{1b}[0m\n            lost == 0  \u{1b}[31mmissed\u{1b}[0m by 1,270\n\
             p99  1.0  2.0  100 % \u{1b}[31mworse\u{1b}[0m (over)\nerrors  increased, \u{1b}[32mbetter\u{1b}[0m\nlate  missedx; 5 % betterment\n"
        );
    }

    #[test]
    fn only_auto_asks_whether_it_is_a_terminal() {
        assert!(ColorChoice::Always.colors(false));
        assert!(!ColorChoice::Never.colors(true));
        assert!(!ColorChoice::Auto.colors(false));
    }
}
