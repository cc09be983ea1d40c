//! The head of a request, as far as it matters.

/// What is asked for.
pub(crate) struct Request<'a> {
    method: &'a str,
    /// Without what follows `?`.
    pub(crate) path: &'a str,
    query: &'a str,
    head: &'a str,
}

impl<'a> Request<'a> {
    /// Reads a head; what is none asks for nothing that there is.
    pub(super) fn read(head: &'a str) -> Self {
        let mut words = head.split_ascii_whitespace();
        let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method,
            path,
            query,
            head,
        }
    }

    /// Whether only the head of the answer is wanted.
    pub(super) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// Whether it changes nothing.
    pub(super) fn is_read(&self) -> bool {
        matches!(self.method, "GET" | "HEAD")
    }

    /// What is wrong with its fields (RFC 9112 §5): others might read them in another way.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let end = self.head.find("\r\n\r\n").unwrap_or(self.head.len());
        let mut lines = self.head[..end].split("\r\n").skip(1);
        lines.find_map(|line| match line.split_once(':') {
            _ if line.starts_with([' ', '\t']) => Some("a header field is folded\n"),
            _ if line.contains(['\r', '\n', '\0']) => Some("a header field has a line break\n"),
            None => Some("a header field has no colon\n"),
            Some((name, _)) if name.is_empty() || name.contains([' ', '\t']) => {
                Some("a header field has no name, or a space in it\n")
            }
            Some(_) => None,
        })
    }

    /// A field of the head.
    pub(super) fn field(&self, name: &str) -> Option<&'a str> {
        self.fields(name).next()
    }

    /// How often a field is there.
    pub(super) fn count(&self, name: &str) -> usize {
        self.fields(name).count()
    }

    fn fields(&self, name: &str) -> impl Iterator<Item = &'a str> {
        let lines = self.head.split("\r\n").skip(1);
        let fields = lines.filter_map(|line| line.split_once(':'));
        fields.filter_map(move |(known, value)| {
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// What the query says of something.
    pub(super) fn query(&self, name: &str) -> Option<&'a str> {
        let mut pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(known, value)| (known == name).then_some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_a_path_a_query_and_fields() {
        let request = Request::read(
            "GET /a?token=x&y=1 HTTP/1.1\r\nHost: h:1\r\nauthorization:Bearer t\r\n\r\n",
        );
        assert_eq!(request.path, "/a");
        assert_eq!(request.query("y"), Some("1"));
        assert_eq!(request.query("z"), None);
        assert_eq!(request.field("host"), Some("h:1"));
        assert_eq!(request.field("Authorization"), Some("Bearer t"));
        assert!(request.is_read() && !request.is_head());
        assert!(!Request::read("").is_read());
        assert_eq!((request.fault(), Request::read("").fault()), (None, None));
    }

    #[test]
    fn fields_that_others_read_in_another_way_are_wrong() {
        for (fields, why) in [
            ("host: h\r\n folded\r\n", "folded"),
            ("host: h\r\n\tfolded: 1\r\n", "folded"),
            ("host : h\r\n", "a space in it"),
            (": h\r\n", "no name"),
            ("host\r\n", "no colon"),
            ("a: b\nhost: h\r\n", "line break"),
        ] {
            let head = format!("GET / HTTP/1.1\r\n{fields}\r\n");
            let fault = Request::read(&head).fault().unwrap_or_default();
            assert!(fault.contains(why), "{fields:?}: {fault}");
        }
    }
}
