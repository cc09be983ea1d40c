//! Reads conditions.

use std::ops::Range;
use std::sync::Arc;

use super::{Comparison, Filter, Form, Node, Subject, Test, number};

/// How deep parentheses may be nested, and `not` repeated.
const DEEPEST: usize = 100;

/// What an expression of jq begins with.
pub(crate) const JQ: &str = "jq:";

/// Reads a condition.
///
/// # Errors
/// What is wrong, and where, for one with more than one comparison.
pub(super) fn form(words: &str) -> Result<Form, String> {
    if let Some(code) = words.trim_start().strip_prefix(JQ) {
        let filter = Filter::compile(code.trim_start())?;
        return Ok(Form::Jq(filter, Arc::default()));
    }
    if !is_joined(words) {
        return test(words).map(Form::One).map_err(|fault| fault.why);
    }
    let mut parser = Parser {
        words,
        at: 0,
        depth: 0,
    };
    let node = parser.any().and_then(|node| match parser.peek() {
        None => Ok(node),
        Some(')') => Err(parser.fault(
            parser.at,
            "\")\" closes nothing; a value with parentheses is written in quotes",
        )),
        Some(_) => Err(parser.expected("and, or or the end is expected")),
    });
    match node {
        Ok(Node::Test(test)) => Ok(Form::One(test)),
        Ok(node) => Ok(Form::Tree(Box::new(node))),
        Err(fault) => {
            let column = words[..fault.at].chars().count() + 1;
            Err(format!("column {column}: {}", fault.why))
        }
    }
}

/// What is wrong, at which byte.
struct Fault {
    at: usize,
    why: String,
}

/// Whether it is more than one comparison.
fn is_joined(words: &str) -> bool {
    let begins = words.trim_start();
    let opens = ["(", "not(", "NOT(", "exists(", "changed("]
        .iter()
        .any(|it| begins.starts_with(it));
    opens || word(begins) == "not" || clause(words, false).is_some_and(|end| end < words.len())
}

/// The letters that a text begins with.
fn word(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_ascii_alphabetic());
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    let ends = rest
        .chars()
        .next()
        .is_none_or(|next| next.is_whitespace() || matches!(next, '(' | ')'));
    if ends { word } else { "" }
}

/// Where a comparison ends: before `and`, `or` or, with `parentheses`, one that closes what the comparison did not open.
/// `None`: in the middle of a text in quotes.
fn clause(text: &str, parentheses: bool) -> Option<usize> {
    let (mut depth, mut before) = (0usize, ' ');
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        let begins = before.is_whitespace();
        match letter {
            '"' if begins || matches!(before, '=' | '<' | '>') => loop {
                match letters.next()?.1 {
                    '"' => break,
                    '\\' => drop(letters.next()?),
                    _ => {}
                }
            },
            '(' if parentheses => depth += 1,
            ')' if parentheses && depth == 0 => return Some(at),
            ')' if parentheses => depth -= 1,
            'a' | 'o' if begins && depth == 0 && matches!(word(&text[at..]), "and" | "or") => {
                return Some(at);
            }
            _ => {}
        }
        before = letter;
    }
    Some(text.len())
}

/// Reads one comparison; places are counted from its beginning.
fn test(words: &str) -> Result<Test, Fault> {
    let fault = |part: &str, why: String| Fault {
        // A part of a text begins in it.
        at: part.as_ptr() as usize - words.as_ptr() as usize,
        why,
    };
    if words.trim_start().starts_with("select(") {
        let why = String::from("an expression of jq begins with jq:, as 'jq: .temp > 3'");
        return Err(fault(words, why));
    }
    if first(words) == "NOT" {
        return Err(fault(words, String::from("write not instead of NOT")));
    }
    let Some((at, sign, comparison)) = Comparison::find(words) else {
        let hint = match words.contains('=') {
            true => "; write == instead of =",
            false => "",
        };
        let why = format!("{words:?} has none of ==, !=, <, <=, >, >= and contains{hint}");
        return Err(fault(words, why));
    };
    let (subject, value) = (words[..at].trim(), words[at + sign.len()..].trim());
    let given = value;
    if let Some(why) = misread(value) {
        return Err(fault(given, why));
    }
    let subject: Subject = subject.parse().map_err(|why| {
        let why = format!("{why}{}", meant(subject));
        fault(subject, why)
    })?;
    let mut value = unquoted(value).map_err(|why| fault(given, why))?;
    let ordered = !matches!(
        comparison,
        Comparison::Equal | Comparison::Unequal | Comparison::Contains
    );
    if subject == Subject::Age && number(&value).is_none() {
        let duration = humantime::parse_duration(&value);
        let why = |_| {
            fault(
                given,
                format!("{value:?} is neither seconds nor a time such as 5m"),
            )
        };
        value = duration.map_err(why)?.as_secs_f64().to_string();
    }
    if ordered && number(&value).is_none() {
        let why = format!("{value:?} is not a number, which {sign} needs");
        return Err(fault(given, why));
    }
    Ok(Test {
        subject,
        comparison,
        value,
    })
}

/// How others join conditions, and how it is done here.
const JOINTS: [(&str, &str); 4] = [("&&", "and"), ("||", "or"), ("AND", "and"), ("OR", "or")];

/// What is wrong with a value that others would take for something else than a text; as a text it would never be met.
fn misread(value: &str) -> Option<String> {
    if let Some(text) = value.strip_prefix('\'')
        && let Some(text) = text.strip_suffix('\'')
    {
        return Some(format!("write {text:?} in double quotes"));
    }
    // What stands behind a text in quotes.
    let rest = match value.starts_with('"') {
        true => quoted(value).map_or("", |end| &value[end..]),
        false => value,
    };
    let is_there = |sign: &str| match sign.starts_with(char::is_alphabetic) {
        true => rest.split_whitespace().any(|word| word == sign),
        false => rest.contains(sign),
    };
    let (sign, word) = JOINTS.into_iter().find(|(sign, _)| is_there(sign))?;
    Some(format!(
        "write {word} instead of {sign}; quote a value that contains it"
    ))
}

/// Where the text in quotes ends that `text` begins with.
fn quoted(text: &str) -> Option<usize> {
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some(at + 1),
            '\\' => drop(letters.next()?),
            _ => {}
        }
    }
    None
}

/// The first word.
fn first(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

/// What was probably meant by something that is no subject.
fn meant(subject: &str) -> String {
    let (name, assigned) = match subject.split_once('=') {
        Some((name, _)) => (name.trim(), true),
        None => (subject, false),
    };
    let path = name.trim_start_matches('.').replace('.', "/");
    let path = path.strip_prefix("payload/").unwrap_or(&path);
    let is_path = path.split('/').all(|part| {
        let mut letters = part.chars();
        !part.is_empty() && letters.all(|it| it.is_alphanumeric() || matches!(it, '_' | '-'))
    });
    match (is_path, assigned) {
        (_, true) => String::from("; write == instead of ="),
        (true, false) => format!("; a value of a JSON payload is /{path}"),
        (false, false) => String::new(),
    }
}

fn unquoted(value: &str) -> Result<String, String> {
    if value.starts_with('"') {
        return serde_json::from_str(value).map_err(|_| format!("{value} is not a JSON string"));
    }
    Ok(value.to_owned())
}

/// Reads comparisons that are joined.
struct Parser<'a> {
    words: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn fault(&self, at: usize, why: impl Into<String>) -> Fault {
        let why = why.into();
        Fault { at, why }
    }

    /// Something else is expected here, but perhaps how others say it is there.
    fn expected(&mut self, what: &str) -> Fault {
        self.peek();
        let rest = &self.words[self.at..];
        let is_next = |sign: &str| match sign.starts_with(char::is_alphabetic) {
            true => word(rest) == sign,
            false => rest.starts_with(sign),
        };
        let joint = JOINTS.into_iter().find(|(sign, _)| is_next(sign));
        match joint {
            Some((sign, word)) => self.fault(self.at, format!("write {word} instead of {sign}")),
            None => self.fault(self.at, what),
        }
    }

    /// The next letter that is no space.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.words[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.words[self.at..].chars().next()
    }

    /// Steps over a word, if it comes next.
    fn takes(&mut self, wanted: &str) -> bool {
        self.peek();
        let found = word(&self.words[self.at..]) == wanted;
        self.at += if found { wanted.len() } else { 0 };
        found
    }

    fn any(&mut self) -> Result<Node, Fault> {
        self.joined("or", Self::all, Node::Any)
    }

    fn all(&mut self) -> Result<Node, Fault> {
        self.joined("and", Self::term, Node::All)
    }

    fn joined(
        &mut self,
        by: &str,
        one: impl Fn(&mut Self) -> Result<Node, Fault>,
        join: impl Fn(Vec<Node>) -> Node,
    ) -> Result<Node, Fault> {
        let first = one(self)?;
        let mut more = Vec::new();
        while self.takes(by) {
            self.not_over(by)?;
            more.push(one(self)?);
        }
        if more.is_empty() {
            return Ok(first);
        }
        more.insert(0, first);
        Ok(join(more))
    }

    /// Something must follow a word.
    fn not_over(&mut self, word: &str) -> Result<(), Fault> {
        match self.peek() {
            Some(letter) if letter != ')' => Ok(()),
            _ => Err(self.fault(self.at, format!("a condition is missing after {word:?}"))),
        }
    }

    fn deeper<T>(&mut self, of: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth == DEEPEST {
            let why = format!("more than {DEEPEST} parentheses are open");
            return Err(self.fault(self.at, why));
        }
        self.depth += 1;
        let read = of(self);
        self.depth -= 1;
        read
    }

    fn term(&mut self) -> Result<Node, Fault> {
        self.peek();
        let (start, rest) = (self.at, &self.words[self.at..]);
        if rest.starts_with('(') {
            return self.deeper(|it| {
                it.at += 1;
                let inner = it.any()?;
                it.close(start)?;
                Ok(inner)
            });
        }
        for (name, node) in [
            ("exists", Node::Exists as fn(Subject) -> Node),
            ("changed", Node::Changed),
        ] {
            if let Some(opened) = rest.strip_prefix(name)
                && opened.starts_with('(')
            {
                self.at += name.len();
                return self.argument().map(node);
            }
        }
        if word(rest) == "NOT" {
            return Err(self.fault(start, "write not instead of NOT"));
        }
        if self.takes("not") {
            self.not_over("not")?;
            return self.deeper(Self::term).map(|it| Node::Not(Box::new(it)));
        }
        self.comparison()
    }

    /// Steps over the parenthesis that closes the one at `opened`.
    fn close(&mut self, opened: usize) -> Result<(), Fault> {
        match self.peek() {
            Some(')') => {
                self.at += 1;
                Ok(())
            }
            None => Err(self.fault(opened, "the parenthesis is not closed")),
            Some(_) => Err(self.expected("and, or or ) is expected")),
        }
    }

    /// A subject in parentheses.
    fn argument(&mut self) -> Result<Subject, Fault> {
        let opened = self.at;
        let Some(length) = self.words[opened..].find(')') else {
            return Err(self.fault(opened, "the parenthesis is not closed"));
        };
        self.at += 1;
        self.peek();
        let end = opened + length;
        let subject = self.words[self.at.min(end)..end].trim_end();
        let subject = subject
            .parse()
            .map_err(|why: String| self.fault(self.at, why))?;
        self.at = end + 1;
        Ok(subject)
    }

    fn comparison(&mut self) -> Result<Node, Fault> {
        let Range { start, end } = self.clause()?;
        let words = self.words[start..end].trim_end();
        self.at = end;
        if words.is_empty() {
            return Err(match word(&self.words[start..]) {
                "" => self.fault(start, "a condition is missing"),
                next => self.fault(start, format!("a condition is missing before {next:?}")),
            });
        }
        let joined = &self.words[..start];
        let follows = ["and", "or"]
            .iter()
            .any(|it| joined.trim_end().ends_with(it));
        test(words).map(Node::Test).map_err(|fault| {
            let hint = match fault.at == 0
                && follows
                && Comparison::find(words).is_none()
                && !words.starts_with(['/', '{'])
            {
                true => "; a value with and or or is written in quotes",
                false => "",
            };
            self.fault(start + fault.at, format!("{}{hint}", fault.why))
        })
    }

    /// Where the next comparison stands.
    fn clause(&self) -> Result<Range<usize>, Fault> {
        let rest = &self.words[self.at..];
        match clause(rest, true) {
            Some(length) => Ok(self.at..self.at + length),
            None => {
                let quote = rest.rfind('"').unwrap_or_default();
                Err(self.fault(self.at + quote, "the quotation mark is not closed"))
            }
        }
    }
}
