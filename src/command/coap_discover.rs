//! `coap discover`: what a server offers (RFC 6690), or the servers of a group.

use std::net::SocketAddr;

use serde_json::{Map, Value};

use super::coap_asking::{Asking, Watch};
use super::coap_request::tell;
use super::coap_session::{SessionWords, failed, refused};
use crate::coap::code::Code;
use crate::coap::endpoint::{Event, Reply};
use crate::coap::format;
use crate::coap::link::{self, Filter, Link};
use crate::coap::option;
use crate::error::{Error, Kind, Result};
use crate::output::{Format, Notes, Output, Style};
use crate::stop::Stop;

/// Whom to ask, and what for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where, and how.
    pub session: SessionWords,
    /// What links must have: `rt=temperature`, `href=/sensors/*`, `obs`; all of them.
    pub filters: Vec<String>,
    /// How the links are shown.
    pub shape: Shape,
    /// What the terminal shows.
    pub style: Style,
}

/// How links are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A table with a line for each.
    Table,
    /// One JSON object a line for each.
    Json,
    /// Only their targets, one a line.
    Paths,
    /// The answer's bytes.
    Raw,
}

/// Asks for `/.well-known/core` unless the URI has a path.
///
/// # Errors
/// No answer, a refusal, an answer that is no link-format, or no link at all.
pub async fn run(plan: Plan) -> Result<()> {
    let mut stop = Stop::watch()?;
    let mut output = Output::open(Format::Raw, plan.style)?;
    tokio::select! {
        ended = discover(&plan, &mut output) => ended,
        asked = stop.asked() => Err(Error::new(asked.kind(), "interrupted")),
    }
}

async fn discover(plan: &Plan, output: &mut Output) -> Result<()> {
    let notes = Notes::new(plan.style);
    let mut place = plan.session.only_place()?;
    if place.uri.path.is_empty() {
        place.uri.path = vec![String::from(".well-known"), String::from("core")];
    }
    if place.uri.query.is_empty() {
        // A server need not filter, and takes one filter only (RFC 6690 §4.1); we filter again.
        place.uri.query.extend(plan.filters.first().cloned());
    }
    let watch = Watch::open(&plan.session, notes)?;
    let mut client = Asking::open(&plan.session, &watch, &place).await?;
    let mut request = plan.session.request(&client, &place, Code::GET)?;
    if !request.options.contains(option::ACCEPT) && !client.is_group() {
        request.options.push_uint(option::ACCEPT, 40);
    }
    plan.session.show_request(&request, &place.uri, notes);
    client.ask(&place, plan.session.proxy_mode, request)?;
    let mut links = 0;
    let mut answers = 0;
    loop {
        match client.next().await {
            Event::Reply { reply, .. } => {
                plan.session.show_reply(&reply, notes);
                answers += 1;
                if !reply.response.code.is_success() {
                    return Err(refused(&place.uri, &reply));
                }
                let from = client.is_group().then_some(reply.from);
                match show(plan, &reply, from, output) {
                    Ok(count) => links += count,
                    Err(error) if client.is_group() => notes.warn(error),
                    Err(error) => return Err(error),
                }
                output.flush().await?;
                if !client.is_group() {
                    break;
                }
            }
            Event::Failed { failure, .. } => return Err(failed(&place, &failure, None)),
            Event::Finished { .. } => break,
            other => tell(&other, notes, plan.session.verbose),
        }
    }
    client.close().await;
    watch.finish(&plan.session)?;
    let what = match (answers, links) {
        (0, _) => "nobody answered",
        (_, 0) => "no resource was found",
        _ => return Ok(()),
    };
    Err(Error::new(Kind::Refused, format!("{}: {what}", place.uri)))
}

/// Shows one answer; how many links it had.
fn show(
    plan: &Plan,
    reply: &Reply,
    from: Option<SocketAddr>,
    output: &mut Output,
) -> Result<usize> {
    let no_links = |why: String| {
        let text = format!("{} did not answer in link-format: {why}", reply.from);
        Error::new(Kind::Lost, text).hint("--output raw shows the answer as it is")
    };
    let text = str::from_utf8(&reply.response.payload);
    let text = text.map_err(|_| no_links(String::from("it is no text")));
    if plan.shape == Shape::Raw {
        output.line(text?);
        return Ok(1);
    }
    let mut links = link::parse(text?).map_err(|fault| no_links(fault.to_string()))?;
    let filters: Vec<_> = plan.filters.iter().map(|it| Filter::parse(it)).collect();
    links.retain(|link| filters.iter().all(|filter| filter.matches(link)));
    match plan.shape {
        Shape::Table => table(&links, from, output),
        Shape::Json => links
            .iter()
            .for_each(|link| output.line(&object(link, reply.from).to_string())),
        Shape::Paths | Shape::Raw => links.iter().for_each(|link| output.line(&link.target)),
    }
    Ok(links.len())
}

const COLUMNS: [&str; 6] = ["PATH", "FORMAT", "TYPE", "INTERFACE", "OBS", "OTHER"];

fn table(links: &[Link], from: Option<SocketAddr>, output: &mut Output) {
    if let Some(from) = from {
        output.line(&format!("{from}:"));
    }
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
    let formats = link.formats();
    let formats: Vec<_> = formats
        .iter()
        .map(|number| format::short(*number).map_or_else(|| number.to_string(), String::from))
        .collect();
    let known = ["ct", "rt", "if", "obs"];
    let others = link.attributes.iter();
    let others: Vec<_> = others
        .filter(|(name, _)| !known.contains(&name.as_str()))
        .map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        })
        .collect();
    let observable = if link.has("obs") { "yes" } else { "" };
    [
        link.target.clone(),
        formats.join(" "),
        joined("rt"),
        joined("if"),
        String::from(observable),
        others.join(" "),
    ]
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
