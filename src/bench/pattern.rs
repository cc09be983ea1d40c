//! Names with places: topics such as `fleet/{client}/data`, `t/{seq}`, `{group}`, and AMQP's names and keys.

use crate::error::{Error, Result};

/// A user name with `{client}` filled in; other braces are text.
pub(crate) fn user_name(text: &str, client: usize) -> String {
    text.replace("{client}", &client.to_string())
}

/// A topic or filter with places to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// The number of the client among its like.
    Client,
    /// The number of the message of its client.
    Sequence,
    /// The number of the client within its group: the client's number modulo the number of groups.
    Group,
}

impl Pattern {
    /// Reads `text` with `{client}`, `{seq}` and `{group}`; other braces are text.
    ///
    /// # Errors
    /// An unknown word in braces.
    pub fn parse(text: &str) -> Result<Self> {
        Self::read("topic", text, "group")
    }

    /// Reads an AMQP name or key with `{client}`, `{seq}` and `{queue}`, which is filled in as a group; `what` it is.
    ///
    /// # Errors
    /// An unknown word in braces.
    pub fn parse_key(what: &str, text: &str) -> Result<Self> {
        Self::read(what, text, "queue")
    }

    fn read(what: &str, text: &str, group: &str) -> Result<Self> {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((before, behind)) = rest.split_once('{') {
            let Some((word, behind)) = behind.split_once('}') else {
                break;
            };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(match word {
                "client" => Piece::Client,
                "seq" => Piece::Sequence,
                word if word == group => Piece::Group,
                _ => {
                    return Err(Error::usage(format!(
                        "{what} {text:?}: unknown placeholder {{{word}}}"
                    ))
                    .hint(format!(
                        "the placeholders are {{client}}, {{seq}} and {{{group}}}"
                    )));
                }
            });
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// Whether each message has a topic of its own.
    pub fn counts(&self) -> bool {
        self.0.contains(&Piece::Sequence)
    }

    /// Whether each client has a topic of its own.
    pub fn differs(&self) -> bool {
        self.0.contains(&Piece::Client)
    }

    /// Whether topics go by group.
    pub fn groups(&self) -> bool {
        self.0.contains(&Piece::Group)
    }

    /// The same pattern with `{group}` filled in.
    #[must_use]
    pub fn of_group(&self, group: usize) -> Self {
        let fill = |piece: &Piece| match piece {
            Piece::Group => Piece::Text(group.to_string()),
            other => other.clone(),
        };
        Self(self.0.iter().map(fill).collect())
    }

    /// The same pattern with more at its end, which may be `/response/{client}` and the like.
    #[must_use]
    pub(super) fn with(&self, more: &str) -> Self {
        let mut pieces = self.0.clone();
        // What is added here is known to be well formed.
        pieces.extend(Self::parse(more).map(|more| more.0).unwrap_or_default());
        Self(pieces)
    }

    /// The topic of message `sequence` of client `client`.
    pub fn fill(&self, client: usize, sequence: u64) -> String {
        self.text(&client.to_string(), &sequence.to_string())
    }

    /// A filter that matches all messages of client `client`, or with `None` of all clients.
    pub fn filter(&self, client: Option<usize>) -> String {
        let client = client.map_or_else(|| String::from("+"), |client| client.to_string());
        self.text(&client, "+")
    }

    /// A binding key of a topic exchange that matches all messages of all clients (a word may be any).
    pub fn binding(&self) -> String {
        self.text("*", "*")
    }

    fn text(&self, client: &str, sequence: &str) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Client => client.to_owned(),
            Piece::Sequence => sequence.to_owned(),
            Piece::Group => String::from("0"),
        };
        self.0.iter().map(piece).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_in() {
        let pattern = Pattern::parse("f/{client}/{seq}/{x").unwrap();
        assert_eq!(pattern.fill(3, 9), "f/3/9/{x");
        assert_eq!(pattern.filter(None), "f/+/+/{x");
        assert_eq!(pattern.filter(Some(4)), "f/4/+/{x");
        assert!(pattern.counts() && pattern.differs() && !pattern.groups());
        let grouped = Pattern::parse("g{group}/t").unwrap();
        assert_eq!(grouped.of_group(7).fill(0, 0), "g7/t");
    }

    #[test]
    fn unknown_words_are_refused() {
        let error = Pattern::parse("a/{device}").unwrap_err();
        assert_eq!(
            error.text(),
            "topic \"a/{device}\": unknown placeholder {device}"
        );
    }
}
