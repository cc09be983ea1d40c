//! A plot as inline SVG; its colours come from the style of the page.

use crate::bench::report::junit::escape;

use super::axis::Axis;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 40.0;

/// About the width of a letter, and the height of a line, of the words at the pointer.
const LETTER: f64 = 6.6;
const LINE: f64 = 15.0;

/// Colours that the style has; further series have them again.
const COLOURS: usize = 7;

/// The class of series `at`.
pub(in crate::bench) fn colour(at: usize) -> String {
    format!("s{}", at % COLOURS)
}

/// What is drawn.
pub(in crate::bench) struct Plot {
    pub(in crate::bench) title: String,
    pub(in crate::bench) caption: String,
    pub(in crate::bench) x: Axis,
    pub(in crate::bench) y: Axis,
    /// What the values of the x axis are.
    pub(in crate::bench) x_name: &'static str,
    pub(in crate::bench) series: Vec<Series>,
    /// Stretches of the x axis that are not part of the figures, and what they are.
    pub(in crate::bench) shaded: Vec<(f64, f64, String)>,
}

/// Values that belong together.
pub(in crate::bench) struct Series {
    pub(in crate::bench) name: String,
    pub(in crate::bench) marks: Marks,
}

/// How values are shown.
pub(in crate::bench) enum Marks {
    /// Points joined by a line.
    Line(Vec<(f64, f64)>),
    /// Side by side.
    Bars(Vec<Bar>),
}

/// From, to, height.
pub(in crate::bench) type Bar = (f64, f64, f64);

impl Plot {
    /// Appends the SVG.
    pub(in crate::bench) fn draw(&self, into: &mut String) {
        *into += &format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
            escape(&self.title)
        );
        self.draw_shades(into);
        self.draw_grid(into);
        for (at, series) in self.series.iter().enumerate() {
            *into += &format!("<g class=\"{}\">", colour(at));
            match &series.marks {
                Marks::Line(points) => self.draw_line(&series.name, points, into),
                Marks::Bars(bars) => self.draw_bars(bars, into),
            }
            *into += "</g>\n";
        }
        self.draw_hover(into);
        *into += "</svg>\n";
    }

    /// What a pointer finds: for each place of the x axis the values of all lines there, shown by the style of the page.
    fn draw_hover(&self, into: &mut String) {
        let lines = self.series.iter().filter_map(|series| match &series.marks {
            Marks::Line(points) => Some((series.name.as_str(), points.as_slice())),
            Marks::Bars(_) => None,
        });
        let lines: Vec<(&str, &[(f64, f64)])> = lines.collect();
        let mut places: Vec<f64> = lines
            .iter()
            .flat_map(|(_, points)| points.iter().map(|(x, _)| *x))
            .collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        for (at, place) in places.iter().enumerate() {
            let x = self.x(*place);
            let before = at.checked_sub(1).map_or(LEFT, |at| self.x(places[at]));
            let after = places
                .get(at + 1)
                .map_or(WIDTH - RIGHT, |next| self.x(*next));
            let (left, right) = ((before + x) / 2.0, (x + after) / 2.0);
            let mut words = vec![self.x.value(*place)];
            for (name, points) in &lines {
                let found = points.iter().find(|(x, _)| x == place);
                words.extend(found.map(|(_, y)| format!("{name}: {}", self.y.value(*y))));
            }
            *into += &format!(
                "<g class=\"hit\"><rect x=\"{left:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\"/>",
                right - left,
                HEIGHT - TOP - BOTTOM,
            );
            tip(x, &words, into);
            *into += "</g>\n";
        }
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + self.x.place(value) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - self.y.place(value) * (HEIGHT - TOP - BOTTOM)
    }

    fn draw_shades(&self, into: &mut String) {
        for (from, to, name) in &self.shaded {
            let (left, right) = (self.x(*from), self.x(*to));
            *into += &format!(
                "<rect class=\"phase\" x=\"{left:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\">\
                 <title>{}</title></rect>\n",
                right - left,
                HEIGHT - TOP - BOTTOM,
                escape(name)
            );
        }
    }

    fn draw_grid(&self, into: &mut String) {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for (value, label) in self.y.marks() {
            let y = self.y(value);
            *into += &format!(
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{right}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\n",
                LEFT - 6.0,
                y + 4.0
            );
        }
        for (value, label) in self.x.marks() {
            let x = self.x(value);
            // A label in the middle of its mark would not fit at the right edge.
            let (at, anchor) = match right - x < RIGHT {
                true => (WIDTH, "end"),
                false => (x, "middle"),
            };
            *into += &format!(
                "<path class=\"grid\" d=\"M{x:.1} {TOP}V{bottom}\"/>\
                 <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{label}</text>\n",
                bottom + 16.0
            );
        }
        *into += &format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
            (LEFT + right) / 2.0,
            HEIGHT - 6.0,
            escape(self.x_name)
        );
    }

    fn draw_line(&self, name: &str, points: &[(f64, f64)], into: &mut String) {
        let path: String = points
            .iter()
            .enumerate()
            .map(|(at, (x, y))| {
                let letter = if at == 0 { 'M' } else { 'L' };
                format!("{letter}{:.1} {:.1}", self.x(*x), self.y(*y))
            })
            .collect();
        *into += &format!(
            "<path class=\"line\" d=\"{path}\"><title>{}</title></path>",
            escape(name)
        );
    }

    fn draw_bars(&self, bars: &[Bar], into: &mut String) {
        for (from, to, height) in bars {
            let (left, right, top) = (self.x(*from), self.x(*to), self.y(*height));
            *into += &format!(
                "<rect class=\"bar\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\">\
                 <title>{} to {}: {height}</title></rect>",
                (right - left - 1.0).max(1.0),
                HEIGHT - BOTTOM - top,
                self.x.label(*from),
                self.x.label(*to)
            );
        }
    }
}

/// Words in a box beside `x`, one a line.
fn tip(x: f64, words: &[String], into: &mut String) {
    let longest = words.iter().map(|word| word.chars().count()).max();
    let wide = longest.unwrap_or(0) as f64 * LETTER + 12.0;
    let left = if x + wide + 8.0 < WIDTH {
        x + 8.0
    } else {
        (x - 8.0 - wide).max(0.0)
    };
    *into += &format!(
        "<g class=\"tip\"><path d=\"M{x:.1} {TOP}V{}\"/>\
         <rect x=\"{left:.1}\" y=\"{}\" width=\"{wide:.1}\" height=\"{:.1}\" rx=\"4\"/>",
        HEIGHT - BOTTOM,
        TOP + 4.0,
        words.len() as f64 * LINE + 8.0,
    );
    for (at, word) in words.iter().enumerate() {
        *into += &format!(
            "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            left + 6.0,
            TOP + 4.0 + LINE * (at as f64 + 1.0),
            escape(word)
        );
    }
    *into += "</g>";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::html::axis::{Scale, Unit};

    #[test]
    fn a_line_runs_from_corner_to_corner() {
        let plot = Plot {
            title: String::from("a & b"),
            caption: String::new(),
            x: Axis::over(Scale::Linear, Unit::Seconds, [10.0].into_iter()),
            y: Axis::over(Scale::Linear, Unit::Count, [5.0].into_iter()),
            x_name: "time",
            series: vec![Series {
                name: String::from("s"),
                marks: Marks::Line(vec![(0.0, 0.0), (10.0, 5.0)]),
            }],
            shaded: vec![],
        };
        let mut svg = String::new();
        plot.draw(&mut svg);
        assert!(svg.contains("d=\"M62.0 260.0L542.0 8.0\""), "{svg}");
        assert!(svg.contains("aria-label=\"a &amp; b\""));
        assert_eq!(svg.matches("class=\"hit\"").count(), 2);
        assert!(
            svg.contains(">10.0 s</text>") && svg.contains(">s: 5.00</text>"),
            "{svg}"
        );
    }
}
