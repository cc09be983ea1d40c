//! The examples of the README and of the pages in docs/ print what the pages say.
//!
//! A block marked `console` is run by `sh`: lines after `$ ` are commands, those after `> ` continue them, the others are what
//! is to appear, where `…` stands for any text and a line of its own `…` for any lines. `IOTCTL_URL` is that of a server of its
//! own: the embedded MQTT broker, or with a second word `coap` the embedded CoAP server, with `amqp` RabbitMQ, with `mosquitto`
//! mosquitto, which its clients find, too; `alone` has none. Other words are programs that are not ours and must be installed.
//! The blocks of a page share a directory, as they do for who follows the page.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use iotctl::cli;
use iotctl::error::Kind;

use crate::support::command::iotctl;
use crate::support::mosquitto::mosquitto;
use crate::support::rabbitmq::rabbitmq;
use crate::support::{self, PATIENCE};

/// A test for each page, and the list of them.
macro_rules! pages {
    ($($name:ident: $path:literal,)*) => {
        const PAGES: &[&str] = &[$($path),*];
        $(
            #[test]
            fn $name() {
                check_page($path);
            }
        )*
    };
}

pages! {
    examples_of_the_readme: "README.md",
    examples_of_mqtt: "docs/mqtt.md",
    examples_of_coap: "docs/coap.md",
    examples_of_amqp: "docs/amqp.md",
    examples_of_bench: "docs/bench.md",
    examples_of_scripting: "docs/scripting.md",
    examples_of_ci: "docs/ci.md",
    examples_of_contexts: "docs/contexts.md",
    examples_of_tls: "docs/tls.md",
    examples_of_data: "docs/data.md",
    examples_of_bridge: "docs/bridge.md",
    examples_of_watch: "docs/watch.md",
    examples_of_route: "docs/route.md",
    examples_of_simulate: "docs/simulate.md",
    examples_of_log: "docs/log.md",
    examples_of_alert: "docs/alert.md",
    examples_of_ota: "docs/ota.md",
    examples_of_replay: "docs/replay.md",
    examples_of_from_mosquitto: "docs/from-mosquitto.md",
    examples_of_from_mqttx: "docs/from-mqttx.md",
    examples_of_from_libcoap: "docs/from-libcoap.md",
    examples_of_from_amqp_tools: "docs/from-amqp-tools.md",
    examples_of_from_emqtt_bench: "docs/from-emqtt-bench.md",
}

#[test]
fn every_page_with_examples_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = fs::read_dir(root.join("docs")).unwrap();
    let names = pages.map(|page| page.unwrap().file_name().into_string().unwrap());
    for name in names.filter(|name| name.ends_with(".md")) {
        let path = format!("docs/{name}");
        let tested = PAGES.contains(&path.as_str());
        let examples = read(&path).contains("\n```console");
        assert!(tested || !examples, "{path} is not in the list of pages");
    }
}

/// The recipes for CI are no examples that run here, but their load tests are commands that could.
#[test]
fn the_load_tests_of_the_recipes_are_commands() {
    let page = read("docs/ci.md");
    let mut found = 0;
    for (_, recipe) in blocks(&page).iter().filter(|(mark, _)| *mark == "yaml") {
        let lines = recipe.replace("\n        --", " --");
        let loads = lines.lines().filter_map(|line| {
            let line = line.trim();
            let action = line
                .strip_prefix("load: ")
                .filter(|load| load.starts_with('-'));
            let script = line.split_once("iotctl bench mqtt mqtt://mosquitto ");
            action.or_else(|| script.map(|(_, words)| words))
        });
        for load in loads {
            found += 1;
            let script = format!("iotctl bench mqtt mqtt://127.0.0.1:1 {load}");
            let folder = tempfile::tempdir().unwrap();
            let output = shell(folder.path(), &script).output().unwrap();
            assert_eq!(output.status.code(), Some(3), "{script}: {output:?}");
        }
    }
    assert_eq!(found, 2);
}

/// A shell that finds `iotctl`, knows no contexts, and works in this directory.
fn shell(directory: &Path, script: &str) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_iotctl"));
    let others = std::env::var("PATH").unwrap();
    let path = format!("{}:{others}", program.parent().unwrap().display());
    // What a script leaves in the background would keep its output open for ever.
    let mut shell = Command::new("timeout");
    shell
        .arg(PATIENCE.as_secs().to_string())
        .args(["sh", "-c", script])
        .current_dir(directory)
        .env_clear();
    shell
        .env("PATH", path)
        .env("HOME", directory)
        .stdin(Stdio::null());
    shell
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The marks and the texts of the blocks of a page.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let pieces = page.split("\n```").skip(1).step_by(2);
    pieces.filter_map(|piece| piece.split_once('\n')).collect()
}

/// The blocks of the README that are marked as `language`.
fn readme_blocks(language: &str) -> Vec<String> {
    let readme = read("README.md");
    let blocks = blocks(&readme).into_iter();
    let wanted = blocks.filter(|(mark, _)| *mark == language);
    wanted.map(|(_, text)| text.to_owned()).collect()
}

#[track_caller]
fn check_page(path: &str) {
    let page = read(path);
    let directory = tempfile::tempdir().unwrap();
    let mut examples = 0;
    for (mark, example) in blocks(&page) {
        let mut words = mark.split(' ');
        if words.next() != Some("console") {
            continue;
        }
        examples += 1;
        let servers = ["alone", "amqp", "coap", "mosquitto"];
        let check = |url: &str| check(path, example, directory.path(), url);
        let server = words.clone().find(|word| servers.contains(word));
        words
            .filter(|word| !servers.contains(word))
            .for_each(installed);
        match server {
            Some("alone") => check(""),
            Some("amqp") => check(&rabbitmq().url()),
            Some("mosquitto") => {
                let mosquitto = mosquitto();
                tell_clients(directory.path(), mosquitto.port);
                check(&format!("mqtt://127.0.0.1:{}", mosquitto.port));
            }
            Some(_) => with_ours("coap server", check),
            None => with_ours("mqtt broker", check),
        }
    }
    assert!(examples > 0, "{path}: the examples were not found");
}

/// Hands on the URL of an embedded server, which runs meanwhile.
#[track_caller]
fn with_ours(server: &str, check: impl FnOnce(&str)) {
    let mut server = iotctl(&format!("{server} --listen 127.0.0.1:0")).start();
    check(&server.line());
    server.signal("TERM");
    server.ends().exits(0);
}

/// Lets mosquitto's clients find the broker by their configuration files in this home.
fn tell_clients(home: &Path, port: u16) {
    let folder = home.join(".config");
    fs::create_dir_all(&folder).unwrap();
    for client in ["mosquitto_pub", "mosquitto_sub", "mosquitto_rr"] {
        fs::write(folder.join(client), format!("-h 127.0.0.1\n-p {port}\n")).unwrap();
    }
}

/// Checks that a program that an example needs is there.
#[track_caller]
fn installed(program: &str) {
    let found = std::env::var("PATH").unwrap();
    assert!(
        found
            .split(':')
            .any(|folder| Path::new(folder).join(program).exists()),
        "{program} is not installed: tests/run installs what the tests need"
    );
}

/// Runs the commands of an example in one shell and compares what they print.
#[track_caller]
fn check(page: &str, example: &str, directory: &Path, url: &str) {
    let mut script = String::new();
    let mut expected = Vec::new();
    let mut in_command = false;
    for line in example.lines() {
        let mark = if in_command { ["$ ", "> "] } else { ["$ "; 2] };
        let line = if line == ">" { "> " } else { line };
        let command = mark.iter().find_map(|mark| line.strip_prefix(mark));
        match command {
            Some(command) => script += &format!("{command}\n"),
            None => expected.push(line),
        }
        in_command = command.is_some();
    }
    let mut shell = shell(directory, &script);
    let ended = shell.env("IOTCTL_URL", url).output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    let stdout = String::from_utf8(ended.stdout).unwrap();
    let printed: Vec<_> = stdout.lines().collect();
    assert!(
        lines_match(&expected, &printed) && stderr.is_empty(),
        "{page}:\n{example}\nprinted:\n{stdout}\nstderr: {stderr}"
    );
}

/// Whether the lines are those expected, in which a line of `…` stands for any lines.
fn lines_match(expected: &[&str], lines: &[&str]) -> bool {
    match expected {
        [] => lines.is_empty(),
        ["…", rest @ ..] => (0..=lines.len()).any(|skipped| lines_match(rest, &lines[skipped..])),
        [first, rest @ ..] => match lines {
            [line, others @ ..] => line_matches(first, line) && lines_match(rest, others),
            [] => false,
        },
    }
}

/// Whether a line is the one expected, in which `…` stands for any text.
fn line_matches(expected: &str, line: &str) -> bool {
    let Some((start, rest)) = expected.split_once('…') else {
        return expected == line;
    };
    let Some(line) = line.strip_prefix(start) else {
        return false;
    };
    let mut ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
    ends.any(|at| line_matches(rest, &line[at..]))
}

#[test]
fn an_ellipsis_stands_for_any_text_and_any_lines() {
    assert!(lines_match(
        &["a … c", "…", "z"],
        &["a bb c", "x", "y", "z"]
    ));
    assert!(lines_match(&["…"], &[]));
    assert!(!lines_match(&["a … c"], &["a bb d"]));
    assert!(!lines_match(&["a"], &["a", "b"]));
}

#[test]
fn links_lead_to_files_and_headings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let others = ["CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md"];
    for path in PAGES.iter().copied().chain(others) {
        let folder = Path::new(path).parent().unwrap();
        let text = read(path);
        let targets = text.split("](").skip(1);
        for target in targets.map(|rest| rest.split(')').next().unwrap()) {
            if target.starts_with("http") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let there = match file {
                "" => root.join(path),
                _ => root.join(folder).join(file),
            };
            assert!(there.exists(), "{path}: nothing is at {target}");
            let known = heading.is_empty()
                || headings(&fs::read_to_string(&there).unwrap()).any(|known| known == heading);
            assert!(known, "{path}: no heading is at {target}");
        }
    }
}

/// The names by which the headings of a page can be linked to.
fn headings(page: &str) -> impl Iterator<Item = String> {
    let lines = page.lines().filter(|line| line.starts_with('#'));
    lines.map(|line| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let plain = words
            .chars()
            .filter(|c| c.is_alphanumeric() || " -".contains(*c));
        plain.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

#[test]
fn every_flag_of_the_programs_that_are_replaced_is_on_their_page() {
    for (program, page) in [
        ("mosquitto_pub --help", "docs/from-mosquitto.md"),
        ("mosquitto_sub --help", "docs/from-mosquitto.md"),
        ("coap-client-notls", "docs/from-libcoap.md"),
        ("amqp-publish --help", "docs/from-amqp-tools.md"),
        ("amqp-consume --help", "docs/from-amqp-tools.md"),
        ("amqp-get --help", "docs/from-amqp-tools.md"),
        ("amqp-declare-queue --help", "docs/from-amqp-tools.md"),
        ("amqp-delete-queue --help", "docs/from-amqp-tools.md"),
    ] {
        let text = read(page);
        let (name, words) = program.split_once(' ').unwrap_or((program, ""));
        let help = support::command::program(name, words).run();
        let flags = flags(&(help.stderr.clone() + help.text()));
        assert!(flags.len() > 3, "{program} shows no flags");
        for flag in flags {
            let there = text.match_indices(&flag).any(|(at, _)| {
                let behind = text[at + flag.len()..].chars().next();
                text[..at].ends_with('`') && matches!(behind, Some('`' | ' '))
            });
            assert!(there, "{page} says nothing about {flag} of {name}");
        }
    }
}

#[test]
fn flags_on_the_pages_for_newcomers_are_what_they_say() {
    let newcomers = PAGES.iter().filter(|path| path.starts_with("docs/from-"));
    for path in newcomers {
        let mut ours = flags_of(match path.rsplit_once("from-").unwrap().1 {
            "libcoap.md" => "coap",
            "amqp-tools.md" => "amqp",
            "emqtt-bench.md" => "bench",
            _ => "mqtt",
        });
        for (theirs, now) in rows(&read(path)) {
            // The head of a table names the command that its flags are of.
            if let Some(command) = now.strip_prefix("iotctl ") {
                ours = flags_of(command);
                continue;
            }
            if now.starts_with("none") {
                let left = spans(&theirs).filter(|span| span.starts_with("--"));
                for flag in left.filter(|span| !span.contains(' ')) {
                    assert!(!ours.contains(flag), "{path}: {flag} is there: {now}");
                }
                continue;
            }
            for flag in spans(&now).flat_map(|span| span.split(' ')) {
                let name = flag.trim_start_matches('-');
                let is_flag = flag.starts_with('-') && name.starts_with(char::is_alphabetic);
                let known = ours.contains(flag) || name == "help" || name == "version";
                assert!(!is_flag || known, "{path}: there is no {flag}: {now}");
            }
        }
    }
}

#[test]
fn flags_that_are_said_to_be_the_same_are() {
    let page = read("docs/from-mosquitto.md");
    let (_, list) = page.split_once("The same in both").unwrap();
    let (list, _) = list.split_once("\n| ").unwrap();
    let ours = flags_of("mqtt");
    assert!(spans(list).count() > 50);
    for flag in spans(list).filter(|flag| !["--help", "--version"].contains(flag)) {
        assert!(ours.contains(flag), "there is no {flag}");
    }
}

/// The rows of two cells in the tables of a page.
fn rows(page: &str) -> Vec<(String, String)> {
    let lines = page.lines().filter_map(|line| {
        let cells = line.strip_prefix("| ")?.strip_suffix(" |")?;
        let cells = cells.replace("\\|", "¦");
        let (left, right) = cells.split_once(" | ")?;
        (!right.contains(" | ")).then(|| (left.to_owned(), right.to_owned()))
    });
    lines.collect()
}

/// What stands between back quotes.
fn spans(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The flags of a command, and of all below it.
fn flags_of(command: &str) -> HashSet<String> {
    let mut flags = HashSet::new();
    let all = cli::command();
    let found = command.split(' ').fold(&all, |above, name| {
        let below = above.find_subcommand(name);
        below.unwrap_or_else(|| panic!("there is no iotctl {command}"))
    });
    collect(found, &mut flags);
    flags
}

fn collect(command: &clap::Command, flags: &mut HashSet<String>) {
    for argument in command.get_arguments() {
        let aliases = argument.get_all_aliases().unwrap_or_default();
        let longs = aliases.into_iter().chain(argument.get_long());
        flags.extend(longs.map(|long| format!("--{long}")));
        let aliases = argument.get_all_short_aliases().unwrap_or_default();
        let shorts = aliases.into_iter().chain(argument.get_short());
        flags.extend(shorts.map(|short| format!("-{short}")));
    }
    for below in command.get_subcommands() {
        collect(below, flags);
    }
}

/// The flags at the beginning of the lines of a help text: `-q`, `--queue`.
fn flags(help: &str) -> Vec<String> {
    let lines = help.lines().filter(|line| line.starts_with([' ', '\t']));
    let mut flags = Vec::new();
    for line in lines.map(str::trim) {
        let words = line.split([' ', '\t']).map_while(|word| {
            let flag = word.trim_end_matches(',').split('=').next()?;
            let name = flag.trim_start_matches('-');
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            (flag.starts_with('-') && plain && !name.is_empty()).then(|| flag.to_owned())
        });
        flags.extend(words);
    }
    flags
}

#[test]
fn the_first_command_shows_the_message_and_nothing_else() {
    let commands = readme_blocks("sh");
    let (build, script) = commands[0].split_once(" && ").unwrap();
    assert_eq!(build, "cargo build --release");
    let directory = tempfile::tempdir().unwrap();
    let ended = shell(directory.path(), script).output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "hello world\n");
    assert_eq!(stderr, "");
}

#[test]
fn the_second_command_runs_the_tests() {
    assert_eq!(readme_blocks("sh")[1], "tests/run");
}

#[test]
fn the_exit_codes_are_the_programs() {
    let page = read("docs/scripting.md");
    for kind in Kind::ALL {
        let row = format!("\n| {} | {} |\n", kind.exit_code(), kind.meaning());
        assert!(page.contains(&row), "the table lacks {row}");
    }
}
