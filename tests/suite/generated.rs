//! Completions and man pages as they are checked in are what the flags say. `IOTCTL_BLESS=1 cargo test` writes them anew.

use std::path::Path;
use std::{env, fs};

use clap::Command;
use clap_complete::{Generator, Shell};
use iotctl::cli::{self, generated};

use crate::support::command::iotctl;
use crate::support::tmux::Terminal;

#[test]
fn completions_are_what_the_flags_say() {
    for shell in [
        Shell::Bash,
        Shell::Zsh,
        Shell::Fish,
        Shell::Elvish,
        Shell::PowerShell,
    ] {
        let printed = iotctl(&format!("completions {shell}")).run().exits(0);
        compare(
            &format!("completions/{}", shell.file_name("iotctl")),
            &printed.stdout,
        );
    }
}

#[test]
fn man_pages_are_what_the_flags_say() {
    for name in generated::PAGES {
        let printed = iotctl(&format!("man {name}")).run().exits(0);
        let file = format!("iotctl-{name}").replace("iotctl-iotctl", "iotctl");
        compare(&format!("man/{file}.1"), &printed.stdout);
    }
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let count = fs::read_dir(directory).unwrap().count();
    assert_eq!(
        count,
        generated::PAGES.len(),
        "man/ holds pages of commands that are gone"
    );
}

#[test]
fn on_a_terminal_man_shows_the_page() {
    let man = "mkdir bin; printf '#!/bin/sh\\necho man \"$@\"; grep -c ^.TH\\n' > bin/man; chmod +x bin/man";
    let shown = Terminal::run(
        &format!("{man}; PATH=\"$PWD/bin:$PATH\" iotctl man version"),
        "",
        80,
        200,
    );
    assert!(shown.ends_with(0).contains("man -l -\n1\n"));
    // Without that program the source is better than nothing.
    let bare = Terminal::run("PATH=/nonexistent iotctl man version", "", 80, 200);
    assert!(bare.ends_with(0).contains(".TH IOTCTL-VERSION 1"));
}

#[test]
fn every_command_has_its_page() {
    let mut commands = Vec::new();
    collect(&cli::command(), "", &mut commands);
    commands[0] = String::from("iotctl");
    let mut pages = generated::PAGES.to_vec();
    commands.sort();
    pages.sort_unstable();
    assert_eq!(commands, pages);
}

fn collect(command: &Command, name: &str, names: &mut Vec<String>) {
    names.push(name.to_owned());
    for below in command.get_subcommands() {
        let name = format!("{name}-{}", below.get_name());
        collect(below, name.trim_start_matches('-'), names);
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
