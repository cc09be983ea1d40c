//! Why messages failed, and how many of them for the same reason; pure.

/// As many reasons are told apart.
const MOST: usize = 8;

/// Counts by reason.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    known: Vec<Reason>,
    /// For reasons that there was no room for.
    others: u64,
}

#[derive(Debug)]
struct Reason {
    /// Of the first: which message, and why.
    first: String,
    count: u64,
}

impl Reasons {
    /// One more failed, as these words say, which name the message before the reason.
    pub(super) fn count(&mut self, words: &str) {
        let mut known = self.known.iter();
        match known.position(|it| reason(&it.first) == reason(words)) {
            Some(at) => self.known[at].count += 1,
            None if self.known.len() < MOST => self.known.push(Reason {
                first: words.to_owned(),
                count: 1,
            }),
            None => self.others += 1,
        }
    }

    /// A line for each reason, unless the first alone says all.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |reason: &Reason| match reason.count {
            1 => reason.first.clone(),
            count => format!("{}, and {} more like it", reason.first, count - 1),
        };
        let mut lines: Vec<String> = self.known.iter().map(line).collect();
        if self.others > 0 {
            lines.push(format!("{} more failed for other reasons", self.others));
        }
        lines
    }
}

/// What stands behind the name of the message.
fn reason(words: &str) -> &str {
    words.rsplit(": ").next().unwrap_or(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_told_with_its_first_message_and_its_count() {
        let mut reasons = Reasons::default();
        for words in [
            "s refused a: too large",
            "s refused b: no",
            "s refused c: too large",
        ] {
            reasons.count(words);
        }
        let expected = [
            "s refused a: too large, and 1 more like it",
            "s refused b: no",
        ];
        assert_eq!(reasons.lines(), expected);
        (0..MOST).for_each(|number| reasons.count(&format!("x: {number}")));
        assert_eq!(reasons.lines().len(), MOST + 1);
        assert_eq!(reasons.lines()[MOST], "2 more failed for other reasons");
    }
}
