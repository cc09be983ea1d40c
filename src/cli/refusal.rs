//! clap's errors as one line and a hint: what was probably meant, or where the help is.

mod foreign;
mod formats;
mod slips;

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::connect::without_credentials;
use crate::error::{Error, Kind, Result, meant};
use crate::output::ColorChoice;

use self::foreign::foreign;
pub(super) use self::slips::help;
use super::{Parsed, page};

/// Flags whose value may have several words.
const TEXTS: [&str; 4] = ["-m", "--message", "--template", "--cbor"];

/// Flags whose value, which may be left out, follows an equals sign.
const WITH_EQUALS: [&str; 3] = ["--on-change", "--stats", "--decode"];

/// Units that are written without a space.
const UNITS: [&str; 12] = [
    "ms", "s", "sec", "m", "min", "h", "d", "B", "kB", "KiB", "MB", "MiB",
];

/// The longest line, in characters; a word of the user may be much longer.
const LONGEST: usize = 300;

/// The longest word of a list.
const LONGEST_OF_LIST: usize = 60;

/// As much of its end stays.
const END: usize = 120;

/// A requested page, or the error for `words`.
pub(super) fn read(answer: &clap::Error, words: &[OsString]) -> Result<Parsed> {
    let text = answer.render().to_string();
    match answer.kind() {
        ErrorKind::DisplayVersion => Ok(Parsed::Print(super::version().into())),
        ErrorKind::DisplayHelp => Ok(Parsed::Help(text, color(words))),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Ok(Parsed::Incomplete(text)),
        _ => {
            let root = super::command();
            let (command, path) = command(&root, words);
            if is_help(answer, words) {
                let path: Vec<String> = path.split(' ').map(str::to_owned).collect();
                let page = page::short(&path, super::command())?;
                return Ok(Parsed::Help(page, color(words)));
            }
            if let Some(refused) = slips::no_url(answer, &path, words) {
                return Err(refused);
            }
            Err(
                match (answer.kind(), said(answer, ContextKind::InvalidSubcommand)) {
                    (ErrorKind::InvalidSubcommand, Some(word)) => {
                        unknown(&cut(without_credentials(&word)), command, &path)
                    }
                    _ => {
                        let hint = hint(answer, (command, &path), words).unwrap_or_else(|| {
                            format!("`{} --help` shows the usage", spoken(&path))
                        });
                        refusal(&without_secrets(text, words)).hint(hint)
                    }
                },
            )
        }
    }
}

/// Whether `-h` asks for help: the command has no flag of this letter, and nothing that could be a host follows.
fn is_help(answer: &clap::Error, words: &[OsString]) -> bool {
    let is_unknown = answer.kind() == ErrorKind::UnknownArgument
        && said(answer, ContextKind::InvalidArg).is_some_and(|word| word == "-h");
    let at = words.iter().position(|word| word == "-h");
    let next = at.and_then(|at| words.get(at + 1));
    is_unknown && at.is_some() && next.is_none_or(|next| next.to_string_lossy().starts_with('-'))
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
fn hint(
    answer: &clap::Error,
    (command, path): (&Command, &str),
    words: &[OsString],
) -> Option<String> {
    if let Some(own) = own_hint(answer) {
        return Some(own.to_owned());
    }
    let meant = match answer.kind() {
        ErrorKind::UnknownArgument => {
            let word = said(answer, ContextKind::InvalidArg)?;
            let known = value_of(words, &word)
                .filter(|_| word == "-o")
                .and_then(|value| formats::file(command, path, &value));
            let known = known.or_else(|| foreign(command, path, &word));
            let known = known.or_else(|| negative(command, words, &word));
            let known = known.or_else(|| stray_hint(words, &word));
            if let Some(hint) = known.or_else(|| slips::hint(answer, (command, path), words)) {
                return Some(hint);
            }
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
            let flag = said(answer, ContextKind::InvalidArg);
            if flag.is_some_and(|flag| flag.starts_with("--output "))
                && let Some(hint) = formats::file(command, path, &word)
            {
                return Some(cut(hint));
            }
            match answer.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(known)) => {
                    let same = known.iter().find(|it| it.eq_ignore_ascii_case(&word));
                    let found = || meant(&word, known.iter().map(String::as_str));
                    match same {
                        Some(same) => vec![same.clone()],
                        None => found().into_iter().map(str::to_owned).collect(),
                    }
                }
                _ => Vec::new(),
            }
        }
        _ => return slips::hint(answer, (command, path), words),
    };
    (!meant.is_empty()).then(|| format!("did you mean {}?", meant.join(" or ")))
}

/// What follows the flag of this letter, in the same word or in the next.
fn value_of(words: &[OsString], flag: &str) -> Option<String> {
    let at = words.iter().position(|word| {
        let word = word.to_string_lossy();
        word.starts_with(flag) && !word.starts_with("--")
    })?;
    let word = words[at].to_string_lossy();
    match word[flag.len()..].trim_start_matches('=') {
        "" => Some(words.get(at + 1)?.to_string_lossy().into_owned()),
        value => Some(value.to_owned()),
    }
}

/// The refusal of a word that stands where the server is named, because the value before it was cut by a space.
pub(super) fn stray(words: &[OsString]) -> Option<Error> {
    let looks_stray = |word: &&OsString| {
        let word = word.to_string_lossy();
        !word.contains(':') && stray_hint(words, &word).is_some()
    };
    let suspect = words.iter().skip(1).find(looks_stray)?;
    // That is seldom the case: the words are read once more.
    let root = super::command();
    let (known, _) = command(&root, words);
    // Where more than the server has no flag, the first may be left out.
    if known.get_positionals().count() > 1 {
        return None;
    }
    let matches = super::command().try_get_matches_from(words).ok()?;
    let mut below = &matches;
    while let Some((_, next)) = below.subcommand() {
        below = next;
    }
    let names_server = known.get_positionals().any(|arg| {
        let named = below.get_raw(arg.get_id().as_str());
        named.is_some_and(|mut all| all.any(|it| it == suspect))
    });
    let word = suspect.to_string_lossy();
    let hint = stray_hint(words, &word).filter(|_| names_server)?;
    Some(Error::usage(cut(format!("unexpected argument '{word}' found"))).hint(hint))
}

/// What a flag cannot be, where `word` is a number below zero that follows it.
fn negative(command: &Command, words: &[OsString], word: &str) -> Option<String> {
    word.strip_prefix('-')?.parse::<f64>().ok()?;
    // clap names the whole word, or its first letter alone.
    let follows = |pair: &&[OsString]| {
        let next = pair[1].to_string_lossy();
        next == word || (next.starts_with(word) && next[1..].parse::<f64>().is_ok())
    };
    let before = words.windows(2).rev().find(follows)?[0].to_str()?;
    let flag = slips::flag(command, before)?;
    // As of `mqtt sub -C`.
    let ends = flag.get_help().map(ToString::to_string);
    Some(
        match ends.is_some_and(|it| it.starts_with("End after this many")) {
            true => format!("{before} must be at least 1; without it there is no limit"),
            false => format!("{before} must not be negative"),
        },
    )
}

/// How to write the value that `word` was probably meant to belong to.
fn stray_hint(words: &[OsString], word: &str) -> Option<String> {
    let at = words.iter().rposition(|it| *it == *word)?;
    let before = words.get(at.checked_sub(1)?)?.to_string_lossy();
    if WITH_EQUALS.contains(&&*before) {
        return Some(cut(format!("write {before}={word}")));
    }
    if before.parse::<f64>().is_ok() && UNITS.contains(&word) {
        return Some(format!("write {before}{word}, without a space"));
    }
    let is_bench = words.iter().skip(1).take(2).eq(["bench", "mqtt"]);
    if is_bench && before == "-c" && word.parse::<u32>().is_ok() {
        return Some(format!("-c takes no value; use --publishers {word}"));
    }
    let is_ping = words.iter().skip(1).take(2).eq(["mqtt", "ping"]);
    if is_ping && before == "-c" && word.parse::<u32>().is_ok() {
        return Some(format!("use -C {word}"));
    }
    let flag = words.get(at.checked_sub(2)?)?.to_str()?;
    let is_text = TEXTS.contains(&flag) && !word.starts_with(['-', '/']);
    is_text.then(|| {
        cut(format!(
            "quote a text of several words: {flag} '{before} {word}'"
        ))
    })
}

/// The error for a command that does not exist below `known`, whose words are `path`.
pub(super) fn unknown(word: &str, known: &Command, path: &str) -> Error {
    let whole = format!("{path} {word}");
    let error = Error::usage(format!("there is no command {:?}", whole.trim_start()));
    let (below, names) = (
        || known.get_subcommands(),
        known.get_subcommands().map(Command::get_name),
    );
    // As the methods of CoAP are written elsewhere.
    let lower = word.to_lowercase();
    let mut found: Vec<String> = match word {
        "help" => vec![format!("help {path}")],
        _ => meant(&lower, names)
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
        // No URL has blanks in it; an expression of jq may have an @.
        if !word.contains('@') || word.contains(char::is_whitespace) {
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

/// A long list at its end; a long word in the middle, as what is wrong with it is said behind it.
fn cut(line: String) -> String {
    let letters: Vec<char> = line.chars().collect();
    if letters.len() <= LONGEST {
        return line;
    }
    if line
        .split(' ')
        .all(|word| word.chars().count() <= LONGEST_OF_LIST)
    {
        let head: String = letters[..LONGEST].iter().collect();
        let end = head.rfind(' ').unwrap_or(head.len());
        return format!("{} …", head[..end].trim_end());
    }
    let (head, tail) = (&letters[..LONGEST - END], &letters[letters.len() - END..]);
    head.iter().chain(['…'].iter()).chain(tail).collect()
}

#[cfg(test)]
mod tests;
