//! clap's errors as one line and a hint: what was probably meant, or where the help is.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::connect::without_credentials;
use crate::error::{Error, Kind, Result, meant};
use crate::output::ColorChoice;

use super::Parsed;

/// The longest line, in characters; a word of the user may be much longer.
const LONGEST: usize = 300;

/// A requested page, or the error for `words`.
pub(super) fn read(answer: &clap::Error, words: &[OsString]) -> Result<Parsed> {
    let text = answer.render().to_string();
    match answer.kind() {
        ErrorKind::DisplayVersion => Ok(Parsed::Print(text.into())),
        ErrorKind::DisplayHelp => Ok(Parsed::Help(text, color(words))),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Ok(Parsed::Incomplete(text)),
        _ => {
            let root = super::command();
            let (command, path) = command(&root, words);
            Err(
                match (answer.kind(), said(answer, ContextKind::InvalidSubcommand)) {
                    (ErrorKind::InvalidSubcommand, Some(word)) => {
                        unknown(&cut(without_credentials(&word)), command, &path)
                    }
                    _ => {
                        let hint = hint(answer, command, words).unwrap_or_else(|| {
                            format!("`{} --help` shows the usage", spoken(&path))
                        });
                        refusal(&without_secrets(text, words)).hint(hint)
                    }
                },
            )
        }
    }
}

/// What `--color` says, which clap does not tell when it shows a page.
fn color(words: &[OsString]) -> ColorChoice {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let after = words
        .iter()
        .position(|word| word == "--color")
        .and_then(|at| words.get(at + 1));
    let inside = words.iter().find_map(|word| word.strip_prefix("--color="));
    let word = after.map(|word| &**word).or(inside);
    word.and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// A word of the error's context.
fn said(answer: &clap::Error, kind: ContextKind) -> Option<String> {
    match answer.get(kind)? {
        ContextValue::String(word) => Some(word.clone()),
        _ => None,
    }
}

/// The way out: that of the value's own type, or what was probably meant.
fn hint(answer: &clap::Error, command: &Command, words: &[OsString]) -> Option<String> {
    if let Some(own) = own_hint(answer) {
        return Some(own.to_owned());
    }
    let meant = match answer.kind() {
        ErrorKind::UnknownArgument => {
            let word = said(answer, ContextKind::InvalidArg)?;
            if word.starts_with("--psk") {
                return Some(String::from(
                    "pre-shared keys are for CoAP over DTLS only; TLS needs certificates: --cafile, --cert",
                ));
            }
            let flags = command.get_arguments().filter(|arg| !arg.is_hide_set());
            let flags =
                flags.flat_map(|arg| arg.get_long_and_visible_aliases().unwrap_or_default());
            let found = meant(word.strip_prefix("--")?, flags);
            found.into_iter().map(|name| format!("--{name}")).collect()
        }
        ErrorKind::InvalidValue => {
            let word = said(answer, ContextKind::InvalidValue)?;
            let is_host = words.last().is_some_and(|last| last == "-h");
            if word.is_empty() && is_host {
                return Some(String::from("-h is the host; --help shows the usage"));
            }
            match answer.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(known)) => {
                    let found = meant(&word, known.iter().map(String::as_str));
                    found.into_iter().map(str::to_owned).collect()
                }
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    };
    (!meant.is_empty()).then(|| format!("did you mean {}?", meant.join(" or ")))
}

/// The error for a command that does not exist below `known`, whose words are `path`.
pub(super) fn unknown(word: &str, known: &Command, path: &str) -> Error {
    let whole = format!("{path} {word}");
    let error = Error::usage(format!("there is no command {:?}", whole.trim_start()));
    let (below, names) = (
        || known.get_subcommands(),
        known.get_subcommands().map(Command::get_name),
    );
    let mut found: Vec<String> = match word {
        "help" => vec![format!("help {path}")],
        word => meant(word, names)
            .into_iter()
            .map(|name| format!("{path} {name}"))
            .collect(),
    };
    if found.is_empty() {
        // `iotctl pub`: the protocol was left out.
        let has = |one: &&Command| one.find_subcommand(word).is_some();
        found = below()
            .filter(has)
            .map(|one| format!("{path} {} {word}", one.get_name()))
            .collect();
    }
    let found: Vec<String> = found
        .iter()
        .map(|words| format!("`{}`", spoken(words)))
        .collect();
    match found.is_empty() {
        true => error.hint(format!(
            "`{}` lists the commands",
            spoken(&format!("help {path}"))
        )),
        false => error.hint(format!("did you mean {}?", found.join(" or "))),
    }
}

/// The words as they are typed.
fn spoken(path: &str) -> String {
    format!("iotctl {}", path.trim()).trim_end().to_owned()
}

/// The same refusal, which calls a flag as the user did: by its letter or by its name.
pub(super) fn as_given(refused: Error, words: &[OsString]) -> Error {
    if refused.kind() != Kind::Usage {
        return refused;
    }
    let root = super::command();
    let (command, _) = command(&root, words);
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let named = |name: &&String| {
        words.iter().any(|word| match word.strip_prefix(&***name) {
            Some(rest) => rest.is_empty() || rest.starts_with('=') || name.len() == 2,
            None => false,
        })
    };
    let mut text = refused.text().to_owned();
    for arg in command.get_arguments() {
        let longs = arg.get_all_aliases().unwrap_or_default().into_iter();
        let names: Vec<String> = longs
            .chain(arg.get_long())
            .map(|name| format!("--{name}"))
            .chain(arg.get_short().map(|letter| format!("-{letter}")))
            .collect();
        if let Some(given) = names.iter().find(named) {
            for other in names.iter().filter(|name| !named(name)) {
                text = renamed(&text, other, given);
            }
        }
    }
    let error = Error::usage(text);
    match refused.hint_text() {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// `text` with the flag `from` called `to`, where it is a word.
fn renamed(text: &str, from: &str, to: &str) -> String {
    let mut rest = text;
    let mut done = String::new();
    while let Some(at) = rest.find(from) {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        let joins = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
        let is_word = !before.ends_with(joins) && !after.starts_with(joins);
        done.push_str(before);
        done.push_str(if is_word { to } else { from });
        rest = after;
    }
    done.push_str(rest);
    done
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
fn own_hint(answer: &clap::Error) -> Option<&str> {
    let cause = std::error::Error::source(answer)?;
    cause.downcast_ref::<Error>()?.hint_text()
}

/// Takes the first part of clap's text: `error: …`, until the first empty line.
fn refusal(text: &str) -> Error {
    let what = text.split("\n\n").next().unwrap_or_default();
    let what = what.strip_prefix("error: ").unwrap_or(what);
    let line = what.split_whitespace().collect::<Vec<_>>().join(" ");
    Error::usage(cut(line))
}

/// The command that the words name, as far as they do, and its path: `mqtt pub`.
fn command<'a>(root: &'a Command, words: &[OsString]) -> (&'a Command, String) {
    let (mut known, mut path) = (root, String::new());
    for word in words.iter().skip(1) {
        let Some(below) = known.find_subcommand(word) else {
            break;
        };
        known = below;
        path = format!("{path} {}", below.get_name());
    }
    (known, path.trim_start().to_owned())
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
    fn many_lines_become_one() {
        let refused = refusal(
            "error: the following required arguments were not provided:\n  --key <FILE>\n\n\
             Usage: iotctl mqtt pub --cert <FILE> [URL]\n",
        );
        assert_eq!(
            refused.text(),
            "the following required arguments were not provided: --key <FILE>"
        );
    }

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_command_is_known_by_its_words() {
        let root = crate::cli::command();
        let path = |line: &str| command(&root, &words(line)).1;
        assert_eq!(path("./x mqtt pub -t mqtt"), "mqtt pub");
        assert_eq!(path("x frobnicate pub"), "");
    }

    #[test]
    fn a_flag_is_called_as_the_user_did() {
        let told =
            |line: &str, text: &str| as_given(Error::usage(text), &words(line)).text().to_owned();
        let wrong = "invalid value 'x' for '--port <PORT>': no";
        assert_eq!(
            told("x mqtt pub -p x", wrong),
            "invalid value 'x' for '-p <PORT>': no"
        );
        assert_eq!(
            told("x mqtt pub -px", wrong),
            "invalid value 'x' for '-p <PORT>': no"
        );
        assert_eq!(told("x mqtt pub --port x", wrong), wrong);
        assert_eq!(
            told("x mqtt sub --topic=a", "-t: a; not-t"),
            "--topic: a; not-t"
        );
        assert_eq!(told("x mqtt sub -t a --topic b", "-t: a"), "-t: a");
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
        let refused = refusal(&text);
        assert_eq!(refused.text().chars().count(), LONGEST + 1);
    }
}
