//! Characters that drive terminals, and how they are made visible.

/// Whether a character is a control, or one of those that show text in another order than it has (Unicode's bidirectional
/// formatting characters, UAX #9) or break a line where nobody expects it (U+2028, U+2029).
pub(crate) const fn drives_terminal(letter: char) -> bool {
    matches!(
        letter,
        '\0'..='\x1f'
            | '\x7f'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}

/// Appends a byte as `\x1b`.
pub(crate) fn push_byte(byte: u8, into: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    into.push_str("\\x");
    into.push(char::from(DIGITS[usize::from(byte >> 4)]));
    into.push(char::from(DIGITS[usize::from(byte & 15)]));
}
