//! The operators of `--filter`, `--until`, `--expect` and `--assert`.

/// How a value is compared with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `contains`, of texts
    Contains,
}

/// Two letters stand before one, so that `<=` is not read as `<`.
const SIGNS: [(&str, Comparison); 7] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::Unequal),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    (" contains ", Comparison::Contains),
];

impl Comparison {
    /// Where the first operator of an expression stands, how it is written, and which it is.
    pub(crate) fn find(expression: &str) -> Option<(usize, &'static str, Self)> {
        let places = SIGNS
            .iter()
            .filter_map(|(sign, comparison)| Some((expression.find(sign)?, *sign, *comparison)));
        // Of two at one place the longer one, which stands first in the table. What begins with another sign, such as =<, is
        // none of them.
        places
            .min_by_key(|(at, ..)| *at)
            .filter(|(at, ..)| !expression[..*at].ends_with(['=', '!', '<', '>']))
    }

    /// Whether `found` compares so with `value`; nothing but a text contains anything.
    pub(crate) fn holds<T: PartialOrd>(self, found: &T, value: &T) -> bool {
        match self {
            Self::Equal => found == value,
            Self::Unequal => found != value,
            Self::Less => found < value,
            Self::AtMost => found <= value,
            Self::Greater => found > value,
            Self::AtLeast => found >= value,
            Self::Contains => false,
        }
    }
}
