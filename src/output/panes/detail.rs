//! A topic in detail: what it said last, what is different from before, a graph, and what came before.

use std::collections::HashSet;
use std::time::Instant;

use super::draw::{Canvas, Tone};
use super::state::Detail;
use crate::board::history::{Entry, History};
use crate::board::topics::Topic;
use crate::board::{Board, text};

/// Characters of a line.
const LONGEST: usize = 400;

/// Lines of a payload.
const LINES: usize = 300;

/// Lines of a graph.
const PLOT: u16 = 6;

/// Draws it.
pub(super) fn draw(canvas: &mut Canvas<'_>, detail: &Detail, board: &Board, now: Instant) {
    let width = canvas.area.width;
    canvas.put(0, 0, width, &text::cell(&detail.topic, LONGEST), Tone::Head);
    let Some(topic) = board.topic(&detail.topic) else {
        canvas.put(0, 1, width, "it was forgotten", Tone::Soft);
        return;
    };
    canvas.put(0, 1, width, &facts(topic, board, now), Tone::Soft);
    let history = board.histories().get(&detail.topic);
    let mut y = 2;
    if let (Some(pointer), Some(history)) = (&detail.pointer, history) {
        y = graph(canvas, y, pointer, history, now);
    }
    let mut lines = payload(topic, history);
    if let Some(history) = history {
        lines.push((String::from("before"), Tone::Head));
        lines.extend(earlier(history, now));
    }
    let room = usize::from(canvas.area.height.saturating_sub(y));
    let first = detail.scrolled.min(lines.len().saturating_sub(room));
    for (at, (line, tone)) in lines.iter().skip(first).take(room).enumerate() {
        canvas.put(0, y + at as u16, width, line, *tone);
    }
}

fn facts(topic: &Topic, board: &Board, now: Instant) -> String {
    let mut facts = vec![
        format!(
            "{} ago",
            text::age(now.saturating_duration_since(topic.updated))
        ),
        text::bytes(topic.size as f64),
        format!("QoS {}", topic.qos),
    ];
    if let Some(came) = topic.came {
        facts.push(came.to_string());
    }
    if topic.retained {
        facts.push(String::from("retained"));
    }
    if board.is_stale(topic) {
        facts.push(String::from("stale"));
    }
    facts.push(text::count(topic.messages as usize, "message"));
    facts.push(format!(
        "{} msg/s",
        text::number(topic.traffic.messages(now))
    ));
    facts.join(", ")
}

/// The lines of the payload, those that are new marked, and after them those that are gone.
fn payload(topic: &Topic, history: Option<&History>) -> Vec<(String, Tone)> {
    let new = lines(&topic.payload, topic.is_cut());
    let entries = history.map(History::entries);
    let before = entries.and_then(|all| all.iter().rev().nth(1));
    let Some(before) = before else {
        return new
            .into_iter()
            .map(|line| (format!("  {line}"), Tone::Plain))
            .collect();
    };
    let old = lines(&before.payload, before.cut);
    let (known, left): (HashSet<&String>, HashSet<&String>) =
        (old.iter().collect(), new.iter().collect());
    let marked = new.iter().map(|line| match known.contains(line) {
        true => (format!("  {line}"), Tone::Plain),
        false => (format!("+ {line}"), Tone::Good),
    });
    let gone = old.iter().filter(|line| !left.contains(line));
    let gone = gone.map(|line| (format!("- {line}"), Tone::Bad));
    marked.chain(gone).collect()
}

/// A payload as text: JSON with one member a line, anything that is not text in hexadecimal digits.
fn lines(payload: &[u8], is_cut: bool) -> Vec<String> {
    let json = (!is_cut).then(|| serde_json::from_slice::<serde_json::Value>(payload).ok());
    let pretty = json
        .flatten()
        .filter(|json| json.is_object() || json.is_array());
    let pretty = pretty.and_then(|json| serde_json::to_string_pretty(&json).ok());
    let whole = match (pretty, str::from_utf8(payload)) {
        (Some(pretty), _) => pretty,
        (None, Ok(text)) => text.to_owned(),
        (None, Err(_)) if looks_like_text(payload) => String::from_utf8_lossy(payload).into_owned(),
        (None, Err(_)) => {
            let rows = payload.chunks(16).take(LINES);
            let row = |row: &[u8]| {
                let digits = row.iter().map(|byte| format!("{byte:02x}"));
                digits.collect::<Vec<_>>().join(" ")
            };
            rows.map(row).collect::<Vec<_>>().join("\n")
        }
    };
    let mut lines: Vec<String> = whole
        .lines()
        .take(LINES)
        .map(|line| text::cell(line, LONGEST))
        .collect();
    if is_cut {
        lines.push(String::from("…"));
    }
    lines
}

/// Whether only the last letter is broken, as in a text that was cut.
fn looks_like_text(payload: &[u8]) -> bool {
    str::from_utf8(payload).is_err_and(|fault| fault.error_len().is_none())
}

fn earlier(history: &History, now: Instant) -> impl Iterator<Item = (String, Tone)> + '_ {
    let line = move |entry: &Entry| {
        let age = text::age(now.saturating_duration_since(entry.at));
        let value = text::payload(&entry.payload, LONGEST);
        (format!("{age:>4}  {value}"), Tone::Soft)
    };
    history.entries().iter().rev().skip(1).map(line)
}

/// Draws the numbers that came, and says which line is free after that.
fn graph(canvas: &mut Canvas<'_>, y: u16, pointer: &str, history: &History, now: Instant) -> u16 {
    let width = canvas.area.width;
    let points = history.numbers(pointer);
    let name = match pointer {
        "" => "payload",
        pointer => pointer,
    };
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        let words = format!("{}: no number yet", text::cell(name, LONGEST));
        canvas.put(0, y, width, &words, Tone::Soft);
        return y + 1;
    };
    let low = points.iter().map(|it| it.1).fold(f64::INFINITY, f64::min);
    let high = points
        .iter()
        .map(|it| it.1)
        .fold(f64::NEG_INFINITY, f64::max);
    let since = text::age(now.saturating_duration_since(first.0));
    let words = format!(
        "{}: {}, from {low} to {high} in {since}",
        text::cell(name, 60),
        last.1
    );
    canvas.put(0, y, width, &words, Tone::Warn);
    if canvas.area.height < y + PLOT + 4 || width < 10 {
        return y + 1;
    }
    for (at, line) in braille(&points, usize::from(width), usize::from(PLOT), now)
        .iter()
        .enumerate()
    {
        canvas.put(0, y + 1 + at as u16, width, line, Tone::Topic);
    }
    y + 1 + PLOT
}

/// A line through points, over time, in characters of two by four dots each.
pub(super) fn braille(
    points: &[(Instant, f64)],
    columns: usize,
    rows: usize,
    now: Instant,
) -> Vec<String> {
    /// The dots of a character, by row and column (Unicode, U+2800).
    const DOTS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
    let (wide, tall) = (2 * columns, 4 * rows);
    let mut cells = vec![vec![0u8; columns]; rows];
    let Some(first) = points.first() else {
        return Vec::new();
    };
    let low = points.iter().map(|it| it.1).fold(f64::INFINITY, f64::min);
    let high = points
        .iter()
        .map(|it| it.1)
        .fold(f64::NEG_INFINITY, f64::max);
    let span = now
        .saturating_duration_since(first.0)
        .as_secs_f64()
        .max(1e-3);
    let place = |(at, value): &(Instant, f64)| {
        let passed = at.saturating_duration_since(first.0).as_secs_f64();
        let x = (passed / span).clamp(0.0, 1.0) * (wide - 1) as f64;
        let part = if high > low {
            (value - low) / (high - low)
        } else {
            0.5
        };
        // Both are between 0 and the size of the picture.
        (x as usize, ((1.0 - part) * (tall - 1) as f64) as usize)
    };
    let mut before: Option<(usize, usize)> = None;
    for (x, y) in points.iter().map(place) {
        let (from_x, from_y) = before.unwrap_or((x, y));
        let steps = x.abs_diff(from_x).max(y.abs_diff(from_y)).max(1);
        for step in 0..=steps {
            let part = step as f64 / steps as f64;
            let between = |from: usize, to: usize| {
                (from as f64 + (to as f64 - from as f64) * part).round() as usize
            };
            let (x, y) = (
                between(from_x, x).min(wide - 1),
                between(from_y, y).min(tall - 1),
            );
            cells[y / 4][x / 2] |= DOTS[y % 4][x % 2];
        }
        before = Some((x, y));
    }
    let letter = |dots: &u8| char::from_u32(0x2800 + u32::from(*dots)).unwrap_or(' ');
    cells
        .iter()
        .map(|row| row.iter().map(letter).collect())
        .collect()
}
