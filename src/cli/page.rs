//! The short help page, `iotctl help COMMAND`: one screen with the flags that are used most; all of them are on
//! `--help`.

mod choice;

use std::fmt::Write;

use clap::{Arg, Command};

use super::{generated, help};
use crate::error::Result;
use crate::output;

/// Columns of a page where nobody says how wide it may be, and lines of one that wide.
const WIDTH: usize = 80;
const LINES: usize = 30;

/// No page is narrower or wider; `--help` is as wide at most.
const WIDTHS: [usize; 2] = [30, 100];

/// What a text must have room for beside the name of its flag; otherwise it stands below.
const LEAST_TEXT: usize = 20;

/// Most flags that a page shows.
const FLAGS: usize = 15;

/// Fewest flags that it shows, where there are as many.
const LEAST_FLAGS: usize = 4;

/// The short page of the command that `words` name, of the program without any; as wide as the terminal.
///
/// # Errors
/// There is no such command; the hint is the one that was probably meant.
pub(super) fn short(words: &[String], root: Command) -> Result<String> {
    let variable = || std::env::var("COLUMNS").ok()?.parse().ok();
    let width = output::columns().or_else(variable).unwrap_or(WIDTH);
    let [least, most] = WIDTHS;
    of_width(words, root, width.clamp(least, most))
}

fn of_width(words: &[String], mut root: Command, width: usize) -> Result<String> {
    root.build();
    let words: Vec<&str> = words.iter().flat_map(|word| word.split('-')).collect();
    let (command, path) = generated::find(&root, &words)?;
    let mut page = String::new();
    if let Some(about) = command.get_about() {
        page = format!("{}\n\n", gist(&about.to_string(), width));
    }
    let usage = command.clone().render_usage().to_string();
    filled(&mut page, String::new(), usage.trim(), 7, width);
    let full = format!("iotctl {path}").trim_end().to_owned();
    let rest = match command.has_subcommands() {
        true => format!("`iotctl help {path} COMMAND` shows one of them").replace("  ", " "),
        false => {
            format!("`{full} --help` shows all flags, `iotctl man {path}` the man page")
        }
    };
    let mut end = String::from("\n");
    filled(&mut end, String::new(), &rest, 0, width);
    let most = LINES - end.lines().count();
    if command.has_subcommands() {
        commands(command, &path, &mut page, width);
    } else {
        arguments(command, &path, &mut page, [width, most]);
    }
    examples(&path, most, &mut page);
    page.push_str(&end);
    Ok(page)
}

/// One line, cut at the width of the page; lines of examples are never cut.
fn line(page: &mut String, text: &str) {
    page.push_str(text.trim_end());
    page.push('\n');
}

fn commands(command: &Command, path: &str, page: &mut String, width: usize) {
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
        filled(
            page,
            format!("  {:<12} ", below.get_name()),
            &about,
            15,
            width,
        );
    }
}

/// A text after what its row begins with, which goes on in rows with this indent.
fn filled(page: &mut String, begun: String, text: &str, indent: usize, width: usize) {
    let mut row = begun;
    let mut is_empty = true;
    for word in text.split(' ') {
        let gap = usize::from(!is_empty);
        if !is_empty && row.chars().count() + gap + word.chars().count() > width {
            line(page, &row);
            row = " ".repeat(indent);
            is_empty = true;
        }
        if !std::mem::replace(&mut is_empty, false) {
            row.push(' ');
        }
        row.push_str(word);
    }
    line(page, &row);
}

/// Arguments and flags; of these as many as leave room for the first example, on a page of `most` lines.
fn arguments(command: &Command, path: &str, page: &mut String, [width, most]: [usize; 2]) {
    let positional: Vec<&Arg> = command
        .get_positionals()
        .filter(|arg| !arg.is_hide_set())
        .collect();
    let example = help::examples(path).first();
    let example = example.map_or(0, |(_, words)| 3 + words.lines().count());
    // Beside the headings, and the empty lines before them.
    let taken = page.lines().count() + positional.len() + 4 + example;
    let room = most.saturating_sub(taken).max(LEAST_FLAGS);
    let most = room.min(FLAGS - positional.len().min(FLAGS));
    let flags = choice::chosen(command, path, most);
    if !positional.is_empty() {
        page.push_str("\nArguments:\n");
    }
    let widest = positional.iter().chain(&flags).map(|arg| name(arg).len());
    let widest = widest.max().unwrap_or(0).min(34);
    for arg in &positional {
        row(page, arg, widest, width);
    }
    if !flags.is_empty() {
        page.push_str("\nCommon options:\n");
    }
    for arg in &flags {
        row(page, arg, widest, width);
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

fn row(page: &mut String, arg: &Arg, widest: usize, width: usize) {
    let text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let row = format!("  {:<widest$}", name(arg));
    if widest + 4 + LEAST_TEXT > width {
        line(page, &row);
        return line(page, &format!("          {}", gist(&text, width - 10)));
    }
    let room = width.saturating_sub(row.chars().count() + 2);
    line(page, &format!("{row}  {}", gist(&text, room)));
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
        of_width(&words, cli::command(), WIDTH).unwrap()
    }

    /// The command that `words` name.
    fn found(words: &str, root: &Command) -> (Command, String) {
        let words: Vec<&str> = words.split_whitespace().collect();
        let (command, path) = generated::find(root, &words).unwrap();
        (command.clone(), path)
    }

    #[test]
    fn every_page_fits_a_screen() {
        for name in generated::PAGES {
            let name = name.trim_start_matches("iotctl");
            let page = shown(&name.replace('-', " "));
            let lines = page.lines().count();
            assert!(lines <= LINES, "{name} has {lines} lines:\n{page}");
            // Examples are not cut.
            for line in page.lines().take_while(|line| *line != "Examples:") {
                let wide = line.chars().count();
                assert!(wide <= WIDTH, "{name}: {line}");
            }
        }
    }

    #[test]
    fn no_page_is_wider_than_the_terminal() {
        for width in [30, 40, 63, 100] {
            for name in generated::PAGES {
                let words: Vec<String> = name
                    .split('-')
                    .filter(|it| *it != "iotctl")
                    .map(str::to_owned)
                    .collect();
                let page = of_width(&words, cli::command(), width).unwrap();
                let before = page.lines().take_while(|line| *line != "Examples:");
                // Nothing is within the names of flags.
                for line in before.filter(|line| line.trim().contains(' ')) {
                    let is_name = line.trim_start().starts_with('-') && !line.contains(". ");
                    let wide = line.chars().count();
                    assert!(wide <= width || is_name, "{name}, {width}: {line}");
                }
            }
        }
    }

    /// Required flags, and those of the first example, are on every page; those of other examples as long as there is room.
    #[test]
    fn a_page_shows_the_flags_of_its_examples_first() {
        let mut root = cli::command();
        root.build();
        for name in generated::PAGES {
            let words = name
                .split('-')
                .filter(|it| *it != "iotctl")
                .collect::<Vec<_>>()
                .join(" ");
            let (command, path) = found(&words, &root);
            if command.has_subcommands() {
                continue;
            }
            let page = shown(&words);
            let is_shown = |arg: &Arg| {
                page.lines()
                    .any(|line| line.starts_with(&format!("  {}", super::name(arg))))
            };
            let all = || {
                command
                    .get_arguments()
                    .filter(|arg| !arg.is_positional() && !arg.is_hide_set())
            };
            for arg in all().filter(|arg| arg.is_required_set()) {
                assert!(is_shown(arg), "{path}: {arg} is required:\n{page}");
            }
            let examples = help::examples(&path);
            let of_examples: Vec<&Arg> = examples
                .iter()
                .flat_map(|(_, text)| choice::used(&command, &path, text))
                .collect();
            for arg in examples
                .iter()
                .take(1)
                .flat_map(|(_, text)| choice::used(&command, &path, text))
            {
                assert!(
                    is_shown(arg),
                    "{path}: {arg} is in the first example:\n{page}"
                );
            }
            let is_of_example =
                |arg: &Arg| of_examples.iter().any(|it| it.get_id() == arg.get_id());
            if let Some(missing) = of_examples.iter().find(|arg| !is_shown(arg)) {
                let needed = |arg: &Arg| {
                    choice::NEEDS
                        .iter()
                        .any(|(.., it)| arg.get_long() == Some(it))
                };
                let other = all().find(|arg| {
                    is_shown(arg) && !is_of_example(arg) && !arg.is_required_set() && !needed(arg)
                });
                assert!(
                    other.is_none(),
                    "{path}: {} stands there, and not {missing}:\n{page}",
                    other.unwrap()
                );
            }
            // What clap knows of it stands in no public place but this.
            for arg in all().filter(|arg| is_shown(arg)) {
                let told = format!("{arg:?}");
                let (_, told) = told.split_once("requires: [").unwrap();
                let told = told.split(']').next().unwrap();
                let needed = all().filter(|it| told.contains(&format!("\"{}\"", it.get_id())));
                let long = arg.get_long().unwrap_or_default();
                let needs = choice::NEEDS
                    .iter()
                    .filter(|(commands, flag, _)| path.starts_with(commands) && *flag == long);
                let needs =
                    needs.filter_map(|(.., it)| all().find(|arg| arg.get_long() == Some(it)));
                for needed in needed.chain(needs) {
                    assert!(is_shown(needed), "{path}: {arg} needs {needed}:\n{page}");
                }
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
        let mut missing = choice::COMMON.to_vec();
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
