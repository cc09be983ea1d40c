//! The page around the plots: headings, tables, lists. All text is escaped here.

use std::fmt::Display;

use crate::bench::report::junit::escape;
use crate::server::web::STYLE;

use super::plot::{Plot, colour};

/// No script and nothing from elsewhere: a result of a stranger can be opened without a thought.
const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
"#;

/// The page so far.
pub(in crate::bench) struct Page(String);

impl Page {
    pub(in crate::bench) fn new(title: &str) -> Self {
        let title = escape(title);
        Self(format!(
            "{HEAD}<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        ))
    }

    pub(in crate::bench) fn badge(&mut self, tone: &str, words: &str) {
        self.0 += &format!("<p class=\"badge {tone}\">{}</p>\n", escape(words));
    }

    pub(in crate::bench) fn tiles(&mut self, tiles: &[(String, String)]) {
        self.0 += "<div class=\"tiles\">\n";
        for (name, value) in tiles {
            let (name, value) = (escape(name), escape(value));
            self.0 += &format!("<div><span>{name}</span><b>{value}</b></div>\n");
        }
        self.0 += "</div>\n";
    }

    /// A table with a line of words under it; columns of numbers are aligned on the right. One of many columns
    /// has the whole width of the page.
    pub(in crate::bench) fn table(
        &mut self,
        name: &str,
        head: &[&str],
        rows: &[Vec<String>],
        words: &str,
    ) {
        if rows.is_empty() {
            return;
        }
        let class = if head.len() > 3 {
            " class=\"wide\""
        } else {
            ""
        };
        self.0 += &format!("<section{class}><h2>{}</h2>\n<table>\n", escape(name));
        let is_numeric = |column: usize| {
            let cells = || rows.iter().filter_map(|row| row.get(column));
            let fits = |cell: &String| cell.is_empty() || is_number(cell);
            cells().all(fits) && cells().any(|cell| is_number(cell))
        };
        let numeric: Vec<bool> = (0..head.len()).map(is_numeric).collect();
        if head.iter().any(|cell| !cell.is_empty()) {
            self.0 += &row("th", head, &numeric);
        }
        for cells in rows {
            self.0 += &row("td", cells, &numeric);
        }
        self.0 += "</table>\n";
        if !words.is_empty() {
            self.0 += &format!("<p class=\"words\">{}</p>\n", escape(words));
        }
        self.0 += "</section>\n";
    }

    /// Names and values, side by side.
    pub(in crate::bench) fn pairs(
        &mut self,
        name: &str,
        pairs: impl IntoIterator<Item = (impl Into<String>, String)>,
    ) {
        self.0 += &format!("<section><h2>{}</h2>\n<dl>\n", escape(name));
        for (name, value) in pairs {
            let (name, value) = (escape(&name.into()), escape(&value));
            self.0 += &format!("<div><dt>{name}</dt><dd>{value}</dd></div>\n");
        }
        self.0 += "</dl></section>\n";
    }

    pub(in crate::bench) fn list(&mut self, name: &str, tone: &str, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        self.0 += &format!(
            "<section class=\"{tone}\"><h2>{}</h2>\n<ul>\n",
            escape(name)
        );
        for line in lines {
            self.0 += &format!("<li>{}</li>\n", escape(line));
        }
        self.0 += "</ul></section>\n";
    }

    pub(in crate::bench) fn figure(&mut self, plot: &Plot) {
        self.0 += &format!("<figure><h2>{}</h2>\n", escape(&plot.title));
        self.0 += "<p class=\"legend\">";
        for (at, line) in plot.series.iter().enumerate() {
            let (class, name) = (colour(at), escape(&line.name));
            self.0 += &format!("<span class=\"{class}\">{name}</span> ");
        }
        self.0 += "</p>\n";
        plot.draw(&mut self.0);
        self.0 += &format!(
            "<figcaption>{}</figcaption></figure>\n",
            escape(&plot.caption)
        );
    }

    pub(in crate::bench) fn end(mut self, footer: &str) -> String {
        self.0 += &format!("<footer>{}</footer>\n</body>\n</html>\n", escape(footer));
        self.0
    }
}

fn row(kind: &str, cells: &[impl Display], numeric: &[bool]) -> String {
    let cell = |(cell, numeric): (&_, &bool)| {
        let class = if *numeric { " class=\"n\"" } else { "" };
        let text = escape(&format!("{cell}"));
        format!("<{kind}{class}>{text}</{kind}>")
    };
    let cells: String = cells.iter().zip(numeric).map(cell).collect();
    format!("<tr>{cells}</tr>\n")
}

fn is_number(cell: &str) -> bool {
    cell.starts_with(|first: char| first.is_ascii_digit() || first == '–')
}
