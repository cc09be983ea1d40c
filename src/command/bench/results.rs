//! What the commands on results share: reading them, writing a form, and the end that thresholds call for.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::bench::failure::Failure;
use crate::bench::report::json;
use crate::bench::result::{Report, Threshold};
use crate::error::{Error, Kind, Result};
use crate::file;
use crate::file::unreadable;
use crate::output::{Format, Output, Style};
use crate::payload::standard;

/// More bytes than a result has: 300 points of time with eight distributions each are some megabytes.
const LARGEST: u64 = 64 << 20;

/// Reads the result in `path`; `-` is standard input.
///
/// # Errors
/// [`Kind::Local`] when it cannot be read, [`Kind::Usage`] when it is none; both name the file.
pub(crate) fn read(path: &Path) -> Result<Report> {
    let name = name(path);
    let text = if path == Path::new("-") {
        standard_input(&name)?
    } else {
        file::read(path, LARGEST)?
    };
    json::read(&text, &name)
}

/// How messages call the file.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") {
        return String::from("standard input");
    }
    path.display().to_string()
}

fn standard_input(name: &str) -> Result<Vec<u8>> {
    if standard::input_was_closed() {
        return Err(Error::new(Kind::Local, format!("{name} is closed")));
    }
    let mut text = Vec::new();
    io::stdin()
        .take(LARGEST + 1)
        .read_to_end(&mut text)
        .map_err(|cause| unreadable(name, &cause))?;
    if text.len() as u64 > LARGEST {
        let said = format!("cannot read {name}: larger than {LARGEST} bytes");
        return Err(Error::new(Kind::Local, said));
    }
    Ok(text)
}

/// The files that `paths` name: a directory stands for the `.json` files in it, in the order of their names.
///
/// # Errors
/// [`Kind::Local`] for a directory that cannot be read, [`Kind::Usage`] for one without results.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(files_in(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn files_in(directory: &Path) -> Result<Vec<PathBuf>> {
    let shown = directory.display();
    let failed = |cause| unreadable(directory.display(), &cause);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Error::usage(format!("there is no .json file in {shown}")));
    }
    files.sort();
    Ok(files)
}

/// Writes `text`, which ends with a line feed, to standard output; one that is `for_people` with its verdicts in colour.
pub(crate) async fn write(text: &str, for_people: bool, style: Style) -> Result<()> {
    let mut output = Output::open(Format::Raw, style)?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    match for_people {
        true => output.report(text),
        false => output.line(text),
    }
    output.flush().await
}

/// How a result ends a command that has judged it by `thresholds`: a run that has failed whatever was asked of it does not
/// pass. Without thresholds it is only shown.
///
/// # Errors
/// [`Kind::Missed`] for a threshold that was missed; what the run has failed of.
pub(crate) fn judged(report: &Report, thresholds: &[Threshold]) -> Result<()> {
    missed(thresholds).map_or(Ok(()), Err)?;
    match Failure::of(report) {
        Some(failure) if !thresholds.is_empty() => Err(failure.into()),
        _ => Ok(()),
    }
}

/// The failure that missed thresholds end a command with; `None` when all were passed.
pub(crate) fn missed(thresholds: &[Threshold]) -> Option<Error> {
    let missed: Vec<&Threshold> = thresholds.iter().filter(|one| !one.passed).collect();
    let first = missed.first()?;
    let others = match missed.len() - 1 {
        0 => String::new(),
        1 => String::from(", and one more threshold was missed"),
        more => format!(", and {more} more thresholds were missed"),
    };
    // An amount begins with a digit, anything else is a reason.
    let is_amount = first
        .missed_by
        .starts_with(|letter: char| letter.is_ascii_digit());
    let how = if is_amount { " by " } else { ": " };
    let said = format!(
        "missed {}{how}{}{others}",
        first.expression, first.missed_by
    );
    Some(Error::new(Kind::Missed, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_stands_for_the_results_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let here = |name: &str| directory.path().join(name);
        for name in ["b.json", "a.json", "c.txt"] {
            fs::write(here(name), "").unwrap();
        }
        let found = files(&[PathBuf::from("x"), directory.path().to_owned()]).unwrap();
        assert_eq!(found, [PathBuf::from("x"), here("a.json"), here("b.json")]);
        let empty = tempfile::tempdir().unwrap();
        let error = files(&[empty.path().to_owned()]).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = read(Path::new("/nowhere/x.json")).unwrap_err();
        assert_eq!(error.kind(), Kind::Local);
        assert_eq!(
            error.text(),
            "cannot read /nowhere/x.json: no such file or directory"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "[]").unwrap();
        let error = read(file.path()).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.text().starts_with(&file.path().display().to_string()));
    }

    #[test]
    fn missed_thresholds_end_a_command() {
        let threshold = |missed_by: &str| Threshold {
            expression: String::from("p99 < 20ms"),
            passed: missed_by.is_empty(),
            missed_by: missed_by.to_owned(),
            ..Threshold::default()
        };
        assert!(missed(&[threshold("")]).is_none());
        let error = missed(&[threshold(""), threshold("3.2 ms (16 %)"), threshold("1")]).unwrap();
        assert_eq!(error.kind(), Kind::Missed);
        assert_eq!(
            error.text(),
            "missed p99 < 20ms by 3.2 ms (16 %), and one more threshold was missed"
        );
        let error = missed(&[threshold("no response was measured")]).unwrap();
        assert_eq!(error.text(), "missed p99 < 20ms: no response was measured");
    }
}
