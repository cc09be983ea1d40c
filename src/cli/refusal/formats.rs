//! `-o`, which is a file with some programs and a format with others.

use clap::Command;

/// What an ending of a file's name tells of its contents, and the flag that writes them.
const ENDINGS: [(&str, &str); 2] = [(".html", "html"), (".csv", "csv")];

/// What writes the file that `value` seems to be, where `-o` is a format or unknown; `None`: it is no file, or none is written.
pub(super) fn file(command: &Command, path: &str, value: &str) -> Option<String> {
    let has = |name: &str| {
        command
            .get_arguments()
            .any(|it| it.get_long() == Some(name))
    };
    if !value.contains(['.', '/']) {
        return None;
    }
    let ending = ENDINGS.iter().find(|(ending, _)| value.ends_with(ending));
    let others = ["save-json", "output-file", "to"].into_iter();
    let mut flags = ending.map(|(_, flag)| *flag).into_iter().chain(others);
    // Elsewhere --to is a server.
    let flag = flags.find(|name| has(name) && (*name != "to" || path == "replay"))?;
    Some(format!("use --{flag} {value}"))
}
