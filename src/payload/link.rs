//! Link-format (RFC 6690): what `/.well-known/core` answers.

use std::fmt::Write as _;

/// One link: a target and its attributes in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Link {
    /// What stands between `<` and `>`, as written.
    pub target: String,
    /// Names and values; `obs` has no value. Quotes are taken off.
    pub attributes: Vec<(String, Option<String>)>,
}

/// Where a text stops being link-format, in bytes from its start, and what was expected there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no link-format at byte {at}: {expected} expected")]
pub struct BadLink {
    /// The place.
    pub at: usize,
    /// What should have been there.
    pub expected: &'static str,
}

impl Link {
    /// A link without attributes.
    pub fn new(target: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            attributes: Vec::new(),
        }
    }

    /// The same link with one more attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), Some(value.into())));
        self
    }

    /// The same link with an attribute that has no value.
    #[must_use]
    pub fn flagged(mut self, name: &str) -> Self {
        self.attributes.push((name.into(), None));
        self
    }

    /// Whether there is an attribute of this name.
    pub fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|(other, _)| other == name)
    }

    /// The first value of this name; RFC 6690 allows most names once only.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut named = self.attributes.iter().filter(|(other, _)| other == name);
        named.next().and_then(|(_, value)| value.as_deref())
    }

    /// The space-separated words of an attribute: `rt="Type1 Type2"`.
    pub fn words(&self, name: &str) -> impl Iterator<Item = &str> {
        self.attributes
            .iter()
            .filter(move |(other, _)| other == name)
            .flat_map(|(_, value)| {
                value
                    .as_deref()
                    .unwrap_or_default()
                    .split_ascii_whitespace()
            })
    }

    /// The content formats of `ct`, quoted or not.
    pub fn formats(&self) -> Vec<u16> {
        self.words("ct").filter_map(|it| it.parse().ok()).collect()
    }

    fn write_to(&self, text: &mut String) {
        // Writing to a String cannot fail.
        let _ = write!(text, "<{}>", self.target);
        for (name, value) in &self.attributes {
            let _ = write!(text, ";{name}");
            match value {
                None => {}
                Some(value) if is_number(name, value) => {
                    let _ = write!(text, "={value}");
                }
                Some(value) => {
                    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                    let _ = write!(text, "=\"{value}\"");
                }
            }
        }
    }
}

fn is_number(name: &str, value: &str) -> bool {
    matches!(name, "ct" | "sz") && !value.is_empty() && value.bytes().all(|it| it.is_ascii_digit())
}

/// Writes links, separated by commas.
pub fn write(links: &[Link]) -> String {
    let mut text = String::new();
    for (at, link) in links.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        link.write_to(&mut text);
    }
    text
}

/// Reads links. Space around separators is allowed, empty list elements too.
///
/// # Errors
/// The place where it is not link-format.
pub fn parse(text: &str) -> Result<Vec<Link>, BadLink> {
    let mut reader = Reader { text, at: 0 };
    let mut links = Vec::new();
    loop {
        while reader.skip(',') {}
        if reader.rest().is_empty() {
            return Ok(links);
        }
        links.push(reader.link()?);
        if !reader.rest().is_empty() && !reader.skip(',') {
            return Err(reader.expected("a comma"));
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// What is left, from the next letter that is not space.
    fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    fn skip(&mut self, letter: char) -> bool {
        let found = self.rest().starts_with(letter);
        self.at += if found { letter.len_utf8() } else { 0 };
        found
    }

    const fn expected(&self, expected: &'static str) -> BadLink {
        BadLink {
            at: self.at,
            expected,
        }
    }

    fn link(&mut self) -> Result<Link, BadLink> {
        if !self.skip('<') {
            return Err(self.expected("<"));
        }
        let rest = &self.text[self.at..];
        let Some(end) = rest.find('>') else {
            return Err(self.expected("a closing >"));
        };
        let mut link = Link::new(&rest[..end]);
        self.at += end + 1;
        while self.skip(';') {
            link.attributes.push(self.attribute()?);
        }
        Ok(link)
    }

    fn attribute(&mut self) -> Result<(String, Option<String>), BadLink> {
        let name = self.until(&['=', ';', ',', ' ', '"', '<']);
        if name.is_empty() {
            return Err(self.expected("an attribute's name"));
        }
        if !self.skip('=') {
            return Ok((name.into(), None));
        }
        if self.skip('"') {
            return Ok((name.into(), Some(self.quoted()?)));
        }
        // Such as `x<y`: a ptoken has all but these and space (§2).
        let value = self.until(&[';', ',', ' ', '"', '\\']);
        if value.is_empty() {
            return Err(self.expected("an attribute's value"));
        }
        Ok((name.into(), Some(value.into())))
    }

    fn until(&mut self, ends: &[char]) -> &'a str {
        let rest = self.rest();
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    fn quoted(&mut self) -> Result<String, BadLink> {
        let mut value = String::new();
        let mut letters = self.text[self.at..].char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.at += at + 1;
                    return Ok(value);
                }
                '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
                _ => value.push(letter),
            }
        }
        self.at = self.text.len();
        Err(self.expected("a closing quote"))
    }
}

/// A filter of `/.well-known/core?NAME=VALUE` (RFC 6690 §4.1); a `*` at the end matches any rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    name: String,
    value: String,
    prefix: bool,
}

impl Filter {
    /// From a query argument: `rt=Type1`, `href=/link*`; a name alone asks for the attribute's presence.
    pub fn parse(argument: &str) -> Self {
        let (name, value) = argument.split_once('=').unwrap_or((argument, "*"));
        Self {
            name: name.into(),
            value: value.strip_suffix('*').unwrap_or(value).into(),
            prefix: value.ends_with('*'),
        }
    }

    /// Whether the link has what is asked for: `href` is its target, any word of a list counts.
    pub fn matches(&self, link: &Link) -> bool {
        if self.name == "href" {
            return self.fits(&link.target);
        }
        let values = link
            .attributes
            .iter()
            .filter(|(name, _)| *name == self.name);
        values.into_iter().any(|(_, value)| {
            let value = value.as_deref().unwrap_or_default();
            self.fits(value) || value.split_ascii_whitespace().any(|word| self.fits(word))
        })
    }

    fn fits(&self, value: &str) -> bool {
        if self.prefix {
            value.starts_with(&self.value)
        } else {
            value == self.value
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        r#"</a>;rt="Type1 Type2";if="If1";sz=10, </b,c>;title="a \"b\", c;d";ct="40 0";obs,<>"#;

    #[test]
    fn quotes_commas_and_lists_are_read() {
        let links = parse(TEXT).expect("parses");
        assert_eq!(links.len(), 3);
        assert_eq!(links[0].words("rt").collect::<Vec<_>>(), ["Type1", "Type2"]);
        assert_eq!(links[1].target, "/b,c");
        assert_eq!(links[1].attribute("title"), Some("a \"b\", c;d"));
        assert_eq!(links[1].formats(), [40, 0]);
        assert!(links[1].has("obs") && links[1].attribute("obs").is_none());
        assert_eq!(links[2], Link::new(""));
    }

    #[test]
    fn what_is_written_is_read() {
        let links = parse(TEXT).expect("parses");
        assert_eq!(parse(&write(&links)), Ok(links));
        let one = [Link::new("/x")
            .with("ct", "40")
            .with("rt", "a")
            .flagged("obs")];
        assert_eq!(write(&one), r#"</x>;ct=40;rt="a";obs"#);
        assert_eq!(parse(""), Ok(vec![]));
    }

    #[test]
    fn both_spellings_of_ct_are_read() {
        for text in [r#"</a>;ct="40""#, "</a>;ct=40"] {
            assert_eq!(parse(text).expect(text)[0].formats(), [40]);
        }
    }

    #[test]
    fn a_value_without_quotes_has_all_letters_of_a_ptoken() {
        let links = parse("</a>;rt=x<y;if=a>b|c,</b>").expect("parses");
        assert_eq!(links[0].attribute("rt"), Some("x<y"));
        assert_eq!(links[0].attribute("if"), Some("a>b|c"));
        assert_eq!(links.len(), 2);
    }

    #[test]
    fn what_is_no_link_format_says_where() {
        for (text, at) in [
            ("<>=\"", 2),
            ("<a", 1),
            ("a", 0),
            ("<a>;x=\"é", 9),
            ("<a>;", 4),
            ("<a>;x=", 6),
            ("<a> <b>", 4),
        ] {
            assert_eq!(parse(text).expect_err(text).at, at, "{text}");
        }
    }

    #[test]
    fn filters_select() {
        let links = parse(TEXT).expect("parses");
        let count = |argument: &str| {
            let filter = Filter::parse(argument);
            links.iter().filter(|link| filter.matches(link)).count()
        };
        assert_eq!(
            (
                count("rt=Type2"),
                count("rt=Type"),
                count("rt=Ty*"),
                count("rt=*")
            ),
            (1, 0, 1, 1)
        );
        assert_eq!(
            (
                count("if=If*"),
                count("sz=10"),
                count("ct=40"),
                count("obs")
            ),
            (1, 1, 1, 1)
        );
        assert_eq!(
            (count("href=/a"), count("href=/*"), count("foo=*")),
            (1, 2, 0)
        );
    }
}
