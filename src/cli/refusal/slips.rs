//! Words at a place that is not theirs, and what was probably meant.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use super::{command, cut, said, spoken};
use crate::error::Error;

/// Commands whose first word could hardly be called help.
const PROTOCOLS: [&str; 3] = ["mqtt", "coap", "bench"];

/// What to write instead of a word that clap refuses.
pub(super) fn hint(
    answer: &clap::Error,
    (known, path): (&Command, &str),
    words: &[OsString],
) -> Option<String> {
    let word = said(answer, ContextKind::InvalidArg)?;
    match answer.kind() {
        ErrorKind::UnknownArgument if path.is_empty() => before_the_command(words, &word),
        ErrorKind::UnknownArgument if !word.starts_with('-') => {
            value_of_none(known, words, &word).or_else(|| positional(path).map(str::to_owned))
        }
        ErrorKind::TooManyValues => alone(known, &word, &said(answer, ContextKind::InvalidValue)?),
        _ => None,
    }
}

/// `iotctl --context prod mqtt pub`: flags belong to a command.
fn before_the_command(words: &[OsString], flag: &str) -> Option<String> {
    let root = crate::cli::command();
    let at = words
        .iter()
        .skip(1)
        .position(|word| root.find_subcommand(word).is_some())?;
    // The name of the program is passed over.
    let (_, path) = command(&root, &words[at..]);
    flag.starts_with('-').then(|| {
        cut(format!(
            "write it after the command: {} {flag}",
            spoken(&path)
        ))
    })
}

/// `--retain yes`, where `--retain` takes no value.
fn value_of_none(known: &Command, words: &[OsString], word: &str) -> Option<String> {
    let at = words.iter().rposition(|it| *it == *word)?;
    let before = words.get(at.checked_sub(1)?)?.to_str()?;
    let flag = flag(known, before)?;
    if flag.get_action().takes_values() {
        return None;
    }
    Some(format!("{before} takes no value"))
}

/// The flag of this name.
pub(super) fn flag<'a>(known: &'a Command, name: &str) -> Option<&'a Arg> {
    known.get_arguments().find(|it| {
        let longs = it.get_all_aliases().unwrap_or_default().into_iter();
        let mut longs = longs.chain(it.get_long());
        match name.strip_prefix("--") {
            Some(name) => longs.any(|it| it == name),
            None => name
                .strip_prefix('-')
                .is_some_and(|letter| it.get_short().is_some_and(|it| it.to_string() == letter)),
        }
    })
}

/// What is given by a flag that others take as an argument.
fn positional(path: &str) -> Option<&'static str> {
    match path {
        "mqtt pub" | "mqtt request" => Some("a topic goes with -t, a message with -m"),
        "amqp publish" => {
            Some("a routing key goes with -k, an exchange with -e, a message with -m")
        }
        _ if path.starts_with("mqtt ") || path == "bench mqtt" => Some("a topic goes with -t"),
        _ => None,
    }
}

/// `--durable=false`: there is no value to a flag that is given or not.
fn alone(known: &Command, flag: &str, value: &str) -> Option<String> {
    let name = flag.split([' ', '=']).next()?;
    let has = |name: &str| known.get_arguments().any(|it| it.get_long() == Some(name));
    match value {
        "false" if name == "--durable" && has("transient") => Some(String::from("use --transient")),
        "false" | "no" | "off" | "0" => Some(format!("leave {name} out")),
        "true" | "yes" | "on" | "1" => Some(format!("write {name} without a value")),
        _ => None,
    }
}

/// The refusal of a word that was taken for the URL of a server beside flags that name it.
pub(super) fn no_url(answer: &clap::Error, path: &str, words: &[OsString]) -> Option<Error> {
    let topic = positional(path).filter(|_| path.contains("mqtt"))?;
    let names_it = |kind| match answer.get(kind) {
        Some(ContextValue::String(word)) => word == "[URL]",
        Some(ContextValue::Strings(words)) => words.iter().any(|word| word == "[URL]"),
        _ => false,
    };
    let is_url = answer.kind() == ErrorKind::ArgumentConflict
        && (names_it(ContextKind::InvalidArg) || names_it(ContextKind::PriorArg));
    if !is_url {
        return None;
    }
    let root = crate::cli::command().ignore_errors(true);
    let matches = root.try_get_matches_from(words).ok()?;
    let mut below = &matches;
    while let Some((_, next)) = below.subcommand() {
        below = next;
    }
    let word = below.try_get_raw("url").ok()??.next()?.to_string_lossy();
    let looks_like_one = word.contains("://") || word.starts_with("unix:");
    (!looks_like_one).then(|| Error::usage(cut(format!("{word:?} is not a URL"))).hint(topic))
}

/// The help of a command that was asked for in another order: `mqtt help pub`, `mqtt pub help`.
pub(in crate::cli) fn help(words: &[OsString]) -> Option<Error> {
    let at = words.iter().position(|word| word == "help")?;
    let first = words.get(1)?.to_str()?;
    // `mqtt help` is a command that there is not.
    if at < 2 || words.len() < 4 || words.len() > at + 2 || !PROTOCOLS.contains(&first) {
        return None;
    }
    let mut path = words[1..at].to_vec();
    path.extend_from_slice(&words[at + 1..]);
    let root = crate::cli::command();
    let (_, known) = command(&root, &[&words[..1], &path].concat());
    let is_whole = known.split(' ').count() == path.len();
    is_whole.then(|| {
        let page = spoken(&format!("help {known}"));
        Error::usage("unexpected argument 'help' found").hint(format!("did you mean `{page}`?"))
    })
}
