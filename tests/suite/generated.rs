//! Completions and man pages are what the flags say. `IOTCTL_BLESS=1 cargo test` writes them anew.

use std::path::Path;
use std::{env, fs};

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use iotctl::cli::{self, help};

#[test]
fn completions_are_what_the_flags_say() {
    for shell in [
        Shell::Bash,
        Shell::Zsh,
        Shell::Fish,
        Shell::Elvish,
        Shell::PowerShell,
    ] {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut cli::command(), "iotctl", &mut text);
        let name = clap_complete::Generator::file_name(&shell, "iotctl");
        compare(&format!("completions/{name}"), &text);
    }
}

#[test]
fn man_pages_are_what_the_flags_say() {
    let mut command = cli::command();
    command.build();
    let mut pages = Vec::new();
    collect(&command, "iotctl", &mut pages);
    for (name, text) in &pages {
        compare(&format!("man/{name}.1"), text);
    }
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let count = fs::read_dir(directory).unwrap().count();
    assert_eq!(
        count,
        pages.len(),
        "man/ holds pages of commands that are gone"
    );
}

fn collect(command: &Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) {
    pages.push((name.to_owned(), page(command, name)));
    for below in command.get_subcommands() {
        collect(below, &format!("{name}-{}", below.get_name()), pages);
    }
}

/// One man page; clap_mangen writes the flags, and what help pages say below the flags becomes sections.
fn page(command: &Command, name: &str) -> Vec<u8> {
    let below = name
        .strip_prefix("iotctl")
        .unwrap_or(name)
        .replace('-', " ");
    let below = below.trim();
    // clap gives subcommands neither version nor a name with hyphens of their own.
    let command = command.clone().display_name(name.to_owned()).after_help("");
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .source(format!("iotctl {}", env!("CARGO_PKG_VERSION")))
        .manual("iotctl manual");
    let mut text = Vec::new();
    man.render_title(&mut text).unwrap();
    man.render_name_section(&mut text).unwrap();
    synopsis(&command).to_writer(&mut text).unwrap();
    man.render_description_section(&mut text).unwrap();
    man.render_options_section(&mut text).unwrap();
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text).unwrap();
    }
    sections(below).to_writer(&mut text).unwrap();
    text
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
    if command == "mqtt sub" {
        list(&mut roff, "FORMAT", help::TEMPLATE.iter().copied());
    }
    if command == "mqtt broker" {
        list(&mut roff, "FAULTS", help::faults());
    }
    if command == "bench mqtt" {
        list(&mut roff, "SCENARIOS", help::scenarios());
        list(&mut roff, "QUANTITIES", help::QUANTITIES.iter().copied());
    }
    if command == "coap server" {
        list(&mut roff, "RESOURCES", help::resource_kinds());
        list(&mut roff, "FAULTS", help::coap_faults());
    }
    if !help::examples(command).is_empty() {
        roff.control("SH", ["EXAMPLES"]);
    }
    for (purpose, words) in help::examples(command) {
        roff.control("TP", []).text([roman(*purpose)]);
        for line in words.lines() {
            roff.text([bold(line)]).control("br", []);
        }
    }
    let codes: Vec<_> = help::exit_codes()
        .map(|(code, meaning)| (code.to_string(), meaning))
        .collect();
    list(
        &mut roff,
        "EXIT STATUS",
        codes.iter().map(|(code, meaning)| (&**code, *meaning)),
    );
    list(&mut roff, "ENVIRONMENT", help::ENVIRONMENT.iter().copied());
    list(&mut roff, "FILES", help::FILES.iter().copied());
    roff
}

fn list<'a>(roff: &mut Roff, title: &str, rows: impl Iterator<Item = (&'a str, &'a str)>) {
    roff.control("SH", [title]);
    for (name, meaning) in rows {
        roff.control("TP", [])
            .text([bold(name)])
            .text([roman(meaning)]);
    }
}

/// Compares a file of the repository with what it should be, or writes it.
fn compare(name: &str, expected: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if env::var_os("IOTCTL_BLESS").is_some() {
        fs::write(path, expected).unwrap();
        return;
    }
    let found = fs::read(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{name} is not what the flags say; write it anew with IOTCTL_BLESS=1 cargo test"
    );
}
