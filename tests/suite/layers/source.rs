//! A source file as the rules of the house see it: comments and texts blanked out, tests known.

use std::fs;
use std::path::{Path, PathBuf};

/// What stands before an item that is compiled for tests only.
const FOR_TESTS: [&str; 2] = ["#[cfg(test)]", "#[cfg(all(test"];

/// One file under `src/`.
pub(super) struct Source {
    /// As `src/room/file.rs`.
    pub(super) path: String,
    /// As it is.
    pub(super) text: String,
    /// With comments and the content of texts turned to spaces; every line stands where it stood.
    code: String,
    /// The same without what is compiled for tests only.
    product: String,
}

pub(super) struct Function {
    pub(super) name: String,
    /// Where `fn` stands, from 1.
    pub(super) line: usize,
    pub(super) lines: usize,
}

/// All files under `src/` that are not for tests only.
pub(super) fn all(root: &Path) -> Vec<Source> {
    let mut paths = Vec::new();
    collect(&root.join("src"), &mut paths);
    paths.sort();
    let relative = |path: &PathBuf| {
        path.strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    let read = |path: &PathBuf| Source::new(&relative(path), &fs::read_to_string(path).unwrap());
    let sources: Vec<_> = paths.iter().map(read).collect();
    let tests: Vec<String> = sources.iter().flat_map(Source::test_modules).collect();
    let for_tests = |path: &str| {
        let own = |module: &String| {
            path == format!("{module}.rs") || path.starts_with(&format!("{module}/"))
        };
        tests.iter().any(own)
    };
    sources
        .into_iter()
        .filter(|source| !for_tests(&source.path))
        .collect()
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let code = blank(text);
        let product = without_tests(&code);
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            product,
        }
    }

    /// The room that the file belongs to: `connect` for `src/connect/tls.rs`, `stop` for `src/stop.rs`.
    pub(super) fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let room = inside.split('/').next().unwrap_or(inside);
        room.strip_suffix(".rs").unwrap_or(room)
    }

    /// The first name of each path that begins at the crate's root, with its line: after `crate::`, and after as many
    /// `super::` as lead out of the room. Tests count too.
    pub(super) fn crate_paths(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let roots = self
            .code
            .match_indices("crate::")
            .map(|(at, start)| at + start.len());
        for rest in roots.chain(self.paths_out_of_the_room()) {
            let line = line_of(&self.code, rest);
            let rest = &self.code[rest..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(members(group).into_iter().map(|name| (line, name))),
                None => found.push((line, name(rest).to_owned())),
            }
        }
        found
    }

    /// Where a path goes on that has left the room by `super::`. Modules inside the file are not looked at: one step more
    /// is theirs.
    fn paths_out_of_the_room(&self) -> Vec<usize> {
        const STEP: &str = "super::";
        let depth = self.directory().matches('/').count();
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(at) = self.product[from..].find(STEP) {
            let start = from + at;
            let rest = self.product[start..].trim_start_matches(STEP);
            from = self.product.len() - rest.len();
            if (from - start) / STEP.len() >= depth {
                found.push(from);
            }
        }
        found
    }

    /// Whether the file is one of `places`, or lies in one that ends with `/`.
    pub(super) fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| {
            self.path == *place || place.ends_with('/') && self.path.starts_with(place)
        })
    }

    /// A complaint for each line of the product that contains one of `words`.
    pub(super) fn mentions(&self, words: &[&str], rule: &str) -> Vec<String> {
        let lines = self.lines_with(words).into_iter();
        lines
            .map(|line| format!("{}:{line}: {rule}", self.path))
            .collect()
    }

    /// The lines of the product, from 1, that contain one of `words`, not as the end of a longer name.
    pub(super) fn lines_with(&self, words: &[&str]) -> Vec<usize> {
        let has = |line: &str, word: &str| {
            line.match_indices(word).any(|(at, _)| {
                !line[..at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_')
            })
        };
        let lines = self.product.lines().zip(1..);
        lines
            .filter(|(line, _)| {
                words.iter().any(|word| match word.strip_prefix('.') {
                    Some(_) => line.contains(word),
                    None => has(line, word),
                })
            })
            .map(|(_, number)| number)
            .collect()
    }

    /// Whether a comment stands on this line or on one of the six above it. Documentation is none: it is about the item,
    /// and not about what happens on the line.
    pub(super) fn is_explained(&self, line: usize) -> bool {
        let near = self.text.lines().take(line).skip(line.saturating_sub(7));
        near.into_iter().any(|line| {
            line.match_indices("//").any(|(at, _)| {
                !line[at..].starts_with("///")
                    && !line[at..].starts_with("//!")
                    && !line[..at].ends_with(['/', ':'])
            })
        })
    }

    /// The functions of the product.
    pub(super) fn functions(&self) -> Vec<Function> {
        let starts = self.product.match_indices("fn ").filter(|(at, _)| {
            !self.product[..*at].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_')
        });
        starts.filter_map(|(at, _)| self.function(at)).collect()
    }

    fn function(&self, at: usize) -> Option<Function> {
        let rest = &self.product[at..];
        let open = rest
            .find(['{', ';'])
            .filter(|open| rest[*open..].starts_with('{'))?;
        let end = open + block(&rest[open..]);
        Some(Function {
            name: name(&rest["fn ".len()..]).to_owned(),
            line: line_of(&self.product, at),
            lines: rest[..end].matches('\n').count() + 1,
        })
    }

    /// Lines, up to the last that is not for tests.
    pub(super) fn lines_without_tests(&self) -> usize {
        self.product.trim_end().lines().count()
    }

    /// The paths, without `.rs`, of modules that are declared for tests only.
    fn test_modules(&self) -> Vec<String> {
        let marks = FOR_TESTS
            .iter()
            .flat_map(|mark| self.code.match_indices(mark));
        marks.filter_map(|(at, _)| self.test_module(at)).collect()
    }

    /// The module declared by the item whose attributes begin at `at`, unless it is another item.
    fn test_module(&self, at: usize) -> Option<String> {
        let end = at + self.code[at..].find(['{', ';'])?;
        let (_, name) = self.code[at..end].split_once("mod ")?;
        // Texts are blanked in the code, and stand at the same place in the text.
        let path = self.text[at..end]
            .split_once("path = \"")
            .map(|(_, path)| path);
        let (own, directory) = (self.directory(), self.path.rsplit_once('/')?.0);
        Some(match path.and_then(|path| path.split_once(".rs\"")) {
            Some((file, _)) => format!("{directory}/{file}"),
            None => format!("{own}/{}", name.trim()),
        })
    }

    /// Where the modules lie that the file declares.
    fn directory(&self) -> &str {
        let stem = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        ["/mod", "/lib", "/main"]
            .iter()
            .find_map(|name| stem.strip_suffix(name))
            .unwrap_or(stem)
    }
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// The identifier at the beginning.
fn name(code: &str) -> &str {
    let end = code.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    &code[..end.unwrap_or(code.len())]
}

/// The first name of each member of a `{…}` group of which the brace is gone.
fn members(group: &str) -> Vec<String> {
    let (mut depth, mut fresh, mut names) = (0, true, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            _ if fresh && !letter.is_whitespace() => {
                names.push(name(&group[at..]).to_owned());
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

/// The length of the block that begins with `{`, its closing brace included.
fn block(code: &str) -> usize {
    let mut depth = 0;
    for (at, letter) in code.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// The code with every item for tests only turned to spaces.
fn without_tests(code: &str) -> String {
    let mut product = code.to_owned();
    while let Some(at) = FOR_TESTS.iter().find_map(|mark| product.find(mark)) {
        let rest = &product[at..];
        let end = match rest.find(['{', ';']) {
            Some(open) if rest[open..].starts_with('{') => open + block(&rest[open..]),
            Some(semicolon) => semicolon + 1,
            None => rest.len(),
        };
        let spaces = spaces(&rest[..end]);
        product.replace_range(at..at + end, &spaces);
    }
    product
}

/// As many bytes, with the line breaks where they were.
fn spaces(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
        .collect()
}

/// The code with comments and the content of texts and characters turned to spaces.
fn blank(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (keep, hide) = piece(rest, code.chars().next_back());
        code.push_str(&rest[..keep]);
        code.push_str(&spaces(&rest[keep..keep + hide]));
        rest = &rest[keep + hide..];
    }
    code
}

/// How many bytes to keep at the beginning, and how many to hide after them; `before` is the letter before.
fn piece(rest: &str, before: Option<char>) -> (usize, usize) {
    let raw = rest
        .strip_prefix('r')
        .map(|rest| rest.len() - rest.trim_start_matches('#').len());
    let in_name = before.is_some_and(|letter| {
        letter.is_alphanumeric() && letter != 'b' && letter != 'c' || letter == '_'
    });
    if rest.starts_with("//") {
        (0, rest.find('\n').unwrap_or(rest.len()))
    } else if rest.starts_with("/*") {
        (0, rest.find("*/").map_or(rest.len(), |end| end + 2))
    } else if let Some(hashes) =
        raw.filter(|hashes| !in_name && rest[1 + hashes..].starts_with('"'))
    {
        let end = format!("\"{}", "#".repeat(hashes));
        let open = 2 + hashes;
        (
            open,
            rest[open..].find(&end).unwrap_or(rest.len() - open) + end.len(),
        )
    } else if let Some(text) = rest.strip_prefix('"') {
        (1, quoted(text, '"'))
    } else if rest.starts_with("'\\") || rest.starts_with('\'') && rest.chars().nth(2) == Some('\'')
    {
        (1, quoted(&rest[1..], '\''))
    } else {
        (rest.chars().next().map_or(0, char::len_utf8), 0)
    }
}

/// The length up to and with the closing quote.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[test]
fn texts_and_comments_are_blanked() {
    let code = blank(
        "a(\"x{\\\"\", '{', 'a', '\\'', b\"}\", r#\"{\"#, &'static str) // {\nfor /* } */ b 'é'",
    );
    assert!(!code.contains('{') && !code.contains('}'), "{code}");
    assert!(
        code.contains("&'static str)") && code.contains("for") && code.contains(" b "),
        "{code}"
    );
    assert_eq!(code.matches('\n').count(), 1);
}

#[test]
fn tests_are_left_out_and_functions_measured() {
    let text = "fn a() {\n    b();\n}\n#[cfg(test)]\nmod tests {\n    fn c() {\n    }\n}\n#[cfg(test)]\nmod more;\n\
                #[cfg(test)]\n#[path = \"a_tests.rs\"]\nmod a;\nfn d();\n";
    let source = Source::new("src/room/mod.rs", text);
    let functions: Vec<_> = source
        .functions()
        .into_iter()
        .map(|found| (found.name, found.line, found.lines))
        .collect();
    assert_eq!(functions, [(String::from("a"), 1, 3)]);
    assert_eq!(
        source.test_modules(),
        ["src/room/tests", "src/room/more", "src/room/a_tests"]
    );
}
