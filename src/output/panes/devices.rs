//! The devices: in which order they are listed, and one of them in detail.

use std::cmp::Ordering;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;
use std::time::Instant;

use super::draw::{Canvas, LONGEST, Tone, window};
use super::state::State;
use crate::board::fleet::{Device, Fleet, Status};
use crate::board::{Board, text};

/// Columns of a value.
const CELL: u16 = 12;

/// What devices are sorted by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// By identifier.
    #[default]
    Id,
    /// Those that are offline first.
    Status,
    /// What was heard of last first.
    Seen,
    /// The greatest value of a metric first.
    Metric(Arc<str>),
}

impl Order {
    fn next(&self, fleet: &Fleet) -> Self {
        let after = match self {
            Self::Id => return Self::Status,
            Self::Status => return Self::Seen,
            Self::Seen => fleet.metrics().iter().next(),
            Self::Metric(name) => {
                let later = (Excluded(Arc::clone(name)), Unbounded);
                fleet.metrics().range(later).next()
            }
        };
        after.map_or(Self::Id, |name| Self::Metric(Arc::clone(name)))
    }

    pub(super) fn words(&self) -> String {
        match self {
            Self::Id => String::from("id"),
            Self::Status => String::from("status"),
            Self::Seen => String::from("last seen"),
            Self::Metric(name) => text::cell(name, 20),
        }
    }

    fn compare(&self, one: &Device, other: &Device) -> Ordering {
        match self {
            Self::Id => Ordering::Equal,
            Self::Status => rank(&one.status).cmp(&rank(&other.status)),
            Self::Seen => other.seen.cmp(&one.seen),
            Self::Metric(name) => {
                let of = |device: &Device| Some(device.values.get(name)?.text.clone());
                by_value(of(one).as_deref(), of(other).as_deref())
            }
        }
    }
}

/// What needs somebody first.
fn rank(status: &Status) -> (u8, &str) {
    match status {
        Status::Offline => (0, ""),
        Status::Unknown => (1, ""),
        Status::Other(words) => (2, words),
        Status::Online => (3, ""),
    }
}

/// The greatest number first, then texts, and then what is not there.
fn by_value(one: Option<&str>, other: Option<&str>) -> Ordering {
    let number = |text: &str| text.parse::<f64>().ok();
    match (one, other) {
        (Some(one), Some(other)) => match (number(one), number(other)) {
            (Some(one), Some(other)) => other.total_cmp(&one),
            (None, None) => one.cmp(other),
            (one, other) => one.is_none().cmp(&other.is_none()),
        },
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}

/// What is remembered of the pane.
#[derive(Default)]
pub(super) struct Devices {
    pub(super) order: Order,
    /// The device that was chosen, wherever it is by now.
    pub(super) chosen: Option<Arc<str>>,
    /// The one that is shown in detail, and how many lines are scrolled away.
    pub(super) detail: Option<(Arc<str>, usize)>,
}

impl Devices {
    /// The devices in their order.
    fn sorted<'a>(&self, fleet: &'a Fleet) -> Vec<(&'a Arc<str>, &'a Device)> {
        let mut all: Vec<_> = fleet.devices().iter().collect();
        // They come by name, and those that are equal stay so.
        if self.order != Order::Id {
            all.sort_by(|one, other| self.order.compare(one.1, other.1));
        }
        all
    }

    /// Another order.
    pub(super) fn sort(&mut self, fleet: &Fleet) {
        self.order = self.order.next(fleet);
        self.chosen = None;
    }

    /// Shows the chosen device in detail; `at`: its line.
    pub(super) fn enter(&mut self, fleet: &Fleet, at: usize) {
        let known = self.chosen.take();
        let known = known.filter(|id| fleet.devices().contains_key(id));
        let id = known.or_else(|| self.sorted(fleet).get(at).map(|(id, _)| Arc::clone(id)));
        self.detail = id.map(|id| (id, 0));
        self.chosen = self.detail.as_ref().map(|(id, _)| Arc::clone(id));
    }

    /// The names of what is measured, that by which devices are sorted first.
    fn metrics<'a>(&self, fleet: &'a Fleet) -> Vec<&'a Arc<str>> {
        let mut all: Vec<_> = fleet.metrics().iter().collect();
        if let Order::Metric(name) = &self.order {
            all.sort_by_key(|it| *it != name);
        }
        all
    }
}

/// Draws the list.
pub(super) fn list(canvas: &mut Canvas<'_>, state: &mut State, board: &Board, now: Instant) {
    let width = canvas.area.width;
    if !board.fleet().is_wanted() {
        let words = "start with --device 'devices/{id}/status' or --value 'sensors/{id}/{metric}'";
        canvas.put(0, 0, width, words, Tone::Soft);
        return;
    }
    let devices = state.devices.sorted(board.fleet());
    let metrics = state.devices.metrics(board.fleet());
    let name = (width / 4).clamp(8, 30);
    canvas.put(0, 0, name, "DEVICE", Tone::Head);
    canvas.put(name + 1, 0, 10, "STATUS", Tone::Head);
    canvas.put(name + 12, 0, 4, "SEEN", Tone::Head);
    let place = |at: usize| name + 18 + (CELL + 1) * at.min(200) as u16;
    for (at, metric) in metrics.iter().enumerate() {
        let words = text::cell(metric, LONGEST);
        canvas.put(place(at), 0, CELL, &words, Tone::Head);
    }
    let at = state.pane as usize;
    let followed = state.devices.chosen.as_ref();
    if let Some(found) = followed.and_then(|id| devices.iter().position(|it| it.0 == id)) {
        state.chosen[at] = found;
    }
    let seen = window(state, devices.len(), canvas.area.height.saturating_sub(1));
    let chosen = state.chosen[at];
    state.devices.chosen = devices.get(chosen).map(|(id, _)| Arc::clone(id));
    for (y, (at, (id, device))) in seen.clone().zip(&devices[seen]).enumerate() {
        let y = y as u16 + 1;
        canvas.put(0, y, name, &text::cell(id, LONGEST), Tone::Topic);
        canvas.put(name + 1, y, 10, device.status.words(), tone(device));
        let age = text::age(now.saturating_duration_since(device.seen));
        canvas.put(name + 12, y, 4, &format!("{age:>4}"), Tone::Plain);
        for (column, metric) in metrics.iter().enumerate() {
            let value = device.values.get(*metric).map_or("–", |value| &value.text);
            canvas.put(place(column), y, CELL, value, Tone::Plain);
        }
        if at == chosen {
            canvas.highlight(y);
        }
    }
}

fn tone(device: &Device) -> Tone {
    match device.status {
        Status::Online => Tone::Good,
        Status::Offline => Tone::Bad,
        Status::Unknown | Status::Other(_) => Tone::Soft,
    }
}

/// Draws all that is known of one device.
pub(super) fn detail(
    canvas: &mut Canvas<'_>,
    (id, scrolled): &mut (Arc<str>, usize),
    board: &Board,
    now: Instant,
) {
    let width = canvas.area.width;
    canvas.put(0, 0, width, &text::cell(id, LONGEST), Tone::Head);
    let Some(device) = board.fleet().devices().get(id) else {
        canvas.put(0, 1, width, "it is gone", Tone::Soft);
        return;
    };
    let ago = |then| text::age(now.saturating_duration_since(then));
    let status = device.status.words();
    let status = match device.since {
        Some(since) => format!("{status} for {}", ago(since)),
        None => status.to_owned(),
    };
    let facts = format!("{status}, last seen {} ago", ago(device.seen));
    canvas.put(0, 1, width, &facts, tone(device));
    let name = (width / 3).clamp(8, 30);
    let room = usize::from(canvas.area.height.saturating_sub(2));
    *scrolled = (*scrolled).min(device.values.len().saturating_sub(room));
    let lines = device.values.iter().skip(*scrolled).take(room);
    for (y, (metric, value)) in lines.enumerate() {
        let y = y as u16 + 2;
        canvas.put(0, y, name, &text::cell(metric, LONGEST), Tone::Topic);
        let age = ago(value.updated);
        canvas.put(name + 1, y, 5, &format!("{age:>4}"), Tone::Soft);
        canvas.put(name + 7, y, width, &value.text, Tone::Plain);
    }
}
