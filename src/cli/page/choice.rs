//! Which flags the short page of a command shows.

use clap::{Arg, Command};

use crate::cli::help;

/// The long names of the flags that are used most, in any command; a page shows those that its command has.
pub(super) const COMMON: &[&str] = &[
    "embedded",
    "scenario",
    "publishers",
    "subscribers",
    "producers",
    "consumers",
    "sockets",
    "outstanding",
    "duration",
    "assert",
    "save-json",
    "html",
    "topic",
    "to",
    "value",
    "above",
    "below",
    "topic-out",
    "device",
    "alerts",
    "every",
    "once",
    "web",
    "columns",
    "melt",
    "speed",
    "check",
    "preview",
    "print-config",
    "test",
    "dry-run",
    "slots",
    "trust",
    "vendor",
    "class",
    "manifest",
    "carousel",
    "install",
    "health",
    "pause",
    "abort",
    "routing-key",
    "exchange",
    "message",
    "size",
    "max",
    "rate",
    "file",
    "stdin",
    "lines",
    "qos",
    "retain",
    "declare",
    "echo",
    "persistent",
    "mandatory",
    "ack",
    "queue-type",
    "durable",
    "passive",
    "type",
    "count",
    "timeout",
    "for",
    "exec",
    "filter",
    "until",
    "expect",
    "verbose",
    "output",
    "listen",
    "acl-file",
    "resource",
    "directory",
    "plugtest",
    "fault",
    "host",
    "port",
    "username",
    "password-file",
    "cafile",
    "insecure",
    "psk",
    "psk-identity",
    "accept",
    "content-format",
    "cert",
    "key",
    "bound",
    "partial",
];

/// Flags that mean nothing without another one, which the parser does not know: the beginning of the commands' words, the flag,
/// and what it needs.
pub(super) const NEEDS: &[(&str, &str, &str)] = &[
    ("", "speed", "replay"),
    ("mqtt sys", "every", "watch"),
    ("mqtt sys", "for", "watch"),
    ("coap rd", "for", "keep"),
    ("coap rd", "count", "keep"),
    ("route", "expect", "test"),
    ("amqp consume", "routing-key", "exchange"),
    ("amqp publish", "exchange-type", "declare"),
    ("", "psk", "psk-identity"),
    ("", "cert", "key"),
    ("", "key", "cert"),
];

/// At most so many flags of a command: the required ones, all of them, then those that its examples use, then the common ones. None
/// is there without what it needs.
pub(super) fn chosen<'a>(command: &'a Command, path: &str, most: usize) -> Vec<&'a Arg> {
    let all = command.get_arguments();
    let all: Vec<&Arg> = all
        .filter(|arg| !arg.is_positional() && !arg.is_hide_set())
        .collect();
    let required = all.iter().filter(|arg| arg.is_required_set());
    let mut chosen: Vec<&Arg> = required.copied().collect();
    let examples = help::examples(path).iter();
    for arg in examples.flat_map(|(_, text)| used(command, path, text)) {
        let group = with_needed(arg, path, &all, &chosen);
        if chosen.len() + group.len() <= most {
            chosen.extend(group);
        }
    }
    let named = |name: &&str| all.iter().find(|arg| arg.get_long() == Some(name));
    for arg in COMMON.iter().filter_map(named) {
        let group = with_needed(arg, path, &all, &chosen);
        let is_common = |arg: &&Arg| arg.get_long().is_some_and(|it| COMMON.contains(&it));
        if chosen.len() + group.len() <= most && group.iter().all(is_common) {
            chosen.extend(group);
        }
    }
    chosen
}

/// The flag and what it needs, without those that are there.
fn with_needed<'a>(arg: &'a Arg, path: &str, all: &[&'a Arg], there: &[&'a Arg]) -> Vec<&'a Arg> {
    let mut group = vec![arg];
    let mut at = 0;
    while let Some(long) = group.get(at).map(|arg| arg.get_long().unwrap_or_default()) {
        let needs = NEEDS
            .iter()
            .filter(|(commands, flag, _)| path.starts_with(commands) && *flag == long);
        for (.., needed) in needs {
            let found = all.iter().find(|arg| arg.get_long() == Some(needed));
            group.extend(found.filter(|arg| !has(&group, arg)).copied());
        }
        at += 1;
    }
    group.retain(|arg| !has(there, arg));
    group
}

fn has(args: &[&Arg], arg: &Arg) -> bool {
    args.iter().any(|it| it.get_id() == arg.get_id())
}

/// The flags of this command that an example uses, in their order.
pub(super) fn used<'a>(command: &'a Command, path: &str, example: &str) -> Vec<&'a Arg> {
    let mut found = Vec::new();
    for words in commands(example) {
        let Some(at) = words.iter().position(|word| word == "iotctl") else {
            continue;
        };
        let mut words = words[at + 1..].iter().map(String::as_str);
        if !path.split(' ').all(|name| words.next() == Some(name)) {
            continue;
        }
        for word in words {
            let named = command.get_arguments().find(|arg| is_called(arg, word));
            found.extend(named.filter(|arg| !arg.is_hide_set()));
            // What follows is of another program.
            if word == "--exec" || word == "--" {
                break;
            }
        }
    }
    found
}

fn is_called(arg: &Arg, word: &str) -> bool {
    match (word.strip_prefix("--"), word.strip_prefix('-')) {
        (Some(name), _) => {
            let name = name.split('=').next();
            let longs = arg.get_long_and_visible_aliases().unwrap_or_default();
            longs.into_iter().any(|long| Some(long) == name)
        }
        (None, Some(letters)) => arg.get_short().is_some_and(|it| letters.starts_with(it)),
        (None, None) => false,
    }
}

/// The commands of a line of the shell, as their words; quoted ones lose their marks.
fn commands(line: &str) -> Vec<Vec<String>> {
    let (mut all, mut words, mut word) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quoted) {
            (mark, Some(open)) if mark == open => quoted = None,
            (letter, Some(_)) => word.push(letter),
            ('\'' | '"', None) => quoted = Some(letter),
            ('\\', None) => word.extend(letters.next().filter(|it| *it != '\n')),
            (letter, None) if letter.is_whitespace() || ";|&(){}".contains(letter) => {
                let ended = std::mem::take(&mut word);
                words.extend(Some(ended).filter(|word| !word.is_empty()));
                if letter == '\n' || !letter.is_whitespace() {
                    all.push(std::mem::take(&mut words));
                }
            }
            (letter, None) => word.push(letter),
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    all.push(words);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_an_example_are_those_of_its_command() {
        let mut root = crate::cli::command();
        root.build();
        let command = root.find_subcommand("mqtt").unwrap();
        let command = command.find_subcommand("sub").unwrap();
        let names = |example: &str| {
            let used = used(command, "mqtt sub", example);
            let names = used.iter().filter_map(|arg| arg.get_long());
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            names(
                "iotctl mqtt sub mqtt://h -t 'a -F b' --output=json -C 1 \\\n  -v | iotctl mqtt pub -r"
            ),
            "topic output count verbose"
        );
        assert_eq!(
            names("iotctl mqtt pub -q 1\niotctl mqtt sub -t a --exec sh -c x &"),
            "topic exec"
        );
        assert_eq!(names("iotctl mqtt"), "");
    }
}
