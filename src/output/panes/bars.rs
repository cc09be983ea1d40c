//! The lines above and below the panes, and the help between them.

use std::time::Instant;

use super::draw::{Canvas, Tone};
use super::keys::HELP;
use super::state::{Mode, Pane, Prompt, State};
use crate::board::{Board, text};

/// Lines of what is asked or said, at most.
const MOST: u16 = 3;

/// Columns below which the help has its keys on lines of their own.
const WIDE: u16 = 60;

/// Where messages come from and how it stands; which pane is seen, and what is special about it.
pub(super) fn heading(
    canvas: &mut Canvas<'_>,
    state: &State,
    board: &Board,
    paused: bool,
    now: Instant,
) {
    let width = canvas.area.width;
    let source = text::cell(board.source(), 200);
    let (sign, tone) = match board.awaits() {
        None if board.has_ended() => ("■", Tone::Good),
        None => ("●", Tone::Good),
        Some(_) => ("○", Tone::Bad),
    };
    canvas.put(0, 0, 2, sign, tone);
    let rest = match board.awaits() {
        Some(awaits) => format!("{source}  {}", text::cell(awaits, 200)),
        None => format!("{source}  {}", board.summary(now).join(", ")),
    };
    canvas.put(2, 0, width.saturating_sub(2), &rest, Tone::Head);
    let signs = signs(state, paused);
    let columns =
        |tabs: &[String], gap: usize| tabs.iter().map(|tab| text::width(tab) + gap).sum::<usize>();
    let (long, all) = (tabs(state, board, true), signs.join("  "));
    let (tabs, gap, signs) = match columns(&long, 2) + text::width(&all) <= usize::from(width) {
        true => (long, 2, all),
        false => (tabs(state, board, false), 1, signs.join(" ")),
    };
    let mut x = 0;
    for (pane, name) in Pane::ALL.into_iter().zip(tabs) {
        let tone = match pane == state.pane {
            true => Tone::Chosen,
            false => Tone::Soft,
        };
        let columns = text::width(&name) as u16;
        canvas.put(x, 1, columns, &name, tone);
        x += columns + gap;
    }
    canvas.put(x, 1, width.saturating_sub(x), &signs, Tone::Warn);
}

/// The panes; where there is little room, only the one that is seen by its name.
fn tabs(state: &State, board: &Board, is_long: bool) -> Vec<String> {
    let active = board.alerts().active().len();
    let tab = |(at, pane): (usize, Pane)| {
        let mut name = (at + 1).to_string();
        if is_long || pane == state.pane {
            name.push_str(&format!(" {}", pane.name()));
        }
        if pane == Pane::Alerts && active > 0 {
            name.push_str(&format!(" ({active})"));
        }
        name
    };
    Pane::ALL.into_iter().enumerate().map(tab).collect()
}

/// What is special about what is seen; what matters most comes first.
fn signs(state: &State, paused: bool) -> Vec<String> {
    let mut signs = Vec::new();
    if paused {
        signs.push(String::from("PAUSED"));
    }
    if let Some(count) = state.recorded {
        signs.push(format!("REC {count}"));
    }
    if !state.wanted.search.is_empty() {
        signs.push(format!("/{}", text::cell(&state.wanted.search, 40)));
    }
    if let Some(filter) = &state.wanted.filter {
        signs.push(text::cell(&filter.to_string(), 40));
    }
    match state.pane {
        Pane::Topics => signs.push(format!("by {}", state.wanted.order.words())),
        Pane::Fleet => signs.push(format!("by {}", state.devices.order.words())),
        Pane::Alerts | Pane::Sys => {}
    }
    signs
}

/// What is asked, what was said, or which keys there are: as many lines as that needs and are to be had.
pub(super) fn bottom(state: &State, width: u16, height: u16) -> (Vec<String>, Tone) {
    let columns = usize::from(width);
    let most = usize::from(height.saturating_sub(3).clamp(1, MOST));
    // The end of a question is where the answer goes.
    let asked = |words: &str| {
        let lines = text::wrap(words, columns);
        let first = lines.len().saturating_sub(most);
        lines[first..].to_vec()
    };
    match (&state.mode, &state.said) {
        (Mode::Prompt(prompt, line), said) => {
            let line = tail(&text::cell(line, 4_096), columns / 2);
            let tone = match prompt {
                Prompt::Clear(..) => Tone::Warn,
                _ => Tone::Head,
            };
            let words = format!("{}: {line}▏", prompt.words());
            let mut lines = asked(&words);
            if let Some(why) = said.as_ref().filter(|_| lines.len() < most) {
                lines = text::wrap(&format!("{words}  ({})", text::cell(why, 400)), columns);
                lines.truncate(most);
            }
            (lines, tone)
        }
        (Mode::Confirm(question, _), _) => (asked(&text::cell(question, 400)), Tone::Warn),
        (Mode::Help(_), _) => {
            let words = "↑ ↓ scroll, any other key closes";
            (vec![words.to_owned()], Tone::Soft)
        }
        (Mode::Normal, Some(said)) => {
            let mut lines = text::wrap(&text::cell(said, 400), columns);
            lines.truncate(most);
            (lines, Tone::Warn)
        }
        (Mode::Normal, None) => {
            let words = "? help  / search  f filter  s sort  p pause  Enter detail  g graph  P publish  D clear  w record  q quit";
            (vec![words.to_owned()], Tone::Soft)
        }
    }
}

/// The end of a line, as far as there is room.
fn tail(line: &str, columns: usize) -> String {
    let mut shown = line;
    while text::width(shown) > columns.max(1) {
        let first = shown.chars().next().map_or(1, char::len_utf8);
        shown = &shown[first..];
    }
    shown.to_owned()
}

/// Keys, and what they do; `scrolled` is not more than can be.
pub(super) fn help(canvas: &mut Canvas<'_>, scrolled: &mut usize) {
    let (width, height) = (canvas.area.width, usize::from(canvas.area.height));
    let widest = HELP.iter().map(|(keys, _)| text::width(keys)).max();
    let keys = match width >= WIDE {
        true => widest.unwrap_or(0) as u16 + 2,
        false => 2,
    };
    let lines = help_lines(width, keys);
    *scrolled = (*scrolled).min(lines.len().saturating_sub(height));
    for (y, (key, what)) in lines.iter().skip(*scrolled).take(height).enumerate() {
        let y = y as u16;
        if !key.is_empty() {
            canvas.put(0, y, width, key, Tone::Head);
        }
        if !what.is_empty() {
            canvas.put(keys, y, width, what, Tone::Plain);
        }
    }
}

/// Of each line what is at the left and what stands after so many columns.
fn help_lines(width: u16, keys: u16) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    for (key, what) in HELP {
        let mut what = text::wrap(what, usize::from(width.saturating_sub(keys))).into_iter();
        let beside = match width >= WIDE {
            true => what.next().unwrap_or_default(),
            false => String::new(),
        };
        lines.push((*key, beside));
        lines.extend(what.map(|what| ("", what)));
    }
    lines
}
