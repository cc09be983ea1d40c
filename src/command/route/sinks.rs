//! Stores and commands among the targets. Their keys are the long flags of `log` and of `--exec`, which reads the words of stores.

use std::num::NonZeroUsize;
use std::path::Path;

use super::Plan;
use super::file::{RouteTable, TargetTable};
use crate::command::ends::End;
use crate::command::ends::target::Sink;
use crate::flow::Exec;

/// What a table says that is neither a server nor a file of records, and what it is called; `None`: it says nothing of that kind.
///
/// # Errors
/// What does not fit together.
pub(super) fn sink(
    name: &str,
    table: &TargetTable,
    routes: &[RouteTable],
    plan: &Plan,
) -> Result<Option<(End, Sink)>, String> {
    let words = words(table);
    if let Some(exec) = command(table, &words)? {
        return Ok(Some((
            End::Store(exec.command[0].clone()),
            Sink::Command(exec),
        )));
    }
    if table.influx.is_some() && (table.file.is_some() || table.sqlite.is_some()) {
        return Err(String::from("one of file, sqlite and influx is needed"));
    }
    let to = match (&table.file, &table.sqlite, &table.influx) {
        (Some(file), None, None) if !words.is_empty() || is_csv(file) => file.clone(),
        (None, Some(file), None) if !words.is_empty() || file.contains("?table=") => {
            format!("sqlite:{file}")
        }
        (None, None, Some(place)) if !place.starts_with("influx") => {
            return Err(format!("influx: {place} does not begin with influx"));
        }
        (None, None, Some(place)) => place.clone(),
        _ if words.is_empty() => return Ok(None),
        _ => {
            let key = words[0].trim_start_matches("--");
            let key = key.split_once('=').map_or(key, |(key, _)| key);
            return Err(format!("{key} needs one of file, sqlite and influx"));
        }
    };
    if table.url.is_some() || table.context.is_some() {
        return Err(String::from(
            "a store is no server: url and context do not fit",
        ));
    }
    let mut all = vec![format!("--to={to}")];
    all.extend(words);
    let gets = |route: &&RouteTable| {
        let mut names = route.to.all().iter().chain(route.otherwise.all());
        route.topic_out.is_none() && names.any(|it| it == name)
    };
    let topics = routes.iter().filter(gets);
    all.extend(topics.map(|route| format!("--topic={}", route.topic)));
    let read = (plan.readers.store)(&all, &table.connection().args()?, plan.style);
    let (store, time) = read.map_err(|why| match why.hint_text() {
        Some(hint) => format!("{}; {hint}", why.text()),
        None => why.text().to_owned(),
    })?;
    Ok(Some((store.end(), Sink::Store(Box::new(store), time))))
}

fn command(table: &TargetTable, words: &[String]) -> Result<Option<Exec>, String> {
    let Some(command) = &table.exec else {
        return match table.exec_json.is_some() || table.workers.is_some() {
            true => Err(String::from("exec-json and workers need exec")),
            false => Ok(None),
        };
    };
    let ends = [&table.url, &table.context, &table.file];
    let others = [&table.sqlite, &table.influx];
    let mut ends = ends.into_iter().chain(others);
    if ends.any(Option::is_some) || !words.is_empty() {
        return Err(String::from(
            "a command is no server and no store: keys of those do not fit",
        ));
    }
    let command = command.all().to_vec();
    if command.first().is_none_or(String::is_empty) {
        return Err(String::from("exec needs a command"));
    }
    let workers = NonZeroUsize::new(table.workers.unwrap_or(1).into());
    Ok(Some(Exec {
        command,
        workers: workers.ok_or("workers must be at least 1")?,
        json: table.exec_json.unwrap_or_default(),
        requeue: false,
        suspicious: None,
    }))
}

fn is_csv(file: &str) -> bool {
    let extension = Path::new(file).extension();
    extension.is_some_and(|it| it.eq_ignore_ascii_case("csv"))
}

/// What the table says of a store, in the words of `log`.
fn words(table: &TargetTable) -> Vec<String> {
    let mut words = Vec::new();
    for (flag, word) in [
        ("columns", &table.columns),
        ("time", &table.time),
        ("unique", &table.unique),
        ("measurement", &table.measurement),
    ] {
        words.extend(word.as_ref().map(|word| format!("--{flag}={word}")));
    }
    for (flag, names) in [
        ("rotate", &table.rotate),
        ("types", &table.types),
        ("index", &table.index),
        ("tag", &table.tag),
        ("field", &table.field),
        ("int", &table.int),
    ] {
        let all = names.iter().flat_map(|names| names.all());
        words.extend(all.map(|word| format!("--{flag}={word}")));
    }
    words.extend(table.keep.map(|count| format!("--keep={count}")));
    for (flag, given) in [("melt", table.melt), ("gzip", table.gzip)] {
        words.extend(given.filter(|it| *it).map(|_| format!("--{flag}")));
    }
    words
}
