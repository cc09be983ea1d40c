//! The rules of the house, checked on the text of `src/`: arrows point down, one room prints, one room
//! knows clap, panics are explained, functions and files stay small.

mod source;

use std::path::Path;

use source::Source;

/// Each room with its height: an arrow may point to a lower room only, or stay inside its own.
/// `error` lies lowest, as its neighbours need it too.
const ROOMS: [(&str, u8); 23] = [
    ("main", 10),
    ("lib", 9),
    ("cli", 8),
    ("command", 7),
    ("flow", 6),
    ("bench", 6),
    ("store", 5),
    ("mqtt", 4),
    ("coap", 4),
    ("amqp", 4),
    ("output", 4),
    ("device", 4),
    ("board", 3),
    ("server", 3),
    ("firmware", 3),
    ("connect", 2),
    ("payload", 2),
    ("message", 1),
    ("file", 1),
    ("pace", 1),
    ("random", 1),
    ("stop", 1),
    ("error", 0),
];

/// Files outside `output` that name a standard stream, and why they may.
const STREAMS: [(&str, &str); 1] = [(
    "src/payload/standard.rs",
    "asks whether it is open; writes nothing",
)];

/// Functions longer than [`LONGEST_FUNCTION`]: flat tables only.
const TABLES: [&str; 0] = [];

/// In lines, from `fn` to the closing brace.
const LONGEST_FUNCTION: usize = 60;

/// In lines, without tests.
const LONGEST_FILE: usize = 600;

fn height(room: &str) -> Option<u8> {
    ROOMS
        .iter()
        .find(|(name, _)| *name == room)
        .map(|(_, height)| *height)
}

fn sources() -> Vec<Source> {
    let found = source::all(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(found.len() > 20, "src/ was not found");
    found
}

/// Fails with all complaints, one a line, each of them `FILE:LINE: what`.
fn verdict(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn arrows_point_down() {
    verdict(sources().iter().flat_map(arrows).collect());
}

fn arrows(source: &Source) -> Vec<String> {
    let room = source.room();
    let Some(from) = height(room) else {
        return vec![format!("{}: {room} is no room of the house", source.path)];
    };
    let wrong = source.crate_paths().into_iter().filter(|(_, target)| {
        // What is not a room is an item of lib.rs, which lies above all others.
        let to = height(target).unwrap_or(9);
        target != room && to >= from
    });
    let said = |(line, target)| {
        format!(
            "{}:{line}: {room} uses {target}, which does not lie below it",
            source.path
        )
    };
    wrong.map(said).collect()
}

#[test]
fn only_output_writes_to_the_terminal() {
    const WRITERS: [&str; 7] = [
        "println!",
        "eprintln!",
        "print!",
        "eprint!",
        "stdout()",
        "stderr()",
        "/dev/tty",
    ];
    let others = |source: &&Source| {
        source.room() != "output" && STREAMS.iter().all(|(path, _)| *path != source.path)
    };
    verdict(
        sources()
            .iter()
            .filter(others)
            .flat_map(|source| source.mentions(&WRITERS, "only output prints"))
            .collect(),
    );
}

#[test]
fn only_cli_knows_clap() {
    let others = |source: &&Source| source.room() != "cli";
    verdict(
        sources()
            .iter()
            .filter(others)
            .flat_map(|source| source.mentions(&["clap"], "only cli knows clap"))
            .collect(),
    );
}

#[test]
fn a_panic_is_explained() {
    const PANICS: [&str; 4] = [".unwrap()", ".expect(\"", "unreachable!", "panic!"];
    let complaints = sources().into_iter().flat_map(|source| {
        let found = source.lines_with(&PANICS).into_iter();
        let bare = found.filter(|line| !source.is_explained(*line));
        bare.map(|line| {
            format!(
                "{}:{line}: may panic, and no comment says why it does not",
                source.path
            )
        })
        .collect::<Vec<_>>()
    });
    verdict(complaints.collect());
}

/// The protocols as pure state machines: bytes and the time go in, bytes and events come out. A test may set any time, and
/// a driver may be of any kind.
const WITHOUT_IO: [&str; 15] = [
    "src/coap/endpoint/",
    "src/coap/oscore/",
    "src/coap/secure/raw/",
    "src/device/",
    "src/firmware/",
    "src/flow/alarm/",
    "src/flow/ledger.rs",
    "src/flow/stages.rs",
    "src/flow/until.rs",
    "src/mqtt/packet/",
    "src/mqtt/session/",
    "src/mqtt/broker/",
    "src/amqp/broker/",
    "src/output/format/",
    "src/message.rs",
];

/// What drives them.
const DRIVERS: [&str; 4] = [
    "src/amqp/broker/drive.rs",
    "src/amqp/broker/link.rs",
    "src/mqtt/broker/drive.rs",
    "src/mqtt/broker/link.rs",
];

#[test]
fn what_is_without_io_has_no_clock_and_no_runtime() {
    const IO: [&str; 6] = [
        "tokio",
        "TcpStream",
        "UdpSocket",
        "std::fs",
        "Instant::now",
        "SystemTime::now",
    ];
    let pure = |source: &&Source| source.is_in(&WITHOUT_IO) && !source.is_in(&DRIVERS);
    verdict(
        sources()
            .iter()
            .filter(pure)
            .flat_map(|source| source.mentions(&IO, "is without I/O; the caller gives the time"))
            .collect(),
    );
}

#[test]
fn no_branch_depends_on_the_words_of_an_error() {
    const BRANCHES: [&str; 7] = [
        ".text() ==",
        ".text() !=",
        ".text().starts_with",
        ".text().ends_with",
        ".text().contains",
        ".to_string().contains",
        ".to_string().starts_with",
    ];
    let rule = "branches on the words of an error; it wants a typed cause";
    verdict(
        sources()
            .iter()
            .flat_map(|source| source.mentions(&BRANCHES, rule))
            .collect(),
    );
}

#[test]
fn functions_stay_small() {
    let complaints = sources().into_iter().flat_map(|source| {
        let long = source.functions().into_iter().filter(|function| {
            function.lines > LONGEST_FUNCTION && !TABLES.contains(&function.name.as_str())
        });
        long.map(|function| {
            format!(
                "{}:{}: fn {} has {} lines",
                source.path, function.line, function.name, function.lines
            )
        })
        .collect::<Vec<_>>()
    });
    verdict(complaints.collect());
}

#[test]
fn most_functions_are_very_small() {
    let mut lengths: Vec<usize> = sources()
        .iter()
        .flat_map(Source::functions)
        .map(|function| function.lines)
        .collect();
    lengths.sort_unstable();
    let (median, ninetieth) = (lengths[lengths.len() / 2], lengths[lengths.len() * 9 / 10]);
    assert!(
        median <= 10,
        "half of all functions have more than {median} lines"
    );
    assert!(
        ninetieth <= 40,
        "one function in ten has more than {ninetieth} lines"
    );
}

#[test]
fn files_stay_small() {
    let long = sources()
        .into_iter()
        .filter(|source| source.lines_without_tests() > LONGEST_FILE);
    verdict(
        long.map(|source| {
            format!(
                "{}: {} lines without tests",
                source.path,
                source.lines_without_tests()
            )
        })
        .collect(),
    );
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent = sources()
        .into_iter()
        .filter(|source| !source.text.starts_with("//!"));
    verdict(
        silent
            .map(|source| format!("{}:1: does not open with //!", source.path))
            .collect(),
    );
}

#[test]
fn an_arrow_that_points_up_is_found_wherever_it_hides() {
    let text = "//! x\nuse crate::{error::{self, Error}, command};\nfn f() -> crate::cli::Parsed {\n    \
                // crate::main is a comment, \"crate::main\" a text\n    g(\"crate::main\")\n}\n\
                use crate::output::{Style, self};\nuse crate::connect;\n";
    let source = Source::new("src/connect/x.rs", text);
    assert_eq!(
        arrows(&source),
        [
            "src/connect/x.rs:2: connect uses command, which does not lie below it",
            "src/connect/x.rs:3: connect uses cli, which does not lie below it",
            "src/connect/x.rs:7: connect uses output, which does not lie below it",
        ]
    );
    assert_eq!(
        arrows(&Source::new(
            "src/output/y.rs",
            "use crate::mqtt::packet;\n"
        ))
        .len(),
        1
    );
    assert_eq!(
        arrows(&Source::new("src/stop.rs", "use crate::error::Kind;\n")).len(),
        0
    );
    let climbing = "use super::super::super::cli;\nuse super::super::tls;\nuse super::stream;\n";
    assert_eq!(
        arrows(&Source::new("src/connect/deep/x.rs", climbing)),
        ["src/connect/deep/x.rs:1: connect uses cli, which does not lie below it"]
    );
}
