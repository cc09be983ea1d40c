//! The short help page, `iotctl help COMMAND`: one screen with the flags that are used most; all of them are on
//! `--help`.

use std::fmt::Write;

use clap::{Arg, Command};

use super::{generated, help};
use crate::error::Result;

/// Columns and lines of a page.
const WIDTH: usize = 80;
const LINES: usize = 30;

/// The long names of the flags that are used most, in any command; a page shows those that its command has.
const COMMON: &[&str] = &[
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
    "once",
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

/// Most flags that a page shows.
const FLAGS: usize = 15;

/// Fewest flags that it shows, where there are as many.
const LEAST_FLAGS: usize = 4;

/// The short page of the command that `words` name; of the program without any.
///
/// # Errors
/// There is no such command; the hint is the one that was probably meant.
pub(super) fn short(words: &[String], mut root: Command) -> Result<String> {
    root.build();
    let words: Vec<&str> = words.iter().flat_map(|word| word.split('-')).collect();
    let (command, path) = generated::find(&root, &words)?;
    let mut page = String::new();
    if let Some(about) = command.get_about() {
        page = format!("{}\n\n", gist(&about.to_string(), WIDTH));
    }
    let usage = command.clone().render_usage().to_string();
    line(&mut page, usage.trim());
    if command.has_subcommands() {
        commands(command, &path, &mut page);
    } else {
        arguments(command, &path, &mut page);
    }
    let full = format!("iotctl {path}").trim_end().to_owned();
    let rest = match command.has_subcommands() {
        true => format!("`iotctl help {path} COMMAND` shows one of them").replace("  ", " "),
        false => {
            format!("`{full} --help` shows all flags, `iotctl man {path}` the man page")
        }
    };
    examples(&path, LINES - 2, &mut page);
    page.push('\n');
    line(&mut page, &rest);
    Ok(page)
}

/// One line, cut at the width of the page; lines of examples are never cut.
fn line(page: &mut String, text: &str) {
    page.push_str(text.trim_end());
    page.push('\n');
}

fn commands(command: &Command, path: &str, page: &mut String) {
    let below: Vec<_> = command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
        .collect();
    page.push_str("\nCommands:\n");
    for below in below {
        let names: Vec<&str> = below.get_subcommands().map(Command::get_name).collect();
        let about = below.get_about().map(ToString::to_string);
        let about = match path.is_empty() && !names.is_empty() {
            true => names.join(", "),
            false => about.unwrap_or_default(),
        };
        wrapped(page, below.get_name(), &about);
    }
}

/// A name and its text, which goes on below itself.
fn wrapped(page: &mut String, name: &str, text: &str) {
    let mut row = format!("  {name:<12}");
    for word in text.split(' ') {
        if row.chars().count() + word.chars().count() >= WIDTH {
            line(page, &row);
            row = " ".repeat(14);
        }
        row.push(' ');
        row.push_str(word);
    }
    line(page, &row);
}

/// Arguments and common flags; of these as many as leave room for the first example.
fn arguments(command: &Command, path: &str, page: &mut String) {
    let shown = |arg: &&Arg| !arg.is_hide_set();
    let positional: Vec<&Arg> = command.get_positionals().filter(shown).collect();
    let flags = command.get_arguments().filter(|arg| !arg.is_positional());
    let is_common = |arg: &&Arg| arg.get_long().is_some_and(|long| COMMON.contains(&long));
    let mut common: Vec<&Arg> = flags.filter(shown).filter(is_common).collect();
    common.sort_by_key(|arg| COMMON.iter().position(|name| arg.get_long() == Some(name)));
    let example = help::examples(path).first();
    let example = example.map_or(0, |(_, words)| 3 + words.lines().count());
    // Beside the headings, the empty lines before them, and the end of the page.
    let taken = page.lines().count() + positional.len() + 4 + example + 2;
    let room = LINES.saturating_sub(taken).max(LEAST_FLAGS);
    common.truncate(room.min(FLAGS - positional.len().min(FLAGS)));
    if !positional.is_empty() {
        page.push_str("\nArguments:\n");
    }
    let widest = positional.iter().chain(&common).map(|arg| name(arg).len());
    let widest = widest.max().unwrap_or(0).min(34);
    for arg in &positional {
        row(page, arg, widest);
    }
    if !common.is_empty() {
        page.push_str("\nCommon options:\n");
    }
    for arg in &common {
        row(page, arg, widest);
    }
}

/// `-t, --topic <TOPIC>`, `    --html <FILE>`, `[URL]`.
fn name(arg: &Arg) -> String {
    let shown = arg.to_string();
    match (arg.is_positional(), arg.get_short()) {
        (true, _) => shown,
        (false, Some(letter)) => format!("-{letter}, {shown}"),
        (false, None) => format!("    {shown}"),
    }
}

fn row(page: &mut String, arg: &Arg, widest: usize) {
    let text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let mut row = format!("  {:<widest$}", name(arg));
    let room = WIDTH.saturating_sub(row.chars().count() + 2);
    // Writing to a string does not fail.
    let _ = write!(row, "  {}", gist(&text, room));
    line(page, &row);
}

/// The beginning of a help text that fits into `room` columns: whole, or as many clauses or words as fit.
fn gist(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let ends = |at: &usize| {
        let begun = &text[..*at];
        let closed = |open, close| begun.matches(open).count() == begun.matches(close).count();
        begun.chars().count() <= room && closed('[', ']') && closed('(', ')')
    };
    let last = |mark: &&str| {
        text.match_indices(*mark)
            .map(|(at, _)| at)
            .filter(ends)
            .last()
    };
    let clause = ["; ", ": ", " [", " (", ", "].iter().find_map(last);
    if let Some(end) = clause {
        return text[..end].to_owned();
    }
    let end = text.match_indices(' ').map(|(at, _)| at);
    let end = end
        .take_while(|at| text[..*at].chars().count() < room)
        .last();
    format!("{}…", &text[..end.unwrap_or(0)])
}

/// As many examples as fit into the lines that are left, with what follows them.
fn examples(path: &str, most: usize, page: &mut String) {
    let mut left = most.saturating_sub(page.lines().count() + 2);
    let mut begun = false;
    for (purpose, words) in help::examples(path) {
        let size = 1 + words.lines().count();
        if size > left {
            break;
        }
        left -= size;
        if !std::mem::replace(&mut begun, true) {
            page.push_str("\nExamples:\n");
        }
        let words = words.replace('\n', "\n      ");
        // Writing to a string does not fail.
        let _ = writeln!(page, "  {purpose}:\n      {words}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    fn shown(words: &str) -> String {
        let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
        short(&words, cli::command()).unwrap()
    }

    #[test]
    fn every_page_fits_a_screen() {
        for name in generated::PAGES {
            let name = name.trim_start_matches("iotctl");
            let page = shown(&name.replace('-', " "));
            let lines = page.lines().count();
            assert!(lines <= LINES, "{name} has {lines} lines:\n{page}");
            // Examples are not cut, nor is the last line, which has the name of the command twice.
            for line in page.lines().take_while(|line| *line != "Examples:") {
                let wide = line.chars().count();
                assert!(wide <= WIDTH || line.starts_with('`'), "{name}: {line}");
            }
        }
    }

    #[test]
    fn a_page_has_usage_flags_examples_and_the_way_to_the_rest() {
        let page = shown("mqtt pub");
        assert_eq!(page, shown("mqtt-pub"));
        for part in [
            "Usage: iotctl mqtt pub [OPTIONS] [URL]\n",
            "  -t, --topic <TOPIC>",
            "  -m, --message <TEXT>",
            "Examples:\n  Publish one message",
            "`iotctl mqtt pub --help` shows all flags, `iotctl man mqtt pub` the man page\n",
        ] {
            assert!(page.contains(part), "{part:?} is not in\n{page}");
        }
        assert!(page.lines().count() >= 24, "{page}");
        let all = shown("");
        assert!(
            all.contains(
                "  mqtt         pub, sub, request, respond, ping, probe, sys, clear, broker\n"
            ),
            "{all}"
        );
        assert!(all.contains("`iotctl help COMMAND`"), "{all}");
        let error = short(&["mqtt".into(), "sbu".into()], cli::command()).unwrap_err();
        assert_eq!(error.text(), "there is no command \"mqtt sbu\"");
        assert_eq!(error.hint_text(), Some("did you mean `iotctl mqtt sub`?"));
    }

    #[test]
    fn a_text_is_cut_at_a_clause_or_a_word() {
        assert_eq!(gist("Port, 1 to 65535", 20), "Port, 1 to 65535");
        assert_eq!(gist("Password; others see it", 20), "Password");
        assert_eq!(
            gist("Port, 1 to 65535 [default: 1883]", 28),
            "Port, 1 to 65535"
        );
        assert_eq!(gist("The identity of a key", 14), "The identity…");
    }

    #[test]
    fn every_common_flag_exists() {
        let mut missing = COMMON.to_vec();
        let mut open = vec![cli::command()];
        while let Some(command) = open.pop() {
            let has = |name: &str| {
                command
                    .get_arguments()
                    .any(|arg| arg.get_long() == Some(name))
            };
            missing.retain(|name| !has(name));
            open.extend(command.get_subcommands().cloned());
        }
        assert!(missing.is_empty(), "{missing:?}");
    }
}
