//! Keys by what they are for.

use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What `?` shows: keys, and what they do.
pub(super) const HELP: &[(&str, &str)] = &[
    ("1 2 3 4, Tab", "topics, devices, alerts, $SYS"),
    ("↑ ↓ PgUp PgDn Home End", "move"),
    (
        "→ ←, Enter",
        "open and close a level; Enter shows a topic or device in detail",
    ),
    (
        "s",
        "sort: topics by name, rate, bytes, age, messages; devices by id, status, last seen, each metric",
    ),
    ("/", "search topics and values"),
    ("f", "filter by a condition, such as /value > 30"),
    ("g", "graph of a number: the JSON pointer"),
    ("p", "pause: what is shown stands still"),
    ("P", "publish a message"),
    ("D", "remove the retained messages of a topic and below"),
    ("w", "record to a file, or stop that"),
    ("Esc", "close, and forget search and filter"),
    ("q, Ctrl-C", "quit"),
];

/// Whether it asks to suspend the program (Ctrl-Z).
pub(super) fn is_suspend(key: &KeyEvent) -> bool {
    is_control(key, 'z')
}

/// Whether it is Ctrl and this letter.
pub(super) fn is_control(key: &KeyEvent, letter: char) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char(letter)
}
