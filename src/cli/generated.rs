//! Completions and man pages, made from the flags; a test compares them with the files that are checked in.

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::help;
use super::refusal::unknown;
use crate::bench::report::terms::TERMS;
use crate::error::Result;

/// The man pages: the names of a command, joined by hyphens; a test compares them with the commands.
pub const PAGES: &[&str] = &[
    "iotctl",
    "mqtt",
    "mqtt-pub",
    "mqtt-sub",
    "mqtt-request",
    "mqtt-respond",
    "mqtt-ping",
    "mqtt-probe",
    "mqtt-sys",
    "mqtt-clear",
    "mqtt-broker",
    "coap",
    "coap-get",
    "coap-put",
    "coap-post",
    "coap-delete",
    "coap-fetch",
    "coap-patch",
    "coap-ipatch",
    "coap-observe",
    "coap-discover",
    "coap-rd",
    "coap-rd-register",
    "coap-rd-update",
    "coap-rd-remove",
    "coap-rd-lookup",
    "coap-ping",
    "coap-server",
    "amqp",
    "amqp-publish",
    "amqp-consume",
    "amqp-tap",
    "amqp-get",
    "amqp-request",
    "amqp-respond",
    "amqp-declare",
    "amqp-declare-queue",
    "amqp-declare-exchange",
    "amqp-delete",
    "amqp-delete-queue",
    "amqp-delete-exchange",
    "amqp-bind",
    "amqp-unbind",
    "amqp-apply",
    "amqp-purge",
    "amqp-ping",
    "amqp-broker",
    "alert",
    "bench",
    "bench-mqtt",
    "bench-coap",
    "bench-amqp",
    "bench-run",
    "bench-report",
    "bench-compare",
    "bench-merge",
    "bridge",
    "log",
    "ota",
    "ota-keygen",
    "ota-sign",
    "ota-delta",
    "ota-inspect",
    "ota-verify",
    "ota-agent",
    "ota-serve",
    "ota-publish",
    "ota-rollout",
    "ota-status",
    "replay",
    "watch",
    "route",
    "simulate",
    "help",
    "version",
    "completions",
    "install",
    "man",
];

/// The completions of the whole `command` for a shell, as a script.
pub(super) fn completions(shell: Shell, mut command: Command) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, "iotctl", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The command that `words` name, and its path: `mqtt pub`.
///
/// # Errors
/// There is none; the hint says which was probably meant.
pub(super) fn find<'a>(root: &'a Command, words: &[&str]) -> Result<(&'a Command, String)> {
    let mut below = root;
    let mut path = String::new();
    for word in words {
        below = below
            .find_subcommand(word)
            .ok_or_else(|| unknown(word, below, &path))?;
        path = format!("{path} {word}").trim_start().to_owned();
    }
    Ok((below, path))
}

/// A word of this many bytes may be broken, as the lines around it could not be adjusted otherwise.
const LONG: usize = 40;

/// The page with places in its long words where a line may end (`\:`, groff(7)): behind each `|`.
fn breakable(page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    for word in page.split_inclusive([' ', '\n']) {
        match word.len() < LONG {
            true => text.push_str(word),
            false => text.push_str(&word.replace('|', "|\\:")),
        }
    }
    text
}

/// The man page of the command that `words` name, in roff; joined by hyphens and with `iotctl` in front, too.
///
/// # Errors
/// There is no such command.
pub(super) fn page(words: &[String], mut root: Command) -> Result<String> {
    root.build();
    let words: Vec<&str> = words.iter().flat_map(|word| word.split('-')).collect();
    let words = words.strip_prefix(&["iotctl"]).unwrap_or(&words);
    let (command, path) = find(&root, words)?;
    let mut text = Vec::new();
    write_page(command, &path, &mut text);
    Ok(breakable(&String::from_utf8_lossy(&text)))
}

/// Writes one page; clap_mangen writes the flags, and the text below the flags of a help page becomes sections.
fn write_page(command: &Command, words: &str, text: &mut Vec<u8>) {
    let name = format!("iotctl {words}").trim_end().replace(' ', "-");
    // clap gives subcommands neither version nor a name with hyphens of their own.
    let command = command.clone().display_name(&name).after_help("");
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .source(concat!("iotctl ", env!("CARGO_PKG_VERSION")))
        .manual("iotctl manual");
    let written = man
        .render_title(text)
        .and_then(|()| man.render_name_section(text))
        .and_then(|()| synopsis(&command).to_writer(text))
        .and_then(|()| man.render_description_section(text))
        .and_then(|()| man.render_options_section(text))
        .and_then(|()| match command.has_subcommands() {
            true => man.render_subcommands_section(text),
            false => Ok(()),
        })
        .and_then(|()| sections(words).to_writer(text));
    debug_assert!(written.is_ok(), "writing to memory does not fail");
}

/// The usage line; clap_mangen's own would list every flag.
fn synopsis(command: &Command) -> Roff {
    let usage = command.clone().render_usage().to_string();
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"])
        .text([bold(usage.trim_start_matches("Usage: "))]);
    roff
}

fn sections(command: &str) -> Roff {
    let mut roff = Roff::new();
    match command {
        "bench" => {
            let terms = TERMS.iter().map(|term| (term.name, term.meaning));
            list(&mut roff, "WORDS OF THE REPORT", terms);
        }
        "mqtt sub" => list(&mut roff, "FORMAT", help::TEMPLATE.iter().copied()),
        "bench mqtt" | "bench coap" | "bench amqp" => {
            list(&mut roff, "SCENARIOS", help::scenarios(command).into_iter());
            list(&mut roff, "QUANTITIES", help::QUANTITIES.iter().copied());
        }
        "coap server" => list(&mut roff, "RESOURCES", help::resource_kinds()),
        _ => {}
    }
    if let Some(fields) = help::fields(command) {
        let rows = fields.rows();
        let rows = rows.iter().map(|(name, meaning)| (&**name, &**meaning));
        roff.control("SH", ["FIELDS"])
            .text([roman(help::fields_title(command))]);
        entries(&mut roff, rows);
    }
    if help::has_columns(command) {
        roff.control("SH", ["COLUMNS"])
            .text([roman(help::OTHERS_TITLE)]);
        entries(&mut roff, help::OTHERS.iter().copied());
    }
    let faults = help::faults(command);
    if !faults.is_empty() {
        list(&mut roff, "FAULTS", faults.into_iter());
    }
    examples(command, &mut roff);
    let codes: Vec<_> = help::exit_codes()
        .map(|(code, meaning)| (code.to_string(), meaning))
        .collect();
    let codes = codes.iter().map(|(code, meaning)| (&**code, *meaning));
    list(&mut roff, "EXIT STATUS", codes);
    list(&mut roff, "ENVIRONMENT", help::ENVIRONMENT.iter().copied());
    list(&mut roff, "FILES", help::FILES.iter().copied());
    roff
}

fn examples(command: &str, roff: &mut Roff) {
    if !help::examples(command).is_empty() {
        roff.control("SH", ["EXAMPLES"]);
    }
    for (purpose, words) in help::examples(command) {
        roff.control("TP", []).text([roman(*purpose)]);
        for line in words.lines() {
            roff.text([bold(line)]).control("br", []);
        }
    }
}

fn list<'a>(roff: &mut Roff, title: &str, rows: impl Iterator<Item = (&'a str, &'a str)>) {
    roff.control("SH", [title]);
    entries(roff, rows);
}

fn entries<'a>(roff: &mut Roff, rows: impl Iterator<Item = (&'a str, &'a str)>) {
    for (name, meaning) in rows {
        roff.control("TP", [])
            .text([bold(name)])
            .text([roman(meaning)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_of_a_page_is_too_long_for_a_line() {
        for name in PAGES {
            let page = page(&[String::from(*name)], crate::cli::command()).unwrap();
            for word in page.split([' ', '\n']).flat_map(|word| word.split("\\:")) {
                assert!(word.len() < 70, "{name}: {word}");
            }
        }
    }
}
