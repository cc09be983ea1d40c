//! How links are shown: as a table, as a tree, as JSON, or only their targets.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::{Map, Value};

use crate::coap::format;
use crate::coap::uri::Scheme;
use crate::output::Output;
use crate::payload::link::Link;

/// How links are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A table with a line for each.
    Table,
    /// Their paths as a tree.
    Tree,
    /// One JSON object a line for each.
    Json,
    /// Only their targets, one a line.
    Paths,
    /// The answer's bytes.
    Raw,
}

/// Who answered with links, and whether that has to be said: one of a group, by which scheme.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) from: SocketAddr,
    pub(crate) member_by: Option<Scheme>,
}

/// Shows links; with [`Shape::Raw`], nothing.
pub(crate) fn show(shape: Shape, links: &[Link], source: Source, output: &mut Output) {
    if source.member_by.is_some() && matches!(shape, Shape::Table | Shape::Tree) {
        output.line(&format!("{}:", source.from));
    }
    match shape {
        Shape::Table => table(links, output),
        Shape::Tree => tree(links, output),
        Shape::Json => {
            let objects = links.iter().map(|link| object(link, source.from));
            objects.for_each(|object| output.line(&object.to_string()));
        }
        Shape::Paths => {
            let targets = links.iter().map(|link| target(link, source));
            targets.for_each(|target| output.line(&target));
        }
        Shape::Raw => {}
    }
}

/// Of one of a group, whole: who else would know whose path it is?
fn target(link: &Link, source: Source) -> String {
    match source.member_by {
        Some(scheme) if link.target.starts_with("//") => {
            format!("{}:{}", scheme.name(), link.target)
        }
        Some(scheme) if link.target.starts_with('/') => {
            format!("{}://{}{}", scheme.name(), source.from, link.target)
        }
        _ => link.target.clone(),
    }
}

const COLUMNS: [&str; 6] = ["PATH", "FORMAT", "TYPE", "INTERFACE", "OBS", "OTHER"];

fn table(links: &[Link], output: &mut Output) {
    let rows: Vec<_> = links.iter().map(row).collect();
    let mut widths = COLUMNS.map(str::len);
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let header = COLUMNS.map(String::from);
    for row in std::iter::once(&header).chain(&rows) {
        let cells = row.iter().zip(widths);
        let line: String = cells
            .map(|(cell, width)| format!("{cell:<width$}  "))
            .collect();
        output.line(line.trim_end());
    }
}

fn row(link: &Link) -> [String; 6] {
    let joined = |name| link.words(name).collect::<Vec<_>>().join(" ");
    let observable = if link.has("obs") { "yes" } else { "" };
    [
        link.target.clone(),
        formats(link),
        joined("rt"),
        joined("if"),
        String::from(observable),
        others(link, &["ct", "rt", "if", "obs"]),
    ]
}

fn formats(link: &Link) -> String {
    let formats = link.formats();
    let formats: Vec<_> = formats
        .iter()
        .map(|number| format::short(*number).map_or_else(|| number.to_string(), String::from))
        .collect();
    formats.join(" ")
}

/// All attributes but these.
fn others(link: &Link, but: &[&str]) -> String {
    let others = link.attributes.iter();
    let others: Vec<_> = others
        .filter(|(name, _)| !but.contains(&name.as_str()))
        .map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        })
        .collect();
    others.join(" ")
}

/// What is below a part of a path.
#[derive(Default)]
struct Branch<'a> {
    links: Vec<&'a Link>,
    below: BTreeMap<&'a str, Self>,
}

fn tree(links: &[Link], output: &mut Output) {
    let mut root = Branch::default();
    for link in links {
        let mut branch = &mut root;
        for part in parts(&link.target) {
            branch = branch.below.entry(part).or_default();
        }
        branch.links.push(link);
    }
    let mut waiting: Vec<_> = root.below.iter().rev().map(|it| (0, it)).collect();
    while let Some((depth, (part, branch))) = waiting.pop() {
        let place = format!("{:depth$}{part}", "");
        if branch.links.is_empty() {
            output.line(&place);
        }
        for link in &branch.links {
            let mut line = place.clone();
            let said = [formats(link), others(link, &["ct"])];
            for words in said.iter().filter(|it| !it.is_empty()) {
                line.push(' ');
                line.push_str(words);
            }
            output.line(&line);
        }
        let below = branch.below.iter().rev();
        waiting.extend(below.map(|it| (depth + 2, it)));
    }
}

/// Parts of a path that are told apart, at most: the indentation grows with each.
const DEEPEST: usize = 100;

/// `/a`, `/b` of `/a/b`; of another server's, its address first.
fn parts(target: &str) -> Vec<&str> {
    let authority = match target.starts_with("//") {
        true => Some(2),
        false => target.find("://").map(|at| at + 3),
    };
    let start = authority.map_or(0, |at| {
        let rest = &target[at..];
        at + rest.find('/').unwrap_or(rest.len())
    });
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, _) in target
        .match_indices('/')
        .filter(|(at, _)| *at >= start.max(1))
        .take(DEEPEST)
    {
        parts.push(&target[from..at]);
        from = at;
    }
    parts.push(&target[from..]);
    parts
}

fn object(link: &Link, from: SocketAddr) -> Value {
    let mut object = Map::new();
    object.insert(String::from("peer"), from.to_string().into());
    object.insert(String::from("href"), link.target.clone().into());
    for (name, value) in &link.attributes {
        let value = match (name.as_str(), value) {
            ("ct", _) => link.formats().into(),
            ("rt" | "if", _) => link.words(name).collect::<Vec<_>>().into(),
            ("sz", Some(value)) => value
                .parse::<u64>()
                .map_or_else(|_| Value::from(value.clone()), Value::from),
            (_, Some(value)) => value.clone().into(),
            (_, None) => true.into(),
        };
        object.entry(name.clone()).or_insert(value);
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_split_at_their_slashes() {
        assert_eq!(parts("/a/b"), ["/a", "/b"]);
        assert_eq!(parts("/"), ["/"]);
        assert_eq!(parts("/a/"), ["/a", "/"]);
        assert_eq!(parts("a/b"), ["a", "/b"]);
        assert_eq!(parts("coap://[::1]/a"), ["coap://[::1]", "/a"]);
        assert_eq!(parts("coap://h"), ["coap://h"]);
        assert_eq!(parts("//h/a"), ["//h", "/a"]);
        assert_eq!(parts(&"/a".repeat(100_000)).len(), DEEPEST + 1);
        assert_eq!(parts(""), [""]);
    }

    #[test]
    fn a_member_of_a_group_is_named_with_its_paths() {
        let source = |member_by| Source {
            from: ([192, 0, 2, 1], 5683).into(),
            member_by,
        };
        let link = Link::new("/a");
        assert_eq!(target(&link, source(None)), "/a");
        let named = target(&link, source(Some(Scheme::Coap)));
        assert_eq!(named, "coap://192.0.2.1:5683/a");
        let elsewhere = target(&Link::new("//h/a"), source(Some(Scheme::Coap)));
        assert_eq!(elsewhere, "coap://h/a");
    }
}
