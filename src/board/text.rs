//! Words for cells: of one line, as wide as they should be, and numbers as people read them.

use std::time::Duration;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::payload::visible::{drives_terminal, push_byte};

/// Text as it can stand in a cell: in one line, without what drives terminals, and not longer than so many characters.
pub fn cell(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    for (at, letter) in text.chars().enumerate() {
        if at >= longest {
            shown.push('…');
            break;
        }
        match drives_terminal(letter) {
            true => letter
                .encode_utf8(&mut [0; 4])
                .bytes()
                .for_each(|byte| push_byte(byte, &mut shown)),
            false => shown.push(letter),
        }
    }
    shown
}

/// The beginning of a payload as it can stand in a cell.
pub fn payload(bytes: &[u8], longest: usize) -> String {
    // No letter has more bytes.
    let bytes = &bytes[..bytes.len().min(4 * longest + 4)];
    let mut shown = String::new();
    for chunk in bytes.utf8_chunks() {
        shown.push_str(&cell(chunk.valid(), longest));
        chunk
            .invalid()
            .iter()
            .for_each(|byte| push_byte(*byte, &mut shown));
    }
    cell(&shown, longest)
}

/// How many columns it takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// As many letters as fit into so many columns, with a sign where some are missing.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut taken = 0;
    for letter in text.chars() {
        let wide = letter.width().unwrap_or(0);
        if taken + wide + 1 > columns {
            break;
        }
        taken += wide;
        shown.push(letter);
    }
    if columns > 0 {
        shown.push('…');
    }
    shown
}

/// The same, filled up with blanks.
pub fn fit(text: &str, columns: usize) -> String {
    let mut shown = cut(text, columns);
    let missing = columns.saturating_sub(width(&shown));
    shown.extend(std::iter::repeat_n(' ', missing));
    shown
}

/// The lines of a text in so many columns, broken at blanks, and a longer word anywhere.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let (mut lines, mut line, mut taken) = (Vec::new(), String::new(), 0);
    for word in text.split_inclusive(' ') {
        if taken > 0 && taken + width(word.trim_end()) > columns {
            lines.push(std::mem::take(&mut line));
            taken = 0;
        }
        for letter in word.chars() {
            let wide = letter.width().unwrap_or(0);
            if taken > 0 && taken + wide > columns {
                if letter == ' ' {
                    continue;
                }
                lines.push(std::mem::take(&mut line));
                taken = 0;
            }
            line.push(letter);
            taken += wide;
        }
    }
    lines.push(line);
    lines
}

/// `4s`, `12m`, `3h`, `2d`.
pub fn age(passed: Duration) -> String {
    let seconds = passed.as_secs();
    match seconds {
        0..100 => format!("{seconds}s"),
        100..6_000 => format!("{}m", seconds / 60),
        6_000..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// `0.2`, `12`, `3.4k`.
pub fn number(value: f64) -> String {
    match value {
        _ if value < 0.05 => String::from("0"),
        _ if value < 9.95 => format!("{value:.1}"),
        _ if value < 9_999.5 => format!("{value:.0}"),
        _ if value < 999_950.0 => format!("{:.0}k", value / 1e3),
        _ => format!("{:.1}M", value / 1e6),
    }
}

/// `12 B`, `3.4 kB`.
pub fn bytes(value: f64) -> String {
    match value {
        _ if value < 999.5 => format!("{value:.0} B"),
        _ if value < 9_950.0 => format!("{:.1} kB", value / 1e3),
        _ if value < 999_500.0 => format!("{:.0} kB", value / 1e3),
        _ => format!("{:.1} MB", value / 1e6),
    }
}

/// `1 device`, `2 devices`.
pub fn count(number: usize, word: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {word}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_one_line_without_controls() {
        assert_eq!(
            cell("a\x1b[2J\nb\u{202e}c", 80),
            "a\\x1b[2J\\x0ab\\xe2\\x80\\xaec"
        );
        assert_eq!(cell("abcdef", 3), "abc…");
        assert_eq!(payload(b"ab\xff\x00", 80), "ab\\xff\\x00");
        assert_eq!(payload("é".repeat(200).as_bytes(), 4), "éééé…");
    }

    #[test]
    fn wide_letters_take_two_columns() {
        assert_eq!(width("温度"), 4);
        assert_eq!(fit("温度計", 4), "温… ");
        assert_eq!(fit("ab", 4), "ab  ");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut("abcdef", 4), "abc…");
    }

    #[test]
    fn numbers_are_short() {
        let age = |seconds| age(Duration::from_secs(seconds));
        assert_eq!(
            [age(0), age(99), age(100), age(7200), age(172_800)],
            ["0s", "99s", "1m", "2h", "2d"]
        );
        assert_eq!(
            [0.0, 0.25, 12.3, 9_999.0, 52_300.0, 1.2e6].map(number),
            ["0", "0.2", "12", "9999", "52k", "1.2M"]
        );
        assert_eq!(
            [0.0, 999.0, 1_200.0, 34_000.0, 2.5e6].map(bytes),
            ["0 B", "999 B", "1.2 kB", "34 kB", "2.5 MB"]
        );
        assert_eq!(count(1, "device"), "1 device");
    }

    #[test]
    fn texts_are_broken_at_blanks_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 8), ["one two ", "three"]);
        assert_eq!(wrap("one two", 7), ["one two"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh ", "ij"]);
        assert_eq!(wrap("温度温度", 5), ["温度", "温度"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("温", 1), ["温"]);
    }
}
