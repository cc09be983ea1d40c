//! What the panes look like. Text is cut by us, to columns of the terminal, and has no control characters left.

use std::time::Instant;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Color, Modifier, Style};
use ratatui_core::terminal::Frame;

use super::state::{Mode, Pane, State};
use super::{bars, detail, devices};
use crate::board::topics::{ROOT, Topic};
use crate::board::{Board, text};

/// Characters of a value that are looked at.
pub(super) const LONGEST: usize = 400;

/// A part of the screen that is drawn on.
pub(super) struct Canvas<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) area: Rect,
    color: bool,
}

/// What a piece of text is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Soft,
    Head,
    Good,
    Bad,
    Warn,
    Topic,
    Chosen,
}

impl Canvas<'_> {
    /// Writes a text into so many columns of a line, and fills them up.
    pub(super) fn put(&mut self, x: u16, y: u16, columns: u16, words: &str, tone: Tone) {
        if y >= self.area.height || x >= self.area.width {
            return;
        }
        let columns = columns.min(self.area.width - x);
        let shown = text::fit(words, usize::from(columns));
        let (x, y) = (self.area.x + x, self.area.y + y);
        self.buffer
            .set_stringn(x, y, shown, usize::from(columns), self.style(tone));
    }

    /// Gives a line that is drawn another tone.
    pub(super) fn highlight(&mut self, y: u16) {
        let line = Rect {
            y: self.area.y + y,
            height: 1,
            ..self.area
        };
        self.buffer.set_style(line, self.style(Tone::Chosen));
    }

    fn style(&self, tone: Tone) -> Style {
        let plain = Style::default();
        let colored = |color, modifier| match self.color {
            true => plain.fg(color),
            false => plain.add_modifier(modifier),
        };
        match tone {
            Tone::Plain => plain,
            Tone::Soft => plain.add_modifier(Modifier::DIM),
            Tone::Head => plain.add_modifier(Modifier::BOLD),
            Tone::Good => colored(Color::Green, Modifier::empty()),
            Tone::Bad => colored(Color::Red, Modifier::BOLD),
            Tone::Warn => colored(Color::Yellow, Modifier::BOLD),
            Tone::Topic => colored(Color::Cyan, Modifier::empty()),
            Tone::Chosen => plain.add_modifier(Modifier::REVERSED),
        }
    }
}

/// Draws everything.
pub(super) fn all(frame: &mut Frame<'_>, state: &mut State, board: &Board, now: Instant) {
    let area = frame.area();
    let color = state.color;
    let mut canvas = Canvas {
        buffer: frame.buffer_mut(),
        area,
        color,
    };
    screen(&mut canvas, state, board, now);
}

/// Draws on whatever there is.
pub(super) fn screen(canvas: &mut Canvas<'_>, state: &mut State, board: &Board, now: Instant) {
    let frozen = state.take_frozen();
    let (shown, then) = match &frozen {
        Some(frozen) => (&frozen.0, frozen.1),
        None => (board, now),
    };
    let area = canvas.area;
    bars::heading(canvas, state, board, frozen.is_some(), now);
    let (lines, tone) = bars::bottom(state, area.width, area.height);
    let bottom = area.height.saturating_sub(lines.len() as u16);
    let body = Rect {
        y: area.y + 2,
        height: bottom.saturating_sub(2),
        ..area
    };
    if let Mode::Help(scrolled) = &mut state.mode {
        bars::help(&mut canvas.part(body), scrolled);
    } else {
        panes(canvas, state, shown, body, then);
    }
    for (y, line) in (bottom..).zip(&lines) {
        canvas.put(0, y, area.width, line, tone);
    }
    state.put_frozen(frozen);
}

impl<'a> Canvas<'a> {
    /// A part of it.
    pub(super) fn part(&mut self, area: Rect) -> Canvas<'_> {
        Canvas {
            buffer: &mut *self.buffer,
            area: area.intersection(self.area),
            color: self.color,
        }
    }

    #[cfg(test)]
    pub(super) fn new(buffer: &'a mut Buffer, color: bool) -> Self {
        let area = buffer.area;
        Self {
            buffer,
            area,
            color,
        }
    }
}

fn panes(canvas: &mut Canvas<'_>, state: &mut State, board: &Board, area: Rect, now: Instant) {
    let (list, rest) = match state.is_detailed() {
        false => (area, None),
        true if area.width >= 100 => {
            let half = area.width / 2;
            let list = Rect {
                width: half - 1,
                ..area
            };
            let rest = Rect {
                x: area.x + half,
                width: area.width - half,
                ..area
            };
            (list, Some(rest))
        }
        true if area.height >= 14 => {
            let third = area.height / 3;
            let list = Rect {
                height: third,
                ..area
            };
            let rest = Rect {
                y: area.y + third,
                height: area.height - third,
                ..area
            };
            (list, Some(rest))
        }
        true => (Rect { height: 0, ..area }, Some(area)),
    };
    let mut part = canvas.part(list);
    match state.pane {
        Pane::Topics => topics(&mut part, state, board, now),
        Pane::Fleet => devices::list(&mut part, state, board, now),
        Pane::Alerts => alerts(&mut part, state, board, now),
        Pane::Sys => sys(&mut part, state, board),
    }
    let Some(rest) = rest else {
        return;
    };
    let mut part = canvas.part(rest);
    match (state.pane, &mut state.devices.detail, &state.detail) {
        (Pane::Fleet, Some(device), _) => devices::detail(&mut part, device, board, now),
        (_, _, Some(topic)) => detail::draw(&mut part, topic, board, now),
        _ => {}
    }
}

/// Which lines of so many are seen; the chosen one is among them.
pub(super) fn window(state: &mut State, count: usize, height: u16) -> std::ops::Range<usize> {
    let at = state.pane as usize;
    let height = usize::from(height);
    state.count = count;
    state.height = height;
    let chosen = state.chosen[at].min(count.saturating_sub(1));
    state.chosen[at] = chosen;
    let first = state.first[at]
        .min(chosen)
        .max((chosen + 1).saturating_sub(height));
    // No empty lines while there are others.
    let first = first.min(count.saturating_sub(height));
    state.first[at] = first;
    first..(first + height).min(count)
}

/// The columns of the list of topics: where they begin, and how wide they are.
struct Columns {
    name: u16,
    value: u16,
    numbers: bool,
}

impl Columns {
    const RATE: u16 = 6;
    const BYTES: u16 = 8;
    const AGE: u16 = 4;
    const FLAGS: u16 = 2;

    fn of(width: u16) -> Self {
        let numbers = width >= 60;
        let fixed = match numbers {
            true => Self::RATE + Self::BYTES + Self::AGE + Self::FLAGS + 5,
            false => Self::AGE + Self::FLAGS + 3,
        };
        let rest = width.saturating_sub(fixed);
        let name = rest / 2;
        Self {
            name,
            value: rest - name,
            numbers,
        }
    }

    fn put(&self, canvas: &mut Canvas<'_>, y: u16, cells: [&str; 6], tones: [Tone; 2]) {
        let [name, value, rate, bytes, age, flags] = cells;
        canvas.put(0, y, self.name, name, tones[0]);
        canvas.put(self.name + 1, y, self.value, value, tones[1]);
        let mut x = self.name + self.value + 2;
        let mut numbers = vec![(age, Self::AGE)];
        if self.numbers {
            numbers = vec![(rate, Self::RATE), (bytes, Self::BYTES), (age, Self::AGE)];
        }
        for (number, columns) in numbers {
            let right = format!("{number:>width$}", width = usize::from(columns));
            canvas.put(x, y, columns, &right, tones[1]);
            x += columns + 1;
        }
        canvas.put(x, y, Self::FLAGS, flags, Tone::Soft);
    }
}

fn topics(canvas: &mut Canvas<'_>, state: &mut State, board: &Board, now: Instant) {
    let height = canvas.area.height.saturating_sub(1);
    let columns = Columns::of(canvas.area.width);
    let head = ["TOPIC", "VALUE", "MSG/S", "B/S", "AGE", ""];
    columns.put(canvas, 0, head, [Tone::Head, Tone::Head]);
    // As many as may be seen; those before the window are needed to find the one that was chosen.
    let reach = state.chosen[0].saturating_add(usize::from(height) + 1);
    let followed = state.chosen_row.as_ref().filter(|_| state.wanted.is_tree());
    let path = followed.map(|row| row.path.clone());
    let reach = if path.is_some() { usize::MAX } else { reach };
    let (rows, count) = state.wanted.rows(board, reach, now);
    if let Some(at) = path.and_then(|path| rows.iter().position(|row| row.path == path)) {
        state.chosen[0] = at;
    }
    let seen = window(state, count, height);
    state.chosen_row = rows.get(state.chosen[0]).cloned();
    if count == 0 {
        let words = match board.topics().is_empty() {
            true => "no messages yet",
            false => "no topic matches",
        };
        canvas.put(0, 1, canvas.area.width, words, Tone::Soft);
    }
    for (y, at) in seen.enumerate() {
        let Some(row) = rows.get(at) else {
            break;
        };
        let y = y as u16 + 1;
        line(canvas, &columns, y, row, state, board, now);
        if at == state.chosen[0] {
            canvas.highlight(y);
        }
    }
}

fn line(
    canvas: &mut Canvas<'_>,
    columns: &Columns,
    y: u16,
    row: &super::rows::Row,
    state: &State,
    board: &Board,
    now: Instant,
) {
    let all = board.topics();
    let topic = all.at(row.node);
    let is_open = row.has_children && state.wanted.open.contains(&row.path);
    let name = match state.wanted.is_tree() {
        true => {
            let sign = match (row.has_children, is_open) {
                (false, _) => " ",
                (true, false) => "▸",
                (true, true) => "▾",
            };
            let indent = " ".repeat(2 * row.depth.min(20));
            format!("{indent}{sign} {}", text::cell(all.name(row.node), LONGEST))
        }
        false => text::cell(&row.path, LONGEST),
    };
    // A closed level shows how much comes below.
    let traffic = match (row.has_children && !is_open, topic) {
        (false, Some(topic)) => Some(&topic.traffic),
        _ => all.traffic(row.node),
    };
    let (rate, bytes) = traffic.map_or((0.0, 0.0), |it| (it.messages(now), it.bytes(now)));
    let (value, age, flags, stale) = match topic {
        Some(topic) => of_topic(topic, board, now),
        None => {
            let below = text::count(all.below(row.node) as usize, "topic");
            (below, String::new(), "", false)
        }
    };
    let tone = match (topic, stale) {
        (None, _) | (_, true) => Tone::Soft,
        _ => Tone::Plain,
    };
    let cells = [
        &*name,
        &value,
        &text::number(rate),
        &text::number(bytes),
        &age,
        flags,
    ];
    columns.put(canvas, y, cells, [Tone::Topic, tone]);
}

fn of_topic(topic: &Topic, board: &Board, now: Instant) -> (String, String, &'static str, bool) {
    let value = text::payload(&topic.payload, LONGEST);
    let age = text::age(now.saturating_duration_since(topic.updated));
    let stale = board.is_stale(topic);
    let flags = match (topic.retained, stale) {
        (true, true) => "r~",
        (true, false) => "r",
        (false, true) => "~",
        (false, false) => "",
    };
    (value, age, flags, stale)
}

fn alerts(canvas: &mut Canvas<'_>, state: &mut State, board: &Board, now: Instant) {
    let width = canvas.area.width;
    if !board.alerts().is_wanted() {
        canvas.put(0, 0, width, "start with --alerts 'alerts/#'", Tone::Soft);
        return;
    }
    let active = board.alerts().active();
    let name = width / 3;
    canvas.put(0, 0, name, "ALERT", Tone::Head);
    canvas.put(name + 1, 0, 10, "SEVERITY", Tone::Head);
    canvas.put(name + 12, 0, 5, "SINCE", Tone::Head);
    canvas.put(name + 18, 0, width, "TEXT", Tone::Head);
    if active.is_empty() {
        canvas.put(0, 1, width, "no alert is active", Tone::Good);
    }
    let seen = window(state, active.len(), canvas.area.height.saturating_sub(1));
    let chosen = state.chosen[state.pane as usize];
    for (y, (at, (topic, alert))) in active
        .iter()
        .enumerate()
        .skip(seen.start)
        .take(seen.len())
        .enumerate()
    {
        let y = y as u16 + 1;
        canvas.put(0, y, name, &text::cell(topic, LONGEST), Tone::Topic);
        canvas.put(name + 1, y, 10, &alert.severity, Tone::Bad);
        let age = text::age(now.saturating_duration_since(alert.since));
        canvas.put(name + 12, y, 5, &format!("{age:>5}"), Tone::Plain);
        canvas.put(name + 18, y, width, &alert.text, Tone::Plain);
        if at == chosen {
            canvas.highlight(y);
        }
    }
}

fn sys(canvas: &mut Canvas<'_>, state: &mut State, board: &Board) {
    let width = canvas.area.width;
    if board.sys().below(ROOT) == 0 {
        let words = "nothing below $SYS; start with --sys to subscribe to it";
        canvas.put(0, 0, width, words, Tone::Soft);
        return;
    }
    let all = board.sys().sorted();
    let seen = window(state, all.len(), canvas.area.height);
    let chosen = state.chosen[state.pane as usize];
    for (y, at) in seen.enumerate() {
        let (y, topic) = (y as u16, all[at]);
        let name = topic.name.trim_start_matches(crate::board::SYS);
        canvas.put(0, y, width / 2, &text::cell(name, LONGEST), Tone::Topic);
        let value = text::payload(&topic.payload, LONGEST);
        canvas.put(width / 2 + 1, y, width, &value, Tone::Plain);
        if at == chosen {
            canvas.highlight(y);
        }
    }
}
