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
            known
                .trim()
                .eq_ignore_ascii_case(name)
                .then_some(value.trim())
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
    }
}
