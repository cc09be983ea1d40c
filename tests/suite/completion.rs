//! Completions as bash, zsh and fish show them, without a terminal.

use std::path::Path;

use tempfile::TempDir;

use crate::support::command::program;

const CONTEXTS: &str = "[contexts.production]\nhost = \"h\"\n[contexts.preview]\nhost = \"h\"\n\
    [contexts.\"my lab\"]\nhost = \"h\"\n";

/// A configuration file with two contexts, in a folder with a file of its own.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("config.toml"), CONTEXTS).unwrap();
    std::fs::write(folder.path().join("one.pem"), "").unwrap();
    std::fs::write(folder.path().join("two words.key"), "").unwrap();
    folder
}

/// What `shell` says to `script`, which the completions of the program are sourced into.
fn said(shell: &str, words: &str, folder: &Path, script: &str) -> String {
    let built = Path::new(env!("CARGO_BIN_EXE_iotctl")).parent().unwrap();
    let path = format!("{}:{}", built.display(), std::env::var("PATH").unwrap());
    let ended = program(shell, words)
        .env("PATH", path)
        .env("HOME", folder)
        // fish makes a folder of its own there.
        .env("XDG_CONFIG_HOME", folder)
        .env("IOTCTL_CONFIG", folder.join("config.toml"))
        .word("-c")
        .word(format!("cd '{}'\n{script}\ntrue", folder.display()))
        .run()
        .exits(0);
    String::from_utf8(ended.stdout).unwrap()
}

/// Each shell's own way to complete a line and print what it would offer, one a line and sorted.
fn offered(shell: &str, line: &str) -> Vec<String> {
    let folder = folder();
    let words: Vec<&str> = line.split(' ').collect();
    let text = match shell {
        "bash" => {
            let script = format!(
                "eval \"$(iotctl completions bash)\"\nCOMP_LINE='{}' COMP_POINT={}\n_iotctl\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
                line.replace('\'', "'\\''"),
                line.len()
            );
            said("bash", "--norc --noprofile", folder.path(), &script)
        }
        "zsh" => {
            // The widgets work at a prompt only: what they would be told is printed.
            let script = format!(
                "compdef() {{ : }}\ncompset() {{ : }}\n_files() {{ print -l *.pem }}\n\
                 compadd() {{ print -l -- $names }}\neval \"$(iotctl completions zsh)\"\n\
                 words=({}) CURRENT={} PREFIX='{}'\n_iotctl",
                words
                    .iter()
                    .map(|word| format!("\"{word}\""))
                    .collect::<Vec<_>>()
                    .join(" "),
                words.len(),
                words.last().unwrap()
            );
            said("zsh", "-f", folder.path(), &script)
        }
        shell => {
            let script = format!(
                "iotctl completions fish | source\ncomplete -C \"{line}\" | string split -f1 \\t"
            );
            said(shell, "--no-config", folder.path(), &script)
        }
    };
    let mut found: Vec<String> = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    found.sort();
    found
}

#[test]
fn every_shell_offers_what_the_program_knows() {
    for shell in ["bash", "zsh", "fish"] {
        for (line, expected) in [
            ("iotctl mqtt p", &["ping", "probe", "pub"][..]),
            ("iotctl amqp declare q", &["queue"]),
            ("iotctl mqtt pub --reta", &["--retain"]),
            ("iotctl mqtt sub -q ", &["0", "1", "2"]),
            ("iotctl mqtt sub --color n", &["never"]),
            ("iotctl mqtt sub --context pr", &["preview", "production"]),
            ("iotctl bench mqtt --assert p99", &["p99", "p99.9"]),
            ("iotctl mqtt broker --fault drop-p", &["drop-publish"]),
            ("iotctl mqtt sub --cafile o", &["one.pem"]),
            ("iotctl simulate --scenario h", &["home"]),
            ("iotctl man mqtt p", &["ping", "probe", "pub"]),
            ("iotctl help amqp declare q", &["queue"]),
            ("iotctl mqtt sub -t ", &[]),
        ] {
            assert_eq!(offered(shell, line), expected, "{shell}: {line}");
        }
    }
}

#[test]
fn bash_is_told_what_follows_its_own_word_breaks() {
    assert_eq!(offered("bash", "iotctl mqtt sub --qos="), ["0", "1", "2"]);
    assert_eq!(
        offered("bash", "iotctl mqtt sub --context=prod"),
        ["production"]
    );
    assert_eq!(
        offered("bash", "iotctl bench mqtt --assert 'p99."),
        ["p99.9"]
    );
    assert_eq!(offered("fish", "iotctl mqtt sub --qos=1"), ["--qos=1"]);
}

#[test]
fn the_path_of_a_flag_with_an_equals_sign_is_completed() {
    let line = "iotctl mqtt sub --cafile=o";
    assert_eq!(offered("bash", line), ["one.pem"]);
    assert_eq!(offered("fish", line), ["--cafile=one.pem"]);
}

#[test]
fn names_with_spaces_are_completed_as_one_word() {
    for (line, offer) in [
        (r"iotctl mqtt sub --context m", r"my\ lab"),
        (r"iotctl mqtt sub --context my\ l", r"my\ lab"),
        (r#"iotctl mqtt sub --context "my l"#, "my lab"),
        ("iotctl mqtt sub --context 'my l", "my lab"),
        // The shell puts backslashes into the names of files by itself.
        (r"iotctl mqtt sub --cafile two\ w", "two words.key"),
        ("iotctl mqtt sub --cafile 'two w", "two words.key"),
        (r"iotctl mqtt sub --cafile two\ words.key --qos ", "0"),
    ] {
        let offers = offered("bash", line);
        assert_eq!(offers.first().map(String::as_str), Some(offer), "{line}");
    }
    assert_eq!(offered("fish", "iotctl mqtt sub --context m"), ["my lab"]);
    assert_eq!(
        offered("fish", r"iotctl mqtt sub --cafile two\\ w"),
        ["two words.key"]
    );
}
