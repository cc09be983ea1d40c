//! What a shell may complete a command line with. The scripts of `iotctl completions` call the program for it, so that
//! they need not hold the flags of every command, and names in the configuration file are known.

use std::ffi::OsString;
use std::fmt::Write;

use clap::{Arg, ArgAction, Command};
use clap_complete::Shell;

use super::{Parsed, generated, help};
use crate::bench::threshold;

/// The hidden command that the scripts call, with the words up to the cursor, the program's name first; the last word may
/// be empty.
pub(super) const NAME: &str = "_complete";

/// What is printed when the shell is to complete the name of a file.
const FILES: &str = ":files\n";

/// The values of flags whose types are read by hand, by the long name.
const WORDS: &[(&str, &[&str])] = &[
    ("arrivals", &["constant", "uniform", "poisson", "devices"]),
    ("auth", &["plain", "amqplain", "external", "anonymous"]),
    ("coalesce", &["never", "adaptive"]),
    ("exchange-type", &["direct", "fanout", "topic", "headers"]),
    ("max-qos", &["0", "1", "2"]),
    ("offset", &["first", "last", "next"]),
    ("protocol-version", &["5", "311", "31"]),
    ("qos", &["0", "1", "2"]),
    ("retain-handling", &["always", "new", "never"]),
    ("retry", &["never", "forever"]),
    ("sub-qos", &["0", "1", "2"]),
    ("tls-version", &["1.2", "1.3"]),
    ("type", &["direct", "fanout", "topic", "headers"]),
    ("will-qos", &["0", "1", "2"]),
];

/// The script of a shell, where it calls the program.
pub(super) const fn script(shell: Shell) -> Option<&'static str> {
    match shell {
        Shell::Bash => Some(include_str!("complete/iotctl.bash")),
        Shell::Zsh => Some(include_str!("complete/iotctl.zsh")),
        Shell::Fish => Some(include_str!("complete/iotctl.fish")),
        _ => None,
    }
}

/// A word and what it is.
type Candidate = (String, String);

/// Where the cursor is.
struct Place<'a> {
    root: &'a Command,
    command: &'a Command,
    /// Its words: `mqtt pub`.
    path: String,
    /// The flag whose value comes next.
    awaits: Option<&'a Arg>,
    /// The arguments without a flag so far.
    arguments: Vec<String>,
    /// Whether all that follows belongs to the command of an `--exec`, or to no flag.
    foreign: bool,
}

/// One candidate a line: the word, a tab, what it is.
pub(super) fn candidates(words: &[OsString]) -> Parsed {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let Some((current, before)) = words.split_last() else {
        return Parsed::Print("".into());
    };
    let current = current.trim_start_matches(['\'', '"']);
    let mut root = super::command();
    root.build();
    let mut place = Place {
        root: &root,
        command: &root,
        path: String::new(),
        awaits: None,
        arguments: Vec::new(),
        foreign: false,
    };
    for word in before.iter().skip(1) {
        place.pass(word);
    }
    let flag = current
        .strip_prefix("--")
        .and_then(|flag| flag.split_once('='));
    let awaits = place.awaits.map(|flag| (flag, current));
    match awaits.or_else(|| Some((place.long(flag?.0)?, flag?.1))) {
        Some((arg, begun)) => place.values(arg, current, begun),
        None if place.foreign => Parsed::Print(FILES.into()),
        None if current.starts_with('-') => listed(place.flags(), current),
        None if place.command.has_subcommands() => listed(below(place.command), current),
        None => match place.argument_next() {
            Some(arg) => place.values(arg, current, current),
            None => Parsed::Print("".into()),
        },
    }
}

fn listed(found: impl IntoIterator<Item = Candidate>, current: &str) -> Parsed {
    let mut text = String::new();
    for (name, what) in found {
        if name.starts_with(current) {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name}\t{what}");
        }
    }
    Parsed::Print(text.into())
}

impl<'a> Place<'a> {
    /// Goes past a word.
    fn pass(&mut self, word: &str) {
        if self.foreign || self.awaits.take().is_some() {
            return;
        }
        let flag = match word.strip_prefix("--") {
            Some("") => return self.foreign = true,
            Some(flag) if flag.contains('=') => return,
            Some(flag) => self.long(flag),
            // The value of a letter may follow it in the same word.
            None if word.starts_with('-') && word.chars().count() == 2 => self.short(word),
            None if word.starts_with('-') => return,
            None => return self.argument(word),
        };
        let flag = flag.filter(|flag| takes_value(flag));
        match flag.filter(|flag| is_unbounded(flag)) {
            Some(_) => self.foreign = true,
            None => self.awaits = flag,
        }
    }

    fn argument(&mut self, word: &str) {
        match self.command.find_subcommand(word) {
            Some(below) => {
                self.command = below;
                self.path = format!("{} {word}", self.path).trim_start().to_owned();
            }
            None => self.arguments.push(word.to_owned()),
        }
    }

    /// The argument without a flag that comes next.
    fn argument_next(&self) -> Option<&'a Arg> {
        let mut all = self.command.get_positionals();
        let last = self.command.get_positionals().last();
        all.nth(self.arguments.len())
            .or_else(|| last.filter(|it| is_unbounded(it)))
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        let named = |arg: &&Arg| {
            let aliases = arg.get_all_aliases().unwrap_or_default();
            arg.get_long() == Some(name) || aliases.contains(&name)
        };
        self.command.get_arguments().find(named)
    }

    fn short(&self, word: &str) -> Option<&'a Arg> {
        let letter = word.chars().nth(1);
        self.command
            .get_arguments()
            .find(|arg| arg.get_short() == letter)
    }

    fn flags(&self) -> Vec<Candidate> {
        let flags = self
            .command
            .get_arguments()
            .filter(|arg| !arg.is_hide_set());
        let flags = flags.filter_map(|arg| {
            Some((
                format!("--{}", arg.get_long()?),
                first_clause(arg.get_help()),
            ))
        });
        flags.collect()
    }

    /// What `arg` may be, for the word `current` of which its value is the part `begun`.
    fn values(&self, arg: &Arg, current: &str, begun: &str) -> Parsed {
        let front = &current[..current.len() - begun.len()];
        let name = arg.get_long().unwrap_or_else(|| arg.get_id().as_str());
        let plain = |names: Vec<String>| {
            names
                .into_iter()
                .map(|name| (name, String::new()))
                .collect()
        };
        let known: Vec<Candidate> = match name {
            "context" => {
                let (front, begun) = (front.to_owned(), begun.to_owned());
                return Parsed::Contexts { front, begun };
            }
            "assert" => plain(threshold::names()),
            "fault" => rows(help::faults(&self.path))
                .into_iter()
                .filter_map(begun_fault)
                .collect(),
            "scenario" if arg.get_possible_values().is_empty() => rows(help::scenarios(&self.path)),
            "filter" | "until" | "expect" if help::fields(&self.path).is_some() => {
                let fields = help::fields(&self.path).into_iter();
                fields.flat_map(|fields| fields.rows()).collect()
            }
            "words" | "page" => self.below(),
            _ => possible(arg, name),
        };
        let is_file = || {
            let names = arg.get_value_names().unwrap_or_default();
            names
                .iter()
                .any(|name| ["FILE", "DIR", "PATH"].contains(&name.as_str()))
        };
        if known.is_empty() && is_file() {
            return Parsed::Print(FILES.into());
        }
        listed(
            known
                .into_iter()
                .map(|(name, what)| (format!("{front}{name}"), what)),
            current,
        )
    }

    /// The pages that `help` and `man` show: their words joined by hyphens, or one after the other.
    fn below(&self) -> Vec<Candidate> {
        if self.arguments.is_empty() {
            let pages = generated::PAGES.iter();
            return pages
                .map(|name| ((*name).to_owned(), String::new()))
                .collect();
        }
        let words = self.arguments.iter().flat_map(|word| word.split('-'));
        let words: Vec<&str> = words.collect();
        let words = words.strip_prefix(&["iotctl"]).unwrap_or(&words);
        let below = generated::find(self.root, words).map(|(command, _)| below(command));
        below.unwrap_or_default()
    }
}

fn rows(rows: Vec<(&str, &str)>) -> Vec<Candidate> {
    rows.into_iter()
        .map(|(name, what)| (name.to_owned(), what.to_owned()))
        .collect()
}

/// `delay:by=DURATION[,way=in]` up to what the user has to say; `None` for keys, which no fault begins with.
fn begun_fault((usage, what): Candidate) -> Option<Candidate> {
    let end = usage.find(|letter: char| letter == '[' || letter.is_uppercase());
    let begun = &usage[..end.unwrap_or(usage.len())];
    let is_key = begun.contains('=') && !begun.contains(':');
    (!is_key).then(|| (begun.to_owned(), what))
}

fn possible(arg: &Arg, name: &str) -> Vec<Candidate> {
    let values = arg.get_possible_values();
    let values = values.iter().filter(|value| !value.is_hide_set());
    let values: Vec<Candidate> = values
        .map(|value| (value.get_name().to_owned(), first_clause(value.get_help())))
        .collect();
    let known = WORDS
        .iter()
        .filter(|(flag, _)| values.is_empty() && *flag == name);
    let words = known.flat_map(|(_, words)| words.iter());
    values
        .iter()
        .cloned()
        .chain(words.map(|word| ((*word).to_owned(), String::new())))
        .collect()
}

/// The commands below another one.
fn below(command: &Command) -> Vec<Candidate> {
    let below = command.get_subcommands();
    below
        .map(|one| (one.get_name().to_owned(), first_clause(one.get_about())))
        .collect()
}

fn is_unbounded(arg: &Arg) -> bool {
    let many = arg.get_num_args();
    many.is_some_and(|many| many.max_values() == usize::MAX)
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// A help text up to its first full clause: the scripts show it beside the word.
fn first_clause(text: Option<&clap::builder::StyledStr>) -> String {
    let text = text.map(ToString::to_string).unwrap_or_default();
    let end = text.find([';', '[']).unwrap_or(text.len());
    text[..end].trim_end().replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(line: &str) -> Vec<String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        match candidates(&words) {
            Parsed::Print(text) => text
                .lines()
                .map(|line| line.split('\t').next().unwrap_or_default().to_owned())
                .collect(),
            Parsed::Contexts { front, begun } => vec![format!("contexts {front:?} {begun:?}")],
            other => panic!("{line} gave {other:?}"),
        }
    }

    #[test]
    fn commands_and_flags() {
        assert_eq!(complete("iotctl m"), ["mqtt", "man"]);
        let commands = [
            "pub", "sub", "request", "respond", "ping", "probe", "sys", "clear", "broker",
        ];
        assert_eq!(complete("iotctl mqtt "), commands);
        assert_eq!(complete("iotctl amqp declare q"), ["queue"]);
        assert_eq!(complete("iotctl mqtt pub --reta"), ["--retain"]);
        assert_eq!(complete("iotctl mqtt pub -t a --retai"), ["--retain"]);
        assert_eq!(complete("iotctl mqtt pub x "), [""; 0]);
        assert_eq!(complete("iotctl help mqtt-su"), ["mqtt-sub"]);
        for page in ["help", "man"] {
            let below = complete(&format!("iotctl {page} mqtt p"));
            assert_eq!(below, ["pub", "ping", "probe"]);
            let below = complete(&format!("iotctl {page} iotctl-amqp declare "));
            assert_eq!(below, ["queue", "exchange"]);
            assert_eq!(complete(&format!("iotctl {page} mqtt pub ")), [""; 0]);
            assert_eq!(complete(&format!("iotctl {page} nosuch ")), [""; 0]);
        }
        assert_eq!(complete("iotctl completions f"), ["fish"]);
    }

    #[test]
    fn values_of_flags() {
        assert_eq!(complete("iotctl mqtt sub -q "), ["0", "1", "2"]);
        assert_eq!(
            complete("iotctl mqtt sub --qos="),
            ["--qos=0", "--qos=1", "--qos=2"]
        );
        assert_eq!(complete("iotctl mqtt sub --color n"), ["never"]);
        assert_eq!(complete("iotctl mqtt sub --cafile "), [":files"]);
        assert_eq!(complete("iotctl mqtt sub -t "), [""; 0]);
        assert_eq!(complete("iotctl mqtt sub --exec "), [":files"]);
        assert_eq!(complete("iotctl mqtt sub --exec cat --o"), [":files"]);
        assert_eq!(
            complete("iotctl bench mqtt --assert 'p99"),
            ["p99", "p99.9"]
        );
        assert_eq!(
            complete("iotctl bench mqtt --scenario fan"),
            ["fan-in", "fan-out"]
        );
        assert_eq!(complete("iotctl simulate --scenario h"), ["home"]);
        assert_eq!(
            complete("iotctl simulate --scenario=b"),
            ["--scenario=building"]
        );
        assert_eq!(complete("iotctl mqtt sub --filter ret"), ["retain"]);
        assert_eq!(
            complete("iotctl mqtt sub --context pr"),
            ["contexts \"\" \"pr\""]
        );
        assert_eq!(
            complete("iotctl mqtt sub --context=pr"),
            ["contexts \"--context=\" \"pr\""]
        );
        let faults = complete("iotctl mqtt broker --fault drop-");
        assert!(faults.contains(&String::from("drop-publish")), "{faults:?}");
        let delay = complete("iotctl coap server --fault dela");
        assert_eq!(delay, ["delay:by="]);
        assert_eq!(complete("iotctl coap server --fault way"), [""; 0]);
    }

    #[test]
    fn every_flag_with_words_exists() {
        let mut missing: Vec<&str> = WORDS.iter().map(|(name, _)| *name).collect();
        let mut open = vec![crate::cli::command()];
        while let Some(command) = open.pop() {
            missing.retain(|name| {
                command
                    .get_arguments()
                    .all(|arg| arg.get_long() != Some(name))
            });
            open.extend(command.get_subcommands().cloned());
        }
        assert!(missing.is_empty(), "{missing:?}");
    }
}
